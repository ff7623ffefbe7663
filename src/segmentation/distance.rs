//! Euclidean distance maps in millimetres, exact but for the rounding of `f32`.
//!
//! Along the columns the nearest voxel before and the nearest behind; then along the rows and along the slices the smallest
//! sum of a squared distance found so far and the square of the way to it, looked for outwards until the way alone is longer.
//! Spacing may differ along each axis. The axes are taken to be at right angles: on a sheared lattice (a tilted
//! gantry) distances are those of the lattice straightened.
//! Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions, Theory of Computing 8 (2012) 415: squared
//! distances can be lowered axis by axis.

use fearless_simd::{Level, dispatch};
use ndarray::{Array3, ArrayView3, ArrayViewMut2, ArrayViewMut3, Axis, Zip, s};
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
/// Infinite everywhere where nothing is outside. The time grows with the depth in voxels.
pub fn distance_mm(mask: &Mask, beyond: Beyond) -> Volume<f32> {
    depth_up_to(mask, beyond, f64::INFINITY)
}

/// The same up to a limit, millimetres; what is deeper has some depth beyond the limit, which may be infinite.
pub(super) fn depth_up_to(mask: &Mask, beyond: Beyond, limit_mm: f64) -> Volume<f32> {
    let geometry = mask.geometry();
    let shape = geometry.shape();
    let mut distance = Array3::zeros(shape);
    if let Some(bounds) = Region::from_mask(mask).bounding_box() {
        // The nearest voxel outside is never behind the layer around the mask's box, and where that layer lies in the
        // volume nothing beyond it is nearer.
        let range = |a: usize| bounds.min[a].saturating_sub(1)..(bounds.max[a] + 2).min(shape[a]);
        let window = s![range(0), range(1), range(2)];
        let (inside, spacing) = (mask.voxels().slice(window), geometry.spacing_mm());
        transform(distance.slice_mut(window), &inside, false, spacing, (beyond, limit_mm));
    }
    Volume::new(geometry.clone(), distance)
}

/// Distance of each voxel to the nearest voxel centre of the mask, millimetres; 0 in the mask.
/// Infinite everywhere where the mask is empty. The time grows with the distances in voxels: made for lattices of some
/// millimetres, where an organ is some dozen voxels away.
pub fn distance_to_mm(mask: &Mask) -> Volume<f32> {
    let geometry = mask.geometry();
    let spacing = geometry.spacing_mm();
    let mut distance = Array3::zeros(geometry.shape());
    let everywhere = (Beyond::Unknown, f64::INFINITY);
    transform(distance.view_mut(), &mask.voxels().view(), true, spacing, everywhere);
    Volume::new(geometry.clone(), distance)
}

/// Fills an array with the distance to the nearest voxel that has the value `target`.
fn transform(
    mut squared: ArrayViewMut3<'_, f32>,
    mask: &ArrayView3<'_, bool>,
    target: bool,
    spacing: [f64; 3],
    (beyond, limit_mm): (Beyond, f64),
) {
    Zip::from(&mut squared)
        .and(mask)
        .par_for_each(|d, &m| *d = if m == target { 0.0 } else { f32::INFINITY });
    lower_squares(squared.view_mut(), spacing, beyond, limit_mm);
    squared.par_mapv_inplace(f32::sqrt);
}

/// Replaces what is infinite by the squared distance to the nearest 0, square millimetres; infinite where there is none.
/// What is farther than a limit has the square of some distance beyond the limit instead.
pub(super) fn lower_squares(
    mut squared: ArrayViewMut3<'_, f32>,
    [slice, row, column]: [f64; 3],
    beyond: Beyond,
    limit_mm: f64,
) {
    squared.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut plane| {
        for mut line in plane.rows_mut() {
            square_nearest(line.as_slice_mut().expect("columns are contiguous"), column, beyond);
        }
    });
    // Rows lie within a slice; lines along the slices within a plane of one row.
    for (outer, inner, step) in [(Axis(0), Axis(1), row), (Axis(1), Axis(0), slice)] {
        let ways = Ways::new(squared.len_of(inner), step, beyond, limit_mm);
        let planes = squared.axis_iter_mut(outer).into_par_iter();
        planes.for_each_init(Vec::new, |room, plane| ways.lower(plane, room));
    }
}

/// Replaces what is infinite in a line by the squared distance to the nearest 0.
fn square_nearest(line: &mut [f32], step_mm: f64, beyond: Beyond) {
    let outside = |place: f64| if beyond == Beyond::Outside { place } else { f64::INFINITY };
    let square = |distance: f64| (distance * distance) as f32;
    let mut before = -outside(step_mm);
    for (q, value) in line.iter_mut().enumerate() {
        let x = q as f64 * step_mm;
        if *value == 0.0 {
            before = x;
        } else {
            *value = square(x - before);
        }
    }
    let mut behind = outside(line.len() as f64 * step_mm);
    for (q, value) in line.iter_mut().enumerate().rev() {
        let x = q as f64 * step_mm;
        if *value == 0.0 {
            behind = x;
        } else {
            *value = value.min(square(behind - x));
        }
    }
}

