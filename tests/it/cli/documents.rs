//! Documents: their schemas, what is in them and what never is.

use std::fs;
use std::path::{Path, PathBuf};

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use glam::DVec3;
use petct::report::json_schemas;
use serde_json::Value;
use tempfile::TempDir;

use super::{arg, document, petct, text};
use crate::synthetic::Synthetic;

/// A PET with its CT, and a mask of two regions on the PET.
struct Scan {
    root: TempDir,
}

impl Scan {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        Synthetic::pet().write(&root.path().join("scan/pet"));
        Synthetic::ct().write(&root.path().join("scan/ct"));
        let scan = Self { root };
        let suv = scan.file("suv.nii");
        document(&["suv", arg(&scan.folder()), "-o", arg(&suv)]);
        let mut mask = petct::nifti_file::read(&suv).unwrap().map(|_| 0.0);
        for (n, value) in mask.values_mut()[40..60].iter_mut().enumerate() {
            *value = if n < 8 { 1.0 } else { 2.0 };
        }
        petct::nifti_file::write(scan.file("mask.nii.gz"), &mask).unwrap();
        scan
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("scan")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A run of every command that reads a scan.
    fn commands(&self) -> Vec<Vec<String>> {
        let (folder, mask) = (self.folder(), self.file("mask.nii.gz"));
        let commands = [
            vec!["inspect", arg(&folder)],
            vec!["suv", arg(&folder)],
            vec!["suv", arg(&folder), "--suv", "bw", "--dose-mbq", "300", "--injected-at", "08:55"],
            vec!["measure", arg(&folder), "--mask", arg(&mask)],
        ];
        commands.map(|command| command.into_iter().map(str::to_owned).collect()).into()
    }
}

fn slices(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

fn schema_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema")
}

/// `BLESS=1 cargo test` writes them anew.
#[test]
fn committed_schemas_are_those_of_the_documents() {
    let mut names = Vec::new();
    for (name, schema) in json_schemas() {
        let path = schema_folder().join(format!("{name}.json"));
        let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(schema_folder()).unwrap();
            fs::write(&path, &current).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == current, "{} is out of date: run with BLESS=1", path.display());
        names.push(format!("{name}.json"));
    }
    let files = fs::read_dir(schema_folder()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let strangers: Vec<_> = files.filter(|file| !names.contains(file)).collect();
    assert_eq!(strangers, [""; 0], "schemas without a document");
}

