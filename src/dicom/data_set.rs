//! A data set as it lies in its file: which elements there are and where their values are. [`attribute`](super::attribute)
//! decodes a value when it is asked for, so the hundred elements of a header cost a walk along their lengths.
//!
//! The start of a file is read at once, and more of it when an element reaches further. No length is believed that reaches
//! beyond the end, so nothing is allocated that the file cannot explain. Elements out of order are put in order; of two
//! with one tag the last counts.
//!
//! Source: DICOM PS3.5 7.1 (elements), 7.5 (sequences), A.4 (fragments), 6.2.2 (UN of undefined length holds items in
//! implicit VR little endian).

#[cfg(test)]
pub(super) mod tests;

use std::fs::File;
use std::io::Read;
use std::ops::Range;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_encoding::text::SpecificCharacterSet;

/// First tag of the pixel data group; a header ends before it.
pub(super) const PIXELS: Tag = Tag(0x7FE0, 0x0000);

const FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0, 0x0008);
const DOUBLE_FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0, 0x0009);

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

const UNDEFINED: u32 = u32::MAX;

/// Deepest nesting of sequences that is followed.
const MAX_DEPTH: usize = 32;

/// As many elements as headers of images have.
const USUAL_ELEMENTS: usize = 128;

const CUT: &str = "ends in the middle of an element: it is truncated";

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) explicit: bool,
    pub(super) big_endian: bool,
}

impl Encoding {
    const IMPLICIT: Self = Self { explicit: false, big_endian: false };
    pub(super) const EXPLICIT: Self = Self { explicit: true, big_endian: false };
}

/// The elements of a data set with the bytes that they were read from.
#[derive(Debug)]
pub struct Elements {
    bytes: Vec<u8>,
    root: Node,
    big_endian: bool,
}

impl Elements {
    /// Walks a whole data set in explicit VR little endian, without preamble and file meta group.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow "the file".
    pub fn of(mut bytes: Vec<u8>) -> Result<Self, String> {
        let walk = Walk::new(Input::whole(&mut bytes), 0, Encoding::EXPLICIT);
        walk.header(PIXELS, Vec::new()).map(|(elements, _)| elements)
    }

    /// The data set at the top.
    pub fn root(&self) -> DataSet<'_> {
        DataSet {
            bytes: &self.bytes,
            node: &self.root,
            big_endian: self.big_endian,
            charset: self.root.charset.as_ref().unwrap_or(&SpecificCharacterSet::ISO_IR_6),
        }
    }

    /// Drops elements at the top, and what room is more than the others need.
    pub(super) fn drop_elements(&mut self, which: fn(Tag) -> bool) {
        self.root.elements.retain(|held| !which(held.tag()));
        self.root.elements.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }
}

/// Room that headers are read into, one after another.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) bytes: Vec<u8>,
    elements: Vec<Held>,
}

impl Room {
    /// Takes the room of elements that are not needed any more.
    pub(super) fn take_back(&mut self, elements: Elements) {
        self.bytes = elements.bytes;
        self.elements = elements.root.elements;
    }

    /// Room for the elements of the next header.
    pub(super) fn elements(&mut self) -> Vec<Held> {
        let mut elements = std::mem::take(&mut self.elements);
        elements.clear();
        elements.reserve(USUAL_ELEMENTS);
        elements
    }
}

/// The elements of a data set or item in the order of their tags.
#[derive(Debug, Default)]
struct Node {
    elements: Vec<Held>,
    sequences: Vec<Vec<Node>>,
    /// `SpecificCharacterSet` (0008,0005) where the item has its own.
    charset: Option<SpecificCharacterSet>,
}

/// An element in sixteen bytes, so that a lookup stays within a few lines of the cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Group and element as one number, which is compared at once.
    key: u32,
    vr: VR,
    is_sequence: bool,
    /// Where the value begins; of a sequence its number in the node.
    start: u32,
    length: u32,
}

impl Held {
    fn tag(self) -> Tag {
        Tag((self.key >> 16) as u16, self.key as u16)
    }
}

fn key(tag: Tag) -> u32 {
    u32::from(tag.group()) << 16 | u32::from(tag.element())
}

