//! Voxels: files are read and decoded in parallel, each slice straight into its place of one allocation.
//!
//! PET: (stored · `slope_i` + `intercept_i`) · `factor_i`, computed in f64, kept as f32. CT: Hounsfield units,
//! stored · `slope_i` + `intercept_i`, rounded to i16.
//!
//! Source: DICOM PS3.3 C.11.1.1.2 (rescale), C.7.5.1.1.2 (pixel padding).

use std::ops::Range;
use std::path::PathBuf;

use rayon::prelude::*;

use super::error::ReadError;
use super::file::{Stored, read_range, read_stored};
use super::pixels::{Samples, Scale};
use super::record::PixelFormat;
use super::scan::contained;
use super::series::{Series, Source};
use crate::geometry::VolumeGeometry;
use crate::memory::zeroed;
use crate::resample::{average_hounsfield, reduced_geometry, whole_blocks};
use crate::volume::Volume;

/// Most voxels in a volume: eight gigabytes of f32.
const MAX_VOXELS: usize = 1 << 31;
/// Fewer slices may all reach the largest value by chance.
const LEAST_STRETCHED: usize = 3;
/// Air, for places that a CT did not measure.
const AIR_HU: i16 = -1024;
/// No value lies between these.
const NO_PADDING: [f64; 2] = [1.0, 0.0];

