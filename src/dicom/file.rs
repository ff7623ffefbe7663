//! One DICOM file: how it is laid out, its header, and its pixel data as stored.
//!
//! Files without preamble, without magic code or without file meta group are read as archives hold them; the encoding
//! of a bare data set is guessed from its first element. Deflated data sets are inflated to a bounded size.
//!
//! Source: DICOM PS3.10 7.1 (file meta information), PS3.5 7.1 (element encoding), A.5 (deflate).

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use dicom_core::header::Length;
use dicom_core::value::DataSetSequence;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_parser::{DynStatefulDecoder, StatefulDecode};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use flate2::bufread::DeflateDecoder;

/// First tag of the pixel data group; a header ends before it.
pub(super) const PIXELS: Tag = Tag(0x7FE0, 0x0000);

const FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0, 0x0008);
const DOUBLE_FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0, 0x0009);
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// Deepest nesting of sequences that is followed.
const MAX_DEPTH: usize = 32;

/// Explicit VR big endian: retired, and still in archives.
pub(super) const EXPLICIT_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Bytes at the start of a file in which its file meta group ends.
const META_BYTES: u64 = 1 << 13;

/// Largest header of a deflated file, in bytes.
const INFLATED_HEADER: u64 = 1 << 26;

trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

type Token<'a> = LazyDataToken<&'a mut DynStatefulDecoder<BufReader<Box<dyn Source>>>>;

/// A header with what the file says beside it.
#[derive(Debug)]
pub(super) struct Header {
    /// The data set up to the pixel data.
    pub(super) data_set: InMemDicomObject,
    /// `TransferSyntaxUID`.
    pub(super) transfer_syntax: String,
    /// Length of the file.
    pub(super) file_bytes: u64,
}

/// Pixel data as the file has them.
#[derive(Debug)]
pub(super) enum Stored {
    /// Samples of all frames, one after another.
    Native(Vec<u8>),
    /// Samples as floating point numbers of 32 or 64 bits.
    Float(Vec<u8>),
    /// Compressed fragments, with the offset of each frame's first fragment where the table is filled.
    Fragments {
        /// Basic offset table.
        offsets: Vec<u32>,
        /// The fragments behind it.
        fragments: Vec<Vec<u8>>,
    },
}

/// Reads the header of a file, or says why it is no DICOM file.
pub(super) fn read_header(path: &Path) -> Result<Header, String> {
    read_header_up_to(path, PIXELS)
}

/// Reads the header up to a tag: what can be had of a file that is damaged further on.
pub(super) fn read_header_up_to(path: &Path, stop: Tag) -> Result<Header, String> {
    let mut file = OpenFile::open(path, INFLATED_HEADER)?;
    let (elements, _) = file.data_set(stop, 0)?;
    let data_set = InMemDicomObject::from_element_iter(elements);
    Ok(Header { data_set, transfer_syntax: file.transfer_syntax, file_bytes: file.file_bytes })
}

/// Reads the pixel data of a file: Pixel Data (7FE0,0010), Float Pixel Data (7FE0,0008) or Double Float Pixel Data
/// (7FE0,0009), of which an object has one. `promised` is what they take when they are not compressed.
pub(super) fn read_stored(path: &Path, promised: u64) -> Result<Stored, String> {
    let mut file = OpenFile::open(path, INFLATED_HEADER.saturating_add(promised))?;
    let (elements, stopped) = file.data_set(PIXELS, 0)?;
    let in_bytes = elements
        .iter()
        .any(|e| e.header().tag == tags::BITS_ALLOCATED && e.to_int::<u16>().is_ok_and(|n| n == 8));
    match stopped {
        Stopped::Value(tag) => file.value(tag, in_bytes),
        Stopped::Fragments => file.fragments(),
        Stopped::End => Err("has no pixel data: it is truncated".into()),
    }
}

/// Where the reading of a data set stopped.
enum Stopped {
    /// Before the value of an element.
    Value(Tag),
    /// Before the fragments of encapsulated pixel data.
    Fragments,
    End,
}

