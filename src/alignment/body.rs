//! The patient cut from air and couch, on a lattice of about 4 mm.
//!
//! CT: above -300 HU, opened in each slice so that the thin shell of the couch and the tubes go, the largest connected
//! piece, its cavities (lungs, gut) filled. PET: smoothed uptake above SUV 0.25, the largest piece, filled.

use glam::DVec3;
use rayon::prelude::*;

use crate::resample::{gaussian_smooth, reduce, sigma_of_fwhm};
use crate::segmentation::{Holes, Region, components_through_faces, fill_holes};
use crate::volume::{Mask, Volume};

/// Spacing of the finest level; lesions are matched at some millimetres, and interpolation goes well below a voxel.
pub(super) const SPACING_MM: f64 = 4.0;

/// Skin against air and foam: halfway between them in Hounsfield units, low enough for fat at the border of a voxel.
const SKIN_HU: f32 = -300.0;

/// Half the width of what the opening removes: couch shells are some millimetres thick, an arm 60 mm.
const OPENING_MM: f64 = 8.0;

/// Air around a patient reads below SUV 0.1, lung above 0.3.
const SKIN_SUV: f32 = 0.25;

/// Noise of one bed position is smoothed away by this much without moving the skin.
const PET_FWHM_MM: f64 = 7.0;

/// No patient is smaller than this: a newborn's trunk is above it, and a scatter of noise is below.
const SMALLEST_ML: f64 = 500.0;

/// Which scan a body was cut from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modality {
    Ct,
    Pet,
}

/// A body with the image that is aligned: values that mean the same tissue in both scans, bounded so that no organ or
/// lesion outweighs the rest.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) modality: Modality,
    /// CT: Hounsfield units in thousands above air, 0 to 1.25, 0 outside the body. PET: square root of SUV, 0 to 1.6.
    pub(super) image: Volume<f32>,
    pub(super) mask: Mask,
    /// CT: bone; PET: nothing.
    pub(super) skeleton: Option<Mask>,
}

impl Body {
    /// `None` if there is no body in the volume.
    pub(super) fn of_ct(ct: &Volume<i16>) -> Option<Self> {
        let hu = reduce(ct, SPACING_MM);
        let [_, row, column] = hu.geometry().spacing_mm();
        let half = [row, column].map(|mm| ((OPENING_MM / mm).round() as usize).max(1));
        let mut mask = hu.map(|&v| v > SKIN_HU);
        open_slices(&mut mask, half);
        let mask = largest_filled(&mask)?;
        let inside = |(&hu, &body): (&f32, &bool)| {
            // Contrast medium and metal stay below twice the bone's difference from soft tissue.
            if body { (hu.clamp(-1000.0, 250.0) + 1000.0) / 1000.0 } else { 0.0 }
        };
        let image = hu.values().iter().zip(mask.values()).map(inside).collect();
        let bone = hu.values().iter().zip(mask.values()).map(|(&hu, &body)| body && hu > 200.0);
        let skeleton = Volume::from_vec(hu.geometry().clone(), bone.collect());
        Some(Self {
            modality: Modality::Ct,
            image: Volume::from_vec(hu.geometry().clone(), image),
            mask,
            skeleton: Some(skeleton),
        })
    }

    /// `None` if there is no body in the volume.
    pub(super) fn of_pet(suv: &Volume<f32>) -> Option<Self> {
        let reduced = reduce(suv, SPACING_MM).map(|v| if v.is_finite() { *v } else { 0.0 });
        let smooth = gaussian_smooth(&reduced, [sigma_of_fwhm(PET_FWHM_MM); 3]);
        let mask = largest_filled(&smooth.map(|&v| v > SKIN_SUV))?;
        // The square root evens the noise of counts. The cap lies just above liver, so that a lesion of SUV 32, bladder
        // and brain count as present and no more.
        let image = smooth.map(|v| v.clamp(0.0, 2.5).sqrt());
        Some(Self { modality: Modality::Pet, image, mask, skeleton: None })
    }

    /// Volume of the body in millilitres.
    pub(super) fn volume_ml(&self) -> f64 {
        let voxels = self.mask.values().iter().filter(|&&b| b).count();
        voxels as f64 * self.mask.geometry().voxel_ml()
    }

    /// Whether a value of the image is lung.
    pub(super) fn is_lung(&self, value: f32) -> bool {
        match self.modality {
            Modality::Ct => value < 0.5,
            // SUV 0.7: lung reads 0.3 to 0.6, muscle and fat of the trunk around it more on average.
            Modality::Pet => value < 0.84,
        }
    }

    /// Centre of the body.
    pub(super) fn centroid(&self) -> DVec3 {
        let geometry = self.mask.geometry();
        let columns = geometry.shape()[2];
        let (mut sum, mut n) = (DVec3::ZERO, 0.0);
        for (line, row) in self.mask.values().chunks_exact(columns).enumerate() {
            let inside = || row.iter().enumerate().filter(|&(_, &b)| b).map(|(c, _)| c as f64);
            let here = inside().count() as f64;
            let [slice, row, _] = self.mask.voxel_of(line * columns).map(|i| i as f64);
            sum += DVec3::new(here * slice, here * row, inside().sum());
            n += here;
        }
        geometry.patient_from_index().transform_point3(sum / f64::max(n, 1.0))
    }
}

/// Removes what is thinner than the box of half-widths `half` (rows, columns) in each slice, and keeps the rest.
fn open_slices(mask: &mut Mask, half: [usize; 2]) {
    let [_, rows, columns] = mask.geometry().shape();
    mask.values_mut().par_chunks_mut(rows * columns).for_each(|slice| {
        // Erosion asks for all of a window, dilation for any; outside the slice counts as the body's own side.
        for (value, spread) in [(false, half), (true, half)] {
            for row in slice.chunks_exact_mut(columns) {
                spread_line(row, 0, 1, columns, value, spread[1]);
            }
            for c in 0..columns {
                spread_line(slice, c, columns, rows, value, spread[0]);
            }
        }
    });
}

/// Along one line, gives `value` to all within `reach` of a voxel that has it.
fn spread_line(
    values: &mut [bool],
    start: usize,
    step: usize,
    n: usize,
    value: bool,
    reach: usize,
) {
    let at = |i: usize| start + i * step;
    // Voxels from `next` on are still as they were: a voxel set here does not spread again.
    let (mut last, mut next) = (None, 0);
    for i in 0..n {
        if next < i {
            (last, next) = (Some(next), i);
        }
        while next < n && values[at(next)] != value {
            next += 1;
        }
        let near = last.is_some_and(|last| i - last <= reach);
        if near || (next < n && next - i <= reach) {
            values[at(i)] = value;
        }
    }
}

/// The largest 6-connected piece (the first in memory of equals) with its cavities filled, or `None` below the size of a
/// patient.
fn largest_filled(mask: &Mask) -> Option<Mask> {
    // `max_by_key` keeps the last of equals.
    let pieces = components_through_faces(mask).into_iter().rev();
    let body = pieces.max_by_key(Region::voxels)?;
    let patient = body.volume_ml(mask.geometry()) >= SMALLEST_ML;
    patient.then(|| fill_holes(&body.to_mask(mask.geometry()), Holes::EachSlice))
}
