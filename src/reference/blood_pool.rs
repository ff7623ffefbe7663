//! Placing the mediastinal blood pool: a cylinder in the descending thoracic aorta.
//!
//! With CT the aorta is followed from slice to slice: round soft tissue to the left and in front of the vertebral column,
//! beside the left lung. With PET alone the same line is followed in the uptake: what is brighter than lung, left of the
//! column and beside lung, and not hot. The straight 2 cm nearest the middle of the chest that keeps away from hot
//! neighbours (myocardium, oesophagus, lesions) is taken.
//!
//! Source: PERCIST 1.0 (1 cm x 2 cm in the descending thoracic aorta); Bauer 2012 (Med Phys 39:3112), aorta as a tube.

use glam::DVec3;

use super::track::best_line;
use super::{Disease, Form, Method, Placement, liver};
use crate::anatomy::{
    ADULT_LUNG_HEIGHT_MM, Anatomy, LATTICE_MM, Lungs, hounsfield_on, lattice_in_box, median,
};
use crate::geometry::VolumeGeometry;
use crate::resample::{evaluate, nearest_at, sample_at};
use crate::segmentation::{Beyond, distance_mm, distance_to_mm, open_mm};
use crate::volume::{Mask, Volume};

/// Cylinder: radius and length, millimetres (PERCIST 1.0).
pub(super) const RADIUS_MM: f64 = 5.0;
const LENGTH_MM: f64 = 20.0;
/// Spacing of the lattice on which the vessel is followed, millimetres.
const STEP_MM: f64 = 2.5;
/// The vessel's middle relative to the middle of the vertebral column (posterior elements included, so that the vessel is
/// always before it): to the left, and from front to back, millimetres.
const LEFT_MM: std::ops::Range<f64> = 0.0..50.0;
const BACK_MM: std::ops::Range<f64> = -70.0..-5.0;
/// Radius of an adult's descending aorta, millimetres: 12 in the mean, 8.5 at least (Hager 2002, J Thorac Cardiovasc Surg
/// 123:1060), less half a voxel of the lattice. A collapsed oesophagus is thinner.
const VESSEL_MM: std::ops::Range<f32> = 7.25..20.0;
const THICK_MM: f32 = 9.0;
/// Blood is the same all along the vessel: a run that is this many times hotter than the line's median is an oesophagus, or
/// something hot spills into it.
const SAME_BLOOD: f32 = 1.25;
/// Lung begins within so many steps of the lattice to the left of the vessel's axis.
const LUNG_WITHIN: i32 = 9;
/// Lungs of less than this share of an adult's height are a child's, whose aorta takes a thinner cylinder.
const CHILD: f64 = 0.75;
/// On PET alone: a body that is less wide or less thick than this at the liver's dome is a child's, whose aorta is too thin to
/// be found by its uptake, millimetres.
const ADULT_WIDTH_MM: f64 = 240.0;
const ADULT_THICKNESS_MM: f64 = 170.0;
/// Blood and wall without contrast, Hounsfield units; with it, what is this near to the blood of the chest. Bone is told apart
/// by its bulk.
const PLAIN_HU: std::ops::Range<f32> = -20.0..400.0;
const AROUND_BLOOD_HU: f32 = 60.0;
const ENHANCED_HU: f32 = 90.0;
const BONE_HU: f32 = 160.0;
/// Where in the chest the cylinder may lie, as a share of the lungs' height above the right base, and where it is best.
const CHEST: std::ops::Range<f64> = 0.28..0.75;
const BEST: f64 = 0.55;
/// The cylinder keeps this far from lesions, millimetres.
pub(super) const FROM_LESION_MM: f64 = 15.0;
/// A neighbour within this distance that is this many times hotter than the vessel spills into it.
const NEIGHBOUR_MM: f64 = 16.0;
const HOT: f32 = 1.8;

/// On PET, as shares of the liver's uptake: lung lies below, blood between (hotter is myocardium, oesophagus or lesion).
const LUNG_OF_LIVER: f32 = 0.42;
const BLOOD_OF_LIVER: std::ops::Range<f32> = 0.45..1.1;
/// Blood has more uptake than the body's median, which is that of muscle and fat.
const BLOOD_OF_MEDIAN: f32 = 1.15;
/// Blood is brighter than the muscle and fat beside the column; above this share of the liver it counts in full.
const BRIGHT_OF_LIVER: f32 = 0.85;
/// On PET: the vessel's middle from the middle of the column (not its marrow) and from the edge of the left lung, millimetres.
const VESSEL_OFF_SPINE_MM: f64 = 14.0;
const FROM_LUNG_MM: f32 = 12.0;
/// On PET: where the descending aorta usually lies from the middle of the column (to the left, to the back) in adults, and how
/// far from there it may be, millimetres.
const USUAL_MM: (f64, f64) = (32.0, -25.0);
const USUAL_REACH_MM: (f64, f64) = (22.0, 45.0);

