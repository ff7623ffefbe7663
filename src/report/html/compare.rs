//! The page of a series.

use maud::{Markup, html};

use super::parts::{self, Kind, number, picture, table, text};
use super::{ScanPictures, Section, Viewer, lesions, page, pair, scan, source};
use crate::report::compare::{CompareDocument, PairDocument};
use crate::report::score::ScoreDocument;
use crate::report::text::counted;

/// The page of `petct compare`: `document` with, for each scan, a name (`baseline`, `follow-up 1 (+57 days)`) and its pictures,
/// the figure of the trajectories as the SVG that [`crate::report::trajectories::figure`] makes, and the viewer.
pub fn compare_page(
    document: &CompareDocument,
    names: &[String],
    pictures: &[ScanPictures],
    trajectories: &str,
    viewer: Viewer<'_>,
) -> String {
    let names: Vec<String> = (0..document.scans.len()).map(|n| pair::name(names, n)).collect();
    let none = ScanPictures::default();
    let scans: Vec<Scan<'_>> = document
        .scans
        .iter()
        .enumerate()
        .map(|(n, of)| {
            let pictures = pictures.get(n).unwrap_or(&none);
            Scan { position: n, name: &names[n], of, pictures }
        })
        .collect();
    let top = html! { @for of in &document.pairs { (pair::call(of, &names)) } };
    let pairs = html! { @for of in &document.pairs { (pair::details(of, &names)) } };
    let drawn = scans.iter().any(|scan| scan.pictures.projection.is_some());
    let drawn =
        drawn.then(|| Section::new("pictures", "Projections at one scale", projections(&scans)));
    let sections = [
        Section::new("scans", "The scans in short", overview(&scans)),
        Section::new(
            "lesions",
            "Lesions over time",
            lesions::over_time(document, &names, trajectories),
        ),
        Section::new("pairs", "Each pair of scans", pairs),
        Section::new("regions", "Each scan", html! { @for of in &scans { (each(of)) } }),
        Section::new(
            "suv",
            "Where the SUV come from",
            html! {
                @for of in &scans { h3 { (of.name) } (source::suv(of.of)) }
            },
        ),
        Section::new("warnings", "Warnings", parts::warnings(&document.warnings)),
        Section::new("criteria", "Criteria and sources", criteria(document)),
        Section::new("files", "Files", source::files(&document.files)),
    ];
    let patient = document.scans.first().and_then(|s| s.patient.as_ref());
    page(&title(document, &names), patient, &top, drawn.into_iter().chain(sections), viewer)
}

/// A scan with what the page shows of it.
struct Scan<'a> {
    position: usize,
    name: &'a str,
    of: &'a ScoreDocument,
    pictures: &'a ScanPictures,
}

/// The calls in one line, the last first: it is what the reader came for.
fn title(document: &CompareDocument, names: &[String]) -> String {
    let call = |of: &PairDocument| format!("{}: {}", pair::heading(of, names), of.lugano.category);
    let to_baseline = document.pairs.iter().rev().filter(|of| of.baseline == 0);
    let calls: Vec<String> = to_baseline.map(call).collect();
    format!("Response, {}", calls.join("; "))
}

fn projections(scans: &[Scan<'_>]) -> Markup {
    html! {
        div.side-by-side tabindex="0" role="region" aria-label="Projections of all scans" {
            @for scan in scans {
                (picture(
                    scan.pictures.projection.as_deref(),
                    &format!("Coronal maximum intensity projection, {}: {}", scan.name, numbered(scan.of)),
                    &format!("{}: {}", scan.name, scan.of.headline()),
                ))
            }
        }
        p.muted {
            "Coronal maximum intensity projections at one scale and in one SUV window. Lesions and uncertain regions are outlined "
            "and numbered as in the table of their scan; L liver, B blood pool. The score of a scan by itself does not know of "
            "new lesions; the response does."
        }
    }
}

fn numbered(scan: &ScoreDocument) -> String {
    let lesions = counted(scan.totals.lesions, "lesion");
    let uncertain = counted(scan.totals.uncertain, "uncertain region");
    format!("{lesions}, {uncertain}, outlined and numbered")
}

fn overview(scans: &[Scan<'_>]) -> Markup {
    let headings = [
        ("Scan", Kind::Text),
        ("Deauville by itself", Kind::Number),
        ("SUVmax", Kind::Number),
        ("Lesions", Kind::Number),
        ("Uncertain", Kind::Number),
        ("TMTV (mL)", Kind::Number),
        ("TLG (g)", Kind::Number),
        ("Dmax (mm)", Kind::Number),
        ("Liver SUVmean", Kind::Number),
        ("Liver SUVmax", Kind::Number),
        ("Blood pool SUVmean", Kind::Number),
        ("Uptake (min)", Kind::Number),
    ];
    let row = |scan: &Scan<'_>| {
        let of = scan.of;
        let (liver, pool) = (&of.references.liver, &of.references.blood_pool);
        let disease = of.lesions.iter().filter(|l| l.class == "lesion");
        let score = of.deauville.score.score();
        vec![
            text(scan.name),
            text(score.map_or_else(|| "not computable".into(), |score| score.to_string())),
            number(disease.map(|l| l.suv_max).reduce(f64::max), 2),
            text(of.totals.lesions.to_string()),
            text(of.totals.uncertain.to_string()),
            number(Some(of.totals.tmtv_ml), 1),
            number(Some(of.totals.tlg_g), 1),
            number(of.totals.dmax_mm, 0),
            number(liver.suv_mean, 2),
            number(liver.suv_max, 2),
            number(pool.suv_mean, 2),
            number(of.clock.uptake_minutes, 0),
        ]
    };
    table("The scans in the order of time", &headings, &scans.iter().map(row).collect::<Vec<_>>())
}

/// Everything of one scan.
fn each(scan: &Scan<'_>) -> Markup {
    let Scan { position, name, of, pictures } = scan;
    html! {
        h3 { (name) ": " (of.headline()) }
        (source::decisions(of))
        (picture(pictures.figure.as_deref(), &scan::figure_words(of, name), &of.caption()))
        h4 { "Regions of raised uptake, " (name) }
        (scan::lesions(of, *position))
        h4 { "The score by itself, and how firm it is, " (name) }
        (scan::score(of))
        h4 { "Reference regions, " (name) }
        (scan::references(of, pictures, name, *position))
    }
}

fn criteria(document: &CompareDocument) -> Markup {
    let criteria = &document.criteria;
    let mut found = source::of_scores(&document.scans);
    found.push(("reduced and increased", criteria.change.into(), criteria.change_source.into()));
    found.push(("comparability", criteria.quality.into(), "rules of the checks Q1 to Q13".into()));
    if let Some(of) = document.pairs.first() {
        found.push(("PERCIST", "1.0".into(), of.percist.source.into()));
        found.push(("EORTC", "1999".into(), of.eortc.source.into()));
        found.push(("delta SUVmax", "interim PET".into(), of.delta_suv_max.source.into()));
    }
    html! {
        (source::criteria(&found))
        p { "A score from " (criteria.positive_from) " on is a positive scan." }
        @if let Some(sha256) = &document.links_sha256 {
            p { "Links are as a reader gave them (SHA-256 " code { (sha256) } ")." }
        }
    }
}
