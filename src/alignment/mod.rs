//! Two scans of one patient brought into one frame: a rigid map from the baseline's patient frame to the follow-up's,
//! with a stretch along each axis where the body has changed.
//!
//! Scans that share a `FrameOfReferenceUID` need no search (PS3.3 C.7.4.1.1.1), only a check that the bodies are where
//! the headers say. All others are aligned by their bodies, on CT where both scans have one and on PET otherwise:
//!
//! 1. the body is cut from air and couch (`body.rs`), because the couch does not move with the patient;
//! 2. starts are found from the moments of the bodies and from profiles along the body axis, compared at every shift,
//!    so that another origin or another field of view is no obstacle (`start.rs`);
//! 3. six parameters are refined from 16 to 8 to 4 mm by damped least squares with robust weights (`refine.rs`);
//! 4. the result is measured, also at landmarks that are found again one by one (`landmarks.rs`);
//! 5. where the landmarks lie off, three stretches are refined too, and kept if the landmarks then lie clearly better:
//!    a person who gained or lost weight is wider or narrower, one who raised the arms is not;
//! 6. the measures are judged (`quality.rs`), and a failed alignment is called failed.
//!
//! Units: millimetres in the patient frame (LPS). Deterministic, the same for any number of threads.
//!
//! Sources: Thévenaz, Ruttimann, Unser 1998, IEEE Trans Image Process 7:27 (multi-resolution rigid registration by
//! Levenberg and Marquardt on squared differences); Reuter, Rosas, Fischl 2010, Neuroimage 53:1181 (robust weights for what
//! changed between two scans of one person); Lewis 1995 for normalised correlation as the measure of the result.

mod body;
mod landmarks;
mod quality;
mod refine;
mod start;
#[cfg(test)]
mod tests;

use glam::{DAffine3, DMat3, DVec3};
use schemars::JsonSchema;
use serde::Serialize;

use crate::anatomy::working_ct;
use crate::volume::Volume;
use body::Body;

/// What of a scan is needed to align it. PET and CT of one scan lie in one patient frame.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'a> {
    /// Uptake as SUV.
    pub pet: &'a Volume<f32>,
    /// Hounsfield units.
    pub ct: Option<&'a Volume<i16>>,
    /// `FrameOfReferenceUID` (0020,0052); `None` where missing or empty.
    pub frame_of_reference_uid: Option<&'a str>,
}

/// The body as a CT shows it, at the resolution of alignment: cut once for all pairs, and the CT is not needed any more.
#[derive(Debug, Clone)]
pub struct CtBody(Option<Body>);

impl CtBody {
    /// Cuts the body of a CT, which may have been reduced to the resolution at which it is looked at.
    pub fn of(ct: &Volume<i16>) -> Self {
        Self(Body::of_ct(&working_ct(ct)))
    }
}

/// The same as [`Scan`] with the body of its CT cut already.
#[derive(Debug, Clone, Copy)]
pub struct CutScan<'a> {
    /// Uptake as SUV.
    pub pet: &'a Volume<f32>,
    /// The body as the CT shows it.
    pub ct: Option<&'a CtBody>,
    /// `FrameOfReferenceUID` (0020,0052); `None` where missing or empty.
    pub frame_of_reference_uid: Option<&'a str>,
}

/// How the map was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Both scans name one `FrameOfReferenceUID`: the identity, nothing was searched.
    SharedFrameOfReference,
    /// Rigid registration of the CTs.
    RigidCt,
    /// Rigid registration of the PETs, where a CT is missing or did not align.
    RigidPet,
    /// The same as rigid on CT, with a stretch along each axis of the baseline.
    AffineCt,
    /// The same on PET.
    AffinePet,
}

impl Method {
    /// The method with a stretch.
    fn stretched(self) -> Self {
        match self {
            Self::RigidPet | Self::AffinePet => Self::AffinePet,
            Self::RigidCt | Self::AffineCt => Self::AffineCt,
            Self::SharedFrameOfReference => self,
        }
    }
}

/// Whether the map may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The scans do not lie on each other: do not use the map.
    Failed,
    /// Usable only after someone has looked at it.
    Doubtful,
    /// The bodies and their insides lie on each other.
    Good,
}

/// How far landmarks of the baseline lie from where the map carries them.
///
/// A landmark is a piece of the body, 4 cm wide, whose image (bone on CT, uptake on PET) says in all directions where it
/// belongs. Each is looked for by itself around the place to which the map carries it. What cannot be found again (an arm
/// that lies elsewhere, a part that has changed) is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct LandmarkResidual {
    /// Mean distance, millimetres.
    pub mean: f64,
    /// Median distance, millimetres: what a few landmarks that were taken for others do not change.
    pub median: f64,
    /// Largest distance, millimetres.
    pub worst: f64,
    /// Landmarks found again.
    pub count: usize,
    /// Landmarks looked for: those of the baseline that the follow-up's field of view should show.
    pub sought: usize,
}

