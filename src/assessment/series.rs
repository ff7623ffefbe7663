//! Scans of one patient in the order of time: linked lesions and a response for each pair.
//!
//! Each follow-up is compared with the baseline and with the scan before it. Uncertain uptake at the site of known disease
//! counts as disease: the score speaks of sites of initial disease (Barrington 2014, JCO 32:3048). Where a known site has
//! no region of its own any more, what is left there is measured in the baseline lesion's outline.

use crate::alignment::{Alignment, Scan, Verdict as AlignmentVerdict, align};
use crate::criteria::{Criteria, percent_change};
use crate::deauville::{LesionUptake, Scored, score_uptake};
use crate::decisions::{DecisionError, DueTo, Links};
use crate::lesion::{Class, Lesion};
use crate::matching::{
    Candidate, Confidence, Fate, Group, Regions, TOLERANCE_MM, link, link_as_given,
};
use crate::quality::{Comparability, PairFacts, ScanFacts, compare};
use crate::response::lugano::{LuganoCall, LuganoInput, Prior};
use crate::response::{Hottest, Sensitivity, delta_suv_max, eortc, lugano, percist, withhold};
use crate::statistics::RegionStatistics;
use crate::volume::Mask;

use super::residual::residual_uptake;
use super::scan::uptake;
use super::sites::{Sites, sites_of};
use super::trajectory::{Nadir, nadir_before};
use super::{ScanAssessment, ScanInput};

/// One scan of a series.
#[derive(Debug, Clone)]
pub struct SeriesScan<'a> {
    /// The volumes.
    pub input: ScanInput<'a>,
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
    earlier: usize,
    later: usize,
    pub(super) alignment: Alignment,
    pub(super) groups: Vec<Group>,
    /// What a person says new foci are due to, one a group; empty where nobody was asked.
    pub(super) due_to: Vec<Option<DueTo>>,
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
        let earlier = if later == 1 { vec![0] } else { vec![0, later - 1] };
        let linked: Vec<Linked> = earlier
            .into_iter()
            .map(|earlier| {
                let known = aligned.iter().find(|(pair, _)| *pair == [earlier, later]);
                linked(scans, known.map(|(_, alignment)| alignment), links, [earlier, later])
            })
            .collect::<Result<_, _>>()?;
        let residual = promote(scans, &linked, later);
        let scan = &mut scans[later];
        scan.assessment.rescore(&scan.input.image.volume, residual, criteria);
        let prior = prior(&pairs, scans, later);
        for link in &linked {
            pairs.push(pair(scans, link, prior.filter(|_| link.earlier == 0), criteria));
        }
    }
    Ok(pairs)
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
    let scan = |n: usize| Scan {
        pet: &scans[n].input.image.volume,
        ct: scans[n].input.ct,
        frame_of_reference_uid: scans[n].frame_of_reference_uid,
    };
    let alignment = known.cloned().unwrap_or_else(|| align(&scan(earlier), &scan(later)));
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
    Ok(Linked { earlier, later, alignment, groups, due_to })
}

