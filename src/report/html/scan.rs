//! One scan: its score, its regions, its references.

use maud::{Markup, html};

use super::parts::{self, Kind, Mark, Shown, number, picture, table_of_places, text};
use super::{ScanPictures, Section, Viewer, page, source};
use crate::criteria::LesionStatistic;
use crate::lesion::Class;
use crate::report::score::{LesionDocument, ReferenceDocument, ScoreDocument};
use crate::report::text::counted;

/// The page of `petct score`: `document` with the pictures of its scan and the viewer.
pub fn score_page(document: &ScoreDocument, pictures: &ScanPictures, viewer: Viewer<'_>) -> String {
    let title = format!("{}, convention {}", document.headline(), document.deauville.convention);
    let shows = figure_words(document, "the scan");
    let figure = pictures.figure.as_deref().map(|figure| {
        Section::new("pictures", "Pictures", picture(Some(figure), &shows, &document.caption()))
    });
    let sections = [
        Section::new("lesions", "Regions of raised uptake", lesions(document, 0)),
        Section::new("score", "The score, and how firm it is", score(document)),
        Section::new("references", "Reference regions", references(document, pictures, "", 0)),
        Section::new("suv", "Where the SUV come from", source::suv(document)),
        Section::new("warnings", "Warnings", parts::warnings(&document.warnings)),
        Section::new(
            "criteria",
            "Criteria and sources",
            source::criteria(&source::of_scores([document])),
        ),
        Section::new("files", "Files", source::files(&document.files)),
    ];
    page(
        &title,
        document.patient.as_ref(),
        &call(document),
        figure.into_iter().chain(sections),
        viewer,
    )
}

/// The call with what it rests on.
fn call(document: &ScoreDocument) -> Markup {
    let d = &document.deauville;
    let uncertain = d.if_uncertain_are_lesions.score();
    html! {
        div.call {
            p.line { (decides(document)) }
            @if let Some(reason) = &d.score_reason { p { (reason) } }
            @if uncertain != d.score.score() {
                p {
                    (Mark::Warn.with("uncertain regions"))
                    ": if all of them were lesions, the score would be "
                    (score_text(&d.if_uncertain_are_lesions)) "."
                }
            }
            @for reason in &d.borderline_reasons {
                p { (Mark::Warn.with("borderline")) ": " (reason.words()) "." }
            }
            (source::decisions(document))
        }
    }
}

/// What decides the score, in one sentence.
fn decides(document: &ScoreDocument) -> String {
    let d = &document.deauville;
    let value = |v: Option<f64>| v.map_or_else(|| "not known".into(), |v| format!("{v:.2}"));
    let references = format!(
        "liver {} {}, blood pool {}",
        d.liver_statistic,
        value(d.liver),
        value(d.blood_pool)
    );
    match d.deciding_uptake {
        Some(uptake) => {
            let of = deciding(document, uptake);
            format!("Decided by {} {uptake:.2} of {of}; {references}.", d.lesion_statistic)
        }
        None if document.totals.lesions == 0 => format!("No lesion; {references}."),
        None => format!("{}; {references}.", counted(document.totals.lesions, "lesion")),
    }
}

/// What has the uptake that decides: a lesion, or a site where no region stands out any more.
fn deciding(document: &ScoreDocument, uptake: f64) -> String {
    let statistic = document.deauville.lesion_statistic;
    let value = |l: &LesionDocument| match statistic {
        LesionStatistic::Max => Some(l.suv_max),
        LesionStatistic::Peak => Some(l.suv_peak),
        LesionStatistic::PeakOfFour => None,
    };
    let mut lesions = document.lesions.iter().filter(|l| l.class == Class::Lesion.name());
    // The document took both numbers from the same place, so that they are equal to the last bit.
    let found = lesions.clone().find(|l| value(l).is_some_and(|v| v.total_cmp(&uptake).is_eq()));
    match found {
        Some(lesion) => format!("lesion {} ({})", lesion.id, lesion.site),
        None if statistic == LesionStatistic::PeakOfFour && lesions.next().is_some() => {
            "the hottest lesion".into()
        }
        None => "a site of earlier disease".into(),
    }
}

/// The score with all that it hangs on.
pub(super) fn score(document: &ScoreDocument) -> Markup {
    let residual: Vec<String> =
        document.deauville.residual_suv_peak.iter().map(|peak| format!("{peak:.2}")).collect();
    html! {
        (source::lines(&document.score_lines()))
        @if !residual.is_empty() {
            p { "Uptake left at sites of earlier disease where no region stands out: SUVpeak " (residual.join(", ")) "." }
        }
    }
}

/// All regions of the scan with this position, hottest first.
pub(super) fn lesions(document: &ScoreDocument, scan: usize) -> Markup {
    let headings = [
        ("No.", Kind::Number),
        ("Class", Kind::Text),
        ("Site", Kind::Text),
        ("SUVmax", Kind::Number),
        ("SUVpeak", Kind::Number),
        ("SUVmean", Kind::Number),
        ("Volume (mL)", Kind::Number),
        ("TLG (g)", Kind::Number),
        ("Deauville", Kind::Number),
        ("Hottest at x, y, z (mm, LPS)", Kind::Text),
        ("Why this class", Kind::Words),
    ];
    let row = |l: &LesionDocument| (Some(Shown { scan, place_mm: l.hottest_mm }), lesion(l));
    let rows: Vec<(Option<Shown>, Vec<Markup>)> = document.lesions.iter().map(row).collect();
    html! {
        @if rows.is_empty() {
            p { "No region of raised uptake was found." }
        } @else {
            (table_of_places("Regions of raised uptake, hottest first", &headings, &rows))
            p.muted {
                "Threshold: " (document.threshold) ". TLG: total lesion glycolysis. Deauville: of the region by itself."
            }
        }
    }
}

