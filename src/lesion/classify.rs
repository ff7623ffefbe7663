//! Telling lesions from normal uptake by place, size, side and tissue.
//!
//! Rules of anatomy, tried in order; the first that holds names the region. What no rule explains is a lesion; what a rule
//! makes doubtful is `uncertain`. Every verdict carries its reason. A learned model is not used.
//!
//! Source of the list of mimics: Barrington 2014 (JCO 32:3048); Cheson 2014 (JCO 32:3059), sites of high physiologic uptake.

mod abdomen;
mod brown_fat;
mod features;
mod head;
mod skeleton;
mod urinary;

use self::abdomen::{
    gut, is_gut, liver, liver_uptake, spleen_as_a_whole, spleen_focus, whole_spleen,
};
use self::brown_fat::{brown_fat, ladder, mark_ladder};
use self::features::{Features, is_large};
use self::head::{brain, head_and_neck};
use self::skeleton::{bone, diffuse_marrow, guess_bone};
use self::urinary::{bladder, kidney, liver_or_kidney, lone_kidney, ureter};
use super::{Candidate, Class, Finding, Landmarks, Site};
use crate::organ::{Organ, Side};
use crate::volume::Volume;

/// Classifies all regions of a scan. `bw_per_value` turns the image's values into SUVbw.
///
/// Without landmarks (no lungs, no liver in view) nothing can be named: every region is uncertain.
pub fn classify(
    pet: &Volume<f32>,
    bw_per_value: f64,
    candidates: &[Candidate],
    landmarks: Option<&Landmarks<'_>>,
) -> Vec<Finding> {
    let Some(marks) = landmarks else {
        let reason = "neither lungs nor liver are in view, so organs cannot be told apart";
        let finding = || finding(Class::Uncertain, Site::Body, reason);
        return candidates.iter().map(|_| finding()).collect();
    };
    let mut features: Vec<Features> =
        candidates.iter().map(|c| Features::of(pet, bw_per_value, c, marks)).collect();
    mark_ladder(&mut features, marks);
    if marks.anatomy.hounsfield.is_none() {
        guess_bone(&mut features, marks);
    }
    let bladder = bladder(&features, marks)
        .filter(|_| !marks.outlined(|organ| organ == Organ::UrinaryBladder));
    let marrow = diffuse_marrow(&features);
    features
        .iter()
        .enumerate()
        .map(|(n, f)| {
            if bladder.is_some_and(|b| same_whole(candidates, n, b)) {
                let reason = "largest hot region low in the middle of the pelvis";
                return finding(Class::Physiologic, Site::Bladder, reason);
            }
            named(f, &features, marks, marrow)
        })
        .collect()
}

fn finding(class: Class, site: Site, reason: &str) -> Finding {
    Finding { class, site, reason: reason.into() }
}

fn same_whole(candidates: &[Candidate], a: usize, b: usize) -> bool {
    candidates[a].whole == candidates[b].whole
}

/// The rules in order. Where a rule says lesion but not even the region's peak stands out from the liver's maximum, noise
/// may have made it.
fn named(f: &Features, all: &[Features], marks: &Landmarks<'_>, marrow: bool) -> Finding {
    let found = first_rule(f, all, marks, marrow);
    let faint = marks.liver.is_some_and(|(_, liver_max)| f.peak < FAINT * liver_max);
    if found.class == Class::Lesion && faint {
        let reason = "its SUVpeak hardly exceeds the liver's SUVmax: noise or a lesion";
        return finding(Class::Uncertain, found.site, reason);
    }
    found
}

/// SUVpeak below this multiple of the liver's SUVmax does not make a lesion for sure.
const FAINT: f64 = 1.15;

fn first_rule(f: &Features, all: &[Features], marks: &Landmarks<'_>, marrow: bool) -> Finding {
    // Where an organ has been outlined, what lies outside it is not guessed to be it.
    let guess = |organ: fn(Organ) -> bool| !marks.outlined(organ);
    let kidney_guessed = guess(|organ| matches!(organ, Organ::Kidney(_)));
    let gut_guessed = guess(is_gut);
    let rules = [
        outlined(f, marks),
        brain(f, marks).filter(|_| guess(|organ| organ == Organ::Brain)),
        ladder(f),
        bone(f, marrow),
        brown_fat(f, all, marks),
        head_and_neck(f, all, marks),
        limbs(f),
        heart(f, marks).filter(|_| guess(Organ::is_heart)),
        whole_spleen(f).filter(|_| guess(|organ| organ == Organ::Spleen)),
        liver_or_kidney(f, all, marks).filter(|_| kidney_guessed),
        liver(f, marks).filter(|_| guess(|organ| organ == Organ::Liver)),
        kidney(f, all, marks).filter(|_| kidney_guessed),
        spleen_focus(f).filter(|_| guess(|organ| organ == Organ::Spleen)),
        lone_kidney(f).filter(|_| kidney_guessed),
        ureter(f),
        gut(f, marks).filter(|_| gut_guessed),
    ];
    rules.into_iter().flatten().next().unwrap_or_else(|| elsewhere(f, marks))
}

