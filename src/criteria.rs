//! Every clinical number with its source, gathered in named, versioned sets.
//!
//! A set is data: the modules [`crate::deauville`], [`crate::response`] and [`crate::quality`] hold the rules, this one the
//! numbers. No criterion of lymphoma fixes all of them, so each result names the set it was made with.
//!
//! Ties are decided with a relative tolerance ([`EPSILON`]): in `f64`, `3.0 * 2.8` is below `8.4`.

use std::fmt;

use serde::Serialize;

use crate::statistics::RegionStatistics;
use thiserror::Error;

use crate::deauville::DeauvilleScore;

/// Relative tolerance of every comparison with a border: rounding of `f64` never moves a case over it.
pub const EPSILON: f64 = 1e-9;

/// `x <= y` but for rounding; `y` positive.
pub(crate) fn at_most(x: f64, y: f64) -> bool {
    x <= y * (1.0 + EPSILON)
}

/// `x >= y` but for rounding; `y` positive.
pub(crate) fn at_least(x: f64, y: f64) -> bool {
    x >= y * (1.0 - EPSILON)
}

/// Which number of a lesion is compared with the references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LesionStatistic {
    /// SUVmax: the hottest voxel.
    Max,
    /// SUVpeak: mean of the 1 mL sphere with the largest mean.
    Peak,
    /// Mean of the hottest voxel and its three hottest neighbours (qPET).
    PeakOfFour,
}

/// Which number of a reference region is the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceStatistic {
    /// The hottest voxel.
    Max,
    /// The mean.
    Mean,
    /// The median.
    Median,
}

impl fmt::Display for LesionStatistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Max => "SUVmax",
            Self::Peak => "SUVpeak",
            Self::PeakOfFour => "peak of four voxels",
        })
    }
}

impl fmt::Display for ReferenceStatistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Max => "SUVmax",
            Self::Mean => "SUVmean",
            Self::Median => "median",
        })
    }
}

impl ReferenceStatistic {
    /// The number of a region; `None` where it is not positive.
    pub fn of(self, region: &RegionStatistics) -> Option<f64> {
        let value = match self {
            Self::Max => region.max,
            Self::Mean => region.mean,
            Self::Median => region.median,
        };
        (value.is_finite() && value > 0.0).then_some(value)
    }
}

/// How uptake becomes a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScoreBorders {
    /// Blood pool (2/3), liver (3/4) and a multiple of the liver (4/5).
    BloodPoolAndLiver {
        /// The multiple of the liver above which uptake is "markedly" higher.
        factor: f64,
        /// Whether uptake of exactly `factor` times the liver is 5.
        inclusive: bool,
    },
    /// Ratio to the liver at which 3, 4 and 5 start; there is no blood pool.
    LiverRatio {
        /// 3 from here.
        three: f64,
        /// 4 from here.
        four: f64,
        /// 5 from here.
        five: f64,
    },
}

