//! From the header of a PET object to [`PetAcquisition`]: every attribute as found.
//!
//! Enhanced objects say the same in other attributes; they are put into the words of the classic ones (PS3.3 C.8.22):
//! `DecayCorrected` YES becomes decay correction START (its own date-time is kept beside it), NO becomes NONE;
//! the start of a frame becomes its acquisition date and time, as does `AcquisitionDateTime` where those are absent;
//! the `…Corrected` flags become the values of `CorrectedImage`; units come from the real world value mapping.
//!
//! Source: DICOM PS3.3 C.8.9 (PET), C.8.22 (enhanced PET), PS3.16 CID 84 and 85 (units); private attributes from the
//! conformance statements of their makers.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

use super::attribute::{
    Private, date, datetime, number, text, text_or_empty, texts, time, utc_offset,
};
use super::data_set::DataSet;
use super::record::View;
use crate::acquisition::{Attribute, PetAcquisition, PetSlice, Radiopharmaceutical, Sex};

const GE: &[&str] = &["GE", "GEMS"];
const SIEMENS: &[&str] = &["SIEMENS", "CPS", "CTI"];
const PHILIPS: &[&str] = &["PHILIPS"];

const GE_SCAN_DATETIME: Private =
    Private { group: 0x0009, element: 0x0D, creator: "GEMS_PETD_01", manufacturers: GE };
const SIEMENS_DECAY_DATETIME: Private =
    Private { group: 0x0071, element: 0x22, creator: "SIEMENS MED PT", manufacturers: SIEMENS };
const PHILIPS_SUV: Private = Private {
    group: 0x7053,
    element: 0x00,
    creator: "Philips PET Private Group",
    manufacturers: PHILIPS,
};
const PHILIPS_ACTIVITY: Private = Private { element: 0x09, ..PHILIPS_SUV };

const PRIVATE: [Private; 4] =
    [GE_SCAN_DATETIME, SIEMENS_DECAY_DATETIME, PHILIPS_SUV, PHILIPS_ACTIVITY];

/// Whether a private element may be one that is read here, or may name the owner of one.
pub(super) fn may_be_read(private: Tag) -> bool {
    let Tag(group, element) = private;
    PRIVATE
        .iter()
        .any(|read| read.group == group && (element <= 0xFF || element as u8 == read.element))
}

/// The flags of an enhanced object and the value of `CorrectedImage` that says the same.
const CORRECTIONS: [(Tag, &str); 6] = [
    (tags::ATTENUATION_CORRECTED, "ATTN"),
    (tags::DECAY_CORRECTED, "DECY"),
    (tags::SCATTER_CORRECTED, "SCAT"),
    (tags::DEAD_TIME_CORRECTED, "DTIM"),
    (tags::RANDOMS_CORRECTED, "RAN"),
    (tags::SENSITIVITY_CALIBRATED, "DCAL"),
];

/// The part of an acquisition that all slices of a series share; voxel volume and slices are filled in later.
pub(super) fn acquisition(view: View, series_uid: &str) -> PetAcquisition {
    let at = |tag| view.loose(tag);
    let manufacturer = text_or_empty(at(tags::MANUFACTURER), tags::MANUFACTURER);
    let ge = at(Tag(0x0009, 0x0010));
    let root = at(tags::SOP_CLASS_UID);
    let enhanced = text_or_empty(root, tags::SOP_CLASS_UID) == uids::ENHANCED_PET_IMAGE_STORAGE;
    let (units, suv_type) = units(view);
    PetAcquisition {
        series_uid: series_uid.to_owned(),
        model: text_or_empty(at(tags::MANUFACTURER_MODEL_NAME), tags::MANUFACTURER_MODEL_NAME),
        units,
        suv_type,
        decay_correction: decay_correction(view),
        corrected_image: corrections(view),
        patient_weight: number(at(tags::PATIENT_WEIGHT), tags::PATIENT_WEIGHT),
        patient_size: number(at(tags::PATIENT_SIZE), tags::PATIENT_SIZE),
        patient_sex: sex(at(tags::PATIENT_SEX)),
        radiopharmaceuticals: radiopharmaceuticals(view, enhanced),
        series_date: date(at(tags::SERIES_DATE), tags::SERIES_DATE),
        series_time: time(at(tags::SERIES_TIME), tags::SERIES_TIME),
        timezone: utc_offset(at(tags::TIMEZONE_OFFSET_FROM_UTC), tags::TIMEZONE_OFFSET_FROM_UTC),
        ge_scan_datetime: GE_SCAN_DATETIME.read(ge, &manufacturer, datetime),
        siemens_decay_datetime: SIEMENS_DECAY_DATETIME.read(root, &manufacturer, datetime),
        philips_suv_factor: PHILIPS_SUV.read(root, &manufacturer, number),
        philips_activity_factor: PHILIPS_ACTIVITY.read(root, &manufacturer, number),
        enhanced_decay_datetime: enhanced_decay_datetime(view),
        manufacturer,
        voxel_ml: 0.0,
        slices: Vec::new(),
    }
}

