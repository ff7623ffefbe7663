//! NIfTI masks written here, so that the right answer is known.

use super::*;
use crate::volume::Volume;

fn lattice(shape: [usize; 3]) -> VolumeGeometry {
    let turn = glam::DMat3::from_rotation_z(0.4);
    let steps = [DVec3::Z * 3.0, DVec3::Y * 4.0, DVec3::X * 5.0].map(|step| turn * step);
    VolumeGeometry::new(shape, DVec3::new(-20.0, 35.0, 90.0), steps).unwrap()
}

/// Labels 0, 1 and 4 without symmetry.
fn label([s, r, c]: [usize; 3]) -> f32 {
    [0.0, 1.0, 4.0][(s + 2 * r + 3 * c + r * c) % 3]
}

fn labelled(geometry: &VolumeGeometry) -> Volume<f32> {
    let mut volume = Volume::filled(geometry.clone(), 0.0);
    for n in 0..geometry.len() {
        let voxel = volume.voxel_of(n);
        volume[voxel] = label(voxel);
    }
    volume
}

fn read(
    volume: &Volume<f32>,
    onto: &VolumeGeometry,
) -> Result<Warned<Vec<NamedRegion>>, MaskFault> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.nii.gz");
    nifti_file::write(&path, volume).unwrap();
    let misnamed = dir.path().join("labels.dcm");
    std::fs::rename(&path, &misnamed).unwrap();
    read_regions(&misnamed, onto, Some("1.2")).map_err(|error| error.fault)
}

fn codes<T>(warned: &Warned<T>) -> Vec<&'static str> {
    warned.warnings.iter().map(|w| w.code).collect()
}

#[track_caller]
fn holds(region: &NamedRegion, name: &str, drawn_on: &VolumeGeometry) {
    assert_eq!(region.name, name);
    for (n, &found) in region.mask.values().iter().enumerate() {
        let place = region.mask.geometry().centre_of(region.mask.voxel_of(n));
        let there = drawn_on.voxel_at(place).map_or(0.0, label);
        assert_eq!(found, there.to_string() == name, "{name} at {place}");
    }
}

#[test]
fn labels_are_regions_on_any_order_of_axes() {
    let drawn_on = lattice([4, 5, 6]);
    let [slice, row, column] = drawn_on.steps_mm();
    let far = drawn_on.centre_of([3, 0, 5]);
    let turned = VolumeGeometry::new([6, 4, 5], far, [-column, -slice, row]).unwrap();
    for onto in [&drawn_on, &turned] {
        let found = read(&labelled(&drawn_on), onto).unwrap();
        assert_eq!(codes(&found), [] as [&str; 0]);
        assert_eq!(found.output.len(), 2);
        holds(&found.output[0], "1", &drawn_on);
        holds(&found.output[1], "4", &drawn_on);
        assert!(found.output.iter().all(|region| !region.resampled));
    }
}

#[test]
fn another_grid_is_sampled_and_says_so() {
    let drawn_on = lattice([4, 5, 6]);
    let [slice, row, column] = drawn_on.steps_mm();
    let start = drawn_on.origin_mm() + 0.31 * slice - 0.27 * row + 0.19 * column;
    let steps = [slice * 0.6, row * 0.7, column * 0.8];
    let onto = VolumeGeometry::new([9, 10, 9], start, steps).unwrap();
    let found = read(&labelled(&drawn_on), &onto).unwrap();
    holds(&found.output[0], "1", &drawn_on);
    assert!(found.output[0].resampled);
    // The first slice and row of the labels lie before the first of the scan.
    assert_eq!(codes(&found), ["REGION_CUT", "REGION_CUT", "MASK_RESAMPLED"]);
}

#[test]
fn a_crop_is_exact_and_what_lies_outside_is_told() {
    let drawn_on = lattice([4, 5, 6]);
    let found = read(&labelled(&drawn_on), &lattice([4, 5, 3])).unwrap();
    holds(&found.output[0], "1", &drawn_on);
    assert_eq!(codes(&found), ["REGION_CUT", "REGION_CUT"]);
    assert!(!found.output[0].resampled);
}

#[test]
fn fractions_are_cut_at_half_inclusive() {
    let onto = lattice([1, 1, 4]);
    let volume = Volume::from_vec(onto.clone(), vec![0.0, 0.49, 0.5, 1.0]);
    let found = read(&volume, &onto).unwrap();
    assert_eq!(found.output[0].mask.values(), [false, false, true, true]);
    assert_eq!(codes(&found), ["MASK_CUT_AT_HALF"]);
}

