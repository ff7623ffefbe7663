//! Two visits as the response rules see them.

use super::score::{VisitScore, hottest};
use super::{NewLesions, Patient, SiteEntry, SiteState, Visit, plain};
use crate::criteria::Change;
use crate::deauville::DeauvilleScore;
use crate::quality::PairFacts;
use crate::response::Hottest;
use crate::response::lugano::{
    Attribution, KnownSite, LuganoInput, NewLesion, SiteNow, SiteUptake,
};

/// A follow-up beside an earlier visit.
pub(super) struct Pair<'a> {
    pub(super) patient: &'a Patient,
    pub(super) earlier: usize,
    pub(super) later: usize,
    pub(super) scores: &'a [VisitScore],
}

impl Pair<'_> {
    pub(super) fn before(&self) -> &Visit {
        &self.patient.visits[self.earlier]
    }

    pub(super) fn now(&self) -> &Visit {
        &self.patient.visits[self.later]
    }

    /// Whether the earlier visit is the one to which the reader's words refer.
    fn against_baseline(&self) -> bool {
        self.earlier == self.patient.baseline
    }

    /// Everything that was named up to the earlier visit, in the order of its first mention.
    fn named(&self) -> Vec<&str> {
        let visits = &self.patient.visits[self.patient.baseline..=self.earlier];
        let mut names: Vec<&str> = Vec::new();
        for visit in visits {
            let disease = |cause: Option<Attribution>| {
                cause.or(visit.attribution).is_none_or(|cause| cause == Attribution::Lymphoma)
            };
            let new = visit.new_sites.iter().filter(|site| disease(site.attribution));
            let new = new.filter(|_| visit.new_lesions == NewLesions::Yes).map(|site| &site.name);
            let listed = visit.sites.iter().filter_map(|site| site.name.as_ref());
            for name in listed.chain(new) {
                if !names.iter().any(|known| plain(known) == plain(name)) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The sites that had uptake, or may have had, at the earlier visit.
    fn known_names(&self) -> Vec<&str> {
        let resolved = |name: &&str| {
            entry(self.before(), name).is_some_and(|e| e.state == Some(SiteState::Resolved))
        };
        self.named().into_iter().filter(|name| !resolved(name)).collect()
    }

    pub(super) fn lugano_input(&self) -> LuganoInput {
        let names = self.known_names();
        let sites: Vec<KnownSite> = names.iter().map(|name| self.known(name)).collect();
        let unseen = sites.iter().any(|site| site.now == SiteNow::OutOfField);
        let whole = self.whole();
        let measured = |site: &KnownSite| {
            let now = match site.now {
                SiteNow::Uptake(now) => now.suv_max.is_some(),
                SiteNow::Resolved | SiteNow::OutOfField => true,
            };
            site.baseline.suv_max.is_some() && now
        };
        // What is known of the scan as a whole stands beside sites that are not all measured. Where a site is not seen,
        // the hottest may have been there: then the sites alone count.
        let needed = !unseen && (sites.is_empty() || !sites.iter().all(measured));
        let told = whole.as_ref().is_some_and(|site| is_told(site) || sites.is_empty());
        let hottest = whole.as_ref().filter(|_| !unseen).and_then(hottest_of);
        let score = &self.scores[self.later].result.score;
        LuganoInput {
            hottest,
            new_lesions: self.new_lesions(),
            new_lesions_stated: self.new_lesions_stated(),
            marrow: self.now().marrow,
            histology: self.patient.histology.clone(),
            ..LuganoInput::new(
                score.clone(),
                sites.into_iter().chain(whole.filter(|_| needed && told)).collect(),
            )
        }
    }

    /// The hottest uptake of the scans as wholes; `None` where the earlier scan had no lesion.
    fn whole(&self) -> Option<KnownSite> {
        let (before, now) = (self.before(), self.now());
        let value = |hottest: Hottest| match hottest {
            Hottest::Uptake(value) => Some(value),
            Hottest::NoLesion | Hottest::Unknown => None,
        };
        let uptake = |visit: &Visit| SiteUptake {
            suv_max: value(hottest(visit)),
            sul_peak: value(visit.sul_peak),
        };
        (hottest(before) != Hottest::NoLesion).then(|| KnownSite {
            name: "hottest uptake".into(),
            baseline: uptake(before),
            now: match hottest(now) {
                Hottest::NoLesion => SiteNow::Resolved,
                Hottest::Uptake(_) | Hottest::Unknown => SiteNow::Uptake(uptake(now)),
            },
            baseline_score: self.overall_before(),
            score: None,
            reader: self.word(),
        })
    }

    fn overall_before(&self) -> Option<DeauvilleScore> {
        self.scores[self.earlier].result.score.score()
    }

    /// The reader's word on uptake as a whole.
    fn word(&self) -> Option<Change> {
        self.now().change.filter(|_| self.against_baseline())
    }

    fn known(&self, name: &str) -> KnownSite {
        let then = self.before().sites.iter().find(|site| site.is(name));
        let now = entry(self.now(), name);
        let gone = hottest(self.now()) == Hottest::NoLesion;
        let unseen = |site: Option<&SiteEntry>| {
            site.is_some_and(|site| site.state == Some(SiteState::Unseen))
        };
        let value = |site: Option<&SiteEntry>| SiteUptake {
            suv_max: site.and_then(|site| site.suv_max),
            sul_peak: None,
        };
        let resolved = match now {
            Some(site) => site.state == Some(SiteState::Resolved),
            None => gone,
        };
        let said = now.and_then(|site| match site.state? {
            SiteState::Changed(change) => Some(change),
            SiteState::Resolved | SiteState::Unseen => None,
        });
        KnownSite {
            name: name.to_owned(),
            baseline: value(then),
            now: if unseen(then) || unseen(now) {
                SiteNow::OutOfField
            } else if resolved {
                SiteNow::Resolved
            } else {
                SiteNow::Uptake(value(now))
            },
            baseline_score: then.and_then(|site| site.score).or(self.overall_before()),
            score: now.and_then(|site| site.score),
            reader: said.filter(|_| self.against_baseline()).or(self.word()),
        }
    }

    /// New foci, and sites that nobody had listed.
    fn new_lesions(&self) -> Vec<NewLesion> {
        let now = self.now();
        let cause = match (now.attribution, now.new_lesions) {
            (Some(cause), _) => cause,
            (None, NewLesions::Uncertain) => Attribution::Uncertain,
            (None, _) => Attribution::Lymphoma,
        };
        let named = self.named();
        let told_before = self.new_before();
        let known = |name: &str| told_before.iter().any(|other| plain(other) == plain(name));
        let is_new = matches!(now.new_lesions, NewLesions::Yes | NewLesions::Uncertain);
        let mut found: Vec<NewLesion> = now
            .new_sites
            .iter()
            .filter(|site| !known(&site.name))
            .map(|site| NewLesion {
                name: site.name.clone(),
                attribution: site.attribution.unwrap_or(cause),
            })
            .collect();
        if is_new && now.new_sites.is_empty() && !self.may_be_known() {
            found.push(NewLesion { name: "place not stated".into(), attribution: cause });
        }
        let x = |lesion: &NewLesion| {
            matches!(lesion.attribution, Attribution::Unrelated | Attribution::Uncertain)
        };
        if self.scores[self.later].category_x && !found.iter().any(x) {
            let name = "place not stated (category X)".into();
            found.push(NewLesion { name, attribution: Attribution::Unrelated });
        }
        found.extend(self.not_listed(&named));
        found
    }

    /// New foci that a visit between the baseline and the later one told of, and that were still there at the earlier one:
    /// told of again they are no newer. A new focus at a site of the baseline is new all the same.
    fn new_before(&self) -> Vec<&str> {
        let between = self.patient.baseline + 1..=self.earlier;
        let visits = self.patient.visits.get(between).unwrap_or_default();
        let gone = |name: &str| {
            entry(self.before(), name).is_some_and(|e| e.state == Some(SiteState::Resolved))
        };
        let told = visits.iter().flat_map(|visit| &visit.new_sites).map(|site| site.name.as_str());
        told.filter(|name| !gone(name)).collect()
    }

    /// Sites with uptake that nobody listed before; nothing where nobody listed any.
    fn not_listed(&self, named: &[&str]) -> Vec<NewLesion> {
        let now = self.now();
        if named.is_empty() {
            return Vec::new();
        }
        let with_uptake = now.sites.iter().filter(|site| site.has_uptake());
        let names = with_uptake.filter_map(|site| site.name.as_ref());
        let new = |name: &str| now.new_sites.iter().any(|site| plain(&site.name) == plain(name));
        names
            .filter(|name| !named.iter().any(|known| plain(known) == plain(name)) && !new(name))
            .map(|name| NewLesion {
                name: name.clone(),
                attribution: Attribution::NotListedAtBaseline,
            })
            .collect()
    }

    /// New lesions without a place may be those of a visit in between.
    fn may_be_known(&self) -> bool {
        let between = self.patient.baseline + 1..=self.earlier;
        let visits = self.patient.visits.get(between).unwrap_or_default();
        visits.iter().any(|v| !matches!(v.new_lesions, NewLesions::No))
    }

    /// Whether somebody looked for new lesions. A reader's score below 5 says that there is none due to the disease.
    fn new_lesions_stated(&self) -> bool {
        let now = self.now();
        match now.new_lesions {
            NewLesions::No => true,
            NewLesions::Yes | NewLesions::Uncertain => {
                !now.new_sites.is_empty() || !self.may_be_known()
            }
            NewLesions::NotStated => now
                .deauville
                .and_then(|written| written.score)
                .is_some_and(|score| score < DeauvilleScore::Five),
        }
    }

    /// Sites out of view, where every known one is spoken of.
    pub(super) fn facts(&self) -> PairFacts {
        let names = self.known_names();
        let entries: Option<Vec<&SiteEntry>> =
            names.iter().map(|name| entry(self.now(), name)).collect();
        let unseen = |entries: Vec<&SiteEntry>| {
            entries.iter().filter(|site| site.state == Some(SiteState::Unseen)).count()
        };
        PairFacts { sites_out_of_field: entries.filter(|e| !e.is_empty()).map(unseen) }
    }
}

/// What a visit says of a site: by its name, else by `*`.
fn entry<'a>(visit: &'a Visit, name: &str) -> Option<&'a SiteEntry> {
    let own = visit.sites.iter().find(|site| site.is(name));
    own.or_else(|| visit.sites.iter().find(|site| site.name.is_none()))
}

/// Whether a site tells how uptake has changed.
fn is_told(site: &KnownSite) -> bool {
    let now = match site.now {
        SiteNow::Uptake(now) => now != SiteUptake::default(),
        SiteNow::Resolved => true,
        SiteNow::OutOfField => false,
    };
    site.reader.is_some() || (now && site.baseline != SiteUptake::default())
}

/// The hottest uptakes, where both are known by the same number.
fn hottest_of(site: &KnownSite) -> Option<(SiteUptake, SiteUptake)> {
    let SiteNow::Uptake(now) = site.now else { return None };
    let both = |a: Option<f64>, b: Option<f64>| a.is_some() && b.is_some();
    let known =
        both(site.baseline.suv_max, now.suv_max) || both(site.baseline.sul_peak, now.sul_peak);
    known.then_some((site.baseline, now))
}
