//! Voxels: files are read and decoded in parallel, each slice straight into its place of one allocation.
//!
//! PET: (stored · `slope_i` + `intercept_i`) · `factor_i`, computed in f64, kept as f32. CT: Hounsfield units,
//! stored · `slope_i` + `intercept_i`, rounded to i16.
//!
//! Source: DICOM PS3.3 C.11.1.1.2 (rescale), C.7.5.1.1.2 (pixel padding).

use std::path::PathBuf;

use rayon::prelude::*;

use super::error::ReadError;
use super::file::{Stored, read_stored};
use super::pixels::Samples;
use super::record::PixelFormat;
use super::scan::contained;
use super::series::{Series, Source};
use crate::geometry::VolumeGeometry;
use crate::resample::{average_hounsfield, reduced_geometry, whole_blocks};
use crate::volume::Volume;

/// Most voxels in a volume: eight gigabytes of f32.
const MAX_VOXELS: usize = 1 << 31;
/// Fewer slices may all reach the largest value by chance.
const LEAST_STRETCHED: usize = 3;
/// Air, for places that a CT did not measure.
const AIR_HU: i16 = -1024;

/// Loads a PET: (stored · slope + intercept) · factor for each slice, `factor_per_slice` in the order of the volume.
///
/// # Errors
/// The series has no lattice, the number of factors is not that of its slices, a file cannot be decoded, or the slopes of
/// the slices are lost.
pub fn load_pet(series: &Series, factor_per_slice: &[f64]) -> Result<Volume<f32>, ReadError> {
    if factor_per_slice.len() != series.slices {
        return Err(ReadError::Factors {
            series: series.series_instance_uid.clone(),
            slices: series.slices,
            factors: factor_per_slice.len(),
        });
    }
    let volume = load(series, |slice, source, _| {
        let (slope, intercept, factor) = (source.slope, source.intercept, factor_per_slice[slice]);
        move |stored| ((stored * slope + intercept) * factor) as f32
    })?;
    match stretched(series, factor_per_slice, &volume) {
        Some(largest) => {
            Err(ReadError::Stretched { series: series.series_instance_uid.clone(), largest })
        }
        None => Ok(volume),
    }
}

/// The largest value that a sample can hold, if the slope of every slice is 1 and yet each slice with any value reaches it.
///
/// Scanners scale a slice to the range of its samples and write its slope (PS3.3 C.8.9.4.1.4). Exports have been seen that
/// put 1 in place of all slopes: slices that cannot be compared, under headers without a fault. Any other slope may be the
/// one of a volume that was scaled as a whole, and whose slices are alike.
fn stretched(series: &Series, factors: &[f64], volume: &Volume<f32>) -> Option<f64> {
    if series.sources.iter().any(|source| source.slope.total_cmp(&1.0).is_ne()) {
        return None;
    }
    let largest = Samples::of(&series.files.first()?.1, true).ok()?.largest()?;
    let [_, rows, columns] = volume.geometry().shape();
    let highest =
        volume.values().chunks_exact(rows * columns).zip(factors).map(|(slice, factor)| {
            let most = slice.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            (f64::from(most) / factor).round()
        });
    let filled: Vec<_> = highest.filter(|&most| most != 0.0).collect();
    let reached = |most: &f64| most.total_cmp(&largest).is_eq();
    (filled.len() >= LEAST_STRETCHED && filled.iter().all(reached)).then_some(largest)
}

/// Loads a CT in Hounsfield units, rounded and clamped to `i16`; padding becomes air (-1024).
///
/// # Errors
/// The series has no lattice, or a file cannot be decoded.
pub fn load_ct(series: &Series) -> Result<Volume<i16>, ReadError> {
    load(series, |_, source, padding| hounsfield(source, padding))
}

/// Loads a CT as [`load_ct`] does, averaged over whole blocks of voxels to a spacing within `coarsest_mm`:
/// [`reduce_hounsfield`](crate::resample::reduce_hounsfield) of it, without ever holding more than a few slices whole.
///
/// # Errors
/// As [`load_ct`].
pub fn load_ct_reduced(series: &Series, coarsest_mm: f64) -> Result<Volume<i16>, ReadError> {
    let reader = Reader::new(series)?;
    let [_, rows, columns] = reader.geometry.shape();
    let block = whole_blocks(&reader.geometry, coarsest_mm);
    let reduced = reduced_geometry(&reader.geometry, block);
    let area = rows * columns;
    let mut voxels = vec![0; reduced.len()];
    let planes = voxels.par_chunks_mut(reduced.shape()[1] * reduced.shape()[2]);
    planes.enumerate().try_for_each_init(
        || vec![0; block[0] * area],
        |whole, (n, plane)| {
            for (k, target) in whole.chunks_exact_mut(area).enumerate() {
                reader.slice(n * block[0] + k, target, hounsfield)?;
            }
            average_hounsfield(whole, [rows, columns], block, plane);
            Ok(())
        },
    )?;
    Ok(Volume::from_vec(reduced, voxels))
}

