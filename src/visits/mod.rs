//! Visits that were read elsewhere: a table without images, and the response of each pair by the same rules as for images.
//!
//! What a table does not say stays unknown: no comparability passes, no score and no change is made up. The columns are told in
//! `docs/visits.md`.
//!
//! 1. [`read`] turns the text of a table into the visits of each patient, or says which line and column cannot be used;
//! 2. [`read_diameters`] adds sizes on CT from a second table;
//! 3. [`assess()`] scores each visit and calls each pair.

mod assess;
mod columns;
mod diameters;
mod pair;
mod score;
mod sites;
mod table;

pub use assess::{PatientAssessment, VisitPair, assess};
pub use columns::column_names;
pub use diameters::read_diameters;
pub use score::VisitScore;
pub use sites::{NewSite, SiteEntry, SiteState};
pub use table::read;

use chrono::NaiveDateTime;
use thiserror::Error;

use crate::criteria::Change;
use crate::deauville::WrittenScore;
use crate::quality::ScanFacts;
use crate::response::Hottest;
use crate::response::ct_lugano::{CtNewLesion, CtSeries, MarrowBiopsy, NonTarget, Spleen};
use crate::response::lugano::{Attribution, Histology, Marrow};

/// Why a table cannot be used; the remedy stands behind the semicolon.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// The text is no table.
    #[error("the table cannot be read: {0}; save it as CSV (comma-separated, UTF-8)")]
    NotATable(String),
    /// There is no row.
    #[error("the table has no row below its headings; give one row for each visit")]
    Empty,
    /// A heading is not known.
    #[error(
        "line {line}: the column {column:?} is not known; rename it to one of {known}, or remove it"
    )]
    UnknownColumn {
        /// Line of the headings.
        line: u64,
        /// The heading.
        column: String,
        /// The headings that are known.
        known: String,
    },
    /// A heading stands twice, or one that is needed does not stand there.
    #[error("line {line}: {what}")]
    Headings {
        /// Line of the headings.
        line: u64,
        /// What is wrong, with its remedy.
        what: String,
    },
    /// A value cannot be read.
    #[error("line {line}, column {column:?}: {what}")]
    Value {
        /// Line of the row.
        line: u64,
        /// Heading of the column.
        column: String,
        /// What is wrong, with its remedy.
        what: String,
    },
    /// A row contradicts itself or another.
    #[error("line {line}: {what}")]
    Row {
        /// Line of the row.
        line: u64,
        /// What is wrong, with its remedy.
        what: String,
    },
}

/// What a row says of new lesions; they are new since the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewLesions {
    /// Nothing.
    #[default]
    NotStated,
    /// There are none.
    No,
    /// There are; due to the disease, unless an attribution says otherwise.
    Yes,
    /// There is new uptake, its cause is uncertain.
    Uncertain,
}

/// Uptake of the reference regions as printed; `None`: not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PrintedReferences {
    /// SUVmax of the liver.
    pub liver_suv_max: Option<f64>,
    /// SUVmean of the liver.
    pub liver_suv_mean: Option<f64>,
    /// SUVmax of the blood pool.
    pub blood_pool_suv_max: Option<f64>,
    /// SUVmean of the blood pool.
    pub blood_pool_suv_mean: Option<f64>,
    /// SUL of the liver: mean and standard deviation.
    pub liver_sul: (Option<f64>, Option<f64>),
    /// SUL of the blood pool: mean and standard deviation.
    pub blood_pool_sul: (Option<f64>, Option<f64>),
}

/// One visit: a row of the table. `None`: not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Line of the row.
    pub line: u64,
    /// The patient, as written.
    pub patient: Option<String>,
    /// Name of the visit; its date where it has none.
    pub name: String,
    /// When the scan was acquired; midnight where only the day is known.
    pub date: Option<NaiveDateTime>,
    /// Whether the row is marked as the baseline.
    pub baseline: bool,
    /// The disease, as written.
    pub disease: Option<String>,
    /// The reader's score.
    pub deauville: Option<WrittenScore>,
    /// SUVmax of the hottest lesion.
    pub suv_max: Hottest,
    /// SUVpeak (1 mL) of the hottest lesion.
    pub suv_peak: Option<f64>,
    /// Mean of its four hottest voxels (qPET).
    pub suv_peak_of_four: Option<f64>,
    /// SULpeak of the hottest lesion.
    pub sul_peak: Hottest,
    /// Total lesion glycolysis, grams.
    pub tlg_g: Option<f64>,
    /// Longest dimension of the tumour's uptake, millimetres.
    pub longest_dimension_mm: Option<f64>,
    /// The reader's word on uptake against the baseline.
    pub change: Option<Change>,
    /// Liver and blood pool.
    pub references: PrintedReferences,
    /// Known sites with what is said of them.
    pub sites: Vec<SiteEntry>,
    /// Whether there are new lesions.
    pub new_lesions: NewLesions,
    /// Where they are.
    pub new_sites: Vec<NewSite>,
    /// What they are due to, where a site has no attribution of its own.
    pub attribution: Option<Attribution>,
    /// The marrow on PET.
    pub marrow: Marrow,
    /// Cycles of treatment before the visit.
    pub cycles: Option<u32>,
    /// Weeks since the start of immunotherapy.
    pub immunotherapy_weeks: Option<f64>,
    /// Whether the patient has deteriorated.
    pub deteriorated: Option<bool>,
    /// What bears on comparability.
    pub facts: ScanFacts,
    /// The spleen on CT.
    pub spleen: Option<Spleen>,
    /// Lesions on CT that are not measured.
    pub non_target: Option<NonTarget>,
    /// Whether there are new lesions on CT.
    pub ct_new_lesions: Option<bool>,
    /// Marrow by morphology.
    pub marrow_biopsy: Option<MarrowBiopsy>,
    /// New lesions on CT with their sizes, from the table of diameters.
    pub ct_new_sites: Vec<CtNewLesion>,
}

impl Visit {
    /// A visit of which nothing is known.
    fn nothing_known(line: u64) -> Self {
        Self {
            line,
            patient: None,
            name: String::new(),
            date: None,
            baseline: false,
            disease: None,
            deauville: None,
            suv_max: Hottest::Unknown,
            suv_peak: None,
            suv_peak_of_four: None,
            sul_peak: Hottest::Unknown,
            tlg_g: None,
            longest_dimension_mm: None,
            change: None,
            references: PrintedReferences::default(),
            sites: Vec::new(),
            new_lesions: NewLesions::default(),
            new_sites: Vec::new(),
            attribution: None,
            marrow: Marrow::default(),
            cycles: None,
            immunotherapy_weeks: None,
            deteriorated: None,
            facts: ScanFacts::default(),
            spleen: None,
            non_target: None,
            ct_new_lesions: None,
            marrow_biopsy: None,
            ct_new_sites: Vec::new(),
        }
    }
}

/// The visits of one patient in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// As written; `None` where the table has no patients.
    pub name: Option<String>,
    /// The disease.
    pub histology: Histology,
    /// The visits.
    pub visits: Vec<Visit>,
    /// Index of the baseline: the row that is marked, else the first.
    pub baseline: usize,
    /// Sizes on CT from the baseline on, where they are given.
    pub sizes: Option<CtSeries>,
}

/// A name without differences of case and spaces.
fn plain(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
