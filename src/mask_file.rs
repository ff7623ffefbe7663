//! Regions from outside: NIfTI, RTSTRUCT and DICOM SEG on the lattice of a scan.
//!
//! What a file is is decided by its content, never by its name. Every region of it becomes a [`NamedRegion`] on the
//! lattice of the scan. A grid that is not the scan's is sampled by nearest neighbour at the voxel centres of the scan,
//! and a warning says so; a crop, a flip or another order of axes of the scan's own grid is copied exactly.
//!
//! Source: NIfTI-1.1; DICOM PS3.3 A.19 (RT Structure Set) and A.51 (Segmentation).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use glam::{DAffine3, DVec3};
use thiserror::Error;

use crate::diagnostic::{Warned, Warning};
use crate::dicom::region;
use crate::geometry::VolumeGeometry;
use crate::nifti_file::{self, NiftiError};
use crate::volume::{Mask, Volume};

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
    /// `ROIName`, `SegmentLabel`, or the label of a NIfTI file as text.
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
#[error("{path}: {fault}")]
pub struct MaskError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: MaskFault,
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

/// A region and what became of its parts.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The region.
    pub(crate) region: NamedRegion,
    /// Voxels or closed contours in the file.
    pub(crate) drawn: usize,
    /// Those of them that lie outside the scan.
    pub(crate) lost: usize,
}

/// Voxels of all regions together, one byte each.
const MAX_REGION_VOXELS: usize = 1 << 31;

