//! A volume smoothed and carried onto a coarser lattice at once: neither the part that is smoothed nor the smooth volume is
//! ever held.

use std::collections::VecDeque;
use std::ops::Range;

use fearless_simd::{Level, dispatch};
use glam::DAffine3;
use rayon::prelude::*;

use super::{SLACK, blend, gaussian_smooth, half_kernel, resample, split};
use crate::geometry::VolumeGeometry;
use crate::memory::zeroed;
use crate::volume::Volume;

/// Slices of the target that are filled together: enough for the threads, and few slices of the source are held.
const TOGETHER: usize = 16;

/// The part of a volume from one voxel to another (both included), smoothed by a Gaussian and carried onto another lattice
/// of the same patient frame, 0 outside.
///
/// It is `resample(&gaussian_smooth(&volume.part(first, last), sigma_mm), onto, DAffine3::IDENTITY, 0.0)` but for rounding
/// and a drift of less than a hundredth of a voxel, and fast where the axes of both lattices are parallel: the kernel and
/// the way between two voxels are one weight then, axis after axis, and nothing is smoothed that the target does not ask
/// for.
///
/// # Panics
/// As [`VolumeGeometry::part`].
pub fn smooth_onto(
    volume: &Volume<f32>,
    [first, last]: [[usize; 3]; 2],
    sigma_mm: [f64; 3],
    onto: &VolumeGeometry,
) -> Volume<f32> {
    let geometry = volume.geometry().part(first, last);
    let map = geometry.index_from_patient() * onto.patient_from_index();
    if !is_parallel(&map, onto.shape()) {
        let smooth = gaussian_smooth(&volume.part(first, last), sigma_mm);
        return resample(&smooth, onto, DAffine3::IDENTITY, 0.0);
    }
    let (shape, spacing) = (geometry.shape(), geometry.spacing_mm());
    let along = [0, 1, 2].map(|axis| {
        let kernel = half_kernel(sigma_mm[axis] / spacing[axis]);
        let index = |n: usize| map.translation[axis] + n as f64 * map.matrix3.col(axis)[axis];
        // Weights along the columns fill registers.
        let multiple = if axis == 2 { LANES } else { 1 };
        Taps::new(&kernel, shape[axis], multiple, (0..onto.shape()[axis]).map(index))
    });
    let source = Source { volume, first, shape, along };
    let [_, rows, columns] = onto.shape();
    let mut values = zeroed(onto.len());
    let mut bands: Vec<_> = values.chunks_mut(TOGETHER * rows * columns).enumerate().collect();
    if map.matrix3.x_axis.x < 0.0 {
        // Slices of the source are met in their order.
        bands.reverse();
    }
    let mut planes = Planes::default();
    for (band, values) in bands {
        let slices = band * TOGETHER..band * TOGETHER + values.len() / (rows * columns);
        planes.advance(&source, slices.clone());
        let targets = values.par_chunks_mut(rows * columns).zip(slices);
        targets.for_each(|(slice, s)| planes.blend(&source.along[0], s, slice));
    }
    Volume::from_vec(onto.clone(), values)
}

/// How far the axes of two lattices may be from parallel, in voxels over the whole length of an axis: positions are written
/// in decimals, and a stack that drifts by so little is smoothed as if it did not.
const SKEW: f64 = 0.01;

/// Whether each axis of the target runs along the same axis of the source, seen in indices of the source.
fn is_parallel(map: &DAffine3, shape: [usize; 3]) -> bool {
    let across = |axis: usize, n: usize| {
        let mut reach = map.matrix3.col(axis).abs() * n as f64;
        reach[axis] = 0.0;
        reach.max_element() < SKEW
    };
    map.is_finite() && shape.into_iter().enumerate().all(|(axis, n)| across(axis, n))
}

/// What the places of a target take from the voxels along an axis of the source.
struct Taps {
    /// The first voxel of each place; `None` where there is nothing to interpolate.
    first: Vec<Option<usize>>,
    /// As many weights for each place, one after another.
    weights: Vec<f32>,
    each: usize,
}

impl Taps {
    /// For places at indices of a source of `n` voxels; of each as many weights as make a multiple, the rest are 0.
    fn new(kernel: &[f32], n: usize, multiple: usize, indices: impl Iterator<Item = f64>) -> Self {
        let reach = kernel.len() - 1;
        let each = (2 * reach + 2).next_multiple_of(multiple).min(n);
        let mut taps = Self { first: Vec::new(), weights: Vec::new(), each };
        for index in indices {
            let inside = index >= -SLACK && index <= (n - 1) as f64 + SLACK;
            let (low, fraction) = split(index, n);
            let first = low.saturating_sub(reach).min(n - each);
            taps.first.push(inside.then_some(first));
            let start = taps.weights.len();
            taps.weights.resize(start + each, 0.0);
            for (at, share) in [(low, 1.0 - fraction), (low + 1, fraction)] {
                // An axis of one voxel has no neighbour, and a share of nothing takes from none.
                if share > 0.0 && at < n {
                    let near = at.saturating_sub(reach)..(at + reach + 1).min(n);
                    let total: f32 = near.clone().map(|i| kernel[i.abs_diff(at)]).sum();
                    for i in near {
                        taps.weights[start + i - first] += share * kernel[i.abs_diff(at)] / total;
                    }
                }
            }
        }
        taps
    }

