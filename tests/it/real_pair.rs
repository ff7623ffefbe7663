//! A real scan against itself, moved and turned by a known map: by new pixels, and by new headers.

use std::fs;
use std::path::Path;

use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;
use dicom_object::open_file;
use glam::{DAffine3, DMat3, DVec3, EulerRot};
use petct::alignment::{Alignment, Scan, Verdict, align};
use petct::dicom::{load_ct, load_pet, scan, select};
use petct::geometry::VolumeGeometry;
use petct::resample::{Sample, resample};
use petct::volume::Volume;
use serde_json::Value;

use crate::cli::{arg, petct, text};
use crate::samples::{matrix, place};
use crate::support::shared_data;

/// What must be recovered: within 2 mm everywhere in the field, and within 1 degree.
const WITHIN_MM: f64 = 2.0;
const WITHIN_DEGREES: f64 = 1.0;

/// Turn about x, y, z in degrees about the middle of the field, and shift in millimetres.
type Move = ([f64; 3], [f64; 3]);

const MOVES: [Move; 5] = [
    ([4.0, -3.0, 6.0], [25.0, -15.0, 40.0]),
    ([0.0, 0.0, 0.0], [0.0, 0.0, 200.0]),
    ([0.0, 0.0, 20.0], [-30.0, 20.0, 10.0]),
    ([-20.0, 0.0, 0.0], [10.0, 0.0, -30.0]),
    ([0.0, 20.0, 0.0], [150.0, -100.0, 70.0]),
];

fn map_of((turn, shift): Move, about: DVec3) -> DAffine3 {
    let [x, y, z] = turn.map(f64::to_radians);
    let turn = DMat3::from_euler(EulerRot::XYZ, x, y, z);
    DAffine3::from_mat3_translation(turn, about + DVec3::from_array(shift) - turn * about)
}

/// The attenuation-corrected PET in SUV and its CT.
fn real_scan(folder: &Path) -> (Volume<f32>, Volume<i16>) {
    let studies = scan(folder).unwrap().output;
    let found = select(&studies, None).unwrap();
    // The factor of this scan; alignment needs no exact one.
    let factors = vec![4.2111e-4; found.pet.slices];
    (load_pet(found.pet, &factors).unwrap(), load_ct(found.ct.unwrap()).unwrap())
}

fn middle(geometry: &VolumeGeometry) -> DVec3 {
    let (low, high) = geometry.bounds_mm();
    0.5 * (low + high)
}

/// The scan as another scanner would see the moved person: an upright lattice of other voxels around the moved field.
fn scanned_again<T: Sample>(
    volume: &Volume<T>,
    map: DAffine3,
    spacing: [f64; 3],
    outside: f32,
) -> Volume<f32> {
    let (low, high) = volume.geometry().bounds_mm();
    let size = high - low;
    let shape = [size.z / spacing[0], size.y / spacing[1], size.x / spacing[2]].map(|n| n as usize);
    let origin = map.transform_point3(middle(volume.geometry())) - 0.5 * size;
    let steps = [DVec3::Z * spacing[0], DVec3::Y * spacing[1], DVec3::X * spacing[2]];
    let onto = VolumeGeometry::new(shape, origin, steps).unwrap();
    resample(volume, &onto, map.inverse(), outside)
}

/// Largest error over the body's part of the field, and error of the turn.
fn errors(found: DAffine3, truth: DAffine3, geometry: &VolumeGeometry) -> (f64, f64) {
    let half =
        DVec3::new(180.0, 110.0, 0.5 * (geometry.bounds_mm().1.z - geometry.bounds_mm().0.z));
    let corners = (0..8).map(|n| {
        let sign = |bit: usize| if n >> bit & 1 == 1 { 1.0 } else { -1.0 };
        middle(geometry) + half * DVec3::new(sign(0), sign(1), sign(2))
    });
    let off = |p: DVec3| found.transform_point3(p).distance(truth.transform_point3(p));
    let m = found.matrix3 * truth.matrix3.transpose();
    let trace = m.x_axis.x + m.y_axis.y + m.z_axis.z;
    let turn = ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees();
    (corners.map(off).fold(0.0, f64::max), turn)
}

