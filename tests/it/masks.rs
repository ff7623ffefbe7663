//! Regions of real files, and of files made here so that the right answer is known.

use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, OpenFileOptions};
use glam::DVec3;
use petct::geometry::VolumeGeometry;
use petct::mask_file::{NamedRegion, read_regions};
use petct::nifti_file;

use crate::support::shared_data;

fn files_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The lattice of a stack of slices and its frame of reference, from the headers alone.
fn scan_lattice(folder: &Path) -> (VolumeGeometry, String) {
    let headers: Vec<DefaultDicomObject> = files_in(folder)
        .into_iter()
        .map(|path| OpenFileOptions::new().read_until(tags::PIXEL_DATA).open_file(path).unwrap())
        .collect();
    let numbers =
        |header: &DefaultDicomObject, tag| header.element(tag).unwrap().to_multi_float64().unwrap();
    let count = |tag| headers[0].element(tag).unwrap().to_int::<usize>().unwrap();
    let cosines = numbers(&headers[0], tags::IMAGE_ORIENTATION_PATIENT);
    let (along_row, along_column) =
        (DVec3::from_slice(&cosines[..3]), DVec3::from_slice(&cosines[3..]));
    let normal = along_row.cross(along_column);
    let mut places: Vec<DVec3> = headers
        .iter()
        .map(|header| DVec3::from_slice(&numbers(header, tags::IMAGE_POSITION_PATIENT)))
        .collect();
    places.sort_by(|a, b| a.dot(normal).total_cmp(&b.dot(normal)));
    let spacing = numbers(&headers[0], tags::PIXEL_SPACING);
    let last = places.len() - 1;
    let steps = [
        (places[last] - places[0]) / last as f64,
        along_column * spacing[0],
        along_row * spacing[1],
    ];
    let shape = [places.len(), count(tags::ROWS), count(tags::COLUMNS)];
    let frame = headers[0].element(tags::FRAME_OF_REFERENCE_UID).unwrap().to_str().unwrap();
    (VolumeGeometry::new(shape, places[0], steps).unwrap(), frame.into_owned())
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
        let (lattice, frame) = scan_lattice(&folder.join("pet"));
        let read = |file: &str| read_regions(&folder.join(file), &lattice, Some(&frame)).unwrap();
        let (contours, mask) = (read("RS.dcm"), read("PET_mask.nii.gz"));
        assert_eq!((contours.output.len(), mask.output.len()), (1, 1), "{patient}");
        assert_eq!(count(&mask.output[0]) as u64, expected["voxels"], "{patient}");
        assert_eq!(contours.output[0].mask, mask.output[0].mask, "{patient}");
        assert!(!mask.output[0].resampled && !contours.output[0].resampled, "{patient}");
        let other = read_regions(&folder.join("RS.dcm"), &lattice, Some("1.2.3")).unwrap_err();
        assert!(other.to_string().contains("frame of reference"), "{other}");
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
        let mask = only_file(&folder.join("mask"));
        let lattice = nifti_file::read(&mask).unwrap().geometry().clone();
        let mask = read_regions(&mask, &lattice, None).unwrap().output;
        let contours = read_regions(&only_file(&folder.join("RS")), &lattice, None).unwrap().output;
        assert_eq!((contours.len(), mask.len()), (1, 1), "{}", folder.display());
        assert_eq!((count(&contours[0]), count(&mask[0])), (EVEN_ODD, 203_202));
        let mut pairs = contours[0].mask.values().iter().zip(mask[0].mask.values());
        assert!(pairs.all(|(&drawn, &inside)| inside || !drawn), "{}", folder.display());
    }
}

#[test]
fn regions_of_the_whole_body_scan_are_found() {
    let Some(root) = shared_data("sts001") else { return };
    let (lattice, frame) = scan_lattice(&root.join("pet"));
    let regions = read_regions(&only_file(&root.join("mask")), &lattice, Some(&frame)).unwrap();
    let counts: Vec<_> = regions.output.iter().map(|r| (r.name.as_str(), count(r))).collect();
    assert_eq!(counts, [("GTV_Mass", 5095), ("GTV_Edema", 8058)]);
    assert_eq!(regions.warnings, []);
}