    /// The first voxel and the weights of each place.
    fn places(&self) -> impl Iterator<Item = (Option<usize>, &[f32])> {
        self.first.iter().copied().zip(self.weights.chunks_exact(self.each))
    }

    /// The voxels that take part in some places.
    fn range(&self, places: Range<usize>) -> Option<Range<usize>> {
        let firsts = || self.first[places.clone()].iter().flatten();
        Some(*firsts().min()?..firsts().max()? + self.each)
    }
}

/// Products that are summed together, as many as fit a register.
const LANES: usize = 8;

/// The sum of some values by their weights.
#[inline]
fn dot(values: &[f32], weights: &[f32]) -> f32 {
    let ((values, last), (weights, last_weights)) =
        (values.as_chunks::<LANES>(), weights.as_chunks::<LANES>());
    let mut sums = [0.0_f32; LANES];
    for (values, weights) in values.iter().zip(weights) {
        for lane in 0..LANES {
            sums[lane] += values[lane] * weights[lane];
        }
    }
    let rest: f32 = last.iter().zip(last_weights).map(|(value, weight)| value * weight).sum();
    sums.iter().sum::<f32>() + rest
}

/// The part of a volume that is smoothed, and the weights along its axes.
struct Source<'a> {
    volume: &'a Volume<f32>,
    first: [usize; 3],
    shape: [usize; 3],
    along: [Taps; 3],
}

impl Source<'_> {
    /// A slice smoothed and carried onto the rows and columns of the target.
    fn plane(&self, slice: usize, line: &mut [f32]) -> Vec<f32> {
        let [s, r, c] = self.first;
        let [_, rows, columns] = &self.along;
        let row_of_source = |row: usize| {
            let start = self.volume.offset_of([s + slice, r + row, c]);
            &self.volume.values()[start..start + self.shape[2]]
        };
        let width = columns.first.len();
        let mut plane = vec![0.0; rows.first.len() * width];
        for ((first, weights), out) in rows.places().zip(plane.chunks_exact_mut(width)) {
            let Some(first) = first else { continue };
            let taps: Vec<_> = weights.iter().copied().zip((first..).map(row_of_source)).collect();
            blend(line, &taps);
            dispatch!(Level::new(), _ => {
                for ((first, weights), value) in columns.places().zip(out) {
                    if let Some(first) = first {
                        *value = dot(&line[first..first + columns.each], weights);
                    }
                }
            });
        }
        plane
    }
}

/// Slices of the source carried onto the rows and columns of the target, in their order.
#[derive(Default)]
struct Planes {
    first: usize,
    planes: VecDeque<Vec<f32>>,
}

impl Planes {
    /// Makes the planes for some slices of the target that are not there yet, and gives up those before them.
    fn advance(&mut self, source: &Source<'_>, targets: Range<usize>) {
        let Some(range) = source.along[0].range(targets) else { return };
        while self.first < range.start && self.planes.pop_front().is_some() {
            self.first += 1;
        }
        if self.planes.is_empty() {
            self.first = range.start;
        }
        let missing = self.first + self.planes.len()..range.end;
        let new = missing
            .into_par_iter()
            .map_init(|| vec![0.0; source.shape[2]], |line, s| source.plane(s, line));
        self.planes.extend(new.collect::<Vec<_>>());
    }

    /// Fills a slice of the target.
    fn blend(&self, slices: &Taps, slice: usize, out: &mut [f32]) {
        let Some(first) = slices.first[slice] else { return };
        let weights = &slices.weights[slice * slices.each..][..slices.each];
        let planes = self.planes.range(first - self.first..first - self.first + slices.each);
        let taps: Vec<_> =
            weights.iter().copied().zip(planes).map(|(w, plane)| (w, plane.as_slice())).collect();
        blend(out, &taps);
    }
}

#[cfg(test)]
mod tests {
    use glam::{DMat3, DVec3};

    use super::*;

    fn lattice(shape: [usize; 3], origin: DVec3, steps: [DVec3; 3]) -> VolumeGeometry {
        VolumeGeometry::new(shape, origin, steps).unwrap()
    }

