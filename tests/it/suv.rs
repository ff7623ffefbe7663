//! SUV from header facts: reference objects, vendors' headers, clocks, refusals and invariants.

mod clocks;
mod headers;
mod properties;
mod refusals;
mod values;

use chrono::{NaiveDateTime, NaiveTime};
use petct::acquisition::{Attribute, DateTime, PetAcquisition, PetSlice, Radiopharmaceutical, Sex};
use petct::suv::{Overrides, ReferenceRule, SuvError, SuvKind, SuvPlan, plan};

use Attribute::{Absent, Value};

/// A date-time without a time zone.
pub(crate) fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap()
}

pub(crate) fn time(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M:%S%.f").unwrap()
}

pub(crate) fn stamp(text: &str) -> Attribute<DateTime> {
    Value(DateTime { local: at(text), utc_offset: None })
}

/// A slice acquired at a time, with frame reference time and duration in seconds.
pub(crate) fn slice(acquired: &str, reference_secs: f64, frame_secs: f64) -> PetSlice {
    PetSlice {
        rescale_slope: 1.0,
        acquisition_date: Value(at(acquired).date()),
        acquisition_time: Value(at(acquired).time()),
        frame_reference_time_ms: Value(reference_secs * 1000.0),
        frame_duration_ms: Value(frame_secs * 1000.0),
        decay_factor: Value(1.0),
        ..Default::default()
    }
}

/// The common header of the IBSI SUV reference objects: 70 kg, 368.08 `MBq` of F-18 at 10:00, scan at 11:00, BQML, START.
pub(crate) fn baseline() -> PetAcquisition {
    let injection = Radiopharmaceutical {
        name: "FDG".into(),
        nuclide: "^18^Fluorine".into(),
        total_dose: Value(368.08e6),
        half_life_secs: Value(6586.2),
        start_time: Value(time("10:00:00")),
        start_datetime: stamp("2025-01-01 10:00:00"),
        ..Default::default()
    };
    PetAcquisition {
        series_uid: "1.2.3".into(),
        manufacturer: "Synthetic".into(),
        units: Value("BQML".into()),
        decay_correction: Value("START".into()),
        corrected_image: ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"].map(String::from).into(),
        patient_weight: Value(70.0),
        patient_size: Value(1.75),
        patient_sex: Value(Sex::Male),
        radiopharmaceuticals: vec![injection],
        series_date: Value(at("2025-01-01 11:00:00").date()),
        series_time: Value(time("11:00:00")),
        slices: vec![slice("2025-01-01 11:00:00", 150.0, 300.0); 2],
        ..Default::default()
    }
}

/// The baseline with something changed.
pub(crate) fn with(change: impl FnOnce(&mut PetAcquisition)) -> PetAcquisition {
    let mut acquisition = baseline();
    change(&mut acquisition);
    acquisition
}

/// The baseline with something changed in its injection.
pub(crate) fn with_injection(change: impl FnOnce(&mut Radiopharmaceutical)) -> PetAcquisition {
    with(|acquisition| change(&mut acquisition.radiopharmaceuticals[0]))
}

pub(crate) fn planned(
    acquisition: &PetAcquisition,
) -> Result<(SuvPlan, Vec<&'static str>), SuvError> {
    planned_as(acquisition, SuvKind::BodyWeight, &Overrides::default())
}

/// The plan and the codes of its warnings.
pub(crate) fn planned_as(
    acquisition: &PetAcquisition,
    kind: SuvKind,
    overrides: &Overrides,
) -> Result<(SuvPlan, Vec<&'static str>), SuvError> {
    let found = plan(acquisition, kind, overrides)?;
    let codes = found.warnings.iter().map(|warning| warning.code).collect();
    Ok((found.output, codes))
}

/// Every factor as expected, to a relative tolerance.
pub(crate) fn check(name: &str, plan: &SuvPlan, expected: f64, relative: f64) {
    for factor in &plan.factors {
        assert!(
            (factor / expected - 1.0).abs() <= relative,
            "{name}: {factor} is not {expected}\n{plan:#?}"
        );
    }
}

