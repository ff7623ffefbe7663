//! What a rescaled value of the file is: the units, and whether the corrections that SUV needs have been made.
//!
//! Source: PS3.3 C.8.9.1 (Units, `SUVType`, `CorrectedImage`, `DecayCorrection`), IBSI SUV manual (2026).

use super::Refusal;
use super::body::BodyMeasure;
use super::worksheet::Worksheet;
use crate::acquisition::{Attribute, PetAcquisition};

const UNITS: (&str, &str) = ("Units", "(0054,1001)");
const SUV_TYPE: (&str, &str) = ("SUVType", "(0054,1006)");
const DECAY_CORRECTION: (&str, &str) = ("DecayCorrection", "(0054,1102)");
const CORRECTED_IMAGE: (&str, &str) = ("CorrectedImage", "(0028,0051)");
const PHILIPS_SUV: (&str, &str) = ("Philips SUV scale factor", "(7053,xx00)");
const PHILIPS_ACTIVITY: (&str, &str) =
    ("Philips activity concentration scale factor", "(7053,xx09)");

/// `DecayCorrection` (0054,1102).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecayCorrection {
    Start,
    Admin,
    None,
}

/// What a rescaled value of the file is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stored {
    /// Activity concentration: Bq/ml per unit.
    Activity(f64),
    /// SUV per unit, standardised by a body measure; with the Bq/ml per unit where the file has that too.
    Suv { per_unit: f64, measure: BodyMeasure, becquerels_per_ml: Option<f64> },
}

