//! Regions as runs of voxels of the PET in the page.

use serde::Serialize;

use super::packed;
use super::reduced::PetLattice;
use crate::assessment::ScanAssessment;
use crate::reference::Reference;
use crate::resample::resample_nearest;
use crate::segmentation::Region;
use crate::volume::Volume;
use glam::DAffine3;

/// What the page says of a region.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct RegionHead {
    /// Its number; `L` for the liver, `B` for the blood pool.
    id: String,
    /// `lesion`, `uncertain`, `physiologic` or `reference`.
    class: &'static str,
    site: &'static str,
    /// Centre of its hottest voxel; of the region, for a reference. LPS millimetres.
    place_mm: [f64; 3],
    /// Number of runs.
    runs: usize,
}

/// All regions of a scan, the references last, and the text of their runs: of each the gap to the run before (the end of a
/// region counts for the next one as the beginning of the volume) and the length.
pub(super) fn of(lattice: &PetLattice, assessment: &ScanAssessment) -> (Vec<RegionHead>, String) {
    let (mut heads, mut numbers) = (Vec::new(), Vec::new());
    let mut add = |id: String, class, site, place: glam::DVec3, region: &Region| {
        let runs = runs(&offsets(lattice, region));
        let mut end = 0;
        for &[start, length] in &runs {
            numbers.extend([start - end, length]);
            end = start + length;
        }
        heads.push(RegionHead { id, class, site, place_mm: place.to_array(), runs: runs.len() });
    };
    for lesion in &assessment.lesions {
        let (class, site) = (lesion.finding.class.name(), lesion.finding.site.name());
        add(lesion.id.to_string(), class, site, lesion.hottest_mm, &lesion.region);
    }
    let references: [(&str, &Reference); 2] =
        [("L", &assessment.liver), ("B", &assessment.blood_pool)];
    for (id, reference) in references {
        if let (Some(region), Some(centre)) = (&reference.region, reference.centre_mm) {
            add(id.to_owned(), "reference", reference.kind.name(), centre, region);
        }
    }
    (heads, packed::text(&packed::numbers(numbers)))
}

/// Positions of a region in the PET of the page, ascending.
fn offsets(lattice: &PetLattice, region: &Region) -> Vec<usize> {
    let upright = &lattice.upright;
    let mut found: Vec<usize> = if let Some(from) = upright.oblique() {
        let mask = region.to_mask(from);
        let seen = resample_nearest(&mask, upright.lattice(), DAffine3::IDENTITY, false);
        inside(&seen).map(|voxel| lattice.offset_of(voxel)).collect()
    } else {
        region.indices().filter_map(|v| Some(lattice.offset_of(upright.target(v)?))).collect()
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn inside(mask: &Volume<bool>) -> impl Iterator<Item = [usize; 3]> + '_ {
    let inside = mask.values().iter().enumerate().filter(|(_, inside)| **inside);
    inside.map(|(offset, _)| mask.voxel_of(offset))
}

/// Positions as start and length of what is connected.
fn runs(offsets: &[usize]) -> Vec<[usize; 2]> {
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for &offset in offsets {
        match runs.last_mut() {
            Some([start, length]) if *start + *length == offset => *length += 1,
            _ => runs.push([offset, 1]),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_run() {
        assert_eq!(runs(&[3, 4, 5, 9, 11, 12]), [[3, 3], [9, 1], [11, 2]]);
        assert!(runs(&[]).is_empty());
    }
}
