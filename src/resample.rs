//! Values between voxels, and volumes carried onto another lattice: trilinear, nearest, Gaussian, block averages.
//!
//! A continuous index is `(slice, row, column)` with whole numbers at voxel centres. Trilinear values exist inside the
//! box spanned by the outermost *centres* (there is nothing to interpolate towards beyond them); nearest values exist in
//! every voxel's *cell*, half a voxel further out. Nothing is extrapolated.
//!
//! Carrying a volume is fast because the map is affine: along a row of the target the source index is a straight line,
//! so the columns that lie inside are known from six divisions and the inner loop asks nothing; where the columns of
//! both lattices are parallel (PET and CT of one session) the four source rows are blended once, as whole rows.
//!
//! Source: trilinear resampling as every toolkit defines it; Gaussian full width at half maximum
//! `2 sqrt(2 ln 2) sigma`.

mod smoothed;
#[cfg(test)]
mod tests;

use std::iter::Sum;

use fearless_simd::{Level, dispatch};
use glam::{DAffine3, DVec3};
use ndarray::{ArrayViewMut3, Axis};
use rayon::prelude::*;

pub use self::smoothed::smooth_onto;
use crate::geometry::VolumeGeometry;
use crate::memory::zeroed;
use crate::volume::Volume;

/// How far beyond the outermost centres an index still counts as on them, in voxels: room for rounding in the affine.
const SLACK: f64 = 1e-6;

/// A Gaussian kernel ends where it has fallen below 1/3000 of its peak.
const KERNEL_SIGMAS: f64 = 4.0;

/// A value that can be averaged: `i16` and `f32` volumes alike.
pub trait Sample: Copy + Into<f32> + Send + Sync {}

impl<T: Copy + Into<f32> + Send + Sync> Sample for T {}

/// Standard deviation of a Gaussian of this full width at half maximum.
pub fn sigma_of_fwhm(fwhm_mm: f64) -> f64 {
    fwhm_mm / (8.0 * std::f64::consts::LN_2).sqrt()
}

/// The eight voxels around a continuous index: the first one's offset, the steps to the others, and the fractions.
struct Cell {
    offset: usize,
    step: [usize; 3],
    fraction: [f32; 3],
}

/// Splits an index on an axis of `n` voxels into the lower neighbour and the fraction, at the last centre `(n - 2, 1)`.
#[inline]
fn split(index: f64, n: usize) -> (usize, f32) {
    let index = index.max(0.0);
    let low = (index as usize).min(n.saturating_sub(2));
    (low, (index - low as f64).min(1.0) as f32)
}

impl Cell {
    /// `None` outside the box of centres.
    #[inline]
    fn around(index: DVec3, shape: [usize; 3]) -> Option<Self> {
        let within =
            |axis: usize| index[axis] >= -SLACK && index[axis] <= (shape[axis] - 1) as f64 + SLACK;
        (within(0) && within(1) && within(2)).then(|| Self::clamped(index, shape))
    }

    /// The nearest cell; an axis of one voxel has no neighbour and steps nowhere.
    #[inline]
    fn clamped(index: DVec3, [slices, rows, columns]: [usize; 3]) -> Self {
        let (s, fs) = split(index.x, slices);
        let (r, fr) = split(index.y, rows);
        let (c, fc) = split(index.z, columns);
        let along = |n: usize, step: usize| if n > 1 { step } else { 0 };
        Self {
            offset: (s * rows + r) * columns + c,
            step: [along(slices, rows * columns), along(rows, columns), along(columns, 1)],
            fraction: [fs, fr, fc],
        }
    }

    #[inline]
    fn corners<T: Sample>(&self, values: &[T]) -> [f32; 8] {
        let [ds, dr, dc] = self.step;
        // One slice expression proves the cell; the eight reads lie within it.
        let cell = &values[self.offset..=self.offset + ds + dr + dc];
        // Written out: a closure over the offsets is not inlined.
        [
            cell[0].into(),
            cell[dc].into(),
            cell[dr].into(),
            cell[dr + dc].into(),
            cell[ds].into(),
            cell[ds + dc].into(),
            cell[ds + dr].into(),
            cell[ds + dr + dc].into(),
        ]
    }

