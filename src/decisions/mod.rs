//! What a person decides about the regions of one scan, and about their links with those of others, as texts that people
//! edit.
//!
//! `petct score -o` proposes: [`write()`] makes a text with an entry for each region. A person edits it, [`read()`] takes it
//! back, and [`apply()`] does exactly what it says. It is bound to the scan, to the settings and to the regions that were
//! proposed, each by a hash ([`Binding`]), and refused where one differs: a decision is never reused silently.
//!
//! The order is fixed, whatever the order in the text:
//! 1. references are set; 2. entries give each proposed region its class and site, or remove it; 3. regions are split;
//! 4. regions are merged; 5. regions are added where nothing is left.
//!
//! A proposed region is edited once: its entry, and at most one split or merge. Proposed regions keep their numbers; those
//! that a person makes are numbered after them, in the order of the text. What is decided about one region changes no
//! number of another.

mod add;
mod apply;
mod binding;
mod change;
mod links;
mod read;
mod write;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::diagnostic::Warning;
use crate::lesion::{Class, Lesion, Site, Threshold};

pub use apply::{Grounds, apply};
pub use binding::{Binding, digest_of_regions, digest_of_scan, digest_of_settings, sha256};
pub use change::{Change, ReferenceName};
pub use links::{
    DueTo, GivenGroup, LinkEntry, LinkedScan, Links, ProposedLink, read_links, write_links,
};
pub use read::read;
pub use write::{is_untouched, write, write_decided};

/// Version of the text's format; a newer one is refused.
pub const FORMAT: u32 = 1;

/// What a region is decided to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Disease.
    Lesion,
    /// Either.
    Uncertain,
    /// Normal uptake.
    Physiologic,
    /// No region at all.
    Removed,
}

impl Choice {
    /// The word in the text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lesion => "lesion",
            Self::Uncertain => "uncertain",
            Self::Physiologic => "physiologic",
            Self::Removed => "removed",
        }
    }

    /// The class; `None` where the region is removed.
    pub fn class(self) -> Option<Class> {
        match self {
            Self::Lesion => Some(Class::Lesion),
            Self::Uncertain => Some(Class::Uncertain),
            Self::Physiologic => Some(Class::Physiologic),
            Self::Removed => None,
        }
    }
}

/// Something of the text, with the line where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub entry: T,
}

/// Who decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// Who.
    pub reader: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// The entry of a proposed region.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionEntry {
    /// Its number.
    pub id: usize,
    /// What it is.
    pub choice: Choice,
    /// Where it lies.
    pub site: Site,
    /// What tells the region from others, as it was written; `None` where the line is gone.
    pub hottest_mm: Option<[f64; 3]>,
    /// SUVmax, as it was written.
    pub suv_max: Option<f64>,
    /// Volume in millilitres, as it was written.
    pub volume_ml: Option<f64>,
    /// Who and why. A reader named here confirms a class that was not changed.
    pub said: Said,
}

/// A region to be divided among points.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Number of the proposed region.
    pub region: usize,
    /// A point in each part, LPS millimetres.
    pub points_mm: Vec<[f64; 3]>,
    /// Class of each part; empty: that of the region.
    pub classes: Vec<Choice>,
    /// Site of each part; empty: that of the region.
    pub sites: Vec<Site>,
    /// Who and why.
    pub said: Said,
}

/// Regions to become one.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// Numbers of the proposed regions.
    pub regions: Vec<usize>,
    /// Class of the whole; `None`: theirs, if they have one.
    pub choice: Option<Choice>,
    /// Site of the whole; `None`: that of the hottest.
    pub site: Option<Site>,
    /// Who and why.
    pub said: Said,
}

/// A region to be grown from a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// The point, LPS millimetres.
    pub point_mm: [f64; 3],
    /// Its edge; `None`: that of the scan.
    pub threshold: Option<Threshold>,
    /// Nothing farther from the point than this belongs to it, millimetres.
    pub within_mm: Option<f64>,
    /// What it is.
    pub class: Class,
    /// Where it lies.
    pub site: Site,
    /// Who and why.
    pub said: Said,
}

/// What is decided about a reference.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReferenceEntry {
    /// Whether the proposed one may serve; `None`: nothing is decided.
    pub accept: Option<bool>,
    /// A sphere in its place: centre and radius, LPS millimetres.
    pub sphere_mm: Option<[f64; 4]>,
    /// Who and why.
    pub said: Said,
}

/// The decisions of one scan, read and not yet applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// Version of the program that proposed.
    pub petct_version: String,
    /// What they are bound to.
    pub binding: Binding,
    /// Who decided, and a word on the whole.
    pub said: Said,
    /// The liver.
    pub liver: Option<At<ReferenceEntry>>,
    /// The mediastinal blood pool.
    pub blood_pool: Option<At<ReferenceEntry>>,
    /// One entry for each proposed region.
    pub regions: Vec<At<RegionEntry>>,
    /// Regions to be divided.
    pub splits: Vec<At<Split>>,
    /// Regions to become one.
    pub merges: Vec<At<Merge>>,
    /// Regions to be added.
    pub adds: Vec<At<Add>>,
    /// SHA-256 of the text.
    pub text_sha256: String,
}

