//! Each lesion over the scans of a series: as a document and as a figure.

use std::ops::Range;

use plotters::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::finite;
use crate::assessment::{Trajectory, TrajectoryVisit};
use crate::lesion::Class;

/// A lesion over the scans.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TrajectoryDocument {
    /// Number, from 1.
    pub id: usize,
    /// Where it was first seen.
    pub site: &'static str,
    /// `lesion` where it is one in any scan, else `uncertain`.
    pub class: &'static str,
    /// One a scan, in the order of `scans`.
    pub visits: Vec<TrajectoryVisitDocument>,
}

/// A lesion in one scan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TrajectoryVisitDocument {
    /// Numbers of its regions in the scan; none where it has none there.
    pub lesion_ids: Vec<usize>,
    /// Whether the site lies outside the field of view.
    pub out_of_view: bool,
    /// Highest SUV; without a region that at its place, as far as it was measured.
    pub suv_max: Option<f64>,
    /// Highest SULpeak; `null` where SUL is not known or there is no region.
    pub sul_peak: Option<f64>,
    /// Metabolic volume, millilitres; `null` out of view and where a region lies below the threshold.
    pub volume_ml: Option<f64>,
    /// Total lesion glycolysis, grams; as the volume.
    pub tlg_g: Option<f64>,
}

impl From<&TrajectoryVisit> for TrajectoryVisitDocument {
    fn from(visit: &TrajectoryVisit) -> Self {
        Self {
            lesion_ids: visit.lesion_ids.clone(),
            out_of_view: visit.out_of_view,
            suv_max: visit.suv_max.and_then(finite),
            sul_peak: visit.sul_peak.and_then(finite),
            volume_ml: visit.volume_ml.and_then(finite),
            tlg_g: visit.tlg_g.and_then(finite),
        }
    }
}

impl From<&Trajectory> for TrajectoryDocument {
    fn from(trajectory: &Trajectory) -> Self {
        Self {
            id: trajectory.id,
            site: trajectory.site.name(),
            class: trajectory.class.name(),
            visits: trajectory.visits.iter().map(Into::into).collect(),
        }
    }
}

/// A quantity that is drawn.
type Value = fn(&TrajectoryVisit) -> Option<f64>;

/// The quantities of the figure, one panel each.
const PANELS: [(&str, Value); 4] = [
    ("SUVmax", |v| v.suv_max),
    ("SULpeak", |v| v.sul_peak),
    ("MTV (mL)", |v| v.volume_ml),
    ("TLG (g)", |v| v.tlg_g),
];

/// Sums over the lesions are drawn of these.
fn is_sum(panel: &str) -> bool {
    panel.starts_with("MTV") || panel.starts_with("TLG")
}

/// Width and height of a panel, pixels.
const PANEL: (u32, u32) = (480, 320);

/// Height of the name of a line, pixels.
const NAME_PIXELS: i32 = 13;

/// The figure: a panel a quantity, a line a lesion (numbered as in the document), in black the total or the highest; the
/// scans from left to right. SVG text.
pub fn figure(trajectories: &[Trajectory], scans: &[String], note: &str) -> String {
    let mut text = String::new();
    let lesions: Vec<&Trajectory> =
        trajectories.iter().filter(|t| t.class == Class::Lesion).collect();
    {
        let size = (2 * PANEL.0, 2 * PANEL.1 + 24);
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        // Drawing into a string does not fail.
        let _ = draw(&area, &lesions, scans, note);
    }
    text
}

type Drawn<T> = Result<T, DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;