    #[inline]
    fn value<T: Sample>(&self, values: &[T]) -> f32 {
        let v = self.corners(values);
        let [fs, fr, fc] = self.fraction;
        let face = |i: usize| lerp(lerp(v[i], v[i + 1], fc), lerp(v[i + 2], v[i + 3], fc), fr);
        lerp(face(0), face(4), fs)
    }

    /// The value and its derivative per voxel along slice, row and column.
    #[inline]
    fn value_and_slope<T: Sample>(&self, values: &[T]) -> (f32, [f32; 3]) {
        let v = self.corners(values);
        let [fs, fr, fc] = self.fraction;
        let edge = [0, 2, 4, 6].map(|i| lerp(v[i], v[i + 1], fc));
        let along_column = [0, 2, 4, 6].map(|i| v[i + 1] - v[i]);
        let (near, far) = (lerp(edge[0], edge[1], fr), lerp(edge[2], edge[3], fr));
        let column = lerp(
            lerp(along_column[0], along_column[1], fr),
            lerp(along_column[2], along_column[3], fr),
            fs,
        );
        let row = lerp(edge[1] - edge[0], edge[3] - edge[2], fs);
        (lerp(near, far, fs), [far - near, row, column])
    }
}

#[inline]
fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Trilinear value at a continuous index, `None` outside the box of voxel centres.
pub fn trilinear<T: Sample>(volume: &Volume<T>, index: DVec3) -> Option<f32> {
    Some(Cell::around(index, volume.geometry().shape())?.value(volume.values()))
}

/// Trilinear value and its derivative per voxel along slice, row and column; `None` outside the box of centres.
///
/// The derivative is the interpolant's own: constant along each axis within a cell.
#[inline]
pub fn trilinear_with_slope<T: Sample>(
    volume: &Volume<T>,
    index: DVec3,
) -> Option<(f32, [f32; 3])> {
    Some(Cell::around(index, volume.geometry().shape())?.value_and_slope(volume.values()))
}

/// Trilinear value at a place in the patient, `None` outside the box of voxel centres.
pub fn sample_at<T: Sample>(volume: &Volume<T>, place_mm: DVec3) -> Option<f32> {
    trilinear(volume, volume.geometry().index_of(place_mm))
}

/// The value of the voxel whose cell holds a place in the patient, `None` outside the volume.
pub fn nearest_at<T: Copy>(volume: &Volume<T>, place_mm: DVec3) -> Option<T> {
    volume.geometry().voxel_at(place_mm).map(|voxel| volume[voxel])
}

/// A row of the target lattice seen from the source: `start + column * step`, in source indices.
struct Line {
    start: DVec3,
    step: DVec3,
}

impl Line {
    #[inline]
    fn at(&self, column: usize) -> DVec3 {
        self.start + column as f64 * self.step
    }

    /// The columns of `0..columns` whose source index lies in `[low, n - 1 - low]` on every axis.
    fn inside(&self, columns: usize, shape: [usize; 3], low: f64) -> std::ops::Range<usize> {
        let (mut first, mut last) = (0.0_f64, columns as f64 - 1.0);
        let axes = self.start.to_array().into_iter().zip(self.step.to_array()).zip(shape);
        for ((start, step), n) in axes {
            let high = (n - 1) as f64 - low;
            // Over a whole row a step this small moves the index less than the slack.
            if step.abs() * (columns as f64) < SLACK {
                if start < low || start > high {
                    return 0..0;
                }
                continue;
            }
            let (a, b) = ((low - start) / step, (high - start) / step);
            first = first.max(a.min(b).ceil());
            last = last.min(a.max(b).floor());
        }
        if first > last { 0..0 } else { first as usize..last as usize + 1 }
    }
}

