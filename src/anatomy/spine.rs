//! The middle of the vertebral column in each slice: from bone where there is a CT, else from the body's outline.

use crate::segmentation::{Holes, fill_holes};
use crate::volume::{Mask, Volume};

/// Cancellous and cortical bone after averaging to the lattice, Hounsfield units.
const BONE_HU: f32 = 160.0;
/// Half width of the window around the body's middle in which the column is looked for, millimetres.
const WINDOW_MM: f64 = 45.0;
/// Smallest area of bone that makes a vertebra in a slice, square millimetres.
const VERTEBRA_MM2: f64 = 400.0;
/// Without bone the column lies this far from the back, as a share of the body's depth from front to back.
const SHARE_FROM_BACK: f64 = 0.27;
/// Half length of the running median that makes a line of the slices, millimetres.
const MEDIAN_REACH_MM: f64 = 32.0;

/// Middle of the vertebral column, one `(x, y)` a slice of the lattice, millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct Spine {
    /// One place a slice; where a slice shows nothing, its neighbours' place.
    pub centres: Vec<(f64, f64)>,
    /// Whether bone was seen (else the body's outline was used).
    pub from_bone: bool,
}

impl Spine {
    pub(super) fn find(body: &Mask, hounsfield: Option<&Volume<f32>>) -> Self {
        let outline: Vec<_> = (0..body.geometry().shape()[0]).map(|s| outline(body, s)).collect();
        let bone = hounsfield.map(|hu| bone_with_canal(hu, body));
        let vertebra = |s: usize| vertebra(bone.as_ref()?, outline[s]?, s);
        let from_bone: Vec<_> = (0..outline.len()).map(vertebra).collect();
        let seen = from_bone.iter().flatten().count();
        if seen * 4 > outline.len() {
            return Self { centres: smooth(&from_bone, body), from_bone: true };
        }
        let guess = |o: &Option<Outline>| {
            o.map(|o| (o.middle_x, o.back_y - SHARE_FROM_BACK * (o.back_y - o.front_y)))
        };
        let guesses: Vec<_> = outline.iter().map(guess).collect();
        Self { centres: smooth(&guesses, body), from_bone: false }
    }
}

/// The body's middle and its front and back there, millimetres.
#[derive(Debug, Clone, Copy)]
struct Outline {
    middle_x: f64,
    front_y: f64,
    back_y: f64,
}

fn outline(body: &Mask, slice: usize) -> Option<Outline> {
    let geometry = body.geometry();
    let [_, rows, columns] = geometry.shape();
    let plane = body.voxels().index_axis(ndarray::Axis(0), slice);
    let (mut count, mut sum) = (0_usize, 0_usize);
    for ((_, c), &inside) in plane.indexed_iter() {
        count += usize::from(inside);
        sum += if inside { c } else { 0 };
    }
    let middle = sum.checked_div(count)?.min(columns - 1);
    let mut column = (0..rows).filter(|&r| plane[[r, middle]]);
    let front = column.next()?;
    let back = column.next_back().unwrap_or(front);
    let place = |r: usize| geometry.centre_of([slice, r, middle]);
    Some(Outline { middle_x: place(front).x, front_y: place(front).y, back_y: place(back).y })
}

fn bone_with_canal(hounsfield: &Volume<f32>, body: &Mask) -> Mask {
    let mut bone = hounsfield.map(|&hu| hu > BONE_HU);
    bone.values_mut().iter_mut().zip(body.values()).for_each(|(bone, &body)| *bone &= body);
    fill_holes(&bone, Holes::EachSlice)
}

/// Centroid of the bone in the window around the middle, in the rear of the body.
fn vertebra(bone: &Mask, outline: Outline, slice: usize) -> Option<(f64, f64)> {
    let geometry = bone.geometry();
    let [_, row_mm, column_mm] = geometry.spacing_mm();
    let front_limit = outline.front_y + 0.45 * (outline.back_y - outline.front_y);
    let (mut count, mut x, mut y) = (0.0, 0.0, 0.0);
    for ((r, c), &inside) in bone.voxels().index_axis(ndarray::Axis(0), slice).indexed_iter() {
        let place = geometry.centre_of([slice, r, c]);
        if inside && (place.x - outline.middle_x).abs() < WINDOW_MM && place.y > front_limit {
            count += 1.0;
            x += place.x;
            y += place.y;
        }
    }
    (count * row_mm * column_mm >= VERTEBRA_MM2).then(|| (x / count, y / count))
}

/// Running median over neighbouring slices; slices without a value take part in none and receive one.
fn smooth(found: &[Option<(f64, f64)>], body: &Mask) -> Vec<(f64, f64)> {
    let geometry = body.geometry();
    let (low, high) = geometry.bounds_mm();
    let fallback = (f64::midpoint(low.x, high.x), f64::midpoint(low.y, high.y));
    let reach = (MEDIAN_REACH_MM / geometry.spacing_mm()[0]).ceil() as usize;
    (0..found.len())
        .map(|s| {
            // Widen the window until it holds something: the ends of the scan may show no bone.
            let mut width = reach;
            loop {
                let window = s.saturating_sub(width)..(s + width + 1).min(found.len());
                let near: Vec<_> = found[window].iter().flatten().copied().collect();
                if !near.is_empty() {
                    return (median(near.iter().map(|p| p.0)), median(near.iter().map(|p| p.1)));
                }
                if width > found.len() {
                    return fallback;
                }
                width *= 2;
            }
        })
        .collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
