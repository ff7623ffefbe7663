//! How well two bodies lie on each other, and what that is worth.

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use super::body::Body;
use super::landmarks;
use super::refine::correlation_of;
use super::{Quality, Verdict};
use crate::resample::trilinear;
use crate::volume::Mask;

/// Dice of two bodies of one patient that lie on each other: arms and breath leave a tenth.
const GOOD_DICE: f64 = 0.90;
/// Below this a quarter of the bodies lies beside each other: a shift of about 6 cm across a trunk of 35 cm by 25 cm.
const LEAST_DICE: f64 = 0.75;
/// Inside the body half of the variance is explained by the other scan.
const GOOD_CORRELATION: f64 = 0.70;
/// Hardly more than a third of the variance is explained: what the trunks of two strangers have in common.
const LEAST_CORRELATION: f64 = 0.60;
/// A smaller common part is called doubtful: little of either body was compared.
const GOOD_FRACTION: f64 = 0.30;

/// Lesions are told apart down to about this distance (the tolerance of matching); an alignment that is off by more links
/// neighbours.
const LARGEST_RESIDUAL_MM: f64 = 6.0;
/// Of one body at least a third of the landmarks is found again, whatever the arms do.
const LEAST_FOUND: f64 = 1.0 / 3.0;

/// Most of them.
const MOST_FOUND: f64 = 2.0 / 3.0;

/// No correlation is told of a smaller share of the baseline's body.
const LEAST_SHARE: f64 = 0.02;

/// Counts over the voxels of the baseline that lie in the follow-up's field of view.
#[derive(Default)]
struct Overlap {
    fixed: usize,
    moving: usize,
    both: usize,
}

impl Overlap {
    fn of(fixed: &Mask, moving: &Mask, map: DAffine3) -> Self {
        let geometry = fixed.geometry();
        let index_map =
            moving.geometry().index_from_patient() * map * geometry.patient_from_index();
        let [_, _, columns] = geometry.shape();
        let shape = moving.geometry().shape();
        let lines = fixed.values().par_chunks_exact(columns).enumerate();
        let count = |mut counts: Self, (line, row): (usize, &[bool])| {
            let [s, r, _] = fixed.voxel_of(line * columns);
            let start = index_map.transform_point3(DVec3::new(s as f64, r as f64, 0.0));
            for (c, &here) in row.iter().enumerate() {
                // Half a voxel on, so that the whole part is the nearest voxel.
                let index = (start + c as f64 * index_map.matrix3.z_axis + 0.5).to_array();
                if !index.iter().zip(shape).all(|(&i, n)| i >= 0.0 && i < n as f64) {
                    continue;
                }
                let there = moving[index.map(|i| i as usize)];
                counts.fixed += usize::from(here);
                counts.moving += usize::from(there);
                counts.both += usize::from(here && there);
            }
            counts
        };
        // Whole numbers: the order in which threads add them does not matter.
        lines.fold(Self::default, count).reduce(Self::default, |a, b| Self {
            fixed: a.fixed + b.fixed,
            moving: a.moving + b.moving,
            both: a.both + b.both,
        })
    }

    fn dice(&self) -> Option<f64> {
        let total = self.fixed + self.moving;
        (total > 0).then(|| 2.0 * self.both as f64 / total as f64)
    }
}

/// Correlation of the two images where both scans are body: how the bodies' outlines lie is the Dice's affair.
fn correlation(fixed: &Body, moving: &Body, map: DAffine3) -> Option<f64> {
    let geometry = fixed.image.geometry();
    let index_map =
        moving.image.geometry().index_from_patient() * map * geometry.patient_from_index();
    // Every fifth voxel of the body is plenty for one number.
    let inside = || fixed.mask.values().iter().enumerate().filter(|&(_, &b)| b).step_by(5);
    let pairs = inside().filter_map(|(offset, _)| {
        let index = fixed.image.voxel_of(offset).map(|i| i as f64);
        let index = index_map.transform_point3(index.into());
        let there = trilinear(&moving.image, index)?;
        let nearest = index.max(DVec3::ZERO).round().to_array().map(|i| i as usize);
        moving.mask[nearest].then_some((fixed.image.values()[offset], there))
    });
    let (r, n) = correlation_of(pairs)?;
    (n as f64 >= LEAST_SHARE * inside().count() as f64).then_some(r)
}

