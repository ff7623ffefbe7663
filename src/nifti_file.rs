//! NIfTI files: volumes out, masks in.
//!
//! NIfTI places voxel `(i, j, k)`, `i` fastest in the file, in a frame whose x points to the patient's right and y to
//! the front (RAS); everything here is in the DICOM frame (LPS), so x and y change sign on the way. The axes are not
//! reordered: slice, row and column of a [`Volume`] are `k`, `j` and `i` of the file whatever their directions, for the
//! affine says where they point.
//!
//! Source: NIfTI-1.1, `nifti1.h` (methods 2 and 3 of "3D image orientation").

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::read::MultiGzDecoder;
use glam::{DMat3, DQuat, DVec3};
use ndarray::Ix3;
use nifti::writer::WriterOptions;
use nifti::{InMemNiftiVolume, IntoNdArray, NiftiHeader, NiftiType};
use thiserror::Error;

use crate::geometry::{GeometryError, VolumeGeometry};
use crate::volume::Volume;

/// More voxels than any scanner makes (1024 slices of 1024 x 1024); beyond it a header is not believed.
const MAX_VOXELS: u64 = 1 << 30;

/// Deflate cannot expand a byte into more than this many.
const MAX_DEFLATE_RATIO: u64 = 1032;

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
    /// Not a single-file NIfTI-1.
    #[error("{path} is not a NIfTI-1 file ({why}); convert it to .nii or .nii.gz")]
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
/// The place comes from the sform, else from the qform; `scl_slope` and `scl_inter` are applied. Four dimensions are
/// accepted where the fourth is one. Memory is taken as data arrives, never because a header says so.
pub fn read(path: impl AsRef<Path>) -> Result<Volume<f32>, NiftiError> {
    let path = path.as_ref();
    let io = |source| NiftiError::Io { path: path.into(), source };
    let (mut reader, available) = open(path).map_err(io)?;
    let mut header = read_header(path, &mut reader)?;
    let shape = shape_of(path, &header)?;
    let bytes = data_bytes(path, &mut header, shape, available)?;
    let geometry = geometry_of(path, &header, shape)?;

    let truncated = || NiftiError::Truncated { path: path.into(), promised: bytes };
    let skip = data_offset(path, &header)? - HEADER_BYTES;
    let skipped = std::io::copy(&mut reader.by_ref().take(skip), &mut std::io::sink());
    let mut raw = Vec::new();
    let read = skipped.and_then(|_| reader.take(bytes).read_to_end(&mut raw));
    match read {
        Ok(count) if count as u64 == bytes => {}
        Ok(_) => return Err(truncated()),
        // A broken gzip stream is a damaged file, not a failing disk.
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Err(truncated()),
        Err(source) => return Err(io(source)),
    }
    let unsupported = |why: String| NiftiError::Unsupported { path: path.into(), why };
    let voxels = InMemNiftiVolume::from_raw_data(&header, raw)
        .and_then(IntoNdArray::into_ndarray::<f32>)
        .map_err(|e| unsupported(e.to_string()))?
        .into_dimensionality::<Ix3>()
        .map_err(|e| unsupported(e.to_string()))?;
    // Fortran order (i, j, k) reversed is standard order [k, j, i]: no copy.
    Ok(Volume::new(geometry, voxels.reversed_axes()))
}

/// The file's bytes after gzip, and an upper limit of their number.
fn open(path: &Path) -> std::io::Result<(Box<dyn Read>, u64)> {
    let size = fs::metadata(path)?.len();
    let mut magic = Vec::new();
    File::open(path)?.take(2).read_to_end(&mut magic)?;
    let file = BufReader::new(File::open(path)?);
    Ok(if magic == [0x1f, 0x8b] {
        (Box::new(MultiGzDecoder::new(file)), size.saturating_mul(MAX_DEFLATE_RATIO))
    } else {
        (Box::new(file), size)
    })
}

