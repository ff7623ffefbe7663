//! The document of `petct phantom`.

use schemars::JsonSchema;
use serde::Serialize;

use super::Content;
use super::text::{Align, Page};
use crate::diagnostic::Warning;
use crate::phantom::{Case, Kind};

/// The cases there are, or the one that was written.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PhantomDocument {
    /// The cases.
    pub cases: Vec<CaseEntry>,
    /// Builds of the bodies that `petct phantom body --seed N --build NAME` draws; empty where one was written.
    pub builds: Vec<BuildEntry>,
    /// The folder written; `null` where the cases are only listed.
    pub folder: Option<String>,
}

/// What may be special about a body drawn by a seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BuildEntry {
    /// Name of the build.
    pub name: String,
    /// The same in words.
    pub description: String,
}

/// One synthetic patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseEntry {
    /// Name of the case.
    pub name: String,
    /// Names of its scans, and of their folders, in the order of time.
    pub scans: Vec<String>,
    /// What the pairs of scans should be called.
    pub pairs: Vec<PairEntry>,
}

/// What a pair of scans should be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PairEntry {
    /// The earlier scan.
    pub from: String,
    /// The later scan.
    pub to: String,
    /// Deauville score of the later.
    pub deauville: u8,
    /// Lugano response; `null` where none was planned.
    pub response: Option<String>,
}

impl BuildEntry {
    /// All builds.
    pub fn all() -> Vec<Self> {
        let entry =
            |kind: &Kind| Self { name: kind.name().into(), description: kind.description().into() };
        Kind::ALL.iter().map(entry).collect()
    }
}

impl CaseEntry {
    /// The entry of a case.
    pub fn new(case: &Case) -> Self {
        let pairs = case.pairs.iter().map(|pair| PairEntry {
            from: pair.from.clone(),
            to: pair.to.clone(),
            deauville: pair.deauville,
            response: pair.response.clone(),
        });
        Self {
            name: case.name.clone(),
            scans: case.visits.iter().map(|visit| visit.name.clone()).collect(),
            pairs: pairs.collect(),
        }
    }
}

impl Content for PhantomDocument {
    const NAME: &'static str = "petct-phantom";
    const VERSION: u32 = 1;

    fn text(&self, _verbose: bool) -> String {
        let mut page = Page::default();
        if let Some(folder) = &self.folder {
            page.line(&format!("written to {folder}; truth.json holds what is true"));
            page.gap();
        }
        let expected = |pairs: &[PairEntry]| {
            let response = |p: &PairEntry| p.response.clone().unwrap_or_else(|| "-".into());
            let each = pairs.iter().map(|p| format!("{}-{} {}", p.from, p.to, response(p)));
            each.collect::<Vec<_>>().join(", ")
        };
        let row =
            |case: &CaseEntry| vec![case.name.clone(), case.scans.join(" "), expected(&case.pairs)];
        let headings = ["case", "scans", "expected"].map(|name| (name, Align::Left));
        page.table(&headings, &self.cases.iter().map(row).collect::<Vec<_>>());
        if !self.builds.is_empty() {
            page.gap();
            page.line("petct phantom pair --seed N draws a body scanned twice, moved and changed;");
            page.line("petct phantom body --seed N [--build NAME] draws a body:");
            let row = |build: &BuildEntry| vec![build.name.clone(), build.description.clone()];
            let headings = ["build", "what it is"].map(|name| (name, Align::Left));
            page.table(&headings, &self.builds.iter().map(row).collect::<Vec<_>>());
        }
        page.finish()
    }

    fn warnings(&self) -> &[Warning] {
        &[]
    }
}
