//! The pictures of a scored scan and of a series: outlines and captions for [`crate::render`].

mod print;

use glam::DVec3;
use image::RgbImage;

pub use print::{
    Outlined, PrintOptions, PrintedFigure, Target, for_print, target_of, usual_target,
};

use crate::assessment::{PairAssessment, ScanAssessment, SeriesScan};
use crate::deauville::Scored;
use crate::geometry::VolumeGeometry;
use crate::lesion::{Class, Lesion};
use crate::reference::Reference;
use crate::render::{
    CompareColumn, FigureText, Outline, PictureInput, Region, RegionKind, Window, compare_figure,
    projections, reference_views, score_figure,
};
use crate::segmentation;
use crate::volume::Volume;

/// The regions of a scan as they are outlined: each without what a later one covers, the references last.
struct Painted {
    regions: Vec<(segmentation::Region, String, RegionKind)>,
}

impl Painted {
    fn new(assessment: &ScanAssessment, show: impl Fn(&Lesion) -> bool) -> Self {
        let mut painted = Self { regions: Vec::new() };
        for lesion in assessment.lesions.iter().filter(|l| show(l)) {
            let kind = match lesion.finding.class {
                Class::Lesion => RegionKind::Lesion,
                Class::Uncertain => RegionKind::Uncertain,
                Class::Physiologic => RegionKind::Physiologic,
            };
            painted.regions.push((lesion.region.clone(), lesion.id.to_string(), kind));
        }
        for (reference, name) in [(&assessment.liver, "L"), (&assessment.blood_pool, "B")] {
            let region = reference.region.clone();
            let named = region.map(|region| (region, name.to_owned(), RegionKind::Reference));
            painted.regions.extend(named);
        }
        painted.uncover();
        painted
    }

    /// Leaves of each region what no later one covers.
    fn uncover(&mut self) {
        let Some((last, ..)) = self.regions.last() else { return };
        let mut covered = segmentation::Region::empty(last.shape());
        for (region, ..) in self.regions.iter_mut().rev() {
            let seen = region.difference(&covered);
            covered = covered.union(&seen);
            *region = seen;
        }
    }

    /// The outlines on the lattice of the PET.
    fn outlines<'a>(&'a self, lattice: &'a VolumeGeometry) -> Vec<Outline<'a>> {
        let outline = |(region, name, kind): &'a (segmentation::Region, String, RegionKind)| {
            let region = Region::Sparse(region, lattice);
            Outline { region, label: name.clone(), kind: *kind }
        };
        self.regions.iter().map(outline).collect()
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
    let painted = Painted::new(assessment, |_| true);
    let outlines = painted.outlines(pet.geometry());
    let input = PictureInput { suv: pet, ct, outlines, focus_mm: focus(assessment) };
    score_figure(&input, &FigureText { title, captions }, Window::PET)
}

/// A quality picture of a reference: three planes through it on CT and PET; `None` where it has no place.
pub fn of_reference(
    pet: &Volume<f32>,
    ct: Option<&Volume<i16>>,
    reference: &Reference,
) -> Option<RgbImage> {
    let (centre, region) = (reference.centre_mm?, reference.region.as_ref()?);
    let region = Region::Sparse(region, pet.geometry());
    let outline = Outline { region, label: String::new(), kind: RegionKind::Reference };
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
        scans.iter().map(|s| Painted::new(&s.assessment, disease)).collect();
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
                    outlines: painted[n].outlines(scan.input.image.volume.geometry()),
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
        scans.iter().map(|(_, assessment)| Painted::new(assessment, disease)).collect();
    let inputs: Vec<PictureInput<'_>> = scans
        .iter()
        .zip(&painted)
        .map(|((suv, _), painted)| PictureInput {
            suv,
            // Only sections have a CT and a focus.
            ct: None,
            outlines: painted.outlines(suv.geometry()),
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
