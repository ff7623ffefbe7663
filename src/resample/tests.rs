//! Affine functions, which trilinear interpolation reproduces exactly, are the truth here.

use glam::DMat3;

use super::*;

fn lattice(shape: [usize; 3], origin: DVec3, spacing: [f64; 3], turn: DMat3) -> VolumeGeometry {
    let [s, r, c] = spacing;
    let steps = [turn * DVec3::Z * s, turn * DVec3::Y * r, turn * DVec3::X * c];
    VolumeGeometry::new(shape, origin, steps).unwrap()
}

fn ramp(place: DVec3) -> f64 {
    2.0 + 0.5 * place.x - 0.25 * place.y + 0.125 * place.z
}

/// Trilinear interpolation reproduces an affine function exactly, whatever the lattices: the truth by construction.
#[test]
fn an_affine_function_survives_any_lattice() {
    let turn = DMat3::from_rotation_z(0.4) * DMat3::from_rotation_x(-0.2);
    let origin = DVec3::new(-40.0, -30.0, -20.0);
    let source = lattice([21, 25, 31], origin, [2.5, 3.0, 2.0], turn);
    let volume = evaluate(&source, |p| ramp(p) as f32);
    let targets = [
        lattice([9, 10, 11], origin, [4.0, 5.0, 3.5], turn),
        lattice([9, 10, 11], origin + turn * DVec3::splat(-5.0), [4.0, 5.0, 3.5], turn),
        lattice([7, 8, 9], DVec3::new(-20.0, -20.0, 0.0), [3.0, 4.0, 5.0], DMat3::IDENTITY),
        lattice(
            [7, 8, 9],
            DVec3::new(20.0, 20.0, 20.0),
            [3.0, 4.0, 5.0],
            DMat3::from_rotation_z(3.0),
        ),
    ];
    let here_from_there = DAffine3::from_translation(DVec3::new(1.0, -2.0, 3.0));
    for target in targets {
        let carried = resample(&volume, &target, here_from_there, -999.0);
        let mut inside = 0;
        for offset in 0..target.len() {
            let place =
                here_from_there.transform_point3(target.centre_of(carried.voxel_of(offset)));
            let found = carried.values()[offset];
            match sample_at(&volume, place) {
                Some(value) => {
                    inside += 1;
                    assert!((f64::from(found) - ramp(place)).abs() < 1e-4);
                    assert!((found - value).abs() < 1e-4);
                }
                None => assert!((found + 999.0).abs() < 1e-3),
            }
        }
        assert!(inside > 50, "{inside} of {} voxels", target.len());
    }
}

#[test]
fn the_same_lattice_gives_the_same_values() {
    let turn = DMat3::from_rotation_y(0.3);
    let geometry = lattice([4, 5, 6], DVec3::new(0.1, 0.2, 0.3), [3.27, 4.69, 4.69], turn);
    let volume = evaluate(&geometry, |p| (p.x * 37.0 + p.y * 11.0 - p.z) as i16);
    let carried = resample(&volume, &geometry, DAffine3::IDENTITY, f32::NAN);
    for (&found, &given) in carried.values().iter().zip(volume.values()) {
        assert!((found - f32::from(given)).abs() < 1e-2, "{found} {given}");
    }
    assert_eq!(
        resample_nearest(&volume, &geometry, DAffine3::IDENTITY, 0).values(),
        volume.values()
    );
}

#[test]
fn edges_are_where_they_are_said_to_be() {
    let geometry = lattice([1, 2, 3], DVec3::ZERO, [1.0; 3], DMat3::IDENTITY);
    let volume = Volume::from_vec(geometry.clone(), vec![0_i16, 1, 2, 10, 11, 12]);
    let rows = [
        ([0.0, 0.0, 0.0], Some(0.0)),
        ([0.0, 1.0, 2.0], Some(12.0)),
        ([0.0, 0.5, 1.5], Some(6.5)),
        ([0.0, 0.0, 2.001], None),
        ([0.1, 0.0, 0.0], None),
        ([0.0, -0.001, 0.0], None),
        ([f64::NAN, 0.0, 0.0], None),
    ];
    for (index, expected) in rows {
        assert_eq!(trilinear(&volume, DVec3::from_array(index)), expected, "{index:?}");
    }
    let fine = lattice([1, 4, 8], DVec3::new(-0.75, -0.25, 0.0), [1.0, 0.5, 0.5], DMat3::IDENTITY);
    let labels = resample_nearest(&volume, &fine, DAffine3::IDENTITY, -1);
    assert_eq!(&labels.values()[..8], [-1, 0, 0, 1, 1, 2, 2, -1]);
    assert_eq!(&labels.values()[16..24], [-1, 10, 10, 11, 11, 12, 12, -1]);
}

