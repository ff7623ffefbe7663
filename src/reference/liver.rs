//! Placing the liver sphere.
//!
//! With CT: the deepest place of even uptake in soft tissue on the right, between the right lung's base and 15 cm below it, at
//! least 2 cm under the dome where that can be had (breathing displaces it between CT and PET); where the uptake shows no such
//! place, the deepest soft tissue. With PET alone: the largest sphere of even uptake on the right side that has lung above
//! it. The liver is the largest homogeneous organ, so all searches are for depth, not for a level of uptake.
//!
//! Source: Bauer 2012 (Med Phys 39:3112) for the largest inscribed body of liver-like uptake; PERCIST 1.0 for the sphere.

use glam::DVec3;

use super::{Disease, Form, Method, Placement};
use crate::anatomy::{Anatomy, Lungs, median};
use crate::diagnostic::Warning;
use crate::resample::{evaluate, nearest_at, reduce};
use crate::segmentation::{Beyond, Holes, Region, distance_mm, erode_mm, fill_holes, grow, sphere};
use crate::volume::{Mask, Volume};

/// Radius of the sphere, millimetres (PERCIST 1.0: 3 cm diameter).
pub(super) const RADIUS_MM: f64 = 15.0;
/// The sphere's centre lies at least this deep in liver: its radius and a margin, millimetres.
const DEPTH_MM: f32 = 18.0;
/// The sphere keeps this far below lung (breathing moves the dome) and from lesions, and its centre this far to the right of
/// the spine, millimetres.
const BELOW_DOME_MM: f64 = 20.0;
const NEAR_DOME_MM: f64 = 5.0;
pub(super) const FROM_LESION_MM: f64 = 10.0;
const FROM_SPINE_MM: f64 = 15.0;
/// Zone of the liver around the base of the right lung, millimetres.
const BELOW_BASE_MM: f64 = 150.0;
const ABOVE_BASE_MM: f64 = 40.0;
/// Liver in CT, from fatty without contrast to normal with it, Hounsfield units.
const SOFT_HU: std::ops::Range<f32> = -15.0..180.0;
/// Even uptake: between these shares of its level.
const EVEN: std::ops::Range<f32> = 0.72..1.38;
/// Levels tried on PET alone, as multiples of the body's median uptake and SUVbw at most.
const LEVEL_OF_MEDIAN: f64 = 1.2;
const LEVEL_RATIO: f64 = 1.12;
const LEVEL_LIMIT: f64 = 6.0;

/// On PET alone: depth of even uptake that only the liver has below a lung; how far the fine search may move from the coarse
/// one; and the sphere's distance from the spine as a share of the body's half width (the heart and the cava lie nearer).
const DEPTH_ON_PET_MM: f32 = 24.0;
const REFINE_MM: f64 = 40.0;
/// No place in a liver is deeper than this, millimetres.
const DEEPEST_MM: f64 = 100.0;
const HALF_WIDTH_SHARE: f64 = 0.25;
/// On PET alone: lung is below this share of the liver's uptake and fills at least this share of the right chest.
const LUNG_OF_LIVER: f32 = 0.5;
const LUNG_SHARE: f64 = 0.3;

/// The two ways of finding the liver agree where the uptake at their places differs by at most this share.
const WAYS_AGREE: f32 = 0.2;
/// At least this share of the sphere is soft tissue where a CT shows it.
const SOFT_SHARE: f64 = 0.85;
/// Below this the liver is fatty and its uptake may not be that of a normal one, Hounsfield units without contrast
/// (EJNMMI 2017, s00259-017-3914-y).
const FATTY_HU: f32 = 42.0;

/// The smallest liver, millilitres: that of an infant has about 200.
const SMALLEST_ML: f64 = 150.0;
/// The middle of the liver lies at least this far to the right of the spine, millimetres: its right lobe is the larger one.
const MIDDLE_TO_THE_RIGHT_MM: f64 = 10.0;

