//! Lugano 2014, PET-CT based: CMR, PMR, NMR, PMD or not evaluable.
//!
//! Score 1 to 3 is a complete response; 4 or 5 with reduced, unchanged or increased uptake is partial, no response or
//! progression; a new focus due to lymphoma is progression at any score.
//!
//! Source: Cheson 2014 JCO 32:3059, table 3; Barrington 2014 JCO 32:3048. The order of the steps, and numbers for "reduced"
//! and "increased" ([`ChangeRule`]), are conventions of this program: the paper has none.

mod histology;
mod sensitivity;

pub use sensitivity::sensitivity;

use serde::Serialize;

use super::{Hottest, Reason, ResponseCategory};
use crate::criteria::{Change, ChangeRule, ChangeStatistic, Criteria, percent_change};
use crate::deauville::{DeauvilleScore, NotComputable, Scored};
use crate::quality::Verdict;

/// Uptake of one site in one scan.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SiteUptake {
    /// SUVmax.
    pub suv_max: Option<f64>,
    /// SULpeak.
    pub sul_peak: Option<f64>,
}

impl SiteUptake {
    /// An SUVmax alone.
    pub fn suv_max(value: f64) -> Self {
        Self { suv_max: Some(value), sul_peak: None }
    }

    /// The number a rule of change follows.
    pub fn value(&self, statistic: ChangeStatistic) -> Option<f64> {
        match statistic {
            ChangeStatistic::SuvMax => self.suv_max,
            ChangeStatistic::SulPeak => self.sul_peak,
        }
    }
}

/// A known site at follow-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SiteNow {
    /// Uptake remains (its numbers may be missing).
    Uptake(SiteUptake),
    /// Nothing remains to be measured.
    Resolved,
    /// The site is not in the field of view, now or at baseline.
    OutOfField,
}

impl SiteNow {
    /// The uptake that remains.
    pub fn uptake(self) -> Option<SiteUptake> {
        match self {
            Self::Uptake(uptake) => Some(uptake),
            Self::Resolved | Self::OutOfField => None,
        }
    }
}

/// A site known at baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSite {
    /// How to call it in sentences.
    pub name: String,
    /// Uptake at baseline.
    pub baseline: SiteUptake,
    /// The site at follow-up.
    pub now: SiteNow,
    /// Score at baseline, where known.
    pub baseline_score: Option<DeauvilleScore>,
    /// Score at follow-up; `None`: the overall score stands for it.
    pub score: Option<DeauvilleScore>,
    /// The change a reader stated; it counts where the rule of change has no numbers to judge by.
    pub reader: Option<Change>,
}

/// What a new focus is due to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// Lymphoma.
    Lymphoma,
    /// Infection, inflammation or another cause that is not lymphoma: category X.
    Unrelated,
    /// Uncertain: category X, biopsy or interval scan.
    Uncertain,
    /// The site is merely not in the list of the baseline; it may persist.
    NotListedAtBaseline,
}

/// A focus that baseline did not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLesion {
    /// How to call it in sentences.
    pub name: String,
    /// What it is due to.
    pub attribution: Attribution,
}

/// Bone marrow at follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Marrow {
    /// Nobody said.
    #[default]
    NotAssessed,
    /// No avid disease.
    Clear,
    /// Diffuse uptake as after chemotherapy or growth factors: reactive, allowed.
    DiffuseReactive,
    /// A focus remains above normal marrow, reduced against baseline.
    FocalResidual,
    /// A focus remains without change.
    FocalUnchanged,
    /// A new or recurrent focus.
    NewFocus,
}

/// What is known of the disease, as far as the criteria depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Histology {
    /// Nobody said: taken as a lymphoma that takes up FDG.
    #[default]
    NotStated,
    /// A lymphoma that takes up FDG.
    AvidLymphoma,
    /// A lymphoma without reliable uptake: sizes on CT decide.
    NotAvid,
    /// A disease for which the criteria are not validated; its name.
    OffLabel(String),
}

/// The best response so far, for the question of relapse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The best category of the earlier follow-ups.
    pub best: ResponseCategory,
    /// The lowest uptake of the hottest lesion so far, in the number that the rule of change follows.
    pub nadir: Hottest,
}

