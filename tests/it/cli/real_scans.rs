//! Real scans and reference objects through the command line.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::documents::validate;
use super::{arg, close, document, only_file};
use crate::support::shared_data;

#[test]
fn suv_of_the_whole_body_scan() {
    let Some(root) = shared_data("sts001") else { return };
    let found = document(&["suv", arg(&root.join("pet"))]);
    validate(&found);
    close(&found["suv"]["factor_min"], 2.429_03e-4, 1e-6);
    close(&found["suv"]["factor_max"], 2.429_03e-4, 1e-6);
    close(&found["suv"]["max"], 66.5215, 1e-6);
    close(&found["suv"]["mean"], 0.149_303, 1e-5);
    assert_eq!(found["decay_factor"]["form"], "ge");
    assert_eq!(found["edited"], false);
    let regions = document(&[
        "measure",
        arg(&root.join("pet")),
        "--mask",
        &only_file(&root.join("mask")),
        "--roi",
        "GTV_Mass",
    ]);
    validate(&regions);
    close(&regions["regions"][0]["suv_max"], 7.91, 1e-3);
}

/// The description of one series says that it is not attenuation corrected, its `CorrectedImage` says that it is.
#[test]
fn the_corrected_series_in_becquerels_is_chosen() {
    let Some(root) = shared_data("acrin-nsclc-042") else { return };
    let found = document(&["suv", arg(&root)]);
    validate(&found);
    assert_eq!(found["series"]["units"], "BQML");
    close(&found["suv"]["factor_min"], 4.2111e-4, 1e-5);
    let inspected = document(&["inspect", arg(&root)]);
    validate(&inspected);
    let selected = &inspected["scans"][0]["selected"];
    assert_eq!(selected["pet"], found["series"]["series_uid"]);
    let series = inspected["studies"][0]["series"].as_array().unwrap();
    let by_uid = |uid: &Value| series.iter().find(|entry| &entry["series_uid"] == uid).unwrap();
    assert_eq!(by_uid(&selected["ct"])["shape"], serde_json::json!([135, 512, 512]));
    assert_eq!(by_uid(&selected["pet"])["suv"]["factor_min"], found["suv"]["factor_min"]);
    assert_eq!(inspected["scans"][0]["set_aside"].as_array().unwrap().len(), 2);
    // The factors of the archive's own real world value map; its factor of SUVbsa is a tenth of the one in cm2/ml.
    for (kind, factor) in
        [("lbm-james", 0.000_324_44), ("ibw", 0.000_398_713), ("bsa", 1.007_11e-4)]
    {
        let found = document(&["inspect", arg(&root), "--suv", kind]);
        let series = found["studies"][0]["series"].as_array().unwrap();
        let pet = series.iter().find(|entry| entry["series_uid"] == selected["pet"]).unwrap();
        close(&pet["suv"]["factor_min"], factor, 2e-4);
    }
}

/// The reference objects of the IBSI read 0.20, 1.00 and 4.00 inside their regions, to two decimals.
#[test]
fn suv_reference_objects() {
    let Some(root) = shared_data("ibsi-suv-dro/DRO") else { return };
    let folders = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    assert_eq!(folders.len(), 17);
    for folder in folders {
        let mask = only_file(&folder.join("RS"));
        let found = document(&["measure", arg(&folder.join("PT")), "--mask", &mask]);
        // The object of SUVbsa was made with a rounded surface.
        let tolerance = if folder.ends_with("DRO_2_3") { 0.03 } else { 0.005 };
        for (key, expected) in [("suv_min", 0.2), ("suv_median", 1.0), ("suv_max", 4.0)] {
            let value = found["regions"][0][key].as_f64().unwrap();
            assert!((value - expected).abs() <= tolerance, "{}: {key} {value}", folder.display());
        }
    }
}

#[test]
fn ten_sarcomas_by_mask_and_by_contours() {
    let Some(root) = shared_data("sts-crops") else { return };
    let text = fs::read_to_string(root.join("reference.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(reference.as_object().unwrap().len(), 10);
    for (patient, expected) in reference.as_object().unwrap() {
        let folder = root.join(patient);
        for mask in ["PET_mask.nii.gz", "RS.dcm"] {
            let found =
                document(&["measure", arg(&folder.join("pet")), "--mask", arg(&folder.join(mask))]);
            let region = &found["regions"][0];
            assert_eq!(region["voxels"], expected["voxels"], "{patient} {mask}");
            for (ours, theirs) in [
                ("volume_ml", "volume_ml"),
                ("suv_max", "suv_max"),
                ("suv_mean", "suv_mean"),
                ("suv_sd", "suv_sd"),
                ("suv_peak_local", "peak_local"),
                ("suv_peak_global", "peak_global"),
                ("tlg_g", "tlg"),
            ] {
                close(&region[ours], expected[theirs].as_f64().unwrap(), 1e-5);
            }
        }
    }
}