/// Fills each row of a new volume from the row's line through the source, one slice a task.
fn fill_rows<T, U: Copy + Default + PartialEq + Send + Sync, S>(
    source: &Volume<T>,
    onto: &VolumeGeometry,
    here_from_there: DAffine3,
    outside: U,
    scratch: impl Fn() -> S + Sync,
    fill: impl Fn(&Line, &mut [U], &mut S) + Sync,
) -> Volume<U> {
    let map = source.geometry().index_from_patient() * here_from_there * onto.patient_from_index();
    let [_, rows, columns] = onto.shape();
    if !map.is_finite() {
        return Volume::filled(onto.clone(), outside);
    }
    let mut values = zeroed(onto.len());
    values.par_chunks_mut(rows * columns).enumerate().for_each(|(s, slice)| {
        if outside != U::default() {
            slice.fill(outside);
        }
        let mut scratch = scratch();
        for (r, row) in slice.chunks_exact_mut(columns).enumerate() {
            let start = map.transform_point3(DVec3::new(s as f64, r as f64, 0.0));
            fill(&Line { start, step: map.matrix3.z_axis }, row, &mut scratch);
        }
    });
    Volume::from_vec(onto.clone(), values)
}

/// Carries a volume onto another lattice by trilinear interpolation; `outside` where there is nothing to interpolate.
///
/// `here_from_there` maps the patient frame of `onto` to the volume's own: the identity within one session. The result
/// is the same for any number of threads, and finite if the volume and `outside` are.
pub fn resample<T: Sample>(
    volume: &Volume<T>,
    onto: &VolumeGeometry,
    here_from_there: DAffine3,
    outside: f32,
) -> Volume<f32> {
    let shape = volume.geometry().shape();
    let values = volume.values();
    fill_rows(volume, onto, here_from_there, outside, RowBlend::new, |line, row, blend| {
        let inside = line.inside(row.len(), shape, -SLACK);
        let reach = line.step.abs() * row.len() as f64;
        if inside.is_empty() {
        } else if reach.x < SLACK && reach.y < SLACK {
            blend.fill(values, shape, line, row, inside);
        } else {
            for c in inside {
                row[c] = Cell::clamped(line.at(c), shape).value(values);
            }
        }
    })
}

/// The way of rows whose columns run along the source's columns: slice and row index are constant.
struct RowBlend {
    level: Level,
    /// The four source rows blended into one.
    blended: Vec<f32>,
    /// Source column and fraction of each target column, for the line that starts at `start`.
    columns: Vec<(u32, f32)>,
    start: Option<(f64, usize)>,
}

impl RowBlend {
    fn new() -> Self {
        Self { level: Level::new(), blended: Vec::new(), columns: Vec::new(), start: None }
    }

    fn fill<T: Sample>(
        &mut self,
        values: &[T],
        shape: [usize; 3],
        line: &Line,
        row: &mut [f32],
        inside: std::ops::Range<usize>,
    ) {
        let n = shape[2];
        // All rows of a slice share their columns where the lattices are parallel.
        if self.start != Some((line.start.z, inside.start)) {
            self.start = Some((line.start.z, inside.start));
            self.columns.clear();
            let split_at = |c: usize| split(line.start.z + c as f64 * line.step.z, n);
            self.columns.extend(inside.clone().map(split_at).map(|(low, f)| (low as u32, f)));
        }
        let ends = [self.columns[0].0, self.columns[self.columns.len() - 1].0];
        let first = ends[0].min(ends[1]) as usize;
        let last = (ends[0].max(ends[1]) as usize + 1).min(n - 1);
        let cell = Cell::clamped(DVec3::new(line.start.x, line.start.y, 0.0), shape);
        self.blend(values, &cell, first, last);
        let (blended, columns) = (&self.blended, &self.columns);
        let next = usize::from(n > 1);
        dispatch!(self.level, _ => {
            for (value, &(low, f)) in row[inside].iter_mut().zip(columns) {
                let low = low as usize - first;
                *value = lerp(blended[low], blended[low + next], f);
            }
        });
    }

