//! One DICOM file: how it is laid out, its header, and its pixel data as stored.
//!
//! Files without preamble, without magic code or without file meta group are read as archives hold them; the encoding
//! of a bare data set is guessed from its first element. Deflated data sets are inflated to a bounded size.
//!
//! Source: DICOM PS3.10 7.1 (file meta information), PS3.5 7.1 (element encoding), A.5 (deflate).

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::uids;
use flate2::bufread::DeflateDecoder;

use super::data_set::{DataSet, Elements, Encoding, Input, PIXELS, PixelPlace, Room, Walk};
use super::record::PixelFormat;
use super::stream::Fragments;

/// Explicit VR big endian: retired, and still in archives.
pub(super) const EXPLICIT_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Bytes that are read of a file at first: most headers of slices end there.
const FIRST_BYTES: usize = 1 << 12;

/// Bytes at the start of a file in which its file meta group ends.
const META_BYTES: usize = 1 << 13;

/// Largest header of a deflated file, in bytes.
const INFLATED_HEADER: u64 = 1 << 26;

/// A header with what the file says beside it.
#[derive(Debug)]
pub(super) struct Header {
    elements: Elements,
    /// `TransferSyntaxUID`.
    pub(super) transfer_syntax: String,
    /// Length of the file.
    pub(super) file_bytes: u64,
    /// Where its pixel data lie.
    pub(super) pixels: PixelPlace,
}

impl Header {
    /// The data set up to the pixel data.
    pub(super) fn data_set(&self) -> DataSet<'_> {
        self.elements.root()
    }

    /// The header without some elements, in no more room than it needs.
    pub(super) fn without(mut self, which: fn(Tag) -> bool) -> Self {
        self.elements.drop_elements(which);
        self
    }

    /// Gives the room back for the next header.
    pub(super) fn give_back(self, room: &mut Room) {
        room.take_back(self.elements);
    }
}

/// Pixel data as the file has them.
#[derive(Debug)]
pub(super) enum Stored {
    /// Samples of all frames, one after another.
    Native(Vec<u8>),
    /// Samples as floating point numbers of 32 or 64 bits.
    Float(Vec<u8>),
    /// Compressed fragments.
    Fragments(Fragments),
}

/// Reads the header of a file into `room`, or says why it is no DICOM file. Given back, the room serves the next file.
pub(super) fn read_header(path: &Path, room: &mut Room) -> Result<Header, String> {
    read_header_up_to(path, PIXELS, room)
}

/// Reads the header up to a tag: what can be had of a file that is damaged further on.
pub(super) fn read_header_up_to(path: &Path, stop: Tag, room: &mut Room) -> Result<Header, String> {
    let file = File::open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    if file_bytes == 0 {
        return Err("is empty".into());
    }
    let elements = room.elements();
    let mut input = Input::new(file, file_bytes, FIRST_BYTES, &mut room.bytes)?;
    let layout = match Layout::of(input.start()) {
        // A file meta group as long is rare.
        Err(_) => Layout::of(input.more(META_BYTES)?)?,
        Ok(layout) => layout,
    };
    let Layout { mut data_set, transfer_syntax } = layout;
    let mut inflated;
    if transfer_syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN {
        let file = input.into_file().ok_or("cannot be read")?;
        inflated = inflate(file, data_set, INFLATED_HEADER)?;
        input = Input::whole(&mut inflated);
        data_set = 0;
    }
    let walk = Walk::new(input, data_set, encoding(&transfer_syntax));
    let (elements, pixels) = walk.header(stop, elements)?;
    Ok(Header { elements, transfer_syntax, file_bytes, pixels })
}

