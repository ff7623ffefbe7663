//! A white sheet to draw on: text, lines, rectangles, anti-aliased. Coordinates are pixels; whole numbers are centres.

use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::colour::{Colour, INK, WHITE, blend};

/// A part of the sheet: left, top, width, height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
}

impl Area {
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The part within `reach` of the segments' box.
    fn around(&self, segments: &[[f64; 4]], reach: f64) -> Option<Self> {
        let side = |a: usize, start: i64, length: i64| {
            let ends = || segments.iter().flat_map(|s| [s[a], s[a + 2]]);
            let low = (ends().fold(f64::MAX, f64::min) - reach).floor().max(start as f64);
            let high = ends().fold(f64::MIN, f64::max) + reach;
            let high = high.ceil().min((start + length - 1) as f64);
            (low <= high).then_some((low as i64, (high - low) as i64 + 1))
        };
        let (x, width) = side(0, self.x, self.width)?;
        let (y, height) = side(1, self.y, self.height)?;
        Some(Self { x, y, width, height })
    }

    pub(crate) fn holds(&self, inner: &Self) -> bool {
        self.x <= inner.x
            && self.y <= inner.y
            && inner.x + inner.width <= self.x + self.width
            && inner.y + inner.height <= self.y + self.height
    }
}

/// How text is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    size: RasterHeight,
    weight: FontWeight,
    colour: Colour,
    halo: Option<Colour>,
}

impl Style {
    /// Inside pictures.
    pub(crate) const SMALL: Self =
        Self { size: RasterHeight::Size16, weight: FontWeight::Regular, colour: INK, halo: None };
    /// Captions.
    pub(crate) const BODY: Self = Self { size: RasterHeight::Size20, ..Self::SMALL };
    /// The first line of a caption.
    pub(crate) const STRONG: Self = Self { size: RasterHeight::Size20, ..Self::TITLE };
    /// The figure's title and the panels' letters.
    pub(crate) const TITLE: Self =
        Self { size: RasterHeight::Size24, weight: FontWeight::Bold, colour: INK, halo: None };

    pub(crate) const fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    pub(crate) const fn with_halo(self, halo: Colour) -> Self {
        Self { halo: Some(halo), ..self }
    }

    pub(crate) const fn bold(self) -> Self {
        Self { weight: FontWeight::Bold, ..self }
    }

    /// Width of one character, pixels.
    pub(crate) const fn advance(self) -> i64 {
        get_raster_width(self.weight, self.size) as i64
    }

    /// Height of a line of text, pixels.
    pub(crate) const fn height(self) -> i64 {
        self.size.val() as i64
    }

    /// Width of a text, pixels.
    pub(crate) fn width(self, text: &str) -> i64 {
        text.chars().count() as i64 * self.advance()
    }

    /// Breaks a text between words so that each line fits; a longer word is broken where it must be.
    pub(crate) fn wrapped(self, text: &str, width: i64) -> Vec<String> {
        let fits = (width / self.advance()).max(1) as usize;
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let mut letters: Vec<char> = word.chars().collect();
            let line = lines.last().map_or(0, |l| l.chars().count());
            if line > 0 && line + 1 + letters.len() > fits {
                lines.push(String::new());
            } else if line > 0 {
                letters.insert(0, ' ');
            }
            for letter in letters {
                if lines.last().is_none_or(|l| l.chars().count() >= fits) {
                    lines.push(String::new());
                }
                lines.last_mut().expect("lines start with one").push(letter);
            }
        }
        lines
    }

    /// Breaks several lines of text.
    pub(crate) fn all_wrapped(self, lines: &[String], width: i64) -> Vec<String> {
        lines.iter().flat_map(|line| self.wrapped(line, width)).collect()
    }
}

/// The sheet.
#[derive(Debug, Clone)]
pub(crate) struct Canvas {
    pixels: RgbImage,
}

impl Canvas {
    pub(crate) fn new(width: i64, height: i64) -> Self {
        let size = |n: i64| u32::try_from(n.max(1)).unwrap_or(u32::MAX);
        Self { pixels: RgbImage::from_pixel(size(width), size(height), Rgb(WHITE)) }
    }

    pub(crate) fn into_image(self) -> RgbImage {
        self.pixels
    }

    /// Lays a colour on one pixel; outside the sheet nothing happens.
    pub(crate) fn put(&mut self, x: i64, y: i64, colour: Colour, opacity: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if let Some(pixel) = self.pixels.get_pixel_mut_checked(x, y) {
            pixel.0 = blend(pixel.0, colour, opacity);
        }
    }

