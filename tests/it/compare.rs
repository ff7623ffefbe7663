//! `petct compare` on the sample patients.

use std::sync::OnceLock;

use glam::{DMat3, DVec3};
use serde_json::Value;

use crate::cli::documents::validate;
use crate::cli::{arg, petct, text};
use crate::samples::{
    Run, check_png, check_text, lesions, matrix, patient, place, regions, scan, truth,
};

/// The comparison of a patient's three scans, run once for all tests; by the convention of the truth.
pub(crate) fn compared(of: usize) -> &'static Run {
    static RUNS: [OnceLock<Run>; 2] = [const { OnceLock::new() }; 2];
    RUNS[of - 1].get_or_init(|| {
        let scans = [0, 1, 2].map(|n| scan(of, n));
        let flags = ["--threads", "2"];
        Run::new(&[&["compare"], &scans.each_ref().map(|s| arg(s))[..], &flags].concat())
    })
}

const PATIENTS: [usize; 2] = [1, 2];

fn pairs(document: &Value) -> &[Value] {
    document["pairs"].as_array().unwrap()
}

/// The number of a scan that the truth calls `t1`.
fn number(name: &Value) -> u64 {
    name.as_str().unwrap().trim_start_matches('t').parse().unwrap()
}

/// The pairs of a patient with what the truth says of them.
fn with_truth(of: usize) -> Vec<(&'static Value, Value)> {
    let truth = truth(&patient(of));
    let of_pair = |expected: &Value| {
        let ends = (number(&expected["from"]), number(&expected["to"]));
        let found = pairs(&compared(of).document).iter();
        let mut found = found.filter(|p| p["baseline"] == ends.0 && p["follow_up"] == ends.1);
        (found.next().unwrap(), expected.clone())
    };
    truth["pairs"].as_array().unwrap().iter().map(of_pair).collect()
}

#[test]
fn responses_to_baseline_are_those_of_the_truth() {
    for of in PATIENTS {
        assert_eq!(compared(of).status, 0);
        let found: Vec<_> = pairs(&compared(of).document)
            .iter()
            .map(|p| (p["baseline"].as_u64().unwrap(), p["follow_up"].as_u64().unwrap()))
            .collect();
        assert_eq!(found, [(0, 1), (0, 2), (1, 2)]);
        for (pair, expected) in with_truth(of).iter().filter(|(p, _)| p["baseline"] == 0) {
            let name = format!("patient-{of}: {} to {}", expected["from"], expected["to"]);
            assert_eq!(pair["lugano"]["category"], expected["response"], "{name}");
            assert_eq!(pair["lugano"]["deauville"], expected["deauville"], "{name}");
            assert!(!pair["lugano"]["reasons"].as_array().unwrap().is_empty(), "{name}");
            assert_eq!(pair["comparability"]["verdict"], "ASSESSABLE", "{name}");
        }
    }
}

/// The pose of a scan as matrix and shift: scan = matrix * body + shift.
fn pose(truth: &Value) -> (DMat3, DVec3) {
    let pose = &truth["pose"];
    let scale = DMat3::from_diagonal(place(&pose["scale"]));
    (matrix(&pose["rotation"]) * scale, place(&pose["translation_mm"]))
}

