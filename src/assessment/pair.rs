//! The calls for one pair of scans.

use super::scan::{ScanAssessment, score_uptakes, uptake};
use super::series::{Linked, PairAssessment, SeriesScan};
use super::sites::{Sites, sites_of};
use super::trajectory::nadir_before;
use crate::alignment::Verdict as AlignmentVerdict;
use crate::criteria::{ChangeStatistic, Criteria, percent_change};
use crate::deauville::{DeauvilleResult, LesionUptake};
use crate::lesion::Class;
use crate::matching::Fate;
use crate::quality::{PairFacts, ScanFacts, compare};
use crate::response::lugano::{KnownSite, LuganoInput, Prior, SiteNow, SiteUptake};
use crate::response::{Hottest, delta_suv_max, doubt_unseen, eortc, lugano, percist, withhold};
use crate::statistics::RegionStatistics;

/// SUVmax of the hottest lesion of a scan.
pub(super) fn hottest(assessment: &ScanAssessment) -> Hottest {
    let uptakes = assessment.of_class(Class::Lesion).map(|l| l.statistics.max);
    uptakes.reduce(f64::max).map_or(Hottest::NoLesion, Hottest::Uptake)
}

/// SULpeak of the hottest lesion of a scan.
pub(super) fn hottest_sul_peak(scan: &SeriesScan<'_>) -> Hottest {
    let peaks = scan.assessment.of_class(Class::Lesion).map(|l| l.peak.mean);
    match (peaks.reduce(f64::max), scan.sul_per_value) {
        (None, _) => Hottest::NoLesion,
        (Some(_), None) => Hottest::Unknown,
        (Some(peak), Some(factor)) => Hottest::Uptake(peak * factor),
    }
}

/// The hottest of the disease that both scans show, at baseline and now: known sites in view, and what is new. What is due
/// to something else, or may be, is left out; each criterion speaks of the same disease.
fn hottest_of_both(sites: &Sites, statistic: ChangeStatistic) -> [Hottest; 2] {
    let hottest = |uptakes: &mut dyn Iterator<Item = SiteUptake>| {
        let values: Option<Vec<f64>> = uptakes.map(|uptake| uptake.value(statistic)).collect();
        match values.map(|values| values.into_iter().reduce(f64::max)) {
            None => Hottest::Unknown,
            Some(None) => Hottest::NoLesion,
            Some(Some(value)) => Hottest::Uptake(value),
        }
    };
    let in_view = || sites.known.iter().filter(|site| site.now != SiteNow::OutOfField);
    let now = in_view().filter_map(|site| site.now.uptake());
    [
        hottest(&mut in_view().map(|site| site.baseline)),
        hottest(&mut now.chain(sites.new_uptakes.iter().copied())),
    ]
}