    pub(crate) fn fill(&mut self, area: Area, colour: Colour) {
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                self.put(x, y, colour, 1.0);
            }
        }
    }

    /// Writes one line with its top left corner at (x, y).
    pub(crate) fn text(&mut self, x: i64, y: i64, text: &str, style: Style) {
        if let Some(halo) = style.halo {
            for_glyph_pixels(text, style, |px, py, ink| {
                for (dx, dy, part) in HALO {
                    self.put(x + px + dx, y + py + dy, halo, ink * part);
                }
            });
        }
        for_glyph_pixels(text, style, |px, py, ink| {
            self.put(x + px, y + py, style.colour, ink);
        });
    }

    /// Writes lines below one another.
    pub(crate) fn lines(&mut self, x: i64, y: i64, lines: &[String], style: Style, step: i64) {
        for (n, line) in lines.iter().enumerate() {
            self.text(x, y + n as i64 * step, line, style);
        }
    }

    /// Writes one line centred on x.
    pub(crate) fn text_centred(&mut self, x: i64, y: i64, text: &str, style: Style) {
        self.text(x - style.width(text) / 2, y, text, style);
    }

    /// Draws line segments `[x0, y0, x1, y1]` of a width as one shape, so that joints are not darker; kept inside
    /// `clip`.
    pub(crate) fn stroke(
        &mut self,
        segments: &[[f64; 4]],
        width: f64,
        colour: Colour,
        opacity: f32,
        clip: Area,
    ) {
        let reach = 0.5 * width + 1.0;
        let Some(clip) = clip.around(segments, reach) else { return };
        let mut cover = vec![0_f32; (clip.width.max(0) * clip.height.max(0)) as usize];
        for &[x0, y0, x1, y1] in segments {
            let span = |a: f64, b: f64, start: i64, length: i64| {
                let low = (a.min(b) - reach).ceil().max(start as f64) as i64;
                let high = (a.max(b) + reach).floor().min((start + length - 1) as f64) as i64;
                low..=high
            };
            for y in span(y0, y1, clip.y, clip.height) {
                for x in span(x0, x1, clip.x, clip.width) {
                    let distance = distance_to([x as f64, y as f64], [x0, y0, x1, y1]);
                    let ink = (0.5 * width + 0.5 - distance).clamp(0.0, 1.0) as f32;
                    let cell = &mut cover[((y - clip.y) * clip.width + x - clip.x) as usize];
                    *cell = cell.max(ink);
                }
            }
        }
        for (i, ink) in cover.into_iter().enumerate().filter(|(_, ink)| *ink > 0.0) {
            let i = i as i64;
            self.put(clip.x + i % clip.width, clip.y + i / clip.width, colour, ink * opacity);
        }
    }
}

/// Offsets and opacities of a soft edge around letters, two pixels wide.
const HALO: [(i64, i64, f32); 12] = [
    (-1, 0, 1.0),
    (1, 0, 1.0),
    (0, -1, 1.0),
    (0, 1, 1.0),
    (-1, -1, 0.9),
    (1, -1, 0.9),
    (-1, 1, 0.9),
    (1, 1, 0.9),
    (-2, 0, 0.5),
    (2, 0, 0.5),
    (0, -2, 0.5),
    (0, 2, 0.5),
];

/// Calls back for each pixel of a text that has ink (0 to 1). Letters the font lacks are written as `?`.
fn for_glyph_pixels(text: &str, style: Style, mut draw: impl FnMut(i64, i64, f32)) {
    for (n, letter) in text.chars().enumerate() {
        let glyph = get_raster(letter, style.weight, style.size)
            .or_else(|| get_raster('?', style.weight, style.size));
        let Some(glyph) = glyph else { continue };
        for (y, row) in glyph.rows().enumerate() {
            for (x, &ink) in row.iter().enumerate().filter(|(_, ink)| **ink > 0) {
                draw(n as i64 * style.advance() + x as i64, y as i64, f32::from(ink) / 255.0);
            }
        }
    }
}

fn distance_to([x, y]: [f64; 2], [x0, y0, x1, y1]: [f64; 4]) -> f64 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let length = dx * dx + dy * dy;
    let t =
        if length > 0.0 { (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (ex, ey) = (x - x0 - t * dx, y - y0 - t * dy);
    (ex * ex + ey * ey).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words_and_never_lost() {
        let width = 10 * Style::BODY.advance();
        for (text, lines) in [
            ("", vec![""]),
            ("Deauville 4", vec!["Deauville", "4"]),
            ("SUVmax 7.7", vec!["SUVmax 7.7"]),
            ("a hypermetabolic b", vec!["a", "hypermetab", "olic b"]),
        ] {
            assert_eq!(Style::BODY.wrapped(text, width), lines);
        }
    }

    #[test]
    fn a_stroke_is_as_wide_as_asked_and_stays_inside() {
        let mut canvas = Canvas::new(20, 20);
        let clip = Area { x: 0, y: 0, width: 10, height: 20 };
        canvas.stroke(&[[2.0, 10.0, 18.0, 10.0]], 3.0, [0, 0, 0], 1.0, clip);
        let image = canvas.into_image();
        let dark = |x, y| image.get_pixel(x, y).0 == [0, 0, 0];
        assert!(dark(5, 9) && dark(5, 10) && dark(5, 11));
        assert!(!dark(5, 8) && !dark(5, 12) && !dark(10, 10));
    }
}
