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
    frame::Frame,
    panel::{Panel, body_extent, colour_bar, fused_section, number, projection},
    plate::{Plate, mip, section},
};

/// Said on every figure.
const RESEARCH_USE: &str =
    "Research use only, not a medical device. Computed values; a reader decides.";

const MARGIN: i64 = 24;
const GAP: i64 = 10;
/// Width of a colour bar with its numbers, and height with its heading and the gap below.
const BAR: i64 = 76;
const BAR_STEP: i64 = 200;
/// From one line of text to the next.
const LINE: i64 = 24;
/// Finest pixel, millimetres: a scan of a few voxels is not blown up without end.
const FINEST_MM: f64 = 0.2;

/// What is written above and below the pictures of a figure.
#[derive(Debug, Clone, Default)]
pub struct FigureText {
    /// The line above: patient, date, score.
    pub title: String,
    /// Lines below or beside: SUVmax, references, convention, warnings. Long lines are wrapped.
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
pub fn score_figure(input: &PictureInput<'_>, text: &FigureText, window: Window) -> RgbImage {
    let body = Body::of(input, window);
    let top = MARGIN + Style::TITLE.height() + GAP;
    let panels = score_panels(&body, top, input.ct.is_some());
    let side = panels[3].area;
    let width = side.x + side.width + GAP + BAR + MARGIN;
    // Captions stand beside the projections, below the axial section, where there is room.
    let beside = Style::BODY.all_wrapped(&text.captions, side.width + BAR);
    let beside_top = side.y + side.height.max(2 * BAR_STEP) + 2 * GAP;
    let fits = beside_top + beside.len() as i64 * LINE <= top + panels[0].area.height;
    let bottom = top + panels[0].area.height.max(side.height).max(2 * BAR_STEP) + GAP;
    let below = if fits { &[][..] } else { &text.captions };
    let footer = Footer::new(below, &[input], window, width);
    let mut canvas = Canvas::new(width, bottom + footer.height());
    canvas.text(MARGIN, MARGIN - 4, &text.title, Style::TITLE);

    let focus = input.focus();
    for (panel, plate) in panels.iter().zip([&body.coronal, &body.sagittal]) {
        projection(&mut canvas, panel, input, plate, window);
        panel.draw_level(&mut canvas, focus);
    }
    for panel in &panels[2..] {
        fused_section(&mut canvas, panel, input, focus, window);
    }
    for (panel, letter) in panels.iter().zip('a'..) {
        panel.draw_letter(&mut canvas, letter);
    }
    let bar_x = side.x + side.width + GAP;
    colour_bar(&mut canvas, [bar_x, top], window, false);
    if input.ct.is_some() {
        colour_bar(&mut canvas, [bar_x, top + BAR_STEP], window, true);
    }
    if fits {
        canvas.lines(side.x, beside_top, &beside, Style::BODY, LINE);
    }
    footer.draw(&mut canvas, bottom);
    canvas.into_image()
}

/// Coronal and sagittal projection, coronal section at one scale; the axial section larger.
fn score_panels(body: &Body, top: i64, fused: bool) -> [Panel; 4] {
    let widths = 2.0 * length(body.across) + length(body.through);
    let pixel_mm = (length(body.down) / 950.0).max(widths / 1250.0).max(FINEST_MM);
    let axial_mm = length(body.across).max(length(body.through)) / 520.0;
    let frame = |view, across| Frame::covering(view, [across, body.down], pixel_mm);
    let axial = Frame::covering(View::Axial, [body.across, body.through], axial_mm.max(FINEST_MM));
    let mut x = MARGIN;
    [
        (frame(View::Coronal, body.across), false),
        (frame(View::Sagittal, body.through), false),
        (frame(View::Coronal, body.across), fused),
        (axial, fused),
    ]
    .map(|(frame, dark)| {
        let panel = Panel::at(x, top, frame, dark);
        x += panel.area.width + GAP;
        panel
    })
}

/// The figure of a series: the coronal projections of all scans side by side at one scale and one SUV window, aligned
/// at the top of the body, and below each the axial section through its `focus_mm`.
pub fn compare_figure(
    columns: &[CompareColumn<'_>],
    text: &FigureText,
    window: Window,
) -> RgbImage {
    let grid = CompareGrid::new(columns, window);
    let bars_x = MARGIN + grid.step * columns.len() as i64;
    let width = bars_x + BAR + MARGIN;
    let inputs: Vec<&PictureInput<'_>> = columns.iter().map(|c| &c.input).collect();
    let footer = Footer::new(&text.captions, &inputs, window, width);
    let mut canvas = Canvas::new(width, grid.bottom + footer.height());
    canvas.text(MARGIN, MARGIN - 4, &text.title, Style::TITLE);
    for (n, column) in columns.iter().enumerate() {
        let focus = column.input.focus();
        let panel = grid.projection_panel(n);
        projection(&mut canvas, &panel, &column.input, &grid.bodies[n].coronal, window);
        panel.draw_letter(&mut canvas, letter(n));
        panel.draw_level(&mut canvas, focus);
        let panel = grid.section_panel(n, column.input.ct.is_some());
        fused_section(&mut canvas, &panel, &column.input, focus, window);
        panel.draw_letter(&mut canvas, letter(columns.len() + n));
        for (caption, top) in &grid.captions {
            caption.draw(&mut canvas, n, MARGIN + n as i64 * grid.step, *top);
        }
    }
    colour_bar(&mut canvas, [bars_x, grid.tops[0]], window, false);
    if columns.iter().any(|c| c.input.ct.is_some()) {
        colour_bar(&mut canvas, [bars_x, grid.tops[1]], window, true);
    }
    footer.draw(&mut canvas, grid.bottom);
    canvas.into_image()
}

/// Where the panels and captions of a comparison stand.
struct CompareGrid {
    bodies: Vec<Body>,
    /// Common width, depth and height shown of each body, millimetres.
    shown_mm: [f64; 3],
    pixel_mm: f64,
    /// From one column to the next.
    step: i64,
    /// Top of the projections and of the sections.
    tops: [i64; 2],
    captions: [(Caption, i64); 2],
    bottom: i64,
}

impl CompareGrid {
    fn new(columns: &[CompareColumn<'_>], window: Window) -> Self {
        let bodies: Vec<Body> = columns.iter().map(|c| Body::of(&c.input, window)).collect();
        let largest = |side: fn(&Body) -> (f64, f64)| {
            bodies.iter().map(|b| length(side(b))).fold(1.0, f64::max)
        };
        let shown_mm = [largest(|b| b.across), largest(|b| b.through), largest(|b| b.down)];
        let [across, through, down] = shown_mm;
        let pixel_mm = (down / 900.0)
            .max(through / 900.0)
            .max(across * columns.len() as f64 / 1800.0)
            .max(FINEST_MM);
        let pixels = |mm: f64| ((mm / pixel_mm).round() as i64).max(1);
        let caption_width = pixels(across).max(160);
        let top = MARGIN + Style::TITLE.height() + GAP;
        let first = Caption::of(columns.iter().map(|c| &c.captions), caption_width);
        let first_top = top + pixels(down);
        let sections_top = first_top + first.height() + GAP;
        let second = Caption::of(columns.iter().map(|c| &c.section_captions), caption_width);
        let second_top = sections_top + pixels(through).max(BAR_STEP);
        let bottom = second_top + second.height() + GAP;
        Self {
            bodies,
            shown_mm,
            pixel_mm,
            step: caption_width + GAP,
            tops: [top, sections_top],
            captions: [(first, first_top), (second, second_top)],
            bottom,
        }
    }

    fn projection_panel(&self, n: usize) -> Panel {
        let head = self.bodies[n].down.0;
        let sides = centred(self.bodies[n].across, self.shown_mm[0]);
        self.panel(n, 0, View::Coronal, [sides, (head, head + self.shown_mm[2])], false)
    }

    fn section_panel(&self, n: usize, dark: bool) -> Panel {
        let sides = centred(self.bodies[n].across, self.shown_mm[0]);
        let front_to_back = centred(self.bodies[n].through, self.shown_mm[1]);
        self.panel(n, 1, View::Axial, [sides, front_to_back], dark)
    }

    fn panel(&self, n: usize, row: usize, view: View, mm: [(f64, f64); 2], dark: bool) -> Panel {
        let frame = Frame::covering(view, mm, self.pixel_mm);
        Panel::at(MARGIN + n as i64 * self.step, self.tops[row], frame, dark)
    }
}

/// A length about the middle of another.
fn centred((low, high): (f64, f64), size: f64) -> (f64, f64) {
    let middle = 0.5 * (low + high);
    (middle - 0.5 * size, middle + 0.5 * size)
}

/// A place in three planes, 24 cm wide: CT above (where there is one), PET in inverse grey below, both with the
/// outlines. For reference regions, to be checked by eye.
pub fn reference_views(
    input: &PictureInput<'_>,
    centre_mm: DVec3,
    text: &FigureText,
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
    let pet_top = if input.ct.is_some() { top + side + GAP } else { top };
    let bars_x = MARGIN + 3 * (side + GAP);
    let width = bars_x + BAR + MARGIN;
    let footer = Footer::new(&text.captions, &[input], window, width);
    let mut canvas = Canvas::new(width, pet_top + side + GAP + footer.height());
    canvas.text(MARGIN, MARGIN - 4, &text.title, Style::TITLE);
    for (n, frame) in frames.into_iter().enumerate() {
        let x = MARGIN + n as i64 * (side + GAP);
        if let Some(ct) = input.ct {
            let panel = Panel::at(x, top, frame, true);
            panel.paint_ct(&mut canvas, section(ct, frame.view, centre_mm).as_ref());
            panel.draw_section_marks(&mut canvas, input, centre_mm);
        }
        let panel = Panel::at(x, pet_top, frame, false);
        let pet = section(input.suv, frame.view, centre_mm);
        panel.paint_fused(&mut canvas, pet.as_ref(), None, window);
        panel.draw_section_marks(&mut canvas, input, centre_mm);
        panel.draw_window(&mut canvas, window);
    }
    colour_bar(&mut canvas, [bars_x, pet_top], window, false);
    footer.draw(&mut canvas, pet_top + side + GAP);
    canvas.into_image()
}

/// a to z, then question marks: a figure of more than 13 scans is not readable anyway.
fn letter(n: usize) -> char {
    ('a'..='z').nth(n).unwrap_or('?')
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
        if lines == 0 { 0 } else { 12 + lines * LINE }
    }

    fn draw(&self, canvas: &mut Canvas, column: usize, x: i64, top: i64) {
        let mut y = top + 8;
        for (n, line) in self.columns[column].iter().enumerate() {
            canvas.text_centred(x + self.width / 2, y, line, Self::style(n));
            y += LINE;
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
    fn new(captions: &[String], inputs: &[&PictureInput<'_>], window: Window, width: i64) -> Self {
        let room = width - 2 * MARGIN;
        let (low, high) = (number(window.low), number(window.high));
        let ct = Window::SOFT_TISSUE;
        let mut shown = vec![format!("PET window SUV {low} to {high}, the same in all pictures.")];
        if inputs.iter().any(|input| input.ct.is_some()) {
            let (low, high) = (number(ct.low), number(ct.high));
            shown.push(format!("CT window {low} to {high} HU."));
        }
        Self {
            captions: Style::BODY.all_wrapped(captions, room),
            legend: input_kinds(inputs),
            small: Style::SMALL.all_wrapped(&[shown.join(" "), RESEARCH_USE.to_owned()], room),
        }
    }

    fn height(&self) -> i64 {
        let lines = self.captions.len() + usize::from(!self.legend.is_empty()) + self.small.len();
        lines as i64 * LINE + GAP + MARGIN
    }

    fn draw(&self, canvas: &mut Canvas, top: i64) {
        canvas.lines(MARGIN, top, &self.captions, Style::BODY, LINE);
        let mut y = top + self.captions.len() as i64 * LINE + GAP;
        let mut x = MARGIN;
        for kind in &self.legend {
            // Left half: the colour on projections; right half: on sections.
            for (n, dark) in [false, true].into_iter().enumerate() {
                let swatch = Area { x: x + n as i64 * 14, y: y + 5, width: 14, height: 8 };
                canvas.fill(swatch, outline_colour(*kind, dark));
            }
            canvas.text(x + 36, y, kind_name(*kind), Style::SMALL);
            x += 36 + Style::SMALL.width(kind_name(*kind)) + 28;
        }
        if !self.legend.is_empty() {
            y += LINE;
        }
        canvas.lines(MARGIN, y, &self.small, Style::SMALL.coloured(GREY_INK), LINE);
    }
}

fn kind_name(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Lesion => "lesion",
        RegionKind::Uncertain => "uncertain",
        RegionKind::Physiologic => "normal uptake",
        RegionKind::Reference => "reference (L liver, B blood pool)",
    }
}