/// A place on the line of the vessel.
struct Point {
    centre: DVec3,
    /// Score of the line here; below [`SURE`] it is no vessel.
    score: f32,
    /// Radius of the vessel as far as it is known, millimetres.
    radius_mm: f32,
}

/// Lowest score of a place on the line that counts as vessel.
const SURE: f32 = 0.3;

/// Finds a place for the cylinder, or says why there is none.
///
/// `liver_mm` is the centre of the liver sphere; without CT it tells where the chest begins. The cylinder keeps clear of
/// disease.
pub fn place(
    anatomy: &Anatomy,
    ct: Option<&Volume<i16>>,
    liver_mm: Option<DVec3>,
    disease: &Disease,
) -> Result<Placement, String> {
    if let (Some(ct), Some(lungs)) = (ct, &anatomy.lungs) {
        let line = line_on_ct(anatomy, ct, lungs)?;
        let height = |z: f64| (z - lungs.right_base_z) / lungs.height_mm();
        // Muscle beside the column is as soft and as round, and takes up less.
        let of_liver = liver_mm.and_then(|place| nearest_at(&anatomy.uptake, place));
        let least = (BLOOD_OF_MEDIAN * anatomy.body_median as f32)
            .max(of_liver.map_or(0.0, |level| BLOOD_OF_LIVER.start * level));
        let scale = scale(lungs);
        // Without a liver's uptake to compare with, only a vessel as thick as an aorta can be told from the oesophagus.
        let thick = |p: &Point| liver_mm.is_some() || p.radius_mm >= THICK_MM * scale as f32;
        let along =
            median(sure(&line).map(|p| nearest_at(&anatomy.uptake, p.centre).unwrap_or(0.0)));
        let enhanced = anatomy.blood_hu.is_some_and(|blood| blood > ENHANCED_HU);
        let is_blood = |run: &[Point]| {
            let mean = mean_uptake(anatomy, run);
            let alike = along.is_none_or(|along| mean < SAME_BLOOD * along);
            let beside_lung = enhanced || run.iter().all(|p| has_lung_to_the_left(lungs, p.centre));
            mean > least && alike && beside_lung && run.iter().all(thick)
        };
        let radius_mm = if scale < CHILD { scale * RADIUS_MM } else { RADIUS_MM };
        return choose(anatomy, &line, height, disease, is_blood, (Method::Ct, radius_mm));
    }
    let liver =
        liver_mm.ok_or("there is no CT, and no liver that would tell where the chest begins")?;
    let dome = liver::dome_above(anatomy, liver).ok_or("no lung lies above the liver")?;
    let (width_mm, thickness_mm) = (anatomy.width_mm(dome), anatomy.thickness_mm(dome));
    if width_mm < ADULT_WIDTH_MM || thickness_mm < ADULT_THICKNESS_MM {
        return Err(format!(
            "the body is {width_mm:.0} mm wide and {thickness_mm:.0} mm thick: a child's aorta is too thin to be found on \
             the PET alone"
        ));
    }
    let line = line_on_pet(anatomy, liver, dome)?;
    let height = |z: f64| 0.2 + 0.6 * (z - dome) / CHEST_ABOVE_DOME_MM;
    let stands_out = |run: &[Point]| stands_out(anatomy, run);
    choose(anatomy, &line, height, disease, stands_out, (Method::Pet, RADIUS_MM))
}

/// The places on a line that are vessel.
fn sure(line: &[Point]) -> impl Iterator<Item = &Point> {
    line.iter().filter(|p| p.score > SURE)
}

/// Without contrast an aorta in a collapsed lung or in fluid is not seen: there is air to its left, or no telling.
fn has_lung_to_the_left(lungs: &Lungs, place: DVec3) -> bool {
    (1..=LUNG_WITHIN).any(|n| {
        let beside = place + f64::from(n) * LATTICE_MM * DVec3::X;
        nearest_at(&lungs.mask, beside).unwrap_or(false)
    })
}

