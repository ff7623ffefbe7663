//! Objects of many frames: every frame at its own place with its own slope, in whatever order they are stored.
#![expect(clippy::float_cmp, reason = "the values are exact by construction")]

use std::path::Path;

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use petct::dicom::{load_ct, load_pet, scan, select};
use tempfile::TempDir;

use crate::synthetic::{Synthetic, text};

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
    (mut root, shared, per_frame): (InMemDicomObject, InMemDicomObject, Vec<InMemDicomObject>),
) {
    root.put(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]));
    root.put(sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, per_frame));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
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
        let number = |tag, value: f64| DataElement::new(tag, VR::FD, PrimitiveValue::from(value));
        let unit = item([text(tags::CODE_VALUE, VR::SH, "Bq/ml")]);
        frame.put(sequence(
            tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE,
            vec![item([
                number(tags::REAL_WORLD_VALUE_SLOPE, 10.0 + stored as f64),
                number(tags::REAL_WORLD_VALUE_INTERCEPT, 0.0),
                sequence(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, vec![unit]),
            ])],
        ));
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