impl Prior {
    /// The best of the earlier calls against the baseline, and the lowest of all earlier scans' hottest uptakes; `None`
    /// without an earlier call. A scan whose uptake is not known may have been lower: then the lowest is not known.
    pub(crate) fn of(
        calls: impl Iterator<Item = ResponseCategory>,
        hottest: impl Iterator<Item = Hottest>,
    ) -> Option<Self> {
        let rank = |category: &ResponseCategory| {
            ResponseCategory::FROM_THE_BEST.iter().position(|known| known == category)
        };
        let best = calls.min_by_key(rank)?;
        let lower = |low, next| match (low, next) {
            (Hottest::NoLesion, _) | (_, Hottest::NoLesion) => Hottest::NoLesion,
            (Hottest::Uptake(low), Hottest::Uptake(next)) => Hottest::Uptake(low.min(next)),
            (Hottest::Unknown, _) | (_, Hottest::Unknown) => Hottest::Unknown,
        };
        Some(Self { best, nadir: hottest.reduce(lower).unwrap_or(Hottest::Unknown) })
    }
}

/// Everything the call depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct LuganoInput {
    /// Overall score of the known sites at follow-up.
    pub score: Scored,
    /// Whether there is a baseline scan.
    pub has_baseline: bool,
    /// The sites known at baseline.
    pub sites: Vec<KnownSite>,
    /// The hottest uptake at baseline and now, where one number a scan is known and those of the sites are not;
    /// `None`: that of the sites.
    pub hottest: Option<(SiteUptake, SiteUptake)>,
    /// Foci that baseline did not have.
    pub new_lesions: Vec<NewLesion>,
    /// Whether somebody looked for new foci: where not, an empty list says nothing.
    pub new_lesions_stated: bool,
    /// The marrow.
    pub marrow: Marrow,
    /// The disease.
    pub histology: Histology,
    /// May the scans be compared? `None`: not checked.
    pub quality: Option<Verdict>,
    /// Earlier follow-ups.
    pub prior: Option<Prior>,
    /// Why the lesions of the two scans could not be linked; `None`: they were.
    pub not_linked: Option<String>,
}

impl LuganoInput {
    /// A pair with this score and these sites, nothing new, nothing known beyond.
    pub fn new(score: Scored, sites: Vec<KnownSite>) -> Self {
        Self {
            score,
            has_baseline: true,
            sites,
            hottest: None,
            new_lesions: Vec::new(),
            new_lesions_stated: true,
            marrow: Marrow::default(),
            histology: Histology::default(),
            quality: None,
            prior: None,
            not_linked: None,
        }
    }
}

/// A Lugano call.
#[derive(Debug, Clone, PartialEq)]
pub struct LuganoCall {
    /// The category.
    pub category: ResponseCategory,
    /// The score with new lesions counted (5).
    pub deauville: Scored,
    /// Category X beside the score: new uptake that is not, or not surely, lymphoma.
    pub category_x: bool,
    /// Whether the category waits for an examination that the reasons recommend.
    pub provisional: bool,
    /// Change of the hottest uptake in percent of baseline, by the rule's number; the lesion need not be the same.
    pub change_percent: Option<f64>,
    /// The rules that fired, in order, and remarks.
    pub reasons: Vec<Reason>,
}

/// The Lugano call for one pair.
pub fn assess(input: &LuganoInput, criteria: &Criteria) -> LuganoCall {
    let hottest = hottest_uptakes(input, criteria.change.statistic);
    let mut call = LuganoCall {
        category: ResponseCategory::NotEvaluable,
        deauville: input.score.clone(),
        category_x: false,
        provisional: false,
        change_percent: hottest.and_then(|(from, to)| percent_change(from, to)),
        reasons: remarks(input),
    };
    if let Some(barrier) = barrier(input) {
        call.reasons.push(barrier);
        return call;
    }
    call.reasons.extend(open_relapse(input, criteria, hottest));
    let mut progression = new_disease(input);
    if !progression.is_empty() {
        // Source: Barrington 2014: new lesions are 5 at any intensity.
        call.deauville = Scored::Score(DeauvilleScore::Five);
    }
    progression.extend(increased_sites(input, criteria));
    progression.extend(relapse(input, criteria, hottest));
    if progression.is_empty() {
        judge_known_disease(input, criteria, hottest, &mut call);
        if !input.new_lesions_stated {
            call.category = ResponseCategory::NotEvaluable;
            let text = "whether there are new lesions is not stated; they would be progression";
            call.reasons.push(Reason::new("NEW_LESIONS_NOT_STATED", text));
        }
    } else {
        call.category = ResponseCategory::Progressive;
        // A relapse is judged against the lowest uptake, at which the baseline's are no measure.
        let relapse_alone = progression.iter().all(|r| r.code == "RELAPSE_AFTER_CMR");
        call.reasons.extend(progression);
        call.reasons.extend(mixed_response(input, criteria).filter(|_| !relapse_alone));
    }
    judge_uncertain_foci(input, &mut call);
    call
}

