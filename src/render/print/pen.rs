//! The pen that puts pictures, outlines, marks and words on the sheet.

use glam::DVec3;

use super::grid::{BAR_COLUMN, CAPTION_PT, Captions, Grid, MARGIN, NOTE_PT, Scale};
use super::sheet::{Anchor, Item, Lines, Sheet, Text};
use super::{GREY_INK, INK, Panel, View, WHITE, Window, bar_picture, number};
use crate::render::canvas::{Area, Canvas};
use crate::render::colour::{BLACK, Colour, outline_colour};
use crate::render::plate::Plate;
use crate::render::{Outline, contour};

/// Lengths on paper, millimetres.
const BAR_WIDTH: f64 = 2.4;
const BAR_HEIGHT: f64 = 26.0;
const MARK: f64 = 2.2;
/// Sizes of type, points (1/72 inch).
const LETTER_PT: f64 = 11.0;
const SMALL_PT: f64 = 6.5;

/// Puts things on the sheet.
pub(super) struct Pen {
    items: Vec<Item>,
    scale: Scale,
}

impl Pen {
    pub(super) fn new(grid: &Grid) -> Self {
        Self { items: Vec::new(), scale: grid.scale() }
    }

    pub(super) fn into_sheet(self, grid: &Grid) -> Sheet {
        let [width, height] = grid.size;
        Sheet { width, height, dpi: grid.dpi, items: self.items }
    }

    /// The picture of a panel.
    pub(super) fn picture(&mut self, panel: &Panel, paint: impl FnOnce(&Panel, &mut Canvas)) {
        let Area { x, y, width, height } = panel.area;
        let mut canvas = Canvas::new(width, height);
        paint(&Panel::at(0, 0, panel.frame, panel.dark), &mut canvas);
        self.items.push(Item::Picture { x, y, image: canvas.into_image() });
    }

