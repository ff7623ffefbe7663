//! Peak uptake: the mean of a sphere of 1 mL placed in a region, SUVpeak where the values are SUV.
//!
//! A voxel belongs to the sphere if its centre lies within 6.2035 mm of the centre voxel's, measured in the patient on
//! any lattice. Voxels outside the region count as well. At the edge of the image the voxels that exist are averaged,
//! and the result says so.
//! Source: IBSI reference manual, local intensity peak (VJGA) and global intensity peak (0F91); Wahl et al., J Nucl Med
//! 50 (2009) 122S.

use glam::DVec3;
use rayon::prelude::*;

use super::whole::largest;
use crate::geometry::VolumeGeometry;
use crate::segmentation::{RADIUS_TOLERANCE_MM, Region, Run};
use crate::volume::Volume;

/// Radius of a sphere of 1 mL, `(3 / 4π)^(1/3)` cm, in millimetres.
pub const PEAK_RADIUS_MM: f64 = 6.203_504_908_994_0;

/// The mean of a small neighbourhood, at its highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// The mean.
    pub mean: f64,
    /// The voxel in the middle, `[slice, row, column]`; the first in memory order of equals.
    pub centre: [usize; 3],
    /// Number of voxels averaged.
    pub voxels: usize,
    /// Whether a part of the neighbourhood lies beyond the edge of the image and is missing from the mean.
    pub truncated: bool,
}

/// Local intensity peak (IBSI VJGA): the sphere sits on the hottest voxel of the region; of several equally hot, the
/// one with the highest mean. `None` for an empty region and where all its values are NaN.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn peak_local(volume: &Volume<f32>, region: &Region) -> Option<Peak> {
    let sphere = Sphere::new(volume.geometry());
    let hottest = hottest(volume, region, &tops(volume, region));
    hottest.into_iter().map(|offset| sphere.peak_at(volume, offset)).reduce(higher)
}

/// Global intensity peak (IBSI 0F91, the SUVpeak of PERCIST): the highest mean of the spheres on every voxel of the
/// region. `None` for an empty region and where all its values are NaN.
///
/// Fast because a mean that reaches the local peak needs a voxel at least as hot within its sphere: only centres near
/// such voxels are tried, and these are few unless the region is flat. The rows that hold them are known from the maximum
/// of each row, for which the region is read once.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn peak_global(volume: &Volume<f32>, region: &Region) -> Option<Peak> {
    let sphere = Sphere::new(volume.geometry());
    let tops = tops(volume, region);
    let local = hottest(volume, region, &tops).into_iter().map(|o| sphere.peak_at(volume, o));
    let local = local.reduce(higher)?;
    let candidates = sphere.near_hotter(volume, region, &tops, local.mean);
    highest(volume, &sphere, candidates.as_ref().unwrap_or(region))
}

/// Mean of the hottest voxel of a region and the three hottest of its 26 neighbours, in the region or not: the peak of
/// qPET. `None` for an empty region and where all its values are NaN. It is not truncated as long as three neighbours
/// exist.
///
/// Source: Hasenclever et al., Eur J Nucl Med Mol Imaging 41 (2014) 1301.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn peak_hottest_four(volume: &Volume<f32>, region: &Region) -> Option<Peak> {
    let shape = volume.geometry().shape();
    let mean_around = |offset: usize| {
        let centre = volume.voxel_of(offset);
        let range = |a: usize| centre[a].saturating_sub(1)..(centre[a] + 2).min(shape[a]);
        let around =
            range(0).flat_map(|s| range(1).flat_map(move |r| range(2).map(move |c| [s, r, c])));
        let mut values: Vec<f32> = around.filter(|&v| v != centre).map(|v| volume[v]).collect();
        values.retain(|v| !v.is_nan());
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        values.truncate(3);
        let sum = f64::from(volume[centre]) + values.iter().map(|&v| f64::from(v)).sum::<f64>();
        let voxels = values.len() + 1;
        Peak { mean: sum / voxels as f64, centre, voxels, truncated: voxels < 4 }
    };
    let hottest = hottest(volume, region, &tops(volume, region));
    hottest.into_iter().map(mean_around).reduce(higher)
}

