//! `petct score` on the sample scans and on real ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use glam::DVec3;
use serde_json::Value;

use crate::cli::documents::validate;
use crate::cli::{arg, close, petct, text};
use crate::samples::{SCANS, check_png, check_text, lesions, place, regions, scan, scored, truth};
use crate::support::shared_data;

/// The score of a document, by the default convention, which is that of the truth.
fn score(document: &Value) -> &Value {
    &document["deauville"]["score"]
}

#[test]
fn sample_scans_have_the_score_of_their_truth() {
    for (of, number) in SCANS {
        let run = scored(of, number);
        assert_eq!(run.status, 0);
        let expected = &truth(&scan(of, number))["deauville"];
        assert_eq!(score(&run.document), expected, "patient-{of}/t{number}");
    }
}

/// Distance of a place from the segment between two others.
fn from_segment(place: DVec3, a: DVec3, b: DVec3) -> f64 {
    let along = ((place - a).dot(b - a) / a.distance_squared(b)).clamp(0.0, 1.0);
    place.distance(a.lerp(b, along))
}

#[test]
fn references_lie_in_their_organs_and_measure_them() {
    for (of, number) in SCANS {
        let name = format!("patient-{of}/t{number}");
        let truth = truth(&scan(of, number));
        let references = &scored(of, number).document["references"];
        let liver = &references["liver"];
        assert_eq!((&liver["status"], &liver["method"]), (&"ok".into(), &"automatic_ct".into()));
        let measured = &truth["measured"];
        close(&liver["suv_mean"], measured["liver"]["suv_mean"].as_f64().unwrap(), 0.1);
        // The truth's place is a middle of the right lobe, which is more than 10 cm wide: a sphere of 15 mm whose centre
        // lies within 55 mm of it, and on the right, is in the liver; its small spread says that it is in nothing else.
        let off = place(&liver["centre_mm"]) - place(&truth["organs_mm"]["liver"]);
        assert!(off.length() < 55.0, "{name}: {off}");
        let spread = liver["suv_sd"].as_f64().unwrap() / liver["suv_mean"].as_f64().unwrap();
        assert!(spread < 0.15, "{name}: {spread}");

        let pool = &references["blood_pool"];
        assert_eq!((&pool["status"], &pool["method"]), (&"ok".into(), &"automatic_ct".into()));
        close(&pool["suv_mean"], measured["blood pool"]["suv_mean"].as_f64().unwrap(), 0.15);
        let aorta: Vec<DVec3> = truth["aorta_mm"].as_array().unwrap().iter().map(place).collect();
        let top = (0..aorta.len()).max_by(|&a, &b| aorta[a].z.total_cmp(&aorta[b].z)).unwrap();
        let centre = place(&pool["centre_mm"]);
        let off = aorta[top..].windows(2).map(|ends| from_segment(centre, ends[0], ends[1]));
        let off = off.fold(f64::MAX, f64::min);
        assert!(off < 6.0, "{name}: {off:.1} mm from the descending aorta");
    }
}

/// The region whose hottest voxel is that of a lesion of the truth.
fn region_of<'a>(document: &'a Value, lesion: &Value) -> Option<&'a Value> {
    let hottest = place(&lesion["suv_max_mm"]);
    // Truth is written to a hundredth of a millimetre.
    regions(document).iter().find(|r| place(&r["hottest_mm"]).distance(hottest) < 0.05)
}

#[test]
fn lesions_are_found_with_their_suv_max() {
    for (of, number) in SCANS {
        let document = &scored(of, number).document;
        for lesion in lesions(&truth(&scan(of, number))) {
            let name = format!("patient-{of}/t{number}: {}", lesion["name"]);
            let region = region_of(document, lesion).unwrap_or_else(|| panic!("{name} is missing"));
            close(&region["suv_max"], lesion["suv_max"].as_f64().unwrap(), 0.01);
        }
    }
}

/// Organs of excretion, the brain and the whole rest of normal uptake are no lesions: a region of class lesion is one of
/// the truth.
#[test]
fn normal_uptake_is_no_lesion() {
    for (of, number) in SCANS {
        let document = &scored(of, number).document;
        let truth = truth(&scan(of, number));
        let known = |region: &Value| {
            lesions(&truth).iter().any(|l| region_of(document, l).is_some_and(|r| r == region))
        };
        for region in regions(document).iter().filter(|r| r["class"] == "lesion") {
            assert!(known(region), "patient-{of}/t{number}: {region:#}");
        }
        for (site, organ) in [
            ("urinary bladder", "bladder"),
            ("brain", "brain"),
            ("left kidney", "kidney left"),
            ("right kidney", "kidney right"),
        ] {
            let middle = place(&truth["organs_mm"][organ]);
            // A bladder is 6 cm across, a kidney 10 cm long, a brain 16 cm; all of them are hot.
            let reach = if organ == "brain" { 90.0 } else { 50.0 };
            let found = regions(document).iter().find(|r| {
                r["site"] == site
                    && r["class"] == "physiologic"
                    && place(&r["centroid_mm"]).distance(middle) < reach
            });
            assert!(found.is_some(), "patient-{of}/t{number}: no {organ}");
        }
    }
}

