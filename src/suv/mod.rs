//! From activity concentration to standardised uptake value: one plan a series, computed from headers alone.

use crate::volume::Volume;

/// Which body measure the uptake is standardised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuvKind {
    /// SUVbw: body weight, g/ml.
    BodyWeight,
    /// SUL: lean body mass after Janmahasatian 2005, g/ml.
    LeanBodyMass,
    /// SUL: lean body mass after James 1976 with the coefficient 128, g/ml.
    LeanBodyMassJames,
    /// SUVbsa: body surface area after Du Bois 1916, cm2/ml.
    BodySurfaceArea,
    /// SUVibw: ideal body weight, g/ml.
    IdealBodyWeight,
}

/// A volume of SUV with the kind of SUV it holds; volumes of two kinds are never compared.
#[derive(Debug, Clone, PartialEq)]
pub struct SuvImage {
    /// What the values are.
    pub kind: SuvKind,
    /// The values.
    pub volume: Volume<f32>,
}
