//! Regions of raised uptake: found, measured, told apart from normal uptake.
//!
//! Nothing is dropped silently: each region has a class, a site and a reason in words, and what is too small to be listed
//! is counted in a warning.

mod classify;
mod find;
mod landmarks;
mod measure;
mod site;
mod written;

use glam::DVec3;

use crate::segmentation::Region;
use crate::statistics::{Peak, RegionStatistics};

pub use classify::classify;
pub use find::{
    Candidate, DEFAULT_THRESHOLD_SUV, Found, SMALLEST_ML, Threshold, ThresholdError, find,
};
pub use landmarks::Landmarks;
pub use measure::{background, measure};
pub use site::Site;

/// What a region of raised uptake is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Disease.
    Lesion,
    /// Normal uptake of an organ.
    Physiologic,
    /// Either; the score is given with and without it.
    Uncertain,
}

impl Class {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lesion => "lesion",
            Self::Physiologic => "physiologic",
            Self::Uncertain => "uncertain",
        }
    }
}

/// What a region is taken to be, where, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The class.
    pub class: Class,
    /// The site.
    pub site: Site,
    /// The reason in words.
    pub reason: String,
}

/// A region of raised uptake with its measurements, in the kind of SUV of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesion {
    /// Number in the scan, from 1, hottest first.
    pub id: usize,
    /// What it is taken to be.
    pub finding: Finding,
    /// Its voxels on the lattice of the PET.
    pub region: Region,
    /// SUVmax, SUVmean, volume and so on.
    pub statistics: RegionStatistics,
    /// SUVpeak: highest mean of a sphere of 1 mL (IBSI global peak).
    pub peak: Peak,
    /// Peak of qPET: the hottest voxel and its three hottest neighbours.
    pub peak_of_four: Peak,
    /// Mean of the voxel centres, millimetres.
    pub centroid_mm: DVec3,
    /// Centre of the hottest voxel, millimetres.
    pub hottest_mm: DVec3,
    /// The tissue 5 to 15 mm around it.
    pub background: Option<RegionStatistics>,
    /// Hotter than the liver but below the threshold of the tumour burden: scored, not counted in volumes.
    pub below_threshold: bool,
    /// Divided from a hotter or cooler neighbour that it touches.
    pub divided: bool,
}

impl Lesion {
    /// Total lesion glycolysis: volume times SUVmean, grams.
    pub fn tlg_g(&self) -> f64 {
        self.statistics.integral()
    }
}

#[cfg(test)]
mod tests;
