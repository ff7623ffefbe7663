//! Volumes on lattices that follow the patient's axes, cut to what is looked at: slices towards the head, rows towards the
//! back, columns to the left.

use glam::{DAffine3, DVec3};

use crate::geometry::VolumeGeometry;
use crate::resample::{Sample, resample};
use crate::volume::Volume;

/// A lattice that leaves the patient's axes by less than this over its whole length counts as one that follows them.
const STRAY_VOXELS: f64 = 0.25;

/// A box in the patient, LPS millimetres: lowest and highest x, y, z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) low: DVec3,
    pub(super) high: DVec3,
}

impl Extent {
    /// The box around places; `None` without any.
    pub(super) fn around(places: impl IntoIterator<Item = DVec3>) -> Option<Self> {
        let each = places.into_iter().map(|place| Self { low: place, high: place });
        each.reduce(Self::and)
    }

    /// The box around both.
    pub(super) fn and(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    pub(super) fn widened(self, by_mm: f64) -> Self {
        Self { low: self.low - by_mm, high: self.high + by_mm }
    }
}

/// Which axis of an array runs along z, y and x of the patient, and whether it runs the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Axes {
    axis: [usize; 3],
    reversed: [bool; 3],
}

impl Axes {
    /// The axes of a lattice; `None` where it is oblique.
    fn of(geometry: &VolumeGeometry) -> Option<Self> {
        let (steps, shape) = (geometry.steps_mm(), geometry.shape());
        let finest = geometry.spacing_mm().into_iter().fold(f64::MAX, f64::min);
        let mut found = Self { axis: [usize::MAX; 3], reversed: [false; 3] };
        for (axis, step) in steps.into_iter().enumerate() {
            let along = step.abs().max_position();
            let stray = (0..3).filter(|&n| n != along).map(|n| step[n].abs()).fold(0.0, f64::max);
            // x, y, z stand behind each other in the patient, slice, row, column in the array.
            let place = 2 - along;
            if stray * shape[axis] as f64 > STRAY_VOXELS * finest || found.axis[place] != usize::MAX
            {
                return None;
            }
            found.axis[place] = axis;
            found.reversed[place] = step[along] < 0.0;
        }
        Some(found)
    }
}

/// A way from a lattice to one that follows the patient's axes, cut to a box.
#[derive(Debug, Clone)]
pub(super) struct Upright {
    /// `None` where values have to be interpolated.
    axes: Option<Axes>,
    /// First voxel along z, y, x of the upright lattice before it was cut.
    first: [usize; 3],
    shape: [usize; 3],
    from: VolumeGeometry,
    lattice: VolumeGeometry,
}

impl Upright {
    /// The way for a lattice; whole where the box misses it.
    pub(super) fn new(from: &VolumeGeometry, within: Extent) -> Self {
        let axes = Axes::of(from);
        let whole = match axes {
            Some(axes) => reordered(from, axes),
            None => around(from),
        };
        let (a, b) =
            (whole.index_of(within.low).to_array(), whole.index_of(within.high).to_array());
        let shape = whole.shape();
        let mut first = [0; 3];
        let mut last = shape.map(|n| n - 1);
        for n in 0..3 {
            let end = (shape[n] - 1) as f64;
            if b[n] >= 0.0 && a[n] <= end {
                first[n] = a[n].floor().clamp(0.0, end) as usize;
                last[n] = b[n].ceil().clamp(0.0, end) as usize;
            }
        }
        let lattice = whole.part(first, last);
        Self { axes, first, shape: lattice.shape(), from: from.clone(), lattice }
    }

    /// The upright lattice.
    pub(super) fn lattice(&self) -> &VolumeGeometry {
        &self.lattice
    }

    /// The lattice that it comes from, where that is oblique and values are interpolated.
    pub(super) fn oblique(&self) -> Option<&VolumeGeometry> {
        self.axes.is_none().then_some(&self.from)
    }

    /// The values on the upright lattice, columns fastest; what is no number, and what lies outside, is `outside`.
    pub(super) fn values<T: Sample>(&self, volume: &Volume<T>, outside: f32) -> Vec<f32> {
        let sane = |value: f32| if value.is_finite() { value } else { outside };
        if self.axes.is_none() {
            let found = resample(volume, &self.lattice, DAffine3::IDENTITY, outside);
            return found.values().iter().map(|&value| sane(value)).collect();
        }
        let values = volume.values();
        let [slices, rows, columns] = self.shape;
        let mut out = Vec::with_capacity(slices * rows * columns);
        for s in 0..slices {
            for r in 0..rows {
                for c in 0..columns {
                    let offset = self.source([s, r, c]).map_or(0, |voxel| volume.offset_of(voxel));
                    out.push(sane(values[offset].into()));
                }
            }
        }
        out
    }

    /// The voxel of the source; `None` where values are interpolated.
    fn source(&self, upright: [usize; 3]) -> Option<[usize; 3]> {
        let axes = self.axes?;
        let mut voxel = [0; 3];
        for (n, at) in upright.into_iter().enumerate() {
            let (axis, at) = (axes.axis[n], at + self.first[n]);
            voxel[axis] = if axes.reversed[n] { self.from.shape()[axis] - 1 - at } else { at };
        }
        Some(voxel)
    }