/// Equivalents of the 17 IBSI SUV reference objects, from the numbers of their headers (IBSI SUV manual, 2026).
#[test]
fn ibsi_reference_objects() {
    let units = |units: &str, suv_type: Option<&str>, sex: Sex| {
        with(|a| {
            a.units = Value(units.into());
            a.suv_type = suv_type.map_or(Absent, |suv_type| Value(suv_type.into()));
            a.patient_sex = Value(sex);
        })
    };
    let midnight = with(|a| {
        a.series_date = Value(at("2025-01-02 00:30:00").date());
        a.series_time = Value(time("00:30:00"));
        a.slices = vec![slice("2025-01-02 00:30:00", 150.0, 300.0); 2];
        a.radiopharmaceuticals[0].start_time = Value(time("23:30:00"));
        a.radiopharmaceuticals[0].start_datetime = stamp("2025-01-01 23:30:00");
    });
    let late_series = with(|a| {
        a.series_time = Value(time("11:30:00"));
        a.slices = vec![
            slice("2025-01-01 11:02:30", 450.0, 603.0),
            slice("2025-01-01 11:05:00", 600.0, 603.0),
        ];
    });
    let ge_tag = with(|a| {
        a.manufacturer = "GE MEDICAL SYSTEMS".into();
        a.ge_scan_datetime = stamp("2025-01-01 11:00:00");
        a.slices = vec![slice("2025-01-01 11:30:00", 150.0, 300.0); 2];
    });
    let rows = [
        ("0_0 default", baseline(), 2.777_781e-4, 1e-6),
        (
            "1_0 slopes",
            with(|a| (a.slices[0].rescale_slope, a.slices[1].rescale_slope) = (3.0, 4.0)),
            2.777_781e-4,
            1e-6,
        ),
        ("2_0 GML", units("GML", Some("BW"), Sex::Other), 1.0, 0.0),
        ("2_1 LBM James 128", units("GML", Some("LBMJAMES128"), Sex::Male), 1.238_500, 1e-6),
        ("2_2 IBW, sex O", units("GML", Some("IBW"), Sex::Other), 1.008_573, 1e-6),
        ("2_3 BSA", units("CM2ML", Some("BSA"), Sex::Other), 3.787_59, 2e-6),
        (
            "2_4 counts, SUV factor",
            with(|a| (a.units, a.philips_suv_factor) = (Value("CNTS".into()), Value(0.0005))),
            0.0005,
            0.0,
        ),
        (
            "2_5 counts, activity factor",
            with(|a| (a.units, a.philips_activity_factor) = (Value("CNTS".into()), Value(0.5))),
            0.5 * 2.777_781e-4,
            1e-6,
        ),
        ("3_0 dose in MBq", with_injection(|i| i.total_dose = Value(368.08)), 2.777_781e-4, 1e-6),
        ("3_1 ADMIN", with(|a| a.decay_correction = Value("ADMIN".into())), 1.901_76e-4, 2e-6),
        // The times of the object are rounded to give 10:59:59.9.
        ("3_2 late series", late_series, 2.777_781e-4, 2e-5),
        ("3_3 GE date-time", ge_tag, 2.777_781e-4, 1e-6),
        ("4_0 date-time only", with_injection(|i| i.start_time = Absent), 2.777_781e-4, 1e-6),
        ("4_1 time only", with_injection(|i| i.start_datetime = Absent), 2.777_781e-4, 1e-6),
        ("4_2 over midnight", midnight, 2.777_781e-4, 1e-6),
        (
            "5_0 Ga-68",
            with_injection(|i| {
                (i.nuclide, i.half_life_secs) = ("^68^Gallium".into(), Value(4057.7));
            }),
            3.517_47e-4,
            2e-6,
        ),
    ];
    for (name, acquisition, expected, relative) in rows {
        let (plan, _) = planned(&acquisition).unwrap_or_else(|error| panic!("{name}: {error}"));
        check(name, &plan, expected, relative);
    }
}

