//! Exact Euclidean distance maps in millimetres.
//!
//! The lower envelope of parabolas, one axis after the other, each line on its own and lines in parallel.
//! Spacing may differ along each axis. The axes are taken to be at right angles: on a sheared lattice (a tilted
//! gantry) distances are those of the lattice straightened.
//! Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, Theory of Computing 8 (2012) 415.

use ndarray::{Array3, ArrayView3, ArrayViewMut2, ArrayViewMut3, Axis, s};
use rayon::prelude::*;

use super::region::Region;
use crate::volume::{Mask, Volume};

/// What lies beyond the edge of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// Voxels outside the mask: a region cut by the edge has its boundary there.
    Outside,
    /// Nothing is known of it: only voxels of the volume count.
    Unknown,
}

/// Distance of each voxel of the mask to the nearest voxel centre outside it, millimetres; 0 outside the mask.
/// Infinite everywhere where nothing is outside.
pub fn distance_mm(mask: &Mask, beyond: Beyond) -> Volume<f32> {
    let geometry = mask.geometry();
    let shape = geometry.shape();
    let mut distance = Array3::zeros(shape);
    if let Some(bounds) = Region::from_mask(mask).bounding_box() {
        // The nearest voxel outside is never behind the layer around the mask's box, and where that layer lies in the
        // volume nothing beyond it is nearer.
        let range = |a: usize| bounds.min[a].saturating_sub(1)..(bounds.max[a] + 2).min(shape[a]);
        let window = s![range(0), range(1), range(2)];
        let (inside, spacing) = (mask.voxels().slice(window), geometry.spacing_mm());
        transform(distance.slice_mut(window), &inside, false, spacing, beyond);
    }
    Volume::new(geometry.clone(), distance)
}

/// Distance of each voxel to the nearest voxel centre of the mask, millimetres; 0 in the mask.
/// Infinite everywhere where the mask is empty.
pub fn distance_to_mm(mask: &Mask) -> Volume<f32> {
    let geometry = mask.geometry();
    let spacing = geometry.spacing_mm();
    let mut distance = Array3::zeros(geometry.shape());
    transform(distance.view_mut(), &mask.voxels().view(), true, spacing, Beyond::Unknown);
    Volume::new(geometry.clone(), distance)
}

/// Fills an array with the distance to the nearest voxel that has the value `target`.
fn transform(
    mut squared: ArrayViewMut3<'_, f32>,
    mask: &ArrayView3<'_, bool>,
    target: bool,
    spacing: [f64; 3],
    beyond: Beyond,
) {
    squared.zip_mut_with(mask, |d, &m| *d = if m == target { 0.0 } else { f32::INFINITY });
    lower_squares(squared.view_mut(), spacing, beyond);
    squared.par_mapv_inplace(f32::sqrt);
}

/// Replaces what is infinite by the squared distance to the nearest 0, square millimetres; infinite where there is none.
pub(super) fn lower_squares(
    mut squared: ArrayViewMut3<'_, f32>,
    [slice, row, column]: [f64; 3],
    beyond: Beyond,
) {
    // Columns and rows lie within a slice; lines along the slices within a plane of one row.
    along(&mut squared, Axis(0), Axis(1), column, beyond);
    along(&mut squared, Axis(0), Axis(0), row, beyond);
    along(&mut squared, Axis(1), Axis(0), slice, beyond);
}

/// Lines that are copied to and from a plane together: as many as there are values in a cache line.
const TOGETHER: usize = 16;

/// One pass: the planes across `outer` in parallel, in each the lines along its axis `inner`.
///
/// Fast because lines that lie across memory are fetched by whole cache lines, and because work is done for voxels off
/// the target only.
fn along(
    squared: &mut ArrayViewMut3<'_, f32>,
    outer: Axis,
    inner: Axis,
    step_mm: f64,
    beyond: Beyond,
) {
    squared.axis_iter_mut(outer).into_par_iter().for_each_init(
        Envelope::default,
        |work, mut plane| {
            if inner == Axis(1) {
                plane.swap_axes(0, 1);
            }
            for lines in plane.axis_chunks_iter_mut(Axis(1), TOGETHER) {
                work.lower_all(lines, step_mm, beyond);
            }
        },
    );
}

/// The lower envelope of the parabolas of one line; kept between lines for its memory.
#[derive(Default)]
struct Envelope {
    /// Lines one after another.
    lines: Vec<f32>,
    /// Place and height of each parabola that is somewhere lowest, left to right.
    parabolas: Vec<(f64, f64)>,
    /// Where each takes over from the one before.
    starts: Vec<f64>,
}

