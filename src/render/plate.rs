//! Flat images at voxel resolution: projections and sections of a volume.
//!
//! A lattice whose axes follow the patient's (to half a voxel over its length) is projected along its own axis, exactly
//! voxel by voxel; any other lattice, oblique or sheared, is sampled.

use glam::DVec3;
use rayon::prelude::*;

use super::{Region, View, oblique};
use crate::{geometry::VolumeGeometry, segmentation, volume::Volume};

/// A flat image at voxel resolution. Rows run down the picture, columns to its right; spacing may differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    pub(super) view: View,
    pub(super) size: [usize; 2],
    pub(super) first_mm: [f64; 2],
    pub(super) step_mm: [f64; 2],
    pub(super) values: Vec<f32>,
}

/// Maximum intensity projection: for each line of sight the largest voxel value; NaN voxels are passed over.
///
/// A line of sight that meets no voxel (oblique lattices) has NaN.
pub fn mip(volume: &Volume<f32>, view: View) -> Plate {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    project(volume, view, f32::NEG_INFINITY, |v| v, larger, |v| v)
}

/// Values in the plane through a place, from the nearest layer of voxels; `None` where it misses the lattice.
pub fn section<T: Copy + Sync + Into<f32>>(
    volume: &Volume<T>,
    view: View,
    place_mm: DVec3,
) -> Option<Plate> {
    cut(volume, view, place_mm, &|v: T| v.into())
}

/// Shadow of a region: 1 where a line of sight meets it, 0 elsewhere.
pub(crate) fn region_shadow(region: Region<'_>, view: View) -> Plate {
    match region {
        Region::Mask(mask) => project(mask, view, false, |v| v, |a, b| a | b, inside),
        Region::Sparse(region, lattice) => match aligned_axes(lattice, view) {
            Some(axes) => {
                let flat = shadow_of_runs(region, axes[2]);
                Plate::arranged(lattice, view, axes, |voxel| {
                    inside(flat[flat_offset(lattice.shape(), axes[2], voxel)])
                })
            }
            None => oblique::project(&region.to_mask(lattice), view, &inside),
        },
    }
}

/// One axis folded away: whether a run of the region lies behind each place. Fast because nothing but the runs is read.
fn shadow_of_runs(region: &segmentation::Region, axis: usize) -> Vec<bool> {
    let shape = region.shape();
    let mut flat = vec![false; shape.iter().product::<usize>() / shape[axis]];
    for run in region.runs() {
        let first = flat_offset(shape, axis, region.voxel_of(run.start));
        // Along the columns a run is one place.
        let places = if axis == 2 { 1 } else { run.range().len() };
        flat[first..first + places].fill(true);
    }
    flat
}

/// Position of a voxel where one axis is folded away and the other two keep their order.
fn flat_offset([_, rows, columns]: [usize; 3], axis: usize, [s, r, c]: [usize; 3]) -> usize {
    match axis {
        0 => r * columns + c,
        1 => s * columns + c,
        _ => s * rows + r,
    }
}

fn inside(inside: bool) -> f32 {
    f32::from(u8::from(inside))
}

/// Cut of a region: 1 inside, 0 outside.
pub(crate) fn region_section(region: Region<'_>, view: View, place_mm: DVec3) -> Option<Plate> {
    match region {
        Region::Mask(mask) => cut(mask, view, place_mm, &inside),
        Region::Sparse(region, lattice) => match aligned_axes(lattice, view) {
            Some(axes) => {
                let [_, rows, columns] = lattice.shape();
                cut_along(lattice, view, axes, place_mm, |[s, r, c]| {
                    inside(region.contains((s * rows + r) * columns + c))
                })
            }
            None => oblique::cut(&region.to_mask(lattice), view, place_mm, &inside),
        },
    }
}

fn project<T: Copy + Sync, A: Copy + Send + Sync>(
    volume: &Volume<T>,
    view: View,
    start: A,
    lift: impl Fn(T) -> A + Sync,
    merge: impl Fn(A, A) -> A + Sync,
    shown: impl Fn(A) -> f32 + Sync,
) -> Plate {
    let geometry = volume.geometry();
    match aligned_axes(geometry, view) {
        Some(axes) => {
            let flat = collapse(volume.values(), geometry.shape(), axes[2], start, lift, merge);
            Plate::arranged(geometry, view, axes, |voxel| {
                shown(flat[flat_offset(geometry.shape(), axes[2], voxel)])
            })
        }
        None => oblique::project(volume, view, &|v| shown(lift(v))),
    }
}

