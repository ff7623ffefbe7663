//! What a SUV computation takes and gives: overrides, the plan, and where each of its numbers comes from.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDateTime, NaiveTime};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Refusal, SuvKind};

/// Values that replace those of the headers. Everything downstream is computed from them and the plan says so.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overrides {
    /// Body weight in kilograms, 0.5 to 700.
    pub weight_kg: Option<f64>,
    /// Body height in metres, 0.3 to 2.8.
    pub height_m: Option<f64>,
    /// Injected activity in megabecquerels at the time of injection, above 0 up to 100 000.
    pub dose_mbq: Option<f64>,
    /// Time of injection on the clock of the scanner.
    pub injected_at: Option<InjectedAt>,
}

impl Overrides {
    /// Whether anything is overridden.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Refuses numbers that are no weight, height or dose.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let rows = [
            ("--weight-kg", self.weight_kg, 0.5, 700.0, "0.5 to 700 kilograms"),
            ("--height-m", self.height_m, 0.3, 2.8, "0.3 to 2.8 metres"),
            (
                "--dose-mbq",
                self.dose_mbq,
                f64::MIN_POSITIVE,
                1e5,
                "a positive number of megabecquerels up to 100000",
            ),
        ];
        for (flag, value, low, high, accepted) in rows {
            if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
                return Err(Refusal::InvalidOverride { flag, value, accepted });
            }
        }
        Ok(())
    }
}

/// When the tracer was injected, as a user says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedAt {
    /// A time of day: the last one before the scan.
    TimeOfDay(NaiveTime),
    /// Date and time, taken as they are.
    DateTime(NaiveDateTime),
}

impl FromStr for InjectedAt {
    type Err = String;

    /// Reads `10:35`, `10:35:20`, `2000-09-07T10:35`, `2000-09-07 10:35:20` and the DICOM forms `103500`, `20000907103500`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let times = ["%H:%M:%S%.f", "%H:%M", "%H%M%S%.f"];
        if let Some(time) = times.iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
        {
            return Ok(Self::TimeOfDay(time));
        }
        let stamps = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%Y%m%d%H%M%S%.f",
        ];
        stamps
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(Self::DateTime)
            .ok_or_else(|| format!("{text:?} is no time such as 10:35 or 2000-09-07T10:35:00"))
    }
}

impl fmt::Display for InjectedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeOfDay(time) => write!(f, "{time}"),
            Self::DateTime(time) => write!(f, "{time}"),
        }
    }
}

/// How the values of one series become SUV, and why so.
#[derive(Debug, Clone, PartialEq)]
pub struct SuvPlan {
    /// What the factors lead to.
    pub kind: SuvKind,
    /// SUV per rescaled unit of the file, one for each slice: SUV = (stored·RescaleSlope + RescaleIntercept)·factor.
    pub factors: Vec<f64>,
    /// The clock to which the dose is decayed.
    pub clock: Clock,
    /// What `DecayFactor` (0054,1321) says about the clock.
    pub decay_factor: DecayFactorEvidence,
    /// Other readings of the same headers and how much they would change SUV.
    pub alternatives: Vec<Alternative>,
    /// The header values used, as read and as used.
    pub inputs: Vec<Input>,
    /// Whether a value was overridden by hand.
    pub edited: bool,
}

impl SuvPlan {
    /// The smallest factor of all slices.
    pub fn factor_min(&self) -> f64 {
        self.factors.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The largest factor of all slices.
    pub fn factor_max(&self) -> f64 {
        self.factors.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The clock of a SUV computation. Times are on the clock of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// By which rule the reference time was chosen.
    pub rule: ReferenceRule,
    /// The time to which the pixel values are corrected for decay; `None` where the file does not tell and SUV does not
    /// need it.
    pub reference_time: Option<NaiveDateTime>,
    /// The time of injection; `None` where the file does not tell and SUV does not need it.
    pub injection_time: Option<NaiveDateTime>,
    /// Minutes from injection to the reference time, or to the first acquisition where the images are corrected to the
    /// injection.
    pub uptake_minutes: Option<f64>,
    /// The choice in words.
    pub why: String,
}

/// Where the reference time comes from, in the order of preference for START.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceRule {
    /// `DecayCorrectionDateTime` (0018,9701) of an enhanced object.
    EnhancedDecayDateTime,
    /// GE scan date-time (0009,xx0D).
    GeScanDateTime,
    /// Siemens decay correction date-time (0071,xx22).
    SiemensDecayDateTime,
    /// `SeriesDate` and `SeriesTime` (0008,0021/0031).
    SeriesTime,
    /// Acquisition time, less the `FrameReferenceTime` (0054,1300) that belongs to it.
    BackComputed,
    /// The earliest acquisition time of all slices: a fallback.
    EarliestAcquisition,
    /// `DecayCorrection` NONE: each slice is corrected here, from its own acquisition time.
    FrameAcquisition,
    /// `DecayCorrection` ADMIN: the images are corrected to the injection; the dose does not decay.
    Administration,
    /// The file holds SUV; no clock is needed.
    AlreadySuv,
}

impl ReferenceRule {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EnhancedDecayDateTime => "enhanced_decay_date_time",
            Self::GeScanDateTime => "ge_scan_date_time",
            Self::SiemensDecayDateTime => "siemens_decay_date_time",
            Self::SeriesTime => "series_time",
            Self::BackComputed => "back_computed",
            Self::EarliestAcquisition => "earliest_acquisition",
            Self::FrameAcquisition => "frame_acquisition",
            Self::Administration => "administration",
            Self::AlreadySuv => "already_suv",
        }
    }
}

impl fmt::Display for ReferenceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In which form a vendor writes `DecayFactor`; λ decay constant, F `FrameReferenceTime`, T frame duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecayFactorForm {
    /// exp(λF)·λT/(1 − exp(−λT)): F is the start of the frame and the decay inside the frame is part of the factor.
    Ge,
    /// exp(λF): F is the average count time.
    Siemens,
    /// There is no factor, or it is 1 on every slice: no evidence.
    None,
    /// Neither form fits within 0.1 %.
    Unknown,
}

/// What `DecayFactor` (0054,1321) shows: evidence, never a gate and never multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct DecayFactorEvidence {
    /// The form that fits best.
    pub form: DecayFactorForm,
    /// The largest relative deviation of any slice from that form (of the nearest form where none fits).
    pub max_relative_deviation: Option<f64>,
}

/// Another reading of the same headers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alternative {
    /// The reading in words.
    pub description: String,
    /// By how many percent SUV would differ from the result.
    pub suv_difference_percent: f64,
}

/// One header value on its way into the factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Input {
    /// DICOM keyword.
    pub name: String,
    /// Tag, as `(gggg,eeee)`.
    pub tag: String,
    /// The value in the file; "missing" and the like where there is none.
    pub as_read: String,
    /// The value used, with its unit.
    pub used: String,
    /// Whether the value used was given by hand.
    pub edited: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_injection_are_read() {
        for (text, expected) in [
            ("10:35", "10:35:00"),
            ("10:35:20", "10:35:20"),
            ("103520.50", "10:35:20.500"),
            ("2000-09-07T10:35", "2000-09-07 10:35:00"),
            ("2000-09-07 10:35:01", "2000-09-07 10:35:01"),
            ("20000907103500.00", "2000-09-07 10:35:00"),
        ] {
            assert_eq!(text.parse::<InjectedAt>().unwrap().to_string(), expected);
        }
        for text in ["", "25:00", "10", "2000-09-07", "noon"] {
            assert!(text.parse::<InjectedAt>().is_err(), "{text}");
        }
    }
}
