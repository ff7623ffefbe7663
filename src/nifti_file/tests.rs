//! Files made byte by byte, without this module.

use std::io::{Read, Write};

use super::image::open;
use super::*;

const SHAPE: [usize; 3] = [2, 3, 4];

/// A value that names its place.
fn value_at(ras: DVec3) -> f32 {
    (ras.x + 100.0 * ras.y + 10_000.0 * ras.z) as f32
}

/// The 48 ways to lay three file axes along the patient's: each of six orders with each of eight signs.
fn orientations() -> impl Iterator<Item = [DVec3; 3]> {
    let axes = [DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * 5.0];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    orders.into_iter().flat_map(move |order| {
        (0..8).map(move |signs| {
            std::array::from_fn(|n| axes[order[n]] * if signs >> n & 1 == 1 { -1.0 } else { 1.0 })
        })
    })
}

/// A file made without this module: voxel (i, j, k) at `origin + i steps[0] + j steps[1] + k steps[2]` in RAS.
fn bytes_of(steps: [DVec3; 3], origin: DVec3, header: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut file = vec![0u8; 352];
    let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(&mut file, 0, &348i32.to_le_bytes());
    for (n, dim) in [3i16, 4, 3, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(&mut file, 40 + 2 * n, &dim.to_le_bytes());
    }
    put(&mut file, 70, &16i16.to_le_bytes());
    put(&mut file, 72, &32i16.to_le_bytes());
    put(&mut file, 108, &352f32.to_le_bytes());
    put(&mut file, 254, &1i16.to_le_bytes());
    for axis in 0..3 {
        let row = [steps[0][axis], steps[1][axis], steps[2][axis], origin[axis]];
        for (n, v) in row.into_iter().enumerate() {
            put(&mut file, 280 + 16 * axis + 4 * n, &(v as f32).to_le_bytes());
        }
    }
    put(&mut file, 344, b"n+1\0");
    header(&mut file);
    for (k, j, i) in (0..2).flat_map(|k| (0..3).flat_map(move |j| (0..4).map(move |i| (k, j, i)))) {
        let place =
            origin + steps[0] * f64::from(i) + steps[1] * f64::from(j) + steps[2] * f64::from(k);
        file.extend(value_at(place).to_le_bytes());
    }
    file
}

fn read_bytes(bytes: &[u8]) -> Result<Volume<f32>, NiftiError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, bytes).unwrap();
    read(path)
}

#[track_caller]
fn every_value_at_its_place(volume: &Volume<f32>) {
    assert_eq!(volume.geometry().shape(), SHAPE);
    for (n, &value) in volume.values().iter().enumerate() {
        let lps = volume.geometry().centre_of(volume.voxel_of(n));
        let there = value_at(DVec3::new(-lps.x, -lps.y, lps.z));
        assert!((there - value).abs() < 0.1, "{value} found where {there} belongs");
    }
}