fn cut<T: Copy + Sync>(
    volume: &Volume<T>,
    view: View,
    place_mm: DVec3,
    value: &(impl Fn(T) -> f32 + Sync),
) -> Option<Plate> {
    let geometry = volume.geometry();
    match aligned_axes(geometry, view) {
        Some(axes) => cut_along(geometry, view, axes, place_mm, |voxel| value(volume[voxel])),
        None => oblique::cut(volume, view, place_mm, value),
    }
}

/// The layer of voxels nearest to a place, of a lattice that follows the patient's axes; `None` where it has none.
fn cut_along(
    geometry: &VolumeGeometry,
    view: View,
    axes: [usize; 3],
    place_mm: DVec3,
    value: impl Fn([usize; 3]) -> f32,
) -> Option<Plate> {
    let layer = geometry.index_of(place_mm)[axes[2]].round();
    if !(layer >= 0.0 && layer < geometry.shape()[axes[2]] as f64) {
        return None;
    }
    Some(Plate::arranged(geometry, view, axes, |mut voxel| {
        voxel[axes[2]] = layer as usize;
        value(voxel)
    }))
}

/// Array axes that run along the picture's right, down and through, where the lattice follows the patient's axes.
fn aligned_axes(geometry: &VolumeGeometry, view: View) -> Option<[usize; 3]> {
    let steps = geometry.steps_mm();
    let shape = geometry.shape();
    let finest = geometry.spacing_mm().into_iter().fold(f64::MAX, f64::min);
    let straight = (0..3).all(|axis| {
        let step = steps[axis].abs();
        let off_axis = step.length_squared() - step.max_element().powi(2);
        off_axis.max(0.0).sqrt() * (shape[axis] as f64) < 0.5 * finest
            || off_axis.max(0.0).sqrt() < 1e-6 * step.length()
    });
    let along = |direction: DVec3| {
        (0..3).max_by(|&a, &b| {
            let cosine = |axis: usize| (steps[axis].normalize().dot(direction)).abs();
            cosine(a).total_cmp(&cosine(b))
        })
    };
    let [right, down, through] = view.axes().map(along);
    let axes = [right?, down?, through?];
    let distinct = axes[0] != axes[1] && axes[1] != axes[2] && axes[0] != axes[2];
    (straight && distinct).then_some(axes)
}

/// Folds one axis away; the other two keep their order. Parallel by output row, so threads cannot change the result.
fn collapse<T: Copy + Sync, A: Copy + Send + Sync>(
    voxels: &[T],
    [slices, rows, columns]: [usize; 3],
    axis: usize,
    start: A,
    lift: impl Fn(T) -> A + Sync,
    merge: impl Fn(A, A) -> A + Sync,
) -> Vec<A> {
    let slice_of = |s: usize| &voxels[s * rows * columns..][..rows * columns];
    let fold_row = |row: &[T], out: &mut [A]| {
        for (o, &v) in out.iter_mut().zip(row) {
            *o = merge(*o, lift(v));
        }
    };
    let (height, width) = match axis {
        0 => (rows, columns),
        1 => (slices, columns),
        _ => (slices, rows),
    };
    let mut flat = vec![start; height * width];
    flat.par_chunks_mut(width).enumerate().for_each(|(y, out)| match axis {
        0 => (0..slices).for_each(|s| fold_row(&slice_of(s)[y * columns..][..columns], out)),
        1 => slice_of(y).chunks_exact(columns).for_each(|row| fold_row(row, out)),
        _ => {
            for (o, row) in out.iter_mut().zip(slice_of(y).chunks_exact(columns)) {
                *o = fold_lanes(row, start, &lift, &merge);
            }
        }
    });
    flat
}