#[test]
fn alignments_recover_the_poses() {
    for of in PATIENTS {
        for pair in pairs(&compared(of).document) {
            let ends = ["baseline", "follow_up"].map(|end| pair[end].as_u64().unwrap() as usize);
            let [before, now] = ends.map(|end| truth(&scan(of, end)));
            let ((from, shift), (onto, onto_shift)) = (pose(&before), pose(&now));
            let expected = |place: DVec3| onto * (from.inverse() * (place - shift)) + onto_shift;
            let alignment = &pair["alignment"];
            let turn = matrix(&alignment["rotation"]);
            assert!((turn.determinant() - 1.0).abs() < 1e-6, "a rotation");
            let stretch = place(&alignment["stretch"]);
            let found = |p: DVec3| turn * (stretch * p) + place(&alignment["translation_mm"]);
            let method = alignment["method"].as_str().unwrap();
            assert!(["rigid_ct", "affine_ct"].contains(&method), "{method}");
            assert_eq!(method == "rigid_ct", stretch == DVec3::ONE, "{method} {stretch}");
            let residual = &alignment["quality"]["landmark_residual_mm"];
            assert!(residual["mean"].as_f64().unwrap() < 3.0, "{residual}");
            assert!(residual["count"].as_u64().unwrap() > 10, "{residual}");
            assert_eq!(alignment["quality"]["verdict"], "good");
            let mut offs = Vec::new();
            let organs = before["organs_mm"].as_object().unwrap().values();
            let focal = lesions(&before).iter().filter(|l| l["diffuse"] == false);
            for at in organs.chain(focal.map(|l| &l["centre_mm"])).map(place) {
                let off = found(at).distance(expected(at));
                assert!(off < 3.0, "patient-{of} {ends:?}: {off:.1} mm at {at}");
                offs.push(off);
            }
            let mean = offs.iter().sum::<f64>() / offs.len() as f64;
            assert!(mean < 1.5, "patient-{of} {ends:?}: {mean:.1} mm in the mean");
        }
    }
}

/// The number of the region that a lesion of the truth is, where it is found.
fn region_id(document: &Value, lesion: &Value) -> Option<u64> {
    let hottest = place(&lesion["suv_max_mm"]);
    let here = |r: &&Value| place(&r["hottest_mm"]).distance(hottest) < 0.05;
    regions(document).iter().find(here).and_then(|r| r["id"].as_u64())
}

/// Each focal lesion of the truth is in one group of the pair, and the group's fate is the lesion's.
#[test]
fn fates_are_those_of_the_truth() {
    for of in PATIENTS {
        let document = &compared(of).document;
        for (pair, expected) in with_truth(of) {
            let ends = ["baseline", "follow_up"].map(|end| pair[end].as_u64().unwrap() as usize);
            let [before, now] = ends.map(|end| truth(&scan(of, end)));
            for fate in expected["fates"].as_array().unwrap() {
                let name = format!("patient-{of} {ends:?} {}", fate["lesion"]);
                let (end, key, truth) = match fate["fate"].as_str().unwrap() {
                    "new" => (ends[1], "follow_up_ids", &now),
                    _ => (ends[0], "baseline_ids", &before),
                };
                let lesion = lesions(truth).iter().find(|l| l["name"] == fate["lesion"]).unwrap();
                let id = region_id(&document["scans"][end], lesion);
                let id = id.unwrap_or_else(|| panic!("{name} is not found"));
                let holds = |g: &&Value| g[key].as_array().unwrap().contains(&id.into());
                let groups: Vec<&Value> =
                    pair["lesions"].as_array().unwrap().iter().filter(holds).collect();
                assert_eq!(groups.len(), 1, "{name}");
                assert_eq!(groups[0]["fate"], fate["fate"], "{name}");
                check_change(groups[0], fate, &name);
            }
        }
    }
}

/// The change of SUVmax of a persistent lesion.
fn check_change(group: &Value, fate: &Value, name: &str) {
    let delta = &group["delta_suv_max_percent"];
    if fate["fate"] == "persistent" {
        let [before, after] =
            ["suv_max_before", "suv_max_after"].map(|key| fate[key].as_f64().unwrap());
        let expected = 100.0 * (after / before - 1.0);
        let found = delta.as_f64().unwrap();
        // One percent of either value.
        assert!((found - expected).abs() < 2.0, "{name}: {found} is not {expected}");
    } else {
        assert!(delta.is_null(), "{name}");
    }
}

