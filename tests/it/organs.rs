//! `petct score --organs`: outlines of organs place the references and name uptake.

use std::path::Path;

use glam::DVec3;
use petct::nifti_file;
use petct::organ::{Numbering, Organ, Side, Spine};
use petct::segmentation::{Region, sphere, tube};
use petct::volume::Volume;
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::documents::validate;
use crate::cli::{arg, close, petct, text};
use crate::samples::{place, regions, scan, scored, truth};

/// A label map on the lattice of a scan, as TotalSegmentator numbers organs.
fn write_labels(file: &Path, organs: &[(Organ, Region)]) {
    let studies = petct::dicom::scan(&scan(1, 0)).unwrap().output;
    let pet = petct::dicom::select(&studies, None).unwrap().pet;
    let mut labels = Volume::filled(pet.geometry.clone().unwrap(), 0.0_f32);
    for (organ, region) in organs {
        let label = (1..=117).find(|&n| Numbering::TotalV2.organ(n) == Some(*organ)).unwrap();
        region.paint(&mut labels, label as f32);
    }
    nifti_file::write(file, &labels).unwrap();
}

#[test]
fn outlines_place_the_references_and_name_uptake() {
    let folder = scan(1, 0);
    let truth = truth(&folder);
    let studies = petct::dicom::scan(&folder).unwrap().output;
    let lattice = petct::dicom::select(&studies, None).unwrap().pet.geometry.clone().unwrap();
    let at = |name: &str| place(&truth["organs_mm"][name]);
    let aorta: Vec<DVec3> = truth["aorta_mm"].as_array().unwrap().iter().map(place).collect();
    let ball = |at: DVec3, radius_mm: f64| sphere(&lattice, at, radius_mm).region;
    let vertebra = |n: u8, up_mm: f64| {
        let middle = at("heart") + DVec3::new(0.0, 70.0, up_mm);
        (Organ::Vertebra(Spine::Thoracic, n), ball(middle, 10.0))
    };
    let organs = [
        (Organ::Liver, ball(at("liver"), 45.0)),
        (Organ::Kidney(Side::Left), ball(at("kidney left"), 55.0)),
        (Organ::Aorta, tube(&lattice, &aorta, 12.0).region),
        vertebra(8, 0.0),
        vertebra(4, 60.0),
    ];
    let out = TempDir::new().unwrap();
    let file = out.path().join("organs.nii.gz");
    write_labels(&file, &organs);

    let run = petct(&["score", arg(&folder), "--organs", arg(&file), "--format", "json"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    let document: Value = serde_json::from_slice(&run.stdout).unwrap();
    validate(&document);
    for (name, measured) in [("liver", "liver"), ("blood_pool", "blood pool")] {
        let reference = &document["references"][name];
        assert_eq!(
            (&reference["status"], &reference["method"]),
            (&"ok".into(), &"organ_mask".into())
        );
        close(
            &reference["suv_mean"],
            truth["measured"][measured]["suv_mean"].as_f64().unwrap(),
            0.15,
        );
    }
    let kidney = regions(&document)
        .iter()
        .find(|r| r["reason"].as_str().unwrap().contains("kidney that was outlined"));
    assert!(kidney.is_some_and(|r| r["site"] == "left kidney" && r["class"] == "physiologic"));
    // The labels have no names, and those of an aorta mean another organ in the first version.
    assert!(document["warnings"].to_string().contains("ORGANS_NUMBERING"));
    assert_ne!(scored(1, 0).document["references"]["liver"]["method"], "organ_mask");
}
