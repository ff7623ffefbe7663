//! One level of the search: points of the baseline's body compared with the follow-up's image, and six parameters
//! (nine where the body is stretched, and a gain and an offset of uptake for PET) improved by damped least squares.
//!
//! The residual of a point x is `e = M(R S x + t) - (gain F(x) + offset)`, S a stretch along the axes of the baseline's
//! frame, 1 for a rigid map; equal weights at the coarsest level, Cauchy
//! weights `1 / (1 + (e / 2.385 sigma)^2)` below it, with sigma from the median absolute residual. Points that fall
//! outside the follow-up's field of view are left out.
//!
//! Fast because 60 000 points say as much about six numbers as all voxels do, and because the gradient comes out of the
//! same eight voxels as the value.

use glam::{DAffine3, DMat3, DQuat, DVec3};
use rayon::prelude::*;

use super::body::{Body, Modality};
use crate::resample::{reduce, trilinear, trilinear_with_slope};
use crate::volume::Volume;

/// Points summed by one task; the sums are then added in order, so the threads do not change the result.
const CHUNK: usize = 2048;

const MAX_ITERATIONS: usize = 30;

/// A step smaller than this anywhere in the body ends the level.
const STILL_MM: f64 = 0.01;

/// Least share of a level's points that must fall into the other field of view.
const LEAST_SHARE: f64 = 0.1;

/// Tuning constant of Cauchy weights for 95 % efficiency on Gaussian residuals (Holland and Welsch 1977).
const CAUCHY: f64 = 2.385;

/// Smallest residual scale: a hundredth of the image's range, so that noise-free images do not make every edge an outlier.
const LEAST_SIGMA: f64 = 0.01;

/// Parameters: shift, turn, gain, offset.
const RIGID: usize = 8;
/// Parameters: shift, turn, stretch, gain, offset.
const STRETCHED: usize = 11;

/// A map from the baseline's frame to the follow-up's: `turn * (stretch * x) + shift`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pose {
    turn: DQuat,
    shift: DVec3,
    /// Along the axes of the baseline's frame; 1 for a rigid map.
    stretch: DVec3,
}

impl Pose {
    pub(super) fn rigid(turn: DQuat, shift: DVec3) -> Self {
        Self { turn, shift, stretch: DVec3::ONE }
    }

    pub(super) fn stretch(&self) -> DVec3 {
        self.stretch
    }

    pub(super) fn map(&self) -> DAffine3 {
        let matrix = DMat3::from_quat(self.turn) * DMat3::from_diagonal(self.stretch);
        DAffine3::from_mat3_translation(matrix, self.shift)
    }

    /// Moved by a small turn about `pivot` and a shift, both in the follow-up's frame; stretched before, about `centre` in
    /// the baseline's, by the logarithms given.
    fn stepped<const N: usize>(&self, pivot: DVec3, centre: DVec3, step: &[f64; N]) -> Self {
        let turn = DQuat::from_scaled_axis(DVec3::new(step[3], step[4], step[5]));
        let shift = DVec3::new(step[0], step[1], step[2]);
        let mut before = *self;
        if N == STRETCHED {
            before.stretch *= DVec3::new(step[6], step[7], step[8]).exp();
            before.shift += self.turn * ((self.stretch - before.stretch) * centre);
        }
        Self {
            turn: (turn * before.turn).normalize(),
            shift: pivot + turn * (before.shift - pivot) + shift,
            stretch: before.stretch,
        }
    }
}

/// Whether what changed between the scans is weighted down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weights {
    Equal,
    Robust,
}

/// Both scans at one resolution.
pub(super) struct Level {
    points: Vec<(DVec3, f32)>,
    moving: Volume<f32>,
    gradient_from_slope: DMat3,
    /// Middle of the follow-up's body, about which it is turned.
    pivot: DVec3,
    /// Middle of the baseline's body, about which it is stretched.
    centre: DVec3,
    /// Half the length of the body, to turn an angle into millimetres.
    reach_mm: f64,
    free_gain: bool,
}

/// Sums over the points for one pose.
struct Sums<const N: usize> {
    hessian: [[f64; N]; N],
    gradient: [f64; N],
    cost: f64,
    points: usize,
}

/// A pose with the gain and offset of the baseline's values.
#[derive(Clone, Copy)]
struct State {
    pose: Pose,
    gain: f64,
    offset: f64,
}

impl Level {
    /// Takes about `most` points from the baseline's body and a rim of air around it.
    pub(super) fn new(fixed: &Body, moving: &Body, spacing_mm: f64, most: usize) -> Self {
        let points = || {
            let image = reduce(&fixed.image, spacing_mm);
            let body = reduce(&fixed.mask.map(|&b| f32::from(u8::from(b))), spacing_mm);
            let places = rimmed(&body);
            // A step of odd length through memory visits all rows and columns alike.
            let stride = places.len().div_ceil(most.max(1)).max(1) | 1;
            let point = |i| (image.geometry().centre_of(image.voxel_of(i)), image.values()[i]);
            let points: Vec<(DVec3, f32)> = places.into_iter().step_by(stride).map(point).collect();
            (points, fixed.centroid())
        };
        let ((points, centre), (moving_image, pivot)) =
            rayon::join(points, || (reduce(&moving.image, spacing_mm), moving.centroid()));
        let reach_mm = points.iter().map(|(p, _)| p.distance(centre)).fold(1.0, f64::max);
        Self {
            points,
            gradient_from_slope: moving_image.geometry().index_from_patient().matrix3.transpose(),
            moving: moving_image,
            pivot,
            centre,
            reach_mm,
            free_gain: fixed.modality == Modality::Pet,
        }
    }

