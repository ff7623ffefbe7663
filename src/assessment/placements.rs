//! What the score would be with the references a little elsewhere and a little larger or smaller.
//!
//! A reference is one choice of many that a reader could defend. Each one is measured again, shifted by a third of its own
//! size along each axis of the patient and scaled by a fifth, and the score is made with every pair of them. The share of
//! the pairs that give a score says how much it hangs on the choice; it is no probability of disease.
//!
//! The steps are a choice of this project: shifts that two readers of one protocol may well differ by.

use glam::DVec3;
use schemars::JsonSchema;
use serde::Serialize;

use super::scan::ScanInput;
use super::search::{lesions_beside, measured};
use crate::criteria::{DeauvilleConvention, ReferenceStatistic};
use crate::deauville::{DeauvilleScore, LesionUptake, ReferenceUptake, overall, score_uptake};
use crate::reference::{Form, Placement, Reference, ReferenceKind};
use crate::segmentation::{Beyond, Region};
use crate::statistics::RegionStatistics;

/// Shift of a region, and change of its size, as shares of the radius of a sphere as large as it.
const SHIFT: f64 = 1.0 / 3.0;
const RESIZE: f64 = 0.2;

/// Uptake of the references at all places and sizes that still may serve, the chosen ones first; empty where there is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placements {
    liver: Vec<RegionStatistics>,
    blood_pool: Vec<RegionStatistics>,
}

/// The score over all placements of the references.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScoreShares {
    /// Number of pairs of a liver and a blood pool.
    pub placements: usize,
    /// Lowest and highest value of the liver by the convention; `null` where there is no liver.
    pub liver_range: Option<[f64; 2]>,
    /// Lowest and highest value of the blood pool by the convention; `null` where there is none.
    pub blood_pool_range: Option<[f64; 2]>,
    /// Share of the pairs that give each score, scores that none gives left out.
    pub scores: Vec<ScoreShare>,
}

/// How often a score comes out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ScoreShare {
    /// 1 to 5; `null` where the score cannot be computed.
    pub score: Option<DeauvilleScore>,
    /// Share of the pairs, 0 to 1.
    pub share: f64,
}

impl Placements {
    /// Measures the references, as chosen and around it, clear of lesions.
    pub(super) fn around(
        scan: &ScanInput<'_>,
        lesions: &Region,
        liver: (&Reference, &Result<Placement, String>),
        blood_pool: (&Reference, &Result<Placement, String>),
    ) -> Self {
        let of = |kind, (chosen, place): (&Reference, &Result<Placement, String>)| {
            let (Some(first), Ok(place)) = (chosen.usable(), place) else { return Vec::new() };
            let rivals = [lesions_beside(kind, place, lesions)];
            let usable = |place| measured(kind, scan, &Ok(place), &rivals).usable().copied();
            let others = variants(scan, place, first.volume_ml).into_iter().filter_map(usable);
            std::iter::once(*first).chain(others).collect()
        };
        Self {
            liver: of(ReferenceKind::Liver, liver),
            blood_pool: of(ReferenceKind::BloodPool, blood_pool),
        }
    }

    /// The score of these uptakes with every pair of references; `None` without a lesion or without a reference.
    pub fn scores(
        &self,
        uptakes: &[LesionUptake],
        convention: &DeauvilleConvention,
    ) -> Option<ScoreShares> {
        if uptakes.is_empty() || (self.liver.is_empty() && self.blood_pool.is_empty()) {
            return None;
        }
        let choices = |of: &[RegionStatistics]| -> Vec<Option<RegionStatistics>> {
            if of.is_empty() { vec![None] } else { of.iter().copied().map(Some).collect() }
        };
        let (livers, pools) = (choices(&self.liver), choices(&self.blood_pool));
        let mut counts = [0_usize; 6];
        for &liver in &livers {
            for &blood_pool in &pools {
                let references = ReferenceUptake { liver, blood_pool };
                let sites: Vec<_> =
                    uptakes.iter().map(|u| score_uptake(u, &references, convention)).collect();
                counts[overall(&sites).score().map_or(0, |score| usize::from(u8::from(score)))] +=
                    1;
            }
        }
        let placements = livers.len() * pools.len();
        let share = |(number, &count): (usize, &usize)| ScoreShare {
            score: DeauvilleScore::ALL.into_iter().find(|s| usize::from(u8::from(*s)) == number),
            share: count as f64 / placements as f64,
        };
        let range = |of: &[RegionStatistics], statistic: ReferenceStatistic| {
            let values: Vec<f64> = of.iter().filter_map(|s| statistic.of(s)).collect();
            let low = values.iter().copied().reduce(f64::min)?;
            Some([low, values.into_iter().reduce(f64::max)?])
        };
        Some(ScoreShares {
            placements,
            liver_range: range(&self.liver, convention.liver),
            blood_pool_range: range(&self.blood_pool, convention.blood_pool),
            scores: counts.iter().enumerate().filter(|(_, n)| **n > 0).map(share).collect(),
        })
    }
}

