//! Units, repairs and overrides: which number of the header is used, and what is said about it.

use super::clocks::{EXPECTED, check_rows, later, row};
use super::*;
use petct::suv::InjectedAt;

#[test]
fn repairs_are_loud() {
    check_rows(vec![
        row(
            "dose in MBq",
            with_injection(|i| i.total_dose = Value(368.08)),
            1.0,
            &["DOSE_UNIT_REPAIRED"],
        ),
        row(
            "dose in MBq where the standard says so",
            with_injection(|i| (i.total_dose, i.dose_in_megabecquerels) = (Value(368.08), true)),
            1.0,
            &["DECAY_TIME_NOT_STATED"],
        ),
        row(
            "dose in Bq where the standard says MBq",
            with_injection(|i| i.dose_in_megabecquerels = true),
            1.0,
            &["DOSE_UNIT_REPAIRED", "DECAY_TIME_NOT_STATED"],
        ),
        row(
            "unusual dose",
            with_injection(|i| i.total_dose = Value(2e9)),
            368.08 / 2000.0,
            &["DOSE_UNUSUAL"],
        ),
        row(
            "a child's dose for an adult",
            with_injection(|i| i.total_dose = Value(60e6)),
            368.08 / 60.0,
            &["DOSE_PER_WEIGHT_UNUSUAL"],
        ),
        row(
            "an adult's dose for a child",
            with(|a| a.patient_weight = Value(20.0)),
            20.0 / 70.0,
            &["DOSE_PER_WEIGHT_UNUSUAL"],
        ),
        row(
            "ten kilobecquerels a gram",
            with_injection(|i| i.total_dose = Value(700e6)),
            368.08 / 700.0,
            &[],
        ),
        row(
            "weight in grams",
            with(|a| a.patient_weight = Value(70_000.0)),
            1.0,
            &["WEIGHT_IN_GRAMS"],
        ),
        row(
            "half-life missing, F-18 coded",
            with_injection(|i| i.half_life_secs = Absent),
            1.0,
            &["HALF_LIFE_FROM_TABLE"],
        ),
        row(
            "half-life two percent off",
            with_injection(|i| i.half_life_secs = Value(6586.2 * 1.02)),
            (3600.0 / (6586.2 * 1.02) - 3600.0 / 6586.2_f64).exp2(),
            &["HALF_LIFE_UNUSUAL"],
        ),
        row(
            "two items, one FDG",
            with(|a| {
                a.radiopharmaceuticals
                    .push(Radiopharmaceutical { name: "PSMA".into(), ..Default::default() });
            }),
            1.0,
            &["SEVERAL_RADIOPHARMACEUTICALS"],
        ),
        row(
            "the same item twice",
            with(|a| a.radiopharmaceuticals.push(a.radiopharmaceuticals[0].clone())),
            1.0,
            &[],
        ),
        row(
            "QIBA's spelling DECAY",
            with(|a| a.corrected_image = vec!["ATTN".into(), "DECAY".into()]),
            1.0,
            &[],
        ),
        row(
            "uptake of 20 min",
            with_injection(|i| {
                (i.start_time, i.start_datetime) = (Value(time("10:40:00")), Absent);
            }),
            later(-40.0),
            &["UPTAKE_SHORT"],
        ),
        row(
            "uptake of 150 min",
            with_injection(|i| {
                (i.start_time, i.start_datetime) = (Value(time("08:30:00")), Absent);
            }),
            later(90.0),
            &["UPTAKE_UNUSUAL"],
        ),
    ]);
}

