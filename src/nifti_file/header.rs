//! What the header of a NIfTI-1 or NIfTI-2 file says.
//!
//! Source: `nifti1.h`, `nifti2.h` (offsets of the fields; the order of bytes is that in which `dim[0]` is 1 to 7).

use std::io::Read;
use std::path::Path;

use glam::{DMat3, DQuat, DVec3};

use super::NiftiError;
use super::image::Number;
use crate::geometry::VolumeGeometry;

/// More voxels than any scanner makes (1024 slices of 1024 x 1024); beyond it a header is not believed.
const MAX_VOXELS: u64 = 1 << 30;

const FIRST_BYTES: u64 = 348;
const SECOND_BYTES: u64 = 540;

/// A header, its fields checked for sense.
#[derive(Debug)]
pub(super) struct Header {
    /// Slices, rows and columns.
    pub(super) shape: [usize; 3],
    /// Product of the dimensions above the third.
    pub(super) channels: usize,
    /// How a voxel is stored.
    pub(super) number: Number,
    /// Slope and intercept; `None` where the values are not scaled.
    pub(super) scale: Option<(f64, f64)>,
    /// Where the voxels begin in the file.
    pub(super) data_offset: u64,
    /// Length of the header itself.
    pub(super) bytes: u64,
    pub(super) big_endian: bool,
    forms: Forms,
}

/// The two ways to say where the voxels lie.
#[derive(Debug, Default)]
struct Forms {
    sform: Option<(DMat3, DVec3)>,
    qform: Option<(DMat3, DVec3)>,
    millimetres: f64,
}

/// Numbers at their places in the header.
struct Fields<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn take<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut taken = [0; N];
        if let Some(there) = self.bytes.get(at..at + N) {
            taken.copy_from_slice(there);
        }
        if self.big_endian {
            taken.reverse();
        }
        taken
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.take(at))
    }

    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.take(at))
    }

    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.take(at))
    }

    fn f32(&self, at: usize) -> f64 {
        f32::from_le_bytes(self.take(at)).into()
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.take(at))
    }
}

/// The fields that matter, of either version.
struct Raw {
    dim: [i64; 8],
    datatype: i16,
    pixdim: [f64; 4],
    vox_offset: f64,
    slope: f64,
    inter: f64,
    units: i32,
    qform_code: i32,
    sform_code: i32,
    quaternion: [f64; 3],
    offset: [f64; 3],
    rows: [[f64; 4]; 3],
}

impl Raw {
    fn first(f: &Fields<'_>) -> Self {
        Self {
            dim: std::array::from_fn(|n| f.i16(40 + 2 * n).into()),
            datatype: f.i16(70),
            pixdim: std::array::from_fn(|n| f.f32(76 + 4 * n)),
            vox_offset: f.f32(108),
            slope: f.f32(112),
            inter: f.f32(116),
            units: f.bytes.get(123).copied().unwrap_or(0).into(),
            qform_code: f.i16(252).into(),
            sform_code: f.i16(254).into(),
            quaternion: std::array::from_fn(|n| f.f32(256 + 4 * n)),
            offset: std::array::from_fn(|n| f.f32(268 + 4 * n)),
            rows: std::array::from_fn(|r| std::array::from_fn(|n| f.f32(280 + 16 * r + 4 * n))),
        }
    }

    fn second(f: &Fields<'_>) -> Self {
        Self {
            dim: std::array::from_fn(|n| f.i64(16 + 8 * n)),
            datatype: f.i16(12),
            pixdim: std::array::from_fn(|n| f.f64(104 + 8 * n)),
            vox_offset: f.i64(168) as f64,
            slope: f.f64(176),
            inter: f.f64(184),
            units: f.i32(500),
            qform_code: f.i32(344),
            sform_code: f.i32(348),
            quaternion: std::array::from_fn(|n| f.f64(352 + 8 * n)),
            offset: std::array::from_fn(|n| f.f64(376 + 8 * n)),
            rows: std::array::from_fn(|r| std::array::from_fn(|n| f.f64(400 + 32 * r + 8 * n))),
        }
    }

    fn forms(&self) -> Forms {
        Forms {
            sform: (self.sform_code > 0).then(|| self.sform()),
            qform: (self.qform_code > 0).then(|| self.qform()),
            millimetres: match self.units & 7 {
                1 => 1000.0, // metres
                3 => 0.001,  // micrometres
                _ => 1.0,    // millimetres, or not said
            },
        }
    }

    fn sform(&self) -> (DMat3, DVec3) {
        let column = |n: usize| DVec3::from_array(self.rows.map(|row| row[n]));
        (DMat3::from_cols(column(0), column(1), column(2)), column(3))
    }

    fn qform(&self) -> (DMat3, DVec3) {
        let vector = DVec3::from_array(self.quaternion);
        // Below the noise of three f32 the scalar part is 0, as in nifti_quatern_to_mat44: its root would turn by 3e-4.
        let square = 1.0 - vector.length_squared();
        let scalar = if square < 1e-7 { 0.0 } else { square.sqrt() };
        let turn = DMat3::from_quat(DQuat::from_vec4(vector.extend(scalar)).normalize());
        let qfac = if self.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        let [_, i, j, k] = self.pixdim;
        (turn * DMat3::from_diagonal(DVec3::new(i, j, qfac * k)), DVec3::from_array(self.offset))
    }
}

