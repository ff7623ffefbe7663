//! Landmarks of one body found again in the other, each by itself: how far the map leaves them off.
//!
//! Pieces of the baseline that the image pins down in all directions are compared with the follow-up at every shift of
//! some voxels around the place to which the map carries them, by normalised correlation. The best shift, between voxels
//! by parabolas, is the residual. The global search does not see these shifts, so they are a measure of its own.
//!
//! On CT only bone is looked at: the diaphragm stands elsewhere at every breath, and bowel and fat move too.
//!
//! Sources: Harris and Stephens 1988 (what pins a piece down: the structure tensor); Ourselin 2001, Image Vis Comput 19:25
//! (block matching between scans of one person); Lewis 1995 (normalised correlation).

use std::borrow::Cow;

use glam::{DAffine3, DMat3, DVec3};
use rayon::prelude::*;

use super::LandmarkResidual;
use super::body::{Body, Modality};
use crate::geometry::VolumeGeometry;
use crate::resample::trilinear;
use crate::volume::Volume;

/// Half the width of a landmark: a vertebra with its processes.
const HALF_MM: f64 = 20.0;
/// How far it is looked for: less than half the distance of two vertebrae, or a neighbour would be taken.
const SEARCH_MM: f64 = 12.0;
/// Most landmarks, those best pinned down first.
const MOST: usize = 64;
/// Fewer say nothing of a whole body.
const LEAST: usize = 6;
/// Share of the weakest direction in the structure of a landmark, 1 for one that is alike in all: below it a landmark
/// could slide, as a rib along itself.
const PINNED: f64 = 0.15;
/// Image value below which all is alike on CT: 100 HU, above soft tissue and below spongy bone of 4 mm.
const SOFT: f32 = 1.1;
/// Share of bone in a landmark on CT.
const BONE: f64 = 0.08;
/// Correlation from which a landmark is found again: half of its variance is explained.
const FOUND: f64 = 0.7;

/// What became of a landmark that was looked for.
enum Outcome {
    /// The other field of view does not show it whole.
    Unseen,
    Lost,
    Found(f64),
}

/// The residual of a map; `None` where fewer than [`LEAST`] landmarks are found.
pub(super) fn residual(fixed: &Body, moving: &Body, map: DAffine3) -> Option<LandmarkResidual> {
    let blocks = Blocks::of(fixed.image.geometry());
    let (here, there) = (looked_at(fixed), looked_at(moving));
    let places = blocks.landmarks(fixed, &here);
    let outcomes: Vec<Outcome> =
        places.par_iter().map(|&centre| blocks.seek(&here, &there, map, centre)).collect();
    let sought = outcomes.iter().filter(|o| !matches!(o, Outcome::Unseen)).count();
    let off = |outcome: &Outcome| match outcome {
        Outcome::Found(mm) => Some(*mm),
        Outcome::Unseen | Outcome::Lost => None,
    };
    let mut found: Vec<f64> = outcomes.iter().filter_map(off).collect();
    found.sort_by(f64::total_cmp);
    (found.len() >= LEAST).then(|| LandmarkResidual {
        mean: found.iter().sum::<f64>() / found.len() as f64,
        median: found[found.len() / 2],
        worst: found[found.len() - 1],
        count: found.len(),
        sought,
    })
}

/// The image in which landmarks are looked for.
fn looked_at(body: &Body) -> Cow<'_, Volume<f32>> {
    match body.modality {
        Modality::Ct => Cow::Owned(body.image.map(|v| v.max(SOFT))),
        Modality::Pet => Cow::Borrowed(&body.image),
    }
}

/// Size of landmarks and search in voxels of a lattice.
struct Blocks {
    half: [usize; 3],
    reach: [usize; 3],
    shape: [usize; 3],
    /// Patient millimetres of a step along each axis.
    steps: [DVec3; 3],
}

impl Blocks {
    fn of(geometry: &VolumeGeometry) -> Self {
        let voxels = |mm: f64| geometry.spacing_mm().map(|s| ((mm / s).round() as usize).max(1));
        Self {
            half: voxels(HALF_MM),
            reach: voxels(SEARCH_MM),
            shape: geometry.shape(),
            steps: geometry.steps_mm(),
        }
    }

    /// Centres of the best landmarks on a grid of pieces that overlap by half, the best first.
    fn landmarks(&self, fixed: &Body, image: &Volume<f32>) -> Vec<[usize; 3]> {
        let centres = |axis: usize| {
            // One voxel is left at the borders for the gradient.
            let margin = self.half[axis] + 1;
            (margin..self.shape[axis].saturating_sub(margin)).step_by(self.half[axis] * 2)
        };
        let grid: Vec<[usize; 3]> = centres(0)
            .flat_map(|s| centres(1).flat_map(move |r| centres(2).map(move |c| [s, r, c])))
            .collect();
        let mut scored: Vec<(f64, [usize; 3])> = grid
            .into_par_iter()
            .filter(|&centre| self.is_body(fixed, centre))
            .filter_map(|centre| Some((self.pinned(image, centre)?, centre)))
            .collect();
        // The sort is stable: equals stay in the order of memory.
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().take(MOST).map(|(_, centre)| centre).collect()
    }

    /// Voxels of a piece.
    fn voxels(&self, centre: [usize; 3]) -> impl Iterator<Item = [usize; 3]> + use<> {
        let half = self.half;
        let range = move |axis: usize| centre[axis] - half[axis]..=centre[axis] + half[axis];
        range(0).flat_map(move |s| range(1).flat_map(move |r| range(2).map(move |c| [s, r, c])))
    }

