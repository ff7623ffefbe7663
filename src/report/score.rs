//! The document of `petct score`.

mod words;

use schemars::JsonSchema;
use serde::Serialize;

use super::decisions::{DecisionsDocument, decided_by};
use super::suv::{BodyMeanOrReason, ClockDocument, DecayFactorDocument, SeriesHead, SuvNumbers};
use super::table;
use super::text::{self, Page};
use super::{Content, PatientDocument, finite};
use crate::assessment::{ScanAssessment, ScoreShares};
use crate::criteria::{Criteria, LesionStatistic, ReferenceStatistic};
use crate::deauville::{Alternative, Borderline, Scored, score_uptake};
use crate::diagnostic::Warning;
use crate::dicom::{Patient, Series, SetAside};
use crate::lesion::{Class, Lesion, Threshold};
use crate::reference::{Reference, Status};
use crate::statistics::Summary;
use crate::suv::{Input, SuvPlan};

/// A scored scan, each number with what it rests on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ScoreDocument {
    /// Who was examined; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientDocument>,
    /// The PET.
    pub series: SeriesHead,
    /// `SeriesInstanceUID` of the CT; `null` where there is none.
    pub ct_series_uid: Option<String>,
    /// The other PET and CT series, and why they were not used.
    pub set_aside: Vec<SetAsideDocument>,
    /// Factor and statistics of the SUV volume.
    pub suv: SuvNumbers,
    /// The clock to which the dose was decayed.
    pub clock: ClockDocument,
    /// What `DecayFactor` (0054,1321) says of the clock.
    pub decay_factor: DecayFactorDocument,
    /// The header values used.
    pub inputs: Vec<Input>,
    /// Whether a value was given by hand.
    pub edited: bool,
    /// What a person decided with `--decisions`; `null` where nobody was asked.
    pub decisions: Option<DecisionsDocument>,
    /// Liver and mediastinal blood pool.
    pub references: References,
    /// All regions of raised uptake, hottest first.
    pub lesions: Vec<LesionDocument>,
    /// The score of the scan.
    pub deauville: DeauvilleDocument,
    /// qPET of the hottest lesion; `null` without lesions or without liver.
    pub qpet: Option<crate::deauville::QpetResult>,
    /// Tumour burden of the lesions over the threshold.
    pub totals: TotalsDocument,
    /// How lesions are delineated.
    pub threshold: String,
    /// SUV at which regions were found; `null` where they were given.
    pub threshold_suv: Option<f64>,
    /// Files written, in the folder that was asked for.
    pub files: Vec<String>,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// A series that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetAsideDocument {
    /// `SeriesInstanceUID` (0020,000E).
    pub series_uid: String,
    /// `SeriesDescription` (0008,103E).
    pub description: String,
    /// Why.
    pub reason: String,
}

impl From<&SetAside> for SetAsideDocument {
    fn from(aside: &SetAside) -> Self {
        Self {
            series_uid: aside.series_uid.clone(),
            description: aside.description.clone(),
            reason: aside.reason.clone(),
        }
    }
}

/// The reference regions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct References {
    /// Liver: sphere of 3 cm in the right lobe.
    pub liver: ReferenceDocument,
    /// Mediastinal blood pool: cylinder of 1 cm x 2 cm in the descending aorta.
    pub blood_pool: ReferenceDocument,
}

/// A reference region. Numbers are `null` where no place was found; `reasons` say why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReferenceDocument {
    /// `ok`, `not_found` or `refused`.
    pub status: &'static str,
    /// How it was placed.
    pub method: Option<&'static str>,
    /// Centre, LPS millimetres.
    pub centre_mm: Option<[f64; 3]>,
    /// Volume, millilitres.
    pub volume_ml: Option<f64>,
    /// Number of voxels.
    pub voxels: Option<usize>,
    /// Mean.
    pub suv_mean: Option<f64>,
    /// Standard deviation (divided by the number of voxels).
    pub suv_sd: Option<f64>,
    /// Maximum.
    pub suv_max: Option<f64>,
    /// Median.
    pub suv_median: Option<f64>,
    /// Why it was not found or is refused; else how it was found.
    pub reasons: Vec<String>,
    /// `proposed`, or `reader` where a decision sets, accepts or rejects it.
    pub decided_by: &'static str,
}

