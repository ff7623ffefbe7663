//! What would change a Lugano call: each statement is found by changing one thing and asking the rules again.

use super::{
    Attribution, KnownSite, LuganoInput, SiteNow, assess, hottest_uptakes, percent_change,
};
use crate::criteria::{CONVENTIONS, Change, ChangeBorder, ChangeStatistic, Criteria, ScoreBorders};
use crate::deauville::{DeauvilleResult, DeauvilleScore, Scored};
use crate::response::{Quantity, ResponseCategory, Sensitivity};

/// What would change the call of this pair. `score` is the follow-up's, with the values that decide it.
///
/// Empty where nothing single would, and where the pair cannot be judged at all.
pub fn sensitivity(
    input: &LuganoInput,
    score: &DeauvilleResult,
    criteria: &Criteria,
) -> Vec<Sensitivity> {
    let question = Question { input, criteria, now: assess(input, criteria).category };
    let mut found = question.references(score);
    found.extend(question.conventions(score));
    found.extend(question.uncertain(score));
    found.extend(question.change());
    found.extend(question.new_lesions());
    found
}

/// One pair and its call.
struct Question<'a> {
    input: &'a LuganoInput,
    criteria: &'a Criteria,
    now: ResponseCategory,
}

impl Question<'_> {
    /// The statement, if the changed input flips the call.
    fn flip(
        &self,
        changed: &LuganoInput,
        quantity: Quantity,
        (present, flips_at): (Option<f64>, Option<f64>),
        condition: &str,
    ) -> Option<Sensitivity> {
        let category = assess(changed, self.criteria).category;
        (category != self.now).then(|| Sensitivity {
            quantity,
            present,
            flips_at,
            category,
            text: format!("{} would be {category} {condition}", self.now),
        })
    }

    /// The input with another overall score. It is that of the hottest site; the others keep theirs, but none is above it.
    fn rescored(&self, score: DeauvilleScore) -> LuganoInput {
        let suv_max = |site: &KnownSite| site.now.uptake()?.suv_max;
        let hottest = self.input.sites.iter().filter_map(suv_max).fold(0.0, f64::max);
        let before = self.input.score.score();
        let follow = |site: &KnownSite| {
            let cooler = suv_max(site).is_some_and(|uptake| uptake < hottest);
            let kept = site.score.or(before).filter(|_| cooler);
            KnownSite { score: Some(kept.map_or(score, |kept| kept.min(score))), ..site.clone() }
        };
        LuganoInput {
            score: Scored::Score(score),
            sites: self.input.sites.iter().map(follow).collect(),
            ..self.input.clone()
        }
    }

    /// The score just beyond the border of a complete response.
    fn beyond(&self, score: DeauvilleScore) -> DeauvilleScore {
        let positive = self.criteria.positive_from;
        if score >= positive { one_below(positive) } else { positive }
    }

    /// The value of the liver, and of the lesion, at which complete response begins or ends.
    fn references(&self, result: &DeauvilleResult) -> Vec<Sensitivity> {
        let (Some(score), Some(lesion)) = (result.score.score(), result.deciding_uptake) else {
            return Vec::new();
        };
        // What is no more than its surroundings scores 1 whatever the liver is.
        let by_background =
            matches!(self.criteria.convention.borders, ScoreBorders::BloodPoolAndLiver { .. });
        if score == DeauvilleScore::One && by_background {
            return Vec::new();
        }
        let Some((ratio, inclusive)) = self.response_border() else { return Vec::new() };
        let changed = self.rescored(self.beyond(score));
        let positive = score >= self.criteria.positive_from;
        // A lesion exactly on the border scores on the lower side, except by a ratio "from" which the score counts.
        let words = match (positive, inclusive) {
            (true, false) => ("at least", "at most"),
            (true, true) => ("above", "below"),
            (false, false) => ("below", "above"),
            (false, true) => ("at most", "at least"),
        };
        let now =
            |value: Option<f64>| value.map_or("not known".into(), |value| format!("{value:.2}"));
        let state = |quantity, name: &str, word, present: Option<f64>, border: f64| {
            let condition =
                format!("if the {name} were {word} {border:.2} (it is {})", now(present));
            self.flip(&changed, quantity, (present, Some(border)), &condition)
        };
        let of_liver = state(
            Quantity::LiverReference,
            "liver reference",
            words.0,
            result.liver,
            lesion / ratio,
        );
        // Other sites that score positive keep the scan positive when the hottest falls.
        let others = result.sites.iter().filter_map(Scored::score);
        let alone = others.filter(|score| *score >= self.criteria.positive_from).count() < 2;
        let of_lesion = result.liver.filter(|_| alone).and_then(|liver| {
            let border = liver * ratio;
            state(Quantity::LesionUptake, "deciding uptake", words.1, Some(lesion), border)
        });
        of_liver.into_iter().chain(of_lesion).collect()
    }

    /// Lesion over liver where complete response ends, and whether that ratio itself is positive; `None` where the liver does
    /// not decide it.
    fn response_border(&self) -> Option<(f64, bool)> {
        match (self.criteria.convention.borders, self.criteria.positive_from) {
            (ScoreBorders::BloodPoolAndLiver { .. }, DeauvilleScore::Four) => Some((1.0, false)),
            (ScoreBorders::BloodPoolAndLiver { factor, inclusive }, DeauvilleScore::Five) => {
                Some((factor, inclusive))
            }
            (ScoreBorders::LiverRatio { three, .. }, DeauvilleScore::Three) => Some((three, true)),
            (ScoreBorders::LiverRatio { four, .. }, DeauvilleScore::Four) => Some((four, true)),
            (ScoreBorders::LiverRatio { five, .. }, DeauvilleScore::Five) => Some((five, true)),
            (ScoreBorders::BloodPoolAndLiver { .. }, DeauvilleScore::Three)
            | (_, DeauvilleScore::One | DeauvilleScore::Two) => None,
        }
    }

    /// Conventions that would give another call.
    fn conventions(&self, result: &DeauvilleResult) -> Vec<Sensitivity> {
        let flip = |convention: &str| {
            let other = result.alternatives.iter().find(|other| other.convention == convention)?;
            let score = other.score.score()?;
            self.flip(
                &self.rescored(score),
                Quantity::Convention,
                (None, None),
                &format!("by the convention {convention} (score {score})"),
            )
        };
        CONVENTIONS.iter().filter_map(|convention| flip(convention.name)).collect()
    }

    /// Uncertain uptakes taken for lesions.
    fn uncertain(&self, result: &DeauvilleResult) -> Option<Sensitivity> {
        let score = result.if_uncertain_are_lesions.score()?;
        if result.score.score() == Some(score) {
            return None;
        }
        self.flip(
            &self.rescored(score),
            Quantity::UncertainUptake,
            (None, None),
            &format!("if the uncertain uptakes were lesions (score {score})"),
        )
    }

    /// The uptake at follow-up at which "reduced" begins or ends, and at which "increased" begins.
    fn change(&self) -> Vec<Sensitivity> {
        let rule = &self.criteria.change;
        let hottest = hottest_uptakes(self.input, rule.statistic);
        let (Some((from, to)), Some((reduced, increased))) = (hottest, rule.borders) else {
            return Vec::new();
        };
        let fallen = reached_at(from, -1.0, &reduced);
        let risen = reached_at(from, 1.0, &increased);
        let change = rule.change(from, to);
        let flips = if self.now == ResponseCategory::Partial && change == Some(Change::Reduced) {
            vec![(fallen, "above", 1.0)]
        } else if self.now == ResponseCategory::None && change == Some(Change::Unchanged) {
            let low = if reduced.inclusive { "at most" } else { "below" };
            let high = if increased.inclusive { "at least" } else { "above" };
            vec![(fallen, low, -1.0), (risen, high, 1.0)]
        } else {
            Vec::new()
        };
        let state = |(border, word, side): (f64, &str, f64)| {
            // A thousandth beyond the border is beyond any tolerance.
            let beyond = border * (1.0 + 1e-3 * side);
            let percent = percent_change(from, border)?;
            self.flip(
                &self.with_hottest(to, beyond),
                Quantity::ChangeOfUptake,
                (Some(to), Some(border)),
                &format!(
                    "if the hottest uptake were {word} {border:.2} ({percent:+.1} %; it is {to:.2})"
                ),
            )
        };
        flips.into_iter().filter_map(state).collect()
    }

    /// The input with its hottest uptake (`to`) at another value, and no site above it.
    fn with_hottest(&self, to: f64, value: f64) -> LuganoInput {
        let statistic = self.criteria.change.statistic;
        let mut changed = self.input.clone();
        let of_sites = changed.sites.iter_mut().filter_map(|site| match &mut site.now {
            SiteNow::Uptake(uptake) => Some(uptake),
            SiteNow::Resolved | SiteNow::OutOfField => None,
        });
        for uptake in of_sites.chain(changed.hottest.as_mut().map(|(_, now)| now)) {
            let held = match statistic {
                ChangeStatistic::SuvMax => &mut uptake.suv_max,
                ChangeStatistic::SulPeak => &mut uptake.sul_peak,
            };
            *held = held.map(|old| if old >= to { value } else { old.min(value) });
        }
        changed
    }

    /// Other attributions of the new foci.
    fn new_lesions(&self) -> Vec<Sensitivity> {
        let attributed = |which: &dyn Fn(usize, Attribution) -> Attribution| {
            let mut changed = self.input.clone();
            for (i, lesion) in changed.new_lesions.iter_mut().enumerate() {
                lesion.attribution = which(i, lesion.attribution);
            }
            changed
        };
        let mut found = Vec::new();
        for (i, lesion) in self.input.new_lesions.iter().enumerate() {
            let changed = attributed(&|j, was| if i == j { Attribution::Lymphoma } else { was });
            let condition = format!("if {} were new lymphoma", lesion.name);
            found.extend(self.flip(&changed, Quantity::NewLesion, (None, None), &condition));
        }
        let unrelated = attributed(&|_, _| Attribution::Unrelated);
        let condition = "if no new focus were lymphoma";
        found.extend(self.flip(&unrelated, Quantity::NewLesion, (None, None), condition));
        found
    }
}

/// The uptake at which a border of change is reached, falling (`-1`) or rising (`+1`).
fn reached_at(from: f64, direction: f64, border: &ChangeBorder) -> f64 {
    from + direction * (from * border.percent / 100.0).max(border.absolute)
}

/// The next lower score; 1 stays 1.
fn one_below(score: DeauvilleScore) -> DeauvilleScore {
    DeauvilleScore::ALL.into_iter().rev().find(|lower| *lower < score).unwrap_or(score)
}
