//! Marker segments of JPEG and JPEG-LS streams, and the intervals between restart markers.
//!
//! Source: ITU-T T.81 B.1.1, B.2.1 and B.2.2, T.87 C.2.2.

use super::Coded;
use super::bits::Bits;

/// Start of frame of JPEG-LS.
pub(super) const SOF_JPEG_LS: u8 = 0xF7;
/// Start of frame of lossless JPEG with Huffman codes.
pub(super) const SOF_LOSSLESS: u8 = 0xC3;
/// Huffman tables.
pub(super) const DHT: u8 = 0xC4;
/// Restart interval.
pub(super) const DRI: u8 = 0xDD;
/// Preset parameters of JPEG-LS.
pub(super) const LSE: u8 = 0xF8;
/// Start of scan.
pub(super) const SOS: u8 = 0xDA;
/// The first of eight restart markers.
const RST: u8 = 0xD0;
/// Start of image.
const SOI: [u8; 2] = [0xFF, 0xD8];

/// What is said of a scan whose bits do not suffice.
pub(super) const CUT: &str = "ends before its last sample: it is truncated";

/// Marker segments one after another, as code and content; whoever reads them stops at that of a scan, behind which data stand.
#[derive(Debug, Clone)]
pub(super) struct Segments<'a> {
    stream: &'a [u8],
    /// Behind the last segment: behind that of a scan, its data begin.
    pub(super) at: usize,
}

impl<'a> Segments<'a> {
    /// Those behind the start of an image, none where there is no such start.
    pub(super) fn of(stream: &'a [u8]) -> Self {
        let stream = if stream.starts_with(&SOI) { stream } else { &[] };
        Self { stream, at: SOI.len() }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.stream.get(self.at..)?;
        // Any marker may follow any number of bytes FF (T.81 B.1.1.2).
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        let &[code, high, low, ref content @ ..] = rest.get(fill..)? else { return None };
        let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?;
        // Behind the end of the image there is nothing.
        if fill == 0 || code == 0xD9 {
            return None;
        }
        self.at += fill + 3 + length;
        Some((code, content.get(..length)?))
    }
}

/// The frame header (SOF) of a JPEG or JPEG-LS stream, with its code.
fn frame_header(stream: &[u8]) -> Option<(u8, &[u8])> {
    let mut segments = Segments::of(stream).take_while(|&(code, _)| code != SOS);
    segments.find(|&(code, _)| {
        matches!(code, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | SOF_JPEG_LS)
    })
}

/// Whether a JPEG stream is a lossless one with Huffman codes.
pub(super) fn is_lossless(stream: &[u8]) -> bool {
    frame_header(stream).is_some_and(|(code, _)| code == SOF_LOSSLESS)
}

/// What the frame header of a JPEG or JPEG-LS stream says.
pub(super) fn size(stream: &[u8]) -> Option<Coded> {
    let &[bits, y0, y1, x0, x1, components, ..] = frame_header(stream)?.1 else { return None };
    Some(Coded {
        bits: usize::from(bits),
        rows: usize::from(u16::from_be_bytes([y0, y1])),
        columns: usize::from(u16::from_be_bytes([x0, x1])),
        components: usize::from(components),
        signed: false,
    })
}

/// Fills the samples of a scan whose data begin at a place, with `interval` of them between restart markers. `fill` is given the
/// bits of an interval and its samples, and gives back the bits that it has not taken.
///
/// # Errors
/// Those of `fill`; restart markers are missing or out of order; data are left over behind the last sample of an interval.
pub(super) fn fill_intervals<'a, const AFTER_FF: u32>(
    stream: &'a [u8],
    mut at: usize,
    samples: &mut [u16],
    interval: usize,
    mut fill: impl FnMut(Bits<'a, AFTER_FF>, &mut [u16]) -> Result<Bits<'a, AFTER_FF>, String>,
) -> Result<(), String> {
    let interval = interval.max(1);
    let last = samples.len().div_ceil(interval).saturating_sub(1);
    for (n, samples) in samples.chunks_mut(interval).enumerate() {
        let rest = fill(Bits::new(stream, at), samples)?;
        if n < last {
            at = behind_restart(stream, rest.marker(), n)?;
        }
        if rest.has_more() {
            return Err("has data left over behind its last sample: it is damaged".into());
        }
    }
    Ok(())
}

/// Where the data behind the `n`th restart marker begin, which is to stand at a place (T.81 B.2.1: they are counted by eight).
fn behind_restart(stream: &[u8], at: Option<usize>, n: usize) -> Result<usize, String> {
    let at = at.ok_or("ends before its last restart marker: it is truncated")?;
    if stream.get(at + 1) == Some(&(RST + (n % 8) as u8)) {
        return Ok(at + 2);
    }
    Err("has another marker where a restart marker is due: it is damaged".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_headers_of_compressed_streams_are_read() {
        // SOI, an application segment, then SOF of 12 bits, 300 rows, 200 columns, one component.
        let sof = |marker: u8| {
            [
                0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 9, 9, 0xFF, 0xFF, marker, 0, 11, 12, 1, 44, 0, 200,
                1, 1, 0x11, 0,
            ]
        };
        let expected = Coded { bits: 12, rows: 300, columns: 200, components: 1, signed: false };
        for marker in [0xC3, 0xF7] {
            assert_eq!(size(&sof(marker)), Some(expected));
        }
        assert_eq!(size(&sof(DHT)), None);
        assert_eq!(size(&sof(SOS)), None);
        for stream in
            [&[0xFF, 0xD8, 0xFF, 0xE0, 0, 0][..], &[0xFF, 0xD8, 0xFF, 0xC3, 0, 1, 9, 9, 9]]
        {
            assert_eq!(size(stream), None);
        }
        assert_eq!(size(&[]), None);
    }

    #[test]
    fn a_stream_begins_with_the_start_of_an_image() {
        let mut stream = [0xFF, 0xD8, 0xFF, 0xC3, 0, 11, 12, 0, 3, 0, 2, 1, 1, 0x11, 0];
        assert!(size(&stream).is_some() && is_lossless(&stream));
        stream[1] = 0xD9;
        assert_eq!(size(&stream), None);
        stream[0] = 0;
        assert_eq!(size(&stream), None);
    }

    #[test]
    fn restart_markers_are_counted_by_eight() {
        let stream = [0, 0xFF, 0xD1, 7];
        assert_eq!(behind_restart(&stream, Some(1), 9), Ok(3));
        assert!(behind_restart(&stream, Some(1), 0).is_err());
        assert!(behind_restart(&stream, None, 0).is_err());
    }
}
