//! Connected components by runs and union-find, and growing from a seed.
//!
//! Fast because a row is read as words of 64 voxels and only runs, not voxels, are linked; slabs of slices are
//! labelled in parallel and joined at their faces. A component's root is its first run, so the labels, and hence the
//! order of the result, do not depend on how the slabs were cut.

use std::collections::BTreeMap;
use std::ops::Range;

use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

use super::region::{Region, Run};
use crate::volume::{Mask, Volume};

/// Regions of voxels with `value >= threshold`, connected through 26 neighbours, in order of their first voxel.
pub fn components(volume: &Volume<f32>, threshold: f32) -> Vec<Region> {
    let values = volume.values();
    let shape = volume.geometry().shape();
    label(shape, Links::Corners, |block| bits_of(&values[block], |&v| v >= threshold))
}

/// As [`components`], of those voxels that also lie in a mask.
///
/// # Panics
/// If the mask is on another lattice: a programming error.
pub fn components_within(volume: &Volume<f32>, threshold: f32, within: &Mask) -> Vec<Region> {
    let shape = volume.geometry().shape();
    assert_eq!(shape, within.geometry().shape(), "volume and mask must be on one lattice");
    let (values, mask) = (volume.values(), within.values());
    label(shape, Links::Corners, |block| {
        bits_of(&values[block.clone()], |&v| v >= threshold) & bits_of(&mask[block], |&m| m)
    })
}

/// The connected parts (26 neighbours) of a mask, in order of their first voxel.
pub fn components_of_mask(mask: &Mask) -> Vec<Region> {
    let values = mask.values();
    label(mask.geometry().shape(), Links::Corners, |block| bits_of(&values[block], |&m| m))
}

/// Connected regions (6 neighbours) of a mask, in order of their first voxel.
pub fn components_through_faces(mask: &Mask) -> Vec<Region> {
    let values = mask.values();
    label(mask.geometry().shape(), Links::Faces, |block| bits_of(&values[block], |&m| m))
}

/// The voxels with `value >= threshold` (and in the mask, where one is given) that are connected with the seed through
/// 26 neighbours; empty where the seed itself is below, outside the mask or outside the volume.
///
/// # Panics
/// If the mask is on another lattice: a programming error.
pub fn grow(
    volume: &Volume<f32>,
    seed: [usize; 3],
    threshold: f32,
    within: Option<&Mask>,
) -> Region {
    let shape = volume.geometry().shape();
    if let Some(mask) = within {
        assert_eq!(shape, mask.geometry().shape(), "volume and mask must be on one lattice");
    }
    let values = volume.values();
    let mask = within.map(Mask::values);
    let inside = |offset: usize| values[offset] >= threshold && mask.is_none_or(|m| m[offset]);
    if (0..3).any(|axis| seed[axis] >= shape[axis]) || !inside(volume.offset_of(seed)) {
        return Region::empty(shape);
    }
    let first = whole_run(volume.offset_of(seed), shape[2], &inside);
    let mut found = BTreeMap::from([(first.start, first.end)]);
    let mut open = vec![first];
    while let Some(run) = open.pop() {
        for reach in neighbour_rows(shape, run) {
            let mut at = reach.start;
            while at < reach.end {
                if !inside(at) {
                    at += 1;
                    continue;
                }
                let next = whole_run(at, shape[2], &inside);
                at = next.end;
                if found.insert(next.start, next.end).is_none() {
                    open.push(next);
                }
            }
        }
    }
    let runs = found.into_iter().map(|(start, end)| Run { start, end }).collect();
    Region::from_whole_runs(shape, runs)
}

/// The longest run of a row around a voxel that is inside.
fn whole_run(offset: usize, columns: usize, inside: &impl Fn(usize) -> bool) -> Run {
    let row = offset / columns * columns;
    let start = (row..offset).rev().take_while(|&o| inside(o)).last().unwrap_or(offset);
    let end = (offset + 1..row + columns).find(|&o| !inside(o)).unwrap_or(row + columns);
    Run { start, end }
}

