//! Measuring a region of raised uptake.

use super::{Candidate, Finding, Lesion};
use crate::statistics::{background_shell, peak_global, peak_hottest_four, statistics};
use crate::volume::{Mask, Volume};

/// The shell around a lesion that is its background: from and to, millimetres.
const SHELL_MM: (f64, f64) = (5.0, 15.0);

/// Measures a region; `None` if it has no voxel with a number.
///
/// `hot` marks all regions of raised uptake: none of them is background.
pub fn measure(
    pet: &Volume<f32>,
    candidate: &Candidate,
    finding: Finding,
    hot: &Mask,
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
        background: background_shell(pet, region, SHELL_MM.0, SHELL_MM.1, hot),
        below_threshold: candidate.below_threshold,
        divided: candidate.divided,
        region: candidate.region.clone(),
    })
}
