//! Carrying out decisions on the regions that were proposed.

use std::collections::{BTreeMap, BTreeSet};

use glam::DVec3;

use super::add::{at, grown, voxel_at};
use super::{
    Add, Applied, At, Choice, DecisionError, Decisions, Edit, EditKind, Merge, RegionEntry, Said,
    Split,
};
use crate::diagnostic::Warning;
use crate::lesion::{Candidate, Class, Finding, Lesion, Site, Threshold, measure};
use crate::segmentation::{Region, split_by_seeds};
use crate::statistics::RegionStatistics;
use crate::volume::{Mask, Volume};

/// What decisions are carried out on.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The SUV volume.
    pub pet: &'a Volume<f32>,
    /// Edge of an added region that names none.
    pub threshold: Threshold,
    /// SUV at which regions were found; `None` where they were given.
    pub level: Option<f64>,
    /// The liver as decided, where it may serve.
    pub liver: Option<RegionStatistics>,
}

/// Does what the decisions say about regions: entries, splits, merges, then additions.
///
/// The proposals are left as they are in memory: their measurements do not change by what happens to others.
///
/// # Errors
/// A decision cannot be carried out; none is.
pub fn apply(
    decisions: &Decisions,
    proposals: &[Lesion],
    grounds: &Grounds<'_>,
) -> Result<Applied, DecisionError> {
    let entries = entries(decisions, proposals)?;
    let mut work = Work::new(decisions, grounds, proposals);
    work.claim(decisions, &entries)?;
    for proposal in proposals {
        work.enter(proposal, entries[&proposal.id]);
    }
    for split in &decisions.splits {
        work.split(split)?;
    }
    for merge in &decisions.merges {
        work.merge(merge)?;
    }
    for add in &decisions.adds {
        work.add(add)?;
    }
    // Stable: equally hot regions keep their order.
    work.lesions.sort_by(|a, b| b.statistics.max.total_cmp(&a.statistics.max));
    Ok(Applied { lesions: work.lesions, edits: work.edits, warnings: work.warnings })
}

/// The entry of each proposal: exactly one, and about this region.
fn entries<'a>(
    decisions: &'a Decisions,
    proposals: &[Lesion],
) -> Result<BTreeMap<usize, &'a At<RegionEntry>>, DecisionError> {
    let mut found = BTreeMap::new();
    for at in &decisions.regions {
        let id = at.entry.id;
        let proposal = known(proposals, id, at.line)?;
        if found.insert(id, at).is_some() {
            let what = format!("region {id} has two entries");
            return Err(DecisionError::refused(at.line, what, "leave one"));
        }
        check_same(at, proposal)?;
    }
    match proposals.iter().find(|p| !found.contains_key(&p.id)) {
        None => Ok(found),
        Some(missing) => {
            let what = format!("region {} has no entry", missing.id);
            let remedy = "put the entry back, and write class = \"removed\" to remove the region";
            let last = decisions.regions.last().map_or(1, |at| at.line);
            Err(DecisionError::refused(last, what, remedy))
        }
    }
}

fn known(proposals: &[Lesion], id: usize, line: usize) -> Result<&Lesion, DecisionError> {
    proposals.iter().find(|p| p.id == id).ok_or_else(|| {
        let what = format!("there is no region {id}");
        let remedy = format!("the regions are numbered from 1 to {}", proposals.len());
        DecisionError::refused(line, what, remedy)
    })
}