/// Rows: voxels, and the beginning of why they are no regions.
#[test]
fn what_is_no_mask_is_refused() {
    let onto = lattice([1, 1, 3]);
    let elsewhere = onto.moved(DAffine3::from_translation(DVec3::X * 500.0)).unwrap();
    let rows = [
        (&onto, [0.0, 0.0, 0.0], "none of its regions has"),
        (&onto, [0.0, f32::NAN, 0.0], "none of its regions has"),
        (&onto, [0.0, 0.2, 0.4], "none of its regions has"),
        (&onto, [0.0, -1.0, 1.0], "this is no region file"),
        (&onto, [0.0, 2.5, 1.0], "this is no region file"),
        (&onto, [0.0, f32::INFINITY, 1.0], "this is no region file"),
        (&onto, [0.0, 1e10, 1.0], "this is no region file"),
        (&elsewhere, [0.0, 1.0, 1.0], "no voxel centre of the scan"),
    ];
    for (place, voxels, why) in rows {
        let volume = Volume::from_vec(place.clone(), voxels.to_vec());
        let fault = read(&volume, &onto).unwrap_err().to_string();
        assert!(fault.starts_with(why), "{voxels:?}: {fault}");
    }
}

#[test]
fn more_regions_than_memory_holds_are_refused_before_they_are_made() {
    assert!(check_memory(117, &lattice([300, 200, 200])).is_ok());
    assert!(check_memory(usize::MAX, &lattice([2, 2, 2])).is_err());
    assert!(check_memory(1 << 20, &lattice([100, 100, 100])).is_err());
}

/// A file of several volumes made byte by byte: the fourth dimension is the number of volumes.
fn several(volumes: &[Vec<u8>], table: &str, shape: [i16; 3]) -> Vec<u8> {
    let mut file = vec![0_u8; 348];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    let [slices, rows, columns] = shape;
    let dim = [4, columns, rows, slices, volumes.len() as i16, 1, 1, 1];
    for (n, size) in dim.into_iter().enumerate() {
        put(40 + 2 * n, &size.to_le_bytes());
    }
    put(70, &2_i16.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    let extension = if table.is_empty() { 0 } else { 8 + table.len() };
    put(108, &(352.0 + extension as f32).to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    // Columns, rows and slices along x, y and z of LPS, 1 mm.
    for (axis, step) in [-1_f32, -1.0, 1.0].into_iter().enumerate() {
        put(280 + 20 * axis, &step.to_le_bytes());
    }
    put(344, b"n+1\0");
    file.extend([u8::from(extension > 0), 0, 0, 0]);
    if extension > 0 {
        file.extend((extension as u32).to_le_bytes());
        file.extend(0_u32.to_le_bytes());
        file.extend(table.as_bytes());
    }
    file.extend(volumes.concat());
    file
}

fn read_bytes(bytes: &[u8], onto: &VolumeGeometry) -> Result<Warned<Vec<NamedRegion>>, MaskFault> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nii");
    std::fs::write(&path, bytes).unwrap();
    read_regions(&path, onto, None).map_err(|error| error.fault)
}

fn row_of(columns: usize) -> VolumeGeometry {
    VolumeGeometry::new([1, 1, columns], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]).unwrap()
}

/// Name, number and voxels of each region.
fn found_in(regions: &[NamedRegion]) -> Vec<(&str, Option<u32>, Vec<bool>)> {
    regions.iter().map(|r| (r.name.as_str(), r.number, r.mask.values().to_vec())).collect()
}

#[test]
fn each_volume_of_several_is_a_region() {
    let volumes = [vec![1, 1, 0], vec![0, 255, 255], vec![0, 0, 0], vec![2, 0, 7]];
    let found = read_bytes(&several(&volumes, "", [1, 1, 3]), &row_of(3)).unwrap();
    let expected = [
        ("1", Some(1), vec![true, true, false]),
        ("2", Some(2), vec![false, true, true]),
        ("3", Some(3), vec![false, false, false]),
        ("4/2", Some(4), vec![true, false, false]),
        ("4/7", Some(4), vec![false, false, true]),
    ];
    assert_eq!(found_in(&found.output), expected);
    assert_eq!(codes(&found), ["REGION_EMPTY"]);
}

