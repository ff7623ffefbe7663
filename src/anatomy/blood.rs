//! How dense blood is in the CT: whether contrast was given, and how much of it is there.
//!
//! Between the lungs and before the column most of what is soft is blood: heart and great vessels. Its median tells
//! the phase of contrast without finding a vessel first.

use super::lungs::Lungs;
use super::median;
use super::spine::Spine;
use crate::volume::Volume;

/// Soft tissue without fat and, below the sternum's cortex, with any contrast in use, Hounsfield units.
const SOFT_HU: std::ops::Range<f32> = 20.0..450.0;
/// The mediastinum around the vertebral column's middle: to each side, and in front of it, millimetres.
const HALF_WIDTH_MM: f64 = 60.0;
const BEFORE_SPINE_MM: std::ops::Range<f64> = 25.0..130.0;
/// Fewer voxels of the lattice tell nothing.
const FEWEST: usize = 200;
/// Kidneys and spleen take up to this much more contrast than blood has in the portal phase, Hounsfield units.
pub(super) const ORGANS_OVER_BLOOD_HU: f32 = 60.0;

/// Median Hounsfield units of blood; `None` where too little of the mediastinum is in view.
pub(super) fn hounsfield(hounsfield: &Volume<f32>, lungs: &Lungs, spine: &Spine) -> Option<f32> {
    let geometry = hounsfield.geometry();
    let chest = lungs.right_base_z..lungs.apex_z;
    let mut soft = Vec::new();
    for (slice, plane) in hounsfield.voxels().outer_iter().enumerate() {
        if !chest.contains(&geometry.centre_of([slice, 0, 0]).z) {
            continue;
        }
        let (x, y) = spine.centres[slice];
        soft.extend(plane.indexed_iter().filter_map(|((r, c), &hu)| {
            let place = geometry.centre_of([slice, r, c]);
            let inside =
                (place.x - x).abs() < HALF_WIDTH_MM && BEFORE_SPINE_MM.contains(&(y - place.y));
            (inside && SOFT_HU.contains(&hu)).then_some(hu)
        }));
    }
    if soft.len() < FEWEST { None } else { median(soft.into_iter()) }
}