/// What an entry says of its region is what the region is: entries are not mixed up.
fn check_same(at: &At<RegionEntry>, proposal: &Lesion) -> Result<(), DecisionError> {
    let entry = &at.entry;
    let same = |written: f64, is: f64, decimals: usize| {
        format!("{written:.decimals$}") == format!("{is:.decimals$}")
    };
    let place = proposal.hottest_mm.to_array();
    let there = entry.hottest_mm.is_none_or(|w| w.iter().zip(place).all(|(w, p)| same(*w, p, 1)));
    let wrong = [
        ("hottest_mm", there),
        ("suv_max", entry.suv_max.is_none_or(|w| same(w, proposal.statistics.max, 2))),
        ("volume_ml", entry.volume_ml.is_none_or(|w| same(w, proposal.statistics.volume_ml, 2))),
    ];
    match wrong.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((name, _)) => {
            let what = format!("{name} of region {} is not that of the region", entry.id);
            let remedy = "only class, site, reader and note are to be changed: put the line back";
            Err(DecisionError::refused(at.line, what, remedy))
        }
    }
}

struct Work<'a> {
    grounds: &'a Grounds<'a>,
    said: &'a Said,
    proposals: &'a [Lesion],
    lesions: Vec<Lesion>,
    edits: Vec<Edit>,
    warnings: Vec<Warning>,
    /// All regions of raised uptake, those removed included: none of them is background.
    hot: Region,
    next_id: usize,
}

impl<'a> Work<'a> {
    fn new(decisions: &'a Decisions, grounds: &'a Grounds<'a>, proposals: &'a [Lesion]) -> Self {
        let regions = proposals.iter().map(|proposal| &proposal.region);
        Self {
            grounds,
            said: &decisions.said,
            proposals,
            lesions: Vec::new(),
            edits: Vec::new(),
            warnings: Vec::new(),
            hot: Region::union_of(grounds.pet.geometry().shape(), regions),
            next_id: proposals.iter().map(|p| p.id).max().unwrap_or(0) + 1,
        }
    }

    /// A region is split or merged once, and not when it is removed.
    fn claim(
        &self,
        decisions: &Decisions,
        entries: &BTreeMap<usize, &At<RegionEntry>>,
    ) -> Result<(), DecisionError> {
        let splits = decisions.splits.iter().map(|s| (s.line, "split", s.entry.region));
        let merges = decisions
            .merges
            .iter()
            .flat_map(|m| m.entry.regions.iter().map(|&id| (m.line, "merged", id)));
        let mut claimed: BTreeMap<usize, &str> = BTreeMap::new();
        for (line, what, id) in splits.chain(merges) {
            known(self.proposals, id, line)?;
            if entries[&id].entry.choice == Choice::Removed {
                let what = format!("region {id} is removed and {what}");
                return Err(DecisionError::refused(line, what, "leave one of them"));
            }
            if let Some(before) = claimed.insert(id, what) {
                let what = format!("region {id} is {before} and {what}");
                let remedy = "a region is split or merged once: leave one of them";
                return Err(DecisionError::refused(line, what, remedy));
            }
        }
        Ok(())
    }

    /// Gives a proposal its class and site, or removes it.
    fn enter(&mut self, proposal: &Lesion, at: &At<RegionEntry>) {
        let (entry, was) = (&at.entry, &proposal.finding);
        let same = entry.choice.class() == Some(was.class) && entry.site == was.site;
        let kind = match entry.choice {
            Choice::Removed => EditKind::Remove,
            _ if !same => EditKind::Class,
            _ if entry.said.reader.is_some() => EditKind::Confirm,
            _ => {
                self.lesions.push(proposal.clone());
                return;
            }
        };
        let name = format!("region {}", proposal.id);
        let said = |class: Class, site: Site| format!("{} ({site})", class.name());
        let text = match entry.choice.class() {
            None => format!("{name} removed; proposed {}", said(was.class, was.site)),
            Some(class) if same => format!("{name} confirmed: {}", said(class, was.site)),
            Some(class) => {
                let (now, before) = (said(class, entry.site), said(was.class, was.site));
                format!("{name} is {now}; proposed {before}")
            }
        };
        self.record(kind, vec![proposal.id], Vec::new(), text, &entry.said);
        if let Some(class) = entry.choice.class() {
            let mut lesion = proposal.clone();
            let before = format!("proposed {}: {}", said(was.class, was.site), was.reason);
            lesion.finding =
                Finding { class, site: entry.site, reason: self.reason(&entry.said, &before) };
            self.lesions.push(lesion);
        }
    }

