//! Objects of many frames: every frame at its own place with its own slope, in whatever order they are stored.
#![expect(clippy::float_cmp, reason = "the values are exact by construction")]

use std::path::Path;

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use petct::dicom::{load_ct, load_ct_reduced, load_pet, scan, select};
use petct::resample::reduce_hounsfield;
use tempfile::TempDir;

use crate::synthetic::{Coding, Synthetic, text};

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

fn item(elements: impl IntoIterator<Item = InMemElement>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

fn moved(from: &mut InMemDicomObject, tags: &[Tag]) -> InMemDicomObject {
    item(tags.iter().filter_map(|&tag| from.take(tag)))
}

/// The slices of a series as the frames of one object, the last slice first.
pub(crate) fn joined(
    series: &Synthetic,
    class: &str,
) -> (InMemDicomObject, InMemDicomObject, Vec<InMemDicomObject>) {
    let mut root = series.data_set(0);
    root.put(text(tags::SOP_CLASS_UID, VR::UI, class));
    let frames = series.shape[0];
    root.put(text(tags::NUMBER_OF_FRAMES, VR::IS, &frames.to_string()));
    let mut words = Vec::new();
    let mut per_frame = Vec::new();
    for slice in (0..frames).rev() {
        let mut own = series.data_set(slice);
        words.extend(own.element(tags::PIXEL_DATA).unwrap().to_multi_int::<u16>().unwrap());
        per_frame.push(item([
            sequence(
                tags::PLANE_POSITION_SEQUENCE,
                vec![moved(&mut own, &[tags::IMAGE_POSITION_PATIENT])],
            ),
            sequence(
                tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
                vec![moved(&mut own, &[tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT])],
            ),
        ]));
    }
    root.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words.into())));
    let shared = item([
        sequence(
            tags::PLANE_ORIENTATION_SEQUENCE,
            vec![moved(&mut root, &[tags::IMAGE_ORIENTATION_PATIENT])],
        ),
        sequence(
            tags::PIXEL_MEASURES_SEQUENCE,
            vec![moved(&mut root, &[tags::PIXEL_SPACING, tags::SLICE_THICKNESS])],
        ),
    ]);
    for tag in [tags::IMAGE_POSITION_PATIENT, tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT] {
        root.remove_element(tag);
    }
    (root, shared, per_frame)
}

pub(crate) fn write(
    folder: &Path,
    parts: (InMemDicomObject, InMemDicomObject, Vec<InMemDicomObject>),
) {
    write_as(folder, parts, uids::EXPLICIT_VR_LITTLE_ENDIAN);
}

fn write_as(
    folder: &Path,
    (mut root, shared, per_frame): (InMemDicomObject, InMemDicomObject, Vec<InMemDicomObject>),
    transfer_syntax: &str,
) {
    root.put(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]));
    root.put(sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, per_frame));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(transfer_syntax)
        .media_storage_sop_class_uid(root.element(tags::SOP_CLASS_UID).unwrap().to_str().unwrap())
        .media_storage_sop_instance_uid("1.2.3.4")
        .build()
        .unwrap();
    root.with_exact_meta(meta).write_to_file(folder.join("object")).unwrap();
}

fn check_values(series: &Synthetic, folder: &Path, slope: impl Fn(usize) -> f64) {
    let studies = scan(folder).unwrap().output;
    let found = select(&studies, None).unwrap().pet;
    let volume = load_pet(found, &vec![2.0; series.shape[0]]).unwrap();
    assert_eq!(volume.geometry().shape(), series.shape);
    for (offset, &value) in volume.values().iter().enumerate() {
        let voxel = volume.voxel_of(offset);
        assert!((volume.geometry().centre_of(voxel) - series.place(voxel)).length() < 1e-6);
        assert_eq!(value, (f64::from((series.stored)(voxel)) * slope(voxel[0]) * 2.0) as f32);
    }
}

