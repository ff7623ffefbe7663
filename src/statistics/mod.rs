//! Numbers of a region: count, volume, minimum, maximum, mean, standard deviation, median, percentiles and peak.
//!
//! Sums are taken in `f64` in an order that does not depend on the number of threads. Values keep their unit.
//! Source: IBSI reference manual, intensity-based statistical features and local intensity features.

mod peak;
mod whole;

use glam::DVec3;

pub use self::peak::{PEAK_RADIUS_MM, Peak, peak_global, peak_hottest_four, peak_local};
pub use self::whole::{Summary, maximum, summary};
use crate::segmentation::{RADIUS_TOLERANCE_MM, Region};
use crate::volume::{Mask, Volume};

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

/// Statistics of a region; `None` if it has no voxels. One NaN in the region makes every number but the count NaN.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn statistics(volume: &Volume<f32>, region: &Region) -> Option<RegionStatistics> {
    let mut values: Vec<f32> = region.values(volume).collect();
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
    let bound = |fold: fn(f32, f32) -> f32, from: f32| {
        if mean.is_nan() { f64::NAN } else { f64::from(values.iter().copied().fold(from, fold)) }
    };
    let (min, max) = (bound(f32::min, f32::INFINITY), bound(f32::max, f32::NEG_INFINITY));
    Some(RegionStatistics {
        voxels: count,
        volume_ml: region.volume_ml(volume.geometry()),
        min,
        max,
        mean,
        sd: (squares / count as f64).sqrt(),
        median: if mean.is_nan() { f64::NAN } else { quantile(&mut values, 0.5) },
    })
}

/// A percentile (0 to 100) of the values of a region, linear between the two nearest ranks (Hyndman and Fan, type 7);
/// `None` if the region has no voxels or the percentile is not in 0 to 100. NaN values rank highest.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn percentile(volume: &Volume<f32>, region: &Region, percent: f64) -> Option<f64> {
    let mut values: Vec<f32> = region.values(volume).collect();
    let valid = !values.is_empty() && (0.0..=100.0).contains(&percent);
    valid.then(|| quantile(&mut values, percent / 100.0))
}

/// Statistics of what surrounds a region: voxels whose centres lie more than `inner_mm` and at most `outer_mm` from its
/// nearest voxel centre and are not excluded (lesions, other organs). `None` if no voxel is left.
///
/// # Panics
/// If the volume or the mask is on another lattice: a programming error.
pub fn background_shell(
    volume: &Volume<f32>,
    region: &Region,
    inner_mm: f64,
    outer_mm: f64,
    excluded: &Mask,
) -> Option<RegionStatistics> {
    region.check(excluded.geometry());
    let shell = region.surroundings(volume.geometry(), outer_mm, |d| {
        d > inner_mm + RADIUS_TOLERANCE_MM && d <= outer_mm + RADIUS_TOLERANCE_MM
    });
    let excluded = excluded.values();
    statistics(volume, &shell.filtered(|offset| !excluded[offset]))
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

/// The value at a share of the ranks of at least one value.
fn quantile(values: &mut [f32], share: f64) -> f64 {
    let rank = share * (values.len() - 1) as f64;
    let (_, &mut low, above) = values.select_nth_unstable_by(rank.floor() as usize, f32::total_cmp);
    let low = f64::from(low);
    match above.iter().copied().min_by(f32::total_cmp) {
        Some(high) if rank.fract() > 0.0 => low + rank.fract() * (f64::from(high) - low),
        _ => low,
    }
}