#[test]
fn every_orientation_puts_values_at_their_places_and_survives_writing() {
    let dir = tempfile::tempdir().unwrap();
    for (n, steps) in orientations().enumerate() {
        let volume = read_bytes(&bytes_of(steps, DVec3::new(7.0, -11.0, 13.0), |_| ())).unwrap();
        every_value_at_its_place(&volume);
        let path = dir.path().join(if n % 2 == 0 { "a.b.nii.gz" } else { "a.b.nii" });
        write(&path, &volume).unwrap();
        assert_eq!(read(&path).unwrap(), volume);
        // The same through the quaternion alone.
        let mut bytes = Vec::new();
        open(&path).unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes[254..256].fill(0);
        bytes[280..328].fill(0);
        every_value_at_its_place(&read_bytes(&bytes).unwrap());
        bytes[252..254].fill(0);
        assert!(matches!(read_bytes(&bytes), Err(NiftiError::NoAffine { .. })));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn oblique_is_kept_by_both_forms_and_shear_by_the_sform() {
    let turn = DMat3::from_rotation_x(0.4) * DMat3::from_rotation_z(-0.7);
    let steps = [DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * -5.0].map(|s| turn * s);
    let volume = read_bytes(&bytes_of(steps, DVec3::ZERO, |_| ())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("both.nii");
    write(&path, &volume).unwrap();
    assert_eq!(header_of(volume.geometry()).qform_code, 1);
    assert!(Image::read(&path).unwrap().disagreement_mm() < 1e-4);

    let sheared = [steps[0], steps[1] + 0.2 * steps[0], steps[2]];
    let volume = read_bytes(&bytes_of(sheared, DVec3::ZERO, |_| ())).unwrap();
    every_value_at_its_place(&volume);
    assert_eq!(header_of(volume.geometry()).qform_code, 0);
}

#[test]
fn slope_intercept_and_units_of_length_apply() {
    let axes = [DVec3::X, DVec3::Y, DVec3::Z];
    let bytes = bytes_of(axes, DVec3::ONE, |h| {
        h[112..116].copy_from_slice(&2f32.to_le_bytes());
        h[116..120].copy_from_slice(&(-3f32).to_le_bytes());
        h[123] = 1;
    });
    let volume = read_bytes(&bytes).unwrap();
    assert!((volume[[0, 0, 0]] - (2.0 * value_at(DVec3::ONE) - 3.0)).abs() < 1e-2);
    assert_eq!(volume.geometry().origin_mm(), DVec3::new(-1000.0, -1000.0, 1000.0));
}

/// Each row spoils a good file.
#[test]
fn damage_is_an_error() {
    let axes = [DVec3::X, DVec3::Y, DVec3::Z];
    let good = bytes_of(axes, DVec3::ZERO, |_| ());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&good).unwrap();
    let gz = gz.finish().unwrap();
    assert!(read_bytes(&gz).is_ok());
    assert!(read_bytes(&gz[..gz.len() / 2]).is_err());
    assert!(matches!(read_bytes(&gz[..gz.len() - 12]), Err(NiftiError::Truncated { .. })));
    assert!(matches!(read_bytes(&good[..400]), Err(NiftiError::Truncated { .. })));
    assert!(matches!(read_bytes(&good[..100]), Err(NiftiError::NotNifti { .. })));
    assert!(matches!(read_bytes(b""), Err(NiftiError::NotNifti { .. })));
    let rows: [(usize, &[u8]); 9] = [
        (40, &[3, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), // dims that overflow
        (42, &[0xff, 0x7f]),                               // more columns than data
        (42, &[0, 0]),                                     // no columns
        (40, &[4, 0, 4, 0, 3, 0, 2, 0, 2, 0]),             // two volumes
        (70, &[32, 0]),                                    // complex numbers
        (70, &[77, 77]),                                   // no data type
        (108, &[0, 0, 0xc0, 0x7f]),                        // vox_offset NaN
        (108, &[0, 0, 0, 0x4b]),                           // vox_offset past the end
        (280, &[0; 48]),                                   // an affine of zeros
    ];
    for (at, bytes) in rows {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        assert!(read_bytes(&bad).is_err(), "{at}: {bytes:?}");
    }
}

#[test]
fn a_name_without_a_format_is_refused() {
    let geometry = VolumeGeometry::new([1; 3], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]);
    let volume = Volume::filled(geometry.unwrap(), 0.0);
    assert!(matches!(write("x.mha", &volume), Err(NiftiError::BadName { .. })));
    assert!(matches!(write(".nii", &volume), Err(NiftiError::BadName { .. })));
    assert!(matches!(write("no/such/folder/x.nii", &volume), Err(NiftiError::Write { .. })));
}

/// The same voxels behind a header of the second version.
fn second_version(first: &[u8], big_endian: bool) -> Vec<u8> {
    let mut file = vec![0_u8; 544];
    let mut put = |at: usize, little: &[u8]| {
        let mut bytes = little.to_vec();
        if big_endian {
            bytes.reverse();
        }
        file[at..at + bytes.len()].copy_from_slice(&bytes);
    };
    put(0, &540_i32.to_le_bytes());
    for (n, dim) in [3_i64, 4, 3, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(16 + 8 * n, &dim.to_le_bytes());
    }
    put(12, &16_i16.to_le_bytes());
    put(168, &544_i64.to_le_bytes());
    put(176, &1_f64.to_le_bytes());
    put(348, &1_i32.to_le_bytes());
    for n in 0..12 {
        let at = 280 + 4 * n;
        let value = f32::from_le_bytes(first[at..at + 4].try_into().unwrap());
        put(400 + 8 * n, &f64::from(value).to_le_bytes());
    }
    file[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
    for value in first[352..].chunks(4) {
        let mut value = value.to_vec();
        if big_endian {
            value.reverse();
        }
        file.extend(value);
    }
    file
}

#[test]
fn the_second_version_is_read_in_either_order_of_bytes() {
    let steps = [DVec3::Y * 2.0, DVec3::X * -3.0, DVec3::Z * 5.0];
    let first = bytes_of(steps, DVec3::new(7.0, -11.0, 13.0), |_| ());
    for big_endian in [false, true] {
        let second = second_version(&first, big_endian);
        every_value_at_its_place(&read_bytes(&second).unwrap());
        assert!(matches!(read_bytes(&second[..500]), Err(NiftiError::NotNifti { .. })));
        assert!(matches!(read_bytes(&second[..600]), Err(NiftiError::Truncated { .. })));
    }
}

#[test]
fn forms_that_disagree_are_measured_at_the_farthest_corner() {
    let axes = [DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * 5.0];
    let bytes = bytes_of(axes, DVec3::ZERO, |h| {
        h[252] = 1;
        // No turn, and columns of 3 mm instead of 2: three steps of 1 mm at the far end.
        for (n, size) in [1_f32, 3.0, 3.0, 5.0].into_iter().enumerate() {
            h[76 + 4 * n..80 + 4 * n].copy_from_slice(&size.to_le_bytes());
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.nii");
    fs::write(&path, bytes).unwrap();
    let image = Image::read(&path).unwrap();
    assert!((image.disagreement_mm() - 3.0).abs() < 1e-6, "{}", image.disagreement_mm());
    let off = DVec3::from_array(image.geometry().spacing_mm()) - DVec3::new(5.0, 3.0, 2.0);
    assert!(off.length() < 1e-6, "the sform is believed: {off}");
}