#[test]
fn a_legacy_converted_pet_loads_frame_by_frame() {
    let series = Synthetic::pet();
    let (mut root, mut shared, mut per_frame) =
        joined(&series, uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE);
    let unplaced = [
        tags::UNITS,
        tags::DECAY_CORRECTION,
        tags::CORRECTED_IMAGE,
        tags::SERIES_TYPE,
        tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE,
    ];
    shared.put(sequence(
        tags::UNASSIGNED_SHARED_CONVERTED_ATTRIBUTES_SEQUENCE,
        vec![moved(&mut root, &unplaced)],
    ));
    root.remove_element(tags::FRAME_REFERENCE_TIME);
    for (stored, frame) in per_frame.iter_mut().enumerate() {
        let time = text(tags::FRAME_REFERENCE_TIME, VR::DS, &(1000 * stored).to_string());
        frame.put(sequence(
            tags::UNASSIGNED_PER_FRAME_CONVERTED_ATTRIBUTES_SEQUENCE,
            vec![item([time])],
        ));
    }
    let folder = TempDir::new().unwrap();
    write(folder.path(), (root, shared, per_frame));
    check_values(&series, folder.path(), series.slope);
    let studies = scan(folder.path()).unwrap().output;
    let acquisition = studies[0].series[0].acquisition.as_ref().unwrap();
    assert_eq!(acquisition.units.value().unwrap(), "BQML");
    assert_eq!(acquisition.radiopharmaceuticals[0].total_dose.value(), Some(&3.7e8));
    // Stored last first: the first slice of the volume is the last frame.
    let times = acquisition.slices.iter().map(|s| *s.frame_reference_time_ms.value().unwrap());
    assert_eq!(times.collect::<Vec<_>>(), [5000.0, 4000.0, 3000.0, 2000.0, 1000.0, 0.0]);
}

/// A real world value mapping of stored values.
fn mapping(slope: f64, unit: &str) -> InMemElement {
    let number = |tag, value: f64| DataElement::new(tag, VR::FD, PrimitiveValue::from(value));
    let unit = item([text(tags::CODE_VALUE, VR::SH, unit)]);
    sequence(
        tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE,
        vec![item([
            number(tags::REAL_WORLD_VALUE_SLOPE, slope),
            number(tags::REAL_WORLD_VALUE_INTERCEPT, 0.0),
            sequence(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, vec![unit]),
        ])],
    )
}

#[test]
fn an_enhanced_pet_takes_unit_and_slope_from_its_real_world_mapping() {
    let series = Synthetic::pet();
    let (mut root, shared, mut per_frame) = joined(&series, uids::ENHANCED_PET_IMAGE_STORAGE);
    for tag in [tags::UNITS, tags::DECAY_CORRECTION, tags::CORRECTED_IMAGE, tags::SERIES_TYPE] {
        root.remove_element(tag);
    }
    root.put(text(tags::DECAY_CORRECTED, VR::CS, "YES"));
    root.put(text(tags::ATTENUATION_CORRECTED, VR::CS, "YES"));
    root.put(text(tags::DECAY_CORRECTION_DATE_TIME, VR::DT, "20260102100000"));
    for (stored, frame) in per_frame.iter_mut().enumerate() {
        frame.put(mapping(10.0 + stored as f64, "Bq/ml"));
    }
    let folder = TempDir::new().unwrap();
    write(folder.path(), (root, shared, per_frame));
    check_values(&series, folder.path(), |slice| 15.0 - slice as f64);
    let studies = scan(folder.path()).unwrap().output;
    let acquisition = studies[0].series[0].acquisition.as_ref().unwrap();
    assert_eq!(acquisition.units.value().unwrap(), "BQML");
    assert_eq!(acquisition.decay_correction.value().unwrap(), "START");
    assert_eq!(acquisition.corrected_image, ["ATTN", "DECY"]);
    assert!(acquisition.enhanced_decay_datetime.value().is_some());
    assert!(acquisition.radiopharmaceuticals[0].dose_in_megabecquerels);
}

#[test]
fn an_enhanced_ct_loads() {
    let series = Synthetic::ct();
    let folder = TempDir::new().unwrap();
    write(folder.path(), joined(&series, uids::ENHANCED_CT_IMAGE_STORAGE));
    let studies = scan(folder.path()).unwrap().output;
    let found = &studies[0].series[0];
    assert!(found.usable && found.is_multi_frame(), "{:?}", found.reasons);
    let volume = load_ct(found).unwrap();
    assert_eq!(volume[[4, 3, 2]], 432 - 1024);
    let coarsest = 2.5 * volume.geometry().spacing_mm().into_iter().fold(0.0, f64::max);
    let reduced = load_ct_reduced(found, coarsest).unwrap();
    assert_eq!(reduced, reduce_hounsfield(&volume, coarsest));
}

#[test]
fn a_frame_without_a_place_is_refused() {
    let (root, shared, mut per_frame) = joined(&Synthetic::ct(), uids::ENHANCED_CT_IMAGE_STORAGE);
    per_frame.pop();
    let folder = TempDir::new().unwrap();
    write(folder.path(), (root, shared, per_frame));
    let studies = scan(folder.path()).unwrap().output;
    let reasons = studies[0].series[0].reasons.join("; ");
    assert!(reasons.contains("ImagePositionPatient (0020,0032) is missing"), "{reasons}");
}

