//! Pixels in memory: maximum intensity projections, sections, fusion, outlines and whole figures.
//!
//! A picture is made in three steps. A volume becomes a [`Plate`], a flat image at voxel resolution that knows its
//! place and spacing ([`mip`], [`section`]); the plate is resampled on a [`Frame`] of square pixels, so unequal voxel
//! spacing cannot distort; colours, outlines and letters are then drawn on it. Nothing here touches a file.
//!
//! Orientation, for every lattice: coronal and axial pictures show the patient's right on the left, sagittal pictures
//! show anterior on the left, the head is up, and anterior is up in axial pictures.
//! Units: millimetres in the patient frame (LPS), SUV for PET, HU for CT.
//!
//! Source: radiological display convention, DICOM PS3.3 C.7.6.1.1.1 (patient orientation) and C.7.6.2.1.1 (LPS).

mod canvas;
mod colour;
mod contour;
mod figure;
mod frame;
mod label;
mod oblique;
mod panel;
mod plate;
mod print;
mod projections;
mod turning;

use glam::DVec3;

pub use colour::{Colour, Window, hot_iron};
pub use figure::{CompareColumn, FigureText, compare_figure, reference_views, score_figure};
pub use frame::Frame;
pub use plate::{Plate, mip, section};
pub use print::{PrintSize, Sheet, print_figure};
pub use projections::projections;
pub use turning::{Turned, turning_mip};

use crate::geometry::VolumeGeometry;
use crate::segmentation;
use crate::volume::{Mask, Volume};

/// The direction from which a picture looks at the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// From the feet: patient's right on the left, anterior up.
    Axial,
    /// From the front: patient's right on the left, head up.
    Coronal,
    /// From the patient's left: anterior on the left, head up.
    Sagittal,
}

impl View {
    /// Unit vectors in the patient along the picture's right, the picture's down, and through the picture.
    pub fn axes(self) -> [DVec3; 3] {
        match self {
            Self::Axial => [DVec3::X, DVec3::Y, DVec3::Z],
            Self::Coronal => [DVec3::X, DVec3::NEG_Z, DVec3::Y],
            Self::Sagittal => [DVec3::Y, DVec3::NEG_Z, DVec3::X],
        }
    }

    /// A place in the patient as (right, down, through) in millimetres.
    pub fn flatten(self, place_mm: DVec3) -> DVec3 {
        let [right, down, through] = self.axes();
        DVec3::new(right.dot(place_mm), down.dot(place_mm), through.dot(place_mm))
    }

    /// Letters of the directions at the picture's left, right, top and bottom edges (PS3.3 C.7.6.1.1.1).
    pub fn letters(self) -> [&'static str; 4] {
        match self {
            Self::Axial => ["R", "L", "A", "P"],
            Self::Coronal => ["R", "L", "H", "F"],
            Self::Sagittal => ["A", "P", "H", "F"],
        }
    }
}

/// What an outlined region is; it chooses the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// A lesion.
    Lesion,
    /// Uptake that may be a lesion or normal.
    Uncertain,
    /// Normal uptake.
    Physiologic,
    /// A reference region: liver or blood pool.
    Reference,
}

/// The voxels of an outlined region, on any lattice.
#[derive(Debug, Clone, Copy)]
pub enum Region<'a> {
    /// The true voxels of a mask.
    Mask(&'a Mask),
    /// A sparse set of voxels of a lattice.
    Sparse(&'a segmentation::Region, &'a VolumeGeometry),
}

/// A region to outline, with the text beside it.
#[derive(Debug, Clone)]
pub struct Outline<'a> {
    /// Its voxels.
    pub region: Region<'a>,
    /// The text beside it, such as `3` or `L`; nothing is written where it is empty.
    pub label: String,
    /// What it is.
    pub kind: RegionKind,
}

/// One scan as a picture needs it.
#[derive(Debug, Clone)]
pub struct PictureInput<'a> {
    /// PET in SUV.
    pub suv: &'a Volume<f32>,
    /// CT in HU, on its own lattice in the same frame of reference.
    pub ct: Option<&'a Volume<i16>>,
    /// Regions to outline, in the same frame of reference.
    pub outlines: Vec<Outline<'a>>,
    /// Where the sections cut: the hottest lesion's hottest voxel, in millimetres; without it the PET's hottest voxel.
    pub focus_mm: Option<DVec3>,
}

impl PictureInput<'_> {
    /// Where the sections cut: `focus_mm`, else the first of the hottest voxels.
    pub(crate) fn focus(&self) -> DVec3 {
        self.focus_mm.unwrap_or_else(|| {
            let hottest = self.suv.values().iter().enumerate().fold(
                (0, f32::NEG_INFINITY),
                |best, (offset, &v)| if v > best.1 { (offset, v) } else { best },
            );
            self.suv.geometry().centre_of(self.suv.voxel_of(hottest.0))
        })
    }
}