fn candidate(lesion: &Lesion) -> Candidate<'_> {
    Candidate {
        region: &lesion.region,
        suv_max: lesion.statistics.max,
        uncertain: lesion.finding.class == Class::Uncertain,
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

/// Makes uncertain uptake at sites of known disease disease, and measures what is left at sites without a region.
fn promote(scans: &mut [SeriesScan<'_>], linked: &[Linked], later: usize) -> Vec<LesionUptake> {
    let mut residual = Vec::new();
    for link in linked {
        let earlier: Vec<Lesion> =
            suspects(&scans[link.earlier].assessment).into_iter().cloned().collect();
        let now: Vec<usize> =
            suspects(&scans[later].assessment).into_iter().map(|l| l.id).collect();
        let known =
            |g: &&Group| g.earlier.iter().any(|&e| earlier[e].finding.class == Class::Lesion);
        for group in link.groups.iter().filter(known) {
            for &n in &group.later {
                let ScanAssessment { lesions, decided, .. } = &mut scans[later].assessment;
                // What a person has decided to be uncertain stays so.
                let open = |l: &&mut Lesion| {
                    l.finding.class == Class::Uncertain
                        && !decided.as_ref().is_some_and(|d| d.is_by_reader(l.id))
                };
                let lesion = lesions.iter_mut().find(|l| l.id == now[n]);
                if let Some(lesion) = lesion.filter(open) {
                    lesion.finding.class = Class::Lesion;
                    lesion.finding.reason +=
                        "; disease, because it lies at the site of an earlier lesion";
                }
            }
        }
        let gone = link.groups.iter().filter(known).filter(|g| g.later.is_empty());
        for lesion in gone.flat_map(|g| g.earlier.iter().map(|&e| &earlier[e])) {
            residual.extend(residual_at(scans, link, lesion));
        }
    }
    residual
}

/// What is left at the site of an earlier lesion.
fn residual_at(scans: &[SeriesScan<'_>], link: &Linked, lesion: &Lesion) -> Option<LesionUptake> {
    let (before, now) = (&scans[link.earlier].input, &scans[link.later].input);
    let mut hot = Mask::filled(now.image.volume.geometry().clone(), false);
    scans[link.later].assessment.lesions.iter().for_each(|l| l.region.paint(&mut hot, true));
    residual_uptake(
        &now.image.volume,
        &hot,
        before.image.volume.geometry(),
        &lesion.region,
        link.alignment.follow_up_from_baseline,
    )
}

/// What earlier scans say of a pair with the baseline.
fn prior(pairs: &[PairAssessment], scans: &[SeriesScan<'_>], later: usize) -> Option<Prior> {
    let calls = pairs.iter().filter(|p| p.baseline == 0).map(|p| p.lugano.category);
    Prior::of(calls, scans[..later].iter().map(|scan| hottest(&scan.assessment)))
}

/// SUVmax of the hottest lesion.
fn hottest(assessment: &ScanAssessment) -> Hottest {
    let uptakes = assessment.of_class(Class::Lesion).map(|l| l.statistics.max);
    uptakes.reduce(f64::max).map_or(Hottest::NoLesion, Hottest::Uptake)
}

fn pair(
    scans: &[SeriesScan<'_>],
    link: &Linked,
    prior: Option<Prior>,
    criteria: &Criteria,
) -> PairAssessment {
    let (baseline, follow_up) = (&scans[link.earlier], &scans[link.later]);
    let aligned = link.alignment.quality.verdict != AlignmentVerdict::Failed;
    let sites = sites_of(baseline, follow_up, link, &criteria.convention);
    let out = sites.lesions.iter().filter(|l| l.fate == Fate::OutOfView).count();
    let pair_facts = PairFacts { sites_out_of_field: aligned.then_some(out) };
    let comparability = compare(&facts(baseline), &facts(follow_up), pair_facts, criteria.quality);
    let input = LuganoInput {
        new_lesions: sites.new_lesions.clone(),
        quality: Some(comparability.verdict),
        prior,
        not_linked: (!aligned).then(|| link.alignment.quality.reasons.join("; ")),
        ..LuganoInput::new(known_score(follow_up, &sites, criteria), sites.known.clone())
    };
    let new_lesion = sites.has_new_lesion();
    let (before, now) = (hottest(&baseline.assessment), hottest(&follow_up.assessment));
    let mut pair = PairAssessment {
        baseline: link.earlier,
        follow_up: link.later,
        comparability,
        alignment: link.alignment.clone(),
        delta_suv_max_percent: change(before, now),
        nadir: (link.earlier == 0).then(|| nadir_before(scans, link.later)).flatten(),
        lugano: lugano::assess(&input, criteria),
        sensitivity: lugano::sensitivity(&input, &follow_up.assessment.deauville, criteria),
        percist: percist::assess(&percist_input(baseline, follow_up, new_lesion)),
        eortc: eortc::assess(&eortc::EortcInput {
            baseline: before,
            follow_up: now,
            new_lesion,
            after_one_cycle: false,
            dimension_percent: None,
        }),
        delta_suv_max: delta_suv_max::assess(before, now, delta_suv_max::Cycles::Two),
        lesions: sites.lesions,
    };
    if let Some(barrier) = lugano::barrier(&input) {
        let PairAssessment { percist, eortc, delta_suv_max, .. } = &mut pair;
        withhold(percist, eortc, delta_suv_max, &barrier);
    }
    pair
}

fn change(before: Hottest, now: Hottest) -> Option<f64> {
    match (before, now) {
        (Hottest::Uptake(before), Hottest::Uptake(now)) => percent_change(before, now),
        _ => None,
    }
}

/// The score of the known sites alone: new lesions are judged by the response rules.
fn known_score(follow_up: &SeriesScan<'_>, sites: &Sites, criteria: &Criteria) -> Scored {
    let references = follow_up.assessment.references();
    let new = |l: &&Lesion| sites.new_ids.contains(&l.id);
    let known = follow_up.assessment.of_class(Class::Lesion).filter(|l| !new(l));
    let scores: Vec<Scored> = known
        .map(uptake)
        .chain(follow_up.assessment.residual.iter().copied())
        .map(|l| score_uptake(&l, &references, &criteria.convention))
        .collect();
    crate::deauville::overall(&scores)
}

/// What the headers say, with the liver as measured.
fn facts(scan: &SeriesScan<'_>) -> ScanFacts {
    let liver = scan.assessment.liver.usable().map(|l| l.mean);
    ScanFacts {
        liver_suv_mean: liver.map(|l| l * scan.input.bw_per_value),
        liver_sul_mean: liver.zip(scan.sul_per_value).map(|(l, sul)| l * sul),
        ..scan.facts.clone()
    }
}

fn percist_input(
    baseline: &SeriesScan<'_>,
    follow_up: &SeriesScan<'_>,
    new_lesion: bool,
) -> percist::PercistInput {
    let tlg = |s: &SeriesScan<'_>| s.assessment.totals.tlg_g;
    let same_threshold = baseline.assessment.level == follow_up.assessment.level;
    percist::PercistInput {
        baseline: percist_scan(baseline),
        follow_up: percist_scan(follow_up),
        new_lesion,
        above_background: None,
        other_increase_percent: None,
        tlg_percent: same_threshold
            .then(|| percent_change(tlg(baseline), tlg(follow_up)))
            .flatten(),
    }
}

fn percist_scan(scan: &SeriesScan<'_>) -> percist::PercistScan {
    let sul = |s: &RegionStatistics, factor: f64| RegionStatistics {
        min: s.min * factor,
        max: s.max * factor,
        mean: s.mean * factor,
        sd: s.sd * factor,
        median: s.median * factor,
        ..*s
    };
    let references = scan.assessment.references();
    let peaks = scan.assessment.of_class(Class::Lesion).map(|l| l.peak.mean);
    let hottest = match (peaks.reduce(f64::max), scan.sul_per_value) {
        (None, _) => Hottest::NoLesion,
        (Some(_), None) => Hottest::Unknown,
        (Some(peak), Some(factor)) => Hottest::Uptake(peak * factor),
    };
    let convert = |s: Option<RegionStatistics>| s.zip(scan.sul_per_value).map(|(s, f)| sul(&s, f));
    percist::PercistScan {
        hottest,
        liver: convert(references.liver),
        blood_pool: convert(references.blood_pool),
    }
}
