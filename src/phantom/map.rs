//! Which tissue is at a place: the truth against which a region is judged.

use std::collections::BTreeMap;

use glam::{DAffine3, DVec3};
use rayon::prelude::*;

use super::Visit;
use super::anatomy;
use super::paint::Part;
use super::scan::Scan;
use super::tissue::Tissue;
use crate::geometry::VolumeGeometry;

/// The tissues of a scan's body as the PET saw it.
#[derive(Debug, Clone)]
pub struct TissueMap {
    /// The last laid over the others comes first.
    parts: Vec<Boxed>,
    /// What covers all others: a quick answer outside of the body.
    skins: Vec<Boxed>,
    lesions: Vec<Vec<Boxed>>,
    body_from_scan: DAffine3,
}

#[derive(Debug, Clone)]
struct Boxed {
    part: Part,
    low: DVec3,
    high: DVec3,
}

impl Boxed {
    fn new(part: Part) -> Self {
        let (low, high) = part.shape.bounds();
        Self { part, low, high }
    }

    fn holds(&self, p: DVec3) -> bool {
        p.cmpge(self.low).all() && p.cmple(self.high).all() && self.part.shape.distance(p) < 0.0
    }
}

impl TissueMap {
    /// The map of a scan.
    pub fn new(visit: &Visit) -> Self {
        let scale = visit.build.scale();
        let mut parts = anatomy::body(&visit.build);
        parts.extend(anatomy::occasional(&visit.build, &visit.uptake));
        let boxed = |parts: Vec<Part>| parts.into_iter().map(Boxed::new).collect::<Vec<_>>();
        let planted = visit.planted.iter().map(|plan| boxed(plan.parts(scale, 0.0)));
        let lesions = visit.lesions.iter().map(|plan| boxed(plan.parts())).chain(planted).collect();
        parts.reverse();
        let skins = parts.iter().filter(|part| part.tissue == Tissue::Skin).cloned().collect();
        Self {
            parts: boxed(parts),
            skins: boxed(skins),
            lesions,
            body_from_scan: Scan::new(visit).scan_from_body.inverse(),
        }
    }

    /// Index of the lesion (as in the truth) at a place of the scan, LPS millimetres.
    pub fn lesion_at(&self, place_mm: DVec3) -> Option<usize> {
        let p = self.body_from_scan.transform_point3(place_mm);
        self.lesions.iter().rposition(|parts| parts.iter().any(|part| part.holds(p)))
    }

    /// Tissue at a place, lesions left out; `None` outside of the body.
    pub fn tissue_at(&self, place_mm: DVec3) -> Option<Tissue> {
        self.tissue_in_body(self.body_from_scan.transform_point3(place_mm))
    }

    /// The same at a place of the reference body.
    pub(crate) fn tissue_in_body(&self, p: DVec3) -> Option<Tissue> {
        if !self.skins.iter().any(|part| part.holds(p)) {
            return None;
        }
        self.parts.iter().find(|part| part.holds(p)).map(|part| part.part.tissue)
    }

    /// Whether a place of the scan lies in the solid of a tissue, whatever runs through it there.
    pub fn within(&self, tissue: Tissue, place_mm: DVec3) -> bool {
        let p = self.body_from_scan.transform_point3(place_mm);
        self.parts.iter().any(|part| part.part.tissue == tissue && part.holds(p))
    }

    /// Volume and middle of the larger organs within a lattice, sampled about every 6 mm.
    pub(crate) fn organs(&self, geometry: &VolumeGeometry) -> BTreeMap<String, (f64, DVec3)> {
        let every = geometry.spacing_mm().map(|mm| (6.0 / mm).round().max(1.0) as usize);
        let [slices, rows, columns] = geometry.shape();
        let slice = |s: usize| {
            let mut found: BTreeMap<String, (usize, DVec3)> = BTreeMap::new();
            for r in (0..rows).step_by(every[1]) {
                for c in (0..columns).step_by(every[2]) {
                    let place = geometry.centre_of([s, r, c]);
                    let name = self.tissue_at(place).and_then(organ);
                    if let Some(name) = name.filter(|_| self.lesion_at(place).is_none()) {
                        let (count, sum) = found.entry(name.into()).or_default();
                        *count += 1;
                        *sum += place;
                    }
                }
            }
            found
        };
        let slices: Vec<usize> = (0..slices).step_by(every[0]).collect();
        let parts: Vec<_> = slices.into_par_iter().map(slice).collect();
        let mut all: BTreeMap<String, (usize, DVec3)> = BTreeMap::new();
        for (name, (count, sum)) in parts.into_iter().flatten() {
            let entry = all.entry(name).or_default();
            entry.0 += count;
            entry.1 += sum;
        }
        let sample_ml = geometry.voxel_ml() * every.iter().product::<usize>() as f64;
        all.into_iter()
            .map(|(name, (count, sum))| (name, (count as f64 * sample_ml, sum / count as f64)))
            .collect()
    }
}

/// The organs whose volumes the truth tells.
fn organ(tissue: Tissue) -> Option<&'static str> {
    use Tissue as T;
    Some(match tissue {
        T::Liver => "liver",
        T::Spleen => "spleen",
        T::Myocardium => "myocardium",
        T::Lung => "lung",
        T::RenalCortex => "renal cortex",
        T::Bladder => "bladder",
        T::GreyMatter => "brain, grey matter",
        T::StomachWall => "stomach wall",
        _ => return None,
    })
}
