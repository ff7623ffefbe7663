//! Projections and sections of lattices that do not follow the patient's axes: trilinear samples on a patient-aligned
//! grid of the lattice's finest spacing.

use glam::DVec3;
use rayon::prelude::*;

use super::{View, plate::Plate};
use crate::{geometry::VolumeGeometry, volume::Volume};

/// Finest grid for an oblique lattice, samples an axis: bounds time and memory for any spacing.
const MAX_SAMPLES: usize = 1024;

/// A patient-aligned grid around an oblique lattice.
struct Grid {
    view: View,
    size: [usize; 2],
    first_mm: [f64; 2],
    step_mm: f64,
    depth_mm: (f64, f64),
}

impl Grid {
    fn around(geometry: &VolumeGeometry, view: View) -> Self {
        let (a, b) = geometry.bounds_mm();
        let (a, b) = (view.flatten(a), view.flatten(b));
        let (low, high) = (a.min(b), a.max(b));
        let extent = high - low;
        let finest = geometry.spacing_mm().into_iter().fold(f64::MAX, f64::min);
        let step_mm = finest.max(extent.max_element() / (MAX_SAMPLES - 1) as f64);
        let count = |mm: f64| (mm / step_mm).floor() as usize + 1;
        Self {
            view,
            size: [count(extent.x), count(extent.y)],
            first_mm: [low.x, low.y],
            step_mm,
            depth_mm: (low.z, high.z),
        }
    }

    /// The place in the patient at grid coordinates and a depth.
    fn place(&self, u: usize, v: usize, through_mm: f64) -> DVec3 {
        let [right, down, through] = self.view.axes();
        right * (self.first_mm[0] + u as f64 * self.step_mm)
            + down * (self.first_mm[1] + v as f64 * self.step_mm)
            + through * through_mm
    }

    fn plate(&self, value: impl Fn(usize, usize) -> f32 + Sync) -> Plate {
        let mut values = vec![f32::NAN; self.size[0] * self.size[1]];
        values.par_chunks_mut(self.size[0]).enumerate().for_each(|(v, row)| {
            for (u, pixel) in row.iter_mut().enumerate() {
                *pixel = value(u, v);
            }
        });
        Plate {
            view: self.view,
            size: self.size,
            first_mm: self.first_mm,
            step_mm: [self.step_mm; 2],
            values,
        }
    }
}

/// Largest sample along each line of sight; NaN where it meets no voxel.
pub(super) fn project<T: Copy + Sync>(
    volume: &Volume<T>,
    view: View,
    value: &(impl Fn(T) -> f32 + Sync),
) -> Plate {
    let grid = Grid::around(volume.geometry(), view);
    let (near, far) = grid.depth_mm;
    let layers = ((far - near) / grid.step_mm).floor() as usize + 1;
    grid.plate(|u, v| {
        (0..layers)
            .map(|w| sample(volume, grid.place(u, v, near + w as f64 * grid.step_mm), value))
            .fold(f32::NAN, f32::max)
    })
}

/// Values in the plane through a place; `None` where it misses the lattice's box.
pub(super) fn cut<T: Copy + Sync>(
    volume: &Volume<T>,
    view: View,
    place_mm: DVec3,
    value: &(impl Fn(T) -> f32 + Sync),
) -> Option<Plate> {
    let grid = Grid::around(volume.geometry(), view);
    let through = view.flatten(place_mm).z;
    let (near, far) = grid.depth_mm;
    (near..=far)
        .contains(&through)
        .then(|| grid.plate(|u, v| sample(volume, grid.place(u, v, through), value)))
}

/// Trilinear value at a place; NaN outside the outermost voxel cells, where the nearest voxels are held to the edge.
fn sample<T: Copy>(volume: &Volume<T>, place_mm: DVec3, value: &impl Fn(T) -> f32) -> f32 {
    let shape = volume.geometry().shape();
    let index = volume.geometry().index_of(place_mm).to_array();
    let mut near = [[0; 2]; 3];
    let mut part = [0.0; 3];
    for axis in 0..3 {
        let last = (shape[axis] - 1) as f64;
        if !(index[axis] >= -0.5 && index[axis] <= last + 0.5) {
            return f32::NAN;
        }
        let held = index[axis].clamp(0.0, last);
        near[axis] = [held.floor() as usize, held.ceil() as usize];
        part[axis] = (held - held.floor()) as f32;
    }
    let weight = |axis: usize, end: usize| if end == 0 { 1.0 - part[axis] } else { part[axis] };
    (0..8)
        .map(|corner| [corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        .map(|end| {
            let w = weight(0, end[0]) * weight(1, end[1]) * weight(2, end[2]);
            // A weight of nothing must not carry a NaN neighbour in.
            if w == 0.0 {
                return 0.0;
            }
            w * value(volume[[near[0][end[0]], near[1][end[1]], near[2][end[2]]]])
        })
        .sum()
}
