//! Maximum intensity projection by volume size and by view.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use glam::DVec3;
use petct::{
    geometry::VolumeGeometry,
    render::{View, mip},
    volume::Volume,
};

fn volume(shape: [usize; 3]) -> Volume<f32> {
    let steps = [3.0 * DVec3::Z, 4.0 * DVec3::Y, 4.0 * DVec3::X];
    let geometry = VolumeGeometry::new(shape, DVec3::ZERO, steps).expect("a straight lattice");
    let values = (0..geometry.len()).map(|i| (i * 7919 % 10_007) as f32 * 1e-3).collect();
    Volume::from_vec(geometry, values)
}

fn projections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mip");
    group.sample_size(20);
    for shape in [[267, 128, 128], [300, 200, 200], [400, 400, 400]] {
        let volume = volume(shape);
        group.throughput(Throughput::Elements(volume.geometry().len() as u64));
        for view in [View::Coronal, View::Sagittal, View::Axial] {
            let id = BenchmarkId::new(format!("{view:?}"), format!("{shape:?}"));
            group.bench_function(id, |bencher| bencher.iter(|| mip(black_box(&volume), view)));
        }
    }
    group.finish();
}

criterion_group!(benches, projections);
criterion_main!(benches);
