//! The document of `petct suv`.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::text::{self, Align, Page};
use super::{Content, PatientDocument, finite, time_text};
use crate::diagnostic::Warning;
use crate::dicom::{Patient, Series};
use crate::statistics::Summary;
use crate::suv::{
    Alternative, Clock, DecayFactorEvidence, DecayFactorForm, Input, ReferenceRule, SuvPlan,
};

/// SUV of one PET series and how it came about.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SuvDocument {
    /// Who was examined; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientDocument>,
    /// The series.
    pub series: SeriesHead,
    /// Factor and statistics.
    pub suv: SuvNumbers,
    /// The clock to which the dose was decayed.
    pub clock: ClockDocument,
    /// What `DecayFactor` (0054,1321) says of the clock.
    pub decay_factor: DecayFactorDocument,
    /// The header values used.
    pub inputs: Vec<Input>,
    /// Other readings of the same headers.
    pub alternatives: Vec<Alternative>,
    /// Whether a value was given by hand.
    pub edited: bool,
    /// The file written; `null` where none was asked for.
    pub file: Option<String>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// A PET series.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeriesHead {
    /// `SeriesInstanceUID` (0020,000E).
    pub series_uid: String,
    /// `SeriesDescription` (0008,103E).
    pub description: String,
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// `ManufacturerModelName` (0008,1090).
    pub model: String,
    /// Units (0054,1001); `null` where the header has none.
    pub units: Option<String>,
    /// Voxels along slice, row and column.
    pub shape: Option<[usize; 3]>,
    /// Their distance, millimetres.
    pub spacing_mm: Option<[f64; 3]>,
}

impl From<&Series> for SeriesHead {
    fn from(series: &Series) -> Self {
        let geometry = series.geometry.as_ref().ok();
        Self {
            series_uid: series.series_instance_uid.clone(),
            description: series.description.clone(),
            manufacturer: series.manufacturer.clone(),
            model: series.model.clone(),
            units: series.acquisition.as_ref().and_then(|a| a.units.value().cloned()),
            shape: geometry.map(crate::geometry::VolumeGeometry::shape),
            spacing_mm: geometry.map(crate::geometry::VolumeGeometry::spacing_mm),
        }
    }
}

/// Factor and statistics over the whole volume, unclipped.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SuvNumbers {
    /// Kind of SUV: bw, lbm, lbm-james, bsa, ibw.
    pub kind: &'static str,
    /// Unit of the values.
    pub unit: &'static str,
    /// Smallest factor of all slices: SUV per rescaled unit of the file.
    pub factor_min: f64,
    /// Largest factor of all slices.
    pub factor_max: f64,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Why one of them is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics_reason: Option<String>,
    /// Mean SUVbw inside the body: about 1 where the scale is right.
    pub body_mean: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_mean_reason: Option<String>,
}

/// The mean SUVbw inside the body, or why it is not known.
pub type BodyMeanOrReason = Result<f64, String>;

/// The two keys of a mean SUVbw.
pub(super) fn body_mean_keys(found: &BodyMeanOrReason) -> (Option<f64>, Option<String>) {
    let value = found.as_ref().ok().copied().and_then(finite);
    let reason = found.as_ref().err().cloned();
    let reason = reason.or_else(|| value.is_none().then(|| "it is no number".to_owned()));
    (value, reason)
}

impl SuvNumbers {
    /// The numbers of a plan and of its volume.
    pub fn new(plan: &SuvPlan, numbers: Summary, body_mean: &BodyMeanOrReason) -> Self {
        let [min, max, mean] = [numbers.min, numbers.max, numbers.mean].map(finite);
        let known = min.is_some() && max.is_some() && mean.is_some();
        let reason = "the volume holds values that are no numbers";
        let (body_mean, body_mean_reason) = body_mean_keys(body_mean);
        Self {
            kind: plan.kind.as_str(),
            unit: plan.kind.unit(),
            factor_min: plan.factor_min(),
            factor_max: plan.factor_max(),
            min,
            max,
            mean,
            statistics_reason: (!known).then(|| reason.to_owned()),
            body_mean,
            body_mean_reason,
        }
    }
}

