//! The time to which the scanner has corrected the pixels for decay (`DecayCorrection` START).
//!
//! One time for the whole series. Vendors state it in different places, de-identification and post-processing change some
//! of them, so each is checked against the acquisition times before it is believed:
//!
//! 1. `DecayCorrectionDateTime` of an enhanced object
//! 2. the vendor's private date-time (GE scan, Siemens decay correction), if it is on the clock of the series
//! 3. `SeriesDate`/`SeriesTime`, unless they are later than the first acquisition, or more than two hours earlier
//! 4. acquisition time less `FrameReferenceTime` (plus the average count time where that is what the vendor refers to)
//! 5. the earliest acquisition time
//!
//! Source: QIBA FDG-PET/CT profile (pseudo-code for SUV), IBSI SUV manual (2026), PS3.3 C.8.9.1.1.5 and C.8.9.4.1.5.

use std::fmt::Display;

use chrono::{NaiveDateTime, NaiveTime};

use super::decay::Decay;
use super::evidence::{duration_secs, reference_secs};
use super::times::{ScanTimes, moved, on_file_clock, seconds_between, time_of_day_difference};
use super::worksheet::Worksheet;
use super::{DecayFactorForm, ReferenceRule, Refusal};
use crate::acquisition::{Attribute, DateTime};

/// A reference time lies at most this long before the first acquisition.
const LEAD_MAX_SECS: f64 = 7200.0;
/// Clocks of one scanner write the same moment with at most this difference.
const SAME_MOMENT_SECS: f64 = 2.0;
/// A clock this near confirms a series time that looks like a placeholder.
const CONFIRMS_SECS: f64 = 60.0;
/// Two clocks that differ by more are reported (1.3 % of SUV for F-18).
const DISAGREE_SECS: f64 = 120.0;
/// A series time that lies longer than this before the first acquisition needs another clock that says so.
const UNCONFIRMED_SECS: f64 = 900.0;
/// A statement from slices whose results spread wider is no statement.
const SPREAD_MAX_SECS: f64 = 120.0;
/// Dates farther apart than this are on two calendars.
const OTHER_DATE_SECS: f64 = 86_400.0;

const ENHANCED: (&str, &str) = ("DecayCorrectionDateTime", "(0018,9701)");
const GE: (&str, &str) = ("GE scan date-time", "(0009,xx0D)");
const SIEMENS: (&str, &str) = ("Siemens decay correction date-time", "(0071,xx22)");
const TIMEZONE: (&str, &str) = ("TimezoneOffsetFromUTC", "(0008,0201)");
const SERIES_TIME: (&str, &str) = ("SeriesDate, SeriesTime", "(0008,0021/0031)");
const ACQUISITION_TIME: (&str, &str) = ("AcquisitionDate, AcquisitionTime", "(0008,0022/0032)");
const FRAME_REFERENCE_TIME: (&str, &str) = ("FrameReferenceTime", "(0054,1300)");
const FRAME_DURATION: (&str, &str) = ("ActualFrameDuration", "(0018,1242)");

/// The reference time and how it was found.
pub(super) struct Reference {
    pub(super) rule: ReferenceRule,
    pub(super) time: NaiveDateTime,
    pub(super) why: String,
}

