//! One DICOM file: how it is laid out, its header, and its pixel data as stored.
//!
//! Files without preamble, without magic code or without file meta group are read as archives hold them; the encoding
//! of a bare data set is guessed from its first element. Deflated data sets are inflated to a bounded size.
//!
//! Source: DICOM PS3.10 7.1 (file meta information), PS3.5 7.1 (element encoding), A.5 (deflate).

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::uids;
use dicom_object::InMemDicomObject;
use dicom_object::collector::{DicomCollector, DicomCollectorOptions};
use dicom_object::file::ReadPreamble;

/// First tag of the pixel data group; a header ends before it.
pub(super) const PIXELS: Tag = Tag(0x7FE0, 0x0000);

/// Explicit VR big endian: retired, and still in archives.
pub(super) const EXPLICIT_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Largest deflated header, and largest deflated file, in bytes.
const INFLATED_HEADER: u64 = 1 << 26;
const INFLATED_FILE: u64 = 1 << 31;

trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// A header with what the file says beside it.
#[derive(Debug)]
pub(super) struct Header {
    /// The data set up to the pixel data.
    pub(super) data_set: InMemDicomObject,
    /// TransferSyntaxUID.
    pub(super) transfer_syntax: String,
    /// Length of the file.
    pub(super) file_bytes: u64,
}

/// Pixel data as the file has them.
#[derive(Debug)]
pub(super) enum Stored {
    /// Samples of all frames, one after another.
    Native(Vec<u8>),
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
    let (mut collector, transfer_syntax, file_bytes) = open(path, INFLATED_HEADER)?;
    let mut data_set = InMemDicomObject::new_empty();
    collector.read_dataset_up_to(stop, &mut data_set).map_err(|e| whole_reason(&e))?;
    Ok(Header { data_set, transfer_syntax, file_bytes })
}

/// Reads the pixel data of a file; `encapsulated` by its transfer syntax.
pub(super) fn read_stored(path: &Path, encapsulated: bool) -> Result<Stored, String> {
    let (mut collector, _, _) = open(path, INFLATED_FILE)?;
    // The icon of an image has pixel data of its own, nested in a sequence: read past it as a whole.
    collector
        .read_dataset_up_to(Tag(0x7FE0, 0x0010), &mut InMemDicomObject::new_empty())
        .map_err(|e| whole_reason(&e))?;
    if !encapsulated {
        let mut bytes = Vec::new();
        let found = collector.read_next_fragment(&mut bytes).map_err(|e| whole_reason(&e))?;
        return found.map(|_| Stored::Native(bytes)).ok_or_else(|| "has no pixel data".into());
    }
    let mut offsets = Vec::new();
    collector.read_basic_offset_table(&mut offsets).map_err(|e| whole_reason(&e))?;
    let mut fragments = Vec::new();
    loop {
        let mut fragment = Vec::new();
        match collector.read_next_fragment(&mut fragment).map_err(|e| whole_reason(&e))? {
            Some(_) => fragments.push(fragment),
            None if fragments.is_empty() => return Err("has no pixel data".into()),
            None => return Ok(Stored::Fragments { offsets, fragments }),
        }
    }
}

type Collector = DicomCollector<BufReader<Box<dyn Source>>>;

fn open(path: &Path, inflate_limit: u64) -> Result<(Collector, String, u64), String> {
    let io = |e: std::io::Error| e.to_string();
    let mut file = File::open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    if file_bytes == 0 {
        return Err("is empty".into());
    }
    let mut start = Vec::new();
    file.by_ref().take(1 << 13).read_to_end(&mut start).map_err(io)?;
    let layout = Layout::of(&start)?;
    file.seek(SeekFrom::Start(layout.data_set)).map_err(io)?;
    let (source, parsed_as): (Box<dyn Source>, &str) = match layout.transfer_syntax.as_str() {
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => {
            let mut inflated = Vec::new();
            let reader = BufReader::new(file);
            let mut inflater = flate2::bufread::DeflateDecoder::new(reader).take(inflate_limit);
            // A stream cut off by the limit, or damaged at its end, may still hold the header.
            match inflater.read_to_end(&mut inflated) {
                Err(e) if inflated.is_empty() => return Err(format!("cannot be inflated: {e}")),
                Ok(_) | Err(_) => {}
            }
            (Box::new(Cursor::new(inflated)), uids::EXPLICIT_VR_LITTLE_ENDIAN)
        }
        other => (Box::new(file), other),
    };
    let collector = DicomCollectorOptions::new()
        .read_preamble(ReadPreamble::Never)
        .expected_ts(parsed_as.to_owned())
        .from_reader(BufReader::new(source));
    Ok((collector, layout.transfer_syntax, file_bytes))
}

/// Where the data set of a file begins and how it is encoded.
#[derive(Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) data_set: u64,
    pub(super) transfer_syntax: String,
}

impl Layout {
    pub(super) fn of(start: &[u8]) -> Result<Self, String> {
        let meta = if start.get(128..132) == Some(b"DICM") {
            132
        } else if start.starts_with(b"DICM") {
            4
        } else {
            0
        };
        let (data_set, named) = walk_meta(start, meta)?;
        let transfer_syntax = match named {
            Some(uid) => uid,
            None => guess(&start[data_set..]).ok_or("is not a DICOM file")?.to_owned(),
        };
        Ok(Self { data_set: data_set as u64, transfer_syntax })
    }
}

/// Walks the file meta group, which is explicit little endian always: where it ends, and TransferSyntaxUID.
/// The group length is not asked: it is often wrong or missing.
fn walk_meta(start: &[u8], mut at: usize) -> Result<(usize, Option<String>), String> {
    let cut = || "has a damaged file meta group".to_owned();
    let u16_at = |i: usize| start.get(i..i + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let mut transfer_syntax = None;
    while u16_at(at) == Some(2) {
        let element = u16_at(at + 2).ok_or_else(cut)?;
        let vr = start.get(at + 4..at + 6).ok_or_else(cut)?;
        let long = matches!(
            vr,
            b"OB" | b"OW" | b"UN" | b"UT" | b"SQ" | b"OF" | b"OD" | b"OL" | b"UC" | b"UR"
        );
        let (length, value) = if long {
            let b = start.get(at + 8..at + 12).ok_or_else(cut)?;
            (u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize, at + 12)
        } else {
            (usize::from(u16_at(at + 6).ok_or_else(cut)?), at + 8)
        };
        let end = value.checked_add(length).filter(|&end| end <= start.len()).ok_or_else(cut)?;
        if element == 0x0010 {
            let text = String::from_utf8_lossy(&start[value..end]);
            transfer_syntax = Some(text.trim_matches([' ', '\0']).to_owned());
        }
        at = end;
    }
    Ok((at.min(start.len()), transfer_syntax))
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
