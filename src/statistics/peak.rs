//! Peak uptake: the mean of a sphere of 1 mL placed in a region, SUVpeak where the values are SUV.
//!
//! A voxel belongs to the sphere if its centre lies within 6.2035 mm of the centre voxel's, measured in the patient on
//! any lattice. Voxels outside the region count as well. At the edge of the image the voxels that exist are averaged,
//! and the result says so.
//! Source: IBSI reference manual, local intensity peak (VJGA) and global intensity peak (0F91); Wahl et al., J Nucl Med
//! 50 (2009) 122S.

use glam::DVec3;
use rayon::prelude::*;

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
    hottest(volume, region).map(|offset| sphere.peak_at(volume, offset)).reduce(higher)
}

/// Global intensity peak (IBSI 0F91, the SUVpeak of PERCIST): the highest mean of the spheres on every voxel of the
/// region. `None` for an empty region and where all its values are NaN.
///
/// Fast because a mean that reaches the local peak needs a voxel at least as hot within its sphere: only centres near
/// such voxels are tried, and these are few unless the region is flat.
///
/// # Panics
/// If the volume is on another lattice: a programming error.
pub fn peak_global(volume: &Volume<f32>, region: &Region) -> Option<Peak> {
    let sphere = Sphere::new(volume.geometry());
    let local = hottest(volume, region).map(|o| sphere.peak_at(volume, o)).reduce(higher)?;
    let candidates = sphere.near_hotter(volume, region, local.mean);
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
    hottest(volume, region).map(mean_around).reduce(higher)
}

/// The positions of the voxels that hold a region's maximum.
fn hottest<'a>(volume: &'a Volume<f32>, region: &'a Region) -> impl Iterator<Item = usize> + 'a {
    let max = region.values(volume).fold(f32::NEG_INFINITY, f32::max);
    region.offsets().filter(move |&offset| volume.values()[offset] == max)
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
                let last = columns.last().unwrap_or(first);
                rows.push(SphereRow { slice, row, first, last });
            }
        }
        let voxels = rows.iter().map(|r| (r.last - r.first + 1) as usize).sum();
        let far = |part: fn(&SphereRow) -> isize| {
            rows.iter().map(|r| part(r).unsigned_abs()).max().unwrap_or(0)
        };
        let reach = [far(|r| r.slice), far(|r| r.row), far(|r| r.first.abs().max(r.last))];
        Self { rows, reach, voxels }
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
        let values = volume.values();
        let centre = volume.voxel_of(offset);
        let (mut sum, mut voxels) = (0.0, 0);
        for (start, end) in self.stretches(volume.geometry().shape(), centre) {
            sum += values[start..end].iter().map(|&v| f64::from(v)).sum::<f64>();
            voxels += end - start;
        }
        Peak { mean: sum / voxels as f64, centre, voxels, truncated: voxels < self.voxels }
    }

    /// The voxels of a region whose sphere holds a voxel of at least this value: no other can have a mean as high.
    /// `None` where marking them would cost as much as trying the whole region.
    fn near_hotter(&self, volume: &Volume<f32>, region: &Region, value: f64) -> Option<Region> {
        let shape = volume.geometry().shape();
        // A mean of equal values may be rounded upwards.
        let limit = value - 1e-9 * value.abs();
        let bounds = region.bounding_box()?;
        let low: [usize; 3] = std::array::from_fn(|a| bounds.min[a].saturating_sub(self.reach[a]));
        let end: [usize; 3] =
            std::array::from_fn(|a| (bounds.max[a] + self.reach[a] + 1).min(shape[a]));
        let affordable = region.voxels() / self.rows.len();
        let mut hotter = Vec::new();
        for s in low[0]..end[0] {
            for r in low[1]..end[1] {
                let start = (s * shape[1] + r) * shape[2];
                let row = &volume.values()[start + low[2]..start + end[2]];
                if !row.iter().fold(false, |any, &v| any | (f64::from(v) >= limit)) {
                    continue;
                }
                let here = (low[2]..end[2]).filter(|&c| f64::from(volume[[s, r, c]]) >= limit);
                hotter.extend(here.map(|c| [s, r, c]));
                if hotter.len() > affordable {
                    return None;
                }
            }
        }
        // The sphere is symmetric: a centre is near a hot voxel if the hot voxel's sphere covers it.
        let stretches = hotter.iter().flat_map(|&voxel| self.stretches(shape, voxel));
        let mut near: Vec<Run> = stretches.map(|(start, end)| Run { start, end }).collect();
        near.sort_unstable();
        Some(Region::from_runs(shape, near).intersection(region))
    }
}
