//! The pictures of a scored scan and of a series: outlines and captions for [`crate::render`].

mod print;

use glam::DVec3;
use image::RgbImage;

pub use print::{
    Outlined, PrintOptions, PrintedFigure, Target, for_print, target_of, usual_target,
};

use crate::assessment::{PairAssessment, ScanAssessment, SeriesScan};
use crate::deauville::Scored;
use crate::lesion::{Class, Lesion};
use crate::reference::Reference;
use crate::render::{
    CompareColumn, FigureText, Outline, PictureInput, Region, RegionKind, Window, compare_figure,
    projections, reference_views, score_figure,
};
use crate::volume::{LabelMap, Volume};

/// Labels of the references in a label map, above those of any lesion.
const LIVER_LABEL: u32 = u32::MAX - 1;
const BLOOD_POOL_LABEL: u32 = u32::MAX;

/// The regions of a scan painted into one label map.
struct Painted {
    labels: LabelMap,
    outlines: Vec<(u32, String, RegionKind)>,
}

impl Painted {
    fn new(pet: &Volume<f32>, assessment: &ScanAssessment, show: impl Fn(&Lesion) -> bool) -> Self {
        let mut painted =
            Self { labels: Volume::filled(pet.geometry().clone(), 0), outlines: Vec::new() };
        for lesion in assessment.lesions.iter().filter(|l| show(l)) {
            let kind = match lesion.finding.class {
                Class::Lesion => RegionKind::Lesion,
                Class::Uncertain => RegionKind::Uncertain,
                Class::Physiologic => RegionKind::Physiologic,
            };
            let label = lesion.id as u32;
            lesion.region.paint(&mut painted.labels, label);
            painted.outlines.push((label, lesion.id.to_string(), kind));
        }
        painted.reference(&assessment.liver, LIVER_LABEL, "L");
        painted.reference(&assessment.blood_pool, BLOOD_POOL_LABEL, "B");
        painted
    }

    fn reference(&mut self, reference: &Reference, label: u32, name: &str) {
        if let Some(region) = &reference.region {
            region.paint(&mut self.labels, label);
            self.outlines.push((label, name.to_owned(), RegionKind::Reference));
        }
    }

    fn outlines(&self) -> Vec<Outline<'_>> {
        let outline = |(label, name, kind): &(u32, String, RegionKind)| Outline {
            region: Region::Label(&self.labels, *label),
            label: name.clone(),
            kind: *kind,
        };
        self.outlines.iter().map(outline).collect()
    }
}

/// The figure of one scan: maximum intensity projections and sections through the hottest lesion (without lesions, through
/// the hottest uncertain region, else through the liver reference).
pub fn of_scan(
    pet: &Volume<f32>,
    ct: Option<&Volume<i16>>,
    assessment: &ScanAssessment,
    title: String,
    captions: Vec<String>,
) -> RgbImage {
    let painted = Painted::new(pet, assessment, |_| true);
    let input =
        PictureInput { suv: pet, ct, outlines: painted.outlines(), focus_mm: focus(assessment) };
    score_figure(&input, &FigureText { title, captions }, Window::PET)
}

/// A quality picture of a reference: three planes through it on CT and PET; `None` where it has no place.
pub fn of_reference(
    pet: &Volume<f32>,
    ct: Option<&Volume<i16>>,
    reference: &Reference,
) -> Option<RgbImage> {
    let (centre, region) = (reference.centre_mm?, reference.region.as_ref()?);
    let mask = region.to_mask(pet.geometry());
    let outline =
        Outline { region: Region::Mask(&mask), label: String::new(), kind: RegionKind::Reference };
    let input = PictureInput { suv: pet, ct, outlines: vec![outline], focus_mm: Some(centre) };
    let title = format!("Reference: {}", reference.kind.name());
    let captions = vec![reference.reasons.join("; ")];
    Some(reference_views(&input, centre, &FigureText { title, captions }, Window::PET))
}

fn focus(assessment: &ScanAssessment) -> Option<DVec3> {
    let hottest = |class| assessment.of_class(class).next().map(|l| l.hottest_mm);
    hottest(Class::Lesion).or_else(|| hottest(Class::Uncertain)).or(assessment.liver.centre_mm)
}