/// What the reader should know whatever the call.
fn remarks(input: &LuganoInput) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Histology::OffLabel(disease) = &input.histology {
        let text = format!("the Deauville and Lugano criteria are not validated for {disease}");
        reasons.push(Reason::new("CRITERIA_OFF_LABEL", text));
    }
    if input.quality == Some(Verdict::InsufficientInformation) {
        let text = "whether the scans may be compared is not established";
        reasons.push(Reason::new("QUALITY_UNKNOWN", text));
    }
    for site in input.sites.iter().filter(|site| site.now == SiteNow::OutOfField) {
        let text = format!("{} is not evaluable: it is outside the field of view", site.name);
        reasons.push(Reason::new("SITE_OUT_OF_FIELD", text));
    }
    if input.marrow == Marrow::DiffuseReactive {
        let text = "diffuse marrow uptake as after chemotherapy or growth factors is not disease";
        reasons.push(Reason::new("REACTIVE_MARROW", text));
    }
    reasons
}

/// What forbids any call, by whatever criteria.
pub fn barrier(input: &LuganoInput) -> Option<Reason> {
    if input.quality == Some(Verdict::NotAssessable) {
        let text = "the scans must not be compared: see the comparability checks";
        return Some(Reason::new("NOT_COMPARABLE", text));
    }
    if let Some(why) = &input.not_linked {
        let text = format!("the scans could not be brought into one frame: {why}");
        return Some(Reason::new("ALIGNMENT_FAILED", text));
    }
    (input.histology == Histology::NotAvid).then(|| {
        let text = "the disease does not reliably take up FDG: use the sizes on CT";
        Reason::new("NOT_FDG_AVID", text)
    })
}

/// New foci due to lymphoma, in the marrow or elsewhere.
fn new_disease(input: &LuganoInput) -> Vec<Reason> {
    let lymphoma =
        input.new_lesions.iter().filter(|lesion| lesion.attribution == Attribution::Lymphoma);
    let mut reasons: Vec<_> = lymphoma
        .map(|lesion| Reason::new("NEW_LESION", format!("new lesion: {}", lesion.name)))
        .collect();
    if input.marrow == Marrow::NewFocus {
        let text = "new or recurrent focus in the bone marrow";
        reasons.push(Reason::new("NEW_MARROW_FOCUS", text));
    }
    reasons
}

/// Known sites that score positive and are hotter than at baseline.
fn increased_sites(input: &LuganoInput, criteria: &Criteria) -> Vec<Reason> {
    let overall = input.score.score();
    let positive = |site: &KnownSite| {
        site.score.or(overall).is_some_and(|score| score >= criteria.positive_from)
    };
    input
        .sites
        .iter()
        .filter(|site| positive(site))
        .filter(|site| site_change(site, &criteria.change) == Some(Change::Increased))
        .map(|site| Reason::new("INCREASED_UPTAKE", increase_text(site, &criteria.change)))
        .collect()
}

fn increase_text(site: &KnownSite, rule: &ChangeRule) -> String {
    let to = site.now.uptake().and_then(|uptake| uptake.value(rule.statistic));
    match site.baseline.value(rule.statistic).zip(to) {
        Some((from, to)) => {
            format!("{} rose from {from:.2} to {to:.2} (rule {})", site.name, rule.name)
        }
        None => format!("{} rose by the reader's word", site.name),
    }
}

/// Uptake after an earlier complete response, judged against the lowest uptake since.
fn relapse(
    input: &LuganoInput,
    criteria: &Criteria,
    hottest: Option<(f64, f64)>,
) -> Option<Reason> {
    let prior = input.prior?;
    let positive = input.score.score()? >= criteria.positive_from;
    if prior.best != ResponseCategory::Complete || !positive {
        return None;
    }
    let text = match (prior.nadir, hottest) {
        (Hottest::NoLesion, _) => {
            "uptake at a known site after an earlier complete response".to_owned()
        }
        (Hottest::Uptake(nadir), Some((_, now)))
            if criteria.change.change(nadir, now) == Some(Change::Increased) =>
        {
            format!("{now:.2} after an earlier complete response with {nadir:.2}")
        }
        (Hottest::Uptake(_) | Hottest::Unknown, _) => return None,
    };
    Some(Reason::new("RELAPSE_AFTER_CMR", text))
}

