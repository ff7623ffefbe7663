//! Errors and rates over many pairs.

use std::collections::BTreeMap;
use std::fmt;

use petct::alignment::Verdict;
use petct::matching::Confidence;

use super::judge::{Fate, Pair, Reading};

/// Errors of one choice of images.
#[derive(Debug, Default)]
struct Errors {
    lesions_mm: Vec<f64>,
    landmarks_mm: Vec<f64>,
    /// Mean error of each pair over half the diagonal of its finer voxel.
    in_half_diagonals: Vec<f64>,
    turns_degrees: Vec<f64>,
    seconds: f64,
    affine: usize,
    verdicts: [usize; 3],
}

/// Rights and all, by confidence and by fate.
#[derive(Debug, Default)]
struct Fates {
    right: usize,
    all: usize,
    other_regions: usize,
    by_confidence: BTreeMap<Confidence, [usize; 2]>,
    by_fate: BTreeMap<String, [usize; 2]>,
}

/// Counts over pairs.
#[derive(Debug, Default)]
pub(super) struct Table {
    pairs: usize,
    errors: BTreeMap<&'static str, Errors>,
    tracked: BTreeMap<&'static str, Fates>,
    chain: Fates,
}

impl Errors {
    fn add(&mut self, reading: &Reading, half_diagonal_mm: f64) {
        self.lesions_mm.extend(&reading.lesions_mm);
        self.landmarks_mm.extend(&reading.landmarks_mm);
        self.in_half_diagonals.push(reading.error_mm().0 / half_diagonal_mm);
        self.turns_degrees.push(reading.turn_degrees);
        self.seconds += reading.seconds;
        self.affine += usize::from(reading.alignment.stretch() != glam::DVec3::ONE);
        self.verdicts[match reading.alignment.quality.verdict {
            Verdict::Good => 0,
            Verdict::Doubtful => 1,
            Verdict::Failed => 2,
        }] += 1;
    }
}

impl Fates {
    fn add(&mut self, fate: &Fate) {
        let Some((_, confidence)) = fate.found else {
            self.other_regions += 1;
            return;
        };
        let right = usize::from(fate.is_right());
        self.right += right;
        self.all += 1;
        let by_fate = self.by_fate.entry(format!("{:?}", fate.truth.fate)).or_default();
        let by_confidence = self.by_confidence.entry(confidence).or_default();
        for counts in [by_fate, by_confidence] {
            counts[0] += right;
            counts[1] += 1;
        }
    }

    fn share(&self) -> f64 {
        self.right as f64 / self.all.max(1) as f64
    }
}

impl Table {
    pub(super) fn add(&mut self, pair: &Pair) {
        self.pairs += 1;
        for reading in pair.readings() {
            let errors = self.errors.entry(reading.images).or_default();
            errors.add(reading, pair.half_diagonal_mm);
            let fates = self.tracked.entry(reading.images).or_default();
            reading.fates.iter().for_each(|fate| fates.add(fate));
        }
        pair.chain.iter().for_each(|fate| self.chain.add(fate));
    }

    /// Mean over the pairs, with CT.
    pub(super) fn mean_error_in_half_diagonals(&self) -> f64 {
        mean(&self.errors["CT"].in_half_diagonals)
    }

    /// With the lesions as they were painted, with CT.
    pub(super) fn share_of_right_fates(&self) -> f64 {
        self.tracked["CT"].share()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} pairs", self.pairs)?;
        for (images, errors) in &self.errors {
            let Errors { lesions_mm, landmarks_mm, in_half_diagonals, turns_degrees, .. } = errors;
            writeln!(
                f,
                "alignment by {images}: over lesions {:.2} mm mean, {:.2} worst; over landmarks {:.2} mean, {:.2} worst; in half \
                 diagonals {:.2} mean, {:.2} worst pair; turn {:.2} degrees mean, {:.2} worst; {} affine; {} good, {} doubtful, \
                 {} failed; {:.2} s each",
                mean(lesions_mm),
                worst(lesions_mm),
                mean(landmarks_mm),
                worst(landmarks_mm),
                mean(in_half_diagonals),
                worst(in_half_diagonals),
                mean(turns_degrees),
                worst(turns_degrees),
                errors.affine,
                errors.verdicts[0],
                errors.verdicts[1],
                errors.verdicts[2],
                errors.seconds / self.pairs as f64,
            )?;
        }
        let chain = std::iter::once((&"the whole chain", &self.chain));
        for (name, fates) in self.tracked.iter().chain(chain) {
            writeln!(
                f,
                "fates by {name}: {} of {} right ({:.1} %), {} with other regions (right of all {:.1} %); by fate {:?}; by confidence {:?}",
                fates.right,
                fates.all,
                100.0 * fates.share(),
                fates.other_regions,
                100.0 * fates.right as f64 / (fates.all + fates.other_regions).max(1) as f64,
                fates.by_fate,
                fates.by_confidence,
            )?;
        }
        Ok(())
    }
}
