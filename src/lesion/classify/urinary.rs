//! Kidneys, ureters and the bladder.

use super::features::{Features, answers, is_thread};
use super::finding;
use crate::lesion::{Class, Finding, Landmarks, Site};

/// Both kidneys lie beside the column, from the dome to about 22 cm below it; under a raised dome lower.
fn in_kidney_zone(f: &Features) -> bool {
    beside_column(f) && (-235.0..-25.0).contains(&f.up)
}

fn in_low_kidney_zone(f: &Features) -> bool {
    beside_column(f) && (-310.0..-25.0).contains(&f.up)
}

fn beside_column(f: &Features) -> bool {
    (20.0..100.0).contains(&f.left.abs()) && (-45.0..50.0).contains(&f.back)
}

/// The renal pelvis, where urine is hottest, lies between these distances from the middle of the column, millimetres; nearer lie
/// adrenal glands and para-aortic nodes.
const HILUM_MM: f64 = 34.0;

const PELVIS_MM: f64 = 68.0;

/// Uptake of one kidney that answers that of the other is at least this share of it.
const COUNTERPART: f64 = 0.35;

/// Kidney and liver may hang together in their uptake: what lies in the kidney's place with a counterpart on the left is not
/// surely the liver's.
pub(super) fn liver_or_kidney(
    f: &Features,
    all: &[Features],
    marks: &Landmarks<'_>,
) -> Option<Finding> {
    let beside = marks.in_liver(f.hottest) && f.left.abs() < 70.0 && in_kidney_zone(f);
    let reason =
        "where liver and right kidney meet, with a counterpart on the left: urine or a lesion";
    (beside && has_counterpart(f, all, marks))
        .then(|| finding(Class::Uncertain, Site::RightKidney, reason))
}

fn has_counterpart(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> bool {
    all.iter().any(|g| in_low_kidney_zone(g) && answers(f, g, marks) && g.max > COUNTERPART * f.max)
}

pub(super) fn kidney(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
    if !in_low_kidney_zone(f) {
        return None;
    }
    let site = if f.left > 0.0 { Site::LeftKidney } else { Site::RightKidney };
    let paired = has_counterpart(f, all, marks);
    let long = in_kidney_zone(f) && f.size.z > 45.0 && f.bone < 0.4;
    if f.left.abs() < HILUM_MM * marks.scale && !is_thread(f) && (paired || long) {
        let reason = "between column and kidney: urine, the adrenal gland or a node";
        return Some(finding(Class::Uncertain, site, reason));
    }
    if paired && f.left.abs() > PELVIS_MM {
        let reason =
            "at the kidney's outer side, with a counterpart: kidney, liver, spleen or a lesion";
        return Some(finding(Class::Uncertain, site, reason));
    }
    if paired {
        let reason = "beside the column at kidney height, with a counterpart on the other side";
        return Some(finding(Class::Physiologic, site, reason));
    }
    let reason = "long uptake beside the column at kidney height";
    long.then(|| finding(Class::Physiologic, site, reason))
}

pub(super) fn lone_kidney(f: &Features) -> Option<Finding> {
    let site = if f.left > 0.0 { Site::LeftKidney } else { Site::RightKidney };
    let reason = "at kidney height without a counterpart on the other side: urine or a lesion";
    in_kidney_zone(f).then(|| finding(Class::Uncertain, site, reason))
}

/// A ureter, blurred, is no wider than this, millimetres.
const URETER_MM: f64 = 16.0;

/// A thin vertical thread beside the column below the kidneys.
pub(super) fn ureter(f: &Features) -> Option<Finding> {
    let zone = (8.0..80.0).contains(&f.left.abs())
        && (-75.0..30.0).contains(&f.back)
        && (-430.0..-80.0).contains(&f.up);
    if !zone || f.volume_ml > 8.0 {
        return None;
    }
    if is_thread(f) {
        let reason = "a vertical thread beside the column";
        return Some(finding(Class::Physiologic, Site::Ureter, reason));
    }
    let reason = "small, beside the column: urine in a ureter or a node";
    (f.size.x.max(f.size.y) < URETER_MM).then(|| finding(Class::Uncertain, Site::Ureter, reason))
}

/// Low in the middle: a raised diaphragm and a long trunk put the bladder far below the dome.
pub(super) fn in_bladder_zone(f: &Features) -> bool {
    (-700.0..-330.0).contains(&f.up) && f.left.abs() < 55.0
}

/// The urinary bladder: of the regions low in the middle of the pelvis the one with most uptake, if it is large.
pub(super) fn bladder(features: &[Features], marks: &Landmarks<'_>) -> Option<usize> {
    let urine = |f: &Features| marks.liver.is_none_or(|(_, liver_max)| f.max > 1.5 * liver_max);
    let zone = |f: &Features| in_bladder_zone(f) && f.whole_ml > 8.0 && f.bone < 0.4 && urine(f);
    let inside = features.iter().enumerate().filter(|(_, f)| zone(f));
    let strength = |f: &Features| f.max * f.volume_ml;
    inside.reduce(|a, b| if strength(b.1) > strength(a.1) { b } else { a }).map(|(n, _)| n)
}
