//! From values to colours.

use super::RegionKind;

/// Red, green, blue.
pub type Colour = [u8; 3];

pub(crate) const BLACK: Colour = [0, 0, 0];
pub(crate) const WHITE: Colour = [255, 255, 255];
/// Text and lines on white paper.
pub(crate) const INK: Colour = [26, 28, 34];
/// Secondary text on white paper; contrast 5.9 to 1.
pub(crate) const GREY_INK: Colour = [96, 99, 107];

/// The values shown between darkest and brightest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Shown as the first colour, and everything below.
    pub low: f32,
    /// Shown as the last colour, and everything above.
    pub high: f32,
}

impl Window {
    /// SUV 0 to 7: the usual window for FDG in lymphoma on a maximum intensity projection.
    pub const PET: Self = Self { low: 0.0, high: 7.0 };
    /// Soft tissue: level 40, width 400 HU.
    pub const SOFT_TISSUE: Self = Self { low: -160.0, high: 240.0 };

    /// Where a value lies in the window, 0 to 1; 0 for NaN.
    pub fn fraction(&self, value: f32) -> f32 {
        let fraction = (value - self.low) / (self.high - self.low);
        if fraction > 0.0 { fraction.min(1.0) } else { 0.0 }
    }
}

/// The Hot Iron palette for a fraction of 0 to 1.
///
/// Source: DICOM PS3.6 B.1.1 (well-known colour palette `HOT_IRON`): red rises over the first half, green over the second
/// half, blue over the last quarter.
pub fn hot_iron(fraction: f32) -> Colour {
    [2.0 * fraction, 2.0 * fraction - 1.0, 4.0 * fraction - 3.0].map(byte)
}

/// White for 0 to black for 1, as PET is read.
pub(crate) fn inverse_grey(fraction: f32) -> Colour {
    [byte(1.0 - fraction); 3]
}

/// Black for 0 to white for 1, as CT is read.
pub(crate) fn grey(fraction: f32) -> Colour {
    [byte(fraction); 3]
}

/// How much of the PET colour covers the CT: nothing at the window's foot, rising to 85 %, so that anatomy shows where
/// there is little uptake and uptake keeps its colour where there is much.
pub(crate) fn fusion_opacity(fraction: f32) -> f32 {
    (1.5 * fraction).min(0.85)
}

/// `over` laid on `under` with an opacity of 0 to 1.
pub(crate) fn blend(under: Colour, over: Colour, opacity: f32) -> Colour {
    std::array::from_fn(|i| {
        let (u, o) = (f32::from(under[i]), f32::from(over[i]));
        (u + (o - u) * opacity).round() as u8
    })
}

/// Outline colours on a white ground (projections) and on a dark ground (sections). Red-orange, purple, grey and blue
/// after Okabe and Ito 2008 (Color Universal Design), darkened until text in them has a contrast of 4.5 to 1 on white.
pub(crate) fn outline_colour(kind: RegionKind, dark_ground: bool) -> Colour {
    match (kind, dark_ground) {
        (RegionKind::Lesion, false) => [213, 48, 0],
        (RegionKind::Lesion, true) => [0, 230, 255],
        (RegionKind::Uncertain, false) => [170, 60, 130],
        (RegionKind::Uncertain, true) => [240, 160, 205],
        (RegionKind::Physiologic, false) => [110, 110, 110],
        (RegionKind::Physiologic, true) => [190, 190, 190],
        (RegionKind::Reference, false) => [0, 114, 178],
        (RegionKind::Reference, true) => [90, 255, 150],
    }
}

fn byte(fraction: f32) -> u8 {
    (fraction.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hot_iron_follows_the_standard_table() {
        // PS3.6 table B.1.1: entries 0, 64, 128, 192, 255; a step of 2 is the table's own rounding.
        for (entry, expected) in [
            (0, [0, 0, 0]),
            (64, [128, 0, 0]),
            (128, [255, 0, 0]),
            (192, [255, 128, 0]),
            (255, [255, 255, 255]),
        ] {
            let found = hot_iron(entry as f32 / 255.0);
            for (f, e) in found.into_iter().zip(expected) {
                assert!((i32::from(f) - e).abs() <= 3, "entry {entry}: {found:?}");
            }
        }
    }

    #[test]
    fn a_window_clips_and_takes_no_nan() {
        let w = Window::PET;
        for (value, expected) in
            [(-1.0, 0.0), (0.0, 0.0), (3.5, 0.5), (7.0, 1.0), (70.0, 1.0), (f32::NAN, 0.0)]
        {
            assert!((w.fraction(value) - expected).abs() < 1e-6, "{value}");
        }
    }
}
