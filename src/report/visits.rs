//! The document of `petct compare --table`: visits that were read elsewhere.

use schemars::JsonSchema;
use serde::Serialize;

use super::calls::coded;
use super::compare::{
    AlignmentDocument, ComparabilityDocument, CriteriaDocument, DeltaDocument, LinkedDocument,
    LuganoDocument, MetabolicDocument,
};
use super::text::{self, Align, Page};
use super::{Content, finite, time_text};
use crate::criteria::{CT_LUGANO, Criteria};
use crate::deauville::{Alternative, DeauvilleScore, Scored};
use crate::diagnostic::Warning;
use crate::response::ct_lugano::{CtCall, CtCategory};
use crate::response::lyric::{Indeterminate, LyricCall};
use crate::response::{Hottest, Sensitivity};
use crate::visits::{Patient, PatientAssessment, Visit, VisitPair, VisitScore};

/// Why a pair of a table has neither an alignment nor linked lesions.
const NO_IMAGES: &str = "the visits come from a table without images";
/// Why sizes give no call.
const NO_SIZES: &str =
    "no sizes are given for this pair (--diameters), or it is not against the baseline";

/// The visits of a table and a response for each pair.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VisitsDocument {
    /// The patients in the order of their first row.
    pub patients: Vec<PatientVisits>,
    /// Names of the sets of numbers used.
    pub criteria: CriteriaDocument,
    /// Files written, in the folder that was asked for.
    pub files: Vec<String>,
    /// What was noticed, of all patients.
    pub warnings: Vec<Warning>,
}

/// One patient.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PatientVisits {
    /// Number in the order of the first rows, from 1.
    pub number: usize,
    /// The patient as the table has it; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The visits in the order of time.
    pub visits: Vec<VisitDocument>,
    /// Index of the baseline in `visits`; those before it take no part in pairs.
    pub baseline: usize,
    /// Each follow-up against the baseline, and against the visit before it where that is another.
    pub pairs: Vec<VisitPairDocument>,
    /// What was noticed of the patient and the visits.
    pub warnings: Vec<Warning>,
}

/// One visit as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VisitDocument {
    /// Its name; its date where it has none.
    pub visit: String,
    /// When the scan was acquired; `null` where the table does not say.
    pub date: Option<String>,
    /// Line of the table.
    pub line: u64,
    /// The score of the scan.
    pub deauville: VisitDeauville,
    /// SUVmax of the hottest lesion.
    pub suv_max: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suv_max_reason: Option<&'static str>,
    /// The sites as listed.
    pub sites: Vec<VisitSite>,
}

/// The score of a visit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VisitDeauville {
    /// 1 to 5; `null` where nobody gave one and it cannot be computed.
    pub score: Scored,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_reason: Option<String>,
    /// `written` for a reader's score, else the convention by which it was computed.
    pub convention: &'static str,
    /// Category X by the reader's word.
    pub category_x: bool,
    /// Whether the score tells a response; that of a baseline does not.
    pub is_response: bool,
    /// The liver's number by the convention.
    pub liver: Option<f64>,
    /// The blood pool's number by the convention.
    pub blood_pool: Option<f64>,
    /// The score by the conventions, from what is printed.
    pub alternatives: Vec<Alternative>,
}

/// A site as listed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VisitSite {
    /// Its name; `*` for every known site that is not named.
    pub site: String,
    /// Its score; `null` where none is given.
    pub deauville: Option<DeauvilleScore>,
    /// Its SUVmax; `null` where none is given.
    pub suv_max: Option<f64>,
}

/// A follow-up beside an earlier visit: the keys of `petct compare`, with `null` where only images could tell.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VisitPairDocument {
    /// Index of the earlier visit in `visits`.
    pub baseline: usize,
    /// Index of the follow-up in `visits`.
    pub follow_up: usize,
    /// May they be compared?
    pub comparability: ComparabilityDocument,
    /// `null`: there are no images.
    pub alignment: Option<AlignmentDocument>,
    /// Why it is `null`.
    pub alignment_reason: &'static str,
    /// `null`: there are no images.
    pub lesions: Option<Vec<LinkedDocument>>,
    /// Why they are `null`.
    pub lesions_reason: &'static str,
    /// Change of the hottest lesion's SUVmax, percent; the lesion need not be the same.
    pub delta_suv_max_percent: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_suv_max_percent_reason: Option<&'static str>,
    /// Lugano 2014 by uptake.
    pub lugano: LuganoDocument,
    /// PERCIST 1.0.
    pub percist: MetabolicDocument,
    /// EORTC 1999.
    pub eortc: MetabolicDocument,
    /// The delta-SUVmax rule.
    pub delta_suv_max: DeltaDocument,
    /// Lugano 2014 by sizes on CT.
    pub lugano_ct: Option<CtDocument>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lugano_ct_reason: Option<&'static str>,
    /// The LYRIC reading; `null` where the patient has no immunotherapy by the table, or nothing progresses.
    pub lyric: Option<LyricDocument>,
    /// What would change the Lugano call.
    pub sensitivity: Vec<Sensitivity>,
    /// What was noticed of this pair.
    pub warnings: Vec<Warning>,
}

