//! Whole figures: one scan, a series of scans side by side, and a reference region in three planes.
//!
//! Everything in one figure row has one scale and one SUV window. The layout of [`compare_figure`] follows the figure
//! of a case report: projections a, b, c above, axial sections d, e, f below, score and response under each.

use glam::DVec3;
use image::RgbImage;

use super::{
    PictureInput, RegionKind, View,
    canvas::{Area, Canvas, Style},
    colour::{GREY_INK, Window, outline_colour},
    panel::{Panel, body_extent, colour_bar, fused_section, number, projection},
    plate::{Frame, Plate, mip, section},
};

/// Said on every figure.
const RESEARCH_USE: &str =
    "Research use only, not a medical device. Computed values; a reader decides.";

const MARGIN: i64 = 24;
const GAP: i64 = 10;
/// Room for a colour bar with its numbers.
const BAR: i64 = 76;

/// What is written on the figure of one scan.
#[derive(Debug, Clone, Default)]
pub struct ScoreFigure {
    /// The line above the pictures: patient, date, score.
    pub title: String,
    /// Lines below the pictures: SUVmax, references, convention, warnings.
    pub captions: Vec<String>,
}

/// One scan of a comparison.
#[derive(Debug, Clone)]
pub struct CompareColumn<'a> {
    /// Its volumes and outlines. `focus_mm` chooses the axial section, in this scan's own frame.
    pub input: PictureInput<'a>,
    /// Lines under its projection, the first in bold: time point, `Deauville 4`, SUVmax, response.
    pub captions: Vec<String>,
    /// Lines under its axial section, such as the lesion it shows.
    pub section_captions: Vec<String>,
}

/// The three projections of a scan's body, and where the body is.
struct Body {
    coronal: Plate,
    sagittal: Plate,
    /// Right to left, front to back, and top to bottom (millimetres, as [`View::flatten`] has them).
    across: (f64, f64),
    through: (f64, f64),
    down: (f64, f64),
}

impl Body {
    fn of(input: &PictureInput<'_>, window: Window) -> Self {
        let coronal = mip(input.suv, View::Coronal);
        let sagittal = mip(input.suv, View::Sagittal);
        let [across, down] = body_extent(&coronal, window);
        let [through, _] = body_extent(&sagittal, window);
        Self { coronal, sagittal, across, through, down }
    }
}

fn length((low, high): (f64, f64)) -> f64 {
    high - low
}

/// The figure of one scan: coronal and sagittal projection in inverse grey with the outlined regions, and the coronal
/// and axial section (PET over CT; PET alone without CT) through `focus_mm`, with bars for SUV and length.
pub fn score_figure(input: &PictureInput<'_>, text: &ScoreFigure, window: Window) -> RgbImage {
    let body = Body::of(input, window);
    let widths = 2.0 * length(body.across) + length(body.through);
    let pixel_mm = (length(body.down) / 950.0).max(widths / 1250.0).max(0.2);
    let frame = |view, across| Frame::covering(view, [across, body.down], pixel_mm);
    let coronal = frame(View::Coronal, body.across);
    let sagittal = frame(View::Sagittal, body.through);
    let axial_mm = length(body.across).max(length(body.through)) / 520.0;
    let axial = Frame::covering(View::Axial, [body.across, body.through], axial_mm);

    let top = MARGIN + Style::TITLE.height() + GAP;
    let dark = input.ct.is_some();
    let mut x = MARGIN;
    let mut panel = |frame: Frame, dark| {
        let panel = Panel::at(x, top, frame, dark);
        x += panel.area.width + GAP;
        panel
    };
    let panels =
        [panel(coronal, false), panel(sagittal, false), panel(coronal, dark), panel(axial, dark)];
    let width = x - GAP + MARGIN;
    let bars = Area {
        x: panels[3].area.x,
        y: top + panels[3].area.height + 48,
        width: panels[3].area.width,
        height: 160,
    };
    let bottom = (top + panels[0].area.height).max(bars.y + bars.height + GAP) + GAP;
    let footer = Footer::new(&text.captions, &input_kinds(&[input]), window, dark, width);
    let mut canvas = Canvas::new(width, bottom + footer.height());
    canvas.text(MARGIN, MARGIN - 4, &text.title, Style::TITLE);

    let focus = input.focus();
    projection(&mut canvas, &panels[0], input, &body.coronal, window);
    projection(&mut canvas, &panels[1], input, &body.sagittal, window);
    for panel in &panels[2..] {
        fused_section(&mut canvas, panel, input, focus, window);
        panel.draw_crosshair(&mut canvas, focus);
    }
    for (panel, letter) in panels.iter().zip('a'..) {
        panel.draw_letter(&mut canvas, letter);
        panel.draw_scale(&mut canvas);
    }
    panels[0].draw_level(&mut canvas, focus);
    panels[1].draw_level(&mut canvas, focus);
    draw_bars(&mut canvas, bars, window, dark);
    footer.draw(&mut canvas, bottom);
    canvas.into_image()
}

