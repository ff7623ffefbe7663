//! A sheet to be printed: what stands on it, in pixels of the print, to be drawn as pixels or as SVG.

use image::RgbImage;

use super::font::Type;
use crate::render::canvas::{Area, Canvas};
use crate::render::colour::Colour;

/// A figure of a given size and resolution, as pixels ([`Self::image`]) and as SVG ([`Self::svg`]).
#[derive(Debug, Clone)]
pub struct Sheet {
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) dpi: f64,
    pub(super) items: Vec<Item>,
}

/// One thing on the sheet; later ones lie on earlier ones.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// A picture, its first pixel on that of the sheet.
    Picture { x: i64, y: i64, image: RgbImage },
    /// Segments `[x0, y0, x1, y1]`; whole numbers are centres of pixels.
    Lines(Lines),
    /// A line of text.
    Text(Text),
}

/// Segments of one colour and width.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    pub(super) segments: Vec<[f64; 4]>,
    pub(super) width: f64,
    pub(super) colour: Colour,
    pub(super) opacity: f32,
}

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text, its base line at `y`.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) anchor: Anchor,
    pub(super) letters: Type,
    pub(super) colour: Colour,
    /// Colour of a ground around the letters, where they lie on a picture.
    pub(super) halo: Option<Colour>,
    pub(super) words: String,
}

impl Text {
    /// Width of the ground around letters, as a part of the em.
    pub(super) const HALO: f64 = 0.11;

    /// Where the text begins, pixels.
    fn left(&self) -> f64 {
        let width = self.letters.width(&self.words);
        match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - 0.5 * width,
            Anchor::End => self.x - width,
        }
    }
}

impl Sheet {
    /// Width and height, pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height].map(|n| n.max(1) as usize)
    }

    /// Pixels an inch.
    pub fn dpi(&self) -> f64 {
        self.dpi
    }

    /// Width and height, millimetres.
    pub fn size_mm(&self) -> [f64; 2] {
        self.size().map(|n| n as f64 * 25.4 / self.dpi)
    }

    /// The sheet as pixels.
    pub fn image(&self) -> RgbImage {
        let mut canvas = Canvas::new(self.width, self.height);
        let all = Area { x: 0, y: 0, width: self.width, height: self.height };
        for item in &self.items {
            match item {
                Item::Picture { x, y, image } => {
                    for (px, py, colour) in image.enumerate_pixels() {
                        canvas.put(x + i64::from(px), y + i64::from(py), colour.0, 1.0);
                    }
                }
                Item::Lines(Lines { segments, width, colour, opacity }) => {
                    canvas.stroke(segments, *width, *colour, *opacity, all);
                }
                Item::Text(text) => draw_text(&mut canvas, text),
            }
        }
        canvas.into_image()
    }
}

fn draw_text(canvas: &mut Canvas, text: &Text) {
    let ink = text.letters.ink(&text.words, [text.left(), text.y]);
    if let Some(halo) = text.halo {
        for (x, y, part) in ink.spread(Text::HALO * text.letters.em).cells() {
            canvas.put(x, y, halo, 0.85 * part);
        }
    }
    for (x, y, part) in ink.cells() {
        canvas.put(x, y, text.colour, part);
    }
}
