//! `petct compare --table`: the case report, and what scripts meet.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::documents::validate;
use crate::cli::{arg, document, petct, text};

fn case_report() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/visits/case-report.csv")
}

/// A table in a folder of its own.
struct Table {
    root: TempDir,
}

impl Table {
    fn new(rows: &str) -> Self {
        let table = Self { root: TempDir::new().unwrap() };
        fs::write(table.file("visits.csv"), rows).unwrap();
        table
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Status and document, checked against its schema.
    fn run(&self, more: &[&str]) -> (i32, Value) {
        let table = self.file("visits.csv");
        let arguments = [&["compare", "--table", arg(&table), "--format", "json"], more].concat();
        let output = petct(&arguments);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        validate(&found);
        (output.status.code().unwrap(), found)
    }
}

/// The pair of these visits.
fn pair<'a>(patient: &'a Value, follow_up: &str, baseline: &str) -> &'a Value {
    let name = |index: &Value| &patient["visits"][index.as_u64().unwrap() as usize]["visit"];
    let mut pairs = patient["pairs"].as_array().unwrap().iter();
    pairs.find(|p| name(&p["follow_up"]) == follow_up && name(&p["baseline"]) == baseline).unwrap()
}

/// Codes of reasons or warnings.
fn codes(list: &Value) -> Vec<String> {
    let code = |item: &Value| match item {
        Value::String(reason) => reason.split(':').next().unwrap().to_owned(),
        warning => warning["code"].as_str().unwrap().to_owned(),
    };
    list.as_array().unwrap().iter().map(code).collect()
}

/// Every row of the case report: patient, follow-up, category, score, reasons beside those of every pair.
#[test]
fn the_case_report() {
    let found = document(&["compare", "--table", arg(&case_report())]);
    validate(&found);
    let always = ["CRITERIA_OFF_LABEL", "QUALITY_UNKNOWN"];
    let new = ["NEW_LESION"; 4];
    let mixed = [&new[..], &["MIXED_RESPONSE"]].concat();
    let rows: [(usize, &str, &str, u8, &[&str]); 5] = [
        (0, "T1", "PMD", 5, &mixed),
        (0, "T2", "CMR", 1, &["SCORE_NEGATIVE"]),
        (1, "T1", "PMR", 4, &["REDUCED_UPTAKE"]),
        (1, "T2", "PMR", 4, &["REDUCED_UPTAKE", "NEW_SITE_UNVERIFIED"]),
        (2, "T2", "PMD", 5, &["NEW_LESION", "MIXED_RESPONSE"]),
    ];
    for (patient, visit, category, score, reasons) in rows {
        let place = format!("patient {patient}, {visit}");
        let pair = pair(&found["patients"][patient], visit, "T0");
        assert_eq!(pair["lugano"]["category"], category, "{place}");
        assert_eq!(pair["lugano"]["deauville"], score, "{place}");
        assert_eq!(codes(&pair["lugano"]["reasons"]), [&always[..], reasons].concat(), "{place}");
        assert_eq!(pair["comparability"]["verdict"], "INSUFFICIENT_INFORMATION", "{place}");
        // The table itself says that the rows are one patient and, where all are named, which sites were seen; the report
        // says nothing of scanner, dose, weight, uptake time, glucose or date.
        let checks = pair["comparability"]["checks"].as_array().unwrap();
        let told = |check: &&Value| check["id"] == "Q10" || check["id"] == "Q11";
        assert!(checks.iter().filter(|c| !told(c)).all(|c| c["result"] == "unknown"), "{place}");
        assert_eq!(pair["alignment"], Value::Null);
        assert_eq!(pair["lesions"], Value::Null);
    }
    let off_label = &found["warnings"][0];
    assert_eq!(off_label["code"], "CRITERIA_OFF_LABEL");
    assert!(off_label["message"].as_str().unwrap().ends_with("not validated for ALL"));
}

