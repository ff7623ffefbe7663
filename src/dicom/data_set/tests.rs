//! The walk along elements beside `dicom-object`, which builds whole trees of them.

use std::path::{Path, PathBuf};

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::header::Header as _;
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue};
use dicom_dictionary_std::uids;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_object::mem::InMemElement;
use dicom_object::{InMemDicomObject, OpenFileOptions};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use proptest::prelude::*;

use super::*;
use crate::acquisition::Attribute;
use crate::dicom::attribute::text;
use crate::dicom::file::{EXPLICIT_BIG_ENDIAN, read_header};

/// The elements of an object of `dicom-object` after being written and read.
pub(in crate::dicom) fn written(object: &InMemDicomObject) -> Elements {
    Elements::of(bytes_of(object, uids::EXPLICIT_VR_LITTLE_ENDIAN)).unwrap()
}

pub(in crate::dicom) fn bytes_of(object: &InMemDicomObject, syntax: &str) -> Vec<u8> {
    let syntax = TransferSyntaxRegistry.get(syntax).unwrap();
    let mut bytes = Vec::new();
    object.write_dataset_with_ts(&mut bytes, syntax).unwrap();
    bytes
}

/// What `dicom-object` reads, as text.
fn plain_text(element: &InMemElement) -> Attribute<String> {
    let Some(value) = element.value().primitive() else {
        return Attribute::Unreadable("a sequence".into());
    };
    let blank = |c: char| c.is_whitespace() || c == '\0';
    let known = StandardDataDictionary.by_tag(element.tag()).map(|entry| entry.vr().relaxed());
    let text = match (value, known) {
        (PrimitiveValue::Tags(_), _) => return Attribute::Unreadable("a tag".into()),
        (PrimitiveValue::U8(bytes), Some(VR::US)) if element.vr() == VR::UN => {
            let words = bytes.as_chunks::<2>().0.iter().map(|&b| u16::from_le_bytes(b).to_string());
            words.collect::<Vec<_>>().join("\\")
        }
        (PrimitiveValue::U8(bytes), _) if element.vr() == VR::UN => {
            // Each value without its padding, as `dicom-object` gives those of a known representation.
            let text = String::from_utf8_lossy(bytes);
            let values = text.trim_matches(blank).split('\\');
            let values = values.map(|value| value.trim_end_matches([' ', '\0']));
            values.collect::<Vec<_>>().join("\\")
        }
        (value, _) => value.to_str().into_owned(),
    };
    let text = text.trim_matches(blank);
    if text.is_empty() { Attribute::Empty } else { Attribute::Value(text.to_owned()) }
}

/// How many elements were found alike.
fn agreeing(object: &InMemDicomObject, found: DataSet, what: &str) -> usize {
    let mut compared = 0;
    for element in object {
        let tag = element.tag();
        if tag >= PIXELS && tag.group() == PIXELS.group() {
            continue;
        }
        assert!(found.has(tag), "{what}: {tag} is missing");
        compared += 1;
        match element.items() {
            None => assert_eq!(text(found, tag), plain_text(element), "{what}: {tag}"),
            Some(items) => {
                assert_eq!(found.items(tag).len(), items.len(), "{what}: {tag}");
                let pairs = items.iter().zip(found.items(tag).iter());
                compared += pairs.map(|(a, b)| agreeing(a, b, what)).sum::<usize>();
            }
        }
    }
    let own = found.between(Tag(0, 0), Tag(0xFFFF, 0xFFFF)).count();
    let other = object.iter().filter(|e| e.tag().group() != PIXELS.group()).count();
    assert_eq!(own, other, "{what}");
    compared
}

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files_under(&path, found) } else { found.push(path) }
    }
}

