//! `--decisions`: what a person writes into `decisions.toml` is what counts, for this scan alone.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::documents::validate;
use crate::cli::{arg, petct, text};
use crate::samples::{place, regions, scan, scored};

/// The scan that is decided about: lesions 2, 8, 9 and two uncertain regions; its regions and the text that proposes.
const OF: (usize, usize) = (1, 1);

fn proposed() -> String {
    text(&scored(OF.0, OF.1).files["decisions.toml"])
}

fn undecided() -> &'static Value {
    &scored(OF.0, OF.1).document
}

/// A file of decisions in a folder of its own.
struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, text).unwrap();
    File { _folder: folder, path }
}

fn run(of: (usize, usize), decisions: &Path, more: &[&str]) -> (i32, Value) {
    let folder = scan(of.0, of.1);
    let flags = ["score", arg(&folder), "--decisions", arg(decisions), "--format", "json"];
    let output = petct(&[&flags, more].concat());
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    validate(&document);
    (output.status.code().unwrap(), document)
}

fn decided(text: &str) -> Value {
    let (status, document) = run(OF, &file(text).path, &[]);
    assert_eq!(status, 0, "{document:#}");
    document
}

fn refused(of: (usize, usize), decisions: &Path, more: &[&str], code: &str) -> String {
    let (status, document) = run(of, decisions, more);
    assert_eq!((status, &document["error"]["code"]), (2, &code.into()), "{document:#}");
    let message = document["error"]["message"].as_str().unwrap();
    assert!(message.contains("mine.toml: "), "{message}");
    message.to_owned()
}

fn region(document: &Value, id: u64) -> &Value {
    let found = regions(document).iter().find(|r| r["id"] == id);
    found.unwrap_or_else(|| panic!("there is no region {id}"))
}

