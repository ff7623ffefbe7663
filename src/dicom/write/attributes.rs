//! The attributes of one slice: encodings of values, and the modules of PET and CT (PS3.3 C.8.2, C.8.9).

use chrono::{NaiveDateTime, TimeDelta};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::{PetHeader, StudyHeader};
use crate::volume::Volume;

/// Length of the table travel between beds, millimetres.
const BED_STEP_MM: f64 = 120.0;
/// Time the table takes between beds, seconds.
const BED_PAUSE_SECS: f64 = 5.0;

/// Type 1 and 2 attributes by plain values.
pub(super) trait Put {
    fn put_u16(&mut self, tag: Tag, value: u16);
    fn put_items(&mut self, tag: Tag, items: Vec<InMemDicomObject>);
}

impl Put for InMemDicomObject {
    fn put_u16(&mut self, tag: Tag, value: u16) {
        self.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }

    fn put_items(&mut self, tag: Tag, items: Vec<InMemDicomObject>) {
        self.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
    }
}

/// A decimal string of at most 16 characters (PS3.5 6.2) as near to the value as they allow.
pub(super) fn decimal(value: f64) -> String {
    let plain = format!("{value}");
    if plain.len() <= 16 {
        return plain;
    }
    (0..=14)
        .rev()
        .flat_map(|digits| [format!("{value:.digits$}"), format!("{value:.digits$e}")])
        .filter(|text| text.len() <= 16)
        .min_by(|a, b| {
            let miss = |text: &str| (text.parse::<f64>().unwrap_or(f64::MAX) - value).abs();
            miss(a).total_cmp(&miss(b))
        })
        .unwrap_or(plain)
}

pub(super) fn decimals(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().map(decimal).collect::<Vec<_>>().join("\\")
}

pub(super) fn date(at: NaiveDateTime) -> String {
    at.format("%Y%m%d").to_string()
}

pub(super) fn time(at: NaiveDateTime) -> String {
    at.format("%H%M%S%.6f").to_string()
}

