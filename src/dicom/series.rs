//! Studies and series as their headers describe them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveTime};
use dicom_dictionary_std::{tags, uids};

use super::attribute::{date, element_text, number, text_or_empty, time};
use super::error::GeometryFault;
use super::pixels::{MAY_LOSE, Samples};
use super::record::{PixelFormat, Record, difference, first_other, type_values};
use super::stack::{Slice, place};
use crate::acquisition::{Attribute, PetAcquisition, Sex};
use crate::diagnostic::Warning;
use crate::geometry::VolumeGeometry;

const SLOPE: &str = "RescaleSlope (0028,1053)";

/// One study: the series of one examination.
#[derive(Debug, Clone)]
pub struct Study {
    /// `StudyInstanceUID` (0020,000D).
    pub study_instance_uid: String,
    /// `StudyDate` (0008,0020).
    pub study_date: Attribute<NaiveDate>,
    /// `StudyDescription` (0008,1030).
    pub study_description: String,
    /// Who was examined; never part of a message.
    pub patient: Patient,
    /// The series, by number and identifier.
    pub series: Vec<Series>,
}

/// Who was examined.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patient {
    /// `PatientID` (0010,0020).
    pub id: String,
    /// `PatientName` (0010,0010).
    pub name: String,
    /// `PatientBirthDate` (0010,0030).
    pub birth_date: Attribute<NaiveDate>,
    /// `PatientSex` (0010,0040).
    pub sex: Attribute<Sex>,
}

/// How a series was reconstructed: what two scans should have in common to be compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reconstruction {
    /// `SoftwareVersions` (0018,1020).
    pub software_versions: String,
    /// `ReconstructionMethod` (0054,1103).
    pub method: String,
    /// `ConvolutionKernel` (0018,1210).
    pub kernel: String,
    /// `SliceThickness` (0018,0050), millimetres.
    pub slice_thickness_mm: Attribute<f64>,
    /// `AttenuationCorrectionMethod` (0054,1101).
    pub attenuation_correction: String,
    /// `ScatterCorrectionMethod` (0054,1105).
    pub scatter_correction: String,
    /// `RandomsCorrectionMethod` (0054,1100).
    pub randoms_correction: String,
    /// `TimeOfFlightInformationUsed` (0018,9755), `TRUE` or `FALSE`, where the object says so.
    pub time_of_flight: Option<bool>,
}

/// One series from headers alone.
#[derive(Debug, Clone)]
pub struct Series {
    /// `StudyInstanceUID` (0020,000D).
    pub study_instance_uid: String,
    /// `SeriesInstanceUID` (0020,000E).
    pub series_instance_uid: String,
    /// `FrameOfReferenceUID` (0020,0052); empty where missing.
    pub frame_of_reference_uid: String,
    /// Modality (0008,0060).
    pub modality: String,
    /// `SeriesDescription` (0008,103E).
    pub description: String,
    /// `SeriesNumber` (0020,0011).
    pub number: Option<i64>,
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// `ManufacturerModelName` (0008,1090).
    pub model: String,
    /// `SOPClassUID` (0008,0016).
    pub sop_class_uid: String,
    /// `ImageType` (0008,0008), capitals.
    pub image_type: Vec<String>,
    /// `SeriesType` (0054,1000), capitals.
    pub series_type: Vec<String>,
    /// `TransferSyntaxUID` (0002,0010) of the files, each once.
    pub transfer_syntaxes: Vec<String>,
    /// `SeriesDate` (0008,0021).
    pub date: Attribute<NaiveDate>,
    /// `SeriesTime` (0008,0031).
    pub time: Attribute<NaiveTime>,
    /// How it was reconstructed.
    pub reconstruction: Reconstruction,
    /// Number of slices (frames of all files).
    pub slices: usize,
    /// The lattice of the slices, or why there is none.
    pub geometry: Result<VolumeGeometry, GeometryFault>,
    /// Of a PET: the facts for SUV, slices in the order of the volume. `None` for other modalities and where a slice
    /// has no usable RescaleSlope or `RescaleIntercept`.
    pub acquisition: Option<PetAcquisition>,
    /// Whether the series can be used as a PET or CT volume.
    pub usable: bool,
    /// Why it cannot be used, one sentence each.
    pub reasons: Vec<String>,
    /// What does not stop its use but should be known: lossy compression, fewer slices than announced.
    pub remarks: Vec<Warning>,
    /// Whether the voxels can be placed and rescaled, whatever else speaks against the series.
    pub(super) loadable: bool,
    /// The words of `ImageType`, `SeriesType` and `FrameType` of all slices, each once.
    pub(super) kinds: Vec<String>,
    pub(super) patient: Patient,
    pub(super) study_date: Attribute<NaiveDate>,
    pub(super) study_description: String,
    /// The frames in the order of the volume.
    pub(super) sources: Vec<Source>,
    /// The files in the order of their first slice.
    pub(super) files: Vec<(PathBuf, PixelFormat)>,
}

