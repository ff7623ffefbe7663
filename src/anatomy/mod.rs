//! Where the body, the lungs and the spine are, as far as CT and PET tell without a learned model.
//!
//! Everything is found on one coarse lattice along the patient's own axes (slices towards the head, rows towards the back,
//! columns towards the left), so the orientation of the acquired stack does not matter.
//!
//! Sources of the ideas: Bauer 2012 (Med Phys 39:3112) for organs from uptake and CT by shape; thresholds in Hounsfield
//! units are those in common use (air below -400, soft tissue -300 and up, cancellous bone above 160).

mod blood;
mod body;
mod body_mean;
mod lungs;
mod spine;

use std::borrow::Cow;

use glam::{DAffine3, DVec3};
use ndarray::Axis;

use crate::geometry::VolumeGeometry;
use crate::resample::{
    nearest_blocks, reduce, reduce_hounsfield, resample, smooth_onto, whole_blocks,
};
use crate::segmentation::{BoundingBox, largest_component};
use crate::volume::{Mask, Volume};

pub use body_mean::{BodyMean, NoBodyMean, body_mean};
pub use lungs::{ADULT_HEIGHT_MM as ADULT_LUNG_HEIGHT_MM, Lungs};
pub use spine::Spine;

/// Spacing of the lattice on which anatomy is found, millimetres.
pub const LATTICE_MM: f64 = 4.0;

/// Smoothing of the uptake before anatomy is found in it (standard deviation, millimetres): organs stay, noise goes.
const SMOOTHING_MM: f64 = 5.0;

/// Landmarks of one scan on a lattice along the patient's axes.
#[derive(Debug, Clone)]
pub struct Anatomy {
    /// Uptake as SUVbw, smoothed; 0 outside the scan.
    pub uptake: Volume<f32>,
    /// Hounsfield units where there is a CT; -1024 outside it.
    pub hounsfield: Option<Volume<f32>>,
    /// The body, its cavities filled, without the couch.
    pub body: Mask,
    /// Depth below the body's surface, millimetres.
    pub depth_mm: Volume<f32>,
    /// Median uptake (SUVbw) of the body, the outermost 15 mm left out.
    pub body_median: f64,
    /// Middle of the body and of the vertebral column in each slice.
    pub spine: Spine,
    /// The lungs, where the CT shows them.
    pub lungs: Option<Lungs>,
    /// Hounsfield units of blood, where a CT shows the chest: about 40 without contrast, 150 and more with it.
    pub blood_hu: Option<f32>,
}

impl Anatomy {
    /// Finds what can be found; `None` where the uptake shows no body at all.
    ///
    /// `bw_per_value` turns the PET's values into SUVbw; the CT is in Hounsfield units and in the PET's frame of reference.
    pub fn survey(pet: &Volume<f32>, bw_per_value: f64, ct: Option<&Volume<i16>>) -> Option<Self> {
        // Four fifths of a field of view are air.
        let around = around_body(pet, bw_per_value)?;
        let lattice = lattice_over(pet.geometry(), &pet.geometry().part(around[0], around[1]));
        let mut uptake = smooth_onto(pet, around, [SMOOTHING_MM; 3], &lattice);
        uptake.values_mut().iter_mut().for_each(|v| *v *= bw_per_value as f32);
        let hounsfield = ct.map(|ct| hounsfield_on(ct, &lattice));
        let body_of_pet = body::from_uptake(&uptake)?;
        // A CT that misses much of the body (another bed, a localizer) cannot say where the body is.
        let hounsfield = hounsfield.filter(|hu| body::covered_share(&body_of_pet, hu) > 0.5);
        let body = hounsfield.as_ref().and_then(body::from_ct).unwrap_or(body_of_pet);
        let spine = Spine::find(&body, hounsfield.as_ref());
        let lungs = hounsfield.as_ref().and_then(|hu| Lungs::find(hu, &body, &spine));
        let chest = hounsfield.as_ref().zip(lungs.as_ref());
        let blood_hu = chest.and_then(|(hu, lungs)| blood::hounsfield(hu, lungs, &spine));
        // Last, because what is above takes its room for a while and this stays.
        let depth_mm = body::depth(&body);
        let body_median = body::median_uptake(&uptake, &depth_mm)?;
        Some(Self { uptake, hounsfield, body, depth_mm, body_median, spine, lungs, blood_hu })
    }

    /// Hounsfield units above which bone begins, `usual` without contrast: enhanced blood and organs must not count as bone.
    pub fn bone_hu(&self, usual: f32) -> f32 {
        self.blood_hu.map_or(usual, |blood| usual.max(blood + blood::ORGANS_OVER_BLOOD_HU))
    }

    /// The lattice: slices towards the head, rows towards the back, columns towards the left.
    pub fn lattice(&self) -> &VolumeGeometry {
        self.uptake.geometry()
    }

    /// Height of a slice of the lattice, millimetres.
    pub fn z_of(&self, slice: usize) -> f64 {
        self.lattice().centre_of([slice, 0, 0]).z
    }

    /// The slice of the lattice nearest to a height, clamped to the scan.
    pub fn slice_at(&self, z_mm: f64) -> usize {
        let origin = self.lattice().origin_mm().z;
        let last = self.lattice().shape()[0] - 1;
        (((z_mm - origin) / LATTICE_MM).round().max(0.0) as usize).min(last)
    }

    /// Width of the body from side to side at a height (arms beside it included), millimetres.
    pub fn width_mm(&self, z_mm: f64) -> f64 {
        self.lines_with_body(z_mm, Axis(1))
    }

