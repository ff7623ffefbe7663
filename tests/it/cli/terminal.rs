//! What a person sees at a terminal: width, colour, tables, completions, the manual page.

use std::process::Command;

use tempfile::TempDir;

use super::{arg, document, only_file, petct, text};
use crate::samples::{SCANS, check_text, patient, scan};
use crate::support::shared_data;

/// No command has a line of more than 100 columns, whatever it reads.
#[test]
fn every_text_fits_the_terminal() {
    let samples: Vec<_> = SCANS.iter().map(|&(of, number)| scan(of, number)).collect();
    let mut folders = samples.clone();
    folders.extend(shared_data("acrin-nsclc-042"));
    folders.extend(shared_data("sts001").map(|root| root.join("pet")));
    for folder in &folders {
        for command in [&["inspect"][..], &["suv"], &["suv", "-v"]] {
            let output = petct(&[command, &[arg(folder)]].concat());
            check_text(&text(&output.stdout));
        }
    }
    // The sample scans are scored by other tests, whose texts they check.
    for folder in &folders[samples.len()..] {
        check_text(&text(&petct(&["score", arg(folder)]).stdout));
        check_text(&text(&petct(&["score", "-v", arg(folder)]).stdout));
    }
    for of in [1, 2] {
        let scans: Vec<_> = (0..3).map(|n| scan(of, n)).collect();
        let output = petct(&["compare", arg(&scans[0]), arg(&scans[1]), arg(&scans[2])]);
        check_text(&text(&output.stdout));
    }
    if let Some(root) = shared_data("sts001") {
        let mask = only_file(&root.join("mask"));
        let output = petct(&["measure", arg(&root.join("pet")), "--mask", &mask]);
        check_text(&text(&output.stdout));
    }
    check_text(&text(&petct(&["phantom", "list"]).stdout));
}

const TABLE: &str = "tests/data/visits/case-report.csv";

fn colours(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("petct"));
    command.args(["compare", "--table", TABLE]).args(arguments);
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.envs(environment.iter().copied());
    text(&command.output().unwrap().stdout)
}

#[test]
fn colour_is_for_terminals_and_says_nothing_new() {
    let plain = colours(&[], &[]);
    assert!(!plain.contains('\u{1b}'), "a pipe is no terminal");
    assert_eq!(colours(&["--color", "auto"], &[("NO_COLOR", "1")]), plain);
    assert_eq!(colours(&["--color=never"], &[("CLICOLOR_FORCE", "1")]), plain);
    let painted = colours(&["--color", "always"], &[]);
    assert!(painted.contains("\u{1b}[1m\u{1b}[31mPMD\u{1b}[0m"), "{painted}");
    let mut bare = painted;
    for code in ["0", "1", "31", "32", "33", "35"] {
        bare = bare.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(bare, plain);
    let json = colours(&["--color", "always", "--format", "json"], &[]);
    assert!(!json.contains('\u{1b}'), "documents have no colour");
    let error = petct(&["score", "/none", "--color", "always", "--format", "json"]);
    assert!(!text(&error.stdout).contains('\u{1b}'));
}

/// The rows of a CSV, by heading.
fn table(csv: &[u8]) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv);
    reader.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn lesions_come_as_a_table() {
    let (first, second) = (scan(1, 0), scan(1, 1));
    let output = petct(&["compare", arg(&first), arg(&second), "--format", "csv"]);
    assert_eq!(output.status.code(), Some(0));
    let rows = table(&output.stdout);
    let header = text(&output.stdout).lines().next().unwrap().to_owned();
    assert_eq!(header, petct::report::table::LESION_COLUMNS.join(","));
    let hottest = &rows[0];
    assert_eq!((hottest["scan"].as_str(), hottest["lesion"].as_str()), ("0", "1"));
    assert_eq!(hottest["class"], "lesion");
    assert!((hottest["suv_max"].parse::<f64>().unwrap() - 32.0).abs() < 0.5);
    // What is followed has one number in both scans.
    let later =
        rows.iter().find(|r| r["scan"] == "1" && r["followed_as"] == hottest["followed_as"]);
    assert!((later.unwrap()["suv_max"].parse::<f64>().unwrap() - 26.0).abs() < 0.5);
    let alone = table(&petct(&["score", arg(&second), "--format", "csv"]).stdout);
    let of_second: Vec<_> = rows.iter().filter(|row| row["scan"] == "1").collect();
    assert_eq!(alone.len(), of_second.len());
    assert!(alone.iter().all(|row| row["scan"] == "0" && row["followed_as"].is_empty()));
    for (a, b) in alone.iter().zip(of_second) {
        assert_eq!((&a["suv_max"], &a["hottest_x_mm"]), (&b["suv_max"], &b["hottest_x_mm"]));
    }
}

#[test]
fn what_has_no_table_is_refused_before_any_work() {
    for line in [
        &["inspect", "/none"][..],
        &["suv", "/none"],
        &["phantom", "list"],
        &["compare", "--table", TABLE],
        &["figure", "/none", "-o", "x.png"],
    ] {
        let output = petct(&[line, &["--format", "csv"]].concat());
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains("no table of lesions") && said.lines().count() == 1,
            "{line:?}: {said}"
        );
        assert!(output.stdout.is_empty());
    }
}