fn lesion(lesion: &LesionDocument) -> Vec<Markup> {
    let decided = if lesion.decided_by == "reader" { ", decided by a reader" } else { "" };
    vec![
        text(lesion.id.to_string()),
        text(format!("{}{decided}", lesion.class)),
        text(lesion.site),
        number(Some(lesion.suv_max), 2),
        number(Some(lesion.suv_peak), 2),
        number(Some(lesion.suv_mean), 2),
        number(Some(lesion.volume_ml), 1),
        number(Some(lesion.tlg_g), 1),
        text(score_text(&lesion.deauville)),
        text(place(Some(lesion.hottest_mm))),
        html! { (lesion.reason) (lesion_notes(lesion)) },
    ]
}

fn lesion_notes(lesion: &LesionDocument) -> String {
    let notes = [
        (
            lesion.below_threshold,
            "hotter than the liver but below the threshold: scored, not counted in the burden",
        ),
        (lesion.divided, "divided from a neighbour that it touches"),
        (lesion.suv_peak_truncated, "the sphere of SUVpeak reaches beyond the scan"),
    ];
    notes.iter().filter(|(holds, _)| *holds).flat_map(|(_, note)| ["; ", *note]).collect()
}

/// Liver and blood pool with their pictures; `scan` names the scan where there are several, `position` is its own.
pub(super) fn references(
    document: &ScoreDocument,
    pictures: &ScanPictures,
    scan: &str,
    position: usize,
) -> Markup {
    let (liver, pool) = (&document.references.liver, &document.references.blood_pool);
    let headings = [
        ("Reference", Kind::Text),
        ("Status", Kind::Text),
        ("SUVmean", Kind::Number),
        ("SD", Kind::Number),
        ("SUVmax", Kind::Number),
        ("Median", Kind::Number),
        ("Volume (mL)", Kind::Number),
        ("Voxels", Kind::Number),
        ("Centre x, y, z (mm, LPS)", Kind::Text),
        ("Method", Kind::Text),
        ("Why", Kind::Words),
    ];
    let both = [("Liver", liver), ("Blood pool", pool)];
    let shown = |place_mm| Shown { scan: position, place_mm };
    let rows: Vec<(Option<Shown>, Vec<Markup>)> =
        both.iter().map(|(name, r)| (r.centre_mm.map(shown), reference(name, r))).collect();
    let of = if scan.is_empty() { String::new() } else { format!(", {scan}") };
    let caption = format!("Reference regions{of}");
    let shown = |name: &str, png: Option<&[u8]>, r: &ReferenceDocument| {
        let mean = r.suv_mean.map_or_else(|| "not known".into(), |mean| format!("{mean:.2}"));
        let status = r.status.replace('_', " ");
        let words = format!("{name} reference{of} in three planes: SUVmean {mean}, {status}");
        picture(png, &words, &format!("{name}: {}", r.reasons.join("; ")))
    };
    html! {
        (table_of_places(&caption, &headings, &rows))
        (shown("Liver", pictures.liver.as_deref(), liver))
        (shown("Blood pool", pictures.blood_pool.as_deref(), pool))
    }
}

fn reference(name: &str, reference: &ReferenceDocument) -> Vec<Markup> {
    let mark = match reference.status {
        "ok" => Mark::Pass,
        "refused" => Mark::Fail,
        _ => Mark::Unknown,
    };
    let decided = if reference.decided_by == "reader" { ", decided by a reader" } else { "" };
    vec![
        text(name),
        html! { (mark.with(&reference.status.replace('_', " "))) (decided) },
        number(reference.suv_mean, 2),
        number(reference.suv_sd, 2),
        number(reference.suv_max, 2),
        number(reference.suv_median, 2),
        number(reference.volume_ml, 1),
        text(reference.voxels.map_or_else(|| "-".into(), |voxels| voxels.to_string())),
        text(place(reference.centre_mm)),
        text(reference.method.unwrap_or("-").replace('_', " ")),
        parts::sentences(reference.reasons.iter().map(String::as_str)),
    ]
}

/// What the figure of a scan shows, for those who do not see it.
pub(super) fn figure_words(document: &ScoreDocument, scan: &str) -> String {
    let totals = &document.totals;
    format!(
        "Maximum intensity projections and sections of {scan}: {} and {}, outlined and numbered \
         as in the table; {}",
        counted(totals.lesions, "lesion"),
        counted(totals.uncertain, "uncertain region"),
        document.headline()
    )
}

fn score_text(score: &crate::deauville::Scored) -> String {
    score.score().map_or_else(|| "not computable".into(), |score| score.to_string())
}

fn place(place: Option<[f64; 3]>) -> String {
    place.map_or_else(|| "-".into(), |[x, y, z]| format!("{x:.0}, {y:.0}, {z:.0}"))
}