/// Rows of voxels that are worth a task of their own.
const RUNS_TOGETHER: usize = 512;

/// The maximum of each run of a region, NaN passed over.
fn tops(volume: &Volume<f32>, region: &Region) -> Vec<f32> {
    let runs = region.runs().par_iter().with_min_len(RUNS_TOGETHER);
    runs.map(|run| largest(&volume.values()[run.range()])).collect()
}

/// The positions of the voxels that hold a region's maximum, ascending.
fn hottest(volume: &Volume<f32>, region: &Region, tops: &[f32]) -> Vec<usize> {
    let max = tops.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let holding = region.runs().iter().zip(tops).filter(|&(_, &top)| top >= max);
    let values = volume.values();
    holding.flat_map(|(run, _)| run.range().filter(|&o| values[o] >= max)).collect()
}

/// The higher peak; the first of equals, and any number rather than NaN.
fn higher(a: Peak, b: Peak) -> Peak {
    if b.mean > a.mean || a.mean.is_nan() && !b.mean.is_nan() { b } else { a }
}

/// The highest peak over all centres.
fn highest(volume: &Volume<f32>, sphere: &Sphere, centres: &Region) -> Option<Peak> {
    // The pieces are reduced in their order, so that of equal peaks the first in memory order is kept.
    centres
        .runs()
        .par_iter()
        .filter_map(|run| run.range().map(|o| sphere.peak_at(volume, o)).reduce(higher))
        .reduce_with(higher)
}

/// The voxels of the sphere, relative to its centre voxel.
struct Sphere {
    rows: Vec<SphereRow>,
    /// The rows as they lie in memory around a centre far enough from the edge: where each begins, and its length.
    inside: Vec<(isize, usize)>,
    /// Largest distance from the centre along each index.
    reach: [usize; 3],
    voxels: usize,
}

/// A row of the sphere: columns `first` to `last`, both inside.
struct SphereRow {
    slice: isize,
    row: isize,
    first: isize,
    last: isize,
}

impl Sphere {
    fn new(geometry: &VolumeGeometry) -> Self {
        let limit = PEAK_RADIUS_MM + RADIUS_TOLERANCE_MM;
        let matrix = geometry.patient_from_index().matrix3;
        let inverse = geometry.index_from_patient().matrix3.transpose();
        // Beyond the image's own size no neighbour exists; this bounds the work for absurdly small voxels.
        let shape = geometry.shape();
        let bound =
            |normal: DVec3, n: usize| ((limit * normal.length()).floor() as isize).min(n as isize);
        let s_max = bound(inverse.x_axis, shape[0]);
        let r_max = bound(inverse.y_axis, shape[1]);
        let c_max = bound(inverse.z_axis, shape[2]);
        let inside = |s: isize, r: isize, c: isize| {
            let step = matrix * DVec3::new(s as f64, r as f64, c as f64);
            step.length_squared() <= limit * limit
        };
        let mut rows = Vec::new();
        for slice in -s_max..=s_max {
            for row in -r_max..=r_max {
                // A line cuts a ball in one piece.
                let mut columns = (-c_max..=c_max).filter(|&c| inside(slice, row, c));
                let Some(first) = columns.next() else { continue };
                let last = columns.next_back().unwrap_or(first);
                rows.push(SphereRow { slice, row, first, last });
            }
        }
        let voxels = rows.iter().map(|r| (r.last - r.first + 1) as usize).sum();
        let far = |part: fn(&SphereRow) -> isize| {
            rows.iter().map(|r| part(r).unsigned_abs()).max().unwrap_or(0)
        };
        let reach = [far(|r| r.slice), far(|r| r.row), far(|r| r.first.abs().max(r.last))];
        let place = |r: &SphereRow| {
            let row = r.slice * shape[1] as isize + r.row;
            (row * shape[2] as isize + r.first, (r.last - r.first + 1) as usize)
        };
        let inside = rows.iter().map(place).collect();
        Self { rows, inside, reach, voxels }
    }