/// Every compressed syntax has an explicit little endian header (PS3.5 A.4), retired and private ones too: it can be read,
/// and the pixels are refused with the reason.
pub(super) fn encoding(transfer_syntax: &str) -> Encoding {
    match transfer_syntax {
        uids::IMPLICIT_VR_LITTLE_ENDIAN => Encoding { explicit: false, ..Encoding::EXPLICIT },
        EXPLICIT_BIG_ENDIAN => Encoding { big_endian: true, ..Encoding::EXPLICIT },
        _ => Encoding::EXPLICIT,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn io(error: std::io::Error) -> String {
    error.to_string()
}

/// Reads the pixel data of a file: Pixel Data (7FE0,0010), Float Pixel Data (7FE0,0008) or Double Float Pixel Data
/// (7FE0,0009), of which an object has one.
pub(super) fn read_stored(path: &Path, format: &PixelFormat) -> Result<Stored, String> {
    match format.place {
        PixelPlace::Nowhere => Err(NO_PIXELS.into()),
        PixelPlace::Fragments { start } => {
            let mut bytes = pixel_bytes(path, format, start, u64::MAX)?;
            let walk = Walk::new(Input::whole(&mut bytes), 0, Encoding::EXPLICIT);
            let (offsets, places) = walk.fragments()?;
            Ok(Stored::Fragments(Fragments { bytes, places, offsets }))
        }
        PixelPlace::Value { start, bytes, float, words } => {
            let mut value = pixel_bytes(path, format, start, bytes)?;
            // Samples in bytes lie in pairs where a big endian file holds them as words: the first of a pair is the lower
            // byte (PS3.5 D.1).
            if words && format.lies_in_pairs() {
                value.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
            }
            Ok(if float { Stored::Float(value) } else { Stored::Native(value) })
        }
    }
}

const NO_PIXELS: &str = "has no pixel data: it is truncated";

/// So many bytes from a place on, fewer where the file ends before.
fn pixel_bytes(
    path: &Path,
    format: &PixelFormat,
    start: u64,
    bytes: u64,
) -> Result<Vec<u8>, String> {
    let mut file = reopened(path, format)?;
    let mut value = Vec::new();
    if !format.is_deflated() {
        let bytes = if bytes == u64::MAX { format.file_bytes } else { bytes };
        check_claim(bytes, format.file_bytes)?;
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        let left = format.file_bytes.saturating_sub(start);
        value.reserve_exact(bytes.min(left) as usize);
        file.take(bytes).read_to_end(&mut value).map_err(io)?;
        return Ok(value);
    }
    file.by_ref().take(META_BYTES as u64).read_to_end(&mut value).map_err(io)?;
    let limit = INFLATED_HEADER.saturating_add(format.native_bytes().unwrap_or(0));
    let mut inflated = inflate(file, Layout::of(&value)?.data_set, limit)?;
    check_claim(if bytes == u64::MAX { 0 } else { bytes }, inflated.len() as u64)?;
    inflated.truncate(start.saturating_add(bytes).min(inflated.len() as u64) as usize);
    Ok(inflated.split_off((start as usize).min(inflated.len())))
}

/// Reads a range of a file's bytes over what the buffer held: the samples of a frame that is not compressed.
pub(super) fn read_range(
    path: &Path,
    format: &PixelFormat,
    range: Range<u64>,
    buffer: &mut Vec<u8>,
) -> Result<(), String> {
    let mut file = reopened(path, format)?;
    if range.end > format.file_bytes {
        return Err("ends in the middle of its pixel data: it is truncated".into());
    }
    buffer.resize((range.end - range.start) as usize, 0);
    file.seek(SeekFrom::Start(range.start)).map_err(io)?;
    file.read_exact(buffer).map_err(io)
}

/// A file whose header is known: it must be as long as it was, or what is known of it may be wrong.
fn reopened(path: &Path, format: &PixelFormat) -> Result<File, String> {
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() != format.file_bytes {
        return Err("has changed since its header was read".into());
    }
    Ok(file)
}

fn check_claim(bytes: u64, limit: u64) -> Result<(), String> {
    if bytes <= limit {
        return Ok(());
    }
    Err(format!("its pixel data claim {bytes} bytes, more than the file has: it is truncated"))
}

/// Inflates what lies behind the file meta group.
fn inflate(mut file: File, start: usize, limit: u64) -> Result<Vec<u8>, String> {
    file.seek(SeekFrom::Start(start as u64)).map_err(io)?;
    let mut inflated = Vec::new();
    let mut inflater = DeflateDecoder::new(BufReader::new(file)).take(limit);
    match inflater.read_to_end(&mut inflated) {
        // A stream cut off by the limit, or damaged at its end, may still hold the header.
        Err(e) if inflated.is_empty() => Err(format!("cannot be inflated: {e}")),
        Ok(_) | Err(_) => Ok(inflated),
    }
}

/// Where the data set of a file begins and how it is encoded.
#[derive(Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) data_set: usize,
    pub(super) transfer_syntax: String,
}

/// The SOP class that the file meta group announces, however damaged the file is; empty where the group is cut off
/// before it, `None` where the file has no magic code.
pub(super) fn announced_class(path: &Path) -> Option<String> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(META_BYTES as u64).read_to_end(&mut start).ok()?;
    let meta = meta_start(&start);
    (meta > 0).then(|| Meta::of(&start, meta).class)
}

/// Where the file meta group begins: behind preamble and magic code, behind the magic code, or at once.
fn meta_start(start: &[u8]) -> usize {
    if start.get(128..132) == Some(b"DICM") {
        132
    } else if start.starts_with(b"DICM") {
        4
    } else {
        0
    }
}