/// Hounsfield units of a stored value; padding is air.
fn hounsfield(source: Source, padding: Option<[f64; 2]>) -> impl Fn(f64) -> i16 {
    let (slope, intercept) = (source.slope, source.intercept);
    move |stored| {
        if padding.is_some_and(|[low, high]| low <= stored && stored <= high) {
            return AIR_HU;
        }
        // Rounded half away from zero; `round` would be a call for each voxel. `as` cuts, and saturates: values beyond i16
        // become its ends.
        let hu = stored * slope + intercept;
        (hu + 0.5_f64.copysign(hu)) as i16
    }
}

/// Loads each slice through the function that `scaling` makes for its position, source and padding.
fn load<T, F>(
    series: &Series,
    scaling: impl Fn(usize, Source, Option<[f64; 2]>) -> F + Sync,
) -> Result<Volume<T>, ReadError>
where
    T: Copy + Default + Send,
    F: Fn(f64) -> T,
{
    let reader = Reader::new(series)?;
    let [_, rows, columns] = reader.geometry.shape();
    let mut voxels = vec![T::default(); reader.geometry.len()];
    let slices = voxels.par_chunks_mut(rows * columns).enumerate();
    slices.try_for_each(|(slice, target)| {
        reader.slice(slice, target, |source, padding| scaling(slice, source, padding))
    })?;
    Ok(Volume::from_vec(reader.geometry, voxels))
}

/// Reads and decodes the slices of a series, in any order.
struct Reader<'a> {
    series: &'a Series,
    geometry: VolumeGeometry,
    /// How the samples of each file are laid out.
    formats: Vec<Samples>,
    /// Files of many frames are read once, before their frames are decoded in parallel; empty where each file has one.
    shared: Vec<Stored>,
}

impl<'a> Reader<'a> {
    fn new(series: &'a Series) -> Result<Self, ReadError> {
        let geometry = lattice(series)?;
        let samples = |(path, format): &(PathBuf, PixelFormat)| {
            Samples::of(format, series.is_pet())
                .map_err(|reason| ReadError::Pixels { path: path.clone(), reason })
        };
        let formats = series.files.iter().map(samples).collect::<Result<_, _>>()?;
        let mut reader = Self { series, geometry, formats, shared: Vec::new() };
        if series.files.len() != series.sources.len() {
            reader.shared =
                (0..series.files.len()).map(|file| reader.file(file)).collect::<Result<_, _>>()?;
        }
        Ok(reader)
    }

    fn file(&self, file: usize) -> Result<Stored, ReadError> {
        let (path, format) = &self.series.files[file];
        contained(|| read_stored(path, format.native_bytes().unwrap_or(0)))
            .map_err(|reason| ReadError::Pixels { path: path.clone(), reason })
    }

    /// Fills one slice through the function that `scaling` makes for its source and padding.
    fn slice<T, F: Fn(f64) -> T>(
        &self,
        slice: usize,
        target: &mut [T],
        scaling: impl Fn(Source, Option<[f64; 2]>) -> F,
    ) -> Result<(), ReadError>
    where
        T: Copy + Default,
    {
        let source = self.series.sources[slice];
        let (path, format) = &self.series.files[source.file];
        let samples = &self.formats[source.file];
        let own = if self.shared.is_empty() { Some(self.file(source.file)?) } else { None };
        let stored = own.as_ref().unwrap_or_else(|| &self.shared[source.file]);
        let padding = format.padding.map(|ends| ends.map(|end| samples.as_stored(end)));
        contained(|| samples.read(stored, source.frame as usize, target, scaling(source, padding)))
            .map_err(|reason| ReadError::Pixels { path: path.clone(), reason })
    }
}

fn lattice(series: &Series) -> Result<VolumeGeometry, ReadError> {
    let unusable = |reason: String| ReadError::Unusable { series: series.label(), reason };
    if !series.loadable {
        return Err(unusable(series.reasons.join("; ")));
    }
    let geometry = series.geometry.clone().map_err(|fault| unusable(fault.to_string()))?;
    let voxels = geometry.shape().into_iter().try_fold(1_usize, usize::checked_mul);
    if voxels.is_none_or(|n| n > MAX_VOXELS) {
        return Err(unusable(format!("{:?} voxels are too many", geometry.shape())));
    }
    Ok(geometry)
}
