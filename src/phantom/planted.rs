//! Lesions planted with a known uptake and volume; what is seen of them, blur and noise decide.

use glam::DVec3;

use super::paint::Part;
use super::random;
use super::shape::Shape;
use super::tissue::Tissue;
use crate::geometry::VolumeGeometry;

/// A lesion given by its uptake.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// Name, unlike those of the others in the scan.
    pub name: String,
    /// Anatomical site in words.
    pub site: String,
    /// Middle in the reference body, millimetres.
    pub centre: DVec3,
    /// Volume aimed at, millilitres of the person; the truth tells the volume reached.
    pub volume_ml: f64,
    /// Uptake, SUVbw in g/mL.
    pub suv: f64,
    /// Uptake over that of the liver.
    pub contrast: f64,
    /// Whether it moves with the diaphragm.
    pub breathes: bool,
}

/// Volume of a lump with its three knobs over that of the lump alone, the mean over many draws.
const VOLUME_OF_LUMP: f64 = 1.145;

impl Planted {
    /// The lesion's solids in the reference body of a person of this size: an ellipsoid with knobs.
    pub(crate) fn parts(&self, scale: DVec3, up_mm: f64) -> Vec<Part> {
        let seed = random::seed_of(&self.name);
        let ball = libm::cbrt(
            self.volume_ml * 1000.0 / VOLUME_OF_LUMP * 3.0 / (4.0 * std::f64::consts::PI),
        );
        // Nodes are longer than wide.
        let [a, b] = [0, 1].map(|n| random::between(seed, n, 0.85, 1.15));
        let radii = ball * DVec3::new(a, b, 1.0 / (a * b)) / scale;
        let centre = self.centre + if self.breathes { up_mm } else { 0.0 } * DVec3::Z;
        let lump = |centre: DVec3, radii: DVec3| Part {
            tissue: Tissue::Lesion,
            shape: Shape::ellipsoid(centre.to_array(), radii.to_array()),
        };
        let knob = |n: u64| {
            let off = |axis: u64| random::between(seed, 16 + 3 * n + axis, -0.5, 0.5);
            lump(centre + radii * DVec3::new(off(0), off(1), off(2)), 0.72 * radii)
        };
        std::iter::once(lump(centre, radii)).chain((0..3).map(knob)).collect()
    }
}

/// A solid put together from parts, in their own frame.
pub(crate) struct Solid {
    pub(crate) centre: DVec3,
    pub(crate) volume_mm3: f64,
    pub(crate) reach_mm: f64,
}

/// Samples along each axis of a solid.
const SAMPLES: usize = 40;

/// Volume and middle of the union of some parts, from about 40 samples along each axis.
pub(crate) fn solid(parts: &[Part]) -> Solid {
    let (low, high) = parts.iter().fold((DVec3::MAX, DVec3::MIN), |(low, high), part| {
        let (l, h) = part.shape.bounds();
        (low.min(l), high.max(h))
    });
    let step = (high - low) / SAMPLES as f64;
    let place = |n: usize| {
        let at = [n % SAMPLES, n / SAMPLES % SAMPLES, n / SAMPLES / SAMPLES];
        low + step * DVec3::from_array(at.map(|i| i as f64 + 0.5))
    };
    let inside: Vec<DVec3> = (0..SAMPLES.pow(3))
        .map(place)
        .filter(|&p| parts.iter().any(|part| part.shape.distance(p) < 0.0))
        .collect();
    let count = inside.len() as f64;
    Solid {
        centre: inside.iter().sum::<DVec3>() / count,
        volume_mm3: count * step.element_product(),
        reach_mm: 0.5 * (high - low).length(),
    }
}

/// The voxels of the box around a ball.
pub(crate) fn voxels_near(
    geometry: &VolumeGeometry,
    centre_mm: DVec3,
    radius_mm: f64,
) -> Vec<[usize; 3]> {
    let middle = geometry.index_from_patient().transform_point3(centre_mm).to_array();
    let spacing = geometry.spacing_mm();
    let range = |axis: usize| {
        let reach = radius_mm / spacing[axis] + 1.0;
        let end = geometry.shape()[axis] as f64;
        let from = (middle[axis] - reach).clamp(0.0, end) as usize;
        let to = (middle[axis] + reach + 1.0).clamp(0.0, end) as usize;
        from..to
    };
    range(0).flat_map(|s| range(1).flat_map(move |r| range(2).map(move |c| [s, r, c]))).collect()
}
