//! Scans of one patient in the order of time: linked lesions and a response for each pair.
//!
//! Each follow-up is compared with the baseline and with the scan before it. Uncertain uptake at the site of known disease
//! counts as disease: the score speaks of sites of initial disease (Barrington 2014, JCO 32:3048). Where a known site has
//! no region of its own any more, what is left there is measured in the baseline lesion's outline.

use rayon::prelude::*;

use crate::alignment::{Alignment, CtBody, CutScan, Verdict as AlignmentVerdict, align_cut};
use crate::criteria::{ChangeStatistic, Criteria};
use crate::deauville::LesionUptake;
use crate::decisions::{DecisionError, DueTo, Links};
use crate::lesion::{Class, Lesion};
use crate::matching::{
    Candidate, Confidence, Fate, Group, Regions, TOLERANCE_MM, link, link_as_given,
};
use crate::quality::{Comparability, ScanFacts};
use crate::response::lugano::{LuganoCall, Prior};
use crate::response::{Sensitivity, delta_suv_max, eortc, percist};

use super::pair::{hottest, hottest_sul_peak, pair};
use super::residual::{carried, residual_uptake};
use super::scan::union;
use super::trajectory::Nadir;
use super::{ScanAssessment, ScanInput};

/// One scan of a series.
#[derive(Debug, Clone)]
pub struct SeriesScan<'a> {
    /// The volumes.
    pub input: ScanInput<'a>,
    /// The body as its CT shows it, where it has one; the CT of `input` is not looked at.
    pub ct_body: Option<&'a CtBody>,
    /// `FrameOfReferenceUID` (0020,0052), where it is given.
    pub frame_of_reference_uid: Option<&'a str>,
    /// What the headers say of comparability.
    pub facts: ScanFacts,
    /// Turns the image's values into SUL (James 128, as PERCIST is practised); `None` where SUL cannot be computed.
    pub sul_per_value: Option<f64>,
    /// The scan assessed by itself.
    pub assessment: ScanAssessment,
}

/// A group of lesions of a pair and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedLesion {
    /// Numbers of the lesions at baseline.
    pub baseline_ids: Vec<usize>,
    /// Numbers of the lesions at follow-up.
    pub follow_up_ids: Vec<usize>,
    /// What became of them.
    pub fate: Fate,
    /// How far that can be trusted.
    pub confidence: Confidence,
    /// Lesion, or uncertain in both scans.
    pub class: Class,
    /// Change of SUVmax, percent of baseline; `None` where one side has nothing to measure.
    pub delta_suv_max_percent: Option<f64>,
    /// Change of volume, percent of baseline.
    pub delta_volume_percent: Option<f64>,
    /// SUVmax at a resolved site, or at baseline in the place of a new lesion.
    pub suv_max_there: Option<f64>,
    /// What a reader should know of the link.
    pub note: Option<String>,
}

/// A follow-up beside an earlier scan.
#[derive(Debug, Clone, PartialEq)]
pub struct PairAssessment {
    /// Position of the earlier scan.
    pub baseline: usize,
    /// Position of the follow-up.
    pub follow_up: usize,
    /// May they be compared?
    pub comparability: Comparability,
    /// How they were brought into one frame.
    pub alignment: Alignment,
    /// The lesions.
    pub lesions: Vec<LinkedLesion>,
    /// Change of the hottest lesion's SUVmax, percent; the lesion need not be the same.
    pub delta_suv_max_percent: Option<f64>,
    /// The earlier scan with the least uptake; for pairs with the first scan only.
    pub nadir: Option<Nadir>,
    /// The Lugano call.
    pub lugano: LuganoCall,
    /// The PERCIST call.
    pub percist: percist::PercistCall,
    /// The EORTC call.
    pub eortc: eortc::EortcCall,
    /// The delta-SUVmax rule.
    pub delta_suv_max: delta_suv_max::DeltaSuvMax,
    /// What would change the Lugano call.
    pub sensitivity: Vec<Sensitivity>,
}

/// Two scans in one frame with their lesions grouped.
pub(super) struct Linked {
    pub(super) earlier: usize,
    pub(super) later: usize,
    pub(super) alignment: Alignment,
    pub(super) groups: Vec<Group>,
    /// What a person says new foci are due to, one a group; empty where nobody was asked.
    pub(super) due_to: Vec<Option<DueTo>>,
    /// What is left at the site of each group of known disease that has no lesion now.
    pub(super) residual: Vec<Option<LesionUptake>>,
}

