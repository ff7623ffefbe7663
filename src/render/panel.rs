//! One panel of a figure: an image, its outlines and labels, letters of direction, marks and bars.

use glam::DVec3;

use super::{
    Outline, PictureInput,
    canvas::{Area, Canvas, Style},
    colour::{
        BLACK, Colour, GREY_INK, INK, WHITE, Window, blend, fusion_opacity, grey, hot_iron,
        inverse_grey, outline_colour,
    },
    contour,
    frame::Frame,
    label,
    plate::{Plate, region_section, region_shadow, section},
};

/// A frame and where its first pixel lies on the sheet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    pub(crate) frame: Frame,
    pub(crate) area: Area,
    /// Whether the ground is black (sections) or white (projections).
    pub(crate) dark: bool,
}

impl Panel {
    /// A panel with the frame's top left corner at (x, y).
    pub(crate) fn at(x: i64, y: i64, frame: Frame, dark: bool) -> Self {
        let [width, height] = frame.size.map(|n| n as i64);
        Self { frame, area: Area { x, y, width, height }, dark }
    }

    /// Paints the colour of each pixel.
    fn paint(&self, canvas: &mut Canvas, colour: impl Fn(usize) -> Colour) {
        for offset in 0..self.frame.size[0] * self.frame.size[1] {
            let (x, y) = (offset % self.frame.size[0], offset / self.frame.size[0]);
            canvas.put(self.area.x + x as i64, self.area.y + y as i64, colour(offset), 1.0);
        }
    }

    /// A projection in inverse grey.
    pub(crate) fn paint_projection(&self, canvas: &mut Canvas, plate: &Plate, window: Window) {
        let values = plate.on_frame(&self.frame);
        self.paint(canvas, |i| inverse_grey(window.fraction(values[i])));
    }

    /// A section of CT in grey; black where there is none.
    pub(crate) fn paint_ct(&self, canvas: &mut Canvas, ct: Option<&Plate>) {
        let Some(ct) = ct else { return canvas.fill(self.area, BLACK) };
        let values = ct.on_frame(&self.frame);
        self.paint(canvas, |i| grey(Window::SOFT_TISSUE.fraction(values[i])));
    }

    /// A section of PET over CT; without CT, PET alone in inverse grey.
    pub(crate) fn paint_fused(
        &self,
        canvas: &mut Canvas,
        pet: Option<&Plate>,
        ct: Option<&Plate>,
        window: Window,
    ) {
        let on_frame = |plate: &Plate| plate.on_frame(&self.frame);
        match (pet.map(on_frame), ct.map(on_frame)) {
            (None, _) if !self.dark => canvas.fill(self.area, WHITE),
            (Some(pet), Some(ct)) => self.paint(canvas, |i| {
                let under = grey(Window::SOFT_TISSUE.fraction(ct[i]));
                let fraction = window.fraction(pet[i]);
                blend(under, hot_iron(fraction), fusion_opacity(fraction))
            }),
            (Some(pet), None) => {
                self.paint(canvas, |i| inverse_grey(window.fraction(pet[i])));
            }
            (None, _) => self.paint_ct(canvas, ct),
        }
    }