/// A data set or an item of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct DataSet<'a> {
    bytes: &'a [u8],
    node: &'a Node,
    big_endian: bool,
    charset: &'a SpecificCharacterSet,
}

/// An element of a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    /// Its value representation; that of the dictionary where the file names none.
    pub(super) vr: VR,
    /// `None` of a sequence.
    pub(super) value: Option<&'a [u8]>,
    pub(super) big_endian: bool,
    pub(super) charset: &'a SpecificCharacterSet,
}

impl<'a> DataSet<'a> {
    /// Whether an element is there, with or without a value.
    pub fn has(self, tag: Tag) -> bool {
        self.held(tag).is_some()
    }

    fn held(self, tag: Tag) -> Option<&'a Held> {
        let (elements, key) = (&self.node.elements, key(tag));
        elements.binary_search_by_key(&key, |held| held.key).ok().map(|at| &elements[at])
    }

    pub(super) fn get(self, tag: Tag) -> Option<Element<'a>> {
        self.held(tag).map(|held| self.element(*held))
    }

    fn element(self, held: Held) -> Element<'a> {
        let range = held.start as usize..held.start as usize + held.length as usize;
        let value = (!held.is_sequence).then(|| &self.bytes[range]);
        let (big_endian, charset) = (self.big_endian, self.charset);
        Element { tag: held.tag(), vr: held.vr, value, big_endian, charset }
    }

    /// The elements from one tag to another, both included.
    pub(super) fn between(self, first: Tag, last: Tag) -> impl Iterator<Item = Element<'a>> {
        let (elements, first, last) = (&self.node.elements, key(first), key(last));
        let start = elements.partition_point(|held| held.key < first);
        let found = elements[start..].iter().take_while(move |held| held.key <= last);
        found.map(move |held| self.element(*held))
    }

    /// Whether another data set has the same elements with the same bytes, whatever is in those that are left out.
    pub(super) fn equals_but(self, other: DataSet, left_out: fn(Tag) -> bool) -> bool {
        let kept = |held: &&Held| !left_out(held.tag());
        let mut ours = self.node.elements.iter().filter(kept);
        let mut theirs = other.node.elements.iter().filter(kept);
        self.big_endian == other.big_endian
            && self.charset == other.charset
            && ours.all(|&a| theirs.next().is_some_and(|&b| self.equals(a, other, b)))
            && theirs.next().is_none()
    }

    fn equals(self, ours: Held, other: DataSet, theirs: Held) -> bool {
        let kind = |held: Held| (held.key, held.vr, held.is_sequence);
        match ours.is_sequence {
            _ if kind(ours) != kind(theirs) => false,
            false => self.element(ours).value == other.element(theirs).value,
            true => {
                let (ours, theirs) = (self.items(ours.tag()), other.items(theirs.tag()));
                let mut pairs = ours.iter().zip(theirs.iter());
                ours.len() == theirs.len() && pairs.all(|(a, b)| a.equals_but(b, |_| false))
            }
        }
    }

    /// The items of a sequence; none where it is absent.
    pub fn items(self, tag: Tag) -> Items<'a> {
        let nodes = match self.held(tag) {
            Some(held) if held.is_sequence => self.node.sequences[held.start as usize].as_slice(),
            Some(_) | None => &[],
        };
        Items { around: self, nodes }
    }
}

/// The items of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    around: DataSet<'a>,
    nodes: &'a [Node],
}

impl<'a> Items<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.nodes.is_empty()
    }

    /// The item of a number, from 0.
    pub fn get(self, n: usize) -> Option<DataSet<'a>> {
        self.nodes.get(n).map(|node| self.item(node))
    }

    /// The first item.
    pub fn first(self) -> Option<DataSet<'a>> {
        self.get(0)
    }

    /// The items in their order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = DataSet<'a>> {
        self.nodes.iter().map(move |node| self.item(node))
    }

    fn item(self, node: &'a Node) -> DataSet<'a> {
        let charset = node.charset.as_ref().unwrap_or(self.around.charset);
        DataSet { node, charset, ..self.around }
    }
}