/// Where one slice comes from and how its samples are scaled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// Which file of the series.
    pub(super) file: usize,
    /// Which frame of the file, from 0.
    pub(super) frame: u32,
    pub(super) slope: f64,
    pub(super) intercept: f64,
}

impl Source {
    /// Whether stored values from one to another are none that a PET would measure: activity is not negative.
    pub(super) fn is_without_activity(self, stored: [f64; 2]) -> bool {
        stored.iter().all(|&value| value * self.slope + self.intercept <= 0.0)
    }
}

impl Series {
    /// The files of the series, in the order of their first slice.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// Whether the series is a PET.
    pub fn is_pet(&self) -> bool {
        self.modality == "PT"
    }

    /// The series in a message: its identifier and its description.
    pub fn label(&self) -> String {
        if self.description.is_empty() {
            self.series_instance_uid.clone()
        } else {
            format!("{} ({})", self.series_instance_uid, self.description)
        }
    }

    /// Joins the files of one series, in the order of their paths; `broken` are files that belong to it but cannot be read.
    pub(super) fn of(records: &[Record], broken: &[(PathBuf, String)]) -> Self {
        let mut slices = records
            .iter()
            .flat_map(|record| record.frames.iter().map(move |frame| Slice { record, frame }))
            .collect::<Vec<_>>();
        let various = various(records);
        let agreement = disagreement(&various).map_or(Ok(()), Err);
        let geometry = place(&mut slices);
        let geometry = agreement.and(geometry);
        let mut reasons =
            geometry.as_ref().err().map(ToString::to_string).into_iter().collect::<Vec<_>>();
        reasons.extend(broken.iter().map(|(path, why)| format!("{} {why}", path.display())));
        reasons.extend(records.iter().flat_map(|record| {
            record.faults.iter().map(|fault| format!("{}: {fault}", record.path.display()))
        }));
        let files = file_order(&slices);
        let sources = sources(&slices, &files);
        reasons.extend(sources.as_ref().err().cloned());
        reasons.extend(undecodable(&various));
        let loadable = reasons.is_empty();
        let acquisition =
            records[0].facts.acquisition.clone().filter(|_| sources.is_ok()).map(|shared| {
                acquisition(shared, &slices, sources.as_deref().unwrap_or_default(), &geometry)
            });
        let mut series =
            Self { acquisition, loadable, files, ..Self::described(&records[0], geometry) };
        series.slices = slices.len();
        series.sources = sources.unwrap_or_default();
        series.transfer_syntaxes =
            various.iter().map(|record| record.format.transfer_syntax.clone()).collect();
        series.transfer_syntaxes.sort();
        series.transfer_syntaxes.dedup();
        series.kinds = kinds(&various);
        series.remarks = remarks(&various, &series);
        reasons.extend(super::select::objections(&series));
        series.usable = reasons.is_empty();
        series.reasons = reasons;
        series
    }

