//! Counter-based random numbers: the value belongs to a seed and an index, never to an order of calls.
//!
//! So noise is the same for any number of threads. Source of the mixing function: Steele, Lea, Flood, "Fast splittable
//! pseudorandom number generators", OOPSLA 2014 (`SplitMix64`).

/// 64 well-mixed bits for a seed and an index.
pub(crate) fn bits(seed: u64, index: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xD605_1B25_4A0F_3E53)
        .wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in 0..1.
pub(crate) fn uniform(seed: u64, index: u64) -> f64 {
    (bits(seed, index) >> 11) as f64 / (1u64 << 53) as f64
}

/// A number in `low..high`.
pub(crate) fn between(seed: u64, index: u64, low: f64, high: f64) -> f64 {
    low + (high - low) * uniform(seed, index)
}

/// A nearly normal deviate (mean 0, variance 1): the sum of four uniform numbers, which needs no logarithm and so is
/// the same on every platform.
pub(crate) fn normal(seed: u64, index: u64) -> f64 {
    let word = bits(seed, index);
    let sum: u64 = (0..4).map(|n| word >> (16 * n) & 0xFFFF).sum();
    // Four numbers on 0..=65535 have mean 131070 and variance (65536² - 1) / 3.
    (sum as f64 - 131_070.0) / 37_837.227
}

/// A seed of its own for each name.
pub(crate) fn seed_of(name: &str) -> u64 {
    name.bytes().fold(0x243F_6A88_85A3_08D3, |seed, byte| bits(seed, u64::from(byte)))
}

/// Smooth noise in -1..1 over space, with features of about one unit.
pub(crate) fn smooth(seed: u64, place: [f64; 3]) -> f64 {
    let base = place.map(f64::floor);
    let fade = |axis: usize| {
        let t = place[axis] - base[axis];
        t * t * (3.0 - 2.0 * t)
    };
    let [fx, fy, fz] = [fade(0), fade(1), fade(2)];
    let corner = |n: usize| {
        let step = |bit: usize| (base[bit] as i64 + (n >> bit & 1) as i64) as u64 & 0x1F_FFFF;
        2.0 * uniform(seed, step(0) | step(1) << 21 | step(2) << 42) - 1.0
    };
    let mix = |a: f64, b: f64, t: f64| a + (b - a) * t;
    let edge = |n: usize| mix(corner(n), corner(n + 1), fx);
    mix(mix(edge(0), edge(2), fy), mix(edge(4), edge(6), fy), fz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_deviates_have_mean_zero_and_variance_one() {
        let n = 100_000;
        let values: Vec<f64> = (0..n).map(|i| normal(7, i)).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / n as f64;
        // Four standard errors: 4 / sqrt(n) for the mean, 4 * sqrt(1.7 / n) for the variance.
        assert!(mean.abs() < 0.013 && (variance - 1.0).abs() < 0.017, "{mean} {variance}");
    }

    #[test]
    fn smooth_noise_is_continuous_and_depends_on_the_seed() {
        let at = |x: f64| smooth(3, [x, -2.5, 7.25]);
        for x in [-3.0, 0.0, 5.0] {
            assert!((at(x - 1e-7) - at(x + 1e-7)).abs() < 1e-5);
        }
        assert!((smooth(4, [0.3; 3]) - smooth(5, [0.3; 3])).abs() > 1e-6);
    }
}