impl Layout {
    pub(super) fn of(start: &[u8]) -> Result<Self, String> {
        let meta = Meta::of(start, meta_start(start));
        if !meta.complete {
            return Err("has a damaged file meta group".into());
        }
        let guessed = guess(&start[meta.end..]);
        let little = [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN];
        let transfer_syntax = match (meta.transfer_syntax.as_str(), guessed) {
            ("", None) => return Err("is not a DICOM file".into()),
            ("", Some(guessed)) => guessed.to_owned(),
            // Some writers name the wrong one of the two; the first element shows which it is.
            (named, Some(guessed)) if little.contains(&named) && little.contains(&guessed) => {
                guessed.to_owned()
            }
            (named, _) => named.to_owned(),
        };
        Ok(Self { data_set: meta.end, transfer_syntax })
    }
}

/// The file meta group, which is explicit little endian always.
#[derive(Debug, Default)]
struct Meta {
    /// `MediaStorageSOPClassUID` (0002,0002).
    class: String,
    /// `TransferSyntaxUID` (0002,0010).
    transfer_syntax: String,
    /// Where the data set begins.
    end: usize,
    /// Whether all elements are whole.
    complete: bool,
}

impl Meta {
    /// Walks the elements from `at`. The group length is not asked: it is often wrong or missing.
    fn of(start: &[u8], at: usize) -> Self {
        let mut meta = Self { end: at.min(start.len()), ..Self::default() };
        meta.complete = loop {
            if start.get(meta.end..meta.end + 2) != Some(&[2, 0]) {
                break true;
            }
            let Some((element, value, end)) = meta_element(start, meta.end) else { break false };
            let text = String::from_utf8_lossy(value);
            let text = text.trim_matches([' ', '\0']);
            match element {
                0x0002 => text.clone_into(&mut meta.class),
                0x0010 => text.clone_into(&mut meta.transfer_syntax),
                _ => {}
            }
            meta.end = end;
        };
        meta
    }
}

/// Element number, value and end of the explicit little endian element at a place.
fn meta_element(start: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let u16_at = |i: usize| start.get(i..i + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let vr = start.get(at + 4..at + 6)?;
    let long =
        matches!(vr, b"OB" | b"OW" | b"UN" | b"UT" | b"SQ" | b"OF" | b"OD" | b"OL" | b"UC" | b"UR");
    let (length, value) = if long {
        let b = start.get(at + 8..at + 12)?;
        (u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize, at + 12)
    } else {
        (usize::from(u16_at(at + 6)?), at + 8)
    };
    let end = value.checked_add(length)?;
    Some((u16_at(at + 2)?, start.get(value..end)?, end))
}

/// Guesses the encoding of a data set from its first element, which must be of a low group.
fn guess(data_set: &[u8]) -> Option<&'static str> {
    let head: &[u8; 8] = data_set.first_chunk()?;
    let known = |vr: &[u8]| vr.iter().all(u8::is_ascii_uppercase);
    let group = u16::from_le_bytes([head[0], head[1]]);
    let plausible = |group: u16| group == 0x0008 || group == 0x0004;
    if plausible(group) && known(&head[4..6]) {
        return Some(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    }
    if plausible(group.swap_bytes()) && known(&head[4..6]) {
        return Some(EXPLICIT_BIG_ENDIAN);
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    (plausible(group) && (length < 1 << 16 || length == u32::MAX))
        .then_some(uids::IMPLICIT_VR_LITTLE_ENDIAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_a_bare_data_set_is_guessed() {
        for (head, expected) in [
            ([8, 0, 5, 0, b'C', b'S', 10, 0], Some(uids::EXPLICIT_VR_LITTLE_ENDIAN)),
            ([0, 8, 0, 5, b'C', b'S', 0, 10], Some(EXPLICIT_BIG_ENDIAN)),
            ([8, 0, 5, 0, 10, 0, 0, 0], Some(uids::IMPLICIT_VR_LITTLE_ENDIAN)),
            ([8, 0, 5, 0, 10, 0, 0, 9], None),
            (*b"not DICO", None),
        ] {
            assert_eq!(guess(&head), expected, "{head:?}");
        }
        assert_eq!(guess(&[8, 0]), None);
    }

    #[test]
    fn the_file_meta_group_is_walked_without_its_length() {
        let element = |number: u8, value: &[u8]| {
            [&[2, 0, number, 0, b'U', b'I', value.len() as u8, 0], value].concat()
        };
        let start = [element(2, b"1.2\0"), element(0x10, b"1.3 "), vec![8, 0]].concat();
        let meta = Meta::of(&start, 0);
        assert_eq!((meta.class.as_str(), meta.transfer_syntax.as_str()), ("1.2", "1.3"));
        assert!(meta.complete && meta.end == 24);
        let cut = Meta::of(&start[..20], 0);
        assert!(!cut.complete && cut.class == "1.2");
        assert!(Meta::of(&[], 4).complete);
    }
}
