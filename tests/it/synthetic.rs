//! Small PET and CT series written as DICOM files, with every property open to change.
//!
//! Voxel `[slice, row, column]` of the lattice stores `100 * slice + 10 * row + column` unless told otherwise, so a test
//! can tell where each voxel went.

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use glam::DVec3;

use crate::encode::{Lossless, jpeg_ls, rle};

/// How samples are put into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
    Deflated,
    Rle,
    JpegLossless,
    JpegLsLossless,
    JpegLsNear(u8),
}

impl Coding {
    pub(crate) fn transfer_syntax(self) -> &'static str {
        match self {
            Self::ImplicitLittle => uids::IMPLICIT_VR_LITTLE_ENDIAN,
            Self::ExplicitLittle => uids::EXPLICIT_VR_LITTLE_ENDIAN,
            Self::ExplicitBig => "1.2.840.10008.1.2.2",
            Self::Deflated => uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
            Self::Rle => uids::RLE_LOSSLESS,
            Self::JpegLossless => uids::JPEG_LOSSLESS_SV1,
            Self::JpegLsLossless => uids::JPEGLS_LOSSLESS,
            Self::JpegLsNear(_) => uids::JPEGLS_NEAR_LOSSLESS,
        }
    }
}

/// A series to be written; change fields before [`write`](Synthetic::write).
#[derive(Clone)]
pub(crate) struct Synthetic {
    /// `PT` or `CT`.
    pub(crate) modality: &'static str,
    pub(crate) series_uid: String,
    pub(crate) description: String,
    /// Slices, rows, columns.
    pub(crate) shape: [usize; 3],
    pub(crate) origin_mm: DVec3,
    /// Directions of increasing column and of increasing row index.
    pub(crate) cosines: [DVec3; 2],
    /// Distance between slices, between rows, between columns.
    pub(crate) spacing_mm: [f64; 3],
    /// Added to the place of a slice along the normal.
    pub(crate) jitter_mm: fn(usize) -> f64,
    pub(crate) coding: Coding,
    pub(crate) bits: u16,
    pub(crate) signed: bool,
    pub(crate) stored: fn([usize; 3]) -> i32,
    pub(crate) slope: fn(usize) -> f64,
    pub(crate) intercept: f64,
    /// Elements put into every slice, after all others.
    pub(crate) put: Vec<InMemElement>,
    /// Elements put into one slice.
    pub(crate) put_in: Vec<(usize, InMemElement)>,
    /// Tags taken out of every slice.
    pub(crate) removed: Vec<Tag>,
    /// Slices that are not written.
    pub(crate) skipped: Vec<usize>,
    pub(crate) file_name: fn(usize) -> String,
}

impl Synthetic {
    /// An axial FDG PET: 6 slices of 5 x 4 voxels of 3 x 2.5 x 2 mm, BQML, START, one hour after injection.
    pub(crate) fn pet() -> Self {
        Self {
            modality: "PT",
            series_uid: "1.2.3.1".into(),
            description: "PET AC".into(),
            shape: [6, 5, 4],
            origin_mm: DVec3::new(-3.0, -5.0, -100.0),
            cosines: [DVec3::X, DVec3::Y],
            spacing_mm: [3.0, 2.5, 2.0],
            jitter_mm: |_| 0.0,
            coding: Coding::ExplicitLittle,
            bits: 16,
            signed: true,
            stored: |[s, r, c]| (100 * s + 10 * r + c) as i32,
            slope: |slice| 0.5 + slice as f64,
            intercept: 0.0,
            put: Vec::new(),
            put_in: Vec::new(),
            removed: Vec::new(),
            skipped: Vec::new(),
            file_name: |slice| format!("{slice:03}.dcm"),
        }
    }

    /// A CT over the same place with voxels of 3 x 1.25 x 1 mm.
    pub(crate) fn ct() -> Self {
        Self {
            modality: "CT",
            series_uid: "1.2.3.2".into(),
            description: "CT".into(),
            shape: [6, 10, 8],
            spacing_mm: [3.0, 1.25, 1.0],
            slope: |_| 1.0,
            intercept: -1024.0,
            file_name: |slice| format!("ct{slice:03}"),
            ..Self::pet()
        }
    }

    /// Adds a text element to every slice.
    pub(crate) fn with(mut self, tag: Tag, vr: VR, value: &str) -> Self {
        self.put.push(text(tag, vr, value));
        self
    }