/// The stretches of the eight rows around a run that touch it through a face, edge or corner.
fn neighbour_rows(shape: [usize; 3], run: Run) -> impl Iterator<Item = Range<usize>> {
    let [slices, rows, columns] = shape;
    let (row, first) = (run.start / columns, run.start % columns);
    let (s, r) = (row / rows, row % rows);
    let last = first + (run.end - run.start);
    let (low, high) = (first.saturating_sub(1), (last + 1).min(columns));
    let around = |i: usize, n: usize| i.saturating_sub(1)..(i + 2).min(n);
    around(s, slices)
        .flat_map(move |ns| around(r, rows).map(move |nr| (ns, nr)))
        .filter(move |&place| place != (s, r))
        .map(move |(ns, nr)| {
            let start = (ns * rows + nr) * columns;
            start + low..start + high
        })
}

/// Through what neighbouring voxels are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// 6 neighbours.
    Faces,
    /// 4 neighbours, each slice for itself.
    FacesInSlice,
    /// 26 neighbours.
    Corners,
}

/// One bit a voxel, lowest first; at most 64 values.
pub(super) fn bits_of<T>(values: &[T], inside: impl Fn(&T) -> bool) -> u64 {
    // Without a branch the test of the whole block is vector code, and most blocks of a PET are empty.
    dispatch!(Level::new(), _ => {
        if values.iter().fold(false, |any, v| any | inside(v)) {
            values.iter().enumerate().fold(0, |bits, (i, v)| bits | u64::from(inside(v)) << i)
        } else {
            0
        }
    })
}

/// Connected regions in order of their first voxel; `bits` reads up to 64 neighbouring positions of a row.
pub(super) fn label(
    shape: [usize; 3],
    links: Links,
    bits: impl Fn(Range<usize>) -> u64 + Sync,
) -> Vec<Region> {
    let parts = (4 * rayon::current_num_threads()).min(shape[0]);
    let slabs: Vec<Slab> = (0..parts)
        .into_par_iter()
        .map(|i| Slab::read(shape, links, i * shape[0] / parts..(i + 1) * shape[0] / parts, &bits))
        .collect();
    Slab::joined(shape, links, slabs).regions(shape)
}

/// The runs of some slices, linked into trees.
struct Slab {
    slices: Range<usize>,
    runs: Vec<Run>,
    /// Where the runs of each row end in `runs`.
    row_ends: Vec<usize>,
    /// A run of the same component that is not later; a root is its own.
    parents: Vec<u32>,
}

impl Slab {
    fn read(
        shape: [usize; 3],
        links: Links,
        slices: Range<usize>,
        bits: &impl Fn(Range<usize>) -> u64,
    ) -> Self {
        let [_, rows, columns] = shape;
        let mut slab = Self { slices, runs: vec![], row_ends: vec![], parents: vec![] };
        for row in slab.slices.start * rows..slab.slices.end * rows {
            push_runs(row * columns..(row + 1) * columns, bits, &mut slab.runs);
            slab.row_ends.push(slab.runs.len());
        }
        slab.parents = (0..slab.runs.len() as u32).collect();
        for slice in slab.slices.clone() {
            slab.link_rows(shape, links, slice);
            if slice > slab.slices.start {
                slab.link_slices(shape, links, slice);
            }
        }
        slab
    }

    fn joined(shape: [usize; 3], links: Links, slabs: Vec<Self>) -> Self {
        let mut slabs = slabs.into_iter();
        let mut all = slabs.next().expect("a lattice has at least one slice");
        for slab in slabs {
            let before = all.runs.len();
            all.runs.extend(slab.runs);
            all.row_ends.extend(slab.row_ends.iter().map(|end| end + before));
            all.parents.extend(slab.parents.iter().map(|parent| parent + before as u32));
            all.slices.end = slab.slices.end;
            all.link_slices(shape, links, slab.slices.start);
        }
        all
    }