/// A convention that turns the words of the five-point scale into numbers.
///
/// Source: the words, Barrington 2014 JCO 32:3048 and Cheson 2014 JCO 32:3059; they fix neither the statistic nor the
/// multiple for 5 ("two to three times the maximum SUV in the liver").
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeauvilleConvention {
    /// Name, as on the command line.
    pub name: &'static str,
    /// Version of these numbers.
    pub version: u32,
    /// The lesion's number.
    pub lesion: LesionStatistic,
    /// The liver's number.
    pub liver: ReferenceStatistic,
    /// The blood pool's number; not used by [`ScoreBorders::LiverRatio`].
    pub blood_pool: ReferenceStatistic,
    /// The borders.
    pub borders: ScoreBorders,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// SUVmax against liver SUVmax, 5 above three times: the default, the most cautious reading of "two to three times".
pub const LUGANO_MAX_3X: DeauvilleConvention = DeauvilleConvention {
    name: "lugano-max-3x",
    version: 1,
    lesion: LesionStatistic::Max,
    liver: ReferenceStatistic::Max,
    blood_pool: ReferenceStatistic::Max,
    borders: ScoreBorders::BloodPoolAndLiver { factor: 3.0, inclusive: false },
    source: "Barrington 2014 JCO 32:3048 (2 to 3 times the maximum SUV in the liver, upper end)",
};

/// SUVmax against liver SUVmax, 5 above twice.
pub const LUGANO_MAX_2X: DeauvilleConvention = DeauvilleConvention {
    name: "lugano-max-2x",
    borders: ScoreBorders::BloodPoolAndLiver { factor: 2.0, inclusive: false },
    source: "Barrington 2014 JCO 32:3048 (2 to 3 times the maximum SUV in the liver, lower end)",
    ..LUGANO_MAX_3X
};

/// SUVmax against the means of the references, 5 above twice; the means depend least on noise and volume.
pub const MAX_OVER_MEAN_2X: DeauvilleConvention = DeauvilleConvention {
    name: "max-over-mean-2x",
    liver: ReferenceStatistic::Mean,
    blood_pool: ReferenceStatistic::Mean,
    borders: ScoreBorders::BloodPoolAndLiver { factor: 2.0, inclusive: false },
    source: "common in viewers; liver SUVmax is about 38 % above SUVmean (EJNMMI 2023, 34 patients with lymphoma)",
    ..LUGANO_MAX_3X
};

/// qPET: peak of four voxels over the mean of the liver.
pub const QPET: DeauvilleConvention = DeauvilleConvention {
    name: "qpet",
    version: 1,
    lesion: LesionStatistic::PeakOfFour,
    liver: ReferenceStatistic::Mean,
    blood_pool: ReferenceStatistic::Mean,
    borders: ScoreBorders::LiverRatio { three: 0.95, four: 1.3, five: 2.0 },
    source: "Hasenclever, Kurch 2014 EJNMMI 41:1301 (898 children with Hodgkin lymphoma)",
};

/// Every convention; each result carries the score by all of them.
pub const CONVENTIONS: [&DeauvilleConvention; 4] =
    [&LUGANO_MAX_3X, &LUGANO_MAX_2X, &MAX_OVER_MEAN_2X, &QPET];

/// Which number of a lesion is followed over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatistic {
    /// SUVmax.
    SuvMax,
    /// SULpeak: SUVpeak by lean body mass.
    SulPeak,
}

/// A border of change: both the relative and the absolute part must be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeBorder {
    /// Size of the change in percent of the earlier value, positive.
    pub percent: f64,
    /// Size of the change in SUV, zero where there is no such part.
    pub absolute: f64,
    /// Whether a change of exactly this size counts.
    pub inclusive: bool,
}

impl ChangeBorder {
    /// Whether a change of this size (positive numbers) reaches the border.
    fn reached(&self, percent: f64, absolute: f64) -> bool {
        // Absolute tolerances: 1e-9 of the fraction is 1e-7 in percent.
        let reach = |value: f64, border: f64, tolerance: f64| {
            if self.inclusive { value >= border - tolerance } else { value > border + tolerance }
        };
        reach(percent, self.percent, 100.0 * EPSILON)
            && (self.absolute == 0.0 || reach(absolute, self.absolute, EPSILON))
    }
}

/// What "reduced" and "increased" mean; Lugano gives no number for either.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeRule {
    /// Name, as on the command line.
    pub name: &'static str,
    /// Version of these numbers.
    pub version: u32,
    /// The number that is followed.
    pub statistic: ChangeStatistic,
    /// Borders for reduced and increased; `None`: the reader says.
    pub borders: Option<(ChangeBorder, ChangeBorder)>,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// Change of uptake between two scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Lower.
    Reduced,
    /// No significant change.
    Unchanged,
    /// Higher.
    Increased,
}

impl ChangeRule {
    /// The change from one uptake to another; `None` where the reader must say, or the earlier uptake is not positive, or
    /// either is not a number.
    pub fn change(&self, from: f64, to: f64) -> Option<Change> {
        let (reduced, increased) = self.borders?;
        let percent = percent_change(from, to)?;
        let absolute = to - from;
        Some(if reduced.reached(-percent, -absolute) {
            Change::Reduced
        } else if increased.reached(percent, absolute) {
            Change::Increased
        } else {
            Change::Unchanged
        })
    }
}

