//! May two scans be compared?
//!
//! Thirteen checks of a pair, each pass, warn, fail or unknown, under one named rule set. Unknown is never a pass. Sentences
//! carry numbers, never identifiers of the patient.
//!
//! Source: QIBA FDG-PET/CT Profile 1.14; EANM 2.0 (Boellaard 2015 EJNMMI 42:328); PERCIST 1.0 (Wahl 2009 JNM 50 S1:122S).
//! [`RuleSet::LuganoLocal`] is this program's own: the Lugano call compares uptake with the liver of the same scan, so that
//! acquisition differences warn, and only what makes the pair no pair blocks: another tracer (Q8), another or invalid kind of
//! SUV (Q9), another patient (Q10), a follow-up that is not after the baseline (Q12).

mod checks;

use chrono::{NaiveDate, NaiveDateTime};
use schemars::JsonSchema;
use serde::Serialize;

use crate::acquisition::Sex;
use crate::suv::SuvKind;

/// A named set of rules for the comparability of two scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleSet {
    /// QIBA FDG-PET/CT Profile 1.14.
    Qiba,
    /// EANM 2.0 (Boellaard 2015 EJNMMI 42:328).
    Eanm,
    /// PERCIST 1.0.
    Percist,
    /// For the Lugano call, which compares uptake with the liver of the same scan.
    LuganoLocal,
}

impl RuleSet {
    /// Every rule set.
    pub const ALL: [Self; 4] = [Self::Qiba, Self::Eanm, Self::Percist, Self::LuganoLocal];

    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Qiba => "qiba",
            Self::Eanm => "eanm",
            Self::Percist => "percist",
            Self::LuganoLocal => "lugano-local",
        }
    }
}

/// A check of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum CheckId {
    /// Uptake time of each scan.
    #[serde(rename = "Q1")]
    UptakeWindow,
    /// Difference of the uptake times.
    #[serde(rename = "Q2")]
    UptakeDifference,
    /// Same scanner and reconstruction.
    #[serde(rename = "Q3")]
    SameSystem,
    /// EARL accreditation.
    #[serde(rename = "Q4")]
    Earl,
    /// Injected dose.
    #[serde(rename = "Q5")]
    InjectedDose,
    /// Stability of the liver.
    #[serde(rename = "Q6")]
    LiverStability,
    /// Blood glucose.
    #[serde(rename = "Q7")]
    Glucose,
    /// Same tracer.
    #[serde(rename = "Q8")]
    Tracer,
    /// Both scans in valid SUV of one kind.
    #[serde(rename = "Q9")]
    SuvStatus,
    /// Same patient.
    #[serde(rename = "Q10")]
    Patient,
    /// The field of view covers the sites of the baseline.
    #[serde(rename = "Q11")]
    FieldOfView,
    /// Order of the dates.
    #[serde(rename = "Q12")]
    DateOrder,
    /// Liver within the normal range.
    #[serde(rename = "Q13")]
    LiverRange,
}

impl CheckId {
    /// Every check, in order.
    pub const ALL: [Self; 13] = [
        Self::UptakeWindow,
        Self::UptakeDifference,
        Self::SameSystem,
        Self::Earl,
        Self::InjectedDose,
        Self::LiverStability,
        Self::Glucose,
        Self::Tracer,
        Self::SuvStatus,
        Self::Patient,
        Self::FieldOfView,
        Self::DateOrder,
        Self::LiverRange,
    ];

    /// Q1 to Q13.
    pub fn name(self) -> &'static str {
        match self {
            Self::UptakeWindow => "Q1",
            Self::UptakeDifference => "Q2",
            Self::SameSystem => "Q3",
            Self::Earl => "Q4",
            Self::InjectedDose => "Q5",
            Self::LiverStability => "Q6",
            Self::Glucose => "Q7",
            Self::Tracer => "Q8",
            Self::SuvStatus => "Q9",
            Self::Patient => "Q10",
            Self::FieldOfView => "Q11",
            Self::DateOrder => "Q12",
            Self::LiverRange => "Q13",
        }
    }
}

/// What a check that does not pass means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Failed: the pair must not be compared. Unknown: whether it may is not established.
    Block,
    /// Failed or unknown: a warning.
    Warn,
    /// Failed: a warning. Unknown: said, without weight.
    Inform,
}

