//! What holds for every header.

use super::*;
use chrono::{Days, TimeDelta};
use proptest::prelude::*;

fn factor(acquisition: &PetAcquisition) -> f64 {
    planned(acquisition).unwrap().0.factors[0]
}

fn shift(value: &mut Attribute<DateTime>, by: TimeDelta) {
    if let Value(value) = value {
        value.local += by;
    }
}

/// A scan `uptake` seconds after an injection at `start`, all times moved with it.
fn scan_at(start: NaiveDateTime, uptake: i64, beds: i64) -> PetAcquisition {
    with(|a| {
        let scan = start + TimeDelta::seconds(uptake);
        a.series_date = Value(scan.date());
        a.series_time = Value(scan.time());
        a.radiopharmaceuticals[0].start_time = Value(start.time());
        a.radiopharmaceuticals[0].start_datetime =
            Value(DateTime { local: start, utc_offset: None });
        a.slices = (0..beds)
            .map(|bed| {
                let acquired = scan + TimeDelta::seconds(bed * 180);
                slice(&acquired.to_string(), 150.0, 300.0)
            })
            .collect();
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Twice the weight is twice SUVbw; twice the dose is half of it.
    #[test]
    fn linear_in_weight_and_inverse_in_dose(weight in 20.0..300.0_f64, dose in 2e7..4e8_f64) {
        let of = |weight, dose| factor(&with(|a| {
            a.patient_weight = Value(weight);
            a.radiopharmaceuticals[0].total_dose = Value(dose);
        }));
        prop_assert!((of(2.0 * weight, dose) / of(weight, dose) - 2.0).abs() < 1e-12);
        prop_assert!((of(weight, 2.0 * dose) / of(weight, dose) - 0.5).abs() < 1e-12);
    }

    /// Any day and any time of day, over midnight too, with and without a date: the same uptake is the same factor.
    #[test]
    fn the_calendar_does_not_matter(secs in 0_i64..6 * 86_400, uptake in 1800_i64..5 * 3600, dated: bool, beds in 1_i64..8) {
        let start = at("2024-02-27 00:00:00") + TimeDelta::seconds(secs);
        let mut acquisition = scan_at(start, uptake, beds);
        if !dated {
            acquisition.radiopharmaceuticals[0].start_datetime = Absent;
        }
        // 11:11:11 and 00:00:00 are placeholders unless the acquisition confirms them, which it does here.
        let expected = 70_000.0 / 368.08e6 * (uptake as f64 / 6586.2).exp2();
        prop_assert!((factor(&acquisition) / expected - 1.0).abs() < 1e-12);
    }

    /// De-identification shifts every date by the same time, or the injection's alone by whole days.
    #[test]
    fn shifted_dates_change_nothing(secs in 0_i64..86_400, uptake in 1800_i64..3 * 3600, days in -3_i64..=3, together: bool) {
        let start = at("2024-02-28 00:00:00") + TimeDelta::seconds(secs);
        let acquisition = scan_at(start, uptake, 3);
        let by = TimeDelta::days(days);
        let mut shifted = acquisition.clone();
        shift(&mut shifted.radiopharmaceuticals[0].start_datetime, by);
        if together {
            let moved = |date: &Attribute<chrono::NaiveDate>| Value(*date.value().unwrap() + by);
            shifted.series_date = moved(&shifted.series_date);
            for slice in &mut shifted.slices {
                slice.acquisition_date = moved(&slice.acquisition_date);
            }
        }
        prop_assert!((factor(&shifted) / factor(&acquisition) - 1.0).abs() < 1e-12);
    }

    /// START with the scan at the injection tends to ADMIN.
    #[test]
    fn start_tends_to_admin(micros in 1_i64..1000) {
        let start = at("2024-02-28 12:00:00");
        let mut scan = scan_at(start - TimeDelta::microseconds(micros), 0, 1);
        scan.radiopharmaceuticals[0].start_datetime = Value(DateTime { local: start - TimeDelta::microseconds(2 * micros), utc_offset: None });
        let mut admin = scan.clone();
        admin.decay_correction = Value("ADMIN".into());
        prop_assert!((factor(&scan) / factor(&admin) - 1.0).abs() < 1e-6);
    }

    /// NONE with a frame that tends to nothing tends to START at the acquisition.
    #[test]
    fn none_tends_to_start(uptake in 1800_i64..5 * 3600) {
        let start = scan_at(at("2024-02-28 08:00:00"), uptake, 1);
        let mut none = start.clone();
        none.decay_correction = Value("NONE".into());
        none.corrected_image.retain(|term| term != "DECY");
        none.slices[0].frame_duration_ms = Value(1.0);
        prop_assert!((factor(&none) / factor(&start) - 1.0).abs() < 1e-6);
    }

    /// Each slice keeps its factor in whatever order the slices come.
    #[test]
    fn the_order_of_slices_does_not_matter(uptake in 1800_i64..5 * 3600, beds in 1_i64..8, corrected: bool) {
        let mut forward = scan_at(at("2024-02-28 08:00:00"), uptake, beds);
        if !corrected {
            forward.decay_correction = Value("NONE".into());
            forward.corrected_image.retain(|term| term != "DECY");
        }
        let mut backward = forward.clone();
        backward.slices.reverse();
        let mut factors = planned(&backward).unwrap().0.factors;
        factors.reverse();
        prop_assert_eq!(planned(&forward).unwrap().0.factors, factors);
    }

    /// No header panics, and a factor that is given is a positive number.
    #[test]
    fn no_header_panics(
        numbers in prop::collection::vec(any::<f64>(), 8),
        texts in prop::collection::vec("[A-Z0-9]{0,9}", 3),
        choice in 0_usize..6,
        days in 0_u64..100_000_000,
    ) {
        let acquisition = with(|a| {
            let units = ["BQML", "GML", "CNTS", "CPS", "CM2ML"].get(choice).map_or(texts[0].clone(), |units| (*units).to_owned());
            a.units = Value(units);
            a.suv_type = if choice == 0 { Absent } else { Value(texts[1].clone()) };
            a.patient_weight = Value(numbers[0]);
            a.patient_size = Value(numbers[1]);
            a.radiopharmaceuticals[0].total_dose = Value(numbers[2]);
            a.radiopharmaceuticals[0].half_life_secs = Value(numbers[3]);
            a.radiopharmaceuticals[0].nuclide.clone_from(&texts[2]);
            a.slices[0].frame_reference_time_ms = Value(numbers[4]);
            a.slices[0].frame_duration_ms = Value(numbers[5]);
            a.slices[0].decay_factor = Value(numbers[6]);
            a.philips_suv_factor = Value(numbers[7]);
            a.series_date = a.series_date.value().and_then(|date| date.checked_add_days(Days::new(days))).map_or(Absent, Value);
            a.series_time = Value(time("23:00:00"));
        });
        for kind in SuvKind::ALL {
            if let Ok((plan, _)) = planned_as(&acquisition, kind, &Overrides::default()) {
                prop_assert!(plan.factors.iter().all(|factor| factor.is_finite() && *factor > 0.0));
            }
        }
    }
}
