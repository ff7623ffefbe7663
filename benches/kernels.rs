//! The kernels that touch every voxel, by volume size and number of threads, beside the machine's memory bandwidth.
//!
//! `cargo bench --bench kernels`; one of them with `-- SUVmax`, one size with `-- small`.
//!
//! `read` and `copy` are bare loops over the same bytes in the same run: what the machine gives. Throughput is in the
//! bytes a kernel must read and write once, so the distance to bandwidth is read off the table. SUV scaling is measured
//! with the loader, in the bench `series`.
//! The image is made in memory: an ellipsoid of noisy tissue on a noisy background, and hot spots in it.

mod common;

use common::{by_threads, group};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use glam::DVec3;
use petct::geometry::VolumeGeometry;
use petct::segmentation::{Region, components};
use petct::statistics::{maximum, peak_global, statistics, summary};
use petct::volume::Volume;
use rayon::prelude::*;

/// Name, `[slices, rows, columns]`, side of a voxel in the slice and slice step (mm), samples.
const SIZES: [(&str, [usize; 3], [f64; 2], usize); 2] = [
    ("small 168x168x263", [263, 168, 168], [4.07, 3.0], 20),
    ("large 400x400x645", [645, 400, 400], [1.65, 1.65], 10),
];
/// Below most tissue: one large component and much speckle.
const LOW: f32 = 0.8;
/// Above all but the hot spots.
const HIGH: f32 = 4.0;
const HOT_SPOTS: u32 = 60;

fn benches(c: &mut Criterion) {
    for (name, shape, sides, samples) in SIZES {
        let volume = image(shape, sides);
        let mut group = group(c, name, samples);
        bandwidth(&mut group, &volume);
        passes(&mut group, &volume);
        regions(&mut group, &volume, &components(&volume, HIGH));
        group.finish();
    }
}

fn bytes_of(values: &[f32]) -> u64 {
    size_of_val(values) as u64
}

fn bandwidth(group: &mut BenchmarkGroup<WallTime>, volume: &Volume<f32>) {
    let values = volume.values();
    let mut target = vec![0.0_f32; values.len()];
    by_threads(group, "read", Throughput::Bytes(bytes_of(values)), || {
        let bits = |chunk: &[f32]| chunk.iter().fold(0_u32, |sum, v| sum.wrapping_add(v.to_bits()));
        values.par_chunks(1 << 16).map(bits).reduce(|| 0, u32::wrapping_add)
    });
    by_threads(group, "copy", Throughput::Bytes(2 * bytes_of(values)), || {
        let pairs = target.par_chunks_mut(1 << 16).zip(values.par_chunks(1 << 16));
        pairs.for_each(|(to, from)| to.copy_from_slice(from));
    });
}

fn passes(group: &mut BenchmarkGroup<WallTime>, volume: &Volume<f32>) {
    let bytes = || Throughput::Bytes(bytes_of(volume.values()));
    by_threads(group, "SUVmax", bytes(), || maximum(volume));
    by_threads(group, "summary", bytes(), || summary(volume));
    let whole = Region::from_offsets(volume.geometry().shape(), 0..volume.values().len());
    by_threads(group, "SUVpeak of the volume", bytes(), || peak_global(volume, &whole));
    by_threads(group, "components, low threshold", bytes(), || components(volume, LOW));
    by_threads(group, "components, high threshold", bytes(), || components(volume, HIGH));
}

fn regions(group: &mut BenchmarkGroup<WallTime>, volume: &Volume<f32>, hot: &[Region]) {
    let voxels = hot.iter().map(Region::voxels).sum::<usize>();
    let bytes = || Throughput::Bytes((voxels * size_of::<f32>()) as u64);
    by_threads(group, "SUVpeak of every lesion", bytes(), || {
        hot.par_iter().map(|region| peak_global(volume, region)).collect::<Vec<_>>()
    });
    by_threads(group, "statistics of every lesion", bytes(), || {
        hot.par_iter().map(|region| statistics(volume, region)).collect::<Vec<_>>()
    });
}

/// A patient of sorts: nothing, tissue of SUV near 1, hot spots of SUV 6 to 20 with a width of 8 mm.
fn image(shape: [usize; 3], [in_plane, step]: [f64; 2]) -> Volume<f32> {
    let steps = [step * DVec3::Z, in_plane * DVec3::Y, in_plane * DVec3::X];
    let geometry = VolumeGeometry::new(shape, DVec3::ZERO, steps).expect("a plain lattice");
    let mut volume = Volume::filled(geometry, 0.0_f32);
    let [_, rows, columns] = shape;
    let half = shape.map(|n| n as f32 / 2.0);
    volume.values_mut().par_chunks_mut(rows * columns).enumerate().for_each(|(s, slice)| {
        for (i, value) in slice.iter_mut().enumerate() {
            let [z, y, x] = [s as f32, (i / columns) as f32, (i % columns) as f32];
            let within = [(z, 0, 0.95), (y, 1, 0.4), (x, 2, 0.7)]
                .map(|(at, axis, share)| ((at - half[axis]) / (share * half[axis])).powi(2));
            let organs = 0.3 * (0.05 * z).sin() * (0.11 * y).cos() * (0.07 * x).sin();
            let tissue = if within.iter().sum::<f32>() < 1.0 { 1.0 + organs } else { 0.05 };
            *value = tissue * (0.8 + 0.4 * hash((s * slice_len(shape) + i) as u32));
        }
    });
    for spot in 0..HOT_SPOTS {
        add_hot_spot(&mut volume, spot);
    }
    volume
}

fn slice_len([_, rows, columns]: [usize; 3]) -> usize {
    rows * columns
}

fn add_hot_spot(volume: &mut Volume<f32>, number: u32) {
    let shape = volume.geometry().shape();
    let at: [usize; 3] = std::array::from_fn(|axis| {
        let share = 0.35 + 0.3 * hash(1000 + 3 * number + axis as u32);
        (if axis == 0 { 2.5 * share - 0.75 } else { share } * shape[axis] as f32) as usize
    });
    let top = 6.0 + 14.0 * hash(5000 + number);
    let centre = volume.geometry().centre_of(at);
    let spot = petct::segmentation::sphere(volume.geometry(), centre, 30.0).region;
    for offset in spot.offsets() {
        let place = volume.geometry().centre_of(volume.voxel_of(offset));
        let heat = (-place.distance_squared(centre) / (2.0 * 64.0)).exp() as f32;
        volume.values_mut()[offset] += top * heat;
    }
}

/// A number from 0 to 1 that only depends on its argument.
fn hash(n: u32) -> f32 {
    let mut x = n.wrapping_mul(0x9e37_79b9) ^ 0x85eb_ca6b;
    x = (x ^ x >> 15).wrapping_mul(0x2c1b_3c6d);
    x = (x ^ x >> 12).wrapping_mul(0x297a_2d39);
    (x ^ x >> 15) as f32 / u32::MAX as f32
}

criterion_group!(kernels, benches);
criterion_main!(kernels);