/// The proposal with the class of some regions changed.
fn with_classes(changes: &[(u64, &str)]) -> String {
    let mut text = proposed();
    for (id, class) in changes {
        let entry = text.find(&format!("[[region]]\nid = {id}\n")).unwrap();
        let class_at = entry + text[entry..].find("class = ").unwrap();
        let end = class_at + text[class_at..].find('\n').unwrap();
        text.replace_range(class_at..end, &format!("class = \"{class}\""));
    }
    text
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

#[test]
fn a_file_that_nobody_changed_is_neutral() {
    let given = file(&proposed());
    let folder = scan(OF.0, OF.1);
    let again = crate::samples::Run::new(&["score", arg(&folder), "--decisions", arg(&given.path)]);
    let mark = &again.document["decisions"];
    assert_eq!(mark["edits"], Value::Array(Vec::new()));
    assert!(undecided()["decisions"].is_null());
    // Byte for byte but for the mark.
    let mut unmarked = again.document.clone();
    unmarked["decisions"] = Value::Null;
    assert_eq!(unmarked.to_string(), undecided().to_string());
    for (name, bytes) in &again.files {
        if !["score.json", "score.txt", "report.html"].contains(&name.as_str()) {
            assert!(bytes == &scored(OF.0, OF.1).files[name], "{name}");
        }
    }
    assert!(text(&again.files["score.txt"]).contains("decisions of a person: none"));
}

#[test]
fn the_file_tells_what_is_what() {
    let text = proposed();
    let head = text.split("\nformat = ").next().unwrap();
    for word in
        ["lesion", "uncertain", "physiologic", "removed", "[[split]]", "[[merge]]", "[[add]]"]
    {
        assert!(head.contains(word), "{word}");
    }
    for region in regions(undecided()) {
        let entry = text.split(&format!("[[region]]\nid = {}\n", region["id"])).nth(1).unwrap();
        let lines: Vec<&str> = entry.lines().collect();
        assert_eq!(lines[0], format!("class = {}", region["class"]));
        assert_eq!(lines[1], format!("site = {}", region["site"]));
        assert_eq!(lines[3], format!("suv_max = {:.2}", number(region, "suv_max")));
        assert_eq!(lines[4], format!("volume_ml = {:.2}", number(region, "volume_ml")));
        assert!(lines[5].starts_with("# why: "), "{}", lines[5]);
    }
}

#[test]
fn a_changed_class_changes_the_score() {
    // Without the disease no lesion is left: score 1 stands for 1 to 3.
    let lesions = regions(undecided()).iter().filter(|r| r["class"] == "lesion");
    let all: Vec<u64> = lesions.map(|r| r["id"].as_u64().unwrap()).collect();
    assert_eq!((all.len(), &undecided()["deauville"]["score"]), (3, &5.into()));
    let normal: Vec<_> = all.iter().map(|&id| (id, "physiologic")).collect();
    let document = decided(&with_classes(&normal));
    assert_eq!(
        (&document["deauville"]["score"], &document["totals"]["lesions"]),
        (&1.into(), &0.into())
    );
    assert_eq!(document["totals"]["tmtv_ml"], 0.0);
    assert_eq!(document["decisions"]["edits"].as_array().unwrap().len(), 3);
    for region in regions(&document) {
        let by = if all.contains(&region["id"].as_u64().unwrap()) { "reader" } else { "proposed" };
        assert_eq!(region["decided_by"], by);
    }

    // The weakest lesion alone scores what it scores: SUV 8 over a liver of 2.7 is between liver and three times that.
    let weakest = all.iter().copied().max().unwrap();
    let rest: Vec<_> =
        all.iter().filter(|id| **id != weakest).map(|&id| (id, "uncertain")).collect();
    let document = decided(&with_classes(&rest));
    assert_eq!(document["deauville"]["score"], region(undecided(), weakest)["deauville"]);
    assert_eq!(document["deauville"]["score"], 4);
    assert_eq!(document["deauville"]["if_uncertain_are_lesions"], 5);
    let volume = number(region(undecided(), weakest), "volume_ml");
    assert!((number(&document["totals"], "tmtv_ml") - volume).abs() < 1e-9);

    // The uncertain regions made lesions: counts and volumes add up.
    let doubtful = regions(undecided()).iter().filter(|r| r["class"] == "uncertain");
    let doubtful: Vec<u64> = doubtful.map(|r| r["id"].as_u64().unwrap()).collect();
    let changes: Vec<_> = doubtful.iter().map(|&id| (id, "lesion")).collect();
    let document = decided(&with_classes(&changes));
    let burden_of = |id: u64| {
        let region = region(undecided(), id);
        // What lies below the threshold is scored, not counted.
        if region["below_threshold"] == true { 0.0 } else { number(region, "volume_ml") }
    };
    let more: f64 = doubtful.iter().map(|&id| burden_of(id)).sum();
    let burden = number(&document["totals"], "tmtv_ml") - number(&undecided()["totals"], "tmtv_ml");
    assert!(doubtful.len() >= 2 && (burden - more).abs() < 1e-6, "{burden} {more}");
    let lesions = undecided()["totals"]["lesions"].as_u64().unwrap() + doubtful.len() as u64;
    assert_eq!(
        (&document["totals"]["lesions"], &document["totals"]["uncertain"]),
        (&lesions.into(), &0.into())
    );
}

#[test]
fn regions_are_removed_split_merged_and_added_by_the_voxel() {
    let voxels = |document: &Value, id: u64| region(document, id)["voxels"].as_u64().unwrap();
    let last = regions(undecided()).len() as u64;
    let removed = decided(&with_classes(&[(8, "removed")]));
    let mut expected = undecided().clone();
    expected["lesions"].as_array_mut().unwrap().retain(|r| r["id"] != 8);
    assert_eq!(removed["lesions"], expected["lesions"], "what is left does not change");
    assert_eq!(removed["totals"]["lesions"], 2);

    // A point at the hottest voxel of region 2, another at its centroid.
    let whole = region(undecided(), 2);
    let (a, b) = (&whole["hottest_mm"], &whole["centroid_mm"]);
    let split = format!("[[split]]\nregion = 2\npoints_mm = [{a}, {b}]\nreader = \"A. B.\"\n");
    let document = decided(&(proposed() + &split));
    assert_eq!(voxels(&document, last + 1) + voxels(&document, last + 2), voxels(undecided(), 2));
    assert_eq!(document["totals"]["lesions"], 4);
    for key in ["tmtv_ml", "tlg_g"] {
        let (now, before) = (number(&document["totals"], key), number(&undecided()["totals"], key));
        assert!((now / before - 1.0).abs() < 1e-9, "{key}: {now} {before}");
    }
    let edit = &document["decisions"]["edits"][0];
    assert_eq!((&edit["kind"], &edit["reader"]), (&"split".into(), &"A. B.".into()));

    let document = decided(&(proposed() + "[[merge]]\nregions = [8, 9]\n"));
    assert_eq!(voxels(&document, last + 1), voxels(undecided(), 8) + voxels(undecided(), 9));
    assert_eq!(document["totals"]["lesions"], 2);
    assert_eq!(region(&document, last + 1)["suv_max"], region(undecided(), 8)["suv_max"]);

    // Removed and drawn anew at the same threshold it is the same region under another number.
    let point = &region(undecided(), 9)["hottest_mm"];
    let add = format!("[[add]]\npoint_mm = {point}\nsite = \"abdomen\"\n");
    let document = decided(&(with_classes(&[(9, "removed")]) + &add));
    for key in ["voxels", "suv_max", "suv_mean", "suv_peak", "volume_ml", "centroid_mm"] {
        assert_eq!(region(&document, last + 1)[key], region(undecided(), 9)[key], "{key}");
    }
    assert_eq!(document["totals"]["tmtv_ml"], undecided()["totals"]["tmtv_ml"]);
    // At three quarters of its own maximum it is smaller, and said to follow another rule.
    let document = decided(&(with_classes(&[(9, "removed")]) + &add + "threshold = \"75%\"\n"));
    assert!(voxels(&document, last + 1) < voxels(undecided(), 9));
    let codes = document["warnings"].as_array().unwrap().iter().map(|w| &w["code"]);
    assert_eq!(codes.filter(|code| **code == "ADDED_BY_OTHER_THRESHOLD").count(), 1);
}

#[test]
fn references_are_set_accepted_and_rejected() {
    let liver = |line: &str| {
        let head = "\n\n[references.liver]\n";
        proposed().replacen(head, &format!("{head}{line}\n"), 1)
    };
    let c = place(&undecided()["references"]["liver"]["centre_mm"]);
    let sphere = format!("sphere_mm = [{}, {}, {}, 10]", c.x, c.y, c.z);
    let document = decided(&liver(&sphere));
    let found = &document["references"]["liver"];
    assert_eq!(
        (&found["method"], &found["decided_by"]),
        (&"given_sphere".into(), &"reader".into())
    );
    assert!(number(found, "voxels") < number(&undecided()["references"]["liver"], "voxels"));
    assert_eq!(document["references"]["blood_pool"], undecided()["references"]["blood_pool"]);
    // By hand on the command line it measures the same.
    let flag = format!("--liver={},{},{},10", c.x, c.y, c.z);
    let output = petct(&["score", arg(&scan(OF.0, OF.1)), &flag, "--format", "json"]);
    let by_flag: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["suv_mean"], by_flag["references"]["liver"]["suv_mean"]);

    let document = decided(&liver("accept = true"));
    assert_eq!(document["references"]["liver"]["decided_by"], "reader");
    assert_eq!(document["deauville"], undecided()["deauville"]);

    let (status, document) = run(OF, &file(&liver("accept = false")).path, &[]);
    assert_eq!((status, &document["references"]["liver"]["status"]), (1, &"refused".into()));
    assert!(document["deauville"]["score"].is_null());

    for (line, sentence) in [
        ("sphere_mm = [0, 0, 9000, 10]", "outside the scan"),
        ("sphere_mm = [0, 0, 0, 0]", "radius"),
        ("accept = 1", "line"),
    ] {
        let given = file(&liver(line));
        let code = if line.contains("9000") { "decision_refused" } else { "not_decisions" };
        let message = refused(OF, &given.path, &[], code);
        assert!(message.contains(sentence), "{message}");
    }
}

