//! A region divided among points that a person names.
//!
//! Watershed from markers: each seed first climbs to the maximum above it, so that a point on the slope of a hill stands
//! for the hill; then the region is flooded from the markers, the hottest voxel at the border of the flood first, and
//! each voxel joins its hottest flooded neighbour. Borders lie in the valleys between the seeds. Ties are broken by the
//! order in which voxels were reached.
//! Source: Meyer and Beucher, Morphological segmentation, J Vis Commun Image Represent 1 (1990) 21.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::region::Region;
use crate::volume::Volume;

/// No part yet.
const DRY: u32 = u32::MAX;

/// Divides a region among seeds (positions in [`Volume::values`], all different): one part a seed, in their order, each
/// with its seed. Together the parts are the region; what is not connected with a seed goes to the nearest one.
/// Seeds outside the region have empty parts.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn split_by_seeds(volume: &Volume<f32>, region: &Region, seeds: &[usize]) -> Vec<Region> {
    region.check(volume.geometry());
    let offsets: Vec<usize> = region.offsets().collect();
    let mut flood = Flood { volume, parts: vec![DRY; offsets.len()], offsets };
    flood.mark(seeds);
    flood.run();
    flood.fill(seeds);
    (0..seeds.len() as u32).map(|part| flood.part(part)).collect()
}

struct Flood<'a> {
    volume: &'a Volume<f32>,
    /// The region's voxels, ascending, and the part of each.
    offsets: Vec<usize>,
    parts: Vec<u32>,
}

impl Flood<'_> {
    /// Marks the seeds, then the way from each up to its maximum; where it meets another's way it ends.
    fn mark(&mut self, seeds: &[usize]) {
        let found = |offset: &usize| self.offsets.binary_search(offset).ok();
        let starts: Vec<Option<usize>> = seeds.iter().map(found).collect();
        for (part, start) in (0..).zip(&starts) {
            if let Some(at) = *start {
                self.parts[at] = part;
            }
        }
        for (part, start) in (0..).zip(&starts) {
            let mut at = *start;
            while let Some(above) = at.and_then(|at| self.above(at)) {
                at = (self.parts[above] == DRY).then_some(above);
                if at.is_some() {
                    self.parts[above] = part;
                }
            }
        }
    }

    /// The hottest neighbour that is hotter than the voxel.
    fn above(&self, at: usize) -> Option<usize> {
        let around = self.around(at).into_iter();
        let hottest = around.reduce(|a, b| if self.heat(b) > self.heat(a) { b } else { a });
        hottest.filter(|&above| self.heat(above) > self.heat(at))
    }

    fn heat(&self, at: usize) -> f32 {
        self.volume.values()[self.offsets[at]]
    }

    /// The region's voxels around one of them.
    fn around(&self, at: usize) -> Vec<usize> {
        let voxel = self.volume.voxel_of(self.offsets[at]);
        let shape = self.volume.geometry().shape();
        let range = |axis: usize| voxel[axis].saturating_sub(1)..(voxel[axis] + 2).min(shape[axis]);
        let mut found = Vec::new();
        for s in range(0) {
            for r in range(1) {
                for c in range(2) {
                    let neighbour = self.volume.offset_of([s, r, c]);
                    if neighbour != self.offsets[at] {
                        found.extend(self.offsets.binary_search(&neighbour).ok());
                    }
                }
            }
        }
        found
    }

    fn run(&mut self) {
        let mut reached: u64 = 0;
        let mut border = BinaryHeap::new();
        let marked: Vec<usize> = (0..self.parts.len()).filter(|&n| self.parts[n] != DRY).collect();
        let mut spread = |flood: &Self, border: &mut BinaryHeap<_>, from: usize| {
            for next in flood.around(from).into_iter().filter(|&n| flood.parts[n] == DRY) {
                reached += 1;
                border.push((rank(flood.heat(next)), Reverse(reached), next, from));
            }
        };
        for at in marked {
            spread(self, &mut border, at);
        }
        while let Some((_, _, at, from)) = border.pop() {
            if self.parts[at] == DRY {
                // On the bottom of a valley both floods meet: the steeper side has it, as in the split by maxima.
                let wet = self.around(at).into_iter().filter(|&n| self.parts[n] != DRY);
                let steepest =
                    wet.fold(from, |a, b| if self.heat(b) > self.heat(a) { b } else { a });
                self.parts[at] = self.parts[steepest];
                spread(self, &mut border, at);
            }
        }
    }

    /// What no flood reached goes to the nearest seed of the region.
    fn fill(&mut self, seeds: &[usize]) {
        let geometry = self.volume.geometry();
        let place = |offset: usize| geometry.centre_of(self.volume.voxel_of(offset));
        let inside = |&(_, seed): &(u32, usize)| self.offsets.binary_search(&seed).is_ok();
        let seeds: Vec<_> = (0..).zip(seeds.iter().copied()).filter(inside).collect();
        for (part, &offset) in self.parts.iter_mut().zip(&self.offsets) {
            if *part == DRY {
                let far = |seed: usize| place(seed).distance_squared(place(offset));
                let nearest = seeds.iter().min_by(|a, b| far(a.1).total_cmp(&far(b.1)));
                *part = nearest.map_or(DRY, |(part, _)| *part);
            }
        }
    }

    fn part(&self, part: u32) -> Region {
        let mine = self.offsets.iter().zip(&self.parts).filter(|(_, p)| **p == part);
        Region::from_offsets(self.volume.geometry().shape(), mine.map(|(offset, _)| *offset))
    }
}