/// Warnings that the body and its formulas give.
#[test]
fn warnings_of_the_body() {
    let stored = |suv_type: &str, sex, weight| {
        with(|a| {
            (a.units, a.suv_type) = (Value("GML".into()), Value(suv_type.into()));
            (a.patient_weight, a.patient_size, a.patient_sex) =
                (Value(weight), Value(1.6), Value(sex));
        })
    };
    let small = with(|a| {
        (a.patient_weight, a.patient_size) = (Value(30.0), Value(1.3));
        a.radiopharmaceuticals[0].total_dose = Value(184.04e6);
    });
    let rows = [
        (
            with(|a| a.patient_size = Value(175.0)),
            SuvKind::LeanBodyMass,
            "SIZE_IN_CENTIMETRES",
            2.777_781e-4 * 55.8571 / 70.0,
        ),
        (
            small,
            SuvKind::BodySurfaceArea,
            "ADULT_FORMULA",
            2.0 * 2.777_781e-4 * 71.84 * 30.0_f64.powf(0.425) * 130.0_f64.powf(0.725) / 70_000.0,
        ),
        (
            stored("IBW", Sex::Other, 70.0),
            SuvKind::BodyWeight,
            "SEX_OTHER_MEAN",
            70.0 / (0.5 * (48.0 + 1.06 * 8.0 + 45.5 + 0.91 * 8.0)),
        ),
        (
            stored("LBM", Sex::Female, 110.0),
            SuvKind::BodyWeight,
            "BEYOND_JAMES_PEAK",
            110.0 / 47.7469,
        ),
    ];
    for (acquisition, kind, code, expected) in rows {
        let (plan, warnings) = planned_as(&acquisition, kind, &Overrides::default()).unwrap();
        assert_eq!(warnings, [code]);
        check(code, &plan, expected, 3e-6);
    }
}

/// Headers that contradict themselves, and overrides that reach nothing.
#[test]
fn warnings_of_contradictions() {
    let none = with(|a| a.decay_correction = Value("NONE".into()));
    assert_eq!(planned(&none).unwrap().1, ["DECAY_FLAGS_DISAGREE"]);
    let odd = with(|a| a.slices[0].decay_factor = Value(1.2));
    assert_eq!(planned(&odd).unwrap().1, ["DECAY_FACTOR_UNEXPLAINED"]);
    let admin = with(|a| a.decay_correction = Value("ADMIN".into()));
    let moved = Overrides {
        injected_at: Some(InjectedAt::TimeOfDay(time("10:10:00"))),
        ..Overrides::default()
    };
    let (plan, warnings) = planned_as(&admin, SuvKind::BodyWeight, &moved).unwrap();
    assert_eq!(
        (warnings.as_slice(), plan.clock.uptake_minutes),
        (&["OVERRIDE_WITHOUT_EFFECT"][..], Some(50.0))
    );
    let suv = with(|a| (a.units, a.patient_weight) = (Value("GML".into()), Absent));
    let heavier = Overrides { weight_kg: Some(80.0), ..Overrides::default() };
    let (plan, warnings) = planned_as(&suv, SuvKind::BodyWeight, &heavier).unwrap();
    assert_eq!(
        (warnings.as_slice(), plan.factors.as_slice()),
        (&["OVERRIDE_WITHOUT_EFFECT"][..], &[1.0, 1.0][..])
    );
}

/// Counts per second of a voxel of 0.05 ml.
#[test]
fn calibrated_counts() {
    let acquisition = with(|a| {
        a.units = Value("CPS".into());
        a.corrected_image.push("DCAL".into());
        a.voxel_ml = 0.05;
    });
    check("CPS", &planned(&acquisition).unwrap().0, EXPECTED * 20.0, 1e-6);
}

/// The two Philips factors: within 5 % silent, beyond it loud; the SUV factor wins.
#[test]
fn philips_factors_are_compared() {
    for (activity, warnings) in [(1.85, &[][..]), (2.0, &["PHILIPS_FACTORS_DISAGREE"][..])] {
        let acquisition = with(|a| {
            a.units = Value("CNTS".into());
            a.philips_suv_factor = Value(0.0005);
            a.philips_activity_factor = Value(activity);
        });
        let (plan, found) = planned(&acquisition).unwrap();
        check("CNTS", &plan, 0.0005, 0.0);
        assert_eq!(found, warnings, "{plan:#?}");
        assert!(
            (plan.alternatives[0].suv_difference_percent
                - 100.0 * (activity * EXPECTED / 0.0005 - 1.0))
                .abs()
                < 1e-3
        );
    }
}

