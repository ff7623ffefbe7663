//! Why SUV cannot be computed, with a name for scripts and what to do about it.

use thiserror::Error;

/// SUV cannot be computed from this series.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{refusal} in series {series}; {}", .refusal.remedy())]
pub struct SuvError {
    /// `SeriesInstanceUID` (0020,000E).
    pub series: String,
    /// What is wrong.
    pub refusal: Refusal,
}

impl SuvError {
    /// The stable name of the refusal, for scripts: `missing_patient_weight`.
    pub fn code(&self) -> &'static str {
        self.refusal.code()
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> String {
        self.refusal.remedy().to_owned()
    }
}

/// Declares the refusals: each with its sentence, its code and its remedy in one place, so that none can lack one.
macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident $({ $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty),+ $(,)? })? =
        $code:literal, $text:literal, $remedy:literal;)+) => {
        /// What is wrong with the headers of a series. [`Refusal::CODES`] lists the names.
        #[derive(Debug, Clone, PartialEq, Error)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[doc = $doc])+ #[error($text)] $name $({ $($(#[doc = $field_doc])+ $field: $type),+ })?,)+
        }

        impl Refusal {
            /// The codes of all refusals.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// The stable name of the refusal, for scripts.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $code,)+
                }
            }

            /// What the user can do about it.
            pub fn remedy(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $remedy,)+
                }
            }
        }
    };
}

