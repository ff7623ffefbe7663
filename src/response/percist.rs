//! PERCIST 1.0: metabolic response by SULpeak of the hottest lesion of each scan.
//!
//! A baseline lesion is measurable from `1.5 * liver mean + 2 SD`, or, where the liver is diseased, from
//! `2 * blood pool mean + 2 SD`; SUL throughout.
//!
//! Source: Wahl 2009 JNM 50 S1:122S; O 2016 Radiology 280:576. Whether exactly 30 % counts is read differently in print: a
//! partial response includes its borders here, progression does not.

use super::{Hottest, MetabolicCategory, Reason};
use crate::criteria::{Change, EPSILON, PERCIST, PercistNumbers, at_least, percent_change};
use crate::statistics::RegionStatistics;

/// One scan, in SUL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercistScan {
    /// SULpeak of the hottest lesion (1 mL sphere); `Unknown` where SUL cannot be computed (no height, no sex).
    pub hottest: Hottest,
    /// SUL of the liver; `None` where it is diseased or was refused.
    pub liver: Option<RegionStatistics>,
    /// SUL of the blood pool.
    pub blood_pool: Option<RegionStatistics>,
}

/// What the call depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercistInput {
    /// The baseline.
    pub baseline: PercistScan,
    /// The follow-up.
    pub follow_up: PercistScan,
    /// Whether there is a new lesion.
    pub new_lesion: bool,
    /// Whether the hottest uptake at follow-up stands out from its surroundings; `None`: not known.
    pub above_background: Option<bool>,
    /// Largest increase of another lesion, SULpeak or size, percent.
    pub other_increase_percent: Option<f64>,
    /// Change of total lesion glycolysis by one and the same threshold, percent.
    pub tlg_percent: Option<f64>,
}

/// The call and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PercistCall {
    /// The category.
    pub category: MetabolicCategory,
    /// SULpeak from which a baseline lesion is measurable.
    pub measurable_from: Option<f64>,
    /// Change of SULpeak in percent; `None` where a value is missing or nothing is left to measure.
    pub percent: Option<f64>,
    /// Change of SULpeak.
    pub absolute: Option<f64>,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
}

/// SULpeak from which a lesion is measurable, and whether it comes from the blood pool.
fn measurable_from(scan: &PercistScan, numbers: &PercistNumbers) -> Option<(f64, bool)> {
    let threshold = |region: RegionStatistics, means: f64, sds: f64| {
        let value = means * region.mean + sds * region.sd;
        (value.is_finite() && region.mean > 0.0).then_some(value)
    };
    let liver = scan.liver.and_then(|r| threshold(r, numbers.liver_means, numbers.liver_sds));
    let blood_pool =
        || threshold(scan.blood_pool?, numbers.blood_pool_means, numbers.blood_pool_sds);
    liver.map(|value| (value, false)).or_else(|| Some((blood_pool()?, true)))
}

/// The PERCIST call for one pair.
pub fn assess(input: &PercistInput) -> PercistCall {
    let mut reasons = Vec::new();
    let threshold = measurable_from(&input.baseline, &PERCIST);
    if let Some((value, true)) = threshold {
        let text =
            format!("the liver is no reference; measurable from {value:.2} by the blood pool");
        reasons.push(Reason::new("BLOOD_POOL_THRESHOLD", text));
    }
    let (from, to) = (sul_peak(input.baseline.hottest), sul_peak(input.follow_up.hottest));
    let pair = from.zip(to);
    let (category, reason) = judge(input, threshold.map(|(value, _)| value), from, to);
    reasons.push(reason);
    PercistCall {
        category,
        measurable_from: threshold.map(|(value, _)| value),
        percent: pair.and_then(|(from, to)| percent_change(from, to)),
        absolute: pair.map(|(from, to)| to - from),
        reasons,
    }
}

/// The value of a lesion that has one.
fn sul_peak(hottest: Hottest) -> Option<f64> {
    match hottest {
        Hottest::Uptake(value) => Some(value).filter(|value| value.is_finite() && *value >= 0.0),
        Hottest::NoLesion | Hottest::Unknown => None,
    }
}

fn judge(
    input: &PercistInput,
    threshold: Option<f64>,
    from: Option<f64>,
    to: Option<f64>,
) -> (MetabolicCategory, Reason) {
    use MetabolicCategory::{Complete, NotEvaluable, Progressive};
    if input.new_lesion {
        return (Progressive, Reason::new("NEW_LESION", "new lesion"));
    }
    let refused = |code, text: &str| (NotEvaluable, Reason::new(code, text));
    let Some(from) = from else {
        return refused(
            "BASELINE_NOT_MEASURED",
            "baseline has no SULpeak (SUL needs height and sex)",
        );
    };
    let Some(threshold) = threshold else {
        return refused("REFERENCES_MISSING", "baseline has neither liver nor blood pool in SUL");
    };
    if !at_least(from, threshold) {
        let text = format!("baseline SULpeak {from:.2} is below {threshold:.2}");
        return (NotEvaluable, Reason::new("BASELINE_NOT_MEASURABLE", text));
    }
    if input.follow_up.hottest == Hottest::NoLesion {
        return (Complete, Reason::new("RESOLVED", "no residual uptake"));
    }
    let Some(to) = to else {
        return refused("FOLLOW_UP_NOT_MEASURED", "follow-up has no SULpeak");
    };
    if let Some(liver) = input.follow_up.liver
        && to < liver.mean
        && input.above_background == Some(false)
    {
        let text = format!(
            "SULpeak {to:.2} is below the liver ({:.2}) and no more than background",
            liver.mean
        );
        return (Complete, Reason::new("BELOW_LIVER", text));
    }
    judge_change(input, from, to)
}

