//! Regions from outside: NIfTI, RTSTRUCT and DICOM SEG on the lattice of a scan.
//!
//! What a file is is decided by its content, never by its name. Every region of it becomes a [`NamedRegion`] on the
//! lattice of the scan. A grid that is not the scan's is sampled by nearest neighbour at the voxel centres of the scan,
//! and a warning says so; a crop, a flip or another order of axes of the scan's own grid is copied exactly.
//!
//! Source: NIfTI-1.1; DICOM PS3.3 A.19 (RT Structure Set) and A.51 (Segmentation).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use glam::{DAffine3, DVec3};
use thiserror::Error;

use crate::diagnostic::{Warned, Warning};
use crate::dicom::region;
use crate::geometry::VolumeGeometry;
use crate::nifti_file::{self, NiftiError};
use crate::segmentation::Region;
use crate::volume::Mask;

pub use self::organs::read_organs;

mod nifti;
mod organs;

/// A code with its scheme and meaning, such as `(10200004, SCT, "Liver")` (PS3.3 8.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodedConcept {
    /// Code value.
    pub value: String,
    /// Coding scheme designator.
    pub scheme: String,
    /// Code meaning.
    pub meaning: String,
}

/// One region of a file on the lattice of the scan.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRegion {
    /// `ROIName`, `SegmentLabel`, or the label of a NIfTI file: its name in the label table, else its number as text.
    pub name: String,
    /// `ROINumber`, `SegmentNumber`, or the label of a NIfTI file.
    pub number: Option<u32>,
    /// What the region is, where the file says it by a code.
    pub code: Option<CodedConcept>,
    /// The voxels of the scan that belong to the region; none where the region is empty.
    pub mask: Mask,
    /// Whether the region was drawn on another grid than the scan's.
    pub resampled: bool,
}

/// Why regions cannot be read.
#[derive(Debug, Error)]
#[error("{}", told(path, fault))]
pub struct MaskError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: MaskFault,
}

/// Faults of NIfTI files name the file themselves.
fn told(path: &Path, fault: &MaskFault) -> String {
    match fault {
        MaskFault::Nifti(fault) => fault.to_string(),
        other => format!("{}: {other}", path.display()),
    }
}

/// What is wrong with a file of regions.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MaskFault {
    /// The file system refused.
    #[error("{0}")]
    Io(std::io::Error),
    /// Neither NIfTI nor DICOM, or DICOM of another kind.
    #[error("this is no region file ({0}); give NIfTI, RTSTRUCT or DICOM SEG")]
    NotRegions(String),
    /// A NIfTI file that cannot be read.
    #[error(transparent)]
    Nifti(NiftiError),
    /// A file that contradicts itself or lacks what its kind must have.
    #[error("{0}; export the regions again")]
    Malformed(String),
    /// A file that is right but not of a kind that can be placed on this scan.
    #[error("{0}")]
    Unsupported(String),
    /// The region was drawn in another frame of reference: positions mean nothing in this scan.
    #[error(
        "its frame of reference {found} is not that of the scan ({expected}); give the regions drawn on \
         this scan, or register them to it first"
    )]
    OtherFrame {
        /// `FrameOfReferenceUID` of the regions.
        found: String,
        /// `FrameOfReferenceUID` of the scan.
        expected: String,
    },
    /// Regions, but none is an organ that is known.
    #[error(
        "none of its regions is a known organ; name them as TotalSegmentator does, or by SNOMED CT codes"
    )]
    NoOrgan,
    /// There is nothing in the file.
    #[error("none of its regions has a voxel or a closed contour; draw a region first")]
    Empty,
    /// No voxel of the scan is inside any region.
    #[error(
        "no voxel centre of the scan lies inside its regions; check that they were drawn on this scan"
    )]
    Outside,
    /// More voxels in all regions together than can be held.
    #[error("{regions} regions on {voxels} voxels do not fit in memory; split the file")]
    TooLarge {
        /// Number of regions.
        regions: usize,
        /// Voxels of the scan.
        voxels: usize,
    },
}

