//! Numbers of a whole volume.
//!
//! The loops are compiled for each width of registers that a machine may have, and the widest is taken: the same lanes in
//! the same order, so the same numbers.

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use crate::volume::Volume;

/// Independent maxima or sums a slice is read with: a single chain of floating-point comparisons or additions cannot
/// be vector code, several can.
const LANES: usize = 16;

/// Maxima, which have no order to keep: enough for the widest registers to be busy.
const MAXIMA: usize = 32;

/// Numbers of a whole volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean over all voxels.
    pub mean: f64,
}

/// The largest value of a volume and its voxel, the first in memory order of equals (SUVmax of the scan).
///
/// NaN is passed over; where every value is NaN, the first voxel and its NaN are returned.
pub fn maximum(volume: &Volume<f32>) -> (f32, [usize; 3]) {
    let values = volume.values();
    let slice = slice_len(volume);
    let maxima: Vec<f32> = values.par_chunks(slice).map(largest).collect();
    let max = maxima.iter().copied().fold(f32::NEG_INFINITY, larger);
    let place = maxima.iter().position(|&m| m >= max).and_then(|chunk| {
        let start = chunk * slice;
        values[start..start + slice].iter().position(|&v| v >= max).map(|at| start + at)
    });
    let place = place.unwrap_or(0);
    (values[place], volume.voxel_of(place))
}

/// Smallest and largest value and mean of a volume. The mean is NaN if any value is; minimum and maximum pass over NaN
/// and are infinite if every value is NaN.
pub fn summary(volume: &Volume<f32>) -> Summary {
    let slice = slice_len(volume);
    let slices: Vec<(f32, f32, f64)> = volume
        .values()
        .par_chunks(slice)
        .map(|v| (smallest(v), largest(v), sum_in_lanes(v, f64::from)))
        .collect();
    // In the order of the slices, whichever thread read them.
    let min = slices.iter().fold(f32::INFINITY, |m, s| smaller(m, s.0));
    let max = slices.iter().fold(f32::NEG_INFINITY, |m, s| larger(m, s.1));
    let total: f64 = slices.iter().map(|s| s.2).sum();
    Summary { min: f64::from(min), max: f64::from(max), mean: total / volume.values().len() as f64 }
}

/// The smallest of some values, NaN passed over; infinity of none.
fn smallest(values: &[f32]) -> f32 {
    fold_lanes(values, f32::INFINITY, smaller)
}

/// The largest of some values, NaN passed over; negative infinity of none.
pub(super) fn largest(values: &[f32]) -> f32 {
    fold_lanes(values, f32::NEG_INFINITY, larger)
}

fn slice_len(volume: &Volume<f32>) -> usize {
    let [_, rows, columns] = volume.geometry().shape();
    rows * columns
}

fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

