//! Lesions, scaled until the finished image shows the SUVmax asked for.

use glam::DAffine3;

use super::paint::{Easel, Part};
use super::physics;
use super::random;
use super::shape::Shape;
use super::tissue::Tissue;
use crate::geometry::VolumeGeometry;

/// A lesion to simulate.
#[derive(Debug, Clone)]
pub struct LesionPlan {
    /// Name, the same in each scan of a case.
    pub name: String,
    /// Anatomical site in words.
    pub site: String,
    /// SUVmax to be measured in the finished image, SUVbw in g/mL.
    pub suv_max: f64,
    /// What it takes up.
    pub extent: Extent,
}

/// The volume a lesion takes up.
#[derive(Debug, Clone)]
pub enum Extent {
    /// Lumps given by middle and radii `[x, y, z, rx, ry, rz]` in the reference body.
    Focal(Vec<[f64; 6]>),
    /// All of a tissue.
    Diffuse(Tissue),
}

impl LesionPlan {
    /// A lesion of several lumps.
    pub(crate) fn focal(name: &str, site: &str, suv_max: f64, lumps: &[[f64; 6]]) -> Self {
        Self {
            name: name.into(),
            site: site.into(),
            suv_max,
            extent: Extent::Focal(lumps.to_vec()),
        }
    }

    /// The whole of a tissue.
    pub(crate) fn diffuse(name: &str, site: &str, suv_max: f64, tissue: Tissue) -> Self {
        Self { name: name.into(), site: site.into(), suv_max, extent: Extent::Diffuse(tissue) }
    }

    /// The lesion's solids: each lump with a few knobs, as tumours are not ellipsoids. Empty if it is diffuse.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let Extent::Focal(lumps) = &self.extent else { return Vec::new() };
        let seed = random::seed_of(&self.name);
        let mut parts = Vec::new();
        for (n, &[x, y, z, rx, ry, rz]) in lumps.iter().enumerate() {
            let mut add = |centre, radii| {
                parts.push(Part { tissue: Tissue::Lesion, shape: Shape::ellipsoid(centre, radii) });
            };
            add([x, y, z], [rx, ry, rz]);
            for knob in 0..3 {
                let off = |axis: u64, r: f64| {
                    r * random::between(seed, 16 * n as u64 + 3 * knob + axis, -0.5, 0.5)
                };
                add(
                    [x + off(0, rx), y + off(1, ry), z + off(2, rz)],
                    [0.72 * rx, 0.72 * ry, 0.72 * rz],
                );
            }
        }
        parts
    }
}

/// The blurred shape of a lesion: voxel and share, wherever there is any.
pub(crate) struct Imprint {
    pub(crate) voxels: Vec<(usize, f32)>,
    pub(crate) volume_ml: f64,
    /// Index of the middle (slice, row, column).
    pub(crate) centre: glam::DVec3,
    diffuse: bool,
}

impl Imprint {
    /// Paints and blurs the lesion's shape.
    pub(crate) fn new(
        plan: &LesionPlan,
        body: &[Part],
        geometry: &VolumeGeometry,
        scan_from_part: DAffine3,
        fwhm_mm: f64,
    ) -> Self {
        let mut share = vec![0.0f32; geometry.len()];
        let easel = Easel::new(geometry, scan_from_part);
        match plan.extent {
            Extent::Focal(_) => easel.paint(&mut share, &plan.parts(), |_, _| 1.0),
            Extent::Diffuse(tissue) => {
                easel.paint(&mut share, body, |part, _| f64::from(u8::from(part.tissue == tissue)));
            }
        }
        let [_, rows, columns] = geometry.shape();
        let (mut sum, mut centre) = (0.0, glam::DVec3::ZERO);
        for (n, &w) in share.iter().enumerate().filter(|(_, w)| **w > 0.0) {
            let index = [n / (rows * columns), n / columns % rows, n % columns].map(|i| i as f64);
            sum += f64::from(w);
            centre += f64::from(w) * glam::DVec3::from_array(index);
        }
        physics::blur(&mut share, geometry.shape(), geometry.spacing_mm(), fwhm_mm);
        let voxels = share.iter().copied().enumerate().filter(|(_, w)| *w > 1e-4).collect();
        let diffuse = matches!(plan.extent, Extent::Diffuse(_));
        Self {
            voxels,
            volume_ml: sum * geometry.voxel_ml(),
            centre: centre / sum.max(1e-9),
            diffuse,
        }
    }

    /// Greatest value of `show(voxel, share)` over the core of the lesion, and where.
    ///
    /// A diffuse lesion is not measured where `other(voxel, share)` says that something else is as hot.
    pub(crate) fn greatest(
        &self,
        other: impl Fn(usize, f32) -> bool,
        show: impl Fn(usize, f32) -> f64,
    ) -> (f64, usize) {
        let peak = self.voxels.iter().map(|v| v.1).fold(0.0, f32::max);
        self.voxels
            .iter()
            .filter(|(n, w)| *w > 0.4 * peak && !(self.diffuse && other(*n, *w)))
            .map(|&(n, w)| (show(n, w), n))
            .fold((0.0, 0), |best, found| if found.0 > best.0 { found } else { best })
    }
}

/// The activity that makes `greatest` equal to the target: bisection on a function that grows with it.
pub(crate) fn amplitude(target: f64, greatest: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 8.0 * target);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if greatest(middle) < target { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
