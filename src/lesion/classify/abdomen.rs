//! Liver, spleen, stomach and bowel.

use super::features::{Features, is_large};
use super::finding;
use crate::lesion::{Class, Finding, Landmarks, Site};
use crate::organ::Organ;

pub(super) fn is_gut(organ: Organ) -> bool {
    matches!(organ, Organ::Stomach | Organ::Duodenum | Organ::SmallBowel | Organ::Colon)
}

pub(super) fn liver(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    marks.in_liver(f.hottest).then(|| liver_uptake(f, marks))?
}

pub(super) fn liver_uptake(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    let (mean, max) = marks.liver?;
    // The maximum of a whole liver lies a little above that of a 3 cm sphere of it: noise over more voxels.
    if f.max < 1.25 * max || f.max < 1.5 * mean {
        return Some(finding(Class::Physiologic, Site::Liver, "within the liver's own uptake"));
    }
    if f.peak < 1.3 * max {
        let reason = "at most moderately hotter than the liver around it: noise, bowel or a lesion";
        return Some(finding(Class::Uncertain, Site::Liver, reason));
    }
    Some(finding(Class::Lesion, Site::Liver, "hotter than the liver around it"))
}

/// Left, lateral and high in the abdomen.
fn in_spleen_zone(f: &Features) -> bool {
    (45.0..150.0).contains(&f.left)
        && (-70.0..90.0).contains(&f.back)
        && (-125.0..30.0).contains(&f.up)
        && f.lung < 0.6
}

pub(super) fn whole_spleen(f: &Features) -> Option<Finding> {
    (in_spleen_zone(f) && f.left > 60.0 && is_large(f)).then(spleen_as_a_whole)
}

pub(super) fn spleen_as_a_whole() -> Finding {
    let reason = "the whole spleen is hotter than the threshold: disease or reaction";
    finding(Class::Uncertain, Site::Spleen, reason)
}

pub(super) fn spleen_focus(f: &Features) -> Option<Finding> {
    // Lower and nearer the column lies the left kidney; before it the stomach.
    (in_spleen_zone(f) && (f.left > 85.0 || f.up > -35.0) && f.back > -40.0)
        .then(|| finding(Class::Lesion, Site::Spleen, "focal uptake in the spleen's place"))
}

/// Stomach and bowel: moderate or spread uptake before the column in the abdomen. A compact focus far hotter than the
/// liver is none of theirs.
pub(super) fn gut(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    let zone = (-420.0..25.0).contains(&f.up) && f.back < -5.0 && f.left.abs() < 170.0;
    if !zone || f.lung > 0.6 {
        return None;
    }
    if f.size.max_element() > 120.0 {
        let reason = "long uptake in the abdomen: bowel or confluent disease";
        return Some(finding(Class::Uncertain, Site::StomachOrBowel, reason));
    }
    let intense = marks.liver.is_some_and(|(_, liver_max)| f.peak >= INTENSE * liver_max);
    (!intense).then(|| {
        let reason = "moderate uptake in the abdomen: stomach, bowel or a lesion";
        finding(Class::Uncertain, Site::StomachOrBowel, reason)
    })
}

/// SUVpeak of stomach and bowel stays below this multiple of the liver's SUVmax as a rule. The peak, because single hot
/// voxels of bowel are common in noisy scans.
const INTENSE: f64 = 2.0;
