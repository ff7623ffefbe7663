//! One scan: its input and settings, its result, and the score.

use glam::DVec3;

use super::placements::{Placements, ScoreShares};
use super::search::propose;
use crate::criteria::{Criteria, EXPECTED_REFERENCES};
use crate::deauville::{
    DeauvilleResult, LesionUptake, NotComputable, ReferenceUptake, Scored, assess,
};
use crate::decisions::Decided;
use crate::diagnostic::Warning;
use crate::lesion::{Class, Lesion, Threshold, ThresholdError};
use crate::organ::OrganMap;
use crate::reference::Reference;
use crate::segmentation::Region;
use crate::statistics::farthest_pair;
use crate::suv::SuvImage;
use crate::volume::{Mask, Volume};

/// One scan as the core sees it.
#[derive(Debug, Clone, Copy)]
pub struct ScanInput<'a> {
    /// The SUV volume.
    pub image: &'a SuvImage,
    /// Turns the image's values into SUVbw; 1 where they are SUVbw. Ranges and anatomy speak of SUVbw.
    pub bw_per_value: f64,
    /// The CT in Hounsfield units, in the PET's frame of reference.
    pub ct: Option<&'a Volume<i16>>,
}

/// A reference region: to be found, or given.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Given {
    /// Found automatically.
    #[default]
    Automatic,
    /// A sphere.
    Sphere {
        /// Centre, millimetres.
        centre_mm: DVec3,
        /// Radius, millimetres.
        radius_mm: f64,
    },
    /// Voxels on the lattice of the PET.
    Voxels(Region),
}

/// What the user chose.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Numbers and conventions.
    pub criteria: Criteria,
    /// How regions are delineated.
    pub threshold: Threshold,
    /// The liver.
    pub liver: Given,
    /// The mediastinal blood pool.
    pub blood_pool: Given,
    /// Lesions from outside: replaces the search.
    pub lesions: Option<Mask>,
    /// Voxels that take no part in the search.
    pub exclude: Option<Mask>,
    /// Organs outlined by somebody, on the lattice of the PET: they place the references and name uptake.
    pub organs: Option<OrganMap>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            criteria: Criteria::default(),
            threshold: Threshold::Fixed(crate::lesion::DEFAULT_THRESHOLD_SUV),
            liver: Given::Automatic,
            blood_pool: Given::Automatic,
            lesions: None,
            exclude: None,
            organs: None,
        }
    }
}

/// Tumour burden of a scan: regions of class lesion over the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// Number of lesions, those below the threshold included.
    pub lesions: usize,
    /// Total metabolic tumour volume, each voxel counted once, millilitres.
    pub tmtv_ml: f64,
    /// Total lesion glycolysis, grams.
    pub tlg_g: f64,
    /// Largest distance between two lesions' centroids, millimetres; `None` without lesions, 0 for one.
    pub dmax_mm: Option<f64>,
}

/// A scored scan.
#[derive(Debug, Clone)]
pub struct ScanAssessment {
    /// The liver reference.
    pub liver: Reference,
    /// The blood-pool reference.
    pub blood_pool: Reference,
    /// Both at the places and sizes around the chosen ones.
    pub placements: Placements,
    /// All regions of raised uptake, hottest first.
    pub lesions: Vec<Lesion>,
    /// Uptake left at sites of earlier disease that have no region any more; a scan by itself has none.
    pub residual: Vec<LesionUptake>,
    /// SUV at which regions were found; `None` where they were given.
    pub level: Option<f64>,
    /// The score.
    pub deauville: DeauvilleResult,
    /// What a person decided; `None` where nobody was asked.
    pub decided: Option<Decided>,
    /// The tumour burden.
    pub totals: Totals,
    /// What was noticed.
    pub warnings: Vec<Warning>,
}

/// Assesses one scan.
///
/// # Errors
/// The threshold needs the liver, which is not known.
pub fn assess_scan(
    scan: &ScanInput<'_>,
    settings: &Settings,
) -> Result<ScanAssessment, ThresholdError> {
    Ok(propose(scan, settings)?.conclude(scan, settings))
}

impl ScanAssessment {
    /// Scores again after classes have changed; `residual` is uptake at known sites where no region stands out.
    pub fn rescore(&mut self, pet: &Volume<f32>, residual: Vec<LesionUptake>, criteria: &Criteria) {
        self.deauville = score(&self.lesions, &residual, &self.liver, &self.blood_pool, criteria);
        self.totals = totals(pet, &self.lesions);
        if !residual.is_empty() {
            self.warnings.retain(|w| w.code != SITES_UNKNOWN);
        }
        self.residual = residual;
    }

    /// The references' uptake where they may serve.
    pub fn references(&self) -> ReferenceUptake {
        references(&self.liver, &self.blood_pool)
    }

