//! Typed access to the attributes of a data set: what is missing, empty or unreadable is said, never defaulted.
//!
//! Values are read by their text, whatever value representation the file claims: archives hold numbers under wrong or
//! unknown (UN) representations. Blanks and NULs at the ends are padding.
//!
//! Source: DICOM PS3.5 6.1 (character sets), 6.2 (DA, TM, DT, DS, IS), 7.8.1 (private elements).

use std::borrow::Cow;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

use super::data_set::{DataSet, Element};
use crate::acquisition::{Attribute, DateTime};

/// The text of an attribute without padding; several values stay joined by backslashes.
pub fn text(header: DataSet, tag: Tag) -> Attribute<String> {
    match found(header, tag) {
        Attribute::Absent => Attribute::Absent,
        Attribute::Empty => Attribute::Empty,
        Attribute::Unreadable(why) => Attribute::Unreadable(why),
        Attribute::Value(text) => Attribute::Value(text.into_owned()),
    }
}

/// The values of a text attribute, each without padding; empty where the attribute is absent or empty.
pub fn texts(header: DataSet, tag: Tag) -> Vec<String> {
    match found(header, tag) {
        Attribute::Value(joined) => joined.split('\\').map(|part| trim(part).to_owned()).collect(),
        Attribute::Absent | Attribute::Empty | Attribute::Unreadable(_) => Vec::new(),
    }
}

/// The text of an attribute, or an empty string: for descriptions, where a missing value decides nothing.
pub fn text_or_empty(header: DataSet, tag: Tag) -> String {
    match found(header, tag) {
        Attribute::Value(text) => text.into_owned(),
        Attribute::Absent | Attribute::Empty | Attribute::Unreadable(_) => String::new(),
    }
}

/// A unique identifier.
pub fn uid(header: DataSet, tag: Tag) -> Attribute<String> {
    parsed(found(header, tag), |text| {
        let readable = text.len() <= 128 && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        readable.then(|| text.to_owned())
    })
}

/// One number; several values, and values that are not finite, cannot be read.
pub fn number(header: DataSet, tag: Tag) -> Attribute<f64> {
    parsed(found(header, tag), parse_number)
}

/// All numbers of a multi-valued attribute; one bad value makes the attribute unreadable.
pub fn numbers(header: DataSet, tag: Tag) -> Attribute<Vec<f64>> {
    parsed(found(header, tag), |text| text.split('\\').map(parse_number).collect())
}

/// One whole number that is not negative, such as Rows.
pub fn count(header: DataSet, tag: Tag) -> Attribute<u32> {
    parsed(found(header, tag), |text| {
        let value = parse_number(text)?;
        (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value))
            .then_some(value as u32)
    })
}

/// A date (VR DA).
pub fn date(header: DataSet, tag: Tag) -> Attribute<NaiveDate> {
    parsed(found(header, tag), parse_date)
}

/// A time of day (VR TM). A time without seconds cannot be read: the standard would allow it, but an activity decays
/// by up to 0.6 % in the minute that it leaves open.
pub fn time(header: DataSet, tag: Tag) -> Attribute<NaiveTime> {
    explained(parsed(found(header, tag), parse_time))
}

/// A date with a time (VR DT) and its offset from UTC where it has one. It must reach to the second.
pub fn datetime(header: DataSet, tag: Tag) -> Attribute<DateTime> {
    explained(parsed(found(header, tag), parse_datetime))
}

/// An offset from UTC, such as `TimezoneOffsetFromUTC` (0008,0201).
pub fn utc_offset(header: DataSet, tag: Tag) -> Attribute<FixedOffset> {
    parsed(found(header, tag), parse_offset)
}

/// A private attribute: its group, the last two digits of its element, its creator and who writes it.
#[derive(Debug, Clone, Copy)]
pub struct Private {
    /// Group, always odd.
    pub group: u16,
    /// Element within the block that the creator reserves.
    pub element: u8,
    /// Private creator.
    pub creator: &'static str,
    /// Words of Manufacturer (0008,0070) for which the element in block 10 is believed without a creator.
    pub manufacturers: &'static [&'static str],
}