/// What one frame says of time; slope and intercept are left to the caller, who refuses missing ones.
pub(super) fn slice(view: View) -> PetSlice {
    let content = |tag| view.holder(tags::FRAME_CONTENT_SEQUENCE, tag);
    let at = |tag| view.loose(tag);
    let frame = tags::FRAME_ACQUISITION_DATE_TIME;
    let begun = match datetime(content(frame), frame) {
        Attribute::Absent => datetime(at(tags::ACQUISITION_DATE_TIME), tags::ACQUISITION_DATE_TIME),
        found => found,
    };
    let or_begun = |own, enhanced| if own == Attribute::Absent { enhanced } else { own };
    let (begun_date, begun_time) = match begun.value() {
        Some(begun) => (Attribute::Value(begun.local.date()), Attribute::Value(begun.local.time())),
        None => Default::default(),
    };
    let duration = number(at(tags::ACTUAL_FRAME_DURATION), tags::ACTUAL_FRAME_DURATION);
    PetSlice {
        rescale_slope: f64::NAN,
        rescale_intercept: f64::NAN,
        acquisition_date: match date(at(tags::ACQUISITION_DATE), tags::ACQUISITION_DATE) {
            Attribute::Absent => begun_date,
            own => own,
        },
        acquisition_time: match time(at(tags::ACQUISITION_TIME), tags::ACQUISITION_TIME) {
            Attribute::Absent => begun_time,
            own => own,
        },
        frame_reference_time_ms: number(at(tags::FRAME_REFERENCE_TIME), tags::FRAME_REFERENCE_TIME),
        frame_duration_ms: or_begun(
            duration,
            number(content(tags::FRAME_ACQUISITION_DURATION), tags::FRAME_ACQUISITION_DURATION),
        ),
        decay_factor: number(at(tags::DECAY_FACTOR), tags::DECAY_FACTOR),
    }
}

pub(super) fn sex(header: DataSet) -> Attribute<Sex> {
    match text(header, tags::PATIENT_SEX) {
        Attribute::Value(code) => match code.as_str() {
            "M" | "m" => Attribute::Value(Sex::Male),
            "F" | "f" => Attribute::Value(Sex::Female),
            "O" | "o" => Attribute::Value(Sex::Other),
            _ => Attribute::Unreadable(code),
        },
        Attribute::Absent => Attribute::Absent,
        Attribute::Empty => Attribute::Empty,
        Attribute::Unreadable(text) => Attribute::Unreadable(text),
    }
}

fn decay_correction(view: View) -> Attribute<String> {
    let tag = tags::DECAY_CORRECTION;
    match text(view.loose(tag), tag) {
        Attribute::Absent => match decay_corrected(view).as_deref() {
            Some("YES") => Attribute::Value("START".into()),
            Some("NO") => Attribute::Value("NONE".into()),
            _ => Attribute::Absent,
        },
        found => found,
    }
}

fn decay_corrected(view: View) -> Option<String> {
    let holder = view.holder(tags::PET_FRAME_CORRECTION_FACTORS_SEQUENCE, tags::DECAY_CORRECTED);
    text(holder, tags::DECAY_CORRECTED).value().cloned()
}

fn enhanced_decay_datetime(view: View) -> Attribute<crate::acquisition::DateTime> {
    let tag = tags::DECAY_CORRECTION_DATE_TIME;
    if decay_corrected(view).as_deref() != Some("YES") {
        return Attribute::Absent;
    }
    datetime(view.holder(tags::PET_FRAME_CORRECTION_FACTORS_SEQUENCE, tag), tag)
}

