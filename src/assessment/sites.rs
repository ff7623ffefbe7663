//! The sites of a pair: known ones with their uptake then and now, and new ones.

use super::residual::carried;
use super::scan::uptake;
use super::series::{Linked, LinkedLesion, SeriesScan, suspects};
use crate::alignment::{Alignment, Verdict};
use crate::criteria::{Criteria, percent_change_if_known};
use crate::deauville::{DeauvilleScore, LesionUptake, ReferenceUptake, score_uptake};
use crate::decisions::DueTo;
use crate::lesion::{Class, Lesion};
use crate::matching::{Fate, Group};
use crate::response::lugano::{Attribution, KnownSite, NewLesion, SiteNow, SiteUptake};
use crate::statistics::statistics;

/// What stands out of its surroundings is hotter than all within this distance: that at which a lesion's background is
/// measured ([`background`](crate::lesion::background)).
const SURROUNDINGS_MM: f64 = 15.0;

/// What a pair's groups say.
pub(super) struct Sites {
    pub(super) lesions: Vec<LinkedLesion>,
    pub(super) known: Vec<KnownSite>,
    pub(super) new_lesions: Vec<NewLesion>,
    /// Numbers of the follow-up's new lesions (class lesion).
    pub(super) new_ids: Vec<usize>,
    /// Uptake of the new lesions that are due to lymphoma.
    pub(super) new_uptakes: Vec<SiteUptake>,
    /// Lesions at sites that the baseline does not show.
    pub(super) unseen_before: usize,
}

impl Sites {
    pub(super) fn has_new_lesion(&self) -> bool {
        self.new_lesions.iter().any(|n| n.attribution == Attribution::Lymphoma)
    }
}

/// One group with its lesions.
struct Members<'a> {
    before: Vec<&'a Lesion>,
    now: Vec<&'a Lesion>,
    /// What is left at a known site that has no lesion now.
    residual: Option<LesionUptake>,
}

impl<'a> Members<'a> {
    /// What counts as disease at baseline: lesions, else what was uncertain.
    fn disease_before(&self) -> Vec<&'a Lesion> {
        disease(&self.before)
    }

    /// What counts as disease now; nothing where only a residual was measured at the site.
    fn disease_now(&self) -> Vec<&'a Lesion> {
        if self.residual.is_some() { Vec::new() } else { disease(&self.now) }
    }
}

/// The lesions among regions; all of them where none is one for sure.
fn disease<'a>(regions: &[&'a Lesion]) -> Vec<&'a Lesion> {
    let sure: Vec<&Lesion> =
        regions.iter().copied().filter(|l| l.finding.class == Class::Lesion).collect();
    if sure.is_empty() { regions.to_vec() } else { sure }
}

/// A pair as the sites see it.
struct Pair<'a> {
    baseline: &'a SeriesScan<'a>,
    follow_up: &'a SeriesScan<'a>,
    alignment: &'a Alignment,
    criteria: &'a Criteria,
}

pub(super) fn sites_of(
    baseline: &SeriesScan<'_>,
    follow_up: &SeriesScan<'_>,
    linked: &Linked,
    criteria: &Criteria,
) -> Sites {
    let pair = Pair { baseline, follow_up, alignment: &linked.alignment, criteria };
    let mut sites = Sites {
        lesions: Vec::new(),
        known: Vec::new(),
        new_lesions: Vec::new(),
        new_ids: Vec::new(),
        new_uptakes: Vec::new(),
        unseen_before: 0,
    };
    let (before, now) = (suspects(&baseline.assessment), suspects(&follow_up.assessment));
    for (n, group) in linked.groups.iter().enumerate() {
        let members = Members {
            before: group.earlier.iter().map(|&n| before[n]).collect(),
            now: group.later.iter().map(|&n| now[n]).collect(),
            residual: linked.residual[n],
        };
        let due_to = linked.due_to.get(n).copied().flatten();
        pair.add(&mut sites, group, &members, due_to);
    }
    sites
}

