//! Regions of real files, and of files made here so that the right answer is known.

use std::path::{Path, PathBuf};

use dicom_core::value::{DataSetSequence, PixelFragmentSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::mem::InMemElement;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use glam::DVec3;
use petct::dicom::{Series, load_pet, scan};
use petct::geometry::VolumeGeometry;
use petct::mask_file::{NamedRegion, read_regions};
use petct::organ::{Organ, Side};

use crate::support::shared_data;

fn files_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The PET series of a folder.
fn pet(folder: &Path) -> Series {
    let studies = scan(folder).unwrap().output;
    let mut series = studies.into_iter().flat_map(|study| study.series).filter(Series::is_pet);
    series.next().unwrap()
}

fn regions_on(path: &Path, series: &Series) -> petct::diagnostic::Warned<Vec<NamedRegion>> {
    let lattice = series.geometry.as_ref().unwrap();
    read_regions(path, lattice, Some(&series.frame_of_reference_uid)).unwrap()
}

fn count(region: &NamedRegion) -> usize {
    region.mask.values().iter().filter(|&&inside| inside).count()
}

/// The file with regions in a folder, whatever its name.
fn only_file(folder: &Path) -> PathBuf {
    let files = files_in(folder);
    assert_eq!(files.len(), 1, "{}", folder.display());
    files[0].clone()
}

#[test]
fn rtstruct_and_nifti_of_the_sarcoma_crops_are_one_region() {
    let Some(root) = shared_data("sts-crops") else { return };
    let text = std::fs::read_to_string(root.join("reference.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&text).unwrap();
    let patients = reference.as_object().unwrap();
    assert_eq!(patients.len(), 10);
    for (patient, expected) in patients {
        let folder = root.join(patient);
        let series = pet(&folder.join("pet"));
        let contours = regions_on(&folder.join("RS.dcm"), &series);
        let mask = regions_on(&folder.join("PET_mask.nii.gz"), &series);
        assert_eq!((contours.output.len(), mask.output.len()), (1, 1), "{patient}");
        assert_eq!(count(&mask.output[0]) as u64, expected["voxels"], "{patient}");
        assert_eq!(contours.output[0].mask, mask.output[0].mask, "{patient}");
        assert!(!mask.output[0].resampled && !contours.output[0].resampled, "{patient}");
        values_are(&series, &mask.output[0], expected);
        let lattice = series.geometry.as_ref().unwrap();
        let other = read_regions(&folder.join("RS.dcm"), lattice, Some("1.2.3")).unwrap_err();
        assert!(other.to_string().contains("frame of reference"), "{other}");
    }
}

/// The crops are SUV already, so that the voxels of the file are the values of the reference.
#[track_caller]
fn values_are(series: &Series, region: &NamedRegion, expected: &serde_json::Value) {
    let image = load_pet(series, &vec![1.0; series.slices]).unwrap();
    let inside: Vec<f64> = image
        .values()
        .iter()
        .zip(region.mask.values())
        .filter(|&(_, &inside)| inside)
        .map(|(&value, _)| f64::from(value))
        .collect();
    let n = inside.len() as f64;
    let mean = inside.iter().sum::<f64>() / n;
    let variance = inside.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let volume_ml = n * image.geometry().voxel_ml();
    for (key, found) in [
        ("suv_max", inside.iter().copied().fold(f64::MIN, f64::max)),
        ("suv_mean", mean),
        ("suv_sd", variance.sqrt()),
        ("volume_ml", volume_ml),
        ("tlg", mean * volume_ml),
    ] {
        let expected = expected[key].as_f64().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-5, "{key}: {found} instead of {expected}");
    }
}

/// The supplied contours leave out the first and the last slice of the supplied mask, so the two are not one region.
#[test]
fn contours_of_the_suv_objects_lie_inside_their_masks() {
    // An even-odd test written anew with numpy counts the same.
    const EVEN_ODD: usize = 174_690;
    let Some(root) = shared_data("ibsi-suv-dro/DRO") else { return };
    let folders: Vec<_> = files_in(&root).into_iter().filter(|path| path.is_dir()).collect();
    assert_eq!(folders.len(), 17);
    for folder in folders {
        let series = pet(&folder.join("PT"));
        let mask = regions_on(&only_file(&folder.join("mask")), &series).output;
        let contours = regions_on(&only_file(&folder.join("RS")), &series).output;
        assert_eq!((contours.len(), mask.len()), (1, 1), "{}", folder.display());
        assert_eq!((count(&contours[0]), count(&mask[0])), (EVEN_ODD, 203_202));
        let mut pairs = contours[0].mask.values().iter().zip(mask[0].mask.values());
        assert!(pairs.all(|(&drawn, &inside)| inside || !drawn), "{}", folder.display());
    }
}

#[test]
fn regions_of_the_whole_body_scan_are_found() {
    let Some(root) = shared_data("sts001") else { return };
    let regions = regions_on(&only_file(&root.join("mask")), &pet(&root.join("pet")));
    let counts: Vec<_> = regions.output.iter().map(|r| (r.name.as_str(), count(r))).collect();
    assert_eq!(counts, [("GTV_Mass", 5095), ("GTV_Edema", 8058)]);
    assert_eq!(regions.warnings, []);
}

pub(crate) fn text(tag: Tag, vr: VR, value: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

fn number(tag: Tag, value: u16) -> InMemElement {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

pub(crate) fn items(tag: Tag, items: &[&[InMemElement]]) -> InMemElement {
    let items = items.iter().map(|item| InMemDicomObject::from_element_iter(item.iter().cloned()));
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items.collect::<Vec<_>>()))
}

/// Two slices of 3 x 5 voxels, 1 mm apart.
pub(crate) fn small_lattice() -> VolumeGeometry {
    VolumeGeometry::new([2, 3, 5], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]).unwrap()
}

/// The voxels of the one segment, in the order of [`small_lattice`].
fn drawn(n: usize) -> bool {
    n % 4 == 1 || n == 29
}

/// A segmentation on [`small_lattice`], its second slice first, written without an extension.
pub(crate) fn write_seg(
    path: &Path,
    kind: &str,
    transfer_syntax: &str,
    bits: u16,
    pixels: InMemElement,
) {
    let plane = |position: &str| {
        let position = text(tags::IMAGE_POSITION_PATIENT, VR::DS, position);
        let segment = items(
            tags::SEGMENT_IDENTIFICATION_SEQUENCE,
            &[&[number(tags::REFERENCED_SEGMENT_NUMBER, 1)]],
        );
        [items(tags::PLANE_POSITION_SEQUENCE, &[&[position]]), segment]
    };
    let shared = [
        items(
            tags::PLANE_ORIENTATION_SEQUENCE,
            &[&[text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0")]],
        ),
        items(
            tags::PIXEL_MEASURES_SEQUENCE,
            &[&[
                text(tags::PIXEL_SPACING, VR::DS, "1\\1"),
                text(tags::SPACING_BETWEEN_SLICES, VR::DS, "1"),
            ]],
        ),
    ];
    let segment = [number(tags::SEGMENT_NUMBER, 1), text(tags::SEGMENT_LABEL, VR::LO, "node")];
    let object = InMemDicomObject::from_element_iter([
        text(tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, "1.2.3"),
        text(tags::SEGMENTATION_TYPE, VR::CS, kind),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2"),
        number(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        number(tags::ROWS, 3),
        number(tags::COLUMNS, 5),
        number(tags::BITS_ALLOCATED, bits),
        number(tags::BITS_STORED, bits),
        number(tags::HIGH_BIT, bits - 1),
        number(tags::PIXEL_REPRESENTATION, 0),
        text(tags::NUMBER_OF_FRAMES, VR::IS, "2"),
        items(tags::SEGMENT_SEQUENCE, &[&segment]),
        items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, &[&shared]),
        items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, &[&plane("0\\0\\1"), &plane("0\\0\\0")]),
        pixels,
    ]);
    let meta = FileMetaTableBuilder::new().transfer_syntax(transfer_syntax);
    object.with_meta(meta).unwrap().write_to_file(path).unwrap();
}

/// The pixels of the two frames as they are stored: the second slice first.
fn stored() -> impl Iterator<Item = bool> {
    (15..30).chain(0..15).map(drawn)
}

pub(crate) fn packed_bits() -> InMemElement {
    let mut bytes = vec![0_u8; 4];
    for (n, inside) in stored().enumerate() {
        bytes[n / 8] |= u8::from(inside) << (n % 8);
    }
    DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(bytes))
}

/// Two frames of run-length coding with one literal run each (PS3.5 annex G).
fn run_lengths() -> InMemElement {
    let labels: Vec<u8> = stored().map(u8::from).collect();
    let frame = |labels: &[u8]| {
        let mut fragment = vec![0_u8; 64];
        (fragment[0], fragment[4]) = (1, 64);
        fragment.push(14);
        fragment.extend(labels);
        fragment
    };
    let fragments = labels.chunks(15).map(frame).collect::<Vec<_>>();
    DataElement::new(
        tags::PIXEL_DATA,
        VR::OB,
        Value::from(PixelFragmentSequence::new_fragments(fragments)),
    )
}

/// Every way to store the small segmentation.
pub(crate) fn small_segs(folder: &Path) -> Vec<PathBuf> {
    let bytes: Vec<u8> = stored().map(u8::from).collect();
    let bytes = DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(bytes));
    let rows = [
        ("BINARY", uids::EXPLICIT_VR_LITTLE_ENDIAN, 1, packed_bits()),
        ("BINARY", uids::IMPLICIT_VR_LITTLE_ENDIAN, 1, packed_bits()),
        ("BINARY", uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, 1, packed_bits()),
        ("LABELMAP", uids::EXPLICIT_VR_LITTLE_ENDIAN, 8, bytes),
        ("LABELMAP", uids::RLE_LOSSLESS, 8, run_lengths()),
    ];
    let write = |(n, (kind, syntax, bits, pixels)): (usize, (&str, &str, u16, InMemElement))| {
        let path = folder.join(n.to_string());
        write_seg(&path, kind, syntax, bits, pixels);
        path
    };
    rows.into_iter().enumerate().map(write).collect()
}

