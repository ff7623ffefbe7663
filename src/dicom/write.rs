//! Writes PET and CT volumes as DICOM series, one file a slice, JPEG-LS lossless or uncompressed.
//!
//! Source: PS3.3 A.3 (CT Image), A.21 (PET Image), C.8.9 (PET modules); PS3.5 A.2 (explicit VR little endian), A.4.3
//! (JPEG-LS) and B.2 (UIDs under 2.25).

mod attributes;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{NaiveDateTime, TimeDelta};
use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use rayon::prelude::*;
use serde::Serialize;
use thiserror::Error;

use self::attributes::{Put, ct_slice, date, decimal, decimals, pet_slice, time};

use crate::acquisition::Sex;
use crate::phantom::{self, Case, FLUORINE_18_HALF_LIFE_SECS, Phantom, SeriesTruth, Visit};
use crate::volume::Volume;

/// Why a series could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file system refused.
    #[error("cannot write {}: {source}; choose a folder that can be written", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The encoder refused.
    #[error("cannot encode slice {slice} of {}: {reason}", path.display())]
    Encode {
        /// File.
        path: PathBuf,
        /// Slice from 1.
        slice: usize,
        /// Cause.
        reason: String,
    },
}

/// How the pixels are written; the values are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// JPEG-LS lossless: a third of the bytes.
    #[default]
    JpegLs,
    /// Explicit VR little endian, uncompressed.
    Native,
}

impl Encoding {
    fn transfer_syntax(self) -> &'static str {
        match self {
            Self::JpegLs => uids::JPEGLS_LOSSLESS,
            Self::Native => uids::EXPLICIT_VR_LITTLE_ENDIAN,
        }
    }
}

/// What all objects of a study share.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyHeader {
    /// `PatientID`.
    pub patient_id: String,
    /// `PatientName`.
    pub patient_name: String,
    /// `PatientSex`.
    pub sex: Sex,
    /// `PatientAge` in years.
    pub age_years: u32,
    /// `PatientSize` in metres.
    pub height_m: f64,
    /// PatientWeight in kilograms.
    pub weight_kg: f64,
    /// `StudyDate` and `StudyTime`.
    pub started_at: NaiveDateTime,
    /// `StudyDescription`.
    pub description: String,
    /// `StudyInstanceUID`.
    pub study_uid: String,
    /// `FrameOfReferenceUID`, shared by PET and CT.
    pub frame_of_reference_uid: String,
    /// How the pixels are written.
    pub encoding: Encoding,
}

/// What a PET series says beyond the study.
#[derive(Debug, Clone, PartialEq)]
pub struct PetHeader {
    /// Decay-correction reference: `SeriesTime` and the start of the first bed.
    pub started_at: NaiveDateTime,
    /// Time of injection.
    pub injected_at: NaiveDateTime,
    /// Activity at injection, Bq.
    pub dose_bq: f64,
    /// `RadionuclideHalfLife`, seconds.
    pub half_life_secs: f64,
    /// `ActualFrameDuration`, seconds.
    pub bed_secs: f64,
}

/// A UID under 2.25 that belongs to a name: the 128 bits are a version 8 UUID made of the name's hash.
pub fn uid_for(name: &str) -> String {
    let half = |salt: &str| {
        // FNV-1a, 64 bits.
        salt.bytes().chain(name.bytes()).fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        })
    };
    let bits = u128::from(half("a")) << 64 | u128::from(half("b"));
    let version = (bits & !(0xF << 76)) | 0x8 << 76;
    format!("2.25.{}", (version & !(0x3 << 62)) | 0x2 << 62)
}

/// Writes a decay-corrected (START) PET series in Bq/mL; `PT000001.dcm` and on, from the feet up.
pub fn pet_series(
    folder: &Path,
    study: &StudyHeader,
    header: &PetHeader,
    activity: &Volume<f32>,
) -> Result<(), WriteError> {
    let series = Series::new(study, "PT", uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE);
    series.write(folder, activity, |slice, pixels, object| {
        pet_slice(object, header, activity, slice);
        let peak = pixels.iter().copied().fold(0.0, f32::max);
        let wanted = f64::from(peak).max(1.0) / 32767.0;
        let text = decimal(wanted);
        // The slope as the file has it, so that reading gives what was meant.
        let slope = text.parse().unwrap_or(wanted);
        object.put_str(tags::RESCALE_SLOPE, VR::DS, &text);
        object.put_str(tags::RESCALE_INTERCEPT, VR::DS, "0");
        let stored = |v: &f32| (f64::from(*v) / slope).round().clamp(0.0, 32767.0) as u16;
        (pixels.iter().map(stored).collect(), 16)
    })
}

/// Writes a CT series in Hounsfield units, stored unsigned in 12 bits; `CT000001.dcm` and on.
///
/// CT numbers outside -1024 to 3071 are clipped, as scanners do.
pub fn ct_series(
    folder: &Path,
    study: &StudyHeader,
    hounsfield: &Volume<i16>,
) -> Result<(), WriteError> {
    let series = Series::new(study, "CT", uids::CT_IMAGE_STORAGE);
    series.write(folder, hounsfield, |_, pixels, object| {
        ct_slice(object, study);
        (pixels.iter().map(|&hu| (hu.clamp(-1024, 3071) + 1024) as u16).collect(), 12)
    })
}

