//! Where the search begins: profiles along the body axis compared at every shift, and the centres of what then overlaps.
//!
//! Moments of whole bodies mislead when one scan starts at the skull and the other at the shoulders. Three profiles along
//! z (area of the cross-section, mean value, area of lung) are therefore slid along each other; at each of the best
//! shifts the centres of the common stretch give the translation, and a fan of turns is tried around it.

use glam::{DQuat, DVec3, EulerRot};

use super::body::{Body, Modality};
use super::refine::Pose;

/// Width of a bin along z: two slices of the thickest usual scan.
const BIN_MM: f64 = 10.0;

/// A scan longer than 20 m has a wrong header; its far end falls into the last bin.
const MOST_BINS: f64 = 2000.0;

/// Shifts kept, and the least distance between two of them, in bins.
const SHIFTS: usize = 6;
const SHIFT_DISTANCE: usize = 3;

/// Turns tried about each axis; between them the coarse level finds its own way.
const TURNS_DEGREES: [f64; 3] = [-12.0, 0.0, 12.0];

/// The body along z, in bins of [`BIN_MM`] that begin at `z_mm`.
struct Profile {
    z_mm: f64,
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    area: f64,
    lung: f64,
    value: f64,
    place: DVec3,
}

impl Profile {
    fn of(body: &Body) -> Self {
        let geometry = body.mask.geometry();
        let (low, high) = geometry.bounds_mm();
        let n = ((high.z - low.z) / BIN_MM).ceil().min(MOST_BINS) as usize + 2;
        let mut bins = vec![Bin::default(); n];
        let [_, _, columns] = geometry.shape();
        let step = geometry.steps_mm()[2];
        for (line, row) in body.mask.values().chunks_exact(columns).enumerate() {
            if !row.contains(&true) {
                continue;
            }
            let first = geometry.centre_of(body.mask.voxel_of(line * columns));
            let values = &body.image.values()[line * columns..];
            for (c, _) in row.iter().enumerate().filter(|&(_, &inside)| inside) {
                let place = first + c as f64 * step;
                // Split linearly between two bins, so that thick slices leave no gaps.
                let at = (place.z - low.z) / BIN_MM;
                let (bin, part) = ((at as usize).min(n - 2), at.fract());
                bins[bin].add(1.0 - part, place, values[c], body.is_lung(values[c]));
                bins[bin + 1].add(part, place, values[c], body.is_lung(values[c]));
            }
        }
        let scale = geometry.voxel_ml() * 1000.0 / BIN_MM;
        for bin in &mut bins {
            bin.value /= bin.area.max(1e-9);
            bin.area *= scale;
            bin.lung *= scale;
            bin.place *= scale;
        }
        Self { z_mm: low.z, bins }
    }

    /// Centre of the body in a stretch of bins.
    fn centre(&self, bins: std::ops::Range<usize>) -> Option<DVec3> {
        let (place, area) = self.bins[bins]
            .iter()
            .fold((DVec3::ZERO, 0.0), |(p, a), bin| (p + bin.place, a + bin.area));
        (area > 0.0).then(|| place / area)
    }
}

impl Bin {
    fn add(&mut self, weight: f64, place: DVec3, value: f32, lung: bool) {
        self.area += weight;
        self.place += weight * place;
        self.value += weight * f64::from(value);
        self.lung += if lung { weight } else { 0.0 };
    }
}

/// A stretch that both profiles have: where it begins in each, how long it is, and how unlike they are there.
#[derive(Clone, Copy)]
struct Overlap {
    fixed: usize,
    moving: usize,
    length: usize,
    unlike: f64,
}

/// Poses to start from, the likeliest shift first.
pub(super) fn poses(fixed: &Body, moving: &Body) -> Vec<Pose> {
    let (a, b) = rayon::join(|| Profile::of(fixed), || Profile::of(moving));
    let mut poses = Vec::new();
    for overlap in best_overlaps(&a, &b, fixed.modality) {
        let centres = a
            .centre(overlap.fixed..overlap.fixed + overlap.length)
            .zip(b.centre(overlap.moving..overlap.moving + overlap.length));
        let Some((from, mut to)) = centres else { continue };
        // The stretch says where along z the bodies belong; the centres only where across it.
        let along = |p: &Profile, bin: usize| p.z_mm + bin as f64 * BIN_MM;
        to.z = from.z + along(&b, overlap.moving) - along(&a, overlap.fixed);
        for turn in turns() {
            poses.push(Pose::rigid(turn, to - turn * from));
        }
    }
    poses
}

fn turns() -> impl Iterator<Item = DQuat> {
    let all = TURNS_DEGREES.map(f64::to_radians);
    all.into_iter().flat_map(move |x| {
        all.into_iter().flat_map(move |y| {
            all.into_iter().map(move |z| DQuat::from_euler(EulerRot::XYZ, x, y, z))
        })
    })
}

fn best_overlaps(a: &Profile, b: &Profile, modality: Modality) -> Vec<Overlap> {
    let (n, m) = (a.bins.len(), b.bins.len());
    // At least a hand's breadth and three tenths of the shorter scan, or chance likeness wins.
    let least = (n.min(m) * 3 / 10).max(8).min(n.min(m));
    let mut all: Vec<Overlap> = (0..n + m)
        .filter_map(|k| {
            // b's first bin lies on a's bin k - m.
            let (fixed, moving) = (k.saturating_sub(m), m.saturating_sub(k));
            let length = (n - fixed.min(n)).min(m - moving.min(m));
            (length >= least).then(|| Overlap {
                fixed,
                moving,
                length,
                unlike: unlikeness(&a.bins[fixed..fixed + length], &b.bins[moving..moving + length], modality)
                    // A longer common stretch is likelier than a shorter one that fits as well.
                    + 0.1 * (1.0 - length as f64 / n.min(m) as f64),
            })
        })
        .collect();
    all.sort_by(|p, q| p.unlike.total_cmp(&q.unlike));
    let mut best: Vec<Overlap> = Vec::new();
    for overlap in all {
        let shift = |o: &Overlap| o.fixed as isize - o.moving as isize;
        let apart = |o: &Overlap| shift(o).abs_diff(shift(&overlap)) >= SHIFT_DISTANCE;
        if best.len() < SHIFTS && best.iter().all(apart) {
            best.push(overlap);
        }
    }
    best
}

/// Sum of differences over sum of values (Bray and Curtis 1957): 0 for equal profiles, 1 for disjoint ones.
fn unlikeness(a: &[Bin], b: &[Bin], modality: Modality) -> f64 {
    let widest = a.iter().chain(b).map(|bin| bin.area).fold(1.0, f64::max);
    // Uptake spreads over more of its range than density does; both are brought to about one.
    let value_scale = if modality == Modality::Ct { 1.0 } else { 0.5 };
    let channels = |bin: &Bin| [bin.area / widest, bin.lung / widest, bin.value * value_scale];
    let (mut difference, mut total) = (0.0, 1e-9);
    for (p, q) in a.iter().zip(b) {
        for (p, q) in channels(p).into_iter().zip(channels(q)) {
            difference += (p - q).abs();
            total += p + q;
        }
    }
    difference / total
}