impl RuleSet {
    /// The weight of a check in this rule set.
    pub fn severity(self, check: CheckId) -> Severity {
        use Severity::{Block, Inform, Warn};
        match check {
            CheckId::Tracer | CheckId::SuvStatus | CheckId::Patient | CheckId::DateOrder => Block,
            CheckId::UptakeWindow => match self {
                Self::Qiba | Self::Eanm => Block,
                Self::Percist | Self::LuganoLocal => Warn,
            },
            CheckId::UptakeDifference => match self {
                Self::Qiba | Self::Eanm | Self::Percist => Block,
                Self::LuganoLocal => Warn,
            },
            CheckId::SameSystem => match self {
                Self::Eanm => Block,
                Self::Qiba | Self::Percist | Self::LuganoLocal => Warn,
            },
            CheckId::LiverStability => match self {
                Self::Percist => Block,
                // The liver rises by 15 to 18 % under treatment (EJNMMI 2023), which is no fault of the pair.
                Self::Qiba | Self::Eanm | Self::LuganoLocal => Warn,
            },
            CheckId::Glucose => match self {
                Self::Qiba | Self::Eanm | Self::Percist => Warn,
                // Hardly ever in a header: its absence must not mark every pair.
                Self::LuganoLocal => Inform,
            },
            CheckId::Earl => Inform,
            CheckId::InjectedDose | CheckId::FieldOfView | CheckId::LiverRange => Warn,
        }
    }
}

/// The numbers of a rule set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityNumbers {
    /// Version of these numbers.
    pub version: u32,
    /// Uptake time of each scan, minutes, from and to.
    pub uptake_minutes: (f64, f64),
    /// Largest difference of the uptake times, minutes.
    pub uptake_difference_minutes: f64,
    /// Earliest uptake time for which the difference counts, minutes.
    pub uptake_earliest_minutes: f64,
    /// Largest difference of the doses, percent of the baseline.
    pub dose_difference_percent: f64,
    /// Largest difference of the liver's `SULmean`, percent of the larger.
    pub liver_difference_percent: f64,
    /// Largest difference of the liver's `SULmean`.
    pub liver_difference: f64,
    /// Blood glucose must be below this, mg/dL.
    pub glucose_below_mg_dl: f64,
    /// Change of weight in percent of the baseline above which SUL is to be preferred.
    pub weight_change_percent: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

impl RuleSet {
    /// The numbers of this rule set.
    pub fn numbers(self) -> QualityNumbers {
        let common = QualityNumbers {
            version: 1,
            uptake_minutes: (55.0, 75.0),
            uptake_difference_minutes: 10.0,
            uptake_earliest_minutes: 55.0,
            dose_difference_percent: 20.0,
            liver_difference_percent: 20.0,
            liver_difference: 0.3,
            glucose_below_mg_dl: 200.0,
            weight_change_percent: 10.0,
            source: "",
        };
        match self {
            Self::Qiba => QualityNumbers { source: "QIBA FDG-PET/CT Profile 1.14", ..common },
            Self::Eanm => {
                QualityNumbers { source: "EANM 2.0 (Boellaard 2015 EJNMMI 42:328)", ..common }
            }
            Self::Percist => QualityNumbers {
                uptake_minutes: (50.0, 70.0),
                uptake_difference_minutes: 15.0,
                uptake_earliest_minutes: 50.0,
                source: "PERCIST 1.0 (Wahl 2009 JNM 50 S1:122S)",
                ..common
            },
            Self::LuganoLocal => QualityNumbers {
                source: "uptake: EANM 2.0; dose and liver: PERCIST 1.0; weights: this program",
                ..common
            },
        }
    }
}

/// What is known of one scan; `None`: not known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScanFacts {
    /// `SeriesInstanceUID`, to tell a scan given twice.
    pub series_uid: Option<String>,
    /// `PatientID` (0010,0020).
    pub patient_id: Option<String>,
    /// `PatientBirthDate` (0010,0030).
    pub birth_date: Option<NaiveDate>,
    /// `PatientSex` (0010,0040).
    pub sex: Option<Sex>,
    /// Start of the acquisition.
    pub acquired: Option<NaiveDateTime>,
    /// From injection to acquisition, minutes.
    pub uptake_minutes: Option<f64>,
    /// Injected activity, becquerels.
    pub dose_bq: Option<f64>,
    /// Weight, kilograms.
    pub weight_kg: Option<f64>,
    /// Blood glucose, mg/dL.
    pub glucose_mg_dl: Option<f64>,
    /// Whether the reconstruction is EARL-approved.
    pub earl: Option<bool>,
    /// Radiopharmaceutical, as written.
    pub tracer: Option<String>,
    /// Radionuclide, as written.
    pub nuclide: Option<String>,
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Software version.
    pub software: Option<String>,
    /// `ReconstructionMethod` (0054,1103) and what else tells the reconstruction, as one text.
    pub reconstruction: Option<String>,
    /// Distance of voxels along slice, row and column, millimetres.
    pub spacing_mm: Option<[f64; 3]>,
    /// Units of the series, as written.
    pub units: Option<String>,
    /// `DecayCorrection` of the series, as written.
    pub decay_correction: Option<String>,
    /// The kind of SUV; `None`: the volume is not in SUV or this is not known.
    pub suv_kind: Option<SuvKind>,
    /// Whether SUV could be computed without reservation.
    pub suv_valid: Option<bool>,
    /// SUVmean of the liver.
    pub liver_suv_mean: Option<f64>,
    /// `SULmean` of the liver.
    pub liver_sul_mean: Option<f64>,
}

