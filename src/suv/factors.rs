//! From activity or stored SUV to one factor a slice.

use super::body::BodyMeasure;
use super::decay::Decay;
use super::evidence::{decay_factor, duration_secs, reference_secs};
use super::injection::Injection;
use super::stored::{DecayCorrection, Stored};
use super::times::{ScanTimes, seconds_between};
use super::worksheet::Worksheet;
use super::{
    Clock, DecayFactorEvidence, DecayFactorForm, Input, Overrides, ReferenceRule, Refusal, SuvKind,
    nuclide,
};
use crate::acquisition::{Attribute, Radiopharmaceutical};

/// The two Philips factors must agree within this share.
const PHILIPS_AGREE: f64 = 0.05;
/// Shorter uptakes are reported, minutes.
const UPTAKE_SHORT: f64 = 30.0;
/// Usual uptakes of FDG, minutes.
const UPTAKE_FDG: std::ops::RangeInclusive<f64> = 45.0..=120.0;
/// No protocol images after more half-lives.
const HALF_LIVES_MAX: f64 = 10.0;

/// Factors, clock and evidence of a series.
pub(super) struct Factors {
    pub(super) per_slice: Vec<f64>,
    pub(super) clock: Clock,
    pub(super) evidence: DecayFactorEvidence,
}

/// When things happened, and by how much the dose of the injection is larger than that of the pixels' time, per slice.
struct Timing {
    clock: Clock,
    evidence: DecayFactorEvidence,
    growth: Vec<f64>,
}