#[test]
fn another_scan_or_other_settings_are_refused() {
    let given = file(&with_classes(&[(8, "physiologic")]));
    let message = refused((1, 0), &given.path, &[], "decisions_of_other_scan");
    assert!(message.contains("another scan") && message.contains("score again"), "{message}");
    for (flag, difference) in [
        ("--threshold=41%", "threshold was 4, is 41%"),
        ("--criteria=lugano-max-2x", "convention was lugano-max-3x (version 1), is lugano-max-2x"),
        ("--suv=lbm", "suv was bw, is lbm"),
        ("--weight-kg=80", "weight_kg was as in the file, is 80"),
        ("--liver=-70,10,-318,15", "liver was automatic, is sphere -70,10,-318,15"),
    ] {
        let message = refused(OF, &given.path, &[flag], "decisions_of_other_settings");
        assert!(message.contains(difference), "{message}");
    }
    // What compares scans has no say in what a region is.
    let (status, _) = run(OF, &given.path, &["--criteria=percist30"]);
    assert_eq!(status, 0);
    let newer = file(&proposed().replacen("format = 1", "format = 7", 1));
    let message = refused(OF, &newer.path, &[], "decisions_of_newer_format");
    assert!(message.contains("version 7"), "{message}");
    let class =
        file(&proposed().replacen("class = \"lesion\"\nsite", "class = \"leison\"\nsite", 1));
    let message = refused(OF, &class.path, &[], "not_decisions");
    let line = proposed().lines().position(|l| l == "class = \"lesion\"").unwrap() + 1;
    assert!(message.contains(&format!("line {line}: ")) && message.contains("leison"), "{message}");
}

