//! May two scans be compared?

use schemars::JsonSchema;
use serde::Serialize;

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

/// What the checks say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Every check passes.
    Assessable,
    /// A check that does not block fails or is unknown.
    AssessableWithWarnings,
    /// A blocking check is unknown: the call is printed, its basis is not established.
    InsufficientInformation,
    /// A blocking check fails: no call.
    NotAssessable,
}
