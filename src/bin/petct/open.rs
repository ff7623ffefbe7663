//! From a path to an SUV image: scan, select, plan, load.

use chrono::NaiveDateTime;
use petct::anatomy;
use petct::diagnostic::{Warned, Warning};
use petct::dicom::{self, Series, SetAside, Study};
use petct::quality::ScanFacts;
use petct::report::suv::BodyMeanOrReason;
use petct::suv::{self, SuvImage, SuvKind, SuvPlan};
use petct::volume::Volume;

use crate::args::ScanOptions;
use crate::failure::Failure;

/// Whether a command needs the CT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ct {
    /// It is loaded where there is one, as it came: for pictures.
    Load,
    /// The same, reduced to the resolution at which it is looked at: for numbers alone.
    Reduced,
    /// It is not asked for, and its absence is no news.
    Leave,
}

/// A scan with its PET as SUV.
#[derive(Debug)]
pub(crate) struct OpenScan {
    /// What is known of it besides the voxels.
    pub(crate) about: About,
    /// The PET in SUV.
    pub(crate) suv: SuvImage,
    /// The CT in Hounsfield units, where it was asked for and is there.
    pub(crate) ct: Option<Volume<i16>>,
}

/// What is known of a scan besides its voxels.
#[derive(Debug)]
pub(crate) struct About {
    /// The study of the PET.
    pub(crate) study: Study,
    /// The PET.
    pub(crate) pet: Series,
    /// Its CT, where there is one.
    pub(crate) ct_series: Option<Series>,
    /// The other PET and CT series.
    pub(crate) set_aside: Vec<SetAside>,
    /// How the values became SUV.
    pub(crate) plan: SuvPlan,
    /// SUVbw = value of the image times this; 1 where the image is SUVbw, `None` where the headers do not tell.
    pub(crate) bw_per_value: Option<f64>,
    /// SUL (James 128, as PERCIST is practised) = value of the image times this; `None` where SUL cannot be computed.
    pub(crate) sul_per_value: Option<f64>,
    /// Mean SUVbw inside the body, or why it is not known.
    pub(crate) body_mean: BodyMeanOrReason,
    /// Body surface, square metres, or why it is not known.
    pub(crate) body_surface_m2: Result<f64, String>,
    /// What was noticed, in the order of the work.
    pub(crate) warnings: Vec<Warning>,
    /// What the headers say of the comparability with another scan; liver values are left open.
    pub(crate) facts: ScanFacts,
}

impl Ct {
    /// What a command needs that draws pictures or does not.
    pub(crate) fn for_pictures(wanted: bool) -> Self {
        if wanted { Self::Load } else { Self::Reduced }
    }
}

impl About {
    /// `FrameOfReferenceUID` (0020,0052), where it is given.
    pub(crate) fn frame_of_reference_uid(&self) -> Option<&str> {
        Some(self.pet.frame_of_reference_uid.as_str()).filter(|uid| !uid.is_empty())
    }

    /// Reads the PET again.
    pub(crate) fn read_pet(&self) -> Result<SuvImage, Failure> {
        suv_of(&self.pet, &self.plan)
    }
}

/// The PET of a series in SUV.
fn suv_of(pet: &Series, plan: &SuvPlan) -> Result<SuvImage, Failure> {
    let volume = dicom::load_pet(pet, &plan.factors)?;
    Ok(SuvImage { kind: plan.kind, volume })
}

/// Opens the PET of a scan as SUV, with its CT where that is asked for.
pub(crate) fn open_scan(options: &ScanOptions, with_ct: Ct) -> Result<OpenScan, Failure> {
    let mut warnings = Vec::new();
    let studies = dicom::scan(&options.path)?.unpack(&mut warnings);
    let selection = dicom::select(&studies, options.series.as_deref())?;
    let wanted = |warning: &Warning| with_ct != Ct::Leave || warning.code != "NO_CT";
    warnings.extend(selection.warnings.into_iter().filter(wanted));
    let (pet, ct_series) = (selection.pet, selection.ct);
    let plan = plan_of(pet, options)?.unpack(&mut warnings);
    let suv = suv_of(pet, &plan)?;
    let bw_per_value = per_value(pet, options, &plan, SuvKind::BodyWeight);
    let load_ct = || match (ct_series, with_ct) {
        (Some(series), Ct::Load) => dicom::load_ct(series).map(Some),
        (Some(series), Ct::Reduced) => {
            dicom::load_ct_reduced(series, anatomy::CT_COARSEST_MM).map(Some)
        }
        (None, _) | (_, Ct::Leave) => Ok(None),
    };
    let (body_mean, ct) = rayon::join(|| body_mean_of(&suv.volume, bw_per_value), load_ct);
    let body_mean = body_mean.unpack(&mut warnings);
    let ct = ct?;
    let study = studies.iter().find(|study| study.study_instance_uid == pet.study_instance_uid);
    let study = study.expect("the selected series is one of a study").clone();
    let about = About {
        bw_per_value,
        sul_per_value: per_value(pet, options, &plan, SuvKind::LeanBodyMassJames),
        facts: facts(&study, pet, options, &plan),
        body_surface_m2: body_surface_m2(pet, options),
        study,
        pet: pet.clone(),
        ct_series: ct_series.cloned(),
        set_aside: selection.set_aside,
        plan,
        body_mean,
        warnings,
    };
    Ok(OpenScan { about, suv, ct })
}

