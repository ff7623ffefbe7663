//! Square picture pixels, and the resampling of a plate on them.
//!
//! Catmull-Rom cubic, limited to the range of the two nearest samples so that no pale rim surrounds a hot bladder.
//! Source: Keys 1981, IEEE Trans. ASSP 29:1153 (a = -1/2); the kernel is widened where pixels are larger than samples.

use glam::DVec3;
use rayon::prelude::*;

use super::{View, plate::Plate};

/// A lattice of square picture pixels in the patient, seen from one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Direction of view.
    pub view: View,
    /// Columns and rows.
    pub size: [usize; 2],
    /// Centre of the first pixel along the picture's right and down axes ([`View::flatten`]), millimetres.
    pub first_mm: [f64; 2],
    /// Edge of a pixel, millimetres.
    pub pixel_mm: f64,
}

impl Plate {
    /// Values at the pixels of a frame, row by row; NaN outside the plate.
    pub fn on_frame(&self, frame: &Frame) -> Vec<f32> {
        let taps: [Vec<Taps>; 2] = std::array::from_fn(|axis| {
            (0..frame.size[axis])
                .map(|i| {
                    let mm = frame.first_mm[axis] + i as f64 * frame.pixel_mm;
                    let at = (mm - self.first_mm()[axis]) / self.step_mm()[axis];
                    Taps::new(at, self.size()[axis], frame.pixel_mm / self.step_mm()[axis])
                })
                .collect()
        });
        let width = frame.size[0];
        let mut narrow = vec![f32::NAN; width * self.size()[1]];
        narrow.par_chunks_mut(width.max(1)).enumerate().for_each(|(v, row)| {
            let source = &self.values()[v * self.size()[0]..][..self.size()[0]];
            for (pixel, taps) in row.iter_mut().zip(&taps[0]) {
                *pixel = taps.apply(|i| source[i]);
            }
        });
        let mut out = vec![f32::NAN; width * frame.size[1]];
        out.par_chunks_mut(width.max(1)).zip(&taps[1]).for_each(|(row, taps)| {
            for (u, pixel) in row.iter_mut().enumerate() {
                *pixel = taps.apply(|i| narrow[i * width + u]);
            }
        });
        out
    }
}

/// The samples and weights that make one pixel along one axis; without weights the pixel is outside.
struct Taps {
    first: usize,
    weights: Vec<f32>,
    /// The two samples beside the pixel, whose range bounds the result where pixels are smaller than samples.
    between: Option<[usize; 2]>,
}

impl Taps {
    fn new(at: f64, samples: usize, pixel: f64) -> Self {
        let last = samples as f64 - 1.0;
        if !(at >= -0.5 && at <= last + 0.5) {
            return Self { first: 0, weights: Vec::new(), between: None };
        }
        let at = at.clamp(0.0, last);
        // A pixel wider than a sample averages over its width; a hundred samples are enough for any picture.
        let wide = pixel.clamp(1.0, 100.0);
        let low = (at - 2.0 * wide).ceil().max(0.0) as usize;
        let high = ((at + 2.0 * wide).floor() as usize).min(samples - 1);
        let mut weights: Vec<f64> =
            (low..=high).map(|i| catmull_rom((i as f64 - at) / wide)).collect();
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        Self {
            first: low,
            weights: weights.into_iter().map(|w| w as f32).collect(),
            between: (wide <= 1.0).then(|| [at.floor() as usize, at.ceil() as usize]),
        }
    }

    fn apply(&self, sample: impl Fn(usize) -> f32) -> f32 {
        if self.weights.is_empty() {
            return f32::NAN;
        }
        let sum = self
            .weights
            .iter()
            .enumerate()
            .map(|(i, w)| if *w == 0.0 { 0.0 } else { w * sample(self.first + i) });
        let sum: f32 = sum.sum();
        match self.between.map(|ends| ends.map(sample)) {
            Some([a, b]) if !(a.is_nan() || b.is_nan()) => {
                // Beside a hole in the data the neighbours alone are used.
                let value = if sum.is_nan() { 0.5 * (a + b) } else { sum };
                value.max(a.min(b)).min(a.max(b))
            }
            Some(_) => f32::NAN,
            None => sum,
        }
    }
}

/// The Catmull-Rom kernel: Keys 1981, equation 15 with a = -1/2.
fn catmull_rom(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

impl Frame {
    /// The frame of square pixels that covers an extent ((left, right), (top, bottom)) in millimetres.
    pub fn covering(view: View, extent_mm: [(f64, f64); 2], pixel_mm: f64) -> Self {
        let size = extent_mm.map(|(low, high)| (((high - low) / pixel_mm).round() as usize).max(1));
        let first_mm = std::array::from_fn(|axis| {
            let (low, high) = extent_mm[axis];
            0.5 * (low + high) - 0.5 * (size[axis] - 1) as f64 * pixel_mm
        });
        Self { view, size, first_mm, pixel_mm }
    }

    /// Pixel coordinates (column, row; pixel centres are whole numbers) of a place in the patient.
    pub fn pixel_of(&self, place_mm: DVec3) -> [f64; 2] {
        let flat = self.view.flatten(place_mm);
        [(flat.x - self.first_mm[0]) / self.pixel_mm, (flat.y - self.first_mm[1]) / self.pixel_mm]
    }

    /// Outer edges as (left, right) and (top, bottom), millimetres.
    pub fn extent_mm(&self) -> [(f64, f64); 2] {
        std::array::from_fn(|axis| {
            let low = self.first_mm[axis] - 0.5 * self.pixel_mm;
            (low, low + self.size[axis] as f64 * self.pixel_mm)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{geometry::VolumeGeometry, render::mip, volume::Volume};

    #[test]
    fn resampling_keeps_the_range_and_the_samples() {
        let steps = [DVec3::Z, 4.0 * DVec3::Y, 4.0 * DVec3::X];
        let geometry = VolumeGeometry::new([1, 6, 6], DVec3::ZERO, steps).unwrap();
        let mut volume = Volume::filled(geometry, 1.0_f32);
        volume[[0, 2, 3]] = 60.0;
        let plate = mip(&volume, View::Axial);
        let frame = Frame { view: View::Axial, size: [21, 21], first_mm: [0.0; 2], pixel_mm: 1.0 };
        let values = plate.on_frame(&frame);
        assert!(values.iter().all(|v| (1.0..=60.0).contains(v)), "no rim around a hot voxel");
        for (u, v) in (0..6).flat_map(|v| (0..6).map(move |u| (u, v))) {
            let off = values[v * 4 * 21 + u * 4] - plate.values()[v * 6 + u];
            assert!(off.abs() < 1e-5, "samples are kept");
        }
    }
}