#[test]
fn every_lesion_of_the_truth_is_suspect() {
    for (of, number) in SCANS {
        let document = &scored(of, number).document;
        for lesion in lesions(&truth(&scan(of, number))) {
            let region = region_of(document, lesion).unwrap();
            let name = format!("patient-{of}/t{number}: {}", lesion["name"]);
            assert_ne!(region["class"], "physiologic", "{name}: {}", region["reason"]);
        }
    }
}

#[test]
fn documents_follow_their_schema() {
    for (of, number) in SCANS {
        let run = scored(of, number);
        validate(&run.document);
        let name = serde_json::json!({"name": "petct-score", "version": 1});
        assert_eq!(run.document["schema"], name);
    }
    let mut broken = scored(1, 0).document.clone();
    broken["lesions"][0]["suv_max"] = "hot".into();
    assert!(std::panic::catch_unwind(|| validate(&broken)).is_err(), "the schema has no teeth");
}

/// What a key of the interface holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Count,
    Flag,
    Position,
    Texts,
    List,
}

impl Kind {
    fn holds(self, value: &Value) -> bool {
        let texts = |v: &Value| v.as_array().is_some_and(|v| v.iter().all(Value::is_string));
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Count => value.is_u64(),
            Self::Flag => value.is_boolean(),
            Self::Position => value.as_array().is_some_and(|v| {
                v.len() == 3 && v.iter().all(|n| n.as_f64().is_some_and(f64::is_finite))
            }),
            Self::Texts => texts(value),
            Self::List => value.is_array(),
        }
    }
}

#[track_caller]
fn check_keys(document: &Value, place: &str, keys: &[(&str, Kind)]) {
    let part = document.pointer(place).unwrap_or_else(|| panic!("{place} is missing"));
    for (key, kind) in keys {
        let value = part.get(key).unwrap_or_else(|| panic!("{place}/{key} is missing"));
        assert!(kind.holds(value), "{place}/{key} is {value}, not {kind:?}");
    }
}

#[test]
fn the_keys_of_the_interface_are_there() {
    use Kind::{Count, Flag, List, Number, Position, Text, Texts};
    let document = &scored(2, 0).document;
    for reference in ["liver", "blood_pool"] {
        check_keys(
            document,
            &format!("/references/{reference}"),
            &[
                ("status", Text),
                ("method", Text),
                ("centre_mm", Position),
                ("volume_ml", Number),
                ("voxels", Count),
                ("suv_mean", Number),
                ("suv_sd", Number),
                ("suv_max", Number),
                ("suv_median", Number),
                ("reasons", Texts),
            ],
        );
    }
    for n in 0..regions(document).len() {
        check_keys(
            document,
            &format!("/lesions/{n}"),
            &[
                ("id", Count),
                ("class", Text),
                ("site", Text),
                ("centroid_mm", Position),
                ("hottest_mm", Position),
                ("suv_max", Number),
                ("suv_mean", Number),
                ("suv_peak", Number),
                ("volume_ml", Number),
                ("tlg_g", Number),
                ("deauville", Count),
            ],
        );
    }
    check_keys(
        document,
        "/deauville",
        &[
            ("score", Count),
            ("convention", Text),
            ("liver_statistic", Text),
            ("lesion_statistic", Text),
            ("alternatives", List),
            ("if_uncertain_are_lesions", Count),
            ("borderline", Flag),
            ("margin_percent", Number),
        ],
    );
    check_keys(document, "/deauville/alternatives/0", &[("convention", Text), ("score", Count)]);
    check_keys(document, "/qpet", &[("value", Number), ("score", Count)]);
    let totals = [("lesions", Count), ("tmtv_ml", Number), ("tlg_g", Number), ("dmax_mm", Number)];
    check_keys(document, "/totals", &totals);
    let number = |key: &str| document["totals"][key].as_f64().unwrap();
    let (weight_kg, height_cm) = (79.0_f64, 174.0_f64);
    // Du Bois: 0.007184 W^0.425 H^0.725, H in centimetres.
    let body = 0.007_184 * weight_kg.powf(0.425) * height_cm.powf(0.725);
    let sdmax = number("dmax_mm") / 1000.0 / body;
    assert!((number("sdmax_per_m") / sdmax - 1.0).abs() < 1e-3, "{sdmax}");
    check_keys(document, "", &[("threshold", Text), ("warnings", List), ("petct_version", Text)]);
}