    fn noise(geometry: VolumeGeometry) -> Volume<f32> {
        let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 9) as f32 * 1e-5;
        let values = (0..geometry.len()).map(value).collect();
        Volume::from_vec(geometry, values)
    }

    /// As far as sums of thirty numbers in another order differ; what is outside is outside in both.
    fn assert_same(found: &Volume<f32>, expected: &Volume<f32>) {
        assert_near(found, expected, 3e-6);
    }

    fn assert_near(found: &Volume<f32>, expected: &Volume<f32>, part: f32) {
        assert_eq!(found.geometry(), expected.geometry());
        for (&a, &b) in found.values().iter().zip(expected.values()) {
            assert!((a - b).abs() <= part * b.abs() && (a == 0.0) == (b == 0.0), "{a} for {b}");
        }
    }

    /// Slices up and down, a turned lattice, rows and columns exchanged: all as in three steps.
    #[test]
    fn it_is_smoothing_and_then_carrying() {
        let axes = [DVec3::Z * 1.7, DVec3::Y * 2.1, DVec3::X * 2.2];
        let turn = DMat3::from_rotation_x(0.2) * DMat3::from_rotation_z(0.3);
        let stacks = [
            axes,
            [-axes[0], axes[1], axes[2]],
            [axes[0], -axes[1], -axes[2]],
            [axes[0] * 3.0, axes[2], axes[1]],
            axes.map(|axis| turn * axis),
        ];
        for steps in stacks {
            let geometry = lattice([70, 41, 93], DVec3::new(-90.0, 35.0, 700.0), steps);
            let (low, high) = geometry.bounds_mm();
            let volume = noise(geometry);
            let shape = [(high - low).z, (high - low).y, (high - low).x];
            let shape = shape.map(|mm| (mm / 4.0) as usize + 3);
            let onto =
                lattice(shape, low - 2.5, [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 4.0));
            for part in [[[0, 0, 0], [69, 40, 92]], [[0, 3, 7], [60, 33, 80]]] {
                let whole = gaussian_smooth(&volume.part(part[0], part[1]), [5.0; 3]);
                let expected = resample(&whole, &onto, DAffine3::IDENTITY, 0.0);
                let found = smooth_onto(&volume, part, [5.0; 3], &onto);
                assert_same(&found, &expected);
                assert!(found.values().iter().any(|&v| v > 0.0));
            }
        }
    }

    /// Targets that begin before the source and end behind it, axes shorter than a kernel, axes that are not smoothed.
    #[test]
    fn what_lies_outside_is_zero_and_short_axes_are_smoothed() {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 3.0);
        for (shape, sigma) in [([40, 5, 30], [5.0; 3]), ([9, 40, 3], [0.0, 4.0, 0.0])] {
            let volume = noise(lattice(shape, DVec3::ZERO, steps));
            let part = [[0; 3], shape.map(|n| n - 1)];
            let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 4.0);
            let onto = lattice([90, 40, 60], DVec3::splat(-99.0), steps);
            let smooth = gaussian_smooth(&volume, sigma);
            let expected = resample(&smooth, &onto, DAffine3::IDENTITY, 0.0);
            assert!(expected.values().iter().any(|&v| v > 0.0));
            assert_same(&smooth_onto(&volume, part, sigma, &onto), &expected);
        }
    }

    /// A stack whose positions drift by a rounded decimal goes the fast way.
    #[test]
    fn a_stack_that_hardly_drifts_is_smoothed_as_if_it_did_not() {
        let steps = [DVec3::Z * 1.7 + DVec3::X * 2e-4, DVec3::Y * 2.1, DVec3::X * 2.2];
        let volume = noise(lattice([70, 41, 93], DVec3::ZERO, steps));
        let onto = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 4.0);
        let onto = lattice([29, 20, 50], DVec3::splat(0.5), onto);
        let map = volume.geometry().index_from_patient() * onto.patient_from_index();
        assert!(is_parallel(&map, onto.shape()));
        let whole = gaussian_smooth(&volume, [5.0; 3]);
        let expected = resample(&whole, &onto, DAffine3::IDENTITY, 0.0);
        let found = smooth_onto(&volume, [[0; 3], [69, 40, 92]], [5.0; 3], &onto);
        assert_near(&found, &expected, 1e-3);
    }

    #[test]
    fn one_slice_is_carried_too() {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 2.0);
        let volume = noise(lattice([1, 20, 80], DVec3::ZERO, steps));
        let onto = lattice([1, 8, 30], DVec3::ZERO, steps.map(|step| 2.0 * step));
        let part = [[0, 0, 0], [0, 19, 79]];
        let smooth = gaussian_smooth(&volume, [5.0; 3]);
        let expected = resample(&smooth, &onto, DAffine3::IDENTITY, 0.0);
        assert_same(&smooth_onto(&volume, part, [5.0; 3], &onto), &expected);
    }
}
