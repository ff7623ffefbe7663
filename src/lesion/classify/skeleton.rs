//! Bone and marrow.

use super::features::Features;
use super::finding;
use super::head::HEAD_MM;
use super::urinary::in_bladder_zone;
use crate::lesion::{Class, Finding, Landmarks, Site};

pub(super) fn bone(f: &Features, marrow: bool) -> Option<Finding> {
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

/// Whether the skeleton as a whole takes up tracer: bone over most of the length of the trunk.
pub(super) fn diffuse_marrow(features: &[Features]) -> bool {
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
pub(super) fn guess_bone(features: &mut [Features], marks: &Landmarks<'_>) {
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