/// Measures a map and judges it.
pub(super) fn measure(fixed: &Body, moving: &Body, map: DAffine3) -> Quality {
    let bodies = Overlap::of(&fixed.mask, &moving.mask, map);
    let skeletons = fixed.skeleton.as_ref().zip(moving.skeleton.as_ref());
    let smaller_ml = fixed.volume_ml().min(moving.volume_ml());
    let common_ml = bodies.fixed.max(bodies.moving) as f64 * fixed.mask.geometry().voxel_ml();
    let ((correlation_before, correlation_after), landmark_residual) = rayon::join(
        || {
            rayon::join(
                || correlation(fixed, moving, DAffine3::IDENTITY),
                || correlation(fixed, moving, map),
            )
        },
        || landmarks::residual(fixed, moving, map),
    );
    let mut quality = Quality {
        correlation_before,
        correlation_after,
        body_overlap_dice: bodies.dice(),
        skeleton_overlap_dice: skeletons.and_then(|(a, b)| Overlap::of(a, b, map).dice()),
        common_body_fraction: (common_ml / smaller_ml).min(1.0),
        landmark_residual,
        verdict: Verdict::Good,
        reasons: Vec::new(),
    };
    judge(&mut quality);
    quality
}

fn judge(quality: &mut Quality) {
    let dice = quality.body_overlap_dice.unwrap_or(0.0);
    // Arms that lie elsewhere make the outlines differ; bones that lie on each other say that the trunk does not.
    let good_dice = if bones_agree(quality) { LEAST_DICE } else { GOOD_DICE };
    let correlation = quality.correlation_after.unwrap_or(0.0);
    let checks = [
        (dice, LEAST_DICE, good_dice, "the bodies overlap with a Dice of"),
        (
            correlation,
            LEAST_CORRELATION,
            GOOD_CORRELATION,
            "the insides of the bodies correlate at",
        ),
        (
            quality.common_body_fraction,
            0.0,
            GOOD_FRACTION,
            "the share of the body that both scans show is",
        ),
    ];
    for (value, least, good, what) in checks {
        if value >= good {
            continue;
        }
        let verdict = if value < least { Verdict::Failed } else { Verdict::Doubtful };
        quality.verdict = quality.verdict.min(verdict);
        let need = if value < least { least } else { good };
        quality.reasons.push(format!("{what} {value:.2}, below {need:.2}"));
    }
    judge_landmarks(quality);
}

/// Whether most landmarks of the skeletons are found again, and within half of what may be off.
fn bones_agree(quality: &Quality) -> bool {
    quality.skeleton_overlap_dice.is_some()
        && quality.landmark_residual.is_some_and(|r| {
            r.median <= 0.5 * LARGEST_RESIDUAL_MM && r.count as f64 >= MOST_FOUND * r.sought as f64
        })
}

/// Landmarks far off make a good alignment doubtful, never a failed one: the bodies and their insides say whether it is
/// one person in one place, the landmarks how exactly.
fn judge_landmarks(quality: &mut Quality) {
    let Some(residual) = quality.landmark_residual else { return };
    let share = residual.count as f64 / residual.sought.max(1) as f64;
    let off = (residual.median > LARGEST_RESIDUAL_MM).then(|| {
        format!(
            "half of the landmarks lie {:.1} mm off or more, farther than {LARGEST_RESIDUAL_MM} mm",
            residual.median
        )
    });
    let lost = (share < LEAST_FOUND).then(|| {
        format!("only {} of {} landmarks are found again", residual.count, residual.sought)
    });
    for reason in off.into_iter().chain(lost) {
        quality.verdict = quality.verdict.min(Verdict::Doubtful);
        quality.reasons.push(reason);
    }
}
