//! The headers of real scanners.

use super::*;
use crate::support::shared_data;
use petct::suv::DecayFactorForm;
use serde_json::Value as Json;

/// A header of `calculate-suv-headers` as an acquisition.
fn acquisition(instances: &[Json]) -> PetAcquisition {
    let first = &instances[0];
    let text = |json: &Json, key: &str| json[key].as_str().map(|text| text.trim().to_owned());
    let date = |json: &Json, key: &str| {
        text(json, key).map_or(Absent, |text| {
            Value(chrono::NaiveDate::parse_from_str(&text, "%Y%m%d").unwrap())
        })
    };
    let time = |json: &Json, key: &str| {
        text(json, key)
            .map_or(Absent, |text| Value(NaiveTime::parse_from_str(&text, "%H%M%S%.f").unwrap()))
    };
    let number = |json: &Json| {
        let number =
            json.as_f64().or_else(|| json.as_str().and_then(|text| text.trim().parse().ok()));
        number.map_or(Absent, Value)
    };
    let string = |key: &str| text(first, key).map_or(Absent, Value);
    let injection = Radiopharmaceutical {
        total_dose: number(&first["RadionuclideTotalDose"]),
        half_life_secs: number(&first["RadionuclideHalfLife"]),
        start_time: time(first, "RadiopharmaceuticalStartTime"),
        start_datetime: text(first, "RadiopharmaceuticalStartDateTime").map_or(Absent, |text| {
            let local = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S%.f").unwrap();
            Value(DateTime { local, utc_offset: None })
        }),
        ..Default::default()
    };
    let slice = |json: &Json| PetSlice {
        rescale_slope: 1.0,
        acquisition_date: date(json, "AcquisitionDate"),
        acquisition_time: time(json, "AcquisitionTime"),
        frame_reference_time_ms: number(&json["FrameReferenceTime"]),
        frame_duration_ms: number(&json["ActualFrameDuration"]),
        ..Default::default()
    };
    let terms = first["CorrectedImage"].as_array().unwrap().iter();
    PetAcquisition {
        series_uid: "1.2.3".into(),
        units: string("Units"),
        decay_correction: string("DecayCorrection"),
        corrected_image: terms.map(|term| term.as_str().unwrap().to_owned()).collect(),
        patient_weight: number(&first["PatientWeight"]),
        patient_size: number(&first["PatientSize"]),
        radiopharmaceuticals: vec![injection],
        series_date: date(first, "SeriesDate"),
        series_time: time(first, "SeriesTime"),
        philips_suv_factor: number(&first["PhilipsPETPrivateGroup"]["SUVScaleFactor"]),
        philips_activity_factor: number(
            &first["PhilipsPETPrivateGroup"]["ActivityConcentrationScaleFactor"],
        ),
        slices: instances.iter().map(slice).collect(),
        ..Default::default()
    }
}

/// Eight headers whose factors are known.
#[test]
fn vendor_headers() {
    let Some(folder) = shared_data("calculate-suv-headers") else { return };
    for (name, expected, rule) in [
        ("PHILIPS_BQML", 0.000_746_37, ReferenceRule::SeriesTime),
        ("PHILIPS_CNTS_AND_BQML_SUV", 0.000_551, ReferenceRule::AlreadySuv),
        ("PHILIPS_CNTS_AND_SUV", 0.000_728, ReferenceRule::AlreadySuv),
        ("SIEMENS", 0.000_427_48, ReferenceRule::SeriesTime),
        ("GE_MEDICAL_AND_BQML", 0.000_536_74, ReferenceRule::SeriesTime),
        ("BQML_AC_DT_lessThan_S_DT_SIEMENS", 0.000_406_92, ReferenceRule::SeriesTime),
        ("CPS_AND_BQML_AC_DT_-_S_DT", 0.000_265_03, ReferenceRule::BackComputed),
        ("RADIOPHARM_DATETIME_UNDEFINED", 0.000_372_11, ReferenceRule::SeriesTime),
    ] {
        let text = std::fs::read_to_string(folder.join(format!("{name}-instances.json"))).unwrap();
        let instances: Vec<Json> = serde_json::from_str(&text).unwrap();
        let (plan, _) =
            planned(&acquisition(&instances)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plan.clock.rule, rule, "{name}: {plan:#?}");
        check(name, &plan, expected, 1e-4);
    }
}

