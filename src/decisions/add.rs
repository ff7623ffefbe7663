//! A region grown from a point that a person names.

use glam::DVec3;

use super::apply::Grounds;
use super::{Add, At, DecisionError};
use crate::lesion::Threshold;
use crate::segmentation::{Region, grow, sphere};
use crate::volume::{Mask, Volume};

/// How far from the point its maximum may lie: what a reader can point at, millimetres.
const POINTED_MM: f64 = 10.0;

/// A region that was grown.
pub(super) struct Grown {
    pub(super) region: Region,
    /// SUV at its edge.
    pub(super) level: f64,
    /// The edge that was asked for.
    pub(super) threshold: Threshold,
    /// Whether it touches a region that was there.
    pub(super) divided: bool,
}

/// The voxel of a point.
pub(super) fn voxel_at(
    pet: &Volume<f32>,
    point: DVec3,
    line: usize,
) -> Result<[usize; 3], DecisionError> {
    pet.geometry().voxel_at(point).ok_or_else(|| {
        let (low, high) = pet.geometry().bounds_mm();
        let what = format!("the point {} lies outside the scan", at(point));
        let remedy = format!("the scan reaches from {} to {} (LPS, mm)", at(low), at(high));
        DecisionError::refused(line, what, remedy)
    })
}

/// `[1.0, 2.0, 3.0]`
pub(super) fn at(place: DVec3) -> String {
    format!("[{:.1}, {:.1}, {:.1}]", place.x, place.y, place.z)
}

/// Grows a region from its point; what is `taken` stays where it is.
pub(super) fn grown(
    add: &At<Add>,
    grounds: &Grounds<'_>,
    taken: &Mask,
) -> Result<Grown, DecisionError> {
    let (pet, line) = (grounds.pet, add.line);
    let point = DVec3::from_array(add.entry.point_mm);
    let voxel = voxel_at(pet, point, line)?;
    let mut free = taken.map(|taken| !taken);
    if let Some(within) = add.entry.within_mm {
        let near = sphere(pet.geometry(), point, within).region;
        let far = Region::from_mask(&free).difference(&near);
        far.paint(&mut free, false);
    }
    let search = Search { pet, line, point, free: &free };
    let threshold = add.entry.threshold.unwrap_or(grounds.threshold);
    let level = match threshold {
        Threshold::PercentOfMaximum(percent) => percent / 100.0 * search.pointed().0,
        Threshold::Fixed(_) | Threshold::Liver | Threshold::PercentOfLiver(_) => {
            threshold.level(grounds.liver.as_ref()).map_err(|_| {
                let what = format!("the threshold {threshold} needs the liver, which is not known");
                DecisionError::refused(line, what, "set the liver, or write a fixed threshold")
            })?
        }
    };
    search.check_point(voxel, level, threshold)?;
    let region = grow(pet, voxel, level as f32, Some(&free));
    if matches!(threshold, Threshold::PercentOfMaximum(_)) {
        search.check_maximum(&region, threshold)?;
    }
    let whole = grow(pet, voxel, level as f32, None);
    let divided = whole.offsets().any(|offset| taken.values()[offset]);
    Ok(Grown { region, level, threshold, divided })
}

struct Search<'a> {
    pet: &'a Volume<f32>,
    line: usize,
    point: DVec3,
    free: &'a Mask,
}

impl Search<'_> {
    /// The highest SUV that the point can mean, and where it is.
    fn pointed(&self) -> (f64, DVec3) {
        let near = sphere(self.pet.geometry(), self.point, POINTED_MM).region;
        self.hottest(&near.filtered(|offset| self.free.values()[offset]))
    }

    fn hottest(&self, region: &Region) -> (f64, DVec3) {
        let values = self.pet.values();
        let hottest = region.offsets().reduce(|a, b| if values[b] > values[a] { b } else { a });
        hottest.map_or((0.0, self.point), |offset| {
            let place = self.pet.geometry().centre_of(self.pet.voxel_of(offset));
            (f64::from(values[offset]), place)
        })
    }

    /// Nothing can be grown where the point itself is not over the edge.
    fn check_point(
        &self,
        voxel: [usize; 3],
        level: f64,
        threshold: Threshold,
    ) -> Result<(), DecisionError> {
        let suv = self.pet[voxel];
        // Below every threshold, as a NaN is, or without any uptake.
        if suv >= level as f32 && level > 0.0 {
            return Ok(());
        }
        let (hottest, place) = self.pointed();
        let what = format!(
            "there is no uptake to add at {}: SUV {suv:.2} is below the edge of {level:.2} (threshold {threshold})",
            at(self.point)
        );
        let remedy = format!(
            "the hottest place within {POINTED_MM} mm is {} with SUV {hottest:.2}: name it, or write a threshold such \
             as \"41%\"",
            at(place)
        );
        Err(DecisionError::refused(self.line, what, remedy))
    }

    /// A share of a maximum is one of the region's own maximum, or the region has flowed into something hotter.
    fn check_maximum(&self, region: &Region, threshold: Threshold) -> Result<(), DecisionError> {
        let (pointed, _) = self.pointed();
        let (own, place) = self.hottest(region);
        if own <= pointed {
            return Ok(());
        }
        let what = format!(
            "at {threshold} of SUV {pointed:.2} the region around {} flows into hotter uptake (SUV {own:.2} at {})",
            at(self.point),
            at(place)
        );
        let remedy =
            "write a higher percentage, or within_mm = 20.0 for what is no farther than that";
        Err(DecisionError::refused(self.line, what, remedy))
    }
}
