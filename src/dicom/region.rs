//! RTSTRUCT and SEG files: which of the two a file is, and its pixels.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use dicom_dictionary_std::{tags, uids};

use super::data_set::Room;
use super::file::{self, EXPLICIT_BIG_ENDIAN, Stored};
use super::pixels::{Samples, Unscaled};
use super::record::PixelFormat;
use super::seg::Pixels;
use super::{attribute, rtstruct, seg};
use crate::acquisition::Attribute;
use crate::diagnostic::Warned;
use crate::geometry::VolumeGeometry;
use crate::mask_file::{MaskFault, Placed};

/// The regions of an RTSTRUCT or SEG file.
pub(crate) fn regions(
    path: &Path,
    onto: &VolumeGeometry,
    scan_frame: Option<&str>,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    std::fs::File::open(path).map_err(MaskFault::Io)?;
    let header = file::read_header(path, &mut Room::default()).map_err(MaskFault::NotRegions)?;
    let class = attribute::text_or_empty(header.data_set(), tags::SOP_CLASS_UID);
    match class.as_str() {
        uids::RT_STRUCTURE_SET_STORAGE => rtstruct::regions(header.data_set(), onto, scan_frame),
        uids::SEGMENTATION_STORAGE | uids::LABEL_MAP_SEGMENTATION_STORAGE => {
            let load = || {
                // The decoders can panic on damaged data: that is the fault of the file.
                catch_unwind(AssertUnwindSafe(|| pixels_of(path, &header)))
                    .unwrap_or_else(|_| Err("the compressed frames are damaged".into()))
                    .map_err(|why| MaskFault::Malformed(format!("PixelData (7FE0,0010): {why}")))
            };
            seg::regions(header.data_set(), load, onto, scan_frame)
        }
        other => Err(MaskFault::NotRegions(format!("its SOP class is {other:?}"))),
    }
}

/// The pixels of all frames. Bits are unpacked by [`seg`]: the decoding library drops the tail of frames whose size is
/// no multiple of eight.
fn pixels_of(path: &Path, header: &file::Header) -> Result<Pixels, String> {
    let mut format = PixelFormat::of(header)?;
    if format.bits_allocated == Attribute::Value(1) {
        let native = [
            uids::IMPLICIT_VR_LITTLE_ENDIAN,
            uids::EXPLICIT_VR_LITTLE_ENDIAN,
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        ];
        if !native.contains(&header.transfer_syntax.as_str()) {
            let kind = if header.transfer_syntax == EXPLICIT_BIG_ENDIAN {
                "big endian"
            } else {
                "compressed"
            };
            return Err(format!("one-bit frames are {kind}, which is not supported"));
        }
        return match file::read_stored(path, &format)? {
            Stored::Native(bytes) => Ok(Pixels::Bits(bytes)),
            Stored::Fragments(_) => Err("one-bit frames come in fragments".into()),
            Stored::Float(_) => Err("one-bit frames come as floating-point pixel data".into()),
        };
    }
    // A label map may name a palette for display; its values are labels all the same (PS3.3 C.8.20.2).
    if format.photometric.value().is_some_and(|name| name == "PALETTE COLOR") {
        format.photometric = Attribute::Value("MONOCHROME2".into());
    }
    let samples = Samples::of(&format, true)?;
    let stored = file::read_stored(path, &format)?;
    let mut values = Vec::new();
    let mut frame = vec![0_u16; samples.rows * samples.columns];
    for n in 0..format.frames as usize {
        samples.read(&stored, n, &mut frame, Unscaled)?;
        values.extend_from_slice(&frame);
    }
    Ok(Pixels::Values(values))
}
