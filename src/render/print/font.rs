//! Letters of a proportional typeface at any size: their widths, and their ink on pixels.
//!
//! The typeface `DejaVu Sans`, in the program, so that a figure is the same on every machine.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, PxScaleFont, ScaleFont, point};

/// The names that an SVG asks for: the typeface of the pixels first, then what every machine has.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, Arial, Helvetica, sans-serif";

/// A typeface at a size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    /// Size of the em, pixels.
    pub(super) em: f64,
    pub(super) bold: bool,
}

impl Type {
    fn scaled(self) -> Option<PxScaleFont<&'static FontRef<'static>>> {
        static FACES: OnceLock<[Option<FontRef<'static>>; 2]> = OnceLock::new();
        let faces = FACES.get_or_init(|| {
            [dejavu::sans::regular(), dejavu::sans::bold()]
                .map(|bytes| FontRef::try_from_slice(bytes).ok())
        });
        let face = faces[usize::from(self.bold)].as_ref()?;
        // The scale of the crate is ascent and descent together, that of type is the em.
        let scale = self.em as f32 * face.height_unscaled() / face.units_per_em()?;
        Some(face.as_scaled(scale))
    }

    /// Width of a text, pixels.
    pub(super) fn width(self, text: &str) -> f64 {
        let mut width = 0.0;
        self.each_letter(text, |_, _, advance| width = advance);
        width
    }

    /// Calls back for each letter: the font, the letter's glyph at its place, and where the next one begins.
    fn each_letter(
        self,
        text: &str,
        mut letter: impl FnMut(&PxScaleFont<&'static FontRef<'static>>, ab_glyph::Glyph, f64),
    ) {
        let Some(font) = self.scaled() else { return };
        let (mut x, mut before) = (0.0_f32, None);
        for character in text.chars() {
            let id = font.glyph_id(character);
            x += before.map_or(0.0, |before| font.kern(before, id));
            let glyph = id.with_scale_and_position(font.scale(), point(x, 0.0));
            x += font.h_advance(id);
            letter(&font, glyph, f64::from(x));
            before = Some(id);
        }
    }

    /// Ink (0 to 1) of a text that begins at (0, 0) on its base line: left, top, width, and rows of ink.
    pub(super) fn ink(self, text: &str, [x, y]: [f64; 2]) -> Ink {
        let em = self.em.ceil() as i64;
        let mut ink = Ink {
            left: x.floor() as i64 - em,
            top: y.floor() as i64 - 2 * em,
            width: self.width(text).ceil() as i64 + 3 * em,
            height: 3 * em,
            cells: Vec::new(),
        };
        ink.cells = vec![0.0; (ink.width * ink.height) as usize];
        self.each_letter(text, |font, mut glyph, _| {
            glyph.position.x += (x - ink.left as f64) as f32;
            glyph.position.y += (y - ink.top as f64) as f32;
            let Some(outlined) = font.outline_glyph(glyph) else { return };
            let corner = outlined.px_bounds().min;
            outlined.draw(|px, py, part| {
                let (px, py) = (corner.x as i64 + i64::from(px), corner.y as i64 + i64::from(py));
                if (0..ink.width).contains(&px) && (0..ink.height).contains(&py) {
                    let cell = &mut ink.cells[(py * ink.width + px) as usize];
                    *cell = (*cell + part).min(1.0);
                }
            });
        });
        ink
    }

    /// Breaks a text between words so that each line fits a width in pixels; a word that is wider stands alone.
    pub(super) fn wrapped(self, text: &str, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            let longer = lines.last().map(|line| format!("{line} {word}"));
            match (longer.filter(|line| self.width(line) <= width), lines.last_mut()) {
                (Some(longer), Some(line)) => *line = longer,
                _ => lines.push(word.to_owned()),
            }
        }
        lines
    }
}

/// Where letters leave ink on pixels.
pub(super) struct Ink {
    pub(super) left: i64,
    pub(super) top: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    /// Row by row, 0 to 1.
    cells: Vec<f32>,
}

impl Ink {
    /// Cells with ink: column, row, ink.
    pub(super) fn cells(&self) -> impl Iterator<Item = (i64, i64, f32)> + '_ {
        let place = |(i, &ink): (usize, &f32)| {
            let i = i as i64;
            (self.left + i % self.width, self.top + i / self.width, ink)
        };
        self.cells.iter().enumerate().filter(|(_, ink)| **ink > 0.0).map(place)
    }

    /// The ink spread by a radius in pixels: a ground for letters on a picture.
    pub(super) fn spread(&self, radius: f64) -> Self {
        let reach = radius.ceil() as i64;
        let grown = |x: i64, y: i64| {
            let mut most = 0.0_f32;
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    let (px, py) = (x + dx, y + dy);
                    let inside = (0..self.width).contains(&px) && (0..self.height).contains(&py);
                    let distance = ((dx * dx + dy * dy) as f64).sqrt();
                    if inside && distance < radius + 1.0 {
                        let part = (radius + 1.0 - distance).min(1.0) as f32;
                        most = most.max(part * self.cells[(py * self.width + px) as usize]);
                    }
                }
            }
            most
        };
        let cells =
            (0..self.width * self.height).map(|i| grown(i % self.width, i / self.width)).collect();
        Self { cells, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_size_that_is_asked_for() {
        let letters = Type { em: 100.0, bold: false };
        // DejaVu Sans: the capital H is 0.729 em high and its advance 0.752 em.
        assert!((letters.width("H") - 75.2).abs() < 0.1, "{}", letters.width("H"));
        let ink = letters.ink("H", [50.0, 300.0]);
        let rows: Vec<i64> = ink.cells().filter(|c| c.2 > 0.5).map(|c| c.1).collect();
        let (top, bottom) = (rows.iter().min().unwrap(), rows.iter().max().unwrap());
        assert_eq!((*top, *bottom), (227, 299));
        assert!(Type { bold: true, ..letters }.width("H") > letters.width("H"));
    }

    #[test]
    fn text_is_wrapped_between_words() {
        let letters = Type { em: 10.0, bold: false };
        let width = letters.width("Deauville 5,");
        assert_eq!(letters.wrapped("Deauville 5, PMD", width), ["Deauville 5,", "PMD"]);
        assert_eq!(letters.wrapped("", width), Vec::<String>::new());
        assert_eq!(letters.wrapped("hypermetabolism", 5.0), ["hypermetabolism"]);
    }
}