/// Lines that are lowered together: as many as there are values in a cache line.
const TOGETHER: usize = 16;

/// The ways along the lines of a pass.
struct Ways {
    /// Squares of the ways of 0, 1, 2... voxels, one voxel beyond the line the last; none beyond the limit.
    squares: Vec<f32>,
    beyond: Beyond,
}

impl Ways {
    fn new(voxels: usize, step_mm: f64, beyond: Beyond, limit_mm: f64) -> Self {
        let way = |voxels: usize| voxels as f64 * step_mm;
        let squares = (0..=voxels).map(way).take_while(|&way| way <= limit_mm);
        Self { squares: squares.map(|way| (way * way) as f32).collect(), beyond }
    }

    /// Replaces each squared distance `f(q)` of the columns of a plane by the smallest `f(p) + (q - p)²` over its column.
    ///
    /// Fast because the columns of a cache line are lowered together, a register of them at once, and because the way
    /// outwards ends where none of them can become lower: after a few voxels in anything of the size of an organ.
    fn lower(&self, mut plane: ArrayViewMut2<'_, f32>, room: &mut Vec<[f32; TOGETHER]>) {
        for mut lines in plane.axis_chunks_iter_mut(Axis(1), TOGETHER) {
            room.clear();
            room.extend(lines.rows().into_iter().map(|values| {
                // Zeros, where there are fewer columns, have nothing to become.
                let mut together = [0.0; TOGETHER];
                together.iter_mut().zip(values).for_each(|(to, &from)| *to = from);
                together
            }));
            let columns = lines.ncols();
            let known = |line: &[f32; TOGETHER]| line[..columns].iter().any(|&v| v < f32::INFINITY);
            if self.beyond == Beyond::Unknown && !room.iter().any(known) {
                continue;
            }
            dispatch!(Level::new(), _ => {
                for (q, values) in lines.rows_mut().into_iter().enumerate() {
                    let lowest = self.lowest(room, q);
                    values.into_iter().zip(lowest).for_each(|(to, from)| *to = from);
                }
            });
        }
    }

    /// The columns at one place; inlined to be compiled with the loop around it, for each width of registers.
    #[inline(always)]
    fn lowest(&self, lines: &[[f32; TOGETHER]], q: usize) -> [f32; TOGETHER] {
        fn lower(lowest: &mut [f32; TOGETHER], line: &[f32; TOGETHER], square: f32) {
            for (lowest, value) in lowest.iter_mut().zip(line) {
                *lowest = lowest.min(value + square);
            }
        }
        let mut lowest = lines[q];
        if self.beyond == Beyond::Outside {
            for square in [q + 1, lines.len() - q].map(|way| self.squares.get(way)) {
                lower(&mut lowest, &[0.0; TOGETHER], square.copied().unwrap_or(f32::INFINITY));
            }
        }
        for (way, &square) in self.squares.iter().enumerate().skip(1) {
            if lowest.iter().copied().fold(0.0, f32::max) <= square {
                break;
            }
            if let Some(line) = q.checked_sub(way).map(|before| &lines[before]) {
                lower(&mut lowest, line, square);
            }
            if let Some(line) = lines.get(q + way) {
                lower(&mut lowest, line, square);
            }
        }
        lowest
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
            (shape, values) in (1..5_usize, 1..12_usize, 1..40_usize, 0.5..1.0_f64).prop_flat_map(|(s, r, c, share)| {
                (Just([s, r, c]), prop::collection::vec(prop::bool::weighted(share), s * r * c))
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
                    // Five roundings of a squared distance to f32, and one of its root.
                    prop_assert!(
                        distance == expected || (distance - expected).abs() < 3e-7 * expected,
                        "{:?}: {} for {}", at, distance, expected
                    );
                }
            }
        }

        #[test]
        fn depths_up_to_a_limit_are_those_without(
            (shape, values) in (1..5_usize, 1..12_usize, 1..40_usize).prop_flat_map(|(s, r, c)| {
                (Just([s, r, c]), prop::collection::vec(prop::bool::weighted(0.98), s * r * c))
            }),
            spacing in [0.7..6.0_f64, 0.7..6.0_f64, 0.7..6.0_f64],
            limit in 0.0..30.0_f64,
        ) {
            let mask = Mask::from_vec(oblique(shape, spacing), values);
            for beyond in [Beyond::Outside, Beyond::Unknown] {
                let (all, some) = (distance_mm(&mask, beyond), depth_up_to(&mask, beyond, limit));
                for (&whole, &within) in all.values().iter().zip(some.values()) {
                    let [far, within_limit] = [whole, within].map(|d| f64::from(d) > limit);
                    prop_assert!(whole == within || far && within_limit, "{} {}", whole, within);
                }
            }
        }
    }
}
