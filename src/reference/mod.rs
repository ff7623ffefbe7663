//! Reference regions: liver and mediastinal blood pool, placed, measured and checked.
//!
//! * Liver: sphere of 3 cm diameter in the right lobe.
//! * Mediastinal blood pool: cylinder of 1 cm diameter and 2 cm length in the descending thoracic aorta.
//!
//! Source: PERCIST 1.0 (Wahl 2009, JNM 50 S1:122S); EANM 2.0 (Boellaard 2015, EJNMMI 42:328).
//! An automatic place is a proposal: it is drawn, checked and refused with reasons rather than guessed.

mod blood_pool;
mod disease;
mod liver;
mod measure;
mod outlined;
mod track;

use glam::DVec3;

use crate::diagnostic::Warning;
use crate::segmentation::Region;
use crate::statistics::RegionStatistics;

pub use blood_pool::place as place_blood_pool;
pub use disease::Disease;
pub use liver::{dome_above, extent as liver_extent, place as place_liver};
pub use measure::{Rival, measure};
pub use outlined::place as place_in_outline;

/// Which reference a region is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceKind {
    /// Normal liver.
    Liver,
    /// Blood in the mediastinum.
    BloodPool,
}

impl ReferenceKind {
    /// The name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Liver => "liver",
            Self::BloodPool => "mediastinal blood pool",
        }
    }

    /// Distance that the region keeps from lesions (PERCIST practice: spill-in), millimetres.
    pub fn from_lesions_mm(self) -> f64 {
        match self {
            Self::Liver => liver::FROM_LESION_MM,
            Self::BloodPool => blood_pool::FROM_LESION_MM,
        }
    }

    /// The flag that gives the region by hand.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Liver => "--liver",
            Self::BloodPool => "--blood-pool",
        }
    }
}

/// How a region's place was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// From CT anatomy, with the PET's uptake as a second witness.
    Ct,
    /// From the PET alone.
    Pet,
    /// In the outline of the organ, given by the user with other organs.
    Organs,
    /// A sphere given by the user.
    GivenSphere,
    /// A mask given by the user.
    GivenMask,
}

impl Method {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ct => "automatic_ct",
            Self::Pet => "automatic_pet",
            Self::Organs => "organ_mask",
            Self::GivenSphere => "given_sphere",
            Self::GivenMask => "given_mask",
        }
    }
}

/// The form of a region.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// A sphere.
    Sphere {
        /// Centre, millimetres.
        centre_mm: DVec3,
        /// Radius, millimetres.
        radius_mm: f64,
    },
    /// A cylinder.
    Cylinder {
        /// Middle of the axis, millimetres.
        centre_mm: DVec3,
        /// Direction of the axis.
        axis: DVec3,
        /// Radius, millimetres.
        radius_mm: f64,
        /// Length, millimetres.
        length_mm: f64,
    },
    /// Any set of voxels on the lattice of the PET.
    Voxels(Region),
}

/// A region before it is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Its form and place.
    pub form: Form,
    /// How it was found.
    pub method: Method,
    /// What the reader should know of how it was found.
    pub notes: Vec<String>,
    /// What makes the place doubtful though it may serve.
    pub doubts: Vec<Warning>,
}

/// Whether a region may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Measured and inside its limits.
    Ok,
    /// No place was found.
    NotFound,
    /// A place was found or given, and fails a check.
    Refused,
}

/// A reference region with its uptake, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Which reference.
    pub kind: ReferenceKind,
    /// Whether it may serve.
    pub status: Status,
    /// How it was placed; `None` where it was not found.
    pub method: Option<Method>,
    /// Centre of the region's voxels, millimetres.
    pub centre_mm: Option<DVec3>,
    /// Its voxels on the lattice of the PET.
    pub region: Option<Region>,
    /// Its uptake, in the kind of SUV of the image; shown even where the region is refused.
    pub statistics: Option<RegionStatistics>,
    /// Why it was not found or is refused; else what is worth knowing.
    pub reasons: Vec<String>,
    /// What looks unusual though it may serve.
    pub warnings: Vec<Warning>,
}

impl Reference {
    /// A reference without a place.
    pub fn not_found(kind: ReferenceKind, reason: String) -> Self {
        let remedy = format!("give the {} with {} x,y,z,r or a mask", kind.name(), kind.flag());
        Self {
            kind,
            status: Status::NotFound,
            method: None,
            centre_mm: None,
            region: None,
            statistics: None,
            reasons: vec![reason, remedy],
            warnings: Vec::new(),
        }
    }

    /// The uptake, where the region may serve.
    pub fn usable(&self) -> Option<&RegionStatistics> {
        match self.status {
            Status::Ok => self.statistics.as_ref(),
            Status::NotFound | Status::Refused => None,
        }
    }
}

#[cfg(test)]
mod tests;
