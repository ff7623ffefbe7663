//! Which lesion of one scan is which of the other.
//!
//! Regions are carried into the later scan's frame. Two belong together where most of the smaller one lies in the other,
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
    let before = Carried::all(earlier, later_from_earlier);
    let now = Carried::all(later, later_from_earlier.inverse());
    let pairs = (0..before.len()).flat_map(|e| (0..now.len()).map(move |l| (e, l)));
    let (mut links, rest): (Vec<_>, Vec<_>) =
        pairs.partition(|&(e, l)| overlap(&before[e], &now[l], earlier, later));
    let mut near: Vec<(usize, usize, f64)> = rest
        .into_iter()
        .filter(|&(e, l)| before[e].touches(&now[l].reach, later.geometry))
        .map(|(e, l)| (e, l, before[e].centroid.distance(now[l].home)))
        .filter(|&(.., distance)| distance <= 2.0 * REACH_MM)
        .collect();
    near.sort_by(|a, b| a.2.total_cmp(&b.2));
    for (e, l, _) in near {
        if links.iter().all(|&(other_e, other_l)| other_e != e && other_l != l) {
            links.push((e, l));
        }
    }
    groups(before.len(), now.len(), &links)
}

/// A region at home and carried into the other scan.
struct Carried {
    /// Voxel centres and centroid in the other scan.
    places: Vec<DVec3>,
    centroid: DVec3,
    /// Centroid and volume at home.
    home: DVec3,
    volume_ml: f64,
    /// The region at home, widened by the tolerance and by the reach.
    widened: Region,
    reach: Region,
}

impl Carried {
    fn all(regions: Regions<'_>, map: DAffine3) -> Vec<Self> {
        let geometry = regions.geometry;
        let carry = |region: &&Region| {
            let centre = |voxel| map.transform_point3(geometry.centre_of(voxel));
            let home = region.centroid_mm(geometry).unwrap_or(DVec3::INFINITY);
            Self {
                places: region.indices().map(centre).collect(),
                centroid: map.transform_point3(home),
                home,
                volume_ml: region.volume_ml(geometry),
                widened: region.dilated_mm(geometry, TOLERANCE_MM),
                reach: region.dilated_mm(geometry, REACH_MM),
            }
        };
        regions.regions.iter().map(carry).collect()
    }

    /// Share of the carried voxels that lie in a region of the other scan.
    fn share_in(&self, region: &Region, geometry: &VolumeGeometry) -> f64 {
        let inside = self.places.iter().filter(|p| holds(region, geometry, **p)).count();
        inside as f64 / self.places.len().max(1) as f64
    }

    fn touches(&self, region: &Region, geometry: &VolumeGeometry) -> bool {
        self.places.iter().any(|p| holds(region, geometry, *p))
    }
}

fn holds(region: &Region, geometry: &VolumeGeometry, place: DVec3) -> bool {
    geometry.voxel_at(place).is_some_and(|[s, r, c]| {
        let [_, rows, columns] = geometry.shape();
        region.contains((s * rows + r) * columns + c)
    })
}

/// Whether most of the smaller region lies in the other one, widened by the tolerance. Regions that merely touch (a stomach
/// beside a spleen) do not overlap.
fn overlap(before: &Carried, now: &Carried, earlier: Regions<'_>, later: Regions<'_>) -> bool {
    let share = if before.volume_ml <= now.volume_ml {
        before.share_in(&now.widened, later.geometry)
    } else {
        now.share_in(&before.widened, earlier.geometry)
    };
    share >= OVERLAP
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
}
