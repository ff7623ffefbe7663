//! The document of `petct inspect`.

use schemars::JsonSchema;
use serde::Serialize;

use super::suv::{BodyMeanOrReason, body_mean_keys, body_mean_text, unknown_uptake};
use super::text::{self, Page};
use super::{Content, Error, PatientDocument, finite};
use crate::diagnostic::{Warned, Warning};
use crate::dicom::{self, Patient, Series, Study};
use crate::suv::{ReferenceRule, SuvKind, SuvPlan};

/// What there is under one or more paths.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct InspectDocument {
    /// One entry for each path given, in their order.
    pub scans: Vec<ScanEntry>,
    /// The studies of all paths.
    pub studies: Vec<StudyEntry>,
    /// What was noticed on files, on the choice and on the SUV of the chosen series.
    pub warnings: Vec<Warning>,
}

/// What the other commands would use of one path.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ScanEntry {
    /// The path.
    pub path: String,
    /// The series to be used; `null` where no PET can be chosen.
    pub selected: Option<Selected>,
    /// Why none can be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_reason: Option<Error>,
    /// The other PET and CT series.
    pub set_aside: Vec<SetAside>,
}

/// The series to be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Selected {
    /// `SeriesInstanceUID` of the PET.
    pub pet: String,
    /// `SeriesInstanceUID` of its CT; `null` where there is none.
    pub ct: Option<String>,
    /// Why there is no CT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ct_reason: Option<String>,
}

/// A series that is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetAside {
    /// `SeriesInstanceUID` (0020,000E).
    pub series_uid: String,
    /// `SeriesDescription` (0008,103E).
    pub description: String,
    /// Why.
    pub reason: String,
}

/// One study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StudyEntry {
    /// Position in `scans` of the path it was found under.
    pub scan: usize,
    /// `StudyInstanceUID` (0020,000D).
    pub study_uid: String,
    /// `StudyDate` (0008,0020); `null` where the header has none.
    pub study_date: Option<String>,
    /// `StudyDescription` (0008,1030).
    pub description: String,
    /// Who was examined; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientDocument>,
    /// The series, by number and identifier.
    pub series: Vec<SeriesEntry>,
}

/// One series.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SeriesEntry {
    /// `SeriesInstanceUID` (0020,000E).
    pub series_uid: String,
    /// Modality (0008,0060).
    pub modality: String,
    /// `SeriesDescription` (0008,103E).
    pub description: String,
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// Number of slices.
    pub slices: usize,
    /// Voxels along slice, row and column; `null` where the slices make no volume, see `reasons`.
    pub shape: Option<[usize; 3]>,
    /// Their distance, millimetres.
    pub spacing_mm: Option<[f64; 3]>,
    /// Whether the series can be used as a PET or CT volume.
    pub usable: bool,
    /// Why not, one sentence each.
    pub reasons: Vec<String>,
    /// Of a PET: whether SUV can be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suv: Option<SuvOutlook>,
}

/// Whether and how SUV can be computed, from headers alone.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SuvOutlook {
    /// Whether it can.
    pub computable: bool,
    /// Kind of SUV: bw, lbm, lbm-james, bsa, ibw.
    pub kind: &'static str,
    /// Smallest factor of all slices: SUV per rescaled unit of the file.
    pub factor_min: Option<f64>,
    /// Largest factor of all slices.
    pub factor_max: Option<f64>,
    /// Why there is no factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor_reason: Option<Error>,
    /// By which rule the clock was chosen; `null` where there is no factor.
    pub clock: Option<ReferenceRule>,
    /// Minutes from injection to the reference time.
    pub uptake_minutes: Option<f64>,
    /// Why they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptake_minutes_reason: Option<String>,
    /// Mean SUVbw inside the body: about 1 where the scale is right. Needs the pixels, so only where they were asked for.
    pub body_mean: Option<f64>,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_mean_reason: Option<String>,
    /// Whether a value was given by hand.
    pub edited: bool,
    /// What looks wrong.
    pub warnings: Vec<Warning>,
}

impl ScanEntry {
    /// The entry of a path with a choice.
    pub fn new(path: String, selected: Selected, set_aside: &[dicom::SetAside]) -> Self {
        let set_aside = set_aside.iter().map(|other| SetAside {
            series_uid: other.series_uid.clone(),
            description: other.description.clone(),
            reason: other.reason.clone(),
        });
        Self {
            path,
            selected: Some(selected),
            selected_reason: None,
            set_aside: set_aside.collect(),
        }
    }

    /// The entry of a path without a PET to be used.
    pub fn without(path: String, reason: Error) -> Self {
        Self { path, selected: None, selected_reason: Some(reason), set_aside: Vec::new() }
    }
}

impl StudyEntry {
    /// The entry of a study under the path with number `scan`; `patient` where identifiers are to be shown.
    pub fn new(
        scan: usize,
        study: &Study,
        series: Vec<SeriesEntry>,
        patient: Option<&Patient>,
    ) -> Self {
        Self {
            scan,
            study_uid: study.study_instance_uid.clone(),
            study_date: study.study_date.value().map(ToString::to_string),
            description: study.study_description.clone(),
            patient: patient.map(Into::into),
            series,
        }
    }
}