    /// Links the rows of a slice with each other.
    fn link_rows(&mut self, [_, rows, columns]: [usize; 3], links: Links, slice: usize) {
        let reach = usize::from(links == Links::Corners);
        for row in slice * rows + 1..(slice + 1) * rows {
            self.link(row, row - 1, columns, reach);
        }
    }

    /// Links the rows of a slice with those of the slice before.
    fn link_slices(&mut self, [_, rows, columns]: [usize; 3], links: Links, slice: usize) {
        let reach = match links {
            Links::FacesInSlice => return,
            Links::Faces => 0,
            Links::Corners => 1,
        };
        for r in 0..rows {
            for before in r.saturating_sub(reach)..(r + reach + 1).min(rows) {
                self.link(slice * rows + r, (slice - 1) * rows + before, columns, reach);
            }
        }
    }

    /// Links the runs of two rows that touch: one walk along both.
    fn link(&mut self, row: usize, before: usize, columns: usize, reach: usize) {
        let shift = (row - before) * columns;
        let (mine, theirs) = (self.row(row), self.row(before));
        let (mut i, mut j) = (mine.start, theirs.start);
        while i < mine.end && j < theirs.end {
            let a = self.runs[i];
            let b = self.runs[j];
            let (start, end) = (b.start + shift, b.end + shift);
            if end + reach <= a.start {
                j += 1;
            } else if a.end + reach <= start {
                i += 1;
            } else {
                unite(&mut self.parents, i as u32, j as u32);
                if end < a.end { j += 1 } else { i += 1 }
            }
        }
    }

    /// Where the runs of a row are.
    fn row(&self, row: usize) -> Range<usize> {
        // The slices of a slab begin at `slices.start`, and every earlier row of it has been pushed.
        let rows_a_slice = self.row_ends.len() / self.slices.len();
        let local = row - self.slices.start * rows_a_slice;
        let start = if local == 0 { 0 } else { self.row_ends[local - 1] };
        start..self.row_ends[local]
    }

    fn regions(self, shape: [usize; 3]) -> Vec<Region> {
        let mut labels = self.parents;
        let mut sizes: Vec<usize> = Vec::new();
        for i in 0..labels.len() {
            // A parent is never later than its child, so its place already holds its label.
            labels[i] = if labels[i] as usize == i {
                sizes.push(0);
                sizes.len() as u32 - 1
            } else {
                labels[labels[i] as usize]
            };
            sizes[labels[i] as usize] += 1;
        }
        let mut runs: Vec<Vec<Run>> = sizes.into_iter().map(Vec::with_capacity).collect();
        for (label, run) in labels.into_iter().zip(self.runs) {
            runs[label as usize].push(run);
        }
        runs.into_iter().map(|runs| Region::from_whole_runs(shape, runs)).collect()
    }
}

/// Appends the runs of one row, read in blocks of 64 voxels.
fn push_runs(row: Range<usize>, bits: &impl Fn(Range<usize>) -> u64, runs: &mut Vec<Run>) {
    let mut open = None;
    for block in row.clone().step_by(64) {
        let len = (row.end - block).min(64);
        let word = bits(block..block + len);
        let mut at = 0;
        loop {
            let awaited = if open.is_some() { !word } else { word };
            at += (awaited >> at).trailing_zeros() as usize;
            if at >= len {
                break;
            }
            open = match open {
                Some(start) => {
                    runs.push(Run { start, end: block + at });
                    None
                }
                None => Some(block + at),
            };
        }
    }
    runs.extend(open.map(|start| Run { start, end: row.end }));
}

/// The root of a run; the path to it is halved on the way.
fn root(parents: &mut [u32], mut i: u32) -> u32 {
    while parents[i as usize] != i {
        let grandparent = parents[parents[i as usize] as usize];
        parents[i as usize] = grandparent;
        i = grandparent;
    }
    i
}