#[test]
fn decisions_are_not_written_over() {
    let folder = TempDir::new().unwrap();
    let decisions = folder.path().join("decisions.toml");
    let scan = scan(OF.0, OF.1);
    let edited = with_classes(&[(8, "uncertain")]);
    std::fs::write(&decisions, &edited).unwrap();
    let score = ["score", arg(&scan), "-o", arg(folder.path()), "--format", "json"];
    let output = petct(&score);
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &error["error"]["code"]),
        (Some(2), &"decisions_in_the_way".into())
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written");
    // Given, they stay as they are.
    let output = petct(&[&score[..], &["--decisions", arg(&decisions)]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(&decisions).unwrap(), edited);
    // What nobody has edited gives way.
    std::fs::write(&decisions, scored(1, 0).files["decisions.toml"].as_slice()).unwrap();
    assert_eq!(petct(&score).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&decisions).unwrap(), proposed());
}

#[test]
fn a_comparison_takes_decisions_for_each_scan() {
    let [before, now] = [(2, 0), (2, 1)].map(|(of, number)| scan(of, number));
    let original = text(&scored(2, 1).files["decisions.toml"]);
    let id = regions(&scored(2, 1).document)
        .iter()
        .find(|r| r["class"] == "lesion")
        .map(|r| r["id"].as_u64().unwrap())
        .unwrap();
    let entry = original.find(&format!("[[region]]\nid = {id}\n")).unwrap();
    let edited = original[..entry].to_owned()
        + &original[entry..].replacen("class = \"lesion\"", "class = \"uncertain\"", 1);
    let given = file(&edited);
    let flags = ["compare", arg(&before), arg(&now), "--decisions", "-", "--decisions"];
    let run = crate::samples::Run::new(&[&flags[..], &[arg(&given.path)]].concat());
    let scans = &run.document["scans"];
    assert!(scans[0]["decisions"].is_null());
    // A decision is final: the site of an earlier lesion does not make it a lesion again.
    let decided = region(&scans[1], id);
    assert_eq!(
        (&decided["class"], &decided["decided_by"]),
        (&"uncertain".into(), &"reader".into())
    );
    assert_eq!(text(&run.files["decisions-1.toml"]), edited);
    assert_eq!(run.files["decisions-0.toml"], scored(2, 0).files["decisions.toml"]);
    // Given to the wrong scan it is refused.
    let wrong =
        ["compare", arg(&before), arg(&now), "--decisions", arg(&given.path), "--decisions", "-"];
    let output = petct(&[&wrong[..], &["--format", "json"]].concat());
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &error["error"]["code"]),
        (Some(2), &"decisions_of_other_scan".into())
    );
}