/// A number that grows with the value, in the order of [`f32::total_cmp`].
pub(super) fn rank(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::geometry::VolumeGeometry;

    fn line(values: &[f32]) -> (Volume<f32>, Region) {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X];
        let g = VolumeGeometry::new([1, 1, values.len()], DVec3::ZERO, steps).unwrap();
        let inside = (0..values.len()).filter(|&n| values[n] > 0.0);
        let region = Region::from_offsets(g.shape(), inside);
        (Volume::from_vec(g, values.to_vec()), region)
    }

    fn sizes(values: &[f32], seeds: &[usize]) -> Vec<Vec<usize>> {
        let (volume, region) = line(values);
        let parts = split_by_seeds(&volume, &region, seeds);
        parts.iter().map(|part| part.offsets().collect()).collect()
    }

    #[test]
    fn the_valley_is_the_border() {
        let hills = [4.0, 12.0, 8.0, 5.0, 7.0, 10.0];
        // At the maxima, and on the slopes: the same parts, in the order of the seeds.
        for seeds in [[1, 5], [0, 4], [2, 4]] {
            assert_eq!(sizes(&hills, &seeds), [vec![0, 1, 2, 3], vec![4, 5]], "{seeds:?}");
        }
        assert_eq!(sizes(&hills, &[5, 1]), [vec![4, 5], vec![0, 1, 2, 3]]);
        // A seed far down the slope of the lower hill keeps it, though the higher hill floods first.
        assert_eq!(sizes(&[20.0, 15.0, 5.0, 4.0, 6.0, 7.0], &[0, 3])[1], [3, 4, 5]);
    }

    #[test]
    fn a_plateau_and_one_hill_are_divided_too() {
        assert_eq!(sizes(&[5.0, 5.0, 5.0, 5.0], &[0, 3]), [vec![0, 1], vec![2, 3]]);
        // Both seeds below one maximum: the first takes it.
        assert_eq!(sizes(&[1.0, 2.0, 3.0, 2.0, 1.0], &[1, 3]), [vec![0, 1, 2], vec![3, 4]]);
    }

    #[test]
    fn pieces_without_a_seed_go_to_the_nearest() {
        let pieces = [5.0, 0.0, 9.0, 3.0, 8.0, 0.0, 0.0, 6.0];
        assert_eq!(sizes(&pieces, &[2, 4]), [vec![0, 2, 3], vec![4, 7]]);
        assert_eq!(sizes(&pieces, &[2, 1]), [vec![0, 2, 3, 4, 7], vec![]]);
    }

    #[test]
    fn values_are_ranked_as_numbers() {
        let values = [f32::NEG_INFINITY, -2.0, -1.0, 0.0, 1e-9, 1.0, f32::INFINITY];
        assert!(values.map(rank).is_sorted());
    }
}