/// A file whose data set is being read, element by element, with no allocation beyond the length of the file.
struct OpenFile {
    reader: LazyDataSetReader<DynStatefulDecoder<BufReader<Box<dyn Source>>>>,
    transfer_syntax: String,
    file_bytes: u64,
    /// Bytes of the data set, inflated; no element can be longer.
    limit: u64,
}

impl OpenFile {
    fn open(path: &Path, inflate_limit: u64) -> Result<Self, String> {
        let io = |e: std::io::Error| e.to_string();
        let mut file = File::open(path).map_err(io)?;
        let file_bytes = file.metadata().map_err(io)?.len();
        if file_bytes == 0 {
            return Err("is empty".into());
        }
        let mut start = Vec::new();
        file.by_ref().take(META_BYTES).read_to_end(&mut start).map_err(io)?;
        let layout = Layout::of(&start)?;
        file.seek(SeekFrom::Start(layout.data_set)).map_err(io)?;
        let transfer_syntax = layout.transfer_syntax;
        let deflated = transfer_syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        let (source, limit): (Box<dyn Source>, u64) = if deflated {
            let inflated = inflate(file, inflate_limit)?;
            let limit = inflated.len() as u64;
            (Box::new(Cursor::new(inflated)), limit)
        } else {
            (Box::new(file), file_bytes)
        };
        let known = TransferSyntaxRegistry.get(&transfer_syntax).filter(|_| !deflated);
        // Every compressed syntax has an explicit little endian header (PS3.5 A.4), retired and private ones too: it
        // can be read, and the pixels are refused with the reason.
        let syntax = match known {
            Some(known) => known,
            None => TransferSyntaxRegistry
                .get(uids::EXPLICIT_VR_LITTLE_ENDIAN)
                .ok_or_else(|| format!("has the unknown transfer syntax {transfer_syntax}"))?,
        };
        let reader = LazyDataSetReader::new_with_ts(BufReader::new(source), syntax)
            .map_err(|e| whole_reason(&e))?;
        Ok(Self { reader, transfer_syntax, file_bytes, limit })
    }