    /// Thickness of the body from front to back at a height, millimetres.
    pub fn thickness_mm(&self, z_mm: f64) -> f64 {
        self.lines_with_body(z_mm, Axis(0))
    }

    fn lines_with_body(&self, z_mm: f64, across: Axis) -> f64 {
        let voxels = self.body.voxels();
        let slice = voxels.index_axis(Axis(0), self.slice_at(z_mm));
        let lines = slice.axis_iter(across).filter(|line| line.iter().any(|&inside| inside));
        lines.count() as f64 * LATTICE_MM
    }

    /// Middle of the vertebral column at a height, as `(x, y)`.
    pub fn spine_at(&self, z_mm: f64) -> (f64, f64) {
        self.spine.centres[self.slice_at(z_mm)]
    }
}

/// Skin, arms and couch that a CT shows may lie this far outside what takes up tracer, millimetres.
const MARGIN_MM: f64 = 64.0;

/// The body is looked for on blocks of about this size, millimetres, to know where it lies in the field of view.
pub(crate) const COARSE_MM: f64 = 8.0;

/// The box around what takes up tracer as a body does, in blocks of about 8 mm, and their lattice; `None` where nothing does.
pub(crate) fn coarse_body(
    pet: &Volume<f32>,
    bw_per_value: f64,
) -> Option<(VolumeGeometry, BoundingBox)> {
    let coarse = reduce(pet, COARSE_MM);
    let level = (f64::from(body::TRACER_SUV) / bw_per_value) as f32;
    let body = largest_component(&coarse.map(|&value| value > level))?;
    Some((coarse.geometry().clone(), body.bounding_box()?))
}

/// The first and the last voxel of all slices of a PET, cut to the body and a margin; `None` where the uptake shows no body.
fn around_body(pet: &Volume<f32>, bw_per_value: f64) -> Option<[[usize; 3]; 2]> {
    let (coarse, bounds) = coarse_body(pet, bw_per_value)?;
    let (shape, spacing) = (pet.geometry().shape(), pet.geometry().spacing_mm());
    let step = |axis: usize| coarse.spacing_mm()[axis] / spacing[axis];
    let margin = |axis: usize| MARGIN_MM / spacing[axis];
    let first = |axis: usize| (bounds.min[axis] as f64 * step(axis) - margin(axis)) as usize;
    let last = |axis: usize| {
        let end = (bounds.max[axis] + 1) as f64 * step(axis) + margin(axis);
        (end as usize).min(shape[axis] - 1)
    };
    Some([[0, first(1), first(2)], [shape[0] - 1, last(1), last(2)]])
}

/// The part of the lattice of a whole field of view that lies over a part of it: its places do not depend on the part.
fn lattice_over(field: &VolumeGeometry, part: &VolumeGeometry) -> VolumeGeometry {
    let whole = patient_lattice(field, LATTICE_MM);
    let (low, high) = part.bounds_mm();
    let index = |place: DVec3, axis: usize| whole.index_of(place)[axis].max(0.0);
    // Even numbers keep the blocks of a reduced lattice where they are.
    let first = [0, 1, 2].map(|axis| (index(low, axis) as usize) / 2 * 2);
    let last =
        [0, 1, 2].map(|axis| (index(high, axis).ceil() as usize).min(whole.shape()[axis] - 1));
    whole.part(first, last)
}

/// A lattice along the patient's axes around all voxel centres of another.
fn patient_lattice(of: &VolumeGeometry, spacing_mm: f64) -> VolumeGeometry {
    let (low, high) = of.bounds_mm();
    lattice_in_box(low, high, spacing_mm)
}

/// A lattice along the patient's axes in a box, slices towards the head.
pub(crate) fn lattice_in_box(low: DVec3, high: DVec3, spacing_mm: f64) -> VolumeGeometry {
    let count = |extent: f64| (extent / spacing_mm).floor().max(0.0) as usize + 1;
    let size = high - low;
    let shape = [count(size.z), count(size.y), count(size.x)];
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * spacing_mm);
    VolumeGeometry::new(shape, low, steps).expect("a box of finite size has a lattice")
}

/// Voxels of a CT are averaged up to this size before anything is looked for on it, millimetres: an aorta is ten times as
/// wide, and all lattices here are as coarse. Pictures show the CT as it came.
pub const CT_COARSEST_MM: f64 = 2.75;

/// A CT at the resolution of [`CT_COARSEST_MM`], whether it came whole or was reduced when it was read.
pub fn working_ct(ct: &Volume<i16>) -> Cow<'_, Volume<i16>> {
    if whole_blocks(ct.geometry(), CT_COARSEST_MM) == [1; 3] {
        return Cow::Borrowed(ct);
    }
    Cow::Owned(reduce_hounsfield(ct, CT_COARSEST_MM))
}

/// Hounsfield units on a coarser lattice: block means first, so that noise and fine structure do not alias.
pub(crate) fn hounsfield_on(ct: &Volume<i16>, lattice: &VolumeGeometry) -> Volume<f32> {
    let target = lattice.spacing_mm()[0] * 0.75;
    // A CT that is as coarse as that already is not copied.
    if nearest_blocks(ct.geometry(), target) == [1; 3] {
        return resample(ct, lattice, DAffine3::IDENTITY, -1024.0);
    }
    resample(&reduce(ct, target), lattice, DAffine3::IDENTITY, -1024.0)
}

/// The upper median of some values; `None` of none.
pub(crate) fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

#[cfg(test)]
mod tests;