impl Header {
    /// Reads the header alone.
    pub(super) fn read(path: &Path, reader: &mut impl Read) -> Result<Self, NiftiError> {
        let not_nifti = |why: &str| NiftiError::NotNifti { path: path.into(), why: why.into() };
        let mut bytes = Vec::new();
        let mut read = |length: u64, bytes: &mut Vec<u8>| match reader
            .by_ref()
            .take(length)
            .read_to_end(bytes)
        {
            Ok(n) if n as u64 == length => Ok(()),
            Ok(_) => Err(not_nifti("it is shorter than a header")),
            Err(e) => Err(not_nifti(&e.to_string())),
        };
        read(FIRST_BYTES, &mut bytes)?;
        let second = match (bytes.get(4..8), bytes.get(344..348)) {
            (Some(b"n+2\0"), _) => true,
            (_, Some(b"n+1\0")) => false,
            (Some(b"ni2\0"), _) | (_, Some(b"ni1\0")) => {
                return Err(not_nifti("its voxels are in another file, .img"));
            }
            _ => return Err(not_nifti("its magic is missing")),
        };
        if second {
            read(SECOND_BYTES - FIRST_BYTES, &mut bytes)?;
        }
        let little = Fields { bytes: &bytes, big_endian: false };
        let dimensions = if second { little.i64(16) } else { little.i16(40).into() };
        let fields = Fields { bytes: &bytes, big_endian: !(1..=7).contains(&dimensions) };
        let raw = if second { Raw::second(&fields) } else { Raw::first(&fields) };
        Self::checked(&raw, bytes.len() as u64, fields.big_endian)
            .map_err(|why| NiftiError::Unsupported { path: path.into(), why })
    }

    fn checked(raw: &Raw, bytes: u64, big_endian: bool) -> Result<Self, String> {
        let (shape, channels) = shape_of(&raw.dim)?;
        let number =
            Number::of(raw.datatype).ok_or_else(|| format!("its data type is {}", raw.datatype))?;
        // Some writers leave 0 in a single file; its data cannot begin before the four bytes behind the header.
        let data_offset = match raw.vox_offset {
            offset if (0.0..=1e9).contains(&offset) => (offset as u64).max(bytes + 4),
            offset => return Err(format!("its vox_offset is {offset}")),
        };
        // A slope of 0, or one that is no number, means "not scaled".
        let scaled = raw.slope != 0.0 && raw.slope.is_finite() && raw.inter.is_finite();
        let scale =
            (scaled && (raw.slope, raw.inter) != (1.0, 0.0)).then_some((raw.slope, raw.inter));
        let forms = raw.forms();
        Ok(Self { shape, channels, number, scale, data_offset, bytes, big_endian, forms })
    }

    /// Bytes of all voxels.
    pub(super) fn data_bytes(&self) -> u64 {
        let voxels: u64 = self.shape.iter().map(|&n| n as u64).product();
        voxels * self.channels as u64 * self.number.bytes() as u64
    }

    /// The lattice: by the sform, else by the qform.
    pub(super) fn geometry(&self, path: &Path) -> Result<VolumeGeometry, NiftiError> {
        let forms = &self.forms;
        let form = forms.sform.or(forms.qform);
        let form = form.ok_or_else(|| NiftiError::NoAffine { path: path.into() })?;
        let [slice, row, column, origin] = self.placed(form);
        VolumeGeometry::new(self.shape, origin, [slice, row, column])
            .map_err(|source| NiftiError::Geometry { path: path.into(), source })
    }

    /// Steps of slice, row and column and the origin, in the DICOM frame.
    fn placed(&self, (matrix, offset): (DMat3, DVec3)) -> [DVec3; 4] {
        let lps = |ras: DVec3| DVec3::new(-ras.x, -ras.y, ras.z) * self.forms.millimetres;
        [matrix.z_axis, matrix.y_axis, matrix.x_axis, offset].map(lps)
    }

    /// How far apart sform and qform put a corner of the lattice, millimetres; 0 where only one is set.
    pub(super) fn disagreement_mm(&self) -> f64 {
        let (Some(sform), Some(qform)) = (self.forms.sform, self.forms.qform) else { return 0.0 };
        let (sform, qform) = (self.placed(sform), self.placed(qform));
        let last = self.shape.map(|n| n as f64 - 1.0);
        let corners = (0..8).map(|bits: usize| {
            let by = |n: usize| if bits >> n & 1 == 1 { last[n] } else { 0.0 };
            let apart = |n: usize| sform[n] - qform[n];
            (apart(3) + apart(0) * by(0) + apart(1) * by(1) + apart(2) * by(2)).length()
        });
        corners.fold(0.0, f64::max)
    }
}

/// Slices, rows and columns, each at least one, and the product of the other dimensions.
fn shape_of(dim: &[i64; 8]) -> Result<([usize; 3], usize), String> {
    let used = usize::try_from(dim[0]).ok().filter(|n| (2..=7).contains(n));
    let used = used.ok_or_else(|| format!("it has {} dimensions", dim[0]))?;
    let sizes = &dim[1..=used];
    let wrong = || format!("its dimensions are {sizes:?}");
    let sizes_checked: Option<Vec<u64>> =
        sizes.iter().map(|&n| u64::try_from(n).ok().filter(|&n| n > 0)).collect();
    let sizes_checked = sizes_checked.ok_or_else(wrong)?;
    let all = sizes_checked.iter().try_fold(1_u64, |product, &n| product.checked_mul(n));
    if all.is_none_or(|n| n > MAX_VOXELS) {
        return Err(wrong());
    }
    let at = |axis: usize| sizes_checked.get(axis).map_or(1, |&n| n as usize);
    let channels = sizes_checked.iter().skip(3).map(|&n| n as usize).product();
    Ok(([at(2), at(1), at(0)], channels))
}
