//! From a pair of scored scans to a response category.
//!
//! Each criterion takes a plain structure, so that voxels and tables of values read elsewhere feed the same rules, and gives a
//! category with the reasons that fired.

pub mod ct_lugano;
pub mod delta_suv_max;
pub mod eortc;
pub mod lugano;
pub mod lyric;
pub mod percist;

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::criteria::percent_change;

/// Metabolic response by Lugano 2014.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub enum ResponseCategory {
    /// Complete metabolic response.
    #[serde(rename = "CMR")]
    Complete,
    /// Partial metabolic response.
    #[serde(rename = "PMR")]
    Partial,
    /// No metabolic response.
    #[serde(rename = "NMR")]
    None,
    /// Progressive metabolic disease.
    #[serde(rename = "PMD")]
    Progressive,
    /// Not evaluable; the reasons say why.
    #[serde(rename = "NE")]
    NotEvaluable,
}

impl ResponseCategory {
    /// The calls from the best; a pair that is not evaluable says nothing of how good a response is.
    pub const FROM_THE_BEST: [Self; 5] =
        [Self::Complete, Self::Partial, Self::None, Self::Progressive, Self::NotEvaluable];

    /// CMR, PMR, NMR, PMD or NE.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::Complete => "CMR",
            Self::Partial => "PMR",
            Self::None => "NMR",
            Self::Progressive => "PMD",
            Self::NotEvaluable => "NE",
        }
    }

    /// The words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Complete => "complete metabolic response",
            Self::Partial => "partial metabolic response",
            Self::None => "no metabolic response",
            Self::Progressive => "progressive metabolic disease",
            Self::NotEvaluable => "not evaluable",
        }
    }
}

impl fmt::Display for ResponseCategory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.abbreviation())
    }
}

/// Metabolic response by PERCIST or EORTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub enum MetabolicCategory {
    /// Complete metabolic response.
    #[serde(rename = "CMR")]
    Complete,
    /// Partial metabolic response.
    #[serde(rename = "PMR")]
    Partial,
    /// Stable metabolic disease.
    #[serde(rename = "SMD")]
    Stable,
    /// Progressive metabolic disease.
    #[serde(rename = "PMD")]
    Progressive,
    /// Not evaluable; the reasons say why.
    #[serde(rename = "NE")]
    NotEvaluable,
}

impl MetabolicCategory {
    /// CMR, PMR, SMD, PMD or NE.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::Complete => "CMR",
            Self::Partial => "PMR",
            Self::Stable => "SMD",
            Self::Progressive => "PMD",
            Self::NotEvaluable => "NE",
        }
    }
}

impl fmt::Display for MetabolicCategory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.abbreviation())
    }
}

/// The hottest uptake of a scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hottest {
    /// There is no lesion.
    NoLesion,
    /// Its value.
    Uptake(f64),
    /// There is a lesion, its value cannot be known (SUL without height, a report without numbers).
    Unknown,
}

impl Hottest {
    /// The change to a later scan in percent; `None` where a value is missing or nothing is there to measure.
    pub fn percent_change_to(self, now: Self) -> Option<f64> {
        match (self, now) {
            (Self::Uptake(from), Self::Uptake(to)) => percent_change(from, to),
            (Self::NoLesion | Self::Unknown | Self::Uptake(_), _) => None,
        }
    }
}

/// A rule that fired or a remark, with its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// Stable name for scripts, in capitals: `NEW_LESION`.
    pub code: &'static str,
    /// One sentence.
    pub text: String,
}

impl Reason {
    /// A reason with its code and its sentence.
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// Where two scans must not be compared, no criteria call anything by uptake; the measured numbers stay.
pub(crate) fn withhold(
    percist: &mut percist::PercistCall,
    eortc: &mut eortc::EortcCall,
    delta: &mut delta_suv_max::DeltaSuvMax,
    barrier: &Reason,
) {
    percist.category = MetabolicCategory::NotEvaluable;
    percist.reasons = vec![barrier.clone()];
    eortc.category = MetabolicCategory::NotEvaluable;
    eortc.reasons = vec![barrier.clone()];
    delta.favourable = None;
    delta.reasons = vec![barrier.clone()];
}

/// Where something is not known that could be progression, only progression is called.
pub(crate) fn doubt(
    percist: &mut percist::PercistCall,
    eortc: &mut eortc::EortcCall,
    why: &Reason,
) {
    let calls =
        [(&mut percist.category, &mut percist.reasons), (&mut eortc.category, &mut eortc.reasons)];
    for (category, reasons) in calls {
        if !matches!(category, MetabolicCategory::Progressive | MetabolicCategory::NotEvaluable) {
            *category = MetabolicCategory::NotEvaluable;
            reasons.push(why.clone());
        }
    }
}

/// Where a known site is not in view of both scans, the hottest lesion may be there: only progression is called.
pub(crate) fn doubt_unseen(
    percist: &mut percist::PercistCall,
    eortc: &mut eortc::EortcCall,
    delta: &mut delta_suv_max::DeltaSuvMax,
    unseen: usize,
) {
    if unseen == 0 {
        return;
    }
    let text = format!("{unseen} known sites are outside the field of view of one scan");
    let why = Reason::new("SITE_OUT_OF_FIELD", text);
    doubt(percist, eortc, &why);
    delta.favourable = None;
    delta.reasons.push(why);
}

/// Something that would change a call.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sensitivity {
    /// What would have to be different.
    pub quantity: Quantity,
    /// Its value now, where it is a number.
    pub present: Option<f64>,
    /// The border at which the call flips, where it is a number.
    pub flips_at: Option<f64>,
    /// The call beyond the border.
    pub category: ResponseCategory,
    /// One sentence.
    pub text: String,
}

/// What a call can hang on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The liver reference.
    LiverReference,
    /// The uptake of the deciding lesion.
    LesionUptake,
    /// The change of the hottest uptake since baseline.
    ChangeOfUptake,
    /// The convention of the score.
    Convention,
    /// What a new focus is due to.
    NewLesion,
    /// Whether uncertain uptakes are lesions.
    UncertainUptake,
}
