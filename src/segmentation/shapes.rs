//! Spheres, cylinders and tubes as regions.
//!
//! A voxel belongs to a shape if its centre lies inside or on its surface, to
//! [`RADIUS_TOLERANCE_MM`](super::RADIUS_TOLERANCE_MM): the rule of the IBSI peak, used for reference regions as well.
//! Source: IBSI reference manual, local intensity features.

use std::ops::Range;

use glam::DVec3;

use super::RADIUS_TOLERANCE_MM;
use super::region::{Region, Run};
use crate::geometry::VolumeGeometry;

/// A shape on a lattice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The voxels whose centres lie in it.
    pub region: Region,
    /// Whether a part of the shape lies beyond the cells of the lattice's voxels.
    pub truncated: bool,
}

/// The voxels within a radius of a place.
pub fn sphere(geometry: &VolumeGeometry, centre_mm: DVec3, radius_mm: f64) -> Shape {
    let limit = radius_mm + RADIUS_TOLERANCE_MM;
    let extent = index_normals(geometry).map(|normal| radius_mm * normal.length());
    let index = geometry.index_of(centre_mm);
    let reach = DVec3::from_array(extent);
    rasterise(geometry, index - reach, index + reach, |place| {
        place.distance_squared(centre_mm) <= limit * limit
    })
}

/// The voxels of a cylinder: within `radius_mm` of its axis and `length_mm / 2` of its middle along the axis.
/// Empty and truncated where the axis has no direction.
pub fn cylinder(
    geometry: &VolumeGeometry,
    centre_mm: DVec3,
    axis: DVec3,
    radius_mm: f64,
    length_mm: f64,
) -> Shape {
    let Some(axis) = axis.try_normalize() else {
        return Shape { region: Region::empty(geometry.shape()), truncated: true };
    };
    let half = length_mm / 2.0;
    let extent = index_normals(geometry).map(|normal| {
        half * normal.dot(axis).abs() + radius_mm * normal.reject_from_normalized(axis).length()
    });
    let index = geometry.index_of(centre_mm);
    let reach = DVec3::from_array(extent);
    let limit = radius_mm + RADIUS_TOLERANCE_MM;
    rasterise(geometry, index - reach, index + reach, |place| {
        let from_centre = place - centre_mm;
        let along = from_centre.dot(axis);
        along.abs() <= half + RADIUS_TOLERANCE_MM
            && (from_centre - along * axis).length_squared() <= limit * limit
    })
}

/// The voxels within a radius of a polyline, such as the centre line of a vessel; its ends are round.
/// Empty and truncated where the line has no point.
pub fn tube(geometry: &VolumeGeometry, line_mm: &[DVec3], radius_mm: f64) -> Shape {
    let shape = geometry.shape();
    let parts = line_mm.windows(2).map(|ends| (ends[0], ends[1]));
    let single = (line_mm.len() == 1).then(|| (line_mm[0], line_mm[0]));
    let whole = Shape { region: Region::empty(shape), truncated: line_mm.is_empty() };
    parts.chain(single).map(|(a, b)| capsule(geometry, a, b, radius_mm)).fold(
        whole,
        |whole, part| Shape {
            region: whole.region.union(&part.region),
            truncated: whole.truncated || part.truncated,
        },
    )
}

/// The voxels within a radius of a line segment.
fn capsule(geometry: &VolumeGeometry, from: DVec3, to: DVec3, radius_mm: f64) -> Shape {
    let extent = index_normals(geometry).map(|normal| radius_mm * normal.length());
    let reach = DVec3::from_array(extent);
    let (a, b) = (geometry.index_of(from), geometry.index_of(to));
    let limit = radius_mm + RADIUS_TOLERANCE_MM;
    let step = to - from;
    let length_squared = step.length_squared();
    rasterise(geometry, a.min(b) - reach, a.max(b) + reach, |place| {
        let along = (place - from).dot(step);
        let share =
            if length_squared > 0.0 { (along / length_squared).clamp(0.0, 1.0) } else { 0.0 };
        place.distance_squared(from + share * step) <= limit * limit
    })
}

/// How fast each index grows with a step in the patient, per millimetre: the rows of the inverse affine. A convex
/// shape reaches as far along an index as its support in that direction, which holds on any lattice.
fn index_normals(geometry: &VolumeGeometry) -> [DVec3; 3] {
    let transposed = geometry.index_from_patient().matrix3.transpose();
    [transposed.x_axis, transposed.y_axis, transposed.z_axis]
}

/// The voxels between two continuous indices whose centres are inside.
fn rasterise(
    geometry: &VolumeGeometry,
    low: DVec3,
    high: DVec3,
    inside: impl Fn(DVec3) -> bool,
) -> Shape {
    let shape = geometry.shape();
    let (low, high) = (low.to_array(), high.to_array());
    // One voxel more on each side, because of the tolerance; the cast of a negative or NaN is 0.
    let range = |a: usize| -> Range<usize> {
        let end = (high[a].ceil() + 2.0).min(shape[a] as f64) as usize;
        ((low[a].floor() - 1.0).max(0.0) as usize).min(end)..end
    };
    let edge = 1e-6;
    let fits = |a: usize| low[a] >= -0.5 - edge && high[a] <= shape[a] as f64 - 0.5 + edge;
    let voxels =
        range(0).flat_map(|s| range(1).flat_map(move |r| range(2).map(move |c| [s, r, c])));
    let runs = voxels.filter(|&voxel| inside(geometry.centre_of(voxel))).map(|[s, r, c]| {
        let start = (s * shape[1] + r) * shape[2] + c;
        Run { start, end: start + 1 }
    });
    Shape { region: Region::from_runs(shape, runs), truncated: !(0..3).all(fits) }
}