    fn described(record: &Record, geometry: Result<VolumeGeometry, GeometryFault>) -> Self {
        let header = record.facts.header.data_set();
        let text = |tag| text_or_empty(header, tag);
        Self {
            study_instance_uid: record.facts.study_uid.clone(),
            series_instance_uid: record.facts.series_uid.clone(),
            frame_of_reference_uid: text(tags::FRAME_OF_REFERENCE_UID),
            modality: text(tags::MODALITY),
            description: text(tags::SERIES_DESCRIPTION),
            number: number(header, tags::SERIES_NUMBER).value().map(|&n| n as i64),
            manufacturer: text(tags::MANUFACTURER),
            model: text(tags::MANUFACTURER_MODEL_NAME),
            sop_class_uid: text(tags::SOP_CLASS_UID),
            image_type: type_values(header, tags::IMAGE_TYPE),
            series_type: type_values(header, tags::SERIES_TYPE),
            transfer_syntaxes: Vec::new(),
            date: date(header, tags::SERIES_DATE),
            time: time(header, tags::SERIES_TIME),
            reconstruction: Reconstruction {
                software_versions: text(tags::SOFTWARE_VERSIONS),
                method: text(tags::RECONSTRUCTION_METHOD),
                kernel: text(tags::CONVOLUTION_KERNEL),
                slice_thickness_mm: record
                    .frames
                    .first()
                    .map(|f| f.thickness_mm.clone())
                    .unwrap_or_default(),
                attenuation_correction: text(tags::ATTENUATION_CORRECTION_METHOD),
                scatter_correction: text(tags::SCATTER_CORRECTION_METHOD),
                randoms_correction: text(tags::RANDOMS_CORRECTION_METHOD),
                time_of_flight: match text(tags::TIME_OF_FLIGHT_INFORMATION_USED).as_str() {
                    "TRUE" => Some(true),
                    "FALSE" => Some(false),
                    _ => None,
                },
            },
            slices: 0,
            geometry,
            acquisition: None,
            usable: false,
            reasons: Vec::new(),
            remarks: Vec::new(),
            loadable: false,
            kinds: Vec::new(),
            patient: Patient {
                id: text(tags::PATIENT_ID),
                name: text(tags::PATIENT_NAME),
                birth_date: date(header, tags::PATIENT_BIRTH_DATE),
                sex: super::pet::sex(header),
            },
            study_date: date(header, tags::STUDY_DATE),
            study_description: text(tags::STUDY_DESCRIPTION),
            sources: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Whether the voxels can be placed and rescaled, whatever else speaks against the series.
    pub fn is_loadable(&self) -> bool {
        self.loadable
    }

    /// Whether the object class holds many frames in one file.
    pub fn is_multi_frame(&self) -> bool {
        [
            uids::ENHANCED_PET_IMAGE_STORAGE,
            uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE,
            uids::ENHANCED_CT_IMAGE_STORAGE,
            uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE,
        ]
        .contains(&self.sop_class_uid.as_str())
    }
}

/// The files of a series without those that share the facts of the one before; never empty.
fn various(records: &[Record]) -> Vec<&Record> {
    let runs = records.chunk_by(Record::shares_facts);
    runs.map(|run| &run[0]).collect()
}

/// The words of `ImageType`, `SeriesType` and `FrameType` in capitals, each once.
fn kinds(records: &[&Record]) -> Vec<String> {
    let mut words = BTreeSet::new();
    for element in records.iter().flat_map(|record| record.kinds()) {
        for word in element_text(element).value().iter().flat_map(|text| text.split('\\')) {
            words.insert(word.trim().to_ascii_uppercase());
        }
    }
    words.remove("");
    words.into_iter().collect()
}

/// Why the samples of the first such file of a PET or CT cannot be read.
fn undecodable(records: &[&Record]) -> Option<String> {
    let modality = text_or_empty(records[0].facts.header.data_set(), tags::MODALITY);
    if !["PT", "CT"].contains(&modality.as_str()) {
        return None;
    }
    records.iter().find_map(|record| {
        let reason = Samples::of(&record.format, modality == "PT").err()?;
        Some(format!("{} in {}", reason, record.path.display()))
    })
}

fn remarks(records: &[&Record], series: &Series) -> Vec<Warning> {
    let mut remarks = Vec::new();
    let says = |answer: &str| {
        records.iter().any(|record| {
            text_or_empty(record.facts.header.data_set(), tags::LOSSY_IMAGE_COMPRESSION) == answer
        })
    };
    let used =
        |loses: &[&str]| series.transfer_syntaxes.iter().any(|uid| loses.contains(&uid.as_str()));
    let message = if says("01") || used(&[uids::JPEG_BASELINE8_BIT, uids::JPEGLS_NEAR_LOSSLESS]) {
        Some("was compressed with loss; its values are approximate")
    } else if used(&MAY_LOSE) && !says("00") {
        Some(
            "may have been compressed with loss: LossyImageCompression (0028,2110) does not tell; its values may be approximate",
        )
    } else {
        None
    };
    remarks.extend(message.map(|message| {
        Warning::new("LOSSY_COMPRESSION", format!("series {} {message}", series.label()))
    }));
    remarks.extend(padding_with_activity(series));
    let announced = number(records[0].facts.header.data_set(), tags::NUMBER_OF_SLICES);
    if let Some(&announced) = announced.value().filter(|&&n| n > series.slices as f64) {
        let message = format!(
            "series {} announces {announced} slices in NumberOfSlices (0054,0081) and has {}: an end may be missing",
            series.label(),
            series.slices
        );
        remarks.push(Warning::new("FEWER_SLICES", message));
    }
    remarks
}

/// That a PET calls values padding that may as well have been measured: the header alone cannot tell which they are, and
/// the hottest voxels must not be lost.
fn padding_with_activity(series: &Series) -> Option<Warning> {
    let padding = |source: &Source| {
        let format = &series.files[source.file].1;
        let ends = format.padding?;
        let ends = Samples::of(format, true).ok()?.padding(ends);
        (!source.is_without_activity(ends)).then_some(ends)
    };
    let [low, high] = series.sources.iter().filter(|_| series.is_pet()).find_map(padding)?;
    let message = format!(
        "series {} calls stored values from {low} to {high} padding in PixelPaddingValue (0028,0120), but they would be activity; they are taken as measured",
        series.label()
    );
    Some(Warning::new("PADDING_WITH_ACTIVITY", message))
}

/// The first attribute in which two files of a series differ though they must not.
fn disagreement(records: &[&Record]) -> Option<GeometryFault> {
    let first = records[0];
    let constants = first.constants().collect::<Vec<_>>();
    records[1..].iter().find_map(|record| {
        let constant = first_other(&constants, record.constants());
        let attribute = constant.or_else(|| {
            difference(first.facts.acquisition.as_ref()?, record.facts.acquisition.as_ref()?)
        })?;
        let files = Box::new([first.path.clone(), record.path.clone()]);
        Some(GeometryFault::Differs { attribute, files })
    })
}

/// Slope and intercept of each slice in the order given; a missing one is refused, never 1 or 0.
fn sources(slices: &[Slice], files: &[(PathBuf, PixelFormat)]) -> Result<Vec<Source>, String> {
    let position = |path: &Path| files.iter().position(|(file, _)| file == path);
    let numbered = files.len() == slices.len();
    slices
        .iter()
        .enumerate()
        .map(|(i, &Slice { record, frame })| {
            let value = |attribute: &Attribute<f64>, name: &str| {
                attribute.value().copied().ok_or_else(|| {
                    format!(
                        "{name} {} in {}",
                        attribute.fault().unwrap_or_default(),
                        record.path.display()
                    )
                })
            };
            let slope = value(&frame.slope, SLOPE)?;
            if slope == 0.0 {
                return Err(format!("{SLOPE} is 0 in {}", record.path.display()));
            }
            Ok(Source {
                file: if numbered { i } else { position(&record.path).unwrap_or(0) },
                frame: frame.index,
                slope,
                intercept: value(&frame.intercept, "RescaleIntercept (0028,1052)")?,
            })
        })
        .collect()
}

/// The files in the order of their first slice.
fn file_order(slices: &[Slice]) -> Vec<(PathBuf, PixelFormat)> {
    let mut files: Vec<(PathBuf, PixelFormat)> = Vec::new();
    let mut seen = BTreeSet::new();
    for Slice { record, .. } in slices {
        if record.frames.len() == 1 || seen.insert(&record.path) {
            files.push((record.path.clone(), record.format.clone()));
        }
    }
    files
}

fn acquisition(
    shared: PetAcquisition,
    slices: &[Slice],
    sources: &[Source],
    geometry: &Result<VolumeGeometry, GeometryFault>,
) -> PetAcquisition {
    let slices = slices
        .iter()
        .zip(sources)
        .map(|(slice, source)| crate::acquisition::PetSlice {
            rescale_slope: source.slope,
            rescale_intercept: source.intercept,
            ..slice.frame.slice.clone()
        })
        .collect();
    // Without a lattice there is no voxel, and no volume of it; such a series is never loaded.
    let voxel_ml = geometry.as_ref().map_or(f64::NAN, VolumeGeometry::voxel_ml);
    PetAcquisition { voxel_ml, slices, ..shared }
}