impl SeriesEntry {
    /// The entry of a series; `suv` for a PET.
    pub fn new(series: &Series, suv: Option<SuvOutlook>) -> Self {
        let geometry = series.geometry.as_ref().ok();
        Self {
            series_uid: series.series_instance_uid.clone(),
            modality: series.modality.clone(),
            description: series.description.clone(),
            manufacturer: series.manufacturer.clone(),
            slices: series.slices,
            shape: geometry.map(crate::geometry::VolumeGeometry::shape),
            spacing_mm: geometry.map(crate::geometry::VolumeGeometry::spacing_mm),
            usable: series.usable,
            reasons: series.reasons.clone(),
            suv,
        }
    }
}

impl SuvOutlook {
    /// SUV can be computed.
    pub fn computable(plan: Warned<SuvPlan>, body_mean: &BodyMeanOrReason) -> Self {
        let Warned { output: plan, warnings } = plan;
        let (body_mean, body_mean_reason) = body_mean_keys(body_mean);
        let uptake_minutes = plan.clock.uptake_minutes.and_then(finite);
        Self {
            computable: true,
            kind: plan.kind.as_str(),
            factor_min: finite(plan.factor_min()),
            factor_max: finite(plan.factor_max()),
            factor_reason: None,
            clock: Some(plan.clock.rule),
            uptake_minutes,
            uptake_minutes_reason: uptake_minutes
                .is_none()
                .then(|| unknown_uptake(&plan.clock, &warnings)),
            body_mean,
            body_mean_reason,
            edited: plan.edited,
            warnings,
        }
    }

    /// SUV cannot be computed.
    pub fn refused(kind: SuvKind, reason: Error) -> Self {
        Self {
            computable: false,
            kind: kind.as_str(),
            factor_min: None,
            factor_max: None,
            uptake_minutes_reason: Some("there is no plan of SUV".into()),
            factor_reason: Some(reason),
            clock: None,
            uptake_minutes: None,
            body_mean: None,
            body_mean_reason: Some("there is no plan of SUV".into()),
            edited: false,
            warnings: Vec::new(),
        }
    }

    fn text(&self) -> String {
        if let Some(reason) = &self.factor_reason {
            return format!("not computable: {}", reason.message);
        }
        let factor = self.factor_min.map(text::factor).unwrap_or_default();
        let clock = self.clock.map(ReferenceRule::as_str).unwrap_or_default();
        let uptake = text::number(self.uptake_minutes, 1);
        let edited = if self.edited { ", values given by hand" } else { "" };
        format!("{}, factor {factor}, clock {clock}, uptake {uptake} min{edited}", self.kind)
    }
}

impl Content for InspectDocument {
    const NAME: &'static str = "petct-inspect";
    const VERSION: u32 = 1;

    fn text(&self, verbose: bool) -> String {
        let mut page = Page::default();
        for study in &self.studies {
            let date = study.study_date.as_deref().unwrap_or("without a date");
            page.line(&format!("study {} ({date}) {}", study.study_uid, study.description));
            page.patient(study.patient.as_ref());
            for series in &study.series {
                page.gap();
                series.write(&mut page, verbose);
            }
            page.gap();
        }
        for scan in &self.scans {
            scan.write(&mut page);
            page.gap();
        }
        page.warnings(&self.warnings);
        page.finish()
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl SeriesEntry {
    fn write(&self, page: &mut Page, verbose: bool) {
        let usable = if self.usable { "usable" } else { "not usable" };
        page.line(&format!("  {} {} ({usable})", self.modality, self.description));
        let mut entries = vec![
            ("    series", self.series_uid.clone()),
            ("    scanner", self.manufacturer.clone()),
        ];
        if self.shape.is_some() {
            entries.push(("    voxels", text::shape(self.shape)));
            entries.push(("    spacing (mm)", text::spacing(self.spacing_mm)));
        } else {
            entries.push(("    slices", self.slices.to_string()));
        }
        entries.extend(self.reasons.iter().map(|reason| ("    reason", reason.clone())));
        if let Some(suv) = &self.suv {
            entries.push(("    SUV", suv.text()));
            if suv.body_mean.is_some() || verbose {
                let text = body_mean_text(suv.body_mean, suv.body_mean_reason.as_deref());
                entries.push(("    mean in the body", text));
            }
            if verbose {
                entries.extend(suv.warnings.iter().map(|w| ("    warning", w.message.clone())));
            }
        }
        page.values(&entries);
    }
}

impl ScanEntry {
    fn write(&self, page: &mut Page) {
        page.line(&format!("{}: what the other commands would use", self.path));
        let mut entries = Vec::new();
        if let Some(selected) = &self.selected {
            let none = || format!("none: {}", selected.ct_reason.as_deref().unwrap_or_default());
            entries.push(("  PET", selected.pet.clone()));
            entries.push(("  CT", selected.ct.clone().unwrap_or_else(none)));
        }
        if let Some(reason) = &self.selected_reason {
            entries.push(("  PET", format!("none: {}", reason.message)));
        }
        for other in &self.set_aside {
            let text = format!("{} {}: {}", other.series_uid, other.description, other.reason);
            entries.push(("  set aside", text));
        }
        page.values(&entries);
    }
}
