//! Whether the lengths in a file fit the file.
//!
//! The reader of data sets makes room for a value before it reads it, so a damaged length of four gigabytes costs four
//! gigabytes. This walk over the lengths alone comes first.
//!
//! Source: DICOM PS3.5 7.1 (element encoding), 7.5 (sequences), A.4 (fragments).

use std::io::Read;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags, uids};
use flate2::bufread::DeflateDecoder;

use super::file::{EXPLICIT_BIG_ENDIAN, Layout};

/// Largest inflated file, in bytes.
const INFLATED: u64 = 1 << 31;

const UNDEFINED: u32 = u32::MAX;

/// Refuses a file in which a value would reach beyond its end. Big endian files are not looked into.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let layout = Layout::of(&file[..file.len().min(1 << 13)])?;
    let data_set = file.get(layout.data_set as usize..).unwrap_or_default();
    let beyond = match layout.transfer_syntax.as_str() {
        EXPLICIT_BIG_ENDIAN => None,
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => {
            let mut inflated = Vec::new();
            // What a damaged stream gives before its fault is walked all the same.
            let _ = DeflateDecoder::new(data_set).take(INFLATED).read_to_end(&mut inflated);
            first_beyond(&inflated, true)
        }
        uids::IMPLICIT_VR_LITTLE_ENDIAN => first_beyond(data_set, false),
        _ => first_beyond(data_set, true),
    };
    match beyond {
        None => Ok(()),
        Some(tag) => Err(format!("the value of {tag} reaches beyond the end; the file is damaged")),
    }
}

/// The first element whose value does not fit. Sequences are walked into: their items follow each other like elements.
fn first_beyond(data: &[u8], explicit: bool) -> Option<Tag> {
    let mut at = 0;
    let mut fragments = false;
    while let Some(head) = data.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let tag =
            Tag(u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let delimiter = tag.group() == 0xFFFE;
        let (start, length) = if explicit && !delimiter && !short([head[4], head[5]]) {
            let Some(length) = data.get(at + 8..).and_then(<[u8]>::first_chunk::<4>) else {
                return Some(tag);
            };
            (at + 12, u32::from_le_bytes(*length))
        } else if explicit && !delimiter {
            (at + 8, u32::from(u16::from_le_bytes([head[6], head[7]])))
        } else {
            (at + 8, u32::from_le_bytes([head[4], head[5], head[6], head[7]]))
        };
        let sequence = length == UNDEFINED
            || (delimiter && !fragments)
            || (explicit && head[4..6] == *b"SQ")
            || (!explicit && is_sequence(tag));
        let end = start + if length == UNDEFINED { 0 } else { length as usize };
        if end > data.len() {
            return Some(tag);
        }
        fragments = (fragments && delimiter) || (tag == tags::PIXEL_DATA && length == UNDEFINED);
        at = if sequence { start } else { end };
    }
    None
}

/// Value representations with a length of two bytes; all others, unknown ones too, have four after two reserved.
fn short(vr: [u8; 2]) -> bool {
    const SHORT: [&[u8; 2]; 21] = [
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN",
        b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
    ];
    SHORT.contains(&&vr)
}

fn is_sequence(tag: Tag) -> bool {
    StandardDataDictionary.by_tag(tag).is_some_and(|entry| entry.vr().relaxed() == VR::SQ)
}
