//! What every part of a page is made of: tables, named values, pictures, marks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use crate::diagnostic::Warning;

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words of a few letters.
    Text,
    /// A number, set to the right.
    Number,
    /// Sentences.
    Words,
}

impl Kind {
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Number => Some("number"),
            Self::Words => Some("words"),
        }
    }
}

/// A place that the viewer shows when a row is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    /// Position of the scan.
    pub(super) scan: usize,
    /// LPS millimetres.
    pub(super) place_mm: [f64; 3],
}

impl Shown {
    fn place(self) -> String {
        let [x, y, z] = self.place_mm;
        format!("{x} {y} {z}")
    }
}

/// A table that scrolls by itself where it is wider than the page. The first cell of a row is its heading.
pub(super) fn table(caption: &str, headings: &[(&str, Kind)], rows: &[Vec<Markup>]) -> Markup {
    let rows: Vec<(Option<Shown>, &[Markup])> =
        rows.iter().map(|cells| (None, cells.as_slice())).collect();
    table_of_places(caption, headings, &rows)
}

/// The same with places that the viewer shows.
pub(super) fn table_of_places<T: AsRef<[Markup]>>(
    caption: &str,
    headings: &[(&str, Kind)],
    rows: &[(Option<Shown>, T)],
) -> Markup {
    html! {
        // Reached by the keyboard, so that it can be scrolled without a mouse.
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        @for (heading, kind) in headings {
                            th scope="col" class=[kind.class()] { (heading) }
                        }
                    }
                }
                tbody {
                    @for (shown, cells) in rows {
                        (row(*shown, cells.as_ref(), headings.iter().map(|(_, kind)| *kind)))
                    }
                }
            }
        }
    }
}

/// A row of a table.
pub(super) fn row(
    shown: Option<Shown>,
    cells: &[Markup],
    kinds: impl Iterator<Item = Kind>,
) -> Markup {
    html! {
        tr data-scan=[shown.map(|shown| shown.scan)] data-place=[shown.map(Shown::place)] {
            @for (n, (cell, kind)) in cells.iter().zip(kinds).enumerate() {
                @if n == 0 {
                    th scope="row" class=[kind.class()] { (cell) }
                } @else {
                    td class=[kind.class()] { (cell) }
                }
            }
        }
    }
}

/// Names with their values; those without a value are left out.
pub(super) fn values(entries: &[(&str, Markup)]) -> Markup {
    html! {
        dl {
            @for (name, value) in entries {
                @if !value.0.is_empty() {
                    dt { (name) }
                    dd { (value) }
                }
            }
        }
    }
}

/// A text as a cell or value.
pub(super) fn text(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}

/// A number with its decimals; a dash where it is not known.
pub(super) fn number(value: Option<f64>, decimals: usize) -> Markup {
    text(crate::report::text::number(value, decimals))
}

/// A change in percent with its sign.
pub(super) fn percent(value: Option<f64>) -> Markup {
    text(value.map_or_else(|| "-".to_owned(), |value| format!("{value:+.1}")))
}

/// Numbers of regions: `1, 4`.
pub(super) fn ids(ids: &[usize]) -> String {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

/// A list of sentences; nothing where there is none.
pub(super) fn sentences<'a>(sentences: impl IntoIterator<Item = &'a str>) -> Markup {
    let sentences: Vec<&str> = sentences.into_iter().collect();
    html! {
        @if !sentences.is_empty() {
            ul { @for sentence in &sentences { li { (sentence) } } }
        }
    }
}

/// A picture inside the page, with what it shows for those who do not see it.
pub(super) fn picture(png: Option<&[u8]>, shows: &str, caption: &str) -> Markup {
    html! {
        @if let Some(png) = png {
            figure {
                img src=(format!("data:image/png;base64,{}", STANDARD.encode(png))) alt=(shows);
                @if !caption.is_empty() { figcaption { (caption) } }
            }
        }
    }
}

/// How a result is marked: by a sign and a word, the colour only adds to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Pass,
    Warn,
    Fail,
    Unknown,
}

impl Mark {
    /// The sign with a word.
    pub(super) fn with(self, word: &str) -> Markup {
        let (class, sign) = match self {
            Self::Pass => ("pass", "\u{2713}"),
            Self::Warn => ("warn", "!"),
            Self::Fail => ("fail", "\u{2717}"),
            Self::Unknown => ("warn", "?"),
        };
        html! {
            span.mark.(class) { span aria-hidden="true" { (sign) } " " (word) }
        }
    }
}

/// The warnings with their codes.
pub(super) fn warnings(warnings: &[Warning]) -> Markup {
    html! {
        @if warnings.is_empty() {
            p { "None." }
        } @else {
            ul {
                @for warning in warnings {
                    li { (Mark::Warn.with("warning")) ": " (warning.message) " (" code { (warning.code) } ")" }
                }
            }
        }
    }
}
