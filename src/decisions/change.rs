//! What a person changes in decisions while looking at the scan: one step at a time, each of a fixed form.

use serde::Deserialize;

use super::{Add, At, Choice, Decisions, Merge, ReferenceEntry, Said, Split};
use crate::lesion::{Class, Lesion, Site};

/// One step of a review. Numbers of regions are those that the regions have now, those made by a person included.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Gives a region another class, and another site where one is named, or removes it.
    Class {
        /// Its number.
        region: usize,
        /// What it is.
        class: Choice,
        /// Where it lies, by the name of the site.
        site: Option<String>,
    },
    /// Divides a proposed region among points.
    Split {
        /// Its number.
        region: usize,
        /// A point in each part, LPS millimetres.
        points_mm: Vec<[f64; 3]>,
    },
    /// Makes one region of proposed ones.
    Merge {
        /// Their numbers.
        regions: Vec<usize>,
        /// What the whole is; needed where theirs differ.
        class: Option<Choice>,
    },
    /// Adds what is connected with a point.
    Add {
        /// The point, LPS millimetres.
        point_mm: [f64; 3],
        /// Its edge, such as `41%` or `4.0`; that of the scan where none is given.
        threshold: Option<String>,
        /// What it is; a lesion where nothing is said.
        class: Option<Choice>,
        /// Where it lies, by the name of the site.
        site: Option<String>,
    },
    /// Accepts, rejects or moves a reference; with neither, leaves it as proposed.
    Reference {
        /// Which.
        reference: ReferenceName,
        /// Whether the proposed one may serve.
        accept: Option<bool>,
        /// A sphere in its place: centre and radius, LPS millimetres.
        sphere_mm: Option<[f64; 4]>,
    },
    /// Says who decides; nobody where the name is empty.
    Reader {
        /// The name.
        name: String,
    },
}

/// A reference by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceName {
    /// The liver.
    Liver,
    /// The mediastinal blood pool.
    BloodPool,
}

/// What a number of a region stands for in the text.
enum Origin {
    Proposed(usize),
    Part { split: usize, part: usize },
    Merged(usize),
    Added(usize),
}

const ONLY_PROPOSED: &str =
    "only a region that was proposed can be split or merged; undo the step that made this one";

/// Who confirms a class where nobody is named.
const CONFIRMS: &str = "reader";

impl Decisions {
    /// These decisions after one more step; lines and hash are those of the text before it, and what cannot be carried out is
    /// found when they are applied.
    ///
    /// # Errors
    /// The step names a region, site or threshold that there is not: a sentence.
    pub fn changed(&self, change: &Change, proposals: &[Lesion]) -> Result<Self, String> {
        let mut after = self.clone();
        match change {
            Change::Class { region, class, site } => {
                let site = site.as_deref().map(str::parse).transpose()?;
                after.set_class(*region, *class, site, proposals)?;
            }
            Change::Split { region, points_mm } => {
                let Origin::Proposed(_) = after.origin(*region, proposals)? else {
                    return Err(ONLY_PROPOSED.into());
                };
                after.splits.push(new(Split {
                    region: *region,
                    points_mm: points_mm.clone(),
                    classes: Vec::new(),
                    sites: Vec::new(),
                    said: Said::default(),
                }));
            }
            Change::Merge { regions, class } => {
                for region in regions {
                    let Origin::Proposed(_) = after.origin(*region, proposals)? else {
                        return Err(ONLY_PROPOSED.into());
                    };
                }
                let (regions, choice) = (regions.clone(), *class);
                after.merges.push(new(Merge {
                    regions,
                    choice,
                    site: None,
                    said: Said::default(),
                }));
            }
            Change::Add { point_mm, threshold, class, site } => {
                let class = class.unwrap_or(Choice::Lesion).class();
                after.adds.push(new(Add {
                    point_mm: *point_mm,
                    threshold: threshold.as_deref().map(str::parse).transpose()?,
                    within_mm: None,
                    class: class.ok_or("what is added cannot be removed at once")?,
                    site: site.as_deref().map_or(Ok(Site::Body), str::parse)?,
                    said: Said::default(),
                }));
            }
            Change::Reference { reference, accept, sphere_mm } => {
                let entry = match reference {
                    ReferenceName::Liver => &mut after.liver,
                    ReferenceName::BloodPool => &mut after.blood_pool,
                };
                let (accept, sphere_mm) = (*accept, *sphere_mm);
                *entry = Some(new(ReferenceEntry { accept, sphere_mm, said: Said::default() }));
            }
            Change::Reader { name } => {
                after.said.reader = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
            }
        }
        Ok(after)
    }

