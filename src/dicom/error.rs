//! Why a scan cannot be read, and where.

use std::path::PathBuf;

use glam::DVec3;
use thiserror::Error;

use crate::geometry::GeometryError;

/// Why nothing usable comes of a path. Texts name files and series, never the patient.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The path is not there.
    #[error("{} does not exist; give a folder, a DICOM file or a DICOMDIR", .0.display())]
    NotFound(PathBuf),
    /// The folder holds no file at all.
    #[error("{} holds no files; give the folder of a DICOM study", .0.display())]
    EmptyFolder(PathBuf),
    /// None of the files is DICOM.
    #[error(
        "{} holds no readable DICOM image among its {files} files ({example}); give the folder of a DICOM study",
        path.display()
    )]
    NoDicom {
        /// What was searched.
        path: PathBuf,
        /// Files that were tried.
        files: usize,
        /// What was wrong with the first of them.
        example: String,
    },
    /// A folder or file cannot be opened.
    #[error("{} cannot be read ({reason}); check that it is complete and that you may read it", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system or the parser said.
        reason: String,
    },
    /// No PET series can be used.
    #[error("no usable PET series: {}; give a folder with a complete, attenuation-corrected PET series", reasons.join("; "))]
    NoPet {
        /// One entry a candidate, or what is there instead.
        reasons: Vec<String>,
    },
    /// More than one PET series is as good as the others.
    #[error("{} PET series are equally usable; name one with --series: {}", series.len(), series.join(", "))]
    Ambiguous {
        /// `SeriesInstanceUID` and description of each.
        series: Vec<String>,
    },
    /// The named series is not there.
    #[error("series {0} is not a PET series of this scan; petct inspect lists the series")]
    NoSuchSeries(String),
    /// The named series is there but cannot be made into a volume.
    #[error(
        "series {series} cannot be loaded: {reason}; export the series again or name another with --series"
    )]
    Unusable {
        /// `SeriesInstanceUID`.
        series: String,
        /// Why.
        reason: String,
    },
    /// The pixels of one file cannot be read.
    #[error("{}: {reason}; export or transfer this file again", path.display())]
    Pixels {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The slope of each slice is lost.
    #[error(
        "series {series} has RescaleSlope (0028,1053) 1 on all slices while each slice reaches the largest stored value, {largest}: each was stretched by itself and its slope is lost; export the original series of the scanner"
    )]
    Stretched {
        /// `SeriesInstanceUID`.
        series: String,
        /// The largest value that the samples can hold.
        largest: f64,
    },
    /// The factors do not belong to the series.
    #[error(
        "series {series} has {slices} slices but {factors} factors were given; give one factor a slice"
    )]
    Factors {
        /// `SeriesInstanceUID`.
        series: String,
        /// Slices of the series.
        slices: usize,
        /// Factors given.
        factors: usize,
    },
}

/// Why the slices of a series do not make one volume.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum GeometryFault {
    /// A volume needs at least two slices.
    #[error("{slices} slice(s) are too few for a volume")]
    TooFew {
        /// Slices of the series.
        slices: usize,
    },
    /// A file does not say where its slice lies, or how large it is.
    #[error("{attribute} {fault} in {}", file.display())]
    Attribute {
        /// Keyword and tag.
        attribute: &'static str,
        /// What is wrong with it.
        fault: String,
        /// The first such file.
        file: PathBuf,
    },
    /// An attribute that must be the same in all slices is not.
    #[error("{attribute} differs between slices ({} and {})", files[0].display(), files[1].display())]
    Differs {
        /// Keyword and tag.
        attribute: &'static str,
        /// Two files that disagree.
        files: Box<[PathBuf; 2]>,
    },
    /// Slices are missing.
    #[error(
        "{missing} slice(s) are missing between {after_mm:.2} and {before_mm:.2} (x, y, z in mm; the step is {step_mm:.2} mm)"
    )]
    Gap {
        /// How many steps are left out.
        missing: usize,
        /// Position of the slice before the gap.
        after_mm: DVec3,
        /// Position of the slice after the gap.
        before_mm: DVec3,
        /// The usual distance.
        step_mm: f64,
    },
    /// Two files hold the same place.
    #[error("two slices lie at {place_mm:.2} (x, y, z in mm): {} and {}", files[0].display(), files[1].display())]
    Duplicate {
        /// The place.
        place_mm: DVec3,
        /// The files.
        files: Box<[PathBuf; 2]>,
    },
    /// Every place is there several times: a dynamic or gated series.
    #[error("each of {places} places is there {times} times: a dynamic or gated series")]
    Phases {
        /// Distinct places.
        places: usize,
        /// How often each.
        times: usize,
    },
    /// Steps differ by more than a jitter.
    #[error(
        "slices are unevenly spaced: the step at {place_mm:.2} (x, y, z in mm) is {found_mm:.2} mm, elsewhere {step_mm:.2} mm"
    )]
    Uneven {
        /// The slice before the odd step.
        place_mm: DVec3,
        /// The step there.
        found_mm: f64,
        /// The usual distance.
        step_mm: f64,
    },
    /// Slices are shifted against each other sideways.
    #[error(
        "the slice at {place_mm:.2} (x, y, z in mm) is shifted by {shift_mm:.2} mm against its neighbour: two stacks in one series"
    )]
    Shifted {
        /// The slice before the shift.
        place_mm: DVec3,
        /// Size of the shift.
        shift_mm: f64,
    },
    /// The lattice is degenerate.
    #[error(transparent)]
    Lattice(#[from] GeometryError),
}
