//! Which lesion of one scan is which of the other.
//!
//! Regions are carried into the later scan's frame. Two belong together where they overlap after the earlier one has been
//! widened by the tolerance of alignment and breathing; a region that overlaps none is linked with the nearest within a
//! larger reach, if that has no partner either. Linked regions form groups: one and one persist, several and one have
//! merged, one and several have split, one and none has resolved, none and one is new.
//!
//! Source of the scheme (widen, overlap, assign): Santoro-Fernandes 2021 (Phys Med Biol, lesion matching after registration).

use std::fmt;

use glam::{DAffine3, DVec3};
use schemars::JsonSchema;
use serde::Serialize;

use crate::geometry::VolumeGeometry;
use crate::segmentation::Region;

/// Regions that come this near after alignment overlap, millimetres.
pub const TOLERANCE_MM: f64 = 6.0;
/// Regions without a partner are linked up to this distance of their nearest voxels, millimetres.
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

/// Regions that belong together, as positions in the lists given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// In the earlier scan, ascending.
    pub earlier: Vec<usize>,
    /// In the later scan, ascending.
    pub later: Vec<usize>,
}

impl Group {
    /// What became of the group, both fields of view granted.
    pub fn fate(&self) -> Fate {
        match (self.earlier.len(), self.later.len()) {
            (0, _) => Fate::New,
            (_, 0) => Fate::Resolved,
            (before, now) if before > now => Fate::Merged,
            (before, now) if before < now => Fate::Split,
            _ => Fate::Persistent,
        }
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
pub fn link(earlier: Regions<'_>, later: Regions<'_>, later_from_earlier: DAffine3) -> Vec<Group> {
    let carried: Vec<Vec<DVec3>> =
        earlier.regions.iter().map(|r| places(earlier.geometry, r, later_from_earlier)).collect();
    let there: Vec<Vec<DVec3>> =
        later.regions.iter().map(|r| places(later.geometry, r, DAffine3::IDENTITY)).collect();
    let distance = |e: usize, l: usize| nearest_mm(&carried[e], &there[l], REACH_MM);
    let pairs = (0..carried.len()).flat_map(|e| (0..there.len()).map(move |l| (e, l)));
    let near: Vec<(usize, usize, f64)> =
        pairs.filter_map(|(e, l)| Some((e, l, distance(e, l)?))).collect();
    let mut links: Vec<(usize, usize)> =
        near.iter().filter(|n| n.2 <= TOLERANCE_MM).map(|n| (n.0, n.1)).collect();
    let mut rest: Vec<_> = near.into_iter().filter(|n| n.2 > TOLERANCE_MM).collect();
    rest.sort_by(|a, b| a.2.total_cmp(&b.2));
    for (e, l, _) in rest {
        if links.iter().all(|&(other_e, other_l)| other_e != e && other_l != l) {
            links.push((e, l));
        }
    }
    groups(carried.len(), there.len(), &links)
}

fn places(geometry: &VolumeGeometry, region: &Region, map: DAffine3) -> Vec<DVec3> {
    region.indices().map(|voxel| map.transform_point3(geometry.centre_of(voxel))).collect()
}

/// Distance of the nearest two places of two sets, `None` beyond the reach.
fn nearest_mm(a: &[DVec3], b: &[DVec3], reach: f64) -> Option<f64> {
    let bounds = |p: &[DVec3]| {
        p.iter().fold((DVec3::MAX, DVec3::MIN), |(low, high), &p| (low.min(p), high.max(p)))
    };
    let ((a_low, a_high), (b_low, b_high)) = (bounds(a), bounds(b));
    let (low, high) = (a_low.max(b_low) - reach, a_high.min(b_high) + reach);
    // Only places in the box both come near to can be near each other.
    let inside = |p: &&DVec3| p.cmpge(low).all() && p.cmple(high).all();
    let a: Vec<&DVec3> = a.iter().filter(inside).collect();
    let b: Vec<&DVec3> = b.iter().filter(inside).collect();
    let mut nearest = f64::INFINITY;
    for p in &a {
        for q in &b {
            nearest = nearest.min(p.distance_squared(**q));
            if nearest <= TOLERANCE_MM * TOLERANCE_MM {
                return Some(nearest.sqrt());
            }
        }
    }
    (nearest <= reach * reach).then(|| nearest.sqrt())
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
            groups.push((root, Group::default()));
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
        let (g, h) = (lattice(4.0, 0.0), lattice(3.5, shift));
        let ball = |g: &VolumeGeometry, &(x, r): &(f64, f64), shift: f64| {
            sphere(g, DVec3::new(x, 80.0, 80.0) + shift, r).region
        };
        let before: Vec<_> = earlier.iter().map(|b| ball(&g, b, 0.0)).collect();
        let now: Vec<_> = later.iter().map(|b| ball(&h, b, shift)).collect();
        let (before, now): (Vec<_>, Vec<_>) = (before.iter().collect(), now.iter().collect());
        let map = DAffine3::from_translation(DVec3::splat(shift));
        let groups = link(
            Regions { geometry: &g, regions: &before },
            Regions { geometry: &h, regions: &now },
            map,
        );
        groups.iter().map(Group::fate).collect()
    }

    #[test]
    fn fates_of_spheres() {
        use Fate::{Merged, New, Persistent, Resolved, Split};
        let rows: [(&[(f64, f64)], &[(f64, f64)], &[Fate]); 7] = [
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
        // Surfaces 12 mm apart: linked; 25 mm: not.
        assert_eq!(fates(&[(50.0, 8.0)], &[(78.0, 8.0)], 0.0), [Fate::Persistent]);
        assert_eq!(fates(&[(50.0, 8.0)], &[(91.0, 8.0)], 0.0), [Fate::Resolved, Fate::New]);
    }
}
