//! Telling lesions from normal uptake by place, size, side and tissue.
//!
//! Rules of anatomy, tried in order; the first that holds names the region. What no rule explains is a lesion; what a rule
//! makes doubtful is `uncertain`. Every verdict carries its reason. A learned model is not used.
//!
//! Source of the list of mimics: Barrington 2014 (JCO 32:3048); Cheson 2014 (JCO 32:3059), sites of high physiologic uptake.

use glam::DVec3;

use super::{Candidate, Class, Finding, Landmarks, Site};
use crate::geometry::VolumeGeometry;
use crate::organ::{Organ, Side};
use crate::resample::{nearest_at, sample_at};
use crate::segmentation::Region;
use crate::statistics::peak_global;
use crate::volume::Volume;

/// What the rules look at.
struct Features {
    centroid: DVec3,
    hottest: DVec3,
    /// Size along left, back and head, millimetres.
    size: DVec3,
    volume_ml: f64,
    /// SUVmax and SUVpeak as SUVbw.
    max: f64,
    peak: f64,
    /// Volume and size of the whole that the region was divided from.
    whole_ml: f64,
    whole_size: DVec3,
    /// Whether the whole reaches the upper end of the scan.
    at_top: bool,
    /// Share of the voxels that lie in bone, and in aerated lung or at its edge, where there is a CT.
    bone: f64,
    lung: f64,
    /// The outlined organ in which the region lies: its hottest voxel, or most of it.
    organ: Option<Organ>,
    /// Whether the hottest place lies in fat, where there is a CT.
    in_fat: bool,
    /// Whether it is one of the small uptakes in rows on both sides of the column.
    in_ladder: bool,
    /// Depth of the centroid below the skin, millimetres.
    depth: f64,
    /// Height above the liver's dome (adult millimetres) and place from the vertebral column.
    up: f64,
    left: f64,
    back: f64,
}

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

