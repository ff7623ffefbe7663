//! Finding regions of raised uptake: connected voxels over a threshold, touching maxima divided.
//!
//! Two levels. The *threshold* delineates tumour burden (SUV 4.0 by default; Boellaard 2024, JNM 65:1343). Disease between
//! the liver and that threshold would be missed by it although it scores Deauville 4; so what is hotter than the liver is
//! looked for as well, marked as below the threshold, and left out of volumes.

use thiserror::Error;

use crate::resample::{gaussian_smooth, reach};
use crate::segmentation::{Region, components, grow, split_by_maxima};
use crate::statistics::{RegionStatistics, statistics};
use crate::volume::{Mask, Volume};

/// Smallest region that is listed, millilitres. Smaller ones are counted, not listed: at the voxel sizes in use
/// (0.02 to 0.1 mL) half a millilitre is a handful of voxels, within reach of noise.
pub const SMALLEST_ML: f64 = 0.5;
/// Smallest region below the threshold that is listed, millilitres: the volume of the SUVpeak sphere.
const SMALLEST_BELOW_ML: f64 = 1.0;
/// Touching maxima are separate lesions where, smoothed by this much (standard deviation, millimetres) against noise, the
/// saddle between them is below this share of the lower one.
pub(super) const SMOOTHING_MM: f64 = 3.0;
pub(super) const SADDLE: f64 = 0.7;

/// How regions are delineated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// A fixed SUV.
    Fixed(f64),
    /// A share of each region's own SUVmax, in percent; regions are first found at SUV [`DEFAULT_THRESHOLD_SUV`].
    PercentOfMaximum(f64),
    /// 1.5 times the liver's SUVmean plus two standard deviations (PERCIST 1.0; Wahl 2009, JNM 50 S1:122S).
    Liver,
    /// A percentage of the liver's SUVmean (140 %: GHSG HD16, PMC9206242).
    PercentOfLiver(f64),
}

/// The fixed threshold in SUV (Boellaard 2024, JNM 65:1343).
pub const DEFAULT_THRESHOLD_SUV: f64 = 4.0;

/// Why a threshold cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// A rule needs the liver.
    #[error(
        "the threshold {0} needs the liver's uptake, which is not known; give it with --liver, or a fixed --threshold"
    )]
    NeedsLiver(Threshold),
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(suv) => write!(formatter, "{suv}"),
            Self::PercentOfMaximum(percent) => write!(formatter, "{percent}%"),
            Self::Liver => formatter.write_str("liver"),
            Self::PercentOfLiver(percent) => write!(formatter, "liver{percent}%"),
        }
    }
}

impl Threshold {
    /// The SUV at which regions are found.
    pub fn level(&self, liver: Option<&RegionStatistics>) -> Result<f64, ThresholdError> {
        let liver = liver.ok_or(ThresholdError::NeedsLiver(*self));
        match *self {
            Self::Fixed(suv) => Ok(suv),
            Self::PercentOfMaximum(_) => Ok(DEFAULT_THRESHOLD_SUV),
            Self::Liver => liver.map(|l| 1.5 * l.mean + 2.0 * l.sd),
            Self::PercentOfLiver(percent) => liver.map(|l| percent / 100.0 * l.mean),
        }
    }
}

/// A region before it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its voxels.
    pub region: Region,
    /// The connected region at the level of search that it is a part of; itself where it was not divided.
    pub whole: Region,
    /// Found between the liver and the threshold.
    pub below_threshold: bool,
    /// Whether it was divided from a neighbour.
    pub divided: bool,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The regions, in memory order of their first voxel.
    pub candidates: Vec<Candidate>,
    /// SUV at which regions were found.
    pub level: f64,
    /// Regions too small to be listed, over the threshold: their number and the highest SUV in them.
    pub too_small: (usize, f64),
}