/// What the outline of an organ tells.
fn outlined(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    let physiologic = |site, reason| Some(finding(Class::Physiologic, site, reason));
    let uncertain = |site, reason| Some(finding(Class::Uncertain, site, reason));
    match f.organ? {
        Organ::Brain => physiologic(Site::Brain, "in the brain that was outlined"),
        Organ::Kidney(Side::Left) => {
            physiologic(Site::LeftKidney, "in the kidney that was outlined")
        }
        Organ::Kidney(_) => physiologic(Site::RightKidney, "in the kidney that was outlined"),
        Organ::UrinaryBladder => physiologic(Site::Bladder, "in the bladder that was outlined"),
        Organ::Liver => liver_uptake(f, marks),
        organ if organ.is_heart() => Some(heart_uptake(f, "in the heart that was outlined")),
        Organ::Spleen if is_large(f) => Some(spleen_as_a_whole()),
        Organ::Spleen => {
            Some(finding(Class::Lesion, Site::Spleen, "focal, in the spleen that was outlined"))
        }
        organ if is_gut(organ) => {
            uncertain(Site::StomachOrBowel, "in the stomach or bowel that was outlined")
        }
        Organ::Oesophagus => uncertain(Site::Oesophagus, "in the oesophagus that was outlined"),
        Organ::Thyroid => uncertain(Site::Neck, "in the thyroid that was outlined"),
        Organ::Prostate => {
            uncertain(Site::Pelvis, "in the prostate that was outlined: urine or a lesion")
        }
        Organ::Muscle => uncertain(Site::Body, "in a muscle that was outlined"),
        _ => None,
    }
}

/// Uptake far to the side of the trunk: an arm, perhaps the injected one.
fn limbs(f: &Features) -> Option<Finding> {
    let reason = "far to the side: an arm, perhaps the injection site";
    (f.left.abs() > 210.0).then(|| finding(Class::Uncertain, Site::UpperLimb, reason))
}

/// The heart lies behind ribs and their muscles, millimetres below the skin.
const HEART_DEPTH_MM: f64 = 24.0;

/// The left ventricle: large uptake left of and well before the column, on the diaphragm.
fn heart(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    let zone = (-30.0..105.0).contains(&f.up)
        && (-25.0 * marks.scale..100.0 * marks.scale).contains(&f.left)
        && f.back < -65.0 * marks.scale;
    if !zone || f.lung > 0.6 || f.depth < HEART_DEPTH_MM {
        return None;
    }
    let reason =
        "left of the middle, before the column, on the diaphragm: the left ventricle's place";
    Some(heart_uptake(f, reason))
}

/// Uptake in the heart's place: a ventricle is large, what is small may be a lesion beside it.
fn heart_uptake(f: &Features, place: &str) -> Finding {
    if f.whole_ml > 25.0 || f.whole_size.max_element() > 55.0 {
        return finding(Class::Physiologic, Site::Myocardium, place);
    }
    finding(Class::Uncertain, Site::Myocardium, "small uptake in the place of the heart")
}

fn elsewhere(f: &Features, marks: &Landmarks<'_>) -> Finding {
    let place = place_of(f);
    let thread = f.size.z > 2.0 * f.size.x.max(f.size.y);
    if place == Site::Mediastinum && thread && f.left.abs() < 30.0 && f.back > -75.0 {
        let reason = "a vertical thread before the column: oesophagus or nodes";
        return finding(Class::Uncertain, Site::Oesophagus, reason);
    }
    let reason = match marks.liver {
        Some((_, liver)) => format!(
            "focal uptake, {:.1} times the liver's maximum, in no organ that takes up FDG normally",
            f.max / liver
        ),
        None => "focal uptake in no organ that takes up FDG normally".into(),
    };
    Finding { class: Class::Lesion, site: place, reason }
}

fn place_of(f: &Features) -> Site {
    match f.up {
        up if up > 0.0 && f.lung > 0.5 => Site::Lung,
        up if up > 0.0 && f.left.abs() < 75.0 && f.back < 30.0 => Site::Mediastinum,
        up if up > -10.0 => Site::ChestWall,
        up if up > -235.0 && f.back > -45.0 && f.left.abs() < 60.0 => Site::Retroperitoneum,
        up if up > -235.0 => Site::Abdomen,
        up if up > -430.0 => Site::Pelvis,
        _ => Site::LowerLimb,
    }
}

#[cfg(test)]
mod tests;