    fn blend<T: Sample>(&mut self, values: &[T], cell: &Cell, first: usize, last: usize) {
        let [ds, dr, _] = cell.step;
        let [fs, fr, _] = cell.fraction;
        let from =
            |offset: usize| &values[cell.offset + offset + first..=cell.offset + offset + last];
        let weights = [(1.0 - fs) * (1.0 - fr), (1.0 - fs) * fr, fs * (1.0 - fr), fs * fr];
        let (a, b, c, d) = (from(0), from(dr), from(ds), from(ds + dr));
        self.blended.resize(a.len(), 0.0);
        let blended = self.blended.as_mut_slice();
        dispatch!(self.level, _ => {
            let sources = a.iter().zip(b).zip(c.iter().zip(d));
            for (value, ((&a, &b), (&c, &d))) in blended.iter_mut().zip(sources) {
                let v: [f32; 4] = [a.into(), b.into(), c.into(), d.into()];
                *value = v[0] * weights[0] + v[1] * weights[1] + v[2] * weights[2] + v[3] * weights[3];
            }
        });
    }
}

/// Carries a mask or label map onto another lattice: the value of the voxel whose cell holds each centre.
///
/// `here_from_there` maps the patient frame of `onto` to the volume's own.
pub fn resample_nearest<T: Copy + Default + PartialEq + Send + Sync>(
    volume: &Volume<T>,
    onto: &VolumeGeometry,
    here_from_there: DAffine3,
    outside: T,
) -> Volume<T> {
    let shape = volume.geometry().shape();
    let [slices, rows, columns] = shape;
    let values = volume.values();
    fill_rows(
        volume,
        onto,
        here_from_there,
        outside,
        || (),
        |line, row, ()| {
            // Half a voxel beyond the centres belongs to the outer voxels; the upper border rounds back onto the last.
            for c in line.inside(row.len(), shape, -0.5) {
                let near = |i: f64, n: usize| ((i.max(0.0) + 0.5) as usize).min(n - 1);
                let i = line.at(c);
                row[c] = values
                    [(near(i.x, slices) * rows + near(i.y, rows)) * columns + near(i.z, columns)];
            }
        },
    )
}

/// Smooths with a Gaussian of the given standard deviations along slice, row and column, in millimetres.
///
/// The kernel is cut at four standard deviations and renormalised at the border, so a uniform volume stays uniform.
/// A standard deviation of zero leaves that axis alone.
pub fn gaussian_smooth<T: Sample>(volume: &Volume<T>, sigma_mm: [f64; 3]) -> Volume<f32> {
    let [_, rows, columns] = volume.geometry().shape();
    let spacing = volume.geometry().spacing_mm();
    let kernel = [0, 1, 2].map(|axis| half_kernel(sigma_mm[axis] / spacing[axis]));
    let area = rows * columns;
    let mut smooth = zeroed(volume.values().len());
    let along_rows = RowKernel::new(&kernel[2], columns);
    let planes = smooth.par_chunks_mut(area).zip(volume.values().par_chunks(area));
    planes.for_each_init(
        || (vec![0.0; area], along_rows.padded()),
        |(smooth_rows, padded), (out, source)| {
            let lines = source.chunks_exact(columns).zip(smooth_rows.chunks_exact_mut(columns));
            lines.for_each(|(row, line)| along_rows.smooth(row, padded, line));
            for (r, line) in out.chunks_exact_mut(columns).enumerate() {
                let taps = taps(r, rows, &kernel[1], |i| &smooth_rows[i * columns..][..columns]);
                blend(line, &taps);
            }
        },
    );
    let (geometry, mut smooth) = Volume::from_vec(volume.geometry().clone(), smooth).into_parts();
    if kernel[0].len() > 1 {
        let bands = smooth.axis_chunks_iter_mut(Axis(1), ROWS_TOGETHER).into_par_iter();
        bands.for_each(|band| smooth_slices(band, &kernel[0]));
    }
    Volume::new(geometry, smooth)
}

/// Rows of all slices that are smoothed together along the slices: as many slices as a kernel reaches stay in the cache.
const ROWS_TOGETHER: usize = 8;

