//! Maximum intensity projection by volume size, view and number of threads; a turning one reads the volume once an angle.
//!
//! `cargo bench --bench mip`.

mod common;

use common::{by_threads, group};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glam::DVec3;
use petct::geometry::VolumeGeometry;
use petct::render::{View, mip, turning_mip};
use petct::volume::Volume;

/// Projections of one turn.
const ANGLES: usize = 36;

fn volume(shape: [usize; 3]) -> Volume<f32> {
    let steps = [3.0 * DVec3::Z, 4.0 * DVec3::Y, 4.0 * DVec3::X];
    let geometry = VolumeGeometry::new(shape, DVec3::ZERO, steps).expect("a straight lattice");
    let values = (0..geometry.len()).map(|i| (i * 7919 % 10_007) as f32 * 1e-3).collect();
    Volume::from_vec(geometry, values)
}

fn projections(criterion: &mut Criterion) {
    let mut group = group(criterion, "mip", 10);
    for shape in [[267, 128, 128], [645, 400, 400]] {
        let volume = volume(shape);
        for view in [View::Coronal, View::Sagittal, View::Axial] {
            let bytes = Throughput::Bytes(size_of_val(volume.values()) as u64);
            by_threads(&mut group, &format!("{view:?} {shape:?}"), bytes, || mip(&volume, view));
        }
        let bytes = Throughput::Bytes(ANGLES as u64 * size_of_val(volume.values()) as u64);
        let name = format!("turning by {ANGLES} angles {shape:?}");
        by_threads(&mut group, &name, bytes, || turning_mip(&volume, ANGLES));
    }
    group.finish();
}

criterion_group!(benches, projections);
criterion_main!(benches);