#[test]
fn headers_of_whole_scans_are_those_of_dicom_object() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_scans");
    let mut files = Vec::new();
    files_under(&samples, &mut files);
    assert!(files.len() > 100, "the sample scans are part of the sources");
    if let Some(data) = std::env::var_os("PETCT_DATA") {
        files_under(Path::new(&data), &mut files);
    }
    files.sort();
    let mut compared = 0;
    for path in files {
        let object = OpenFileOptions::new().read_until(tags::PIXEL_DATA).open_file(&path);
        let (Ok(object), Ok(header)) = (object, read_header(&path, &mut Room::default())) else {
            continue;
        };
        compared += agreeing(&object, header.data_set(), &path.display().to_string());
    }
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn a_last_value_beyond_the_first_bytes_is_read() {
    let comment = "0123456789abcdef".repeat(1000);
    let object = InMemDicomObject::from_element_iter([
        DataElement::new(tags::MODALITY, VR::CS, PrimitiveValue::from("PT")),
        DataElement::new(tags::TEXT_VALUE, VR::UT, PrimitiveValue::from(comment.as_str())),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("header");
    std::fs::write(&path, bytes_of(&object, uids::EXPLICIT_VR_LITTLE_ENDIAN)).unwrap();
    // Room that holds another file, shorter and longer than this one.
    for length in [0, 100, 40_000] {
        let mut room = Room { bytes: vec![b'?'; length], ..Room::default() };
        let header = read_header(&path, &mut room).unwrap().without(|_| false);
        assert_eq!(text(header.data_set(), tags::TEXT_VALUE), Attribute::Value(comment.clone()));
    }
}

/// Tags, each with a representation that the dictionary gives it, and private ones.
fn leaf() -> impl Strategy<Value = InMemElement> {
    fn element(tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) -> InMemElement {
        DataElement::new(tag, vr, value.into())
    }
    let word = "[ -Z^-~]{0,12}";
    prop_oneof![
        (word, word).prop_map(|(a, b)| {
            let values = PrimitiveValue::Strs([a, b].into_iter().collect());
            element(tags::IMAGE_TYPE, VR::CS, values)
        }),
        word.prop_map(|v| element(tags::PATIENT_NAME, VR::PN, v)),
        "[ -~äöüßéÿ]{0,20}".prop_map(|v| element(tags::SERIES_DESCRIPTION, VR::LO, v)),
        word.prop_map(|v| element(tags::IMAGE_COMMENTS, VR::LT, v)),
        any::<f32>().prop_map(|v| element(tags::PATIENT_WEIGHT, VR::DS, format!("{v:e}"))),
        any::<u16>().prop_map(|v| element(tags::ROWS, VR::US, PrimitiveValue::from(v))),
        any::<i16>().prop_map(|v| element(
            tags::TAG_ANGLE_SECOND_AXIS,
            VR::SS,
            PrimitiveValue::from(v)
        )),
        any::<[u32; 3]>().prop_map(|v| {
            let values = PrimitiveValue::U32(v.into_iter().collect());
            element(tags::SIMPLE_FRAME_LIST, VR::UL, values)
        }),
        any::<f64>().prop_map(|v| element(
            tags::REAL_WORLD_VALUE_SLOPE,
            VR::FD,
            PrimitiveValue::from(v)
        )),
        any::<f32>().prop_map(|v| element(
            tags::EXAMINED_BODY_THICKNESS,
            VR::FL,
            PrimitiveValue::from(v)
        )),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|v| {
            let even = PrimitiveValue::from(v.repeat(2));
            element(Tag(0x0009, 0x1002), VR::UN, even)
        }),
        word.prop_map(|v| element(Tag(0x0009, 0x0010), VR::LO, v)),
    ]
}

fn data_sets() -> impl Strategy<Value = InMemDicomObject> {
    let flat = prop::collection::vec(leaf(), 0..8).prop_map(InMemDicomObject::from_element_iter);
    flat.prop_recursive(3, 40, 4, |inner| {
        let sequence = |tag| {
            move |items: Vec<InMemDicomObject>| {
                DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
            }
        };
        let items = prop::collection::vec(inner, 0..3);
        let sequences = prop_oneof![
            items.clone().prop_map(sequence(tags::REFERENCED_SERIES_SEQUENCE)),
            items.prop_map(sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE)),
        ];
        let elements = prop::collection::vec(prop_oneof![3 => leaf(), 1 => sequences], 0..8);
        elements.prop_map(InMemDicomObject::from_element_iter)
    })
}

proptest! {
    #[test]
    fn any_data_set_is_read_as_by_dicom_object(object in data_sets()) {
        for syntax in
            [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN]
        {
            let mut bytes = bytes_of(&object, syntax);
            let known = TransferSyntaxRegistry.get(syntax).unwrap();
            let plain = InMemDicomObject::read_dataset_with_ts(bytes.as_slice(), known).unwrap();
            let encoding = crate::dicom::file::encoding(syntax);
            let (found, _) =
                Walk::new(Input::whole(&mut bytes), 0, encoding).header(PIXELS, Vec::new()).unwrap();
            agreeing(&plain, found.root(), syntax);
        }
    }

    /// Cut or changed anywhere, a data set is an error or a smaller one.
    #[test]
    fn damaged_bytes_are_no_panic(
        object in data_sets(),
        cut in 0.0..1.0_f64,
        at in 0.0..1.0_f64,
        byte in any::<u8>(),
    ) {
        for (explicit, big_endian) in [(true, false), (false, false), (true, true)] {
            let mut bytes = bytes_of(&object, uids::EXPLICIT_VR_LITTLE_ENDIAN);
            let place = |share: f64| (share * bytes.len() as f64) as usize;
            let (end, changed) = (place(cut), place(at));
            if let Some(target) = bytes.get_mut(changed) {
                *target = byte;
            }
            bytes.truncate(end);
            let walk = Walk::new(Input::whole(&mut bytes), 0, Encoding { explicit, big_endian });
            if let Ok((found, _)) = walk.header(PIXELS, Vec::new()) {
                let _ = text(found.root(), tags::SERIES_DESCRIPTION);
            }
        }
    }
}

