//! What a person decided, as documents tell it.

use schemars::JsonSchema;
use serde::Serialize;

use super::text::Page;
use crate::decisions::{Decided, Edit};

/// What a person decided with `--decisions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionsDocument {
    /// SHA-256 of the file.
    pub file_sha256: String,
    /// SHA-256 of the scan that it is bound to.
    pub scan_sha256: String,
    /// SHA-256 of the settings that it is bound to.
    pub settings_sha256: String,
    /// SHA-256 of the proposed regions that it is bound to.
    pub regions_sha256: String,
    /// Who decided; `null` where the file names nobody for the whole.
    pub reader: Option<String>,
    /// A word on the whole; `null` where there is none.
    pub note: Option<String>,
    /// What was done, in the order of work; empty where all was left as proposed.
    pub edits: Vec<Edit>,
}

impl From<&Decided> for DecisionsDocument {
    fn from(decided: &Decided) -> Self {
        Self {
            file_sha256: decided.text_sha256.clone(),
            scan_sha256: decided.binding.scan_sha256.clone(),
            settings_sha256: decided.binding.settings_sha256.clone(),
            regions_sha256: decided.binding.regions_sha256.clone(),
            reader: decided.said.reader.clone(),
            note: decided.said.note.clone(),
            edits: decided.edits.clone(),
        }
    }
}

impl DecisionsDocument {
    /// In a few words: `2 by A. B.`
    pub fn short(&self) -> String {
        let by = self.reader.as_deref().unwrap_or("a reader");
        match self.edits.len() {
            0 => "none: all as proposed".into(),
            number => format!("{number} by {by}"),
        }
    }

    /// Adds what was decided to a page, line by line behind a lead.
    pub(super) fn write(&self, page: &mut Page, lead: &str) {
        let note = self.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
        page.line(&format!(
            "{lead}decisions of a person: {}{note}; file {}",
            self.short(),
            &self.file_sha256[..12]
        ));
        for edit in &self.edits {
            let note = edit.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
            let by = edit.reader.as_ref().map_or_else(String::new, |name| format!(" [{name}]"));
            page.line(&format!("  {}{note}{by}", edit.text));
        }
    }
}

/// Who has the say about a region or a reference: `reader` or `proposed`.
pub(super) fn decided_by(by_reader: bool) -> &'static str {
    if by_reader { "reader" } else { "proposed" }
}
