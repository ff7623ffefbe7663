//! Stored samples of one frame as numbers.
//!
//! `dicom-pixeldata` decodes; nothing else of it is used: it does not extend signs where `BitsStored` is less than
//! `BitsAllocated`, takes 1 and 0 for a slope and intercept that it cannot parse, and goes through a look-up table. The
//! decoder sees a data set of its own with checked attributes, so that no odd attribute of the file can mislead it.
//! JPEG-LS goes through `pure_jpegls`, which needs no C++, and JPEG 2000 through `hayro-jpeg2000`.
//!
//! Source: DICOM PS3.5 8 (pixel data), A.4 (encapsulation), PS3.3 C.7.6.3.1 (image pixel attributes).

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

use super::file::{EXPLICIT_BIG_ENDIAN, Stored};
use super::jpeg2000;
use super::record::PixelFormat;
use crate::acquisition::Attribute;

/// Most pixels in one frame.
const MAX_FRAME: usize = 1 << 26;

/// Checked description of the samples of one file.
#[derive(Debug, Clone)]
pub(super) struct Samples {
    pub(super) rows: usize,
    pub(super) columns: usize,
    frames: usize,
    /// Bytes of one sample.
    width: usize,
    bits_stored: u32,
    high_bit: u32,
    signed: bool,
    /// Floating point samples, which have neither `BitsStored` nor `HighBit`.
    float: bool,
    codec: Codec,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Codec {
    Native { big_endian: bool },
    JpegLs,
    Jpeg2000,
    Other(&'static str),
}

/// Compressed transfer syntaxes that `dicom-pixeldata` decodes.
const CODECS: [&str; 4] =
    [uids::RLE_LOSSLESS, uids::JPEG_BASELINE8_BIT, uids::JPEG_LOSSLESS, uids::JPEG_LOSSLESS_SV1];

impl Codec {
    fn of(transfer_syntax: &str) -> Result<Self, String> {
        match transfer_syntax {
            uids::IMPLICIT_VR_LITTLE_ENDIAN
            | uids::EXPLICIT_VR_LITTLE_ENDIAN
            | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => Ok(Self::Native { big_endian: false }),
            EXPLICIT_BIG_ENDIAN => Ok(Self::Native { big_endian: true }),
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => Ok(Self::JpegLs),
            uids::JPEG2000_LOSSLESS | uids::JPEG2000 => Ok(Self::Jpeg2000),
            other => CODECS
                .into_iter()
                .find(|&uid| uid == other)
                .map(Self::Other)
                .ok_or_else(|| format!("transfer syntax {other} is not supported")),
        }
    }

    /// Whether samples of so many allocated bits can be read.
    fn check_width(self, allocated: u32, float: bool) -> Result<(), String> {
        let widths: &[u32] = match self {
            Self::Native { .. } if float => &[32, 64],
            Self::Native { big_endian: true } => &[16, 32],
            Self::Native { big_endian: false } => &[8, 16, 32],
            Self::JpegLs | Self::Jpeg2000 | Self::Other(_) => &[8, 16],
        };
        // Bytes in big endian order are excluded because they may have been swapped as words.
        let known = widths.contains(&allocated);
        known.then_some(()).ok_or_else(|| {
            format!(
                "BitsAllocated (0028,0100) {allocated} is not supported in this transfer syntax"
            )
        })
    }
}

/// Whether the values are of one measured quantity. MONOCHROME1 inverts the display, not the stored values; a PET has
/// MONOCHROME2 only (PS3.3 C.8.9.4.1.1).
fn is_grey(format: &PixelFormat, pet: bool) -> bool {
    match format.photometric.value().map(String::as_str) {
        Some("MONOCHROME1") => !pet,
        Some("MONOCHROME2") => true,
        _ => false,
    }
}

impl Samples {
    /// Checks the attributes of a file; `pet` because a PET has no inverted grey.
    pub(super) fn of(format: &PixelFormat, pet: bool) -> Result<Self, String> {
        let need = |attribute: &Attribute<u32>, name: &str| {
            let fault = || format!("{name} {}", attribute.fault().unwrap_or_default());
            attribute.value().copied().ok_or_else(fault)
        };
        let samples = need(&format.samples, "SamplesPerPixel (0028,0002)")?;
        let allocated = need(&format.bits_allocated, "BitsAllocated (0028,0100)")?;
        let float = format.bits_stored == Attribute::Absent && matches!(allocated, 32 | 64);
        let (bits_stored, high_bit, representation) = if float {
            (32, 31, 1)
        } else {
            (
                need(&format.bits_stored, "BitsStored (0028,0101)")?,
                need(&format.high_bit, "HighBit (0028,0102)")?,
                need(&format.representation, "PixelRepresentation (0028,0103)")?,
            )
        };
        if samples != 1 || !is_grey(format, pet) {
            return Err(
                "PhotometricInterpretation (0028,0004) is not that of a measured image".into()
            );
        }
        let codec = Codec::of(&format.transfer_syntax)?;
        codec.check_width(allocated, float)?;
        if bits_stored == 0
            || high_bit >= allocated
            || bits_stored > high_bit + 1
            || representation > 1
        {
            return Err(format!(
                "BitsStored {bits_stored}, HighBit {high_bit} and PixelRepresentation {representation} do not fit BitsAllocated {allocated}"
            ));
        }
        let (rows, columns) = (format.rows as usize, format.columns as usize);
        if rows * columns > MAX_FRAME {
            return Err(format!("Rows {rows} and Columns {columns} are too large"));
        }
        let (frames, width) = (format.frames as usize, allocated as usize / 8);
        Ok(Self {
            rows,
            columns,
            frames,
            width,
            bits_stored,
            high_bit,
            signed: representation == 1,
            float,
            codec,
        })
    }

    /// A value of `PixelPaddingValue` as a sample: the file may write a signed one in its unsigned form.
    pub(super) fn as_stored(&self, value: f64) -> f64 {
        let span = 2_f64.powi(8 * self.width as i32);
        if self.signed && value >= span / 2.0 { value - span } else { value }
    }

    fn frame_bytes(&self) -> usize {
        self.rows * self.columns * self.width
    }

    /// Writes the samples of one frame through `value` to `target`, which has one place a pixel.
    pub(super) fn read<T>(
        &self,
        stored: &Stored,
        frame: usize,
        target: &mut [T],
        value: impl Fn(f64) -> T,
    ) -> Result<(), String> {
        let decoded;
        let (bytes, width) = match stored {
            Stored::Native(all) | Stored::Float(all) => {
                (self.native_frame(all, frame)?, self.width)
            }
            Stored::Fragments { offsets, fragments } => {
                let stream = frame_stream(self.frames, frame, offsets, fragments)?;
                decoded = self.decode(&stream)?;
                (decoded.0.as_slice(), decoded.1)
            }
        };
        if bytes.len() < target.len() * width {
            return Err(format!(
                "the frame has {} bytes where Rows, Columns and BitsAllocated promise {}",
                bytes.len(),
                target.len() * width
            ));
        }
        let big_endian = self.codec == (Codec::Native { big_endian: true });
        if matches!(stored, Stored::Float(_)) != self.float {
            return Err("BitsStored (0028,0101) does not fit the kind of pixel data".into());
        }
        match (width, big_endian) {
            (4, false) if self.float => {
                fill(bytes, target, |b| value(f64::from(f32::from_le_bytes(b))));
            }
            (4, true) if self.float => {
                fill(bytes, target, |b| value(f64::from(f32::from_be_bytes(b))));
            }
            (8, false) => fill(bytes, target, |b| value(f64::from_le_bytes(b))),
            (8, true) => fill(bytes, target, |b| value(f64::from_be_bytes(b))),
            (1, _) => self.spread(bytes, target, |[b]| u32::from(b), value),
            (2, false) => self.spread(bytes, target, |b| u32::from(u16::from_le_bytes(b)), value),
            (2, true) => self.spread(bytes, target, |b| u32::from(u16::from_be_bytes(b)), value),
            (_, false) => self.spread(bytes, target, u32::from_le_bytes, value),
            (_, true) => self.spread(bytes, target, u32::from_be_bytes, value),
        }
        Ok(())
    }

    /// Takes `BitsStored` bits below `HighBit` of each word and extends the sign.
    fn spread<const N: usize, T>(
        &self,
        bytes: &[u8],
        target: &mut [T],
        word: impl Fn([u8; N]) -> u32,
        value: impl Fn(f64) -> T,
    ) {
        let (up, down) = (31 - self.high_bit, 32 - self.bits_stored);
        if self.signed {
            fill(bytes, target, |b| value(f64::from((word(b) << up) as i32 >> down)));
        } else {
            fill(bytes, target, |b| value(f64::from(word(b) << up >> down)));
        }
    }

    fn native_frame<'a>(&self, all: &'a [u8], frame: usize) -> Result<&'a [u8], String> {
        let size = self.frame_bytes();
        all.get(frame * size..(frame + 1) * size).ok_or_else(|| {
            format!(
                "the pixel data have {} bytes where Rows, Columns, BitsAllocated and NumberOfFrames promise {}",
                all.len(),
                self.frames * size
            )
        })
    }

