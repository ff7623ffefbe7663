//! What the headers of one PET series say about activity, time and patient, as plain values.
//!
//! This is the border between DICOM and the core: `dicom` fills these structures, [`crate::suv`] judges them. Nothing is
//! repaired, converted or defaulted here. A value that is missing, empty or unreadable stays visible as such.

use std::fmt;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

/// One attribute as the file has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Attribute<T> {
    /// The attribute is not in the header.
    #[default]
    Absent,
    /// The attribute is there without a value.
    Empty,
    /// The attribute has a value that cannot be read; the text as found.
    Unreadable(String),
    /// The value.
    Value(T),
}

impl<T> Attribute<T> {
    /// The value, where there is a readable one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Empty | Self::Unreadable(_) => None,
        }
    }

    /// The attribute with its value turned into another.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Attribute<U> {
        match self {
            Self::Absent => Attribute::Absent,
            Self::Empty => Attribute::Empty,
            Self::Unreadable(text) => Attribute::Unreadable(text),
            Self::Value(value) => Attribute::Value(change(value)),
        }
    }

    /// What is wrong with the attribute, in words that follow its name: "is missing", "is empty", "cannot be read…".
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Absent => Some("is missing".into()),
            Self::Empty => Some("is empty".into()),
            Self::Unreadable(text) => Some(format!("cannot be read ({text:?})")),
            Self::Value(_) => None,
        }
    }
}

/// A DICOM date-time (VR DT) with its offset from UTC where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// Date and time on the clock of the file.
    pub local: NaiveDateTime,
    /// The offset written behind the value, if any.
    pub utc_offset: Option<FixedOffset>,
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        self.utc_offset.map_or(Ok(()), |offset| write!(f, " {offset}"))
    }
}

/// `PatientSex` (0010,0040).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `M`
    Male,
    /// `F`
    Female,
    /// `O`
    Other,
}

/// The facts of one PET series from which SUV is computed; everything as found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PetAcquisition {
    /// `SeriesInstanceUID` (0020,000E).
    pub series_uid: String,
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// `ManufacturerModelName` (0008,1090).
    pub model: String,
    /// Units (0054,1001).
    pub units: Attribute<String>,
    /// `SUVType` (0054,1006).
    pub suv_type: Attribute<String>,
    /// `DecayCorrection` (0054,1102): NONE, START or ADMIN.
    pub decay_correction: Attribute<String>,
    /// `CorrectedImage` (0028,0051): ATTN, DECY, DCAL, …
    pub corrected_image: Vec<String>,
    /// PatientWeight (0010,1030) as written; kilograms by the standard.
    pub patient_weight: Attribute<f64>,
    /// PatientSize (0010,1020) as written; metres by the standard.
    pub patient_size: Attribute<f64>,
    /// `PatientSex` (0010,0040).
    pub patient_sex: Attribute<Sex>,
    /// One entry for each item of `RadiopharmaceuticalInformationSequence` (0054,0016).
    pub radiopharmaceuticals: Vec<Radiopharmaceutical>,
    /// `SeriesDate` (0008,0021).
    pub series_date: Attribute<NaiveDate>,
    /// `SeriesTime` (0008,0031).
    pub series_time: Attribute<NaiveTime>,
    /// `TimezoneOffsetFromUTC` (0008,0201).
    pub timezone: Attribute<FixedOffset>,
    /// GE scan date-time (0009,xx0D), creator `GEMS_PETD_01`.
    pub ge_scan_datetime: Attribute<DateTime>,
    /// Siemens decay correction date-time (0071,xx22), creator SIEMENS MED PT.
    pub siemens_decay_datetime: Attribute<DateTime>,
    /// Philips SUV scale factor (7053,xx00), creator Philips PET Private Group; 0 means "not available".
    pub philips_suv_factor: Attribute<f64>,
    /// Philips activity concentration scale factor (7053,xx09); 0 means "not available".
    pub philips_activity_factor: Attribute<f64>,
    /// `DecayCorrectionDateTime` (0018,9701) of an enhanced object that is `DecayCorrected` (0018,9758) YES.
    pub enhanced_decay_datetime: Attribute<DateTime>,
    /// Volume of one voxel in millilitres (for counts per second).
    pub voxel_ml: f64,
    /// The slices in the order of the volume.
    pub slices: Vec<PetSlice>,
}

/// One item of `RadiopharmaceuticalInformationSequence` (0054,0016).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Radiopharmaceutical {
    /// Radiopharmaceutical (0018,0031) or the code meaning of `RadiopharmaceuticalCodeSequence` (0054,0304).
    pub name: String,
    /// Code meaning of `RadionuclideCodeSequence` (0054,0300).
    pub nuclide: String,
    /// `RadionuclideTotalDose` (0018,1074) as written: becquerels in the PET Isotope module.
    pub total_dose: Attribute<f64>,
    /// Whether the object is of a kind whose dose is in megabecquerels by the standard (Enhanced PET Isotope).
    pub dose_in_megabecquerels: bool,
    /// `RadionuclideHalfLife` (0018,1075), seconds.
    pub half_life_secs: Attribute<f64>,
    /// `RadiopharmaceuticalStartTime` (0018,1072): a time of day without a date.
    pub start_time: Attribute<NaiveTime>,
    /// `RadiopharmaceuticalStartDateTime` (0018,1078).
    pub start_datetime: Attribute<DateTime>,
}

/// What one slice (or frame) says for itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PetSlice {
    /// RescaleSlope (0028,1053).
    pub rescale_slope: f64,
    /// `RescaleIntercept` (0028,1052).
    pub rescale_intercept: f64,
    /// `AcquisitionDate` (0008,0022).
    pub acquisition_date: Attribute<NaiveDate>,
    /// `AcquisitionTime` (0008,0032).
    pub acquisition_time: Attribute<NaiveTime>,
    /// `FrameReferenceTime` (0054,1300), milliseconds.
    pub frame_reference_time_ms: Attribute<f64>,
    /// `ActualFrameDuration` (0018,1242), milliseconds.
    pub frame_duration_ms: Attribute<f64>,
    /// `DecayFactor` (0054,1321).
    pub decay_factor: Attribute<f64>,
}
