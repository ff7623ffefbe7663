//! Carrying, smoothing and reducing volumes, by size and number of threads: a CT onto its PET, as every fused picture
//! needs it.
//!
//! `cargo bench --bench resample`.

mod common;

use common::{by_threads, group};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glam::{DAffine3, DMat3, DVec3};
use petct::geometry::VolumeGeometry;
use petct::resample::{gaussian_smooth, reduce, resample};
use petct::volume::Volume;

fn centred(shape: [usize; 3], extent_mm: [f64; 3]) -> VolumeGeometry {
    let [s, r, c] = std::array::from_fn(|axis| extent_mm[axis] / shape[axis] as f64);
    let last = shape.map(|n| n as f64 - 1.0);
    let origin = -0.5 * DVec3::new(c * last[2], r * last[1], s * last[0]);
    VolumeGeometry::new(shape, origin, [DVec3::Z * s, DVec3::Y * r, DVec3::X * c])
        .expect("positive spacing")
}

fn carry(c: &mut Criterion) {
    for (size, slices, pet_columns) in [("small", 263, 168), ("large", 645, 400)] {
        let length = slices as f64 * 1.6;
        let ct = centred([slices, 512, 512], [length, 500.0, 500.0]);
        let pet = centred([slices, pet_columns, pet_columns], [length, 680.0, 680.0]);
        let values = (0..ct.len()).map(|i| (i % 2000) as i16 - 1000).collect();
        let ct = Volume::<i16>::from_vec(ct, values);
        let turned = DAffine3::from_mat3(DMat3::from_rotation_z(0.1));
        let uptake = Volume::filled(pet.clone(), 1.0_f32);
        let voxels = || Throughput::Elements(pet.len() as u64);
        let mut group = group(c, &format!("resample/{size}"), 10);
        for (name, map) in [("parallel axes", DAffine3::IDENTITY), ("turned", turned)] {
            by_threads(&mut group, &format!("CT onto PET, {name}"), voxels(), || {
                resample(&ct, &pet, map, -1024.0)
            });
        }
        by_threads(&mut group, "CT to 4 mm", voxels(), || reduce(&ct, 4.0));
        by_threads(&mut group, "PET smoothed by 6 mm", voxels(), || {
            gaussian_smooth(&uptake, [2.55; 3])
        });
        group.finish();
    }
}

criterion_group!(benches, carry);
criterion_main!(benches);