/// Folds a row in eight independent lanes, which the compiler turns into vector instructions.
fn fold_lanes<T: Copy, A: Copy>(
    row: &[T],
    start: A,
    lift: &impl Fn(T) -> A,
    merge: &impl Fn(A, A) -> A,
) -> A {
    let mut lanes = [start; 8];
    let chunks = row.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane = merge(*lane, lift(v));
        }
    }
    let rest = rest.iter().fold(start, |a, &v| merge(a, lift(v)));
    lanes.into_iter().fold(rest, merge)
}

impl Plate {
    /// Lays values of an aligned lattice out in picture order.
    fn arranged(
        geometry: &VolumeGeometry,
        view: View,
        [right, down, _]: [usize; 3],
        value: impl Fn([usize; 3]) -> f32,
    ) -> Self {
        let [to_right, to_down, _] = view.axes();
        let (shape, steps) = (geometry.shape(), geometry.steps_mm());
        let (step_u, step_v) = (steps[right].dot(to_right), steps[down].dot(to_down));
        let along = |axis: usize, step: f64, i: usize| {
            if step < 0.0 { shape[axis] - 1 - i } else { i }
        };
        let voxel = |u: usize, v: usize| {
            let mut voxel = [0; 3];
            voxel[right] = along(right, step_u, u);
            voxel[down] = along(down, step_v, v);
            voxel
        };
        let first = view.flatten(geometry.centre_of(voxel(0, 0)));
        let size = [shape[right], shape[down]];
        let values = (0..size[1])
            .flat_map(|v| (0..size[0]).map(move |u| (u, v)))
            .map(|(u, v)| value(voxel(u, v)))
            .map(|v| if v.is_finite() { v } else { f32::NAN })
            .collect();
        Self {
            view,
            size,
            first_mm: [first.x, first.y],
            step_mm: [step_u.abs(), step_v.abs()],
            values,
        }
    }

    /// Direction of view.
    pub fn view(&self) -> View {
        self.view
    }

    /// Columns and rows.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Centre of the first pixel along the picture's right and down axes ([`View::flatten`]), millimetres.
    pub fn first_mm(&self) -> [f64; 2] {
        self.first_mm
    }

    /// Distance between columns and between rows, millimetres.
    pub fn step_mm(&self) -> [f64; 2] {
        self.step_mm
    }

    /// Values row by row from the top left; NaN where there is nothing to see.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Outer edges as (left, right) and (top, bottom), millimetres.
    pub fn extent_mm(&self) -> [(f64, f64); 2] {
        std::array::from_fn(|axis| {
            let low = self.first_mm[axis] - 0.5 * self.step_mm[axis];
            (low, low + self.size[axis] as f64 * self.step_mm[axis])
        })
    }

