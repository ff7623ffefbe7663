//! Numbers of a region: count, volume, minimum, maximum, mean, standard deviation, median, percentiles and peak.
//!
//! Sums are taken in `f64` in an order that does not depend on the number of threads. Values keep their unit.
//! Source: IBSI reference manual, intensity-based statistical features and local intensity features.

mod parts;
mod peak;
mod whole;

use glam::DVec3;

use self::parts::{Near, Parts};
use self::whole::Moments;

pub use self::peak::{PEAK_RADIUS_MM, Peak, peak_global, peak_hottest_four, peak_local};
pub use self::whole::{Summary, maximum, summary};
use crate::segmentation::Region;
use crate::volume::Volume;

/// Statistics of the voxels of one region, computed in `f64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionStatistics {
    /// Number of voxels.
    pub voxels: usize,
    /// Voxel count times voxel volume, millilitres.
    pub volume_ml: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value, without interpolation.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the voxels, divided by their number (ddof 0).
    pub sd: f64,
    /// Median; the mean of the two middle values where their number is even.
    pub median: f64,
}

impl RegionStatistics {
    /// Square of the standard deviation (ddof 0).
    pub fn variance(&self) -> f64 {
        self.sd * self.sd
    }

    /// Standard deviation over mean; `None` where the mean is not positive.
    pub fn coefficient_of_variation(&self) -> Option<f64> {
        (self.mean > 0.0).then(|| self.sd / self.mean)
    }

    /// Volume times mean: the total lesion glycolysis where the values are SUV, in grams.
    pub fn integral(&self) -> f64 {
        self.volume_ml * self.mean
    }
}

/// What is known of one part of a region.
struct PartStatistics {
    moments: Moments,
    near: Near,
}

/// Statistics of a region; `None` if it has no voxels. One NaN in the region makes every number but the count NaN.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn statistics(volume: &Volume<f32>, region: &Region) -> Option<RegionStatistics> {
    let parts = Parts::of(volume, region);
    let count = parts.count();
    if count == 0 {
        return None;
    }
    let mut sample = parts.sample();
    let bracket = parts::bracket(&mut sample, 0.5);
    // Squares about a value near the mean, which is not known yet; about the mean itself where there is one part.
    let pivot = sample.get(sample.len() / 2).copied().map(f64::from);
    let of_parts = parts.map(|values| PartStatistics {
        moments: whole::moments(
            values,
            pivot.unwrap_or_else(|| whole::sum_in_lanes(values, f64::from) / count as f64),
        ),
        near: parts::near(values, bracket),
    });
    let moments = || of_parts.iter().map(|part| &part.moments);
    let mean = moments().map(|part| part.sum).sum::<f64>() / count as f64;
    let squares = moments().map(|part| part.squares).sum::<f64>() / count as f64;
    let variance = squares - pivot.map_or(0.0, |pivot| mean - pivot).powi(2);
    let min = moments().map(|part| part.min).fold(f32::INFINITY, f32::min);
    let max = moments().map(|part| part.max).fold(f32::NEG_INFINITY, f32::max);
    let near = of_parts.into_iter().map(|part| part.near).collect();
    let known = |value: f64| if mean.is_nan() { f64::NAN } else { value };
    Some(RegionStatistics {
        voxels: count,
        volume_ml: region.volume_ml(volume.geometry()),
        min: known(f64::from(min)),
        max: known(f64::from(max)),
        mean,
        // Rounding may leave less than nothing.
        sd: if variance < 0.0 { 0.0 } else { variance.sqrt() },
        median: if mean.is_nan() { f64::NAN } else { parts.quantile_of(near, 0.5) },
    })
}

/// A percentile (0 to 100) of the values of a region, linear between the two nearest ranks (Hyndman and Fan, type 7);
/// `None` if the region has no voxels or the percentile is not in 0 to 100. NaN values rank highest.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn percentile(volume: &Volume<f32>, region: &Region, percent: f64) -> Option<f64> {
    let parts = Parts::of(volume, region);
    let valid = parts.count() > 0 && (0.0..=100.0).contains(&percent);
    valid.then(|| parts.quantile(percent / 100.0))
}

