//! A volume smoothed and carried onto a coarser lattice at once: neither the part that is smoothed nor the smooth volume is
//! ever held.

use std::collections::VecDeque;
use std::ops::Range;

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use super::{Line, PlaneKernel, RowBlend, SLACK, blend, half_kernel, split, taps};
use super::{gaussian_smooth, resample};
use crate::geometry::VolumeGeometry;
use crate::memory::zeroed;
use crate::volume::Volume;

/// Slices of the target that are filled together: enough for the threads, and few of the smoothed slices are held.
const TOGETHER: usize = 16;

/// The part of a volume from one voxel to another (both included), smoothed by a Gaussian and carried onto another lattice
/// of the same patient frame, 0 outside.
///
/// It is `resample(&gaussian_smooth(&volume.part(first, last), sigma_mm), onto, DAffine3::IDENTITY, 0.0)` to the last bit,
/// and fast because the slices are smoothed in their plane once, while they are in the cache, and along the slices only in
/// the rows from which the target interpolates.
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
    let source = Source::new(volume, first, &geometry, sigma_mm);
    if !source.is_parallel(&map, onto.shape()) {
        let smooth = gaussian_smooth(&volume.part(first, last), sigma_mm);
        return resample(&smooth, onto, DAffine3::IDENTITY, 0.0);
    }
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
        planes.advance(&source, source.slices_for(&map, slices.clone(), rows));
        let targets = values.par_chunks_mut(rows * columns).zip(slices);
        targets.for_each_init(
            || (RowBlend::new(), vec![0.0; 4 * source.shape[2]]),
            |(blend, four), (slice, s)| {
                for (r, row) in slice.chunks_exact_mut(columns).enumerate() {
                    let start = map.transform_point3(DVec3::new(s as f64, r as f64, 0.0));
                    let line = Line { start, step: map.matrix3.z_axis };
                    let inside = line.inside(columns, source.shape, -SLACK);
                    if !inside.is_empty() {
                        let line = source.four_rows(&planes, &line, four);
                        blend.fill(four, [2, 2, source.shape[2]], &line, row, inside);
                    }
                }
            },
        );
    }
    Volume::from_vec(onto.clone(), values)
}

/// The part of a volume that is smoothed, and the kernel.
struct Source<'a> {
    volume: &'a Volume<f32>,
    first: [usize; 3],
    shape: [usize; 3],
    in_plane: PlaneKernel,
    /// Weights at 0, 1, 2... slices.
    along_slices: Vec<f32>,
}

/// Slices smoothed in their plane, in their order.
#[derive(Default)]
struct Planes {
    first: usize,
    planes: VecDeque<Vec<f32>>,
}

impl Planes {
    /// Smooths the slices of a range that are not there yet, and gives up those before it.
    fn advance(&mut self, source: &Source<'_>, range: Range<usize>) {
        while self.first < range.start && self.planes.pop_front().is_some() {
            self.first += 1;
        }
        if self.planes.is_empty() {
            self.first = range.start;
        }
        let missing = self.first + self.planes.len()..range.end;
        let area = source.shape[1] * source.shape[2];
        let new = missing
            .into_par_iter()
            .map_init(|| source.in_plane.room(area), |room, s| source.plane(s, room));
        self.planes.extend(new.collect::<Vec<_>>());
    }
}

impl<'a> Source<'a> {
    fn new(
        volume: &'a Volume<f32>,
        first: [usize; 3],
        part: &VolumeGeometry,
        sigma_mm: [f64; 3],
    ) -> Self {
        let spacing = part.spacing_mm();
        let kernel = [0, 1, 2].map(|a| half_kernel(sigma_mm[a] / spacing[a]));
        let in_plane = PlaneKernel::new(&kernel, part.shape()[2]);
        let [along_slices, ..] = kernel;
        Self { volume, first, shape: part.shape(), in_plane, along_slices }
    }