/// A region on the lattice of the scan, and what became of its parts.
///
/// The voxels are a sparse set: a hundred organs of a whole body fit in memory as such, not as masks.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Name, number, code and whether it is resampled: see [`NamedRegion`].
    pub(crate) name: String,
    pub(crate) number: Option<u32>,
    pub(crate) code: Option<CodedConcept>,
    pub(crate) resampled: bool,
    /// What the file says beside the code.
    pub(crate) place: PlaceCodes,
    /// The voxels of the scan.
    pub(crate) voxels: Region,
    /// Voxels or closed contours in the file.
    pub(crate) drawn: usize,
    /// Those of them that lie outside the scan.
    pub(crate) lost: usize,
}

/// Codes that go with that of the type of a segment (PS3.3 10.7 and C.8.20.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PlaceCodes {
    /// `SegmentedPropertyTypeModifierCodeSequence` (0062,0011): the side of an organ.
    pub(crate) modifier: Option<CodedConcept>,
    /// `AnatomicRegionSequence` (0008,2218).
    pub(crate) region: Option<CodedConcept>,
    /// `AnatomicRegionModifierSequence` (0008,2220).
    pub(crate) region_modifier: Option<CodedConcept>,
}

impl Placed {
    fn named(self, onto: &VolumeGeometry) -> NamedRegion {
        let Self { name, number, code, resampled, voxels, .. } = self;
        NamedRegion { name, number, code, mask: voxels.to_mask(onto), resampled }
    }
}

/// Voxels of all masks together, one byte each.
const MAX_REGION_VOXELS: usize = 1 << 31;

/// Refuses more masks than memory holds, before any is made.
fn check_memory(regions: usize, onto: &VolumeGeometry) -> Result<(), MaskFault> {
    let voxels = onto.len();
    match regions.checked_mul(voxels) {
        Some(all) if all <= MAX_REGION_VOXELS => Ok(()),
        _ => Err(MaskFault::TooLarge { regions, voxels }),
    }
}

/// Reads every region of a NIfTI, RTSTRUCT or DICOM SEG file onto the lattice of a scan.
///
/// `frame_of_reference_uid` is the scan's; an RTSTRUCT or SEG of another frame is refused. NIfTI says nothing of a
/// frame: its positions are believed.
///
/// - NIfTI: whole numbers are labels, each a region named by the label table of the file, else by its number; values
///   between 0 and 1 that are not whole are a probability map, cut at 0.5 (inclusive). Of several volumes in a file each
///   is a region, named by its number from 1 on.
/// - RTSTRUCT: see [`rtstruct`](crate::dicom::rtstruct).
/// - SEG: see [`seg`](crate::dicom::seg).
pub fn read_regions(
    path: &Path,
    onto: &VolumeGeometry,
    frame_of_reference_uid: Option<&str>,
) -> Result<Warned<Vec<NamedRegion>>, MaskError> {
    let masks = |placed: Warned<Vec<Placed>>| {
        check_memory(placed.output.len(), onto)?;
        let output = placed.output.into_iter().map(|placed| placed.named(onto)).collect();
        Ok(Warned { output, warnings: placed.warnings })
    };
    placed(path, onto, frame_of_reference_uid)
        .and_then(finish)
        .and_then(masks)
        .map_err(|fault| error(path, fault))
}

/// The regions of a file of any kind.
fn placed(
    path: &Path,
    onto: &VolumeGeometry,
    frame_of_reference_uid: Option<&str>,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    if starts_like_nifti(path).map_err(MaskFault::Io)? {
        nifti::regions(path, onto)
    } else {
        region::regions(path, onto, frame_of_reference_uid)
    }
}

fn error(path: &Path, fault: MaskFault) -> MaskError {
    MaskError { path: path.into(), fault }
}

fn starts_like_nifti(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(352).read_to_end(&mut head)?;
    Ok(nifti_file::looks_like_nifti(&head))
}

