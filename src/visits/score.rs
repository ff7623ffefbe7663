//! The score of one visit: the reader's, or computed from what is printed.

use super::{SiteEntry, Visit};
use crate::criteria::Criteria;
use crate::deauville::{
    self, Alternative, DeauvilleResult, DeauvilleScore, LesionUptake, NotComputable,
    ReferenceUptake, Scored,
};
use crate::response::Hottest;
use crate::statistics::RegionStatistics;

/// The score of a visit and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitScore {
    /// The score with the values it rests on; its convention is `written` where the reader gave it.
    pub result: DeauvilleResult,
    /// SUVmax of the hottest lesion, as given for the scan or for its sites.
    pub hottest: Hottest,
    /// Category X by the reader's word.
    pub category_x: bool,
    /// The score by the chosen convention, where the reader's is another.
    pub computed_otherwise: Option<DeauvilleScore>,
}

/// A region of which some statistics are printed; the others are no numbers.
fn region(max: Option<f64>, mean: Option<f64>, sd: Option<f64>) -> Option<RegionStatistics> {
    if max.is_none() && mean.is_none() {
        return None;
    }
    let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
    Some(RegionStatistics {
        voxels: 0,
        volume_ml: f64::NAN,
        min: f64::NAN,
        max: known(max),
        mean: known(mean),
        sd: known(sd),
        median: f64::NAN,
    })
}

/// A reference in SUL, where mean and standard deviation are known.
pub(super) fn sul_region((mean, sd): (Option<f64>, Option<f64>)) -> Option<RegionStatistics> {
    mean.zip(sd).and_then(|(mean, sd)| region(None, Some(mean), Some(sd)))
}

/// SUVmax of the hottest lesion: as given, else the hottest of the sites where each has one.
pub(super) fn hottest(visit: &Visit) -> Hottest {
    let values = visit.sites.iter().filter(|site| site.has_uptake()).map(|site| site.suv_max);
    let of_sites: Option<Vec<f64>> = values.collect();
    match visit.suv_max {
        Hottest::Unknown => of_sites
            .and_then(|values| values.into_iter().reduce(f64::max))
            .map_or(Hottest::Unknown, Hottest::Uptake),
        known @ (Hottest::NoLesion | Hottest::Uptake(_)) => known,
    }
}

/// The score of a visit. The reader's stands, with the computed ones beside it; without a reader's it is computed.
pub(super) fn score(visit: &Visit, criteria: &Criteria) -> VisitScore {
    let given = visit.deauville.and_then(|written| written.score);
    let of_sites = of_sites(visit);
    let computed = computed(visit, criteria);
    let category_x = visit.deauville.is_some_and(|written| written.category_x);
    let (result, computed_otherwise) = match given.or(of_sites) {
        Some(score) => {
            let other = computed.score.score().filter(|other| *other != score);
            (written(score, computed), other)
        }
        None => (computed, None),
    };
    VisitScore { result, hottest: hottest(visit), category_x, computed_otherwise }
}

/// The highest score of the sites; `None` where one with uptake has none, which may be the highest, unless another is 5.
fn of_sites(visit: &Visit) -> Option<DeauvilleScore> {
    let scores = || visit.sites.iter().filter_map(|site: &SiteEntry| site.score);
    let open = visit.sites.iter().any(|site| site.has_uptake() && site.score.is_none());
    scores().max().filter(|highest| !open || *highest == DeauvilleScore::Five)
}

fn computed(visit: &Visit, criteria: &Criteria) -> DeauvilleResult {
    let printed = &visit.references;
    let references = ReferenceUptake {
        liver: region(printed.liver_suv_max, printed.liver_suv_mean, None),
        blood_pool: region(printed.blood_pool_suv_max, printed.blood_pool_suv_mean, None),
    };
    let lesions = match hottest(visit) {
        Hottest::NoLesion => Vec::new(),
        Hottest::Uptake(max) => vec![LesionUptake {
            max,
            peak: visit.suv_peak,
            peak_of_four: visit.suv_peak_of_four,
            background: None,
        }],
        // No number: nothing valid to score.
        Hottest::Unknown => vec![LesionUptake { max: f64::NAN, ..LesionUptake::default() }],
    };
    let mut result = deauville::assess(&lesions, &[], &references, criteria);
    if hottest(visit) == Hottest::Unknown {
        let text = "neither a score nor the SUVmax of the hottest lesion is given";
        result.score = Scored::NotComputable(NotComputable::new("NOT_GIVEN", text));
        result.if_uncertain_are_lesions = result.score.clone();
    }
    result
}

/// The reader's score in place of the computed one, which stands among the alternatives.
fn written(score: DeauvilleScore, computed: DeauvilleResult) -> DeauvilleResult {
    let mut alternatives =
        vec![Alternative { convention: computed.convention, score: computed.score }];
    alternatives.extend(computed.alternatives);
    let uptake = computed.deciding_uptake;
    DeauvilleResult {
        liver: computed.liver,
        blood_pool: computed.blood_pool,
        liver_statistic: computed.liver_statistic,
        lesion_statistic: computed.lesion_statistic,
        qpet: computed.qpet,
        alternatives,
        ..deauville::written(score, uptake)
    }
}