/// An explicit little endian element with a length of four bytes.
fn long(tag: Tag, vr: [u8; 2], length: u32, value: &[u8]) -> Vec<u8> {
    let head = [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat();
    [&head, vr.as_slice(), &[0, 0], &length.to_le_bytes(), value].concat()
}

fn short(tag: Tag, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let head = [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat();
    [&head, vr.as_slice(), &(value.len() as u16).to_le_bytes(), value].concat()
}

fn delimiter(tag: Tag, length: u32) -> Vec<u8> {
    let head = [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat();
    [head, length.to_le_bytes().to_vec()].concat()
}

#[test]
fn an_unknown_sequence_of_undefined_length_is_implicit_inside() {
    let weight = [[0x10, 0, 0x30, 0x10], [2, 0, 0, 0]].concat();
    let inside = [
        delimiter(ITEM, UNDEFINED),
        weight,
        b"70".to_vec(),
        delimiter(ITEM_END, 0),
        delimiter(SEQUENCE_END, 0),
    ];
    let tag = Tag(0x0009, 0x1001);
    let after = short(tags::PATIENT_ID, *b"LO", b"ab");
    let bytes = [long(tag, *b"UN", UNDEFINED, &inside.concat()), after].concat();
    let found = Elements::of(bytes).unwrap();
    let item = found.root().items(tag).first().unwrap();
    assert_eq!(text(item, tags::PATIENT_WEIGHT), Attribute::Value("70".into()));
    assert_eq!(text(found.root(), tags::PATIENT_ID), Attribute::Value("ab".into()));
}

#[test]
fn a_compressed_icon_does_not_end_the_header() {
    let fragments =
        [delimiter(ITEM, 0), delimiter(ITEM, 4), vec![1, 2, 3, 4], delimiter(SEQUENCE_END, 0)];
    let icon = long(tags::PIXEL_DATA, *b"OB", UNDEFINED, &fragments.concat());
    let item = [delimiter(ITEM, icon.len() as u32), icon].concat();
    let sequence = long(tags::ICON_IMAGE_SEQUENCE, *b"SQ", item.len() as u32, &item);
    let pixels = long(tags::PIXEL_DATA, *b"OW", 2, &[7, 0]);
    let mut bytes = [sequence.clone(), pixels].concat();
    let start = (sequence.len() + 12) as u64;
    let (found, place) = Walk::new(Input::whole(&mut bytes), 0, Encoding::EXPLICIT)
        .header(PIXELS, Vec::new())
        .unwrap();
    assert!(found.root().has(tags::ICON_IMAGE_SEQUENCE));
    assert_eq!(place, PixelPlace::Value { start, bytes: 2, float: false, words: true });
}

#[test]
fn elements_out_of_order_are_found_and_the_last_of_two_counts() {
    let bytes = [
        short(tags::PATIENT_ID, *b"LO", b"b1"),
        short(tags::MODALITY, *b"CS", b"PT"),
        short(tags::PATIENT_ID, *b"LO", b"b2"),
    ];
    let found = Elements::of(bytes.concat()).unwrap();
    assert_eq!(text(found.root(), tags::MODALITY), Attribute::Value("PT".into()));
    assert_eq!(text(found.root(), tags::PATIENT_ID), Attribute::Value("b2".into()));
}

#[test]
fn a_character_set_holds_for_items_unless_they_have_their_own() {
    let set = |name: &[u8]| short(tags::SPECIFIC_CHARACTER_SET, *b"CS", name);
    let name = |bytes: &[u8]| short(tags::PATIENT_NAME, *b"PN", bytes);
    let items = [name(&[0xC4, 0x20]), [set(b"ISO_IR 192"), name("Ä".as_bytes())].concat()]
        .map(|item| [delimiter(ITEM, item.len() as u32), item].concat())
        .concat();
    let sequence = tags::REFERENCED_SERIES_SEQUENCE;
    let bytes = [set(b"ISO_IR 144"), long(sequence, *b"SQ", items.len() as u32, &items)];
    let found = Elements::of(bytes.concat()).unwrap();
    let read = |n| text(found.root().items(sequence).get(n).unwrap(), tags::PATIENT_NAME);
    assert_eq!(read(0), Attribute::Value("Ф".into()));
    assert_eq!(read(1), Attribute::Value("Ä".into()));
}

#[test]
fn lengths_beyond_the_end_are_told() {
    let reason = |bytes: Vec<u8>| Elements::of(bytes).unwrap_err();
    let whole = short(tags::PATIENT_ID, *b"LO", b"abcd");
    assert!(reason(whole[..10].to_vec()).contains("truncated"));
    assert!(reason(whole[..6].to_vec()).contains("middle of an element"));
    let claims = long(Tag(9, 0x1001), *b"OB", 1 << 31, &[]);
    assert!(reason(claims).contains("more than the file has"));
    let over = [delimiter(ITEM, 6), whole].concat();
    let sequence = long(tags::REFERENCED_SERIES_SEQUENCE, *b"SQ", over.len() as u32, &over);
    assert!(reason(sequence).contains("reaches over the end"));
}