/// A call by sizes on CT.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CtDocument {
    /// CR, PR, SD, PD or NE.
    pub category: CtCategory,
    /// Whether the category waits for an examination that the reasons recommend.
    pub provisional: bool,
    /// Sum of products of diameters at baseline, square millimetres; `null` where a target was not measured.
    pub spd_baseline_mm2: Option<f64>,
    /// The lowest before this visit.
    pub spd_nadir_mm2: Option<f64>,
    /// Now.
    pub spd_mm2: Option<f64>,
    /// Change since baseline, percent.
    pub spd_change_percent: Option<f64>,
    /// Change since the lowest, percent.
    pub spd_change_since_nadir_percent: Option<f64>,
    /// The rules that fired and remarks, as `CODE: text`.
    pub reasons: Vec<String>,
    /// The set of numbers.
    pub source: &'static str,
}

/// The LYRIC reading of a progression.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LyricDocument {
    /// The indeterminate response; `null`: the Lugano call stands.
    pub indeterminate: Option<Indeterminate>,
    /// The rule that fired, as `CODE: text`.
    pub reasons: Vec<String>,
}

impl From<&CtCall> for CtDocument {
    fn from(call: &CtCall) -> Self {
        Self {
            category: call.category,
            provisional: call.provisional,
            spd_baseline_mm2: call.spd_baseline_mm2.and_then(finite),
            spd_nadir_mm2: call.spd_nadir_mm2.and_then(finite),
            spd_mm2: call.spd_mm2.and_then(finite),
            spd_change_percent: call.spd_percent.and_then(finite),
            spd_change_since_nadir_percent: call.spd_since_nadir_percent.and_then(finite),
            reasons: coded(&call.reasons),
            source: CT_LUGANO.source,
        }
    }
}

impl From<&LyricCall> for LyricDocument {
    fn from(call: &LyricCall) -> Self {
        Self {
            indeterminate: call.indeterminate,
            reasons: coded(std::slice::from_ref(&call.reason)),
        }
    }
}

impl VisitDocument {
    fn new(visit: &Visit, score: &VisitScore, is_response: bool) -> Self {
        let (suv_max, suv_max_reason) = match score.hottest {
            Hottest::Uptake(value) => (finite(value), None),
            Hottest::NoLesion => (None, Some("nothing is left to measure")),
            Hottest::Unknown => (None, Some("the table does not say")),
        };
        let result = &score.result;
        Self {
            visit: visit.name.clone(),
            date: visit.date.map(time_text),
            line: visit.line,
            deauville: VisitDeauville {
                score: result.score.clone(),
                score_reason: match &result.score {
                    Scored::Score(_) => None,
                    Scored::NotComputable(reason) => {
                        Some(format!("{}: {}", reason.code, reason.message))
                    }
                },
                convention: result.convention,
                category_x: score.category_x,
                is_response,
                liver: result.liver.and_then(finite),
                blood_pool: result.blood_pool.and_then(finite),
                alternatives: result.alternatives.clone(),
            },
            suv_max,
            suv_max_reason,
            sites: visit.sites.iter().map(VisitSite::from).collect(),
        }
    }
}

impl From<&crate::visits::SiteEntry> for VisitSite {
    fn from(site: &crate::visits::SiteEntry) -> Self {
        Self {
            site: site.name.clone().unwrap_or_else(|| "*".into()),
            deauville: site.score,
            suv_max: site.suv_max.and_then(finite),
        }
    }
}

impl From<&VisitPair> for VisitPairDocument {
    fn from(pair: &VisitPair) -> Self {
        let delta = pair.delta_suv_max_percent.and_then(finite);
        Self {
            baseline: pair.baseline,
            follow_up: pair.follow_up,
            comparability: (&pair.comparability).into(),
            alignment: None,
            alignment_reason: NO_IMAGES,
            lesions: None,
            lesions_reason: NO_IMAGES,
            delta_suv_max_percent: delta,
            delta_suv_max_percent_reason: delta
                .is_none()
                .then_some("SUVmax of a visit is not known, or nothing is left to measure"),
            lugano: (&pair.lugano).into(),
            percist: (&pair.percist).into(),
            eortc: (&pair.eortc).into(),
            delta_suv_max: (&pair.delta_suv_max).into(),
            lugano_ct: pair.ct.as_ref().map(Into::into),
            lugano_ct_reason: pair.ct.is_none().then_some(NO_SIZES),
            lyric: pair.lyric.as_ref().map(Into::into),
            sensitivity: pair.sensitivity.clone(),
            warnings: pair.warnings.clone(),
        }
    }
}

impl PatientVisits {
    fn new(
        number: usize,
        patient: &Patient,
        assessment: &PatientAssessment,
        show_identifiers: bool,
    ) -> Self {
        let visits = patient.visits.iter().zip(&assessment.scores).enumerate();
        Self {
            number,
            patient: patient.name.clone().filter(|_| show_identifiers),
            visits: visits
                .map(|(n, (visit, score))| VisitDocument::new(visit, score, n > patient.baseline))
                .collect(),
            baseline: patient.baseline,
            pairs: assessment.pairs.iter().map(Into::into).collect(),
            warnings: assessment.warnings.clone(),
        }
    }