    /// Outlines with their labels, from the plates of their regions.
    pub(crate) fn draw_outlines(
        &self,
        canvas: &mut Canvas,
        outlines: &[Outline<'_>],
        plate_of: impl Fn(&Outline<'_>) -> Option<Plate>,
    ) {
        let mut shown = Vec::new();
        for outline in outlines {
            let Some(plate) = plate_of(outline) else { continue };
            let segments: Vec<_> = contour::outline(&plate, &self.frame)
                .into_iter()
                .map(|[x0, y0, x1, y1]| {
                    let (dx, dy) = (self.area.x as f64, self.area.y as f64);
                    [x0 + dx, y0 + dy, x1 + dx, y1 + dy]
                })
                .collect();
            if segments.is_empty() {
                continue;
            }
            let colour = outline_colour(outline.kind, self.dark);
            let ground = if self.dark { BLACK } else { WHITE };
            canvas.stroke(&segments, 3.6, ground, 0.55, self.area);
            canvas.stroke(&segments, 1.6, colour, 1.0, self.area);
            shown.push((outline, bounding(&segments)));
        }
        let mut taken = self.reserved();
        for (outline, target) in shown.iter().filter(|(o, _)| !o.label.is_empty()) {
            let style = self.label_style(outline);
            let size = [style.width(&outline.label), style.height()];
            let others = shown.iter().map(|(_, area)| *area);
            let obstacles: Vec<Area> = taken.iter().copied().chain(others).collect();
            let area = label::place(*target, size, self.area, &obstacles);
            // Where every place touches an outline, only other labels are kept clear.
            let area = if obstacles.iter().any(|t| t.overlaps(&area)) {
                label::place(*target, size, self.area, &taken)
            } else {
                area
            };
            self.leader(canvas, *target, area, outline);
            canvas.text(area.x, area.y, &outline.label, style);
            taken.push(area);
        }
    }

    /// Where directions, scale, window and the panel's letter stand.
    fn reserved(&self) -> Vec<Area> {
        let Area { x, y, width, height } = self.area;
        let half = width / 2;
        let (corner, letter) = ([110, 34], [12, 18]);
        let area = |x, y, [width, height]: [i64; 2]| Area { x, y, width, height };
        vec![
            area(x, y, [30, 30]),
            area(x, y + height - corner[1], corner),
            area(x + width - 80, y + height - 24, [80, 24]),
            area(x + half - 6, y, letter),
            area(x + half - 6, y + height - letter[1], letter),
            area(x, y + height / 2 - 9, letter),
            area(x + width - letter[0], y + height / 2 - 9, letter),
        ]
    }

    fn label_style(&self, outline: &Outline<'_>) -> Style {
        let (ground, ink) = if self.dark {
            (BLACK, outline_colour(outline.kind, true))
        } else {
            (WHITE, outline_colour(outline.kind, false))
        };
        Style::SMALL.bold().coloured(ink).with_halo(ground)
    }

    /// A thin line from a label to its outline where they stand apart.
    fn leader(&self, canvas: &mut Canvas, target: Area, label: Area, outline: &Outline<'_>) {
        let nearest = |a: i64, length: i64, to: i64| to.clamp(a, a + length);
        let (cx, cy) = (label.x + label.width / 2, label.y + label.height / 2);
        let (tx, ty) = (nearest(target.x, target.width, cx), nearest(target.y, target.height, cy));
        let (lx, ly) = (nearest(label.x, label.width, tx), nearest(label.y, label.height, ty));
        if (lx - tx).abs().max((ly - ty).abs()) > 8 {
            let line = [[lx as f64, ly as f64, tx as f64, ty as f64]];
            canvas.stroke(&line, 1.0, outline_colour(outline.kind, self.dark), 0.9, self.area);
        }
    }

    /// R, L, A, P, H, F at the edges.
    pub(crate) fn draw_directions(&self, canvas: &mut Canvas) {
        let (ground, ink) = if self.dark { (BLACK, WHITE) } else { (WHITE, GREY_INK) };
        let style = Style::SMALL.coloured(ink).with_halo(ground);
        let [left, right, top, bottom] = self.frame.view.letters();
        let Area { x, y, width, height } = self.area;
        let (half_w, half_h) = (style.advance() / 2, style.height() / 2);
        canvas.text(x + 4, y + height / 2 - half_h, left, style);
        canvas.text(x + width - 4 - style.advance(), y + height / 2 - half_h, right, style);
        canvas.text(x + width / 2 - half_w, y + 1, top, style);
        canvas.text(x + width / 2 - half_w, y + height - 1 - style.height(), bottom, style);
    }

    /// Four short lines that point at a place and leave it free.
    pub(crate) fn draw_crosshair(&self, canvas: &mut Canvas, place_mm: DVec3) {
        let [u, v] = self.frame.pixel_of(place_mm);
        let (x, y) = (u + self.area.x as f64, v + self.area.y as f64);
        // Free for 3 cm around the place, then to 5 cm.
        let (near, far) = (30.0 / self.frame.pixel_mm, 50.0 / self.frame.pixel_mm);
        let lines = [
            [x - far, y, x - near, y],
            [x + near, y, x + far, y],
            [x, y - far, x, y - near],
            [x, y + near, x, y + far],
        ];
        let (ground, ink) = if self.dark { (BLACK, WHITE) } else { (WHITE, INK) };
        canvas.stroke(&lines, 3.0, ground, 0.5, self.area);
        canvas.stroke(&lines, 1.0, ink, 0.9, self.area);
    }

    /// Short marks at the left and right edge at the level of an axial section.
    pub(crate) fn draw_level(&self, canvas: &mut Canvas, place_mm: DVec3) {
        let [_, v] = self.frame.pixel_of(place_mm);
        let y = v + self.area.y as f64;
        let (left, right) = (self.area.x as f64, (self.area.x + self.area.width - 1) as f64);
        let marks = [[left, y, left + 14.0, y], [right - 14.0, y, right, y]];
        canvas.stroke(&marks, 2.0, INK, 0.8, self.area);
    }

    /// A bar of 10 cm (5 cm in small panels) in the lower left corner.
    pub(crate) fn draw_scale(&self, canvas: &mut Canvas) {
        let centimetres =
            if self.area.width as f64 * self.frame.pixel_mm > 250.0 { 10.0 } else { 5.0 };
        let length = centimetres * 10.0 / self.frame.pixel_mm;
        let (ground, ink) = if self.dark { (BLACK, WHITE) } else { (WHITE, INK) };
        let (x, y) = ((self.area.x + 10) as f64, (self.area.y + self.area.height - 10) as f64);
        let bar = [
            [x, y, x + length, y],
            [x, y - 4.0, x, y + 4.0],
            [x + length, y - 4.0, x + length, y + 4.0],
        ];
        canvas.stroke(&bar, 3.5, ground, 0.7, self.area);
        canvas.stroke(&bar, 1.5, ink, 1.0, self.area);
        let style = Style::SMALL.coloured(ink).with_halo(ground);
        canvas.text(
            x as i64 + 2,
            y as i64 - 6 - style.height(),
            &format!("{centimetres} cm"),
            style,
        );
    }

    /// The SUV window in the lower right corner.
    pub(crate) fn draw_window(&self, canvas: &mut Canvas, window: Window) {
        let (ground, ink) = if self.dark { (BLACK, WHITE) } else { (WHITE, INK) };
        let style = Style::SMALL.coloured(ink).with_halo(ground);
        let text = format!("SUV {}-{}", number(window.low), number(window.high));
        let x = self.area.x + self.area.width - 6 - style.width(&text);
        canvas.text(x, self.area.y + self.area.height - 4 - style.height(), &text, style);
    }

    /// All that lies on a section: outlines, directions, crosshair and scale.
    pub(crate) fn draw_section_marks(
        &self,
        canvas: &mut Canvas,
        input: &PictureInput<'_>,
        place_mm: DVec3,
    ) {
        let view = self.frame.view;
        self.draw_outlines(canvas, &input.outlines, |o| region_section(o.region, view, place_mm));
        self.draw_directions(canvas);
        self.draw_crosshair(canvas, place_mm);
        self.draw_scale(canvas);
    }

    /// A panel letter in the upper left corner, as in a printed figure.
    pub(crate) fn draw_letter(&self, canvas: &mut Canvas, letter: char) {
        let (ground, ink) = if self.dark { (BLACK, WHITE) } else { (WHITE, INK) };
        let style = Style::TITLE.coloured(ink).with_halo(ground);
        canvas.text(self.area.x + 7, self.area.y + 3, &letter.to_string(), style);
    }
}

/// Paints a whole projection panel.
pub(crate) fn projection(
    canvas: &mut Canvas,
    panel: &Panel,
    input: &PictureInput<'_>,
    plate: &Plate,
    window: Window,
) {
    panel.paint_projection(canvas, plate, window);
    let view = panel.frame.view;
    panel.draw_outlines(canvas, &input.outlines, |o| Some(region_shadow(o.region, view)));
    panel.draw_directions(canvas);
    panel.draw_scale(canvas);
    panel.draw_window(canvas, window);
}

/// Paints a whole fused section panel through a place.
pub(crate) fn fused_section(
    canvas: &mut Canvas,
    panel: &Panel,
    input: &PictureInput<'_>,
    place_mm: DVec3,
    window: Window,
) {
    let view = panel.frame.view;
    let pet = section(input.suv, view, place_mm);
    let ct = input.ct.and_then(|ct| section(ct, view, place_mm));
    panel.paint_fused(canvas, pet.as_ref(), ct.as_ref(), window);
    panel.draw_section_marks(canvas, input, place_mm);
    panel.draw_window(canvas, window);
}

/// The part of a scan that holds the patient, seen from one side: (left, right), (top, bottom) in millimetres.
///
/// Columns and rows count whose mean over the projection exceeds a twentieth of the largest column's or row's mean;
/// noise around the patient stays below. A centimetre is left around.
pub(crate) fn body_extent(plate: &Plate, window: Window) -> [(f64, f64); 2] {
    let [width, height] = plate.size();
    let full = plate.extent_mm();
    let value = |u: usize, v: usize| f64::from(window.fraction(plate.values()[v * width + u]));
    let columns: Vec<f64> = (0..width).map(|u| (0..height).map(|v| value(u, v)).sum()).collect();
    let rows: Vec<f64> = (0..height).map(|v| (0..width).map(|u| value(u, v)).sum()).collect();
    let profiles = [columns, rows];
    std::array::from_fn(|axis| {
        let profile = &profiles[axis];
        let limit = 0.05 * profile.iter().copied().fold(0.0, f64::max);
        let first = profile.iter().position(|&p| p > limit);
        let last = profile.iter().rposition(|&p| p > limit);
        let (Some(first), Some(last)) = (first, last) else { return full[axis] };
        let edge = |i: usize| full[axis].0 + i as f64 * plate.step_mm()[axis];
        ((edge(first) - 10.0).max(full[axis].0), (edge(last + 1) + 10.0).min(full[axis].1))
    })
}

/// A vertical colour bar with the window's numbers and the word SUV above it, from a top left corner.
pub(crate) fn colour_bar(canvas: &mut Canvas, [x, y]: [i64; 2], window: Window, hot: bool) {
    let style = Style::SMALL;
    let area = Area { x, y: y + style.height() + 6, width: 16, height: 150 };
    for y in 0..area.height {
        let fraction = 1.0 - y as f32 / (area.height - 1).max(1) as f32;
        let colour = if hot { hot_iron(fraction) } else { inverse_grey(fraction) };
        canvas.fill(Area { y: area.y + y, height: 1, ..area }, colour);
    }
    let (x0, y0) = (area.x as f64 - 0.5, area.y as f64 - 0.5);
    let (x1, y1) = (x0 + area.width as f64, y0 + area.height as f64);
    let around =
        Area { x: area.x - 2, y: area.y - 2, width: area.width + 4, height: area.height + 4 };
    let edges = [[x0, y0, x1, y0], [x1, y0, x1, y1], [x1, y1, x0, y1], [x0, y1, x0, y0]];
    canvas.stroke(&edges, 1.0, GREY_INK, 1.0, around);
    canvas.text(area.x, y, "SUV", style.bold());
    for (fraction, value) in
        [(0.0, window.low), (0.5, 0.5 * (window.low + window.high)), (1.0, window.high)]
    {
        let y = area.y + ((1.0 - fraction) * (area.height - 1) as f64) as i64;
        canvas.text(area.x + area.width + 6, y - style.height() / 2, &number(value), style);
    }
}

/// A number without needless decimals.
pub(crate) fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bounding(segments: &[[f64; 4]]) -> Area {
    let fold = |a: usize, b: usize, start: f64, pick: fn(f64, f64) -> f64| {
        segments.iter().fold(start, |best, s| pick(best, pick(s[a], s[b])))
    };
    let (left, top) = (fold(0, 2, f64::MAX, f64::min), fold(1, 3, f64::MAX, f64::min));
    let (right, bottom) = (fold(0, 2, f64::MIN, f64::max), fold(1, 3, f64::MIN, f64::max));
    Area {
        x: left.floor() as i64,
        y: top.floor() as i64,
        width: (right - left).ceil() as i64 + 1,
        height: (bottom - top).ceil() as i64 + 1,
    }
}
