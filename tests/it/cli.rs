//! The command line as scripts see it: documents, statuses, sentences.

pub(crate) mod documents;
mod failures;
mod real_scans;
mod terminal;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs `petct` in a pipe.
pub(crate) fn petct(arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("petct")).args(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The JSON document of a command that must succeed.
pub(crate) fn document(arguments: &[&str]) -> Value {
    let output = petct(&[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A path as an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The only file of a folder.
fn only_file(folder: &Path) -> String {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().unwrap();
    assert!(files.next().is_none(), "{} holds several files", folder.display());
    file.to_str().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn close(found: &Value, expected: f64, relative: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{found} is no number"));
    assert!((found / expected - 1.0).abs() <= relative, "{found} is not {expected}");
}