/// Smooths a band of rows along the slices, in place: what lies behind is kept as it was for as long as it is needed.
fn smooth_slices(mut band: ArrayViewMut3<'_, f32>, kernel: &[f32]) {
    let (slices, rows, columns) = band.dim();
    let (reach, length) = (kernel.len() - 1, rows * columns);
    let mut behind = vec![0.0_f32; reach * length];
    let mut sums = vec![0.0_f32; length];
    for s in 0..slices {
        let slot = |i: usize| i % reach * length..(i % reach + 1) * length;
        let line = |i: usize| {
            if i < s {
                &behind[slot(i)]
            } else {
                band.index_axis(Axis(0), i).to_slice().expect("a band of whole rows is contiguous")
            }
        };
        blend(&mut sums, &taps(s, slices, kernel, line));
        let mut here = band.index_axis_mut(Axis(0), s);
        let here = here.as_slice_mut().expect("a band of whole rows is contiguous");
        behind[slot(s)].copy_from_slice(here);
        here.copy_from_slice(&sums);
    }
}

/// How many voxels away a Gaussian still has weight, by its standard deviation in voxels.
pub(crate) fn reach(sigma: f64) -> usize {
    let positive = sigma.is_finite() && sigma > 0.0;
    if positive { (KERNEL_SIGMAS * sigma).ceil() as usize } else { 0 }
}

/// Gaussian weights at 0, 1, 2... voxels, not yet normalised.
fn half_kernel(sigma: f64) -> Vec<f32> {
    (0..=reach(sigma))
        .map(|i| if i == 0 { 1.0 } else { (-0.5 * (i as f64 / sigma).powi(2)).exp() as f32 })
        .collect()
}

/// The neighbours of line `at` of `n` that exist, with the kernel's weights, normalised by those.
fn taps<'a>(
    at: usize,
    n: usize,
    kernel: &[f32],
    line: impl Fn(usize) -> &'a [f32],
) -> Vec<(f32, &'a [f32])> {
    let reach = kernel.len() - 1;
    let neighbours = at.saturating_sub(reach)..(at + reach + 1).min(n);
    let total: f32 = neighbours.clone().map(|i| kernel[i.abs_diff(at)]).sum();
    neighbours.map(|i| (kernel[i.abs_diff(at)] / total, line(i))).collect()
}

/// Values that are summed together: they stay in registers over all taps, which is why this is fast.
const TOGETHER: usize = 64;