/// Checks a document against the schema it names.
pub(crate) fn validate(document: &Value) {
    let name = document["schema"]["name"].as_str().unwrap_or("petct-error");
    let text = fs::read_to_string(schema_folder().join(format!("{name}.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<_> = validator.iter_errors(document).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, [""; 0], "{document:#}");
}

#[test]
fn documents_follow_their_schemas_and_say_what_they_are() {
    let scan = Scan::new();
    let listed = vec![vec!["phantom".to_owned(), "list".to_owned()]];
    for command in scan.commands().into_iter().chain(listed) {
        let document = document(&slices(&command));
        validate(&document);
        let name = format!("petct-{}", command[0]);
        assert_eq!(document["schema"], serde_json::json!({"name": name, "version": 1}));
        assert_eq!(document["petct_version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(document["research_use"], petct::report::RESEARCH_USE);
    }
    let error = petct(&["suv", "/none", "--format=json"]);
    validate(&serde_json::from_slice(&error.stdout).unwrap());
    // The schema has teeth: a document of another command does not pass.
    let mut other = document(&["suv", arg(&scan.folder())]);
    other.as_object_mut().unwrap().remove("suv");
    assert!(std::panic::catch_unwind(|| validate(&other)).is_err());
}

#[test]
fn the_keys_of_the_interface_are_there() {
    let scan = Scan::new();
    let commands = scan.commands();
    let rows: &[(usize, &str, &[&str])] = &[
        (
            0,
            "/studies/0/series/0",
            &[
                "series_uid",
                "modality",
                "description",
                "manufacturer",
                "slices",
                "shape",
                "spacing_mm",
                "usable",
                "reasons",
            ],
        ),
        (
            0,
            "/studies/0/series/0/suv",
            &["computable", "kind", "factor_min", "factor_max", "clock", "uptake_minutes"],
        ),
        (1, "/series", &["series_uid", "manufacturer", "shape", "spacing_mm"]),
        (1, "/suv", &["kind", "factor_min", "factor_max", "min", "max", "mean"]),
        (1, "/clock", &["rule", "reference_time", "injection_time", "uptake_minutes"]),
        (1, "/decay_factor", &["form", "max_relative_deviation"]),
        (1, "", &["inputs", "alternatives", "edited", "warnings"]),
        (
            3,
            "/regions/1",
            &[
                "name",
                "voxels",
                "volume_ml",
                "suv_min",
                "suv_max",
                "suv_mean",
                "suv_sd",
                "suv_median",
                "suv_peak_global",
                "suv_peak_local",
                "tlg_g",
            ],
        ),
    ];
    for (command, place, keys) in rows {
        let document = document(&slices(&commands[*command]));
        let part =
            document.pointer(place).unwrap_or_else(|| panic!("{place} is missing")).as_object();
        for key in *keys {
            assert!(part.unwrap().contains_key(*key), "{place}/{key} is missing");
        }
    }
}

#[test]
fn a_null_has_its_reason_beside_it() {
    let scan = Scan::new();
    for command in scan.commands() {
        check_nulls(&document(&slices(&command)), "");
    }
    // No slice of the synthetic series has a DecayFactor.
    let document = document(&["suv", arg(&scan.folder())]);
    let evidence = &document["decay_factor"];
    assert!(evidence["max_relative_deviation"].is_null());
    assert!(evidence["max_relative_deviation_reason"].is_string());
}

/// Texts that are not asked for or not in the header may be `null` alone; numbers may not.
fn check_nulls(value: &Value, place: &str) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let told = ["number", "units", "file"].contains(&key.as_str())
                    || map.keys().any(|other| other.ends_with("_reason"));
                assert!(!value.is_null() || told, "{place}/{key} is null without a reason");
                check_nulls(value, &format!("{place}/{key}"));
            }
        }
        Value::Array(values) => values.iter().for_each(|value| check_nulls(value, place)),
        _ => {}
    }
}

#[test]
fn runs_and_threads_make_no_difference() {
    let scan = Scan::new();
    for command in scan.commands() {
        let run = |threads: &str| {
            let flags = ["--format", "json", "--threads", threads];
            petct(&[&slices(&command)[..], &flags[..]].concat()).stdout
        };
        let first = run("1");
        assert!(!first.is_empty());
        assert_eq!(first, run("1"), "{command:?}");
        assert_eq!(first, run("2"), "{command:?}");
    }
}

#[test]
fn the_patient_is_named_only_where_that_is_asked_for() {
    let scan = Scan::new();
    for command in scan.commands() {
        for flags in [&["-v"][..], &["--format", "json"]] {
            let output = petct(&[&slices(&command)[..], flags].concat());
            let all = text(&output.stdout) + &text(&output.stderr);
            assert!(!all.contains("Secret") && !all.contains("SECRET"), "{command:?}: {all}");
            let named = petct(&[&slices(&command)[..], flags, &["--show-identifiers"]].concat());
            let all = text(&named.stdout);
            assert!(all.contains("Doe^Secret") && all.contains("SECRET-ID"), "{command:?}: {all}");
        }
    }
}

#[test]
fn text_fits_its_columns() {
    let scan = Scan::new();
    for command in scan.commands() {
        for flags in [&[][..], &["-v"], &["--show-identifiers"]] {
            let output = petct(&[&slices(&command)[..], flags].concat());
            for line in text(&output.stdout).lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
            assert!(text(&output.stdout).contains(petct::report::RESEARCH_USE));
            assert!(!text(&output.stdout).contains('\u{1b}'), "no colours in a pipe");
        }
    }
}

#[test]
fn the_written_volume_is_the_one_described() {
    let scan = Scan::new();
    let file = scan.file("again.nii.gz");
    let document = document(&["suv", arg(&scan.folder()), "-o", arg(&file)]);
    assert_eq!(document["file"], arg(&file));
    let volume = petct::nifti_file::read(&file).unwrap();
    let factor = document["suv"]["factor_min"].as_f64().unwrap();
    // Voxel [s, r, c] stores 100 s + 10 r + c and slice s has the slope 0.5 + s.
    let highest = (100.0 * 5.0 + 10.0 * 4.0 + 3.0) * 5.5 * factor;
    super::close(&document["suv"]["max"], highest, 1e-6);
    super::close(&document["suv"]["max"], f64::from(volume[[5, 4, 3]]), 0.0);
    assert_eq!(document["suv"]["min"], 0.0);
    assert_eq!(volume.geometry().shape(), [6, 5, 4]);
}

#[test]
fn help_of_every_command_says_what_the_program_is_not() {
    for command in ["inspect", "suv", "measure", "score", "compare", "phantom"] {
        for flag in ["--help", "-h"] {
            let output = petct(&[command, flag]);
            assert_eq!(output.status.code(), Some(0));
            let help = text(&output.stdout);
            assert!(help.contains("research, not a medical device"), "{help}");
            assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        }
    }
    assert!(text(&petct(&["--help"]).stdout).contains("research, not a medical device"));
    assert!(text(&petct(&["--version"]).stdout).starts_with("petct "));
}

#[test]
fn inspect_says_which_series_would_be_used_and_why_not_the_others() {
    let scan = Scan::new();
    let denied = Synthetic {
        series_uid: "1.2.3.3".into(),
        description: "PET NAC".into(),
        ..Synthetic::pet()
    };
    denied.write(&scan.folder().join("nac"));
    let document = document(&["inspect", arg(&scan.folder())]);
    let entry = &document["scans"][0];
    assert_eq!(
        (&entry["selected"]["pet"], &entry["selected"]["ct"]),
        (&"1.2.3.1".into(), &"1.2.3.2".into())
    );
    assert_eq!(entry["set_aside"][0]["series_uid"], "1.2.3.3");
    assert!(
        entry["set_aside"][0]["reason"].as_str().unwrap().contains("not attenuation corrected")
    );
    let pet = &document["studies"][0]["series"][0];
    assert_eq!(
        (&pet["modality"], &pet["usable"], &pet["slices"]),
        (&"PT".into(), &true.into(), &6.into())
    );
    assert_eq!(
        (&pet["suv"]["clock"], &pet["suv"]["uptake_minutes"]),
        (&"series_time".into(), &60.0.into())
    );
}

/// Headers alone show a dose that does not go with the weight, an unusual uptake time and clocks that disagree.
#[test]
fn inspect_says_what_looks_wrong() {
    let root = TempDir::new().unwrap();
    let odd = Synthetic::pet()
        .with(tags::PATIENT_WEIGHT, VR::DS, "20")
        .with(tags::SERIES_TIME, VR::TM, "113000")
        .with(tags::ACQUISITION_TIME, VR::TM, "113000")
        .with(tags::MANUFACTURER, VR::LO, "GE MEDICAL SYSTEMS")
        .with(Tag(0x0009, 0x0010), VR::LO, "GEMS_PETD_01")
        .with(Tag(0x0009, 0x100D), VR::DT, "20260102112000");
    odd.write(root.path());
    let document = document(&["inspect", arg(root.path())]);
    let of = |warnings: &Value| {
        let codes = warnings.as_array().unwrap().iter().map(|w| w["code"].as_str().unwrap());
        codes.map(str::to_owned).collect::<Vec<_>>()
    };
    let series = of(&document["studies"][0]["series"][0]["suv"]["warnings"]);
    for code in ["DOSE_PER_WEIGHT_UNUSUAL", "UPTAKE_UNUSUAL", "CLOCKS_DISAGREE"] {
        assert!(series.iter().any(|found| found == code), "{code} is not among {series:?}");
        assert!(of(&document["warnings"]).iter().any(|found| found == code), "{code}");
    }
}

/// Slices that contradict each other have no SUV, whatever the first of them says; units in small letters have.
#[test]
fn inspect_and_suv_agree_on_what_is_computable() {
    let of = |series: Synthetic| {
        let root = TempDir::new().unwrap();
        series.write(root.path());
        let found = document(&["inspect", arg(root.path())]);
        validate(&found);
        let status = petct(&["suv", arg(root.path())]).status.code();
        (found["studies"][0]["series"][0]["suv"].clone(), status)
    };
    let mut heavier = Synthetic::pet();
    heavier.put_in.push((3, crate::synthetic::text(tags::PATIENT_WEIGHT, VR::DS, "80")));
    let (outlook, status) = of(heavier);
    assert_eq!((&outlook["computable"], status), (&false.into(), Some(2)));
    let reason = outlook["factor_reason"]["message"].as_str().unwrap();
    assert!(reason.contains("PatientWeight (0010,1030) differs between slices"), "{reason}");
    let (outlook, status) = of(Synthetic::pet().with(tags::UNITS, VR::CS, "bqml"));
    assert_eq!((&outlook["computable"], status), (&true.into(), Some(0)));
}

/// The mean inside the body needs the image: it is read where that is asked for, and tells a dose of another patient.
#[test]
fn inspect_reads_pixels_where_asked() {
    let root = TempDir::new().unwrap();
    // A body of 40 x 30 x 80 cm with SUV 1 in air: 70 kg, and what an hour leaves of 370 MBq.
    let body = Synthetic {
        shape: [80, 50, 60],
        spacing_mm: [10.0; 3],
        origin_mm: DVec3::ZERO,
        stored: |[_, r, c]| if (10..40).contains(&r) && (10..50).contains(&c) { 3619 } else { 20 },
        slope: |_| 1.0,
        ..Synthetic::pet()
    };
    let of = |name: &str, series: Synthetic, flags: &[&str]| {
        let folder = root.path().join(name);
        series.write(&folder);
        let command = [&["inspect", arg(&folder)], flags].concat();
        let found = document(&command);
        validate(&found);
        check_nulls(&found, "");
        let told = found["warnings"].to_string().contains("BODY_MEAN_UNUSUAL");
        (found["studies"][0]["series"][0]["suv"].clone(), told)
    };
    let (headers, _) = of("right", body.clone(), &[]);
    assert!(headers["body_mean"].is_null());
    let reason = headers["body_mean_reason"].as_str().unwrap();
    assert!(reason.contains("--pixels"), "{reason}");
    let (right, told) = of("right", body.clone(), &["--pixels"]);
    assert!((0.95..1.05).contains(&right["body_mean"].as_f64().unwrap()), "{right}");
    assert!(!told, "{right}");
    // Three times the weight: nothing in the headers contradicts it, the image does, and every command says so.
    let heavy = body.with(tags::PATIENT_WEIGHT, VR::DS, "210");
    let (wrong, told) = of("heavy", heavy, &["--pixels"]);
    assert!((2.85..3.15).contains(&wrong["body_mean"].as_f64().unwrap()) && told, "{wrong}");
    let suv = document(&["suv", arg(&root.path().join("heavy"))]);
    assert_eq!(suv["warnings"][0]["code"], "BODY_MEAN_UNUSUAL");
    assert_eq!(suv["suv"]["body_mean"], wrong["body_mean"]);
    // A piece of a body says nothing of the scale.
    let (small, told) = of("small", Synthetic::pet(), &["--pixels"]);
    assert!(small["body_mean"].is_null() && !told, "{small}");
    assert!(small["body_mean_reason"].as_str().unwrap().contains("litres"), "{small}");
}

#[test]
fn inspect_of_a_ct_alone_is_a_result() {
    let root = TempDir::new().unwrap();
    Synthetic::ct().write(root.path());
    let document = document(&["inspect", arg(root.path())]);
    validate(&document);
    assert!(document["scans"][0]["selected"].is_null());
    assert_eq!(document["scans"][0]["selected_reason"]["code"], "no_pet");
}

/// What the phantom's truth says is what comes back through its files.
#[test]
fn a_written_phantom_reads_back_as_its_truth() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("case");
    let written = document(&["phantom", "patient-1", "-o", arg(&folder)]);
    validate(&written);
    for scan in written["cases"][0]["scans"].as_array().unwrap() {
        let visit = folder.join(scan.as_str().unwrap());
        let truth = fs::read_to_string(visit.join("truth.json")).unwrap();
        let truth: Value = serde_json::from_str(&truth).unwrap();
        let found = document(&["suv", arg(&visit)]);
        // Dose and times are written with the digits of their attributes.
        super::close(&found["suv"]["factor_min"], truth["suv_per_bqml"].as_f64().unwrap(), 1e-6);
        super::close(
            &found["clock"]["uptake_minutes"],
            truth["uptake_secs"].as_f64().unwrap() / 60.0,
            1e-9,
        );
        let lesions = truth["lesions"].as_array().unwrap();
        let hottest = lesions.iter().map(|lesion| lesion["suv_max"].as_f64().unwrap());
        let max = found["suv"]["max"].as_f64().unwrap();
        assert!(hottest.fold(0.0, f64::max) <= max * 1.001, "{scan}: {max}");
    }
}
