//! Erosion, dilation, opening and closing by a radius in millimetres, holes, the largest part.
//!
//! A ball of the radius in patient space is the structuring element, so voxels of unequal sides are eroded evenly;
//! computed from distance maps, which look no farther than the radius along each axis.

use super::Run;
use super::components::{Links, bits_of, components_of_mask, label};
use super::distance::Beyond;
use super::region::Region;
use crate::volume::Mask;

/// The voxels at more than a radius from the nearest voxel centre outside the mask.
pub fn erode_mm(mask: &Mask, radius_mm: f64, beyond: Beyond) -> Mask {
    let geometry = mask.geometry();
    Region::from_mask(mask).eroded_mm(geometry, radius_mm, beyond).to_mask(geometry)
}

/// The voxels within a radius of a voxel centre of the mask.
pub fn dilate_mm(mask: &Mask, radius_mm: f64) -> Mask {
    let geometry = mask.geometry();
    Region::from_mask(mask).dilated_mm(geometry, radius_mm).to_mask(geometry)
}

/// Erosion, then dilation: drops what is thinner than the ball. The volume's edge does not erode.
pub fn open_mm(mask: &Mask, radius_mm: f64) -> Mask {
    let geometry = mask.geometry();
    let core = Region::from_mask(mask).eroded_mm(geometry, radius_mm, Beyond::Unknown);
    core.dilated_mm(geometry, radius_mm).to_mask(geometry)
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

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::*;
    use crate::geometry::VolumeGeometry;
    use crate::segmentation::sphere;

    fn lattice(shape: [usize; 3], [s, r, c]: [f64; 3]) -> VolumeGeometry {
        let steps = [s * DVec3::Z, r * DVec3::Y, c * DVec3::X];
        VolumeGeometry::new(shape, DVec3::ZERO, steps).unwrap()
    }

    fn count(mask: &Mask) -> usize {
        mask.values().iter().filter(|&&m| m).count()
    }

    #[test]
    fn a_point_grows_into_a_ball_and_shrinks_back() {
        let g = lattice([11, 15, 21], [5.0, 3.0, 2.0]);
        let point = Region::from_offsets(g.shape(), [(5 * 15 + 7) * 21 + 10]);
        let mask = point.to_mask(&g);
        for radius in [1.0, 3.0, 6.0, 10.0] {
            let ball = dilate_mm(&mask, radius);
            assert_eq!(
                Region::from_mask(&ball),
                sphere(&g, g.centre_of([5, 7, 10]), radius).region
            );
            assert_eq!(point.dilated_mm(&g, radius), Region::from_mask(&ball));
            assert!(erode_mm(&ball, radius, Beyond::Unknown)[[5, 7, 10]]);
            assert!(close_mm(&mask, radius)[[5, 7, 10]]);
        }
    }

    #[test]
    fn erosion_is_in_millimetres_and_the_edge_is_a_choice() {
        let g = lattice([9, 9, 9], [4.0, 2.0, 1.0]);
        let all = Mask::filled(g.clone(), true);
        assert_eq!(count(&erode_mm(&all, 4.0, Beyond::Unknown)), 729);
        // Depths of more than 4 mm: two slices would be 8 mm deep, three rows 6 mm, five columns 5 mm.
        assert_eq!(count(&erode_mm(&all, 4.0, Beyond::Outside)), 7 * 5);
        let region = Region::from_mask(&all);
        assert_eq!(region.eroded_mm(&g, 4.0, Beyond::Outside).voxels(), 35);
        assert_eq!(region.eroded_mm(&g, 4.0, Beyond::Unknown), region);
    }

    #[test]
    fn erosion_of_a_region_is_that_of_its_mask() {
        let g = lattice([12, 14, 16], [3.0, 2.5, 2.0]);
        let ball = sphere(&g, g.centre_of([4, 3, 9]), 10.0).region;
        for beyond in [Beyond::Outside, Beyond::Unknown] {
            for radius in [0.5, 3.0, 6.0, 50.0] {
                let mask = erode_mm(&ball.to_mask(&g), radius, beyond);
                assert_eq!(ball.eroded_mm(&g, radius, beyond), Region::from_mask(&mask));
            }
        }
        assert!(Region::empty(g.shape()).eroded_mm(&g, 1.0, Beyond::Outside).is_empty());
        assert!(Region::empty(g.shape()).dilated_mm(&g, f64::INFINITY).is_empty());
        assert_eq!(ball.dilated_mm(&g, f64::INFINITY).voxels(), g.len());
    }

    #[test]
    fn opening_drops_a_thread_and_closing_a_gap() {
        let g = lattice([9, 9, 30], [2.0; 3]);
        let block = |range: std::ops::Range<usize>, half: usize| {
            (0..g.len()).filter(move |o| {
                let v = [o / 270, o / 30 % 9, o % 30];
                range.contains(&v[2]) && v[0].abs_diff(4) <= half && v[1].abs_diff(4) <= half
            })
        };
        let thread = Region::from_offsets(g.shape(), block(2..9, 3).chain(block(9..28, 0)));
        let opened = open_mm(&thread.to_mask(&g), 2.0);
        assert!(opened[[4, 4, 5]] && !opened[[4, 4, 20]]);
        let gap = Region::from_offsets(g.shape(), block(2..9, 3).chain(block(10..28, 3)));
        assert!(close_mm(&gap.to_mask(&g), 2.0)[[4, 4, 9]]);
    }

    #[test]
    fn cavities_and_tunnels() {
        let g = lattice([5, 5, 5], [1.0; 3]);
        let wall = |v: [usize; 3]| v.iter().all(|i| (1..4).contains(i)) && v != [2, 2, 2];
        let mut mask = Mask::filled(g.clone(), false);
        for offset in 0..g.len() {
            let voxel = mask.voxel_of(offset);
            mask.values_mut()[offset] = wall(voxel);
        }
        assert_eq!(count(&fill_holes(&mask, Holes::Volume)), 27);
        mask[[1, 2, 2]] = false;
        assert_eq!(count(&fill_holes(&mask, Holes::Volume)), 25, "the hole is open to below");
        assert_eq!(count(&fill_holes(&mask, Holes::EachSlice)), 27);
        // A way out over an edge is none: the background is connected through faces.
        mask[[1, 2, 2]] = true;
        mask[[1, 1, 2]] = false;
        assert_eq!(count(&fill_holes(&mask, Holes::Volume)), 26);
    }

    #[test]
    fn the_largest_part_is_the_first_of_equals() {
        let g = lattice([1, 1, 9], [1.0; 3]);
        let mask = Region::from_offsets(g.shape(), [0, 2, 3, 6, 7]).to_mask(&g);
        assert_eq!(largest_component(&mask).unwrap().first(), Some(2));
        assert_eq!(largest_component(&Mask::filled(g, false)), None);
    }
}
