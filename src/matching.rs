//! Which lesion of one scan is which of the other.
//!
//! Regions are carried into the later scan's frame. Two belong together where most of the smaller one lies in the other,
//! widened by the tolerance of alignment and breathing; a region that overlaps none is linked with the nearest within a
//! larger reach, if that has no partner either. Linked regions form groups: one and one persist, several and one have
//! merged, one and several have split, one and none has resolved, none and one is new. What lies outside the other scan's
//! field of view is neither resolved nor new.
//!
//! A region that may be an organ's own uptake (a loop of bowel, a kidney) is linked with more care. It is never linked as a
//! mere neighbour. And a lesion that comes up within a long loop that took up FDG before, hotter than any of it, is not the
//! loop; nor is a mass far hotter than the faint spot that lay in its place that spot, unless both are of about one extent.
//!
//! How far a group may be trusted is tried: the map is displaced by what the alignment leaves uncertain, in 14 directions,
//! and a group is as certain as it often comes out the same.
//!
//! Source of the scheme (widen, overlap, assign): Santoro-Fernandes 2021 (Phys Med Biol, lesion matching after registration).

mod scene;

use std::fmt;

use glam::{DAffine3, DVec3};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::geometry::VolumeGeometry;
use crate::segmentation::Region;

use self::scene::Scene;

/// Regions that come this near after alignment overlap, millimetres.
pub const TOLERANCE_MM: f64 = 6.0;
/// Share of the smaller region that must lie in the other one, widened by the tolerance.
const OVERLAP: f64 = 0.5;
/// Regions without a partner are linked up to this distance of their nearest voxels (and twice it of their centroids),
/// millimetres.
pub const REACH_MM: f64 = 15.0;

/// What is this many times as hot as an uncertain spot that lay in its place is not the same; less may be due to the spot's
/// size alone: at a millilitre about half of the uptake is seen.
///
/// Source: Soret 2007 JNM 48:932 (partial-volume effect).
const SPOT_UPTAKE: f64 = 2.0;

/// What became of a group of lesions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// One before, one now.
    Persistent,
    /// One before, none now.
    Resolved,
    /// None before, one now.
    New,
    /// Several before, fewer now.
    Merged,
    /// One or more before, more now.
    Split,
    /// The site is outside the field of view of one of the scans.
    OutOfView,
}

impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Persistent => "persistent",
            Self::Resolved => "resolved",
            Self::New => "new",
            Self::Merged => "merged",
            Self::Split => "split",
            Self::OutOfView => "out of view",
        })
    }
}

/// How far a link can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Most displacements by the alignment's residual would link other lesions, or call another fate.
    Low,
    /// At least half of them would not; or all, but the lesions do not overlap and are linked as nearest neighbours, or
    /// the alignment is doubtful.
    Moderate,
    /// None of them would, and the alignment is good.
    High,
    /// A person decided.
    Reader,
}

impl fmt::Display for Confidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Reader => "reader",
        })
    }
}

/// Regions that belong together, as positions in the lists given, and what became of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// In the earlier scan, ascending.
    pub earlier: Vec<usize>,
    /// In the later scan, ascending.
    pub later: Vec<usize>,
    /// What became of the group.
    pub fate: Fate,
    /// Share of the displacements tried under which the same regions form a group with the same fate, 0 to 1.
    pub stability: f64,
    /// Whether its regions do not overlap, and are linked as nearest neighbours.
    pub by_distance: bool,
    /// Whether a person said that they belong together.
    pub given: bool,
}

impl Group {
    /// How far the group can be trusted; `trusted` says whether the alignment is good.
    pub fn confidence(&self, trusted: bool) -> Confidence {
        match self.stability {
            _ if self.given => Confidence::Reader,
            s if s < 0.5 => Confidence::Low,
            s if s < 1.0 || self.by_distance || !trusted => Confidence::Moderate,
            _ => Confidence::High,
        }
    }

    fn empty() -> Self {
        let (earlier, later) = (Vec::new(), Vec::new());
        let (fate, stability, by_distance, given) = (Fate::Persistent, 0.0, false, false);
        Self { earlier, later, fate, stability, by_distance, given }
    }

    fn is(&self, other: &Self) -> bool {
        self.earlier == other.earlier && self.later == other.later && self.fate == other.fate
    }
}

/// A region that is disease, or may be.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The region.
    pub region: &'a Region,
    /// Its SUVmax, of one kind in both scans.
    pub suv_max: f64,
    /// Whether it may be an organ's own uptake instead of disease.
    pub may_be_normal: bool,
}

/// The regions of one scan with their lattice.
#[derive(Debug, Clone, Copy)]
pub struct Regions<'a> {
    /// The lattice of the scan.
    pub geometry: &'a VolumeGeometry,
    /// The regions.
    pub candidates: &'a [Candidate<'a>],
}

/// Groups the regions of two scans; groups in the order of their first earlier region, then of the first later one.
///
/// `uncertain_mm` is how far the map may be off: it decides how stable a group is, not which groups there are.
pub fn link(
    earlier: Regions<'_>,
    later: Regions<'_>,
    later_from_earlier: DAffine3,
    uncertain_mm: f64,
) -> Vec<Group> {
    let scene = Scene::new(earlier, later, later_from_earlier);
    let mut groups = scene.groups(DVec3::ZERO);
    let tried: Vec<Vec<Group>> =
        directions().par_iter().map(|d| scene.groups(uncertain_mm * *d)).collect();
    for group in &mut groups {
        let same = tried.iter().filter(|t| t.iter().any(|other| other.is(group))).count();
        group.stability = same as f64 / tried.len() as f64;
    }
    groups
}

/// The groups that a person made, as positions in the earlier and in the later scan, with what became of them.
pub fn link_as_given(
    earlier: Regions<'_>,
    later: Regions<'_>,
    later_from_earlier: DAffine3,
    groups: impl IntoIterator<Item = (Vec<usize>, Vec<usize>)>,
) -> Vec<Group> {
    let scene = Scene::new(earlier, later, later_from_earlier);
    let group = |(earlier, later)| {
        let group = Group { earlier, later, stability: 1.0, given: true, ..Group::empty() };
        Group { fate: scene.fate(&group, DVec3::ZERO), ..group }
    };
    groups.into_iter().map(group).collect()
}

/// Along the axes and the diagonals of space, evenly around.
fn directions() -> Vec<DVec3> {
    let steps = || [-1.0, 0.0, 1.0].into_iter();
    steps()
        .flat_map(|x| steps().flat_map(move |y| steps().map(move |z| DVec3::new(x, y, z))))
        .filter(|d| [1.0, 3.0].contains(&d.length_squared()))
        .map(DVec3::normalize)
        .collect()
}

#[cfg(test)]
mod tests;