impl ReferenceDocument {
    fn new(reference: &Reference, by_reader: bool) -> Self {
        let statistics = reference.statistics.as_ref();
        let number = |of: fn(&crate::statistics::RegionStatistics) -> f64| {
            statistics.map(of).and_then(finite)
        };
        Self {
            status: match reference.status {
                Status::Ok => "ok",
                Status::NotFound => "not_found",
                Status::Refused => "refused",
            },
            method: reference.method.map(crate::reference::Method::name),
            centre_mm: reference.centre_mm.map(|c| c.to_array()),
            volume_ml: number(|s| s.volume_ml),
            voxels: statistics.map(|s| s.voxels),
            suv_mean: number(|s| s.mean),
            suv_sd: number(|s| s.sd),
            suv_max: number(|s| s.max),
            suv_median: number(|s| s.median),
            reasons: reference.reasons.clone(),
            decided_by: decided_by(by_reader),
        }
    }
}

/// A region of raised uptake.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LesionDocument {
    /// Number in this scan, hottest first; regions that a person made have the numbers after those proposed.
    pub id: usize,
    /// `lesion`, `physiologic` or `uncertain`.
    pub class: &'static str,
    /// Where it lies.
    pub site: &'static str,
    /// SNOMED CT identifier of the site.
    pub site_snomed: &'static str,
    /// Why it has this class.
    pub reason: String,
    /// `proposed`, or `reader` where a decision gives it its class, site or voxels.
    pub decided_by: &'static str,
    /// Mean of the voxel centres, LPS millimetres.
    pub centroid_mm: [f64; 3],
    /// Centre of the hottest voxel, LPS millimetres.
    pub hottest_mm: [f64; 3],
    /// Number of voxels.
    pub voxels: usize,
    /// Hottest voxel.
    pub suv_max: f64,
    /// Mean.
    pub suv_mean: f64,
    /// Highest mean of a sphere of 1 mL (IBSI 0F91).
    pub suv_peak: f64,
    /// Metabolic volume, millilitres.
    pub volume_ml: f64,
    /// Total lesion glycolysis, grams.
    pub tlg_g: f64,
    /// Score of this region by the convention; `null` where it is not computable.
    pub deauville: Scored,
    /// Between the liver and the threshold: scored, not counted in the totals.
    pub below_threshold: bool,
    /// Divided from a neighbour that it touches.
    pub divided: bool,
    /// Its sphere of 1 mL reaches beyond the scan.
    pub suv_peak_truncated: bool,
}

impl LesionDocument {
    fn new(lesion: &Lesion, assessment: &ScanAssessment, criteria: &Criteria) -> Self {
        let uptake = crate::assessment::uptake(lesion);
        Self {
            id: lesion.id,
            class: lesion.finding.class.name(),
            site: lesion.finding.site.name(),
            site_snomed: lesion.finding.site.snomed(),
            reason: lesion.finding.reason.clone(),
            decided_by: decided_by(
                assessment.decided.as_ref().is_some_and(|d| d.is_by_reader(lesion.id)),
            ),
            centroid_mm: lesion.centroid_mm.to_array(),
            hottest_mm: lesion.hottest_mm.to_array(),
            voxels: lesion.statistics.voxels,
            suv_max: lesion.statistics.max,
            suv_mean: lesion.statistics.mean,
            suv_peak: lesion.peak.mean,
            volume_ml: lesion.statistics.volume_ml,
            tlg_g: lesion.tlg_g(),
            deauville: score_uptake(&uptake, &assessment.references(), &criteria.convention),
            below_threshold: lesion.below_threshold,
            divided: lesion.divided,
            suv_peak_truncated: lesion.peak.truncated,
        }
    }
}