    /// Keeps the poses with the highest correlation, the best first.
    pub(super) fn keep_best(&self, poses: &mut Vec<Pose>, n: usize) {
        let mut scored: Vec<(f64, Pose)> =
            poses.par_iter().filter_map(|pose| Some((self.correlation(pose)?, *pose))).collect();
        // The sort is stable, so equals stay in the order of the starts.
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        *poses = scored.into_iter().take(n).map(|(_, pose)| pose).collect();
    }

    /// Normalised correlation over the points both fields of view show; `None` if they are too few or uniform.
    fn correlation(&self, pose: &Pose) -> Option<f64> {
        let index_from_fixed = self.moving.geometry().index_from_patient() * pose.map();
        let pairs = self.points.iter().filter_map(|&(place, value)| {
            Some((value, trilinear(&self.moving, index_from_fixed.transform_point3(place))?))
        });
        let (r, n) = correlation_of(pairs)?;
        (n as f64 >= LEAST_SHARE * self.points.len() as f64).then_some(r)
    }

    /// Improves every pose; the number of steps taken in all.
    pub(super) fn refine_all(&self, poses: &mut [Pose], weights: Weights) -> usize {
        poses.par_iter_mut().map(|pose| self.refine(pose, weights)).sum()
    }

    fn refine(&self, pose: &mut Pose, weights: Weights) -> usize {
        let mut state = State { pose: *pose, gain: 1.0, offset: 0.0 };
        let mut steps = self.descend::<RIGID>(&mut state, None);
        if weights == Weights::Robust {
            // The scale of the residuals shrinks as the scans come together.
            for _ in 0..2 {
                let sigma = self.residual_scale(&state);
                steps += self.descend::<RIGID>(&mut state, Some(sigma));
            }
        }
        *pose = state.pose;
        steps
    }

    /// The pose improved with a stretch of its own along each axis, what changed weighted down; and the steps taken.
    pub(super) fn stretched(&self, pose: Pose) -> (Pose, usize) {
        let mut state = State { pose, gain: 1.0, offset: 0.0 };
        let mut steps = 0;
        for _ in 0..2 {
            let sigma = self.residual_scale(&state);
            steps += self.descend::<STRETCHED>(&mut state, Some(sigma));
        }
        (state.pose, steps)
    }

    /// Levenberg-Marquardt with a fixed residual scale.
    fn descend<const N: usize>(&self, state: &mut State, sigma: Option<f64>) -> usize {
        let mut sums = self.sums::<N>(state, sigma);
        let least = sums.points / 2;
        let mut damping = 1e-3;
        for iteration in 0..MAX_ITERATIONS {
            if sums.points == 0 {
                return iteration;
            }
            let Some(step) = solve(&sums, damping, self.free_gain) else { return iteration };
            let next = State {
                pose: state.pose.stepped(self.pivot, self.centre, &step),
                gain: state.gain + step[N - 2],
                offset: state.offset + step[N - 1],
            };
            let next_sums = self.sums(&next, sigma);
            // Leaving the other field of view must not pay.
            let better = next_sums.points > least
                && next_sums.cost / (next_sums.points as f64) < sums.cost / sums.points as f64;
            if better {
                (*state, sums) = (next, next_sums);
                damping = (damping / 10.0).max(1e-6);
            } else {
                damping *= 10.0;
            }
            let shift = DVec3::new(step[0], step[1], step[2]).length();
            let mut turn = DVec3::new(step[3], step[4], step[5]).length();
            if N == STRETCHED {
                turn += DVec3::new(step[6], step[7], step[8]).length();
            }
            if shift + turn * self.reach_mm < STILL_MM || damping > 1e4 {
                return iteration + 1;
            }
        }
        MAX_ITERATIONS
    }