    /// Takes an element out of every slice.
    pub(crate) fn without(mut self, tag: Tag) -> Self {
        self.removed.push(tag);
        self
    }

    /// Direction in which slices follow each other.
    pub(crate) fn normal(&self) -> DVec3 {
        self.cosines[0].cross(self.cosines[1])
    }

    /// Centre of a voxel.
    pub(crate) fn place(&self, [s, r, c]: [usize; 3]) -> DVec3 {
        let [slice_mm, row_mm, column_mm] = self.spacing_mm;
        self.origin_mm
            + self.normal() * (s as f64 * slice_mm + (self.jitter_mm)(s))
            + self.cosines[1] * r as f64 * row_mm
            + self.cosines[0] * c as f64 * column_mm
    }

    /// Writes the series into a folder, which is made where needed; the files in the order of the slices.
    pub(crate) fn write(&self, folder: &Path) -> Vec<PathBuf> {
        std::fs::create_dir_all(folder).unwrap();
        (0..self.shape[0])
            .filter(|slice| !self.skipped.contains(slice))
            .map(|slice| {
                let path = folder.join((self.file_name)(slice));
                let meta = FileMetaTableBuilder::new()
                    .transfer_syntax(self.coding.transfer_syntax())
                    .media_storage_sop_class_uid(self.sop_class())
                    .media_storage_sop_instance_uid(format!("{}.{}", self.series_uid, slice + 1))
                    .build()
                    .unwrap();
                self.data_set(slice).with_exact_meta(meta).write_to_file(&path).unwrap();
                path
            })
            .collect()
    }

    fn sop_class(&self) -> &'static str {
        match self.modality {
            "PT" => uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
            _ => uids::CT_IMAGE_STORAGE,
        }
    }

    /// The data set of one slice.
    pub(crate) fn data_set(&self, slice: usize) -> InMemDicomObject {
        let mut object = self.description_of(slice);
        if self.modality == "PT" {
            pet_attributes(&mut object);
        }
        object.put(self.pixel_data(slice));
        for element in &self.put {
            object.put(element.clone());
        }
        for (_, element) in self.put_in.iter().filter(|(at, _)| *at == slice) {
            object.put(element.clone());
        }
        for &tag in &self.removed {
            object.remove_element(tag);
        }
        object
    }

    fn description_of(&self, slice: usize) -> InMemDicomObject {
        let [x, y] = self.cosines;
        let join =
            |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join("\\");
        let mut object = InMemDicomObject::from_element_iter([
            text(tags::SOP_CLASS_UID, VR::UI, self.sop_class()),
            text(tags::SOP_INSTANCE_UID, VR::UI, &format!("{}.{}", self.series_uid, slice + 1)),
            text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3"),
            text(tags::SERIES_INSTANCE_UID, VR::UI, &self.series_uid),
            text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.3.9"),
            text(tags::MODALITY, VR::CS, self.modality),
            text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
            text(tags::MANUFACTURER, VR::LO, "Synthetic"),
            text(tags::SERIES_DESCRIPTION, VR::LO, &self.description),
            text(tags::PATIENT_NAME, VR::PN, "Doe^Secret"),
            text(tags::PATIENT_ID, VR::LO, "SECRET-ID"),
            text(tags::STUDY_DATE, VR::DA, "20260102"),
            // The order of instance numbers is the reverse of that of the places: it must not matter.
            text(tags::INSTANCE_NUMBER, VR::IS, &(self.shape[0] - slice).to_string()),
            text(
                tags::IMAGE_POSITION_PATIENT,
                VR::DS,
                &join(&self.place([slice, 0, 0]).to_array()),
            ),
            text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, &join(&[x.x, x.y, x.z, y.x, y.y, y.z])),
            text(tags::PIXEL_SPACING, VR::DS, &join(&self.spacing_mm[1..])),
            text(tags::SLICE_THICKNESS, VR::DS, &self.spacing_mm[0].to_string()),
            text(tags::RESCALE_SLOPE, VR::DS, &(self.slope)(slice).to_string()),
            text(tags::RESCALE_INTERCEPT, VR::DS, &self.intercept.to_string()),
            text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        ]);
        let allocated = if self.bits <= 8 {
            8
        } else if self.bits <= 16 {
            16
        } else {
            32
        };
        for (tag, value) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::ROWS, self.shape[1] as u16),
            (tags::COLUMNS, self.shape[2] as u16),
            (tags::BITS_ALLOCATED, allocated),
            (tags::BITS_STORED, self.bits),
            (tags::HIGH_BIT, self.bits - 1),
            (tags::PIXEL_REPRESENTATION, u16::from(self.signed)),
        ] {
            object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
        }
        object
    }

    fn pixel_data(&self, slice: usize) -> InMemElement {
        let [_, rows, columns] = self.shape;
        // Bits above BitsStored hold noise, as overlays of old did: readers must mask them.
        let (mask, noise) =
            if self.bits < 32 { ((1_u32 << self.bits) - 1, !0_u32 << self.bits) } else { (!0, 0) };
        let words = (0..rows * columns)
            .map(|i| (self.stored)([slice, i / columns, i % columns]) as u32 & mask)
            .collect::<Vec<_>>();
        let native = |noise: u32| match self.bits {
            0..=8 => PrimitiveValue::U8(words.iter().map(|&w| w as u8).collect()),
            9..=16 => PrimitiveValue::U16(words.iter().map(|&w| (w | noise) as u16).collect()),
            _ => PrimitiveValue::U32(words.iter().copied().collect()),
        };
        let samples: Vec<_> = words.iter().map(|&w| w as u16).collect();
        let stream = match self.coding {
            Coding::ImplicitLittle
            | Coding::ExplicitLittle
            | Coding::ExplicitBig
            | Coding::Deflated => {
                // 32-bit words have the representation OW in the standard; OL writes the same bytes.
                let vr = match self.bits {
                    0..=8 => VR::OB,
                    9..=16 => VR::OW,
                    _ => VR::OL,
                };
                return DataElement::new(tags::PIXEL_DATA, vr, native(noise));
            }
            Coding::Rle => rle(&samples, if self.bits <= 8 { 1 } else { 2 }),
            Coding::JpegLossless => Lossless { bits: 16, predictor: 1, shift: 0, restart_lines: 0 }
                .write(&samples, columns),
            Coding::JpegLsLossless => jpeg_ls(&samples, rows, columns, self.bits.into(), 0),
            Coding::JpegLsNear(near) => jpeg_ls(&samples, rows, columns, self.bits.into(), near),
        };
        encapsulated(stream)
    }
}