impl Worksheet<'_> {
    /// Chooses the reference time of START images and reports every clock that says something else.
    pub(super) fn reference_time(
        &mut self,
        times: &ScanTimes,
        decay: Decay,
        form: DecayFactorForm,
    ) -> Result<Reference, Refusal> {
        let mut candidates: Vec<Reference> = Vec::new();
        let mut doubtful: Vec<Reference> = Vec::new();
        candidates.extend(self.explicit(times, &mut doubtful));
        let back = self.back_computed(times, decay, form);
        let placeholder = placeholder(times, back);
        if let Some(time) = times.series {
            let found = Reference {
                rule: ReferenceRule::SeriesTime,
                time,
                why: "SeriesDate and SeriesTime (0008,0021/0031)".into(),
            };
            match self.series_fault(time, times, placeholder) {
                None => candidates.push(found),
                Some(why) => doubtful.push(Reference { why, ..found }),
            }
        }
        let back = back.map(|time| Reference {
            rule: ReferenceRule::BackComputed,
            time,
            why: "AcquisitionTime (0008,0032) less FrameReferenceTime (0054,1300)".into(),
        });
        let earliest = times.first.map(|time| Reference {
            rule: ReferenceRule::EarliestAcquisition,
            time,
            why: "earliest AcquisitionTime (0008,0032)".into(),
        });
        if placeholder {
            candidates.extend(earliest.into_iter().chain(back));
        } else {
            candidates.extend(back.into_iter().chain(earliest));
        }
        if candidates.is_empty() {
            return Err(Refusal::MissingReferenceTime);
        }
        let chosen = candidates.remove(0);
        self.note_clocks(times, chosen.rule);
        if self.clock_matters {
            self.report(&chosen, &candidates, &doubtful, decay);
        }
        Ok(chosen)
    }

    /// Notes each clock of the headers as it was read, and whether it is the one that was chosen.
    pub(super) fn note_clocks(&mut self, times: &ScanTimes, rule: ReferenceRule) {
        let acquisition = self.acquisition;
        let stated = [
            (ReferenceRule::EnhancedDecayDateTime, &acquisition.enhanced_decay_datetime, ENHANCED),
            (ReferenceRule::GeScanDateTime, &acquisition.ge_scan_datetime, GE),
            (ReferenceRule::SiemensDecayDateTime, &acquisition.siemens_decay_datetime, SIEMENS),
        ];
        for (own, read, name) in stated {
            if *read != Attribute::Absent {
                self.note(name, read, used(rule == own), false);
            }
        }
        if acquisition.timezone != Attribute::Absent {
            self.note(TIMEZONE, &acquisition.timezone, "clock of the file", false);
        }
        let series = times.series.map_or_else(
            || acquisition.series_time.clone().map(|time| time.to_string()),
            |time| Attribute::Value(time.to_string()),
        );
        self.note(SERIES_TIME, &series, used(rule == ReferenceRule::SeriesTime), false);
        let slices = &acquisition.slices;
        let acquired = span(times.acquisitions.iter().flatten(), "");
        let by_acquisition = [
            ReferenceRule::BackComputed,
            ReferenceRule::EarliestAcquisition,
            ReferenceRule::FrameAcquisition,
        ];
        self.note(ACQUISITION_TIME, &acquired, used(by_acquisition.contains(&rule)), false);
        let reference = slices.iter().filter_map(|slice| slice.frame_reference_time_ms.value());
        let back = used(rule == ReferenceRule::BackComputed);
        self.note(FRAME_REFERENCE_TIME, &span(reference, " ms"), back, false);
        let duration = slices.iter().filter_map(|slice| slice.frame_duration_ms.value());
        let in_frame = [ReferenceRule::BackComputed, ReferenceRule::FrameAcquisition];
        let length = used(in_frame.contains(&rule));
        self.note(FRAME_DURATION, &span(duration, " ms"), length, false);
    }

    /// The date-time that the vendor or the enhanced object states outright, if it is on the clock of the acquisitions.
    fn explicit(&mut self, times: &ScanTimes, doubtful: &mut Vec<Reference>) -> Option<Reference> {
        let acquisition = self.acquisition;
        let sources: [(ReferenceRule, &Attribute<DateTime>, (&str, &str)); 3] = [
            (ReferenceRule::EnhancedDecayDateTime, &acquisition.enhanced_decay_datetime, ENHANCED),
            (ReferenceRule::GeScanDateTime, &acquisition.ge_scan_datetime, GE),
            (ReferenceRule::SiemensDecayDateTime, &acquisition.siemens_decay_datetime, SIEMENS),
        ];
        let timezone = acquisition.timezone.value().copied();
        let mut accepted = None;
        for (rule, read, (name, tag)) in sources {
            let Some(read) = read.value() else { continue };
            let time = on_file_clock(read, timezone);
            let name = format!("{name} {tag}");
            if read.utc_offset.is_some() && timezone.is_none() && !confirmed(time, times) {
                self.warn(
                    "PRIVATE_CLOCK_IGNORED",
                    format!("{name} is {read}, and no TimezoneOffsetFromUTC (0008,0201) says on which clock the acquisition is: not used"),
                );
                continue;
            }
            match same_clock(time, times) {
                ClockFit::Same if accepted.is_none() => accepted = Some(Reference { rule, time, why: name }),
                ClockFit::Same => doubtful.push(Reference { rule, time, why: name }),
                ClockFit::OtherDate => self.warn(
                    "CLOCK_ON_OTHER_DATE",
                    format!(
                        "{name} is {time}: the same time of day as the series on another date, as de-identification leaves it; \
                         its date is not mixed with those of the series"
                    ),
                ),
                ClockFit::Elsewhere => self.warn(
                    "PRIVATE_CLOCK_IGNORED",
                    format!("{name} is {time}, too far from the acquisition for one clock: not used"),
                ),
            }
        }
        accepted
    }

    /// Why the series time cannot be the reference time; `None` if it can.
    fn series_fault(
        &mut self,
        series: NaiveDateTime,
        times: &ScanTimes,
        placeholder: bool,
    ) -> Option<String> {
        if placeholder {
            self.warn(
                "SERIES_TIME_PLACEHOLDER",
                format!("SeriesTime (0008,0031) {} looks like a placeholder and no other clock confirms it: not used", series.time()),
            );
            return Some("SeriesTime (0008,0031), a placeholder".into());
        }
        let Some(first) = times.first else {
            self.warn(
                "SERIES_TIME_UNCHECKED",
                "no AcquisitionTime (0008,0032): SeriesTime (0008,0031) cannot be checked against the acquisition",
            );
            return None;
        };
        let lead = seconds_between(series, first);
        if lead < -1.0 {
            return Some("SeriesTime (0008,0031), later than the first acquisition".into());
        }
        (lead > LEAD_MAX_SECS).then(|| {
            "SeriesTime (0008,0031), more than two hours before the first acquisition".into()
        })
    }

    /// Acquisition time less the frame's reference time: the time at which the decay correction starts.
    ///
    /// `None` where the slices do not agree on one time shortly before the first acquisition.
    fn back_computed(
        &self,
        times: &ScanTimes,
        decay: Decay,
        form: DecayFactorForm,
    ) -> Option<NaiveDateTime> {
        let first = times.first?;
        // (acquisition, reference of the frame, from the start of the frame to its average count time), in seconds
        let mut frames: Vec<(f64, f64, f64)> = Vec::new();
        for (slice, acquired) in self.acquisition.slices.iter().zip(&times.acquisitions) {
            let (Some(acquired), Some(reference), Some(frame)) =
                (*acquired, reference_secs(slice), duration_secs(slice))
            else {
                continue;
            };
            if reference >= 0.0 {
                frames.push((
                    seconds_between(first, acquired),
                    reference,
                    decay.average_count_time(frame),
                ));
            }
        }
        let earliest = *frames.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        if frames.iter().all(|frame| frame.0.total_cmp(&earliest.0).is_eq()) {
            // One acquisition time for all beds is that of the first bed: the other slices say nothing.
            frames.retain(|frame| frame.1.total_cmp(&earliest.1).is_eq());
        }
        let starts = match form {
            DecayFactorForm::Ge => true,
            DecayFactorForm::Siemens => false,
            DecayFactorForm::None | DecayFactorForm::Unknown => {
                self.refers_to_start(earliest.1, earliest.2)
            }
        };
        let mut found: Vec<f64> = frames
            .iter()
            .map(|(acquired, reference, average)| {
                acquired - reference + if starts { 0.0 } else { *average }
            })
            .collect();
        found.sort_by(f64::total_cmp);
        let (lowest, highest) = (*found.first()?, *found.last()?);
        let believable =
            highest - lowest <= SPREAD_MAX_SECS && (-LEAD_MAX_SECS..=1.0).contains(&lowest);
        if believable { moved(first, found[found.len() / 2]) } else { None }
    }

    /// Whether the frame reference time is that of the start of the frame, judged from the earliest frame alone.
    ///
    /// One that lies before its own average count time can only be the start, one that equals it is the average; for later
    /// frames the habit of the vendor decides.
    fn refers_to_start(&self, reference: f64, average: f64) -> bool {
        let manufacturer = self.acquisition.manufacturer.trim().to_uppercase();
        let ge = manufacturer == "GE" || manufacturer.starts_with("GE ");
        reference < average - 1.0 || (ge && reference > average + 1.0)
    }

    /// Warns about clocks that disagree with the chosen one and lists what each would give.
    fn report(
        &mut self,
        chosen: &Reference,
        others: &[Reference],
        doubtful: &[Reference],
        decay: Decay,
    ) {
        if chosen.rule == ReferenceRule::EarliestAcquisition {
            self.warn(
                "REF_TIME_FALLBACK",
                format!("no clock states the decay reference time: the earliest AcquisitionTime (0008,0032), {}, is used", chosen.time),
            );
        }
        let earliest = others.iter().find(|o| o.rule == ReferenceRule::EarliestAcquisition);
        let alone = others.iter().all(|o| o.rule == ReferenceRule::EarliestAcquisition);
        if let Some(first) = earliest.filter(|_| alone && chosen.rule == ReferenceRule::SeriesTime)
            && let lead = seconds_between(chosen.time, first.time)
            && lead > UNCONFIRMED_SECS
        {
            let minutes = lead / 60.0;
            let percent = 100.0 * (decay.growth(lead) - 1.0);
            self.warn(
                "CLOCKS_DISAGREE",
                format!(
                    "reference time is {} by {}, {minutes:.0} min before the first acquisition, and no other clock says so; that \
                     of the first acquisition would change SUV by {percent:+.1} %",
                    shown(chosen.time), chosen.why
                ),
            );
        }
        for (other, believed) in others
            .iter()
            .map(|other| (other, true))
            .chain(doubtful.iter().map(|other| (other, false)))
        {
            let apart = seconds_between(chosen.time, other.time);
            if apart.abs() >= OTHER_DATE_SECS {
                continue;
            }
            // SUV grows with the time to which the dose is decayed.
            let percent = 100.0 * (decay.growth(apart) - 1.0);
            let independent = believed && other.rule != ReferenceRule::EarliestAcquisition;
            if apart.abs() > DISAGREE_SECS && independent {
                self.warn(
                    "CLOCKS_DISAGREE",
                    format!(
                        "reference time is {} by {}, but {} by {}, which would change SUV by {percent:+.1} %",
                        shown(chosen.time), chosen.why, shown(other.time), other.why
                    ),
                );
            }
            self.alternative(
                format!("reference time {} by {}", shown(other.time), other.why),
                percent,
            );
        }
    }
}