/// Says so where relapse after an earlier complete response cannot be told by numbers.
fn open_relapse(
    input: &LuganoInput,
    criteria: &Criteria,
    hottest: Option<(f64, f64)>,
) -> Option<Reason> {
    let prior = input.prior.filter(|prior| prior.best == ResponseCategory::Complete)?;
    let positive = input.score.score()? >= criteria.positive_from;
    let unknown = match prior.nadir {
        Hottest::NoLesion => false,
        Hottest::Uptake(_) => hottest.is_none(),
        Hottest::Unknown => true,
    };
    (positive && unknown).then(|| {
        let text = "positive after an earlier complete response, and the uptake then or now is not known: a relapse would \
                    be PMD";
        Reason::new("RELAPSE_NOT_JUDGED", text)
    })
}

/// Whether lesions went the other way while the disease progressed.
fn mixed_response(input: &LuganoInput, criteria: &Criteria) -> Option<Reason> {
    let reduced = |site: &&KnownSite| site_change(site, &criteria.change) == Some(Change::Reduced);
    let better = input.sites.iter().filter(reduced).count();
    (better > 0).then(|| {
        let text = format!("{better} of {} known sites reduced or resolved", input.sites.len());
        Reason::new("MIXED_RESPONSE", text)
    })
}

/// The call where nothing progresses: by the score, and for a positive one by the change.
fn judge_known_disease(
    input: &LuganoInput,
    criteria: &Criteria,
    hottest: Option<(f64, f64)>,
    call: &mut LuganoCall,
) {
    let score = match &input.score {
        Scored::Score(score) => *score,
        Scored::NotComputable(NotComputable { message, .. }) => {
            let text = format!("no score, the reader must judge: {message}");
            call.reasons.push(Reason::new("SCORE_NOT_COMPUTABLE", text));
            return;
        }
    };
    if !input.has_baseline {
        let text = format!("score {score}; there is no baseline to compare with");
        call.reasons.push(Reason::new("BASELINE_MISSING", text));
    }
    if score < criteria.positive_from {
        judge_negative(input, score, call);
    } else if input.has_baseline {
        judge_residual(input, criteria, hottest, score, call);
    }
}

/// Below the positive scores: complete response, unless the marrow or an unseen site forbids it.
fn judge_negative(input: &LuganoInput, score: DeauvilleScore, call: &mut LuganoCall) {
    match input.marrow {
        Marrow::NotAssessed | Marrow::Clear | Marrow::DiffuseReactive => {
            call.category = ResponseCategory::Complete;
            call.reasons.push(Reason::new("SCORE_NEGATIVE", format!("score {score}")));
        }
        Marrow::FocalResidual | Marrow::FocalUnchanged | Marrow::NewFocus => {
            call.category = ResponseCategory::Partial;
            call.provisional = true;
            let text = format!("score {score}, but a focus remains in the bone marrow");
            call.reasons.push(Reason::new("FOCAL_MARROW_RESIDUAL", text));
            let text = "MRI, biopsy or an interval scan of the marrow focus";
            call.reasons.push(Reason::new("RECOMMEND_MRI_BIOPSY_OR_INTERVAL_SCAN", text));
        }
    }
    if score == DeauvilleScore::Three {
        let text = "score 3: complete response with standard treatment; trials of less treatment may \
                    take it as positive";
        call.reasons.push(Reason::new("SCORE_3", text));
    }
    let unseen = input.sites.iter().any(|site| site.now == SiteNow::OutOfField);
    if unseen && call.category == ResponseCategory::Complete {
        call.category = ResponseCategory::NotEvaluable;
        let text = "no complete response while a known site is outside the field of view";
        call.reasons.push(Reason::new("CMR_NEEDS_ALL_SITES", text));
    }
}

/// A positive score without progression: partial or no response.
fn judge_residual(
    input: &LuganoInput,
    criteria: &Criteria,
    hottest: Option<(f64, f64)>,
    score: DeauvilleScore,
    call: &mut LuganoCall,
) {
    let rule = &criteria.change;
    let numbers = match (hottest, call.change_percent) {
        (Some((from, to)), Some(percent)) => {
            format!("hottest uptake {from:.2} to {to:.2} ({percent:+.1} %, rule {})", rule.name)
        }
        _ if input.sites.iter().any(|site| site.reader.is_some()) => {
            "by the reader's word".to_owned()
        }
        _ => "by scores and sites, without numbers".to_owned(),
    };
    let (category, code, text) = match overall_change(input, rule, hottest, score) {
        Some(Change::Reduced) if input.marrow == Marrow::FocalUnchanged => (
            ResponseCategory::None,
            "MARROW_UNCHANGED",
            format!("score {score}, reduced, but the marrow focus is unchanged; {numbers}"),
        ),
        Some(Change::Reduced) => (
            ResponseCategory::Partial,
            "REDUCED_UPTAKE",
            format!("score {score}, reduced; {numbers}"),
        ),
        // An increase that is no progression is one of a site that scores negative.
        Some(Change::Unchanged | Change::Increased) => (
            ResponseCategory::None,
            "NO_SIGNIFICANT_CHANGE",
            format!("score {score}, no significant change; {numbers}"),
        ),
        None => (
            ResponseCategory::NotEvaluable,
            "CHANGE_NOT_COMPUTABLE",
            format!("score {score}; the change by rule {} cannot be computed", rule.name),
        ),
    };
    call.category = category;
    call.reasons.push(Reason::new(code, text));
}