#[test]
fn a_label_table_names_the_regions() {
    let table = "<CaretExtension><Label Key=\"5\"><![CDATA[liver]]></Label></CaretExtension>";
    let bytes = several(&[vec![5, 9, 0]], table, [1, 1, 3]);
    let found = read_bytes(&bytes, &row_of(3)).unwrap();
    let expected =
        [("liver", Some(5), vec![true, false, false]), ("9", Some(9), vec![false, true, false])];
    assert_eq!(found_in(&found.output), expected);
}

#[test]
fn forms_that_disagree_are_told() {
    let mut bytes = several(&[vec![1, 0, 0]], "", [1, 1, 3]);
    bytes[252] = 1; // a qform of no turn: x and y to the other side
    for at in [80, 84, 88] {
        bytes[at..at + 4].copy_from_slice(&1_f32.to_le_bytes());
    }
    let found = read_bytes(&bytes, &row_of(3)).unwrap();
    assert_eq!(codes(&found), ["MASK_FORMS_DISAGREE"]);
    assert_eq!(found.output[0].mask.values(), [true, false, false]);
}

#[test]
fn an_error_names_its_file_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nii");
    std::fs::write(&path, &several(&[vec![1, 0, 0]], "", [1, 1, 3])[..353]).unwrap();
    let told = read_regions(&path, &row_of(3), None).unwrap_err().to_string();
    assert_eq!(told.matches("x.nii").count(), 1, "{told}");
}

mod organs {
    use super::*;
    use crate::organ::{Numbering, Organ, OrganMap, Side};

    fn organs(path: &Path, numbering: Option<Numbering>) -> Result<Warned<OrganMap>, MaskFault> {
        read_organs(path, &row_of(4), None, numbering).map_err(|error| error.fault)
    }

    fn told(organs: &OrganMap) -> Vec<(Organ, Vec<usize>)> {
        organs.iter().map(|(organ, region)| (organ, region.offsets().collect())).collect()
    }

