//! From the visits of a patient to scores and calls: the same rules as for images, nothing of their own.

use super::pair::Pair;
use super::score::{VisitScore, hottest, score, sul_region};
use super::{Patient, Visit};
use crate::criteria::{ChangeStatistic, Criteria, percent_change_if_known};
use crate::diagnostic::Warning;
use crate::quality::{Comparability, compare};
use crate::response::ct_lugano::{self, CtCall, CtCategory};
use crate::response::delta_suv_max::{self, Cycles, DeltaSuvMax};
use crate::response::eortc::{self, EortcCall, EortcInput};
use crate::response::lugano::{
    self, Attribution, Histology, LuganoCall, LuganoInput, Marrow, Prior, SiteNow,
};
use crate::response::lyric::{self, LyricCall, LyricInput};
use crate::response::percist::{self, PercistCall, PercistInput, PercistScan};
use crate::response::{Reason, ResponseCategory, Sensitivity, doubt, doubt_unseen, withhold};

/// The scores and calls of one patient.
#[derive(Debug, Clone, PartialEq)]
pub struct PatientAssessment {
    /// The score of each visit.
    pub scores: Vec<VisitScore>,
    /// Each follow-up against the baseline, and against the visit before it where that is another.
    pub pairs: Vec<VisitPair>,
    /// What was noticed of the patient and the visits.
    pub warnings: Vec<Warning>,
}

impl PatientAssessment {
    /// Whether there is a follow-up and each has a call against the baseline.
    pub fn is_called(&self, baseline: usize) -> bool {
        let mut against = self.pairs.iter().filter(|pair| pair.baseline == baseline).peekable();
        against.peek().is_some() && against.all(VisitPair::is_evaluable)
    }
}

/// A follow-up beside an earlier visit.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitPair {
    /// Position of the earlier visit.
    pub baseline: usize,
    /// Position of the follow-up.
    pub follow_up: usize,
    /// May they be compared?
    pub comparability: Comparability,
    /// Change of the hottest lesion's SUVmax, percent; the lesion need not be the same.
    pub delta_suv_max_percent: Option<f64>,
    /// The Lugano call by uptake.
    pub lugano: LuganoCall,
    /// The PERCIST call.
    pub percist: PercistCall,
    /// The EORTC call.
    pub eortc: EortcCall,
    /// The delta-SUVmax rule.
    pub delta_suv_max: DeltaSuvMax,
    /// The Lugano call by sizes on CT; only against the baseline, and where sizes are given.
    pub ct: Option<CtCall>,
    /// The LYRIC reading of a progression under immunotherapy.
    pub lyric: Option<LyricCall>,
    /// What would change the Lugano call.
    pub sensitivity: Vec<Sensitivity>,
    /// What was noticed of this pair.
    pub warnings: Vec<Warning>,
}

impl VisitPair {
    /// Whether there is a call, by uptake or by sizes.
    pub fn is_evaluable(&self) -> bool {
        let by_size = self.ct.as_ref().is_some_and(|ct| ct.category != CtCategory::NotEvaluable);
        self.lugano.category != ResponseCategory::NotEvaluable || by_size
    }
}

/// Scores each visit of a patient and calls each follow-up.
pub fn assess(patient: &Patient, criteria: &Criteria) -> PatientAssessment {
    let scores: Vec<VisitScore> = patient.visits.iter().map(|v| score(v, criteria)).collect();
    let mut pairs: Vec<VisitPair> = Vec::new();
    let first = patient.baseline;
    for later in first + 1..patient.visits.len() {
        let prior = prior(&pairs, patient, later, criteria.change.statistic);
        let previous = (later - 1 > first).then_some(later - 1);
        for earlier in [Some(first), previous].into_iter().flatten() {
            let pair = Pair { patient, earlier, later, scores: &scores };
            pairs.push(call(&pair, prior.filter(|_| earlier == first), criteria));
        }
    }
    let warnings = patient_warnings(patient, &scores, &pairs, criteria);
    PatientAssessment { scores, pairs, warnings }
}

fn patient_warnings(
    patient: &Patient,
    scores: &[VisitScore],
    pairs: &[VisitPair],
    criteria: &Criteria,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Histology::OffLabel(disease) = &patient.histology {
        let text = format!("the Deauville and Lugano criteria are not validated for {disease}");
        warnings.push(Warning::new("CRITERIA_OFF_LABEL", text));
    }
    if pairs.is_empty() {
        let text = "no visit after the baseline: there is nothing to compare";
        warnings.push(Warning::new("ONE_VISIT", text));
    }
    for (visit, score) in patient.visits.iter().zip(scores) {
        if let (Some(given), Some(other)) = (score.result.score.score(), score.computed_otherwise) {
            let text = format!(
                "{}: the reader scores {given}, by {} the printed uptake scores {other}; the reader's counts",
                visit.name, criteria.convention.name
            );
            warnings.push(Warning::new("WRITTEN_SCORE_DIFFERS", text));
        }
    }
    warnings
}

/// What earlier visits say of a pair with the baseline.
fn prior(
    pairs: &[VisitPair],
    patient: &Patient,
    later: usize,
    statistic: ChangeStatistic,
) -> Option<Prior> {
    let calls = pairs.iter().filter(|pair| pair.baseline == patient.baseline);
    let calls = calls.map(|pair| pair.lugano.category);
    let visits = patient.visits[patient.baseline..later].iter();
    Prior::of(
        calls,
        visits.map(|visit| match statistic {
            ChangeStatistic::SuvMax => hottest(visit),
            ChangeStatistic::SulPeak => visit.sul_peak,
        }),
    )
}

