//! Lesions that touch: a region divided among its separate maxima.
//!
//! Voxels are flooded from the hottest down. Each joins the basin of its hottest flooded neighbour; where two basins
//! meet, the value there is their saddle, and they stay apart only if it lies deep enough under the lower of their
//! maxima (the dynamics of the maximum). Ties are broken by memory order.
//! Source: Vincent and Soille, Watersheds in Digital Spaces, IEEE PAMI 13 (1991) 583; Grimaud, A New Measure of
//! Contrast: the Dynamics, Proc. SPIE 1769 (1992) 292.

use rayon::prelude::*;

use super::region::{Region, Run};
use super::seeds::rank;
use crate::volume::Volume;

/// Divides a region among its separate maxima, in order of each part's first voxel.
///
/// Two maxima are separate if the highest saddle between them is below `saddle_fraction` of the lower one: with 0 a
/// region of positive values is never divided, with 1 at every saddle. Values are taken to be positive, like SUV.
///
/// # Panics
/// If the volume is on another lattice: a programming error. If the region's box, wider by a voxel on each side, has 2³²
/// voxels or more: that is 16 GB of numbers.
pub fn split_by_maxima(volume: &Volume<f32>, region: &Region, saddle_fraction: f64) -> Vec<Region> {
    region.check(volume.geometry());
    let Some(rimmed) = Rimmed::around(region) else { return Vec::new() };
    let mut flood = Flood::new(volume, region, &rimmed);
    flood.run(&rimmed, saddle_fraction);
    flood.into_regions(region, &rimmed)
}

/// The box of a region with a rim of one voxel, so that every voxel of the region has all its neighbours in it.
struct Rimmed {
    low: [usize; 3],
    size: [usize; 3],
}

impl Rimmed {
    fn around(region: &Region) -> Option<Self> {
        let bounds = region.bounding_box()?;
        let size = std::array::from_fn(|a| bounds.max[a] - bounds.min[a] + 3);
        Some(Self { low: bounds.min, size })
    }

    /// The runs of a region, each with the place of its first voxel in the box.
    fn runs<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = (Run, usize)> + 'a {
        region.runs().iter().map(|run| {
            let voxel = region.voxel_of(run.start);
            let [s, r, c]: [usize; 3] = std::array::from_fn(|a| voxel[a] - self.low[a] + 1);
            (*run, (s * self.size[1] + r) * self.size[2] + c)
        })
    }

    /// How far before a voxel, or behind it, each row of three voxels around it begins.
    fn rows_around(&self) -> [isize; 9] {
        let [_, rows, columns] = self.size.map(|n| n as isize);
        std::array::from_fn(|n| {
            let [slice, row] = [n as isize / 3 - 1, n as isize % 3 - 1];
            (slice * rows + row) * columns - 1
        })
    }
}

/// Not flooded.
const DRY: u32 = u32::MAX;

/// Voxels are numbered in the order in which they are flooded.
///
/// Fast because the hottest flooded neighbour of a voxel, the first in memory of equals, is the one with the lowest number:
/// one smallest of 27 numbers, and no value is looked at.
struct Flood {
    /// The value and the place in the box of each voxel, hottest first, as one number: see [`key`].
    order: Vec<u64>,
    /// The number of each voxel of the box.
    numbers: Vec<u32>,
    /// The basin of each number.
    basins: Vec<u32>,
    maxima: Vec<f64>,
    /// The basin each has been joined to; a root is its own.
    parents: Vec<u32>,
}

/// A number that is smaller for a hotter voxel, and of equals for the one that comes first.
fn key(value: f32, place: usize) -> u64 {
    let place = u32::try_from(place).expect("a box of fewer than 2³² voxels");
    u64::from(!rank(value)) << 32 | u64::from(place)
}

/// The value and the place of a key.
fn value_and_place(key: u64) -> (f32, usize) {
    let rising = !((key >> 32) as u32);
    let bits = if rising >> 31 == 1 { rising & !(1 << 31) } else { !rising };
    (f32::from_bits(bits), key as u32 as usize)
}

impl Flood {
    fn new(volume: &Volume<f32>, region: &Region, rimmed: &Rimmed) -> Self {
        let values = volume.values();
        let keys = rimmed.runs(region).flat_map(|(run, place)| {
            values[run.range()].iter().zip(place..).map(|(&value, place)| key(value, place))
        });
        let mut order: Vec<u64> = keys.collect();
        order.par_sort_unstable();
        Self {
            basins: Vec::with_capacity(order.len()),
            order,
            numbers: vec![DRY; rimmed.size.iter().product()],
            maxima: Vec::new(),
            parents: Vec::new(),
        }
    }

