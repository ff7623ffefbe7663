//! A sheet as SVG: pictures as PNG inside the file, lines as paths, text as text.
//!
//! Source: SVG 1.1 (second edition), for the programs that typeset papers. One unit is a pixel of the pictures; width and
//! height are in millimetres.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ImageFormat, RgbImage};

use super::font::FAMILY;
use super::sheet::{Anchor, Item, Lines, Sheet, Text};
use crate::render::colour::Colour;

impl Sheet {
    /// The sheet as SVG, with what it shows as its accessible text.
    pub fn svg(&self, title: &str, description: &str) -> String {
        let [width_mm, height_mm] = self.size_mm();
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" \
             width=\"{width_mm:.2}mm\" height=\"{height_mm:.2}mm\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             font-family=\"{FAMILY}\">\n<title>{}</title>\n<desc>{}</desc>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
            escaped(title),
            escaped(description),
        );
        for item in &self.items {
            // Writing into a string does not fail.
            let _ = match item {
                Item::Picture { x, y, image } => {
                    let (width, height) = image.dimensions();
                    writeln!(
                        svg,
                        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
                         preserveAspectRatio=\"none\" xlink:href=\"data:image/png;base64,{}\"/>",
                        STANDARD.encode(png(image))
                    )
                }
                Item::Lines(lines) => writeln!(svg, "{}", path(lines)),
                Item::Text(text) => writeln!(svg, "{}", words(text)),
            };
        }
        svg + "</svg>\n"
    }
}

/// Whole numbers are centres of pixels in the sheet, and their corners in SVG.
fn path(lines: &Lines) -> String {
    let mut steps = String::new();
    let mut end = None;
    for &[x0, y0, x1, y1] in &lines.segments {
        let point = |x: f64, y: f64| format!("{:.2} {:.2}", x + 0.5, y + 0.5);
        if end != Some([x0, y0]) {
            let _ = write!(steps, "M{}", point(x0, y0));
        }
        let _ = write!(steps, "L{}", point(x1, y1));
        end = Some([x1, y1]);
    }
    format!(
        "<path d=\"{steps}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:.2}\" stroke-opacity=\"{}\" \
         stroke-linecap=\"round\"/>",
        hex(lines.colour),
        lines.width,
        lines.opacity
    )
}

fn words(text: &Text) -> String {
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let weight = if text.letters.bold { " font-weight=\"bold\"" } else { "" };
    let element = |style: &str| {
        format!(
            "<text x=\"{:.2}\" y=\"{:.2}\" font-size=\"{:.2}\" text-anchor=\"{anchor}\"{weight} {style}>{}</text>",
            text.x,
            text.y,
            text.letters.em,
            escaped(&text.words)
        )
    };
    let fill = format!("fill=\"{}\"", hex(text.colour));
    // The ground is an element of its own: `paint-order` is not known to every program that typesets.
    let ground = text.halo.map(|halo| {
        element(&format!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"{:.2}\" stroke-opacity=\"0.85\" stroke-linejoin=\"round\" \
             aria-hidden=\"true\"",
            hex(halo),
            2.0 * Text::HALO * text.letters.em
        ))
    });
    ground.unwrap_or_default() + &element(&fill)
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    // Into memory, of a size that an image has: nothing is left that could fail.
    let _ = image.write_to(&mut bytes, ImageFormat::Png);
    bytes.into_inner()
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace(char::is_control, "?")
}
