//! Where the numbers come from: headers, clock, factor, decisions of a person, criteria with their sources.

use maud::{Markup, html};

use super::parts::{Kind, Mark, table, text};
use crate::criteria::CONVENTIONS;
use crate::report::score::{ScoreDocument, SetAsideDocument};
use crate::report::suv::{clock_lines, suv_lines};
use crate::report::text::{shape, spacing};
use crate::suv::Input;

/// Lines as the text has them: a name with its value, further values under the same name.
pub(super) fn lines(lines: &[(&str, String)]) -> Markup {
    html! {
        dl {
            @for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
                @if !name.is_empty() { dt { (name) } }
                dd { (value) }
            }
        }
    }
}

/// How the stored values became SUV: series, factor, clock and each header value.
pub(super) fn suv(document: &ScoreDocument) -> Markup {
    let series = &document.series;
    let units = series.units.as_deref();
    html! {
        dl {
            dt { "PET" } dd { code { (series.series_uid) } " " bdi { (series.description) } }
            dt { "scanner" } dd { bdi { (series.manufacturer) " " (series.model) } }
            dt { "voxels" } dd { (shape(series.shape)) " of " (spacing(series.spacing_mm)) " mm" }
            dt { "CT" }
            dd {
                @if let Some(uid) = &document.ct_series_uid { code { (uid) } } @else { "none" }
            }
        }
        (lines(&suv_lines(&document.suv, units, document.edited)))
        (lines(&clock_lines(&document.clock, &document.decay_factor)))
        (inputs(&document.inputs))
        (set_aside(&document.set_aside))
    }
}

fn inputs(inputs: &[Input]) -> Markup {
    let headings = [
        ("Header value", Kind::Text),
        ("Tag", Kind::Text),
        ("As read", Kind::Text),
        ("Used", Kind::Text),
        ("Edited", Kind::Text),
    ];
    let row = |input: &Input| {
        vec![
            text(&input.name),
            html! { code { (input.tag) } },
            html! { bdi { (input.as_read) } },
            html! { bdi { (input.used) } },
            if input.edited { Mark::Warn.with("by hand") } else { text("no") },
        ]
    };
    table("Header values used", &headings, &inputs.iter().map(row).collect::<Vec<_>>())
}

fn set_aside(series: &[SetAsideDocument]) -> Markup {
    let headings = [("Series", Kind::Text), ("Description", Kind::Text), ("Why", Kind::Words)];
    let row = |aside: &SetAsideDocument| {
        vec![
            html! { code { (aside.series_uid) } },
            html! { bdi { (aside.description) } },
            text(&aside.reason),
        ]
    };
    let rows: Vec<Vec<Markup>> = series.iter().map(row).collect();
    html! {
        @if !rows.is_empty() { (table("Series that were not used", &headings, &rows)) }
    }
}

/// What a person decided; nothing where nobody was asked.
pub(super) fn decisions(document: &ScoreDocument) -> Markup {
    html! {
        @if let Some(decisions) = &document.decisions {
            p {
                "Decisions of a person: " bdi { (decisions.short()) }
                @if let Some(note) = &decisions.note { " (" bdi { (note) } ")" }
                "; file SHA-256 " code { (decisions.file_sha256) } "."
            }
            @if !decisions.edits.is_empty() {
                ul {
                    @for edit in &decisions.edits {
                        li {
                            (edit.text)
                            @if let Some(note) = &edit.note { ": " bdi { (note) } }
                            @if let Some(reader) = &edit.reader { " [" bdi { (reader) } "]" }
                        }
                    }
                }
            }
        }
    }
}

/// A set of numbers: what it is for, its name and its source.
pub(super) type Criterion = (&'static str, String, String);

/// The conventions of the scores with their sources, those of other conventions too.
pub(super) fn of_scores<'a>(scans: impl IntoIterator<Item = &'a ScoreDocument>) -> Vec<Criterion> {
    let mut found: Vec<Criterion> = Vec::new();
    for scan in scans {
        let main = std::iter::once(("Deauville score", scan.deauville.convention));
        let others = scan.deauville.alternatives.iter();
        let others = others.map(|other| ("Deauville score, for comparison", other.convention));
        for (purpose, name) in main.chain(others) {
            let known = CONVENTIONS.iter().find(|convention| convention.name == name);
            let (Some(convention), false) = (known, found.iter().any(|(_, n, _)| n == name)) else {
                continue;
            };
            found.push((purpose, name.to_owned(), convention.source.to_owned()));
        }
    }
    found
}

/// The sets of numbers as a table.
pub(super) fn criteria(found: &[Criterion]) -> Markup {
    let headings = [("For", Kind::Text), ("Set", Kind::Text), ("Source", Kind::Words)];
    let row = |(purpose, name, source): &Criterion| vec![text(purpose), text(name), text(source)];
    table("Sets of numbers used", &headings, &found.iter().map(row).collect::<Vec<_>>())
}

/// The files beside the page.
pub(super) fn files(files: &[String]) -> Markup {
    html! {
        p { "Written together, in one folder:" }
        ul { @for file in files { li { code { (file) } } } }
    }
}