#[test]
fn segmentations_are_read_in_every_encoding() {
    let folder = tempfile::tempdir().unwrap();
    for path in small_segs(folder.path()) {
        let found = read_regions(&path, &small_lattice(), Some("1.2")).unwrap();
        assert_eq!(found.warnings, [], "{}", path.display());
        assert_eq!((found.output.len(), found.output[0].name.as_str()), (1, "node"));
        let inside = found.output[0].mask.values();
        assert!(inside.iter().enumerate().all(|(n, &v)| v == drawn(n)), "{}", path.display());
    }
}

#[test]
fn cut_files_are_errors_and_damaged_ones_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged");
    for path in small_segs(folder.path()) {
        let good = std::fs::read(&path).unwrap();
        for end in (0..good.len() - 8).step_by(7) {
            std::fs::write(&damaged, &good[..end]).unwrap();
            let found = read_regions(&damaged, &small_lattice(), Some("1.2"));
            assert!(found.is_err(), "{} cut at {end}", path.display());
        }
        for at in (132..good.len()).step_by(3) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&damaged, bad).unwrap();
            // Anything but a panic: many of these still are right, or say what is wrong.
            let _ = read_regions(&damaged, &small_lattice(), Some("1.2"));
        }
    }
}

/// Organ masks of a real CT, one file an organ, as TotalSegmentator writes them.
#[test]
fn a_folder_of_organs_is_read() {
    let Some(folder) = shared_data("totalseg-ct") else { return };
    let masks = folder.join("masks");
    let lattice = petct::nifti_file::read(masks.join("liver.nii.gz")).unwrap().geometry().clone();
    let found = petct::mask_file::read_organs(&masks, &lattice, None, None).unwrap();
    assert_eq!(found.warnings, []);
    let organs = found.output;
    let liver = organs.get(Organ::Liver).unwrap();
    let count = |name: &str| {
        let mask = petct::nifti_file::read(masks.join(name)).unwrap();
        mask.values().iter().filter(|&&v| v > 0.0).count()
    };
    assert_eq!(liver.voxels(), count("liver.nii.gz"));
    // LPS: the left kidney and the spleen lie left of the right kidney and the liver.
    let x = |organ: Organ| organs.get(organ).unwrap().centroid_mm(&lattice).unwrap().x;
    assert!(x(Organ::Kidney(Side::Left)) > x(Organ::Kidney(Side::Right)) + 50.0);
    assert!(x(Organ::Spleen) > x(Organ::Liver) + 50.0);
    for (organ, _) in organs.iter() {
        assert_eq!(Organ::from_name(&organ.to_string()), Some(organ));
    }
}