/// Refuses more regions than memory holds, before any is made.
pub(crate) fn check_memory(regions: usize, onto: &VolumeGeometry) -> Result<(), MaskFault> {
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
/// - NIfTI: whole numbers are labels, each a region named by its number; values between 0 and 1 that are not whole
///   are a probability map, cut at 0.5 (inclusive).
/// - RTSTRUCT: see [`rtstruct`](crate::dicom::rtstruct).
/// - SEG: see [`seg`](crate::dicom::seg).
pub fn read_regions(
    path: &Path,
    onto: &VolumeGeometry,
    frame_of_reference_uid: Option<&str>,
) -> Result<Warned<Vec<NamedRegion>>, MaskError> {
    let placed = if starts_like_nifti(path).map_err(|e| error(path, MaskFault::Io(e)))? {
        nifti_regions(path, onto)
    } else {
        region::regions(path, onto, frame_of_reference_uid)
    };
    placed.and_then(finish).map_err(|fault| error(path, fault))
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
fn finish(placed: Warned<Vec<Placed>>) -> Result<Warned<Vec<NamedRegion>>, MaskFault> {
    let Warned { output, mut warnings } = placed;
    if output.iter().all(|p| p.drawn == 0) {
        return Err(MaskFault::Empty);
    }
    let mut any = false;
    for Placed { region, drawn, lost } in &output {
        let filled = region.mask.values().contains(&true);
        any |= filled;
        let name = &region.name;
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
    let resampled = output.iter().filter(|p| p.region.resampled).count();
    if resampled > 0 {
        let message = format!(
            "{resampled} of {} regions were drawn on another grid and sampled by nearest neighbour at \
             the voxel centres of the scan",
            output.len()
        );
        warnings.push(Warning::new("MASK_RESAMPLED", message));
    }
    Ok(Warned { output: output.into_iter().map(|p| p.region).collect(), warnings })
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

/// Regions of a NIfTI label or probability map.
fn nifti_regions(path: &Path, onto: &VolumeGeometry) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let volume = nifti_file::read(path).map_err(MaskFault::Nifti)?;
    let mut warnings = Vec::new();
    let labels = labels_of(&volume, &mut warnings)?;
    let mut counts = BTreeMap::new();
    for &label in labels.values().iter().filter(|&&label| label > 0) {
        *counts.entry(label).or_insert(0_usize) += 1;
    }
    check_memory(counts.len(), onto)?;
    let here = sampled(&labels, onto);
    let mut lost = outside(&labels, onto);
    let resampled = !coincides(labels.geometry(), onto);
    let regions = counts.into_iter().map(|(label, drawn)| Placed {
        region: NamedRegion {
            name: label.to_string(),
            number: Some(label),
            code: None,
            mask: here.map(|&value| value == label),
            resampled,
        },
        drawn,
        lost: lost.remove(&label).unwrap_or(0),
    });
    Ok(Warned { output: regions.collect(), warnings })
}

/// Whole numbers are labels; fractions from 0 to 1 are cut at 0.5; anything else is an image.
fn labels_of(volume: &Volume<f32>, warnings: &mut Vec<Warning>) -> Result<Volume<u32>, MaskFault> {
    // Labels stored with a slope come back a little off.
    let whole = |v: f32| (v - v.round()).abs() < 1e-3;
    // NaN marks "no value" in some files: background.
    let values = || volume.values().iter().copied().filter(|v| !v.is_nan());
    // Beyond 2^24 a float no longer tells neighbouring labels apart.
    if let Some(v) = values().find(|v| !(0.0..16_777_216.0).contains(v)) {
        return Err(MaskFault::NotRegions(format!("it holds the value {v}, which is no label")));
    }
    if values().all(whole) {
        return Ok(volume.map(|&v| v.round() as u32));
    }
    let largest = values().fold(0.0, f32::max);
    if largest > 1.0 + 1e-3 {
        let why = format!("its values are neither labels nor fractions: the largest is {largest}");
        return Err(MaskFault::NotRegions(why));
    }
    warnings.push(Warning::new(
        "MASK_CUT_AT_HALF",
        "the mask holds fractions; voxels of 0.5 and more belong to the region",
    ));
    Ok(volume.map(|&v| u32::from(v >= 0.5)))
}

/// The labels at the voxel centres of another lattice.
fn sampled(labels: &Volume<u32>, onto: &VolumeGeometry) -> Volume<u32> {
    let from = labels.geometry();
    let map = from.index_from_patient() * onto.patient_from_index();
    let mut here = Volume::filled(onto.clone(), 0);
    let last = DVec3::from_array(from.shape().map(|n| n as f64 - 1.0));
    let half = DVec3::splat(0.5);
    let [slices, rows, columns] = covering(onto, from.patient_from_index(), -half, last + half);
    for s in slices {
        for r in rows.clone() {
            for c in columns.clone() {
                let index = map.transform_point3(DVec3::new(s as f64, r as f64, c as f64));
                if let Some(voxel) = nearest(index, from.shape()) {
                    here[[s, r, c]] = labels[voxel];
                }
            }
        }
    }
    here
}

/// How many voxels of each label have their centre outside the lattice.
fn outside(labels: &Volume<u32>, onto: &VolumeGeometry) -> BTreeMap<u32, usize> {
    let map = onto.index_from_patient() * labels.geometry().patient_from_index();
    let mut lost = BTreeMap::new();
    for (n, &label) in labels.values().iter().enumerate().filter(|&(_, &label)| label > 0) {
        let [s, r, c] = labels.voxel_of(n);
        let index = map.transform_point3(DVec3::new(s as f64, r as f64, c as f64));
        if nearest(index, onto.shape()).is_none() {
            *lost.entry(label).or_insert(0) += 1;
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice(shape: [usize; 3]) -> VolumeGeometry {
        let turn = glam::DMat3::from_rotation_z(0.4);
        let steps = [DVec3::Z * 3.0, DVec3::Y * 4.0, DVec3::X * 5.0].map(|step| turn * step);
        VolumeGeometry::new(shape, DVec3::new(-20.0, 35.0, 90.0), steps).unwrap()
    }

    /// Labels 0, 1 and 4 without symmetry.
    fn label([s, r, c]: [usize; 3]) -> f32 {
        [0.0, 1.0, 4.0][(s + 2 * r + 3 * c + r * c) % 3]
    }

    fn labelled(geometry: &VolumeGeometry) -> Volume<f32> {
        let mut volume = Volume::filled(geometry.clone(), 0.0);
        for n in 0..geometry.len() {
            let voxel = volume.voxel_of(n);
            volume[voxel] = label(voxel);
        }
        volume
    }

    fn read(
        volume: &Volume<f32>,
        onto: &VolumeGeometry,
    ) -> Result<Warned<Vec<NamedRegion>>, MaskFault> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.nii.gz");
        nifti_file::write(&path, volume).unwrap();
        let misnamed = dir.path().join("labels.dcm");
        std::fs::rename(&path, &misnamed).unwrap();
        read_regions(&misnamed, onto, Some("1.2")).map_err(|error| error.fault)
    }

    fn codes<T>(warned: &Warned<T>) -> Vec<&'static str> {
        warned.warnings.iter().map(|w| w.code).collect()
    }

    #[track_caller]
    fn holds(region: &NamedRegion, name: &str, drawn_on: &VolumeGeometry) {
        assert_eq!(region.name, name);
        for (n, &found) in region.mask.values().iter().enumerate() {
            let place = region.mask.geometry().centre_of(region.mask.voxel_of(n));
            let there = drawn_on.voxel_at(place).map_or(0.0, label);
            assert_eq!(found, there.to_string() == name, "{name} at {place}");
        }
    }

    #[test]
    fn labels_are_regions_on_any_order_of_axes() {
        let drawn_on = lattice([4, 5, 6]);
        let [slice, row, column] = drawn_on.steps_mm();
        let far = drawn_on.centre_of([3, 0, 5]);
        let turned = VolumeGeometry::new([6, 4, 5], far, [-column, -slice, row]).unwrap();
        for onto in [&drawn_on, &turned] {
            let found = read(&labelled(&drawn_on), onto).unwrap();
            assert_eq!(codes(&found), [] as [&str; 0]);
            assert_eq!(found.output.len(), 2);
            holds(&found.output[0], "1", &drawn_on);
            holds(&found.output[1], "4", &drawn_on);
            assert!(found.output.iter().all(|region| !region.resampled));
        }
    }

    #[test]
    fn another_grid_is_sampled_and_says_so() {
        let drawn_on = lattice([4, 5, 6]);
        let [slice, row, column] = drawn_on.steps_mm();
        let start = drawn_on.origin_mm() + 0.31 * slice - 0.27 * row + 0.19 * column;
        let steps = [slice * 0.6, row * 0.7, column * 0.8];
        let onto = VolumeGeometry::new([9, 10, 9], start, steps).unwrap();
        let found = read(&labelled(&drawn_on), &onto).unwrap();
        holds(&found.output[0], "1", &drawn_on);
        assert!(found.output[0].resampled);
        // The first slice and row of the labels lie before the first of the scan.
        assert_eq!(codes(&found), ["REGION_CUT", "REGION_CUT", "MASK_RESAMPLED"]);
    }

    #[test]
    fn a_crop_is_exact_and_what_lies_outside_is_told() {
        let drawn_on = lattice([4, 5, 6]);
        let found = read(&labelled(&drawn_on), &lattice([4, 5, 3])).unwrap();
        holds(&found.output[0], "1", &drawn_on);
        assert_eq!(codes(&found), ["REGION_CUT", "REGION_CUT"]);
        assert!(!found.output[0].resampled);
    }

    #[test]
    fn fractions_are_cut_at_half_inclusive() {
        let onto = lattice([1, 1, 4]);
        let volume = Volume::from_vec(onto.clone(), vec![0.0, 0.49, 0.5, 1.0]);
        let found = read(&volume, &onto).unwrap();
        assert_eq!(found.output[0].mask.values(), [false, false, true, true]);
        assert_eq!(codes(&found), ["MASK_CUT_AT_HALF"]);
    }

    /// Rows: voxels, and the beginning of why they are no regions.
    #[test]
    fn what_is_no_mask_is_refused() {
        let onto = lattice([1, 1, 3]);
        let elsewhere = onto.moved(DAffine3::from_translation(DVec3::X * 500.0)).unwrap();
        let rows = [
            (&onto, [0.0, 0.0, 0.0], "none of its regions has"),
            (&onto, [0.0, f32::NAN, 0.0], "none of its regions has"),
            (&onto, [0.0, 0.2, 0.4], "none of its regions has"),
            (&onto, [0.0, -1.0, 1.0], "this is no region file"),
            (&onto, [0.0, 2.5, 1.0], "this is no region file"),
            (&onto, [0.0, f32::INFINITY, 1.0], "this is no region file"),
            (&onto, [0.0, 1e9, 1.0], "this is no region file"),
            (&elsewhere, [0.0, 1.0, 1.0], "no voxel centre of the scan"),
        ];
        for (place, voxels, why) in rows {
            let volume = Volume::from_vec(place.clone(), voxels.to_vec());
            let fault = read(&volume, &onto).unwrap_err().to_string();
            assert!(fault.starts_with(why), "{voxels:?}: {fault}");
        }
    }

    #[test]
    fn more_regions_than_memory_holds_are_refused_before_they_are_made() {
        assert!(check_memory(117, &lattice([300, 200, 200])).is_ok());
        assert!(check_memory(usize::MAX, &lattice([2, 2, 2])).is_err());
        assert!(check_memory(1 << 20, &lattice([100, 100, 100])).is_err());
    }
}
