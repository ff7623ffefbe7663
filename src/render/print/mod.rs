//! The panel of a case report: projections a, b, c of all scans above, axial sections d, e, f through one place below, at
//! a width and a resolution for print.
//!
//! All projections have one scale and one SUV window, and the place stands at one height in all; all sections have one
//! scale, and the place stands at one point in all. Marks at the edges of each picture point at it.

mod font;
mod grid;
mod pen;
mod sheet;
mod svg;

use grid::Grid;
use pen::Pen;
pub use sheet::Sheet;

use super::{
    CompareColumn, View,
    colour::{GREY_INK, INK, WHITE, Window, hot_iron, inverse_grey},
    panel::{Panel, number},
    plate::{region_section, region_shadow, section},
};
use image::RgbImage;

/// Size of a figure for print.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrintSize {
    /// Width, millimetres.
    pub width_mm: f64,
    /// Pixels an inch.
    pub dpi: f64,
}

impl PrintSize {
    /// Width of the column of one scan, and of what stands beside the columns, millimetres.
    const COLUMN_MM: f64 = 56.0;
    const BESIDE_MM: f64 = 15.0;
    /// Width of a page's text area: no figure is wider by itself.
    const PAGE_MM: f64 = 180.0;

    /// The usual width for a number of scans, in millimetres: 180, two columns of a journal, or less for one scan or two.
    pub fn usual_width_mm(scans: usize) -> f64 {
        (scans as f64 * Self::COLUMN_MM + Self::BESIDE_MM).min(Self::PAGE_MM)
    }
}

/// What stands on the sides of a picture: left and right of the patient.
const SIDES: [&str; 2] = ["R", "L"];

/// Lays the figure out: a column a scan, its captions below its projection and its section, `notes` at the foot.
pub fn print_figure(
    columns: &[CompareColumn<'_>],
    notes: &[String],
    size: PrintSize,
    window: Window,
) -> Sheet {
    let grid = Grid::new(columns, notes, size, window);
    let mut pen = Pen::new(&grid);
    for (n, column) in columns.iter().enumerate() {
        let fused = column.input.ct.is_some();
        projection(&mut pen, &grid, column, n, window);
        fused_section(&mut pen, &grid, column, n, window);
        pen.captions(&grid.captions[0], n, &grid);
        pen.captions(&grid.captions[1], n, &grid);
        for (row, dark) in [(0, false), (1, fused)] {
            let panel = grid.panel(n, row, dark);
            pen.marks(&panel, grid.focus(n));
            pen.sides(&panel, SIDES, grid.focus(n));
            pen.scale(&panel);
            pen.letter(&panel, n + row * columns.len());
        }
    }
    let fused = columns.iter().any(|c| c.input.ct.is_some());
    pen.bar(&grid, 0, window, inverse_grey);
    pen.bar(&grid, 1, window, if fused { hot_iron } else { inverse_grey });
    pen.notes(&grid);
    pen.into_sheet(&grid)
}

/// The projection of a scan with its outlines.
fn projection(pen: &mut Pen, grid: &Grid, column: &CompareColumn<'_>, n: usize, window: Window) {
    let panel = grid.panel(n, 0, false);
    pen.picture(&panel, |picture, canvas| {
        picture.paint_projection(canvas, &grid.bodies[n].coronal, window);
    });
    pen.outlines(&panel, &column.input.outlines, |o| Some(region_shadow(o.region, View::Coronal)));
}

/// The section of a scan through the place, with its outlines.
fn fused_section(pen: &mut Pen, grid: &Grid, column: &CompareColumn<'_>, n: usize, window: Window) {
    let place = grid.focus(n);
    let panel = grid.panel(n, 1, column.input.ct.is_some());
    let pet = section(column.input.suv, View::Axial, place);
    let ct = column.input.ct.and_then(|ct| section(ct, View::Axial, place));
    pen.picture(&panel, |picture, canvas| {
        picture.paint_fused(canvas, pet.as_ref(), ct.as_ref(), window);
    });
    pen.outlines(&panel, &column.input.outlines, |o| region_section(o.region, View::Axial, place));
}

/// A colour bar as a picture, its highest value at the top.
fn bar_picture(width: i64, height: i64, colour: impl Fn(f32) -> super::Colour) -> RgbImage {
    let size = |n: i64| u32::try_from(n.max(1)).unwrap_or(1);
    let (width, height) = (size(width), size(height));
    RgbImage::from_fn(width, height, |_, y| {
        image::Rgb(colour(1.0 - y as f32 / (height - 1).max(1) as f32))
    })
}
