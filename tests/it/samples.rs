//! The sample scans with their truth, and the folder of results that a command writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use glam::{DMat3, DVec3};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{arg, petct, text};

/// The sample scans as patient and scan, in the order of time.
pub(crate) const SCANS: [(usize, usize); 6] = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)];

/// The folder of a patient.
pub(crate) fn patient(patient: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sample_scans/patient-{patient}"))
}

/// The folder of a scan.
pub(crate) fn scan(of: usize, scan: usize) -> PathBuf {
    patient(of).join(format!("t{scan}"))
}

/// What is true of a folder. The program never reads it.
pub(crate) fn truth(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A command's document, and the files that it wrote by name.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) json: Vec<u8>,
    pub(crate) document: Value,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Run {
    /// Runs a command with `-o` and JSON.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let root = TempDir::new().unwrap();
        let folder = root.path().join("results");
        let flags = ["-o", arg(&folder), "--format", "json"];
        let output = petct(&[arguments, &flags].concat());
        let document = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output.stderr)));
        let named = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        };
        let files = std::fs::read_dir(&folder).map(|entries| entries.map(named).collect());
        Self {
            status: output.status.code().unwrap(),
            json: output.stdout,
            document,
            files: files.unwrap_or_default(),
        }
    }
}

/// The scored sample scans, each scored once for all tests.
pub(crate) fn scored(of: usize, number: usize) -> &'static Run {
    static RUNS: [OnceLock<Run>; 6] = [const { OnceLock::new() }; 6];
    let position = SCANS.iter().position(|&s| s == (of, number)).unwrap();
    RUNS[position].get_or_init(|| Run::new(&["score", arg(&scan(of, number)), "--threads", "2"]))
}

/// A position in a document.
#[track_caller]
pub(crate) fn place(value: &Value) -> DVec3 {
    let numbers = value.as_array().unwrap_or_else(|| panic!("{value} is no position"));
    let numbers: Vec<f64> = numbers.iter().map(|n| n.as_f64().unwrap()).collect();
    DVec3::from_slice(&numbers)
}

/// A matrix in a document, its rows one after the other.
pub(crate) fn matrix(value: &Value) -> DMat3 {
    let row = |n: usize| place(&value[n]);
    DMat3::from_cols(row(0), row(1), row(2)).transpose()
}

/// The regions of a scored scan.
pub(crate) fn regions(document: &Value) -> &[Value] {
    document["lesions"].as_array().unwrap()
}

/// The lesions of a truth.
pub(crate) fn lesions(truth: &Value) -> &[Value] {
    truth["lesions"].as_array().unwrap()
}

/// Checks the lines of a text for a terminal.
pub(crate) fn check_text(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(text.contains(petct::report::RESEARCH_USE));
}

/// A PNG that decodes: its width and height, and that it is not of one colour.
pub(crate) fn check_png(bytes: &[u8]) -> (u32, u32) {
    let image = image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap();
    let image = image.to_rgb8();
    let first = image.get_pixel(0, 0);
    assert!(image.pixels().any(|pixel| pixel != first), "an empty picture");
    image.dimensions()
}