/// Size of the chest as a share of an adult's, 1 at most.
fn scale(lungs: &Lungs) -> f64 {
    (lungs.height_mm() / ADULT_LUNG_HEIGHT_MM).clamp(0.4, 1.0)
}

fn line_on_ct(anatomy: &Anatomy, ct: &Volume<i16>, lungs: &Lungs) -> Result<Vec<Point>, String> {
    let top = lungs.right_base_z + 0.9 * lungs.height_mm();
    let window = window(anatomy, lungs.right_base_z, top)
        .ok_or("the lungs' height in the scan is too small to follow the aorta")?;
    let hu = hounsfield_on(ct, &window);
    let bone_hu = anatomy.bone_hu(BONE_HU);
    let blood_hu = match anatomy.blood_hu.filter(|&blood| blood > ENHANCED_HU) {
        // Enhanced blood tells the aorta from the oesophagus beside it; without contrast only their size does.
        Some(blood) => blood - AROUND_BLOOD_HU..bone_hu.max(blood + AROUND_BLOOD_HU),
        None => PLAIN_HU,
    };
    // Opening keeps thin calcified vessel walls from counting as bone.
    let bone = open_mm(&hu.map(|&hu| hu > bone_hu), 3.0);
    let vessel = hu.values().iter().zip(bone.values());
    let vessel = vessel.map(|(hu, &bone)| blood_hu.contains(hu) && !bone).collect();
    let radius = distance_mm(&Mask::from_vec(window.clone(), vessel), Beyond::Unknown);
    let to_lung = distance_to_mm(&hu.map(|&hu| hu < -400.0));
    let vessel_mm = VESSEL_MM.start * scale(lungs) as f32..VESSEL_MM.end;
    let scores = (0..radius.values().len()).map(|o| {
        let place = window.centre_of(radius.voxel_of(o));
        let (r, lung) = (radius.values()[o], to_lung.values()[o]);
        if !beside_spine(anatomy, place) {
            -3.0
        } else if vessel_mm.contains(&r) && lung < r + 12.0 {
            r.min(14.0) / 14.0
        } else {
            -1.0
        }
    });
    let scores = Volume::from_vec(window.clone(), scores.collect());
    Ok(points(&scores, |voxel| radius[voxel]))
}

/// Without CT the chest is taken to reach this far above the liver's dome, and the descending aorta this far, millimetres.
const CHEST_ABOVE_DOME_MM: f64 = 160.0;
const AORTA_ABOVE_DOME_MM: f64 = 125.0;

fn line_on_pet(anatomy: &Anatomy, liver: DVec3, dome: f64) -> Result<Vec<Point>, String> {
    let level =
        nearest_at(&anatomy.uptake, liver).ok_or("the liver lies at the edge of the PET")?;
    let window = window(anatomy, dome, dome + AORTA_ABOVE_DOME_MM)
        .ok_or("too little of the chest lies above the liver to follow the aorta")?;
    let uptake = evaluate(&window, |p| nearest_at(&anatomy.uptake, p).unwrap_or(0.0) / level);
    let to_lung = distance_to_mm(&uptake.map(|&u| u < LUNG_OF_LIVER));
    let scores = (0..uptake.values().len()).map(|o| {
        let place = window.centre_of(uptake.voxel_of(o));
        let lung_to_left = (3..=9).any(|n| {
            let beside = place + DVec3::X * (4.0 * f64::from(n));
            nearest_at(&anatomy.uptake, beside).is_some_and(|u| u / level < LUNG_OF_LIVER)
        });
        let off_spine = place.x - anatomy.spine_at(place.z).0;
        if !beside_spine(anatomy, place) || off_spine < VESSEL_OFF_SPINE_MM {
            -3.0
        } else if BLOOD_OF_LIVER.contains(&uptake.values()[o]) && lung_to_left {
            let between = 1.0 - (to_lung.values()[o] - FROM_LUNG_MM).abs() / (2.0 * FROM_LUNG_MM);
            let usual = usual_place(off_spine, place.y - anatomy.spine_at(place.z).1);
            usual * between * (uptake.values()[o] / BRIGHT_OF_LIVER).min(1.0)
        } else {
            -1.0
        }
    });
    let scores = Volume::from_vec(window.clone(), scores.collect());
    Ok(points(&scores, |_| RADIUS_MM as f32))
}

