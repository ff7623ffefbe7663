//! Measuring a region of raised uptake.

use super::{Candidate, Finding, Lesion};
use crate::segmentation::Region;
use crate::statistics::{RegionStatistics, peak_global, peak_hottest_four, statistics};
use crate::volume::Volume;

/// The shell around a lesion that is its background: from and to, millimetres.
const SHELL_MM: (f64, f64) = (5.0, 15.0);

/// Measures a region; `None` if it has no voxel with a number.
///
/// `hot` are all regions of raised uptake: none of them is background.
pub fn measure(
    pet: &Volume<f32>,
    candidate: &Candidate,
    finding: Finding,
    hot: &Region,
) -> Option<Lesion> {
    let region = &candidate.region;
    let found = statistics(pet, region)?;
    let values = pet.values();
    let hottest = region.offsets().reduce(|a, b| if values[b] > values[a] { b } else { a })?;
    Some(Lesion {
        id: 0,
        finding,
        statistics: found,
        peak: peak_global(pet, region)?,
        peak_of_four: peak_hottest_four(pet, region)?,
        centroid_mm: region.centroid_mm(pet.geometry())?,
        hottest_mm: pet.geometry().centre_of(pet.voxel_of(hottest)),
        background: background(pet, region, hot),
        below_threshold: candidate.below_threshold,
        divided: candidate.divided,
        region: candidate.region.clone(),
    })
}

/// Statistics of the tissue 5 to 15 mm around a region, regions of raised uptake (`hot`) left out; `None` if nothing is left.
///
/// # Panics
/// If a region is on another lattice: a programming error.
pub fn background(pet: &Volume<f32>, region: &Region, hot: &Region) -> Option<RegionStatistics> {
    let shell = region.shell_mm(pet.geometry(), SHELL_MM.0, SHELL_MM.1);
    statistics(pet, &shell.difference(hot))
}