impl Envelope {
    /// Lowers each column of a plane.
    fn lower_all(&mut self, mut plane: ArrayViewMut2<f32>, step_mm: f64, beyond: Beyond) {
        let n = plane.nrows();
        let mut lines = std::mem::take(&mut self.lines);
        lines.resize(plane.len(), 0.0);
        for (at, values) in plane.rows().into_iter().enumerate() {
            for (line, &value) in lines.chunks_exact_mut(n).zip(values) {
                line[at] = value;
            }
        }
        for line in lines.chunks_exact_mut(n) {
            self.lower(line, step_mm, beyond);
        }
        for (at, mut values) in plane.rows_mut().into_iter().enumerate() {
            for (line, value) in lines.chunks_exact(n).zip(&mut values) {
                *value = line[at];
            }
        }
        self.lines = lines;
    }

    /// Replaces each squared distance `f(q)` by the smallest `f(p) + (q - p)²` over the line.
    fn lower(&mut self, line: &mut [f32], step_mm: f64, beyond: Beyond) {
        self.parabolas.clear();
        self.starts.clear();
        if beyond == Beyond::Outside {
            self.push(-step_mm, 0.0);
        }
        let on_target = |q: usize| line.get(q).is_none_or(|&height| height == 0.0);
        for (q, &height) in line.iter().enumerate() {
            // Of a run of zeros only the ends are nearest to anything else.
            let inside_run = height == 0.0 && on_target(q.wrapping_sub(1)) && on_target(q + 1);
            if height < f32::INFINITY && !inside_run {
                self.push(q as f64 * step_mm, f64::from(height));
            }
        }
        if beyond == Beyond::Outside {
            self.push(line.len() as f64 * step_mm, 0.0);
        }
        if self.parabolas.is_empty() {
            return;
        }
        let mut k = 0;
        for (q, value) in line.iter_mut().enumerate().filter(|(_, value)| **value > 0.0) {
            let x = q as f64 * step_mm;
            while self.starts.get(k + 1).is_some_and(|&start| start < x) {
                k += 1;
            }
            let (place, height) = self.parabolas[k];
            *value = (height + (x - place) * (x - place)) as f32;
        }
    }

    fn push(&mut self, place: f64, height: f64) {
        let mut start = f64::NEG_INFINITY;
        while let (Some(&(p, h)), Some(&from)) = (self.parabolas.last(), self.starts.last()) {
            start = ((height + place * place) - (h + p * p)) / (2.0 * (place - p));
            if start > from {
                break;
            }
            self.parabolas.pop();
            self.starts.pop();
            start = f64::NEG_INFINITY;
        }
        self.parabolas.push((place, height));
        self.starts.push(start);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use glam::{DMat3, DVec3};
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::VolumeGeometry;

    fn oblique(shape: [usize; 3], spacing: [f64; 3]) -> VolumeGeometry {
        let turn = DMat3::from_rotation_x(0.4) * DMat3::from_rotation_z(-1.1);
        let axes = [turn.z_axis, turn.y_axis, turn.x_axis];
        let steps = std::array::from_fn(|a| axes[a] * spacing[a]);
        VolumeGeometry::new(shape, DVec3::new(-7.0, 11.0, 400.0), steps).unwrap()
    }

    /// Smallest distance to the voxels of a value; beyond the edge one layer of them, where asked for.
    fn brute(mask: &Mask, target: bool, beyond: Beyond, voxel: [usize; 3]) -> f64 {
        let g = mask.geometry();
        let here = g.centre_of(voxel);
        let found = (0..g.len()).filter(|&o| mask.values()[o] == target).map(|o| mask.voxel_of(o));
        let inside = found.map(|v| here.distance(g.centre_of(v))).fold(f64::INFINITY, f64::min);
        let to_edge =
            (0..3).map(|a| (voxel[a] + 1).min(g.shape()[a] - voxel[a]) as f64 * g.spacing_mm()[a]);
        if beyond == Beyond::Outside { to_edge.fold(inside, f64::min) } else { inside }
    }

    proptest! {
        #[test]
        fn distances_are_those_of_every_pair(
            (shape, values) in (1..5_usize, 1..6_usize, 1..7_usize).prop_flat_map(|(s, r, c)| {
                (Just([s, r, c]), prop::collection::vec(prop::bool::weighted(0.8), s * r * c))
            }),
            spacing in [0.7..6.0_f64, 0.7..6.0_f64, 0.7..6.0_f64],
        ) {
            let mask = Mask::from_vec(oblique(shape, spacing), values);
            for (found, target, beyond) in [
                (distance_mm(&mask, Beyond::Outside), false, Beyond::Outside),
                (distance_mm(&mask, Beyond::Unknown), false, Beyond::Unknown),
                (distance_to_mm(&mask), true, Beyond::Unknown),
            ] {
                for (offset, &distance) in found.values().iter().enumerate() {
                    let at = mask.voxel_of(offset);
                    let expected = if mask.values()[offset] == target {
                        0.0
                    } else {
                        brute(&mask, target, beyond, at)
                    };
                    let distance = f64::from(distance);
                    // Three roundings of a squared distance to f32.
                    prop_assert!(
                        distance == expected || (distance - expected).abs() < 1e-5,
                        "{:?}: {} for {}", at, distance, expected
                    );
                }
            }
        }
    }
}