/// What is known of the two scans together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairFacts {
    /// Sites of the baseline outside the field of view of the follow-up; `None`: not checked.
    pub sites_out_of_field: Option<usize>,
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold, without blocking.
    Warn,
    /// It does not hold and blocks.
    Fail,
    /// It cannot be told.
    Unknown,
}

/// One check of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// What was found.
    pub result: Outcome,
    /// Its weight in the rule set.
    pub severity: Severity,
    /// One sentence with the numbers, without identifiers.
    pub detail: String,
}

impl Check {
    /// Whether a reader should see it: not passed, and not merely unknown where that blocks nothing.
    pub fn is_notable(&self) -> bool {
        match self.result {
            Outcome::Pass => false,
            Outcome::Fail | Outcome::Warn => true,
            Outcome::Unknown => self.severity == Severity::Block,
        }
    }
}

/// What the checks say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Every check of weight passes.
    Assessable,
    /// A check that does not block fails or is unknown.
    AssessableWithWarnings,
    /// A blocking check is unknown: the call is printed, its basis is not established.
    InsufficientInformation,
    /// A blocking check fails: no call.
    NotAssessable,
}

impl Verdict {
    /// As printed: `NOT_ASSESSABLE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Assessable => "ASSESSABLE",
            Self::AssessableWithWarnings => "ASSESSABLE_WITH_WARNINGS",
            Self::InsufficientInformation => "INSUFFICIENT_INFORMATION",
            Self::NotAssessable => "NOT_ASSESSABLE",
        }
    }
}

/// The comparability of two scans.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparability {
    /// The checks together.
    pub verdict: Verdict,
    /// The rules that were applied.
    pub rule_set: RuleSet,
    /// Every check, Q1 to Q13.
    pub checks: Vec<Check>,
}

/// What one check finds before the rule set gives it weight.
enum Finding {
    Holds(String),
    /// Holds, with a doubt that warns whatever the weight of the check.
    Doubtful(String),
    Violated(String),
    Unknown(String),
}

/// Checks whether a follow-up may be compared with its baseline.
pub fn compare(
    baseline: &ScanFacts,
    follow_up: &ScanFacts,
    pair: PairFacts,
    rules: RuleSet,
) -> Comparability {
    let checks: Vec<_> = CheckId::ALL
        .into_iter()
        .map(|id| {
            let severity = rules.severity(id);
            let finding = checks::find(id, baseline, follow_up, pair, &rules.numbers());
            let (result, detail) = match (finding, severity) {
                (Finding::Holds(detail), _) => (Outcome::Pass, detail),
                (Finding::Doubtful(detail), _) => (Outcome::Warn, detail),
                (Finding::Violated(detail), Severity::Block) => (Outcome::Fail, detail),
                (Finding::Violated(detail), Severity::Warn | Severity::Inform) => {
                    (Outcome::Warn, detail)
                }
                (Finding::Unknown(detail), _) => (Outcome::Unknown, detail),
            };
            Check { id, result, severity, detail }
        })
        .collect();
    let verdict = checks.iter().map(weight).max().unwrap_or(Verdict::InsufficientInformation);
    Comparability { verdict, rule_set: rules, checks }
}

/// The verdict one check would give alone; that of the pair is the worst.
fn weight(check: &Check) -> Verdict {
    match (check.result, check.severity) {
        (Outcome::Fail, _) => Verdict::NotAssessable,
        (Outcome::Unknown, Severity::Block) => Verdict::InsufficientInformation,
        (Outcome::Warn, _) | (Outcome::Unknown, Severity::Warn) => Verdict::AssessableWithWarnings,
        (Outcome::Pass, _) | (Outcome::Unknown, Severity::Inform) => Verdict::Assessable,
    }
}

#[cfg(test)]
mod tests;