/// Change in percent of the earlier value; `None` where that is not positive or a value is not a number.
pub fn percent_change(from: f64, to: f64) -> Option<f64> {
    (from > 0.0 && from.is_finite() && to >= 0.0 && to.is_finite())
        .then(|| 100.0 * (to - from) / from)
}

/// The same of values of which one may not be known.
pub fn percent_change_if_known(from: Option<f64>, to: Option<f64>) -> Option<f64> {
    percent_change(from?, to?)
}

/// The default: 25 % of SUVmax, and for an increase at least 1.0 SUV besides.
pub const PCT25: ChangeRule = ChangeRule {
    name: "pct25",
    version: 1,
    statistic: ChangeStatistic::SuvMax,
    borders: Some((
        ChangeBorder { percent: 25.0, absolute: 0.0, inclusive: true },
        ChangeBorder { percent: 25.0, absolute: 1.0, inclusive: true },
    )),
    source: "25 %: EORTC 1999 (Young, EJC 35:1773), after more than one cycle; 1.0 SUV guard: convention of this program",
};

/// 30 % and 0.8 of SULpeak.
pub const PERCIST30: ChangeRule = ChangeRule {
    name: "percist30",
    version: 1,
    statistic: ChangeStatistic::SulPeak,
    borders: Some((
        ChangeBorder { percent: 30.0, absolute: 0.8, inclusive: true },
        ChangeBorder { percent: 30.0, absolute: 0.8, inclusive: false },
    )),
    source: "PERCIST 1.0 (Wahl 2009 JNM 50 S1:122S)",
};

/// The repeatability limits of QIBA: -28 % and +39 % of SUVmax.
pub const QIBA_CHANGE: ChangeRule = ChangeRule {
    name: "qiba",
    version: 1,
    statistic: ChangeStatistic::SuvMax,
    borders: Some((
        ChangeBorder { percent: 28.0, absolute: 0.0, inclusive: true },
        ChangeBorder { percent: 39.0, absolute: 0.0, inclusive: true },
    )),
    source: "QIBA FDG-PET/CT Profile 1.14 (within-subject variation 10 to 12 %)",
};

/// The reader says whether uptake is reduced or increased.
pub const VISUAL: ChangeRule = ChangeRule {
    name: "visual",
    version: 1,
    statistic: ChangeStatistic::SuvMax,
    borders: None,
    source: "Cheson 2014 JCO 32:3059",
};

/// Every rule of change.
pub const CHANGE_RULES: [&ChangeRule; 4] = [&PCT25, &PERCIST30, &QIBA_CHANGE, &VISUAL];

/// When a score is called borderline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BorderlineRule {
    /// Distance of the deciding uptake to a border, percent of the border, within which the score is borderline.
    pub within_percent: f64,
    /// Where the number comes from.
    pub source: &'static str,
}

/// One within-subject standard deviation of a repeated SUVmax.
pub const BORDERLINE: BorderlineRule = BorderlineRule {
    within_percent: 10.0,
    source: "within-subject coefficient of variation of SUVmax 10 to 12 %: QIBA FDG-PET/CT Profile 1.14",
};

/// Numbers of PERCIST 1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PercistNumbers {
    /// Baseline SULpeak is measurable from this many liver means…
    pub liver_means: f64,
    /// …and this many standard deviations of the liver.
    pub liver_sds: f64,
    /// Where the liver is diseased: this many means of the blood pool…
    pub blood_pool_means: f64,
    /// …and this many standard deviations of the blood pool (text and table of the paper disagree on this term).
    pub blood_pool_sds: f64,
    /// The change of SULpeak.
    pub change: ChangeRule,
    /// Increase of total lesion glycolysis, percent, that is progression where SULpeak has not fallen (strictly more).
    pub tlg_increase_percent: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// PERCIST 1.0.
pub const PERCIST: PercistNumbers = PercistNumbers {
    liver_means: 1.5,
    liver_sds: 2.0,
    blood_pool_means: 2.0,
    blood_pool_sds: 2.0,
    change: PERCIST30,
    tlg_increase_percent: 75.0,
    source: "PERCIST 1.0 (Wahl 2009 JNM 50 S1:122S), Practical PERCIST (O 2016 Radiology 280:576)",
};

