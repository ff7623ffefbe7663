//! Brown fat: by fat on the CT, by pairs, and by the ladder of small uptakes at the ribs.

use super::features::{Features, answers};
use super::finding;
use crate::lesion::{Class, Finding, Landmarks, Site};

/// Brown fat lies from the neck down beside the column, millimetres above the lungs' apex and beside the column.
const BROWN_FAT_UP: std::ops::Range<f64> = -220.0..80.0;

const BROWN_FAT_LEFT: std::ops::Range<f64> = 15.0..160.0;

/// Brown fat: uptake whose hottest place is fat on the CT, on both sides as a rule. A node has soft tissue there; where only
/// one side is so, breathing or a turn of the head between PET and CT may have put a node over fat.
pub(super) fn brown_fat(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
    let place = |f: &Features| {
        f.in_fat
            && BROWN_FAT_LEFT.contains(&f.left.abs())
            && BROWN_FAT_UP.contains(&marks.above_apex(f.hottest))
    };
    if !place(f) {
        return unseen_brown_fat(f, all, marks);
    }
    if all.iter().any(|g| place(g) && answers(f, g, marks)) {
        let reason = "in fat on the CT, with a counterpart on the other side: brown fat";
        return Some(finding(Class::Physiologic, Site::BrownFat, reason));
    }
    let reason =
        "in fat on the CT, on one side: brown fat, or a node that moved between PET and CT";
    Some(finding(Class::Uncertain, Site::BrownFat, reason))
}

/// Without CT fat is not seen. Where the ladder beside the column tells that brown fat is active, uptake of neck, shoulder and
/// armpit that is alike on both sides may be brown fat too.
fn unseen_brown_fat(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
    let active = marks.anatomy.hounsfield.is_none() && all.iter().any(|g| g.in_ladder);
    let place = |f: &Features| {
        BROWN_FAT_LEFT.contains(&f.left.abs())
            && SHOULDERS_UP.contains(&marks.above_apex(f.hottest))
    };
    let paired = active && place(f) && all.iter().any(|g| place(g) && answers(f, g, marks));
    let reason =
        "alike on both sides while brown fat beside the column is active: brown fat or nodes";
    paired.then(|| finding(Class::Uncertain, Site::BrownFat, reason))
}

/// Neck, shoulders and armpits, millimetres above the lungs' apex.
const SHOULDERS_UP: std::ops::Range<f64> = -90.0..80.0;

/// Brown fat at the heads of the ribs. It is too thin for the CT's lattice to show as fat between bone and lung, but small
/// uptakes one above the other in two rows beside the column are nothing else.
pub(super) fn ladder(f: &Features) -> Option<Finding> {
    let reason =
        "one of several small uptakes in rows on both sides of the column: brown fat at the ribs";
    f.in_ladder.then(|| finding(Class::Physiologic, Site::BrownFat, reason))
}

/// A rung: both sides at one height, as hot to a factor; so many at different heights make a ladder.
const RUNG_MM: f64 = 12.0;

const RUNG_ALIKE: f64 = 2.5;

const FEWEST_RUNGS: usize = 3;

const LARGEST_RUNG_ML: f64 = 4.0;

pub(super) fn mark_ladder(features: &mut [Features], marks: &Landmarks<'_>) {
    let beside = 12.0 * marks.scale..60.0 * marks.scale;
    let zone = |f: &Features| {
        f.volume_ml < LARGEST_RUNG_ML
            && beside.contains(&f.left.abs())
            && f.back.abs() < 40.0 * marks.scale
            && f.up > -80.0
            && marks.above_apex(f.hottest) < 40.0
    };
    let alike = |f: &Features, g: &Features| {
        f.left * g.left < 0.0
            && (f.hottest.z - g.hottest.z).abs() < RUNG_MM
            && (1.0 / RUNG_ALIKE..RUNG_ALIKE).contains(&(f.max / g.max))
    };
    let row: Vec<usize> = (0..features.len()).filter(|&n| zone(&features[n])).collect();
    let paired = |&n: &usize| row.iter().any(|&m| alike(&features[n], &features[m]));
    let mut rungs: Vec<f64> =
        row.iter().copied().filter(paired).map(|n| features[n].hottest.z).collect();
    rungs.sort_by(f64::total_cmp);
    rungs.dedup_by(|next, kept| *next - *kept < RUNG_MM);
    if rungs.len() >= FEWEST_RUNGS {
        for n in row {
            features[n].in_ladder = true;
        }
    }
}