/// The figure of a series: the coronal projections of all scans side by side at one scale and one SUV window, aligned
/// at the top of the body, and below each the axial section through its `focus_mm`.
pub fn compare_figure(
    title: &str,
    columns: &[CompareColumn<'_>],
    captions: &[String],
    window: Window,
) -> RgbImage {
    let bodies: Vec<Body> = columns.iter().map(|c| Body::of(&c.input, window)).collect();
    let largest =
        |side: fn(&Body) -> (f64, f64)| bodies.iter().map(|b| length(side(b))).fold(1.0, f64::max);
    let (across, through, down) =
        (largest(|b| b.across), largest(|b| b.through), largest(|b| b.down));
    let pixel_mm =
        (down / 900.0).max(through / 900.0).max(across * columns.len() as f64 / 1800.0).max(0.2);
    let about = |(low, high): (f64, f64), size: f64| {
        let middle = 0.5 * (low + high);
        (middle - 0.5 * size, middle + 0.5 * size)
    };

    let top = MARGIN + Style::TITLE.height() + GAP;
    let column_width = ((across / pixel_mm).round() as i64).max(1);
    let step = column_width.max(140) + GAP;
    let width = 2 * MARGIN + step * columns.len() as i64 + BAR;
    let projections_end = top + ((down / pixel_mm).round() as i64).max(1);
    let first = Caption::of(columns.iter().map(|c| &c.captions), step - GAP);
    let sections_top = projections_end + first.height() + GAP;
    let sections_end = sections_top + ((through / pixel_mm).round() as i64).max(1);
    let second = Caption::of(columns.iter().map(|c| &c.section_captions), step - GAP);
    let bottom = sections_end + second.height() + GAP;
    let dark = columns.iter().any(|c| c.input.ct.is_some());
    let inputs: Vec<&PictureInput<'_>> = columns.iter().map(|c| &c.input).collect();
    let footer = Footer::new(captions, &input_kinds(&inputs), window, dark, width);
    let mut canvas = Canvas::new(width, bottom + footer.height());
    canvas.text(MARGIN, MARGIN - 4, title, Style::TITLE);

    for (n, (column, body)) in columns.iter().zip(&bodies).enumerate() {
        let x = MARGIN + n as i64 * step;
        let sides = about(body.across, across);
        let head_down = (body.down.0, body.down.0 + down);
        let frame = Frame::covering(View::Coronal, [sides, head_down], pixel_mm);
        let panel = Panel::at(x, top, frame, false);
        projection(&mut canvas, &panel, &column.input, &body.coronal, window);
        panel.draw_letter(&mut canvas, letter(n));
        panel.draw_scale(&mut canvas);
        let focus = column.input.focus();
        panel.draw_level(&mut canvas, focus);
        first.draw(&mut canvas, n, x, projections_end);

        let frame = Frame::covering(View::Axial, [sides, about(body.through, through)], pixel_mm);
        let panel = Panel::at(x, sections_top, frame, column.input.ct.is_some());
        fused_section(&mut canvas, &panel, &column.input, focus, window);
        panel.draw_crosshair(&mut canvas, focus);
        panel.draw_letter(&mut canvas, letter(columns.len() + n));
        second.draw(&mut canvas, n, x, sections_end);
    }
    let x = MARGIN + step * columns.len() as i64;
    let bar = |y: i64| Area { x, y: y + 28, width: 16, height: 150 };
    colour_bar(&mut canvas, bar(top), window, false);
    if dark {
        colour_bar(&mut canvas, bar(sections_top), window, true);
    }
    footer.draw(&mut canvas, bottom);
    canvas.into_image()
}

/// A place in three planes, 24 cm wide: CT above (where there is one), PET in inverse grey below, both with the
/// outlines. For reference regions, to be checked by eye.
pub fn reference_views(
    input: &PictureInput<'_>,
    centre_mm: DVec3,
    text: &ScoreFigure,
    window: Window,
) -> RgbImage {
    const HALF_MM: f64 = 120.0;
    const PIXEL_MM: f64 = 0.6;
    let frames = [View::Axial, View::Coronal, View::Sagittal].map(|view| {
        let flat = view.flatten(centre_mm);
        let around = |mm: f64| (mm - HALF_MM, mm + HALF_MM);
        Frame::covering(view, [around(flat.x), around(flat.y)], PIXEL_MM)
    });
    let side = frames[0].size[0] as i64;
    let top = MARGIN + Style::TITLE.height() + GAP;
    let rows = if input.ct.is_some() { 2 } else { 1 };
    let width = 2 * MARGIN + 3 * (side + GAP) + BAR;
    let bottom = top + rows * (side + GAP);
    let footer = Footer::new(&text.captions, &input_kinds(&[input]), window, false, width);
    let mut canvas = Canvas::new(width, bottom + footer.height());
    canvas.text(MARGIN, MARGIN - 4, &text.title, Style::TITLE);
    for (n, frame) in frames.into_iter().enumerate() {
        let x = MARGIN + n as i64 * (side + GAP);
        if let Some(ct) = input.ct.and_then(|ct| section(ct, frame.view, centre_mm)) {
            let panel = Panel::at(x, top, frame, true);
            panel.paint_ct(&mut canvas, &ct);
            panel.draw_section_marks(&mut canvas, input, centre_mm);
        }
        let panel = Panel::at(x, top + (rows - 1) * (side + GAP), frame, false);
        let pet = section(input.suv, frame.view, centre_mm);
        panel.paint_fused(&mut canvas, pet.as_ref(), None, window);
        panel.draw_section_marks(&mut canvas, input, centre_mm);
    }
    let bar_top = top + (rows - 1) * (side + GAP) + 28;
    let bar = Area { x: width - MARGIN - BAR, y: bar_top, width: 16, height: 150 };
    colour_bar(&mut canvas, bar, window, false);
    footer.draw(&mut canvas, bottom);
    canvas.into_image()
}

/// a to z, then question marks: a figure of more than 13 scans is not readable anyway.
fn letter(n: usize) -> char {
    ('a'..='z').nth(n).unwrap_or('?')
}

fn draw_bars(canvas: &mut Canvas, area: Area, window: Window, fused: bool) {
    let bar = |n: i64| Area { x: area.x + 4 + n * 200, y: area.y, width: 18, height: area.height };
    let caption = |canvas: &mut Canvas, n: i64, text: [&str; 2]| {
        for (line, text) in text.into_iter().enumerate() {
            let y = area.y + 40 + line as i64 * 20;
            canvas.text(bar(n).x + 62, y, text, Style::BODY.coloured(GREY_INK));
        }
    };
    colour_bar(canvas, bar(0), window, false);
    if fused {
        caption(canvas, 0, ["projections", "(a, b)"]);
        colour_bar(canvas, bar(1), window, true);
        caption(canvas, 1, ["sections on CT", "(c, d)"]);
    } else {
        caption(canvas, 0, ["projections (a, b)", "and sections (c, d)"]);
    }
}

/// Kinds of region that are outlined, in a fixed order.
fn input_kinds(inputs: &[&PictureInput<'_>]) -> Vec<RegionKind> {
    [RegionKind::Lesion, RegionKind::Uncertain, RegionKind::Physiologic, RegionKind::Reference]
        .into_iter()
        .filter(|kind| inputs.iter().any(|i| i.outlines.iter().any(|o| o.kind == *kind)))
        .collect()
}

/// Centred lines under the columns of one row, wrapped to the column.
struct Caption {
    columns: Vec<Vec<String>>,
    width: i64,
}

impl Caption {
    fn of<'a>(columns: impl Iterator<Item = &'a Vec<String>>, width: i64) -> Self {
        let wrapped = |(n, line): (usize, &String)| Self::style(n).wrapped(line, width);
        let columns =
            columns.map(|lines| lines.iter().enumerate().flat_map(wrapped).collect()).collect();
        Self { columns, width }
    }

    fn style(line: usize) -> Style {
        if line == 0 { Style::STRONG } else { Style::BODY }
    }

    fn height(&self) -> i64 {
        let lines = self.columns.iter().map(Vec::len).max().unwrap_or(0) as i64;
        if lines == 0 { 0 } else { 8 + Style::STRONG.height() + 4 + (lines - 1) * 20 + 4 }
    }

    fn draw(&self, canvas: &mut Canvas, column: usize, x: i64, top: i64) {
        let mut y = top + 8;
        for (n, line) in self.columns[column].iter().enumerate() {
            canvas.text_centred(x + self.width / 2, y, line, Self::style(n));
            y += if n == 0 { Style::STRONG.height() + 4 } else { 20 };
        }
    }
}

/// Captions, legend, windows and the research line at the foot of a figure.
struct Footer {
    captions: Vec<String>,
    legend: Vec<RegionKind>,
    small: Vec<String>,
}

impl Footer {
    fn new(
        captions: &[String],
        legend: &[RegionKind],
        window: Window,
        fused: bool,
        width: i64,
    ) -> Self {
        let room = width - 2 * MARGIN;
        let wrap = |line: &str| Style::BODY.wrapped(line, room);
        let (low, high) = (number(window.low), number(window.high));
        let ct = Window::SOFT_TISSUE;
        let mut shown = format!("PET window SUV {low} to {high}, the same in all pictures.");
        if fused {
            let (low, high) = (number(ct.low), number(ct.high));
            shown += &format!(" CT window {low} to {high} HU.");
        }
        Self {
            captions: captions.iter().flat_map(|line| wrap(line)).collect(),
            legend: legend.to_vec(),
            small: [shown.as_str(), RESEARCH_USE].into_iter().flat_map(wrap).collect(),
        }
    }

    fn height(&self) -> i64 {
        let lines = self.captions.len() + usize::from(!self.legend.is_empty()) + self.small.len();
        lines as i64 * 22 + 6 + MARGIN
    }

    fn draw(&self, canvas: &mut Canvas, top: i64) {
        let mut y = top;
        for line in &self.captions {
            canvas.text(MARGIN, y, line, Style::BODY);
            y += 22;
        }
        y += 6;
        let mut x = MARGIN;
        for kind in &self.legend {
            let name = match kind {
                RegionKind::Lesion => "lesion",
                RegionKind::Uncertain => "uncertain",
                RegionKind::Physiologic => "normal uptake",
                RegionKind::Reference => "reference (L liver, B blood pool)",
            };
            // Left half: the colour on projections; right half: on sections.
            for (n, dark) in [false, true].into_iter().enumerate() {
                let swatch = Area { x: x + n as i64 * 14, y: y + 5, width: 14, height: 8 };
                canvas.fill(swatch, outline_colour(*kind, dark));
            }
            canvas.text(x + 36, y, name, Style::BODY);
            x += 36 + Style::BODY.width(name) + 28;
        }
        if !self.legend.is_empty() {
            y += 22;
        }
        for line in &self.small {
            canvas.text(MARGIN, y, line, Style::BODY.coloured(GREY_INK));
            y += 22;
        }
    }
}