/// The clock of a SUV computation; times are on the clock of the file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ClockDocument {
    /// By which rule the reference time was chosen.
    pub rule: ReferenceRule,
    /// The time to which the pixels are corrected for decay.
    pub reference_time: Option<String>,
    /// The time of injection.
    pub injection_time: Option<String>,
    /// Minutes from injection to reference time (to the first acquisition where the pixels are corrected to injection).
    pub uptake_minutes: Option<f64>,
    /// Why one of them is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptake_minutes_reason: Option<String>,
    /// The choice in words.
    pub why: String,
}

impl ClockDocument {
    /// The clock of a plan; `warnings` are those of the plan.
    pub fn new(clock: &Clock, warnings: &[Warning]) -> Self {
        let known = clock.reference_time.is_some()
            && clock.injection_time.is_some()
            && clock.uptake_minutes.is_some();
        Self {
            rule: clock.rule,
            reference_time: clock.reference_time.map(time_text),
            injection_time: clock.injection_time.map(time_text),
            uptake_minutes: clock.uptake_minutes.and_then(finite),
            uptake_minutes_reason: (!known).then(|| unknown_uptake(clock, warnings)),
            why: clock.why.clone(),
        }
    }
}

/// Why the uptake time of a plan is not known.
pub(super) fn unknown_uptake(clock: &Clock, warnings: &[Warning]) -> String {
    let told = warnings.iter().find(|warning| warning.code == "UPTAKE_UNKNOWN");
    told.map_or_else(|| clock.why.clone(), |warning| warning.message.clone())
}

/// What `DecayFactor` (0054,1321) shows.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DecayFactorDocument {
    /// The form that fits best.
    pub form: DecayFactorForm,
    /// The largest relative deviation of any slice from it.
    pub max_relative_deviation: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_relative_deviation_reason: Option<String>,
}

impl From<DecayFactorEvidence> for DecayFactorDocument {
    fn from(evidence: DecayFactorEvidence) -> Self {
        let deviation = evidence.max_relative_deviation.and_then(finite);
        let reason = match evidence.form {
            DecayFactorForm::None => {
                "DecayFactor (0054,1321) is missing, 1 on every slice, or not needed"
            }
            DecayFactorForm::Ge | DecayFactorForm::Siemens | DecayFactorForm::Unknown => {
                "no slice has DecayFactor (0054,1321) and FrameReferenceTime (0054,1300)"
            }
        };
        Self {
            form: evidence.form,
            max_relative_deviation: deviation,
            max_relative_deviation_reason: deviation.is_none().then(|| reason.to_owned()),
        }
    }
}

impl SuvDocument {
    /// The document of a series, its plan, its statistics and all warnings.
    pub fn new(
        series: &Series,
        plan: &SuvPlan,
        numbers: Summary,
        body_mean: &BodyMeanOrReason,
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            patient: None,
            series: series.into(),
            suv: SuvNumbers::new(plan, numbers, body_mean),
            clock: ClockDocument::new(&plan.clock, &warnings),
            decay_factor: plan.decay_factor.into(),
            inputs: plan.inputs.clone(),
            alternatives: plan
                .alternatives
                .iter()
                .filter(|other| other.suv_difference_percent.is_finite())
                .cloned()
                .collect(),
            edited: plan.edited,
            file: None,
            warnings,
        }
    }

    /// Names the patient.
    #[must_use]
    pub fn with_patient(self, patient: Option<&Patient>) -> Self {
        Self { patient: patient.map(Into::into), ..self }
    }

    /// Names the file written.
    #[must_use]
    pub fn with_file(self, file: Option<&Path>) -> Self {
        Self { file: file.map(|file| file.display().to_string()), ..self }
    }
}

impl Content for SuvDocument {
    const NAME: &'static str = "petct-suv";
    const VERSION: u32 = 1;