#[test]
fn numbers_of_the_case_report() {
    let found = document(&["compare", "--table", arg(&case_report())]);
    let patients = &found["patients"];
    // SUVmax 7.7 to 4: the fall, the rule it does not meet, and the guard.
    let t2 = pair(&patients[1], "T2", "T0");
    assert_eq!(format!("{:.2}", t2["delta_suv_max_percent"].as_f64().unwrap()), "-48.05");
    let delta = &t2["delta_suv_max"];
    assert_eq!(format!("{:.2}", delta["percent"].as_f64().unwrap()), "48.05");
    assert_eq!((&delta["cutoff_percent"], &delta["favourable"]), (&json!(66.0), &json!(false)));
    assert_eq!(codes(&delta["reasons"]), ["BASELINE_SUVMAX_LT_10"]);
    assert_eq!(codes(&t2["warnings"]), ["NEW_SITE_UNVERIFIED", "BASELINE_SUVMAX_LT_10"]);
    assert!(t2["warnings"][0]["message"].as_str().unwrap().starts_with("hepatic hilus"));
    let statements: Vec<_> = t2["sensitivity"].as_array().unwrap().iter().collect();
    let texts: Vec<_> = statements.iter().map(|s| s["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "PMR would be CMR if the liver reference were at least 4.00 (it is not known)",
            "PMR would be NMR if the hottest uptake were above 5.78 (-25.0 %; it is 4.00)",
            "PMR would be PMD if hepatic hilus were new lymphoma",
        ]
    );
    // Resolved is not -100 % of something that was not measured.
    let t2 = pair(&patients[0], "T2", "T0");
    assert_eq!(t2["delta_suv_max_percent"], Value::Null);
    assert_eq!(codes(&t2["delta_suv_max"]["reasons"]), ["RESOLVED"]);
    assert_eq!(t2["delta_suv_max"]["favourable"], true);
    assert_eq!(patients[0]["visits"][2]["suv_max"], Value::Null);
    // A score at baseline is no response, and the sites keep theirs.
    let t0 = &patients[0]["visits"][0];
    assert_eq!(
        (&t0["deauville"]["score"], &t0["deauville"]["is_response"]),
        (&json!(5), &json!(false))
    );
    let scores: Vec<_> = t0["sites"].as_array().unwrap().iter().map(|s| &s["deauville"]).collect();
    assert_eq!(scores, [&json!(5), &json!(4), &json!(4)]);
    // The visit before the baseline takes no part.
    assert_eq!(patients[1]["baseline"], 1);
    assert!(patients[1]["pairs"].as_array().unwrap().iter().all(|p| p["baseline"] != 0));
}

#[test]
fn text_for_people() {
    let output = petct(&["compare", "--table", arg(&case_report())]);
    assert_eq!(output.status.code(), Some(0));
    let page = text(&output.stdout);
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    assert!(
        page.contains("T1 against T0: PMD (progressive metabolic disease), Deauville 5\n"),
        "{page}"
    );
    assert!(
        page.contains("T2 against T0: CMR (complete metabolic response), Deauville 1\n"),
        "{page}"
    );
    assert!(page.contains("SUVmax -48.1 %"), "{page}");
}

#[test]
fn patients_have_no_names_unless_asked() {
    let table =
        Table::new("patient,visit,deauville,new_lesions\nDoe Jane,T0,5,\nDoe Jane,T1,2,no\n");
    let (status, found) = table.run(&[]);
    assert_eq!(status, 0);
    assert!(!found.to_string().contains("Doe"), "{found:#}");
    let (_, shown) = table.run(&["--show-identifiers"]);
    assert_eq!(shown["patients"][0]["patient"], "Doe Jane");
}