/// Loads a PET: (stored · slope + intercept) · factor for each slice, `factor_per_slice` in the order of the volume; padding
/// becomes 0, because nothing was measured there, unless it would be activity (`PADDING_WITH_ACTIVITY`).
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
    let reader = Reader::new(series)?;
    let volume = load(&reader, |slice, room, target| {
        let source = series.sources[slice];
        let Source { slope, intercept, .. } = source;
        let scale = Uptake { slope, intercept, factor: factor_per_slice[slice] };
        match reader.padding(slice).filter(|&padding| source.is_without_activity(padding)) {
            Some(padding) => reader.slice(slice, room, target, Padded::new(scale, padding, 0.0)),
            None => reader.slice(slice, room, target, scale),
        }
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
    let reader = Reader::new(series)?;
    load(&reader, |slice, room, target| reader.hounsfield(slice, room, target))
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
    let mut voxels = zeroed(reduced.len());
    let planes = voxels.par_chunks_mut(reduced.shape()[1] * reduced.shape()[2]);
    planes.enumerate().try_for_each_init(
        || (vec![0; block[0] * area], Vec::new()),
        |(whole, room), (n, plane)| {
            for (k, target) in whole.chunks_exact_mut(area).enumerate() {
                reader.hounsfield(n * block[0] + k, room, target)?;
            }
            average_hounsfield(whole, [rows, columns], block, plane);
            Ok(())
        },
    )?;
    Ok(Volume::from_vec(reduced, voxels))
}

/// PET: the value of a stored one.
#[derive(Debug, Clone, Copy)]
struct Uptake {
    slope: f64,
    intercept: f64,
    factor: f64,
}

impl Scale<f32> for Uptake {
    fn number(self, stored: f64) -> f32 {
        ((stored * self.slope + self.intercept) * self.factor) as f32
    }
}

/// Hounsfield units of a stored value.
#[derive(Debug, Clone, Copy)]
struct Hounsfield {
    slope: f64,
    intercept: f64,
}

impl Scale<i16> for Hounsfield {
    fn number(self, stored: f64) -> i16 {
        // Rounded half away from zero; `round` would be a call for each voxel. `as` cuts, and saturates: values beyond i16
        // become its ends.
        let hu = stored * self.slope + self.intercept;
        (hu + 0.5_f64.copysign(hu)) as i16
    }
}

/// The same where the slope is 1 and the intercept whole, as scanners write them: fast because whole numbers are added,
/// eight voxels an instruction.
#[derive(Debug, Clone, Copy)]
struct Shifted {
    scale: Hounsfield,
    shift: i32,
}

impl Shifted {
    /// Largest intercept that is added as a whole number, to samples of as many bits.
    const LARGEST: f64 = 32768.0;
    const MOST_BITS: u32 = 16;

    fn of(scale: Hounsfield, bits: u32) -> Option<Self> {
        let Hounsfield { slope, intercept } = scale;
        let whole = intercept.fract() == 0.0 && intercept.abs() <= Self::LARGEST;
        (slope.total_cmp(&1.0).is_eq() && whole && bits <= Self::MOST_BITS)
            .then_some(Self { scale, shift: intercept as i32 })
    }
}

impl Scale<i16> for Shifted {
    fn number(self, stored: f64) -> i16 {
        self.scale.number(stored)
    }

    fn whole(self, stored: i32) -> i16 {
        (stored + self.shift).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }
}

/// A scale under which padding, both ends included, has a value of its own: it was not measured (PS3.3 C.7.5.1.1.2).
#[derive(Debug, Clone, Copy)]
struct Padded<S, T> {
    scale: S,
    padding: [f64; 2],
    whole: [i32; 2],
    instead: T,
}

impl<S, T> Padded<S, T> {
    fn new(scale: S, [low, high]: [f64; 2], instead: T) -> Self {
        let most = f64::from(i32::MAX);
        let within = low <= most && high >= -most;
        let whole = if within { [low.ceil() as i32, high.floor() as i32] } else { [1, 0] };
        Self { scale, padding: [low, high], whole, instead }
    }
}

impl<S: Scale<T>, T: Copy> Scale<T> for Padded<S, T> {
    fn number(self, stored: f64) -> T {
        let is_padding = self.padding[0] <= stored && stored <= self.padding[1];
        if is_padding { self.instead } else { self.scale.number(stored) }
    }

    fn whole(self, stored: i32) -> T {
        let is_padding = self.whole[0] <= stored && stored <= self.whole[1];
        if is_padding { self.instead } else { self.scale.whole(stored) }
    }
}

/// Fills a volume slice by slice, in parallel.
fn load<T: Copy + Default + Send>(
    reader: &Reader,
    slice: impl Fn(usize, &mut Vec<u8>, &mut [T]) -> Result<(), ReadError> + Sync,
) -> Result<Volume<T>, ReadError> {
    let [_, rows, columns] = reader.geometry.shape();
    let mut voxels = zeroed(reader.geometry.len());
    let slices = voxels.par_chunks_mut(rows * columns).enumerate();
    slices.try_for_each_init(Vec::new, |room, (n, target)| slice(n, room, target))?;
    Ok(Volume::from_vec(reader.geometry.clone(), voxels))
}

/// Reads and decodes the slices of a series, in any order.
struct Reader<'a> {
    series: &'a Series,
    geometry: VolumeGeometry,
    /// How the samples of each file are laid out.
    formats: Vec<Samples>,
    /// Files of many frames that cannot be read frame by frame are read once, before their frames are decoded in parallel;
    /// empty where each file has one.
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
        let one_by_one = |file: usize| reader.frame_in_file(file, 0).is_some();
        if series.files.len() != series.sources.len() && !(0..series.files.len()).all(one_by_one) {
            reader.shared =
                (0..series.files.len()).map(|file| reader.file(file)).collect::<Result<_, _>>()?;
        }
        Ok(reader)
    }

    fn file(&self, file: usize) -> Result<Stored, ReadError> {
        let (path, format) = &self.series.files[file];
        contained(|| read_stored(path, format))
            .map_err(|reason| ReadError::Pixels { path: path.clone(), reason })
    }

    /// Where a frame lies by itself in its file; `None` where it is compressed.
    fn frame_in_file(&self, file: usize, frame: u32) -> Option<Range<u64>> {
        let frame_bytes = self.formats[file].frame_bytes() as u64;
        self.series.files[file].1.frame_in_file(frame, frame_bytes)
    }

    /// Fills a slice of a CT.
    fn hounsfield(
        &self,
        slice: usize,
        room: &mut Vec<u8>,
        target: &mut [i16],
    ) -> Result<(), ReadError> {
        let Source { file, slope, intercept, .. } = self.series.sources[slice];
        let scale = Hounsfield { slope, intercept };
        let padding = self.padding(slice).unwrap_or(NO_PADDING);
        match Shifted::of(scale, self.formats[file].bits()) {
            Some(shifted) => self.slice(slice, room, target, Padded::new(shifted, padding, AIR_HU)),
            None => self.slice(slice, room, target, Padded::new(scale, padding, AIR_HU)),
        }
    }

    /// The lowest and the highest stored value that are padding in a slice.
    fn padding(&self, slice: usize) -> Option<[f64; 2]> {
        let file = self.series.sources[slice].file;
        Some(self.formats[file].padding(self.series.files[file].1.padding?))
    }

    /// Fills one slice with its scaled samples; `room` is read into.
    ///
    /// Fast because the samples of a slice are read into room that is still in the cache, and scaled from there straight
    /// into the volume.
    fn slice<T>(
        &self,
        slice: usize,
        room: &mut Vec<u8>,
        target: &mut [T],
        scale: impl Scale<T>,
    ) -> Result<(), ReadError> {
        let Source { file, frame, .. } = self.series.sources[slice];
        let (path, format) = &self.series.files[file];
        let samples = &self.formats[file];
        let read = match (self.shared.get(file), self.frame_in_file(file, frame)) {
            (Some(stored), _) => contained(|| samples.read(stored, frame as usize, target, scale)),
            (None, Some(range)) => contained(|| {
                read_range(path, format, range, room)?;
                samples.read_native(room, target, scale)
            }),
            (None, None) => contained(|| {
                samples.read(&read_stored(path, format)?, frame as usize, target, scale)
            }),
        };
        read.map_err(|reason| ReadError::Pixels { path: path.clone(), reason })
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