/// A code of a coding scheme: Code Sequence Macro (PS3.3 8.8).
fn code(value: &str, scheme: &str, meaning: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    item.put_str(tags::CODE_VALUE, VR::SH, value);
    item.put_str(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
    item.put_str(tags::CODE_MEANING, VR::LO, meaning);
    item
}

/// PET Series, Isotope, Image (PS3.3 C.8.9.1, C.8.9.2, C.8.9.4).
pub(super) fn pet_slice(
    object: &mut InMemDicomObject,
    header: &PetHeader,
    volume: &Volume<f32>,
    slice: usize,
) {
    let slices = volume.geometry().shape()[0];
    let bed = (slice as f64 * volume.geometry().spacing_mm()[0] / BED_STEP_MM).floor();
    let after_secs = bed * (header.bed_secs + BED_PAUSE_SECS);
    let acquired = header.started_at + TimeDelta::milliseconds((after_secs * 1000.0) as i64);
    // Time of the average count rate within the frame (PS3.3 C.8.9.4.1.5).
    let rate = std::f64::consts::LN_2 / header.half_life_secs;
    let in_frame = rate * header.bed_secs / -libm::expm1(-rate * header.bed_secs);
    let reference_secs = after_secs + libm::log(in_frame) / rate;
    for (tag, vr, value) in [
        (tags::IMAGE_TYPE, VR::CS, r"ORIGINAL\PRIMARY"),
        (tags::SERIES_DATE, VR::DA, &date(header.started_at)),
        (tags::SERIES_TIME, VR::TM, &time(header.started_at)),
        (tags::ACQUISITION_DATE, VR::DA, &date(acquired)),
        (tags::ACQUISITION_TIME, VR::TM, &time(acquired)),
        (tags::CONTENT_DATE, VR::DA, &date(acquired)),
        (tags::CONTENT_TIME, VR::TM, &time(acquired)),
        (tags::SERIES_NUMBER, VR::IS, "2"),
        (tags::SERIES_DESCRIPTION, VR::LO, "PET WB (AC)"),
        (tags::CORRECTED_IMAGE, VR::CS, r"NORM\DTIM\ATTN\SCAT\DECY\RAN\DCAL"),
        (tags::COLLIMATOR_TYPE, VR::CS, "NONE"),
        (tags::SERIES_TYPE, VR::CS, r"WHOLE BODY\IMAGE"),
        (tags::UNITS, VR::CS, "BQML"),
        (tags::COUNTS_SOURCE, VR::CS, "EMISSION"),
        (tags::RANDOMS_CORRECTION_METHOD, VR::CS, "DLYD"),
        (tags::ATTENUATION_CORRECTION_METHOD, VR::LO, "measured,CT"),
        (tags::SCATTER_CORRECTION_METHOD, VR::LO, "model-based"),
        (tags::DECAY_CORRECTION, VR::CS, "START"),
        (tags::RECONSTRUCTION_METHOD, VR::LO, "simulated OSEM, Gaussian 6 mm"),
        (tags::ACTUAL_FRAME_DURATION, VR::IS, &format!("{:.0}", header.bed_secs * 1000.0)),
        (tags::FRAME_REFERENCE_TIME, VR::DS, &format!("{:.3}", reference_secs * 1000.0)),
        (tags::DECAY_FACTOR, VR::DS, &format!("{:.8}", libm::exp(rate * reference_secs))),
        (tags::DOSE_CALIBRATION_FACTOR, VR::DS, "1"),
        (tags::SCATTER_FRACTION_FACTOR, VR::DS, "0.32"),
        (tags::RESCALE_INTERCEPT, VR::DS, "0"),
    ] {
        object.put_str(tag, vr, value);
    }
    // Supine, head first: in PET the codes stand in for PatientPosition (PS3.3 C.8.4.6).
    let mut recumbent = code("102538003", "SCT", "recumbent");
    let supine = code("40199007", "SCT", "supine");
    recumbent.put_items(tags::PATIENT_ORIENTATION_MODIFIER_CODE_SEQUENCE, vec![supine]);
    object.put_items(tags::PATIENT_ORIENTATION_CODE_SEQUENCE, vec![recumbent]);
    let head_first = code("102540008", "SCT", "headfirst");
    object.put_items(tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE, vec![head_first]);
    object.put_u16(tags::NUMBER_OF_SLICES, slices as u16);
    object.put_u16(tags::IMAGE_INDEX, slice as u16 + 1);
    object.put_items(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, vec![tracer(header)]);
}

fn tracer(header: &PetHeader) -> InMemDicomObject {
    let injected = header.injected_at;
    let mut item = InMemDicomObject::new_empty();
    for (tag, vr, value) in [
        (tags::RADIOPHARMACEUTICAL, VR::LO, "Fluorodeoxyglucose"),
        (tags::RADIOPHARMACEUTICAL_ROUTE, VR::LO, "intravenous"),
        (tags::RADIOPHARMACEUTICAL_VOLUME, VR::DS, ""),
        (tags::RADIOPHARMACEUTICAL_START_TIME, VR::TM, &time(injected)),
        (
            tags::RADIOPHARMACEUTICAL_START_DATE_TIME,
            VR::DT,
            &format!("{}{}", date(injected), time(injected)),
        ),
        (tags::RADIONUCLIDE_TOTAL_DOSE, VR::DS, &decimal(header.dose_bq)),
        (tags::RADIONUCLIDE_HALF_LIFE, VR::DS, &decimal(header.half_life_secs)),
        (tags::RADIONUCLIDE_POSITRON_FRACTION, VR::DS, "0.9673"),
    ] {
        item.put_str(tag, vr, value);
    }
    item.put_items(tags::RADIONUCLIDE_CODE_SEQUENCE, vec![code("77004003", "SCT", "^18^Fluorine")]);
    item.put_items(
        tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE,
        vec![code("35321007", "SCT", "Fluorodeoxyglucose F^18^")],
    );
    item
}

/// CT Image (PS3.3 C.8.2.1).
pub(super) fn ct_slice(object: &mut InMemDicomObject, study: &StudyHeader) {
    let at = study.started_at;
    for (tag, vr, value) in [
        (tags::IMAGE_TYPE, VR::CS, r"ORIGINAL\PRIMARY\AXIAL"),
        (tags::PATIENT_POSITION, VR::CS, "HFS"),
        (tags::SERIES_DATE, VR::DA, &date(at)),
        (tags::SERIES_TIME, VR::TM, &time(at)),
        (tags::ACQUISITION_DATE, VR::DA, &date(at)),
        (tags::ACQUISITION_TIME, VR::TM, &time(at)),
        (tags::CONTENT_DATE, VR::DA, &date(at)),
        (tags::CONTENT_TIME, VR::TM, &time(at)),
        (tags::SERIES_NUMBER, VR::IS, "1"),
        (tags::SERIES_DESCRIPTION, VR::LO, "CT WB low dose"),
        (tags::ACQUISITION_NUMBER, VR::IS, "1"),
        (tags::KVP, VR::DS, "120"),
        (tags::X_RAY_TUBE_CURRENT, VR::IS, "60"),
        (tags::CONVOLUTION_KERNEL, VR::SH, "soft"),
        (tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        (tags::RESCALE_SLOPE, VR::DS, "1"),
        (tags::RESCALE_TYPE, VR::LO, "HU"),
        (tags::WINDOW_CENTER, VR::DS, "40"),
        (tags::WINDOW_WIDTH, VR::DS, "400"),
    ] {
        object.put_str(tag, vr, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_strings_fit_and_keep_their_value() {
        for value in
            [0.1, 1.0 / 3.0, 4.07283, 1.234_567_890_123e-7, 248.6e6, -291.207_345, 2.0 / 3.0 * 1e-5]
        {
            let text = decimal(value);
            assert!(text.len() <= 16, "{text}");
            let back: f64 = text.parse().unwrap();
            assert!((back / value - 1.0).abs() < 1e-9, "{value} became {text}");
        }
    }
}
