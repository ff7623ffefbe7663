//! The five-point score under a named convention.
//!
//! 1: no uptake above background; 2: up to the mediastinal blood pool; 3: above it, up to the liver; 4: moderately above the
//! liver; 5: markedly above the liver, or new lesions. X: new uptake unlikely to be lymphoma, an annotation beside the score.
//!
//! The score is by definition a visual one by a reader; what is computed here is its numeric reading by one convention, and
//! every other convention is reported beside it.
//!
//! Source: Barrington 2014 JCO 32:3048; Cheson 2014 JCO 32:3059; where the blood pool is not below the liver, Barrington 2010
//! EJNMMI 37:1824; qPET, Hasenclever and Kurch 2014 EJNMMI 41:1301.

mod scan;
mod written;

pub use scan::{Alternative, Borderline, DeauvilleResult, QpetResult, assess, overall, written};
pub use written::{NotAScore, WrittenScore};

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::criteria::{
    DeauvilleConvention, EPSILON, LesionStatistic, ScoreBorders, at_least, at_most,
};
use crate::statistics::RegionStatistics;

/// A score of the five-point scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(into = "u8")]
#[schemars(with = "u8")]
pub enum DeauvilleScore {
    /// No uptake above background.
    One,
    /// Uptake up to the blood pool.
    Two,
    /// Uptake above the blood pool, up to the liver.
    Three,
    /// Uptake moderately above the liver.
    Four,
    /// Uptake markedly above the liver, or new lesions.
    Five,
}

impl DeauvilleScore {
    /// The scale, from the best.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Three, Self::Four, Self::Five];

    /// I to V.
    pub fn roman(self) -> &'static str {
        match self {
            Self::One => "I",
            Self::Two => "II",
            Self::Three => "III",
            Self::Four => "IV",
            Self::Five => "V",
        }
    }
}

impl From<DeauvilleScore> for u8 {
    fn from(score: DeauvilleScore) -> Self {
        match score {
            DeauvilleScore::One => 1,
            DeauvilleScore::Two => 2,
            DeauvilleScore::Three => 3,
            DeauvilleScore::Four => 4,
            DeauvilleScore::Five => 5,
        }
    }
}

impl fmt::Display for DeauvilleScore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        u8::from(*self).fmt(formatter)
    }
}

/// Uptake of one lesion, SUV.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LesionUptake {
    /// SUVmax.
    pub max: f64,
    /// SUVpeak of the 1 mL sphere.
    pub peak: Option<f64>,
    /// Mean of the hottest voxel and its three hottest neighbours.
    pub peak_of_four: Option<f64>,
    /// The tissue around the lesion (a shell 5 to 15 mm outside it, without other lesions and normal uptake); with it a lesion
    /// can be found not to stand out (score 1).
    pub background: Option<RegionStatistics>,
}

impl LesionUptake {
    /// The number a convention asks for.
    pub fn value(&self, statistic: LesionStatistic) -> Option<f64> {
        match statistic {
            LesionStatistic::Max => Some(self.max),
            LesionStatistic::Peak => self.peak,
            LesionStatistic::PeakOfFour => self.peak_of_four,
        }
        .filter(|value| value.is_finite() && *value >= 0.0)
    }

    /// Whether the lesion is no hotter than its surroundings: SUVmax at most their mean and two standard deviations.
    ///
    /// Source: the scale says "no uptake above background" without a number; two standard deviations are a convention here.
    fn is_background(&self) -> bool {
        self.background.is_some_and(|around| {
            around.mean.is_finite()
                && around.sd.is_finite()
                && self.max <= around.mean + 2.0 * around.sd
        })
    }
}

/// Uptake of the reference regions, SUV; `None` where a region was not found or was refused.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReferenceUptake {
    /// The liver.
    pub liver: Option<RegionStatistics>,
    /// The mediastinal blood pool.
    pub blood_pool: Option<RegionStatistics>,
}

impl ReferenceUptake {
    fn liver_value(&self, convention: &DeauvilleConvention) -> Option<f64> {
        self.liver.and_then(|region| convention.liver.of(&region))
    }