    fn set_class(
        &mut self,
        region: usize,
        choice: Choice,
        site: Option<Site>,
        proposals: &[Lesion],
    ) -> Result<(), String> {
        match self.origin(region, proposals)? {
            Origin::Proposed(at) => {
                let entry = &mut self.regions[at].entry;
                let same = entry.choice == choice && site.is_none_or(|site| site == entry.site);
                let proposal = proposals.iter().find(|p| p.id == region);
                let as_proposed = proposal.is_some_and(|p| Some(p.finding.class) == choice.class());
                if same && as_proposed {
                    // Said again it is confirmed, and a comparison does not change it.
                    let name = self.said.reader.clone().unwrap_or_else(|| CONFIRMS.into());
                    entry.said.reader = Some(name);
                }
                entry.choice = choice;
                entry.site = site.unwrap_or(entry.site);
            }
            Origin::Part { split, part } => {
                let split = &mut self.splits[split].entry;
                let whole = self.regions.iter().find(|at| at.entry.id == split.region);
                let (class, place) = whole
                    .map_or((Choice::Lesion, Site::Body), |at| (at.entry.choice, at.entry.site));
                let parts = split.points_mm.len();
                split.classes.resize(parts, class);
                split.classes[part] = choice;
                if let Some(site) = site {
                    split.sites.resize(parts, place);
                    split.sites[part] = site;
                }
            }
            Origin::Merged(at) if choice == Choice::Removed => {
                let gone = self.merges.remove(at).entry.regions;
                for entry in self.regions.iter_mut().map(|at| &mut at.entry) {
                    if gone.contains(&entry.id) {
                        entry.choice = Choice::Removed;
                    }
                }
            }
            Origin::Merged(at) => {
                let merge = &mut self.merges[at].entry;
                merge.choice = Some(choice);
                merge.site = site.or(merge.site);
            }
            Origin::Added(at) => match choice.class() {
                None => drop(self.adds.remove(at)),
                Some(class) => self.adds[at].entry.set(class, site),
            },
        }
        Ok(())
    }

    /// Numbers as [`apply`](super::apply()) gives them: proposals keep theirs; parts, wholes and additions follow.
    fn origin(&self, region: usize, proposals: &[Lesion]) -> Result<Origin, String> {
        if let Some(at) = self.regions.iter().position(|at| at.entry.id == region) {
            return Ok(Origin::Proposed(at));
        }
        let mut next = proposals.iter().map(|p| p.id).max().unwrap_or(0) + 1;
        for (split, at) in self.splits.iter().enumerate() {
            for part in 0..at.entry.points_mm.len() {
                if at.entry.classes.get(part) == Some(&Choice::Removed) {
                    continue;
                }
                if next == region {
                    return Ok(Origin::Part { split, part });
                }
                next += 1;
            }
        }
        let later = region.checked_sub(next);
        match later {
            Some(n) if n < self.merges.len() => Ok(Origin::Merged(n)),
            Some(n) if n < self.merges.len() + self.adds.len() => {
                Ok(Origin::Added(n - self.merges.len()))
            }
            _ => Err(format!("there is no region {region}")),
        }
    }
}

impl Add {
    fn set(&mut self, class: Class, site: Option<Site>) {
        self.class = class;
        self.site = site.unwrap_or(self.site);
    }
}

/// An entry that has no line yet.
fn new<T>(entry: T) -> At<T> {
    At { line: 0, entry }
}