    /// The smallest part that holds all values over a limit, with a margin of samples; `None` where there are none.
    pub(crate) fn cropped(&self, over: f32, margin: usize) -> Option<Self> {
        let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
        for (offset, _) in self.values.iter().enumerate().filter(|(_, v)| **v > over) {
            let at = [offset % self.size[0], offset / self.size[0]];
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis] + 1);
            }
        }
        if low[0] == usize::MAX {
            return None;
        }
        for axis in 0..2 {
            low[axis] = low[axis].saturating_sub(margin);
            high[axis] = (high[axis] + margin).min(self.size[axis]);
        }
        let row = |v: usize| &self.values[v * self.size[0]..][low[0]..high[0]];
        Some(Self {
            view: self.view,
            size: [high[0] - low[0], high[1] - low[1]],
            first_mm: std::array::from_fn(|a| self.first_mm[a] + low[a] as f64 * self.step_mm[a]),
            step_mm: self.step_mm,
            values: (low[1]..high[1]).flat_map(row).copied().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use glam::DMat3;

    use super::*;
    use crate::render::Frame;

    /// A soft ball: 10 inside, falling to 0 over a centimetre about its surface.
    fn soft_ball(place: DVec3, centre: DVec3, radius: f64) -> f32 {
        (10.0 * ((radius - (place - centre).length()) / 10.0 + 0.5).clamp(0.0, 1.0)) as f32
    }

    fn volume_of(geometry: VolumeGeometry, value: impl Fn(DVec3) -> f32) -> Volume<f32> {
        let mut volume = Volume::filled(geometry, 0.0);
        for offset in 0..volume.geometry().len() {
            let place = volume.geometry().centre_of(volume.voxel_of(offset));
            volume.values_mut()[offset] = value(place);
        }
        volume
    }

    fn lattice([slice, row, column]: [f64; 3], turn: DMat3) -> VolumeGeometry {
        let steps = [slice * DVec3::Z, row * DVec3::Y, column * DVec3::X].map(|s| turn * s);
        let shape = [slice, row, column].map(|s| (200.0 / s) as usize);
        VolumeGeometry::new(shape, turn * DVec3::splat(-100.0), steps).unwrap()
    }

    /// Where the middle row and the middle column cross half the maximum: left, right, top, bottom in pixels.
    fn half_widths(plate: &Plate, centre: DVec3) -> [f64; 4] {
        let view = plate.view();
        let flat = view.flatten(centre);
        let about = |mm: f64| (mm - 80.0, mm + 80.0);
        let frame = Frame::covering(view, [about(flat.x), about(flat.y)], 1.0);
        let values = plate.on_frame(&frame);
        let [x, y] = frame.pixel_of(centre);
        let reach = |dx: f64, dy: f64| {
            let inside = |n: &f64| {
                let (u, v) = ((x + dx * n).round() as usize, (y + dy * n).round() as usize);
                values[v * frame.size[0] + u] > 5.0
            };
            (0..79).map(f64::from).take_while(inside).count() as f64
        };
        [reach(-1.0, 0.0), reach(1.0, 0.0), reach(0.0, -1.0), reach(0.0, 1.0)]
    }

    #[test]
    fn a_sparse_region_casts_the_shadow_of_its_mask() {
        let turns = [DMat3::IDENTITY, DMat3::from_rotation_x(0.3), DMat3::from_rotation_z(3.2)];
        let swapped = DMat3::from_cols(DVec3::Y, DVec3::Z, DVec3::X);
        for turn in turns.into_iter().chain([swapped]) {
            let g = lattice([5.0, 4.0, 3.0], turn);
            let place = g.centre_of([20, 21, 30]);
            let ball = segmentation::sphere(&g, place, 23.0).region;
            let mask = ball.to_mask(&g);
            let (sparse, dense) = (Region::Sparse(&ball, &g), Region::Mask(&mask));
            for view in [View::Axial, View::Coronal, View::Sagittal] {
                // Comparing texts: a NaN outside an oblique lattice is one in both.
                let text = |plate: &Plate| format!("{plate:?}");
                let shadow = region_shadow(sparse, view);
                assert!(shadow.values.contains(&1.0));
                assert_eq!(text(&shadow), text(&region_shadow(dense, view)));
                for off in [DVec3::ZERO, DVec3::splat(9.0), DVec3::splat(900.0)] {
                    let [a, b] = [sparse, dense].map(|r| region_section(r, view, place + off));
                    assert_eq!(a.as_ref().map(text), b.as_ref().map(text));
                }
            }
        }
    }

    #[test]
    fn a_sphere_comes_out_as_a_circle() {
        let centre = DVec3::new(2.0, -3.0, 5.0);
        let spacings = [[2.0, 4.07, 4.07], [5.0, 2.0, 2.0], [3.0, 2.0, 4.0]];
        let turns = [DMat3::IDENTITY, DMat3::from_rotation_x(0.3) * DMat3::from_rotation_z(0.2)];
        for (spacing, turn) in spacings.into_iter().flat_map(|s| turns.map(|t| (s, t))) {
            let volume = volume_of(lattice(spacing, turn), |place| soft_ball(place, centre, 40.0));
            for view in [View::Axial, View::Coronal, View::Sagittal] {
                for plate in [mip(&volume, view), section(&volume, view, centre).unwrap()] {
                    for width in half_widths(&plate, centre) {
                        // The count is of whole pixels and the middle lies up to half a pixel off.
                        assert!((width - 40.5).abs() <= 1.0, "{spacing:?} {view:?}: {width}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_patients_right_is_on_the_left_and_anterior_and_head_are_up() {
        // Right, anterior, head: negative x, negative y, positive z in LPS.
        let blob = DVec3::new(-50.0, -45.0, 60.0);
        let volume = volume_of(lattice([4.0; 3], DMat3::IDENTITY), |p| soft_ball(p, blob, 15.0));
        for (view, left, up) in
            [(View::Axial, true, true), (View::Coronal, true, true), (View::Sagittal, true, true)]
        {
            let plate = mip(&volume, view);
            let [width, height] = plate.size();
            let hottest = (0..width * height)
                .max_by(|a, b| plate.values()[*a].total_cmp(&plate.values()[*b]))
                .unwrap();
            assert_eq!(hottest % width < width / 2, left, "{view:?}");
            assert_eq!(hottest / width < height / 2, up, "{view:?}");
        }
    }

    /// Three differing blobs: no turn or mirror image of them looks the same.
    fn three_blobs(place: DVec3) -> f32 {
        soft_ball(place, DVec3::new(-30.0, -10.0, 40.0), 15.0)
            + 0.5 * soft_ball(place, DVec3::new(20.0, 30.0, 10.0), 20.0)
            + 0.3 * soft_ball(place, DVec3::new(10.0, -40.0, -45.0), 12.0)
    }

    #[test]
    fn the_order_and_direction_of_the_axes_do_not_matter() {
        let plain = volume_of(lattice([4.0, 5.0, 8.0], DMat3::IDENTITY), three_blobs);
        let place = DVec3::new(-30.0, -10.0, 40.0);
        let (shape, steps) = (plain.geometry().shape(), plain.geometry().steps_mm());
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for (order, flips) in orders.into_iter().flat_map(|o| (0..8).map(move |f| (o, f))) {
            let flip = |axis: usize| flips >> axis & 1 == 1;
            let far: DVec3 = (0..3)
                .filter(|&a| flip(a))
                .map(|a| (shape[a] - 1) as f64 * steps[a])
                .fold(DVec3::ZERO, |sum, step| sum + step);
            let turned = VolumeGeometry::new(
                order.map(|a| shape[a]),
                plain.geometry().origin_mm() + far,
                order.map(|a| if flip(a) { -steps[a] } else { steps[a] }),
            );
            let other = volume_of(turned.unwrap(), three_blobs);
            for view in [View::Axial, View::Coronal, View::Sagittal] {
                for (a, b) in [
                    (mip(&plain, view), mip(&other, view)),
                    (section(&plain, view, place).unwrap(), section(&other, view, place).unwrap()),
                ] {
                    assert_eq!(a.size(), b.size());
                    for axis in 0..2 {
                        assert!((a.first_mm()[axis] - b.first_mm()[axis]).abs() < 1e-9);
                        assert!((a.step_mm()[axis] - b.step_mm()[axis]).abs() < 1e-9);
                    }
                    for (x, y) in a.values().iter().zip(b.values()) {
                        assert!((x - y).abs() < 1e-5, "{order:?} {flips} {view:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_projection_is_the_largest_value_and_passes_over_nan() {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X];
        let geometry = VolumeGeometry::new([3, 5, 19], DVec3::ZERO, steps).unwrap();
        let values = (0..geometry.len())
            .map(|i| if i % 11 == 0 { f32::NAN } else { (i * 7919 % 997) as f32 })
            .collect();
        let volume = Volume::from_vec(geometry, values);
        let largest = |line: Vec<f32>| line.into_iter().fold(f32::NAN, f32::max);
        for (v, u) in (0..3).flat_map(|v| (0..19).map(move |u| (v, u))) {
            // The head is up: the first row is the last slice.
            let line = (0..5).map(|r| volume[[2 - v, r, u]]).collect();
            assert_eq!(
                mip(&volume, View::Coronal).values()[v * 19 + u].to_bits(),
                largest(line).to_bits()
            );
        }
        for (v, u) in (0..3).flat_map(|v| (0..5).map(move |u| (v, u))) {
            let line = (0..19).map(|c| volume[[2 - v, u, c]]).collect();
            assert_eq!(
                mip(&volume, View::Sagittal).values()[v * 5 + u].to_bits(),
                largest(line).to_bits()
            );
        }
        for (v, u) in (0..5).flat_map(|v| (0..19).map(move |u| (v, u))) {
            let line = (0..3).map(|s| volume[[s, v, u]]).collect();
            assert_eq!(
                mip(&volume, View::Axial).values()[v * 19 + u].to_bits(),
                largest(line).to_bits()
            );
        }
    }
}