/// One figure of a series: projections side by side at one scale, score and response under each, and axial sections
/// through the hottest lesion; where a follow-up has none, through the place of the baseline's hottest lesion.
pub fn of_series(scans: &[SeriesScan<'_>], pairs: &[PairAssessment], title: String) -> RgbImage {
    let disease = |l: &Lesion| l.finding.class != Class::Physiologic;
    let painted: Vec<Painted> =
        scans.iter().map(|s| Painted::new(&s.input.image.volume, &s.assessment, disease)).collect();
    let columns: Vec<CompareColumn<'_>> = scans
        .iter()
        .enumerate()
        .map(|(n, scan)| {
            let pair = pairs.iter().find(|p| p.baseline == 0 && p.follow_up == n);
            let (focus_mm, words) = series_focus(scans, pair, n).unzip();
            CompareColumn {
                input: PictureInput {
                    suv: &scan.input.image.volume,
                    ct: scan.input.ct,
                    outlines: painted[n].outlines(),
                    focus_mm,
                },
                captions: captions(scans, pair, n),
                section_captions: words.into_iter().collect(),
            }
        })
        .collect();
    let captions = vec![
        "Lesions and uncertain regions are outlined and numbered as in the table of each scan."
            .into(),
    ];
    compare_figure(&columns, &FigureText { title, captions }, Window::PET)
}

/// The coronal projections of scans, one picture each at one scale, to stand side by side; lesions, uncertain regions and
/// references are outlined and numbered.
pub fn projections_of(scans: &[(&Volume<f32>, &ScanAssessment)]) -> Vec<RgbImage> {
    let disease = |l: &Lesion| l.finding.class != Class::Physiologic;
    let painted: Vec<Painted> =
        scans.iter().map(|(pet, assessment)| Painted::new(pet, assessment, disease)).collect();
    let inputs: Vec<PictureInput<'_>> = scans
        .iter()
        .zip(&painted)
        .map(|((suv, _), painted)| PictureInput {
            suv,
            // Only sections have a CT and a focus.
            ct: None,
            outlines: painted.outlines(),
            focus_mm: None,
        })
        .collect();
    projections(&inputs, Window::PET)
}

fn series_focus(
    scans: &[SeriesScan<'_>],
    pair: Option<&PairAssessment>,
    n: usize,
) -> Option<(DVec3, String)> {
    let hottest = |n: usize| scans[n].assessment.of_class(Class::Lesion).next();
    if let Some(lesion) = hottest(n) {
        let words = format!("lesion {}: {}", lesion.id, lesion.finding.site);
        return Some((lesion.hottest_mm, words));
    }
    let before = hottest(0)?;
    let place = pair?.alignment.follow_up_from_baseline.transform_point3(before.hottest_mm);
    Some((place, format!("place of baseline lesion {}", before.id)))
}

/// Which scan, its score, its hottest lesion, the response.
fn captions(scans: &[SeriesScan<'_>], pair: Option<&PairAssessment>, n: usize) -> Vec<String> {
    let assessment = &scans[n].assessment;
    // A new lesion makes the score 5 whatever its uptake: the response knows it, the scan by itself does not.
    let score = pair.map_or(&assessment.deauville.score, |p| &p.lugano.deauville);
    let score = match score {
        Scored::Score(score) => format!("Deauville {} ({score})", score.roman()),
        Scored::NotComputable(_) => "Deauville not computable".into(),
    };
    let hottest = assessment.of_class(Class::Lesion).next();
    let suv_max =
        hottest.map_or_else(|| "no lesion".into(), |l| format!("SUVmax {:.1}", l.statistics.max));
    let mut lines = vec![time_point(scans, n), score, suv_max];
    if let Some(pair) = pair {
        let change = pair.delta_suv_max_percent.map(|d| format!(" ({d:+.0} % SUVmax)"));
        lines.push(format!("{}{}", pair.lugano.category, change.unwrap_or_default()));
    }
    lines
}

/// `baseline`, or `follow-up 2 (+57 days)`: no date, which would help to identify the patient.
pub fn time_point(scans: &[SeriesScan<'_>], n: usize) -> String {
    if n == 0 {
        return "baseline".into();
    }
    let days = scans[n].facts.acquired.zip(scans[0].facts.acquired);
    let days =
        days.map(|(now, then)| format!(" ({:+} days)", (now.date() - then.date()).num_days()));
    format!("follow-up {n}{}", days.unwrap_or_default())
}