/// Numbers of EORTC 1999.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EortcNumbers {
    /// Decrease in percent that is partial response after one cycle (inclusive).
    pub decrease_after_one_cycle_percent: f64,
    /// Decrease in percent that must be exceeded after more than one cycle.
    pub decrease_later_percent: f64,
    /// Increase in percent that must be exceeded for progression.
    pub increase_percent: f64,
    /// Increase of the longest dimension in percent that is progression (inclusive).
    pub dimension_increase_percent: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// EORTC 1999.
pub const EORTC: EortcNumbers = EortcNumbers {
    decrease_after_one_cycle_percent: 15.0,
    decrease_later_percent: 25.0,
    increase_percent: 25.0,
    dimension_increase_percent: 20.0,
    source: "Young 1999 EJC 35:1773",
};

/// Numbers of the delta SUVmax rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeltaSuvMaxNumbers {
    /// Reduction in percent that must be exceeded after two cycles.
    pub after_two_cycles_percent: f64,
    /// Reduction in percent that must be exceeded after four cycles.
    pub after_four_cycles_percent: f64,
    /// Baseline SUVmax below which the rule is unreliable.
    pub baseline_at_least: f64,
    /// Residual SUVmax above which a favourable reduction asks for a visual reading.
    pub residual_at_most: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// Delta SUVmax.
pub const DELTA_SUV_MAX: DeltaSuvMaxNumbers = DeltaSuvMaxNumbers {
    after_two_cycles_percent: 66.0,
    after_four_cycles_percent: 70.0,
    baseline_at_least: 10.0,
    residual_at_most: 5.0,
    source: "Casasnovas 2011 Blood 118:37; PETAL (Duehrsen 2018 JCO 36:2024); guards Meignan 2012",
};

/// Numbers of Lugano 2014 by sizes on CT; lengths in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CtLuganoNumbers {
    /// Longest diameter above which a node is abnormal, and measurable at baseline.
    pub node_long_mm: f64,
    /// Longest diameter above which an extranodal lesion is measurable at baseline, and a new one is progression.
    pub extranodal_long_mm: f64,
    /// Most target lesions that are summed.
    pub most_targets: usize,
    /// Fall of the sum of products since baseline, percent, that is partial response (inclusive).
    pub decrease_percent: f64,
    /// Growth of one lesion's product since its lowest, percent, that may be progression (inclusive).
    pub increase_percent: f64,
    /// Longest diameter up to which a lesion is a small one…
    pub small_up_to_mm: f64,
    /// …which must also have grown by this much in one diameter (inclusive)…
    pub growth_of_small_mm: f64,
    /// …and a larger one by this much (inclusive).
    pub growth_of_large_mm: f64,
    /// Diameter that stands for a lesion that is seen but too small to measure.
    pub too_small_mm: f64,
    /// Longest normal vertical length of the spleen.
    pub spleen_normal_mm: f64,
    /// Part of the spleen's excess over normal, percent, by which it must have shrunk or grown (more than this).
    pub spleen_excess_percent: f64,
    /// Growth of a spleen that was normal (inclusive).
    pub spleen_growth_mm: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// Lugano 2014 by sizes on CT.
pub const CT_LUGANO: CtLuganoNumbers = CtLuganoNumbers {
    node_long_mm: 15.0,
    extranodal_long_mm: 10.0,
    most_targets: 6,
    decrease_percent: 50.0,
    increase_percent: 50.0,
    small_up_to_mm: 20.0,
    growth_of_small_mm: 5.0,
    growth_of_large_mm: 10.0,
    too_small_mm: 5.0,
    spleen_normal_mm: 130.0,
    spleen_excess_percent: 50.0,
    spleen_growth_mm: 20.0,
    source: "Cheson 2014 JCO 32:3059, table 3 (CT-based response); spleen by its excess over 13 cm",
};

