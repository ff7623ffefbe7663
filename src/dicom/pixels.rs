//! Stored samples of one frame as numbers.
//!
//! Compressed frames are decoded by [`Codec`]. Signs are extended here, and bits beyond `BitsStored` cut, after the attributes of
//! the file have been checked.
//!
//! Source: DICOM PS3.5 8 (pixel data), PS3.3 C.7.6.3.1 (image pixel attributes).

use dicom_dictionary_std::uids;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use fearless_simd::{Level, dispatch};

use super::codec::{Codec, Decoded, Frame};
use super::file::{EXPLICIT_BIG_ENDIAN, Stored};
use super::record::PixelFormat;
use crate::acquisition::Attribute;

/// Most pixels in one frame: no scanner makes images of more than 4096 x 4096. A compressed frame of some hundred bytes
/// may claim any size, and the decoder of JPEG 2000 takes twenty bytes a pixel.
const MAX_FRAME: usize = 1 << 24;

/// What becomes of a stored value.
pub(super) trait Scale<T>: Copy {
    /// Of any stored value.
    fn number(self, stored: f64) -> T;

    /// Of a whole one, for scales that need no floating point then.
    fn whole(self, stored: i32) -> T {
        self.number(f64::from(stored))
    }
}

/// Samples that are counts or labels; what is none becomes the nearest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unscaled;

impl Scale<u16> for Unscaled {
    fn number(self, stored: f64) -> u16 {
        stored as u16
    }
}

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
    /// The transfer syntax may lose: decoded samples may overshoot `BitsStored`.
    lossy: bool,
    coding: Coding,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Coding {
    Native { big_endian: bool },
    Compressed(Codec),
}

/// Compressed transfer syntaxes that may lose.
pub(super) const MAY_LOSE: [&str; 3] =
    [uids::JPEG_BASELINE8_BIT, uids::JPEGLS_NEAR_LOSSLESS, uids::JPEG2000];

impl Coding {
    fn of(transfer_syntax: &str) -> Result<Self, String> {
        match transfer_syntax {
            uids::IMPLICIT_VR_LITTLE_ENDIAN
            | uids::EXPLICIT_VR_LITTLE_ENDIAN
            | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => Ok(Self::Native { big_endian: false }),
            EXPLICIT_BIG_ENDIAN => Ok(Self::Native { big_endian: true }),
            other => Codec::of(other).map(Self::Compressed).ok_or_else(|| unsupported(other)),
        }
    }

    /// Whether samples of so many allocated bits can be read.
    fn check_width(self, allocated: u32, float: bool) -> Result<(), String> {
        let widths: &[u32] = match self {
            Self::Native { .. } if float => &[32, 64],
            Self::Native { .. } => &[8, 16, 32],
            Self::Compressed(_) => &[8, 16],
        };
        let known = widths.contains(&allocated);
        known.then_some(()).ok_or_else(|| {
            format!(
                "BitsAllocated (0028,0100) {allocated} is not supported in this transfer syntax"
            )
        })
    }
}

