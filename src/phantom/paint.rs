//! From solids to voxels: each part is laid over the ones before it, weighted by how much of the voxel it covers.
//!
//! The coverage comes from the signed distance at the voxel's centre, so edges are smooth without supersampling.

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use super::shape::Shape;
use super::tissue::Tissue;
use crate::geometry::VolumeGeometry;

/// A solid of one tissue.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) tissue: Tissue,
    pub(crate) shape: Shape,
}

/// Where the parts' own frame lies on a lattice.
pub(crate) struct Easel<'a> {
    geometry: &'a VolumeGeometry,
    index_from_part: DAffine3,
    part_from_index: DAffine3,
    /// Voxels a millimetre of the parts' frame, for coverage.
    sharpness: f64,
}

impl<'a> Easel<'a> {
    pub(crate) fn new(geometry: &'a VolumeGeometry, scan_from_part: DAffine3) -> Self {
        let index_from_part = geometry.index_from_patient() * scan_from_part;
        let sharpness = libm::cbrt(index_from_part.matrix3.determinant().abs());
        Self { geometry, index_from_part, part_from_index: index_from_part.inverse(), sharpness }
    }

    /// Lays the parts over the canvas in their order; `value` gives a part's value at a place of its own frame.
    pub(crate) fn paint(
        &self,
        canvas: &mut [f32],
        parts: &[Part],
        value: impl Fn(&Part, DVec3) -> f64 + Sync,
    ) {
        let [_, rows, columns] = self.geometry.shape();
        let boxes: Vec<_> = parts.iter().map(|part| self.index_box(&part.shape)).collect();
        canvas.par_chunks_mut(rows * columns).enumerate().for_each(|(slice, pixels)| {
            for (part, bounds) in parts.iter().zip(&boxes) {
                let [(s0, s1), row_range, column_range] = *bounds;
                if (s0..s1).contains(&slice) {
                    self.paint_slice(pixels, slice, [row_range, column_range], part, &value);
                }
            }
        });
    }

    fn paint_slice(
        &self,
        pixels: &mut [f32],
        slice: usize,
        [(r0, r1), (c0, c1)]: [(usize, usize); 2],
        part: &Part,
        value: &impl Fn(&Part, DVec3) -> f64,
    ) {
        let columns = self.geometry.shape()[2];
        let step = self.part_from_index.matrix3.z_axis;
        for row in r0..r1 {
            let start =
                self.part_from_index.transform_point3(DVec3::new(slice as f64, row as f64, 0.0));
            for column in c0..c1 {
                let place = start + column as f64 * step;
                let cover = (0.5 - part.shape.distance(place) * self.sharpness).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let pixel = &mut pixels[row * columns + column];
                    let old = f64::from(*pixel);
                    *pixel = (old + cover * (value(part, place) - old)) as f32;
                }
            }
        }
    }

    /// Half-open index ranges that hold the solid and a voxel around it.
    fn index_box(&self, shape: &Shape) -> [(usize, usize); 3] {
        let (low, high) = shape.bounds();
        let centre = self.index_from_part.transform_point3(low.midpoint(high)).to_array();
        let half = 0.5 * (high - low);
        let m = self.index_from_part.matrix3;
        let reach = (m.x_axis.abs() * half.x + m.y_axis.abs() * half.y + m.z_axis.abs() * half.z)
            .to_array();
        std::array::from_fn(|axis| {
            let end = self.geometry.shape()[axis] as f64;
            let from = (centre[axis] - reach[axis] - 1.0).floor().clamp(0.0, end);
            let to = (centre[axis] + reach[axis] + 2.0).ceil().clamp(0.0, end);
            (from as usize, to as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_ball_has_its_volume() {
        let steps = [DVec3::Z * 5.0, DVec3::Y * 4.0, DVec3::X * 4.0];
        let geometry =
            VolumeGeometry::new([30, 32, 32], DVec3::new(-62.0, -60.0, -70.0), steps).unwrap();
        let ball =
            Part { tissue: Tissue::Liver, shape: Shape::ellipsoid([1.3, -2.1, 0.7], [40.0; 3]) };
        let mut canvas = vec![0.0; geometry.len()];
        Easel::new(&geometry, DAffine3::IDENTITY).paint(&mut canvas, &[ball], |_, _| 1.0);
        let found = canvas.iter().map(|&v| f64::from(v)).sum::<f64>() * geometry.voxel_ml();
        let exact = 4.0 / 3.0 * std::f64::consts::PI * 64.0;
        assert!((found / exact - 1.0).abs() < 0.01, "{found} against {exact} mL");
    }
}
