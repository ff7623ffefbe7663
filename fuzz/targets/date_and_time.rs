//! Dates, times, offsets, numbers and scores as text; what is read and written again is the same.
#![no_main]

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use libfuzzer_sys::fuzz_target;
use petct::acquisition::Attribute;
use petct::deauville::WrittenScore;
use petct::dicom::attribute::{count, date, datetime, number, numbers, time, uid, utc_offset};
use petct::suv::InjectedAt;

fuzz_target!(|bytes: &[u8]| {
    attributes(&header(VR::UN, PrimitiveValue::from(bytes.to_vec())));
    let text = String::from_utf8_lossy(bytes);
    attributes(&header(VR::LO, PrimitiveValue::from(text.as_ref())));
    if let Ok(injected_at) = text.parse::<InjectedAt>() {
        assert_eq!(injected_at.to_string().parse(), Ok(injected_at), "{text:?}");
    }
    if let Ok(written) = text.parse::<WrittenScore>() {
        assert!(written.score.is_some() || written.category_x, "{text:?}");
    }
});

fn header(vr: VR, value: PrimitiveValue) -> InMemDicomObject {
    InMemDicomObject::from_element_iter([DataElement::new(tags::SERIES_DESCRIPTION, vr, value)])
}

fn attributes(header: &InMemDicomObject) {
    let tag = tags::SERIES_DESCRIPTION;
    let same = |text: String| self::header(VR::LO, PrimitiveValue::from(text));
    if let Attribute::Value(read) = date(header, tag) {
        let written = same(read.format("%Y%m%d").to_string());
        assert_eq!(date(&written, tag), Attribute::Value(read));
    }
    if let Attribute::Value(read) = time(header, tag) {
        // A leap second is written as second 60, which chrono formats so.
        let written = same(read.format("%H%M%S%.9f").to_string());
        assert_eq!(time(&written, tag), Attribute::Value(read));
    }
    if let Attribute::Value(read) = datetime(header, tag) {
        let offset = read.utc_offset.map(|o| o.to_string().replace(':', "")).unwrap_or_default();
        let written = same(format!("{}{offset}", read.local.format("%Y%m%d%H%M%S%.9f")));
        assert_eq!(datetime(&written, tag), Attribute::Value(read));
    }
    if let Attribute::Value(read) = number(header, tag) {
        assert!(read.is_finite());
    }
    if let Attribute::Value(read) = numbers(header, tag) {
        assert!(read.iter().all(|value| value.is_finite()));
    }
    let _ = (count(header, tag), uid(header, tag), utc_offset(header, tag));
}