/// Numbers of one document agree with each other.
#[test]
fn regions_are_numbered_and_add_up() {
    for (of, number) in SCANS {
        let document = &scored(of, number).document;
        let all = regions(document);
        let ids: Vec<u64> = all.iter().map(|r| r["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, (1..=all.len() as u64).collect::<Vec<_>>());
        let number_of = |r: &Value, key: &str| r[key].as_f64().unwrap();
        for pair in all.windows(2) {
            assert!(number_of(&pair[0], "suv_max") >= number_of(&pair[1], "suv_max"));
        }
        for region in all {
            let tlg = number_of(region, "volume_ml") * number_of(region, "suv_mean");
            assert!((number_of(region, "tlg_g") / tlg - 1.0).abs() < 1e-9);
            assert!(number_of(region, "suv_mean") <= number_of(region, "suv_max"));
        }
        let burden = all.iter().filter(|r| r["class"] == "lesion" && r["below_threshold"] == false);
        let (ml, grams) = burden.fold((0.0, 0.0), |(ml, grams), r| {
            (ml + number_of(r, "volume_ml"), grams + number_of(r, "tlg_g"))
        });
        let totals = &document["totals"];
        assert!((number_of(totals, "tmtv_ml") - ml).abs() < 1e-6);
        assert!((number_of(totals, "tlg_g") - grams).abs() < 1e-6 * grams.max(1.0));
    }
}

#[test]
fn documents_and_pictures_are_written_and_tell_the_same() {
    for (of, number) in SCANS {
        let run = scored(of, number);
        let names: Vec<&str> = run.files.keys().map(String::as_str).collect();
        let pictures = ["blood_pool.png", "liver.png", "score.png"];
        let documents = ["score.json", "score.png", "score.txt"];
        assert_eq!(
            names,
            [&["blood_pool.png", "decisions.toml", "liver.png", "report.html"], &documents[..]]
                .concat()
        );
        assert_eq!(run.files["score.json"], run.json);
        for name in pictures {
            let (width, height) = check_png(&run.files[name]);
            let usual = (400..4000).contains(&width) && (300..4000).contains(&height);
            assert!(usual, "{name}: {width} {height}");
        }
        let page = text(&run.files["score.txt"]);
        check_text(&page);
        let score = run.document["deauville"]["score"].as_u64().unwrap();
        assert!(page.contains(&format!("Deauville {score}")), "{page}");
    }
}

fn listing(folder: &std::path::Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        if path.is_dir() {
            found.append(&mut listing(&path));
        }
        found.insert(path, entry.metadata().unwrap().len());
    }
    found
}

#[test]
fn nothing_is_written_beside_the_input() {
    let input = scan(1, 2);
    let before = listing(&input);
    let output = petct(&["score", arg(&input)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    check_text(&text(&output.stdout));
    for inside in [input.clone(), input.join("results"), input.join("pet/../new")] {
        let refused = petct(&["score", arg(&input), "-o", arg(&inside), "--format", "json"]);
        assert_eq!(refused.status.code(), Some(2));
        let error: Value = serde_json::from_slice(&refused.stdout).unwrap();
        validate(&error);
        assert_eq!(error["error"]["code"], "output_in_input");
    }
    assert_eq!(listing(&input), before);
}

#[test]
fn a_second_run_with_one_thread_writes_the_same_bytes() {
    let again = crate::samples::Run::new(&["score", arg(&scan(2, 1)), "--threads", "1"]);
    let first = scored(2, 1);
    assert!(first.json == again.json, "the documents differ");
    assert!(first.files == again.files, "the files differ");
}

#[test]
fn a_refused_liver_leaves_no_score() {
    // The corner of the field of view: air.
    let air = petct(&["score", arg(&scan(2, 2)), "--liver=-250,-250,-300,15", "--format=json"]);
    assert_eq!(air.status.code(), Some(1), "{}", text(&air.stderr));
    let document: Value = serde_json::from_slice(&air.stdout).unwrap();
    validate(&document);
    let liver = &document["references"]["liver"];
    assert_eq!((&liver["status"], &liver["method"]), (&"refused".into(), &"given_sphere".into()));
    let reasons: Vec<&str> =
        liver["reasons"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(reasons.len() >= 2, "{reasons:?}");
    assert!(reasons.last().unwrap().contains("--liver"), "{reasons:?}");
    assert!(document["deauville"]["score"].is_null());
    assert!(document["deauville"]["score_reason"].as_str().unwrap().contains("liver"));
    assert!(document["qpet"].is_null());
    // A threshold by the liver has nothing to stand on.
    let flags = ["--liver=-250,-250,-300,15", "--threshold=liver", "--format=json"];
    let failed = petct(&[&["score", arg(&scan(2, 2))], &flags[..]].concat());
    assert_eq!(failed.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(error["error"]["code"], "threshold_needs_liver");
}

#[test]
fn a_given_liver_is_measured_where_it_was_given() {
    let folder = scan(2, 2);
    let truth = truth(&folder);
    let [x, y, z] = place(&truth["measured"]["liver"]["centre_mm"]).to_array();
    let liver = format!("--liver={x},{y},{z},15");
    let output = petct(&["score", arg(&folder), &liver, "--threshold=41%", "--format=json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &document["references"]["liver"];
    assert_eq!((&found["status"], &found["method"]), (&"ok".into(), &"given_sphere".into()));
    let expected = &truth["measured"]["liver"];
    for key in ["suv_mean", "suv_max", "suv_sd"] {
        // The truth has three decimals; the file has 16 bits a voxel.
        close(&found[key], expected[key].as_f64().unwrap(), 0.005);
    }
    assert_eq!(document["threshold"], "41%");
}

#[test]
fn the_patient_is_named_only_where_that_is_asked_for() {
    let named = petct(&["score", arg(&scan(1, 2)), "--show-identifiers", "--format", "json"]);
    let document: Value = serde_json::from_slice(&named.stdout).unwrap();
    validate(&document);
    let patient = document["patient"].as_object().unwrap();
    // A sex is a letter, which stands in words too.
    let secrets: Vec<&str> =
        patient.values().filter_map(Value::as_str).filter(|text| text.len() > 1).collect();
    assert!(secrets.len() >= 2, "{patient:?}");
    let run = scored(1, 2);
    let files = ["score.json", "score.txt", "report.html"].map(|name| text(&run.files[name]));
    for secret in secrets {
        for shown in &files {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    assert!(run.document.get("patient").is_none());
}

#[test]
fn the_lung_cancer_scan() {
    let Some(root) = shared_data("acrin-nsclc-042") else { return };
    let output = petct(&["score", arg(&root), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    validate(&document);
    assert_eq!(document["series"]["units"], "BQML");
    close(&document["suv"]["factor_min"], 4.2111e-4, 1e-5);
    assert!(document["ct_series_uid"].as_str().unwrap().ends_with("94858561"));
    let references = &document["references"];
    let liver = references["liver"]["suv_mean"].as_f64().unwrap();
    assert_eq!(references["liver"]["status"], "ok");
    assert!((1.5..2.2).contains(&liver), "{liver}");
    let pool = &references["blood_pool"];
    assert_eq!(pool["status"], "ok");
    // In the CT the descending aorta runs here, straight upwards.
    let off = place(&pool["centre_mm"]) - DVec3::new(36.0, 18.0, -105.0);
    assert!(off.truncate().length() <= 8.0 && off.z.abs() < 60.0, "{off}");
    let lesion_at = |x: f64, y: f64, z: f64| {
        regions(&document).iter().find(|r| {
            r["class"] == "lesion" && place(&r["hottest_mm"]).distance(DVec3::new(x, y, z)) < 15.0
        })
    };
    let tumour = lesion_at(-40.0, -26.0, -99.0).unwrap();
    assert!(tumour["suv_max"].as_f64().unwrap() > 40.0);
    assert!(lesion_at(-40.0, -7.0, -141.0).is_some());
    assert_eq!(document["deauville"]["score"], 5);
    check_no_lesion_in_kidneys(&document);
}

/// Where physiologic kidneys are named, no lesion is within the box around them.
fn check_no_lesion_in_kidneys(document: &Value) {
    for site in ["left kidney", "right kidney"] {
        let kidney: Vec<&Value> = regions(document).iter().filter(|r| r["site"] == site).collect();
        assert!(!kidney.is_empty(), "no {site}");
        assert!(kidney.iter().all(|r| r["class"] != "lesion"), "{kidney:#?}");
    }
}

#[test]
fn the_sarcoma_scan_from_pet_alone() {
    let Some(root) = shared_data("sts001/pet") else { return };
    let output = petct(&["score", arg(&root), "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    validate(&document);
    let references = &document["references"];
    let liver = &references["liver"];
    assert_eq!((&liver["status"], &liver["method"]), (&"ok".into(), &"automatic_pet".into()));
    let pool = &references["blood_pool"];
    if pool["status"] == "ok" {
        let myocardium = DVec3::new(30.0, -26.0, -299.0);
        let off = place(&pool["centre_mm"]).distance(myocardium);
        assert!(off > 40.0, "{off:.0} mm from the myocardium");
    }
    assert_eq!(output.status.code(), Some(i32::from(document["deauville"]["score"].is_null())));
}