/// A text element.
pub(crate) fn text(tag: Tag, vr: VR, value: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

/// Pixel data of one fragment.
pub(crate) fn encapsulated(mut stream: Vec<u8>) -> InMemElement {
    if stream.len() % 2 == 1 {
        stream.push(0);
    }
    let fragments = dicom_core::value::PixelFragmentSequence::new_fragments(vec![stream]);
    DataElement::new(tags::PIXEL_DATA, VR::OB, fragments)
}

fn pet_attributes(object: &mut InMemDicomObject) {
    let tracer = InMemDicomObject::from_element_iter([
        text(tags::RADIOPHARMACEUTICAL, VR::LO, "FDG"),
        text(tags::RADIONUCLIDE_TOTAL_DOSE, VR::DS, "370000000"),
        text(tags::RADIONUCLIDE_HALF_LIFE, VR::DS, "6586.2"),
        text(tags::RADIOPHARMACEUTICAL_START_TIME, VR::TM, "090000"),
    ]);
    for element in [
        text(tags::UNITS, VR::CS, "BQML"),
        text(tags::DECAY_CORRECTION, VR::CS, "START"),
        text(tags::CORRECTED_IMAGE, VR::CS, "ATTN\\DECY\\SCAT"),
        text(tags::SERIES_TYPE, VR::CS, "WHOLE BODY\\IMAGE"),
        text(tags::PATIENT_WEIGHT, VR::DS, "70"),
        text(tags::SERIES_DATE, VR::DA, "20260102"),
        text(tags::SERIES_TIME, VR::TM, "100000"),
        text(tags::ACQUISITION_DATE, VR::DA, "20260102"),
        text(tags::ACQUISITION_TIME, VR::TM, "100000"),
        text(tags::FRAME_REFERENCE_TIME, VR::DS, "0"),
        text(tags::ACTUAL_FRAME_DURATION, VR::IS, "120000"),
        DataElement::new(
            tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
            VR::SQ,
            dicom_core::value::DataSetSequence::from(vec![tracer]),
        ),
    ] {
        object.put(element);
    }
}