/// That a transfer syntax cannot be decoded, with its name where it has one.
fn unsupported(transfer_syntax: &str) -> String {
    let known = TransferSyntaxRegistry.get(transfer_syntax);
    let name = known.map(|known| format!(" ({})", known.name())).unwrap_or_default();
    format!(
        "transfer syntax {transfer_syntax}{name} is not supported, convert the files to explicit VR little endian"
    )
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
        let coding = Coding::of(&format.transfer_syntax)?;
        coding.check_width(allocated, float)?;
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
            lossy: MAY_LOSE.contains(&format.transfer_syntax.as_str()),
            coding,
        })
    }

    /// The largest value that a sample can hold; `None` for floating point.
    pub(super) fn largest(&self) -> Option<f64> {
        let bits = self.bits_stored - u32::from(self.signed);
        (!self.float).then(|| 2_f64.powi(bits as i32) - 1.0)
    }

    /// The lowest and the highest stored value that are padding, from two ends as a header writes them: signed values may
    /// be written in their unsigned form, and the other way round.
    pub(super) fn padding(&self, ends: [f64; 2]) -> [f64; 2] {
        let span = 2_f64.powi(8 * self.width as i32);
        let [a, b] = ends.map(|end| {
            if self.float {
                end
            } else if self.signed && (span / 2.0..span).contains(&end) {
                end - span
            } else if !self.signed && (-span / 2.0..0.0).contains(&end) {
                end + span
            } else {
                end
            }
        });
        [a.min(b), a.max(b)]
    }

    /// `BitsStored`; as many as a float has for floating point.
    pub(super) fn bits(&self) -> u32 {
        self.bits_stored
    }

    pub(super) fn frame_bytes(&self) -> usize {
        self.rows * self.columns * self.width
    }

    /// Writes the scaled samples of one frame to `target`, which has one place a pixel.
    pub(super) fn read<T>(
        &self,
        stored: &Stored,
        frame: usize,
        target: &mut [T],
        scale: impl Scale<T>,
    ) -> Result<(), String> {
        if matches!(stored, Stored::Float(_)) != self.float {
            return Err("BitsStored (0028,0101) does not fit the kind of pixel data".into());
        }
        match stored {
            Stored::Native(all) | Stored::Float(all) => {
                self.read_native(self.native_frame(all, frame)?, target, scale)
            }
            Stored::Fragments(fragments) => {
                let words = self.decode(&fragments.of_frame(self.frames, frame)?)?;
                check_length(words.len(), target.len())?;
                self.spread(&words, target, u32::from, scale);
                Ok(())
            }
        }
    }

    /// Writes the scaled samples of one frame that is not compressed to `target`.
    pub(super) fn read_native<T>(
        &self,
        bytes: &[u8],
        target: &mut [T],
        scale: impl Scale<T>,
    ) -> Result<(), String> {
        check_length(bytes.len() / self.width, target.len())?;
        let big_endian = self.coding == (Coding::Native { big_endian: true });
        match (self.width, big_endian) {
            (4, false) if self.float => {
                fill(chunks(bytes), target, move |b| {
                    scale.number(f64::from(f32::from_le_bytes(b)))
                });
            }
            (4, true) if self.float => {
                fill(chunks(bytes), target, move |b| {
                    scale.number(f64::from(f32::from_be_bytes(b)))
                });
            }
            (8, false) => fill(chunks(bytes), target, move |b| scale.number(f64::from_le_bytes(b))),
            (8, true) => fill(chunks(bytes), target, move |b| scale.number(f64::from_be_bytes(b))),
            (1, _) => self.spread(bytes, target, u32::from, scale),
            (2, false) => {
                self.spread(chunks(bytes), target, |b| u32::from(u16::from_le_bytes(b)), scale);
            }
            (2, true) => {
                self.spread(chunks(bytes), target, |b| u32::from(u16::from_be_bytes(b)), scale);
            }
            (_, false) => self.spread(chunks(bytes), target, u32::from_le_bytes, scale),
            (_, true) => self.spread(chunks(bytes), target, u32::from_be_bytes, scale),
        }
        Ok(())
    }

    /// Takes `BitsStored` bits below `HighBit` of each word and extends the sign.
    fn spread<W: Copy, T>(
        &self,
        words: &[W],
        target: &mut [T],
        word: impl Fn(W) -> u32,
        scale: impl Scale<T>,
    ) {
        let (up, down) = (31 - self.high_bit, 32 - self.bits_stored);
        if self.signed {
            fill(words, target, move |w| scale.whole((word(w) << up) as i32 >> down));
        } else if self.bits_stored < u32::BITS {
            fill(words, target, move |w| scale.whole((word(w) << up >> down) as i32));
        } else {
            fill(words, target, move |w| scale.number(f64::from(word(w))));
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

    /// Decodes one compressed frame.
    fn decode(&self, stream: &[u8]) -> Result<Vec<u16>, String> {
        let Coding::Compressed(codec) = self.coding else {
            return Err("is compressed although its transfer syntax says that it is not".into());
        };
        let (rows, columns) = (self.rows, self.columns);
        let frame = Frame { rows, columns, bits_allocated: 8 * self.width };
        codec.decode(stream, frame).map(|decoded| self.held(decoded))
    }

    /// Words of a lossy codec, kept within `BitsStored`: 4097 where the largest value is 4095 is an overshoot of the
    /// codec, and cut to 12 bits it would turn the hottest voxel into the coldest. Words of another sign than the
    /// header's hold two's complement, of which the upper bits may be cut.
    fn held(&self, decoded: Decoded) -> Vec<u16> {
        let Decoded { mut words, signed } = decoded;
        let bits = self.bits_stored;
        if !self.lossy || signed != self.signed || self.high_bit + 1 != bits || bits >= 16 {
            return words;
        }
        let half = 1_i32 << (bits - 1);
        let (low, high) = if signed { (-half, half - 1) } else { (0, 2 * half - 1) };
        for word in &mut words {
            let value = if signed { i32::from(*word as i16) } else { i32::from(*word) };
            *word = value.clamp(low, high) as u16;
        }
        words
    }
}

/// Refuses a frame of fewer samples than pixels.
fn check_length(samples: usize, pixels: usize) -> Result<(), String> {
    if samples >= pixels {
        return Ok(());
    }
    Err(format!("the frame has {samples} samples where Rows and Columns promise {pixels}"))
}

/// Whole words of bytes.
fn chunks<const N: usize>(bytes: &[u8]) -> &[[u8; N]] {
    bytes.as_chunks().0
}

/// One value of the target for each word; compiled for each width of registers that a machine may have.
///
/// Fast because what the value depends on is the loop's own: behind a reference it might change with each value written, and
/// would be read again for every word.
fn fill<W: Copy, T>(words: &[W], target: &mut [T], value: impl Fn(W) -> T) {
    dispatch!(Level::new(), _ => {
        let value = value;
        target.iter_mut().zip(words).for_each(|(target, &word)| *target = value(word));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(uid: &str, bits: u32, signed: bool) -> Samples {
        let format = PixelFormat {
            rows: 1,
            columns: 3,
            frames: 1,
            samples: Attribute::Value(1),
            bits_allocated: Attribute::Value(16),
            bits_stored: Attribute::Value(bits),
            high_bit: Attribute::Value(bits - 1),
            representation: Attribute::Value(u32::from(signed)),
            photometric: Attribute::Value("MONOCHROME2".into()),
            padding: None,
            transfer_syntax: uid.into(),
            ..PixelFormat::default()
        };
        Samples::of(&format, true).unwrap()
    }

    fn words(values: &[i32]) -> Vec<u16> {
        values.iter().map(|&v| v as u16).collect()
    }

    fn decoded(values: &[i32], signed: bool) -> Decoded {
        Decoded { words: words(values), signed }
    }

    #[test]
    fn an_overshoot_of_a_lossy_codec_does_not_wrap() {
        let lossy = samples(uids::JPEG2000, 12, false);
        assert_eq!(lossy.held(decoded(&[4100, 4095, 0], false)), words(&[4095, 4095, 0]));
        // Two's complement in a stream that calls itself unsigned or signed otherwise is left to be cut.
        assert_eq!(lossy.held(decoded(&[-5, 4, 0], true)), words(&[-5, 4, 0]));
        let lossy = samples(uids::JPEG2000, 12, true);
        assert_eq!(lossy.held(decoded(&[2050, -2049, -5], true)), words(&[2047, -2048, -5]));
        let lossless = samples(uids::JPEG2000_LOSSLESS, 12, false);
        assert_eq!(lossless.held(decoded(&[0xF001, 1, 2], false)), words(&[0xF001, 1, 2]));
    }

    #[test]
    fn padding_is_that_of_the_samples_however_it_is_written() {
        let native = uids::EXPLICIT_VR_LITTLE_ENDIAN;
        for (signed, width, ends, expected) in [
            (true, 2, [63536.0, 63536.0], [-2000.0, -2000.0]),
            (true, 2, [-1.0, 62536.0], [-3000.0, -1.0]),
            (false, 2, [-2000.0, -2000.0], [63536.0, 63536.0]),
            (false, 2, [5.0, 0.0], [0.0, 5.0]),
            (true, 4, [4_294_965_296.0, 40000.0], [-2000.0, 40000.0]),
            (true, 1, [100.0, 200.0], [-56.0, 100.0]),
            // No sample has such a value.
            (false, 2, [70000.0, 70000.0], [70000.0, 70000.0]),
        ] {
            let samples = Samples { width, ..samples(native, 16, signed) };
            assert_eq!(samples.padding(ends).map(f64::to_bits), expected.map(f64::to_bits));
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_named_with_a_remedy() {
        let extended = unsupported(uids::JPEG_EXTENDED12_BIT);
        assert!(extended.contains("JPEG Extended") && extended.contains("convert"), "{extended}");
        assert!(unsupported("1.2.3").starts_with("transfer syntax 1.2.3 is not supported"));
    }
}