impl Worksheet<'_> {
    /// Refuses slices that cannot be scaled.
    pub(super) fn check_slices(&self) -> Result<(), Refusal> {
        let slices = &self.acquisition.slices;
        if slices.is_empty() {
            return Err(Refusal::NoSlices);
        }
        for (slice, facts) in slices.iter().enumerate() {
            let (slope, intercept) = (facts.rescale_slope, facts.rescale_intercept);
            if !(slope.is_finite() && slope > 0.0) {
                return Err(Refusal::BadRescaleSlope { slice, value: slope });
            }
            // PS3.3 C.8.9.4.1.4: "Rescale Intercept … shall be zero" for PET.
            if intercept != 0.0 {
                return Err(Refusal::NonzeroIntercept { slice, value: intercept });
            }
        }
        Ok(())
    }

    /// The decay correction, checked against `CorrectedImage`.
    pub(super) fn corrections(&mut self) -> Result<DecayCorrection, Refusal> {
        let read = &self.acquisition.decay_correction;
        let value = match read.value() {
            Some(value) => normal(value),
            // An enhanced object says when instead of what.
            None if self.acquisition.enhanced_decay_datetime.value().is_some() => {
                "START".to_owned()
            }
            None => {
                return Err(Refusal::MissingDecayCorrection {
                    fault: read.fault().unwrap_or_default(),
                });
            }
        };
        let correction = match value.as_str() {
            "START" => DecayCorrection::Start,
            "ADMIN" => DecayCorrection::Admin,
            "NONE" => DecayCorrection::None,
            _ => return Err(Refusal::UnknownDecayCorrection { value }),
        };
        if !corrected(self.acquisition, &["ATTN"]) {
            return Err(Refusal::NotAttenuationCorrected);
        }
        // DECY is the defined term; the QIBA text and some writers have DECAY.
        let decayed = corrected(self.acquisition, &["DECY", "DECAY"]);
        match (correction, decayed) {
            (DecayCorrection::None, true) => self.warn(
                "DECAY_FLAGS_DISAGREE",
                "DecayCorrection (0054,1102) is NONE while CorrectedImage (0028,0051) has DECY: NONE is believed",
            ),
            (DecayCorrection::None, false) | (_, true) => {}
            (_, false) => return Err(Refusal::NotDecayCorrected { correction: value }),
        }
        self.note(DECAY_CORRECTION, read, value, false);
        let flags = Attribute::Value(self.acquisition.corrected_image.join("\\"));
        let needed = if decayed { "ATTN, DECY" } else { "ATTN" };
        self.note(CORRECTED_IMAGE, &flags, needed, false);
        Ok(correction)
    }

    /// What the values are, from the units.
    pub(super) fn stored(&mut self) -> Result<Stored, Refusal> {
        let read = &self.acquisition.units;
        let Some(units) = read.value().map(|units| normal(units)) else {
            return Err(Refusal::MissingUnits { fault: read.fault().unwrap_or_default() });
        };
        self.note(UNITS, read, units.clone(), false);
        match units.as_str() {
            "BQML" => Ok(Stored::Activity(1.0)),
            "GML" | "CM2ML" => self.stored_suv(&units),
            "CNTS" => self.philips(),
            "CPS" => self.counts_per_second(),
            _ => Err(Refusal::UnsupportedUnits { units }),
        }
    }

    /// SUV in the file: its type, which by the standard is BW in g/ml where absent.
    fn stored_suv(&mut self, units: &str) -> Result<Stored, Refusal> {
        let read = &self.acquisition.suv_type;
        let suv_type = match read {
            Attribute::Value(suv_type) => normal(suv_type),
            Attribute::Unreadable(text) => text.clone(),
            Attribute::Absent | Attribute::Empty if units == "GML" => "BW".to_owned(),
            Attribute::Absent | Attribute::Empty => "BSA".to_owned(),
        };
        let measure = match (units, suv_type.as_str()) {
            ("GML", "BW") => BodyMeasure::Weight,
            ("GML", "LBM") => BodyMeasure::LeanJames120,
            ("GML", "LBMJAMES128") => BodyMeasure::LeanJames128,
            ("GML", "LBMJANMA") => BodyMeasure::LeanJanmahasatian,
            ("GML", "IBW") => BodyMeasure::Ideal,
            ("CM2ML", "BSA") => BodyMeasure::SurfaceArea,
            _ => return Err(Refusal::UnsupportedSuvType { suv_type, units: units.to_owned() }),
        };
        self.note(SUV_TYPE, read, suv_type, false);
        Ok(Stored::Suv { per_unit: 1.0, measure, becquerels_per_ml: None })
    }

    /// Philips counts: one private factor leads to SUV, another to Bq/ml; 0 means "not available".
    fn philips(&mut self) -> Result<Stored, Refusal> {
        let usable = |read: &Attribute<f64>| {
            read.value().copied().filter(|factor| factor.is_finite() && *factor > 0.0)
        };
        let (suv, activity) =
            (&self.acquisition.philips_suv_factor, &self.acquisition.philips_activity_factor);
        let stored = match (usable(suv), usable(activity)) {
            (Some(per_unit), becquerels_per_ml) => {
                Stored::Suv { per_unit, measure: BodyMeasure::Weight, becquerels_per_ml }
            }
            (None, Some(per_unit)) => Stored::Activity(per_unit),
            (None, None) => return Err(Refusal::NoPhilipsScale),
        };
        let used = |read: &Attribute<f64>| {
            usable(read).map_or("not available".to_owned(), |factor| factor.to_string())
        };
        self.note(PHILIPS_SUV, suv, used(suv), false);
        self.note(PHILIPS_ACTIVITY, activity, used(activity), false);
        Ok(stored)
    }

    /// Calibrated counts per second of a voxel are becquerels of that voxel.
    fn counts_per_second(&mut self) -> Result<Stored, Refusal> {
        if !corrected(self.acquisition, &["DCAL"]) {
            return Err(Refusal::CountsNotCalibrated);
        }
        let millilitres = self.acquisition.voxel_ml;
        if !(millilitres.is_finite() && millilitres > 0.0) {
            return Err(Refusal::BadVoxelVolume { millilitres });
        }
        Ok(Stored::Activity(1.0 / millilitres))
    }
}

/// Whether `CorrectedImage` (0028,0051) has one of the terms.
fn corrected(acquisition: &PetAcquisition, terms: &[&str]) -> bool {
    acquisition.corrected_image.iter().any(|found| terms.contains(&normal(found).as_str()))
}

/// A code string without its padding.
fn normal(text: &str) -> String {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_ascii_uppercase()
}