    /// The warnings of patient and pairs, each with its place.
    fn placed_warnings(&self) -> Vec<Warning> {
        let number = self.number;
        let of_patient = self
            .warnings
            .iter()
            .map(|w| Warning::new(w.code, format!("patient {number}: {}", w.message)));
        let of_pairs = self.pairs.iter().flat_map(|pair| {
            let place = format!("patient {number}, {}", self.title(pair));
            let placed = move |w: &Warning| Warning::new(w.code, format!("{place}: {}", w.message));
            pair.warnings.iter().map(placed)
        });
        of_patient.chain(of_pairs).collect()
    }

    /// `T1 against T0`
    fn title(&self, pair: &VisitPairDocument) -> String {
        let name = |n: usize| self.visits.get(n).map_or("-", |visit| visit.visit.as_str());
        format!("{} against {}", name(pair.follow_up), name(pair.baseline))
    }

    fn write(&self, page: &mut Page, verbose: bool) {
        let name = self.patient.as_ref().map(|name| format!(" ({name})"));
        page.line(&format!("patient {}{}", self.number, name.unwrap_or_default()));
        let headings = [
            ("  visit", Align::Left),
            ("date", Align::Left),
            ("Deauville", Align::Right),
            ("by", Align::Left),
            ("SUVmax", Align::Right),
            ("liver", Align::Right),
            ("blood pool", Align::Right),
        ];
        let row = |(n, visit): (usize, &VisitDocument)| {
            let deauville = &visit.deauville;
            let score = deauville.score.score().map_or_else(|| "-".into(), |s| s.to_string());
            let x = if deauville.category_x { ", X" } else { "" };
            let baseline = if n == self.baseline { " (baseline)" } else { "" };
            vec![
                format!("  {}{baseline}", text::shortened(&visit.visit, 24)),
                visit.date.as_deref().map_or("-", |date| date.get(..10).unwrap_or(date)).to_owned(),
                format!("{score}{x}"),
                deauville.convention.to_owned(),
                text::number(visit.suv_max, 2),
                text::number(deauville.liver, 2),
                text::number(deauville.blood_pool, 2),
            ]
        };
        page.table(&headings, &self.visits.iter().enumerate().map(row).collect::<Vec<_>>());
        for pair in &self.pairs {
            page.gap();
            pair.write(&self.title(pair), page, verbose);
        }
    }
}

impl VisitPairDocument {
    fn write(&self, title: &str, page: &mut Page, verbose: bool) {
        let (lugano, delta) = (&self.lugano, self.delta_suv_max_percent);
        page.line(&format!(
            "{title}: {} ({}), Deauville {}{}",
            lugano.category,
            lugano.category.words(),
            lugano.deauville,
            delta.map(|d| format!(", SUVmax {d:+.1} %")).unwrap_or_default()
        ));
        for reason in &lugano.reasons {
            page.line(&format!("  {reason}"));
        }
        if let Some(ct) = &self.lugano_ct {
            page.line(&format!("  by sizes on CT: {} ({})", ct.category, ct.category.words()));
            for reason in &ct.reasons {
                page.line(&format!("    {reason}"));
            }
        }
        for reason in self.lyric.iter().flat_map(|lyric| &lyric.reasons) {
            page.line(&format!("  LYRIC: {reason}"));
        }
        page.line(&format!(
            "  PERCIST {}, EORTC {}, delta SUVmax {}; comparability {} ({})",
            self.percist.category,
            self.eortc.category,
            self.delta_suv_max.words(),
            self.comparability.verdict.name(),
            self.comparability.rule_set,
        ));
        for check in &self.comparability.checks {
            if verbose || check.is_notable() {
                page.line(&format!("  {}: {}", check.id.name(), check.detail));
            }
        }
        for statement in &self.sensitivity {
            page.line(&format!("  {}", statement.text));
        }
    }
}

impl VisitsDocument {
    /// The document of a table's patients with their assessments.
    pub fn new(
        patients: &[(Patient, PatientAssessment)],
        criteria: &Criteria,
        show_identifiers: bool,
    ) -> Self {
        let patients: Vec<PatientVisits> = (1..)
            .zip(patients)
            .map(|(n, (patient, found))| PatientVisits::new(n, patient, found, show_identifiers))
            .collect();
        let warnings = patients.iter().flat_map(PatientVisits::placed_warnings).collect();
        Self { patients, criteria: criteria.into(), files: Vec::new(), warnings }
    }
}

impl Content for VisitsDocument {
    const NAME: &'static str = "petct-visits";
    const VERSION: u32 = 1;

    fn text(&self, verbose: bool) -> String {
        let mut page = Page::default();
        for patient in &self.patients {
            page.gap();
            patient.write(&mut page, verbose);
        }
        page.gap();
        page.values(&[
            ("convention", self.criteria.convention.to_owned()),
            ("change", format!("{} ({})", self.criteria.change, self.criteria.change_source)),
            ("files", self.files.join(", ")),
        ]);
        page.warnings(&self.warnings);
        page.finish()
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
