//! How a person differs from the reference body beyond height and weight: where organs lie, how large they are, what a
//! disease of the chest has done.

use glam::DVec3;

/// A side of the reference body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The person's left, positive x.
    Left,
    /// The person's right.
    Right,
}

impl Side {
    /// Sign of x on this side.
    pub(crate) fn sign(self) -> f64 {
        match self {
            Self::Left => 1.0,
            Self::Right => -1.0,
        }
    }
}

/// State of the lungs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Lungs {
    /// Both filled with air.
    #[default]
    Open,
    /// One without air: a small lung at its hilum, fluid around it.
    Collapsed(Side),
    /// Fluid behind and below one lung, up to this height over the fourth lumbar vertebra, millimetres.
    Effusion(Side, f64),
}

/// Differences from the reference body; the default has none.
///
/// Lengths are millimetres of the reference body, sizes are factors of its diameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habitus {
    /// How much higher the right dome of the diaphragm stands, with the liver below it.
    pub right_dome_mm: f64,
    /// How much higher the left dome stands, with stomach and spleen.
    pub left_dome_mm: f64,
    /// Size of the liver.
    pub liver: f64,
    /// Size of its left lobe.
    pub left_lobe: f64,
    /// Size of the spleen.
    pub spleen: f64,
    /// Size of the kidneys.
    pub kidneys: f64,
    /// How much higher the right and the left kidney lie.
    pub kidney_mm: [f64; 2],
    /// Size of the heart.
    pub heart: f64,
    /// Size of the stomach.
    pub stomach: f64,
    /// Whether a full stomach lies in front of the liver, under the right ribs.
    pub stomach_over_liver: bool,
    /// Whether bowel lies between liver and right dome (Chilaiditi).
    pub bowel_over_liver: bool,
    /// Size of the head; larger in children.
    pub head: f64,
    /// State of the lungs.
    pub lungs: Lungs,
    /// Whether left and right are exchanged (situs inversus).
    pub inverted: bool,
}

impl Default for Habitus {
    fn default() -> Self {
        Self {
            right_dome_mm: 0.0,
            left_dome_mm: 0.0,
            liver: 1.0,
            left_lobe: 1.0,
            spleen: 1.0,
            kidneys: 1.0,
            kidney_mm: [0.0; 2],
            heart: 1.0,
            stomach: 1.0,
            stomach_over_liver: false,
            bowel_over_liver: false,
            head: 1.0,
            lungs: Lungs::Open,
            inverted: false,
        }
    }
}

impl Habitus {
    /// The same person with both domes higher (negative: lower), as at another depth of breath.
    #[must_use]
    pub fn breathing(self, higher_mm: f64) -> Self {
        Self {
            right_dome_mm: self.right_dome_mm + higher_mm,
            // The left dome moves nearly as far as the right.
            left_dome_mm: self.left_dome_mm + 0.9 * higher_mm,
            ..self
        }
    }

    /// Height of the tendon between the domes.
    pub(super) fn tendon_mm(&self) -> f64 {
        0.5 * (self.right_dome_mm + self.left_dome_mm)
    }
}

/// A change of size about a point, then a shift along z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    pub(crate) about: DVec3,
    pub(crate) size: f64,
    pub(crate) up_mm: f64,
}

impl Change {
    pub(super) fn new(about: [f64; 3], size: f64, up_mm: f64) -> Self {
        Self { about: about.into(), size, up_mm }
    }

    pub(super) fn up(up_mm: f64) -> Self {
        Self::new([0.0; 3], 1.0, up_mm)
    }

    #[expect(clippy::float_cmp, reason = "exactly no change must leave every bit as it is")]
    pub(crate) fn is_none(&self) -> bool {
        self.size == 1.0 && self.up_mm == 0.0
    }

    /// What is added after multiplication by the size.
    pub(crate) fn offset(&self) -> DVec3 {
        (1.0 - self.size) * self.about + self.up_mm * DVec3::Z
    }

    pub(crate) fn point(&self, p: DVec3) -> DVec3 {
        self.size * p + self.offset()
    }
}