    fn next(&mut self) -> Result<Option<Token<'_>>, String> {
        self.reader.advance().transpose().map_err(|e| whole_reason(&e))
    }

    fn check(&self, length: Length, what: &str) -> Result<(), String> {
        match length.get() {
            Some(bytes) if u64::from(bytes) > self.limit => Err(format!(
                "{what} claims {bytes} bytes, more than the file has: it is truncated or damaged"
            )),
            _ => Ok(()),
        }
    }

    /// The elements of a data set before the tag `stop`, or of an item to its end.
    fn data_set(
        &mut self,
        stop: Tag,
        depth: usize,
    ) -> Result<(Vec<InMemElement>, Stopped), String> {
        if depth > MAX_DEPTH {
            return Err("has sequences nested too deeply".into());
        }
        let mut elements = Vec::new();
        loop {
            let header = match self.next()? {
                None | Some(LazyDataToken::ItemEnd) => return Ok((elements, Stopped::End)),
                Some(LazyDataToken::PixelSequenceStart) => {
                    return Ok((elements, Stopped::Fragments));
                }
                Some(LazyDataToken::SequenceStart { tag, len }) => {
                    if depth == 0 && tag >= stop {
                        return Ok((elements, Stopped::End));
                    }
                    let items = self.items(stop, depth)?;
                    elements.push(InMemElement::new_with_len(
                        tag,
                        VR::SQ,
                        len,
                        DataSetSequence::new(items, len),
                    ));
                    continue;
                }
                Some(LazyDataToken::ElementHeader(header)) => header,
                Some(other) => return Err(format!("has an unexpected {other:?}")),
            };
            if depth == 0 && header.tag >= stop {
                return Ok((elements, Stopped::Value(header.tag)));
            }
            self.check(header.len, &header.tag.to_string())?;
            let value = self.next()?.ok_or("ends in the middle of an element: it is truncated")?;
            let value = value.into_value().map_err(|e| whole_reason(&e))?;
            elements.push(InMemElement::new_with_len(header.tag, header.vr, header.len, value));
        }
    }

    fn items(&mut self, stop: Tag, depth: usize) -> Result<Vec<InMemDicomObject>, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                None | Some(LazyDataToken::SequenceEnd) => return Ok(items),
                Some(LazyDataToken::ItemStart { .. }) => {
                    let (elements, _) = self.data_set(stop, depth + 1)?;
                    items.push(InMemDicomObject::from_element_iter(elements));
                }
                Some(other) => return Err(format!("has an unexpected {other:?} in a sequence")),
            }
        }
    }

    /// The value of a pixel data element, or of the next one: float pixel data may come with other elements before.
    /// Samples `in_bytes` lie in pairs where a big endian file holds them as words (OW): the first of a pair is the
    /// lower byte (PS3.5 D.1).
    fn value(&mut self, tag: Tag, in_bytes: bool) -> Result<Stored, String> {
        let limit = self.limit;
        let paired = in_bytes && self.transfer_syntax == EXPLICIT_BIG_ENDIAN;
        let mut tag = tag;
        loop {
            let token = self.next()?.ok_or("has no pixel data: it is truncated")?;
            match token {
                LazyDataToken::ElementHeader(header) => tag = header.tag,
                LazyDataToken::PixelSequenceStart => return self.fragments(),
                LazyDataToken::LazyValue { header, decoder } => {
                    let bytes = header.len.get().map_or(u64::MAX, u64::from);
                    if bytes > limit {
                        return Err(format!(
                            "its pixel data claim {bytes} bytes, more than the file has: it is truncated"
                        ));
                    }
                    let mut value = Vec::with_capacity(bytes as usize);
                    decoder.read_to_vec(header.len.0, &mut value).map_err(|e| whole_reason(&e))?;
                    if paired && header.vr == VR::OW {
                        value.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
                    }
                    match tag {
                        PIXEL_DATA => return Ok(Stored::Native(value)),
                        FLOAT_PIXEL_DATA | DOUBLE_FLOAT_PIXEL_DATA => {
                            return Ok(Stored::Float(value));
                        }
                        _ => {}
                    }
                }
                other => return Err(format!("has an unexpected {other:?}")),
            }
        }
    }

    fn fragments(&mut self) -> Result<Stored, String> {
        let limit = self.limit;
        let mut parts: Vec<Vec<u8>> = Vec::new();
        loop {
            match self.next()? {
                None | Some(LazyDataToken::SequenceEnd) => break,
                Some(LazyDataToken::ItemStart { .. }) => parts.push(Vec::new()),
                Some(LazyDataToken::LazyItemValue { len, decoder }) => {
                    if u64::from(len) > limit {
                        return Err(
                            "a fragment claims more bytes than the file has: it is truncated"
                                .into(),
                        );
                    }
                    let part = parts.last_mut().ok_or("has a fragment outside an item")?;
                    decoder.read_to_vec(len, part).map_err(|e| whole_reason(&e))?;
                    if part.len() < len as usize {
                        return Err("ends in the middle of a fragment: it is truncated".into());
                    }
                }
                Some(_) => {}
            }
        }
        if parts.len() < 2 {
            return Err("has no compressed frames: it is truncated".into());
        }
        let table = parts.remove(0);
        let offsets = table.as_chunks::<4>().0.iter().map(|&b| u32::from_le_bytes(b)).collect();
        Ok(Stored::Fragments { offsets, fragments: parts })
    }
}

fn inflate(file: File, limit: u64) -> Result<Vec<u8>, String> {
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
    pub(super) data_set: u64,
    pub(super) transfer_syntax: String,
}

/// The SOP class that the file meta group announces, however damaged the file is; empty where the group is cut off
/// before it, `None` where the file has no magic code.
pub(super) fn announced_class(path: &Path) -> Option<String> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(META_BYTES).read_to_end(&mut start).ok()?;
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
        Ok(Self { data_set: meta.end as u64, transfer_syntax })
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

/// An error with its causes, on one line.
fn whole_reason(error: &dyn std::error::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !reason.contains(&text) {
            reason.push_str(": ");
            reason.push_str(&text);
        }
        cause = error.source();
    }
    reason.split_whitespace().collect::<Vec<_>>().join(" ")
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