const COMMANDS: [&str; 9] =
    ["inspect", "suv", "measure", "score", "compare", "figure", "phantom", "completions", "man"];

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = petct(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("blood-pool") && script.contains("suv-max"), "{shell}");
    }
    assert_eq!(petct(&["completions", "tcsh"]).status.code(), Some(2));
    assert_eq!(petct(&["man", "--format", "json"]).status.code(), Some(2));
}

#[test]
fn the_manual_page_names_every_command() {
    let page = text(&petct(&["man"]).stdout);
    assert!(page.contains(".TH petct 1") || page.contains(".TH PETCT 1"), "{page}");
    for command in COMMANDS {
        assert!(page.contains(&format!("petct\\-{command}")), "{command}: {page}");
    }
    let root = TempDir::new().unwrap();
    let folder = root.path().join("man");
    assert_eq!(petct(&["man", "-o", arg(&folder)]).status.code(), Some(0));
    for command in COMMANDS {
        let page = std::fs::read_to_string(folder.join(format!("petct-{command}.1"))).unwrap();
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
    assert!(folder.join("petct.1").exists());
}

fn text_of(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}

/// A figure of a real command: its file, its size, and nothing that names the patient.
#[test]
fn a_figure_of_the_sample_patient() {
    let root = TempDir::new().unwrap();
    let (png, svg) = (root.path().join("figure.png"), root.path().join("figure.SVG"));
    let scans: Vec<_> = [0, 2].map(|n| scan(1, n)).into();
    let figure = |file, more: &[&str]| {
        let line = ["figure", arg(&scans[0]), arg(&scans[1]), "-o", file, "--format", "json"];
        let output = petct(&[&line, more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let drawn: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        super::documents::validate(&drawn);
        drawn
    };
    let drawn = figure(arg(&png), &["--width-mm", "90", "--dpi", "200"]);
    let bytes = std::fs::read(&png).unwrap();
    let [width, height] = [0, 1].map(|axis| drawn["size_px"][axis].as_u64().unwrap());
    assert_eq!(crate::samples::check_png(&bytes), (width as u32, height as u32));
    assert_eq!(width, 709); // 90 mm at 200 dpi
    let decoder = png::Decoder::new(std::io::Cursor::new(&bytes));
    let reader = decoder.read_info().unwrap();
    let resolution = reader.info().pixel_dims.unwrap();
    assert_eq!((resolution.xppu, resolution.yppu), (7874, 7874)); // 200 pixels an inch, by the metre
    // The hottest lesion of the scan with the highest score, carried into the other one.
    assert_eq!((&drawn["target_scan"], &drawn["target_lesion"]), (&0.into(), &1.into()));
    let captions = drawn["scans"][1]["captions"].as_array().unwrap();
    assert!(captions.contains(&"Deauville 1, CMR".into()), "{captions:?}");
    let drawn = figure(arg(&svg), &["--lesion", "0:1", "--suv-max", "10", "--width-px", "900"]);
    assert_eq!(drawn["size_px"][0], 900);
    let written = std::fs::read_to_string(&svg).unwrap();
    // The words alone, pictures left out.
    let mut parts = written.split("base64,");
    let mut words = parts.next().unwrap().to_owned();
    words.extend(parts.filter_map(|part| Some(part.split_once("\"/>")?.1)));
    assert!(words.contains("CMR") && words.contains(">10</text>"));
    let dated = figure(arg(&svg), &["--dates", "--width-px", "900"]);
    let first = dated["scans"][0]["captions"][0].as_str().unwrap().to_owned();
    let date = first.strip_prefix("Baseline, ").unwrap();
    assert_eq!(date.len(), "2000-01-01".len(), "{first}");
    let named = document(&["score", arg(&scans[1]), "--show-identifiers"]);
    for name in [date, text_of(&named["patient"]["name"]), text_of(&named["patient"]["id"])] {
        assert!(!name.is_empty() && !words.contains(name), "{name}");
    }
}

#[test]
fn figures_that_cannot_be_drawn_are_refused() {
    let patient = patient(1);
    let t2 = patient.join("t2");
    let root = TempDir::new().unwrap();
    let file = root.path().join("x.png");
    for (more, words) in [
        (&["-o", "x.pdf"][..], "does not end in .png or .svg"),
        (&["-o", arg(&file), "--width-mm", "5"], "millimetres from 20"),
        (&["-o", arg(&file), "--lesion", "99"], "has no region 99"),
        (&["-o", arg(&file), "--lesion", "7:1"], "there is no scan 7"),
        (&["-o", arg(&file), "--at", "1,2"], "is no place"),
        (&["-o", arg(&t2.join("x.png"))], "lies in the input"),
    ] {
        let output = petct(&[&["figure", arg(&t2)], more].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{more:?}: {said}");
    }
    assert!(!file.exists());
}