/// Finds regions of raised uptake.
///
/// `liver` is the liver's uptake where it is known, `liver_level` the liver value of the score's convention: what is hotter
/// is listed even below the threshold. Voxels of `exclude` take no part.
pub fn find(
    pet: &Volume<f32>,
    threshold: Threshold,
    liver: Option<&RegionStatistics>,
    liver_level: Option<f64>,
    exclude: Option<&Mask>,
) -> Result<Found, ThresholdError> {
    let level = threshold.level(liver)?;
    let cleared = exclude.map(|mask| without(pet, mask));
    let searched = cleared.as_ref().unwrap_or(pet);
    let over = components(searched, level as f32);
    let (listed, small): (Vec<_>, Vec<_>) =
        over.into_iter().partition(|r| r.volume_ml(pet.geometry()) >= SMALLEST_ML);
    let hottest_small = small.iter().filter_map(|r| statistics(pet, r)).map(|s| s.max);
    let too_small = (small.len(), hottest_small.fold(0.0, f64::max));
    let lower = liver_level.filter(|&lower| lower < level);
    let (mut candidates, lesser) = rayon::join(
        || listed.iter().flat_map(|whole| divide(searched, whole, threshold)).collect::<Vec<_>>(),
        || lower.map(|lower| below(searched, lower, &listed)),
    );
    candidates.extend(lesser.into_iter().flatten());
    candidates.sort_by_key(|c| c.region.first());
    Ok(Found { candidates, level, too_small })
}

/// The volume with the voxels of a mask at 0.
fn without(pet: &Volume<f32>, mask: &Mask) -> Volume<f32> {
    let mut cleared = pet.clone();
    let pairs = cleared.values_mut().iter_mut().zip(mask.values());
    pairs.filter(|(_, excluded)| **excluded).for_each(|(value, _)| *value = 0.0);
    cleared
}

/// The separate maxima of a region, each delineated by the threshold.
fn divide(pet: &Volume<f32>, whole: &Region, threshold: Threshold) -> Vec<Candidate> {
    let large = |r: &Region| r.volume_ml(pet.geometry()) >= SMALLEST_ML;
    let parts = separate_maxima(pet, whole);
    // A part too small to be a lesion of its own stays with the whole.
    let parts = if parts.iter().all(large) { parts } else { vec![whole.clone()] };
    let divided = parts.len() > 1;
    let delineate = |part: Region| match threshold {
        Threshold::PercentOfMaximum(percent) => relative(pet, &part, whole, percent),
        Threshold::Fixed(_) | Threshold::Liver | Threshold::PercentOfLiver(_) => part,
    };
    parts
        .into_iter()
        .map(|part| Candidate {
            region: delineate(part),
            whole: whole.clone(),
            below_threshold: false,
            divided,
        })
        .collect()
}

/// The parts of a region around its maxima in the smoothed PET, which is smoothed there and nowhere else: the box of the
/// region is as much wider as the kernel reaches, so its voxels get what they would get in the whole volume.
pub(super) fn separate_maxima(pet: &Volume<f32>, whole: &Region) -> Vec<Region> {
    let margin = pet.geometry().spacing_mm().map(|step| reach(SMOOTHING_MM / step));
    let Some((mask, low)) = whole.cropped(pet.geometry(), margin) else { return Vec::new() };
    let shape = mask.geometry().shape();
    let part = pet.part(low, std::array::from_fn(|axis| low[axis] + shape[axis] - 1));
    let smooth = gaussian_smooth(&part, [SMOOTHING_MM; 3]);
    let maxima = split_by_maxima(&smooth, &Region::from_mask(&mask), SADDLE);
    maxima.iter().map(|part| whole.placed(low, part)).collect()
}

/// The connected voxels around a part's maximum with at least a share of it; other parts of the whole take no part.
fn relative(pet: &Volume<f32>, part: &Region, whole: &Region, percent: f64) -> Region {
    let values = pet.values();
    let hottest = part.offsets().reduce(|a, b| if values[b] > values[a] { b } else { a });
    let Some(hottest) = hottest else { return part.clone() };
    let level = (f64::from(values[hottest]) * percent / 100.0) as f32;
    let mut allowed = Mask::filled(pet.geometry().clone(), true);
    whole.difference(part).paint(&mut allowed, false);
    grow(pet, pet.voxel_of(hottest), level, Some(&allowed))
}

/// Regions hotter than the liver that hold no listed region over the threshold.
fn below(pet: &Volume<f32>, lower: f64, listed: &[Region]) -> Vec<Candidate> {
    let counted = Region::union_of(pet.geometry().shape(), listed);
    let level = (lower as f32).next_up();
    components(pet, level)
        .into_iter()
        .filter(|r| r.volume_ml(pet.geometry()) >= SMALLEST_BELOW_ML)
        .filter(|r| r.intersection(&counted).is_empty())
        .map(|region| Candidate {
            whole: region.clone(),
            region,
            below_threshold: true,
            divided: false,
        })
        .collect()
}