/// What a normal reference region looks like in FDG-PET.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedReferences {
    /// SUVmean of the liver, from and to.
    pub liver_suv_mean: (f64, f64),
    /// SUVmean of the mediastinal blood pool, from and to.
    pub blood_pool_suv_mean: (f64, f64),
    /// Coefficient of variation above which a region is noisy or reaches over an edge: a warning.
    pub variation_warned: f64,
    /// Coefficient of variation above which a region is not one tissue: a refusal.
    pub variation_refused: f64,
    /// Fewest voxels that give a mean.
    pub fewest_voxels: usize,
    /// Ratio of the means, liver over blood pool, below which a region is misplaced or the liver is not a reference.
    pub liver_over_blood_pool_at_least: f64,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// Normal references in FDG-PET.
pub const EXPECTED_REFERENCES: ExpectedReferences = ExpectedReferences {
    liver_suv_mean: (1.3, 3.0),
    blood_pool_suv_mean: (0.8, 2.3),
    variation_warned: 0.25,
    variation_refused: 0.5,
    fewest_voxels: 10,
    liver_over_blood_pool_at_least: 1.0,
    source: "liver: EANM quality control (EJNMMI 2022, s00259-022-05977-5); blood pool: Boktor 2013, mean +/- 2 SD; \
             variation and ratio: conventions of this program",
};

/// The choice of numbers for one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criteria {
    /// The convention of the score.
    pub convention: DeauvilleConvention,
    /// What reduced and increased mean.
    pub change: ChangeRule,
    /// The rules by which two scans may be compared.
    pub quality: crate::quality::RuleSet,
    /// The lowest score that is not a complete response: 4, or 3 in trials of de-escalation.
    pub positive_from: DeauvilleScore,
    /// When a score is borderline.
    pub borderline: BorderlineRule,
}

impl Default for Criteria {
    fn default() -> Self {
        Self {
            convention: LUGANO_MAX_3X,
            change: PCT25,
            quality: crate::quality::RuleSet::LuganoLocal,
            positive_from: DeauvilleScore::Four,
            borderline: BORDERLINE,
        }
    }
}

/// A name that `--criteria` does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("criteria {name:?} are not known; give one or more of {known}, separated by commas")]
pub struct UnknownCriteria {
    /// The name as given.
    pub name: String,
    /// The names that are known.
    pub known: String,
}

impl Criteria {
    /// The set with this name, or with these names separated by commas; each replaces one part of the default.
    ///
    /// ```
    /// use petct::criteria::Criteria;
    ///
    /// let criteria = Criteria::by_name("lugano-max-2x, percist30, quality=eanm, positive-from=3")?;
    /// assert_eq!(criteria.convention.name, "lugano-max-2x");
    /// assert_eq!(criteria.change.name, "percist30");
    /// # Ok::<(), petct::criteria::UnknownCriteria>(())
    /// ```
    pub fn by_name(names: &str) -> Result<Self, UnknownCriteria> {
        let mut criteria = Self::default();
        for name in names.split(',').map(str::trim) {
            criteria.replace(name).ok_or_else(|| UnknownCriteria {
                name: name.to_owned(),
                known: Self::names().join(", "),
            })?;
        }
        Ok(criteria)
    }

    /// Every name [`Criteria::by_name`] knows.
    pub fn names() -> Vec<String> {
        let conventions = CONVENTIONS.iter().map(|c| c.name.to_owned());
        let changes = CHANGE_RULES.iter().map(|c| c.name.to_owned());
        let quality =
            crate::quality::RuleSet::ALL.iter().map(|rules| format!("quality={}", rules.name()));
        let positive = ["positive-from=3", "positive-from=4"].map(str::to_owned);
        conventions.chain(changes).chain(quality).chain(positive).collect()
    }

    fn replace(&mut self, name: &str) -> Option<()> {
        if let Some(rules) = name.strip_prefix("quality=") {
            self.quality =
                crate::quality::RuleSet::ALL.into_iter().find(|known| known.name() == rules)?;
        } else if let Some(convention) = CONVENTIONS.iter().find(|known| known.name == name) {
            self.convention = **convention;
        } else if let Some(change) = CHANGE_RULES.iter().find(|known| known.name == name) {
            self.change = **change;
        } else {
            self.positive_from = match name {
                "positive-from=3" => DeauvilleScore::Three,
                "positive-from=4" => DeauvilleScore::Four,
                _ => return None,
            };
        }
        Some(())
    }
}