    fn record(
        &mut self,
        kind: EditKind,
        regions: Vec<usize>,
        made: Vec<usize>,
        text: String,
        said: &Said,
    ) {
        let reader = said.reader.clone().or_else(|| self.said.reader.clone());
        self.edits.push(Edit { kind, regions, made, text, reader, note: said.note.clone() });
    }

    /// `decided by A. B.: spilt tracer; proposed lesion (abdomen): ...`
    fn reason(&self, said: &Said, before: &str) -> String {
        let reader = said.reader.as_ref().or(self.said.reader.as_ref());
        let who = reader.map_or_else(|| "a reader".into(), |name| format!("reader {name}"));
        let note = said.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        format!("decided by {who}{note}; {before}")
    }

    /// Takes a region out, to be made anew. It is there: [`claim`](Self::claim) has seen to it.
    fn take(&mut self, id: usize) -> Option<Lesion> {
        let at = self.lesions.iter().position(|l| l.id == id)?;
        Some(self.lesions.remove(at))
    }

    /// Measures a region and lists it under the next number.
    fn make(&mut self, candidate: &Candidate, finding: Finding, line: usize) -> Made {
        self.hot = self.hot.union(&candidate.region);
        let made = measure(self.grounds.pet, candidate, finding, &self.hot);
        let lesion = made.ok_or_else(|| {
            DecisionError::refused(line, "the region has no voxel with a number", "choose another")
        })?;
        let id = self.next_id;
        self.next_id += 1;
        self.lesions.push(Lesion { id, ..lesion });
        Ok(id)
    }

    fn split(&mut self, split: &At<Split>) -> Result<(), DecisionError> {
        let (line, entry) = (split.line, &split.entry);
        let Some(whole) = self.take(entry.region) else { return Ok(()) };
        let mut seeds = Vec::new();
        for point in &entry.points_mm {
            let point = DVec3::from_array(*point);
            let pet = self.grounds.pet;
            let seed = pet.offset_of(voxel_at(pet, point, line)?);
            let refused = |what: String, remedy: &str| DecisionError::refused(line, what, remedy);
            if !whole.region.contains(seed) {
                let what = format!("the point {} lies outside region {}", at(point), whole.id);
                return Err(refused(what, "name points inside it, each in one part"));
            }
            if seeds.contains(&seed) {
                let what = format!("two points lie in the voxel at {}", at(point));
                return Err(refused(what, "name points in different parts"));
            }
            seeds.push(seed);
        }
        let parts = split_by_seeds(self.grounds.pet, &whole.region, &seeds);
        let mut made = Vec::new();
        for (n, region) in parts.into_iter().enumerate() {
            let choice = entry.classes.get(n).copied();
            let class = choice.map_or(Some(whole.finding.class), Choice::class);
            let Some(class) = class else { continue };
            let before = format!("part of region {}: {}", whole.id, whole.finding.reason);
            let finding = Finding {
                class,
                site: entry.sites.get(n).copied().unwrap_or(whole.finding.site),
                reason: self.reason(&entry.said, &before),
            };
            let candidate = Candidate {
                whole: whole.region.clone(),
                region,
                below_threshold: whole.below_threshold,
                divided: true,
            };
            made.push(self.make(&candidate, finding, line)?);
        }
        let rest = if made.len() < seeds.len() { ", the rest removed" } else { "" };
        let text = format!("region {} split into {}{rest}", whole.id, numbers(&made));
        self.record(EditKind::Split, vec![whole.id], made, text, &entry.said);
        Ok(())
    }

