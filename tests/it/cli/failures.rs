//! What cannot be used ends with status 2 and one sentence, in text and as JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dicom_core::VR;
use dicom_dictionary_std::tags;
use tempfile::TempDir;

use super::{arg, document, petct, text};
use crate::synthetic::Synthetic;

/// Runs a command that must fail both ways: its code, and its sentence.
fn failure(arguments: &[&str]) -> (String, String) {
    let plain = petct(arguments);
    let stderr = text(&plain.stderr);
    assert_eq!(plain.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert_eq!(text(&plain.stdout), "", "{arguments:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let output = petct(&[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let entry = |key: &str| document["error"][key].as_str().unwrap().to_owned();
    let message = entry("message");
    assert_eq!(stderr, format!("petct: {message}\n"));
    assert!(message.ends_with(&entry("remedy")) && !entry("remedy").is_empty(), "{message}");
    (entry("code"), message)
}

/// A folder in which nothing but `fill` is done.
fn folder(root: &TempDir, name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    let path = root.path().join(name);
    fs::create_dir_all(&path).unwrap();
    fill(&path);
    path
}

fn write(path: &Path, series: &Synthetic) {
    series.write(path);
}

#[test]
fn scans_that_cannot_be_used() {
    let root = TempDir::new().unwrap();
    let pet = Synthetic::pet;
    let rows = [
        (folder(&root, "empty", |_| {}), "empty_folder", "holds no files"),
        (folder(&root, "ct", |p| write(p, &Synthetic::ct())), "no_pet", "the scan holds CT only"),
        (
            folder(&root, "note", |p| fs::write(p.join("a.dcm"), "not an image").unwrap()),
            "no_dicom",
            "no readable DICOM image",
        ),
        (folder(&root, "cut", cut), "unreadable_pixels", "002.dcm"),
        (
            folder(&root, "gap", |p| write(p, &Synthetic { skipped: vec![2], ..pet() })),
            "no_pet",
            "1 slice(s) are missing between",
        ),
        (
            folder(&root, "light", |p| write(p, &pet().without(tags::PATIENT_WEIGHT))),
            "missing_patient_weight",
            "PatientWeight (0010,1030) is missing in series 1.2.3.1; give it with --weight-kg",
        ),
        (
            folder(&root, "empty weight", |p| {
                write(p, &pet().with(tags::PATIENT_WEIGHT, VR::DS, ""));
            }),
            "missing_patient_weight",
            "PatientWeight (0010,1030) is empty",
        ),
        (
            folder(&root, "stretched", |p| write(p, &stretched(|_| 1.0))),
            "slices_stretched",
            "each slice reaches the largest stored value, 32767",
        ),
        (folder(&root, "two", two_series), "ambiguous_series", "name one with --series"),
        (root.path().join("none"), "not_found", "does not exist"),
    ];
    for (path, code, sentence) in rows {
        for command in [vec!["suv", arg(&path)], vec!["measure", arg(&path), "--mask", "m.nii"]] {
            let (found, message) = failure(&command);
            assert_eq!(found, code, "{message}");
            assert!(message.contains(sentence), "{message}");
            assert!(!message.contains("SECRET") && !message.contains("Secret"), "{message}");
        }
    }
}

/// A series whose slices each fill the range of their samples.
fn stretched(slope: fn(usize) -> f64) -> Synthetic {
    let stored = |[s, r, c]: [usize; 3]| if r == s % 5 && c == 0 { 32767 } else { 100 * c as i32 };
    Synthetic { stored, slope, ..Synthetic::pet() }
}

/// Slices that fill their range are usual: by the slope of each, by one slope for a volume of like slices.
#[test]
fn full_slices_with_slopes_are_no_fault() {
    for slope in [|slice| 0.5 + slice as f64, |_| 0.4] {
        let root = TempDir::new().unwrap();
        write(root.path(), &stretched(slope));
        document(&["suv", arg(root.path())]);
    }
    let saturated = Synthetic {
        stored: |[s, r, c]| if s != 3 && r + c == 0 { 32767 } else { 12 },
        slope: |_| 1.0,
        ..Synthetic::pet()
    };
    let root = TempDir::new().unwrap();
    write(root.path(), &saturated);
    document(&["suv", arg(root.path())]);
}

/// A series one of whose files ends early.
fn cut(path: &Path) {
    let files = Synthetic::pet().write(path);
    let bytes = fs::read(&files[2]).unwrap();
    fs::write(&files[2], &bytes[..bytes.len() - 20]).unwrap();
}

fn two_series(path: &Path) {
    Synthetic::pet().write(&path.join("a"));
    let other = Synthetic { series_uid: "1.2.3.7".into(), ..Synthetic::pet() };
    other.write(&path.join("b"));
}

#[test]
fn weight_by_hand_takes_the_place_of_the_missing_one() {
    let root = TempDir::new().unwrap();
    let whole = folder(&root, "whole", |p| write(p, &Synthetic::pet()));
    let light = folder(&root, "light", |p| {
        write(p, &Synthetic::pet().without(tags::PATIENT_WEIGHT));
    });
    let expected = document(&["suv", arg(&whole)]);
    let found = document(&["suv", arg(&light), "--weight-kg", "70"]);
    assert_eq!(found["suv"], expected["suv"]);
    assert_eq!((&expected["edited"], &found["edited"]), (&false.into(), &true.into()));
    let weight = found["inputs"].as_array().unwrap().iter().find(|i| i["name"] == "PatientWeight");
    assert_eq!(weight.unwrap()["as_read"], "missing");
    assert_eq!(weight.unwrap()["edited"], true);
    // 70 kg over what one hour leaves of 370 MBq with a half-life of 6586.2 s.
    let factor = 70_000.0 / (370e6 * (-3600.0_f64 / 6586.2).exp2());
    super::close(&expected["suv"]["factor_min"], factor, 1e-12);
}

#[test]
fn commands_that_cannot_be_used() {
    let rows: &[(&[&str], &str)] = &[
        (&[], "the command is missing"),
        (&["fly"], "there is no command \"fly\""),
        (&["suv"], "<SCAN> is missing"),
        (&["suv", "x", "--colour"], "there is no flag or argument \"--colour\" here"),
        (&["suv", "x", "y"], "there is no flag or argument \"y\" here"),
        (&["suv", "x", "--weight-kg", "heavy"], "\"heavy\" is not a number of kilograms"),
        (&["suv", "x", "--weight-kg", "-5"], "\"-5\" is not a number of kilograms"),
        (&["suv", "x", "--height-m", "172"], "\"172\" is not a number of metres"),
        (&["suv", "x", "--dose-mbq", "NaN"], "\"NaN\" is not a number of megabecquerels"),
        (&["suv", "x", "--injected-at", "noon"], "\"noon\" is no time"),
        (&["suv", "x", "--suv", "lean"], "\"lean\" is none of bw, lbm, lbm-james, bsa, ibw"),
        (&["suv", "x", "--series", "one"], "\"one\" is no UID"),
        (&["suv", "x", "--threads", "0"], "\"0\" is not a number of threads"),
        (&["suv", "x", "-o", "suv.dcm"], "does not end in .nii.gz or .nii"),
        (&["suv", "x", "--weight-kg", "70", "--weight-kg", "80"], "2 time(s) for 1 scan(s)"),
        (&["measure", "x"], "--mask is missing"),
        (&["score", "x", "--liver", "1,2,3"], "is no sphere"),
        (&["score", "x", "--threshold", "41 percent"], "is not a threshold"),
        (&["score", "x", "--criteria", "mine"], "criteria \"mine\" are not known"),
        (&["compare", "x"], "<FOLLOW-UP>... is missing"),
        (&["compare", "x", "y", "--dose-mbq", "300"], "1 time(s) for 2 scan(s)"),
        (&["phantom", "patient-1"], "the folder to write into is missing"),
    ];
    for (arguments, sentence) in rows {
        let (code, message) = failure(arguments);
        assert_eq!(code, "usage", "{message}");
        assert!(message.contains(sentence), "{message}");
    }
    let (code, message) = failure(&["phantom", "nobody", "-o", "x"]);
    assert_eq!(code, "unknown_case");
    assert!(message.contains("choose one of patient-1, patient-2"), "{message}");
}

#[test]
fn an_unknown_region_is_answered_with_the_names_there_are() {
    let root = TempDir::new().unwrap();
    let scan = folder(&root, "scan", |p| write(p, &Synthetic::pet()));
    let suv = root.path().join("suv.nii.gz");
    document(&["suv", arg(&scan), "-o", arg(&suv)]);
    let mut mask = petct::nifti_file::read(&suv).unwrap().map(|_| 0.0);
    mask[[1, 2, 1]] = 1.0;
    mask[[3, 2, 2]] = 4.0;
    let file = root.path().join("mask.nii");
    petct::nifti_file::write(&file, &mask).unwrap();
    let measure = ["measure", arg(&scan), "--mask", arg(&file), "--roi"];
    let (code, message) = failure(&[&measure[..], &["2"]].concat());
    assert_eq!(code, "no_such_region");
    assert!(message.contains("choose one of \"1\", \"4\""), "{message}");
    let found = document(&[&measure[..], &["4"]].concat());
    assert_eq!(found["regions"].as_array().unwrap().len(), 1);
    assert_eq!(found["regions"][0]["voxels"], 1);
}

#[test]
fn nothing_is_written_into_the_input_or_over_a_case() {
    let root = TempDir::new().unwrap();
    let scan = folder(&root, "scan", |p| write(p, &Synthetic::pet()));
    let before = fs::read_dir(&scan).unwrap().count();
    let (code, _) = failure(&["suv", arg(&scan), "-o", arg(&scan.join("suv.nii.gz"))]);
    assert_eq!(code, "output_in_input");
    let file = scan.join("000.dcm");
    let (code, _) = failure(&["suv", arg(&file), "-o", arg(&scan.join("suv.nii.gz"))]);
    assert_eq!(code, "output_in_input");
    let round_about = root.path().join("none/../scan/suv.nii.gz");
    failure(&["suv", arg(&scan), "-o", arg(&round_about)]);
    assert_eq!(fs::read_dir(&scan).unwrap().count(), before);
    let (code, _) = failure(&["phantom", "patient-1", "-o", arg(&scan)]);
    assert_eq!(code, "output_in_use");
}

#[test]
fn a_warning_is_an_error_where_that_is_asked_for() {
    let root = TempDir::new().unwrap();
    // One minute less than the shortest usual uptake of FDG.
    let early = Synthetic::pet().with(tags::SERIES_TIME, VR::TM, "094400");
    let early = early.with(tags::ACQUISITION_TIME, VR::TM, "094400");
    let scan = folder(&root, "scan", |p| write(p, &early));
    let found = document(&["suv", arg(&scan)]);
    assert_eq!(found["warnings"][0]["code"], "UPTAKE_UNUSUAL");
    let out = root.path().join("suv.nii.gz");
    let (code, message) = failure(&["suv", arg(&scan), "--strict", "-o", arg(&out)]);
    assert_eq!(code, "uptake_unusual");
    assert!(message.contains("uptake time is 44.0 min"), "{message}");
    assert!(!out.exists(), "a refused result is not written");
}

#[test]
fn warnings_go_to_stderr_unless_quiet() {
    let root = TempDir::new().unwrap();
    let scan = folder(&root, "scan", |p| {
        write(p, &Synthetic::pet());
        fs::write(p.join("notes.txt"), "a document beside the images is no news").unwrap();
        fs::write(p.join("IM0099"), "not an image").unwrap();
    });
    let loud = petct(&["suv", arg(&scan)]);
    let quiet = petct(&["suv", arg(&scan), "-q"]);
    assert!(text(&loud.stderr).starts_with("warning: "), "{}", text(&loud.stderr));
    assert!(text(&loud.stderr).contains("(FILES_SKIPPED)"));
    assert_eq!(text(&quiet.stderr), "");
    assert_eq!(loud.stdout, quiet.stdout);
    assert!(text(&quiet.stdout).contains("\nwarning: "));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let root = TempDir::new().unwrap();
    let scan = folder(&root, "scan", |p| write(p, &Synthetic::pet()));
    for arguments in [vec!["inspect", arg(&scan)], vec!["suv", arg(&scan)], vec!["--help"]] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("petct"))
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The pipe is closed before anything can be written into it.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!text(&output.stderr).contains("panic"), "{}", text(&output.stderr));
    }
}