/// The call by the change of SULpeak.
fn judge_change(input: &PercistInput, from: f64, to: f64) -> (MetabolicCategory, Reason) {
    use MetabolicCategory::{NotEvaluable, Partial, Progressive, Stable};
    let tolerance = 100.0 * EPSILON;
    let Some((change, percent)) = PERCIST.change.change(from, to).zip(percent_change(from, to))
    else {
        return (NotEvaluable, Reason::new("CHANGE_NOT_COMPUTABLE", "baseline SULpeak is zero"));
    };
    let numbers = format!("SULpeak {from:.2} to {to:.2} ({percent:+.1} %, {:+.2})", to - from);
    let elsewhere = input.other_increase_percent.filter(|other| {
        PERCIST.change.borders.is_some_and(|(_, up)| *other > up.percent + tolerance)
    });
    let glycolysis = input
        .tlg_percent
        .filter(|tlg| *tlg > PERCIST.tlg_increase_percent + tolerance && to >= from);
    match (change, glycolysis, elsewhere) {
        (Change::Increased, _, _) => (Progressive, Reason::new("INCREASED_UPTAKE", numbers)),
        (Change::Reduced | Change::Unchanged, Some(tlg), _) => {
            let text = format!("total lesion glycolysis {tlg:+.1} % without a fall; {numbers}");
            (Progressive, Reason::new("INCREASED_EXTENT", text))
        }
        (Change::Reduced, None, Some(other)) => {
            let text = format!("{numbers}, but another lesion {other:+.1} %");
            (Stable, Reason::new("MIXED_RESPONSE", text))
        }
        (Change::Reduced, None, None) => (Partial, Reason::new("REDUCED_UPTAKE", numbers)),
        (Change::Unchanged, None, _) => (Stable, Reason::new("NO_SIGNIFICANT_CHANGE", numbers)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MetabolicCategory::{Complete, NotEvaluable, Partial, Progressive, Stable};

    fn region(mean: f64, sd: f64) -> RegionStatistics {
        RegionStatistics {
            voxels: 200,
            volume_ml: 14.1,
            min: mean - sd,
            max: mean + sd,
            mean,
            sd,
            median: mean,
        }
    }

    /// A liver so low that every lesion of the tables is measurable.
    fn scan(hottest: Hottest) -> PercistScan {
        PercistScan { hottest, liver: Some(region(1.0, 0.1)), blood_pool: Some(region(0.8, 0.1)) }
    }

    fn pair(from: f64, to: f64) -> PercistInput {
        PercistInput {
            baseline: scan(Hottest::Uptake(from)),
            follow_up: scan(Hottest::Uptake(to)),
            new_lesion: false,
            above_background: None,
            other_increase_percent: None,
            tlg_percent: None,
        }
    }

    #[test]
    fn worked_changes() {
        let rows = [
            (3.0, 2.1, Partial),
            (2.8, 1.9, Partial),
            (2.4, 1.65, Stable),
            (2.4, 1.6, Partial),
            (4.0, 5.2, Stable),
            (4.0, 5.21, Progressive),
            (2.0, 2.7, Stable),
        ];
        for (from, to, expected) in rows {
            assert_eq!(assess(&pair(from, to)).category, expected, "{from} {to}");
        }
    }

    #[test]
    fn measurable_threshold() {
        let with = |from, liver, blood_pool| {
            let mut input = pair(from, from / 2.0);
            input.baseline = PercistScan { hottest: Hottest::Uptake(from), liver, blood_pool };
            assess(&input)
        };
        let (liver, blood_pool) = (Some(region(1.6, 0.2)), Some(region(1.2, 0.1)));
        let call = with(2.8, liver, None);
        assert!((call.measurable_from.unwrap() - 2.8).abs() < 1e-12);
        assert_eq!(call.category, Partial);
        assert_eq!(with(2.79, liver, None).category, NotEvaluable);
        // Diseased liver: 2 x 1.2 + 2 x 0.1 = 2.6.
        let call = with(2.6, None, blood_pool);
        assert_eq!((call.category, call.reasons[0].code), (Partial, "BLOOD_POOL_THRESHOLD"));
        assert_eq!(with(2.59, None, blood_pool).category, NotEvaluable);
        assert_eq!(with(9.0, None, None).category, NotEvaluable);
    }

    #[test]
    fn other_rules() {
        let category = |input: PercistInput| assess(&input).category;
        let falling = pair(3.0, 0.9);
        assert_eq!(category(PercistInput { new_lesion: true, ..falling }), Progressive);
        assert_eq!(category(PercistInput { above_background: Some(false), ..falling }), Complete);
        assert_eq!(category(PercistInput { above_background: Some(true), ..falling }), Partial);
        assert_eq!(
            category(PercistInput { other_increase_percent: Some(31.0), ..falling }),
            Stable
        );
        let gone = PercistInput { follow_up: scan(Hottest::NoLesion), ..falling };
        assert_eq!(category(gone), Complete);
        assert_eq!(assess(&gone).percent, None);
        let unknown = PercistInput { follow_up: scan(Hottest::Unknown), ..falling };
        assert_eq!(category(unknown), NotEvaluable);
        let no_height = PercistInput { baseline: scan(Hottest::Unknown), ..falling };
        assert_eq!(category(no_height), NotEvaluable);
        let stable = pair(3.0, 3.1);
        assert_eq!(category(PercistInput { tlg_percent: Some(75.0), ..stable }), Stable);
        assert_eq!(category(PercistInput { tlg_percent: Some(75.1), ..stable }), Progressive);
        assert_eq!(category(PercistInput { tlg_percent: Some(80.0), ..pair(3.0, 2.9) }), Stable);
    }
}
