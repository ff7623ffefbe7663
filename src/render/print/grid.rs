//! Where everything stands. Lengths are millimetres of paper times the resolution.

use glam::DVec3;

use super::font::Type;
use super::{CompareColumn, Panel, PrintSize, View, Window};
use crate::render::Frame;
use crate::render::panel::body_extent;
use crate::render::plate::{Plate, mip, section};

/// Lengths on paper, millimetres.
pub(super) const MARGIN: f64 = 1.5;
const GAP: f64 = 2.0;
pub(super) const BAR_COLUMN: f64 = 9.0;
/// Tallest rows: with captions they fit a page of A4.
const TALLEST: [f64; 2] = [130.0, 60.0];
/// Lowest rows: a bar with its heading and numbers stands beside them.
const LOWEST: f64 = 12.0;
/// Sizes of type, points (1/72 inch).
pub(super) const CAPTION_PT: f64 = 7.5;
pub(super) const NOTE_PT: f64 = 6.0;
/// From one line to the next, as a part of the size of type.
const LEADING: f64 = 1.3;
/// Finest pixel in the patient, millimetres: a scan of a few voxels is not blown up without end.
const FINEST_MM: f64 = 0.02;

/// The body of a scan as its pictures show it, millimetres.
pub(super) struct Body {
    pub(super) coronal: Plate,
    /// Right to left and top to bottom in the projection.
    across: (f64, f64),
    down: (f64, f64),
    /// Right to left and front to back in the section.
    section: [(f64, f64); 2],
    /// The place, and the place held to the body: a place far outside shall not make an endless picture.
    focus: DVec3,
    held: DVec3,
}

impl Body {
    fn of(column: &CompareColumn<'_>, window: Window) -> Self {
        let focus = column.input.focus();
        let coronal = mip(column.input.suv, View::Coronal);
        let [across, down] = body_extent(&coronal, window);
        let section = match section(column.input.suv, View::Axial, focus) {
            Some(plate) => body_extent(&plate, window),
            None => [across, (focus.y - 0.3 * length(across), focus.y + 0.3 * length(across))],
        };
        let hold = |value: f64, (low, high): (f64, f64)| value.max(low).min(high);
        let held =
            DVec3::new(hold(focus.x, section[0]), hold(focus.y, section[1]), -hold(-focus.z, down));
        Self { coronal, across, down, section, focus, held }
    }
}

fn length((low, high): (f64, f64)) -> f64 {
    high - low
}

/// Lines below the pictures of a row.
pub(super) struct Captions {
    /// One list of lines a column, and whether each is bold; `headed` captions begin with a bold line.
    pub(super) columns: Vec<Vec<(String, bool)>>,
    pub(super) top: i64,
    height: i64,
}

/// Where everything stands, pixels.
pub(super) struct Grid {
    pub(super) bodies: Vec<Body>,
    pub(super) captions: [Captions; 2],
    pub(super) size: [i64; 2],
    pub(super) dpi: f64,
    pub(super) column: i64,
    /// Top, height and pixel (millimetres in the patient) of the rows; extents about the place in each.
    pub(super) tops: [i64; 2],
    rows: [Row; 2],
    pub(super) notes: Vec<String>,
    pub(super) notes_top: i64,
}

/// A row of pictures of one scale.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Extent of the pictures about the place, millimetres: left to right, top to bottom.
    about: [(f64, f64); 2],
    pixel_mm: f64,
    size: [i64; 2],
}

impl Row {
    fn new(about: [(f64, f64); 2], width: i64, tallest: i64) -> Self {
        let pixel_mm =
            (length(about[0]) / width as f64).max(length(about[1]) / tallest as f64).max(FINEST_MM);
        let pixels = |extent| ((length(extent) / pixel_mm).round() as i64).max(1);
        Self { about, pixel_mm, size: about.map(pixels) }
    }
}

/// The extent that holds all extents, each about its own place.
fn about(extents: impl Iterator<Item = ((f64, f64), f64)>) -> (f64, f64) {
    let (low, high) = extents.fold((0.0_f64, 0.0_f64), |(low, high), ((from, to), place)| {
        (low.min(from - place), high.max(to - place))
    });
    (low, high.max(low + 1.0))
}

/// Paper to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    dpi: f64,
}

impl Scale {
    pub(super) fn mm(self, mm: f64) -> f64 {
        mm * self.dpi / 25.4
    }

    pub(super) fn pixels(self, mm: f64) -> i64 {
        self.mm(mm).round() as i64
    }

    pub(super) fn points(self, points: f64, bold: bool) -> Type {
        Type { em: points * self.dpi / 72.0, bold }
    }

    pub(super) fn line(self, points: f64) -> i64 {
        (LEADING * points * self.dpi / 72.0).round() as i64
    }
}