    fn sums<const N: usize>(&self, state: &State, sigma: Option<f64>) -> Sums<N> {
        let map = state.pose.map();
        let index_from_patient = self.moving.geometry().index_from_patient();
        // 0 gives every point the weight 1.
        let inverse_scale = sigma.map_or(0.0, |s| 1.0 / (CAUCHY * s).powi(2));
        // How the baseline's axes lie in the follow-up, stretched.
        let axes = map.matrix3;
        let chunks: Vec<Sums<N>> = self
            .points
            .par_chunks(CHUNK)
            .map(|points| {
                let mut sums = Sums::default();
                for &(place, value) in points {
                    let there = map.transform_point3(place);
                    let index = index_from_patient.transform_point3(there);
                    let Some((m, slope)) = trilinear_with_slope(&self.moving, index) else {
                        continue;
                    };
                    let gradient =
                        self.gradient_from_slope * DVec3::from_array(slope.map(f64::from));
                    let moment = (there - self.pivot).cross(gradient);
                    let f = f64::from(value);
                    let e = f64::from(m) - (state.gain * f + state.offset);
                    let mut row = [0.0; N];
                    row[..3].copy_from_slice(&gradient.to_array());
                    row[3..6].copy_from_slice(&moment.to_array());
                    if N == STRETCHED {
                        let along = (axes.transpose() * gradient) * (place - self.centre);
                        row[6..9].copy_from_slice(&along.to_array());
                    }
                    (row[N - 2], row[N - 1]) = (-f, -1.0);
                    sums.add(&row, e, inverse_scale);
                }
                sums
            })
            .collect();
        chunks.into_iter().fold(Sums::default(), |sum, chunk| sum.plus(&chunk))
    }

    /// Standard deviation of the residuals, from their median size (1.4826 is the normal distribution's ratio).
    fn residual_scale(&self, state: &State) -> f64 {
        let index_from_fixed = self.moving.geometry().index_from_patient() * state.pose.map();
        let mut sizes: Vec<f64> = self
            .points
            .iter()
            .filter_map(|&(place, value)| {
                let m = trilinear(&self.moving, index_from_fixed.transform_point3(place))?;
                Some((f64::from(m) - (state.gain * f64::from(value) + state.offset)).abs())
            })
            .collect();
        if sizes.is_empty() {
            return LEAST_SIGMA;
        }
        let middle = sizes.len() / 2;
        let (_, median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
        (1.4826 * *median).max(LEAST_SIGMA)
    }
}

/// Voxels that are body or lie within one voxel of it along an axis.
fn rimmed(body: &Volume<f32>) -> Vec<usize> {
    let [slices, rows, columns] = body.geometry().shape();
    let area = rows * columns;
    let values = body.values();
    let is_body = |i: usize| values[i] >= 0.5;
    let mut places = Vec::new();
    for (s, r) in (0..slices).flat_map(|s| (0..rows).map(move |r| (s, r))) {
        let start = s * area + r * columns;
        places.extend((start..start + columns).filter(|&i| {
            is_body(i)
                || (i > start && is_body(i - 1))
                || (i + 1 < start + columns && is_body(i + 1))
                || (r > 0 && is_body(i - columns))
                || (r + 1 < rows && is_body(i + columns))
                || (s > 0 && is_body(i - area))
                || (s + 1 < slices && is_body(i + area))
        }));
    }
    places
}

/// Pearson's correlation of pairs and their number; `None` for fewer than three pairs or a constant side.
pub(super) fn correlation_of(pairs: impl Iterator<Item = (f32, f32)>) -> Option<(f64, usize)> {
    let [mut n, mut a, mut b, mut aa, mut bb, mut ab] = [0.0_f64; 6];
    for (x, y) in pairs.map(|(x, y)| (f64::from(x), f64::from(y))) {
        n += 1.0;
        a += x;
        b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let (va, vb) = (aa - a * a / n, bb - b * b / n);
    (n > 2.0 && va > 1e-9 * n && vb > 1e-9 * n)
        .then(|| ((ab - a * b / n) / (va * vb).sqrt(), n as usize))
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self { hessian: [[0.0; N]; N], gradient: [0.0; N], cost: 0.0, points: 0 }
    }
}

impl<const N: usize> Sums<N> {
    #[inline]
    fn add(&mut self, row: &[f64; N], e: f64, inverse_scale: f64) {
        let scaled = e * e * inverse_scale;
        let weight = 1.0 / (1.0 + scaled);
        self.cost +=
            if inverse_scale == 0.0 { 0.5 * e * e } else { 0.5 * scaled.ln_1p() / inverse_scale };
        self.points += 1;
        for i in 0..N {
            let weighted = weight * row[i];
            self.gradient[i] += weighted * e;
            for (sum, &other) in self.hessian[i].iter_mut().zip(&row[..=i]) {
                *sum += weighted * other;
            }
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        for i in 0..N {
            self.gradient[i] += other.gradient[i];
            for (sum, &more) in self.hessian[i].iter_mut().zip(&other.hessian[i][..=i]) {
                *sum += more;
            }
        }
        self.cost += other.cost;
        self.points += other.points;
        self
    }
}

/// The damped step by Cholesky decomposition of the lower triangle; `None` if the points do not determine it.
fn solve<const N: usize>(sums: &Sums<N>, damping: f64, free_gain: bool) -> Option<[f64; N]> {
    let n = if free_gain { N } else { N - 2 };
    let mut l = sums.hessian;
    let mut x = [0.0; N];
    for i in 0..n {
        l[i][i] *= 1.0 + damping;
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let rest = l[i][j] - dot;
            l[i][j] = if i == j {
                if rest <= 1e-12 * sums.hessian[i][i] || !rest.is_finite() {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / l[j][j]
            };
        }
        let dot: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (-sums.gradient[i] - dot) / l[i][i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - dot) / l[i][i];
    }
    Some(x)
}