impl Private {
    /// The tag of the attribute in this data set: in the block its creator reserves, else in block 10 where nobody
    /// reserves that block (de-identification removes creators) and the manufacturer matches.
    pub fn tag(&self, header: DataSet, manufacturer: &str) -> Option<Tag> {
        let is_creator = |element: &Element| {
            let found = element_text(*element);
            found.value().is_some_and(|name| name.eq_ignore_ascii_case(self.creator))
        };
        let own = header
            .between(Tag(self.group, 0x10), Tag(self.group, 0xFF))
            .filter(is_creator)
            .map(|creator| Tag(self.group, creator.tag.element() << 8 | u16::from(self.element)))
            .find(|&tag| header.has(tag));
        own.or_else(|| {
            let tag = Tag(self.group, 0x1000 | u16::from(self.element));
            let named = names_manufacturer(manufacturer, self.manufacturers);
            (named && found(header, Tag(self.group, 0x10)).value().is_none()).then_some(tag)
        })
    }

    /// Reads the attribute with one of the readers of this module.
    pub fn read<T>(
        &self,
        header: DataSet,
        manufacturer: &str,
        reader: impl FnOnce(DataSet, Tag) -> Attribute<T>,
    ) -> Attribute<T> {
        self.tag(header, manufacturer).map_or(Attribute::Absent, |tag| reader(header, tag))
    }
}

/// Whether one of the words of Manufacturer is among the given ones; whole words, so that `GE` is not in `ImaGE`.
pub fn names_manufacturer(manufacturer: &str, words: &[&str]) -> bool {
    manufacturer
        .split(|c: char| !c.is_alphanumeric())
        .any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

fn found(header: DataSet<'_>, tag: Tag) -> Attribute<Cow<'_, str>> {
    header.get(tag).map_or(Attribute::Absent, element_text)
}

pub(super) fn element_text(element: Element<'_>) -> Attribute<Cow<'_, str>> {
    let Some(bytes) = element.value else {
        return Attribute::Unreadable("a sequence".into());
    };
    let text = match element.vr {
        VR::AT => return Attribute::Unreadable("a tag".into()),
        VR::UN => unknown_text(element.tag, bytes),
        vr => binary_text(vr, bytes, element.big_endian)
            .map_or_else(|| trimmed(string(vr, bytes, element.charset)), Cow::Owned),
    };
    if text.is_empty() { Attribute::Empty } else { Attribute::Value(text) }
}

/// Bytes of unknown representation: binary numbers where the dictionary says so, text otherwise (PS3.5 6.2.2: UN is
/// always little endian).
fn unknown_text(tag: Tag, bytes: &[u8]) -> Cow<'_, str> {
    match StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed()) {
        Some(vr @ (VR::US | VR::SS | VR::UL | VR::SL | VR::FL | VR::FD)) => {
            binary_text(vr, bytes, false).map_or(Cow::Borrowed(""), Cow::Owned)
        }
        _ => trimmed(String::from_utf8_lossy(bytes)),
    }
}

/// The numbers of a binary representation, joined by backslashes; `None` of a text.
fn binary_text(vr: VR, bytes: &[u8], big_endian: bool) -> Option<String> {
    fn joined<const N: usize>(
        bytes: &[u8],
        big_endian: bool,
        show: impl Fn([u8; N]) -> String,
    ) -> String {
        let little = |mut chunk: [u8; N]| {
            if big_endian {
                chunk.reverse();
            }
            show(chunk)
        };
        bytes.as_chunks::<N>().0.iter().map(|&chunk| little(chunk)).collect::<Vec<_>>().join("\\")
    }
    Some(match vr {
        VR::OB => joined(bytes, big_endian, |[b]| b.to_string()),
        VR::US | VR::OW => joined(bytes, big_endian, |b| u16::from_le_bytes(b).to_string()),
        VR::SS => joined(bytes, big_endian, |b| i16::from_le_bytes(b).to_string()),
        VR::UL | VR::OL => joined(bytes, big_endian, |b| u32::from_le_bytes(b).to_string()),
        VR::SL => joined(bytes, big_endian, |b| i32::from_le_bytes(b).to_string()),
        VR::UV | VR::OV => joined(bytes, big_endian, |b| u64::from_le_bytes(b).to_string()),
        VR::SV => joined(bytes, big_endian, |b| i64::from_le_bytes(b).to_string()),
        VR::FL | VR::OF => joined(bytes, big_endian, |b| f32::from_le_bytes(b).to_string()),
        VR::FD | VR::OD => joined(bytes, big_endian, |b| f64::from_le_bytes(b).to_string()),
        _ => return None,
    })
}

/// The text of a text representation; codes have no character set of their own.
fn string<'a>(vr: VR, bytes: &'a [u8], charset: &SpecificCharacterSet) -> Cow<'a, str> {
    // Without escape sequences the low half is ASCII in every character set.
    let plain = bytes.iter().all(|&byte| byte < 0x80 && !(0x0E..0x20).contains(&byte));
    match std::str::from_utf8(bytes) {
        Ok(text) if plain => return Cow::Borrowed(text),
        Ok(_) | Err(_) => {}
    }
    let code = matches!(vr, VR::AE | VR::AS | VR::CS | VR::UR);
    let charset = if code { &SpecificCharacterSet::ISO_IR_6 } else { charset };
    charset.decode(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Owned)
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// A text without padding at the ends, and behind each of several values.
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    let whole = trim(&text);
    let padded = |value: &str| value.ends_with([' ', '\0']);
    if whole.contains('\\') && whole.split('\\').any(padded) {
        let values = whole.split('\\').map(|value| value.trim_end_matches([' ', '\0']));
        return Cow::Owned(values.collect::<Vec<_>>().join("\\"));
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(_) if whole.len() == text.len() => text,
        Cow::Owned(_) => Cow::Owned(whole.to_owned()),
    }
}