#[test]
fn documents_follow_their_schema_and_the_interface() {
    for of in PATIENTS {
        let document = &compared(of).document;
        validate(document);
        let name = serde_json::json!({"name": "petct-compare", "version": 1});
        assert_eq!(document["schema"], name);
        assert_eq!(document["scans"].as_array().unwrap().len(), 3);
        for pair in pairs(document) {
            for place in [
                "/comparability/verdict",
                "/comparability/checks/0/id",
                "/comparability/checks/0/result",
                "/comparability/checks/0/detail",
                "/alignment/quality",
                "/lesions/0/baseline_ids",
                "/lesions/0/follow_up_ids",
                "/lesions/0/fate",
                "/lesions/0/link_confidence",
                "/alignment/quality/landmark_residual_mm/mean",
                "/alignment/stretch",
                "/lesions/0/delta_suv_max_percent",
                "/lesions/0/delta_volume_percent",
                "/delta_suv_max_percent",
                "/lugano/category",
                "/percist/category",
                "/eortc/category",
                "/delta_suv_max/percent",
                "/delta_suv_max/cutoff_percent",
                "/delta_suv_max/favourable",
                "/sensitivity",
                "/warnings",
            ] {
                assert!(pair.pointer(place).is_some(), "{place} is missing");
            }
        }
    }
    let mut broken = compared(1).document.clone();
    broken["pairs"][0]["lugano"]["category"] = "better".into();
    assert!(std::panic::catch_unwind(|| validate(&broken)).is_err(), "the schema has no teeth");
}

#[test]
fn files_are_written_and_tell_the_same() {
    for of in PATIENTS {
        let run = compared(of);
        let names: Vec<&str> = run.files.keys().map(String::as_str).collect();
        let pictures = ["compare.png", "scan-0.png", "scan-1.png", "scan-2.png"];
        let decisions = ["decisions-0.toml", "decisions-1.toml", "decisions-2.toml"];
        let (text_file, scans) = (["compare.txt"], &pictures[1..]);
        assert_eq!(
            names,
            [
                &["compare.json"],
                &pictures[..1],
                &text_file,
                &decisions,
                &["links.toml", "report.html"],
                scans,
                &["trajectories.svg"]
            ]
            .concat()
        );
        assert_eq!(run.files["compare.json"], run.json);
        for name in pictures {
            let (width, height) = check_png(&run.files[name]);
            assert!((400..6000).contains(&width) && (300..6000).contains(&height), "{name}");
        }
        let page = text(&run.files["compare.txt"]);
        check_text(&page);
        for pair in pairs(&run.document) {
            let category = pair["lugano"]["category"].as_str().unwrap();
            let words =
                format!("scan {} against scan {}: {category}", pair["follow_up"], pair["baseline"]);
            assert!(page.contains(&words), "{words}: {page}");
        }
        assert!(run.document["scans"][0].get("patient").is_none());
    }
}

