//! From activity concentration to standardised uptake value: one plan a series, computed from headers alone.
//!
//! SUV = C·M/D, with C the activity concentration (Bq/ml), D the dose (Bq) at the time to which C is corrected for decay,
//! and M the body measure (g; cm² for SUVbsa):
//!
//! | `DecayCorrection` | D | |
//! |---|---|---|
//! | START | dose·2^(−(reference − injection)/T½) | one reference time for the series |
//! | ADMIN | dose | C is corrected to the injection |
//! | NONE | dose·2^(−(acquisition − injection)/T½)·(1 − exp(−λt))/λt | each slice by itself, t its frame duration |
//!
//! [`plan()`] turns the facts of [`PetAcquisition`] into one factor a slice, together with the clock it rests on, the values
//! it used, and what other readings of the same headers would give. A quantity that is missing is a [`Refusal`], never a
//! default. `docs/suv-codes.md` lists the codes of refusals and warnings and tells why a missed hour is a factor of 1.46.
//!
//! Source: DICOM PS3.3 C.8.9.1 and C.8.9.2; QIBA FDG-PET/CT profile; IBSI SUV manual (2026).

mod body;
mod decay;
mod error;
mod evidence;
mod factors;
mod injection;
mod inputs;
mod nuclide;
mod plan;
mod reference_time;
mod stored;
mod times;
mod worksheet;

use std::fmt;
use std::str::FromStr;

use crate::acquisition::PetAcquisition;
use crate::diagnostic::Warned;
use crate::volume::Volume;

pub use decay::Decay;
pub use error::{Refusal, SuvError};
pub use plan::{
    Alternative, Clock, DecayFactorEvidence, DecayFactorForm, InjectedAt, Input, Overrides,
    ReferenceRule, SuvPlan,
};
use worksheet::Worksheet;

/// Which body measure the uptake is standardised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuvKind {
    /// SUVbw: body weight, g/ml.
    BodyWeight,
    /// SUL: lean body mass after Janmahasatian 2005, g/ml.
    LeanBodyMass,
    /// SUL: lean body mass after James 1976 with the coefficient 128, g/ml.
    LeanBodyMassJames,
    /// SUVbsa: body surface area after Du Bois 1916, cm2/ml.
    BodySurfaceArea,
    /// SUVibw: ideal body weight, g/ml.
    IdealBodyWeight,
}

impl SuvKind {
    /// Every kind, in the order of `--suv`.
    pub const ALL: [Self; 5] = [
        Self::BodyWeight,
        Self::LeanBodyMass,
        Self::LeanBodyMassJames,
        Self::BodySurfaceArea,
        Self::IdealBodyWeight,
    ];

    /// The name on the command line and in JSON: `bw`, `lbm`, `lbm-james`, `bsa`, `ibw`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BodyWeight => "bw",
            Self::LeanBodyMass => "lbm",
            Self::LeanBodyMassJames => "lbm-james",
            Self::BodySurfaceArea => "bsa",
            Self::IdealBodyWeight => "ibw",
        }
    }

    /// The unit of the values.
    pub fn unit(self) -> &'static str {
        match self {
            Self::BodySurfaceArea => "cm2/ml",
            Self::BodyWeight
            | Self::LeanBodyMass
            | Self::LeanBodyMassJames
            | Self::IdealBodyWeight => "g/ml",
        }
    }
}

impl FromStr for SuvKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is none of bw, lbm, lbm-james, bsa, ibw"))
    }
}

impl fmt::Display for SuvKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyWeight => "SUVbw",
            Self::LeanBodyMass => "SUL (Janmahasatian)",
            Self::LeanBodyMassJames => "SUL (James 128)",
            Self::BodySurfaceArea => "SUVbsa",
            Self::IdealBodyWeight => "SUVibw",
        })
    }
}

/// A volume of SUV with the kind of SUV it holds; volumes of two kinds are never compared.
#[derive(Debug, Clone, PartialEq)]
pub struct SuvImage {
    /// What the values are.
    pub kind: SuvKind,
    /// The values.
    pub volume: Volume<f32>,
}

