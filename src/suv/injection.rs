//! When the tracer was injected, on the clock of the scan.
//!
//! A date-time wins where it fits the scan; otherwise the time of day is taken as the last one before the scan. Dates
//! that de-identification has shifted are thereby no obstacle to a short-lived nuclide; a long-lived one needs its date.
//!
//! Source: IBSI SUV manual (2026); PS3.3 C.8.9.2 (`RadiopharmaceuticalStartTime`, `RadiopharmaceuticalStartDateTime`).

use chrono::{Days, NaiveDateTime, NaiveTime};

use super::decay::Decay;
use super::times::{on_file_clock, seconds_between, time_of_day_difference};
use super::worksheet::Worksheet;
use super::{InjectedAt, Refusal};
use crate::acquisition::{Attribute, Radiopharmaceutical};

const START_TIME: (&str, &str) = ("RadiopharmaceuticalStartTime", "(0018,1072)");
const START_DATE_TIME: (&str, &str) = ("RadiopharmaceuticalStartDateTime", "(0018,1078)");

/// From this half-life on (11.5 h) a time of day leaves the day open.
const LONG_LIVED_SECS: f64 = 41_400.0;
/// A date-time may lie behind the scan by this much and still be meant: a fault of the times, not of the dates.
const AFTER_SCAN_SECS: f64 = 3600.0;
/// A date-time of a short-lived nuclide lies fewer half-lives before the scan.
const HALF_LIVES: f64 = 2.0;
/// A date-time of a long-lived nuclide lies fewer half-lives before the scan.
const HALF_LIVES_LONG: f64 = 10.0;
/// Longest uptake over midnight that is believed without a date.
const OVER_MIDNIGHT_SECS: f64 = 6.0 * 3600.0;
/// Two times of injection that differ by more are two statements.
const SAME_TIME_SECS: f64 = 60.0;

/// The time of injection and how it was found.
pub(super) struct Injection {
    pub(super) time: NaiveDateTime,
    pub(super) why: String,
}

