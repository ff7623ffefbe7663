//! The lungs in CT: the large air spaces inside the body.

use super::median;
use super::spine::Spine;
use crate::segmentation::{Region, components_of_mask};
use crate::volume::{Mask, Volume};

/// Air and lung, Hounsfield units.
const AIR_HU: f32 = -400.0;
/// Lung holds blood and tissue; gas in stomach and bowel is air alone. Median Hounsfield units of an air space; emphysema
/// lies at about -930.
const LUNG_MEDIAN_HU: std::ops::Range<f32> = -960.0..-450.0;
/// Smallest air space that is a lung, and smallest part of one that the end of the CT cuts off, millilitres.
const LUNG_ML: f64 = 250.0;
const CUT_LUNG_ML: f64 = 20.0;
/// Area that a lung has in a slice that belongs to it, square millimetres; a trachea has less.
const SECTION_MM2: f64 = 800.0;

/// A lung with less than this share of the other's air has collapsed, or has been removed.
const COLLAPSED: f64 = 0.2;
/// A lung section this near to the end of the CT is cut off there, millimetres.
const END_MM: f64 = 6.0;
/// Height of an adult's lungs from the right base to the apex, millimetres.
pub const ADULT_HEIGHT_MM: f64 = 255.0;

/// Both lungs and their ends along the body. An end outside the CT is put where it would be in an adult; lungs cut off at both
/// ends tell no heights and are not given.
#[derive(Debug, Clone)]
pub struct Lungs {
    /// Lung voxels, both sides.
    pub mask: Mask,
    /// Lowest height with a section of the right lung: the costophrenic angle, millimetres.
    pub right_base_z: f64,
    /// Lowest height with a section of the left lung, millimetres.
    pub left_base_z: f64,
    /// Highest height with a section of either lung, millimetres.
    pub apex_z: f64,
}

impl Lungs {
    pub(super) fn find(hounsfield: &Volume<f32>, body: &Mask, spine: &Spine) -> Option<Self> {
        let mut air = hounsfield.map(|&hu| hu < AIR_HU);
        air.values_mut().iter_mut().zip(body.values()).for_each(|(air, &body)| *air &= body);
        let (bottom, top) = covered(hounsfield)?;
        let mask = lungs_of(&air, hounsfield, bottom..=top)?;
        let sections: Vec<_> = (0..spine.centres.len()).map(|s| areas(&mask, spine, s)).collect();
        let z = |slice: usize| mask.geometry().centre_of([slice, 0, 0]).z;
        let first = |side: fn(&(f64, f64)) -> f64| {
            sections.iter().position(|a| side(a) >= SECTION_MM2).map(z)
        };
        let last = sections.iter().rposition(|a| a.0.max(a.1) >= SECTION_MM2).map(z)?;
        let (right, left) = (first(|a| a.0), first(|a| a.1));
        let size = |side: fn(&(f64, f64)) -> f64| sections.iter().map(side).sum::<f64>();
        // What the other lung reaches over the middle is no base of a lung that is not there.
        let (right_size, left_size) = (size(|a| a.0), size(|a| a.1));
        let right = right.filter(|_| right_size > COLLAPSED * left_size);
        let left = left.filter(|_| left_size > COLLAPSED * right_size);
        let base = right.or(left)?;
        let (base, last) = match (base <= z(bottom) + END_MM, last >= z(top) - END_MM) {
            (false, false) => (base, last),
            // Cut off below or above: the other end tells where it would be in an adult.
            (true, false) => (base.min(last - ADULT_HEIGHT_MM), last),
            (false, true) => (base, last.max(base + ADULT_HEIGHT_MM)),
            (true, true) => return None,
        };
        let left_base_z = left.filter(|&left| left > z(bottom) + END_MM).unwrap_or(base);
        Some(Self { right_base_z: base, left_base_z, apex_z: last, mask })
    }

    /// Distance from the right base to the apex, millimetres.
    pub fn height_mm(&self) -> f64 {
        self.apex_z - self.right_base_z
    }
}

/// The air spaces that are lungs: large and not as empty as gas; where there is none, what an end of the CT cuts off.
fn lungs_of(
    air: &Mask,
    hounsfield: &Volume<f32>,
    covered: std::ops::RangeInclusive<usize>,
) -> Option<Mask> {
    let parts = components_of_mask(air);
    let like_lung = |part: &&Region, smallest_ml: f64| {
        part.volume_ml(air.geometry()) >= smallest_ml
            && median(part.values(hounsfield)).is_some_and(|hu| LUNG_MEDIAN_HU.contains(&hu))
    };
    let is_cut =
        |part: &&Region| part.indices().any(|[s, ..]| s == *covered.start() || s == *covered.end());
    let mut found: Vec<&Region> = parts.iter().filter(|p| like_lung(p, LUNG_ML)).collect();
    if found.is_empty() {
        found = parts.iter().filter(|p| like_lung(p, CUT_LUNG_ML) && is_cut(p)).collect();
    }
    let mut lungs = Volume::filled(air.geometry().clone(), false);
    for part in &found {
        part.paint(&mut lungs, true);
    }
    (!found.is_empty()).then_some(lungs)
}

/// First and last slice in which the CT shows anything but air.
fn covered(hounsfield: &Volume<f32>) -> Option<(usize, usize)> {
    let planes = hounsfield.voxels().outer_iter();
    let shown: Vec<bool> = planes.map(|plane| plane.iter().any(|&hu| hu > AIR_HU)).collect();
    Some((shown.iter().position(|&s| s)?, shown.iter().rposition(|&s| s)?))
}

/// Area of the right and of the left lung in a slice, square millimetres.
fn areas(lungs: &Mask, spine: &Spine, slice: usize) -> (f64, f64) {
    let geometry = lungs.geometry();
    let [_, row_mm, column_mm] = geometry.spacing_mm();
    let middle = spine.centres[slice].0;
    let (mut right, mut left) = (0.0, 0.0);
    for ((r, c), &inside) in lungs.voxels().index_axis(ndarray::Axis(0), slice).indexed_iter() {
        if inside {
            let x = geometry.centre_of([slice, r, c]).x;
            *(if x < middle { &mut right } else { &mut left }) += row_mm * column_mm;
        }
    }
    (right, left)
}
