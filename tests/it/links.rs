//! `--links`: what a person writes into `links.toml` takes the place of the links that were found.

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::documents::validate;
use crate::cli::{arg, petct, text};
use crate::compare::compared;
use crate::samples::scan;

/// Patient 1 with all scans, with these links.
fn run(links: &str) -> (i32, Value) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, links).unwrap();
    let scans = [0, 1, 2].map(|n| scan(1, n));
    let flags = ["--links", arg(&file), "--format", "json"];
    let command: Vec<&str> =
        ["compare"].into_iter().chain(scans.iter().map(|s| arg(s))).chain(flags).collect();
    let output = petct(&command);
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    validate(&document);
    (output.status.code().unwrap(), document)
}

fn proposed() -> String {
    text(&compared(1).files["links.toml"])
}

#[test]
fn links_that_are_left_as_they_are_change_nothing_but_who_said_so() {
    let (status, document) = run(&proposed());
    let found = &compared(1).document;
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(document["links_sha256"].as_str().map(str::len), Some(64));
    assert!(found["links_sha256"].is_null());
    for (with, without) in
        document["pairs"].as_array().unwrap().iter().zip(found["pairs"].as_array().unwrap())
    {
        assert_eq!(with["lugano"], without["lugano"]);
        let (with, without) =
            (with["lesions"].as_array().unwrap(), without["lesions"].as_array().unwrap());
        assert_eq!(with.len(), without.len());
        for (linked, found) in with.iter().zip(without) {
            assert_eq!(linked["link_confidence"], "reader");
            for key in ["baseline_ids", "follow_up_ids", "fate", "delta_suv_max_percent"] {
                assert_eq!(linked[key], found[key], "{key}");
            }
        }
    }
    assert_eq!(document["trajectories"], found["trajectories"]);
}

/// The first follow-up of patient 1 is progressive by new lesions alone (the known ones fell by less than a quarter); what they
/// are due to decides.
#[test]
fn a_person_says_what_new_foci_are_due_to() {
    for (word, category, x) in
        [("lymphoma", "PMD", false), ("unrelated", "NMR", true), ("uncertain", "NMR", true)]
    {
        let due = format!("earlier = []\ndue_to = \"{word}\"\nreader = \"A. B.\"");
        let (_, document) = run(&proposed().replace("earlier = []", &due));
        let lugano = &document["pairs"][0]["lugano"];
        assert_eq!(lugano["category"], category, "{word}: {lugano:#}");
        assert_eq!(lugano["category_x"], x, "{word}: {lugano:#}");
    }
}

#[test]
fn links_that_do_not_fit_are_refused() {
    let entry = proposed().split_once("[[link]]").unwrap().1.to_owned();
    let first = entry.lines().find(|line| line.starts_with("earlier")).unwrap().to_owned();
    let rows = [
        (proposed().replacen(&first, "earlier = [99]", 1), "decision_refused", "region 99"),
        (proposed().replacen("\n[[link]]", "\n[[lnk]]", 1), "not_decisions", "lnk"),
        (
            proposed().replacen("scans_sha256 = [\n    \"", "scans_sha256 = [\n    \"0", 1),
            "links_of_other_scans",
            "other scans",
        ),
        (
            proposed().replacen("regions_sha256 = [\n    \"", "regions_sha256 = [\n    \"0", 1),
            "decisions_of_other_regions",
            "regions",
        ),
    ];
    for (links, code, words) in rows {
        let (status, document) = run(&links);
        assert_eq!((status, &document["error"]["code"]), (2, &code.into()), "{document:#}");
        assert!(document["error"]["message"].as_str().unwrap().contains(words), "{document:#}");
    }
}
