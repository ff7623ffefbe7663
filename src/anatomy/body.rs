//! The body: in CT the largest thing denser than air, in PET the largest region with uptake.

use crate::segmentation::{Beyond, Holes, distance_mm, fill_holes, largest_component, open_mm};
use crate::volume::{Mask, Volume};

/// Denser than air and lung, Hounsfield units.
const TISSUE_HU: f32 = -300.0;
/// The couch touches the patient through thin padding; opening by this radius parts them, millimetres.
const COUCH_OPENING_MM: f64 = 8.0;
/// Uptake (SUVbw) above that of air after smoothing.
pub(super) const TRACER_SUV: f32 = 0.2;
/// The surface layer, blurred with air, that the body's median leaves out, millimetres.
const SURFACE_MM: f32 = 15.0;

/// The body in CT, or `None` where there is none.
pub(super) fn from_ct(hounsfield: &Volume<f32>) -> Option<Mask> {
    let dense = hounsfield.map(|&hu| hu > TISSUE_HU);
    main_body(&open_mm(&dense, COUCH_OPENING_MM))
}

/// The body in PET, or `None` where there is none.
pub(super) fn from_uptake(uptake: &Volume<f32>) -> Option<Mask> {
    main_body(&uptake.map(|&suv| suv > TRACER_SUV))
}

/// The largest piece of a mask, its holes filled.
pub(super) fn main_body(mask: &Mask) -> Option<Mask> {
    let body = largest_component(mask)?;
    Some(fill_holes(&body.to_mask(mask.geometry()), Holes::EachSlice))
}

/// Share of the body that the CT covers.
pub(super) fn covered_share(body: &Mask, hounsfield: &Volume<f32>) -> f64 {
    let pairs = body.values().iter().zip(hounsfield.values());
    let (inside, covered) = pairs.fold((0_usize, 0_usize), |(inside, covered), (&body, &hu)| {
        (inside + usize::from(body), covered + usize::from(body && hu > TISSUE_HU))
    });
    // Lung is body too; even a chest is more than half denser than air.
    if inside == 0 { 0.0 } else { covered as f64 / inside as f64 }
}

/// Depth below the surface; the ends of the scan are no surface.
pub(super) fn depth(body: &Mask) -> Volume<f32> {
    distance_mm(body, Beyond::Unknown)
}

/// Median uptake below the surface layer.
pub(super) fn median_uptake(uptake: &Volume<f32>, depth_mm: &Volume<f32>) -> Option<f64> {
    let pairs = uptake.values().iter().zip(depth_mm.values());
    let deep = pairs.filter(|(_, d)| **d > SURFACE_MM).map(|(&u, _)| u);
    super::median(deep).filter(|&m| m > 0.0).map(f64::from)
}