/// Whether a run is a tube of its own. Lung, ribs and fat on its outer side are darker; the vertebra's marrow and the heart may
/// be as bright as blood, but not much brighter. The edge of something hot passes through the uptake of blood, too, and has
/// what is hot beside it.
fn stands_out(anatomy: &Anatomy, run: &[Point]) -> bool {
    let uptake = |off: DVec3| {
        let places = run.iter().map(|p| sample_at(&anatomy.uptake, p.centre + off).unwrap_or(0.0));
        places.sum::<f32>()
    };
    let within = uptake(DVec3::ZERO);
    let around = |x: f64, y: f64| uptake(NEIGHBOUR_MM * DVec3::new(x, y, 0.0).normalize()) / within;
    let outer = [(1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, -1.0), (1.0, -1.0)];
    let inner = [(-1.0, 1.0), (-1.0, 0.0), (-1.0, -1.0)];
    let outer = outer.map(|(x, y)| around(x, y));
    let inner = inner.map(|(x, y)| around(x, y));
    let mean = |sides: &[f32]| sides.iter().sum::<f32>() / sides.len() as f32;
    mean(&outer) < OUTER_OF_VESSEL
        && mean(&inner) < INNER_OF_VESSEL
        && outer.iter().all(|&u| u < HEART_OF_VESSEL)
        && inner.iter().all(|&u| u < MARROW_OF_VESSEL)
}

/// Uptake 16 mm from a vessel as a share of its own, at most: the mean of its outer side, that of the side to the column (where
/// a plateau of mediastinum has none darker), any place of the outer and any of the inner side. From real and painted scans.
const OUTER_OF_VESSEL: f32 = 0.85;
const INNER_OF_VESSEL: f32 = 0.95;
const HEART_OF_VESSEL: f32 = 1.05;
const MARROW_OF_VESSEL: f32 = 1.15;

/// How usual a place from the spine is for the descending aorta, 0 to 1. Without bone, marrow beside it is as bright as blood.
fn usual_place(left: f64, back: f64) -> f32 {
    let (x, y) = ((left - USUAL_MM.0) / USUAL_REACH_MM.0, (back - USUAL_MM.1) / USUAL_REACH_MM.1);
    (1.0 - x * x - y * y).max(0.0) as f32
}

fn beside_spine(anatomy: &Anatomy, place: DVec3) -> bool {
    let (x, y) = anatomy.spine_at(place.z);
    LEFT_MM.contains(&(place.x - x)) && BACK_MM.contains(&(place.y - y))
}

/// The lattice around the vessel's possible places between two heights.
fn window(anatomy: &Anatomy, bottom: f64, top: f64) -> Option<VolumeGeometry> {
    let (low, high) = anatomy.lattice().bounds_mm();
    let (bottom, top) = (bottom.max(low.z), top.min(high.z));
    if top - bottom < 2.0 * LENGTH_MM {
        return None;
    }
    let spine = &anatomy.spine.centres[anatomy.slice_at(bottom)..=anatomy.slice_at(top)];
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = spine.iter().map(of);
        (values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max))
    };
    let (x, y) = (range(|p| p.0), range(|p| p.1));
    // Wider than the vessel's zone, so that its radius and the lung beside it are seen.
    let from = DVec3::new(x.0 + LEFT_MM.start - 20.0, y.0 + BACK_MM.start - 20.0, bottom);
    let to = DVec3::new(x.1 + LEFT_MM.end + 20.0, y.1 + BACK_MM.end + 20.0, top);
    Some(lattice_in_box(from, to, STEP_MM))
}

fn points(scores: &Volume<f32>, radius_mm: impl Fn([usize; 3]) -> f32) -> Vec<Point> {
    let line = best_line(scores).into_iter().enumerate();
    line.map(|(s, [r, c])| {
        let voxel = [s, r, c];
        let centre = scores.geometry().centre_of(voxel);
        Point { centre, score: scores[voxel], radius_mm: radius_mm(voxel) }
    })
    .collect()
}