/// How well the scans lie on each other, measured over what both fields of view show.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Quality {
    /// Normalised correlation where both scans are body, with the frames as they came, -1 to 1; `None` if the bodies
    /// then have too little in common.
    pub correlation_before: Option<f64>,
    /// The same after alignment.
    pub correlation_after: Option<f64>,
    /// Dice overlap of the two bodies, 0 to 1.
    pub body_overlap_dice: Option<f64>,
    /// Dice overlap of the skeletons (CT only), 0 to 1.
    pub skeleton_overlap_dice: Option<f64>,
    /// Share of the smaller body that both fields of view show, 0 to 1.
    pub common_body_fraction: f64,
    /// Residual at landmarks; `None` where too few are found again to tell.
    pub landmark_residual: Option<LandmarkResidual>,
    /// Whether the map may be used.
    pub verdict: Verdict,
    /// Why the verdict is not good: one sentence each.
    pub reasons: Vec<String>,
}

/// A map between the patient frames of two scans, with its quality.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// Carries a place of the baseline to the same anatomy in the follow-up. The identity if nothing could be found.
    pub follow_up_from_baseline: DAffine3,
    /// How the map was found.
    pub method: Method,
    /// How good it is, and whether to use it.
    pub quality: Quality,
    /// Steps taken by the optimiser over all levels and starts.
    pub iterations: usize,
}

impl Alignment {
    /// The turn: the map is `rotation * (stretch * baseline) + translation`.
    pub fn rotation(&self) -> DMat3 {
        let m = self.follow_up_from_baseline.matrix3;
        DMat3::from_cols(m.x_axis.normalize(), m.y_axis.normalize(), m.z_axis.normalize())
    }

    /// Stretch along the axes of the baseline's frame; 1 for a rigid map.
    pub fn stretch(&self) -> DVec3 {
        match self.method {
            Method::AffineCt | Method::AffinePet => {
                let m = self.follow_up_from_baseline.matrix3;
                DVec3::new(m.x_axis.length(), m.y_axis.length(), m.z_axis.length())
            }
            Method::SharedFrameOfReference | Method::RigidCt | Method::RigidPet => DVec3::ONE,
        }
    }

    /// Angle of the whole turn in degrees, 0 to 180.
    pub fn turn_degrees(&self) -> f64 {
        let m = self.rotation();
        let trace = m.x_axis.x + m.y_axis.y + m.z_axis.z;
        ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
    }

    /// How far a place of the baseline is displaced, in millimetres along x, y, z.
    pub fn displacement_mm(&self, place_mm: DVec3) -> DVec3 {
        self.follow_up_from_baseline.transform_point3(place_mm) - place_mm
    }
}

/// Finds the map from the baseline's frame to the follow-up's. Never fails silently: see [`Quality::verdict`].
pub fn align<'a>(baseline: &Scan<'a>, follow_up: &Scan<'a>) -> Alignment {
    let cts = baseline.ct.zip(follow_up.ct);
    let (fixed, moving) =
        cts.map(|(fixed, moving)| rayon::join(|| CtBody::of(fixed), || CtBody::of(moving))).unzip();
    let cut = |&Scan { pet, frame_of_reference_uid, .. }: &Scan<'a>, ct| CutScan {
        pet,
        ct,
        frame_of_reference_uid,
    };
    align_cut(&cut(baseline, fixed.as_ref()), &cut(follow_up, moving.as_ref()))
}

/// The same as [`align`], with the bodies on CT cut already.
pub fn align_cut(baseline: &CutScan<'_>, follow_up: &CutScan<'_>) -> Alignment {
    let uids = [baseline.frame_of_reference_uid, follow_up.frame_of_reference_uid];
    let on_ct = by_cts([baseline.ct, follow_up.ct], uids);
    match on_ct {
        Some(alignment) if alignment.quality.verdict > Verdict::Failed => return alignment,
        _ => {}
    }
    let (fixed, moving) =
        rayon::join(|| Body::of_pet(baseline.pet), || Body::of_pet(follow_up.pet));
    let on_pet = by_bodies(fixed.as_ref(), moving.as_ref(), is_shared(uids), Method::RigidPet);
    match on_ct {
        Some(on_ct) if on_pet.quality.verdict == Verdict::Failed => on_ct,
        Some(_) => doubted(on_pet, "the CTs do not lie on each other, only the PETs do"),
        None => on_pet,
    }
}

/// The alignment of a baseline and its follow-up by their CTs, for which no PET is needed; `None` where a CT is missing or the
/// CTs do not lie on each other: then [`align_cut`] has to look at the PETs.
pub fn align_on_ct(cts: [Option<&CtBody>; 2], frame_uids: [Option<&str>; 2]) -> Option<Alignment> {
    by_cts(cts, frame_uids).filter(|on_ct| on_ct.quality.verdict > Verdict::Failed)
}

fn by_cts(cts: [Option<&CtBody>; 2], frame_uids: [Option<&str>; 2]) -> Option<Alignment> {
    let (CtBody(fixed), CtBody(moving)) = cts[0].zip(cts[1])?;
    Some(by_bodies(fixed.as_ref(), moving.as_ref(), is_shared(frame_uids), Method::RigidCt))
}