    /// Decodes one compressed frame: the bytes and the width of a sample in them.
    fn decode(&self, stream: &[u8]) -> Result<(Vec<u8>, usize), String> {
        if self.codec == Codec::JpegLs {
            return Ok((self.decode_jpegls(stream)?, 2));
        }
        if self.codec == Codec::Jpeg2000 {
            self.agreed_width(jpeg2000::size(stream).ok_or("has no JPEG 2000 size marker")?)?;
            return Ok((jpeg2000::decode(stream)?, 2));
        }
        let Codec::Other(uid) = self.codec else {
            return Err("is compressed although its transfer syntax says that it is not".into());
        };
        let width = match coded_size(uid, stream)? {
            Some(coded) => self.agreed_width(coded)?,
            None => self.width,
        };
        let object = self.decoder_object(uid, stream, width)?;
        let decoded = object.decode_pixel_data().map_err(|e| format!("cannot be decoded: {e}"))?;
        Ok((decoded.data().to_vec(), width))
    }

    /// Bytes of a decoded sample, after comparing the size in the compressed stream with that in the header.
    fn agreed_width(&self, coded: Coded) -> Result<usize, String> {
        if (coded.rows, coded.columns) != (self.rows, self.columns) || coded.components != 1 {
            return Err(format!(
                "the compressed frame is {} x {} with {} component(s), the header says {} x {} with 1",
                coded.rows, coded.columns, coded.components, self.rows, self.columns
            ));
        }
        if coded.bits > 8 * self.width {
            return Err(format!(
                "the compressed frame has {} bits, BitsAllocated is {}",
                coded.bits,
                8 * self.width
            ));
        }
        Ok(if coded.bits <= 8 { 1 } else { 2 })
    }

