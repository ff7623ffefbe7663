//! Which clock, which day, which unit: the cases that give another factor when they are missed.

use super::*;
use chrono::FixedOffset;

pub(super) const EXPECTED: f64 = 2.777_781e-4;

/// What a header variant must give: the rule, the factor relative to the baseline, the warnings.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) acquisition: PetAcquisition,
    pub(super) rule: ReferenceRule,
    pub(super) ratio: f64,
    pub(super) warnings: &'static [&'static str],
}

/// A row whose reference is the series time.
pub(super) fn row(
    name: &'static str,
    acquisition: PetAcquisition,
    ratio: f64,
    warnings: &'static [&'static str],
) -> Row {
    Row { name, acquisition, rule: ReferenceRule::SeriesTime, ratio, warnings }
}

pub(super) fn check_rows(rows: Vec<Row>) {
    for Row { name, acquisition, rule, ratio, warnings } in rows {
        let (plan, found) = planned(&acquisition).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((plan.clock.rule, found.as_slice()), (rule, warnings), "{name}: {plan:#?}");
        check(name, &plan, EXPECTED * ratio, 3e-6);
    }
}

/// SUV grows by this when the reference time is later by so many minutes.
pub(super) fn later(minutes: f64) -> f64 {
    (minutes * 60.0 / 6586.2).exp2()
}

#[test]
fn reference_clocks() {
    use ReferenceRule::{BackComputed, EarliestAcquisition, SeriesTime};
    let beds = |a: &mut PetAcquisition| {
        a.slices = vec![
            slice("2025-01-01 11:20:00", 0.0, 300.0),
            slice("2025-01-01 11:00:00", 0.0, 300.0),
        ];
        a.slices.iter_mut().for_each(|slice| slice.frame_reference_time_ms = Absent);
    };
    check_rows(vec![
        Row {
            name: "several beds, series time first",
            acquisition: with(beds),
            rule: SeriesTime,
            ratio: 1.0,
            warnings: &[],
        },
        Row {
            name: "late series time, nothing but the acquisitions: the earliest, not the first",
            acquisition: with(|a| {
                beds(a);
                a.series_time = Value(time("14:00:00"));
            }),
            rule: EarliestAcquisition,
            ratio: 1.0,
            warnings: &["REF_TIME_FALLBACK"],
        },
        Row {
            name: "series time 111111 of a de-identified scan",
            acquisition: with(|a| {
                beds(a);
                a.slices.iter_mut().for_each(|slice| {
                    let moved = slice
                        .acquisition_time
                        .value()
                        .unwrap()
                        .overflowing_add_signed(chrono::TimeDelta::minutes(60))
                        .0;
                    slice.acquisition_time = Value(moved);
                });
                a.series_time = Value(time("11:11:11"));
                a.radiopharmaceuticals[0].start_time = Value(time("11:00:00"));
                a.radiopharmaceuticals[0].start_datetime = Absent;
            }),
            rule: EarliestAcquisition,
            ratio: 1.0,
            warnings: &["SERIES_TIME_PLACEHOLDER", "REF_TIME_FALLBACK"],
        },
        Row {
            name: "series time of the next day's processing",
            acquisition: with(|a| a.series_date = Value(at("2025-01-02 00:00:00").date())),
            rule: BackComputed,
            // Frame reference time 150 s, average count time 149.605 s.
            ratio: later(-0.394_656 / 60.0),
            warnings: &[],
        },
    ]);
}

#[test]
fn stated_clocks() {
    use ReferenceRule::{EnhancedDecayDateTime, SeriesTime, SiemensDecayDateTime};
    check_rows(vec![
        Row {
            name: "enhanced object",
            acquisition: with(|a| {
                a.decay_correction = Absent;
                a.enhanced_decay_datetime = stamp("2025-01-01 11:00:30");
            }),
            rule: EnhancedDecayDateTime,
            ratio: later(0.5),
            warnings: &[],
        },
        Row {
            name: "enhanced object corrected to the injection",
            acquisition: with(|a| a.enhanced_decay_datetime = stamp("2025-01-01 10:00:00")),
            rule: EnhancedDecayDateTime,
            ratio: later(-60.0),
            warnings: &["CLOCKS_DISAGREE", "CLOCKS_DISAGREE"],
        },
        Row {
            name: "Siemens date-time in universal time",
            acquisition: with(|a| {
                a.timezone = Value(FixedOffset::east_opt(2 * 3600).unwrap());
                a.siemens_decay_datetime = Value(DateTime {
                    local: at("2025-01-01 09:00:00"),
                    utc_offset: FixedOffset::east_opt(0),
                });
            }),
            rule: SiemensDecayDateTime,
            ratio: 1.0,
            warnings: &[],
        },
        Row {
            name: "Siemens date-time a day off after de-identification",
            acquisition: with(|a| a.siemens_decay_datetime = stamp("2025-01-02 11:00:00")),
            rule: SeriesTime,
            ratio: 1.0,
            warnings: &["CLOCK_ON_OTHER_DATE"],
        },
        Row {
            name: "GE date-time hours off",
            acquisition: with(|a| a.ge_scan_datetime = stamp("2025-01-01 16:00:00")),
            rule: SeriesTime,
            ratio: 1.0,
            warnings: &["PRIVATE_CLOCK_IGNORED"],
        },
    ]);
}

