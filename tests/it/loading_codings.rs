//! Files as other encoders write them: byte order of words, fill bytes, transfer syntaxes that are not decoded.
#![expect(clippy::float_cmp, reason = "the values are exact by construction")]

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use petct::dicom::{Series, load_pet, scan};
use tempfile::TempDir;

use crate::synthetic::{Coding, Synthetic, encapsulated, text};

/// Writes each slice of a series, changed, under a transfer syntax.
fn write_as(
    folder: &Path,
    series: &Synthetic,
    transfer_syntax: &str,
    change: impl Fn(&mut InMemDicomObject),
) {
    for slice in 0..series.shape[0] {
        let mut object = series.data_set(slice);
        change(&mut object);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(transfer_syntax)
            .media_storage_sop_class_uid(uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE)
            .media_storage_sop_instance_uid(format!("1.2.3.4.{slice}"))
            .build()
            .unwrap();
        object.with_exact_meta(meta).write_to_file(folder.join(slice.to_string())).unwrap();
    }
}

fn only(folder: &Path) -> Series {
    scan(folder).unwrap().output.remove(0).series.remove(0)
}

fn check_values(series: &Synthetic, folder: &Path) {
    let found = only(folder);
    let volume = load_pet(&found, &vec![1.0; found.slices]).unwrap();
    assert_eq!(volume.geometry().shape(), series.shape);
    for (offset, &value) in volume.values().iter().enumerate() {
        let voxel = volume.voxel_of(offset);
        assert_eq!(
            f64::from(value),
            f64::from((series.stored)(voxel)) * (series.slope)(voxel[0]),
            "{voxel:?}"
        );
    }
}

#[test]
fn bytes_in_big_endian_files_are_read_alone_and_in_words() {
    // Three columns and three rows: the last byte of each slice is a pad.
    let series = Synthetic {
        coding: Coding::ExplicitBig,
        shape: [4, 3, 3],
        bits: 8,
        stored: |[s, r, c]| (20 * s + 5 * r + c) as i32 - 40,
        ..Synthetic::pet()
    };
    let folder = TempDir::new().unwrap();
    series.write(folder.path());
    check_values(&series, folder.path());
    let folder = TempDir::new().unwrap();
    write_as(folder.path(), &series, series.coding.transfer_syntax(), |object| {
        let mut bytes = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap().to_vec();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        // The first sample of a pair is the lower byte of its word.
        let words = bytes.as_chunks::<2>().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect();
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words)));
    });
    check_values(&series, folder.path());
}

#[test]
fn jpeg_ls_with_fill_bytes_before_its_end_is_read() {
    let series = Synthetic { coding: Coding::JpegLsLossless, ..Synthetic::pet() };
    let folder = TempDir::new().unwrap();
    write_as(folder.path(), &series, uids::JPEGLS_LOSSLESS, |object| {
        let stream = object.element(tags::PIXEL_DATA).unwrap().fragments().unwrap()[0].clone();
        let end = stream.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).unwrap();
        object.put(encapsulated([&stream[..end], &[0xFF, 0xFF, 0xFF, 0xD9]].concat()));
    });
    check_values(&series, folder.path());
}

#[test]
fn what_is_not_decoded_is_refused_with_a_remedy() {
    // JPEG extended, a retired one, HTJ2K, and a private one.
    for uid in
        [uids::JPEG_EXTENDED12_BIT, "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.201", "1.3.46.9"]
    {
        let folder = TempDir::new().unwrap();
        write_as(folder.path(), &Synthetic::pet(), uids::RLE_LOSSLESS, |object| {
            object.put(encapsulated(vec![0; 100]));
        });
        for slice in 0..6 {
            // The writer refuses to write what it does not know: the name is put over that of RLE.
            let path = folder.path().join(slice.to_string());
            let bytes = std::fs::read(&path).unwrap();
            let named = [0x02, 0x00, 0x10, 0x00];
            let at = bytes.windows(4).position(|w| w == named).unwrap();
            let length = usize::from(bytes[at + 6]);
            let mut name = uid.as_bytes().to_vec();
            name.resize(name.len().next_multiple_of(2), 0);
            let head = [&bytes[..at + 6], &[name.len() as u8, 0], &name].concat();
            std::fs::write(&path, [head.as_slice(), &bytes[at + 8 + length..]].concat()).unwrap();
        }
        let found = only(folder.path());
        assert!(!found.usable && found.slices == 6);
        let reasons = found.reasons.join("; ");
        assert!(reasons.contains(uid) && reasons.contains("convert the files"), "{reasons}");
    }
}

#[test]
fn loss_is_told_where_it_happened_and_where_it_may_have() {
    let rows = [
        (uids::JPEG2000, None, Some("may have been")),
        (uids::JPEG2000, Some("00"), None),
        (uids::JPEG2000, Some("01"), Some("was compressed")),
        (uids::JPEG2000_LOSSLESS, None, None),
        (uids::JPEG2000_LOSSLESS, Some("01"), Some("was compressed")),
        (uids::JPEGLS_NEAR_LOSSLESS, None, Some("was compressed")),
    ];
    for (uid, loss, expected) in rows {
        let folder = TempDir::new().unwrap();
        write_as(folder.path(), &Synthetic::pet(), uid, |object| {
            object.put(encapsulated(vec![0; 100]));
            if let Some(loss) = loss {
                object.put(text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, loss));
            }
        });
        let remarks = only(folder.path()).remarks;
        let found = remarks.iter().find(|remark| remark.code == "LOSSY_COMPRESSION");
        assert_eq!(found.is_some(), expected.is_some(), "{uid} {loss:?} {remarks:?}");
        if let (Some(found), Some(expected)) = (found, expected) {
            assert!(found.message.contains(expected), "{}", found.message);
        }
    }
}

#[test]
fn a_frame_larger_than_any_scanner_makes_is_not_decoded() {
    let folder = TempDir::new().unwrap();
    write_as(folder.path(), &Synthetic::pet(), uids::JPEG2000_LOSSLESS, |object| {
        object.put(encapsulated(vec![0; 100]));
        for tag in [tags::ROWS, tags::COLUMNS] {
            object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(8192_u16)));
        }
    });
    let reasons = only(folder.path()).reasons.join("; ");
    assert!(reasons.contains("Rows 8192 and Columns 8192 are too large"), "{reasons}");
}