    fn decode_jpegls(&self, stream: &[u8]) -> Result<Vec<u8>, String> {
        let coded = jpeg_size(stream).ok_or("has no JPEG-LS frame header")?;
        self.agreed_width(coded)?;
        let (pixels, _, _) = jpegls::decode(stream, self.columns as u32, self.rows as u32)
            .map_err(|e| format!("cannot be decoded: {e}"))?;
        Ok(pixels.into_iter().flat_map(u16::to_le_bytes).collect())
    }

    /// A data set with nothing but what the decoder needs.
    fn decoder_object(
        &self,
        uid: &str,
        stream: &[u8],
        width: usize,
    ) -> Result<dicom_object::DefaultDicomObject, String> {
        let bits = (8 * width) as u16;
        let number = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
        let fragments = PixelFragmentSequence::new_fragments(vec![stream.to_vec()]);
        let data_set = InMemDicomObject::from_element_iter([
            number(tags::ROWS, self.rows as u16),
            number(tags::COLUMNS, self.columns as u16),
            number(tags::SAMPLES_PER_PIXEL, 1),
            number(tags::BITS_ALLOCATED, bits),
            number(tags::BITS_STORED, bits),
            number(tags::HIGH_BIT, bits - 1),
            number(tags::PIXEL_REPRESENTATION, 0),
            DataElement::new(
                tags::PHOTOMETRIC_INTERPRETATION,
                VR::CS,
                PrimitiveValue::from("MONOCHROME2"),
            ),
            DataElement::new(tags::PIXEL_DATA, VR::OB, fragments),
        ]);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uid)
            .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
            .media_storage_sop_instance_uid("2.25.1")
            .build()
            .map_err(|e| e.to_string())?;
        Ok(data_set.with_exact_meta(meta))
    }
}

/// One value of the target for each word of the bytes.
fn fill<const N: usize, T>(bytes: &[u8], target: &mut [T], value: impl Fn([u8; N]) -> T) {
    let words = bytes.as_chunks::<N>().0;
    target.iter_mut().zip(words).for_each(|(target, &word)| *target = value(word));
}

