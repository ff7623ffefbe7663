//! Which PET and CT of a scan are used, and why the others are not.
#![expect(clippy::float_cmp, reason = "the values are exact by construction")]

use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use glam::DVec3;
use petct::dicom::{ReadError, Study, load_ct, load_pet, scan, select};
use tempfile::TempDir;

use crate::support::shared_data;
use crate::synthetic::Synthetic;

fn scanned(folder: &Path) -> Vec<Study> {
    scan(folder).unwrap().output
}

#[test]
fn the_corrected_original_pet_is_chosen_with_reasons_for_the_others() {
    let root = TempDir::new().unwrap();
    let at = |n: u32, description: &str| Synthetic {
        series_uid: format!("1.2.3.{n}"),
        description: description.into(),
        ..Synthetic::pet()
    };
    let write = |series: Synthetic| series.write(&root.path().join(&series.series_uid));
    write(at(1, "WB CTAC pinnacle"));
    write(at(10, "PET NAC"));
    write(at(11, "PET").with(tags::CORRECTED_IMAGE, VR::CS, "DECY\\NORM"));
    write(at(12, "PET").with(tags::ATTENUATION_CORRECTION_METHOD, VR::LO, "NONE"));
    write(at(13, "PET").with(tags::UNITS, VR::CS, "PROPCNTS"));
    write(at(14, "MIP").with(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY\\REPROJECTION"));
    write(at(15, "PET").with(tags::SERIES_TYPE, VR::CS, "DYNAMIC\\IMAGE"));
    write(at(16, "SC").with(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.7"));
    write(at(17, "smoothed").with(tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY"));
    write(at(18, "no dose").without(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE));
    write(Synthetic::ct());
    let scout = Synthetic { series_uid: "1.2.3.21".into(), ..Synthetic::ct() };
    write(scout.with(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\LOCALIZER"));
    let other = Synthetic { series_uid: "1.2.3.22".into(), ..Synthetic::ct() };
    write(other.with(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.9"));
    let studies = scanned(root.path());
    let selection = select(&studies, None).unwrap();
    assert_eq!(selection.pet.series_instance_uid, "1.2.3.1");
    assert_eq!(selection.ct.unwrap().series_instance_uid, "1.2.3.2");
    let reasons = [
        ("1.2.3.10", "description"),
        ("1.2.3.11", "lacks ATTN"),
        ("1.2.3.12", "NONE"),
        ("1.2.3.13", "PROPCNTS"),
        ("1.2.3.14", "reprojection"),
        ("1.2.3.15", "dynamic"),
        ("1.2.3.16", "not an image of the scanner"),
        ("1.2.3.17", "derived"),
        ("1.2.3.18", "missing"),
        ("1.2.3.21", "localizer"),
        ("1.2.3.22", "frame of reference"),
    ];
    assert_eq!(selection.set_aside.len(), reasons.len());
    for (uid, reason) in reasons {
        let aside = selection.set_aside.iter().find(|s| s.series_uid == uid).unwrap();
        assert!(aside.reason.contains(reason), "{uid}: {}", aside.reason);
    }
    let named = select(&studies, Some("1.2.3.10")).unwrap();
    assert_eq!(named.pet.series_instance_uid, "1.2.3.10");
    assert!(named.warnings.iter().any(|w| w.code == "SERIES_NAMED"));
    assert!(matches!(select(&studies, Some("1.2.3.2")), Err(ReadError::NoSuchSeries(_))));
    write(at(30, "a second reconstruction"));
    let error = select(&scanned(root.path()), None).unwrap_err();
    assert!(matches!(&error, ReadError::Ambiguous { series } if series.len() == 2), "{error}");
}

#[test]
fn a_ct_elsewhere_is_not_taken() {
    let root = TempDir::new().unwrap();
    Synthetic::pet().write(&root.path().join("pet"));
    let ct = Synthetic { origin_mm: DVec3::new(0.0, 0.0, 500.0), ..Synthetic::ct() };
    ct.write(&root.path().join("ct"));
    let studies = scanned(root.path());
    let selection = select(&studies, None).unwrap();
    assert!(selection.ct.is_none());
    assert!(selection.set_aside[0].reason.contains("covers 0 %"), "{:?}", selection.set_aside);
}

#[test]
fn the_real_attenuation_corrected_pet_and_its_ct_are_chosen() {
    let Some(folder) = shared_data("acrin-nsclc-042") else { return };
    let studies = scanned(&folder);
    let selection = select(&studies, None).unwrap();
    let acquisition = selection.pet.acquisition.as_ref().unwrap();
    assert_eq!(acquisition.units.value().unwrap(), "BQML");
    assert_eq!(selection.pet.description, "PET AC");
    assert!(selection.ct.unwrap().series_instance_uid.ends_with("94858561"));
    let aside = |description| {
        let found = selection.set_aside.iter().find(|s| s.description == description);
        found.unwrap().reason.clone()
    };
    assert!(aside("PET NAC").contains("PROPCNTS"));
    assert!(aside("SCOUT").contains("localizer"));
    // Largest values by an independent reader (pydicom with pylibjpeg).
    let pet = load_pet(selection.pet, &[1.0; 135]).unwrap();
    assert_eq!(pet.geometry().shape(), [135, 128, 128]);
    assert_eq!(pet.values().iter().copied().fold(0.0, f32::max), 121_329.975_27_f64 as f32);
    let ct = load_ct(selection.ct.unwrap()).unwrap();
    assert_eq!(ct.geometry().shape(), [135, 512, 512]);
    assert_eq!(ct.values().iter().max(), Some(&1402));
}