fn smaller(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

fn fold_lanes(values: &[f32], from: f32, pick: impl Fn(f32, f32) -> f32) -> f32 {
    let Some(last) = values.last_chunk::<MAXIMA>() else {
        return values.iter().fold(from, |m, &v| pick(m, v));
    };
    dispatch!(Level::new(), _ => {
        let mut lanes = [from; MAXIMA];
        // The last block may overlap the one before: what was seen twice is no larger.
        for block in values.as_chunks::<MAXIMA>().0.iter().chain([last]) {
            for (lane, &value) in lanes.iter_mut().zip(block) {
                *lane = pick(*lane, value);
            }
        }
        for half in [MAXIMA / 2, MAXIMA / 4, MAXIMA / 8, MAXIMA / 16, MAXIMA / 32] {
            for lane in 0..half {
                lanes[lane] = pick(lanes[lane], lanes[lane + half]);
            }
        }
        lanes[0]
    })
}

/// The sum of a function of the values in `f64`, in an order that depends on their number alone.
pub(super) fn sum_in_lanes(values: &[f32], term: impl Fn(f32) -> f64) -> f64 {
    dispatch!(Level::new(), _ => {
        let mut lanes = [0.0; LANES];
        let (blocks, rest) = values.as_chunks::<LANES>();
        for block in blocks {
            for (lane, &value) in lanes.iter_mut().zip(block) {
                *lane += term(value);
            }
        }
        lanes.iter().sum::<f64>() + rest.iter().map(|&v| term(v)).sum::<f64>()
    })
}

/// Numbers of some values.
pub(super) struct Moments {
    pub(super) sum: f64,
    /// Sum of the squared distances from the pivot.
    pub(super) squares: f64,
    /// As [`smallest`].
    pub(super) min: f32,
    /// As [`largest`].
    pub(super) max: f32,
}

/// Sums as [`sum_in_lanes`] takes them, and both ends. Fast because each value is read and widened once for all of them.
pub(super) fn moments(values: &[f32], pivot: f64) -> Moments {
    dispatch!(Level::new(), _ => {
        let (mut sums, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        let (mut least, mut most) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (blocks, rest) = values.as_chunks::<LANES>();
        for block in blocks {
            for (lane, &value) in block.iter().enumerate() {
                let wide = f64::from(value);
                sums[lane] += wide;
                squares[lane] += (wide - pivot) * (wide - pivot);
                least[lane] = smaller(least[lane], value);
                most[lane] = larger(most[lane], value);
            }
        }
        let square = |&value: &f32| (f64::from(value) - pivot).powi(2);
        let rest_of = |lanes: [f32; LANES], pick: fn(f32, f32) -> f32| {
            lanes.iter().chain(rest).copied().fold(lanes[0], pick)
        };
        Moments {
            sum: sums.iter().sum::<f64>() + rest.iter().map(|&v| f64::from(v)).sum::<f64>(),
            squares: squares.iter().sum::<f64>() + rest.iter().map(square).sum::<f64>(),
            min: rest_of(least, smaller),
            max: rest_of(most, larger),
        }
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::geometry::VolumeGeometry;

    fn volume(shape: [usize; 3], values: impl Fn(usize) -> f32) -> Volume<f32> {
        let g = VolumeGeometry::new(shape, DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]).unwrap();
        let values = (0..g.len()).map(values).collect();
        Volume::from_vec(g, values)
    }

    #[test]
    fn the_first_of_equal_maxima() {
        let v =
            volume([5, 7, 13], |i| if i == 200 || i == 300 { 9.0 } else { -1.0 - (i % 7) as f32 });
        assert_eq!(maximum(&v), (9.0, v.voxel_of(200)));
        assert_eq!(maximum(&volume([2, 3, 4], |i| -(i as f32) - 1.0)), (-1.0, [0, 0, 0]));
    }

    #[test]
    fn not_a_number_is_passed_over() {
        let v = volume([3, 5, 9], |i| if i == 70 { 2.0 } else { f32::NAN });
        assert_eq!(maximum(&v), (2.0, v.voxel_of(70)));
        let s = summary(&v);
        assert_eq!((s.min, s.max), (2.0, 2.0));
        assert!(s.mean.is_nan());
        let (max, place) = maximum(&volume([1, 2, 2], |_| f32::NAN));
        assert!(max.is_nan() && place == [0; 3]);
    }

    #[test]
    fn whole_volume_for_any_number_of_threads() {
        let v = volume([17, 9, 21], |i| (i as u32).wrapping_mul(2_654_435_761) as f32 * 1e-9);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| (summary(&v), maximum(&v)))
        };
        let (one, max) = run(1);
        assert_eq!((one, max), run(2));
        let mean = v.values().iter().map(|&x| f64::from(x)).sum::<f64>() / v.values().len() as f64;
        assert!((one.mean - mean).abs() < 1e-12);
        assert_eq!(one.max, f64::from(v.values().iter().copied().fold(0.0, f32::max)));
        assert_eq!(one.max, f64::from(max.0));
    }
}