/// Whether `SeriesTime` is a value that de-identification writes, with nothing else in the file to confirm it.
fn placeholder(times: &ScanTimes, back: Option<NaiveDateTime>) -> bool {
    let Some(series) = times.series else { return false };
    let placeholders = [Some(NaiveTime::MIN), NaiveTime::from_hms_opt(11, 11, 11)];
    let near = |time: Option<NaiveDateTime>| {
        time.is_some_and(|time| seconds_between(series, time).abs() <= CONFIRMS_SECS)
    };
    placeholders.contains(&Some(series.time())) && !near(times.first) && !near(back)
}

/// What an input of the clock is good for.
fn used(chosen: bool) -> &'static str {
    if chosen { "reference time" } else { "not used" }
}

/// The values of all slices for a reader: the one, or the smallest and the largest.
fn span<T: PartialOrd + Copy + Display>(
    values: impl Iterator<Item = T> + Clone,
    unit: &str,
) -> Attribute<String> {
    let low = values.clone().reduce(|a, b| if b < a { b } else { a });
    let high = values.reduce(|a, b| if b > a { b } else { a });
    match low.zip(high) {
        None => Attribute::Absent,
        Some((low, high)) if low < high => Attribute::Value(format!("{low} to {high}{unit}")),
        Some((low, _)) => Attribute::Value(format!("{low}{unit}")),
    }
}

