//! The overall score of a scan.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    DeauvilleScore, LesionUptake, Measured, ReferenceUptake, Scored, measure, score_borders,
    score_measured, score_uptake,
};
use crate::criteria::{
    CONVENTIONS, Criteria, DeauvilleConvention, LesionStatistic, QPET, ReferenceStatistic,
};

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

impl Borderline {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ConventionsDifferOnResponse => {
                "another convention falls on the other side of complete response"
            }
            Self::ConventionsDifferOnFive => "another convention differs between 4 and 5",
            Self::NearBorder => "the deciding uptake lies near a border",
        }
    }
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