/// New foci that do not make progression: category X and what to do.
fn judge_uncertain_foci(input: &LuganoInput, call: &mut LuganoCall) {
    for lesion in &input.new_lesions {
        let name = &lesion.name;
        match lesion.attribution {
            Attribution::Lymphoma => {}
            Attribution::Unrelated => {
                call.category_x = true;
                let text = format!("new uptake unlikely to be lymphoma: {name}");
                call.reasons.push(Reason::new("CATEGORY_X", text));
            }
            Attribution::Uncertain => {
                call.category_x = true;
                let text = format!("new uptake of uncertain cause: {name}");
                call.reasons.push(Reason::new("CATEGORY_X", text));
                let text = format!("biopsy or an interval scan of {name}");
                call.reasons.push(Reason::new("RECOMMEND_BIOPSY_OR_INTERVAL_SCAN", text));
            }
            Attribution::NotListedAtBaseline => {
                let text = format!("{name} is not listed at baseline: new disease would be PMD");
                call.reasons.push(Reason::new("NEW_SITE_UNVERIFIED", text));
            }
        }
    }
}

/// The change of one site; a resolved one is reduced. `None`: not known.
fn site_change(site: &KnownSite, rule: &ChangeRule) -> Option<Change> {
    match site.now {
        SiteNow::OutOfField => None,
        SiteNow::Resolved => Some(Change::Reduced),
        SiteNow::Uptake(now) => site
            .baseline
            .value(rule.statistic)
            .zip(now.value(rule.statistic))
            .and_then(|(from, to)| rule.change(from, to))
            .or(site.reader),
    }
}

/// The change that decides between partial and no response: that of the hottest uptake, or the reader's.
fn overall_change(
    input: &LuganoInput,
    rule: &ChangeRule,
    hottest: Option<(f64, f64)>,
    score: DeauvilleScore,
) -> Option<Change> {
    let in_view = || input.sites.iter().filter(|site| site.now != SiteNow::OutOfField);
    let changes: Option<Vec<_>> = in_view().map(|site| site_change(site, rule)).collect();
    let increased = || in_view().any(|site| site_change(site, rule) == Some(Change::Increased));
    let baseline = in_view().filter_map(|site| site.baseline_score).max();
    // A fall from 5 to 4 without an increase elsewhere is a reduction: convention of this program.
    if baseline == Some(DeauvilleScore::Five) && score < DeauvilleScore::Five && !increased() {
        return Some(Change::Reduced);
    }
    let by_numbers = hottest.and_then(|(from, to)| rule.change(from, to));
    by_numbers.or_else(|| changes.and_then(|changes| summary(&changes)))
}

/// The change of several sites without numbers: any increase counts, then any reduction.
fn summary(changes: &[Change]) -> Option<Change> {
    [Change::Increased, Change::Reduced, Change::Unchanged]
        .into_iter()
        .find(|change| changes.contains(change))
}

/// The hottest uptake at baseline and now: that of the scans as wholes, else over the sites in view on both; `None` where a
/// value is missing or nothing remains to be measured.
fn hottest_uptakes(input: &LuganoInput, statistic: ChangeStatistic) -> Option<(f64, f64)> {
    if let Some((baseline, now)) = input.hottest {
        return baseline.value(statistic).zip(now.value(statistic));
    }
    let mut hottest: (Option<f64>, Option<f64>) = (None, None);
    for site in &input.sites {
        let now = match site.now {
            SiteNow::OutOfField => continue,
            SiteNow::Resolved => None,
            SiteNow::Uptake(uptake) => Some(uptake.value(statistic)?),
        };
        let warmer = |old: Option<f64>, new: f64| Some(old.map_or(new, |old| old.max(new)));
        hottest.0 = warmer(hottest.0, site.baseline.value(statistic)?);
        hottest.1 = now.map_or(hottest.1, |now| warmer(hottest.1, now));
    }
    hottest.0.zip(hottest.1)
}

#[cfg(test)]
mod tests;
