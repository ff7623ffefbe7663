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

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::criteria::{
    CONVENTIONS, Criteria, DeauvilleConvention, EPSILON, LesionStatistic, QPET, ReferenceStatistic,
    ScoreBorders, at_least, at_most,
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

/// A score as a reader wrote it: a number, the category X, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenScore {
    /// 1 to 5, where given.
    pub score: Option<DeauvilleScore>,
    /// Category X: new uptake unlikely to be lymphoma.
    pub category_x: bool,
}

/// A written score that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a Deauville score; write 1 to 5 or I to V, X, or both as in \"3, X\"")]
pub struct NotAScore(pub String);

impl FromStr for WrittenScore {
    type Err = NotAScore;

    /// Reads `4`, `IV`, `DS 4`, `5PS 4`, `Deauville IV`, `X`, `3, X`, `3X`. The Roman X is the category, never ten.
    fn from_str(text: &str) -> Result<Self, NotAScore> {
        let refused = || NotAScore(text.to_owned());
        let upper = text.trim().to_ascii_uppercase();
        let names = ["DEAUVILLE SCORE", "DEAUVILLE", "5-PS", "5PS", "DS", "SCORE"];
        let body = names.iter().find_map(|name| upper.strip_prefix(name)).unwrap_or(&upper);
        let body = body.trim_start_matches([' ', ':', '=']);
        let mut written = Self { score: None, category_x: false };
        let parts = body.split([' ', ',', '+', ';']).filter(|part| !part.is_empty());
        for part in parts {
            // "3X" is a score and the category; the Roman numbers with an X in them (IX) are no scores.
            let digits = part.strip_suffix('X').filter(|rest| rest.len() == 1);
            let (number, x) = match digits {
                Some(digit) if digit.as_bytes()[0].is_ascii_digit() => (Some(digit), true),
                _ => (Some(part).filter(|part| *part != "X"), part == "X"),
            };
            if let Some(number) = number {
                let score = DeauvilleScore::ALL.into_iter().find(|score| {
                    number == score.roman() || number == u8::from(*score).to_string()
                });
                if written.score.replace(score.ok_or_else(refused)?).is_some() {
                    return Err(refused());
                }
            }
            if x && std::mem::replace(&mut written.category_x, true) {
                return Err(refused());
            }
        }
        if written.score.is_none() && !written.category_x { Err(refused()) } else { Ok(written) }
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
        self.liver.and_then(|region| reference_value(&region, convention.liver))
    }

    fn blood_pool_value(&self, convention: &DeauvilleConvention) -> Option<f64> {
        self.blood_pool.and_then(|region| reference_value(&region, convention.blood_pool))
    }
}

fn reference_value(region: &RegionStatistics, statistic: ReferenceStatistic) -> Option<f64> {
    let value = match statistic {
        ReferenceStatistic::Max => region.max,
        ReferenceStatistic::Mean => region.mean,
        ReferenceStatistic::Median => region.median,
    };
    (value.is_finite() && value > 0.0).then_some(value)
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

/// A score or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
        (Some(liver), _) if !needs_blood_pool => {
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

/// The score of one convention.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Alternative {
    /// Name of the convention.
    pub convention: &'static str,
    /// Its score.
    pub score: Scored,
}

/// Why a score is borderline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Borderline {
    /// Another convention falls on the other side of complete response.
    ConventionsDifferOnResponse,
    /// Another convention falls on the other side of the border between 4 and 5.
    ConventionsDifferOnFive,
    /// The deciding uptake lies near a border of the score ([`crate::criteria::BorderlineRule`]).
    NearBorder,
}

/// qPET of the hottest lesion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct QpetResult {
    /// SUVpeak of four voxels over the mean of the liver.
    pub value: f64,
    /// 2 stands for 1 to 2: the ratio does not tell them apart.
    pub score: DeauvilleScore,
}