/// The compressed stream of one frame: one fragment, several found by the offset table, or all of them.
fn frame_stream(
    frames: usize,
    frame: usize,
    offsets: &[u32],
    fragments: &[Vec<u8>],
) -> Result<Vec<u8>, String> {
    if frames == 1 {
        return Ok(fragments.concat());
    }
    if fragments.len() == frames {
        return Ok(fragments[frame].clone());
    }
    let missing =
        || "the frames cannot be told apart: the basic offset table is missing or wrong".to_owned();
    if offsets.len() != frames {
        return Err(missing());
    }
    let (start, end) = (u64::from(offsets[frame]), offsets.get(frame + 1).copied().map(u64::from));
    let mut at = 0_u64;
    let mut stream = Vec::new();
    for fragment in fragments {
        if at >= start && end.is_none_or(|end| at < end) {
            stream.extend_from_slice(fragment);
        }
        at += fragment.len() as u64 + 8;
    }
    if stream.is_empty() { Err(missing()) } else { Ok(stream) }
}

/// What a compressed stream says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coded {
    pub(super) bits: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) components: usize,
}

fn coded_size(uid: &str, stream: &[u8]) -> Result<Option<Coded>, String> {
    match uid {
        uids::RLE_LOSSLESS => check_rle_header(stream).map(|()| None),
        _ => jpeg_size(stream).map(Some).ok_or_else(|| "has no JPEG frame header".into()),
    }
}

/// Refuses an RLE header that claims more segments than it has room for (PS3.5 G.5): the decoder makes room for as many as
/// are claimed, which is up to 16 GB.
fn check_rle_header(stream: &[u8]) -> Result<(), String> {
    let header = stream.first_chunk::<64>().ok_or("has no RLE header")?;
    let segments = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    match segments {
        1..=15 => Ok(()),
        _ => Err(format!("claims {segments} RLE segments, a frame has 1 to 15: it is damaged")),
    }
}

/// Frame header (SOF) of a JPEG or JPEG-LS stream (ITU-T T.81 B.2.2, T.87 C.2.2).
fn jpeg_size(stream: &[u8]) -> Option<Coded> {
    let mut at = 2;
    loop {
        let marker = stream.get(at..at + 2)?;
        if marker[0] != 0xFF {
            return None;
        }
        match marker[1] {
            0xFF => at += 1,
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => {
                let f = stream.get(at + 4..at + 10)?;
                let pair = |i: usize| usize::from(u16::from_be_bytes([f[i], f[i + 1]]));
                return Some(Coded {
                    bits: usize::from(f[0]),
                    rows: pair(1),
                    columns: pair(3),
                    components: usize::from(f[5]),
                });
            }
            0xD9 | 0xDA => return None,
            _ => {
                let length = stream.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_headers_of_compressed_streams_are_read() {
        // SOI, an application segment, then SOF of 12 bits, 300 rows, 200 columns, one component.
        let sof = |marker: u8| {
            [
                0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 9, 9, 0xFF, marker, 0, 11, 12, 1, 44, 0, 200, 1, 1,
                0x11, 0,
            ]
        };
        let expected = Coded { bits: 12, rows: 300, columns: 200, components: 1 };
        for marker in [0xC3, 0xF7] {
            assert_eq!(jpeg_size(&sof(marker)), Some(expected));
        }
        assert_eq!(jpeg_size(&sof(0xC4)), None);
        assert_eq!(jpeg_size(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 0]), None);
        assert_eq!(jpeg_size(&[]), None);
    }

    #[test]
    fn an_rle_header_is_not_believed_about_its_segments() {
        let frame = |segments: u32| [&segments.to_le_bytes(), [0; 60].as_slice()].concat();
        for (segments, whole) in [(0, false), (1, true), (15, true), (16, false), (u32::MAX, false)]
        {
            let found = coded_size(uids::RLE_LOSSLESS, &frame(segments));
            assert_eq!(found.is_ok(), whole, "{segments}");
        }
        assert!(coded_size(uids::RLE_LOSSLESS, &frame(1)[..63]).is_err());
    }

    #[test]
    fn frames_are_cut_by_fragments_or_by_the_offset_table() {
        let fragments = [vec![1, 1], vec![2, 2], vec![3, 3, 3, 3]];
        assert_eq!(frame_stream(3, 1, &[], &fragments), Ok(vec![2, 2]));
        assert_eq!(frame_stream(1, 0, &[], &fragments), Ok(vec![1, 1, 2, 2, 3, 3, 3, 3]));
        assert_eq!(frame_stream(2, 0, &[0, 20], &fragments), Ok(vec![1, 1, 2, 2]));
        assert_eq!(frame_stream(2, 1, &[0, 20], &fragments), Ok(vec![3, 3, 3, 3]));
        assert!(frame_stream(2, 1, &[], &fragments).is_err());
        assert!(frame_stream(2, 1, &[0, 99], &fragments).is_err());
    }
}