/// The header of a GE Discovery ST over six beds: one acquisition time for all, the decay inside the frame in its factor.
#[test]
fn ge_six_beds() {
    let beds = [
        (1215.0, 1.15077),
        (972.0, 1.12172),
        (729.0, 1.09341),
        (486.0, 1.06581),
        (243.0, 1.0389),
        (0.0, 1.01268),
    ];
    let acquisition = with(|a| {
        a.manufacturer = "GE MEDICAL SYSTEMS".into();
        a.patient_weight = Value(71.0);
        a.series_date = Value(at("2000-09-07 11:20:11").date());
        a.series_time = Value(time("11:20:11"));
        a.slices = beds
            .map(|(reference, factor)| PetSlice {
                decay_factor: Value(factor),
                ..slice("2000-09-07 11:20:11", reference, 240.0)
            })
            .into();
        let injection = &mut a.radiopharmaceuticals[0];
        injection.total_dose = Value(388_777_472.0);
        injection.half_life_secs = Value(6588.0);
        injection.start_datetime = Absent;
        injection.start_time = Value(time("10:35:00"));
    });
    let (plan, warnings) = planned(&acquisition).unwrap();
    check("GE", &plan, 2.429_030e-4, 2e-7);
    assert_eq!(plan.decay_factor.form, DecayFactorForm::Ge);
    assert!(plan.decay_factor.max_relative_deviation.unwrap() < 1e-5, "{:?}", plan.decay_factor);
    assert_eq!(warnings, [""; 0]);

    // With a series time written later, the frames still tell it: from their starts, and from the first bed alone.
    let late = PetAcquisition { series_time: Value(time("15:00:00")), ..acquisition };
    let (plan, _) = planned(&late).unwrap();
    assert_eq!(plan.clock.rule, ReferenceRule::BackComputed);
    check("GE, late series time", &plan, 2.429_030e-4, 2e-7);
}

/// The header of a GE Discovery ST whose private date-times were shifted to another date than the series.
#[test]
fn ge_clocks_on_two_dates() {
    let acquisition = with(|a| {
        a.manufacturer = "GE MEDICAL SYSTEMS".into();
        a.patient_weight = Value(91.0);
        a.series_date = Value(at("1960-01-16 09:59:47").date());
        a.series_time = Value(time("09:59:47"));
        a.ge_scan_datetime = stamp("1959-12-24 09:59:47");
        a.slices = [(606.0, 1.08275), (303.0, 1.04877), (0.0, 1.01587)]
            .map(|(reference, factor)| PetSlice {
                decay_factor: Value(factor),
                ..slice("1960-01-16 09:59:47", reference, 300.0)
            })
            .into();
        let injection = &mut a.radiopharmaceuticals[0];
        injection.total_dose = Value(588_802_304.0);
        injection.half_life_secs = Value(6588.0);
        injection.start_datetime = Absent;
        injection.start_time = Value(time("07:21:00"));
    });
    let (plan, warnings) = planned(&acquisition).unwrap();
    check("GE", &plan, 4.211_10e-4, 2e-6);
    assert_eq!(plan.clock.rule, ReferenceRule::SeriesTime);
    assert_eq!(plan.clock.reference_time, Some(at("1960-01-16 09:59:47")));
    assert_eq!(plan.decay_factor.form, DecayFactorForm::Ge);
    assert_eq!(warnings, ["CLOCK_ON_OTHER_DATE", "UPTAKE_UNUSUAL"]);
}