fn read_header(path: &Path, reader: &mut impl Read) -> Result<NiftiHeader, NiftiError> {
    let not_nifti = |why: &str| NiftiError::NotNifti { path: path.into(), why: why.into() };
    let mut bytes = Vec::new();
    if let Err(e) = reader.take(HEADER_BYTES).read_to_end(&mut bytes) {
        return Err(not_nifti(&e.to_string()));
    }
    if bytes.get(4..7) == Some(b"n+2") || bytes.get(4..7) == Some(b"ni2") {
        return Err(not_nifti("it is NIfTI-2"));
    }
    match bytes.get(344..348) {
        None => Err(not_nifti("it is shorter than a header")),
        Some(b"n+1\0") => {
            NiftiHeader::from_reader(bytes.as_slice()).map_err(|e| not_nifti(&e.to_string()))
        }
        Some(b"ni1\0") => Err(not_nifti("its voxels are in another file, .img")),
        Some(_) => Err(not_nifti("its magic is missing")),
    }
}

/// Columns, rows and slices, each at least one.
fn shape_of(path: &Path, header: &NiftiHeader) -> Result<[usize; 3], NiftiError> {
    let unsupported = |why| NiftiError::Unsupported { path: path.into(), why };
    let dim = header.dim().map_err(|e| unsupported(e.to_string()))?;
    if dim.len() < 2 || dim.iter().skip(3).any(|&n| n != 1) {
        return Err(unsupported(format!("its dimensions are {dim:?}")));
    }
    let at = |axis: usize| dim.get(axis).map_or(1, |&n| usize::from(n));
    Ok([at(2), at(1), at(0)])
}

/// The number of bytes of voxels, checked against what the file can hold; mends the header fields the decoder trusts.
fn data_bytes(
    path: &Path,
    header: &mut NiftiHeader,
    [slices, rows, columns]: [usize; 3],
    available: u64,
) -> Result<u64, NiftiError> {
    use NiftiType::{Float32, Float64, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64};
    let unsupported = |why| NiftiError::Unsupported { path: path.into(), why };
    let numbers = [Uint8, Int8, Uint16, Int16, Uint32, Int32, Uint64, Int64, Float32, Float64];
    let kind = header.data_type().ok().filter(|kind| numbers.contains(kind));
    let kind = kind.ok_or_else(|| unsupported(format!("its data type is {}", header.datatype)))?;
    let voxels = slices as u64 * rows as u64 * columns as u64;
    if voxels > MAX_VOXELS {
        return Err(unsupported(format!("it promises {voxels} voxels")));
    }
    let promised = voxels * kind.size_of() as u64;
    if data_offset(path, header)? + promised > available {
        return Err(NiftiError::Truncated { path: path.into(), promised });
    }
    header.bitpix = 8 * kind.size_of() as i16;
    header.dim = [3, columns as u16, rows as u16, slices as u16, 1, 1, 1, 1];
    if !(header.scl_slope.is_finite() && header.scl_inter.is_finite()) {
        header.scl_slope = 0.0; // "not scaled", as the usual readers take it
    }
    Ok(promised)
}

fn data_offset(path: &Path, header: &NiftiHeader) -> Result<u64, NiftiError> {
    let offset = header.vox_offset;
    // Some writers leave 0 in a single file; its data cannot begin before 352.
    if (0.0..=1e9).contains(&offset) {
        return Ok((offset as u64).max(HEADER_BYTES + 4));
    }
    let why = format!("its vox_offset is {offset}");
    Err(NiftiError::Unsupported { path: path.into(), why })
}

fn geometry_of(
    path: &Path,
    header: &NiftiHeader,
    shape: [usize; 3],
) -> Result<VolumeGeometry, NiftiError> {
    let (matrix, offset) = if header.sform_code > 0 {
        sform(header)
    } else if header.qform_code > 0 {
        qform(header)
    } else {
        return Err(NiftiError::NoAffine { path: path.into() });
    };
    let mm = match header.xyzt_units & 7 {
        1 => 1000.0, // metres
        3 => 0.001,  // micrometres
        _ => 1.0,    // millimetres, or not said
    };
    let lps = |ras: DVec3| DVec3::new(-ras.x, -ras.y, ras.z) * mm;
    let steps = [matrix.z_axis, matrix.y_axis, matrix.x_axis].map(lps);
    VolumeGeometry::new(shape, lps(offset), steps)
        .map_err(|source| NiftiError::Geometry { path: path.into(), source })
}

fn sform(header: &NiftiHeader) -> (DMat3, DVec3) {
    let rows = [header.srow_x, header.srow_y, header.srow_z].map(|row| row.map(f64::from));
    let column = |n: usize| DVec3::new(rows[0][n], rows[1][n], rows[2][n]);
    (DMat3::from_cols(column(0), column(1), column(2)), column(3))
}

