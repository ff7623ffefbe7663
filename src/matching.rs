//! Which lesion of one scan is which of the other.
//!
//! Regions are carried into the later scan's frame. Two belong together where most of the smaller one lies in the other,
//! widened by the tolerance of alignment and breathing; a region that overlaps none is linked with the nearest within a
//! larger reach, if that has no partner either. Linked regions form groups: one and one persist, several and one have
//! merged, one and several have split, one and none has resolved, none and one is new. What lies outside the other scan's
//! field of view is neither resolved nor new.
//!
//! How far a group may be trusted is tried: the map is displaced by what the alignment leaves uncertain, in 14 directions,
//! and a group is as certain as it often comes out the same.
//!
//! Source of the scheme (widen, overlap, assign): Santoro-Fernandes 2021 (Phys Med Biol, lesion matching after registration).

use std::fmt;

use glam::{DAffine3, DMat3, DVec3};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use crate::geometry::VolumeGeometry;
use crate::segmentation::Region;

/// Regions that come this near after alignment overlap, millimetres.
pub const TOLERANCE_MM: f64 = 6.0;
/// Share of the smaller region that must lie in the other one, widened by the tolerance.
const OVERLAP: f64 = 0.5;
/// Regions without a partner are linked up to this distance of their nearest voxels (and twice it of their centroids),
/// millimetres.
pub const REACH_MM: f64 = 15.0;

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

/// The regions of one scan with their lattice.
#[derive(Debug, Clone, Copy)]
pub struct Regions<'a> {
    /// The lattice of the scan.
    pub geometry: &'a VolumeGeometry,
    /// The regions.
    pub regions: &'a [&'a Region],
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

/// A region at home and carried into the other scan.
struct Carried {
    /// Voxel centres and centroid in the other scan.
    places: Vec<DVec3>,
    centroid: DVec3,
    /// Centroid, farthest voxel from it and volume at home.
    home: DVec3,
    radius_mm: f64,
    volume_ml: f64,
    /// The region at home, widened by the tolerance and by the reach.
    widened: Region,
    reach: Region,
}

/// Voxels of a region that are carried; more say no more of how much of it lies in another region.
const MOST_PLACES: usize = 4096;

impl Carried {
    fn all(regions: Regions<'_>, map: DAffine3) -> Vec<Self> {
        let geometry = regions.geometry;
        let carry = |region: &&Region| {
            let home = region.centroid_mm(geometry).unwrap_or(DVec3::INFINITY);
            let centres = || region.indices().map(|voxel| geometry.centre_of(voxel));
            // A step of odd length visits all rows and columns alike.
            let step = region.voxels().div_ceil(MOST_PLACES).max(1) | 1;
            Self {
                places: centres().step_by(step).map(|p| map.transform_point3(p)).collect(),
                centroid: map.transform_point3(home),
                home,
                radius_mm: centres().map(|p| p.distance(home)).fold(0.0, f64::max),
                volume_ml: region.volume_ml(geometry),
                widened: region.dilated_mm(geometry, TOLERANCE_MM),
                reach: region.dilated_mm(geometry, REACH_MM),
            }
        };
        regions.regions.iter().map(carry).collect()
    }

    /// Share of the carried voxels, displaced, for which something holds.
    fn share(&self, off: DVec3, holds: impl Fn(DVec3) -> bool) -> f64 {
        let inside = self.places.iter().filter(|p| holds(**p + off)).count();
        inside as f64 / self.places.len().max(1) as f64
    }

    /// Share of the carried voxels that lie in a region of the other scan.
    fn share_in(&self, region: &Region, geometry: &VolumeGeometry, off: DVec3) -> f64 {
        self.share(off, |p| holds(region, geometry, p))
    }

    fn touches(&self, region: &Region, geometry: &VolumeGeometry, off: DVec3) -> bool {
        self.places.iter().any(|p| holds(region, geometry, *p + off))
    }
}

fn holds(region: &Region, geometry: &VolumeGeometry, place: DVec3) -> bool {
    geometry.voxel_at(place).is_some_and(|[s, r, c]| {
        let [_, rows, columns] = geometry.shape();
        region.contains((s * rows + r) * columns + c)
    })
}

/// Two scans with their regions carried into each other.
struct Scene<'a> {
    earlier: &'a VolumeGeometry,
    later: &'a VolumeGeometry,
    before: Vec<Carried>,
    now: Vec<Carried>,
    /// Turns a displacement in the later scan into one in the earlier.
    back: DMat3,
}

