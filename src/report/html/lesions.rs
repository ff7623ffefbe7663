//! The lesions over all scans.

use maud::{Markup, PreEscaped, html};

use super::parts::{Kind, Shown, ids, number, row, table, text};
use super::spark;
use crate::report::compare::CompareDocument;
use crate::report::trajectories::{TrajectoryDocument, TrajectoryVisitDocument};

/// The tables of the lesions over the scans, and the figure. `names` are those of the scans; `figure` is the SVG of
/// [`crate::report::trajectories::figure`].
pub(super) fn over_time(document: &CompareDocument, names: &[String], figure: &str) -> Markup {
    if document.trajectories.is_empty() {
        return html! { p { "No scan has a lesion or an uncertain region." } };
    }
    // Inside a page the namespace is understood.
    let figure = figure.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    html! {
        (uptake(document, names))
        p.muted {
            "Each line runs over the scans from left to right, from 0 to the lesion's own highest SUVmax. A SUVmax without "
            "region was measured at the lesion's place. A dash: not known or not defined."
        }
        (further(&document.trajectories, names))
        figure.plot {
            div role="img" aria-label="SUVmax, SULpeak, metabolic volume and TLG of each lesion over the scans; the numbers are in the tables above" {
                (PreEscaped(figure))
            }
            figcaption { "Each lesion over the scans, numbered as in the table; in black the total or the highest." }
        }
    }
}

/// Site, class, spark line, and SUVmax and volume of each scan.
fn uptake(document: &CompareDocument, names: &[String]) -> Markup {
    const CAPTION: &str = "Lesions over time: SUVmax and volume in each scan";
    html! {
        div.scroll tabindex="0" role="region" aria-label=(CAPTION) {
            table {
                caption { (CAPTION) }
                thead {
                    tr {
                        th.number scope="col" rowspan="2" { "No." }
                        th scope="col" rowspan="2" { "Site" }
                        th scope="col" rowspan="2" { "Class" }
                        th scope="col" rowspan="2" { "SUVmax" }
                        @for name in names { th.group scope="colgroup" colspan="3" { (name) } }
                    }
                    tr {
                        @for _ in names {
                            th.number scope="col" { "SUVmax" }
                            th.number scope="col" { "mL" }
                            th scope="col" { "Regions" }
                        }
                    }
                }
                tbody { @for t in &document.trajectories { (lesion(t, shown(t, document))) } }
            }
        }
    }
}

fn lesion(t: &TrajectoryDocument, shown: Option<Shown>) -> Markup {
    let values: Vec<Option<f64>> = t.visits.iter().map(|visit| visit.suv_max).collect();
    let word = |v: &Option<f64>| v.map_or_else(|| "not known".into(), |v| format!("{v:.2}"));
    let words: Vec<String> = values.iter().map(word).collect();
    let words = format!("SUVmax over the scans: {}", words.join(", "));
    let mut cells =
        vec![text(t.id.to_string()), text(t.site), text(t.class), spark::line(&values, &words)];
    let mut kinds = vec![Kind::Number, Kind::Text, Kind::Text, Kind::Text];
    for visit in &t.visits {
        cells.extend([number(visit.suv_max, 2), number(visit.volume_ml, 1), text(regions(visit))]);
        kinds.extend([Kind::Number, Kind::Number, Kind::Text]);
    }
    row(shown, &cells, kinds.into_iter())
}

/// Where a lesion is hottest in the first scan that has a region of it.
fn shown(t: &TrajectoryDocument, document: &CompareDocument) -> Option<Shown> {
    let of_visit = |(scan, visit): (usize, &TrajectoryVisitDocument)| {
        let id = visit.lesion_ids.first()?;
        let found = document.scans.get(scan)?.lesions.iter().find(|lesion| lesion.id == *id)?;
        Some(Shown { scan, place_mm: found.hottest_mm })
    };
    t.visits.iter().enumerate().find_map(of_visit)
}

/// The regions of a lesion in a scan, or why it has none.
fn regions(visit: &TrajectoryVisitDocument) -> String {
    match (visit.out_of_view, visit.lesion_ids.is_empty()) {
        (true, true) => "out of view".into(),
        (true, false) => format!("{} (partly out of view)", ids(&visit.lesion_ids)),
        (false, true) => "no region".into(),
        (false, false) => ids(&visit.lesion_ids),
    }
}

/// SULpeak and TLG of each scan.
fn further(trajectories: &[TrajectoryDocument], names: &[String]) -> Markup {
    let per_scan = |unit: &str| names.iter().map(|name| format!("{unit}, {name}")).collect();
    let [peaks, burdens]: [Vec<String>; 2] = [per_scan("SULpeak"), per_scan("TLG (g)")];
    let numbers = peaks.iter().chain(&burdens).map(|heading| (heading.as_str(), Kind::Number));
    let headings: Vec<(&str, Kind)> =
        [("No.", Kind::Number), ("Site", Kind::Text)].into_iter().chain(numbers).collect();
    let cells = |t: &TrajectoryDocument| {
        let peaks = t.visits.iter().map(|visit| number(visit.sul_peak, 2));
        let burdens = t.visits.iter().map(|visit| number(visit.tlg_g, 1));
        let first = [text(t.id.to_string()), text(t.site)];
        first.into_iter().chain(peaks).chain(burdens).collect()
    };
    let rows: Vec<Vec<Markup>> = trajectories.iter().map(cells).collect();
    table("Lesions over time: SULpeak and total lesion glycolysis", &headings, &rows)
}