/// SUV in the file needs no clock: times that do not fit are told, and do not refuse.
#[test]
fn stored_suv_without_times() {
    for (decay, change) in [("START", "10:30:00"), ("ADMIN", "12:30:00")] {
        let acquisition = with(|a| {
            a.units = Value("GML".into());
            a.decay_correction = Value(decay.into());
            a.radiopharmaceuticals[0].start_time = Value(time(change));
            a.radiopharmaceuticals[0].start_datetime = Attribute::Empty;
        });
        let (plan, warnings) = planned(&acquisition).unwrap();
        assert_eq!(plan.factors, [1.0, 1.0]);
        assert_eq!(plan.clock.rule, ReferenceRule::AlreadySuv);
        assert_eq!(plan.clock.uptake_minutes.is_none(), decay == "ADMIN", "{plan:?}");
        assert_eq!(warnings.contains(&"UPTAKE_UNKNOWN"), decay == "ADMIN", "{warnings:?}");
    }
}

/// Cropped series of a public collection: SUV in the file, and the date of the injection a day after the scan.
#[test]
fn stored_suv_with_a_shifted_injection() {
    let acquisition = with(|a| {
        (a.units, a.suv_type, a.decay_correction) =
            (Value("GML".into()), Value("BW".into()), Value("ADMIN".into()));
        a.radiopharmaceuticals[0].start_datetime = stamp("2025-01-02 10:00:00");
    });
    let (plan, warnings) = planned(&acquisition).unwrap();
    assert_eq!(plan.factors, [1.0, 1.0]);
    assert_eq!(plan.clock.uptake_minutes, Some(60.0));
    assert_eq!(warnings, ["DATE_SHIFT_SUSPECTED"]);
}

/// Philips counts that are not corrected for decay: the SUV factor does not hold, the activity factor does.
#[test]
fn uncorrected_philips_counts() {
    let acquisition = |suv: f64, units: &str| {
        with(|a| {
            (a.units, a.decay_correction) = (Value(units.into()), Value("NONE".into()));
            (a.philips_suv_factor, a.philips_activity_factor) = (Value(suv), Value(2.0));
            a.corrected_image.retain(|term| term != "DECY");
        })
    };
    let becquerels = planned(&acquisition(0.0, "BQML")).unwrap().0.factors[0];
    for suv in [0.0, 0.0005] {
        check("CNTS", &planned(&acquisition(suv, "CNTS")).unwrap().0, 2.0 * becquerels, 1e-12);
    }
}

/// Each override changes what it must, marks the plan, and its input keeps what the file has.
#[test]
fn overrides_recompute_everything() {
    let none = Overrides::default();
    let rows = [
        ("PatientWeight", Overrides { weight_kg: Some(140.0), ..none }, 2.0),
        ("RadionuclideTotalDose", Overrides { dose_mbq: Some(184.04), ..none }, 2.0),
        (
            "RadiopharmaceuticalStartDateTime",
            Overrides { injected_at: Some(InjectedAt::TimeOfDay(time("10:10:00"))), ..none },
            later(-10.0),
        ),
        (
            "RadiopharmaceuticalStartDateTime",
            Overrides {
                injected_at: Some(InjectedAt::DateTime(at("2025-01-01 09:50:00"))),
                ..none
            },
            later(10.0),
        ),
    ];
    for units in ["BQML", "GML"] {
        let acquisition = with(|a| a.units = Value(units.into()));
        let base = planned(&acquisition).unwrap().0.factors[0];
        for (name, overrides, ratio) in &rows {
            let (plan, warnings) =
                planned_as(&acquisition, SuvKind::BodyWeight, overrides).unwrap();
            check(name, &plan, base * ratio, 1e-12);
            assert!(plan.edited);
            assert_eq!(warnings, [""; 0]);
            let input = plan.inputs.iter().find(|input| input.name == *name).unwrap();
            assert!(input.edited && input.as_read != input.used, "{input:?}");
        }
    }
    let taller = Overrides { height_m: Some(1.9), ..none };
    let (plan, _) = planned_as(&baseline(), SuvKind::LeanBodyMass, &taller).unwrap();
    let lean = 9270.0 * 70.0 / (6680.0 + 216.0 * 70.0 / (1.9 * 1.9));
    check("height", &plan, EXPECTED * lean / 70.0, 1e-6);
    // An override stands in for what is missing.
    let bare =
        with(|a| (a.patient_weight, a.radiopharmaceuticals[0].total_dose) = (Absent, Absent));
    let given = Overrides { weight_kg: Some(70.0), dose_mbq: Some(368.08), ..none };
    check("given", &planned_as(&bare, SuvKind::BodyWeight, &given).unwrap().0, EXPECTED, 1e-6);
}