    /// How often each score comes out over the places and sizes that the references might as well have; `None` without a
    /// lesion or without a reference.
    pub fn score_shares(&self, criteria: &Criteria) -> Option<ScoreShares> {
        let lesions = self.of_class(Class::Lesion).map(uptake);
        let known: Vec<_> = lesions.chain(self.residual.iter().copied()).collect();
        self.placements.scores(&known, &criteria.convention)
    }

    /// The regions of a class.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Lesion> {
        self.lesions.iter().filter(move |l| l.finding.class == class)
    }
}

pub(super) fn union<'a>(pet: &Volume<f32>, lesions: impl Iterator<Item = &'a Lesion>) -> Region {
    Region::union_of(pet.geometry().shape(), lesions.map(|l| &l.region))
}

pub(super) fn ratio_warning(liver: &Reference, blood_pool: &Reference) -> Option<Warning> {
    let (liver, pool) = (liver.usable()?, blood_pool.usable()?);
    (liver.mean <= EXPECTED_REFERENCES.liver_over_blood_pool_at_least * pool.mean).then(|| {
        let message = format!(
            "the liver (SUVmean {:.2}) is not hotter than the blood pool ({:.2}): check both regions",
            liver.mean, pool.mean
        );
        Warning::new("LIVER_NOT_ABOVE_BLOOD_POOL", message)
    })
}

fn references(liver: &Reference, blood_pool: &Reference) -> ReferenceUptake {
    ReferenceUptake { liver: liver.usable().copied(), blood_pool: blood_pool.usable().copied() }
}

/// The uptake of a lesion as the score takes it.
pub fn uptake(lesion: &Lesion) -> LesionUptake {
    LesionUptake {
        max: lesion.statistics.max,
        peak: Some(lesion.peak.mean),
        peak_of_four: Some(lesion.peak_of_four.mean),
        background: lesion.background,
    }
}

/// The score of the lesions and of what is left at known sites.
pub(super) fn score(
    lesions: &[Lesion],
    residual: &[LesionUptake],
    liver: &Reference,
    blood_pool: &Reference,
    criteria: &Criteria,
) -> DeauvilleResult {
    let of = |class: Class| lesions.iter().filter(move |l| l.finding.class == class).map(uptake);
    let known: Vec<_> = of(Class::Lesion).chain(residual.iter().copied()).collect();
    let uncertain: Vec<_> = of(Class::Uncertain).collect();
    score_uptakes(&known, &uncertain, liver, blood_pool, criteria)
}

/// The score of known disease beside what is uncertain.
///
/// Nothing known is score 1 only where the liver is known: what lies between background and a fixed threshold was not looked
/// for without it.
pub(super) fn score_uptakes(
    known: &[LesionUptake],
    uncertain: &[LesionUptake],
    liver: &Reference,
    blood_pool: &Reference,
    criteria: &Criteria,
) -> DeauvilleResult {
    let mut result = assess(known, uncertain, &references(liver, blood_pool), criteria);
    if known.is_empty() && liver.usable().is_none() {
        let message = "no region is above the threshold, and without the liver nothing says whether lesser uptake is \
                       disease";
        let none = Scored::NotComputable(NotComputable::new("LIVER_MISSING", message));
        result.alternatives.iter_mut().for_each(|a| a.score = none.clone());
        if uncertain.is_empty() {
            result.if_uncertain_are_lesions = none.clone();
        }
        result.score = none;
    }
    result
}

const SITES_UNKNOWN: &str = "SITES_UNKNOWN";

/// A scan by itself has no known sites: nothing above the liver is score 1, 2 or 3.
pub(super) fn unknown_sites_warning(deauville: &DeauvilleResult) -> Option<Warning> {
    (deauville.sites.is_empty() && deauville.score.score().is_some()).then(|| {
        let message = "no lesion is hotter than the liver; score 1 stands for 1 to 3, because sites with less uptake than \
                       the liver can only be known from an earlier scan";
        Warning::new(SITES_UNKNOWN, message)
    })
}

pub(super) fn totals(pet: &Volume<f32>, lesions: &[Lesion]) -> Totals {
    let disease = || lesions.iter().filter(|l| l.finding.class == Class::Lesion);
    let burden = union(pet, disease().filter(|l| !l.below_threshold));
    let tlg_g = crate::statistics::statistics(pet, &burden).map_or(0.0, |s| s.integral());
    let centroids: Vec<DVec3> = disease().map(|l| l.centroid_mm).collect();
    Totals {
        lesions: centroids.len(),
        tmtv_ml: burden.volume_ml(pet.geometry()),
        tlg_g,
        dmax_mm: farthest_pair(&centroids),
    }
}