/// Compares a file's `FrameOfReferenceUID` with the scan's. A file without one is believed, with a warning.
pub(crate) fn check_frame(
    found: Option<&str>,
    expected: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<(), MaskFault> {
    match (found, expected) {
        (Some(found), Some(expected)) if found != expected => {
            Err(MaskFault::OtherFrame { found: found.into(), expected: expected.into() })
        }
        (None, Some(_)) => {
            let warning = Warning::new(
                "MASK_FRAME_UNKNOWN",
                "the region file names no frame of reference; its positions are taken as the scan's",
            );
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Says what was lost or resampled, and refuses a file of which nothing is left.
fn finish(placed: Warned<Vec<Placed>>) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let Warned { output, mut warnings } = placed;
    if output.iter().all(|p| p.drawn == 0) {
        return Err(MaskFault::Empty);
    }
    let mut any = false;
    for Placed { name, voxels, drawn, lost, .. } in &output {
        let filled = !voxels.is_empty();
        any |= filled;
        match (drawn, filled) {
            (0, _) => {
                warnings.push(Warning::new("REGION_EMPTY", format!("region {name:?} is empty")));
            }
            (_, false) => warnings.push(Warning::new(
                "REGION_EMPTY",
                format!("region {name:?} holds no voxel centre of the scan"),
            )),
            _ if *lost > 0 => warnings.push(Warning::new(
                "REGION_CUT",
                format!("{lost} of {drawn} parts of region {name:?} lie outside the scan"),
            )),
            _ => {}
        }
    }
    if !any {
        return Err(MaskFault::Outside);
    }
    let resampled = output.iter().filter(|p| p.resampled).count();
    if resampled > 0 {
        let message = format!(
            "{resampled} of {} regions were drawn on another grid and sampled by nearest neighbour at \
             the voxel centres of the scan",
            output.len()
        );
        warnings.push(Warning::new("MASK_RESAMPLED", message));
    }
    Ok(Warned { output, warnings })
}

/// The voxel nearest to a continuous index. A tie goes up; a millionth of a voxel is rounding noise.
pub(crate) fn nearest(index: DVec3, [s, r, c]: [usize; 3]) -> Option<[usize; 3]> {
    let cell = (index + DVec3::splat(0.5 + 1e-6)).floor();
    let inside = |i: f64, n: usize| (i >= 0.0 && i < n as f64).then_some(i as usize);
    Some([inside(cell.x, s)?, inside(cell.y, r)?, inside(cell.z, c)?])
}

/// Whether each voxel centre of one lattice is one of the other (a twentieth of a voxel is close enough), wherever it
/// begins and whatever the order and direction of its axes.
pub(crate) fn coincides(from: &VolumeGeometry, onto: &VolumeGeometry) -> bool {
    let map = onto.index_from_patient() * from.patient_from_index();
    let matrix = map.matrix3;
    let spread: f64 = [matrix.x_axis, matrix.y_axis, matrix.z_axis]
        .into_iter()
        .zip(from.shape())
        .map(|(step, n)| (step - step.round()).abs().max_element() * (n - 1) as f64)
        .sum();
    let offset = (map.translation - map.translation.round()).abs().max_element();
    let one_to_one = [matrix.x_axis, matrix.y_axis, matrix.z_axis]
        .into_iter()
        .all(|step| (step.round().abs().element_sum() - 1.0).abs() < 0.5);
    let whole =
        glam::DMat3::from_cols(matrix.x_axis.round(), matrix.y_axis.round(), matrix.z_axis.round());
    one_to_one && (whole.determinant().abs() - 1.0).abs() < 0.5 && spread + offset < 0.05
}

/// The voxels of `onto` that may lie in the box of continuous indices `low..=high` of another lattice, as ranges along
/// slice, row and column.
pub(crate) fn covering(
    onto: &VolumeGeometry,
    patient_from_index: DAffine3,
    low: DVec3,
    high: DVec3,
) -> [std::ops::Range<usize>; 3] {
    let map = onto.index_from_patient() * patient_from_index;
    let corners = (0..8).map(|n| {
        let pick = |bit: usize| if n >> bit & 1 == 1 { high[bit] } else { low[bit] };
        map.transform_point3(DVec3::new(pick(0), pick(1), pick(2)))
    });
    let (min, max) = corners
        .fold((DVec3::MAX, DVec3::MIN), |(min, max), corner| (min.min(corner), max.max(corner)));
    let shape = onto.shape();
    // A float that is negative or too large saturates when it becomes an index.
    std::array::from_fn(|axis| {
        let end = ((max[axis] + 1.001).floor() as usize).min(shape[axis]);
        ((min[axis] - 0.001).ceil() as usize).min(end)..end
    })
}

#[cfg(test)]
mod tests;