    /// The upright voxel of one of the source; `None` where it was cut off or values are interpolated.
    pub(super) fn target(&self, voxel: [usize; 3]) -> Option<[usize; 3]> {
        let axes = self.axes?;
        let mut found = [0; 3];
        for (n, place) in found.iter_mut().enumerate() {
            let axis = axes.axis[n];
            let end = self.from.shape()[axis] - 1;
            let at = if axes.reversed[n] { end - voxel[axis] } else { voxel[axis] };
            *place = at.checked_sub(self.first[n]).filter(|&at| at < self.shape[n])?;
        }
        Some(found)
    }
}

/// The same voxels in another order.
fn reordered(from: &VolumeGeometry, axes: Axes) -> VolumeGeometry {
    let (shape, spacing) = (from.shape(), from.spacing_mm());
    let mut first = [0; 3];
    for n in 0..3 {
        if axes.reversed[n] {
            first[axes.axis[n]] = shape[axes.axis[n]] - 1;
        }
    }
    let [z, y, x] = axes.axis;
    let steps = [spacing[z] * DVec3::Z, spacing[y] * DVec3::Y, spacing[x] * DVec3::X];
    VolumeGeometry::new([shape[z], shape[y], shape[x]], from.centre_of(first), steps)
        .expect("an order of a lattice is a lattice")
}

/// An upright lattice around an oblique one, with its spacing along the axes that are nearest.
fn around(from: &VolumeGeometry) -> VolumeGeometry {
    let (low, high) = from.bounds_mm();
    let steps = from.steps_mm();
    // The finest step that goes mostly along an axis; the finest of all where none does.
    let finest = from.spacing_mm().into_iter().fold(f64::MAX, f64::min);
    let along = |n: usize| {
        let most = steps.iter().filter(|step| step.abs().max_position() == n);
        most.map(|step| step.length()).fold(f64::MAX, f64::min)
    };
    let spacing = [2, 1, 0].map(|n| if along(n) < f64::MAX { along(n) } else { finest });
    let reach = [high.z - low.z, high.y - low.y, high.x - low.x];
    let shape: [usize; 3] = std::array::from_fn(|n| (reach[n] / spacing[n]).floor() as usize + 1);
    let steps = [spacing[0] * DVec3::Z, spacing[1] * DVec3::Y, spacing[2] * DVec3::X];
    VolumeGeometry::new(shape, low, steps).expect("axes of the patient span space")
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DMat3;

    const ALL: Extent = Extent { low: DVec3::splat(-1e6), high: DVec3::splat(1e6) };

    fn numbered(geometry: VolumeGeometry) -> Volume<f32> {
        let values = (0..geometry.len()).map(|n| n as f32).collect();
        Volume::from_vec(geometry, values)
    }

    fn lattice(steps: [DVec3; 3]) -> VolumeGeometry {
        VolumeGeometry::new([3, 4, 5], DVec3::new(7.0, -3.0, 11.0), steps).unwrap()
    }

    #[test]
    fn every_order_of_axes_keeps_values_at_their_places() {
        let (x, y, z) = (2.0 * DVec3::X, 3.0 * DVec3::Y, 5.0 * DVec3::Z);
        for steps in [[z, y, x], [-z, y, -x], [x, -z, y], [y, x, z]] {
            let volume = numbered(lattice(steps));
            let within = Extent { low: DVec3::splat(-2.0), high: DVec3::splat(10.0) };
            for extent in [ALL, within] {
                let upright = Upright::new(volume.geometry(), extent);
                let values =
                    Volume::from_vec(upright.lattice().clone(), upright.values(&volume, 0.0));
                assert_eq!(upright.lattice().steps_mm(), [z, y, x], "{steps:?}");
                for offset in 0..values.values().len() {
                    let voxel = values.voxel_of(offset);
                    let there = volume.geometry().voxel_at(values.geometry().centre_of(voxel));
                    assert_eq!(volume[there.unwrap()].to_bits(), values[voxel].to_bits());
                    assert_eq!(upright.target(there.unwrap()), Some(voxel));
                }
            }
        }
    }

    #[test]
    fn what_lies_outside_the_box_is_cut_off() {
        let volume = numbered(lattice([DVec3::Z, DVec3::Y, DVec3::X]));
        let within = Extent { low: DVec3::new(8.0, -3.0, 12.0), high: DVec3::new(9.0, -2.0, 12.0) };
        let upright = Upright::new(volume.geometry(), within);
        assert_eq!(upright.lattice().shape(), [1, 2, 2]);
        assert_eq!(upright.values(&volume, 0.0), [21.0, 22.0, 26.0, 27.0]);
        assert_eq!(upright.target([0, 0, 1]), None);
    }

    #[test]
    fn an_oblique_lattice_is_interpolated() {
        let turn = DMat3::from_rotation_z(0.4);
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|step| turn * step);
        let volume = lattice(steps);
        let volume = Volume::filled(volume, 3.0_f32);
        let upright = Upright::new(volume.geometry(), ALL);
        assert!(upright.oblique().is_some() && upright.target([0, 0, 0]).is_none());
        let values = upright.values(&volume, 0.0);
        assert_eq!(values.len(), upright.lattice().len());
        assert!(values.contains(&3.0) && values.contains(&0.0));
    }
}
