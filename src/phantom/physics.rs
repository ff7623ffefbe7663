//! What a scanner does to an activity distribution: it blurs it and counts a limited number of decays.
//!
//! Point spread: Gaussian. Noise: normal, with the variance of a count (proportional to activity) times the attenuation
//! along the lines through the voxel, slightly correlated between neighbours as in an iterative reconstruction; an image
//! is never negative. The noise belongs to voxel and seed, so it is the same for any number of threads.

use rayon::prelude::*;

use super::random;

/// Linear attenuation of water at 511 keV, per millimetre.
const WATER_PER_MM: f64 = 0.0096;

/// Full width at half maximum of a Gaussian in standard deviations.
const FWHM_OF_SIGMA: f64 = 2.354_820_045;

/// Convolves with a Gaussian of the given full width at half maximum (voxel spacing along slice, row, column).
pub(crate) fn blur(image: &mut Vec<f32>, shape: [usize; 3], spacing_mm: [f64; 3], fwhm_mm: f64) {
    let sigma_mm = fwhm_mm / FWHM_OF_SIGMA;
    for (axis, spacing) in spacing_mm.into_iter().enumerate() {
        convolve(image, shape, axis, &gaussian(sigma_mm / spacing));
    }
}

/// Weights at 0, 1, 2, … voxels from the middle, of sum one over both sides.
fn gaussian(sigma: f64) -> Vec<f32> {
    let reach = (4.0 * sigma).ceil() as usize;
    let half: Vec<f64> =
        (0..=reach).map(|n| libm::exp(-0.5 * (n as f64 / sigma) * (n as f64 / sigma))).collect();
    let sum = 2.0 * half.iter().sum::<f64>() - half[0];
    half.iter().map(|w| (w / sum) as f32).collect()
}

/// A symmetric kernel along one axis; voxels beyond the edge repeat the edge.
fn convolve(image: &mut Vec<f32>, shape: [usize; 3], axis: usize, half: &[f32]) {
    let [_, rows, columns] = shape;
    let stride = [rows * columns, columns, 1][axis];
    let last = shape[axis] as isize - 1;
    let source = std::mem::take(image);
    let mut result = vec![0.0f32; source.len()];
    result.par_chunks_mut(rows * columns).enumerate().for_each(|(slice, pixels)| {
        for (n, pixel) in pixels.iter_mut().enumerate() {
            let at = slice * rows * columns + n;
            let place = [slice, n / columns, n % columns][axis] as isize;
            let value = |there: isize| {
                source[at + stride * there.clamp(0, last) as usize - stride * place as usize]
            };
            let mut sum = half[0] * source[at];
            for (distance, &weight) in half.iter().enumerate().skip(1) {
                let d = distance as isize;
                sum += weight * (value(place - d) + value(place + d));
            }
            *pixel = sum;
        }
    });
    *image = result;
}

/// Correlated normal noise of mean 0 and variance 1.
pub(crate) fn unit_noise(shape: [usize; 3], seed: u64) -> Vec<f32> {
    let [_, rows, columns] = shape;
    let mut noise = vec![0.0f32; shape.iter().product()];
    noise.par_chunks_mut(rows * columns).enumerate().for_each(|(slice, pixels)| {
        for (n, pixel) in pixels.iter_mut().enumerate() {
            *pixel = random::normal(seed, (slice * rows * columns + n) as u64) as f32;
        }
    });
    // Binomial weights 1 2 1: each axis keeps 6/16 of the variance.
    for axis in 0..3 {
        convolve(&mut noise, shape, axis, &[0.5, 0.25]);
    }
    let scale = (16.0f32 / 6.0) * (16.0f32 / 6.0).sqrt();
    for value in &mut noise {
        *value *= scale;
    }
    noise
}

/// Normal noise of mean 0 and variance 1 whose grains have this full width at half maximum.
pub(crate) fn grainy_noise(
    shape: [usize; 3],
    spacing_mm: [f64; 3],
    grain_mm: f64,
    seed: u64,
) -> Vec<f32> {
    let [_, rows, columns] = shape;
    let mut noise = vec![0.0f32; shape.iter().product()];
    noise.par_chunks_mut(rows * columns).enumerate().for_each(|(slice, pixels)| {
        for (n, pixel) in pixels.iter_mut().enumerate() {
            *pixel = random::normal(seed, (slice * rows * columns + n) as u64) as f32;
        }
    });
    blur(&mut noise, shape, spacing_mm, grain_mm);
    // What a blur leaves of the variance is the sum of its squared weights along each axis.
    let left = |spacing: f64| {
        let half = gaussian(grain_mm / FWHM_OF_SIGMA / spacing);
        2.0 * half.iter().map(|w| w * w).sum::<f32>() - half[0] * half[0]
    };
    let scale = 1.0 / spacing_mm.into_iter().map(left).product::<f32>().sqrt();
    noise.par_iter_mut().for_each(|value| *value *= scale);
    noise
}