    /// The stretches of memory the sphere covers on a centre, cut at the edge of the image.
    fn stretches(
        &self,
        [slices, rows, columns]: [usize; 3],
        [s, r, c]: [usize; 3],
    ) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.rows.iter().filter_map(move |line| {
            let s = s.checked_add_signed(line.slice).filter(|&s| s < slices)?;
            let r = r.checked_add_signed(line.row).filter(|&r| r < rows)?;
            let first = (c as isize + line.first).max(0) as usize;
            let end = ((c as isize + line.last + 1).max(0) as usize).min(columns);
            let start = (s * rows + r) * columns;
            (first < end).then_some((start + first, start + end))
        })
    }

    fn peak_at(&self, volume: &Volume<f32>, offset: usize) -> Peak {
        let (values, shape) = (volume.values(), volume.geometry().shape());
        let centre = volume.voxel_of(offset);
        let far = |a: usize| centre[a] >= self.reach[a] && centre[a] + self.reach[a] < shape[a];
        let sum_of = |row: &[f32]| row.iter().map(|&v| f64::from(v)).sum::<f64>();
        let (mut sum, mut voxels) = (0.0, 0);
        if far(0) && far(1) && far(2) {
            for &(step, length) in &self.inside {
                let start = offset.wrapping_add_signed(step);
                sum += sum_of(&values[start..start + length]);
            }
            voxels = self.voxels;
        } else {
            for (start, end) in self.stretches(shape, centre) {
                sum += sum_of(&values[start..end]);
                voxels += end - start;
            }
        }
        Peak { mean: sum / voxels as f64, centre, voxels, truncated: voxels < self.voxels }
    }

    /// The voxels of a region whose sphere holds a voxel of at least this value: no other can have a mean as high.
    /// `None` where marking them would cost as much as trying the whole region.
    fn near_hotter(
        &self,
        volume: &Volume<f32>,
        region: &Region,
        tops: &[f32],
        value: f64,
    ) -> Option<Region> {
        let shape = volume.geometry().shape();
        // A mean of equal values may be rounded upwards.
        let limit = value - 1e-9 * value.abs();
        let bounds = region.bounding_box()?;
        let low: [usize; 3] = std::array::from_fn(|a| bounds.min[a].saturating_sub(self.reach[a]));
        let end: [usize; 3] =
            std::array::from_fn(|a| (bounds.max[a] + self.reach[a] + 1).min(shape[a]));
        let affordable = region.voxels() / self.rows.len();
        let runs = region.runs();
        let in_slice = |s: usize| {
            let mut hotter = Vec::new();
            let mut next = runs.partition_point(|run| run.start < s * shape[1] * shape[2]);
            for r in low[1]..end[1] {
                let start = (s * shape[1] + r) * shape[2];
                let row = start + low[2]..start + end[2];
                next += runs[next..].iter().take_while(|run| run.start < row.start).count();
                // The maximum of a row is known where the region holds it all.
                let known = runs.get(next).filter(|run| run.range() == row).map(|_| tops[next]);
                let top = known.unwrap_or_else(|| largest(&volume.values()[row]));
                if f64::from(top) >= limit {
                    let here = (low[2]..end[2]).filter(|&c| f64::from(volume[[s, r, c]]) >= limit);
                    hotter.extend(here.map(|c| [s, r, c]));
                }
                if hotter.len() > affordable {
                    return None;
                }
            }
            Some(hotter)
        };
        let together = (RUNS_TOGETHER / (end[1] - low[1])).max(1);
        let slices = (low[0]..end[0]).into_par_iter().with_min_len(together).map(in_slice);
        let hotter = slices.collect::<Option<Vec<_>>>()?.concat();
        if hotter.len() > affordable {
            return None;
        }
        // The sphere is symmetric: a centre is near a hot voxel if the hot voxel's sphere covers it.
        let stretches = hotter.iter().flat_map(|&voxel| self.stretches(shape, voxel));
        let mut near: Vec<Run> = stretches.map(|(start, end)| Run { start, end }).collect();
        near.sort_unstable();
        Some(Region::from_runs(shape, near).intersection(region))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use glam::DMat3;
    use proptest::prelude::*;

    use super::*;
    use crate::segmentation::{components, sphere};

    fn noise(i: usize) -> f32 {
        (i as u32 ^ 0x5bd1).wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32
    }

    /// Blobs on noise.
    fn blobs(geometry: &VolumeGeometry) -> Volume<f32> {
        let n = geometry.shape().map(|n| n as f64);
        let tops = [([0.3, 0.3, 0.3], 20.0), ([0.6, 0.7, 0.5], 9.0), ([0.0, 0.9, 1.0], 12.0)];
        let blank = Volume::filled(geometry.clone(), 0.0_f32);
        let values = (0..geometry.len()).map(|offset| {
            let place = geometry.centre_of(blank.voxel_of(offset));
            let heat = tops.map(|(at, top)| {
                let centre: [usize; 3] = std::array::from_fn(|a| (at[a] * (n[a] - 1.0)) as usize);
                top * (-place.distance_squared(geometry.centre_of(centre)) / 150.0).exp()
            });
            heat.iter().sum::<f64>() as f32 + noise(offset)
        });
        Volume::from_vec(geometry.clone(), values.collect())
    }

    fn lattices() -> [VolumeGeometry; 4] {
        let turn = DMat3::from_rotation_x(0.5) * DMat3::from_rotation_z(0.8);
        [
            [DVec3::Z * 2.0, DVec3::Y * 2.0, DVec3::X * 2.0],
            [DVec3::Z * 5.0, DVec3::Y * 3.0, DVec3::X * 2.0],
            [turn * DVec3::Z * 3.0, turn * DVec3::Y * 4.0, turn * DVec3::X * 2.5],
            [DVec3::new(0.5, 1.0, 3.0), DVec3::new(0.8, 2.0, 0.0), DVec3::X * 2.5],
        ]
        .map(|steps| VolumeGeometry::new([14, 18, 22], DVec3::new(5.0, 6.0, 7.0), steps).unwrap())
    }

    /// The definition, voxel by voxel.
    fn plain_mean(volume: &Volume<f32>, centre: [usize; 3]) -> f64 {
        let g = volume.geometry();
        let here = g.centre_of(centre);
        let near = (0..g.len()).filter(|&o| {
            g.centre_of(volume.voxel_of(o)).distance(here) <= PEAK_RADIUS_MM + RADIUS_TOLERANCE_MM
        });
        let values: Vec<f64> = near.map(|o| f64::from(volume.values()[o])).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn peaks_are_those_of_the_definition_on_any_lattice() {
        for g in lattices() {
            let volume = blobs(&g);
            for region in components(&volume, 6.0) {
                let plain = region.indices().map(|v| plain_mean(&volume, v)).fold(0.0, f64::max);
                let global = peak_global(&volume, &region).unwrap();
                // The sums run in another order only.
                assert!((global.mean - plain).abs() < 1e-9);
                assert!((plain_mean(&volume, global.centre) - plain).abs() < 1e-9);
                let local = peak_local(&volume, &region).unwrap();
                assert!((plain_mean(&volume, local.centre) - local.mean).abs() < 1e-9);
                assert!(local.mean <= global.mean);
            }
        }
    }

    #[test]
    fn the_search_tries_no_centre_too_few() {
        for g in lattices() {
            let volume = blobs(&g);
            let sphere = Sphere::new(&g);
            for threshold in [0.5, 2.0, 6.0, 11.0] {
                for region in components(&volume, threshold) {
                    let plain = highest(&volume, &sphere, &region);
                    assert_eq!(peak_global(&volume, &region), plain);
                }
            }
        }
        // And it does try fewer where the region is peaked.
        let g = &lattices()[0];
        let volume = blobs(g);
        let region = components(&volume, 2.0).into_iter().max_by_key(Region::voxels).unwrap();
        let sphere = Sphere::new(g);
        let local = peak_local(&volume, &region).unwrap();
        let tops = tops(&volume, &region);
        let tried = sphere.near_hotter(&volume, &region, &tops, local.mean).unwrap();
        assert!(tried.voxels() < region.voxels());
    }

    proptest! {
        #[test]
        fn ties_and_plateaus_are_found_alike(values in prop::collection::vec(0..4_u8, 5 * 6 * 7)) {
            let steps = [DVec3::Z * 4.0, DVec3::Y * 5.0, DVec3::X * 3.0];
            let g = VolumeGeometry::new([5, 6, 7], DVec3::ZERO, steps).unwrap();
            let volume = Volume::from_vec(g.clone(), values.into_iter().map(f32::from).collect());
            for region in components(&volume, 2.0) {
                let plain = highest(&volume, &Sphere::new(&g), &region);
                prop_assert_eq!(peak_global(&volume, &region), plain);
            }
        }
    }

    #[test]
    fn kernel_is_the_sphere() {
        for g in lattices() {
            let middle = [7, 9, 11];
            let expected = sphere(&g, g.centre_of(middle), PEAK_RADIUS_MM).region;
            let kernel = Sphere::new(&g);
            let runs: Vec<(usize, usize)> = kernel.stretches(g.shape(), middle).collect();
            let found = runs.into_iter().flat_map(|(start, end)| start..end);
            assert_eq!(Region::from_offsets(g.shape(), found), expected);
        }
    }

    #[test]
    fn edges_empties_and_ties() {
        let steps = [DVec3::Z * 5.0, DVec3::Y * 5.0, DVec3::X * 5.0];
        let g = VolumeGeometry::new([5, 5, 9], DVec3::ZERO, steps).unwrap();
        let mut volume = Volume::filled(g.clone(), 1.0_f32);
        volume[[0, 0, 0]] = 8.0;
        volume[[2, 2, 6]] = 8.0;
        volume[[2, 2, 5]] = 4.0;
        let both = Region::from_offsets(g.shape(), [0, volume.offset_of([2, 2, 6])]);
        // Seven voxels in the middle: (8 + 4 + 5) / 7; four in the corner: (8 + 3) / 4, which is higher.
        let peak = peak_local(&volume, &both).unwrap();
        assert_eq!((peak.mean, peak.voxels, peak.truncated), (2.75, 4, true));
        let one = Region::from_offsets(g.shape(), [volume.offset_of([2, 2, 6])]);
        let peak = peak_global(&volume, &one).unwrap();
        assert_eq!((peak.mean, peak.voxels, peak.truncated), (17.0 / 7.0, 7, false));
        assert_eq!(peak_hottest_four(&volume, &one).unwrap().mean, 14.0 / 4.0);
        assert_eq!(peak_hottest_four(&volume, &both).unwrap().centre, [2, 2, 6]);
        let none = Region::empty(g.shape());
        for peak in [peak_local, peak_global, peak_hottest_four] {
            assert_eq!(peak(&volume, &none), None);
        }
        let lone = VolumeGeometry::new([1, 1, 1], DVec3::ZERO, steps).unwrap();
        let lone = Volume::filled(lone, 3.0_f32);
        let region = Region::from_offsets([1, 1, 1], [0]);
        let found = peak_global(&lone, &region).unwrap();
        assert_eq!((found.mean, found.voxels, found.truncated), (3.0, 1, true));
        assert_eq!(peak_hottest_four(&lone, &region).unwrap().voxels, 1);
    }

    #[test]
    fn any_number_of_threads_finds_the_same() {
        let volume = blobs(&lattices()[1]);
        let regions = components(&volume, 0.5);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| regions.iter().map(|r| peak_global(&volume, r)).collect::<Vec<_>>())
        };
        assert_eq!(run(1), run(2));
    }
}
