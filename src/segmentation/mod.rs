//! Regions on a lattice: thresholds, connected components, distances, morphology, simple shapes, splitting.
//!
//! A [`Region`] is a sorted list of runs along the rows of a lattice; a [`Mask`](crate::volume::Mask) holds one value a
//! voxel. Thresholds are inclusive (`>=`) and a NaN is below every threshold. Foreground is connected through faces,
//! edges and corners (26 neighbours), so its background is connected through faces (6).
//! Everything here gives the same result for any number of threads.

mod components;
mod distance;
mod morphology;
mod region;
mod seeds;
mod shapes;
mod watershed;

pub use components::{
    components, components_of_mask, components_through_faces, components_within, grow,
};
pub use distance::{Beyond, distance_mm, distance_to_mm};
pub use morphology::{
    Holes, close_mm, dilate_mm, erode_mm, fill_holes, largest_component, open_mm,
};
pub use region::{BoundingBox, Region, Run};
pub use seeds::split_by_seeds;
pub use shapes::{Shape, cylinder, sphere, tube};
pub use watershed::split_by_maxima;

/// Slack of every "within a radius" test, millimetres: centres at exactly the radius are inside.
///
/// Far below any voxel, far above the rounding of an affine stored as `f32`.
pub const RADIUS_TOLERANCE_MM: f64 = 1e-4;