impl<'a> Scene<'a> {
    fn new(earlier: Regions<'a>, later: Regions<'a>, later_from_earlier: DAffine3) -> Self {
        Self {
            earlier: earlier.geometry,
            later: later.geometry,
            before: Carried::all(earlier, later_from_earlier),
            now: Carried::all(later, later_from_earlier.inverse()),
            back: later_from_earlier.matrix3.inverse(),
        }
    }

    /// The groups with the map displaced by `off` in the later scan.
    fn groups(&self, off: DVec3) -> Vec<Group> {
        let pairs = (0..self.before.len()).flat_map(|e| (0..self.now.len()).map(move |l| (e, l)));
        let near = pairs.filter(|&(e, l)| self.may_meet(e, l, off));
        let (mut links, rest): (Vec<_>, Vec<_>) = near.partition(|&(e, l)| self.overlap(e, l, off));
        let overlapping = links.len();
        let mut near: Vec<(usize, usize, f64)> = rest
            .into_iter()
            .filter(|&(e, l)| self.before[e].touches(&self.now[l].reach, self.later, off))
            .map(|(e, l)| (e, l, (self.before[e].centroid + off).distance(self.now[l].home)))
            .filter(|&(.., distance)| distance <= 2.0 * REACH_MM)
            .collect();
        near.sort_by(|a, b| a.2.total_cmp(&b.2));
        for (e, l, _) in near {
            if links.iter().all(|&(other_e, other_l)| other_e != e && other_l != l) {
                links.push((e, l));
            }
        }
        let by_distance = &links[overlapping..];
        let mut groups = groups(self.before.len(), self.now.len(), &links);
        for group in &mut groups {
            group.fate = self.fate(group, off);
            group.by_distance =
                by_distance.iter().any(|&(e, l)| group.earlier == [e] && group.later == [l]);
        }
        groups
    }

    /// Whether two regions come within reach at all: a quick answer for the many that do not.
    fn may_meet(&self, e: usize, l: usize, off: DVec3) -> bool {
        let (before, now) = (&self.before[e], &self.now[l]);
        // A map may stretch a little.
        let reach = 1.2 * before.radius_mm + now.radius_mm + 2.0 * REACH_MM;
        (before.centroid + off).distance(now.home) <= reach
    }

    /// Whether most of the smaller region lies in the other one, widened by the tolerance. Regions that merely touch (a
    /// stomach beside a spleen) do not overlap.
    fn overlap(&self, e: usize, l: usize, off: DVec3) -> bool {
        let (before, now) = (&self.before[e], &self.now[l]);
        let share = if before.volume_ml <= now.volume_ml {
            before.share_in(&now.widened, self.later, off)
        } else {
            now.share_in(&before.widened, self.earlier, -(self.back * off))
        };
        share >= OVERLAP
    }

    /// What became of a group. A region without a partner, most of which the other scan's field of view does not show, is
    /// out of view.
    fn fate(&self, group: &Group, off: DVec3) -> Fate {
        let seen = |carried: &Carried, geometry: &VolumeGeometry, off: DVec3| {
            carried.share(off, |p| geometry.voxel_at(p).is_some()) >= OVERLAP
        };
        match (&group.earlier[..], &group.later[..]) {
            ([], later) => {
                let off = -(self.back * off);
                let seen = later.iter().all(|&l| seen(&self.now[l], self.earlier, off));
                if seen { Fate::New } else { Fate::OutOfView }
            }
            (earlier, []) => {
                let seen = earlier.iter().all(|&e| seen(&self.before[e], self.later, off));
                if seen { Fate::Resolved } else { Fate::OutOfView }
            }
            (before, now) if before.len() > now.len() => Fate::Merged,
            (before, now) if before.len() < now.len() => Fate::Split,
            _ => Fate::Persistent,
        }
    }
}