/// The placement shifted and scaled: six shifts and none, three sizes, without the placement itself.
fn variants(scan: &ScanInput<'_>, place: &Placement, volume_ml: f64) -> Vec<Placement> {
    let radius_mm = (volume_ml * 1000.0 * 3.0 / (4.0 * std::f64::consts::PI)).cbrt();
    let axes = [DVec3::X, DVec3::Y, DVec3::Z];
    let shifts =
        axes.into_iter().flat_map(|axis| [-axis, axis]).map(|axis| SHIFT * radius_mm * axis);
    let shifts = std::iter::once(DVec3::ZERO).chain(shifts);
    let all = shifts.flat_map(|shift| [1.0, 1.0 - RESIZE, 1.0 + RESIZE].map(|size| (shift, size)));
    let others = all.filter(|&choice| choice != (DVec3::ZERO, 1.0));
    others
        .map(|(shift, size)| Placement {
            form: moved(scan, &place.form, shift, size, radius_mm),
            ..place.clone()
        })
        .collect()
}

fn moved(scan: &ScanInput<'_>, form: &Form, shift: DVec3, size: f64, radius_mm: f64) -> Form {
    match *form {
        Form::Sphere { centre_mm, radius_mm } => {
            Form::Sphere { centre_mm: centre_mm + shift, radius_mm: size * radius_mm }
        }
        Form::Cylinder { centre_mm, axis, radius_mm, length_mm } => Form::Cylinder {
            centre_mm: centre_mm + shift,
            axis,
            radius_mm: size * radius_mm,
            length_mm: size * length_mm,
        },
        Form::Voxels(ref region) => {
            let geometry = scan.image.volume.geometry();
            let by_mm = (size - 1.0) * radius_mm;
            let resized = if by_mm < 0.0 {
                region.eroded_mm(geometry, -by_mm, Beyond::Unknown)
            } else {
                region.dilated_mm(geometry, by_mm)
            };
            let moved = resized
                .indices()
                .filter_map(|voxel| geometry.voxel_at(geometry.centre_of(voxel) + shift));
            Form::Voxels(Region::from_offsets(
                geometry.shape(),
                moved.map(|voxel| scan.image.volume.offset_of(voxel)),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::Criteria;

    fn uptake(mean: f64, max: f64) -> RegionStatistics {
        let region = Region::from_offsets([1, 1, 2], [0, 1]);
        let steps = [DVec3::Z, DVec3::Y, DVec3::X];
        let geometry = crate::geometry::VolumeGeometry::new([1, 1, 2], DVec3::ZERO, steps).unwrap();
        let values = vec![(2.0 * mean - max) as f32, max as f32];
        crate::statistics::statistics(&crate::volume::Volume::from_vec(geometry, values), &region)
            .unwrap()
    }

    #[test]
    fn shares_count_every_pair() {
        let placements = Placements {
            liver: vec![uptake(2.0, 2.5), uptake(2.0, 3.0), uptake(2.0, 3.5), uptake(2.0, 4.5)],
            blood_pool: vec![uptake(1.0, 1.5), uptake(1.2, 1.5)],
        };
        let convention = Criteria::default().convention;
        let lesion = LesionUptake { max: 4.0, peak: None, peak_of_four: None, background: None };
        let found = placements.scores(&[lesion], &convention).unwrap();
        // 4.0 is over three of the four livers and over no triple of them.
        let expected = [(DeauvilleScore::Three, 0.25), (DeauvilleScore::Four, 0.75)];
        let scores = found.scores.iter().map(|s| (s.score.unwrap(), s.share));
        assert_eq!(scores.collect::<Vec<_>>(), expected);
        assert_eq!((found.placements, found.liver_range), (8, Some([2.5, 4.5])));
        assert!(placements.scores(&[], &convention).is_none());
        assert!(Placements::default().scores(&[lesion], &convention).is_none());
        // Without a liver what is over the blood pool cannot be scored, and says so.
        let no_liver = Placements { liver: Vec::new(), ..placements };
        let found = no_liver.scores(&[lesion], &convention).unwrap();
        assert_eq!(found.scores, [ScoreShare { score: None, share: 1.0 }]);
    }
}
