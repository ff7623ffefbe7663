//! Brain, glands and muscles of head and neck.

use super::features::{Features, answers};
use super::finding;
use crate::lesion::{Class, Finding, Landmarks, Site};

/// Height above the lungs' apex from which on a place is in the head, adult millimetres.
pub(super) const HEAD_MM: f64 = 90.0;

/// Height of the skull base above the lungs' apex, adult millimetres.
const SKULL_BASE_MM: f64 = 130.0;

pub(super) fn brain(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    // The scan may end in the brain; what it cuts lower is larynx, neck or shoulder.
    let cut = f.at_top && marks.above_apex(f.centroid) > SKULL_BASE_MM;
    let large = f.whole_ml > 60.0 || f.whole_size.max_element() > 70.0 || cut;
    let reason = "large uptake at the top of the head";
    (marks.above_apex(f.centroid) > HEAD_MM && large && f.left.abs() < 100.0)
        .then(|| finding(Class::Physiologic, Site::Brain, reason))
}

/// Salivary glands and tonsils lie from this height above the lungs' apex, adult millimetres; both sides take up alike.
const GLANDS_MM: f64 = 55.0;

const GLANDS_ALIKE: f64 = 1.4;

/// The head's and neck's glands and muscles.
pub(super) fn head_and_neck(
    f: &Features,
    all: &[Features],
    marks: &Landmarks<'_>,
) -> Option<Finding> {
    let over_apex = marks.above_apex(f.centroid);
    if over_apex > HEAD_MM {
        let reason = "in the head: glands, tonsils and muscles take up FDG too";
        return Some(finding(Class::Uncertain, Site::Head, reason));
    }
    if over_apex > 15.0 && f.left.abs() < 25.0 && f.back < -10.0 {
        let reason = "in the middle of the neck: vocal muscles, thyroid or a lesion";
        return Some(finding(Class::Uncertain, Site::Larynx, reason));
    }
    if !(over_apex > 15.0 && f.left.abs() < 110.0) {
        return None;
    }
    let alike = |g: &Features| {
        answers(f, g, marks) && (1.0 / GLANDS_ALIKE..GLANDS_ALIKE).contains(&(g.max / f.max))
    };
    if over_apex > GLANDS_MM && all.iter().any(alike) {
        let reason = "alike on both sides of the upper neck: salivary glands, tonsils or nodes";
        return Some(finding(Class::Uncertain, Site::Neck, reason));
    }
    Some(finding(Class::Lesion, Site::Neck, "focal uptake in the neck, off the middle"))
}