impl Grid {
    pub(super) fn new(
        columns: &[CompareColumn<'_>],
        notes: &[String],
        size: PrintSize,
        window: Window,
    ) -> Self {
        let scale = Scale { dpi: size.dpi };
        let width = scale.pixels(size.width_mm).max(1);
        let count = columns.len().max(1) as i64;
        let beside = scale.pixels(2.0 * MARGIN + BAR_COLUMN) + (count - 1) * scale.pixels(GAP);
        let column = ((width - beside) / count).max(1);
        let bodies: Vec<Body> = columns.iter().map(|c| Body::of(c, window)).collect();
        // Across, projections stand about the middle of the body: arms differ more than the trunk.
        let widest = bodies.iter().map(|b| length(b.across)).fold(1.0, f64::max);
        let projections = Row::new(
            [(-0.5 * widest, 0.5 * widest), about(bodies.iter().map(|b| (b.down, -b.held.z)))],
            column,
            scale.pixels(TALLEST[0]),
        );
        let sections = Row::new(
            [
                about(bodies.iter().map(|b| (b.section[0], b.held.x))),
                about(bodies.iter().map(|b| (b.section[1], b.held.y))),
            ],
            column,
            scale.pixels(TALLEST[1]),
        );
        let lowest = scale.pixels(LOWEST);
        let height = |row: Row| row.size[1].max(lowest);
        let mut y = scale.pixels(MARGIN);
        let first_top = y;
        y += height(projections);
        let first = Captions::new(columns.iter().map(|c| &c.captions), true, scale, column, y);
        y += first.height + scale.pixels(GAP);
        let second_top = y;
        y += height(sections);
        let second =
            Captions::new(columns.iter().map(|c| &c.section_captions), false, scale, column, y);
        y += second.height + scale.pixels(GAP);
        let letters = scale.points(NOTE_PT, false);
        let room = width as f64 - 2.0 * scale.mm(MARGIN);
        let notes: Vec<String> = notes.iter().flat_map(|n| letters.wrapped(n, room)).collect();
        let bottom = y + notes.len() as i64 * scale.line(NOTE_PT) + scale.pixels(MARGIN);
        Self {
            bodies,
            captions: [first, second],
            size: [width, bottom],
            dpi: size.dpi,
            column,
            tops: [first_top, second_top],
            rows: [projections, sections],
            notes,
            notes_top: y,
        }
    }

    pub(super) fn scale(&self) -> Scale {
        Scale { dpi: self.dpi }
    }

    /// Height of a row with what stands beside it, pixels.
    pub(super) fn row_height(&self, row: usize) -> i64 {
        self.rows[row].size[1].max(self.scale().pixels(LOWEST))
    }

    /// The place in a scan.
    pub(super) fn focus(&self, n: usize) -> DVec3 {
        self.bodies[n].focus
    }

    /// Left edge of a column.
    pub(super) fn left(&self, n: usize) -> i64 {
        let scale = self.scale();
        scale.pixels(MARGIN) + n as i64 * (self.column + scale.pixels(GAP))
    }

    /// The panel of a scan in a row: 0 the projections, 1 the sections.
    pub(super) fn panel(&self, n: usize, row: usize, dark: bool) -> Panel {
        let (body, Row { about, pixel_mm, size }) = (&self.bodies[n], self.rows[row]);
        let (view, place) = if row == 0 {
            let middle = 0.5 * (body.across.0 + body.across.1);
            (View::Coronal, [middle, -body.held.z])
        } else {
            (View::Axial, [body.held.x, body.held.y])
        };
        let first_mm = std::array::from_fn(|axis| {
            // Half of what rounding to whole pixels has added or taken stands on either side.
            let (low, high) = about[axis];
            let middle = place[axis] + 0.5 * (low + high);
            middle - 0.5 * (size[axis] - 1) as f64 * pixel_mm
        });
        let frame = Frame { view, size: size.map(|n| n as usize), first_mm, pixel_mm };
        let x = self.left(n) + (self.column - size[0]) / 2;
        Panel::at(x, self.tops[row], frame, dark)
    }
}

impl Captions {
    fn new<'a>(
        columns: impl Iterator<Item = &'a Vec<String>>,
        headed: bool,
        scale: Scale,
        width: i64,
        top: i64,
    ) -> Self {
        let wrap = |(n, line): (usize, &String)| -> Vec<(String, bool)> {
            let bold = headed && n == 0;
            let letters = scale.points(CAPTION_PT, bold);
            letters.wrapped(line, width as f64).into_iter().map(|line| (line, bold)).collect()
        };
        let columns: Vec<Vec<_>> =
            columns.map(|lines| lines.iter().enumerate().flat_map(wrap).collect()).collect();
        let lines = columns.iter().map(Vec::len).max().unwrap_or(0) as i64;
        let height =
            if lines == 0 { 0 } else { lines * scale.line(CAPTION_PT) + scale.pixels(1.0) };
        Self { columns, top, height }
    }
}