    fn in_file(labels: Vec<u8>, table: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), several(&[labels], table, [1, 1, 4])).unwrap();
        file
    }

    #[test]
    fn numbers_mean_what_their_version_says() {
        let file = in_file(vec![7, 7, 104, 0], "");
        let first = organs(file.path(), Some(Numbering::TotalV1)).unwrap();
        let expected = [(Organ::Aorta, vec![0, 1]), (Organ::UrinaryBladder, vec![2])];
        assert_eq!(told(&first.output), expected);
        let second = organs(file.path(), Some(Numbering::TotalV2)).unwrap();
        let expected = [(Organ::Pancreas, vec![0, 1]), (Organ::Rib(Side::Right, 1), vec![2])];
        assert_eq!(told(&second.output), expected);
        // Not said: the newer version, and the reader is told; liver and spleen have one number in both.
        let assumed = organs(file.path(), None).unwrap();
        assert_eq!(
            (told(&assumed.output), codes(&assumed)),
            (told(&second.output), vec!["ORGANS_NUMBERING"])
        );
        assert_eq!(codes(&organs(in_file(vec![5, 1, 0, 0], "").path(), None).unwrap()), [""; 0]);
        let shown = organs(in_file(vec![52, 5, 116, 0], "").path(), None).unwrap();
        let expected =
            [(Organ::Aorta, vec![0]), (Organ::Liver, vec![1]), (Organ::Sternum, vec![2])];
        assert_eq!(told(&shown.output), expected);
        assert_eq!(codes(&shown), [] as [&str; 0]);
    }

    #[test]
    fn a_label_table_goes_before_numbers_and_what_it_does_not_name_is_unknown() {
        let table = "<CaretExtension><Label Key=\"1\"><![CDATA[aorta]]></Label>\
            <Label Key=\"2\"><![CDATA[left sock]]></Label></CaretExtension>";
        let file = in_file(vec![1, 2, 5, 0], table);
        let found = organs(file.path(), Some(Numbering::TotalV2)).unwrap();
        assert_eq!(told(&found.output), [(Organ::Aorta, vec![0])]);
        assert_eq!(codes(&found), ["ORGANS_UNKNOWN"]);
        let message = &found.warnings[0].message;
        assert!(message.contains("\"5\"") && message.contains("\"left sock\""), "{message}");
    }

    #[test]
    fn a_folder_holds_an_organ_a_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(organs(folder.path(), None), Err(MaskFault::NotRegions(_))));
        let put = |name: &str, voxels: [u8; 4]| {
            let bytes = several(&[voxels.to_vec()], "", [1, 1, 4]);
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        put("ct.nii", [9, 8, 7, 6]);
        assert!(matches!(organs(folder.path(), None), Err(MaskFault::NoOrgan)));
        put("liver.nii", [1, 1, 0, 0]);
        put("kidney_left.nii", [0, 0, 255, 0]);
        put("spleen.nii", [0; 4]);
        std::fs::write(folder.path().join("statistics.json"), "{}").unwrap();
        let found = organs(folder.path(), None).unwrap();
        let expected = [(Organ::Liver, vec![0, 1]), (Organ::Kidney(Side::Left), vec![2])];
        assert_eq!(told(&found.output), expected);
        assert_eq!(codes(&found), ["ORGANS_UNKNOWN"]);
        assert!(found.warnings[0].message.ends_with("\"ct\""));
        std::fs::write(folder.path().join("brain.nii"), "no").unwrap();
        let error = read_organs(folder.path(), &row_of(4), None, None).unwrap_err();
        assert!(error.to_string().contains("brain.nii"), "{error}");
    }

    #[test]
    fn organs_on_another_grid_or_outside_the_scan() {
        let file = in_file(vec![5, 5, 5, 116], "");
        let coarse =
            VolumeGeometry::new([1, 1, 2], DVec3::X * 0.5, [DVec3::Z, DVec3::Y, DVec3::X * 2.0]);
        let found = read_organs(file.path(), &coarse.unwrap(), None, None).unwrap();
        // Halfway between two voxels the upper one is taken: 1 and 3.
        assert_eq!(told(&found.output), [(Organ::Liver, vec![0]), (Organ::Sternum, vec![1])]);
        assert_eq!(codes(&found), ["MASK_RESAMPLED"]);
        let far = row_of(4).moved(DAffine3::from_translation(DVec3::Y * 50.0)).unwrap();
        let outside = read_organs(file.path(), &far, None, None).unwrap_err();
        assert!(matches!(outside.fault, MaskFault::Outside));
    }

    fn coded(name: &str, kind: (&str, &str), place: PlaceCodes) -> Placed {
        let voxels = Region::from_offsets([1, 1, 4], [0]);
        Placed {
            name: name.into(),
            number: Some(1),
            code: Some(concept(kind)),
            resampled: false,
            place,
            voxels,
            drawn: 1,
            lost: 0,
        }
    }

    fn concept((value, scheme): (&str, &str)) -> CodedConcept {
        CodedConcept { value: value.into(), scheme: scheme.into(), meaning: String::new() }
    }

    #[test]
    fn a_code_decides_over_the_name_and_a_lesion_in_the_liver_is_no_liver() {
        let left = Some(concept(("7771000", "SCT")));
        let in_liver =
            PlaceCodes { region: Some(concept(("10200004", "SCT"))), ..PlaceCodes::default() };
        let left_type = PlaceCodes { modifier: left.clone(), ..PlaceCodes::default() };
        let in_left_kidney = PlaceCodes {
            region: Some(concept(("64033007", "SCT"))),
            region_modifier: left,
            ..PlaceCodes::default()
        };
        let none = PlaceCodes::default;
        let rows = [
            (coded("x", ("T-62000", "SRT"), none()), Some(Organ::Liver)),
            (coded("liver", ("52988006", "SCT"), none()), None),
            (coded("lesion", ("52988006", "SCT"), in_liver.clone()), None),
            (coded("x", ("123037004", "SCT"), in_liver), Some(Organ::Liver)),
            (coded("x", ("64033007", "SCT"), left_type), Some(Organ::Kidney(Side::Left))),
            (coded("x", ("367643001", "SCT"), in_left_kidney), Some(Organ::KidneyCyst(Side::Left))),
            (coded("x", ("367643001", "SCT"), none()), None),
            (Placed { code: None, ..coded("Aorta", ("", ""), none()) }, Some(Organ::Aorta)),
        ];
        for (placed, organ) in rows {
            assert_eq!(super::super::organs::organ_of(&placed), organ, "{placed:?}");
        }
    }
}