fn call(pair: &Pair<'_>, prior: Option<Prior>, criteria: &Criteria) -> VisitPair {
    let (before, now) = (pair.before(), pair.now());
    let comparability = compare(&before.facts, &now.facts, pair.facts(), criteria.quality);
    let input = LuganoInput { quality: Some(comparability.verdict), prior, ..pair.lugano_input() };
    let new_lesion = input.new_lesions.iter().any(|l| l.attribution == Attribution::Lymphoma)
        || input.marrow == Marrow::NewFocus;
    let (from, to) = (hottest(before), hottest(now));
    let lugano = lugano::assess(&input, criteria);
    let ct = ct_call(pair);
    let cycles = match now.cycles {
        None | Some(2) => Cycles::Two,
        Some(4) => Cycles::Four,
        Some(_) => Cycles::Other,
    };
    let mut result = VisitPair {
        baseline: pair.earlier,
        follow_up: pair.later,
        comparability,
        delta_suv_max_percent: from.percent_change_to(to),
        sensitivity: lugano::sensitivity(&input, &pair.scores[pair.later].result, criteria),
        percist: percist::assess(&percist_input(before, now, new_lesion)),
        eortc: eortc::assess(&EortcInput {
            baseline: from,
            follow_up: to,
            new_lesion,
            after_one_cycle: now.cycles == Some(1),
            dimension_percent: percent_change_if_known(
                before.longest_dimension_mm,
                now.longest_dimension_mm,
            ),
        }),
        delta_suv_max: delta_suv_max::assess(from, to, cycles),
        lyric: lyric_call(now, &lugano, ct.as_ref(), new_lesion),
        lugano,
        ct,
        warnings: Vec::new(),
    };
    if let Some(barrier) = lugano::barrier(&input) {
        let VisitPair { percist, eortc, delta_suv_max, .. } = &mut result;
        withhold(percist, eortc, delta_suv_max, &barrier);
    } else {
        let VisitPair { percist, eortc, delta_suv_max, .. } = &mut result;
        let unseen = input.sites.iter().filter(|site| site.now == SiteNow::OutOfField).count();
        doubt_unseen(percist, eortc, delta_suv_max, unseen);
        if !input.new_lesions_stated {
            let text = "whether there are new lesions is not stated; they would be progression";
            doubt(percist, eortc, &Reason::new("NEW_LESIONS_NOT_STATED", text));
        }
    }
    result.warnings = warnings(&result);
    result
}

fn percist_input(before: &Visit, now: &Visit, new_lesion: bool) -> PercistInput {
    let scan = |visit: &Visit| PercistScan {
        hottest: visit.sul_peak,
        liver: sul_region(visit.references.liver_sul),
        blood_pool: sul_region(visit.references.blood_pool_sul),
    };
    PercistInput {
        baseline: scan(before),
        follow_up: scan(now),
        new_lesion,
        above_background: None,
        other_increase_percent: None,
        tlg_percent: percent_change_if_known(before.tlg_g, now.tlg_g),
    }
}

/// The call by sizes: they are judged against the baseline and the lowest so far.
fn ct_call(pair: &Pair<'_>) -> Option<CtCall> {
    let first = pair.patient.baseline;
    let sizes = pair.patient.sizes.as_ref().filter(|_| pair.earlier == first)?;
    Some(ct_lugano::assess(sizes, pair.later - first))
}

/// LYRIC reads what is a progression by uptake or by size, where the patient has immunotherapy.
fn lyric_call(
    now: &Visit,
    lugano: &LuganoCall,
    ct: Option<&CtCall>,
    new_lesion: bool,
) -> Option<LyricCall> {
    let weeks = now.immunotherapy_weeks?;
    let by_size = ct.is_some_and(|ct| ct.category == CtCategory::Progressive);
    if lugano.category != ResponseCategory::Progressive && !by_size {
        return None;
    }
    Some(lyric::assess(&LyricInput {
        weeks: Some(weeks),
        deteriorated: now.deteriorated,
        spd_percent: ct.and_then(|ct| ct.spd_since_nadir_percent),
        lesion_percent: ct.and_then(|ct| ct.lesion_since_nadir_percent),
        new_lesion: new_lesion || ct.is_some_and(has_new_lesion),
        uptake_increased: lugano.reasons.iter().any(|r| r.code == "INCREASED_UPTAKE"),
    }))
}

/// Whether a new lesion on CT is among the reasons of a call by sizes.
fn has_new_lesion(ct: &CtCall) -> bool {
    ct.reasons.iter().any(|reason| reason.code == "CT_NEW_LESION")
}

/// Reasons that ask a person to look, as warnings.
fn warnings(pair: &VisitPair) -> Vec<Warning> {
    let asks = [
        "NEW_SITE_UNVERIFIED",
        "BASELINE_SUVMAX_LT_10",
        "NEW_LESIONS_NOT_STATED",
        "RELAPSE_NOT_JUDGED",
    ];
    let reasons = pair.lugano.reasons.iter().chain(&pair.delta_suv_max.reasons);
    let asking = reasons.filter(|reason| asks.contains(&reason.code));
    asking.map(|reason| Warning::new(reason.code, reason.text.clone())).collect()
}