/// The score of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DeauvilleDocument {
    /// 1 to 5; `null` where it is not computable.
    pub score: Scored,
    /// Why it is `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score_reason: Option<String>,
    /// The convention.
    pub convention: &'static str,
    /// The liver's number.
    pub liver_statistic: ReferenceStatistic,
    /// The lesion's number.
    pub lesion_statistic: LesionStatistic,
    /// The liver's value by the convention.
    pub liver: Option<f64>,
    /// The blood pool's value by the convention.
    pub blood_pool: Option<f64>,
    /// The uptake that decides.
    pub deciding_uptake: Option<f64>,
    /// The score by every other convention.
    pub alternatives: Vec<Alternative>,
    /// The score if all uncertain regions were lesions.
    pub if_uncertain_are_lesions: Scored,
    /// Whether the score is near a border or depends on the convention.
    pub borderline: bool,
    /// Why.
    pub borderline_reasons: Vec<Borderline>,
    /// Distance of the deciding uptake to the nearest border of the score, percent of the border.
    pub margin_percent: Option<f64>,
    /// Uptake left at sites of earlier disease where no region stands out (comparisons only).
    pub residual_suv_peak: Vec<f64>,
    /// How often each score comes out over the places and sizes that the references might as well have; `null` without a
    /// lesion or without a reference.
    pub over_placements: Option<ScoreShares>,
}

impl DeauvilleDocument {
    fn new(assessment: &ScanAssessment, criteria: &Criteria) -> Self {
        let result = &assessment.deauville;
        Self {
            score_reason: match &result.score {
                Scored::Score(_) => None,
                Scored::NotComputable(reason) => Some(reason.message.clone()),
            },
            score: result.score.clone(),
            convention: result.convention,
            liver_statistic: result.liver_statistic,
            lesion_statistic: result.lesion_statistic,
            liver: result.liver,
            blood_pool: result.blood_pool,
            deciding_uptake: result.deciding_uptake,
            alternatives: result.alternatives.clone(),
            if_uncertain_are_lesions: result.if_uncertain_are_lesions.clone(),
            borderline: result.borderline,
            borderline_reasons: result.borderline_reasons.clone(),
            margin_percent: result.margin_percent.and_then(finite),
            residual_suv_peak: assessment.residual.iter().map(|r| r.max).collect(),
            over_placements: assessment.score_shares(criteria),
        }
    }
}

/// Tumour burden.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TotalsDocument {
    /// Number of lesions, those below the threshold included.
    pub lesions: usize,
    /// Number of uncertain regions.
    pub uncertain: usize,
    /// Total metabolic tumour volume, millilitres.
    pub tmtv_ml: f64,
    /// Total lesion glycolysis, grams.
    pub tlg_g: f64,
    /// Largest distance between two lesions' centroids, millimetres; `null` without lesions.
    pub dmax_mm: Option<f64>,
    /// Dmax in metres over the body surface in square metres (Cottereau 2021), 1/m; `null` without lesions or body surface.
    pub sdmax_per_m: Option<f64>,
    /// Why SDmax is not known.
    pub sdmax_reason: Option<String>,
}

/// What a scan's document is made from besides its assessment.
#[derive(Debug, Clone, Copy)]
pub struct ScanSource<'a> {
    /// The PET.
    pub pet: &'a Series,
    /// The CT.
    pub ct: Option<&'a Series>,
    /// The series not used.
    pub set_aside: &'a [SetAside],
    /// How the values became SUV.
    pub plan: &'a SuvPlan,
    /// Statistics of the SUV volume.
    pub summary: Summary,
    /// Mean SUVbw inside the body, or why it is not known.
    pub body_mean: &'a BodyMeanOrReason,
    /// Body surface, square metres, or why it is not known.
    pub body_surface_m2: Result<f64, &'a str>,
    /// What was noticed on the way to the SUV volume.
    pub warnings: &'a [Warning],
    /// How lesions are delineated; `None` where they were given.
    pub threshold: Option<Threshold>,
    /// The patient, where the document is to name them.
    pub patient: Option<&'a Patient>,
}