/// Finds a place for the liver sphere, clear of disease, or says why there is none.
///
/// Where both CT and PET find one they check each other.
pub fn place(anatomy: &Anatomy, disease: &Disease) -> Result<Placement, String> {
    let (Some(hounsfield), Some(lungs)) = (&anatomy.hounsfield, &anatomy.lungs) else {
        let (centre_mm, depth) = with_pet(anatomy, disease)?;
        is_liver(anatomy, centre_mm)?;
        is_larger_than_on_the_left(anatomy, depth, None, f64::MIN..f64::MAX)?;
        is_hottest_large_organ(anatomy, centre_mm, depth)?;
        let mut place = placement(centre_mm, Method::Pet, depth);
        if let Some(hounsfield) = &anatomy.hounsfield {
            is_soft(hounsfield, centre_mm)?;
            place.doubts.extend(fatty(hounsfield, centre_mm));
        }
        return Ok(place);
    };
    let (found, on_pet) =
        rayon::join(|| with_ct(anatomy, hounsfield, lungs, disease), || with_pet(anatomy, disease));
    let (centre_mm, depth) = found?;
    is_liver(anatomy, centre_mm)?;
    let upper = lungs.right_base_z - BELOW_BASE_MM..lungs.right_base_z;
    is_larger_than_on_the_left(anatomy, depth, Some(hounsfield), upper)?;
    let mut place = placement(centre_mm, Method::Ct, depth);
    place.doubts.extend(fatty(hounsfield, centre_mm));
    match on_pet {
        Ok((on_pet, _)) => place.doubts.extend(apart(anatomy, centre_mm, on_pet)),
        Err(_) => place.notes.push("the PET alone shows no liver to check this by".into()),
    }
    Ok(place)
}

/// Refuses a place in something too small for a liver, or whose larger part lies on the left: a mirrored patient, a mirrored
/// scan, or the heart.
fn is_liver(anatomy: &Anatomy, centre_mm: DVec3) -> Result<(), String> {
    let level = median_around(&anatomy.uptake, centre_mm).unwrap_or(0.0);
    let extent = extent(anatomy, centre_mm, f64::from(level));
    let organ = Region::from_mask(&extent);
    let ml = organ.volume_ml(extent.geometry());
    let middle = organ.centroid_mm(extent.geometry()).filter(|_| ml >= SMALLEST_ML);
    let Some(middle) = middle else {
        return Err(format!(
            "what is deepest on the right has only {ml:.0} mL of even uptake, too little for a liver"
        ));
    };
    let right_of_spine = anatomy.spine_at(middle.z).0 - middle.x;
    if right_of_spine < MIDDLE_TO_THE_RIGHT_MM {
        return Err(format!(
            "what looks like the liver lies as much on the left as on the right (its middle {right_of_spine:.0} mm to the \
             right of the spine): a mirrored patient or scan, or another organ"
        ));
    }
    Ok(())
}

/// Refuses a shallow place where a far deeper organ lies on the left: a spleen in a mirrored body, or a liver so small that an
/// enlarged spleen cannot be told from it.
fn is_larger_than_on_the_left(
    anatomy: &Anatomy,
    depth: f32,
    hounsfield: Option<&Volume<f32>>,
    heights: std::ops::Range<f64>,
) -> Result<(), String> {
    if depth > SHALLOW_MM {
        return Ok(());
    }
    let zone = |place: DVec3| {
        place.x > anatomy.spine_at(place.z).0 + FROM_SPINE_MM && heights.contains(&place.z)
    };
    match by_levels(anatomy, FAR_DEEPER * depth, hounsfield, &zone) {
        Ok((_, left)) => Err(format!(
            "what looks like the liver is {depth:.0} mm deep, and an organ on the left {left:.0} mm: a mirrored patient or \
             scan, or a spleen larger than the liver"
        )),
        Err(_) => Ok(()),
    }
}