fn draw(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    lesions: &[&Trajectory],
    scans: &[String],
    note: &str,
) -> Drawn<()> {
    area.fill(&WHITE)?;
    let (panels, foot) = area.split_vertically(2 * PANEL.1);
    for (panel, (name, value)) in panels.split_evenly((2, 2)).iter().zip(PANELS) {
        draw_panel(panel, lesions, scans, name, value)?;
    }
    foot.draw(&Text::new(note.to_owned(), (10, 4), ("sans-serif", 13).into_font()))?;
    area.present()
}

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    lesions: &[&Trajectory],
    scans: &[String],
    name: &str,
    value: Value,
) -> Drawn<()> {
    let overall = overall(lesions, scans.len(), is_sum(name), value);
    let highest = overall.iter().filter_map(|v| *v).fold(0.0, f64::max);
    let right = (scans.len().max(2) - 1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .caption(name, ("sans-serif", 16))
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d(-0.15..right + 0.35, 0.0..(1.1 * highest).max(1e-3))?;
    let label = |x: &f64| {
        let whole = (x - x.round()).abs() < 0.01 && *x > -0.01;
        scans.get(x.round().max(0.0) as usize).filter(|_| whole).cloned().unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(8 * scans.len())
        .x_label_formatter(&label)
        .light_line_style(TRANSPARENT)
        .draw()?;
    let mut ends = Vec::new();
    for (n, lesion) in lesions.iter().enumerate() {
        let colour = Palette99::pick(n).to_rgba();
        let values: Vec<Option<f64>> = lesion.visits.iter().map(value).collect();
        let last = line(&mut chart, &values, colour.stroke_width(2))?;
        ends.extend(last.map(|at| End { at, name: lesion.id.to_string(), colour: darker(colour) }));
    }
    let last = line(&mut chart, &overall, BLACK.stroke_width(1))?;
    let total = last.filter(|_| is_sum(name));
    ends.extend(total.map(|at| End { at, name: "total".into(), colour: BLACK.into() }));
    let (_, rows) = chart.plotting_area().get_pixel_range();
    name_ends(area, ends, rows)
}

/// The colour of a line as one of letters on white: yellow ones cannot be read.
fn darker(RGBAColor(red, green, blue, opacity): RGBAColor) -> RGBAColor {
    let [red, green, blue] = [red, green, blue].map(|part| (0.6 * f64::from(part)) as u8);
    RGBAColor(red, green, blue, opacity)
}

/// The end of a line in pixels of the figure, and its name.
struct End {
    at: (i32, i32),
    name: String,
    colour: RGBAColor,
}

/// Writes the names behind the ends of their lines, in their colours; those that would lie on each other move apart,
/// within the rows of the plot.
fn name_ends(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    mut ends: Vec<End>,
    rows: Range<i32>,
) -> Drawn<()> {
    ends.sort_by_key(|end| end.at);
    let (left, top) = area.get_base_pixel();
    // Above the axis, below which the scans are named.
    let floor = rows.end - NAME_PIXELS + 3;
    for column in ends.chunk_by(|a, b| a.at.0 == b.at.0) {
        let wanted: Vec<i32> = column.iter().map(|end| end.at.1 - NAME_PIXELS / 2).collect();
        for (end, y) in column.iter().zip(apart(&wanted, rows.start, floor)) {
            let style = ("sans-serif", NAME_PIXELS).into_font().color(&end.colour);
            let place = (end.at.0 + 7 - left, y - top);
            area.draw(&Text::new(end.name.clone(), place, style))?;
        }
    }
    Ok(())
}

/// Heights at least a name apart, as near as may be to those wanted, which ascend; closer where there is no room.
fn apart(wanted: &[i32], top: i32, floor: i32) -> Vec<i32> {
    let gaps = wanted.len().saturating_sub(1).max(1) as i32;
    let gap = NAME_PIXELS.min((floor - top) / gaps);
    let mut heights = wanted.to_vec();
    for n in 1..heights.len() {
        heights[n] = heights[n].max(heights[n - 1] + gap);
    }
    let mut below = floor + gap;
    for height in heights.iter_mut().rev() {
        *height = (*height).min(below - gap);
        below = *height;
    }
    heights
}

/// A line through the known values, broken where one is not known; its last point in pixels.
fn line(
    chart: &mut ChartContext<
        '_,
        SVGBackend<'_>,
        Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
    >,
    values: &[Option<f64>],
    style: ShapeStyle,
) -> Drawn<Option<(i32, i32)>> {
    let points: Vec<Option<(f64, f64)>> =
        values.iter().enumerate().map(|(n, v)| v.map(|v| (n as f64, v))).collect();
    for run in points.split(Option::is_none) {
        let run: Vec<(f64, f64)> = run.iter().filter_map(|p| *p).collect();
        chart.draw_series(LineSeries::new(run.clone(), style))?;
        chart.draw_series(run.into_iter().map(|at| Circle::new(at, 3, style.filled())))?;
    }
    let last = points.iter().rev().find_map(|p| *p);
    Ok(last.map(|at| chart.plotting_area().map_coordinate(&at)))
}

/// The sum or the highest of the lesions in each scan, 0 without lesions. What lies below the threshold takes no part in a sum;
/// the highest is `None` where one of them is not known.
fn overall(lesions: &[&Trajectory], scans: usize, sum: bool, value: Value) -> Vec<Option<f64>> {
    let of_scan = |n: usize| {
        let present = lesions.iter().map(|l| &l.visits[n]).filter(|v| !v.lesion_ids.is_empty());
        if sum {
            return Some(present.filter_map(value).sum());
        }
        let values: Option<Vec<f64>> = present.map(value).collect();
        Some(values?.into_iter().fold(0.0, f64::max))
    };
    (0..scans).map(of_scan).collect()
}

#[cfg(test)]
mod tests {
    use super::{NAME_PIXELS, apart};

    #[test]
    fn names_do_not_lie_on_each_other() {
        assert_eq!(apart(&[10, 100, 200], 0, 300), [10, 100, 200]);
        assert_eq!(apart(&[250, 250, 251], 0, 300), [250, 263, 276]);
        assert_eq!(apart(&[298, 299, 300], 0, 300), [274, 287, 300]);
        let many = apart(&[300; 12], 0, 300);
        assert!(many.windows(2).all(|pair| pair[1] - pair[0] == NAME_PIXELS) && many[11] == 300);
        let crowd = apart(&[300; 100], 0, 300);
        assert!(crowd.iter().all(|height| (0..=300).contains(height)), "{crowd:?}");
    }
}