fn parsed<T>(text: Attribute<Cow<str>>, parse: impl FnOnce(&str) -> Option<T>) -> Attribute<T> {
    match text {
        Attribute::Absent => Attribute::Absent,
        Attribute::Empty => Attribute::Empty,
        Attribute::Unreadable(why) => Attribute::Unreadable(why),
        Attribute::Value(text) => match parse(&text) {
            Some(value) => Attribute::Value(value),
            None => Attribute::Unreadable(text.into_owned()),
        },
    }
}

/// Says of a time without seconds that this is its fault.
fn explained<T>(attribute: Attribute<T>) -> Attribute<T> {
    match attribute {
        Attribute::Unreadable(text) if parse_time(&format!("{text}00")).is_some() => {
            Attribute::Unreadable(format!("{text}: no seconds"))
        }
        Attribute::Unreadable(text) if parse_date(&text).is_some() => {
            Attribute::Unreadable(format!("{text}: no time of day"))
        }
        Attribute::Unreadable(text) if parse_datetime(&format!("{text}00")).is_some() => {
            Attribute::Unreadable(format!("{text}: no seconds"))
        }
        other => other,
    }
}

fn parse_number(text: &str) -> Option<f64> {
    trim(text).parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The digits of a fixed number of characters at the start of a text, and what follows.
fn digits(text: &str, n: usize) -> Option<(u32, &str)> {
    let (head, rest) = text.split_at_checked(n)?;
    let value = head.bytes().all(|b| b.is_ascii_digit()).then(|| head.parse().ok())??;
    Some((value, rest))
}

/// `YYYYMMDD`, or `YYYY.MM.DD` of the standard's predecessor.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = digits(text, 4)?;
    let dotted = rest.starts_with('.');
    let (month, rest) = digits(rest.strip_prefix('.').unwrap_or(rest), 2)?;
    let rest = if dotted { rest.strip_prefix('.')? } else { rest };
    let (day, rest) = digits(rest, 2)?;
    rest.is_empty().then(|| NaiveDate::from_ymd_opt(year as i32, month, day))?
}

