//! The projections of a series, each a picture of its own: for pages that set them side by side themselves.

use image::RgbImage;

use super::{
    PictureInput, View, Window,
    canvas::Canvas,
    frame::Frame,
    panel::{Panel, body_extent, projection},
    plate::{Plate, mip},
};

/// Finest pixel, millimetres.
const FINEST_MM: f64 = 0.2;
/// Longest side of a picture, pixels.
const LONGEST: f64 = 800.0;

/// A coronal projection and where the body is in it, millimetres.
struct Seen {
    plate: Plate,
    across: (f64, f64),
    down: (f64, f64),
}

impl Seen {
    fn of(input: &PictureInput<'_>, window: Window) -> Self {
        let plate = mip(input.suv, View::Coronal);
        let [across, down] = body_extent(&plate, window);
        Self { plate, across, down }
    }
}

/// The coronal projection of each scan in inverse grey with its outlined and numbered regions. All pictures have one size,
/// one scale and one SUV window, and the top of the body stands at the top of each, so that side by side they compare.
pub fn projections(inputs: &[PictureInput<'_>], window: Window) -> Vec<RgbImage> {
    let seen: Vec<Seen> = inputs.iter().map(|input| Seen::of(input, window)).collect();
    let largest = |side: fn(&Seen) -> (f64, f64)| {
        seen.iter().map(side).map(|(low, high)| high - low).fold(1.0, f64::max)
    };
    let (across, down) = (largest(|s| s.across), largest(|s| s.down));
    let pixel_mm = (across.max(down) / LONGEST).max(FINEST_MM);
    let picture = |(input, seen): (&PictureInput<'_>, &Seen)| {
        let middle = 0.5 * (seen.across.0 + seen.across.1);
        let sides = (middle - 0.5 * across, middle + 0.5 * across);
        let height = (seen.down.0, seen.down.0 + down);
        let frame = Frame::covering(View::Coronal, [sides, height], pixel_mm);
        let panel = Panel::at(0, 0, frame, false);
        let mut canvas = Canvas::new(panel.area.width, panel.area.height);
        projection(&mut canvas, &panel, input, &seen.plate, window);
        canvas.into_image()
    };
    inputs.iter().zip(&seen).map(picture).collect()
}