/// IBSI object `3_4`: not corrected for decay, two acquisition times, no DECY.
#[test]
fn ibsi_uncorrected_object() {
    let acquisition = with(|a| {
        a.decay_correction = Value("NONE".into());
        a.corrected_image.retain(|term| term != "DECY");
        a.slices = vec![
            slice("2025-01-01 11:00:00", 300.0, 603.0),
            slice("2025-01-01 11:05:00", 600.0, 603.0),
        ];
    });
    let (plan, warnings) = planned(&acquisition).unwrap();
    for (factor, expected) in plan.factors.iter().zip([2.866_85e-4, 2.958_81e-4]) {
        assert!((factor / expected - 1.0).abs() < 3e-6, "{factor} is not {expected}");
    }
    assert_eq!(plan.clock.rule, ReferenceRule::FrameAcquisition);
    assert_eq!(warnings, [""; 0]);
}

/// A header without faults gives no warning, and the plan tells what it used.
#[test]
fn a_clean_header_is_clean() {
    let (plan, warnings) = planned(&baseline()).unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(plan.alternatives, []);
    assert_eq!(plan.clock.rule, ReferenceRule::SeriesTime);
    assert_eq!(plan.clock.reference_time, Some(at("2025-01-01 11:00:00")));
    assert_eq!(plan.clock.injection_time, Some(at("2025-01-01 10:00:00")));
    assert_eq!(plan.clock.uptake_minutes, Some(60.0));
    assert!(!plan.edited && plan.inputs.iter().all(|input| !input.edited));
    for name in [
        "PatientWeight",
        "RadionuclideTotalDose",
        "RadionuclideHalfLife",
        "RadiopharmaceuticalStartDateTime",
    ] {
        assert!(plan.inputs.iter().any(|input| input.name == name), "{name}");
    }
}

/// Every kind from the same activity is the body weight factor by its body measure over the weight.
#[test]
fn kinds_of_suv() {
    for (kind, measure) in [
        (SuvKind::BodyWeight, 70_000.0),
        (SuvKind::LeanBodyMass, 55_857.1),
        (SuvKind::LeanBodyMassJames, 56_520.0),
        (SuvKind::BodySurfaceArea, 18_481.4),
        (SuvKind::IdealBodyWeight, 72_380.0),
    ] {
        let (plan, _) = planned_as(&baseline(), kind, &Overrides::default()).unwrap();
        check(kind.as_str(), &plan, 2.777_781e-4 * measure / 70_000.0, 3e-6);
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}

/// SUV in the file to another kind: through the measure it was standardised by.
#[test]
fn stored_suv_is_converted() {
    let stored = |suv_type: &str, kind| {
        let acquisition =
            with(|a| (a.units, a.suv_type) = (Value("GML".into()), Value(suv_type.into())));
        planned_as(&acquisition, kind, &Overrides::default()).unwrap().0.factors[0]
    };
    let rows = [
        ("LBMJANMA", SuvKind::LeanBodyMass, 1.0),
        ("LBMJAMES128", SuvKind::LeanBodyMassJames, 1.0),
        ("IBW", SuvKind::IdealBodyWeight, 1.0),
        ("BW", SuvKind::LeanBodyMass, 55.8571 / 70.0),
        ("LBM", SuvKind::LeanBodyMassJames, 56.52 / 57.8),
        ("LBM", SuvKind::BodyWeight, 70.0 / 57.8),
        ("LBMJANMA", SuvKind::BodySurfaceArea, 18_481.4 / 55_857.1),
    ];
    for (suv_type, kind, expected) in rows {
        let factor = stored(suv_type, kind);
        assert!(
            (factor / expected - 1.0).abs() < 3e-6,
            "{suv_type} to {kind}: {factor} is not {expected}"
        );
    }
}
