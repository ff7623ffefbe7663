//! Dates and times of a series on one clock: that of the file.

use chrono::{Days, FixedOffset, NaiveDateTime, NaiveTime, TimeDelta};

use crate::acquisition::{DateTime, PetAcquisition, PetSlice};

const HALF_DAY_SECS: f64 = 43_200.0;
/// A scan begins at most this long after its series does.
const SERIES_LEAD_SECS: f64 = 7200.0;

/// When the series and its slices say they happened.
pub(super) struct ScanTimes {
    pub(super) series: Option<NaiveDateTime>,
    /// One for each slice.
    pub(super) acquisitions: Vec<Option<NaiveDateTime>>,
    /// The earliest of them.
    pub(super) first: Option<NaiveDateTime>,
    /// Hours from the earliest to the last, where no scan lasts so long: a date is wrong.
    pub(super) too_long_hours: Option<f64>,
}

impl ScanTimes {
    pub(super) fn of(acquisition: &PetAcquisition) -> Self {
        let series_date = acquisition.series_date.value().copied();
        let series_time = acquisition.series_time.value().copied();
        let mut acquisitions: Vec<_> =
            acquisition.slices.iter().map(|slice| acquired(slice, acquisition)).collect();
        over_midnight(&mut acquisitions);
        let first = acquisitions.iter().flatten().min().copied();
        let last = acquisitions.iter().flatten().max().copied();
        let lasts = first.zip(last).map_or(0.0, |(first, last)| seconds_between(first, last));
        // A series time without its date lies on the day of the first acquisition.
        let date = series_date.or(first.map(|first| first.date()));
        let series = date.zip(series_time).map(|(date, time)| date.and_time(time));
        let too_long_hours = (lasts > HALF_DAY_SECS).then_some(lasts / 3600.0);
        Self { series, acquisitions, first, too_long_hours }
    }
}

/// Date and time at which the acquisition of a slice started.
fn acquired(slice: &PetSlice, acquisition: &PetAcquisition) -> Option<NaiveDateTime> {
    let time = *slice.acquisition_time.value()?;
    let series_date = acquisition.series_date.value().copied();
    let before_series = acquisition
        .series_time
        .value()
        .map_or(0.0, |series| (*series - time).num_milliseconds() as f64 / 1000.0);
    let own = slice.acquisition_date.value().copied();
    let next_day = match own {
        // A day borrowed from the series is the next one where the scan ran over midnight.
        None => before_series >= HALF_DAY_SECS,
        // One's own day that is still that of the series is, where that began within two hours before.
        Some(own) => {
            Some(own) == series_date && before_series >= 2.0 * HALF_DAY_SECS - SERIES_LEAD_SECS
        }
    };
    let date = own.or(series_date)?.and_time(time);
    if next_day { date.checked_add_days(Days::new(1)) } else { Some(date) }
}

/// Lifts acquisitions of one date that lie around midnight: the date was not advanced where the day ended. They are those
/// that would otherwise lie more than half a day before the others.
fn over_midnight(acquisitions: &mut [Option<NaiveDateTime>]) {
    let Some(last) = acquisitions.iter().flatten().max().copied() else { return };
    if acquisitions.iter().flatten().any(|time| time.date() != last.date()) {
        return;
    }
    for time in acquisitions.iter_mut().flatten() {
        if seconds_between(*time, last) > HALF_DAY_SECS {
            *time = time.checked_add_days(Days::new(1)).unwrap_or(*time);
        }
    }
}

/// `later - earlier` in seconds.
pub(super) fn seconds_between(earlier: NaiveDateTime, later: NaiveDateTime) -> f64 {
    let delta = later - earlier;
    delta.num_seconds() as f64 + f64::from(delta.subsec_nanos()) * 1e-9
}

/// A time moved by seconds, to the nanosecond; `None` outside the calendar or for a number that is not finite.
pub(super) fn moved(time: NaiveDateTime, secs: f64) -> Option<NaiveDateTime> {
    // The nanoseconds of 285 years fit into 64 bits.
    if !secs.is_finite() || secs.abs() > 9e9 {
        return None;
    }
    time.checked_add_signed(TimeDelta::nanoseconds((secs * 1e9).round() as i64))
}

/// Seconds from `b` to `a` as times of day, in (−12 h, 12 h].
pub(super) fn time_of_day_difference(a: NaiveTime, b: NaiveTime) -> f64 {
    let delta = a - b;
    let secs = delta.num_seconds() as f64 + f64::from(delta.subsec_nanos()) * 1e-9;
    if secs > HALF_DAY_SECS {
        secs - 2.0 * HALF_DAY_SECS
    } else if secs <= -HALF_DAY_SECS {
        secs + 2.0 * HALF_DAY_SECS
    } else {
        secs
    }
}