#[track_caller]
fn check(name: &str, found: &Alignment, truth: DAffine3, geometry: &VolumeGeometry) {
    let (mm, degrees) = errors(found.follow_up_from_baseline, truth, geometry);
    assert!(found.quality.verdict > Verdict::Failed, "{name}: {:?}", found.quality);
    assert!(mm < WITHIN_MM && degrees < WITHIN_DEGREES, "{name}: {mm:.2} mm, {degrees:.2} degrees");
}

#[test]
fn a_real_scan_moved_in_its_pixels_is_found_again() {
    let Some(folder) = shared_data("acrin-nsclc-042") else { return };
    let (pet, ct) = real_scan(&folder);
    let about = middle(ct.geometry());
    for movement in MOVES {
        let map = map_of(movement, about);
        let moved_pet = scanned_again(&pet, map, [4.0, 4.2, 4.2], 0.0);
        let moved_ct = scanned_again(&ct, map, [3.0, 2.2, 2.2], -1024.0).map(|&hu| hu as i16);
        let here = Scan { pet: &pet, ct: Some(&ct), frame_of_reference_uid: Some("1.2.3") };
        let there =
            Scan { pet: &moved_pet, ct: Some(&moved_ct), frame_of_reference_uid: Some("1.2.4") };
        check(&format!("CT {movement:?}"), &align(&here, &there), map, ct.geometry());
        let pets = align(&Scan { ct: None, ..here }, &Scan { ct: None, ..there });
        check(&format!("PET {movement:?}"), &pets, map, ct.geometry());
    }
}

/// The files of a series with another position, orientation and frame of reference.
fn rewritten(from: &Path, to: &Path, map: DAffine3) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let mut object = open_file(&path).unwrap();
        let numbers = |tag| object.element(tag).unwrap().to_multi_float64().unwrap();
        let position = DVec3::from_slice(&numbers(tags::IMAGE_POSITION_PATIENT));
        let orientation = numbers(tags::IMAGE_ORIENTATION_PATIENT);
        let turned = |from: usize| map.matrix3 * DVec3::from_slice(&orientation[from..from + 3]);
        let (row, column) = (turned(0), turned(3));
        let position = map.transform_point3(position);
        let mut put = |tag, places: &[DVec3]| {
            let values = places.iter().flat_map(DVec3::to_array).map(|v| format!("{v:.9}"));
            // A decimal string has 16 characters.
            let values: Vec<String> = values.map(|v| v[..v.len().min(16)].to_owned()).collect();
            object.put(DataElement::new(tag, VR::DS, values.join("\\")));
        };
        put(tags::IMAGE_POSITION_PATIENT, &[position]);
        put(tags::IMAGE_ORIENTATION_PATIENT, &[row, column]);
        object.put(DataElement::new(tags::FRAME_OF_REFERENCE_UID, VR::UI, "2.25.1"));
        object.write_to_file(to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_real_scan_moved_in_its_headers_is_found_again() {
    let Some(folder) = shared_data("acrin-nsclc-042") else { return };
    let (_, ct) = real_scan(&folder);
    let map = map_of(([7.0, -6.0, 12.0], [60.0, -40.0, 180.0]), middle(ct.geometry()));
    let moved = tempfile::tempdir().unwrap();
    for series in ["PT_61081015", "CT_94858561"] {
        rewritten(&folder.join(series), &moved.path().join(series), map);
    }
    let output = petct(&["compare", arg(&folder), arg(moved.path()), "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let alignment = &document["pairs"][0]["alignment"];
    assert!(alignment.is_object(), "{} {document}", text(&output.stderr));
    let found = DAffine3::from_mat3_translation(
        matrix(&alignment["rotation"]),
        place(&alignment["translation_mm"]),
    );
    let (mm, degrees) = errors(found, map, ct.geometry());
    assert_eq!(alignment["method"], "rigid_ct");
    assert!(mm < WITHIN_MM && degrees < WITHIN_DEGREES, "{mm:.2} mm, {degrees:.2} degrees");
    // The same lesions, each on itself. What is uncertain may be named otherwise: rules of anatomy follow the body's axes.
    let linked = document["pairs"][0]["lesions"].as_array().unwrap().iter();
    let lesions: Vec<&Value> = linked.filter(|l| l["class"] == "lesion").collect();
    assert!(lesions.len() >= 3, "{lesions:?}");
    for lesion in lesions {
        assert_eq!(lesion["fate"], "persistent", "{lesion}");
        assert_eq!(lesion["link_confidence"], "high", "{lesion}");
    }
}