impl Decisions {
    /// Refuses decisions that were made for another scan, with other settings or about other regions.
    pub fn check(&self, now: &Binding) -> Result<(), DecisionError> {
        now.check(&self.binding, &self.petct_version)
    }

    /// Whether everything is as it was proposed, and nobody is named.
    pub fn decide_nothing(&self, proposals: &[Lesion]) -> bool {
        let open = |at: &Option<At<ReferenceEntry>>| {
            at.as_ref().is_none_or(|at| at.entry == ReferenceEntry::default())
        };
        let as_proposed = |at: &At<RegionEntry>| {
            let RegionEntry { id, choice, site, said, .. } = &at.entry;
            let proposal = proposals.iter().find(|proposal| proposal.id == *id);
            let same =
                |p: &Lesion| choice.class() == Some(p.finding.class) && *site == p.finding.site;
            *said == Said::default() && proposal.is_some_and(same)
        };
        self.said == Said::default()
            && open(&self.liver)
            && open(&self.blood_pool)
            && self.regions.iter().all(as_proposed)
            && (self.splits.is_empty() && self.merges.is_empty() && self.adds.is_empty())
    }
}

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EditKind {
    /// Set a reference, or accepted or rejected the proposed one.
    Reference,
    /// Changed a class or a site.
    Class,
    /// Put a name to an entry that was not changed.
    Confirm,
    /// Removed a region.
    Remove,
    /// Divided a region.
    Split,
    /// Made several regions one.
    Merge,
    /// Added a region.
    Add,
}

/// One thing that a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Edit {
    /// What.
    pub kind: EditKind,
    /// Numbers of the proposed regions concerned.
    pub regions: Vec<usize>,
    /// Numbers of the regions that came of it, where they are new.
    pub made: Vec<usize>,
    /// In words.
    pub text: String,
    /// Who; `null` where nobody is named.
    pub reader: Option<String>,
    /// Why; `null` where nobody said.
    pub note: Option<String>,
}

/// What became of decisions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// What was done, in the order of work; empty where the proposals were left as they are.
    pub edits: Vec<Edit>,
    /// Who decided, and a word on the whole.
    pub said: Said,
    /// SHA-256 of the text.
    pub text_sha256: String,
    /// What the decisions were bound to.
    pub binding: Binding,
    /// Whether a person set, accepted or rejected the liver, and the blood pool.
    pub references: [bool; 2],
}

impl Decided {
    /// Whether a person decided about a region of the result.
    pub fn is_by_reader(&self, id: usize) -> bool {
        let kept = |e: &Edit| e.made.is_empty() && e.regions.contains(&id);
        self.edits.iter().any(|e| kept(e) || e.made.contains(&id))
    }
}

/// Regions as decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The regions, hottest first.
    pub lesions: Vec<Lesion>,
    /// What was done.
    pub edits: Vec<Edit>,
    /// What a reader of the result should know.
    pub warnings: Vec<Warning>,
}

/// Why decisions are not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// The text is no TOML, or has other keys.
    #[error("line {line}: {what}; correct the line, or score again for a new file")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Written for a newer program.
    #[error(
        "its format is version {found}, and this program knows up to {FORMAT}; use a newer petct"
    )]
    Newer {
        /// The version.
        found: u32,
    },
    /// Made on other voxels.
    #[error(
        "it was made for another scan: the SUV or CT values or their places are not those that were scored; give the \
         file of this scan, or score again with -o and repeat the decisions"
    )]
    OtherScan,
    /// Links made on other scans, or on these in another order.
    #[error(
        "it was made for other scans, or for these in another order; give the scans it was made for, or compare again with \
         -o and repeat the links"
    )]
    OtherScans,
    /// Made with other settings.
    #[error(
        "it was made with other settings: {differences}; give the same settings, or score again with -o and repeat the \
         decisions"
    )]
    OtherSettings {
        /// Which, as they were and as they are.
        differences: String,
    },
    /// Scan and settings are the same, the regions proposed are not.
    #[error(
        "petct {now} proposes other regions for this scan than petct {then} did when it was written; score again with \
         -o and repeat the decisions"
    )]
    OtherRegions {
        /// Version that wrote the text.
        then: String,
        /// Version that reads it.
        now: String,
    },
    /// A decision that cannot be carried out.
    #[error("line {line}: {what}; {remedy}")]
    Refused {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
}

impl DecisionError {
    /// A decision that cannot be carried out.
    pub(crate) fn refused(line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Refused { line, what: what.into(), remedy: remedy.into() }
    }
}

#[cfg(test)]
mod tests;