    /// Whether the columns of the target run along those of the source, and its slices along the slices.
    fn is_parallel(&self, map: &DAffine3, [_, rows, columns]: [usize; 3]) -> bool {
        let along_columns = map.matrix3.z_axis.abs() * columns as f64;
        let along_rows = map.matrix3.y_axis.abs() * rows as f64;
        map.is_finite()
            && along_columns.x < SLACK
            && along_columns.y < SLACK
            && along_rows.x < SLACK
            && self.shape.iter().all(|&n| n > 1)
    }

    /// The slices that take part in some slices of the target.
    fn slices_for(&self, map: &DAffine3, targets: Range<usize>, rows: usize) -> Range<usize> {
        let index =
            |s: usize, r: usize| map.transform_point3(DVec3::new(s as f64, r as f64, 0.0)).x;
        let ends = [targets.start, targets.end - 1];
        let ends = ends.map(|s| [index(s, 0), index(s, rows - 1)]).concat();
        let (low, high) = ends.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let reach = self.along_slices.len() - 1;
        // Rounding may find a slice further; the slice after the lower neighbour is read, too.
        let first = (low - SLACK).max(0.0) as usize;
        let end = (high + SLACK).max(0.0) as usize + 2;
        let end = end.saturating_add(reach).min(self.shape[0]);
        first.min(self.shape[0] - 2).saturating_sub(reach)..end
    }

    /// A slice smoothed along its rows and columns.
    fn plane(&self, slice: usize, room: &mut [Vec<f32>; 2]) -> Vec<f32> {
        let [_, rows, columns] = self.shape;
        let [s, r, c] = self.first;
        let source = (0..rows).map(|row| {
            let start = self.volume.offset_of([s + slice, r + row, c]);
            &self.volume.values()[start..start + columns]
        });
        let mut plane = vec![0.0; rows * columns];
        self.in_plane.smooth(source, room, &mut plane);
        plane
    }

    /// The four smooth rows around a line of the target, two of each of two slices, and the line as it lies in them.
    fn four_rows(&self, planes: &Planes, line: &Line, four: &mut [f32]) -> Line {
        let [slices, rows, columns] = self.shape;
        let [slice, row] = [split(line.start.x, slices).0, split(line.start.y, rows).0];
        for (n, out) in four.chunks_exact_mut(columns).enumerate() {
            let (s, r) = (slice + n / 2, row + n % 2);
            let at = |i: usize| &planes.planes[i - planes.first][r * columns..][..columns];
            blend(out, &taps(s, slices, &self.along_slices, at));
        }
        let [x, y] = [line.start.x.max(0.0) - slice as f64, line.start.y.max(0.0) - row as f64];
        Line { start: DVec3::new(x, y, line.start.z), step: line.step }
    }
}

#[cfg(test)]
mod tests {
    use glam::DMat3;

    use super::*;

    fn lattice(shape: [usize; 3], origin: DVec3, steps: [DVec3; 3]) -> VolumeGeometry {
        VolumeGeometry::new(shape, origin, steps).unwrap()
    }

    fn noise(geometry: VolumeGeometry) -> Volume<f32> {
        let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 9) as f32 * 1e-5;
        let values = (0..geometry.len()).map(value).collect();
        Volume::from_vec(geometry, values)
    }

    /// Slices up and down, a turned lattice, rows and columns exchanged: all as in three steps.
    #[test]
    fn it_is_smoothing_and_then_carrying_to_the_last_bit() {
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
                assert_eq!(found.geometry(), expected.geometry());
                let pairs = found.values().iter().zip(expected.values());
                assert_eq!(pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count(), 0);
                assert!(found.values().iter().any(|&v| v > 0.0));
            }
        }
    }

    #[test]
    fn one_slice_is_carried_too() {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 2.0);
        let volume = noise(lattice([1, 20, 80], DVec3::ZERO, steps));
        let onto = lattice([1, 8, 30], DVec3::ZERO, steps.map(|step| 2.0 * step));
        let part = [[0, 0, 0], [0, 19, 79]];
        let smooth = gaussian_smooth(&volume, [5.0; 3]);
        let expected = resample(&smooth, &onto, DAffine3::IDENTITY, 0.0);
        assert_eq!(smooth_onto(&volume, part, [5.0; 3], &onto), expected);
    }
}
