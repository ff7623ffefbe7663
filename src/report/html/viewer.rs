//! The viewer in the page: a place for its pictures, the packed volumes, and the one script that a page runs.
//!
//! The script is part of this program and loads nothing. The page tells the browser its SHA-256
//! (Content-Security-Policy), so that no other script can run in it, whatever stands in the texts. Where no script runs the
//! page says everything but the viewer. Plain drawing on a canvas is enough for slices of this size; libraries that draw
//! volumes (`NiiVue`, `Cornerstone`) bring a megabyte and want WebGL, which a page opened from a disk on an office machine
//! may not have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::Section;
use crate::lesion::Site;
use crate::report::viewer::ViewerData;

/// The look of the viewer.
pub(super) const STYLE: &str = include_str!("viewer/viewer.css");

/// What reads, colours and draws; begins a function that [`END`] ends.
const DRAWS: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("viewer/decode.js"),
    include_str!("viewer/volume.js"),
    include_str!("viewer/regions.js"),
    include_str!("viewer/colour.js"),
    include_str!("viewer/slice.js"),
    include_str!("viewer/mip.js"),
    include_str!("viewer/panel.js"),
    include_str!("viewer/viewer.js"),
);

/// What sends a person's decisions to `petct review`.
const EDITS: &str = include_str!("viewer/review.js");

const END: &str = "start();\n})();\n";

/// What a page has of the viewer.
#[derive(Debug, Clone, Copy, Default)]
pub enum Viewer<'a> {
    /// Nothing: the page runs no script.
    #[default]
    None,
    /// The scans, to be looked at.
    Look(&'a ViewerData),
    /// The scans, to be looked at and decided about: for a page that `petct review` serves.
    Review(&'a ViewerData),
}

/// The sites that a region can be said to lie in; the script takes the list into its line.
fn sites() -> Markup {
    html! {
        select #review-site aria-label="Site" {
            @for site in Site::ALL { option { (site.name()) } }
        }
    }
}

impl<'a> Viewer<'a> {
    fn data(self) -> Option<&'a ViewerData> {
        match self {
            Self::None => None,
            Self::Look(data) | Self::Review(data) => Some(data),
        }
    }

    /// The script of the page; empty where it has none.
    pub(super) fn script(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Look(_) => [DRAWS, END].concat(),
            Self::Review(_) => [DRAWS, EDITS, END].concat(),
        }
    }

    /// What the browser is told: the page loads nothing and runs no script but its own; in a review it speaks to the server
    /// that it came from.
    pub(super) fn policy(self) -> String {
        let mut policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'".to_owned();
        let script = self.script();
        if !script.is_empty() {
            let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
            policy.push_str("; script-src 'sha256-");
            policy.push_str(&hash);
            policy.push('\'');
        }
        if matches!(self, Self::Review(_)) {
            policy.push_str("; connect-src 'self'");
        }
        policy
    }

    /// The part of the page with the viewer.
    pub(super) fn section(self) -> Option<Section> {
        self.data()?;
        let review = matches!(self, Self::Review(_));
        let body = html! {
            p #viewer-note {
                "Slices to be moved through are shown here where scripts may run. Without them the pictures and tables of this \
                 page hold everything else."
            }
            div #viewer-pictures role="group" aria-label="Viewer" {}
            @if review { div #review-controls { (sites()) } }
            p.muted {
                "Left of a picture is the right of the patient. In a picture: arrow keys and Page Up, Page Down move the slice (the \
                 projection turns), with Shift they move the crosshair; a click moves it. A row of a table that names a region \
                 shows it here by a click or Enter."
            }
        };
        Some(Section::new("viewer", "Viewer", body))
    }

    /// The volumes and the script, for the end of the page.
    pub(super) fn end(self) -> Markup {
        let Some(data) = self.data() else { return html! {} };
        html! {
            script #viewer-head type="application/json" { (PreEscaped(data.head())) }
            @for (name, text) in data.texts() {
                script id=(format!("viewer-{name}")) type="text/plain" { (PreEscaped(text)) }
            }
            script { (PreEscaped(self.script())) }
        }
    }
}