impl Worksheet<'_> {
    /// The time of injection for a scan at `reference`.
    pub(super) fn injection(
        &mut self,
        item: &Radiopharmaceutical,
        decay: Decay,
        reference: NaiveDateTime,
    ) -> Result<Injection, Refusal> {
        match self.overrides.injected_at {
            Some(given) => self.given_injection(given, item, decay, reference),
            None => self.read_injection(item, decay, reference),
        }
    }

    fn given_injection(
        &mut self,
        given: InjectedAt,
        item: &Radiopharmaceutical,
        decay: Decay,
        reference: NaiveDateTime,
    ) -> Result<Injection, Refusal> {
        let read = item.start_datetime.value().map(ToString::to_string);
        let read = read.or_else(|| item.start_time.value().map(ToString::to_string));
        let read = read.map_or(Attribute::Absent, Attribute::Value);
        let time = match given {
            InjectedAt::DateTime(time) => time,
            InjectedAt::TimeOfDay(time) => last_before(time, reference, decay)?,
        };
        self.note(START_DATE_TIME, &read, time.to_string(), true);
        Ok(Injection { time, why: "injection time given by hand".into() })
    }

    fn read_injection(
        &mut self,
        item: &Radiopharmaceutical,
        decay: Decay,
        reference: NaiveDateTime,
    ) -> Result<Injection, Refusal> {
        let timezone = self.acquisition.timezone.value().copied();
        let dated = item.start_datetime.value().map(|time| on_file_clock(time, timezone));
        let long_lived = decay.half_life_secs() >= LONG_LIVED_SECS;
        let Some(dated) = dated else {
            return self.undated_injection(item, decay, reference);
        };
        if self.zone_unknown(item, dated) && !long_lived && item.start_time.value().is_some() {
            return self.undated_injection(item, decay, reference);
        }
        let before = seconds_between(dated, reference);
        let half_lives = if long_lived { HALF_LIVES_LONG } else { HALF_LIVES };
        let near = before >= -AFTER_SCAN_SECS && before < half_lives * decay.half_life_secs();
        // Longer ago, but the last such time of day: the dates fit.
        if near || last_before(dated.time(), reference, decay) == Ok(dated) {
            self.compare_times(item, dated, decay);
            self.note_injection(item, dated);
            return Ok(Injection {
                time: dated,
                why: "injection at RadiopharmaceuticalStartDateTime (0018,1078)".into(),
            });
        }
        if long_lived {
            return Err(Refusal::InjectionDateImplausible { hours: before / 3600.0 });
        }
        let time_of_day = item.start_time.value().copied().unwrap_or(dated.time());
        let time = last_before(time_of_day, reference, decay)?;
        if (time - dated).abs().num_hours() >= 12 {
            self.warn(
                "DATE_SHIFT_SUSPECTED",
                format!(
                    "RadiopharmaceuticalStartDateTime (0018,1078) is {dated}, {:.1} h before the reference time {reference}: \
                     only the time of day is used, {time}",
                    before / 3600.0
                ),
            );
        }
        self.note_injection(item, time);
        Ok(Injection {
            time,
            why: "injection at the last such time of day before the scan, its date does not fit"
                .into(),
        })
    }

    /// Whether the date-time is written with an offset from UTC that nothing relates to the clock of the file.
    fn zone_unknown(&mut self, item: &Radiopharmaceutical, dated: NaiveDateTime) -> bool {
        let offset = item.start_datetime.value().and_then(|time| time.utc_offset);
        let Some(offset) = offset.filter(|_| self.acquisition.timezone.value().is_none()) else {
            return false;
        };
        let time = item.start_time.value().copied();
        if time
            .is_some_and(|time| time_of_day_difference(dated.time(), time).abs() <= SAME_TIME_SECS)
        {
            return false;
        }
        let used = if time.is_some() {
            "RadiopharmaceuticalStartTime (0018,1072) is used"
        } else {
            "its local time is used"
        };
        self.warn(
            "INJECTION_ZONE_UNKNOWN",
            format!(
                "RadiopharmaceuticalStartDateTime (0018,1078) {dated} has the offset {offset} and the file has no \
                 TimezoneOffsetFromUTC (0008,0201): {used}"
            ),
        );
        true
    }

    /// The injection where there is only a time of day.
    fn undated_injection(
        &mut self,
        item: &Radiopharmaceutical,
        decay: Decay,
        reference: NaiveDateTime,
    ) -> Result<Injection, Refusal> {
        let Some(&time_of_day) = item.start_time.value() else {
            return Err(Refusal::MissingInjectionTime {
                fault: item.start_time.fault().unwrap_or_default(),
            });
        };
        let time = last_before(time_of_day, reference, decay)?;
        let why = if time.date() == reference.date() {
            "injection at RadiopharmaceuticalStartTime (0018,1072) on the day of the scan"
        } else {
            self.warn(
                "INJECTION_DAY_BEFORE",
                format!("RadiopharmaceuticalStartTime (0018,1072) {time_of_day} is after the scan at {reference}: taken as {time}"),
            );
            "injection at RadiopharmaceuticalStartTime (0018,1072) on the day before the scan"
        };
        self.note_injection(item, time);
        Ok(Injection { time, why: why.into() })
    }

    /// Both attributes, when they are two statements: the date-time wins, the other is an alternative.
    fn compare_times(&mut self, item: &Radiopharmaceutical, dated: NaiveDateTime, decay: Decay) {
        let Some(&time) = item.start_time.value() else { return };
        let apart = time_of_day_difference(dated.time(), time);
        if apart.abs() <= SAME_TIME_SECS || !self.clock_matters {
            return;
        }
        let percent = 100.0 * (decay.growth(apart) - 1.0);
        self.warn(
            "INJECTION_TIMES_DISAGREE",
            format!(
                "RadiopharmaceuticalStartDateTime (0018,1078) is {dated} and RadiopharmaceuticalStartTime (0018,1072) is \
                 {time}: the first is used, the second would change SUV by {percent:+.1} %"
            ),
        );
        self.alternative("injection at RadiopharmaceuticalStartTime (0018,1072)", percent);
    }

    fn note_injection(&mut self, item: &Radiopharmaceutical, used: NaiveDateTime) {
        self.note(START_DATE_TIME, &item.start_datetime, used.to_string(), false);
        self.note(START_TIME, &item.start_time, used.time().to_string(), false);
    }
}

/// A time of day as the last one before the scan; over midnight only as far as an uptake may last.
fn last_before(
    time: NaiveTime,
    reference: NaiveDateTime,
    decay: Decay,
) -> Result<NaiveDateTime, Refusal> {
    if decay.half_life_secs() >= LONG_LIVED_SECS {
        return Err(Refusal::InjectionDateRequired {
            half_life_hours: decay.half_life_secs() / 3600.0,
        });
    }
    let same_day = reference.date().and_time(time);
    let uptake = seconds_between(same_day, reference);
    if uptake >= 0.0 {
        return Ok(same_day);
    }
    same_day
        .checked_sub_days(Days::new(1))
        .filter(|day_before| seconds_between(*day_before, reference) < OVER_MIDNIGHT_SECS)
        .ok_or(Refusal::InjectionNotBeforeScan { minutes: -uptake / 60.0 })
}