/// The best run of the cylinder's length along the line.
fn choose(
    anatomy: &Anatomy,
    line: &[Point],
    height: impl Fn(f64) -> f64,
    disease: &Disease,
    is_blood: impl Fn(&[Point]) -> bool,
    (method, radius_mm): (Method, f64),
) -> Result<Placement, String> {
    let count = (LENGTH_MM / STEP_MM).round() as usize + 1;
    let clear = |p: &Point| !disease.nearer_than(p.centre, RADIUS_MM + FROM_LESION_MM);
    let runs = line.windows(count).filter(|run| {
        let middle = height(run[count / 2].centre.z);
        let sure = run.iter().all(|p| p.score > SURE && clear(p));
        CHEST.contains(&middle) && sure && is_blood(run)
    });
    let quality = |run: &[Point]| {
        let radius = run.iter().map(|p| p.radius_mm).fold(f32::MAX, f32::min).min(12.0);
        let off_middle = (height(run[count / 2].centre.z) - BEST).abs() as f32;
        let hot = if has_hot_neighbour(anatomy, run) { 20.0 } else { 0.0 };
        radius - 20.0 * off_middle - 2.0 * bend(run) - hot
    };
    // The first of equals: `max_by` would keep the last.
    let best = runs.map(|run| (quality(run), run)).reduce(|a, b| if b.0 > a.0 { b } else { a });
    let (_, run) = best.ok_or(match method {
        Method::Pet => "no 2 cm of a vessel that stands out from what is around it can be followed left of the spine in the chest",
        _ => "no 2 cm of descending aorta can be followed left of the spine in the chest",
    })?;
    let middle = &run[count / 2];
    let axis = (run[count - 1].centre - run[0].centre).normalize_or(DVec3::Z);
    let mut notes =
        vec![format!("at {:.0} % of the chest's height", 100.0 * height(middle.centre.z))];
    if has_hot_neighbour(anatomy, run) {
        notes.push("a hotter structure lies within 16 mm and may spill in".into());
    }
    let shift = if method == Method::Pet { brightest_shift(anatomy, run) } else { DVec3::ZERO };
    let centre_mm = run.iter().map(|p| p.centre).sum::<DVec3>() / count as f64 + shift;
    let form = Form::Cylinder { centre_mm, axis, radius_mm, length_mm: LENGTH_MM };
    Ok(Placement { form, method, notes, doubts: Vec::new() })
}

/// On PET the blurred vessel is brightest along its axis: the shift across the body, within its radius, at which the run is
/// brightest. Zero where something hot lies near.
fn brightest_shift(anatomy: &Anatomy, run: &[Point]) -> DVec3 {
    if has_hot_neighbour(anatomy, run) {
        return DVec3::ZERO;
    }
    let uptake = |shift: DVec3| -> f32 {
        run.iter().map(|p| sample_at(&anatomy.uptake, p.centre + shift).unwrap_or(0.0)).sum()
    };
    let steps = -4..=4_i32;
    let shifts = steps.clone().flat_map(|x| {
        steps.clone().map(move |y| DVec3::new(2.0 * f64::from(x), 2.0 * f64::from(y), 0.0))
    });
    let near = |shift: &DVec3| {
        let off_spine = |p: &Point| p.centre.x + shift.x - anatomy.spine_at(p.centre.z).0;
        shift.length() <= SHIFT_MM && run.iter().all(|p| off_spine(p) >= VESSEL_OFF_SPINE_MM)
    };
    let first = (DVec3::ZERO, uptake(DVec3::ZERO));
    let better = |best: (DVec3, f32), shift: DVec3| {
        let here = uptake(shift);
        if here > best.1 { (shift, here) } else { best }
    };
    shifts.filter(near).fold(first, better).0
}

/// Largest shift of the cylinder onto the vessel's axis, millimetres.
const SHIFT_MM: f64 = 8.0;

/// Largest distance of a run's places from the straight line between its ends, millimetres.
fn bend(run: &[Point]) -> f32 {
    let (from, to) = (run[0].centre, run[run.len() - 1].centre);
    let along = (to - from).normalize_or(DVec3::Z);
    let off = run.iter().map(|p| (p.centre - from).reject_from(along).length());
    off.fold(0.0, f64::max) as f32
}

fn mean_uptake(anatomy: &Anatomy, run: &[Point]) -> f32 {
    let uptake = |p: &Point| nearest_at(&anatomy.uptake, p.centre).unwrap_or(0.0);
    run.iter().map(uptake).sum::<f32>() / run.len() as f32
}

fn has_hot_neighbour(anatomy: &Anatomy, run: &[Point]) -> bool {
    let uptake = |place: DVec3| nearest_at(&anatomy.uptake, place).unwrap_or(0.0);
    let mean = mean_uptake(anatomy, run);
    let around = [DVec3::X, DVec3::NEG_X, DVec3::Y, DVec3::NEG_Y];
    run.iter().any(|p| around.iter().any(|&d| uptake(p.centre + d * NEIGHBOUR_MM) > HOT * mean))
}