impl ScoreDocument {
    /// The document of an assessed scan.
    pub fn new(source: &ScanSource<'_>, assessment: &ScanAssessment, criteria: &Criteria) -> Self {
        let of_class = |class| assessment.of_class(class).count();
        let lesion = |l: &Lesion| LesionDocument::new(l, assessment, criteria);
        let dmax_m = assessment.totals.dmax_mm.map(|mm| mm / 1000.0);
        let set = assessment.decided.as_ref().map_or([false; 2], |d| d.references);
        Self {
            patient: source.patient.map(Into::into),
            series: source.pet.into(),
            ct_series_uid: source.ct.map(|ct| ct.series_instance_uid.clone()),
            set_aside: source.set_aside.iter().map(Into::into).collect(),
            suv: SuvNumbers::new(source.plan, source.summary, source.body_mean),
            clock: ClockDocument::new(&source.plan.clock, source.warnings),
            decay_factor: source.plan.decay_factor.into(),
            inputs: source.plan.inputs.clone(),
            edited: source.plan.edited,
            decisions: assessment.decided.as_ref().map(Into::into),
            references: References {
                liver: ReferenceDocument::new(&assessment.liver, set[0]),
                blood_pool: ReferenceDocument::new(&assessment.blood_pool, set[1]),
            },
            lesions: assessment.lesions.iter().map(lesion).collect(),
            deauville: DeauvilleDocument::new(assessment, criteria),
            qpet: assessment.deauville.qpet,
            totals: TotalsDocument {
                lesions: assessment.totals.lesions,
                uncertain: of_class(Class::Uncertain),
                tmtv_ml: assessment.totals.tmtv_ml,
                tlg_g: assessment.totals.tlg_g,
                dmax_mm: assessment.totals.dmax_mm,
                sdmax_per_m: dmax_m
                    .zip(source.body_surface_m2.ok())
                    .map(|(d, surface)| d / surface),
                sdmax_reason: match source.body_surface_m2 {
                    _ if dmax_m.is_none() => Some("there is no lesion".into()),
                    Err(reason) => Some(reason.into()),
                    Ok(_) => None,
                },
            },
            threshold: source.threshold.map_or_else(|| "given".into(), |t| t.to_string()),
            threshold_suv: assessment.level.and_then(finite),
            files: Vec::new(),
            warnings: source.warnings.iter().chain(&assessment.warnings).cloned().collect(),
        }
    }

    /// The score in words: `Deauville 4 (IV)`.
    pub fn headline(&self) -> String {
        match &self.deauville.score {
            Scored::Score(score) => format!("Deauville {score} ({})", score.roman()),
            Scored::NotComputable(_) => "Deauville score not computable".into(),
        }
    }

    /// What a picture says under itself: references, convention, threshold.
    pub fn caption(&self) -> String {
        let mean = |r: &ReferenceDocument| match r.status {
            "ok" => format!("{} / {}", text::number(r.suv_mean, 2), text::number(r.suv_max, 2)),
            status => status.replace('_', " "),
        };
        let edited = self.decisions.as_ref().filter(|d| !d.edits.is_empty());
        let decided = edited.map_or_else(String::new, |d| format!(" Decisions: {}.", d.short()));
        format!(
            "SUVmean / SUVmax: liver {}, blood pool {}. Convention {}. Threshold {}.{decided}",
            mean(&self.references.liver),
            mean(&self.references.blood_pool),
            self.deauville.convention,
            self.threshold
        )
    }
}

impl Content for ScoreDocument {
    const NAME: &'static str = "petct-score";
    const VERSION: u32 = 1;

    fn text(&self, verbose: bool) -> String {
        let mut page = Page::default();
        page.patient(self.patient.as_ref());
        self.write(&mut page, verbose);
        page.warnings(&self.warnings);
        page.finish()
    }

    fn csv(&self) -> Option<String> {
        Some(table::lesions(&[self], &[]))
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