/// Every suspicious region of every scan is in one trajectory, with its numbers; what a pair links is in one.
#[test]
fn trajectories_hold_every_region_once() {
    for of in PATIENTS {
        let document = &compared(of).document;
        let trajectories = document["trajectories"].as_array().unwrap();
        let holding = |scan: usize, id: &Value| -> Vec<usize> {
            let holds =
                |t: &&Value| t["visits"][scan]["lesion_ids"].as_array().unwrap().contains(id);
            trajectories.iter().filter(holds).map(|t| t["id"].as_u64().unwrap() as usize).collect()
        };
        for (n, scan) in document["scans"].as_array().unwrap().iter().enumerate() {
            for lesion in scan["lesions"].as_array().unwrap() {
                let found = holding(n, &lesion["id"]);
                assert_eq!(found.len(), usize::from(lesion["class"] != "physiologic"), "{lesion}");
                let Some(&id) = found.first() else { continue };
                let visit = &trajectories[id - 1]["visits"][n];
                assert!(visit["suv_max"].as_f64() >= lesion["suv_max"].as_f64(), "{visit}");
            }
        }
        for pair in pairs(document) {
            let place = |key: &str| pair[key].as_u64().unwrap() as usize;
            for linked in pair["lesions"].as_array().unwrap() {
                let of = |scan: usize, ids: &str| -> Vec<usize> {
                    let ids = linked[ids].as_array().unwrap().iter();
                    ids.flat_map(|id| holding(scan, id)).collect()
                };
                let mut all = of(place("baseline"), "baseline_ids");
                all.extend(of(place("follow_up"), "follow_up_ids"));
                all.dedup();
                assert_eq!(all.len(), 1, "{linked}");
            }
        }
        // The figure: a black and a coloured line a panel at least, research use said, no script.
        let figure = text(&compared(of).files["trajectories.svg"]);
        assert!(figure.starts_with("<svg") && figure.contains("not a medical device"), "{figure}");
        assert!(figure.matches("<polyline").count() >= 8 && !figure.contains("<script"));
        // The nadir of the last scan against the first is among the earlier ones.
        let last = pairs(document).iter().rev().find(|p| p["baseline"] == 0).unwrap();
        let nadir = last["nadir"]["scan"].as_u64().unwrap() as usize;
        let hottest = |n: usize| -> f64 {
            let lesions = document["scans"][n]["lesions"].as_array().unwrap().iter();
            let disease = lesions.filter(|l| l["class"] == "lesion");
            disease.map(|l| l["suv_max"].as_f64().unwrap()).fold(0.0, f64::max)
        };
        assert!(
            (0..last["follow_up"].as_u64().unwrap() as usize).all(|n| hottest(nadir) <= hottest(n))
        );
    }
}

/// The first two scans by themselves, on one thread, say what they say among three scans on two threads.
#[test]
fn threads_and_later_scans_make_no_difference() {
    let scans = [0, 1].map(|n| scan(2, n));
    let flags = ["--threads", "1", "--format", "json"];
    let output = petct(&[&["compare"], &scans.each_ref().map(|s| arg(s))[..], &flags].concat());
    let two: Value = serde_json::from_slice(&output.stdout).unwrap();
    let three = &compared(2).document;
    assert_eq!(two["pairs"].as_array().unwrap().len(), 1);
    assert!(two["pairs"][0] == three["pairs"][0], "the pairs differ");
    for n in [0, 1] {
        assert!(two["scans"][n] == three["scans"][n], "scan {n} differs");
    }
}

#[test]
fn the_same_scan_twice_is_no_response() {
    let same = scan(1, 2);
    let output = petct(&["compare", arg(&same), arg(&same), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    validate(&document);
    assert_eq!(document["pairs"][0]["lugano"]["category"], "NE");
}

#[test]
fn a_follow_up_before_the_baseline_is_a_mistake() {
    let (first, second) = (scan(1, 0), scan(1, 2));
    let output = petct(&["compare", arg(&second), arg(&first), "--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    validate(&error);
    assert_eq!(error["error"]["code"], "follow_up_before_baseline");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains(arg(&first)) && message.contains("before the baseline"), "{message}");
}

#[test]
fn another_patient_is_not_comparable() {
    let output = petct(&["compare", arg(&scan(1, 0)), arg(&scan(2, 2)), "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    validate(&document);
    let pair = &document["pairs"][0];
    assert_eq!(pair["lugano"]["category"], "NE");
    let checks = pair["comparability"]["checks"].as_array().unwrap();
    let failed = checks.iter().any(|c| c["id"] == "Q10" && c["result"] == "fail");
    assert!(failed, "{checks:#?}");
}

#[test]
fn results_inside_an_input_are_refused() {
    let scans = [scan(1, 0), scan(1, 2)];
    for inside in [&scans[0], &scans[1].join("pet")] {
        let arguments = ["compare", arg(&scans[0]), arg(&scans[1]), "-o", arg(inside)];
        let output = petct(&[&arguments[..], &["--format", "json"]].concat());
        assert_eq!(output.status.code(), Some(2));
        let error: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(error["error"]["code"], "output_in_input");
    }
}