/// Refuses a place on PET alone where an organ about as deep takes up much more: what is even and cool, and has fat above it,
/// may be a pelvis.
fn is_hottest_large_organ(anatomy: &Anatomy, centre_mm: DVec3, depth: f32) -> Result<(), String> {
    let level = median_around(&anatomy.uptake, centre_mm).map_or(0.0, f64::from);
    // A head is as deep and hotter, and narrower than the trunk.
    let width = HEAD_OF_TRUNK * anatomy.width_mm(centre_mm.z);
    let zone = |place: DVec3| anatomy.width_mm(place.z) > width;
    let hotter = deepest_at_any(HOTTER * level..FAR_HOTTER * level, anatomy, None, &zone);
    match hotter {
        Some((there, other)) if other > AS_DEEP * depth => Err(format!(
            "what looks like the liver has SUV {level:.2}, and an organ as deep takes up much more (at {:.0}, {:.0}, {:.0} mm)",
            there.x, there.y, there.z
        )),
        _ => Ok(()),
    }
}

/// Uptake of an organ that would be the liver rather than what was found, as shares of its level, and its depth.
const HOTTER: f64 = 1.4;
const FAR_HOTTER: f64 = 3.0;
const AS_DEEP: f32 = 0.8;
const HEAD_OF_TRUNK: f64 = 0.75;

/// A usual liver is deeper than this, millimetres, and no spleen is so many times as deep.
const SHALLOW_MM: f32 = 30.0;
const FAR_DEEPER: f32 = 1.4;

/// A warning where the place found on the PET alone has another uptake than that found with the CT.
fn apart(anatomy: &Anatomy, with_ct: DVec3, on_pet: DVec3) -> Option<Warning> {
    let here = median_around(&anatomy.uptake, with_ct)?;
    let there = median_around(&anatomy.uptake, on_pet)?;
    ((there / here - 1.0).abs() > WAYS_AGREE).then(|| {
        let message = format!(
            "the liver found with the CT has SUV {here:.2}, what looks like the liver on the PET alone {there:.2} (at \
             {:.0}, {:.0}, {:.0} mm): check the region's place",
            on_pet.x, on_pet.y, on_pet.z
        );
        Warning::new("LIVER_PLACES_DISAGREE", message)
    })
}

/// Refuses a place that the CT shows to be no soft tissue.
fn is_soft(hounsfield: &Volume<f32>, centre_mm: DVec3) -> Result<(), String> {
    let region = sphere(hounsfield.geometry(), centre_mm, RADIUS_MM).region;
    let soft = region.values(hounsfield).filter(|hu| SOFT_HU.contains(hu)).count();
    if (soft as f64) < SOFT_SHARE * region.voxels() as f64 {
        return Err(format!(
            "what looks like the liver on the PET is no even soft tissue on the CT (at {:.0}, {:.0}, {:.0} mm)",
            centre_mm.x, centre_mm.y, centre_mm.z
        ));
    }
    Ok(())
}

fn fatty(hounsfield: &Volume<f32>, centre_mm: DVec3) -> Option<Warning> {
    let hu = median(sphere(hounsfield.geometry(), centre_mm, RADIUS_MM).region.values(hounsfield))?;
    (hu < FATTY_HU).then(|| {
        let message = format!(
            "the liver has {hu:.0} HU, under {FATTY_HU:.0}: a fatty liver, whose uptake may not be a normal reference"
        );
        Warning::new("LIVER_FATTY", message)
    })
}

/// A place with its depth in the organ, millimetres.
type Place = (DVec3, f32);

fn with_ct(
    anatomy: &Anatomy,
    hu: &Volume<f32>,
    lungs: &Lungs,
    disease: &Disease,
) -> Result<Place, String> {
    let mut found = Err(String::new());
    // A low lung over a flat liver leaves no place far enough below it: better near the dome than none, the uptake is even.
    for below_lung in [BELOW_DOME_MM, NEAR_DOME_MM] {
        let zone = |place: DVec3| {
            place.x < anatomy.spine_at(place.z).0 - FROM_SPINE_MM
                && place.z > lungs.right_base_z - BELOW_BASE_MM
                && place.z < lungs.right_base_z + ABOVE_BASE_MM
                && !lies_under(&lungs.mask, place, RADIUS_MM + below_lung)
                && !disease.nearer_than(place, RADIUS_MM + FROM_LESION_MM)
        };
        // Uptake first: fluid, bowel and the tissue of a collapsed lung are as deep and as soft as a liver.
        found = by_levels(anatomy, DEPTH_MM, Some(hu), &zone)
            .or_else(|_| deepest_soft(anatomy, hu, &zone));
        if found.is_ok() {
            break;
        }
    }
    found
}

