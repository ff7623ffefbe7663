//! The files of decisions: read before anything else, never overwritten with what a person wrote.

use std::path::{Path, PathBuf};

use petct::decisions::{DecisionError, Decisions, Links, is_untouched, read, read_links};

use crate::args::{ReadingOptions, ScanOptions};
use crate::failure::Failure;

/// Decisions with the file that holds them.
#[derive(Debug)]
pub(crate) struct GivenDecisions {
    file: PathBuf,
    /// As it stands in the file.
    pub(crate) text: String,
    /// What it says.
    pub(crate) decisions: Decisions,
}

impl GivenDecisions {
    /// Reads a file, where one is given.
    pub(crate) fn read(file: Option<&Path>) -> Result<Option<Self>, Failure> {
        let Some(file) = file else { return Ok(None) };
        let text = text_of(file, "give decisions.toml as petct score -o wrote it, edited")?;
        let decisions = read(&text).map_err(|error| failure(file, &error))?;
        Ok(Some(Self { file: file.to_owned(), text, decisions }))
    }

    /// Why these decisions are not used.
    pub(crate) fn failure(&self, error: &DecisionError) -> Failure {
        failure(&self.file, error)
    }
}

/// The decisions given about each scan.
pub(crate) fn given_decisions(
    scans: &[(ScanOptions, ReadingOptions)],
) -> Result<Vec<Option<GivenDecisions>>, Failure> {
    scans.iter().map(|(_, reading)| GivenDecisions::read(reading.decisions.as_deref())).collect()
}

/// Links with the file that holds them.
#[derive(Debug)]
pub(crate) struct GivenLinks {
    file: PathBuf,
    /// As it stands in the file.
    pub(crate) text: String,
    /// What it says.
    pub(crate) links: Links,
}

impl GivenLinks {
    /// Reads a file, where one is given.
    pub(crate) fn read(file: Option<&Path>) -> Result<Option<Self>, Failure> {
        let Some(file) = file else { return Ok(None) };
        let text = text_of(file, "give links.toml as petct compare -o wrote it, edited")?;
        let links = read_links(&text).map_err(|error| failure(file, &error))?;
        Ok(Some(Self { file: file.to_owned(), text, links }))
    }

    /// Why these links are not used.
    pub(crate) fn failure(&self, error: &DecisionError) -> Failure {
        failure(&self.file, error)
    }
}

fn text_of(file: &Path, remedy: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| {
        let message = format!("{} cannot be read: {e}", file.display());
        Failure::new("unreadable_decisions", &message, remedy)
    })
}

fn failure(file: &Path, error: &DecisionError) -> Failure {
    Failure::of_decisions(&file.display(), error)
}

/// Refuses to write a file of decisions over one in which a person has decided, unless that is among those given.
pub(crate) fn check_replaceable<'a>(
    file: &Path,
    given: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    // What cannot be read is told when it is to be written.
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
    if is_untouched(&text) || given.into_iter().any(|given| given == text) {
        return Ok(());
    }
    let message = format!("{} holds decisions that would be lost", file.display());
    let remedy =
        "give it with --decisions or --links, move it away, or choose another folder with -o";
    Err(Failure::new("decisions_in_the_way", &message, remedy))
}
