//! The values of a region in parts that stay in the cache, and the value at a rank without sorting.
//!
//! Fast because the rows of a part are gathered into room that is used again and then read as whole vectors, and because a
//! sample tells between which two values a rank lies, so that few values are put in order.

use std::ops::Range;

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use crate::segmentation::{Region, Run};
use crate::volume::Volume;

/// As many values are one part, whatever the number of threads: sums run in the order of the parts.
const PART: usize = 1 << 15;

/// One of so many values is in the sample of a region with more than one part, fewer where there are many.
const SAMPLED: usize = 64;

/// Most values of a sample.
const LARGEST_SAMPLE: usize = 1 << 17;

/// As many values are compared at once.
const BLOCK: usize = 32;

/// The values of a region in memory order, part by part.
pub(super) struct Parts<'a> {
    values: &'a [f32],
    runs: &'a [Run],
    /// How many values lie before each run.
    before: Vec<usize>,
    count: usize,
}

/// The values of a part that may be at a rank, and how many are lower and higher.
#[derive(Debug, Clone, Default)]
pub(super) struct Near {
    lower: usize,
    between: Vec<f32>,
    higher: usize,
}

impl<'a> Parts<'a> {
    /// # Panics
    /// If the volume is on another lattice: a programming error.
    pub(super) fn of(volume: &'a Volume<f32>, region: &'a Region) -> Self {
        region.check(volume.geometry());
        let (values, runs) = (volume.values(), region.runs());
        let mut count = 0;
        let before = runs.iter().map(|run| {
            let before = count;
            count += run.range().len();
            before
        });
        let before = before.collect();
        Self { values, runs, before, count }
    }

    /// How many values there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// What some work makes of each part, in their order.
    pub(super) fn map<T: Send>(&self, work: impl Fn(&[f32]) -> T + Sync) -> Vec<T> {
        let part = |room: &mut Vec<f32>, n: usize| {
            self.gather(n * PART..self.count.min((n + 1) * PART), room);
            work(room)
        };
        match self.count.div_ceil(PART) {
            0 => Vec::new(),
            // The part of a small region is not worth a task.
            1 => vec![part(&mut Vec::new(), 0)],
            parts => (0..parts).into_par_iter().map_init(Vec::new, part).collect(),
        }
    }

    /// The values of a range, counted in memory order, in place of what the room held.
    fn gather(&self, range: Range<usize>, room: &mut Vec<f32>) {
        room.clear();
        room.reserve(range.len());
        let first = self.run_of(range.start);
        for (run, &before) in self.runs[first..].iter().zip(&self.before[first..]) {
            let skipped = range.start.saturating_sub(before);
            let left = range.len() - room.len();
            let end = run.end.min(run.start + skipped + left);
            room.extend_from_slice(&self.values[run.start + skipped..end]);
            if room.len() == range.len() {
                break;
            }
        }
    }

    /// Every so manieth value; none where there is one part, all of which is put in order anyhow.
    pub(super) fn sample(&self) -> Vec<f32> {
        let parts = match self.count.div_ceil(PART) {
            0 | 1 => 0..0,
            parts => 0..parts,
        };
        let step = SAMPLED.max(self.count.div_ceil(LARGEST_SAMPLE));
        let of_part = |n: usize| {
            let (start, end) = (n * PART, self.count.min((n + 1) * PART));
            let mut run = self.run_of(start);
            let places = (start.next_multiple_of(step)..end).step_by(step);
            let values = places.map(|place| {
                while self.before.get(run + 1).is_some_and(|&before| before <= place) {
                    run += 1;
                }
                self.values[self.runs[run].start + place - self.before[run]]
            });
            values.collect::<Vec<_>>()
        };
        parts.into_par_iter().map(of_part).collect::<Vec<_>>().concat()
    }

    /// The run in which a value lies, counted in memory order.
    fn run_of(&self, place: usize) -> usize {
        self.before.partition_point(|&before| before <= place) - 1
    }

    /// The value at a share of the ranks of at least one value, linear between two ranks.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let bracket = bracket(&mut self.sample(), share);
        self.quantile_of(self.map(|values| near(values, bracket)), share)
    }

    /// The same where the values near the rank have been picked.
    pub(super) fn quantile_of(&self, near: Vec<Near>, share: f64) -> f64 {
        let rank = share * (self.count - 1) as f64;
        let ends = [rank.floor() as usize, rank.ceil() as usize];
        let lower = near.iter().map(|part| part.lower).sum::<usize>();
        let higher = near.iter().map(|part| part.higher).sum::<usize>();
        let mut between = near.into_iter().map(|part| part.between).collect::<Vec<_>>().concat();
        // Values that are no numbers are neither lower nor higher, and have a rank.
        let all = lower + between.len() + higher == self.count;
        if all && lower <= ends[0] && ends[1] < lower + between.len() {
            return at_rank(&mut between, rank - lower as f64);
        }
        let mut values = Vec::new();
        self.gather(0..self.count, &mut values);
        at_rank(&mut values, rank)
    }
}