/// The deepest soft tissue, then the deepest place of what has the uptake found there.
fn deepest_soft(
    anatomy: &Anatomy,
    hounsfield: &Volume<f32>,
    zone: &impl Fn(DVec3) -> bool,
) -> Result<Place, String> {
    let soft = hounsfield.map(|hu| SOFT_HU.contains(hu));
    let (first, depth) =
        deepest(&soft, zone).ok_or("no soft tissue lies in the right upper abdomen")?;
    if depth < DEPTH_MM {
        return Err(format!(
            "no soft tissue in the right upper abdomen is deep enough for the sphere ({depth:.0} mm of {DEPTH_MM:.0})"
        ));
    }
    let level = median_around(&anatomy.uptake, first)
        .ok_or("the right upper abdomen lies outside the PET")?;
    if f64::from(level) < LEVEL_OF_MEDIAN * anatomy.body_median {
        return Err(format!(
            "the deepest soft tissue of the right upper abdomen has SUV {level:.2}, hardly more than the body as a whole \
             ({:.2}): muscle, bowel or fluid, not the liver",
            anatomy.body_median
        ));
    }
    let alike = even(&anatomy.uptake, level, Some(&soft));
    let (centre_mm, depth) = deepest(&alike, zone).unwrap_or((first, 0.0));
    if depth < DEPTH_MM {
        return Err(format!(
            "the uptake around the deepest soft tissue of the right upper abdomen is uneven: a sphere of liver fits \
             only {depth:.0} mm deep"
        ));
    }
    Ok((centre_mm, depth))
}

fn with_pet(anatomy: &Anatomy, disease: &Disease) -> Result<Place, String> {
    let right_of = right_limits(anatomy);
    let zone = |place: DVec3| {
        place.x < right_of[anatomy.slice_at(place.z)]
            && nearest_at(&anatomy.depth_mm, place).unwrap_or(0.0) > 10.0
            && !disease.nearer_than(place, RADIUS_MM + FROM_LESION_MM)
            && under_lung(anatomy, place)
    };
    by_levels(anatomy, DEPTH_ON_PET_MM, None, &zone)
}

/// The deepest place of even uptake at any level that a liver may have, in soft tissue where a CT shows it.
fn by_levels(
    anatomy: &Anatomy,
    least_depth: f32,
    hounsfield: Option<&Volume<f32>>,
    zone: &impl Fn(DVec3) -> bool,
) -> Result<Place, String> {
    let levels = LEVEL_OF_MEDIAN * anatomy.body_median..LEVEL_LIMIT;
    let best = deepest_at_any(levels, anatomy, hounsfield, zone);
    let (first, _) =
        best.ok_or("no large region of even uptake lies on the right side below a lung")?;
    let level =
        median_around(&anatomy.uptake, first).ok_or("the liver lies at the edge of the PET")?;
    // The fine search refines the coarse one; elsewhere lie other organs of this uptake.
    let reach = DVec3::splat(REFINE_MM + DEEPEST_MM);
    let alike = part_around(anatomy, first, reach, |voxel| {
        EVEN.contains(&(anatomy.uptake[voxel] / level))
            && hounsfield.is_none_or(|hu| SOFT_HU.contains(&hu[voxel]))
    })
    .ok_or("the liver lies at the edge of the PET")?;
    let near = |place: DVec3| place.distance(first) < REFINE_MM && zone(place);
    let (centre_mm, depth) = deepest(&alike, near).unwrap_or((first, 0.0));
    if depth < least_depth {
        return Err(format!(
            "the largest region of even uptake on the right side below a lung is too small to be the liver \
             ({depth:.0} mm deep of {least_depth:.0})"
        ));
    }
    Ok((centre_mm, depth))
}