fn corrections(view: View) -> Vec<String> {
    let classic = texts(view.loose(tags::CORRECTED_IMAGE), tags::CORRECTED_IMAGE);
    if !classic.is_empty() {
        return classic;
    }
    CORRECTIONS
        .into_iter()
        .filter(|&(tag, _)| {
            let holder = view.holder(tags::PET_FRAME_CORRECTION_FACTORS_SEQUENCE, tag);
            text(holder, tag).value().is_some_and(|flag| flag == "YES")
        })
        .map(|(_, word)| word.to_owned())
        .collect()
}

/// Units and `SUVType`; those of an enhanced object by the code of its real world value mapping.
fn units(view: View) -> (Attribute<String>, Attribute<String>) {
    let own = text(view.loose(tags::UNITS), tags::UNITS);
    let suv_type = text(view.loose(tags::SUV_TYPE), tags::SUV_TYPE);
    if own != Attribute::Absent {
        return (own, suv_type);
    }
    let Some(code) = mapped_unit(view) else { return (own, suv_type) };
    let lower = code.to_ascii_lowercase();
    let (units, kind) = match lower.as_str() {
        "bq/ml" => ("BQML", None),
        "g/ml{suvbw}" | "{suvbw}g/ml" => ("GML", Some("BW")),
        "g/ml{suvlbm}" | "{suvlbm}g/ml" => ("GML", Some("LBM")),
        "g/ml{suvlbm(james128)}" | "{suvlbm(james128)}g/ml" => ("GML", Some("LBMJAMES128")),
        "g/ml{suvlbm(janma)}" | "{suvlbm(janma)}g/ml" => ("GML", Some("LBMJANMA")),
        "g/ml{suvibw}" | "{suvibw}g/ml" => ("GML", Some("IBW")),
        "cm2/ml{suvbsa}" | "{suvbsa}cm2/ml" => ("CM2ML", Some("BSA")),
        _ => return (Attribute::Unreadable(code), suv_type),
    };
    let suv_type = kind.map_or(suv_type, |kind| Attribute::Value(kind.to_owned()));
    (Attribute::Value(units.to_owned()), suv_type)
}

/// The real world value mapping of a PET frame that has no Units of its own: slope and intercept of *stored* values.
pub(super) fn mapping_with_unit(view: View<'_>) -> Option<DataSet<'_>> {
    let tag = tags::REAL_WORLD_VALUE_SLOPE;
    let pet = text_or_empty(view.loose(tags::MODALITY), tags::MODALITY) == "PT";
    let own_units = text(view.loose(tags::UNITS), tags::UNITS) != Attribute::Absent;
    let item = view.holder(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE, tag);
    (pet && !own_units && item.has(tag)).then_some(item)
}

fn mapped_unit(view: View) -> Option<String> {
    let item = mapping_with_unit(view)?;
    let code = item.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).first()?;
    text(code, tags::CODE_VALUE).value().cloned()
}

fn radiopharmaceuticals(view: View, enhanced: bool) -> Vec<Radiopharmaceutical> {
    let tag = tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE;
    view.loose(tag)
        .items(tag)
        .iter()
        .map(|item| Radiopharmaceutical {
            name: match text(item, tags::RADIOPHARMACEUTICAL) {
                Attribute::Value(name) => name,
                _ => meaning(item, tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE),
            },
            nuclide: meaning(item, tags::RADIONUCLIDE_CODE_SEQUENCE),
            total_dose: number(item, tags::RADIONUCLIDE_TOTAL_DOSE),
            dose_in_megabecquerels: enhanced,
            half_life_secs: number(item, tags::RADIONUCLIDE_HALF_LIFE),
            start_time: time(item, tags::RADIOPHARMACEUTICAL_START_TIME),
            start_datetime: datetime(item, tags::RADIOPHARMACEUTICAL_START_DATE_TIME),
        })
        .collect()
}

/// Code meaning of the first item of a code sequence.
fn meaning(header: DataSet, sequence: Tag) -> String {
    header
        .items(sequence)
        .first()
        .map(|code| text_or_empty(code, tags::CODE_MEANING))
        .unwrap_or_default()
}