    /// Outlines of regions, from their plates.
    pub(super) fn outlines(
        &mut self,
        panel: &Panel,
        outlines: &[Outline<'_>],
        plate_of: impl Fn(&Outline<'_>) -> Option<Plate>,
    ) {
        let (dx, dy) = (panel.area.x as f64, panel.area.y as f64);
        let (ground, _) = grounds(panel.dark);
        for outline in outlines {
            let Some(plate) = plate_of(outline) else { continue };
            let segments: Vec<[f64; 4]> = contour::outline(&plate, &panel.frame)
                .into_iter()
                .map(|[x0, y0, x1, y1]| [x0 + dx, y0 + dy, x1 + dx, y1 + dy])
                .collect();
            if !segments.is_empty() {
                self.lines(segments.clone(), 0.42, ground, 0.5);
                self.lines(segments, 0.22, outline_colour(outline.kind, panel.dark), 1.0);
            }
        }
    }

    /// Segments of a width in millimetres of paper.
    fn lines(&mut self, segments: Vec<[f64; 4]>, mm: f64, colour: Colour, opacity: f32) {
        let width = self.scale.mm(mm).max(1.0);
        self.items.push(Item::Lines(Lines { segments, width, colour, opacity }));
    }

    fn text(&mut self, [x, y]: [f64; 2], text: &str, style: Style) {
        let Style { points, bold, colour, halo, anchor } = style;
        let letters = self.scale.points(points, bold);
        let words = text.to_owned();
        self.items.push(Item::Text(Text { x, y, anchor, letters, colour, halo, words }));
    }

    /// Captions of one column, centred.
    pub(super) fn captions(&mut self, captions: &Captions, n: usize, grid: &Grid) {
        let middle = grid.left(n) as f64 + 0.5 * grid.column as f64;
        let step = self.scale.line(CAPTION_PT) as f64;
        let first = captions.top as f64 + self.scale.mm(0.6) + 0.8 * step;
        for (i, (line, bold)) in captions.columns[n].iter().enumerate() {
            let style = Style { bold: *bold, anchor: Anchor::Middle, ..Style::PLAIN };
            self.text([middle, first + i as f64 * step], line, style);
        }
    }

    /// Short marks at the edges of a panel that point at a place: its level on a projection, itself on a section.
    pub(super) fn marks(&mut self, panel: &Panel, place_mm: DVec3) {
        let Area { x, y, width, height } = panel.area;
        // The ends of the lines and their ground stay inside.
        let inset = self.scale.mm(0.4);
        let [u, v] = panel.frame.pixel_of(place_mm);
        let (u, v) = (u + x as f64, v + y as f64);
        let (left, top) = (x as f64 + inset, y as f64 + inset);
        let (right, bottom) = ((x + width) as f64 - 1.0 - inset, (y + height) as f64 - 1.0 - inset);
        let mark = self.scale.mm(MARK);
        let mut lines = Vec::new();
        if (top..=bottom).contains(&v) {
            lines.extend([[left, v, left + mark, v], [right - mark, v, right, v]]);
        }
        if panel.frame.view == View::Axial && (left..=right).contains(&u) {
            lines.extend([[u, top, u, top + mark], [u, bottom - mark, u, bottom]]);
        }
        let (ground, ink) = grounds(panel.dark);
        self.lines(lines.clone(), 0.7, ground, 0.5);
        self.lines(lines, 0.3, ink, 1.0);
    }

    /// The sides of the patient at the left and right edge, clear of the marks.
    pub(super) fn sides(&mut self, panel: &Panel, names: [&str; 2], place_mm: DVec3) {
        let Area { x, y, width, height } = panel.area;
        let [_, mark] = panel.frame.pixel_of(place_mm);
        let middle = 0.5 * height as f64;
        let clear = self.scale.mm(2.6);
        let above = (middle - mark).abs() < clear;
        let v = y as f64 + if above { mark - clear } else { middle } + 0.9 * self.scale.mm(1.0);
        let inset = self.scale.mm(0.8);
        let style = Style { points: SMALL_PT, ..Style::on(panel.dark) };
        self.text([x as f64 + inset, v], names[0], style);
        let right = (x + width) as f64 - inset;
        self.text([right, v], names[1], Style { anchor: Anchor::End, ..style });
    }

    /// A bar of a round length in the lower left corner.
    pub(super) fn scale(&mut self, panel: &Panel) {
        let Area { x, y, width, height } = panel.area;
        let pixel_mm = panel.frame.pixel_mm;
        let fits = |mm: &&f64| **mm <= 0.3 * width as f64 * pixel_mm;
        let mm = *[200.0, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0].iter().find(fits).unwrap_or(&1.0);
        let (_, ink) = grounds(panel.dark);
        let (ground, _) = grounds(panel.dark);
        let left = x as f64 + self.scale.mm(1.2);
        let v = (y + height) as f64 - self.scale.mm(1.4);
        let bar = vec![[left, v, left + mm / pixel_mm, v]];
        self.lines(bar.clone(), 1.0, ground, 0.7);
        self.lines(bar, 0.5, ink, 1.0);
        let text = if mm < 10.0 { format!("{mm} mm") } else { format!("{} cm", mm / 10.0) };
        let style = Style { points: SMALL_PT, ..Style::on(panel.dark) };
        self.text([left, v - self.scale.mm(0.9)], &text, style);
    }

    /// The letter of a panel, in its upper left corner: a to z, then question marks.
    pub(super) fn letter(&mut self, panel: &Panel, n: usize) {
        let letter = ('a'..='z').nth(n).unwrap_or('?');
        let at =
            [panel.area.x as f64 + self.scale.mm(1.0), panel.area.y as f64 + self.scale.mm(3.6)];
        let style = Style { points: LETTER_PT, bold: true, ..Style::on(panel.dark) };
        self.text(at, &letter.to_string(), style);
    }

    /// The colour bar beside a row, with the numbers of the window.
    pub(super) fn bar(
        &mut self,
        grid: &Grid,
        row: usize,
        window: Window,
        colour: impl Fn(f32) -> Colour,
    ) {
        let scale = self.scale;
        let x = grid.size[0] - scale.pixels(MARGIN + BAR_COLUMN) + scale.pixels(1.6);
        let heading = scale.mm(4.0);
        let top = grid.tops[row];
        let room = grid.row_height(row) as f64 - heading;
        let height = scale.mm(BAR_HEIGHT).min(room - scale.mm(1.0)).max(1.0) as i64;
        let style = Style { points: SMALL_PT, ..Style::PLAIN };
        self.text([x as f64, top as f64 + scale.mm(1.9)], "SUV", Style { bold: true, ..style });
        let (width, y) = (scale.pixels(BAR_WIDTH), top + heading.round() as i64);
        self.items.push(Item::Picture { x, y, image: bar_picture(width, height, colour) });
        let (x0, y0) = (x as f64 - 0.5, y as f64 - 0.5);
        let (x1, y1) = (x0 + width as f64, y0 + height as f64);
        let edges = vec![[x0, y0, x1, y0], [x1, y0, x1, y1], [x1, y1, x0, y1], [x0, y1, x0, y0]];
        self.lines(edges, 0.12, GREY_INK, 1.0);
        for (part, value) in
            [(0.0, window.low), (0.5, 0.5 * (window.low + window.high)), (1.0, window.high)]
        {
            let v = y1 - part * height as f64;
            self.lines(vec![[x1, v, x1 + scale.mm(0.6), v]], 0.15, GREY_INK, 1.0);
            let at = [x1 + scale.mm(1.0), v + scale.mm(0.8)];
            self.text(at, &number(value), style);
        }
    }

    /// Notes at the foot.
    pub(super) fn notes(&mut self, grid: &Grid) {
        let step = self.scale.line(NOTE_PT);
        let style = Style { points: NOTE_PT, colour: GREY_INK, ..Style::PLAIN };
        for (n, line) in grid.notes.iter().enumerate() {
            let y = grid.notes_top as f64 + (n as f64 + 0.8) * step as f64;
            self.text([self.scale.mm(MARGIN), y], line, style);
        }
    }
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
struct Style {
    points: f64,
    bold: bool,
    colour: Colour,
    halo: Option<Colour>,
    anchor: Anchor,
}

impl Style {
    /// A caption on paper.
    const PLAIN: Self =
        Self { points: CAPTION_PT, bold: false, colour: INK, halo: None, anchor: Anchor::Start };

    /// On a picture.
    fn on(dark: bool) -> Self {
        let (ground, ink) = grounds(dark);
        Self { colour: ink, halo: Some(ground), ..Self::PLAIN }
    }
}

/// Ground and ink on a picture.
fn grounds(dark: bool) -> (Colour, Colour) {
    if dark { (BLACK, WHITE) } else { (WHITE, INK) }
}