impl Worksheet<'_> {
    /// The factors to the requested kind of SUV.
    pub(super) fn factors(&mut self, kind: SuvKind) -> Result<Factors, Refusal> {
        self.check_slices()?;
        let stored = self.stored()?;
        let correction = self.corrections()?;
        let found = match stored {
            Stored::Activity(per_unit) => self.activity_factors(per_unit, kind, correction)?,
            // Uncorrected counts are no SUV by the scanner's factor; the activity factor still holds.
            Stored::Suv { becquerels_per_ml: Some(per_unit), .. }
                if correction == DecayCorrection::None =>
            {
                self.activity_factors(per_unit, kind, correction)?
            }
            Stored::Suv { .. } if correction == DecayCorrection::None => {
                let units = self.acquisition.units.value().cloned().unwrap_or_default();
                return Err(Refusal::SuvNotDecayCorrected { units });
            }
            Stored::Suv { per_unit, measure, becquerels_per_ml } => {
                self.suv_factors(per_unit, measure, becquerels_per_ml, kind, correction)?
            }
        };
        match found.per_slice.iter().find(|factor| !(factor.is_finite() && **factor > 0.0)) {
            Some(&value) => Err(Refusal::FactorOutOfRange { value }),
            None => Ok(found),
        }
    }

    /// SUV = C·normaliser / (dose decayed to the time of the pixels).
    fn activity_factors(
        &mut self,
        per_unit: f64,
        kind: SuvKind,
        correction: DecayCorrection,
    ) -> Result<Factors, Refusal> {
        let weight = self.weight_kg()?;
        let normaliser = self.normaliser(kind, weight)?;
        let item = self.radiopharmaceutical()?;
        let dose = self.dose_bq(item)?;
        self.compare_dose_and_weight(item, dose, weight)?;
        let timing = match correction {
            DecayCorrection::Start => self.start(item)?,
            DecayCorrection::None => self.none(item)?,
            DecayCorrection::Admin => {
                if self.overrides.injected_at.is_some() {
                    self.warn_time_without_effect();
                }
                self.optional(|sheet| sheet.admin(item), ReferenceRule::Administration)
            }
        };
        let factors =
            timing.growth.iter().map(|growth| per_unit * normaliser * growth / dose).collect();
        Ok(Factors { per_slice: factors, clock: timing.clock, evidence: timing.evidence })
    }

    /// SUV in the file, converted to another body measure where that is asked.
    fn suv_factors(
        &mut self,
        per_unit: f64,
        measure: BodyMeasure,
        becquerels_per_ml: Option<f64>,
        kind: SuvKind,
        correction: DecayCorrection,
    ) -> Result<Factors, Refusal> {
        let mut factor = per_unit * self.standardised_anew(measure, kind)?;
        let mut timing = self.optional(
            |sheet| {
                let item = sheet.radiopharmaceutical()?;
                if correction == DecayCorrection::Start {
                    sheet.start(item)
                } else {
                    sheet.admin(item)
                }
            },
            ReferenceRule::AlreadySuv,
        );
        if timing.clock.rule != ReferenceRule::AlreadySuv {
            timing.clock.why =
                format!("the file holds SUV, no clock is needed; {}", timing.clock.why);
            timing.clock.rule = ReferenceRule::AlreadySuv;
        }
        if let Some(becquerels_per_ml) = becquerels_per_ml {
            self.compare_philips(per_unit, becquerels_per_ml, correction);
        }
        factor *= self.effect_of_injection(correction);
        Ok(Factors {
            per_slice: vec![factor; self.acquisition.slices.len()],
            clock: timing.clock,
            evidence: timing.evidence,
        })
    }

    /// The SUV factor of a Philips file against the one that follows from its activity factor.
    fn compare_philips(
        &mut self,
        per_unit: f64,
        becquerels_per_ml: f64,
        correction: DecayCorrection,
    ) {
        let header = Overrides::default();
        let mut other = Worksheet::new(self.acquisition, &header);
        let Ok(found) = other.activity_factors(becquerels_per_ml, SuvKind::BodyWeight, correction)
        else {
            return;
        };
        let Some(factor) = found.per_slice.first() else { return };
        let difference = factor / per_unit - 1.0;
        if difference.abs() > PHILIPS_AGREE {
            self.warn(
                "PHILIPS_FACTORS_DISAGREE",
                format!(
                    "the SUV factor (7053,xx00) {per_unit} is used; the activity factor (7053,xx09) {becquerels_per_ml} with \
                     dose and weight would change SUV by {:+.1} %",
                    100.0 * difference
                ),
            );
        }
        self.alternative(
            "Philips activity factor (7053,xx09) with dose and weight",
            100.0 * difference,
        );
    }

    /// From the body measure that the file's SUV is standardised by to that of the requested kind.
    ///
    /// The writer knew the headers' weight and height, whoever corrects them by hand now.
    fn standardised_anew(&mut self, measure: BodyMeasure, kind: SuvKind) -> Result<f64, Refusal> {
        let Overrides { weight_kg, height_m, .. } = *self.overrides;
        let wanted = BodyMeasure::from(kind);
        let by_hand = weight_kg.is_some() || (height_m.is_some() && wanted != BodyMeasure::Weight);
        if measure == wanted && !by_hand {
            return Ok(1.0);
        }
        let weight = self.weight_kg()?;
        let new = self.normaliser(kind, weight)?;
        match self.writers_normaliser(measure, measure != wanted) {
            // What the writer took is not known, so nothing tells by how much the value given differs from it.
            Err(_) if measure == wanted => {
                self.warn_without_effect();
                Ok(1.0)
            }
            old => Ok(new / old?),
        }
    }

    /// Grams (or square centimetres) by which the writer standardised, from the headers; what they lack is, if `filled`, as
    /// given by hand.
    fn writers_normaliser(&mut self, measure: BodyMeasure, filled: bool) -> Result<f64, Refusal> {
        let lacking = |read: &Attribute<f64>, given: Option<f64>| {
            given.filter(|_| filled && !read.value().is_some_and(|value| *value > 0.0))
        };
        let headers = Overrides {
            weight_kg: lacking(&self.acquisition.patient_weight, self.overrides.weight_kg),
            height_m: lacking(&self.acquisition.patient_size, self.overrides.height_m),
            ..Overrides::default()
        };
        let mut sheet = Worksheet::new(self.acquisition, &headers);
        let weight = sheet.weight_kg()?;
        let normaliser = sheet.stored_normaliser(measure, weight)?;
        let Worksheet { inputs, warnings, .. } = sheet;
        self.add_inputs(inputs);
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        Ok(normaliser)
    }

    /// By how much a dose or a time given by hand changes an SUV that the scanner has computed from the headers' values.
    fn effect_of_injection(&mut self, correction: DecayCorrection) -> f64 {
        let Overrides { dose_mbq, injected_at, .. } = *self.overrides;
        if dose_mbq.is_none() && injected_at.is_none() {
            return 1.0;
        }
        if correction == DecayCorrection::Admin && injected_at.is_some() {
            self.warn_time_without_effect();
        }
        let per_becquerel = |overrides: &Overrides| {
            let mut sheet = Worksheet::new(self.acquisition, overrides);
            let item = sheet.radiopharmaceutical().ok()?;
            let dose = sheet.dose_bq(item).ok()?;
            let growth = match correction {
                DecayCorrection::Admin => 1.0,
                _ => *sheet.start(item).ok()?.growth.first()?,
            };
            Some((growth / dose, sheet.inputs))
        };
        let Some(((new, inputs), (old, _))) =
            per_becquerel(self.overrides).zip(per_becquerel(&Overrides::default()))
        else {
            self.warn_without_effect();
            return 1.0;
        };
        self.add_inputs(inputs);
        new / old
    }

    /// Adds what another sheet has read and this one has not.
    fn add_inputs(&mut self, inputs: Vec<Input>) {
        for input in inputs {
            if !self.inputs.iter().any(|known| known.name == input.name) {
                self.inputs.push(input);
            }
        }
    }

    fn warn_without_effect(&mut self) {
        self.warn(
            "OVERRIDE_WITHOUT_EFFECT",
            "the file holds SUV and not all of the weight, dose and times it was computed from: the given values do not change it",
        );
    }

    fn warn_time_without_effect(&mut self) {
        self.warn(
            "OVERRIDE_WITHOUT_EFFECT",
            "the images are corrected to the injection (ADMIN): --injected-at moves the uptake time only",
        );
    }

    /// A timing that the factor does not need: where it cannot be had, the result says so and goes on.
    fn optional(
        &mut self,
        timing: impl FnOnce(&mut Self) -> Result<Timing, Refusal>,
        rule: ReferenceRule,
    ) -> Timing {
        let slices = self.acquisition.slices.len();
        self.clock_matters = false;
        timing(self).unwrap_or_else(|refusal| {
            self.warn("UPTAKE_UNKNOWN", format!("the uptake time is not known: {refusal}"));
            Timing {
                clock: Clock {
                    rule,
                    reference_time: None,
                    injection_time: None,
                    uptake_minutes: None,
                    why: "the factor needs no clock".into(),
                },
                evidence: DecayFactorEvidence {
                    form: DecayFactorForm::None,
                    max_relative_deviation: None,
                },
                growth: vec![1.0; slices],
            }
        })
    }

    /// START: the whole series is corrected to one reference time, and the dose decays to it.
    fn start(&mut self, item: &Radiopharmaceutical) -> Result<Timing, Refusal> {
        let (decay, evidence, times) = self.physics(item)?;
        if evidence.form == DecayFactorForm::Unknown && self.clock_matters {
            let deviation = evidence
                .max_relative_deviation
                .map_or("an unknown share".into(), |share| format!("{:.2} %", 100.0 * share));
            self.warn(
                "DECAY_FACTOR_UNEXPLAINED",
                format!("DecayFactor (0054,1321) deviates from both vendors' forms by {deviation} and confirms no clock"),
            );
        }
        // Only enhanced objects have the dose in MBq; they must say to which time they were corrected (PS3.3 C.8.22.5.3).
        let unstated = self.acquisition.enhanced_decay_datetime.value().is_none();
        if item.dose_in_megabecquerels && unstated && self.clock_matters {
            self.warn(
                "DECAY_TIME_NOT_STATED",
                "DecayCorrectionDateTime (0018,9701) is missing: the frames are taken as corrected to the start of the scan; if \
                 they were corrected to the injection, SUV is too high",
            );
        }
        let reference = self.reference_time(&times, decay, evidence.form)?;
        let injection = self.injection(item, decay, reference.time)?;
        let decayed = seconds_between(injection.time, reference.time);
        let to_injection =
            reference.rule == ReferenceRule::EnhancedDecayDateTime && decayed.abs() < 1.0;
        let scan =
            if to_injection { times.first.unwrap_or(reference.time) } else { reference.time };
        let uptake = self.uptake(item, decay, &injection, scan)?;
        let clock = Clock {
            rule: reference.rule,
            reference_time: Some(reference.time),
            injection_time: Some(injection.time),
            uptake_minutes: Some(uptake),
            why: format!("decay reference by {}; {}", reference.why, injection.why),
        };
        Ok(Timing {
            clock,
            evidence,
            growth: vec![decay.growth(decayed); self.acquisition.slices.len()],
        })
    }

    /// NONE: each frame is corrected here, for the decay since the injection and for that inside the frame.
    fn none(&mut self, item: &Radiopharmaceutical) -> Result<Timing, Refusal> {
        let (decay, evidence, times) = self.physics(item)?;
        let mut frames = Vec::new();
        for (slice, (acquired, facts)) in
            times.acquisitions.iter().zip(&self.acquisition.slices).enumerate()
        {
            let acquired = acquired.ok_or(Refusal::MissingAcquisitionTime { slice })?;
            frames.push((
                acquired,
                duration_secs(facts).ok_or(Refusal::MissingFrameDuration { slice })?,
            ));
        }
        let first = times.first.ok_or(Refusal::MissingReferenceTime)?;
        let references = || self.acquisition.slices.iter().filter_map(reference_secs);
        let span = references().fold(f64::MIN, f64::max) - references().fold(f64::MAX, f64::min);
        // A bed lasts longer than a second.
        if span > 1.0 && frames.iter().all(|(acquired, _)| *acquired == first) {
            return Err(Refusal::AcquisitionTimesAlike { seconds: span });
        }
        self.note_clocks(&times, ReferenceRule::FrameAcquisition);
        let injection = self.injection(item, decay, first)?;
        let uptake = self.uptake(item, decay, &injection, first)?;
        let growth = |&(acquired, frame): &(_, f64)| {
            decay.in_frame(frame) * decay.growth(seconds_between(injection.time, acquired))
        };
        let clock = Clock {
            rule: ReferenceRule::FrameAcquisition,
            reference_time: Some(first),
            injection_time: Some(injection.time),
            uptake_minutes: Some(uptake),
            why: format!(
                "not corrected for decay: each frame from its own AcquisitionTime (0008,0032); {}",
                injection.why
            ),
        };
        Ok(Timing { clock, evidence, growth: frames.iter().map(growth).collect() })
    }

    /// ADMIN: the images are corrected to the injection; the dose is used as it was injected.
    fn admin(&mut self, item: &Radiopharmaceutical) -> Result<Timing, Refusal> {
        let (decay, evidence, times) = self.physics(item)?;
        let scan = times.first.or(times.series).ok_or(Refusal::MissingReferenceTime)?;
        let injection = self.injection(item, decay, scan)?;
        let uptake = self.uptake(item, decay, &injection, scan)?;
        let clock = Clock {
            rule: ReferenceRule::Administration,
            reference_time: Some(injection.time),
            injection_time: Some(injection.time),
            uptake_minutes: Some(uptake),
            why: format!(
                "corrected to the injection (ADMIN), the dose does not decay; {}",
                injection.why
            ),
        };
        Ok(Timing { clock, evidence, growth: vec![1.0; self.acquisition.slices.len()] })
    }

    fn physics(
        &mut self,
        item: &Radiopharmaceutical,
    ) -> Result<(Decay, DecayFactorEvidence, ScanTimes), Refusal> {
        let decay = self.decay(item)?;
        let times = ScanTimes::of(self.acquisition);
        if let Some(hours) = times.too_long_hours {
            return Err(Refusal::AcquisitionSpan { hours });
        }
        Ok((decay, decay_factor(&self.acquisition.slices, decay), times))
    }

    /// Minutes of uptake, checked.
    fn uptake(
        &mut self,
        item: &Radiopharmaceutical,
        decay: Decay,
        injection: &Injection,
        scan: chrono::NaiveDateTime,
    ) -> Result<f64, Refusal> {
        let secs = seconds_between(injection.time, scan);
        let minutes = secs / 60.0;
        if secs <= 0.0 {
            // Not -0.0 where both are one moment.
            return Err(Refusal::InjectionNotBeforeScan { minutes: 0.0 - minutes });
        }
        if secs > HALF_LIVES_MAX * decay.half_life_secs() {
            return Err(Refusal::InjectionDateImplausible { hours: secs / 3600.0 });
        }
        if minutes < UPTAKE_SHORT {
            self.warn(
                "UPTAKE_SHORT",
                format!("uptake time is {minutes:.1} min, under {UPTAKE_SHORT} min"),
            );
        } else if nuclide::is_fdg(item) && !UPTAKE_FDG.contains(&minutes) {
            self.warn(
                "UPTAKE_UNUSUAL",
                format!("uptake time is {minutes:.1} min; FDG is imaged after 45 to 120 min"),
            );
        }
        Ok(minutes)
    }
}