/// The largest distance between two of the points (Dmax, of lesion centroids), in their unit; 0 for one point, `None`
/// for none.
///
/// Source: Cottereau et al., J Nucl Med 61 (2020) 40.
pub fn farthest_pair(points: &[DVec3]) -> Option<f64> {
    // Lesions are few: every pair, and nothing stored.
    let squared = points
        .iter()
        .enumerate()
        .flat_map(|(i, a)| points[i..].iter().map(move |b| a.distance_squared(*b)));
    squared.reduce(f64::max).map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::VolumeGeometry;

    /// The IBSI digital phantom as printed in its manual: rows of five, four rows a slice, voxels of 2 mm.
    /// Source: `theIBSI/data_sets` (CC BY 4.0).
    pub(super) fn ibsi_phantom() -> (Volume<f32>, Region) {
        let image = "14411 14611 41641 44641 14411 11611 11311 44611 \
                     14411 11111 11911 11611 14411 11111 11111 11611";
        let mask = "11111 11111 11111 11111 11111 11111 01111 11111 \
                    11100 11111 11011 11111 11100 11111 11111 11111";
        let digits = |text: &str| text.chars().filter_map(|c| c.to_digit(10)).collect::<Vec<_>>();
        let steps = [2.0 * DVec3::Z, 2.0 * DVec3::Y, 2.0 * DVec3::X];
        let g = VolumeGeometry::new([4, 4, 5], DVec3::ZERO, steps).unwrap();
        let volume = Volume::from_vec(g, digits(image).into_iter().map(|d| d as f32).collect());
        let inside = digits(mask).into_iter().enumerate().filter(|&(_, d)| d == 1);
        let region = Region::from_offsets([4, 4, 5], inside.map(|(offset, _)| offset));
        (volume, region)
    }

    fn line(values: &[f32]) -> Volume<f32> {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X];
        let g = VolumeGeometry::new([1, 1, values.len()], DVec3::ZERO, steps).unwrap();
        Volume::from_vec(g, values.to_vec())
    }

    fn all<T>(volume: &Volume<T>) -> Region {
        Region::from_offsets(volume.geometry().shape(), 0..volume.values().len())
    }

    #[test]
    fn ibsi_digital_phantom() {
        let (volume, region) = ibsi_phantom();
        let s = statistics(&volume, &region).unwrap();
        assert_eq!((s.voxels, s.min, s.max, s.median), (74, 1.0, 6.0, 1.0));
        assert!((s.mean - 2.148_648_6).abs() < 1e-7);
        assert!((s.variance() - 3.045_471).abs() < 1e-6, "IBSI prints 3.05");
        assert!((s.volume_ml - 0.592).abs() < 1e-12);
        assert!((s.integral() - 0.592 * s.mean).abs() < 1e-12);
        assert_eq!(percentile(&volume, &region, 90.0), Some(4.0));
        assert_eq!(percentile(&volume, &region, 100.0), Some(6.0));
        let local = peak_local(&volume, &region).unwrap();
        assert_eq!((local.mean, local.voxels), (2.6, 45));
        let global = peak_global(&volume, &region).unwrap();
        assert_eq!((global.mean, global.voxels), (90.0 / 29.0, 29));
        assert!(local.truncated && global.truncated, "the phantom is smaller than the sphere");
    }

    #[test]
    fn small_regions() {
        let volume = line(&[1.0, -2.0, 4.0, 3.0]);
        let none = Region::empty([1, 1, 4]);
        assert_eq!(statistics(&volume, &none), None);
        assert_eq!(percentile(&volume, &none, 50.0), None);
        let one = statistics(&volume, &Region::from_offsets([1, 1, 4], [1])).unwrap();
        assert_eq!((one.min, one.max, one.mean, one.sd, one.median), (-2.0, -2.0, -2.0, 0.0, -2.0));
        assert_eq!(one.coefficient_of_variation(), None);
        let four = statistics(&volume, &all(&volume)).unwrap();
        assert_eq!((four.mean, four.median, four.min, four.max), (1.5, 2.0, -2.0, 4.0));
        assert_eq!(percentile(&volume, &all(&volume), 25.0), Some(0.25));
        for bad in [-1.0, 100.1, f64::NAN] {
            assert_eq!(percentile(&volume, &all(&volume), bad), None);
        }
    }

    #[test]
    fn not_a_number_is_not_hidden() {
        let volume = line(&[1.0, f32::NAN, 3.0]);
        let s = statistics(&volume, &all(&volume)).unwrap();
        assert_eq!(s.voxels, 3);
        assert!([s.min, s.max, s.mean, s.sd, s.median].iter().all(|v| v.is_nan()));
    }

    #[test]
    fn the_deviation_of_many_values_is_that_about_their_mean() {
        let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 9) as f32 * 1e-9;
        let shapes: [fn(usize, f32) -> f32; 3] = [
            |_, noise| 1000.0 + noise,
            |_, _| 7.3,
            |i, noise| if i % 50_000 == 3 { 4e4 } else { noise },
        ];
        for shape in shapes {
            let values: Vec<f32> = (0..200_000).map(|i| shape(i, noise(i))).collect();
            let volume = line(&values);
            let found = statistics(&volume, &all(&volume)).unwrap();
            let n = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
            assert!((found.mean - mean).abs() <= 1e-12 * mean, "{} {mean}", found.mean);
            let sd = (squares / n).sqrt();
            assert!((found.sd - sd).abs() <= 1e-9 * sd + 1e-9 * mean, "{} {sd}", found.sd);
        }
    }

    #[test]
    fn farthest_points() {
        assert_eq!(farthest_pair(&[]), None);
        assert_eq!(farthest_pair(&[DVec3::ONE]), Some(0.0));
        let points = [DVec3::ZERO, DVec3::new(3.0, 0.0, 4.0), DVec3::new(0.0, 1.0, 0.0)];
        assert_eq!(farthest_pair(&points), Some(26.0_f64.sqrt()));
    }
}