fn qform(header: &NiftiHeader) -> (DMat3, DVec3) {
    let vector =
        DVec3::new(header.quatern_b.into(), header.quatern_c.into(), header.quatern_d.into());
    // Below the noise of three f32 the scalar part is 0, as in nifti_quatern_to_mat44: its root would turn by 3e-4.
    let square = 1.0 - vector.length_squared();
    let scalar = if square < 1e-7 { 0.0 } else { square.sqrt() };
    let turn = DMat3::from_quat(DQuat::from_vec4(vector.extend(scalar)).normalize());
    let qfac = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let size = |axis: usize| f64::from(header.pixdim[axis]);
    let scale = DMat3::from_diagonal(DVec3::new(size(1), size(2), qfac * size(3)));
    let offset =
        DVec3::new(header.quatern_x.into(), header.quatern_y.into(), header.quatern_z.into());
    (turn * scale, offset)
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
mod tests {
    use super::*;
    use std::io::Write;

    const SHAPE: [usize; 3] = [2, 3, 4];

    /// A value that names its place.
    fn value_at(ras: DVec3) -> f32 {
        (ras.x + 100.0 * ras.y + 10_000.0 * ras.z) as f32
    }

    /// The 48 ways to lay three file axes along the patient's: each of six orders with each of eight signs.
    fn orientations() -> impl Iterator<Item = [DVec3; 3]> {
        let axes = [DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * 5.0];
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        orders.into_iter().flat_map(move |order| {
            (0..8).map(move |signs| {
                std::array::from_fn(|n| {
                    axes[order[n]] * if signs >> n & 1 == 1 { -1.0 } else { 1.0 }
                })
            })
        })
    }

    /// A file made without this module: voxel (i, j, k) at `origin + i steps[0] + j steps[1] + k steps[2]` in RAS.
    fn bytes_of(steps: [DVec3; 3], origin: DVec3, header: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let mut file = vec![0u8; 352];
        let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| {
            file[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(&mut file, 0, &348i32.to_le_bytes());
        for (n, dim) in [3i16, 4, 3, 2, 1, 1, 1, 1].into_iter().enumerate() {
            put(&mut file, 40 + 2 * n, &dim.to_le_bytes());
        }
        put(&mut file, 70, &16i16.to_le_bytes());
        put(&mut file, 72, &32i16.to_le_bytes());
        put(&mut file, 108, &352f32.to_le_bytes());
        put(&mut file, 254, &1i16.to_le_bytes());
        for axis in 0..3 {
            let row = [steps[0][axis], steps[1][axis], steps[2][axis], origin[axis]];
            for (n, v) in row.into_iter().enumerate() {
                put(&mut file, 280 + 16 * axis + 4 * n, &(v as f32).to_le_bytes());
            }
        }
        put(&mut file, 344, b"n+1\0");
        header(&mut file);
        for (k, j, i) in
            (0..2).flat_map(|k| (0..3).flat_map(move |j| (0..4).map(move |i| (k, j, i))))
        {
            let place = origin
                + steps[0] * f64::from(i)
                + steps[1] * f64::from(j)
                + steps[2] * f64::from(k);
            file.extend(value_at(place).to_le_bytes());
        }
        file
    }

    fn read_bytes(bytes: &[u8]) -> Result<Volume<f32>, NiftiError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, bytes).unwrap();
        read(path)
    }

    #[track_caller]
    fn every_value_at_its_place(volume: &Volume<f32>) {
        assert_eq!(volume.geometry().shape(), SHAPE);
        for (n, &value) in volume.values().iter().enumerate() {
            let lps = volume.geometry().centre_of(volume.voxel_of(n));
            let there = value_at(DVec3::new(-lps.x, -lps.y, lps.z));
            assert!((there - value).abs() < 0.1, "{value} found where {there} belongs");
        }
    }

    #[test]
    fn every_orientation_puts_values_at_their_places_and_survives_writing() {
        let dir = tempfile::tempdir().unwrap();
        for (n, steps) in orientations().enumerate() {
            let volume =
                read_bytes(&bytes_of(steps, DVec3::new(7.0, -11.0, 13.0), |_| ())).unwrap();
            every_value_at_its_place(&volume);
            let path = dir.path().join(if n % 2 == 0 { "a.b.nii.gz" } else { "a.b.nii" });
            write(&path, &volume).unwrap();
            assert_eq!(read(&path).unwrap(), volume);
            // The same through the quaternion alone.
            let mut bytes = Vec::new();
            open(&path).unwrap().0.read_to_end(&mut bytes).unwrap();
            bytes[254..256].fill(0);
            bytes[280..328].fill(0);
            every_value_at_its_place(&read_bytes(&bytes).unwrap());
            bytes[252..254].fill(0);
            assert!(matches!(read_bytes(&bytes), Err(NiftiError::NoAffine { .. })));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn oblique_is_kept_by_both_forms_and_shear_by_the_sform() {
        let turn = DMat3::from_rotation_x(0.4) * DMat3::from_rotation_z(-0.7);
        let steps = [DVec3::X * 2.0, DVec3::Y * 3.0, DVec3::Z * -5.0].map(|s| turn * s);
        let volume = read_bytes(&bytes_of(steps, DVec3::ZERO, |_| ())).unwrap();
        let header = header_of(volume.geometry());
        assert_eq!(header.qform_code, 1);
        let ((s, s0), (q, q0)) = (sform(&header), qform(&header));
        assert!(s.abs_diff_eq(q, 1e-5) && s0.abs_diff_eq(q0, 1e-5));

        let sheared = [steps[0], steps[1] + 0.2 * steps[0], steps[2]];
        let volume = read_bytes(&bytes_of(sheared, DVec3::ZERO, |_| ())).unwrap();
        every_value_at_its_place(&volume);
        assert_eq!(header_of(volume.geometry()).qform_code, 0);
    }

    #[test]
    fn slope_intercept_and_units_of_length_apply() {
        let axes = [DVec3::X, DVec3::Y, DVec3::Z];
        let bytes = bytes_of(axes, DVec3::ONE, |h| {
            h[112..116].copy_from_slice(&2f32.to_le_bytes());
            h[116..120].copy_from_slice(&(-3f32).to_le_bytes());
            h[123] = 1;
        });
        let volume = read_bytes(&bytes).unwrap();
        assert!((volume[[0, 0, 0]] - (2.0 * value_at(DVec3::ONE) - 3.0)).abs() < 1e-2);
        assert_eq!(volume.geometry().origin_mm(), DVec3::new(-1000.0, -1000.0, 1000.0));
    }

    /// Each row spoils a good file.
    #[test]
    fn damage_is_an_error() {
        let axes = [DVec3::X, DVec3::Y, DVec3::Z];
        let good = bytes_of(axes, DVec3::ZERO, |_| ());
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&good).unwrap();
        let gz = gz.finish().unwrap();
        assert!(read_bytes(&gz).is_ok());
        assert!(read_bytes(&gz[..gz.len() / 2]).is_err());
        assert!(matches!(read_bytes(&gz[..gz.len() - 12]), Err(NiftiError::Truncated { .. })));
        assert!(matches!(read_bytes(&good[..400]), Err(NiftiError::Truncated { .. })));
        assert!(matches!(read_bytes(&good[..100]), Err(NiftiError::NotNifti { .. })));
        assert!(matches!(read_bytes(b""), Err(NiftiError::NotNifti { .. })));
        let rows: [(usize, &[u8]); 9] = [
            (40, &[3, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), // dims that overflow
            (42, &[0xff, 0x7f]),                               // more columns than data
            (42, &[0, 0]),                                     // no columns
            (40, &[4, 0, 4, 0, 3, 0, 2, 0, 2, 0]),             // two volumes
            (70, &[32, 0]),                                    // complex numbers
            (70, &[77, 77]),                                   // no data type
            (108, &[0, 0, 0xc0, 0x7f]),                        // vox_offset NaN
            (108, &[0, 0, 0, 0x4b]),                           // vox_offset past the end
            (280, &[0; 48]),                                   // an affine of zeros
        ];
        for (at, bytes) in rows {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            assert!(read_bytes(&bad).is_err(), "{at}: {bytes:?}");
        }
    }

    #[test]
    fn a_name_without_a_format_is_refused() {
        let geometry = VolumeGeometry::new([1; 3], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]);
        let volume = Volume::filled(geometry.unwrap(), 0.0);
        assert!(matches!(write("x.mha", &volume), Err(NiftiError::BadName { .. })));
        assert!(matches!(write(".nii", &volume), Err(NiftiError::BadName { .. })));
        assert!(matches!(write("no/such/folder/x.nii", &volume), Err(NiftiError::Write { .. })));
    }
}