/// SUV that the writer standardised by lean mass: it was computed from the headers' weight and height, so a weight or height
/// given by hand changes what it is standardised by now, and not what it was standardised by then.
#[test]
fn overrides_of_stored_suv() {
    let stored = |suv_type: &str| {
        with(|a| {
            (a.units, a.suv_type, a.decay_correction) =
                (Value("GML".into()), Value(suv_type.into()), Value("ADMIN".into()));
        })
    };
    let lean = |kg: f64, m: f64| 9270.0 * kg / (6680.0 + 216.0 * kg / (m * m));
    let none = Overrides::default();
    let heavier = Overrides { weight_kg: Some(80.0), ..none };
    let taller = Overrides { height_m: Some(1.9), ..none };
    let dose = Overrides { dose_mbq: Some(184.04), ..none };
    let (bw, lbm) = (SuvKind::BodyWeight, SuvKind::LeanBodyMass);
    let rows = [
        ("BW", bw, heavier, 80.0 / 70.0),
        ("BW", lbm, heavier, lean(80.0, 1.75) / 70.0),
        ("LBM", bw, heavier, 80.0 / 57.8),
        ("LBMJANMA", lbm, heavier, lean(80.0, 1.75) / lean(70.0, 1.75)),
        ("LBMJANMA", lbm, taller, lean(70.0, 1.9) / lean(70.0, 1.75)),
        ("BW", lbm, taller, lean(70.0, 1.9) / 70.0),
        ("LBM", bw, taller, 70.0 / 57.8),
        ("LBM", bw, dose, 2.0 * 70.0 / 57.8),
    ];
    for (suv_type, kind, overrides, expected) in rows {
        let (plan, warnings) = planned_as(&stored(suv_type), kind, &overrides).unwrap();
        check(&format!("{suv_type} to {kind} with {overrides:?}"), &plan, expected, 3e-6);
        assert_eq!(warnings, [""; 0]);
        let mut names: Vec<_> = plan.inputs.iter().map(|input| &input.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), plan.inputs.len(), "{:#?}", plan.inputs);
    }
    // What the header lacks and the writer knew is as given.
    let bare = PetAcquisition { patient_weight: Absent, ..stored("LBM") };
    let lean_80 = 1.10 * 80.0 - 120.0 * (80.0_f64 / 175.0).powi(2);
    check("bare", &planned_as(&bare, bw, &heavier).unwrap().0, 80.0 / lean_80, 1e-12);
    // Corrected to the injection, SUV does not depend on its time.
    let later = InjectedAt::TimeOfDay(time("10:10:00"));
    let moved = Overrides { injected_at: Some(later), ..none };
    let (plan, warnings) = planned_as(&stored("BW"), bw, &moved).unwrap();
    assert_eq!((plan.factors[0], warnings), (1.0, vec!["OVERRIDE_WITHOUT_EFFECT"]));
}

/// A tracer without a nuclide code is known by its half-life: a dose that F-18 never has is told, or not repaired.
#[test]
fn the_half_life_names_the_nuclide() {
    let bare = |dose: f64, half_life: f64| {
        with_injection(|i| {
            (i.name, i.nuclide) = ("X".into(), String::new());
            (i.total_dose, i.half_life_secs) = (Value(dose), Value(half_life));
        })
    };
    assert_eq!(planned(&bare(2e9, 6588.0)).unwrap().1, ["DOSE_UNUSUAL"]);
    assert_eq!(planned(&bare(9.948, 6588.0)).unwrap_err().code(), "implausible_dose");
    // Nothing is known of the doses of a nuclide of 8000 s.
    assert_eq!(planned(&bare(9.948, 8000.0)).unwrap().1, ["DOSE_UNIT_REPAIRED"]);
}

/// The factor of 1.46: what START read as ADMIN, or ADMIN as START, would do at one hour.
#[test]
fn size_of_the_classic_mistake() {
    let start = planned(&baseline()).unwrap().0.factors[0];
    let admin =
        planned(&with(|a| a.decay_correction = Value("ADMIN".into()))).unwrap().0.factors[0];
    assert!((start / admin - 1.4606).abs() < 1e-4);
}