/// Attenuation of each voxel's lines: the geometric mean of the losses along row and column, relative to a line of
/// 300 mm of water.
pub(crate) fn attenuation(body: &[f32], shape: [usize; 3], spacing_mm: [f64; 3]) -> Vec<f32> {
    let [_, rows, columns] = shape;
    let mut factor = vec![0.0f32; body.len()];
    factor.par_chunks_mut(rows * columns).zip(body.par_chunks(rows * columns)).for_each(
        |(factor, body)| {
            let across: Vec<f32> = body.chunks(columns).map(|row| row.iter().sum()).collect();
            let along: Vec<f32> =
                (0..columns).map(|c| (0..rows).map(|r| body[r * columns + c]).sum()).collect();
            for (n, value) in factor.iter_mut().enumerate() {
                let path = 0.5
                    * (f64::from(across[n / columns]) * spacing_mm[2]
                        + f64::from(along[n % columns]) * spacing_mm[1]);
                *value = libm::exp(WATER_PER_MM * (path - 300.0)) as f32;
            }
        },
    );
    factor
}

/// The value a scanner with these counts shows: `noise_at_one` is the standard deviation at SUV 1 behind 300 mm of
/// water.
pub(crate) fn counted(activity: f64, attenuation: f32, noise: f32, noise_at_one: f64) -> f64 {
    let deviation = noise_at_one * (activity * f64::from(attenuation)).max(0.0).sqrt();
    (activity + deviation * f64::from(noise)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_sum_and_widens_by_its_fwhm() {
        let shape = [21, 21, 21];
        let mut image = vec![0.0f32; 9261];
        image[(10 * 21 + 10) * 21 + 10] = 1.0;
        blur(&mut image, shape, [2.0; 3], 6.0);
        let sum: f64 = image.iter().map(|&v| f64::from(v)).sum();
        assert!((sum - 1.0).abs() < 1e-4);
        let second: f64 = image
            .iter()
            .enumerate()
            .map(|(n, &v)| f64::from(v) * 4.0 * ((n % 21) as f64 - 10.0) * ((n % 21) as f64 - 10.0))
            .sum();
        // Variance of a Gaussian of 6 mm FWHM; the tail beyond four sigma is cut.
        assert!((second / (6.0f64 / 2.354_82).powi(2) - 1.0).abs() < 0.01, "{second}");
    }

    #[test]
    fn noise_has_unit_variance_and_neighbours_are_alike() {
        let shape = [30, 40, 40];
        let noise = unit_noise(shape, 5);
        // Away from the edge, which repeats itself.
        let inside = |n: &usize| {
            let at = [n / 1600, n / 40 % 40, n % 40];
            at.iter().zip(shape).all(|(&i, size)| i > 0 && i + 2 < size)
        };
        let places: Vec<usize> = (0..noise.len()).filter(inside).collect();
        let mean = |f: &dyn Fn(usize) -> f64| {
            places.iter().map(|&n| f(n)).sum::<f64>() / places.len() as f64
        };
        let variance = mean(&|n| f64::from(noise[n]).powi(2));
        let neighbours = mean(&|n| f64::from(noise[n]) * f64::from(noise[n + 1]));
        assert!((variance - 1.0).abs() < 0.06, "{variance}");
        // Weights 1 2 1 give neighbours a correlation of 4/6.
        assert!((neighbours - 4.0 / 6.0).abs() < 0.06, "{neighbours}");
    }

    #[test]
    fn counts_spread_more_where_there_is_more_of_them_and_more_tissue() {
        let spread = |activity, attenuation| counted(activity, attenuation, 1.0, 0.1) - activity;
        assert!((spread(4.0, 1.0) - 0.2).abs() < 1e-6);
        assert!(spread(4.0, 2.0) > spread(4.0, 1.0));
        assert!(counted(0.1, 1.0, -50.0, 0.1).abs() < f64::EPSILON);
    }
}