impl Pair<'_> {
    fn add(&self, sites: &mut Sites, group: &Group, members: &Members<'_>, due_to: Option<DueTo>) {
        let disease = |l: &&&Lesion| l.finding.class == Class::Lesion;
        let is_disease = members.before.iter().chain(&members.now).any(|l| disease(&l));
        let fate = group.fate;
        let linked = self.linked(group, members, is_disease);
        if !members.before.is_empty() && is_disease {
            sites.known.push(self.known(fate, members));
        }
        if fate == Fate::New {
            self.add_new(sites, members, due_to);
        }
        if fate == Fate::OutOfView && members.before.is_empty() {
            Self::add_unseen(sites, members);
        }
        sites.lesions.push(linked);
    }

    fn linked(&self, group: &Group, members: &Members<'_>, is_disease: bool) -> LinkedLesion {
        let fate = group.fate;
        let ids = |lesions: &[&Lesion]| lesions.iter().map(|l| l.id).collect();
        let max = |lesions: &[&Lesion]| lesions.iter().map(|l| l.statistics.max).reduce(f64::max);
        let volume = |lesions: &[&Lesion]| {
            (!lesions.is_empty())
                .then(|| lesions.iter().map(|l| l.statistics.volume_ml).sum::<f64>())
        };
        let (before, now) = (members.disease_before(), members.disease_now());
        // Volumes above the threshold, volumes above the liver and volumes that were given are not compared.
        let given = [self.baseline, self.follow_up].map(|scan| scan.assessment.level.is_none());
        let one_rule =
            given[0] == given[1] && before.iter().chain(&now).all(|l| !l.below_threshold);
        // What is left of a resolved site is told beside it, not as a change of a lesion.
        let left = members.residual.filter(|_| fate != Fate::Resolved).map(|left| left.max);
        let suv_max_there = self.there(fate, members);
        LinkedLesion {
            baseline_ids: ids(&members.before),
            follow_up_ids: ids(&members.now),
            fate,
            confidence: group.confidence(self.alignment.quality.verdict == Verdict::Good),
            class: if is_disease { Class::Lesion } else { Class::Uncertain },
            delta_suv_max_percent: percent_change_if_known(max(&before), max(&now).or(left)),
            delta_volume_percent: percent_change_if_known(volume(&before), volume(&now))
                .filter(|_| one_rule),
            note: self.note(fate, members, suv_max_there),
            suv_max_there,
        }
    }

    /// SUVmax in the other scan at the place of a resolved or new lesion.
    fn there(&self, fate: Fate, members: &Members<'_>) -> Option<f64> {
        let to_follow_up = self.alignment.follow_up_from_baseline;
        let max_in = |scan: &SeriesScan<'_>, from: &SeriesScan<'_>, lesions: &[&Lesion], map| {
            let pet = &scan.input.image.volume;
            let source = from.input.image.volume.geometry();
            let regions = lesions.iter().map(|l| carried(pet.geometry(), source, &l.region, map));
            regions.filter_map(|r| statistics(pet, &r)).map(|s| s.max).reduce(f64::max)
        };
        match fate {
            Fate::Resolved => max_in(self.follow_up, self.baseline, &members.before, to_follow_up),
            Fate::New => {
                max_in(self.baseline, self.follow_up, &members.now, to_follow_up.inverse())
            }
            Fate::Persistent | Fate::Merged | Fate::Split | Fate::OutOfView => None,
        }
    }

    /// What a reader should know: uptake at the place of a new or resolved lesion in the other scan, or that this scan
    /// does not show the place.
    fn note(&self, fate: Fate, members: &Members<'_>, there: Option<f64>) -> Option<String> {
        match fate {
            Fate::OutOfView => {
                let blind = if members.now.is_empty() { "follow-up" } else { "baseline" };
                Some(format!("the site lies outside the field of view of the {blind}"))
            }
            Fate::New => self.earlier_uptake(&members.now, there?),
            Fate::Resolved if there? > liver_max(self.follow_up)? => Some(format!(
                "SUVmax {:.2} remains in the lesion's old outline: normal uptake of a neighbour, or noise",
                there?
            )),
            Fate::Resolved | Fate::Persistent | Fate::Merged | Fate::Split => None,
        }
    }

    /// A lesion that was there at baseline below what is listed is not simply new: uptake above the liver, or above the
    /// blood pool and all that lies around it.
    fn earlier_uptake(&self, now: &[&Lesion], there: f64) -> Option<String> {
        let liver = liver_max(self.baseline);
        if liver.is_some_and(|liver| there > liver) {
            return Some(format!(
                "baseline had uptake here too (SUVmax {there:.2}, above its liver), in a region of another class or \
                 too small to be listed"
            ));
        }
        let pool = self.baseline.assessment.blood_pool.usable().map(|p| p.mean)?;
        let stands_out = self.surroundings_max(now).is_some_and(|around| there > around);
        (there > pool && stands_out).then(|| {
            format!(
                "baseline had uptake here (SUVmax {there:.2}, above its blood pool and all within {SURROUNDINGS_MM} mm), \
                 below what is listed as a lesion: it may have grown rather than be new"
            )
        })
    }

    /// SUVmax at baseline around the places of lesions of the follow-up.
    fn surroundings_max(&self, now: &[&Lesion]) -> Option<f64> {
        let pet = &self.baseline.input.image.volume;
        let from = self.follow_up.input.image.volume.geometry();
        let back = self.alignment.follow_up_from_baseline.inverse();
        let shells = now.iter().filter_map(|l| {
            let place = carried(pet.geometry(), from, &l.region, back);
            statistics(pet, &place.shell_mm(pet.geometry(), 0.0, SURROUNDINGS_MM))
        });
        shells.map(|shell| shell.max).reduce(f64::max)
    }

    fn known(&self, fate: Fate, members: &Members<'_>) -> KnownSite {
        let (before, lesions) = (members.disease_before(), members.disease_now());
        let left = members.residual.map(|left| {
            let score = score_uptake(&left, &self.references_now(), &self.criteria.convention);
            (left, score.score())
        });
        // At a resolved site what is no more than the liver is nothing to measure.
        let positive = |score: Option<DeauvilleScore>| score >= Some(self.criteria.positive_from);
        let left = left.filter(|(_, score)| fate != Fate::Resolved || positive(*score));
        let (now, score) = match (fate, left) {
            (Fate::OutOfView, _) => (SiteNow::OutOfField, None),
            (_, Some((left, score))) => (SiteNow::Uptake(self.uptake_left(&left)), score),
            (Fate::Resolved, None) => (SiteNow::Resolved, None),
            (Fate::Persistent | Fate::Merged | Fate::Split | Fate::New, None) => {
                let uptake = SiteNow::Uptake(site_uptake(self.follow_up, &lesions));
                (uptake, self.best_score(self.follow_up, &lesions))
            }
        };
        let first = before[0];
        KnownSite {
            name: format!("{} (lesion {} at baseline)", first.finding.site, first.id),
            baseline: site_uptake(self.baseline, &before),
            now,
            baseline_score: self.best_score(self.baseline, &before),
            score,
            reader: None,
        }
    }

    fn references_now(&self) -> ReferenceUptake {
        self.follow_up.assessment.references()
    }

    /// A residual's uptake; its SUVpeak stands for it.
    fn uptake_left(&self, left: &LesionUptake) -> SiteUptake {
        SiteUptake {
            suv_max: Some(left.max),
            sul_peak: self.follow_up.sul_per_value.map(|factor| factor * left.max),
        }
    }

    fn best_score(&self, scan: &SeriesScan<'_>, lesions: &[&Lesion]) -> Option<DeauvilleScore> {
        let references = scan.assessment.references();
        let convention = &self.criteria.convention;
        let scores = lesions.iter().map(|l| score_uptake(&uptake(l), &references, convention));
        scores.filter_map(|s| s.score()).max()
    }

    /// What a new focus is due to: as a person says, else by its class. Where the baseline's normal uptake was as hot, the
    /// focus need not be new.
    fn add_new(&self, sites: &mut Sites, members: &Members<'_>, due_to: Option<DueTo>) {
        for lesion in &members.now {
            let by_class = match lesion.finding.class {
                Class::Lesion if self.was_as_hot(lesion) => Some(Attribution::NotListedAtBaseline),
                Class::Lesion => Some(Attribution::Lymphoma),
                Class::Uncertain if !lesion.below_threshold => Some(Attribution::Uncertain),
                Class::Uncertain | Class::Physiologic => None,
            };
            let by_reader = due_to.map(|due_to| match due_to {
                DueTo::Lymphoma => Attribution::Lymphoma,
                DueTo::Uncertain => Attribution::Uncertain,
                DueTo::Unrelated => Attribution::Unrelated,
            });
            let attribution = by_reader.or(by_class);
            let open = attribution == Some(Attribution::NotListedAtBaseline);
            if lesion.finding.class == Class::Lesion && !open {
                sites.new_ids.push(lesion.id);
            }
            if attribution == Some(Attribution::Lymphoma) {
                sites.new_uptakes.push(site_uptake(self.follow_up, &[lesion]));
            }
            if let Some(attribution) = attribution {
                let name = format!("{} (lesion {})", lesion.finding.site, lesion.id);
                sites.new_lesions.push(NewLesion { name, attribution });
            }
        }
    }

    /// Whether the baseline, outside its own lesions, was as hot at the place of a lesion as that is now.
    fn was_as_hot(&self, lesion: &Lesion) -> bool {
        let pet = &self.baseline.input.image.volume;
        let from = self.follow_up.input.image.volume.geometry();
        let back = self.alignment.follow_up_from_baseline.inverse();
        let place = carried(pet.geometry(), from, &lesion.region, back);
        let known = self.baseline.assessment.of_class(Class::Lesion);
        let normal = known.fold(place, |place, l| place.difference(&l.region));
        statistics(pet, &normal).is_some_and(|there| there.max >= lesion.statistics.max)
    }

    /// Lesions at a place that the baseline does not show: known or new, nobody can tell.
    fn add_unseen(sites: &mut Sites, members: &Members<'_>) {
        for lesion in members.now.iter().filter(|l| l.finding.class == Class::Lesion) {
            sites.unseen_before += 1;
            let name = format!(
                "{} (lesion {}), outside the baseline's field of view,",
                lesion.finding.site, lesion.id
            );
            let attribution = Attribution::NotListedAtBaseline;
            sites.new_lesions.push(NewLesion { name, attribution });
        }
    }
}

fn liver_max(scan: &SeriesScan<'_>) -> Option<f64> {
    scan.assessment.liver.usable().map(|liver| liver.max)
}

fn site_uptake(scan: &SeriesScan<'_>, lesions: &[&Lesion]) -> SiteUptake {
    SiteUptake {
        suv_max: lesions.iter().map(|l| l.statistics.max).reduce(f64::max),
        sul_peak: scan
            .sul_per_value
            .zip(lesions.iter().map(|l| l.peak.mean).reduce(f64::max))
            .map(|(factor, peak)| factor * peak),
    }
}