#[test]
fn the_slope_is_the_derivative() {
    let geometry = lattice([5, 5, 5], DVec3::ZERO, [3.0, 2.0, 1.5], DMat3::IDENTITY);
    let volume = evaluate(&geometry, |p| (p.x * p.y * 0.1 + p.z * p.x * 0.05) as f32);
    let at = DVec3::new(1.3, 2.4, 2.7);
    let (value, slope) = trilinear_with_slope(&volume, at).unwrap();
    assert_eq!(Some(value), trilinear(&volume, at));
    for axis in 0..3 {
        let mut ahead = at;
        ahead[axis] += 0.1;
        let difference = (trilinear(&volume, ahead).unwrap() - value) / 0.1;
        assert!((difference - slope[axis]).abs() < 1e-4, "axis {axis}: {difference} {slope:?}");
    }
}

#[test]
fn smoothing_keeps_uniform_and_spreads_a_point_by_sigma() {
    let geometry = lattice([25, 27, 29], DVec3::ZERO, [3.0, 2.0, 2.5], DMat3::IDENTITY);
    let sigma = [4.0, 3.0, 5.0];
    let flat = gaussian_smooth(&Volume::filled(geometry.clone(), 7_i16), sigma);
    assert!(flat.values().iter().all(|v| (v - 7.0).abs() < 1e-4));

    let mut point = Volume::filled(geometry, 0.0_f32);
    point[[12, 13, 14]] = 1000.0;
    let blurred = gaussian_smooth(&point, sigma);
    let centre = blurred.geometry().centre_of([12, 13, 14]);
    for (axis, sigma) in [(DVec3::Z, 4.0), (DVec3::Y, 3.0), (DVec3::X, 5.0)] {
        let (mut total, mut spread) = (0.0, 0.0);
        for (offset, &value) in blurred.values().iter().enumerate() {
            let away = (blurred.geometry().centre_of(blurred.voxel_of(offset)) - centre).dot(axis);
            total += f64::from(value);
            spread += f64::from(value) * away * away;
        }
        assert!((total - 1000.0_f64).abs() < 5.0, "{total}");
        assert!(((spread / total).sqrt() / sigma - 1.0).abs() < 0.02);
    }
}

#[test]
fn smoothing_by_more_than_the_volume_is_its_mean() {
    let geometry = lattice([1, 2, 3], DVec3::ZERO, [1.0; 3], DMat3::IDENTITY);
    let volume = Volume::from_vec(geometry, vec![0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let mean = gaussian_smooth(&volume, [0.0, 1e4, 1e4]);
    assert!(mean.values().iter().all(|v| (v - 2.5).abs() < 1e-3), "{:?}", mean.values());
}

#[test]
fn reduced_places_keep_their_values() {
    let turn = DMat3::from_rotation_z(0.2);
    let geometry = lattice([9, 13, 22], DVec3::new(5.0, 6.0, 7.0), [3.0, 1.0, 0.9], turn);
    let volume = evaluate(&geometry, |p| ramp(p) as f32);
    assert_eq!(reduce(&volume, 4.0).geometry().shape(), [9, 3, 5]);
    // Blocks of one to seven columns.
    for (block, columns) in (1..).zip([22, 11, 7, 5, 4, 3, 3]) {
        let reduced = reduce(&volume, 0.9 * f64::from(block));
        assert_eq!(reduced.geometry().shape()[2], columns);
        for (offset, &value) in reduced.values().iter().enumerate() {
            let place = reduced.geometry().centre_of(reduced.voxel_of(offset));
            assert!((f64::from(value) - ramp(place)).abs() < 1e-4);
        }
    }
    assert_eq!(reduce(&volume, 1e9).geometry().shape(), [1, 1, 1]);
}

#[test]
fn sigma_and_width() {
    assert!((sigma_of_fwhm(2.354_820_045) - 1.0).abs() < 1e-9);
}

#[test]
fn hounsfield_units_are_averaged_over_whole_blocks_once() {
    let steps = [DVec3::Z * 1.1, DVec3::Y * 0.8, DVec3::X * 0.9];
    let geometry = VolumeGeometry::new([5, 8, 11], DVec3::new(3.0, -4.0, 5.0), steps).unwrap();
    let values = (0..geometry.len()).map(|i| (i * 7919 % 3001) as i16 - 1024).collect();
    let volume = Volume::<i16>::from_vec(geometry, values);
    let reduced = reduce_hounsfield(&volume, 2.75);
    assert_eq!(reduced.geometry().shape(), [2, 2, 3]);
    let plain = reduce(&volume, 2.4);
    for (n, (&mean, &exact)) in reduced.values().iter().zip(plain.values()).enumerate() {
        assert!((f32::from(mean) - exact).abs() <= 0.51, "{n}: {mean} {exact}");
    }
    assert_eq!(reduced.geometry(), plain.geometry());
    assert_eq!(reduce_hounsfield(&reduced, 2.75), reduced);
}
