//! Numbers of a region: count, volume, minimum, maximum, mean, standard deviation, median, percentiles and peak.
//!
//! Sums are taken in `f64` in an order that does not depend on the number of threads. Values keep their unit.
//! Source: IBSI reference manual, intensity-based statistical features and local intensity features.

mod peak;
mod whole;

use glam::DVec3;
use rayon::prelude::*;

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
    let mut values = gathered(volume, region);
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mean = whole::sum_of(&values, f64::from) / count as f64;
    let variance = whole::sum_of(&values, |v| (f64::from(v) - mean).powi(2)) / count as f64;
    let known = |value: f64| if mean.is_nan() { f64::NAN } else { value };
    Some(RegionStatistics {
        voxels: count,
        volume_ml: region.volume_ml(volume.geometry()),
        min: known(f64::from(whole::smallest(&values))),
        max: known(f64::from(whole::largest(&values))),
        mean,
        sd: variance.sqrt(),
        median: if mean.is_nan() { f64::NAN } else { quantile(&mut values, 0.5) },
    })
}

/// A percentile (0 to 100) of the values of a region, linear between the two nearest ranks (Hyndman and Fan, type 7);
/// `None` if the region has no voxels or the percentile is not in 0 to 100. NaN values rank highest.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn percentile(volume: &Volume<f32>, region: &Region, percent: f64) -> Option<f64> {
    let mut values = gathered(volume, region);
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

/// The values of a region in memory order, copied row by row.
fn gathered(volume: &Volume<f32>, region: &Region) -> Vec<f32> {
    region.check(volume.geometry());
    let mut values = Vec::with_capacity(region.voxels());
    region.runs().iter().for_each(|run| values.extend_from_slice(&volume.values()[run.range()]));
    values
}

/// Ranks of more values than this are looked for where they lie.
const MANY: usize = 1 << 15;

/// The value at a share of the ranks of at least one value.
///
/// Fast because of many values only those whose leading bits are those of the ranks are put in order.
fn quantile(values: &mut Vec<f32>, share: f64) -> f64 {
    let rank = share * (values.len() - 1) as f64;
    let mut low = rank.floor() as usize;
    if values.len() > MANY {
        low -= keep_ranks(values, [low, rank.ceil() as usize]);
    }
    let (_, &mut value, above) = values.select_nth_unstable_by(low, f32::total_cmp);
    let value = f64::from(value);
    match above.iter().copied().min_by(f32::total_cmp) {
        Some(high) if rank.fract() > 0.0 => value + rank.fract() * (f64::from(high) - value),
        _ => value,
    }
}

/// Keeps the values that share their leading bits with those of two ranks; how many lower ones were left out.
fn keep_ranks(values: &mut Vec<f32>, ranks: [usize; 2]) -> usize {
    // Sign, exponent and three bits of the mantissa, in the order of the values.
    let bin = |value: f32| {
        let bits = value.to_bits();
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        (ordered >> 20) as usize
    };
    let counts = values
        .par_chunks(MANY)
        .map(|part| {
            let mut counts = vec![0_usize; 1 << 12];
            for &value in part {
                counts[bin(value)] += 1;
            }
            counts
        })
        .reduce(
            || vec![0; 1 << 12],
            |mut sum, part| {
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
                sum
            },
        );
    let (mut first, mut last, mut left_out, mut below) = (0, 0, 0, 0);
    for (n, &count) in counts.iter().enumerate() {
        if (below..below + count).contains(&ranks[0]) {
            (first, left_out) = (n, below);
        }
        if (below..below + count).contains(&ranks[1]) {
            last = n;
        }
        below += count;
    }
    values.retain(|&value| (first..=last).contains(&bin(value)));
    left_out
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;
    use crate::geometry::VolumeGeometry;

    #[test]
    fn ranks_of_many_values_are_those_of_the_sorted() {
        let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 7) as f32 * 1e-6 - 9.0;
        for count in [MANY + 1, MANY + 2, 3 * MANY + 77] {
            let mut values: Vec<f32> = (0..count).map(value).collect();
            values[5..900].fill(-0.0);
            values[900..1800].fill(0.0);
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f32::total_cmp);
            for share in [0.0, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0] {
                let rank = share * (count - 1) as f64;
                let [low, high] =
                    [rank.floor(), rank.ceil()].map(|r| f64::from(sorted[r as usize]));
                let expected = low + rank.fract() * (high - low);
                let found = quantile(&mut values.clone(), share);
                assert!((found - expected).abs() < 1e-12, "{count} {share}: {found} {expected}");
            }
        }
    }

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
    fn a_shell_lies_between_two_distances() {
        let volume = line(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let g = volume.geometry().clone();
        let region = Region::from_offsets(g.shape(), [4, 5]);
        // More than 1 mm and at most 3 mm away: 1, 2 and 7, 8.
        let free = Mask::filled(g.clone(), false);
        let shell = background_shell(&volume, &region, 1.0, 3.0, &free).unwrap();
        assert_eq!((shell.voxels, shell.mean), (4, 4.5));
        let excluded = Region::from_offsets(g.shape(), [1, 2]).to_mask(&g);
        assert_eq!(background_shell(&volume, &region, 1.0, 3.0, &excluded).unwrap().mean, 7.5);
        let all_out = Mask::filled(g.clone(), true);
        assert_eq!(background_shell(&volume, &region, 1.0, 3.0, &all_out), None);
        let none = Region::empty(g.shape());
        assert_eq!(background_shell(&volume, &none, 1.0, 3.0, &free), None);
    }

    #[test]
    fn farthest_points() {
        assert_eq!(farthest_pair(&[]), None);
        assert_eq!(farthest_pair(&[DVec3::ONE]), Some(0.0));
        let points = [DVec3::ZERO, DVec3::new(3.0, 0.0, 4.0), DVec3::new(0.0, 1.0, 0.0)];
        assert_eq!(farthest_pair(&points), Some(26.0_f64.sqrt()));
    }
}