/// The sum of lines by their weights. The loop is compiled for each width of registers that a machine may have, with the
/// same sums.
fn blend(out: &mut [f32], taps: &[(f32, &[f32])]) {
    let Some(last) = out.len().checked_sub(TOGETHER) else {
        for (n, value) in out.iter_mut().enumerate() {
            *value = taps.iter().fold(0.0, |sum, (weight, line)| sum + weight * line[n]);
        }
        return;
    };
    dispatch!(Level::new(), _ => {
        // The last block may overlap the one before, which is summed twice to the same.
        for start in (0..last).step_by(TOGETHER).chain([last]) {
            let mut sums = [0.0_f32; TOGETHER];
            for &(weight, line) in taps {
                let values = &line[start..start + TOGETHER];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
            out[start..start + TOGETHER].copy_from_slice(&sums);
        }
    });
}

/// Smoothing within rows of one length: a row between zeros is blended with itself shifted.
struct RowKernel {
    weights: Vec<f32>,
    /// Sum of the weights that fall on each voxel of a row.
    totals: Vec<f32>,
}

impl RowKernel {
    fn new(half: &[f32], columns: usize) -> Self {
        let reach = half.len() - 1;
        let weights: Vec<f32> = (0..=2 * reach).map(|k| half[k.abs_diff(reach)]).collect();
        let exists = |c: usize, k: usize| c + k >= reach && c + k < columns + reach;
        let total = |c: usize| {
            (0..=2 * reach).filter(|&k| exists(c, k)).map(|k| weights[k]).fold(0.0, |t, w| t + w)
        };
        Self { totals: (0..columns).map(total).collect(), weights }
    }

    /// Room for a row between zeros.
    fn padded(&self) -> Vec<f32> {
        vec![0.0; self.totals.len() + self.weights.len() - 1]
    }

    fn smooth<T: Sample>(&self, row: &[T], padded: &mut [f32], out: &mut [f32]) {
        let middle = &mut padded[self.weights.len() / 2..][..row.len()];
        middle.iter_mut().zip(row).for_each(|(to, &from)| *to = from.into());
        let shifted = self.weights.iter().enumerate();
        let taps: Vec<_> =
            shifted.map(|(k, &weight)| (weight, &padded[k..][..row.len()])).collect();
        blend(out, &taps);
        dispatch!(Level::new(), _ => {
            out.iter_mut().zip(&self.totals).for_each(|(sum, total)| *sum /= total);
        });
    }
}

/// Averages whole blocks of voxels so that the spacing comes as near to `target_spacing_mm` as whole factors allow.
///
/// A block never holds fewer than one voxel or more than the axis; voxels that do not fill a last block are left out.
/// The new origin is the centre of the first block, so places keep their values.
pub fn reduce<T: Sample>(volume: &Volume<T>, target_spacing_mm: f64) -> Volume<f32> {
    let geometry = volume.geometry();
    let shape = geometry.shape();
    let block = nearest_blocks(geometry, target_spacing_mm);
    let reduced = reduced_geometry(geometry, block);
    let [_, rows, columns] = reduced.shape();
    let mut values = vec![0.0_f32; reduced.len()];
    values.par_chunks_mut(rows * columns).enumerate().for_each(|(s, plane)| {
        let mut sums = vec![0.0_f32; shape[2]];
        for (r, out) in plane.chunks_exact_mut(columns).enumerate() {
            average_row(volume, block, [s, r], &mut sums, out);
        }
    });
    Volume::from_vec(reduced, values)
}

/// How many voxels make one along each axis, for a spacing as near to this as whole voxels allow, millimetres.
pub(crate) fn nearest_blocks(geometry: &VolumeGeometry, target_mm: f64) -> [usize; 3] {
    let (shape, spacing) = (geometry.shape(), geometry.spacing_mm());
    [0, 1, 2].map(|axis| {
        let whole = (target_mm / spacing[axis]).round();
        (whole.max(1.0) as usize).min(shape[axis])
    })
}

/// How many voxels make one along each axis, for a lattice no coarser than this, millimetres.
pub(crate) fn whole_blocks(geometry: &VolumeGeometry, coarsest_mm: f64) -> [usize; 3] {
    let (shape, spacing) = (geometry.shape(), geometry.spacing_mm());
    [0, 1, 2].map(|axis| ((coarsest_mm / spacing[axis]) as usize).clamp(1, shape[axis]))
}

/// Averages whole blocks of Hounsfield units, rounded, so that the spacing stays within `coarsest_mm` along each axis.
///
/// Doing it twice changes nothing: voxels of more than half that size are left as they are.
pub fn reduce_hounsfield(volume: &Volume<i16>, coarsest_mm: f64) -> Volume<i16> {
    let geometry = volume.geometry();
    let block = whole_blocks(geometry, coarsest_mm);
    let reduced = reduced_geometry(geometry, block);
    let [_, rows, columns] = geometry.shape();
    let mut values = vec![0; reduced.len()];
    let planes = values.par_chunks_mut(reduced.shape()[1] * reduced.shape()[2]);
    let sources = volume.values().par_chunks(block[0] * rows * columns);
    planes.zip(sources).for_each(|(plane, slices)| {
        average_hounsfield(slices, [rows, columns], block, plane);
    });
    Volume::from_vec(reduced, values)
}

/// The plane of block averages of as many slices as a block has.
pub(crate) fn average_hounsfield(
    slices: &[i16],
    [rows, columns]: [usize; 2],
    block: [usize; 3],
    plane: &mut [i16],
) {
    let mut sums = vec![0_i32; columns];
    let voxels = block.iter().product::<usize>() as f32;
    for (r, out) in plane.chunks_exact_mut(columns / block[2]).enumerate() {
        sums.fill(0);
        for slice in slices.chunks_exact(rows * columns) {
            let lines = &slice[r * block[1] * columns..(r + 1) * block[1] * columns];
            for line in lines.chunks_exact(columns) {
                // Whole rows are added first: memory is read in order.
                sums.iter_mut().zip(line).for_each(|(sum, &hu)| *sum += i32::from(hu));
            }
        }
        fill_from_groups(out, &sums, block[2], |sum: i32| {
            // Rounded half away from zero, as `round` would, which is a call.
            let hu = sum as f32 / voxels;
            (hu + 0.5_f32.copysign(hu)) as i16
        });
    }
}

/// One value of the sum of each group of so many neighbours. Fast because the usual groups have a size that is known where
/// the loop is compiled.
fn fill_from_groups<S: Copy + Sum, T>(
    out: &mut [T],
    values: &[S],
    size: usize,
    value: impl Fn(S) -> T,
) {
    fn of<const N: usize, S: Copy + Sum, T>(out: &mut [T], values: &[S], value: impl Fn(S) -> T) {
        let groups = values.as_chunks::<N>().0;
        out.iter_mut()
            .zip(groups)
            .for_each(|(out, group)| *out = value(group.iter().copied().sum()));
    }
    match size {
        1 => of::<1, S, T>(out, values, value),
        2 => of::<2, S, T>(out, values, value),
        3 => of::<3, S, T>(out, values, value),
        4 => of::<4, S, T>(out, values, value),
        5 => of::<5, S, T>(out, values, value),
        _ => {
            let groups = out.iter_mut().zip(values.chunks_exact(size));
            groups.for_each(|(out, group)| *out = value(group.iter().copied().sum()));
        }
    }
}

/// The lattice of whole blocks.
pub(crate) fn reduced_geometry(geometry: &VolumeGeometry, block: [usize; 3]) -> VolumeGeometry {
    let shape = geometry.shape();
    lattice_of_blocks(geometry, block, [0, 1, 2].map(|axis| shape[axis] / block[axis]))
}

/// A lattice of so many blocks from the first voxel on.
pub(crate) fn lattice_of_blocks(
    geometry: &VolumeGeometry,
    block: [usize; 3],
    shape: [usize; 3],
) -> VolumeGeometry {
    lattice_of_cells(geometry, block.map(|voxels| voxels as f64), shape)
}

/// A lattice of so many cells of any size in voxels, from the edge of the first voxel on.
pub(crate) fn lattice_of_cells(
    geometry: &VolumeGeometry,
    cell: [f64; 3],
    shape: [usize; 3],
) -> VolumeGeometry {
    let steps = geometry.steps_mm();
    let first_centre = DVec3::from_array(cell.map(|size| (size - 1.0) / 2.0));
    let origin = geometry.patient_from_index().transform_point3(first_centre);
    let steps = [0, 1, 2].map(|axis| steps[axis] * cell[axis]);
    VolumeGeometry::new(shape, origin, steps).expect("multiples of a lattice are a lattice")
}

/// One row of block averages: whole source rows are summed first, then cut into blocks.
fn average_row<T: Sample>(
    volume: &Volume<T>,
    block: [usize; 3],
    [s, r]: [usize; 2],
    sums: &mut [f32],
    out: &mut [f32],
) {
    let columns = volume.geometry().shape()[2];
    sums.fill(0.0);
    for slice in s * block[0]..(s + 1) * block[0] {
        for row in r * block[1]..(r + 1) * block[1] {
            let start = volume.offset_of([slice, row, 0]);
            for (sum, &value) in sums.iter_mut().zip(&volume.values()[start..start + columns]) {
                *sum += value.into();
            }
        }
    }
    let scale = 1.0 / block.iter().product::<usize>() as f32;
    fill_from_groups(out, sums, block[2], |sum: f32| sum * scale);
}

/// A volume built by evaluating a function at each voxel's centre, in millimetres.
pub fn evaluate<T: Send>(
    geometry: &VolumeGeometry,
    value: impl Fn(DVec3) -> T + Sync,
) -> Volume<T> {
    let [slices, rows, columns] = geometry.shape();
    let value = &value;
    let row_values = |line: usize| {
        (0..columns).map(move |c| value(geometry.centre_of([line / rows, line % rows, c])))
    };
    let values = (0..slices * rows).into_par_iter().flat_map_iter(row_values).collect();
    Volume::from_vec(geometry.clone(), values)
}