    fn run(&mut self, rimmed: &Rimmed, saddle_fraction: f64) {
        let rows = rimmed.rows_around();
        for number in 0..self.order.len() {
            let (value, place) = value_and_place(self.order[number]);
            let mut around = [DRY; 27];
            for (three, row) in around.as_chunks_mut::<3>().0.iter_mut().zip(rows) {
                three.copy_from_slice(&self.numbers[place.wrapping_add_signed(row)..][..3]);
            }
            let value = f64::from(value);
            let hottest = around.iter().copied().fold(DRY, u32::min);
            let basin =
                if hottest == DRY { self.new_basin(value) } else { self.basins[hottest as usize] };
            for other in around.into_iter().filter(|&number| number != DRY) {
                let other = self.basins[other as usize];
                if other != basin {
                    self.meet(basin, other, value, saddle_fraction);
                }
            }
            self.basins.push(basin);
            self.numbers[place] = number as u32;
        }
    }

    fn new_basin(&mut self, maximum: f64) -> u32 {
        let basin = self.maxima.len() as u32;
        self.maxima.push(maximum);
        self.parents.push(basin);
        basin
    }

    /// Two basins touch at a value: the lower one joins the higher unless the saddle is deep enough.
    fn meet(&mut self, a: u32, b: u32, saddle: f64, saddle_fraction: f64) {
        let (a, b) = (self.root(a), self.root(b));
        // Basins are numbered by falling maximum, so the later one has the lower maximum.
        let (higher, lower) = (a.min(b), a.max(b));
        let separate = saddle < saddle_fraction * self.maxima[lower as usize];
        if higher != lower && !separate {
            self.parents[lower as usize] = higher;
        }
    }

    fn root(&self, mut basin: u32) -> u32 {
        while self.parents[basin as usize] != basin {
            basin = self.parents[basin as usize];
        }
        basin
    }

    /// The basins that were not joined to others, each with those that were joined to it.
    fn into_regions(self, region: &Region, rimmed: &Rimmed) -> Vec<Region> {
        let roots: Vec<u32> = (0..self.maxima.len()).map(|n| self.root(n as u32)).collect();
        let mut parts: Vec<Vec<Run>> = vec![Vec::new(); roots.len()];
        for (run, place) in rimmed.runs(region) {
            let numbers = &self.numbers[place..][..run.range().len()];
            let mut last = None;
            for (offset, &number) in run.range().zip(numbers) {
                let root = roots[self.basins[number as usize] as usize] as usize;
                let end = offset + 1;
                match parts[root].last_mut() {
                    Some(part) if last == Some(root) => part.end = end,
                    _ => parts[root].push(Run { start: offset, end }),
                }
                last = Some(root);
            }
        }
        let parts = parts.into_iter().filter(|runs| !runs.is_empty());
        let mut regions: Vec<Region> =
            parts.map(|runs| Region::from_whole_runs(region.shape(), runs)).collect();
        regions.sort_by_key(Region::first);
        regions
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use glam::DVec3;
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::VolumeGeometry;
    use crate::segmentation::components;

    fn line(values: &[f32]) -> (Volume<f32>, Region) {
        let g =
            VolumeGeometry::new([1, 1, values.len()], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]);
        let volume = Volume::from_vec(g.unwrap(), values.to_vec());
        let all = Region::from_offsets(volume.geometry().shape(), 0..values.len());
        (volume, all)
    }

    #[test]
    fn saddles_decide() {
        for (values, fraction, sizes) in [
            // The saddle 5 is half of the lower maximum 10.
            (&[4.0, 12.0, 8.0, 5.0, 7.0, 10.0][..], 0.6, &[4, 2][..]),
            (&[4.0, 12.0, 8.0, 5.0, 7.0, 10.0], 0.5, &[6]),
            (&[4.0, 12.0, 8.0, 5.0, 7.0, 10.0], 0.0, &[6]),
            // A plateau is one maximum, whichever end is met first.
            (&[9.0, 9.0, 9.0, 9.0], 1.0, &[4]),
            // The small middle maximum joins the side of its higher saddle; the lowest voxel its hottest neighbour.
            (&[20.0, 2.0, 6.0, 5.0, 30.0], 0.7, &[2, 3]),
            (&[7.0], 0.5, &[1]),
        ] {
            let (volume, all) = line(values);
            let found: Vec<usize> =
                split_by_maxima(&volume, &all, fraction).iter().map(Region::voxels).collect();
            assert_eq!(found, sizes, "{values:?} at {fraction}");
        }
        let (volume, _) = line(&[1.0]);
        assert!(split_by_maxima(&volume, &Region::empty([1, 1, 1]), 0.5).is_empty());
    }

