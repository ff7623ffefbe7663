//! The voxels of a NIfTI file as they are stored: a mask of a CT has a hundred million of them, so they are decoded one
//! by one where they are asked for and never held as floating-point numbers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::NiftiError;
use super::header::Header;
use super::label_table;
use crate::geometry::VolumeGeometry;

/// Deflate cannot expand a byte into more than this many.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// A label table is not longer; what lies between header and voxels beyond it is not kept.
const MAX_EXTENSION: u64 = 1 << 22;

/// How a voxel is stored (`datatype` of the header).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Number {
    pub(super) fn of(datatype: i16) -> Option<Self> {
        Some(match datatype {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// Voxels on their lattice, one or several values each.
#[derive(Debug)]
pub(crate) struct Image {
    geometry: VolumeGeometry,
    header: Header,
    raw: Vec<u8>,
    /// What a label table in the file calls the labels.
    names: BTreeMap<u32, String>,
}

impl Image {
    /// Reads a `.nii` or `.nii.gz` file, told apart by content.
    pub(crate) fn read(path: &Path) -> Result<Self, NiftiError> {
        let io = |source| NiftiError::Io { path: path.into(), source };
        let (mut reader, available) = open(path).map_err(io)?;
        let header = Header::read(path, &mut reader)?;
        let geometry = header.geometry(path)?;
        let bytes = header.data_bytes();
        let truncated = || NiftiError::Truncated { path: path.into(), promised: bytes };
        if header.data_offset + bytes > available {
            return Err(truncated());
        }
        let between = header.data_offset - header.bytes;
        let mut extension = Vec::new();
        let mut raw = Vec::new();
        let read = reader
            .by_ref()
            .take(between.min(MAX_EXTENSION))
            .read_to_end(&mut extension)
            .and_then(|n| {
                let rest = between - n as u64;
                std::io::copy(&mut reader.by_ref().take(rest), &mut std::io::sink())
            })
            .and_then(|_| reader.take(bytes).read_to_end(&mut raw));
        match read {
            Ok(count) if count as u64 == bytes => {}
            Ok(_) => return Err(truncated()),
            // A broken gzip stream is a damaged file, not a failing disk.
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Err(truncated()),
            Err(source) => return Err(io(source)),
        }
        let names = label_table::names(&extension, header.big_endian);
        Ok(Self { geometry, header, raw, names })
    }

    pub(crate) fn geometry(&self) -> &VolumeGeometry {
        &self.geometry
    }

    /// Number of values of a voxel.
    pub(crate) fn channels(&self) -> usize {
        self.header.channels
    }

    /// Names of labels, from the label table of the file.
    pub(crate) fn names(&self) -> &BTreeMap<u32, String> {
        &self.names
    }

    /// How far apart sform and qform put a corner, millimetres.
    pub(crate) fn disagreement_mm(&self) -> f64 {
        self.header.disagreement_mm()
    }

    /// The values of one channel, slice by slice; none where there is no such channel.
    pub(crate) fn values(&self, channel: usize) -> impl Iterator<Item = f64> + '_ {
        let size = self.geometry.len() * self.header.number.bytes();
        let raw = self.raw.get(channel * size..(channel + 1) * size).unwrap_or_default();
        raw.chunks_exact(self.header.number.bytes()).map(|stored| self.decoded(stored))
    }

    /// The value of a voxel by its position in memory order. NaN outside the lattice.
    pub(crate) fn value(&self, channel: usize, offset: usize) -> f64 {
        let bytes = self.header.number.bytes();
        let at = (channel * self.geometry.len() + offset) * bytes;
        self.raw.get(at..at + bytes).map_or(f64::NAN, |stored| self.decoded(stored))
    }

    fn decoded(&self, stored: &[u8]) -> f64 {
        let value = match self.header.number {
            Number::U8 => u8::from_le_bytes(self.ordered(stored)).into(),
            Number::I8 => i8::from_le_bytes(self.ordered(stored)).into(),
            Number::U16 => u16::from_le_bytes(self.ordered(stored)).into(),
            Number::I16 => i16::from_le_bytes(self.ordered(stored)).into(),
            Number::U32 => u32::from_le_bytes(self.ordered(stored)).into(),
            Number::I32 => i32::from_le_bytes(self.ordered(stored)).into(),
            Number::U64 => u64::from_le_bytes(self.ordered(stored)) as f64,
            Number::I64 => i64::from_le_bytes(self.ordered(stored)) as f64,
            Number::F32 => f32::from_le_bytes(self.ordered(stored)).into(),
            Number::F64 => f64::from_le_bytes(self.ordered(stored)),
        };
        self.header.scale.map_or(value, |(slope, inter)| slope * value + inter)
    }

    fn ordered<const N: usize>(&self, stored: &[u8]) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(stored);
        if self.header.big_endian {
            bytes.reverse();
        }
        bytes
    }
}

/// The file's bytes after gzip, and an upper limit of their number.
pub(super) fn open(path: &Path) -> std::io::Result<(Box<dyn Read>, u64)> {
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