#[test]
fn float_samples_are_read() {
    let series = Synthetic::pet();
    let folder = TempDir::new().unwrap();
    for slice in 0..series.shape[0] {
        let mut object = series.data_set(slice);
        for tag in [tags::PIXEL_DATA, tags::BITS_STORED, tags::HIGH_BIT, tags::PIXEL_REPRESENTATION]
        {
            object.remove_element(tag);
        }
        let [_, rows, columns] = series.shape;
        let values = (0..rows * columns)
            .map(|i| (series.stored)([slice, i / columns, i % columns]) as f32)
            .collect();
        object.put(DataElement::new(tags::BITS_ALLOCATED, VR::US, PrimitiveValue::from(32_u16)));
        object.put(DataElement::new(Tag(0x7FE0, 0x0008), VR::OF, PrimitiveValue::F32(values)));
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE)
            .media_storage_sop_instance_uid(format!("1.2.3.4.{slice}"))
            .build()
            .unwrap();
        let path = folder.path().join(slice.to_string());
        object.with_exact_meta(meta).write_to_file(path).unwrap();
    }
    check_values(&series, folder.path(), series.slope);
}

/// An enhanced PET in Bq/ml by its mapping, with one frame changed, and why it cannot be used.
fn reasons_with(change: impl Fn(&mut InMemDicomObject, &mut Vec<InMemDicomObject>)) -> String {
    let (mut root, shared, mut per_frame) =
        joined(&Synthetic::pet(), uids::ENHANCED_PET_IMAGE_STORAGE);
    root.remove_element(tags::UNITS);
    for frame in &mut per_frame {
        frame.put(mapping(2.0, "Bq/ml"));
    }
    change(&mut root, &mut per_frame);
    let folder = TempDir::new().unwrap();
    write(folder.path(), (root, shared, per_frame));
    scan(folder.path()).unwrap().output[0].series[0].reasons.join("; ")
}

#[test]
fn frames_that_disagree_are_refused_with_their_number() {
    assert_eq!(reasons_with(|_, _| ()), "");
    let other_unit = reasons_with(|_, frames| {
        frames[3].put(mapping(2.0, "g/ml{SUVbw}"));
    });
    assert!(other_unit.contains("differs between frames 1 and 4"), "{other_unit}");
    // Without its mapping a frame would be scaled by RescaleSlope, to another unit.
    let unmapped = reasons_with(|_, frames| {
        frames[5].remove_element(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE);
    });
    assert!(unmapped.contains("differs between frames 1 and 6"), "{unmapped}");
    let projection = reasons_with(|_, frames| {
        let kind = item([text(tags::FRAME_TYPE, VR::CS, "DERIVED\\PRIMARY\\VOLUME\\MAX_IP")]);
        frames[2].put(sequence(tags::PET_FRAME_TYPE_SEQUENCE, vec![kind]));
    });
    assert!(projection.contains("max_ip image"), "{projection}");
}

#[test]
fn a_number_of_frames_that_does_not_fit_is_refused() {
    for frames in ["5", "7"] {
        let reasons = reasons_with(|root, _| {
            root.put(text(tags::NUMBER_OF_FRAMES, VR::IS, frames));
        });
        assert!(reasons.contains(&format!("NumberOfFrames (0028,0008) is {frames}")), "{reasons}");
    }
}

#[test]
fn compressed_frames_in_several_fragments_need_no_offset_table() {
    let series = Synthetic { coding: Coding::JpegLsLossless, ..Synthetic::pet() };
    let (mut root, shared, per_frame) =
        joined(&Synthetic::pet(), uids::LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE);
    let mut fragments = Vec::new();
    for slice in (0..series.shape[0]).rev() {
        let data_set = series.data_set(slice);
        let stream = &data_set.element(tags::PIXEL_DATA).unwrap().fragments().unwrap()[0];
        let (start, end) = stream.split_at(stream.len() / 4 * 2);
        fragments.extend([start.to_vec(), end.to_vec()]);
    }
    let pixels = dicom_core::value::PixelFragmentSequence::new_fragments(fragments);
    root.put(DataElement::new(tags::PIXEL_DATA, VR::OB, pixels));
    let folder = TempDir::new().unwrap();
    write_as(folder.path(), (root, shared, per_frame), uids::JPEGLS_LOSSLESS);
    check_values(&series, folder.path(), series.slope);
}