    /// The parts as the definition has them, each voxel with all others looked at: the place of the maximum by the voxel.
    fn plain(volume: &Volume<f32>, region: &Region, fraction: f64) -> BTreeMap<usize, usize> {
        let heat = |offset: usize| f64::from(volume.values()[offset]);
        let mut order: Vec<usize> = region.offsets().collect();
        order.sort_by(|&a, &b| heat(b).total_cmp(&heat(a)).then(a.cmp(&b)));
        let touch = |a: usize, b: usize| {
            let (a, b) = (volume.voxel_of(a), volume.voxel_of(b));
            (0..3).all(|axis| a[axis].abs_diff(b[axis]) <= 1)
        };
        let mut maxima = BTreeMap::new();
        for (n, &here) in order.iter().enumerate() {
            let around: Vec<usize> =
                order[..n].iter().copied().filter(|&wet| touch(wet, here)).collect();
            let mut own = around.first().map_or(here, |hottest| maxima[hottest]);
            for wet in around {
                let other = maxima[&wet];
                let rank = |maximum: usize| order.iter().position(|&offset| offset == maximum);
                let [high, low] = if rank(own) < rank(other) { [own, other] } else { [other, own] };
                if heat(here) >= fraction * heat(low) {
                    maxima.values_mut().filter(|m| **m == low).for_each(|m| *m = high);
                    own = if own == low { high } else { own };
                }
            }
            maxima.insert(here, own);
        }
        maxima
    }

    proptest! {
        #[test]
        fn parts_are_those_of_a_plain_flood(
            heats in prop::collection::vec(0..12_u8, 60),
            fraction in 0.0..1.0_f64,
        ) {
            let steps = [DVec3::Z, DVec3::Y, DVec3::X];
            let g = VolumeGeometry::new([3, 4, 5], DVec3::ZERO, steps).unwrap();
            let inside = (0..60).filter(|&n| heats[n] > 2);
            let region = Region::from_offsets(g.shape(), inside);
            let volume = Volume::from_vec(g.clone(), heats.iter().map(|&h| f32::from(h)).collect());
            let expected = plain(&volume, &region, fraction);
            let parts = split_by_maxima(&volume, &region, fraction);
            prop_assert_eq!(parts.iter().map(Region::voxels).sum::<usize>(), region.voxels());
            for part in &parts {
                prop_assert_eq!(part, &Region::from_offsets(g.shape(), part.offsets()));
                let maxima: BTreeSet<usize> = part.offsets().map(|o| expected[&o]).collect();
                prop_assert_eq!(maxima.len(), 1);
            }
            let maxima: BTreeSet<usize> = expected.values().copied().collect();
            prop_assert_eq!(parts.len(), maxima.len());
        }
    }

    #[test]
    fn two_blobs_that_touch_come_apart() {
        let g =
            VolumeGeometry::new([9, 15, 30], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]).unwrap();
        let centres = [DVec3::new(9.0, 7.0, 4.0), DVec3::new(19.0, 7.0, 4.0)];
        let blank = Volume::filled(g.clone(), 0.0_f32);
        let blobs = (0..g.len()).map(|offset| {
            let place = g.centre_of(blank.voxel_of(offset));
            let heat = |c: DVec3, top: f64| top * (-place.distance_squared(c) / 18.0).exp();
            (heat(centres[0], 20.0) + heat(centres[1], 12.0)) as f32
        });
        let volume = Volume::from_vec(g.clone(), blobs.collect());
        let whole = components(&volume, 4.0);
        assert_eq!(whole.len(), 1);
        let parts = split_by_maxima(&volume, &whole[0], 0.8);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].union(&parts[1]), whole[0]);
        assert!(parts[0].intersection(&parts[1]).is_empty());
        for part in &parts {
            let held = centres.map(|c| part.contains(volume.offset_of(g.voxel_at(c).unwrap())));
            assert_eq!(held.iter().filter(|&&h| h).count(), 1);
        }
    }
}
