//! RTSTRUCT and SEG files: which of the two a file is, and its pixel data uncompressed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use dicom_core::DataElement;
use dicom_core::value::{PixelFragmentSequence, Value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

use super::file::{self, EXPLICIT_BIG_ENDIAN, Stored};
use super::{attribute, rtstruct, seg};
use crate::diagnostic::Warned;
use crate::geometry::VolumeGeometry;
use crate::mask_file::{MaskFault, Placed};

/// The regions of an RTSTRUCT or SEG file.
pub(crate) fn regions(
    path: &Path,
    onto: &VolumeGeometry,
    scan_frame: Option<&str>,
) -> Result<Warned<Vec<Placed>>, MaskFault> {
    let file::Header { data_set, transfer_syntax, .. } =
        file::read_header(path).map_err(MaskFault::NotRegions)?;
    let class = attribute::text_or_empty(&data_set, tags::SOP_CLASS_UID);
    match class.as_str() {
        uids::RT_STRUCTURE_SET_STORAGE => rtstruct::regions(&data_set, onto, scan_frame),
        uids::SEGMENTATION_STORAGE | uids::LABEL_MAP_SEGMENTATION_STORAGE => {
            let load = |frames, bytes| pixel_data(path, &data_set, &transfer_syntax, frames, bytes);
            seg::regions(&data_set, load, onto, scan_frame)
        }
        other => Err(MaskFault::NotRegions(format!("its SOP class is {other:?}"))),
    }
}

/// The pixel data of all frames, uncompressed, least significant byte first.
fn pixel_data(
    path: &Path,
    header: &InMemDicomObject,
    transfer_syntax: &str,
    frames: usize,
    promised: u64,
) -> Result<Vec<u8>, MaskFault> {
    if transfer_syntax == EXPLICIT_BIG_ENDIAN {
        let why = "its pixels are big endian; export it in a little endian transfer syntax".into();
        return Err(MaskFault::Unsupported(why));
    }
    let native = [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    ];
    let bad = |why: String| MaskFault::Malformed(format!("PixelData (7FE0,0010): {why}"));
    match file::read_stored(path, !native.contains(&transfer_syntax)).map_err(bad)? {
        Stored::Native(bytes) => Ok(bytes),
        Stored::Fragments { fragments, .. } => {
            let bytes = decompressed(header, transfer_syntax, fragments, frames)?;
            if bytes.len() as u64 == promised {
                Ok(bytes)
            } else {
                Err(bad(format!("{} bytes of {promised} came out", bytes.len())))
            }
        }
    }
}

/// Frames of 8 or 16 bits decompressed, one fragment a frame.
fn decompressed(
    header: &InMemDicomObject,
    transfer_syntax: &str,
    mut fragments: Vec<Vec<u8>>,
    frames: usize,
) -> Result<Vec<u8>, MaskFault> {
    if attribute::count(header, tags::BITS_ALLOCATED).value() == Some(&1) {
        let why = "its one-bit frames are compressed; export them uncompressed".into();
        return Err(MaskFault::Unsupported(why));
    }
    let bad = |why: String| MaskFault::Malformed(format!("PixelData (7FE0,0010): {why}"));
    if frames == 1 {
        fragments = vec![fragments.concat()];
    }
    if fragments.len() != frames {
        return Err(bad(format!("{} fragments for {frames} frames", fragments.len())));
    }
    let mut whole = header.clone();
    let sequence = PixelFragmentSequence::new_fragments(fragments);
    whole.put(DataElement::new(tags::PIXEL_DATA, dicom_core::VR::OB, Value::from(sequence)));
    let object = whole
        .with_meta(FileMetaTableBuilder::new().transfer_syntax(transfer_syntax))
        .map_err(|e| bad(e.to_string()))?;
    // The decoders can panic on damaged data: that is the fault of the file.
    catch_unwind(AssertUnwindSafe(|| object.decode_pixel_data().map(|p| p.data().to_vec())))
        .map_err(|_| bad("the compressed frames are damaged".into()))?
        .map_err(|e| bad(e.to_string()))
}
