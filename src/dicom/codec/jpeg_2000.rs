//! JPEG 2000 frames to 16-bit words.
//!
//! Decoded by `hayro-jpeg2000`, which forbids unsafe code: the port of `OpenJPEG` ended the process on damaged
//! streams. It computes in f32, which holds the integers of the reversible transform of up to 16 bits exactly. A stream
//! that ends early is refused.
//!
//! Source: ISO/IEC 15444-1 A.5.1 (SIZ), G.1 (level shift); DICOM PS3.5 A.4.4.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::Coded;

/// SOC and SIZ, with which a code stream begins; it may lie in a JP2 file.
const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];

/// Where the code stream begins, and its size marker up to the depth of the first component.
fn size_marker(stream: &[u8]) -> Option<(usize, &[u8])> {
    let start = stream.windows(4).position(|window| window == START)?;
    Some((start, stream.get(start + 4..start + 43)?))
}

/// What the size marker says.
pub(super) fn size(stream: &[u8]) -> Option<Coded> {
    let (_, siz) = size_marker(stream)?;
    let long = |i: usize| u32::from_be_bytes([siz[i], siz[i + 1], siz[i + 2], siz[i + 3]]) as usize;
    Some(Coded {
        bits: usize::from(siz[38] & 0x7F) + 1,
        rows: long(8).checked_sub(long(16))?,
        columns: long(4).checked_sub(long(12))?,
        components: usize::from(u16::from_be_bytes([siz[36], siz[37]])),
        signed: siz[38] & 0x80 != 0,
    })
}

/// The samples of a frame of one component and at most 16 bits, negative ones in two's complement.
/// The caller has compared the size with the header.
pub(super) fn decode(stream: &[u8]) -> Result<Vec<u16>, String> {
    let (start, siz) = size_marker(stream).ok_or("has no JPEG 2000 size marker")?;
    let (depth, signed) = (siz[38] & 0x7F, siz[38] & 0x80 != 0);
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let fault = |e| format!("cannot be decoded: {e}");
    let image = Image::new(&stream[start..], &settings).map_err(fault)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(fault)?;
    let [component] = decoded.components() else {
        return Err("has more than one component".into());
    };
    // The decoder shifts signed samples too, by half their range.
    let half = 1_i32 << depth;
    let shift = if signed { half } else { 0 };
    let word = |&sample: &f32| ((sample.round() as i32).clamp(0, 2 * half - 1) - shift) as u16;
    Ok(component.samples().iter().map(word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = include_bytes!("../../../tests/data/jpeg2000/unsigned.j2k");

    #[test]
    fn the_size_marker_is_read_wherever_the_stream_begins() {
        let expected = Coded { bits: 12, rows: 64, columns: 48, components: 1, signed: false };
        assert_eq!(size(STREAM), Some(expected));
        assert_eq!(size(&[b"a JP2 box".as_slice(), STREAM].concat()), Some(expected));
        assert_eq!(size(&START), None);
    }

    #[test]
    fn a_stream_in_a_file_is_decoded_and_a_cut_one_refused() {
        let words = decode(STREAM).unwrap();
        assert_eq!(words.len(), 64 * 48);
        assert_eq!(decode(&[b"a JP2 box".as_slice(), STREAM].concat()), Ok(words));
        for end in (0..STREAM.len() - 2).step_by(13) {
            assert!(decode(&STREAM[..end]).is_err(), "cut at {end}");
        }
    }
}