/// Where the pixel data of a data set lie, counted from the first byte of the file, or of the inflated data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum PixelPlace {
    #[default]
    Nowhere,
    /// One value: the samples of all frames, one after another.
    Value {
        start: u64,
        bytes: u64,
        /// Float or Double Float Pixel Data.
        float: bool,
        /// Whether the value consists of 16-bit words (OW).
        words: bool,
    },
    /// Items: the offset table, then the fragments.
    Fragments { start: u64 },
}

/// The bytes of a file as far as they were read, or of an inflated data set.
#[derive(Debug)]
pub(super) struct Input<'b> {
    file: Option<File>,
    /// Room for the bytes, which may hold those of another file behind the ones that were read.
    bytes: &'b mut Vec<u8>,
    read: usize,
    /// Where the file ends.
    length: usize,
}

impl<'b> Input<'b> {
    /// A file of known length of which no more than `first` bytes are read at first.
    pub(super) fn new(
        file: File,
        length: u64,
        first: usize,
        bytes: &'b mut Vec<u8>,
    ) -> Result<Self, String> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut input = Self { file: Some(file), bytes, read: 0, length };
        input.more(first)?;
        Ok(input)
    }

    pub(super) fn whole(bytes: &'b mut Vec<u8>) -> Self {
        let length = bytes.len();
        Self { file: None, bytes, read: length, length }
    }

    /// What was read of it by now.
    pub(super) fn start(&self) -> &[u8] {
        &self.bytes[..self.read]
    }

    /// So many bytes of its start, or all there are.
    pub(super) fn more(&mut self, bytes: usize) -> Result<&[u8], String> {
        let end = bytes.min(self.length);
        if end > self.read {
            self.read_to(end)?;
        }
        Ok(self.start())
    }

    pub(super) fn into_file(self) -> Option<File> {
        self.file
    }

    /// The bytes of a range; `None` where it reaches beyond the end.
    fn get(&mut self, range: Range<usize>) -> Result<Option<&[u8]>, String> {
        if range.end > self.length {
            return Ok(None);
        }
        if range.end > self.read {
            self.read_to(range.end.max(2 * self.read).min(self.length))?;
        }
        Ok(Some(&self.bytes[range]))
    }

    #[cold]
    fn read_to(&mut self, end: usize) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Err(CUT.into()) };
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        file.read_exact(&mut self.bytes[self.read..end]).map_err(|e| e.to_string())?;
        self.read = end;
        Ok(())
    }
}

/// Tag, representation and length in front of a value.
#[derive(Debug, Clone, Copy)]
struct Head {
    tag: Tag,
    vr: VR,
    length: u32,
}

/// A walk along the elements of a data set.
#[derive(Debug)]
pub(super) struct Walk<'b> {
    input: Input<'b>,
    encoding: Encoding,
    at: usize,
}

impl<'b> Walk<'b> {
    /// Begins at a place of the input.
    pub(super) fn new(input: Input<'b>, at: usize, encoding: Encoding) -> Self {
        Self { input, encoding, at }
    }

    /// The elements before the tag `stop`, and the pixel data where it stopped before them. The room of the input and
    /// `room`, which is for the elements, become theirs.
    pub(super) fn header(
        mut self,
        stop: Tag,
        room: Vec<Held>,
    ) -> Result<(Elements, PixelPlace), String> {
        let root = Node { elements: room, ..Node::default() };
        let (root, stopped) = self.data_set(root, stop, None, 0)?;
        let end = self.at.min(self.input.length);
        let place = match stopped {
            Some(head) if stop == PIXELS => self.pixels(head)?,
            Some(_) | None => PixelPlace::Nowhere,
        };
        // The last value may reach beyond what was read so far.
        self.input.more(end)?;
        let mut bytes = std::mem::take(self.input.bytes);
        bytes.truncate(end);
        Ok((Elements { bytes, root, big_endian: self.encoding.big_endian }, place))
    }