/// Between which values a share of the ranks lies, by a sample of them; everything where the sample is empty.
///
/// The rank of a value in a random sample of `n` is off by `sqrt(n) / 2` on average at most: four times that is left on
/// both sides. If it is not enough all values are put in order, and nothing but time is lost.
pub(super) fn bracket(sample: &mut [f32], share: f64) -> [f32; 2] {
    let Some(last) = sample.len().checked_sub(1) else {
        return [f32::NEG_INFINITY, f32::INFINITY];
    };
    let (rank, slack) = (share * last as f64, 2.0 * (sample.len() as f64).sqrt() + 1.0);
    let mut at = |rank: f64| *sample.select_nth_unstable_by(rank as usize, f32::total_cmp).1;
    let low = if rank < slack { f32::NEG_INFINITY } else { at(rank - slack) };
    let high = if rank + slack > last as f64 { f32::INFINITY } else { at(rank + slack) };
    [low, high]
}

/// The values between two, both included.
pub(super) fn near(values: &[f32], [low, high]: [f32; 2]) -> Near {
    let mut near = Near::default();
    dispatch!(Level::new(), _ => {
        for block in values.chunks(BLOCK) {
            // Counted without a branch, which is vector code; most blocks hold nothing between.
            let lower = block.iter().map(|&value| u32::from(value < low)).sum::<u32>() as usize;
            let higher = block.iter().map(|&value| u32::from(value > high)).sum::<u32>() as usize;
            near.lower += lower;
            near.higher += higher;
            if lower + higher < block.len() {
                let inside = |value: &f32| low <= *value && *value <= high;
                near.between.extend(block.iter().copied().filter(inside));
            }
        }
    });
    near
}

/// The value at a rank, linear between the two nearest.
fn at_rank(values: &mut [f32], rank: f64) -> f64 {
    let (_, &mut value, above) =
        values.select_nth_unstable_by(rank.floor() as usize, f32::total_cmp);
    let value = f64::from(value);
    match above.iter().copied().min_by(f32::total_cmp) {
        Some(high) if rank.fract() > 0.0 => value + rank.fract() * (f64::from(high) - value),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::geometry::VolumeGeometry;

    /// A volume of one row a slice, and every voxel but those of some columns.
    fn scattered(values: Vec<f32>) -> (Volume<f32>, Region) {
        let shape = [values.len().div_ceil(100), 1, 100];
        let g = VolumeGeometry::new(shape, DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]).unwrap();
        let mut values = values;
        values.resize(g.len(), 0.0);
        let inside = (0..g.len()).filter(|offset| !matches!(offset % 100, 0 | 40..=43));
        (Volume::from_vec(g, values), Region::from_offsets(shape, inside))
    }

    #[test]
    fn ranks_of_many_values_are_those_of_the_sorted() {
        let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 7) as f32 * 1e-6 - 9.0;
        let rising = |i: usize| i as f32;
        for (count, value) in [
            (PART + 1, noise as fn(usize) -> f32),
            (3 * PART + 77, noise),
            (9 * PART, rising),
            (70, noise),
        ] {
            let mut values: Vec<f32> = (0..count).map(value).collect();
            values.iter_mut().skip(5).step_by(3).take(900).for_each(|value| *value = -0.0);
            values.iter_mut().skip(6).step_by(3).take(900).for_each(|value| *value = 0.0);
            let (volume, region) = scattered(values);
            let mut sorted: Vec<f32> = region.values(&volume).collect();
            sorted.sort_unstable_by(f32::total_cmp);
            let parts = Parts::of(&volume, &region);
            assert_eq!(parts.count(), sorted.len());
            for share in [0.0, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0] {
                let rank = share * (sorted.len() - 1) as f64;
                let [low, high] =
                    [rank.floor(), rank.ceil()].map(|r| f64::from(sorted[r as usize]));
                let expected = low + rank.fract() * (high - low);
                let found = parts.quantile(share);
                assert!((found - expected).abs() < 1e-12, "{count} {share}: {found} {expected}");
            }
        }
    }

    #[test]
    fn values_that_are_no_numbers_rank_highest_and_a_misleading_sample_does_no_harm() {
        let mut values: Vec<f32> = (0..3 * PART).map(|i| (i % 1000) as f32).collect();
        values.iter_mut().skip(1).step_by(2).for_each(|value| *value = f32::NAN);
        let (volume, region) = scattered(values);
        let parts = Parts::of(&volume, &region);
        assert!(parts.quantile(1.0).is_nan() && parts.quantile(0.1) < 1000.0);
        // A narrow bracket far off the median.
        let near = parts.map(|values| near(values, [3.0, 4.0]));
        let [found, expected] = [parts.quantile_of(near, 0.25), parts.quantile(0.25)];
        assert_eq!(found.to_bits(), expected.to_bits());
    }
}