refusals! {
    /// The series has no slices.
    NoSlices = "no_slices", "there is no slice", "give a complete series";
    /// A slope by which no value can be scaled.
    BadRescaleSlope {
        /// Index of the slice.
        slice: usize,
        /// The slope.
        value: f64
    } = "bad_rescale_slope", "RescaleSlope (0028,1053) is {value} (not a positive number) on slice {slice}",
        "export the original series of the scanner";
    /// The intercept of a PET image is zero by PS3.3 C.8.9.4.1.4.
    NonzeroIntercept {
        /// Index of the slice.
        slice: usize,
        /// The intercept.
        value: f64
    } = "nonzero_rescale_intercept", "RescaleIntercept (0028,1052) is {value} (a PET image has 0) on slice {slice}",
        "export the original series of the scanner";
    /// Units (0054,1001) is missing.
    MissingUnits {
        /// "is missing", "is empty"…
        fault: String
    } = "missing_units", "Units (0054,1001) {fault}", "export the original series of the scanner";
    /// Units that hold no activity concentration.
    UnsupportedUnits {
        /// The units.
        units: String
    } = "unsupported_units", "Units (0054,1001) is {units}, from which no SUV follows,",
        "use the attenuation-corrected series in BQML, GML, CM2ML, CNTS (Philips) or CPS (calibrated)";
    /// `SUVType` does not fit the units or is not in the standard.
    UnsupportedSuvType {
        /// `SUVType` as found.
        suv_type: String,
        /// The units beside it.
        units: String
    } = "unsupported_suv_type", "SUVType (0054,1006) is {suv_type}, which does not go with units {units},",
        "use the series in BQML";
    /// `CorrectedImage` lacks ATTN.
    NotAttenuationCorrected = "not_attenuation_corrected", "CorrectedImage (0028,0051) lacks ATTN",
        "use the attenuation-corrected series of the study";
    /// `CorrectedImage` lacks DECY although the series claims a correction.
    NotDecayCorrected {
        /// `DecayCorrection` as found.
        correction: String
    } = "not_decay_corrected", "CorrectedImage (0028,0051) lacks DECY while DecayCorrection (0054,1102) is {correction}",
        "ask the site whether the images are corrected for decay and correct the headers";
    /// `DecayCorrection` (0054,1102) is missing.
    MissingDecayCorrection {
        /// "is missing", "is empty"…
        fault: String
    } = "missing_decay_correction", "DecayCorrection (0054,1102) {fault}",
        "START and ADMIN differ by about 1.46 at one hour: ask the site and correct the headers";
    /// `DecayCorrection` is none of START, ADMIN, NONE.
    UnknownDecayCorrection {
        /// As found.
        value: String
    } = "unknown_decay_correction", "DecayCorrection (0054,1102) is {value}, not START, ADMIN or NONE,",
        "ask the site and correct the headers";
    /// The file says SUV and says that nothing was corrected for decay.
    SuvNotDecayCorrected {
        /// The units.
        units: String
    } = "suv_not_decay_corrected", "units {units} hold SUV while DecayCorrection (0054,1102) is NONE",
        "use the series in BQML";
    /// CNTS without either Philips factor.
    NoPhilipsScale = "no_philips_scale",
        "units are CNTS and both Philips factors, SUV (7053,xx00) and activity (7053,xx09), are missing or 0",
        "export the series with its private elements, or in BQML";
    /// CPS without a dose calibration.
    CountsNotCalibrated = "counts_not_calibrated", "units are CPS and CorrectedImage (0028,0051) lacks DCAL",
        "use the series in BQML";
    /// CPS without a voxel volume.
    BadVoxelVolume {
        /// The volume found.
        millilitres: f64
    } = "bad_voxel_volume", "units are CPS and the voxel volume is {millilitres} ml", "use the series in BQML";
    /// No usable `PatientWeight`.
    MissingWeight {
        /// "is missing", "is empty", "is 0"…
        fault: String
    } = "missing_patient_weight", "PatientWeight (0010,1030) {fault}", "give it with --weight-kg";
    /// A weight no patient has.
    ImplausibleWeight {
        /// The value as read.
        value: f64
    } = "implausible_patient_weight", "PatientWeight (0010,1030) is {value}, neither kilograms nor grams of a patient,",
        "give it with --weight-kg";
    /// The weight looks like metres and the size like kilograms.
    WeightAndSizeSwapped {
        /// `PatientWeight` as read.
        weight: f64,
        /// `PatientSize` as read.
        size: f64
    } = "weight_and_size_swapped",
        "PatientWeight (0010,1030) is {weight} and PatientSize (0010,1020) is {size}, as if swapped,",
        "give them with --weight-kg and --height-m";
    /// No usable `PatientSize`, and the kind of SUV needs one.
    MissingHeight {
        /// "is missing", "is empty", "is 0"…
        fault: String
    } = "missing_patient_size", "PatientSize (0010,1020) {fault}", "give it with --height-m or use --suv bw";
    /// A height no patient has.
    ImplausibleHeight {
        /// The value as read.
        value: f64
    } = "implausible_patient_size", "PatientSize (0010,1020) is {value}, neither metres nor centimetres of a patient,",
        "give it with --height-m or use --suv bw";
    /// Weight and height do not belong together.
    ImplausibleBody {
        /// The body mass index.
        bmi: f64
    } = "implausible_body", "weight and height give a body mass index of {bmi:.1} kg/m2",
        "give them with --weight-kg and --height-m or use --suv bw";
    /// No `PatientSex`, and the formula needs one.
    MissingSex {
        /// "is missing", "is empty"…
        fault: String
    } = "missing_patient_sex", "PatientSex (0010,0040) {fault}", "use --suv bw or bsa, or correct the header";
    /// `PatientSex` is O: no formula for lean mass or ideal weight.
    SexOther = "sex_other", "PatientSex (0010,0040) is O, for which no formula of lean or ideal mass exists,",
        "use --suv bw or bsa";
    /// James' formula falls beyond its peak.
    BeyondJamesPeak {
        /// The body mass index.
        bmi: f64,
        /// That of the peak.
        peak: f64
    } = "beyond_james_peak", "the body mass index {bmi:.2} is beyond {peak:.2}, where the lean mass of James falls with weight,",
        "use --suv lbm (Janmahasatian)";
    /// A formula gives no mass.
    NoBodyMeasure {
        /// The value.
        value: f64
    } = "no_body_measure", "the formula of the body measure gives {value:.3}, outside what it was made for,",
        "use --suv bw";
    /// `RadiopharmaceuticalInformationSequence` is missing.
    MissingRadiopharmaceutical = "missing_radiopharmaceutical",
        "RadiopharmaceuticalInformationSequence (0054,0016) is missing", "export the original series of the scanner";
    /// More than one radiopharmaceutical and none is clearly the one.
    SeveralRadiopharmaceuticals {
        /// How many.
        count: usize
    } = "several_radiopharmaceuticals",
        "RadiopharmaceuticalInformationSequence (0054,0016) has {count} items and not exactly one is FDG",
        "keep the item of the injection that this series shows";
    /// No usable `RadionuclideTotalDose`.
    MissingDose {
        /// "is missing", "is empty", "is 0"…
        fault: String
    } = "missing_dose", "RadionuclideTotalDose (0018,1074) {fault}", "give it with --dose-mbq";
    /// A dose no patient gets.
    ImplausibleDose {
        /// The value as read.
        value: f64
    } = "implausible_dose", "RadionuclideTotalDose (0018,1074) is {value}, neither Bq nor MBq of an injection,",
        "give it with --dose-mbq";
    /// No usable `RadionuclideHalfLife` and no nuclide that would tell it.
    MissingHalfLife {
        /// "is missing", "is empty"…
        fault: String
    } = "missing_half_life", "RadionuclideHalfLife (0018,1075) {fault} and no known nuclide is coded",
        "correct RadionuclideHalfLife or RadionuclideCodeSequence in the header";
    /// The half-life is minutes or hours, or of another nuclide.
    WrongHalfLife {
        /// As read, seconds.
        value: f64,
        /// The nuclide.
        nuclide: &'static str,
        /// Its half-life, seconds.
        expected: f64
    } = "wrong_half_life", "RadionuclideHalfLife (0018,1075) is {value} s while {nuclide} has {expected} s",
        "correct RadionuclideHalfLife or RadionuclideCodeSequence in the header";
    /// Neither `StartDateTime` nor `StartTime`.
    MissingInjectionTime {
        /// What is wrong with `RadiopharmaceuticalStartTime`.
        fault: String
    } = "missing_injection_time",
        "RadiopharmaceuticalStartDateTime (0018,1078) gives no time and RadiopharmaceuticalStartTime (0018,1072) {fault}",
        "give it with --injected-at";
    /// A long-lived nuclide with a time of day only.
    InjectionDateRequired {
        /// Half-life in hours.
        half_life_hours: f64
    } = "injection_date_required",
        "the injection has no date and a half-life of {half_life_hours:.1} h leaves the day open",
        "give date and time with --injected-at";
    /// Injection and scan are more than ten half-lives apart, or the injection of a long-lived nuclide lies after the scan.
    InjectionDateImplausible {
        /// Hours from injection to reference time.
        hours: f64
    } = "injection_date_implausible", "the injection lies {hours:.1} h before the reference time, which no protocol has,",
        "give date and time with --injected-at";
    /// The uptake time is not positive.
    InjectionNotBeforeScan {
        /// Minutes from reference time to injection.
        minutes: f64
    } = "injection_not_before_scan", "the injection lies {minutes:.1} min after the reference time, not before it,",
        "give it with --injected-at";
    /// No clock to decay the dose to.
    MissingReferenceTime = "missing_reference_time",
        "neither SeriesDate and SeriesTime (0008,0021/0031) nor AcquisitionDate and AcquisitionTime (0008,0022/0032) give a time",
        "export the series with its times";
    /// A slice without its own time, where each needs one.
    MissingAcquisitionTime {
        /// Index of the slice.
        slice: usize
    } = "missing_acquisition_time",
        "AcquisitionDate and AcquisitionTime (0008,0022/0032) give no time while DecayCorrection is NONE on slice {slice}",
        "export the original series of the scanner";
    /// The acquisition times of the slices span what no scan lasts.
    AcquisitionSpan {
        /// Hours from the first to the last.
        hours: f64
    } = "acquisition_span",
        "AcquisitionDate and AcquisitionTime (0008,0022/0032) of the slices lie up to {hours:.1} h apart, so a date is wrong,",
        "correct it in the header, or export the original series of the scanner";
    /// One acquisition time for all beds, where each needs its own.
    AcquisitionTimesAlike {
        /// Seconds from the lowest to the highest `FrameReferenceTime`.
        seconds: f64
    } = "acquisition_times_alike",
        "all slices have one AcquisitionTime (0008,0032) while FrameReferenceTime (0054,1300) spans {seconds:.0} s and \
         DecayCorrection is NONE: when each bed was acquired is not known,",
        "export the original series of the scanner";
    /// A slice without its duration, where each needs one.
    MissingFrameDuration {
        /// Index of the slice.
        slice: usize
    } = "missing_frame_duration",
        "ActualFrameDuration (0018,1242) gives no duration while DecayCorrection is NONE on slice {slice}",
        "export the original series of the scanner";
    /// An override that is no such quantity.
    InvalidOverride {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        accepted: &'static str
    } = "invalid_override", "{flag} is {value}, not {accepted},", "give a value in the unit of the flag";
    /// The numbers are beyond what a float holds.
    FactorOutOfRange {
        /// The factor.
        value: f64
    } = "factor_out_of_range", "the factor comes out as {value}", "check dose, half-life and times";
}
