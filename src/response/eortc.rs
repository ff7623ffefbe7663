//! EORTC 1999: metabolic response by the change of SUV.
//!
//! Source: Young 1999 EJC 35:1773. It leaves a fall of 15 to 25 % after more than one cycle undefined: stable here.

use super::{Hottest, MetabolicCategory, Reason};
use crate::criteria::{EORTC, EPSILON};

/// What the call depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EortcInput {
    /// Hottest uptake at baseline (SUV of one kind in both scans).
    pub baseline: Hottest,
    /// Hottest uptake at follow-up.
    pub follow_up: Hottest,
    /// Whether there is a new lesion.
    pub new_lesion: bool,
    /// Whether the follow-up comes after one cycle only, where a smaller fall counts.
    pub after_one_cycle: bool,
    /// Change of the longest dimension in percent, where measured.
    pub dimension_percent: Option<f64>,
}

/// The call and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct EortcCall {
    /// The category.
    pub category: MetabolicCategory,
    /// Change of the hottest uptake in percent; `None` where a value is missing or nothing is left to measure.
    pub percent: Option<f64>,
    /// The rules that fired.
    pub reasons: Vec<Reason>,
}

/// The EORTC call for one pair.
pub fn assess(input: &EortcInput) -> EortcCall {
    let percent = input.baseline.percent_change_to(input.follow_up);
    let (category, code, text) = judge(input, percent);
    EortcCall { category, percent, reasons: vec![Reason::new(code, text)] }
}

fn judge(input: &EortcInput, percent: Option<f64>) -> (MetabolicCategory, &'static str, String) {
    use MetabolicCategory::{Complete, NotEvaluable, Partial, Progressive, Stable};
    let tolerance = 100.0 * EPSILON;
    let larger = input
        .dimension_percent
        .filter(|grown| *grown >= EORTC.dimension_increase_percent - tolerance);
    if input.new_lesion {
        return (Progressive, "NEW_LESION", "new lesion".into());
    }
    if let Some(grown) = larger {
        let text = format!("longest dimension {grown:+.1} %");
        return (Progressive, "INCREASED_SIZE", text);
    }
    match (input.baseline, input.follow_up) {
        (Hottest::Uptake(_) | Hottest::Unknown, Hottest::NoLesion) => {
            return (Complete, "RESOLVED", "no residual uptake".into());
        }
        (Hottest::NoLesion, _) => {
            return (NotEvaluable, "BASELINE_WITHOUT_LESION", "baseline has no lesion".into());
        }
        (Hottest::Uptake(_) | Hottest::Unknown, Hottest::Uptake(_) | Hottest::Unknown) => {}
    }
    let Some(percent) = percent else {
        return (NotEvaluable, "CHANGE_NOT_COMPUTABLE", "an uptake is not known".into());
    };
    let reduced = if input.after_one_cycle {
        -percent >= EORTC.decrease_after_one_cycle_percent - tolerance
    } else {
        -percent > EORTC.decrease_later_percent + tolerance
    };
    if percent > EORTC.increase_percent + tolerance {
        (Progressive, "INCREASED_UPTAKE", format!("hottest uptake {percent:+.1} %"))
    } else if reduced {
        (Partial, "REDUCED_UPTAKE", format!("hottest uptake {percent:+.1} %"))
    } else {
        (Stable, "NO_SIGNIFICANT_CHANGE", format!("hottest uptake {percent:+.1} %"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MetabolicCategory::{Complete, NotEvaluable, Partial, Progressive, Stable};

    fn input(from: Hottest, to: Hottest) -> EortcInput {
        EortcInput {
            baseline: from,
            follow_up: to,
            new_lesion: false,
            after_one_cycle: false,
            dimension_percent: None,
        }
    }

    #[test]
    fn changes() {
        // To (from 10), category after one cycle, category later.
        let rows = [
            (7.4, Partial, Partial),
            (7.5, Partial, Stable),
            (8.0, Partial, Stable),
            (8.5, Partial, Stable),
            (8.6, Stable, Stable),
            (12.5, Stable, Stable),
            (12.51, Progressive, Progressive),
        ];
        for (to, early, late) in rows {
            let later = input(Hottest::Uptake(10.0), Hottest::Uptake(to));
            let first = EortcInput { after_one_cycle: true, ..later };
            assert_eq!((assess(&first).category, assess(&later).category), (early, late), "{to}");
        }
    }

    #[test]
    fn other_rules() {
        let falling = input(Hottest::Uptake(10.0), Hottest::Uptake(5.0));
        let row = |input: EortcInput| assess(&input).category;
        assert_eq!(row(EortcInput { new_lesion: true, ..falling }), Progressive);
        assert_eq!(row(EortcInput { dimension_percent: Some(20.0), ..falling }), Progressive);
        assert_eq!(row(EortcInput { dimension_percent: Some(19.9), ..falling }), Partial);
        assert_eq!(row(input(Hottest::Uptake(10.0), Hottest::NoLesion)), Complete);
        assert_eq!(row(input(Hottest::NoLesion, Hottest::NoLesion)), NotEvaluable);
        assert_eq!(row(input(Hottest::Uptake(10.0), Hottest::Unknown)), NotEvaluable);
        assert_eq!(row(input(Hottest::Uptake(0.0), Hottest::Uptake(1.0))), NotEvaluable);
    }
}