#[test]
fn missing_clocks() {
    use ReferenceRule::{EarliestAcquisition, SeriesTime};
    check_rows(vec![
        Row {
            name: "no acquisition times",
            acquisition: with(|a| {
                a.slices.iter_mut().for_each(|slice| slice.acquisition_time = Absent);
            }),
            rule: SeriesTime,
            ratio: 1.0,
            warnings: &["SERIES_TIME_UNCHECKED"],
        },
        Row {
            name: "no series time",
            acquisition: with(|a| {
                a.series_time = Attribute::Empty;
                a.slices.iter_mut().for_each(|slice| slice.frame_reference_time_ms = Absent);
            }),
            rule: EarliestAcquisition,
            ratio: 1.0,
            warnings: &["REF_TIME_FALLBACK"],
        },
        Row {
            name: "frame reference times that contradict each other",
            acquisition: with(|a| {
                a.series_time = Absent;
                a.slices = vec![
                    slice("2025-01-01 11:00:00", 0.0, 300.0),
                    slice("2025-01-01 11:05:00", 0.0, 300.0),
                ];
            }),
            rule: EarliestAcquisition,
            ratio: 1.0,
            warnings: &["REF_TIME_FALLBACK"],
        },
    ]);
}

#[test]
fn injection_days() {
    let night = |change: &dyn Fn(&mut Radiopharmaceutical)| {
        with(|a| {
            a.series_date = Value(at("2025-01-02 00:30:00").date());
            a.series_time = Value(time("00:30:00"));
            a.slices = vec![slice("2025-01-02 00:30:00", 150.0, 300.0); 2];
            a.radiopharmaceuticals[0].start_time = Value(time("23:30:00"));
            change(&mut a.radiopharmaceuticals[0]);
        })
    };
    check_rows(vec![
        row(
            "date one day after the scan",
            with_injection(|i| i.start_datetime = stamp("2025-01-02 10:00:00")),
            1.0,
            &["DATE_SHIFT_SUSPECTED"],
        ),
        row(
            "date years before the scan, no time beside it",
            with_injection(|i| {
                (i.start_datetime, i.start_time) = (stamp("2001-05-05 10:00:00"), Absent);
            }),
            1.0,
            &["DATE_SHIFT_SUSPECTED"],
        ),
        row(
            "over midnight, time only",
            night(&|i| i.start_datetime = Absent),
            1.0,
            &["INJECTION_DAY_BEFORE"],
        ),
        row(
            "over midnight, date-time",
            night(&|i| i.start_datetime = stamp("2025-01-01 23:30:00")),
            1.0,
            &[],
        ),
        row(
            "over midnight, shifted date-time",
            night(&|i| i.start_datetime = stamp("2025-01-05 23:30:00")),
            1.0,
            &["DATE_SHIFT_SUSPECTED"],
        ),
    ]);
}

#[test]
fn injection_attributes() {
    check_rows(vec![
        row(
            "date-time and time disagree by five minutes: the date-time",
            with_injection(|i| i.start_time = Value(time("10:05:00"))),
            1.0,
            &["INJECTION_TIMES_DISAGREE"],
        ),
        row(
            "date-time in universal time, no time zone, time of day beside it",
            with_injection(|i| {
                i.start_datetime = Value(DateTime {
                    local: at("2025-01-01 08:00:00"),
                    utc_offset: FixedOffset::east_opt(0),
                });
            }),
            1.0,
            &["INJECTION_ZONE_UNKNOWN"],
        ),
        row(
            "date-time in universal time and the time zone of the file",
            with(|a| {
                a.timezone = Value(FixedOffset::east_opt(2 * 3600).unwrap());
                a.radiopharmaceuticals[0].start_datetime = Value(DateTime {
                    local: at("2025-01-01 08:00:00"),
                    utc_offset: FixedOffset::east_opt(0),
                });
            }),
            1.0,
            &[],
        ),
        row(
            "date-time of the same day, five hours before the scan, other time beside it",
            with_injection(|i| {
                (i.start_datetime, i.start_time) =
                    (stamp("2025-01-01 06:00:00"), Value(time("05:00:00")));
            }),
            later(240.0),
            &["INJECTION_TIMES_DISAGREE", "UPTAKE_UNUSUAL"],
        ),
        row(
            "date-time unreadable",
            with_injection(|i| i.start_datetime = Attribute::Unreadable("yesterday".into())),
            1.0,
            &[],
        ),
        row(
            "long-lived nuclide with its date, seven days",
            with_injection(|i| {
                i.half_life_secs = Value(282_276.0);
                (i.name, i.nuclide) = ("trastuzumab".into(), "^89^Zirconium".into());
                i.start_datetime = stamp("2024-12-25 11:00:00");
            }),
            (7.0 * 86_400.0 / 282_276.0_f64).exp2() / later(60.0),
            &["INJECTION_TIMES_DISAGREE"],
        ),
        row(
            "long-lived nuclide with its date, the same time of day",
            with_injection(|i| {
                i.half_life_secs = Value(282_276.0);
                (i.name, i.nuclide) = ("trastuzumab".into(), "^89^Zirconium".into());
                i.start_datetime = stamp("2024-12-28 10:00:00");
            }),
            (4.0 * 86_400.0 + 3600.0_f64).mul_add(1.0 / 282_276.0, 0.0).exp2() / later(60.0),
            &[],
        ),
    ]);
}