/// A date-time on the clock of the file's dates and times.
///
/// PS3.3 C.12.1.1.8: `TimezoneOffsetFromUTC` (0008,0201) holds for every date and time without an offset of its own.
pub(super) fn on_file_clock(time: &DateTime, timezone: Option<FixedOffset>) -> NaiveDateTime {
    let (Some(own), Some(file)) = (time.utc_offset, timezone) else {
        return time.local;
    };
    let shift = i64::from(file.local_minus_utc()) - i64::from(own.local_minus_utc());
    time.local.checked_add_signed(TimeDelta::seconds(shift)).unwrap_or(time.local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acquisition::Attribute;
    use chrono::NaiveDate;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap()
    }

    #[test]
    fn differences_keep_sign_days_and_fractions() {
        let start = at("2020-02-28 23:59:59.5");
        assert!(
            (seconds_between(start, at("2020-03-02 00:00:00")) - (2.0 * 86_400.0 + 0.5)).abs()
                < 1e-6
        );
        assert!(
            (seconds_between(at("2020-02-28 23:59:59"), at("2020-02-28 23:59:58.25")) + 0.75).abs()
                < 1e-9
        );
        assert_eq!(moved(start, 0.5), Some(at("2020-02-29 00:00:00")));
        for secs in [f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(moved(start, secs), None);
        }
    }

    #[test]
    fn time_of_day_wraps() {
        let time = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        assert!((time_of_day_difference(time("00:10"), time("23:50")) - 1200.0).abs() < 1e-9);
        assert!((time_of_day_difference(time("23:50"), time("00:10")) + 1200.0).abs() < 1e-9);
    }

    #[test]
    fn offsets_meet_on_the_clock_of_the_file() {
        let time = |hours: i32| DateTime {
            local: at("2020-01-01 23:30:00"),
            utc_offset: FixedOffset::east_opt(hours * 3600),
        };
        assert_eq!(on_file_clock(&time(0), FixedOffset::east_opt(3600)), at("2020-01-02 00:30:00"));
        assert_eq!(on_file_clock(&time(1), FixedOffset::east_opt(3600)), at("2020-01-01 23:30:00"));
        assert_eq!(on_file_clock(&time(5), None), at("2020-01-01 23:30:00"));
    }

    #[test]
    fn a_date_that_was_not_advanced_is_told_from_a_wrong_one() {
        let slice = |text: &str| {
            let time = at(text);
            PetSlice {
                acquisition_date: Attribute::Value(time.date()),
                acquisition_time: Attribute::Value(time.time()),
                ..Default::default()
            }
        };
        let times = |series: &str, slices: &[&str]| {
            let series = at(series);
            ScanTimes::of(&PetAcquisition {
                series_date: Attribute::Value(series.date()),
                series_time: Attribute::Value(series.time()),
                slices: slices.iter().map(|text| slice(text)).collect(),
                ..Default::default()
            })
        };
        // Beds around midnight, all dated by the first day.
        let found = times("2020-01-01 23:40:00", &["2020-01-01 23:50:00", "2020-01-01 00:10:00"]);
        let expected = [at("2020-01-01 23:50:00"), at("2020-01-02 00:10:00")].map(Some);
        assert_eq!((found.acquisitions, found.too_long_hours), (expected.to_vec(), None));
        // All after midnight, the series just before it.
        let found = times("2020-01-01 23:58:00", &["2020-01-01 00:05:00"]);
        assert_eq!(found.first, Some(at("2020-01-02 00:05:00")));
        // A series that was made in the evening moves nothing.
        let found = times("2020-01-01 21:00:00", &["2020-01-01 08:00:00", "2020-01-01 08:20:00"]);
        assert_eq!(found.first, Some(at("2020-01-01 08:00:00")));
        // A date that is a day off.
        let found = times("2020-01-01 11:00:00", &["2020-01-01 11:00:00", "2020-01-02 11:02:00"]);
        assert!((found.too_long_hours.unwrap() - 24.0).abs() < 0.1);
    }

    #[test]
    fn a_borrowed_date_knows_midnight() {
        let day = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let slice = PetSlice {
            acquisition_time: Attribute::Value(NaiveTime::from_hms_opt(0, 5, 0).unwrap()),
            ..Default::default()
        };
        let acquisition = PetAcquisition {
            series_date: Attribute::Value(day),
            series_time: Attribute::Value(NaiveTime::from_hms_opt(23, 58, 0).unwrap()),
            slices: vec![slice],
            ..Default::default()
        };
        assert_eq!(ScanTimes::of(&acquisition).first, Some(at("2020-01-02 00:05:00")));
    }
}
