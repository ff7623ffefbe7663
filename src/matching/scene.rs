//! Two scans with the regions of each carried into the other: which of them belong together.

use glam::{DAffine3, DMat3, DVec3};
use rayon::prelude::*;

use super::{Candidate, Fate, Group, OVERLAP, REACH_MM, Regions, SPOT_UPTAKE, TOLERANCE_MM};
use crate::geometry::VolumeGeometry;
use crate::segmentation::Region;

/// A region at home and carried into the other scan.
struct Carried {
    suv_max: f64,
    may_be_normal: bool,
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
        let carry = |&Candidate { region, suv_max, may_be_normal }: &Candidate<'_>| {
            let home = region.centroid_mm(geometry).unwrap_or(DVec3::INFINITY);
            let centres = || region.indices().map(|voxel| geometry.centre_of(voxel));
            // A step of odd length visits all rows and columns alike.
            let step = region.voxels().div_ceil(MOST_PLACES).max(1) | 1;
            Self {
                suv_max,
                may_be_normal,
                places: centres().step_by(step).map(|p| map.transform_point3(p)).collect(),
                centroid: map.transform_point3(home),
                home,
                radius_mm: centres().map(|p| p.distance(home)).fold(0.0, f64::max),
                volume_ml: region.volume_ml(geometry),
                widened: region.dilated_mm(geometry, TOLERANCE_MM),
                reach: region.dilated_mm(geometry, REACH_MM),
            }
        };
        regions.candidates.par_iter().map(carry).collect()
    }

    /// Share of the carried voxels, displaced, for which something holds.
    fn share(&self, off: DVec3, holds: impl Fn(DVec3) -> bool) -> f64 {
        let inside = self.places.iter().filter(|p| holds(**p + off)).count();
        inside as f64 / self.places.len().max(1) as f64
    }

    /// Share of the carried voxels that lie in a region of the other scan.
    fn share_in(&self, region: &Region, geometry: &VolumeGeometry, off: DVec3) -> f64 {
        self.share(off, |p| region.holds(geometry, p))
    }

    fn touches(&self, region: &Region, geometry: &VolumeGeometry, off: DVec3) -> bool {
        self.places.iter().any(|p| region.holds(geometry, *p + off))
    }
}

/// Two scans with their regions carried into each other.
pub(super) struct Scene<'a> {
    earlier: &'a VolumeGeometry,
    later: &'a VolumeGeometry,
    before: Vec<Carried>,
    now: Vec<Carried>,
    /// Turns a displacement in the later scan into one in the earlier.
    back: DMat3,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        earlier: Regions<'a>,
        later: Regions<'a>,
        later_from_earlier: DAffine3,
    ) -> Self {
        Self {
            earlier: earlier.geometry,
            later: later.geometry,
            before: Carried::all(earlier, later_from_earlier),
            now: Carried::all(later, later_from_earlier.inverse()),
            back: later_from_earlier.matrix3.inverse(),
        }
    }

    /// The groups with the map displaced by `off` in the later scan.
    pub(super) fn groups(&self, off: DVec3) -> Vec<Group> {
        let pairs = (0..self.before.len()).flat_map(|e| (0..self.now.len()).map(move |l| (e, l)));
        let near = pairs.filter(|&(e, l)| self.may_meet(e, l, off));
        let (mut links, rest): (Vec<_>, Vec<_>) = near.partition(|&(e, l)| self.overlap(e, l, off));
        let overlapping = links.len();
        let mut near: Vec<(usize, usize, f64)> = rest
            .into_iter()
            .filter(|&(e, l)| !self.before[e].may_be_normal && !self.now[l].may_be_normal)
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

    /// Whether most of the smaller region lies in the other one, widened by the tolerance; most of the larger as well, where
    /// the later one is too hot to be the uncertain earlier one in another extent. Regions that merely touch (a stomach beside
    /// a spleen) do not overlap.
    fn overlap(&self, e: usize, l: usize, off: DVec3) -> bool {
        let (before, now) = (&self.before[e], &self.now[l]);
        let before_in_now = || before.share_in(&now.widened, self.later, off) >= OVERLAP;
        let now_in_before =
            || now.share_in(&before.widened, self.earlier, -(self.back * off)) >= OVERLAP;
        let grown = before.volume_ml <= now.volume_ml;
        let hottest = before.suv_max * if grown { SPOT_UPTAKE } else { 1.0 };
        match (before.may_be_normal && now.suv_max > hottest, grown) {
            (true, _) => before_in_now() && now_in_before(),
            (false, true) => before_in_now(),
            (false, false) => now_in_before(),
        }
    }

    /// What became of a group. A region without a partner, most of which the other scan's field of view does not show, is
    /// out of view.
    pub(super) fn fate(&self, group: &Group, off: DVec3) -> Fate {
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