/// `HHMMSS` or `HH:MM:SS` with a fraction of up to nine digits (the standard has six). Second 60 is a leap second.
fn parse_time(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = digits(text, 2)?;
    let colons = rest.starts_with(':');
    let (minute, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    let rest = if colons { rest.strip_prefix(':')? } else { rest };
    let (second, rest) = digits(rest, 2)?;
    let nano = match rest.strip_prefix('.') {
        None if rest.is_empty() => 0,
        Some(fraction) if fraction.len() <= 9 => {
            let scale = 10_u32.pow(9 - fraction.len() as u32);
            digits(fraction, fraction.len()).filter(|_| !fraction.is_empty())?.0 * scale
        }
        None | Some(_) => return None,
    };
    match second {
        60 => NaiveTime::from_hms_nano_opt(hour, minute, 59, 1_000_000_000 + nano),
        _ => NaiveTime::from_hms_nano_opt(hour, minute, second, nano),
    }
}

/// `YYYYMMDDHHMMSS`, a fraction, and an offset `&ZZXX`.
fn parse_datetime(text: &str) -> Option<DateTime> {
    let (local, offset) = match text.find(['+', '-']) {
        Some(at) => (trim(&text[..at]), Some(parse_offset(&text[at..])?)),
        None => (text, None),
    };
    let (date, time) = local.split_at_checked(8)?;
    let local = NaiveDateTime::new(parse_date(date)?, parse_time(time)?);
    Some(DateTime { local, utc_offset: offset })
}

/// `&ZZXX`, from -1200 to +1400.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2)?;
    let (minutes, rest) = digits(rest, 2)?;
    let total = sign * (hours * 60 + minutes) as i32;
    ((-720..=840).contains(&total) && minutes < 60 && rest.is_empty())
        .then(|| FixedOffset::east_opt(total * 60))?
}

#[cfg(test)]
mod tests {
    use dicom_core::{DataElement, PrimitiveValue, dicom_value};
    use dicom_dictionary_std::tags;

    use dicom_object::InMemDicomObject;

    use super::*;
    use crate::dicom::data_set::tests::written;

    fn header(tag: Tag, vr: VR, value: &str) -> InMemDicomObject {
        InMemDicomObject::from_element_iter([DataElement::new(
            tag,
            vr,
            PrimitiveValue::from(value),
        )])
    }

    #[test]
    fn times_are_read_by_the_standard() {
        let at = |h, m, s, nano| NaiveTime::from_hms_nano_opt(h, m, s, nano);
        let rows = [
            ("101530", at(10, 15, 30, 0)),
            ("101530.005", at(10, 15, 30, 5_000_000)),
            ("101530.123456 ", at(10, 15, 30, 123_456_000)),
            ("10:15:30", at(10, 15, 30, 0)),
            ("10:15:30.5\0", at(10, 15, 30, 500_000_000)),
            ("235960", at(23, 59, 59, 1_000_000_000)),
            ("1015", None),
            ("10:15", None),
            ("10:1530", None),
            ("251530", None),
            ("101530.", None),
            ("101530.12x", None),
            ("+10153", None),
            ("1015301", None),
        ];
        for (text, expected) in rows {
            let found =
                time(written(&header(tags::SERIES_TIME, VR::TM, text)).root(), tags::SERIES_TIME);
            assert_eq!(found.value().copied(), expected, "{text}");
        }
    }

    #[test]
    fn a_time_without_seconds_says_so() {
        let h = written(&header(tags::SERIES_TIME, VR::TM, "1015"));
        assert_eq!(
            time(h.root(), tags::SERIES_TIME),
            Attribute::Unreadable("1015: no seconds".to_owned())
        );
    }