/// Writes all scans of a case, each in a folder of its own, and the truth beside them.
pub fn write_scans(case: &Case, encoding: Encoding, folder: &Path) -> Result<(), WriteError> {
    for visit in &case.visits {
        write_visit(case, visit, encoding, &folder.join(&visit.name))?;
    }
    let scans = case.visits.iter().map(|v| (v.name.clone(), v.deauville)).collect();
    let truth = SeriesTruth { case: case.name.clone(), scans, pairs: case.pairs.clone() };
    write_json(&folder.join("truth.json"), &truth)
}

/// Writes one scan of a phantom.
pub fn write_visit(
    case: &Case,
    visit: &Visit,
    encoding: Encoding,
    folder: &Path,
) -> Result<(), WriteError> {
    let Phantom { pet, ct, truth } = phantom::generate(case, visit);
    let name = |role: &str| uid_for(&format!("{} {} {role} {}", case.name, visit.name, visit.seed));
    let protocol = &visit.protocol;
    let study = StudyHeader {
        patient_id: case.patient_id.clone(),
        patient_name: case.patient_name.clone(),
        sex: visit.build.sex,
        age_years: case.age_years,
        height_m: visit.build.height_m,
        weight_kg: visit.build.weight_kg,
        // The CT comes first.
        started_at: protocol.started_at - TimeDelta::seconds(95),
        description: format!("Synthetic FDG PET-CT {}", visit.name),
        study_uid: name("study"),
        frame_of_reference_uid: name("frame of reference"),
        encoding,
    };
    let header = PetHeader {
        started_at: protocol.started_at,
        injected_at: protocol.injected_at,
        dose_bq: protocol.dose_bq,
        half_life_secs: FLUORINE_18_HALF_LIFE_SECS,
        bed_secs: protocol.bed_secs,
    };
    pet_series(&folder.join("pet"), &study, &header, &pet)?;
    if visit.with_ct {
        ct_series(&folder.join("ct"), &study, &ct)?;
    }
    write_json(&folder.join("truth.json"), &truth)
}

fn write_json(path: &Path, truth: &impl Serialize) -> Result<(), WriteError> {
    let mut text = serde_json::to_string_pretty(truth).expect("truth has string keys only");
    text.push('\n');
    fs::write(path, text).map_err(|source| WriteError::File { path: path.to_owned(), source })
}

struct Series<'a> {
    study: &'a StudyHeader,
    modality: &'static str,
    class: &'static str,
    uid: String,
}

impl<'a> Series<'a> {
    fn new(study: &'a StudyHeader, modality: &'static str, class: &'static str) -> Self {
        let uid = uid_for(&format!("{} {modality}", study.study_uid));
        Self { study, modality, class, uid }
    }

    /// Writes each slice; `fill` adds the attributes of its modality and gives stored values and bits.
    fn write<T: Sync>(
        &self,
        folder: &Path,
        volume: &Volume<T>,
        fill: impl Fn(usize, &[T], &mut InMemDicomObject) -> (Vec<u16>, u8) + Sync,
    ) -> Result<(), WriteError> {
        fs::create_dir_all(folder)
            .map_err(|source| WriteError::File { path: folder.to_owned(), source })?;
        let [_, rows, columns] = volume.geometry().shape();
        volume.values().par_chunks(rows * columns).enumerate().try_for_each(|(slice, pixels)| {
            let path = folder.join(format!("{}{:06}.dcm", self.modality, slice + 1));
            let mut object = InMemDicomObject::new_empty();
            self.patient_and_study(&mut object);
            self.place(&mut object, volume, slice);
            let (stored, bits) = fill(slice, pixels, &mut object);
            self.finish(object, slice, &stored, (rows, columns), bits, &path)
        })
    }