    /// The next pixel data: float pixel data may come with other elements before.
    fn pixels(&mut self, mut head: Head) -> Result<PixelPlace, String> {
        loop {
            let start = self.at as u64;
            let (float, bytes) = (head.tag != tags::PIXEL_DATA, u64::from(head.length));
            match head {
                Head { tag: tags::PIXEL_DATA, length: UNDEFINED, .. } => {
                    return Ok(PixelPlace::Fragments { start });
                }
                Head { length: UNDEFINED, .. } => return Ok(PixelPlace::Nowhere),
                Head {
                    tag: tags::PIXEL_DATA | FLOAT_PIXEL_DATA | DOUBLE_FLOAT_PIXEL_DATA, ..
                } => {
                    return Ok(PixelPlace::Value { start, bytes, float, words: head.vr == VR::OW });
                }
                _ => {}
            }
            self.at += self.length(head)?;
            match self.head()? {
                Some(next) => head = next,
                None => return Ok(PixelPlace::Nowhere),
            }
        }
    }

    /// The elements before the tag `stop`, with what stands there, or of an item to its end; added to an empty node.
    fn data_set(
        &mut self,
        mut node: Node,
        stop: Tag,
        end: Option<usize>,
        depth: usize,
    ) -> Result<(Node, Option<Head>), String> {
        if depth > MAX_DEPTH {
            return Err("has sequences nested too deeply".into());
        }
        while self.is_before(end)? {
            let Some(head) = self.head()? else { break };
            if head.tag == ITEM_END {
                break;
            }
            if depth == 0 && head.tag >= stop {
                return Ok((node.in_order(), Some(head)));
            }
            let undefined = head.length == UNDEFINED;
            if undefined && head.tag == tags::PIXEL_DATA {
                self.skip_fragments()?;
                continue;
            }
            let is_sequence = undefined || head.vr == VR::SQ;
            let (start, length) = if is_sequence {
                let items = self.items(head, stop, depth)?;
                node.sequences.push(items);
                (node.sequences.len() - 1, 0)
            } else {
                let start = self.at;
                self.at += self.length(head)?;
                (start, head.length)
            };
            if head.tag == tags::SPECIFIC_CHARACTER_SET && !is_sequence {
                node.charset = self.charset(start..self.at)?.or(node.charset);
            }
            let start = u32::try_from(start).map_err(|_| "has a header of more than 4 GB")?;
            let (key, vr) = (key(head.tag), head.vr);
            node.elements.push(Held { key, vr, is_sequence, start, length });
        }
        Ok((node.in_order(), None))
    }

    fn items(&mut self, head: Head, stop: Tag, depth: usize) -> Result<Vec<Node>, String> {
        let around = self.encoding;
        if head.vr == VR::UN {
            self.encoding = Encoding::IMPLICIT;
        }
        let end = self.end_of(head)?;
        let mut items = Vec::new();
        while self.is_before(end)? {
            let head = self.head()?.ok_or(CUT)?;
            match head.tag {
                SEQUENCE_END => break,
                ITEM => {
                    let end = self.end_of(head)?;
                    items.push(self.data_set(Node::default(), stop, end, depth + 1)?.0);
                }
                other => return Err(format!("has {other} in a sequence in place of an item")),
            }
        }
        self.encoding = around;
        Ok(items)
    }

    /// The offset table and the fragments of encapsulated pixel data from here on.
    pub(super) fn fragments(mut self) -> Result<(Vec<u32>, Vec<Range<usize>>), String> {
        let mut places = Vec::new();
        while let Some(head) = self.head()?.filter(|head| head.tag != SEQUENCE_END) {
            let start = self.at;
            self.at += self.length(head)?;
            places.push(start..self.at);
        }
        if places.len() < 2 {
            return Err("has no compressed frames: it is truncated".into());
        }
        let table = self.input.get(places.remove(0))?.ok_or(CUT)?;
        let offsets = table.as_chunks::<4>().0.iter().map(|&b| u32::from_le_bytes(b)).collect();
        Ok((offsets, places))
    }

    fn skip_fragments(&mut self) -> Result<(), String> {
        loop {
            let head = self.head()?.ok_or(CUT)?;
            if head.tag == SEQUENCE_END {
                return Ok(());
            }
            self.at += self.length(head)?;
        }
    }

    /// Whether there is more before an end; an element that reaches over it contradicts it.
    fn is_before(&self, end: Option<usize>) -> Result<bool, String> {
        match end {
            Some(end) if self.at > end => {
                Err("has an element that reaches over the end of its sequence".into())
            }
            Some(end) => Ok(self.at < end),
            None => Ok(true),
        }
    }