/// The deepest place of even uptake at any of some levels, by the centimetre.
fn deepest_at_any(
    levels: std::ops::Range<f64>,
    anatomy: &Anatomy,
    hounsfield: Option<&Volume<f32>>,
    zone: &impl Fn(DVec3) -> bool,
) -> Option<Place> {
    let coarse = reduce(&anatomy.uptake, 8.0);
    let soft = hounsfield.map(|hu| {
        let is_soft = |place| nearest_at(hu, place).is_some_and(|hu| SOFT_HU.contains(&hu));
        evaluate(coarse.geometry(), is_soft)
    });
    let voxel_mm3 = 1e3 * coarse.geometry().voxel_ml() as f32;
    let mut best: Option<Place> = None;
    let mut level = levels.start;
    while level < levels.end {
        let alike = even(&coarse, level as f32, soft.as_ref());
        // Less than half a ball as deep as the best holds no place that is deeper.
        let ball = best.map_or(0.0, |(_, deepest)| 2.0 * deepest.powi(3));
        let volume = alike.values().iter().filter(|&&a| a).count() as f32 * voxel_mm3;
        if volume >= ball
            && let Some((centre, depth)) = deepest(&alike, zone)
            && best.is_none_or(|(_, deepest)| depth > deepest)
        {
            best = Some((centre, depth));
        }
        level *= LEVEL_RATIO;
    }
    best
}

/// The x to the right of which the liver's sphere may lie, one a slice: off the spine by a share of the body's half width.
fn right_limits(anatomy: &Anatomy) -> Vec<f64> {
    let limit = |(slice, spine): (usize, &(f64, f64))| {
        let half = anatomy.width_mm(anatomy.z_of(slice)) / 2.0;
        spine.0 - (HALF_WIDTH_SHARE * half).max(FROM_SPINE_MM)
    };
    anatomy.spine.centres.iter().enumerate().map(limit).collect()
}

/// Whether lung lies above a place in the liver: much of the right half of the body 3 cm above the dome is far less active.
fn under_lung(anatomy: &Anatomy, place: DVec3) -> bool {
    let Some(level) = nearest_at(&anatomy.uptake, place) else { return false };
    let Some(dome) = dome_above(anatomy, place) else { return false };
    let slice = anatomy.slice_at(dome + 30.0);
    let (uptake, depth) = (&anatomy.uptake, &anatomy.depth_mm);
    let [_, rows, columns] = anatomy.lattice().shape();
    let middle = anatomy.spine.centres[slice].0;
    let (mut inside, mut low) = (0_usize, 0_usize);
    for voxel in (0..rows).flat_map(|r| (0..columns).map(move |c| [slice, r, c])) {
        if depth[voxel] > 20.0 && anatomy.lattice().centre_of(voxel).x < middle {
            inside += 1;
            low += usize::from(uptake[voxel] < LUNG_OF_LIVER * level);
        }
    }
    low as f64 > LUNG_SHARE * inside as f64
}

fn placement(centre_mm: DVec3, method: Method, depth: f32) -> Placement {
    let notes = vec![format!("{depth:.0} mm deep in even liver uptake")];
    let form = Form::Sphere { centre_mm, radius_mm: RADIUS_MM };
    Placement { form, method, notes, doubts: Vec::new() }
}

/// Height of the liver's dome above a place in it on PET: where the uptake going up falls to that of lung and stays there
/// for 3 cm inside the body. `None` where that does not happen within 25 cm: no liver, or no chest in the scan.
pub fn dome_above(anatomy: &Anatomy, place: DVec3) -> Option<f64> {
    let level = nearest_at(&anatomy.uptake, place)?;
    let mut lung_from = None;
    for up in 0..62_u32 {
        let here = place + DVec3::Z * (4.0 * f64::from(up));
        let uptake = nearest_at(&anatomy.uptake, here)?;
        if nearest_at(&anatomy.depth_mm, here)? < 8.0 {
            return None;
        }
        if uptake > 0.55 * level {
            lung_from = None;
        } else {
            let from = *lung_from.get_or_insert(here.z);
            if here.z - from >= 30.0 {
                return Some(from);
            }
        }
    }
    None
}

/// Uptake that belongs to the liver, as shares of its mean.
const LIVER_UPTAKE: std::ops::Range<f32> = 0.6..1.45;
/// The liver lies within this box around its sphere (x, y, z), so that even uptake of bowel below it takes no part.
const LIVER_REACH_MM: DVec3 = DVec3::new(200.0, 130.0, 130.0);
/// What hangs together by less than twice this is two organs, millimetres.
const NECK_MM: f64 = 10.0;