    fn blood_pool_value(&self, convention: &DeauvilleConvention) -> Option<f64> {
        self.blood_pool.and_then(|region| convention.blood_pool.of(&region))
    }
}

/// Why there is no score.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NotComputable {
    /// Stable name: `LIVER_MISSING`, `BLOOD_POOL_MISSING`, `REFERENCES_MISSING`, `LESION_INVALID`, `NOT_GIVEN`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// Lesion over blood pool, where both are known: what remains when the liver cannot be used.
    pub lesion_over_blood_pool: Option<f64>,
}

impl NotComputable {
    /// A reason without a ratio.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), lesion_over_blood_pool: None }
    }
}

/// A score or the reason why there is none; in JSON a number or `null`, the reason goes beside it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(into = "Option<u8>")]
#[schemars(with = "Option<u8>")]
pub enum Scored {
    /// The score.
    Score(DeauvilleScore),
    /// No score.
    NotComputable(NotComputable),
}

impl Scored {
    /// The score, where there is one.
    pub fn score(&self) -> Option<DeauvilleScore> {
        match self {
            Self::Score(score) => Some(*score),
            Self::NotComputable(_) => None,
        }
    }
}

impl From<Scored> for Option<u8> {
    fn from(scored: Scored) -> Self {
        scored.score().map(u8::from)
    }
}

impl fmt::Display for Scored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Score(score) => score.fmt(formatter),
            Self::NotComputable(reason) => {
                write!(formatter, "not computable: {}", reason.message)
            }
        }
    }
}

/// The values that decide one lesion's score.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    lesion: f64,
    liver: f64,
    /// `None` where the convention has no blood pool.
    blood_pool: Option<f64>,
}

/// Scores one known lesion. New lesions are 5 whatever their uptake: see [`assess`].
pub fn score_uptake(
    lesion: &LesionUptake,
    references: &ReferenceUptake,
    convention: &DeauvilleConvention,
) -> Scored {
    match measure(lesion, references, convention) {
        Err(reason) => Scored::NotComputable(reason),
        Ok(None) => Scored::Score(DeauvilleScore::One),
        Ok(Some(measured)) => Scored::Score(score_measured(&measured, convention)),
    }
}

/// The deciding values; `None` for a lesion that does not stand out from its surroundings.
fn measure(
    lesion: &LesionUptake,
    references: &ReferenceUptake,
    convention: &DeauvilleConvention,
) -> Result<Option<Measured>, NotComputable> {
    let value = lesion.value(convention.lesion).ok_or_else(|| {
        NotComputable::new(
            "LESION_INVALID",
            format!("the lesion has no valid {}", lesion_name(convention.lesion)),
        )
    })?;
    if lesion.is_background() {
        return Ok(None);
    }
    let liver = references.liver_value(convention);
    let blood_pool = references.blood_pool_value(convention);
    let needs_blood_pool = matches!(convention.borders, ScoreBorders::BloodPoolAndLiver { .. });
    match (liver, blood_pool) {
        (Some(liver), Some(blood_pool)) if needs_blood_pool => {
            Ok(Some(Measured { lesion: value, liver, blood_pool: Some(blood_pool) }))
        }
        // Above the liver the blood pool decides nothing.
        (Some(liver), _) if !needs_blood_pool || !at_most(value, liver) => {
            Ok(Some(Measured { lesion: value, liver, blood_pool: None }))
        }
        (liver, blood_pool) => {
            Err(missing_reference(value, liver.is_some(), blood_pool, needs_blood_pool))
        }
    }
}

fn missing_reference(
    lesion: f64,
    has_liver: bool,
    blood_pool: Option<f64>,
    needs_blood_pool: bool,
) -> NotComputable {
    let (code, message) = match (has_liver, blood_pool) {
        (false, None) if needs_blood_pool => {
            ("REFERENCES_MISSING", "neither liver nor blood pool is a valid reference".to_owned())
        }
        (false, Some(value)) => (
            "LIVER_MISSING",
            format!(
                "the liver is not a valid reference; the lesion is {:.2} times the blood pool",
                lesion / value
            ),
        ),
        (false, None) => ("LIVER_MISSING", "the liver is not a valid reference".to_owned()),
        (true, _) => ("BLOOD_POOL_MISSING", "the blood pool is not a valid reference".to_owned()),
    };
    let lesion_over_blood_pool = blood_pool.map(|value| lesion / value);
    NotComputable { code, message, lesion_over_blood_pool }
}