/// How the values of a PET become SUV, from its headers.
pub(crate) fn plan_of(pet: &Series, options: &ScanOptions) -> Result<Warned<SuvPlan>, Failure> {
    // The facts of a series whose slices contradict each other are those of one slice alone.
    let facts = pet.acquisition.as_ref().filter(|_| pet.is_loadable());
    let Some(acquisition) = facts else {
        let why = if pet.reasons.is_empty() {
            "its headers are incomplete".into()
        } else {
            pet.reasons.join("; ")
        };
        let message = format!("SUV of series {} cannot be computed: {why}", pet.label());
        return Err(Failure::new(
            "no_acquisition",
            &message,
            "export the original series of the scanner",
        ));
    };
    Ok(suv::plan(acquisition, options.kind, &options.overrides)?)
}

/// The mean SUVbw inside the body of a PET, read for it alone, with a warning where it is none of a body.
pub(crate) fn body_mean(
    pet: &Series,
    options: &ScanOptions,
    plan: &SuvPlan,
) -> Warned<BodyMeanOrReason> {
    match dicom::load_pet(pet, &plan.factors) {
        Ok(volume) => body_mean_of(&volume, per_value(pet, options, plan, SuvKind::BodyWeight)),
        Err(error) => Warned::clean(Err(error.to_string())),
    }
}

fn body_mean_of(volume: &Volume<f32>, bw_per_value: Option<f64>) -> Warned<BodyMeanOrReason> {
    let Some(bw_per_value) = bw_per_value else {
        return Warned::clean(Err(
            "SUVbw cannot be computed beside the kind of SUV asked for".into()
        ));
    };
    match anatomy::body_mean(volume, bw_per_value) {
        Ok(found) => {
            Warned { output: Ok(found.suv_bw), warnings: found.warning().into_iter().collect() }
        }
        Err(reason) => Warned::clean(Err(reason.to_string())),
    }
}

/// The factor from the image's kind of SUV to another: the same for all slices.
fn per_value(pet: &Series, options: &ScanOptions, plan: &SuvPlan, kind: SuvKind) -> Option<f64> {
    if plan.kind == kind {
        return Some(1.0);
    }
    let other = suv::plan(pet.acquisition.as_ref()?, kind, &options.overrides);
    let ratio = other.ok()?.output.factors.first()? / plan.factors.first()?;
    ratio.is_finite().then_some(ratio)
}

fn body_surface_m2(pet: &Series, options: &ScanOptions) -> Result<f64, String> {
    let acquisition = pet.acquisition.as_ref().ok_or("the headers are incomplete")?;
    suv::body_surface_m2(acquisition, &options.overrides).map_err(|error| error.to_string())
}

fn facts(study: &Study, pet: &Series, options: &ScanOptions, plan: &SuvPlan) -> ScanFacts {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let acquisition = pet.acquisition.as_ref();
    let used = acquisition.map(|a| suv::injection_facts(a, &options.overrides));
    ScanFacts {
        series_uid: Some(pet.series_instance_uid.clone()),
        patient_id: text(&study.patient.id),
        birth_date: study.patient.birth_date.value().copied(),
        sex: study.patient.sex.value().copied(),
        acquired: acquired(study, pet),
        uptake_minutes: plan.clock.uptake_minutes,
        dose_bq: used.as_ref().and_then(|used| used.dose_bq),
        weight_kg: used.as_ref().and_then(|used| used.weight_kg),
        tracer: used.as_ref().and_then(|used| text(&used.tracer)),
        nuclide: used.as_ref().and_then(|used| text(&used.nuclide)),
        manufacturer: text(&pet.manufacturer),
        model: text(&pet.model),
        software: text(&pet.reconstruction.software_versions),
        reconstruction: reconstruction(pet),
        spacing_mm: pet.geometry.as_ref().ok().map(petct::geometry::VolumeGeometry::spacing_mm),
        units: acquisition.and_then(|a| a.units.value().cloned()),
        decay_correction: acquisition.and_then(|a| a.decay_correction.value().cloned()),
        suv_kind: Some(plan.kind),
        suv_valid: Some(true),
        ..ScanFacts::default()
    }
}

/// When the first slice was acquired; where no slice has a day and a time, when the series began: that may be when it was
/// reconstructed, long after.
fn acquired(study: &Study, pet: &Series) -> Option<NaiveDateTime> {
    let slices = || pet.acquisition.iter().flat_map(|acquisition| &acquisition.slices);
    let dated = slices().filter_map(|slice| {
        Some(slice.acquisition_date.value()?.and_time(*slice.acquisition_time.value()?))
    });
    let by_series = || {
        let day = pet.date.value().or(study.study_date.value())?;
        let first = || slices().filter_map(|slice| slice.acquisition_time.value()).min();
        Some(day.and_time(*pet.time.value().or_else(first)?))
    };
    dated.min().or_else(by_series)
}

/// Method, kernel and corrections as one text; `None` where the headers name none.
fn reconstruction(pet: &Series) -> Option<String> {
    let r = &pet.reconstruction;
    let time_of_flight = match r.time_of_flight {
        Some(true) => "TOF",
        Some(false) => "no TOF",
        None => "",
    };
    let parts = [
        r.method.as_str(),
        &r.kernel,
        &r.attenuation_correction,
        &r.scatter_correction,
        &r.randoms_correction,
        time_of_flight,
    ];
    let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