#[test]
fn statuses_and_files() {
    // No call against the baseline; then no follow-up.
    let table = Table::new("visit,deauville,suv_max\nT0,5,20\nT1,,4\n");
    assert_eq!(table.run(&[]).0, 1);
    assert_eq!(Table::new("visit,deauville\nT0,5\n").run(&[]).0, 1);
    let table = Table::new("visit,deauville,suv_max\nT0,5,20\nT1,4,4\n");
    let out = table.file("out");
    let (status, found) = table.run(&["-o", arg(&out)]);
    assert_eq!((status, &found["files"]), (0, &json!(["visits.json", "visits.txt"])));
    let written: Value =
        serde_json::from_str(&fs::read_to_string(out.join("visits.json")).unwrap()).unwrap();
    assert_eq!(written, found);
    assert!(fs::read_to_string(out.join("visits.txt")).unwrap().contains("PMR"));
    // Beside the input nothing is written.
    let folder = table.root.path().to_owned();
    let (status, found) = table.run(&["-o", arg(&folder)]);
    assert_eq!((status, &found["error"]["code"]), (2, &json!("output_in_input")));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn criteria_are_chosen_as_for_images() {
    let table = Table::new(
        "visit,suv_max,liver_suv_max,blood_pool_suv_max,new_lesions\nT0,20,2.8,1.6,\nT1,7.7,2.8,1.6,no\n",
    );
    let score = |criteria: &[&str]| {
        let (_, found) = table.run(criteria);
        let visit = &found["patients"][0]["visits"][1]["deauville"];
        (visit["convention"].as_str().unwrap().to_owned(), visit["score"].as_u64())
    };
    assert_eq!(score(&[]), ("lugano-max-3x".into(), Some(4)));
    assert_eq!(score(&["--criteria", "lugano-max-2x"]), ("lugano-max-2x".into(), Some(5)));
}

#[test]
fn sizes_on_ct_stand_beside_uptake() {
    let head = "visit,deauville,suv_max,new_lesions,spleen_mm,ct_non_target,marrow_biopsy";
    let table = Table::new(&format!(
        "{head}\nT0,5,20,,150,absent,normal\nT1,4,4,no,128,absent,normal\nT2,4,4,no,128,absent,normal\n"
    ));
    let sizes = "visit,lesion,kind,long_mm,short_mm\nT0,neck,node,30,20\nT1,neck,node,14,10\nT2,neck,node,19,13\n";
    fs::write(table.file("sizes.csv"), sizes).unwrap();
    let sizes = table.file("sizes.csv");
    let (status, found) = table.run(&["--diameters", arg(&sizes)]);
    assert_eq!(status, 0);
    let patient = &found["patients"][0];
    let ct = |visit| &pair(patient, visit, "T0")["lugano_ct"];
    assert_eq!((&ct("T1")["category"], &ct("T1")["spd_mm2"]), (&json!("CR"), &json!(140.0)));
    // From the lowest, 1.4 x 1.0 cm, to 1.9 x 1.3 cm.
    assert_eq!((&ct("T2")["category"], &ct("T2")["spd_nadir_mm2"]), (&json!("PD"), &json!(140.0)));
    assert_eq!(codes(&ct("T2")["reasons"]), ["CT_LESION_GROWN"]);
    assert_eq!(pair(patient, "T2", "T1")["lugano_ct"], Value::Null);
}

#[test]
fn what_cannot_be_used() {
    let rows = [
        ("visit,SUVmax\nT0,1\n", "table_columns", "line 1: the column \"SUVmax\" is not known"),
        ("visit,suv_max\nT0,\"7,7\"\n", "table_row", "line 2, column \"suv_max\": \"7,7\""),
        ("visit;suv_max\nT0;7.7\n", "not_a_table", "not separated by commas"),
        ("visit\n", "table_empty", "no row"),
    ];
    for (text, code, sentence) in rows {
        let (status, found) = Table::new(text).run(&[]);
        assert_eq!((status, &found["error"]["code"]), (2, &json!(code)), "{text}");
        let message = found["error"]["message"].as_str().unwrap();
        assert!(message.contains(sentence) && message.lines().count() == 1, "{message}");
    }
    let table = Table::new("visit\nT0\n");
    let missing = table.file("absent.csv");
    assert_eq!(table.run(&["--diameters", arg(&missing)]).1["error"]["code"], "unreadable_table");
    assert_eq!(table.run(&["scan"]).1["error"]["code"], "usage");
    assert_eq!(table.run(&["--weight-kg", "70"]).1["error"]["code"], "usage");
}
