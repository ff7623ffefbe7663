//! Erosion, dilation, opening and closing by a radius in millimetres, holes, the largest part.
//!
//! A ball of the radius in patient space is the structuring element, so voxels of unequal sides are eroded evenly;
//! computed from distance maps, whose cost does not grow with the radius.

use super::components::{Links, bits_of, components_of_mask, label};
use super::distance::{Beyond, distance_mm, distance_to_mm};
use super::region::Region;
use super::{RADIUS_TOLERANCE_MM, Run};
use crate::volume::{Mask, Volume};

/// The voxels at more than a radius from the nearest voxel centre outside the mask.
pub fn erode_mm(mask: &Mask, radius_mm: f64, beyond: Beyond) -> Mask {
    let limit = radius_mm + RADIUS_TOLERANCE_MM;
    Volume::map(&distance_mm(mask, beyond), |&d| f64::from(d) > limit)
}

/// The voxels within a radius of a voxel centre of the mask.
pub fn dilate_mm(mask: &Mask, radius_mm: f64) -> Mask {
    let limit = radius_mm + RADIUS_TOLERANCE_MM;
    Volume::map(&distance_to_mm(mask), |&d| f64::from(d) <= limit)
}

/// Erosion, then dilation: drops what is thinner than the ball. The volume's edge does not erode.
pub fn open_mm(mask: &Mask, radius_mm: f64) -> Mask {
    dilate_mm(&erode_mm(mask, radius_mm, Beyond::Unknown), radius_mm)
}

/// Dilation, then erosion: fills gaps narrower than the ball. The volume's edge does not erode.
pub fn close_mm(mask: &Mask, radius_mm: f64) -> Mask {
    erode_mm(&dilate_mm(mask, radius_mm), radius_mm, Beyond::Unknown)
}

/// Where a hole must be closed off from the edge of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holes {
    /// In the volume: a cavity.
    Volume,
    /// In one slice (first array axis): also a tunnel across the slices.
    EachSlice,
}

/// The mask with its holes filled: background that no path through faces joins with the edge of the image.
pub fn fill_holes(mask: &Mask, holes: Holes) -> Mask {
    let (links, first_axis) = match holes {
        Holes::Volume => (Links::Faces, 0),
        Holes::EachSlice => (Links::FacesInSlice, 1),
    };
    let (values, shape) = (mask.values(), mask.geometry().shape());
    let mut filled = mask.clone();
    for background in label(shape, links, |block| bits_of(&values[block], |&m| !m)) {
        let at_edge = |run: &Run| {
            let [first, last] = [run.start, run.end - 1].map(|offset| mask.voxel_of(offset));
            (first_axis..3).any(|axis| first[axis] == 0 || last[axis] + 1 == shape[axis])
        };
        if !background.runs().iter().any(at_edge) {
            background.paint(&mut filled, true);
        }
    }
    filled
}

/// The connected part (26 neighbours) with the most voxels, the first of equals; `None` for an empty mask.
pub fn largest_component(mask: &Mask) -> Option<Region> {
    // `max_by_key` keeps the last of equals.
    components_of_mask(mask).into_iter().rev().max_by_key(Region::voxels)
}