    #[test]
    fn dates_and_date_times_are_read_by_the_standard() {
        let day = NaiveDate::from_ymd_opt(2003, 4, 17).unwrap();
        for (text, expected) in [
            ("20030417", Some(day)),
            ("2003.04.17", Some(day)),
            ("2003.0417", None),
            ("20030432", None),
            ("200304", None),
        ] {
            assert_eq!(parse_date(text), expected, "{text}");
        }
        let local = day.and_hms_milli_opt(10, 59, 23, 40).unwrap();
        for (text, expected) in [
            ("20030417105923.04", Some(None)),
            ("20030417105923.04+0130", Some(Some(5400))),
            ("20030417105923.04-1200", Some(Some(-43200))),
            ("20030417105923.04-1300", None),
            ("20030417105923.04+01", None),
            ("200304171059", None),
            ("20030417", None),
        ] {
            let expected = expected.map(|offset: Option<i32>| DateTime {
                local,
                utc_offset: offset.and_then(FixedOffset::east_opt),
            });
            assert_eq!(parse_datetime(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_finite_or_unreadable() {
        let tag = tags::PATIENT_WEIGHT;
        for (text, expected) in [
            (" 70.5 ", Attribute::Value(70.5)),
            ("7.05e1\0", Attribute::Value(70.5)),
            ("", Attribute::Empty),
            ("  ", Attribute::Empty),
            ("70,5", Attribute::Unreadable("70,5".into())),
            ("NaN", Attribute::Unreadable("NaN".into())),
            ("1e999", Attribute::Unreadable("1e999".into())),
            ("70\\71", Attribute::Unreadable("70\\71".into())),
        ] {
            let h = written(&header(tag, VR::DS, text));
            assert_eq!(number(h.root(), tag), expected, "{text}");
        }
        let none = written(&InMemDicomObject::new_empty());
        assert_eq!(number(none.root(), tag), Attribute::Absent);
    }

    #[test]
    fn unknown_representation_is_read_by_the_dictionary() {
        let mut h = InMemDicomObject::new_empty();
        h.put(DataElement::new(tags::ROWS, VR::UN, dicom_value!(U8, [0x00, 0x02])));
        h.put(DataElement::new(tags::PATIENT_WEIGHT, VR::UN, dicom_value!(U8, [0x37, 0x30])));
        let h = written(&h);
        assert_eq!(count(h.root(), tags::ROWS), Attribute::Value(512));
        assert_eq!(number(h.root(), tags::PATIENT_WEIGHT), Attribute::Value(70.0));
    }

    #[test]
    fn private_attributes_are_found_by_creator_or_by_manufacturer() {
        let private = Private {
            group: 0x7053,
            element: 0,
            creator: "Philips PET Private Group",
            manufacturers: &["philips"],
        };
        let with = |creator: Option<(u16, &str)>, block: u16| {
            let mut h = header(Tag(0x7053, block << 8), VR::DS, "0.5");
            if let Some((element, name)) = creator {
                h.put(DataElement::new(Tag(0x7053, element), VR::LO, PrimitiveValue::from(name)));
            }
            h
        };
        let rows = [
            (with(Some((0x11, "Philips PET Private Group ")), 0x11), "", Some(0.5)),
            (with(None, 0x10), "Philips Medical Systems", Some(0.5)),
            (with(None, 0x10), "SIEMENS", None),
            (with(None, 0x11), "Philips Medical Systems", None),
            (with(Some((0x10, "SOMEBODY ELSE")), 0x10), "Philips Medical Systems", None),
        ];
        for (h, manufacturer, expected) in rows {
            let h = written(&h);
            assert_eq!(private.read(h.root(), manufacturer, number).value().copied(), expected);
        }
    }

    #[test]
    fn manufacturers_are_whole_words() {
        assert!(names_manufacturer("GE MEDICAL SYSTEMS", &["GE"]));
        assert!(names_manufacturer("SIEMENS/CTI", &["siemens"]));
        assert!(!names_manufacturer("IntEGrity ImaGE", &["GE"]));
    }
}