    fn text(&self, verbose: bool) -> String {
        let mut page = Page::default();
        page.patient(self.patient.as_ref());
        page.values(&[
            ("series", self.series.series_uid.clone()),
            ("description", self.series.description.clone()),
            ("scanner", format!("{} {}", self.series.manufacturer, self.series.model)),
            ("voxels", text::shape(self.series.shape)),
            ("spacing (mm)", text::spacing(self.series.spacing_mm)),
        ]);
        page.gap();
        let mut lines = suv_lines(&self.suv, self.series.units.as_deref(), self.edited);
        lines.push(("written", self.file.clone().unwrap_or_default()));
        page.values(&lines);
        page.gap();
        page.values(&clock_lines(&self.clock, &self.decay_factor));
        page.gap();
        let input = |input: &Input| {
            let edited = if input.edited { "by hand" } else { "" };
            let name = format!("{} {}", input.name, input.tag);
            vec![name, input.as_read.clone(), input.used.clone(), edited.to_owned()]
        };
        let headings = ["header value", "as read", "used", ""].map(|name| (name, Align::Left));
        page.table(&headings, &self.inputs.iter().map(input).collect::<Vec<_>>());
        if verbose || self.alternatives.iter().any(|a| a.suv_difference_percent.abs() >= 1.0) {
            page.gap();
            for other in &self.alternatives {
                let percent = other.suv_difference_percent;
                page.line(&format!("another reading: {percent:+.2} % SUV, {}", other.description));
            }
        }
        page.warnings(&self.warnings);
        page.finish()
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// The mean inside the body for a reader.
pub(super) fn body_mean_text(value: Option<f64>, reason: Option<&str>) -> String {
    let reason = || format!("not known: {}", reason.unwrap_or_default());
    value.map_or_else(reason, |mean| format!("{mean:.2} (SUVbw; evenly spread tracer has 1)"))
}

/// Kind, factor and statistics of SUV, line by line.
pub(super) fn suv_lines(
    suv: &SuvNumbers,
    units: Option<&str>,
    edited: bool,
) -> Vec<(&'static str, String)> {
    let (low, high) = (text::factor(suv.factor_min), text::factor(suv.factor_max));
    let factor = if low == high { low } else { format!("{low} to {high}") };
    let units = units.unwrap_or("unit");
    let edited = if edited { ", values given by hand" } else { "" };
    let [min, mean, max] = [suv.min, suv.mean, suv.max].map(|v| text::number(v, 4));
    vec![
        ("SUV", format!("{} ({}){edited}", suv.kind, suv.unit)),
        ("factor", format!("{factor} SUV per {units}")),
        ("min, mean, max", format!("{min}, {mean}, {max}")),
        ("", suv.statistics_reason.clone().unwrap_or_default()),
        ("mean in the body", body_mean_text(suv.body_mean, suv.body_mean_reason.as_deref())),
    ]
}

/// The clock of a SUV computation, line by line.
pub(super) fn clock_lines(
    clock: &ClockDocument,
    decay_factor: &DecayFactorDocument,
) -> [(&'static str, String); 6] {
    let or_dash = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".into());
    let form = match decay_factor.form {
        DecayFactorForm::Ge => "GE form",
        DecayFactorForm::Siemens => "Siemens form",
        DecayFactorForm::None => "no evidence",
        DecayFactorForm::Unknown => "unknown form",
    };
    let deviation = decay_factor.max_relative_deviation;
    let deviation = deviation.map(|d| format!(", largest deviation {:.4} %", 100.0 * d));
    [
        ("reference time", format!("{} ({})", or_dash(&clock.reference_time), clock.rule)),
        ("injection", or_dash(&clock.injection_time)),
        ("uptake (min)", text::number(clock.uptake_minutes, 1)),
        ("", clock.uptake_minutes_reason.clone().unwrap_or_default()),
        ("why", clock.why.clone()),
        ("DecayFactor", format!("{form}{}", deviation.unwrap_or_default())),
    ]
}