/// Whether two scans name one frame of reference.
fn is_shared(frame_uids: [Option<&str>; 2]) -> bool {
    matches!(frame_uids, [Some(a), Some(b)] if a == b && !a.is_empty())
}

/// Lowers a good verdict to doubtful, with the reason.
fn doubted(mut alignment: Alignment, reason: &str) -> Alignment {
    alignment.quality.verdict = alignment.quality.verdict.min(Verdict::Doubtful);
    alignment.quality.reasons.push(reason.to_owned());
    alignment
}

fn by_bodies(
    fixed: Option<&Body>,
    moving: Option<&Body>,
    shared: bool,
    method: Method,
) -> Alignment {
    let method = if shared { Method::SharedFrameOfReference } else { method };
    let (Some(fixed), Some(moving)) = (fixed, moving) else {
        let which = if fixed.is_none() { "baseline" } else { "follow-up" };
        return unaligned(method, format!("no body was found in the {which} scan"));
    };
    if shared {
        return Alignment {
            follow_up_from_baseline: DAffine3::IDENTITY,
            method,
            quality: quality::measure(fixed, moving, DAffine3::IDENTITY),
            iterations: 0,
        };
    }
    let Some(found) = search(fixed, moving) else {
        return unaligned(method, "the two fields of view have too little in common".to_owned());
    };
    let map = found.pose.map();
    let rigid = Alignment {
        follow_up_from_baseline: map,
        method,
        quality: quality::measure(fixed, moving, map),
        iterations: found.iterations,
    };
    stretched(&found, &rigid, fixed, moving).unwrap_or(rigid)
}

/// A median residual of landmarks above a quarter of the finest spacing is more than a rigid search leaves of a body that
/// has not changed.
const UNCHANGED_MM: f64 = 0.25 * body::SPACING_MM;

/// A stretch is kept if it takes away this share of the residual at least.
const CLEARLY: f64 = 0.2;

/// And if it does not lose more than a tenth of the landmarks.
const AS_MANY: f64 = 0.9;

/// Weight that halves or doubles changes width and depth by a fifth; height does not change. A larger stretch is no
/// change of weight.
const LARGEST_STRETCH: f64 = 1.2;

/// The map with a stretch, where the landmarks lie off without it and clearly less with it.
fn stretched(found: &Found, rigid: &Alignment, fixed: &Body, moving: &Body) -> Option<Alignment> {
    let before = rigid.quality.landmark_residual.filter(|r| r.median > UNCHANGED_MM)?;
    let (pose, steps) = found.fine.stretched(found.pose);
    let widest = pose.stretch().max_element().max(1.0 / pose.stretch().min_element());
    if widest > LARGEST_STRETCH {
        return None;
    }
    let quality = quality::measure(fixed, moving, pose.map());
    let after = quality.landmark_residual?;
    let clearly = after.median <= (1.0 - CLEARLY) * before.median
        && after.count as f64 >= AS_MANY * before.count as f64;
    let nothing_worse = quality.verdict >= rigid.quality.verdict
        && quality.correlation_after >= rigid.quality.correlation_after;
    (clearly && nothing_worse).then(|| Alignment {
        follow_up_from_baseline: pose.map(),
        method: rigid.method.stretched(),
        quality,
        iterations: rigid.iterations + steps,
    })
}

fn unaligned(method: Method, reason: String) -> Alignment {
    Alignment {
        follow_up_from_baseline: DAffine3::IDENTITY,
        method,
        quality: Quality {
            correlation_before: None,
            correlation_after: None,
            body_overlap_dice: None,
            skeleton_overlap_dice: None,
            common_body_fraction: 0.0,
            landmark_residual: None,
            verdict: Verdict::Failed,
            reasons: vec![reason],
        },
        iterations: 0,
    }
}

/// Starts tried at the coarsest level, and how many of them go on to the middle level.
const STARTS: usize = 8;
const SURVIVORS: usize = 2;

/// A rigid pose with the level on which it was found.
struct Found {
    pose: refine::Pose,
    fine: refine::Level,
    iterations: usize,
}

/// From all starts at 16 mm to the one result at 4 mm; `None` if no start has enough in common.
fn search(fixed: &Body, moving: &Body) -> Option<Found> {
    let level = |spacing_mm, most| refine::Level::new(fixed, moving, spacing_mm, most);
    let ((coarse, mut poses), (middle, fine)) = rayon::join(
        || rayon::join(|| level(16.0, 3_000), || start::poses(fixed, moving)),
        || rayon::join(|| level(8.0, 15_000), || level(body::SPACING_MM, 60_000)),
    );
    coarse.keep_best(&mut poses, STARTS);
    let mut iterations = coarse.refine_all(&mut poses, refine::Weights::Equal);
    coarse.keep_best(&mut poses, SURVIVORS);
    iterations += middle.refine_all(&mut poses, refine::Weights::Robust);
    middle.keep_best(&mut poses, 1);
    iterations += fine.refine_all(&mut poses, refine::Weights::Robust);
    Some(Found { pose: *poses.first()?, fine, iterations })
}