/// Works out how the values of a series become SUV of the requested kind.
///
/// ```
/// use petct::acquisition::{Attribute::Value, PetAcquisition, PetSlice, Radiopharmaceutical};
/// use petct::suv::{Overrides, SuvKind, plan};
///
/// let injection = Radiopharmaceutical {
///     total_dose: Value(370e6),
///     half_life_secs: Value(6586.2),
///     start_time: Value("10:00:00".parse()?),
///     ..Default::default()
/// };
/// let acquisition = PetAcquisition {
///     units: Value("BQML".into()),
///     decay_correction: Value("START".into()),
///     corrected_image: vec!["ATTN".into(), "DECY".into()],
///     patient_weight: Value(70.0),
///     series_date: Value("2025-01-01".parse()?),
///     series_time: Value("11:00:00".parse()?),
///     slices: vec![PetSlice { rescale_slope: 1.0, ..Default::default() }],
///     radiopharmaceuticals: vec![injection],
///     ..Default::default()
/// };
/// let plan = plan(&acquisition, SuvKind::BodyWeight, &Overrides::default())?.output;
/// assert!((5000.0 * plan.factors[0] - 1.381683).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Refuses with a code, a sentence and a remedy where the headers do not determine SUV; [`Refusal`] lists the cases.
pub fn plan(
    acquisition: &PetAcquisition,
    kind: SuvKind,
    overrides: &Overrides,
) -> Result<Warned<SuvPlan>, SuvError> {
    let mut sheet = Worksheet::new(acquisition, overrides);
    let found = overrides
        .check()
        .and_then(|()| sheet.factors(kind))
        .map_err(|refusal| SuvError { series: acquisition.series_uid.clone(), refusal })?;
    let plan = SuvPlan {
        kind,
        factors: found.per_slice,
        clock: found.clock,
        decay_factor: found.evidence,
        alternatives: sheet.alternatives,
        inputs: sheet.inputs,
        edited: overrides.any(),
    };
    Ok(Warned { output: plan, warnings: sheet.warnings })
}

/// Body surface after Du Bois 1916 from weight and height, square metres: what SDmax is standardised by.
///
/// # Errors
/// Weight or height is missing or implausible.
pub fn body_surface_m2(
    acquisition: &PetAcquisition,
    overrides: &Overrides,
) -> Result<f64, SuvError> {
    let mut sheet = Worksheet::new(acquisition, overrides);
    let surface_cm2 = overrides.check().and_then(|()| {
        let weight_kg = sheet.weight_kg()?;
        sheet.normaliser(SuvKind::BodySurfaceArea, weight_kg)
    });
    surface_cm2
        .map(|cm2| cm2 / 1e4)
        .map_err(|refusal| SuvError { series: acquisition.series_uid.clone(), refusal })
}

/// What the headers and the overrides say of the patient's weight and the injection, whatever SUV needs of it: for the
/// comparison of two scans.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InjectionFacts {
    /// Body weight, kilograms; `None` where SUV would be refused for it.
    pub weight_kg: Option<f64>,
    /// Activity at the time of injection, becquerels; `None` where SUV would be refused for it.
    pub dose_bq: Option<f64>,
    /// Radiopharmaceutical, as written; may be empty.
    pub tracer: String,
    /// Radionuclide, as written; may be empty.
    pub nuclide: String,
}

/// Reads weight and injection by the rules of [`plan()`]; its warnings are those of the plan.
pub fn injection_facts(acquisition: &PetAcquisition, overrides: &Overrides) -> InjectionFacts {
    let mut sheet = Worksheet::new(acquisition, overrides);
    let weight_kg = sheet.weight_kg().ok();
    let Ok(item) = sheet.radiopharmaceutical() else {
        return InjectionFacts { weight_kg, ..Default::default() };
    };
    InjectionFacts {
        weight_kg,
        dose_bq: sheet.dose_bq(item).ok(),
        tracer: item.name.clone(),
        nuclide: item.nuclide.clone(),
    }
}