/// The overall score of a scan and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct DeauvilleResult {
    /// The highest score of the lesions; 1 without lesions.
    pub score: Scored,
    /// Name of the convention.
    pub convention: &'static str,
    /// The liver's number by this convention.
    pub liver_statistic: ReferenceStatistic,
    /// The lesion's number by this convention.
    pub lesion_statistic: LesionStatistic,
    /// Score of each lesion, in the order given.
    pub sites: Vec<Scored>,
    /// Index of the lesion that decides: the hottest of those with the highest score.
    pub deciding_lesion: Option<usize>,
    /// The uptake that decides.
    pub deciding_uptake: Option<f64>,
    /// The liver's value by this convention.
    pub liver: Option<f64>,
    /// The blood pool's value by this convention.
    pub blood_pool: Option<f64>,
    /// The score by every other convention.
    pub alternatives: Vec<Alternative>,
    /// The score if all uncertain uptakes were lesions.
    pub if_uncertain_are_lesions: Scored,
    /// Whether there is a reason in `borderline_reasons`.
    pub borderline: bool,
    /// Why the score is borderline.
    pub borderline_reasons: Vec<Borderline>,
    /// Distance of the deciding uptake to the nearest uptake at which its score changes, percent of that border.
    pub margin_percent: Option<f64>,
    /// qPET, where the liver and the peak of four voxels are known and there is a lesion.
    pub qpet: Option<QpetResult>,
}

/// Scores a scan from its lesions, its uncertain uptakes and its references.
///
/// These are known lesions: a new lesion due to lymphoma makes the scan 5, which only a comparison can tell
/// ([`crate::response::lugano`]).
pub fn assess(
    lesions: &[LesionUptake],
    uncertain: &[LesionUptake],
    references: &ReferenceUptake,
    criteria: &Criteria,
) -> DeauvilleResult {
    let convention = &criteria.convention;
    let sites = score_all(lesions, references, convention);
    let score = overall(&sites);
    let deciding = deciding_lesion(lesions, &sites, &score, convention);
    let measured =
        deciding.and_then(|i| measure(&lesions[i], references, convention).ok().flatten());
    let margin_percent = measured.and_then(|measured| margin_percent(&measured, convention));
    let alternatives: Vec<_> = CONVENTIONS
        .into_iter()
        .filter(|other| other.name != convention.name)
        .map(|other| Alternative {
            convention: other.name,
            score: overall(&score_all(lesions, references, other)),
        })
        .collect();
    let everything: Vec<_> = lesions.iter().chain(uncertain).copied().collect();
    let borderline_reasons = borderline(&score, &alternatives, margin_percent, criteria);
    DeauvilleResult {
        score,
        convention: convention.name,
        liver_statistic: convention.liver,
        lesion_statistic: convention.lesion,
        sites,
        deciding_lesion: deciding,
        deciding_uptake: deciding.and_then(|i| lesions[i].value(convention.lesion)),
        liver: references.liver_value(convention),
        blood_pool: references.blood_pool_value(convention),
        alternatives,
        if_uncertain_are_lesions: overall(&score_all(&everything, references, convention)),
        borderline: !borderline_reasons.is_empty(),
        borderline_reasons,
        margin_percent,
        qpet: qpet(lesions, references),
    }
}

/// A score that was read elsewhere, as a result: the convention is the reader's, the values are what the report prints.
///
/// `uptake` is that of the hottest lesion. Without a reference nothing says how near the score is to a border.
pub fn written(score: DeauvilleScore, uptake: Option<f64>) -> DeauvilleResult {
    DeauvilleResult {
        score: Scored::Score(score),
        convention: "written",
        liver_statistic: ReferenceStatistic::Max,
        lesion_statistic: LesionStatistic::Max,
        sites: Vec::new(),
        deciding_lesion: None,
        deciding_uptake: uptake,
        liver: None,
        blood_pool: None,
        alternatives: Vec::new(),
        if_uncertain_are_lesions: Scored::Score(score),
        borderline: false,
        borderline_reasons: Vec::new(),
        margin_percent: None,
        qpet: None,
    }
}

fn score_all(
    lesions: &[LesionUptake],
    references: &ReferenceUptake,
    convention: &DeauvilleConvention,
) -> Vec<Scored> {
    lesions.iter().map(|lesion| score_uptake(lesion, references, convention)).collect()
}

/// The highest score of the sites; 1 without sites. A site without a score may be the highest, so that only a 5 elsewhere
/// makes the whole certain.
pub fn overall(sites: &[Scored]) -> Scored {
    let highest = sites.iter().filter_map(Scored::score).max();
    let missing = sites.iter().find(|site| site.score().is_none());
    match (missing, highest) {
        (_, Some(DeauvilleScore::Five)) => Scored::Score(DeauvilleScore::Five),
        (Some(missing), _) => missing.clone(),
        (None, highest) => Scored::Score(highest.unwrap_or(DeauvilleScore::One)),
    }
}

