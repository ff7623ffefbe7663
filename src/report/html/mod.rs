//! `report.html`: a document as one page for people.
//!
//! The page is built from the same document as the JSON and from pictures handed in as PNG, so it cannot say anything else.
//! It is one file that loads nothing and runs only its own script, the viewer's, says so to the browser
//! (Content-Security-Policy), reads on paper and on a phone, in light and dark, and tells nothing by colour alone. Every text
//! is escaped by the template; the patient is named where the document names one. Nothing in it depends on the day. Where
//! no script may run everything but the viewer is there.

mod compare;
mod lesions;
mod pair;
mod parts;
mod scan;
mod source;
mod spark;
#[cfg(test)]
mod tests;
mod viewer;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use compare::compare_page;
pub use scan::score_page;
pub use viewer::Viewer;

use super::{PatientDocument, RESEARCH_USE};

/// The look of the page: colours with a contrast of 4.5 at least (a test computes it), tables that scroll, A4 on paper.
const STYLE: &str = include_str!("page.css");

/// The pictures of one scan as the bytes of PNG files; those that are `None` are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanPictures {
    /// The coronal projection, at one scale with those of the other scans ([`super::pictures::projections_of`]).
    pub projection: Option<Vec<u8>>,
    /// The figure of the scan ([`super::pictures::of_scan`]).
    pub figure: Option<Vec<u8>>,
    /// The liver reference in three planes ([`super::pictures::of_reference`]).
    pub liver: Option<Vec<u8>>,
    /// The blood pool reference in three planes.
    pub blood_pool: Option<Vec<u8>>,
}

/// A part of a page with its heading.
struct Section {
    /// Its anchor.
    id: &'static str,
    heading: &'static str,
    body: Markup,
}

impl Section {
    fn new(id: &'static str, heading: &'static str, body: Markup) -> Self {
        Self { id, heading, body }
    }
}

/// A whole page: title, what stands at the top, and the viewer and the sections under a list of them.
fn page(
    title: &str,
    patient: Option<&PatientDocument>,
    top: &Markup,
    sections: impl IntoIterator<Item = Section>,
    viewer: Viewer<'_>,
) -> String {
    let sections: Vec<Section> = viewer.section().into_iter().chain(sections).collect();
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(viewer.policy());
                meta name="generator" content=(program());
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(viewer::STYLE)) }
            }
            body {
                header {
                    p.research { (RESEARCH_USE) }
                    (person(patient))
                    h1 { (title) }
                    (top)
                    nav.contents aria-label="Contents" {
                        ul {
                            @for section in &sections {
                                li { a href=(format!("#{}", section.id)) { (section.heading) } }
                            }
                        }
                    }
                }
                main {
                    @for section in &sections {
                        section id=(section.id) {
                            h2 { (section.heading) }
                            (section.body)
                        }
                    }
                }
                footer {
                    p.research { (RESEARCH_USE) }
                    p.muted { (program()) }
                }
                (viewer.end())
            }
        }
    };
    // A control character of a header has no meaning in a page and is an error of HTML.
    let printable = |c: char| if c.is_control() && c != '\n' { '?' } else { c };
    whole.into_string().chars().map(printable).collect()
}

fn program() -> String {
    format!("petct {}", env!("CARGO_PKG_VERSION"))
}

fn person(patient: Option<&PatientDocument>) -> Markup {
    html! {
        @if let Some(patient) = patient {
            p {
                "Patient " bdi { (patient.name) } " (" bdi { (patient.id) } "), born "
                (patient.birth_date.as_deref().unwrap_or("unknown"))
                @if let Some(sex) = patient.sex { ", sex " (sex) }
            }
        }
    }
}