fn is_gut(organ: Organ) -> bool {
    matches!(organ, Organ::Stomach | Organ::Duodenum | Organ::SmallBowel | Organ::Colon)
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

/// Height above the lungs' apex from which on a place is in the head, adult millimetres.
const HEAD_MM: f64 = 90.0;

/// Height of the skull base above the lungs' apex, adult millimetres.
const SKULL_BASE_MM: f64 = 130.0;

fn brain(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
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
fn head_and_neck(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
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

/// Brown fat lies from the neck down beside the column, millimetres above the lungs' apex and beside the column.
const BROWN_FAT_UP: std::ops::Range<f64> = -220.0..80.0;
const BROWN_FAT_LEFT: std::ops::Range<f64> = 15.0..160.0;

/// Brown fat: uptake whose hottest place is fat on the CT, on both sides as a rule. A node has soft tissue there; where only
/// one side is so, breathing or a turn of the head between PET and CT may have put a node over fat.
fn brown_fat(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
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
fn ladder(f: &Features) -> Option<Finding> {
    let reason =
        "one of several small uptakes in rows on both sides of the column: brown fat at the ribs";
    f.in_ladder.then(|| finding(Class::Physiologic, Site::BrownFat, reason))
}

/// A rung: both sides at one height, as hot to a factor; so many at different heights make a ladder.
const RUNG_MM: f64 = 12.0;
const RUNG_ALIKE: f64 = 2.5;
const FEWEST_RUNGS: usize = 3;
const LARGEST_RUNG_ML: f64 = 4.0;

fn mark_ladder(features: &mut [Features], marks: &Landmarks<'_>) {
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

fn liver(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
    marks.in_liver(f.hottest).then(|| liver_uptake(f, marks))?
}

/// Kidney and liver may hang together in their uptake: what lies in the kidney's place with a counterpart on the left is not
/// surely the liver's.
fn liver_or_kidney(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
    let beside = marks.in_liver(f.hottest) && f.left.abs() < 70.0 && in_kidney_zone(f);
    let reason =
        "where liver and right kidney meet, with a counterpart on the left: urine or a lesion";
    (beside && has_counterpart(f, all, marks))
        .then(|| finding(Class::Uncertain, Site::RightKidney, reason))
}

fn has_counterpart(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> bool {
    all.iter().any(|g| in_low_kidney_zone(g) && answers(f, g, marks) && g.max > COUNTERPART * f.max)
}

fn liver_uptake(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
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

fn bone(f: &Features, marrow: bool) -> Option<Finding> {
    if f.bone < 0.4 {
        return None;
    }
    if marrow {
        let reason = "part of diffuse uptake of the skeleton: marrow disease or activated marrow";
        return Some(finding(Class::Uncertain, Site::Marrow, reason));
    }
    let site = if f.left.abs() < 30.0 && f.back.abs() < 50.0 { Site::Spine } else { Site::Bone };
    Some(finding(Class::Lesion, site, "focal uptake in bone"))
}

/// Left, lateral and high in the abdomen.
fn in_spleen_zone(f: &Features) -> bool {
    (45.0..150.0).contains(&f.left)
        && (-70.0..90.0).contains(&f.back)
        && (-125.0..30.0).contains(&f.up)
        && f.lung < 0.6
}

fn whole_spleen(f: &Features) -> Option<Finding> {
    (in_spleen_zone(f) && f.left > 60.0 && is_large(f)).then(spleen_as_a_whole)
}

/// As large as a spleen.
fn is_large(f: &Features) -> bool {
    f.volume_ml > 40.0 && f.size.max_element() > 55.0
}

fn spleen_as_a_whole() -> Finding {
    let reason = "the whole spleen is hotter than the threshold: disease or reaction";
    finding(Class::Uncertain, Site::Spleen, reason)
}

fn spleen_focus(f: &Features) -> Option<Finding> {
    // Lower and nearer the column lies the left kidney; before it the stomach.
    (in_spleen_zone(f) && (f.left > 85.0 || f.up > -35.0) && f.back > -40.0)
        .then(|| finding(Class::Lesion, Site::Spleen, "focal uptake in the spleen's place"))
}

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

/// Whether a region lies on the other side of the body where another's mirror image would.
fn answers(f: &Features, other: &Features, marks: &Landmarks<'_>) -> bool {
    let reach = 32.0 * marks.scale;
    let off = (other.hottest - marks.mirrored(f.hottest)).abs();
    other.left * f.left < 0.0 && off.x < reach && off.y < reach && off.z < 1.6 * reach
}

fn kidney(f: &Features, all: &[Features], marks: &Landmarks<'_>) -> Option<Finding> {
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

fn lone_kidney(f: &Features) -> Option<Finding> {
    let site = if f.left > 0.0 { Site::LeftKidney } else { Site::RightKidney };
    let reason = "at kidney height without a counterpart on the other side: urine or a lesion";
    in_kidney_zone(f).then(|| finding(Class::Uncertain, site, reason))
}

/// A ureter, blurred, is no wider than this, millimetres.
const URETER_MM: f64 = 16.0;

/// A thin vertical thread beside the column below the kidneys.
fn ureter(f: &Features) -> Option<Finding> {
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

/// Far longer than wide, from head to foot.
fn is_thread(f: &Features) -> bool {
    f.size.z > 1.6 * f.size.x.max(f.size.y)
}

/// Stomach and bowel: moderate or spread uptake before the column in the abdomen. A compact focus far hotter than the
/// liver is none of theirs.
fn gut(f: &Features, marks: &Landmarks<'_>) -> Option<Finding> {
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

/// Low in the middle: a raised diaphragm and a long trunk put the bladder far below the dome.
fn in_bladder_zone(f: &Features) -> bool {
    (-700.0..-330.0).contains(&f.up) && f.left.abs() < 55.0
}

/// The urinary bladder: of the regions low in the middle of the pelvis the one with most uptake, if it is large.
fn bladder(features: &[Features], marks: &Landmarks<'_>) -> Option<usize> {
    let urine = |f: &Features| marks.liver.is_none_or(|(_, liver_max)| f.max > 1.5 * liver_max);
    let zone = |f: &Features| in_bladder_zone(f) && f.whole_ml > 8.0 && f.bone < 0.4 && urine(f);
    let inside = features.iter().enumerate().filter(|(_, f)| zone(f));
    let strength = |f: &Features| f.max * f.volume_ml;
    inside.reduce(|a, b| if strength(b.1) > strength(a.1) { b } else { a }).map(|(n, _)| n)
}

/// Whether the skeleton as a whole takes up tracer: bone over most of the length of the trunk.
fn diffuse_marrow(features: &[Features]) -> bool {
    let bones = features.iter().filter(|f| f.bone >= 0.4);
    let ends = bones.clone().flat_map(|f| {
        let half = f.size.z / 2.0;
        [f.centroid.z - half, f.centroid.z + half]
    });
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(l, h), z| (l.min(z), h.max(z)));
    let length: f64 = bones.map(|f| f.size.z).sum();
    high - low > 220.0 && length > 0.5 * (high - low)
}

/// Without CT no voxel is known to be bone. Where uptake follows the vertebral column over most of the trunk, the regions
/// along it are taken to be vertebrae, and as bone all regions about as hot as these.
fn guess_bone(features: &mut [Features], marks: &Landmarks<'_>) {
    let vertebra =
        |f: &Features| !f.in_ladder && f.left.abs() < 22.0 && f.back.abs() < 60.0 && f.up < 330.0;
    let mut maxima: Vec<f64> = features.iter().filter(|f| vertebra(f)).map(|f| f.max).collect();
    maxima.sort_by(f64::total_cmp);
    let ends = features.iter().filter(|f| vertebra(f)).map(|f| f.centroid.z);
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(l, h), z| (l.min(z), h.max(z)));
    if maxima.len() < FEWEST_VERTEBRAE || high - low < 220.0 {
        return;
    }
    let usual = maxima[maxima.len() / 2];
    let alike = |f: &&mut Features| (0.7..1.4).contains(&(f.max / usual));
    // A bladder or a brain may be as hot by chance.
    let elsewhere =
        |f: &&mut Features| !in_bladder_zone(f) && marks.above_apex(f.centroid) < HEAD_MM;
    for f in features.iter_mut().filter(alike).filter(elsewhere) {
        f.bone = 1.0;
    }
}

/// So many regions in a row along the column are no chance.
const FEWEST_VERTEBRAE: usize = 5;

impl Features {
    fn of(pet: &Volume<f32>, bw_per_value: f64, c: &Candidate, marks: &Landmarks<'_>) -> Self {
        let geometry = pet.geometry();
        let region = &c.region;
        let centroid = region.centroid_mm(geometry).unwrap_or(geometry.origin_mm());
        let hottest = region
            .offsets()
            .reduce(|a, b| if pet.values()[b] > pet.values()[a] { b } else { a })
            .unwrap_or(0);
        let (_, size) = extent(geometry, region);
        let (whole_top, whole_size) = extent(geometry, &c.whole);
        let (bone, lung) = tissue_shares(geometry, region, marks);
        let organ = organ_of(region, hottest, marks);
        let (left, back) = marks.from_spine(centroid);
        Self {
            centroid,
            hottest: geometry.centre_of(pet.voxel_of(hottest)),
            size,
            volume_ml: region.volume_ml(geometry),
            max: f64::from(pet.values()[hottest]) * bw_per_value,
            peak: peak_global(pet, region).map_or(0.0, |p| p.mean) * bw_per_value,
            whole_ml: c.whole.volume_ml(geometry),
            whole_size,
            at_top: whole_top > geometry.bounds_mm().1.z - 1.5 * geometry.spacing_mm()[0],
            bone: if organ.is_some_and(Organ::is_bone) { 1.0 } else { bone },
            lung: if organ.is_some_and(Organ::is_lung) { 1.0 } else { lung },
            organ,
            in_ladder: false,
            in_fat: in_fat(geometry.centre_of(pet.voxel_of(hottest)), marks),
            depth: nearest_at(&marks.anatomy.depth_mm, centroid).map_or(0.0, f64::from),
            up: marks.above_dome(centroid),
            left,
            back,
        }
    }
}

/// Highest z of a region and its size along x, y and z, millimetres; a single voxel has the size of a voxel.
fn extent(geometry: &VolumeGeometry, region: &Region) -> (f64, DVec3) {
    let steps = geometry.steps_mm().map(DVec3::abs);
    let voxel = steps[0].max(steps[1]).max(steps[2]);
    let places = region.indices().map(|voxel| geometry.centre_of(voxel));
    let (low, high) =
        places.fold((DVec3::MAX, DVec3::MIN), |(low, high), p| (low.min(p), high.max(p)));
    if region.is_empty() { (f64::MIN, DVec3::ZERO) } else { (high.z, high - low + voxel) }
}

/// Shares of a region's voxels in bone, and in lung or within a voxel of the lattice of it.
fn tissue_shares(geometry: &VolumeGeometry, region: &Region, marks: &Landmarks<'_>) -> (f64, f64) {
    let Some(hu) = &marks.anatomy.hounsfield else { return (0.0, 0.0) };
    let bone_hu = marks.anatomy.bone_hu(BONE_HU);
    let (mut bone, mut lung, mut count) = (0.0, 0.0, 0.0);
    for voxel in region.indices() {
        let place = geometry.centre_of(voxel);
        let here = nearest_at(hu, place).unwrap_or(-1024.0);
        bone += f64::from(u8::from(here > bone_hu));
        lung += f64::from(u8::from(here < LUNG_HU && here > -980.0));
        count += 1.0;
    }
    if count == 0.0 { (0.0, 0.0) } else { (bone / count, lung / count) }
}

/// The outlined organ that holds a region's hottest voxel, else the one that holds most of it.
fn organ_of(region: &Region, hottest: usize, marks: &Landmarks<'_>) -> Option<Organ> {
    let organs = marks.organs?;
    organs.at(hottest).next().or_else(|| {
        let half = region.voxels() / 2;
        let most = |&(_, organ): &(Organ, &Region)| region.intersection(organ).voxels() > half;
        organs.iter().find(most).map(|(organ, _)| organ)
    })
}

/// Whether a place is fat in the CT.
fn in_fat(place: DVec3, marks: &Landmarks<'_>) -> bool {
    let hu = marks.anatomy.hounsfield.as_ref().and_then(|hu| sample_at(hu, place));
    hu.is_some_and(|hu| FAT_HU.contains(&hu))
}

/// Fat; brown fat is a little denser than white.
const FAT_HU: std::ops::Range<f32> = -150.0..-40.0;
/// Cancellous bone and marrow after averaging to the lattice, where no contrast was given.
const BONE_HU: f32 = 110.0;
/// Lung and the blur of a nodule in it.
const LUNG_HU: f32 = -250.0;

#[cfg(test)]
mod tests;
