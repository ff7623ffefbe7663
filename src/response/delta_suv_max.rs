//! Delta SUVmax: the fall of the hottest lesion's SUVmax in percent, at interim.
//!
//! `100 * (baseline - follow-up) / baseline`, the hottest lesion of each scan, which need not be the same.
//!
//! Source: Lin 2007 JNM 48:1626; Casasnovas 2011 Blood 118:37 (66 % after two cycles, 70 % after four); PETAL, Duehrsen 2018
//! JCO 36:2024; the guards, Meignan 2012.

use super::{Hottest, Reason};
use crate::criteria::{DELTA_SUV_MAX, EPSILON};

/// How many cycles of treatment the follow-up comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cycles {
    /// Two, or nobody said.
    #[default]
    Two,
    /// Four.
    Four,
    /// Another number, for which no cut-off is published: the reduction means nothing known.
    Other,
}

/// The reduction and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct DeltaSuvMax {
    /// Reduction in percent of the baseline, positive for a fall; `None` where a value is missing or nothing is left to
    /// measure.
    pub percent: Option<f64>,
    /// The reduction that must be exceeded, percent.
    pub cutoff_percent: f64,
    /// Whether it is exceeded; a scan without residual uptake is favourable. `None`: not known.
    pub favourable: Option<bool>,
    /// Guards that fired, or why there is no result.
    pub reasons: Vec<Reason>,
}

/// The reduction of SUVmax between two scans.
pub fn assess(baseline: Hottest, follow_up: Hottest, cycles: Cycles) -> DeltaSuvMax {
    let numbers = DELTA_SUV_MAX;
    let cutoff_percent = match cycles {
        Cycles::Two | Cycles::Other => numbers.after_two_cycles_percent,
        Cycles::Four => numbers.after_four_cycles_percent,
    };
    let mut result =
        DeltaSuvMax { percent: None, cutoff_percent, favourable: None, reasons: Vec::new() };
    let Some(before) = measured(baseline).filter(|value| *value > 0.0) else {
        result.reasons.push(Reason::new("BASELINE_NOT_MEASURED", "baseline has no SUVmax"));
        return result;
    };
    if before < numbers.baseline_at_least * (1.0 - EPSILON) {
        let limit = numbers.baseline_at_least;
        let text = format!("baseline SUVmax {before:.1} is below {limit}: the rule is unreliable");
        result.reasons.push(Reason::new("BASELINE_SUVMAX_LT_10", text));
    }
    if cycles == Cycles::Other {
        let text = "cut-offs are published for two and for four cycles only";
        result.reasons.push(Reason::new("CYCLES_WITHOUT_CUTOFF", text));
    }
    let known = |favourable: bool| (cycles != Cycles::Other).then_some(favourable);
    if follow_up == Hottest::NoLesion {
        result.favourable = known(true);
        result.reasons.push(Reason::new("RESOLVED", "no residual uptake to measure"));
        return result;
    }
    let Some(now) = measured(follow_up) else {
        result.reasons.push(Reason::new("FOLLOW_UP_NOT_MEASURED", "follow-up has no SUVmax"));
        return result;
    };
    let percent = 100.0 * (before - now) / before;
    let favourable = percent > cutoff_percent + 100.0 * EPSILON;
    if favourable && now > numbers.residual_at_most * (1.0 + EPSILON) {
        let limit = numbers.residual_at_most;
        let text = format!("residual SUVmax {now:.1} is above {limit}: read it by eye");
        result.reasons.push(Reason::new("RESIDUAL_SUVMAX_GT_5", text));
    }
    result.percent = Some(percent);
    result.favourable = known(favourable);
    result
}

/// The value of a lesion that has one.
fn measured(hottest: Hottest) -> Option<f64> {
    match hottest {
        Hottest::Uptake(value) => Some(value).filter(|value| value.is_finite() && *value >= 0.0),
        Hottest::NoLesion | Hottest::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions() {
        // Baseline, follow-up, cycles, favourable, reasons.
        let rows = [
            (20.0, 6.8, Cycles::Two, false, vec![]),
            (20.0, 6.79, Cycles::Two, true, vec!["RESIDUAL_SUVMAX_GT_5"]),
            (20.0, 4.0, Cycles::Two, true, vec![]),
            (20.0, 6.0, Cycles::Four, false, vec![]),
            (10.0, 3.4, Cycles::Two, false, vec![]),
            (10.0, 3.0, Cycles::Four, false, vec![]),
            (10.0, 2.99, Cycles::Four, true, vec![]),
            (7.7, 4.0, Cycles::Two, false, vec!["BASELINE_SUVMAX_LT_10"]),
            (10.0, 12.0, Cycles::Two, false, vec![]),
        ];
        let late = assess(Hottest::Uptake(20.0), Hottest::Uptake(4.0), Cycles::Other);
        assert_eq!((late.percent, late.favourable), (Some(80.0), None));
        assert_eq!(late.reasons[0].code, "CYCLES_WITHOUT_CUTOFF");
        for (from, to, cycles, favourable, codes) in rows {
            let result = assess(Hottest::Uptake(from), Hottest::Uptake(to), cycles);
            assert_eq!(result.favourable, Some(favourable), "{from} {to}");
            let found: Vec<_> = result.reasons.iter().map(|reason| reason.code).collect();
            assert_eq!(found, codes, "{from} {to}");
        }
        let case = assess(Hottest::Uptake(7.7), Hottest::Uptake(4.0), Cycles::Two);
        assert_eq!(format!("{:.2}", case.percent.unwrap()), "48.05");
    }

    #[test]
    fn resolved_has_no_percent() {
        let result = assess(Hottest::Uptake(32.0), Hottest::NoLesion, Cycles::Two);
        assert_eq!((result.percent, result.favourable), (None, Some(true)));
        for (from, to) in [
            (Hottest::NoLesion, Hottest::Uptake(4.0)),
            (Hottest::Unknown, Hottest::NoLesion),
            (Hottest::Uptake(32.0), Hottest::Unknown),
            (Hottest::Uptake(0.0), Hottest::Uptake(1.0)),
            (Hottest::Uptake(f64::NAN), Hottest::Uptake(1.0)),
        ] {
            let result = assess(from, to, Cycles::Two);
            assert_eq!((result.percent, result.favourable), (None, None), "{from:?} {to:?}");
            assert!(!result.reasons.is_empty());
        }
    }
}