/// Whether a time is that of the series or of the first acquisition.
fn confirmed(time: NaiveDateTime, times: &ScanTimes) -> bool {
    let near = |anchor: NaiveDateTime| seconds_between(time, anchor).abs() <= DISAGREE_SECS;
    [times.first, times.series].into_iter().flatten().any(near)
}

enum ClockFit {
    /// Near the acquisition.
    Same,
    /// The same time of day on another date.
    OtherDate,
    /// Neither.
    Elsewhere,
}

/// Whether a date-time can be on the same clock as the times of the series.
fn same_clock(time: NaiveDateTime, times: &ScanTimes) -> ClockFit {
    let near = |anchor: NaiveDateTime| seconds_between(time, anchor).abs() <= LEAD_MAX_SECS;
    let fits = match (times.first, times.series) {
        (None, None) => true,
        (Some(first), Some(series)) if seconds_between(first, series).abs() > OTHER_DATE_SECS => {
            near(first) || near(series)
        }
        (Some(first), _) => near(first),
        (None, Some(series)) => near(series),
    };
    if fits {
        return ClockFit::Same;
    }
    let same_time_of_day = [times.first, times.series]
        .into_iter()
        .flatten()
        .any(|anchor| time_of_day_difference(time.time(), anchor.time()).abs() <= SAME_MOMENT_SECS);
    if same_time_of_day { ClockFit::OtherDate } else { ClockFit::Elsewhere }
}

/// A time to the millisecond, for a reader.
fn shown(time: NaiveDateTime) -> impl Display {
    time.format("%Y-%m-%d %H:%M:%S%.3f")
}
