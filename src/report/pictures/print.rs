//! The figure of a case report: which place its sections show, and the words below its pictures.

use glam::DVec3;

use super::{Painted, time_point};
use crate::alignment::Verdict;
use crate::assessment::{PairAssessment, SeriesScan, Trajectory, trajectories};
use crate::deauville::{DeauvilleScore, Scored};
use crate::diagnostic::Warning;
use crate::lesion::{Class, Lesion};
use crate::render::{
    CompareColumn, PictureInput, PrintSize, RegionKind, Sheet, Window, print_figure,
};

/// Which regions are outlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outlined {
    /// None.
    Nothing,
    /// Lesions.
    #[default]
    Lesions,
    /// Lesions, uncertain regions and references.
    All,
}

/// How a figure for print is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrintOptions {
    /// Width and resolution.
    pub size: PrintSize,
    /// The SUV that is shown darkest.
    pub suv_max: f32,
    /// What is outlined.
    pub outlined: Outlined,
    /// Dates of the scans instead of days between them.
    pub dates: bool,
}

/// The place that the sections of all scans show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Position of the scan in whose frame it is given.
    pub scan: usize,
    /// The place there, millimetres (LPS).
    pub place_mm: DVec3,
    /// The lesion of that scan that it belongs to.
    pub lesion: Option<usize>,
}

/// A figure for print.
#[derive(Debug, Clone)]
pub struct PrintedFigure {
    /// The sheet.
    pub sheet: Sheet,
    /// Where the section of each scan cuts, millimetres; `None` where the place could not be carried into the scan.
    pub places_mm: Vec<Option<DVec3>>,
    /// The words below the pictures of each scan.
    pub captions: Vec<Vec<String>>,
    /// What a reader of the figure must know.
    pub warnings: Vec<Warning>,
}

/// The target by itself: the hottest lesion of the scan with the highest score, of the hottest of such scans. Without any
/// lesion, the hottest uncertain region, else the liver of the first scan.
pub fn usual_target(scans: &[SeriesScan<'_>], pairs: &[PairAssessment]) -> Option<Target> {
    let hottest = |class: Class| {
        let of_scan = |(n, scan): (usize, &SeriesScan<'_>)| {
            let lesion = scan.assessment.of_class(class).next()?;
            Some((score(scans, pairs, n), lesion.statistics.max, n, target(n, lesion)))
        };
        let found = scans.iter().enumerate().filter_map(of_scan);
        // The earlier of equals: later ones are compared with it.
        found.max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(b.2.cmp(&a.2)))
    };
    let lesion = hottest(Class::Lesion).or_else(|| hottest(Class::Uncertain)).map(|found| found.3);
    lesion.or_else(|| {
        let place_mm = scans.first()?.assessment.liver.centre_mm?;
        Some(Target { scan: 0, place_mm, lesion: None })
    })
}