/// The organ around a place of a mean uptake: even uptake connected with it through more than a neck, its holes (lesions)
/// filled; on the part of the anatomy's lattice that a liver can reach from there.
pub fn extent(anatomy: &Anatomy, centre_mm: DVec3, mean: f64) -> Mask {
    let is_even = |voxel: [usize; 3]| {
        let density = anatomy.hounsfield.as_ref().map(|hu| hu[voxel]);
        LIVER_UPTAKE.contains(&(anatomy.uptake[voxel] / mean as f32))
            && density.is_none_or(|hu| hu > -50.0)
    };
    let Some(even) = part_around(anatomy, centre_mm, LIVER_REACH_MM, is_even) else {
        return Mask::filled(anatomy.lattice().clone(), false);
    };
    let lattice = even.geometry();
    let core = erode_mm(&even, NECK_MM, Beyond::Outside);
    let core = core.map(|&inside| f32::from(u8::from(inside)));
    let grown = lattice
        .voxel_at(centre_mm)
        .map_or_else(|| Region::empty(lattice.shape()), |seed| grow(&core, seed, 0.5, None));
    fill_holes(&grown.dilated_mm(lattice, NECK_MM).to_mask(lattice), Holes::Volume)
}

/// The voxels of the anatomy's lattice within a box around a place for which a test holds, on that part of the lattice;
/// `None` where the box lies outside.
fn part_around(
    anatomy: &Anatomy,
    centre_mm: DVec3,
    reach_mm: DVec3,
    holds: impl Fn([usize; 3]) -> bool,
) -> Option<Mask> {
    let whole = anatomy.lattice();
    let (low, high) = whole.bounds_mm();
    let first = whole.voxel_at(low.max(centre_mm - reach_mm))?;
    let last = whole.voxel_at(high.min(centre_mm + reach_mm))?;
    let range = |axis: usize| first[axis]..=last[axis];
    let voxels =
        range(0).flat_map(|s| range(1).flat_map(move |r| range(2).map(move |c| [s, r, c])));
    Some(Mask::from_vec(whole.part(first, last), voxels.map(holds).collect()))
}

/// Voxels whose uptake is even with a level, in soft tissue where that is known.
fn even(uptake: &Volume<f32>, level: f32, soft: Option<&Mask>) -> Mask {
    let mut alike = uptake.map(|&u| EVEN.contains(&(u / level)));
    if let Some(soft) = soft {
        let pairs = alike.values_mut().iter_mut().zip(soft.values());
        pairs.for_each(|(alike, soft)| *alike &= soft);
    }
    alike
}

/// The deepest place of a mask inside a zone, with its depth in millimetres; the first of equals.
fn deepest(mask: &Mask, zone: impl Fn(DVec3) -> bool) -> Option<(DVec3, f32)> {
    let depth = distance_mm(mask, Beyond::Outside);
    let mut best: Option<(DVec3, f32)> = None;
    for (offset, &d) in depth.values().iter().enumerate() {
        if d.is_finite() && d > best.map_or(0.0, |(_, deepest)| deepest) {
            let place = mask.geometry().centre_of(depth.voxel_of(offset));
            if zone(place) {
                best = Some((place, d));
            }
        }
    }
    best
}

/// Median uptake of the sphere around a place; `None` outside the scan.
fn median_around(uptake: &Volume<f32>, place: DVec3) -> Option<f32> {
    let region = sphere(uptake.geometry(), place, RADIUS_MM).region;
    median(region.values(uptake)).filter(|&m| m > 0.0)
}

/// Whether something of the mask lies at most a distance straight above a place, or the place outside its lattice.
fn lies_under(mask: &Mask, place: DVec3, reach_mm: f64) -> bool {
    let geometry = mask.geometry();
    let reach = (reach_mm / geometry.spacing_mm()[0]).ceil() as usize;
    geometry.voxel_at(place).is_none_or(|[slice, row, column]| {
        let last = (slice + reach).min(geometry.shape()[0] - 1);
        (slice..=last).any(|slice| mask[[slice, row, column]])
    })
}
