//! Heights in the body by which sites are named, from the lungs and the liver.

use glam::DVec3;

use crate::anatomy::Anatomy;
use crate::organ::{Organ, OrganMap};
use crate::reference::{dome_above, liver_extent};
use crate::resample::nearest_at;
use crate::statistics::RegionStatistics;
use crate::volume::Mask;

/// Height of an adult's lungs; other distances are scaled by it.
const LUNG_HEIGHT_MM: f64 = crate::anatomy::ADULT_LUNG_HEIGHT_MM;
/// From the base of the right lung (behind) up to the liver's dome, in adults, millimetres.
const DOME_OVER_BASE_MM: f64 = 60.0;
/// Where organs are to be expected in this scan.
#[derive(Debug)]
pub struct Landmarks<'a> {
    /// The scan's anatomy.
    pub anatomy: &'a Anatomy,
    /// Height of the liver's dome: the border of chest and abdomen, millimetres.
    pub dome_z: f64,
    /// Height of the lungs' apex, millimetres.
    pub apex_z: f64,
    /// Size of the body as a share of an adult's.
    pub scale: f64,
    /// SUVmean and SUVmax of the liver reference (SUVbw).
    pub liver: Option<(f64, f64)>,
    /// The liver on the anatomy's lattice, holes (lesions) filled.
    pub liver_mask: Option<Mask>,
    /// Organs that somebody has outlined, on the lattice of the PET.
    pub organs: Option<&'a OrganMap>,
}

impl<'a> Landmarks<'a> {
    /// Takes heights from the lungs where a CT shows them, else from the liver; `None` where neither is known.
    ///
    /// `liver` is the centre of the liver sphere and its uptake as SUVbw; `organs` are those that somebody has outlined.
    pub fn find(
        anatomy: &'a Anatomy,
        liver: Option<(DVec3, RegionStatistics)>,
        organs: Option<&'a OrganMap>,
    ) -> Option<Self> {
        let heights = match (&anatomy.lungs, &liver) {
            (Some(lungs), _) if lungs.height_mm() > 80.0 => {
                let scale = (lungs.height_mm() / LUNG_HEIGHT_MM).clamp(0.4, 1.3);
                // Breathing moves the dome between CT and PET: the PET's own is better where it shows.
                let dome = liver.as_ref().and_then(|(centre, _)| dome_above(anatomy, *centre));
                let dome = dome.unwrap_or(lungs.right_base_z + DOME_OVER_BASE_MM * scale);
                Some((dome, lungs.apex_z, scale))
            }
            (_, Some((centre, _))) => dome_above(anatomy, *centre)
                .map(|dome| (dome, dome + LUNG_HEIGHT_MM - DOME_OVER_BASE_MM, 1.0)),
            (_, None) => None,
        };
        let (dome_z, apex_z, scale) = heights?;
        let liver_mask = liver.as_ref().map(|(centre, l)| liver_extent(anatomy, *centre, l.mean));
        let liver = liver.map(|(_, l)| (l.mean, l.max));
        Some(Self { anatomy, dome_z, apex_z, scale, liver, liver_mask, organs })
    }

    /// Height above the dome in adult millimetres.
    pub fn above_dome(&self, place: DVec3) -> f64 {
        (place.z - self.dome_z) / self.scale
    }

    /// Height above the lungs' apex in adult millimetres.
    pub fn above_apex(&self, place: DVec3) -> f64 {
        (place.z - self.apex_z) / self.scale
    }

    /// Place relative to the middle of the vertebral column: to the left and to the back, millimetres.
    pub fn from_spine(&self, place: DVec3) -> (f64, f64) {
        let (x, y) = self.anatomy.spine_at(place.z);
        (place.x - x, place.y - y)
    }

    /// The place mirrored to the other side of the body.
    pub fn mirrored(&self, place: DVec3) -> DVec3 {
        let (x, _) = self.anatomy.spine_at(place.z);
        DVec3::new(2.0 * x - place.x, place.y, place.z)
    }

    /// Whether an organ has been outlined, so that its rules of place are not needed.
    pub fn outlined(&self, organ: impl Fn(Organ) -> bool) -> bool {
        self.organs.is_some_and(|organs| organs.iter().any(|(known, _)| organ(known)))
    }

    /// Whether a place lies in the liver.
    pub fn in_liver(&self, place: DVec3) -> bool {
        self.liver_mask.as_ref().and_then(|mask| nearest_at(mask, place)).unwrap_or(false)
    }
}
