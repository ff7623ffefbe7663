//! Compressed frames of one component to samples.
//!
//! RLE, lossless JPEG and JPEG-LS are decoded here: `pure_jpegls` and `jpeg-decoder` take two to three times the processor time of
//! the decoders in C and C++, these take less (docs/book/src/speed.md). JPEG 2000 goes through `hayro-jpeg2000`, and JPEG of 8 bits
//! through `dicom-pixeldata`. A frame is compared with the header of its file before it is decoded, so that no more room is taken
//! than that header explains.
//!
//! Source: DICOM PS3.5 8.2 and A.4 (which codings there are).

mod bits;
mod jpeg_2000;
mod jpeg_lossless;
mod jpeg_ls;
mod markers;
mod rle;

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

/// How frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Runs of bytes.
    Rle,
    /// Lossless JPEG, or JPEG of 8 bits: the stream says which.
    Jpeg,
    /// JPEG-LS.
    JpegLs,
    /// JPEG 2000.
    Jpeg2000,
}

/// What the header of a file says of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// `Rows`.
    pub rows: usize,
    /// `Columns`.
    pub columns: usize,
    /// `BitsAllocated`, 8 or 16.
    pub bits_allocated: usize,
}

/// Samples of a frame, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// One a pixel; negative ones in two's complement.
    pub words: Vec<u16>,
    /// Whether the stream itself says that samples are signed.
    pub signed: bool,
}

/// What a compressed stream says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Coded {
    bits: usize,
    rows: usize,
    columns: usize,
    components: usize,
    signed: bool,
}

impl Codec {
    /// The codec of a transfer syntax; `None` where it is not compressed, or in a way that is not decoded.
    pub fn of(transfer_syntax: &str) -> Option<Self> {
        match transfer_syntax {
            uids::RLE_LOSSLESS => Some(Self::Rle),
            uids::JPEG_BASELINE8_BIT | uids::JPEG_LOSSLESS | uids::JPEG_LOSSLESS_SV1 => {
                Some(Self::Jpeg)
            }
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => Some(Self::JpegLs),
            uids::JPEG2000_LOSSLESS | uids::JPEG2000 => Some(Self::Jpeg2000),
            _ => None,
        }
    }

    /// Decodes the stream of one frame.
    ///
    /// # Errors
    /// In words, which have no subject where it is the stream: it is damaged, truncated, not that of such a frame, or of a kind that
    /// measured images do not have.
    pub fn decode(self, stream: &[u8], frame: Frame) -> Result<Decoded, String> {
        let Frame { rows, columns, bits_allocated } = frame;
        let agreed = |coded: Option<Coded>, name: &str| {
            let coded =
                coded.ok_or_else(|| format!("has no {name}: it is truncated or damaged"))?;
            frame.agrees_with(coded).map(|()| coded)
        };
        let mut signed = false;
        let words = match self {
            Self::Rle => rle::decode(stream, rows * columns, bits_allocated / 8)?,
            Self::Jpeg => {
                agreed(markers::size(stream), "JPEG frame header")?;
                if markers::is_lossless(stream) {
                    jpeg_lossless::decode(stream, rows, columns)?
                } else {
                    jpeg(stream, frame)?
                }
            }
            Self::JpegLs => {
                agreed(markers::size(stream), "JPEG-LS frame header")?;
                jpeg_ls::decode(stream, rows, columns)?
            }
            Self::Jpeg2000 => {
                signed = agreed(jpeg_2000::size(stream), "JPEG 2000 size marker")?.signed;
                jpeg_2000::decode(stream)?
            }
        };
        Ok(Decoded { words, signed })
    }
}

impl Frame {
    /// Compares the size in the compressed stream with that in the header.
    fn agrees_with(self, coded: Coded) -> Result<(), String> {
        if (coded.rows, coded.columns) != (self.rows, self.columns) || coded.components != 1 {
            return Err(format!(
                "the compressed frame is {} x {} with {} component(s), the header says {} x {} with 1",
                coded.rows, coded.columns, coded.components, self.rows, self.columns
            ));
        }
        if coded.bits > self.bits_allocated {
            return Err(format!(
                "the compressed frame has {} bits, BitsAllocated is {}",
                coded.bits, self.bits_allocated
            ));
        }
        Ok(())
    }
}

/// The samples of a JPEG frame of 8 bits. The decoder sees a data set of its own, so that no odd attribute of the file can
/// mislead it. A scan that is cut is not noticed where the end of the image is marked behind it: the samples that it lacks are zeros.
fn jpeg(stream: &[u8], frame: Frame) -> Result<Vec<u16>, String> {
    let number =
        |tag, value: usize| DataElement::new(tag, VR::US, PrimitiveValue::from(value as u16));
    let grey = PrimitiveValue::from("MONOCHROME2");
    let fragments = PixelFragmentSequence::new_fragments(vec![stream.to_vec()]);
    let data_set = InMemDicomObject::from_element_iter([
        number(tags::ROWS, frame.rows),
        number(tags::COLUMNS, frame.columns),
        number(tags::SAMPLES_PER_PIXEL, 1),
        number(tags::BITS_ALLOCATED, 8),
        number(tags::BITS_STORED, 8),
        number(tags::HIGH_BIT, 7),
        number(tags::PIXEL_REPRESENTATION, 0),
        DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, grey),
        DataElement::new(tags::PIXEL_DATA, VR::OB, fragments),
    ]);
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::JPEG_BASELINE8_BIT)
        .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.1")
        .build()
        .map_err(|e| e.to_string())?;
    let object = data_set.with_exact_meta(meta);
    let decoded = object.decode_pixel_data().map_err(|e| format!("cannot be decoded: {e}"))?;
    Ok(decoded.data().iter().copied().map(u16::from).collect())
}

#[cfg(test)]
mod tests;