/// The calls for a follow-up beside an earlier scan.
pub(super) fn pair(
    scans: &[SeriesScan<'_>],
    link: &Linked,
    prior: Option<Prior>,
    criteria: &Criteria,
) -> PairAssessment {
    let (baseline, follow_up) = (&scans[link.earlier], &scans[link.later]);
    let aligned = link.alignment.quality.verdict != AlignmentVerdict::Failed;
    let sites = sites_of(baseline, follow_up, link, criteria);
    let unseen = sites.known.iter().filter(|site| site.now == SiteNow::OutOfField).count();
    let pair_facts = PairFacts { sites_out_of_field: aligned.then_some(unseen) };
    let comparability = compare(&facts(baseline), &facts(follow_up), pair_facts, criteria.quality);
    let score = known_score(follow_up, &sites, criteria);
    let input = LuganoInput {
        new_lesions: sites.new_lesions.clone(),
        quality: Some(comparability.verdict),
        prior,
        not_linked: (!aligned).then(|| link.alignment.quality.reasons.join("; ")),
        ..LuganoInput::new(score.score.clone(), sites.known.clone())
    };
    let of_both = |statistic, alone: &dyn Fn(&SeriesScan<'_>) -> Hottest| {
        // Without one frame there are no sites to compare.
        let unlinked = || [baseline, follow_up].map(alone);
        if aligned { hottest_of_both(&sites, statistic) } else { unlinked() }
    };
    let [before, now] = of_both(ChangeStatistic::SuvMax, &|scan| hottest(&scan.assessment));
    let peaks = of_both(ChangeStatistic::SulPeak, &hottest_sul_peak);
    let mut pair = PairAssessment {
        baseline: link.earlier,
        follow_up: link.later,
        comparability,
        alignment: link.alignment.clone(),
        delta_suv_max_percent: before.percent_change_to(now),
        nadir: (link.earlier == 0).then(|| nadir_before(scans, link.later)).flatten(),
        lugano: lugano::assess(&input, criteria),
        sensitivity: lugano::sensitivity(&input, &score, criteria),
        percist: percist::assess(&percist_input(baseline, follow_up, &sites, peaks)),
        eortc: eortc::assess(&eortc::EortcInput {
            baseline: before,
            follow_up: now,
            new_lesion: sites.has_new_lesion(),
            after_one_cycle: false,
            dimension_percent: None,
        }),
        delta_suv_max: delta_suv_max::assess(before, now, delta_suv_max::Cycles::Two),
        lesions: sites.lesions.clone(),
    };
    let PairAssessment { percist, eortc, delta_suv_max, .. } = &mut pair;
    match lugano::barrier(&input) {
        Some(barrier) => withhold(percist, eortc, delta_suv_max, &barrier),
        None => doubt_unseen(percist, eortc, delta_suv_max, unseen + sites.unseen_before),
    }
    pair
}

/// The score of the known sites alone: new lesions are judged by the response rules.
fn known_score(follow_up: &SeriesScan<'_>, sites: &Sites, criteria: &Criteria) -> DeauvilleResult {
    let ScanAssessment { liver, blood_pool, residual, .. } = &follow_up.assessment;
    let of = |class: Class| follow_up.assessment.of_class(class);
    let known: Vec<LesionUptake> = of(Class::Lesion)
        .filter(|l| !sites.new_ids.contains(&l.id))
        .map(uptake)
        .chain(residual.iter().copied())
        .collect();
    let uncertain: Vec<LesionUptake> = of(Class::Uncertain).map(uptake).collect();
    score_uptakes(&known, &uncertain, liver, blood_pool, criteria)
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
    sites: &Sites,
    peaks: [Hottest; 2],
) -> percist::PercistInput {
    let tlg = |s: &SeriesScan<'_>| s.assessment.totals.tlg_g;
    // Volumes by one threshold over one field of view.
    let comparable = baseline.assessment.level == follow_up.assessment.level
        && sites.lesions.iter().all(|l| l.fate != Fate::OutOfView);
    let change =
        |site: &KnownSite| percent_change(site.baseline.sul_peak?, site.now.uptake()?.sul_peak?);
    percist::PercistInput {
        baseline: percist_scan(baseline, peaks[0]),
        follow_up: percist_scan(follow_up, peaks[1]),
        new_lesion: sites.has_new_lesion(),
        above_background: None,
        other_increase_percent: sites.known.iter().filter_map(change).reduce(f64::max),
        tlg_percent: comparable.then(|| percent_change(tlg(baseline), tlg(follow_up))).flatten(),
    }
}

fn percist_scan(scan: &SeriesScan<'_>, hottest: Hottest) -> percist::PercistScan {
    let sul = |s: &RegionStatistics, factor: f64| RegionStatistics {
        min: s.min * factor,
        max: s.max * factor,
        mean: s.mean * factor,
        sd: s.sd * factor,
        median: s.median * factor,
        ..*s
    };
    let references = scan.assessment.references();
    let convert = |s: Option<RegionStatistics>| s.zip(scan.sul_per_value).map(|(s, f)| sul(&s, f));
    percist::PercistScan {
        hottest,
        liver: convert(references.liver),
        blood_pool: convert(references.blood_pool),
    }
}
