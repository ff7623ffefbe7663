//! Dates, times, offsets, numbers and scores as text; what is read and written again is the same.
#![no_main]

use dicom_core::VR;
use dicom_dictionary_std::tags;
use libfuzzer_sys::fuzz_target;
use petct::acquisition::Attribute;
use petct::deauville::WrittenScore;
use petct::dicom::attribute::{count, date, datetime, number, numbers, time, uid, utc_offset};
use petct::dicom::data_set::{DataSet, Elements};
use petct::suv::InjectedAt;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    attributes(header(VR::UN, bytes).root());
    attributes(header(VR::UT, text.as_bytes()).root());
    if let Ok(injected_at) = text.parse::<InjectedAt>() {
        assert_eq!(injected_at.to_string().parse(), Ok(injected_at), "{text:?}");
    }
    if let Ok(written) = text.parse::<WrittenScore>() {
        assert!(written.score.is_some() || written.category_x, "{text:?}");
    }
});

/// One element of a representation with a length of four bytes.
fn header(vr: VR, value: &[u8]) -> Elements {
    let length = (value.len() as u32).to_le_bytes();
    let head = [&[0x08, 0x00, 0x3E, 0x10], vr.to_bytes().as_slice(), &[0, 0], &length].concat();
    Elements::of([&head, value].concat()).expect("one whole element")
}

fn attributes(header: DataSet) {
    let tag = tags::SERIES_DESCRIPTION;
    let same = |text: String| self::header(VR::UT, text.as_bytes());
    if let Attribute::Value(read) = date(header, tag) {
        let written = same(read.format("%Y%m%d").to_string());
        assert_eq!(date(written.root(), tag), Attribute::Value(read));
    }
    if let Attribute::Value(read) = time(header, tag) {
        // A leap second is written as second 60, which chrono formats so.
        let written = same(read.format("%H%M%S%.9f").to_string());
        assert_eq!(time(written.root(), tag), Attribute::Value(read));
    }
    if let Attribute::Value(read) = datetime(header, tag) {
        let offset = read.utc_offset.map(|o| o.to_string().replace(':', "")).unwrap_or_default();
        let written = same(format!("{}{offset}", read.local.format("%Y%m%d%H%M%S%.9f")));
        assert_eq!(datetime(written.root(), tag), Attribute::Value(read));
    }
    if let Attribute::Value(read) = number(header, tag) {
        assert!(read.is_finite());
    }
    if let Attribute::Value(read) = numbers(header, tag) {
        assert!(read.iter().all(|value| value.is_finite()));
    }
    let _ = (count(header, tag), uid(header, tag), utc_offset(header, tag));
}