/// The connected parts of the graph of links.
fn groups(earlier: usize, later: usize, links: &[(usize, usize)]) -> Vec<Group> {
    let mut label: Vec<usize> = (0..earlier + later).collect();
    for &(e, l) in links {
        let (a, b) = (label[e], label[earlier + l]);
        let (keep, drop) = (a.min(b), a.max(b));
        label.iter_mut().filter(|n| **n == drop).for_each(|n| *n = keep);
    }
    let mut groups: Vec<(usize, Group)> = Vec::new();
    for (n, &root) in label.iter().enumerate() {
        let at = groups.iter().position(|(r, _)| *r == root).unwrap_or_else(|| {
            groups.push((root, Group::empty()));
            groups.len() - 1
        });
        let group = &mut groups[at].1;
        if n < earlier { group.earlier.push(n) } else { group.later.push(n - earlier) }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segmentation::sphere;

    fn lattice(spacing: f64, origin: f64) -> VolumeGeometry {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|a| a * spacing);
        VolumeGeometry::new([50, 50, 50], DVec3::splat(origin), steps).unwrap()
    }

    fn fates(earlier: &[(f64, f64)], later: &[(f64, f64)], shift: f64) -> Vec<Fate> {
        linked(earlier, later, shift, 2.0).iter().map(|g| g.fate).collect()
    }

    fn linked(
        earlier: &[(f64, f64)],
        later: &[(f64, f64)],
        shift: f64,
        uncertain_mm: f64,
    ) -> Vec<Group> {
        let (g, h) = (lattice(4.0, 0.0), lattice(3.5, shift));
        let ball = |g: &VolumeGeometry, &(x, r): &(f64, f64), shift: f64| {
            sphere(g, DVec3::new(x, 80.0, 80.0) + shift, r).region
        };
        let before: Vec<_> = earlier.iter().map(|b| ball(&g, b, 0.0)).collect();
        let now: Vec<_> = later.iter().map(|b| ball(&h, b, shift)).collect();
        let (before, now): (Vec<_>, Vec<_>) = (before.iter().collect(), now.iter().collect());
        let map = DAffine3::from_translation(DVec3::splat(shift));
        link(
            Regions { geometry: &g, regions: &before },
            Regions { geometry: &h, regions: &now },
            map,
            uncertain_mm,
        )
    }

    #[test]
    fn fates_of_spheres() {
        use Fate::{Merged, New, Persistent, Resolved, Split};
        type Row<'a> = (&'a [(f64, f64)], &'a [(f64, f64)], &'a [Fate]);
        let rows: [Row<'_>; 7] = [
            (&[(50.0, 12.0)], &[(52.0, 8.0)], &[Persistent]),
            (&[(50.0, 12.0)], &[], &[Resolved]),
            (&[], &[(50.0, 12.0)], &[New]),
            (&[(50.0, 10.0)], &[(120.0, 10.0)], &[Resolved, New]),
            (&[(40.0, 10.0), (70.0, 10.0)], &[(55.0, 22.0)], &[Merged]),
            (&[(55.0, 22.0)], &[(40.0, 8.0), (70.0, 8.0)], &[Split]),
            // Nearby but apart: each keeps its own partner.
            (&[(40.0, 8.0), (80.0, 8.0)], &[(42.0, 8.0), (82.0, 8.0)], &[Persistent, Persistent]),
        ];
        for (before, now, expected) in rows {
            for shift in [0.0, 300.0] {
                assert_eq!(fates(before, now, shift), expected, "{before:?} {now:?}");
            }
        }
    }

    #[test]
    fn a_lone_neighbour_within_reach_is_the_same_lesion() {
        // Surfaces 10 mm apart: linked; 25 mm: not.
        assert_eq!(fates(&[(50.0, 8.0)], &[(76.0, 8.0)], 0.0), [Fate::Persistent]);
        assert_eq!(fates(&[(50.0, 8.0)], &[(91.0, 8.0)], 0.0), [Fate::Resolved, Fate::New]);
    }

    #[test]
    fn what_the_other_field_does_not_show_is_out_of_view() {
        // The later lattice ends at x = 171 of the earlier one's frame plus the shift.
        assert_eq!(fates(&[(185.0, 8.0)], &[], 0.0), [Fate::OutOfView]);
        assert_eq!(fates(&[(150.0, 8.0)], &[], 0.0), [Fate::Resolved]);
        // Most of it is seen.
        assert_eq!(fates(&[(167.0, 8.0)], &[], 0.0), [Fate::Resolved]);
    }

    #[test]
    fn confidence_falls_with_the_uncertainty_of_the_map() {
        let confidence = |before: &[(f64, f64)], now: &[(f64, f64)], mm: f64, trusted: bool| {
            linked(before, now, 0.0, mm)[0].confidence(trusted)
        };
        let ball = [(50.0, 12.0)];
        assert_eq!(confidence(&ball, &ball, 3.0, true), Confidence::High);
        assert_eq!(confidence(&ball, &ball, 3.0, false), Confidence::Moderate);
        // Linked as neighbours only.
        assert_eq!(confidence(&[(50.0, 8.0)], &[(74.0, 8.0)], 1.0, true), Confidence::Moderate);
        // Farther than the reach by most displacements of 50 mm.
        assert_eq!(confidence(&ball, &ball, 50.0, true), Confidence::Low);
        // At the end of the field of view.
        assert_ne!(confidence(&[(169.0, 8.0)], &[], 6.0, true), Confidence::High);
    }
}
