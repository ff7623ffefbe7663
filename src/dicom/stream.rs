//! Compressed streams: which fragments a frame is made of, and what its stream says of itself before it is decoded.
//!
//! Source: DICOM PS3.5 A.4 (encapsulation), G.5 (RLE header); ITU-T T.81 B.1.1 and B.2.2, T.87 C.2.2 (markers).

use std::borrow::Cow;

use dicom_dictionary_std::uids;

/// The compressed stream of one frame: one fragment, several found by the offset table or by how a stream begins, or
/// all of them.
pub(super) fn of_frame(
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
    let parts = if offsets.is_empty() {
        parts_by_start(frames, frame, fragments)
    } else {
        parts_by_table(frames, frame, offsets, fragments)
    };
    match parts {
        Some(parts) if !parts.is_empty() => Ok(parts.concat()),
        _ => {
            Err("the frames cannot be told apart: the basic offset table is missing or wrong"
                .into())
        }
    }
}

/// The fragments of a frame by the basic offset table, which counts from the first fragment's item tag.
fn parts_by_table<'a>(
    frames: usize,
    frame: usize,
    offsets: &[u32],
    fragments: &'a [Vec<u8>],
) -> Option<Vec<&'a [u8]>> {
    if offsets.len() != frames {
        return None;
    }
    let (start, end) = (u64::from(offsets[frame]), offsets.get(frame + 1).copied().map(u64::from));
    let mut at = 0_u64;
    let mut parts = Vec::new();
    for fragment in fragments {
        if at >= start && end.is_none_or(|end| at < end) {
            parts.push(fragment.as_slice());
        }
        at += fragment.len() as u64 + 8;
    }
    Some(parts)
}

/// The fragments of a frame where the table is empty, as it may be: a frame begins where a fragment begins with the
/// start of a JPEG image (T.81 B.1.1.3) or JPEG 2000 code stream, if there are as many of these as frames.
fn parts_by_start(frames: usize, frame: usize, fragments: &[Vec<u8>]) -> Option<Vec<&[u8]>> {
    const STARTS: [&[u8]; 2] = [&[0xFF, 0xD8, 0xFF], &[0xFF, 0x4F, 0xFF, 0x51]];
    let begins = |fragment: &[u8]| STARTS.iter().any(|start| fragment.starts_with(start));
    let starts = (0..fragments.len()).filter(|&i| begins(&fragments[i])).collect::<Vec<_>>();
    if starts.len() != frames || starts.first() != Some(&0) {
        return None;
    }
    let end = starts.get(frame + 1).copied().unwrap_or(fragments.len());
    Some(fragments[starts[frame]..end].iter().map(Vec::as_slice).collect())
}

/// What a compressed stream says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coded {
    pub(super) bits: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) components: usize,
    pub(super) signed: bool,
}

pub(super) fn coded_size(uid: &str, stream: &[u8]) -> Result<Option<Coded>, String> {
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
pub(super) fn jpeg_size(stream: &[u8]) -> Option<Coded> {
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
                    signed: false,
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

/// A JPEG-LS stream without fill bytes before its end: any marker may follow any number of bytes FF (T.81 B.1.1.2), and
/// DCMTK fills streams of odd length so; the decoder expects the bare marker.
pub(super) fn without_fill(stream: &[u8]) -> Cow<'_, [u8]> {
    let padding = stream.iter().rev().take_while(|&&byte| byte == 0).count();
    let Some(scan) = stream[..stream.len() - padding].strip_suffix(&[0xFF, 0xD9]) else {
        return Cow::Borrowed(stream);
    };
    let fill = scan.iter().rev().take_while(|&&byte| byte == 0xFF).count();
    if fill == 0 {
        return Cow::Borrowed(stream);
    }
    Cow::Owned([&scan[..scan.len() - fill], &[0xFF, 0xD9]].concat())
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
        let expected = Coded { bits: 12, rows: 300, columns: 200, components: 1, signed: false };
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
        assert_eq!(of_frame(3, 1, &[], &fragments), Ok(vec![2, 2]));
        assert_eq!(of_frame(1, 0, &[], &fragments), Ok(vec![1, 1, 2, 2, 3, 3, 3, 3]));
        assert_eq!(of_frame(2, 0, &[0, 20], &fragments), Ok(vec![1, 1, 2, 2]));
        assert_eq!(of_frame(2, 1, &[0, 20], &fragments), Ok(vec![3, 3, 3, 3]));
        assert!(of_frame(2, 1, &[], &fragments).is_err());
        assert!(of_frame(2, 1, &[0, 99], &fragments).is_err());
    }

    #[test]
    fn frames_without_an_offset_table_are_cut_where_streams_begin() {
        let start = |rest: &[u8]| [&[0xFF, 0xD8, 0xFF], rest].concat();
        let fragments = [start(&[1]), vec![2, 2], start(&[3]), vec![0xFF, 0xD9]];
        assert_eq!(of_frame(2, 0, &[], &fragments), Ok([start(&[1]), vec![2, 2]].concat()));
        assert_eq!(of_frame(2, 1, &[], &fragments), Ok([start(&[3]), vec![0xFF, 0xD9]].concat()));
        assert!(of_frame(3, 1, &[], &fragments).is_err());
        assert!(of_frame(2, 1, &[], &fragments[1..]).is_err());
    }

    #[test]
    fn fill_bytes_before_the_end_are_taken_out() {
        for (stream, bare) in [
            (&[1, 0xFF, 0xD9][..], &[1, 0xFF, 0xD9][..]),
            (&[1, 0xFF, 0xFF, 0xD9, 0], &[1, 0xFF, 0xD9]),
            (&[1, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0xD9], &[1, 0xFF, 0, 0xFF, 0xD9]),
            (&[1, 2, 0], &[1, 2, 0]),
            (&[], &[]),
        ] {
            assert_eq!(*without_fill(stream), *bare);
        }
    }
}