/// Assesses a series: scores each follow-up again in the light of what was known before, and calls each pair.
///
/// The scans are in the order of time, the first is the baseline. Links of a person take the place of those that are found.
///
/// # Errors
/// A pair cannot be linked as the person says; nothing is called then.
pub fn assess_series(
    scans: &mut [SeriesScan<'_>],
    links: Option<&Links>,
    criteria: &Criteria,
) -> Result<Vec<PairAssessment>, DecisionError> {
    assess_aligned_series(scans, &[], links, criteria)
}

/// The same where some pairs are aligned already, each with the positions of its earlier and its later scan: what is decided
/// about regions does not move a scan.
///
/// # Errors
/// A pair cannot be linked as the person says; nothing is called then.
pub fn assess_aligned_series(
    scans: &mut [SeriesScan<'_>],
    aligned: &[([usize; 2], Alignment)],
    links: Option<&Links>,
    criteria: &Criteria,
) -> Result<Vec<PairAssessment>, DecisionError> {
    let mut pairs: Vec<PairAssessment> = Vec::new();
    for later in 1..scans.len() {
        let mut linked: Vec<Linked> = compared_with(later)
            .into_iter()
            .map(|earlier| {
                let known = aligned.iter().find(|(pair, _)| *pair == [earlier, later]);
                linked(scans, known.map(|(_, alignment)| alignment), links, [earlier, later])
            })
            .collect::<Result<_, _>>()?;
        let residual = promote(scans, &mut linked, later);
        let scan = &mut scans[later];
        scan.assessment.rescore(&scan.input.image.volume, residual, criteria);
        let prior = prior(&pairs, scans, later, criteria.change.statistic);
        for link in &linked {
            pairs.push(pair(scans, link, prior.filter(|_| link.earlier == 0), criteria));
        }
    }
    Ok(pairs)
}

/// The earlier scans with which a scan of a series is compared: the baseline, and the scan before.
pub fn compared_with(later: usize) -> Vec<usize> {
    if later == 1 { vec![0] } else { vec![0, later - 1] }
}

/// The regions that take part in linking: disease and what may be disease.
pub(super) fn suspects(assessment: &ScanAssessment) -> Vec<&Lesion> {
    let suspect = |l: &&Lesion| l.finding.class != Class::Physiologic;
    assessment.lesions.iter().filter(suspect).collect()
}

fn linked(
    scans: &[SeriesScan<'_>],
    known: Option<&Alignment>,
    links: Option<&Links>,
    [earlier, later]: [usize; 2],
) -> Result<Linked, DecisionError> {
    let scan = |n: usize| CutScan {
        pet: &scans[n].input.image.volume,
        ct: scans[n].ct_body,
        frame_of_reference_uid: scans[n].frame_of_reference_uid,
    };
    let alignment = known.cloned().unwrap_or_else(|| align_cut(&scan(earlier), &scan(later)));
    let candidates = |n: usize| -> Vec<Candidate<'_>> {
        suspects(&scans[n].assessment).into_iter().map(candidate).collect()
    };
    let (before, now) = (candidates(earlier), candidates(later));
    let lattice = |n: usize| scans[n].input.image.volume.geometry();
    let before = Regions { geometry: lattice(earlier), candidates: &before };
    let now = Regions { geometry: lattice(later), candidates: &now };
    let map = alignment.follow_up_from_baseline;
    let failed = alignment.quality.verdict == AlignmentVerdict::Failed;
    let (groups, due_to) = match links {
        Some(links) if failed && links.speak_of([earlier, later]) => {
            return Err(not_aligned(earlier, later, &alignment));
        }
        Some(links) if !failed => {
            let ids = |n: usize| -> Vec<usize> {
                suspects(&scans[n].assessment).into_iter().map(|l| l.id).collect()
            };
            let given = links.groups([earlier, later], &ids(earlier), &ids(later))?;
            let due_to = given.iter().map(|g| g.due_to).collect();
            let groups = given.into_iter().map(|g| (g.earlier, g.later));
            (link_as_given(before, now, map, groups), due_to)
        }
        _ if failed => (Vec::new(), Vec::new()),
        _ => (link(before, now, map, uncertainty_mm(&alignment)), Vec::new()),
    };
    let residual = vec![None; groups.len()];
    Ok(Linked { earlier, later, alignment, groups, due_to, residual })
}

fn candidate(lesion: &Lesion) -> Candidate<'_> {
    Candidate {
        region: &lesion.region,
        suv_max: lesion.statistics.max,
        may_be_normal: lesion.finding.class == Class::Uncertain
            && lesion.finding.site.may_take_up(),
    }
}

/// Links are of no use where nothing can be measured at a place of the other scan.
fn not_aligned(earlier: usize, later: usize, alignment: &Alignment) -> DecisionError {
    let reasons = alignment.quality.reasons.join("; ");
    let what =
        format!("scans {earlier} and {later} could not be brought into one frame: {reasons}");
    DecisionError::refused(1, what, "compare without links")
}

/// How far the map may be off: what it leaves at landmarks, the worst of them where the alignment is doubtful; where none
/// were found, the tolerance of linking.
fn uncertainty_mm(alignment: &Alignment) -> f64 {
    let residual = alignment.quality.landmark_residual;
    match alignment.quality.verdict {
        AlignmentVerdict::Good => residual.map(|r| r.mean),
        AlignmentVerdict::Doubtful | AlignmentVerdict::Failed => residual.map(|r| r.worst),
    }
    .unwrap_or(TOLERANCE_MM)
}

/// Makes uncertain uptake at sites of known disease disease, and measures what is left at sites without a lesion.
fn promote(scans: &mut [SeriesScan<'_>], linked: &mut [Linked], later: usize) -> Vec<LesionUptake> {
    let mut all = Vec::new();
    for link in linked {
        let earlier: Vec<Lesion> =
            suspects(&scans[link.earlier].assessment).into_iter().cloned().collect();
        let now: Vec<usize> =
            suspects(&scans[later].assessment).into_iter().map(|l| l.id).collect();
        let mut empty = Vec::new();
        for (n, group) in link.groups.iter().enumerate() {
            let known: Vec<&Lesion> = group.earlier.iter().map(|&e| &earlier[e]).collect();
            if known.iter().all(|l| l.finding.class != Class::Lesion) {
                continue;
            }
            let ids: Vec<usize> = group.later.iter().map(|&l| now[l]).collect();
            let beyond = promote_group(scans, link, &known, &ids);
            // What a person has called uncertain is not measured as disease instead.
            if beyond.len() == ids.len() {
                empty.push((n, known, beyond));
            }
        }
        // Regions are there whatever their class: what is left at one site does not depend on another.
        let (scans, found) = (&*scans, &*link);
        let left = empty.par_iter().map(|(n, known, beyond)| {
            let at = |lesion: &&Lesion| residual_at(scans, found, lesion, beyond);
            (*n, known.iter().filter_map(at).collect::<Vec<_>>())
        });
        for (n, left) in left.collect::<Vec<_>>() {
            link.residual[n] =
                left.iter().copied().reduce(|a, b| if b.max > a.max { b } else { a });
            all.extend(left);
        }
    }
    all
}

/// Makes the uncertain regions of a group disease that lie at the site itself: with their hottest place, or with the most
/// of them. What merely covers it (diffuse marrow, a loop of bowel) stays uncertain; their numbers.
fn promote_group(
    scans: &mut [SeriesScan<'_>],
    link: &Linked,
    known: &[&Lesion],
    ids: &[usize],
) -> Vec<usize> {
    let onto = scans[link.later].input.image.volume.geometry().clone();
    let from = scans[link.earlier].input.image.volume.geometry().clone();
    let map = link.alignment.follow_up_from_baseline;
    let sites = known.iter().map(|l| carried(&onto, &from, &l.region, map));
    let site = sites.reduce(|a, b| a.union(&b)).map(|site| site.dilated_mm(&onto, TOLERANCE_MM));
    let at_site = |lesion: &Lesion| {
        site.as_ref().is_some_and(|site| {
            site.holds(&onto, lesion.hottest_mm)
                || 2 * lesion.region.intersection(site).voxels() >= lesion.region.voxels()
        })
    };
    let ScanAssessment { lesions, decided, .. } = &mut scans[link.later].assessment;
    let mut beyond = Vec::new();
    for lesion in lesions.iter_mut().filter(|l| ids.contains(&l.id)) {
        // What a person has decided to be uncertain stays so.
        let by_reader = decided.as_ref().is_some_and(|d| d.is_by_reader(lesion.id));
        if lesion.finding.class != Class::Uncertain || by_reader {
            continue;
        }
        if at_site(lesion) {
            lesion.finding.class = Class::Lesion;
            lesion.finding.reason += "; disease, because it lies at the site of an earlier lesion";
        } else {
            beyond.push(lesion.id);
        }
    }
    beyond
}

/// What is left at the site of an earlier lesion; regions that merely cover the site (`beyond`) are measured with it.
fn residual_at(
    scans: &[SeriesScan<'_>],
    link: &Linked,
    lesion: &Lesion,
    beyond: &[usize],
) -> Option<LesionUptake> {
    let (before, now) = (&scans[link.earlier].input, &scans[link.later].input);
    let regions = scans[link.later].assessment.lesions.iter().filter(|l| !beyond.contains(&l.id));
    residual_uptake(
        &now.image.volume,
        &union(&now.image.volume, regions),
        before.image.volume.geometry(),
        &lesion.region,
        link.alignment.follow_up_from_baseline,
    )
}

/// What earlier scans say of a pair with the baseline.
fn prior(
    pairs: &[PairAssessment],
    scans: &[SeriesScan<'_>],
    later: usize,
    statistic: ChangeStatistic,
) -> Option<Prior> {
    let calls = pairs.iter().filter(|p| p.baseline == 0).map(|p| p.lugano.category);
    Prior::of(
        calls,
        scans[..later].iter().map(|scan| match statistic {
            ChangeStatistic::SuvMax => hottest(&scan.assessment),
            ChangeStatistic::SulPeak => hottest_sul_peak(scan),
        }),
    )
}