    /// On CT a piece with bone, on PET one that lies in the body.
    fn is_body(&self, fixed: &Body, centre: [usize; 3]) -> bool {
        let (mask, least) = match (&fixed.skeleton, fixed.modality) {
            (Some(skeleton), Modality::Ct) => (skeleton, BONE),
            _ => (&fixed.mask, 0.5),
        };
        let all = self.half.iter().map(|h| 2 * h + 1).product::<usize>();
        let inside = self.voxels(centre).filter(|&voxel| mask[voxel]).count();
        inside as f64 >= least * all as f64
    }

    /// The weakest direction of the structure tensor (harmonic mean of its eigenvalues); `None` where it could slide.
    fn pinned(&self, image: &Volume<f32>, centre: [usize; 3]) -> Option<f64> {
        let mut tensor = DMat3::ZERO;
        for voxel in self.voxels(centre) {
            let gradient = DVec3::from_array([0, 1, 2].map(|axis| {
                let (mut low, mut high) = (voxel, voxel);
                low[axis] -= 1;
                high[axis] += 1;
                f64::from(image[high] - image[low]) / (2.0 * self.steps[axis].length())
            }));
            tensor += DMat3::from_cols(
                gradient * gradient.x,
                gradient * gradient.y,
                gradient * gradient.z,
            );
        }
        let trace = |m: &DMat3| m.x_axis.x + m.y_axis.y + m.z_axis.z;
        let total = trace(&tensor);
        if tensor.determinant() <= 1e-9 * total.powi(3) {
            return None;
        }
        let weakest = 3.0 / trace(&tensor.inverse());
        (weakest >= PINNED * total / 3.0).then_some(weakest)
    }

    /// Looks for one landmark around the place to which the map carries it.
    fn seek(
        &self,
        fixed: &Volume<f32>,
        moving: &Volume<f32>,
        map: DAffine3,
        centre: [usize; 3],
    ) -> Outcome {
        let Some(window) = self.window(fixed, moving, map, centre) else { return Outcome::Unseen };
        let template: Vec<f32> = self.voxels(centre).map(|voxel| fixed[voxel]).collect();
        let span = self.reach.map(|r| 2 * r + 1);
        let shifts = span.iter().product();
        let alike: Vec<f64> = (0..shifts)
            .map(|n| {
                let at = [n / (span[1] * span[2]), n / span[2] % span[1], n % span[2]];
                self.correlation(&template, &window, at)
            })
            .collect();
        let best = (0..shifts).fold(0, |b, n| if alike[n] > alike[b] { n } else { b });
        let at = [best / (span[1] * span[2]), best / span[2] % span[1], best % span[2]];
        // At the end of the search the true place may lie beyond.
        let inside = (0..3).all(|axis| at[axis] > 0 && at[axis] + 1 < span[axis]);
        if alike[best] < FOUND || !inside {
            return Outcome::Lost;
        }
        let strides = [span[1] * span[2], span[2], 1];
        let off: DVec3 = (0..3)
            .map(|axis| {
                let (low, high) = (alike[best - strides[axis]], alike[best + strides[axis]]);
                let bend = 2.0 * alike[best] - low - high;
                let part = if bend > 0.0 { 0.5 * (high - low) / bend } else { 0.0 };
                (at[axis] as f64 - self.reach[axis] as f64 + part) * self.steps[axis]
            })
            .sum();
        Outcome::Found(off.length())
    }

    /// The follow-up around a landmark, on the baseline's lattice; `None` where its field of view ends.
    fn window(
        &self,
        fixed: &Volume<f32>,
        moving: &Volume<f32>,
        map: DAffine3,
        centre: [usize; 3],
    ) -> Option<Vec<f32>> {
        let index_map =
            moving.geometry().index_from_patient() * map * fixed.geometry().patient_from_index();
        let wide = [0, 1, 2].map(|axis| (self.half[axis] + self.reach[axis]) as f64);
        let middle = DVec3::from_array(centre.map(|i| i as f64));
        let side = wide.map(|w| 2 * w as usize + 1);
        let mut values = Vec::with_capacity(side.iter().product());
        for s in 0..side[0] {
            for r in 0..side[1] {
                for c in 0..side[2] {
                    let off =
                        DVec3::new(s as f64 - wide[0], r as f64 - wide[1], c as f64 - wide[2]);
                    let there = index_map.transform_point3(middle + off);
                    values.push(trilinear(moving, there)?);
                }
            }
        }
        Some(values)
    }

    /// Normalised correlation of a landmark with the window at a shift, -1 to 1; 0 where the window has no structure.
    fn correlation(&self, template: &[f32], window: &[f32], at: [usize; 3]) -> f64 {
        let [_, rows, columns] = [0, 1, 2].map(|a| 2 * (self.half[a] + self.reach[a]) + 1);
        let [depth, height, width] = self.half.map(|h| 2 * h + 1);
        let mut sums = [0.0_f64; 5];
        for s in 0..depth {
            for r in 0..height {
                let from = ((at[0] + s) * rows + at[1] + r) * columns + at[2];
                let here = &template[(s * height + r) * width..][..width];
                // Sums of one line in single precision: some dozens of values near one.
                let mut line = [0.0_f32; 5];
                for (&t, &w) in here.iter().zip(&window[from..from + width]) {
                    line[0] += t;
                    line[1] += w;
                    line[2] += t * t;
                    line[3] += w * w;
                    line[4] += t * w;
                }
                sums.iter_mut().zip(line).for_each(|(sum, more)| *sum += f64::from(more));
            }
        }
        let n = template.len() as f64;
        let [t, w, tt, ww, tw] = sums;
        let (vt, vw) = (tt - t * t / n, ww - w * w / n);
        if vt > 1e-6 * n && vw > 1e-6 * n { (tw - t * w / n) / (vt * vw).sqrt() } else { 0.0 }
    }
}