fn deciding_lesion(
    lesions: &[LesionUptake],
    sites: &[Scored],
    score: &Scored,
    convention: &DeauvilleConvention,
) -> Option<usize> {
    let uptake = |i: usize| lesions[i].value(convention.lesion).unwrap_or(0.0);
    (0..lesions.len())
        .filter(|i| score.score().is_none() || sites[*i].score() == score.score())
        .reduce(|best, i| if uptake(i) > uptake(best) { i } else { best })
}

fn margin_percent(measured: &Measured, convention: &DeauvilleConvention) -> Option<f64> {
    score_borders(measured, convention)
        .into_iter()
        .map(|border| 100.0 * (measured.lesion - border).abs() / border)
        .min_by(f64::total_cmp)
}

fn borderline(
    score: &Scored,
    alternatives: &[Alternative],
    margin_percent: Option<f64>,
    criteria: &Criteria,
) -> Vec<Borderline> {
    let Some(score) = score.score() else { return Vec::new() };
    let differs = |from: DeauvilleScore| {
        let others = alternatives.iter().filter_map(|other| other.score.score());
        others.into_iter().any(|other| (other >= from) != (score >= from))
    };
    let near = margin_percent.is_some_and(|margin| margin <= criteria.borderline.within_percent);
    let reasons = [
        (differs(criteria.positive_from), Borderline::ConventionsDifferOnResponse),
        (differs(DeauvilleScore::Five), Borderline::ConventionsDifferOnFive),
        (near, Borderline::NearBorder),
    ];
    reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
}