    /// Where a sequence or item ends, if it says so.
    fn end_of(&self, head: Head) -> Result<Option<usize>, String> {
        match head.length {
            UNDEFINED => Ok(None),
            _ => self.length(head).map(|length| Some(self.at + length)),
        }
    }

    /// The length of the value that begins here, if the file has as many bytes.
    fn length(&self, head: Head) -> Result<usize, String> {
        let (length, left) = (head.length as usize, self.input.length - self.at);
        if length <= left {
            return Ok(length);
        }
        let more = if length > self.input.length { "more than the file has" } else { "too many" };
        Err(format!("{} claims {length} bytes, {more}: it is truncated or damaged", head.tag))
    }

    /// What stands in front of the next value; `None` at the end of the file.
    fn head(&mut self) -> Result<Option<Head>, String> {
        let Encoding { explicit, big_endian } = self.encoding;
        let u16_of = |b: [u8; 2]| {
            if big_endian { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }
        };
        let u32_of = |b: [u8; 4]| {
            if big_endian { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) }
        };
        let at = self.at;
        let Some(&[a, b, c, d, rest @ ..]) =
            self.input.get(at..at + 8)?.and_then(<[u8]>::first_chunk::<8>)
        else {
            // A few bytes behind the last element are no element.
            return if self.input.length - at < 4 { Ok(None) } else { Err(CUT.into()) };
        };
        let tag = Tag(u16_of([a, b]), u16_of([c, d]));
        let (vr, length, size) = if tag.group() == ITEM.group() {
            (VR::OB, u32_of(rest), 8)
        } else if !explicit {
            (dictionary_vr(tag), u32_of(rest), 8)
        } else if let Some(vr) = short_vr([rest[0], rest[1]]) {
            (vr, u32::from(u16_of([rest[2], rest[3]])), 8)
        } else {
            let vr = VR::from_binary([rest[0], rest[1]]).unwrap_or(VR::UN);
            let length = self.input.get(at + 8..at + 12)?.ok_or(CUT)?;
            (vr, u32_of([length[0], length[1], length[2], length[3]]), 12)
        };
        self.at += size;
        Ok(Some(Head { tag, vr, length }))
    }

    /// The character set of that name; `None` of one that is not known.
    fn charset(&mut self, value: Range<usize>) -> Result<Option<SpecificCharacterSet>, String> {
        let bytes = self.input.get(value)?.unwrap_or_default();
        let first = bytes.split(|&byte| byte == b'\\').next().unwrap_or_default();
        let name = std::str::from_utf8(first).unwrap_or_default();
        Ok(SpecificCharacterSet::from_code(name.trim_matches([' ', '\0'])))
    }
}

impl Node {
    fn in_order(mut self) -> Self {
        if !self.elements.is_sorted_by(|a, b| a.key < b.key) {
            self.elements.sort_by_key(|held| held.key);
            self.elements.reverse();
            self.elements.dedup_by_key(|held| held.key);
            self.elements.reverse();
        }
        self
    }
}

fn dictionary_vr(tag: Tag) -> VR {
    if tag == tags::PIXEL_DATA {
        return VR::OW;
    }
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// A value representation that has a length of two bytes; all others have four after two reserved ones.
fn short_vr(code: [u8; 2]) -> Option<VR> {
    Some(match &code {
        b"AE" => VR::AE,
        b"AS" => VR::AS,
        b"AT" => VR::AT,
        b"CS" => VR::CS,
        b"DA" => VR::DA,
        b"DS" => VR::DS,
        b"DT" => VR::DT,
        b"FL" => VR::FL,
        b"FD" => VR::FD,
        b"IS" => VR::IS,
        b"LO" => VR::LO,
        b"LT" => VR::LT,
        b"PN" => VR::PN,
        b"SH" => VR::SH,
        b"SL" => VR::SL,
        b"SS" => VR::SS,
        b"ST" => VR::ST,
        b"TM" => VR::TM,
        b"UI" => VR::UI,
        b"UL" => VR::UL,
        b"US" => VR::US,
        _ => return None,
    })
}
