//! Lesions that touch: a region divided among its separate maxima.
//!
//! Voxels are flooded from the hottest down. Each joins the basin of its hottest flooded neighbour; where two basins
//! meet, the value there is their saddle, and they stay apart only if it lies deep enough under the lower of their
//! maxima (the dynamics of the maximum). Ties are broken by memory order.
//! Source: Vincent and Soille, Watersheds in Digital Spaces, IEEE PAMI 13 (1991) 583; Grimaud, A New Measure of
//! Contrast: the Dynamics, Proc. SPIE 1769 (1992) 292.

use super::region::Region;
use crate::volume::Volume;

/// Divides a region among its separate maxima, in order of each part's first voxel.
///
/// Two maxima are separate if the highest saddle between them is below `saddle_fraction` of the lower one: with 0 a
/// region of positive values is never divided, with 1 at every saddle. Values are taken to be positive, like SUV.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn split_by_maxima(volume: &Volume<f32>, region: &Region, saddle_fraction: f64) -> Vec<Region> {
    region.check(volume.geometry());
    let Some(flood) = Flood::new(volume, region) else { return Vec::new() };
    flood.run(volume, saddle_fraction).into_regions(volume.geometry().shape())
}

/// No basin yet.
const DRY: u32 = u32::MAX;

struct Flood {
    /// Offsets in the volume, hottest first.
    order: Vec<usize>,
    low: [usize; 3],
    size: [usize; 3],
    /// The basin of each voxel of the region's box.
    basins: Vec<u32>,
    maxima: Vec<f64>,
    /// The basin each has been joined to; a root is its own.
    parents: Vec<u32>,
}

impl Flood {
    fn new(volume: &Volume<f32>, region: &Region) -> Option<Self> {
        let bounds = region.bounding_box()?;
        let size = std::array::from_fn(|a| bounds.max[a] - bounds.min[a] + 1);
        let values = volume.values();
        let mut order: Vec<usize> = region.offsets().collect();
        order.sort_unstable_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
        Some(Self {
            order,
            low: bounds.min,
            size,
            basins: vec![DRY; size.iter().product()],
            maxima: Vec::new(),
            parents: Vec::new(),
        })
    }

    fn run(mut self, volume: &Volume<f32>, saddle_fraction: f64) -> Self {
        for at in 0..self.order.len() {
            let offset = self.order[at];
            let voxel = volume.voxel_of(offset);
            let value = f64::from(volume.values()[offset]);
            let mut hottest: Option<(f32, u32)> = None;
            let around = self.flooded_around(voxel);
            for (neighbour, basin) in around.iter().copied() {
                let heat = volume[neighbour];
                if hottest.is_none_or(|(most, _)| heat > most) {
                    hottest = Some((heat, basin));
                }
            }
            let basin = hottest.map_or_else(|| self.new_basin(value), |(_, basin)| basin);
            for &(_, other) in &around {
                self.meet(basin, other, value, saddle_fraction);
            }
            let local = self.local(voxel);
            self.basins[local] = basin;
        }
        self
    }

    /// The flooded neighbours of a voxel and their basins.
    fn flooded_around(&self, voxel: [usize; 3]) -> Vec<([usize; 3], u32)> {
        let range = |a: usize| {
            let (first, end) = (self.low[a], self.low[a] + self.size[a]);
            voxel[a].saturating_sub(1).max(first)..(voxel[a] + 2).min(end)
        };
        let mut found = Vec::new();
        for s in range(0) {
            for r in range(1) {
                for c in range(2) {
                    let basin = self.basins[self.local([s, r, c])];
                    if basin != DRY {
                        found.push(([s, r, c], basin));
                    }
                }
            }
        }
        found
    }

    fn local(&self, voxel: [usize; 3]) -> usize {
        let [s, r, c]: [usize; 3] = std::array::from_fn(|a| voxel[a] - self.low[a]);
        (s * self.size[1] + r) * self.size[2] + c
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

    fn into_regions(self, shape: [usize; 3]) -> Vec<Region> {
        let mut parts: Vec<Vec<usize>> = vec![Vec::new(); self.maxima.len()];
        for &offset in &self.order {
            let [_, rows, columns] = shape;
            let voxel = [offset / (rows * columns), offset / columns % rows, offset % columns];
            let basin = self.root(self.basins[self.local(voxel)]);
            parts[basin as usize].push(offset);
        }
        let mut regions: Vec<Region> = parts
            .into_iter()
            .filter(|offsets| !offsets.is_empty())
            .map(|offsets| Region::from_offsets(shape, offsets))
            .collect();
        regions.sort_by_key(Region::first);
        regions
    }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

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