/// The target that is a lesion of a scan; `None` where there is no such region.
pub fn target_of(scans: &[SeriesScan<'_>], scan: usize, id: usize) -> Option<Target> {
    let lesion = scans.get(scan)?.assessment.lesions.iter().find(|l| l.id == id)?;
    Some(target(scan, lesion))
}

fn target(scan: usize, lesion: &Lesion) -> Target {
    Target { scan, place_mm: lesion.hottest_mm, lesion: Some(lesion.id) }
}

/// The score of a scan; one with a new lesion is 5 whatever its uptake, which the response knows.
fn score(scans: &[SeriesScan<'_>], pairs: &[PairAssessment], n: usize) -> Option<DeauvilleScore> {
    match scored(scans, pairs, n) {
        Scored::Score(score) => Some(*score),
        Scored::NotComputable(_) => None,
    }
}

fn scored<'a>(scans: &'a [SeriesScan<'_>], pairs: &'a [PairAssessment], n: usize) -> &'a Scored {
    with_baseline(pairs, n).map_or(&scans[n].assessment.deauville.score, |p| &p.lugano.deauville)
}

fn with_baseline(pairs: &[PairAssessment], n: usize) -> Option<&PairAssessment> {
    pairs.iter().find(|p| p.baseline == 0 && p.follow_up == n)
}

/// The figure: projections above, sections through the target below, captions with score and response.
pub fn for_print(
    scans: &[SeriesScan<'_>],
    pairs: &[PairAssessment],
    target: Option<Target>,
    options: &PrintOptions,
) -> PrintedFigure {
    let shown = |l: &Lesion| match options.outlined {
        Outlined::Nothing => false,
        Outlined::Lesions => l.finding.class == Class::Lesion,
        Outlined::All => l.finding.class != Class::Physiologic,
    };
    let painted: Vec<Painted> = scans.iter().map(|s| Painted::new(&s.assessment, shown)).collect();
    let followed = trajectories(scans, pairs);
    let places: Vec<Option<DVec3>> = (0..scans.len()).map(|n| carried(target?, pairs, n)).collect();
    let columns: Vec<CompareColumn<'_>> = scans
        .iter()
        .enumerate()
        .map(|(n, scan)| {
            let mut outlines = painted[n].outlines(scan.input.image.volume.geometry());
            outlines
                .retain(|o| options.outlined == Outlined::All || o.kind != RegionKind::Reference);
            CompareColumn {
                input: PictureInput {
                    suv: &scan.input.image.volume,
                    ct: scan.input.ct,
                    outlines,
                    focus_mm: places[n].or_else(|| super::focus(&scan.assessment)),
                },
                captions: captions(scans, pairs, n, options.dates),
                section_captions: vec![section_words(scans, &followed, target, places[n], n)],
            }
        })
        .collect();
    let window = Window { low: 0.0, high: options.suv_max };
    let notes = notes(scans, options);
    let sheet = print_figure(&columns, &notes, options.size, window);
    let captions = columns
        .iter()
        .map(|c| c.captions.iter().chain(&c.section_captions).cloned().collect())
        .collect();
    let warnings = (0..scans.len())
        .filter(|&n| target.is_some() && places[n].is_none())
        .map(|n| {
            let name = time_point(scans, n);
            let what = format!(
                "the place of the sections could not be carried into {name}, which is not aligned; its section shows \
                 another place, as its caption says"
            );
            Warning::new("FIGURE_PLACE_NOT_CARRIED", what)
        })
        .collect();
    PrintedFigure { sheet, places_mm: places, captions, warnings }
}

/// A target in the frame of a scan; `None` where a scan on the way is not aligned.
fn carried(target: Target, pairs: &[PairAssessment], n: usize) -> Option<DVec3> {
    if target.scan == n {
        return Some(target.place_mm);
    }
    let from_baseline = |n: usize| {
        let alignment = &with_baseline(pairs, n)?.alignment;
        let aligned = alignment.quality.verdict != Verdict::Failed;
        aligned.then_some(alignment.follow_up_from_baseline)
    };
    let in_baseline = match target.scan {
        0 => target.place_mm,
        scan => from_baseline(scan)?.inverse().transform_point3(target.place_mm),
    };
    match n {
        0 => Some(in_baseline),
        n => Some(from_baseline(n)?.transform_point3(in_baseline)),
    }
}

/// When, score and response, uptake. Without dates nothing here tells the day.
fn captions(
    scans: &[SeriesScan<'_>],
    pairs: &[PairAssessment],
    n: usize,
    dates: bool,
) -> Vec<String> {
    let pair = with_baseline(pairs, n);
    let mut lines = Vec::new();
    let date = scans[n].facts.acquired.filter(|_| dates).map(|when| when.date().to_string());
    match date {
        Some(date) if scans.len() == 1 => lines.push(date),
        Some(date) => {
            let name = if n == 0 { "Baseline".into() } else { format!("Follow-up {n}") };
            lines.push(format!("{name}, {date}"));
        }
        None if scans.len() > 1 => lines.push(capitalised(&time_point(scans, n))),
        None => {}
    }
    let deauville = match scored(scans, pairs, n) {
        Scored::Score(score) => format!("Deauville {score}"),
        Scored::NotComputable(_) => "Deauville not computable".into(),
    };
    let response = pair.map(|p| format!(", {}", p.lugano.category));
    lines.push(deauville + &response.unwrap_or_default());
    let hottest = scans[n].assessment.of_class(Class::Lesion).next();
    let change = pair.and_then(|p| p.delta_suv_max_percent);
    // A change without sign is one that rounds to nothing.
    let change = change.map(|percent| {
        let sign = if percent.round() < 0.0 { "\u{2212}" } else { "+" };
        format!(" ({sign}{:.0} %)", percent.abs())
    });
    lines.push(match hottest {
        Some(l) => format!("SUVmax {:.1}{}", l.statistics.max, change.unwrap_or_default()),
        None => "No lesion".into(),
    });
    lines
}

/// What a section shows.
fn section_words(
    scans: &[SeriesScan<'_>],
    followed: &[Trajectory],
    target: Option<Target>,
    place: Option<DVec3>,
    n: usize,
) -> String {
    let Some(target) = target else { return "No place to show".into() };
    let Some(place) = place else { return "Not aligned: another place".into() };
    let lesions = &scans[n].assessment.lesions;
    let uptake = |id: usize| lesions.iter().find(|l| l.id == id).map(|l| l.statistics.max);
    if scans[n].input.image.volume.geometry().voxel_at(place).is_none() {
        return "Out of the field of view".into();
    }
    match target.lesion {
        Some(id) if target.scan == n => {
            let found = lesions.iter().find(|l| l.id == id);
            let words = found.map(|l| {
                format!("{}, SUVmax {:.1}", capitalised(l.finding.site.name()), l.statistics.max)
            });
            words.unwrap_or_default()
        }
        Some(id) => {
            let same = |t: &&Trajectory| t.visits[target.scan].lesion_ids.contains(&id);
            let visit = followed.iter().find(same).map(|t| &t.visits[n]);
            let ids = visit.map_or(&[][..], |v| &v.lesion_ids);
            let hottest = ids.iter().filter_map(|&id| uptake(id)).reduce(f64::max);
            let there = visit.and_then(|v| v.suv_max);
            match (hottest, there) {
                (Some(max), _) => format!("Same place, SUVmax {max:.1}"),
                (None, Some(max)) => format!("Same place, no lesion, SUVmax {max:.1}"),
                (None, None) => "Same place, no lesion".into(),
            }
        }
        None if target.scan == n => "Chosen place".into(),
        None => "Same place".into(),
    }
}

/// What the pictures show, said once.
fn notes(scans: &[SeriesScan<'_>], options: &PrintOptions) -> Vec<String> {
    let letters = |first: usize| {
        let letter = |n: usize| ('a'..='z').nth(n).unwrap_or('?');
        match scans.len() {
            0 | 1 => letter(first).to_string(),
            n => format!("{}\u{2013}{}", letter(first), letter(first + n - 1)),
        }
    };
    let ct = scans.iter().any(|s| s.input.ct.is_some());
    let kind = if ct { "PET on CT" } else { "PET" };
    let outlined = match options.outlined {
        Outlined::Nothing => "",
        Outlined::Lesions => " Lesions are outlined.",
        Outlined::All => " Lesions, uncertain uptake and references are outlined.",
    };
    let high = options.suv_max;
    let plural = if scans.len() == 1 { "" } else { "s" };
    vec![
        format!(
            "{}: PET, maximum intensity projection{plural}. {}: {kind}, axial section{plural} at the marks. SUV 0 to {high}; one \
             scale in each row.{outlined}",
            letters(0),
            letters(scans.len()),
        ),
        format!(
            "Research use only, not a medical device. Scores and responses are computed; a reader decides. petct {}",
            env!("CARGO_PKG_VERSION")
        ),
    ]
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