/// Joins two trees; the earlier root stays.
fn unite(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

#[cfg(test)]
mod tests {
    use glam::DVec3;
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::VolumeGeometry;

    fn lattice(shape: [usize; 3]) -> VolumeGeometry {
        VolumeGeometry::new(shape, DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]).unwrap()
    }

    /// Floods voxel by voxel; `touch` tells which steps (absolute differences) connect.
    fn brute(mask: &Mask, touch: impl Fn([usize; 3]) -> bool) -> Vec<Region> {
        let shape = mask.geometry().shape();
        let mut left: Vec<usize> = (0..mask.values().len()).filter(|&o| mask.values()[o]).collect();
        let mut found = Vec::new();
        while !left.is_empty() {
            let mut part = vec![left.remove(0)];
            let mut next = 0;
            while next < part.len() {
                let here = mask.voxel_of(part[next]);
                let (joined, rest) = left.into_iter().partition(|&o| {
                    let there = mask.voxel_of(o);
                    touch(std::array::from_fn(|a| here[a].abs_diff(there[a])))
                });
                left = rest;
                part.extend::<Vec<usize>>(joined);
                next += 1;
            }
            found.push(Region::from_offsets(shape, part));
        }
        found
    }

    fn masks() -> impl Strategy<Value = Mask> {
        // Rows longer than a word of 64 voxels are met as well.
        let shapes = prop_oneof![
            (1..5_usize, 1..6_usize, 1..9_usize),
            (1..3_usize, 1..4_usize, 60..140_usize)
        ];
        (shapes, 0.05..0.9_f64).prop_flat_map(|((s, r, c), density)| {
            prop::collection::vec(prop::bool::weighted(density), s * r * c)
                .prop_map(move |values| Mask::from_vec(lattice([s, r, c]), values))
        })
    }

    proptest! {
        #[test]
        fn components_are_those_of_a_plain_flood(mask in masks()) {
            let corners = brute(&mask, |step| step.iter().all(|&d| d <= 1));
            prop_assert_eq!(&components_of_mask(&mask), &corners);
            let suv = mask.map(|&m| if m { 4.0 } else { f32::NAN });
            prop_assert_eq!(&components(&suv, 4.0), &corners);
            for region in &corners {
                let seed = mask.voxel_of(region.first().unwrap());
                prop_assert_eq!(&grow(&suv, seed, 4.0, None), region);
            }
        }

        #[test]
        fn faces_connect_less(mask in masks()) {
            let bits = |block: Range<usize>| bits_of(&mask.values()[block], |&m| m);
            let shape = mask.geometry().shape();
            let faces = brute(&mask, |step| step.iter().sum::<usize>() <= 1);
            prop_assert_eq!(label(shape, Links::Faces, bits), faces);
            let flat = brute(&mask, |step| step[0] == 0 && step[1] + step[2] <= 1);
            prop_assert_eq!(label(shape, Links::FacesInSlice, bits), flat);
        }
    }

    #[test]
    fn a_threshold_is_inclusive_and_a_mask_limits() {
        let volume = Volume::from_vec(lattice([1, 1, 6]), vec![4.0, 3.9, 5.0, 4.0, 4.0, 9.0]);
        let sizes = |regions: Vec<Region>| regions.iter().map(Region::voxels).collect::<Vec<_>>();
        assert_eq!(sizes(components(&volume, 4.0)), [1, 4]);
        assert_eq!(sizes(components(&volume, 9.1)), [0; 0]);
        let within = Mask::from_vec(lattice([1, 1, 6]), vec![false, true, true, true, false, true]);
        assert_eq!(sizes(components_within(&volume, 4.0, &within)), [2, 1]);
        assert_eq!(grow(&volume, [0, 0, 3], 4.0, Some(&within)).voxels(), 2);
        assert!(grow(&volume, [0, 0, 1], 4.0, None).is_empty());
        assert!(grow(&volume, [0, 0, 6], 4.0, None).is_empty());
    }

    #[test]
    fn any_number_of_threads_finds_the_same() {
        let g = lattice([19, 7, 70]);
        let noise = (0..g.len() as u32).map(|i| i.wrapping_mul(2_654_435_761) as f32).collect();
        let volume = Volume::from_vec(g, noise);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| components(&volume, 3.6e9))
        };
        assert!(run(1).len() > 10);
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }
}