/// qPET of the lesion with the highest peak of four voxels.
fn qpet(lesions: &[LesionUptake], references: &ReferenceUptake) -> Option<QpetResult> {
    let peaks = lesions.iter().filter_map(|lesion| lesion.value(QPET.lesion));
    let lesion = peaks.max_by(f64::total_cmp)?;
    let liver = references.liver_value(&QPET)?;
    let score = score_measured(&Measured { lesion, liver, blood_pool: None }, &QPET);
    Some(QpetResult { value: lesion / liver, score })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::{LUGANO_MAX_2X, LUGANO_MAX_3X, MAX_OVER_MEAN_2X};
    use proptest::prelude::*;

    /// A region with one value for every statistic.
    fn region(value: f64) -> RegionStatistics {
        RegionStatistics {
            voxels: 100,
            volume_ml: 6.4,
            min: value,
            max: value,
            mean: value,
            sd: 0.0,
            median: value,
        }
    }

    fn references(liver: f64, blood_pool: f64) -> ReferenceUptake {
        ReferenceUptake { liver: Some(region(liver)), blood_pool: Some(region(blood_pool)) }
    }

    fn lesion(value: f64) -> LesionUptake {
        LesionUptake { max: value, peak: Some(value), peak_of_four: Some(value), background: None }
    }

    fn score(uptake: f64, references: &ReferenceUptake, convention: &DeauvilleConvention) -> u8 {
        score_uptake(&lesion(uptake), references, convention).score().map_or(0, u8::from)
    }

    #[test]
    fn worked_scores() {
        // Uptake, score by 2x, score by 3x; liver 2.8, blood pool 1.6 (D-1 to D-9).
        let rows = [
            (1.60, 2, 2),
            (2.20, 3, 3),
            (2.80, 3, 3),
            (2.81, 4, 4),
            (5.60, 4, 4),
            (5.61, 5, 4),
            (7.70, 5, 4),
            (32.0, 5, 5),
            (8.40, 5, 4),
        ];
        for (uptake, twice, thrice) in rows {
            let references = references(2.8, 1.6);
            assert_eq!(score(uptake, &references, &LUGANO_MAX_2X), twice, "{uptake} by 2x");
            assert_eq!(score(uptake, &references, &LUGANO_MAX_3X), thrice, "{uptake} by 3x");
        }
    }

    #[test]
    fn liver_mean_turns_three_into_four() {
        // D-2: the same scan, by maximum and by mean.
        let liver = RegionStatistics { mean: 2.8 / 1.38, ..region(2.8) };
        let references = ReferenceUptake { liver: Some(liver), blood_pool: Some(region(1.6)) };
        assert_eq!(score(2.20, &references, &LUGANO_MAX_3X), 3);
        assert_eq!(score(2.20, &references, &MAX_OVER_MEAN_2X), 4);
        let result = assess(&[lesion(2.20)], &[], &references, &Criteria::default());
        assert_eq!(
            result.borderline_reasons,
            [Borderline::ConventionsDifferOnResponse],
            "the response hangs on the convention"
        );
    }

    #[test]
    fn blood_pool_not_below_liver() {
        // D-10, and the two equal.
        let rows = [(2.4, 2.0, 2), (2.4, 2.1, 3), (2.4, 2.3, 4), (2.1, 2.0, 2), (2.1, 2.1, 3)];
        for (blood_pool, uptake, expected) in rows {
            let references = references(2.1, blood_pool);
            assert_eq!(score(uptake, &references, &LUGANO_MAX_3X), expected, "{uptake}");
        }
    }

    #[test]
    fn inclusive_border_is_five() {
        let inclusive = DeauvilleConvention {
            borders: ScoreBorders::BloodPoolAndLiver { factor: 3.0, inclusive: true },
            ..LUGANO_MAX_3X
        };
        assert_eq!(score(8.4, &references(2.8, 1.6), &inclusive), 5);
        assert_eq!(score(8.39, &references(2.8, 1.6), &inclusive), 4);
    }

    #[test]
    fn qpet_borders() {
        let rows = [(1.8, 2), (1.9, 3), (2.59, 3), (2.6, 4), (3.99, 4), (4.0, 5)];
        for (uptake, expected) in rows {
            assert_eq!(score(uptake, &references(2.0, 1.6), &QPET), expected, "{uptake}");
        }
        let result = assess(&[lesion(2.6)], &[], &references(2.0, 1.6), &Criteria::default());
        let qpet = result.qpet.unwrap();
        assert!((qpet.value - 1.3).abs() < 1e-12, "{qpet:?}");
        assert_eq!(qpet.score, DeauvilleScore::Four);
    }

    #[test]
    fn liver_ranges_of_the_case_report() {
        use DeauvilleScore::{Five, Four, Three};
        // Uptake, convention, borders of the liver between 5, 4 and 3.
        let rows = [
            (4.0, LUGANO_MAX_2X, 2.0, 4.0),
            (4.0, LUGANO_MAX_3X, 4.0 / 3.0, 4.0),
            (7.7, LUGANO_MAX_2X, 3.85, 7.7),
            (7.7, LUGANO_MAX_3X, 7.7 / 3.0, 7.7),
        ];
        for (uptake, convention, five, four) in rows {
            let range = |score, from, to| LiverRange { score, from, to };
            assert_eq!(
                liver_ranges(uptake, &convention),
                [
                    range(Five, 0.0, Some(five)),
                    range(Four, five, Some(four)),
                    range(Three, four, None)
                ]
            );
            assert_eq!(score(uptake, &references(five, 0.5), &convention), 4, "lower end is in");
            assert_eq!(score(uptake, &references(four, 0.5), &convention), 3, "upper end is out");
            assert_eq!(score(uptake, &references(five * 0.999, 0.5), &convention), 5);
        }
    }

    #[test]
    fn no_score_without_references() {
        let both = references(2.8, 1.6);
        let no_liver = ReferenceUptake { liver: None, ..both };
        let no_blood_pool = ReferenceUptake { blood_pool: None, ..both };
        let zero_liver = ReferenceUptake { liver: Some(region(0.0)), ..both };
        let rows = [
            (no_liver, "LIVER_MISSING", Some(2.0)),
            (zero_liver, "LIVER_MISSING", Some(2.0)),
            (no_blood_pool, "BLOOD_POOL_MISSING", None),
            (ReferenceUptake::default(), "REFERENCES_MISSING", None),
        ];
        for (references, code, ratio) in rows {
            let Scored::NotComputable(reason) =
                score_uptake(&lesion(3.2), &references, &LUGANO_MAX_3X)
            else {
                panic!("{code}: scored")
            };
            assert_eq!((reason.code, reason.lesion_over_blood_pool), (code, ratio));
        }
        assert_eq!(score(3.2, &no_blood_pool, &QPET), 3, "qPET needs no blood pool");
        assert_eq!(score(f64::NAN, &both, &LUGANO_MAX_3X), 0);
    }

    #[test]
    fn one_needs_nothing_or_background() {
        let around = RegionStatistics { sd: 0.2, ..region(1.0) };
        let at = |max| LesionUptake { background: Some(around), ..lesion(max) };
        let both = references(2.8, 1.6);
        let of = |lesion| score_uptake(&lesion, &both, &LUGANO_MAX_3X);
        assert_eq!(of(at(1.4)), Scored::Score(DeauvilleScore::One));
        assert_eq!(of(at(1.41)), Scored::Score(DeauvilleScore::Two));
        assert_eq!(of(lesion(0.2)), Scored::Score(DeauvilleScore::Two), "a low value is no 1");
        let empty = assess(&[], &[], &ReferenceUptake::default(), &Criteria::default());
        assert_eq!(empty.score, Scored::Score(DeauvilleScore::One));
        assert_eq!((empty.margin_percent, empty.deciding_lesion), (None, None));
    }

    #[test]
    fn overall_result() {
        let result = assess(
            &[lesion(2.0), lesion(7.7)],
            &[lesion(9.0)],
            &references(2.8, 1.6),
            &Criteria::default(),
        );
        assert_eq!(result.score, Scored::Score(DeauvilleScore::Four));
        assert_eq!(result.deciding_lesion, Some(1));
        assert_eq!(result.if_uncertain_are_lesions, Scored::Score(DeauvilleScore::Five));
        assert_eq!(result.alternatives.len(), 3);
        // The nearest border is 3 x 2.8 = 8.4: 0.7 away.
        let margin = result.margin_percent.unwrap();
        assert!((margin - 100.0 * 0.7 / 8.4).abs() < 1e-9, "{margin}");
        assert_eq!(
            result.borderline_reasons,
            [Borderline::ConventionsDifferOnFive, Borderline::NearBorder]
        );
        assert!(result.borderline);
    }

    #[test]
    fn unknown_site_leaves_only_five_certain() {
        let unknown = Scored::NotComputable(NotComputable::new("LESION_INVALID", "no peak"));
        let four = Scored::Score(DeauvilleScore::Four);
        let five = Scored::Score(DeauvilleScore::Five);
        assert_eq!(overall(&[four, unknown.clone()]), unknown);
        assert_eq!(overall(&[unknown, five.clone()]), five);
    }

    #[test]
    fn written_scores() {
        use DeauvilleScore::{Five, Four, One, Three, Two};
        let rows = [
            ("IV", Some(Four), false),
            ("4", Some(Four), false),
            (" ds 4 ", Some(Four), false),
            ("DS4", Some(Four), false),
            ("DS: 2", Some(Two), false),
            ("5PS 4", Some(Four), false),
            ("5-PS 5", Some(Five), false),
            ("5", Some(Five), false),
            ("Deauville V", Some(Five), false),
            ("Deauville score I", Some(One), false),
            ("Deauville X", None, true),
            ("X", None, true),
            ("3, X", Some(Three), true),
            ("III X", Some(Three), true),
            ("3X", Some(Three), true),
        ];
        for (text, score, category_x) in rows {
            assert_eq!(text.parse(), Ok(WrittenScore { score, category_x }), "{text}");
        }
        for text in ["", "0", "6", "10", "IX", "IIII", "4/5", "3 4", "X X", "DS", "VI", "4.0", "é"]
        {
            assert_eq!(text.parse::<WrittenScore>(), Err(NotAScore(text.into())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_score_never_panics(text in "\\PC*") {
            let _ = text.parse::<WrittenScore>();
        }

        #[test]
        fn monotone_in_lesion_antitone_in_liver(
            a in 0.01_f64..40.0, b in 0.01_f64..40.0,
            liver in 0.1_f64..6.0, other in 0.1_f64..6.0, blood_pool in 0.1_f64..3.0,
        ) {
            let (low, high) = (a.min(b), a.max(b));
            let (pale, dark) = (liver.min(other), liver.max(other));
            for convention in CONVENTIONS {
                let at = |t, l| score(t, &references(l, blood_pool), convention);
                prop_assert!(at(low, liver) <= at(high, liver), "{}", convention.name);
                // Under the rule of 2010 a liver that rises past the blood pool brings the blood pool back as a border, and
                // a score of 2 stays 2; the order holds all the way.
                prop_assert!(at(a, dark) <= at(a, pale), "{}", convention.name);
            }
        }

        #[test]
        fn overall_is_the_maximum(uptakes in prop::collection::vec(0.01_f64..40.0, 0..8)) {
            let references = references(2.8, 1.6);
            let lesions: Vec<_> = uptakes.iter().map(|t| lesion(*t)).collect();
            let result = assess(&lesions, &[], &references, &Criteria::default());
            let highest = result.sites.iter().filter_map(Scored::score).max();
            prop_assert_eq!(result.score.score(), Some(highest.unwrap_or(DeauvilleScore::One)));
        }
    }
}