    fn patient_and_study(&self, object: &mut InMemDicomObject) {
        let study = self.study;
        let sex = match study.sex {
            Sex::Male => "M",
            Sex::Female => "F",
            Sex::Other => "O",
        };
        for (tag, vr, value) in [
            (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 100"),
            (tags::SOP_CLASS_UID, VR::UI, self.class),
            (tags::STUDY_DATE, VR::DA, &date(study.started_at)),
            (tags::STUDY_TIME, VR::TM, &time(study.started_at)),
            (tags::ACCESSION_NUMBER, VR::SH, ""),
            (tags::MODALITY, VR::CS, self.modality),
            (tags::MANUFACTURER, VR::LO, "petct"),
            (tags::MANUFACTURER_MODEL_NAME, VR::LO, "synthetic PET-CT"),
            (tags::SOFTWARE_VERSIONS, VR::LO, "phantom 1"),
            (tags::REFERRING_PHYSICIAN_NAME, VR::PN, ""),
            (tags::STUDY_DESCRIPTION, VR::LO, &study.description),
            (tags::PATIENT_NAME, VR::PN, &study.patient_name),
            (tags::PATIENT_ID, VR::LO, &study.patient_id),
            (tags::PATIENT_BIRTH_DATE, VR::DA, ""),
            (tags::PATIENT_SEX, VR::CS, sex),
            (tags::PATIENT_AGE, VR::AS, &format!("{:03}Y", study.age_years)),
            (tags::PATIENT_SIZE, VR::DS, &decimal(study.height_m)),
            (tags::PATIENT_WEIGHT, VR::DS, &decimal(study.weight_kg)),
            (tags::STUDY_INSTANCE_UID, VR::UI, &study.study_uid),
            (tags::SERIES_INSTANCE_UID, VR::UI, &self.uid),
            (tags::STUDY_ID, VR::SH, "1"),
            (tags::FRAME_OF_REFERENCE_UID, VR::UI, &study.frame_of_reference_uid),
            (tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
            (tags::BODY_PART_EXAMINED, VR::CS, "WHOLEBODY"),
        ] {
            object.put_str(tag, vr, value);
        }
    }

    fn place<T>(&self, object: &mut InMemDicomObject, volume: &Volume<T>, slice: usize) {
        let geometry = volume.geometry();
        let [between, row, column] = geometry.spacing_mm();
        let [_, row_step, column_step] = geometry.steps_mm();
        let directions =
            [column_step / column, row_step / row].into_iter().flat_map(|d| d.to_array());
        let position = geometry.centre_of([slice, 0, 0]).to_array();
        let micrometres = |v: f64| (v * 1e6).round() / 1e6;
        for (tag, vr, value) in [
            (tags::SOP_INSTANCE_UID, VR::UI, &self.instance_uid(slice)),
            (tags::INSTANCE_NUMBER, VR::IS, &(slice + 1).to_string()),
            (tags::IMAGE_POSITION_PATIENT, VR::DS, &decimals(position.map(micrometres))),
            (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, &decimals(directions)),
            (tags::PIXEL_SPACING, VR::DS, &decimals([row, column].map(micrometres))),
            (tags::SLICE_THICKNESS, VR::DS, &decimal(micrometres(between))),
            (tags::SLICE_LOCATION, VR::DS, &decimal(micrometres(position[2]))),
        ] {
            object.put_str(tag, vr, value);
        }
    }

    fn instance_uid(&self, slice: usize) -> String {
        uid_for(&format!("{} {slice}", self.uid))
    }

    fn finish(
        &self,
        mut object: InMemDicomObject,
        slice: usize,
        stored: &[u16],
        (rows, columns): (usize, usize),
        bits: u8,
        path: &Path,
    ) -> Result<(), WriteError> {
        let fail =
            |reason: String| WriteError::Encode { path: path.to_owned(), slice: slice + 1, reason };
        for (tag, value) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::ROWS, rows as u16),
            (tags::COLUMNS, columns as u16),
            (tags::BITS_ALLOCATED, 16),
            (tags::BITS_STORED, u16::from(bits)),
            (tags::HIGH_BIT, u16::from(bits) - 1),
            // A PET fills 0 to 32767 of a signed word as scanners do; a CT is unsigned.
            (tags::PIXEL_REPRESENTATION, u16::from(bits == 16)),
        ] {
            object.put_u16(tag, value);
        }
        object.put_str(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
        object.put_str(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");

        object.put(match self.study.encoding {
            Encoding::JpegLs => {
                let code = jpeg_ls(stored, (rows, columns), bits).map_err(&fail)?;
                let frame = PixelFragmentSequence::new(vec![0u32], vec![code]);
                DataElement::new(tags::PIXEL_DATA, VR::OB, frame)
            }
            Encoding::Native => {
                let pixels = PrimitiveValue::U16(stored.into());
                DataElement::new(tags::PIXEL_DATA, VR::OW, pixels)
            }
        });
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(self.class)
            .media_storage_sop_instance_uid(self.instance_uid(slice))
            .transfer_syntax(self.study.encoding.transfer_syntax())
            .implementation_class_uid(uid_for("petct"))
            .implementation_version_name("PETCT");
        let file = object.with_meta(meta).map_err(|e| fail(e.to_string()))?;
        file.write_to_file(path).map_err(|e| fail(e.to_string()))
    }
}

/// One frame as an even number of bytes.
fn jpeg_ls(stored: &[u16], (rows, columns): (usize, usize), bits: u8) -> Result<Vec<u8>, String> {
    let mut options = jpegls::EncodeOptions::default();
    options.precision = Some(bits);
    let mut code = Vec::new();
    jpegls::encode_with_options(stored, columns as u32, rows as u32, &options, &mut code)
        .map_err(|e| e.to_string())?;
    if code.len() % 2 == 1 {
        code.push(0);
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_valid_and_their_own() {
        let (a, b) = (uid_for("patient-1 t0"), uid_for("patient-1 t1"));
        assert_ne!(a, b);
        for uid in [a, b] {
            assert!(uid.len() <= 64 && uid.starts_with("2.25."), "{uid}");
            let bits: u128 = uid[5..].parse().unwrap();
            assert_eq!((bits >> 76 & 0xF, bits >> 62 & 0x3), (8, 2), "{uid} is not a UUID");
        }
    }
}
