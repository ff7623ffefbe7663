//! Each lesion over all scans of a series: the links of the pairs, followed through.
//!
//! Lesions that any pair links belong together; so what has merged or split is one trajectory from then on and before, its
//! SUVmax the highest of its members, its volume and glycolysis their sums.

use super::series::{PairAssessment, SeriesScan, suspects};
use crate::lesion::{Class, Lesion, Site};
use crate::matching::Fate;

/// A lesion over the scans of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// Number, from 1, in the order of the first scan and of SUVmax there.
    pub id: usize,
    /// Where it was first seen.
    pub site: Site,
    /// Disease in any scan, or uncertain in all.
    pub class: Class,
    /// One a scan, in the order of time.
    pub visits: Vec<TrajectoryVisit>,
}

/// A trajectory in one scan.
#[derive(Debug, Clone, PartialEq)]
pub struct TrajectoryVisit {
    /// Numbers of its lesions in the scan; empty where it has none there.
    pub lesion_ids: Vec<usize>,
    /// Whether the site lies outside the scan's field of view.
    pub out_of_view: bool,
    /// Highest SUV; where it has no lesion, that at its place as far as it was measured.
    pub suv_max: Option<f64>,
    /// Highest SULpeak; `None` where SUL is not known.
    pub sul_peak: Option<f64>,
    /// Volume of its lesions, millilitres; 0 where it has none, `None` out of view and where a lesion lies below the
    /// threshold.
    pub volume_ml: Option<f64>,
    /// Total lesion glycolysis, grams; as the volume.
    pub tlg_g: Option<f64>,
}

/// Follows each lesion and each uncertain uptake through the series.
pub fn trajectories(scans: &[SeriesScan<'_>], pairs: &[PairAssessment]) -> Vec<Trajectory> {
    let nodes: Vec<(usize, &Lesion)> = scans
        .iter()
        .enumerate()
        .flat_map(|(n, scan)| suspects(&scan.assessment).into_iter().map(move |l| (n, l)))
        .collect();
    let place = |scan: usize, id: usize| nodes.iter().position(|(n, l)| *n == scan && l.id == id);
    let mut root: Vec<usize> = (0..nodes.len()).collect();
    for pair in pairs {
        for linked in &pair.lesions {
            let before = linked.baseline_ids.iter().filter_map(|&id| place(pair.baseline, id));
            let now = linked.follow_up_ids.iter().filter_map(|&id| place(pair.follow_up, id));
            let together: Vec<usize> = before.chain(now).map(|node| root[node]).collect();
            let Some(&first) = together.iter().min() else { continue };
            root.iter_mut().filter(|r| together.contains(r)).for_each(|r| *r = first);
        }
    }
    let mut firsts = root.clone();
    firsts.sort_unstable();
    firsts.dedup();
    let of = |(number, &first): (usize, &usize)| {
        let members: Vec<(usize, &Lesion)> =
            nodes.iter().zip(&root).filter(|(_, r)| **r == first).map(|(node, _)| *node).collect();
        let visits = (0..scans.len()).map(|scan| visit(scans, pairs, &members, scan)).collect();
        let disease = members.iter().any(|(_, l)| l.finding.class == Class::Lesion);
        Trajectory {
            id: number + 1,
            site: nodes[first].1.finding.site,
            class: if disease { Class::Lesion } else { Class::Uncertain },
            visits,
        }
    };
    firsts.iter().enumerate().map(of).collect()
}

fn visit(
    scans: &[SeriesScan<'_>],
    pairs: &[PairAssessment],
    members: &[(usize, &Lesion)],
    scan: usize,
) -> TrajectoryVisit {
    let here: Vec<&Lesion> = members.iter().filter(|(n, _)| *n == scan).map(|(_, l)| *l).collect();
    if here.is_empty() {
        return absent(pairs, members, scan);
    }
    let over = here.iter().all(|l| !l.below_threshold);
    let sum = |of: fn(&Lesion) -> f64| over.then(|| here.iter().map(|l| of(l)).sum());
    let peak = here.iter().map(|l| l.peak.mean).reduce(f64::max);
    TrajectoryVisit {
        lesion_ids: here.iter().map(|l| l.id).collect(),
        out_of_view: false,
        suv_max: here.iter().map(|l| l.statistics.max).reduce(f64::max),
        sul_peak: peak.zip(scans[scan].sul_per_value).map(|(peak, factor)| peak * factor),
        volume_ml: sum(|l| l.statistics.volume_ml),
        tlg_g: sum(Lesion::tlg_g),
    }
}

/// A scan in which a trajectory has no lesion: what the pairs that look there say.
fn absent(pairs: &[PairAssessment], members: &[(usize, &Lesion)], scan: usize) -> TrajectoryVisit {
    let is_member = |n: usize, id: &usize| members.iter().any(|(m, l)| *m == n && l.id == *id);
    let looks = pairs.iter().flat_map(|pair| pair.lesions.iter().map(move |l| (pair, l))).filter(
        |(pair, l)| {
            (pair.follow_up == scan && l.baseline_ids.iter().any(|id| is_member(pair.baseline, id)))
                || (pair.baseline == scan
                    && l.follow_up_ids.iter().any(|id| is_member(pair.follow_up, id)))
        },
    );
    let (mut out_of_view, mut there) = (false, None);
    for (_, linked) in looks {
        out_of_view |= linked.fate == Fate::OutOfView;
        there = linked.suv_max_there.into_iter().chain(there).reduce(f64::max);
    }
    let none = (!out_of_view).then_some(0.0);
    TrajectoryVisit {
        lesion_ids: Vec::new(),
        out_of_view,
        suv_max: there,
        sul_peak: None,
        volume_ml: none,
        tlg_g: none,
    }
}

/// The earlier scan with the least uptake, and the change since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nadir {
    /// Position of the scan.
    pub scan: usize,
    /// SUVmax of its hottest lesion; 0 without lesions.
    pub suv_max: f64,
    /// Change to the follow-up, percent; `None` from 0.
    pub delta_suv_max_percent: Option<f64>,
}

/// The nadir before a scan: of the earlier scans the one whose hottest lesion is the least hot, the first of equals.
pub(super) fn nadir_before(scans: &[SeriesScan<'_>], later: usize) -> Option<Nadir> {
    let hottest = |n: usize| -> f64 {
        let lesions = scans[n].assessment.of_class(Class::Lesion);
        lesions.map(|l| l.statistics.max).fold(0.0, f64::max)
    };
    let scan = (0..later).reduce(|best, n| if hottest(n) < hottest(best) { n } else { best })?;
    let suv_max = hottest(scan);
    let delta_suv_max_percent = crate::criteria::percent_change(suv_max, hottest(later));
    Some(Nadir { scan, suv_max, delta_suv_max_percent })
}