fn lesion_name(statistic: LesionStatistic) -> &'static str {
    match statistic {
        LesionStatistic::Max => "SUVmax",
        LesionStatistic::Peak => "SUVpeak",
        LesionStatistic::PeakOfFour => "SUVpeak of four voxels",
    }
}

fn score_measured(measured: &Measured, convention: &DeauvilleConvention) -> DeauvilleScore {
    use DeauvilleScore::{Five, Four, Three, Two};
    let (lesion, liver) = (measured.lesion, measured.liver);
    match convention.borders {
        ScoreBorders::BloodPoolAndLiver { factor, inclusive } => {
            let marked = if inclusive {
                at_least(lesion, factor * liver)
            } else {
                !at_most(lesion, factor * liver)
            };
            match measured.blood_pool {
                // Source: Barrington 2010 EJNMMI 37:1824: where the blood pool is not below the liver, the liver alone decides.
                Some(blood_pool) if blood_pool >= liver => {
                    if lesion < liver * (1.0 - EPSILON) {
                        return Two;
                    }
                }
                Some(blood_pool) if at_most(lesion, blood_pool) => return Two,
                Some(_) | None => {}
            }
            if at_most(lesion, liver) {
                Three
            } else if marked {
                Five
            } else {
                Four
            }
        }
        ScoreBorders::LiverRatio { three, four, five } => {
            let from = |ratio: f64| at_least(lesion, ratio * liver);
            // The ratio does not tell 1 from 2; a lesion that stands out from its surroundings is 2.
            [(five, Five), (four, Four), (three, Three)]
                .into_iter()
                .find(|(ratio, _)| from(*ratio))
                .map_or(Two, |(_, score)| score)
        }
    }
}

/// The uptakes at which the score changes, ascending.
fn score_borders(measured: &Measured, convention: &DeauvilleConvention) -> Vec<f64> {
    let liver = measured.liver;
    match convention.borders {
        ScoreBorders::BloodPoolAndLiver { factor, .. } => {
            let below = measured.blood_pool.filter(|blood_pool| *blood_pool < liver);
            below.into_iter().chain([liver, factor * liver]).collect()
        }
        ScoreBorders::LiverRatio { three, four, five } => {
            vec![three * liver, four * liver, five * liver]
        }
    }
}

/// The values of the liver reference for which an uptake has each score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct LiverRange {
    /// The score.
    pub score: DeauvilleScore,
    /// From this value of the liver.
    pub from: f64,
    /// To this value; `None`: no upper end.
    pub to: Option<f64>,
}

/// For an uptake above the blood pool: which liver gives which score, from the highest score. The scan whose report prints no
/// liver can be judged by it.
pub fn liver_ranges(lesion: f64, convention: &DeauvilleConvention) -> Vec<LiverRange> {
    use DeauvilleScore::{Five, Four, Three, Two};
    let borders = match convention.borders {
        ScoreBorders::BloodPoolAndLiver { factor, .. } => {
            vec![(Five, lesion / factor), (Four, lesion), (Three, f64::INFINITY)]
        }
        ScoreBorders::LiverRatio { three, four, five } => vec![
            (Five, lesion / five),
            (Four, lesion / four),
            (Three, lesion / three),
            (Two, f64::INFINITY),
        ],
    };
    let mut from = 0.0;
    let range = |(score, to): (DeauvilleScore, f64)| {
        let start = std::mem::replace(&mut from, to);
        LiverRange { score, from: start, to: to.is_finite().then_some(to) }
    };
    borders.into_iter().map(range).collect()
}

#[cfg(test)]
mod tests;
