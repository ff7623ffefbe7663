//! Each refusal fires, with its code and its remedy.

use super::*;
use chrono::NaiveDateTime;
use petct::suv::{InjectedAt, Refusal};

/// A header that must be refused: the code, the header, the kind asked for, the overrides.
type Row = (&'static str, PetAcquisition, SuvKind, Overrides);

fn row(code: &'static str, acquisition: PetAcquisition) -> Row {
    (code, acquisition, SuvKind::BodyWeight, Overrides::default())
}

fn lean(code: &'static str, acquisition: PetAcquisition) -> Row {
    (code, acquisition, SuvKind::LeanBodyMass, Overrides::default())
}

fn units(units: &str) -> PetAcquisition {
    with(|a| a.units = Value(units.into()))
}

fn scaling_rows() -> Vec<Row> {
    vec![
        row("no_slices", with(|a| a.slices.clear())),
        row("bad_rescale_slope", with(|a| a.slices[1].rescale_slope = 0.0)),
        row("bad_rescale_slope", with(|a| a.slices[1].rescale_slope = -1.0)),
        row("bad_rescale_slope", with(|a| a.slices[0].rescale_slope = f64::NAN)),
        row("nonzero_rescale_intercept", with(|a| a.slices[1].rescale_intercept = -1024.0)),
        row("nonzero_rescale_intercept", with(|a| a.slices[1].rescale_intercept = f64::NAN)),
        row("missing_units", with(|a| a.units = Attribute::Empty)),
        row("unsupported_units", units("PROPCNTS")),
        row("unsupported_units", units("PROPCPS")),
        row("unsupported_units", units("1CM")),
        row(
            "unsupported_suv_type",
            with(|a| (a.units, a.suv_type) = (Value("GML".into()), Value("BSA".into()))),
        ),
        row(
            "unsupported_suv_type",
            with(|a| (a.units, a.suv_type) = (Value("CM2ML".into()), Value("BW".into()))),
        ),
        row("not_attenuation_corrected", with(|a| a.corrected_image.retain(|term| term != "ATTN"))),
        row("not_decay_corrected", with(|a| a.corrected_image.retain(|term| term != "DECY"))),
        row("missing_decay_correction", with(|a| a.decay_correction = Absent)),
        row("unknown_decay_correction", with(|a| a.decay_correction = Value("SCAN".into()))),
        row(
            "suv_not_decay_corrected",
            with(|a| (a.units, a.decay_correction) = (Value("GML".into()), Value("NONE".into()))),
        ),
        row(
            "no_philips_scale",
            with(|a| (a.units, a.philips_suv_factor) = (Value("CNTS".into()), Value(0.0))),
        ),
        row("counts_not_calibrated", with(|a| (a.units, a.voxel_ml) = (Value("CPS".into()), 0.05))),
        row(
            "bad_voxel_volume",
            with(|a| {
                a.units = Value("CPS".into());
                a.corrected_image.push("DCAL".into());
            }),
        ),
        row(
            "factor_out_of_range",
            with(|a| {
                a.units = Value("CPS".into());
                a.corrected_image.push("DCAL".into());
                a.voxel_ml = 1e-320;
            }),
        ),
    ]
}

fn patient_rows() -> Vec<Row> {
    let none = Overrides::default();
    vec![
        row("missing_patient_weight", with(|a| a.patient_weight = Absent)),
        row("missing_patient_weight", with(|a| a.patient_weight = Attribute::Empty)),
        row("missing_patient_weight", with(|a| a.patient_weight = Value(0.0))),
        row("missing_patient_weight", with(|a| a.patient_weight = Value(f64::NAN))),
        row("implausible_patient_weight", with(|a| a.patient_weight = Value(0.7))),
        row("implausible_patient_weight", with(|a| a.patient_weight = Value(900.0))),
        row(
            "weight_and_size_swapped",
            with(|a| (a.patient_weight, a.patient_size) = (Value(1.75), Value(70.0))),
        ),
        row(
            "weight_and_size_swapped",
            with(|a| (a.patient_weight, a.patient_size) = (Value(175.0), Value(70.0))),
        ),
        lean("missing_patient_size", with(|a| a.patient_size = Absent)),
        lean("implausible_patient_size", with(|a| a.patient_size = Value(5.9))),
        lean("implausible_body", with(|a| a.patient_size = Value(0.4))),
        lean("missing_patient_sex", with(|a| a.patient_sex = Absent)),
        lean("sex_other", with(|a| a.patient_sex = Value(Sex::Other))),
        (
            "beyond_james_peak",
            with(|a| {
                (a.patient_weight, a.patient_size, a.patient_sex) =
                    (Value(110.0), Value(1.6), Value(Sex::Female));
            }),
            SuvKind::LeanBodyMassJames,
            none,
        ),
        (
            "no_body_measure",
            with(|a| (a.patient_weight, a.patient_size) = (Value(14.0), Value(0.9))),
            SuvKind::IdealBodyWeight,
            none,
        ),
        (
            "invalid_override",
            baseline(),
            SuvKind::BodyWeight,
            Overrides { weight_kg: Some(-70.0), ..none },
        ),
        (
            "invalid_override",
            baseline(),
            SuvKind::BodyWeight,
            Overrides { height_m: Some(175.0), ..none },
        ),
        (
            "invalid_override",
            baseline(),
            SuvKind::BodyWeight,
            Overrides { dose_mbq: Some(f64::NAN), ..none },
        ),
        (
            "invalid_override",
            baseline(),
            SuvKind::BodyWeight,
            Overrides { dose_mbq: Some(368.08e6), ..none },
        ),
    ]
}

fn injection_rows() -> Vec<Row> {
    let uncorrected = |change: fn(&mut PetAcquisition)| {
        with(|a| {
            a.decay_correction = Value("NONE".into());
            a.corrected_image.retain(|term| term != "DECY");
            change(a);
        })
    };
    let other = Radiopharmaceutical { name: "FDG".into(), ..Default::default() };
    let at_time = |date: Attribute<DateTime>, day: &str| {
        with_injection(|i| (i.start_datetime, i.start_time) = (date, Value(time(day))))
    };
    let long_ago = InjectedAt::DateTime(NaiveDateTime::MIN);
    vec![
        row("missing_radiopharmaceutical", with(|a| a.radiopharmaceuticals.clear())),
        row("several_radiopharmaceuticals", with(|a| a.radiopharmaceuticals.push(other))),
        row("missing_dose", with_injection(|i| i.total_dose = Absent)),
        row("missing_dose", with_injection(|i| i.total_dose = Value(0.0))),
        row("implausible_dose", with_injection(|i| i.total_dose = Value(50_000.0))),
        row("implausible_dose", with_injection(|i| i.total_dose = Value(1e15))),
        // Millicuries and microcuries: as megabecquerels no dose of F-18.
        row("implausible_dose", with_injection(|i| i.total_dose = Value(9.948))),
        row("implausible_dose", with_injection(|i| i.total_dose = Value(9948.0))),
        // Millicuries for an adult.
        row("implausible_dose", with_injection(|i| i.total_dose = Value(12.0))),
        row(
            "missing_half_life",
            with_injection(|i| (i.half_life_secs, i.nuclide) = (Absent, "unknown".into())),
        ),
        row("wrong_half_life", with_injection(|i| i.half_life_secs = Value(109.77))),
        row("wrong_half_life", with_injection(|i| i.half_life_secs = Value(1.8295))),
        row(
            "missing_injection_time",
            with_injection(|i| (i.start_datetime, i.start_time) = (Absent, Attribute::Empty)),
        ),
        row(
            "injection_date_required",
            with_injection(|i| {
                (i.half_life_secs, i.nuclide, i.start_datetime) =
                    (Value(282_276.0), "^89^Zirconium".into(), Absent);
            }),
        ),
        row(
            "injection_date_implausible",
            with_injection(|i| {
                (i.half_life_secs, i.nuclide) = (Value(282_276.0), "^89^Zirconium".into());
                i.start_datetime = stamp("2030-01-01 10:00:00");
            }),
        ),
        (
            "injection_date_implausible",
            baseline(),
            SuvKind::BodyWeight,
            Overrides { injected_at: Some(long_ago), ..Default::default() },
        ),
        row("injection_not_before_scan", at_time(Absent, "12:00:00")),
        row("injection_not_before_scan", at_time(Absent, "11:00:00")),
        row("injection_not_before_scan", at_time(stamp("2025-01-01 11:20:00"), "11:20:00")),
        row(
            "missing_reference_time",
            with(|a| {
                a.series_time = Absent;
                a.slices.iter_mut().for_each(|slice| slice.acquisition_time = Absent);
            }),
        ),
        row(
            "acquisition_span",
            with(|a| {
                let day = *a.slices[0].acquisition_date.value().unwrap();
                a.slices[1].acquisition_date = Value(day.succ_opt().unwrap());
            }),
        ),
        row(
            "acquisition_times_alike",
            uncorrected(|a| {
                a.slices[1].acquisition_time = a.slices[0].acquisition_time.clone();
                a.slices[0].frame_reference_time_ms = Value(0.0);
                a.slices[1].frame_reference_time_ms = Value(120_000.0);
            }),
        ),
        row("missing_acquisition_time", uncorrected(|a| a.slices[1].acquisition_time = Absent)),
        row("missing_frame_duration", uncorrected(|a| a.slices[1].frame_duration_ms = Value(0.0))),
    ]
}

fn rows() -> Vec<Row> {
    [scaling_rows(), patient_rows(), injection_rows()].concat()
}

#[test]
fn each_header_is_refused_with_its_code() {
    for (code, acquisition, kind, overrides) in rows() {
        let error = planned_as(&acquisition, kind, &overrides).expect_err(code);
        assert_eq!(error.code(), code, "{error}");
        let text = error.to_string();
        assert!(text.contains(" in series 1.2.3; ") && text.ends_with(&error.remedy()), "{text}");
        assert!(
            !text.ends_with('.') && !text.contains(",,") && !error.remedy().is_empty(),
            "{text}"
        );
    }
}

/// A refusal without a header that fires it would be a guard that nobody has seen work.
#[test]
fn each_code_has_a_header() {
    let fired: Vec<_> = rows().into_iter().map(|row| row.0).collect();
    for code in Refusal::CODES {
        assert!(fired.contains(code), "{code}");
        assert_eq!(
            Refusal::CODES.iter().filter(|other| *other == code).count(),
            1,
            "{code} names two refusals"
        );
    }
}

#[test]
fn the_sentence_says_what_where_and_what_to_do() {
    let error = planned(&with(|a| a.patient_weight = Attribute::Empty)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "PatientWeight (0010,1030) is empty in series 1.2.3; give it with --weight-kg"
    );
}

/// The documentation lists every refusal.
#[test]
fn the_documentation_lists_each_code() {
    let page = include_str!("../../../docs/suv-codes.md");
    for code in Refusal::CODES {
        assert!(page.contains(&format!("| `{code}` |")), "{code}");
    }
}
