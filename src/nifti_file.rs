//! NIfTI files: volumes out, masks in.
//!
//! NIfTI places voxel `(i, j, k)`, `i` fastest in the file, in a frame whose x points to the patient's right and y to
//! the front (RAS); everything here is in the DICOM frame (LPS), so x and y change sign on the way. The axes are not
//! reordered: slice, row and column of a [`Volume`] are `k`, `j` and `i` of the file whatever their directions, for the
//! affine says where they point.
//!
//! Source: NIfTI-1.1, `nifti1.h` (methods 2 and 3 of "3D image orientation"), and NIfTI-2, `nifti2.h`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use glam::{DMat3, DQuat, DVec3};
use nifti::NiftiHeader;
use nifti::writer::WriterOptions;
use thiserror::Error;

pub(crate) use self::image::Image;
use crate::geometry::{GeometryError, VolumeGeometry};
use crate::volume::Volume;

mod header;
mod image;
mod label_table;

/// Length of the header that is written.
const HEADER_BYTES: u64 = 348;

/// Tells apart the temporary files of one process.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// Why a NIfTI file cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NiftiError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a single-file NIfTI.
    #[error("{path} is not a single NIfTI file ({why}); write it again as .nii or .nii.gz")]
    NotNifti {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The header does not describe one volume of numbers.
    #[error("{path}: {why}; give one 3-D volume of integers or real numbers")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The header promises more data than the file holds.
    #[error("{path} promises {promised} bytes of voxels and holds fewer; the file is damaged")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that the header promises.
        promised: u64,
    },
    /// Neither sform nor qform: nobody knows where the voxels lie.
    #[error(
        "{path} has neither sform nor qform, so nobody knows where it lies in the patient; \
         write it again with an affine"
    )]
    NoAffine {
        /// The file.
        path: PathBuf,
    },
    /// The affine spans no space.
    #[error("{path}: {source}")]
    Geometry {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: GeometryError,
    },
    /// The name ends neither in .nii nor in .nii.gz.
    #[error("cannot tell the format of {path} by its name; end it in .nii or .nii.gz")]
    BadName {
        /// The file.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write {path}: {why}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

/// Whether the beginning of a file is gzip or NIfTI; DICOM never is.
pub(crate) fn looks_like_nifti(head: &[u8]) -> bool {
    let gzip = head.starts_with(&[0x1f, 0x8b]);
    let magic = head.get(344..348).is_some_and(|m| m == b"n+1\0" || m == b"ni1\0");
    let second = head.get(4..8).is_some_and(|m| m == b"n+2\0" || m == b"ni2\0");
    gzip || magic || second
}

/// Reads a `.nii` or `.nii.gz` file (told apart by content) of any orientation and any real number type.
///
/// The place comes from the sform, else from the qform; `scl_slope` and `scl_inter` are applied. More than three
/// dimensions are accepted where all above the third are one. Memory is taken as data arrives, never because a header
/// says so.
pub fn read(path: impl AsRef<Path>) -> Result<Volume<f32>, NiftiError> {
    let path = path.as_ref();
    let image = Image::read(path)?;
    if image.channels() != 1 {
        let why = format!("it holds {} volumes", image.channels());
        return Err(NiftiError::Unsupported { path: path.into(), why });
    }
    let voxels = image.values(0).map(|value| value as f32).collect();
    Ok(Volume::from_vec(image.geometry().clone(), voxels))
}

/// Writes a volume as float32, compressed when the name ends in `.gz`.
///
/// The file appears under its name only when it is complete. The sform (code 1, scanner) holds the whole affine; the
/// qform says the same, and is left out where the lattice is sheared, which a quaternion cannot say.
pub fn write(path: impl AsRef<Path>, volume: &Volume<f32>) -> Result<(), NiftiError> {
    let path = path.as_ref();
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let ending =
        [".nii.gz", ".nii"].into_iter().find(|&e| name.len() > e.len() && name.ends_with(e));
    let ending = ending.ok_or_else(|| NiftiError::BadName { path: path.into() })?;
    let failed = |why: String| NiftiError::Write { path: path.into(), why };
    if let Some(n) = volume.geometry().shape().into_iter().find(|&n| n > i16::MAX as usize) {
        return Err(failed(format!("NIfTI-1 cannot hold {n} voxels along an axis")));
    }
    // The writer takes everything behind the first dot for an extension, so the temporary name has no other.
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let partial = format!("petct-partial-{}-{serial}{ending}", std::process::id());
    let partial = path.with_file_name(partial);
    let header = header_of(volume.geometry());
    let written = WriterOptions::new(&partial)
        .reference_header(&header)
        .write_nifti(&volume.voxels().view().reversed_axes())
        .map_err(|e| failed(std::error::Error::source(&e).unwrap_or(&e).to_string()))
        // The library does not report a failed last flush of an uncompressed file; the length does.
        .and_then(|()| match fs::metadata(&partial) {
            Ok(file) if ending == ".nii" && file.len() != plain_bytes(volume) => {
                Err(failed("the file came out short; is the disk full?".into()))
            }
            Ok(_) => fs::rename(&partial, path).map_err(|e| failed(e.to_string())),
            Err(e) => Err(failed(e.to_string())),
        });
    if written.is_err() {
        let _ = fs::remove_file(&partial); // the first error is the one to tell
    }
    written
}

/// Length of the uncompressed file.
fn plain_bytes(volume: &Volume<f32>) -> u64 {
    HEADER_BYTES + 4 + 4 * volume.values().len() as u64
}

fn header_of(geometry: &VolumeGeometry) -> NiftiHeader {
    let ras = |lps: DVec3| DVec3::new(-lps.x, -lps.y, lps.z);
    let [k, j, i] = geometry.steps_mm().map(ras);
    let offset = ras(geometry.origin_mm());
    let [dk, dj, di] = geometry.spacing_mm();
    let mut header = NiftiHeader { xyzt_units: 2, sform_code: 1, ..NiftiHeader::default() };
    let row = |axis: usize| [i[axis], j[axis], k[axis], offset[axis]].map(|v| v as f32);
    (header.srow_x, header.srow_y, header.srow_z) = (row(0), row(1), row(2));
    header.pixdim = [1.0, di as f32, dj as f32, dk as f32, 1.0, 1.0, 1.0, 1.0];
    let mut turn = DMat3::from_cols(i / di, j / dj, k / dk);
    if turn.determinant() < 0.0 {
        turn.z_axis = -turn.z_axis;
        header.pixdim[0] = -1.0;
    }
    let sheared = !(turn.transpose() * turn).abs_diff_eq(DMat3::IDENTITY, 1e-5);
    header.qform_code = i16::from(!sheared);
    if !sheared {
        let q = DQuat::from_mat3(&turn).normalize();
        let q = if q.w < 0.0 { -q } else { q };
        (header.quatern_b, header.quatern_c, header.quatern_d) =
            (q.x as f32, q.y as f32, q.z as f32);
        (header.quatern_x, header.quatern_y, header.quatern_z) =
            (offset.x as f32, offset.y as f32, offset.z as f32);
    }
    header
}

#[cfg(test)]
mod tests;