    fn merge(&mut self, merge: &At<Merge>) -> Result<(), DecisionError> {
        let (line, entry) = (merge.line, &merge.entry);
        let ids: BTreeSet<usize> = entry.regions.iter().copied().collect();
        let mut parts: Vec<Lesion> = ids.iter().filter_map(|&id| self.take(id)).collect();
        parts.sort_by(|a, b| b.statistics.max.total_cmp(&a.statistics.max));
        let named = numbers(&entry.regions);
        let refused = |what: String, remedy: &str| DecisionError::refused(line, what, remedy);
        if parts.iter().any(|l| l.below_threshold != parts[0].below_threshold) {
            let what = format!(
                "of the regions {named} some lie below the threshold and are not counted in volumes, and some do not"
            );
            return Err(refused(what, "merge regions of one kind"));
        }
        let class = match entry.choice {
            None if parts.iter().all(|l| l.finding.class == parts[0].finding.class) => {
                parts[0].finding.class
            }
            None => {
                let what = format!("the regions {named} differ in class");
                return Err(refused(what, "write the class of the whole into the [[merge]]"));
            }
            Some(choice) => choice.class().ok_or_else(|| {
                refused(format!("the regions {named} are merged and removed"), "leave one of them")
            })?,
        };
        let empty = Region::empty(self.grounds.pet.geometry().shape());
        let region = parts.iter().fold(empty, |all, l| all.union(&l.region));
        let before = format!("the regions {named} together: {}", parts[0].finding.reason);
        let finding = Finding {
            class,
            site: entry.site.unwrap_or(parts[0].finding.site),
            reason: self.reason(&entry.said, &before),
        };
        let below_threshold = parts[0].below_threshold;
        let candidate =
            Candidate { whole: region.clone(), region, below_threshold, divided: false };
        let made = self.make(&candidate, finding, line)?;
        let text = format!("regions {named} merged into {made}");
        self.record(EditKind::Merge, entry.regions.clone(), vec![made], text, &entry.said);
        Ok(())
    }

    fn add(&mut self, add: &At<Add>) -> Result<(), DecisionError> {
        let (pet, entry) = (self.grounds.pet, &add.entry);
        let point = DVec3::from_array(entry.point_mm);
        let offset = pet.offset_of(voxel_at(pet, point, add.line)?);
        if let Some(there) = self.lesions.iter().find(|l| l.region.contains(offset)) {
            let what = format!("the point {} lies in region {} already", at(point), there.id);
            let remedy = "change the class of that region, or remove it to draw it anew";
            return Err(DecisionError::refused(add.line, what, remedy));
        }
        let mut taken = Mask::filled(pet.geometry().clone(), false);
        for lesion in &self.lesions {
            lesion.region.paint(&mut taken, true);
        }
        let grown = grown(add, self.grounds, &taken)?;
        let (threshold, level) = (grown.threshold, grown.level);
        let hottest = grown.region.values(pet).fold(f32::MIN, f32::max);
        let candidate = Candidate {
            whole: grown.region.clone(),
            region: grown.region,
            below_threshold: self.grounds.level.is_some_and(|level| hottest < level as f32),
            divided: grown.divided,
        };
        let from = format!("grown from {} at {threshold} (SUV {level:.2})", at(point));
        let reason = self.reason(&entry.said, &from);
        let finding = Finding { class: entry.class, site: entry.site, reason };
        let made = self.make(&candidate, finding, add.line)?;
        let text = format!("region {made} added as {}, {from}", entry.class.name());
        self.record(EditKind::Add, Vec::new(), vec![made], text, &entry.said);
        if threshold != self.grounds.threshold && self.grounds.level.is_some() {
            let message = format!(
                "region {made} was added with the threshold {threshold}, the scan's is {}: their volumes follow \
                 different rules",
                self.grounds.threshold
            );
            self.warnings.push(Warning::new("ADDED_BY_OTHER_THRESHOLD", message));
        }
        Ok(())
    }
}

type Made = Result<usize, DecisionError>;

/// `2, 5`
fn numbers(ids: &[usize]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
