//! Spheres, cylinders and tubes as regions.
//!
//! A voxel belongs to a shape if its centre lies inside or on its surface, to
//! [`RADIUS_TOLERANCE_MM`]: the rule of the IBSI peak, used for reference regions as well.
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

#[cfg(test)]
mod tests {
    use glam::{DAffine3, DMat3};

    use super::*;
    use crate::statistics::PEAK_RADIUS_MM;

    fn lattice(in_plane: f64, slice: f64) -> VolumeGeometry {
        let steps = [slice * DVec3::Z, in_plane * DVec3::Y, in_plane * DVec3::X];
        VolumeGeometry::new([31; 3], DVec3::new(-60.0, 35.0, 910.0), steps).unwrap()
    }

    /// Voxels of a 1 mL sphere, a 3 cm sphere and a cylinder of 1 cm by 2 cm, centred on a voxel.
    #[test]
    fn voxel_counts_of_the_usual_shapes() {
        for (in_plane, slice, counts) in [
            (2.0, 2.0, [123, 1791, 231]),
            (4.0, 4.0, [19, 251, 25]),
            (4.07283, 3.0, [21, 287, 35]),
            (4.07283, 5.0, [11, 163, 25]),
            (5.46875, 3.27, [7, 141, 7]),
            (2.734, 3.27, [39, 569, 63]),
            (3.65, 3.27, [27, 321, 35]),
            (1.65, 1.65, [251, 3119, 377]),
        ] {
            let turn =
                DAffine3::from_mat3(DMat3::from_rotation_y(0.6) * DMat3::from_rotation_x(0.2));
            let straight = lattice(in_plane, slice);
            let oblique = straight.moved(turn).unwrap();
            for (g, axis) in [(&straight, DVec3::Z), (&oblique, turn.transform_vector3(DVec3::Z))] {
                let centre = g.centre_of([15; 3]);
                let shapes = [
                    sphere(g, centre, PEAK_RADIUS_MM),
                    sphere(g, centre, 15.0),
                    cylinder(g, centre, -3.0 * axis, 5.0, 20.0),
                ];
                assert_eq!(
                    shapes.each_ref().map(|s| s.region.voxels()),
                    counts,
                    "{in_plane} x {slice} mm"
                );
                assert!(shapes.iter().all(|s| !s.truncated));
            }
        }
    }

    #[test]
    fn a_sheared_lattice_holds_the_same_ball() {
        // Voxels of 1 mm³: a sheared lattice has the same density, so the count is near the volume.
        let steps = [DVec3::new(0.3, 0.4, 1.0), DVec3::new(0.5, 1.0, 0.0), DVec3::X];
        let g = VolumeGeometry::new([30, 50, 70], DVec3::ZERO, steps).unwrap();
        let ball = sphere(&g, g.centre_of([15, 25, 35]), 10.0);
        let volume = 4.0 / 3.0 * std::f64::consts::PI * 1000.0;
        assert!(!ball.truncated);
        assert!((ball.region.voxels() as f64 - volume).abs() < 0.03 * volume);
        let expected = (0..g.len()).filter(|o| {
            let voxel = [o / 3500, o / 70 % 50, o % 70];
            g.centre_of(voxel).distance(g.centre_of([15, 25, 35])) <= 10.0
        });
        assert_eq!(ball.region, Region::from_offsets(g.shape(), expected));
    }

    #[test]
    fn leaving_the_volume_is_told() {
        let g = lattice(2.0, 2.0);
        let inner = g.centre_of([15; 3]);
        let corner = g.centre_of([0; 3]);
        assert!(!sphere(&g, inner, 31.0).truncated);
        assert!(sphere(&g, inner, 31.1).truncated);
        assert!(sphere(&g, corner, 1.1).truncated);
        assert!(!sphere(&g, corner, 0.9).truncated);
        assert!(!cylinder(&g, inner, DVec3::Y, 5.0, 62.0).truncated);
        assert!(cylinder(&g, inner, DVec3::Y, 5.0, 63.0).truncated);
        let far = sphere(&g, inner + DVec3::X * 1e6, 5.0);
        assert!(far.truncated && far.region.is_empty());
        for bad in [f64::NAN, f64::INFINITY] {
            assert!(sphere(&g, DVec3::splat(bad), 5.0).region.is_empty());
        }
        assert!(cylinder(&g, inner, DVec3::ZERO, 5.0, 9.0).region.is_empty());
    }

    #[test]
    fn a_tube_is_its_line_with_thickness() {
        let g = lattice(2.0, 3.0);
        let line = [[5, 5, 5], [15, 15, 15], [25, 15, 15]].map(|v| g.centre_of(v));
        let found = tube(&g, &line, 5.0);
        let near = |p: DVec3| {
            // The line sampled finely: nearer than any two centres' distances differ from the radius here.
            (0..=4000).any(|i| {
                let t = f64::from(i % 2001) / 2000.0;
                let k = i / 2001;
                let (a, b) = (line[k as usize], line[k as usize + 1]);
                p.distance(a.lerp(b, t)) <= 5.0 + 2e-4
            })
        };
        let low = sphere(&g, line[0], 12.0).region;
        for voxel in low.indices() {
            let offset = (voxel[0] * 31 + voxel[1]) * 31 + voxel[2];
            assert_eq!(found.region.contains(offset), near(g.centre_of(voxel)), "{voxel:?}");
        }
        assert!(!found.truncated);
        assert_eq!(tube(&g, &line[..1], 5.0), sphere(&g, line[0], 5.0));
        assert!(tube(&g, &[], 5.0).region.is_empty());
    }
}
