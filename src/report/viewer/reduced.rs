//! Volumes as the page holds them: cut to the body, reduced where they are too large, in steps.

use serde::Serialize;

use super::averaged::{averaged, averaged_lattice};
use super::packed;
use super::upright::{Extent, Upright};
use crate::geometry::VolumeGeometry;
use crate::resample::lattice_of_blocks;
use crate::volume::Volume;

/// Largest text of a packed PET, and of PET and CT of a scan together, bytes: those of two scans leave 5 MB of a page of 25 MB
/// to everything else.
const LARGEST_PET: usize = 4_200_000;
const LARGEST_SCAN: usize = 9_700_000;
/// More voxels than this are not even tried.
const MOST_VOXELS: usize = 12_000_000;
/// Steps of a PET, SUV. Its multiples hold every border between two numbers of two decimals, so that rounding down to a
/// step and then to two decimals gives the same digits as rounding the value itself.
const SUV_STEP: f64 = 0.005;
/// Steps of a CT, HU: a quarter of the noise of a CT of attenuation correction.
const HU_STEP: f64 = 4.0;
/// The lowest number of a CT.
const HU_LOWEST: f64 = -1024.0;
/// Voxels to which a CT is averaged at least, and at most, millimetres: finer ones than a screen shows of a body are of no use.
const CT_FINEST_MM: f64 = 1.0;
const CT_COARSEST_MM: f64 = 8.0;
/// By how much they grow from one size that is tried to the next.
const CT_STEP: f64 = 1.01;

/// A volume in the page: value = `lowest` + `step` times the number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Head {
    /// Number of slices, rows, columns; slices go towards the head, rows to the back, columns to the left.
    pub(super) shape: [usize; 3],
    /// Centre of the first voxel, x, y, z, LPS millimetres.
    pub(super) origin_mm: [f64; 3],
    /// From slice to slice, row to row, column to column, millimetres.
    pub(super) spacing_mm: [f64; 3],
    pub(super) step: f64,
    pub(super) lowest: f64,
    /// What was done to the values; `None` where each is that of a voxel of the scan.
    pub(super) note: Option<String>,
}

impl Head {
    fn new(lattice: &VolumeGeometry, step: f64, lowest: f64, note: Option<String>) -> Self {
        Self {
            shape: lattice.shape(),
            origin_mm: lattice.origin_mm().to_array(),
            spacing_mm: lattice.spacing_mm(),
            step,
            lowest,
            note,
        }
    }
}

/// A volume with its voxels as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packed {
    pub(super) head: Head,
    pub(super) text: String,
}

/// The lattice of a PET in the page: upright, cut, and reduced by whole blocks.
#[derive(Debug, Clone)]
pub(super) struct PetLattice {
    pub(super) upright: Upright,
    pub(super) block: [usize; 3],
    pub(super) lattice: VolumeGeometry,
}

impl PetLattice {
    fn new(upright: &Upright, block: [usize; 3]) -> Self {
        let whole = upright.lattice();
        let shape = std::array::from_fn(|n| whole.shape()[n].div_ceil(block[n]));
        let lattice = lattice_of_blocks(whole, block, shape);
        Self { upright: upright.clone(), block, lattice }
    }

    fn is_whole(&self) -> bool {
        self.block == [1; 3]
    }

    /// Position in the reduced volume of a voxel of the upright lattice.
    pub(super) fn offset_of(&self, upright: [usize; 3]) -> usize {
        let [_, rows, columns] = self.lattice.shape();
        let [s, r, c]: [usize; 3] = std::array::from_fn(|n| upright[n] / self.block[n]);
        (s * rows + r) * columns + c
    }

    /// The highest value of each block.
    fn highest(&self, values: &[f32]) -> Vec<f32> {
        if self.is_whole() {
            return values.to_vec();
        }
        let [slices, rows, columns] = self.upright.lattice().shape();
        let mut out = vec![0.0_f32; self.lattice.len()];
        let mut values = values.iter();
        for s in 0..slices {
            for r in 0..rows {
                for (c, value) in values.by_ref().take(columns).enumerate() {
                    let highest = &mut out[self.offset_of([s, r, c])];
                    *highest = highest.max(*value);
                }
            }
        }
        out
    }

    fn note(&self) -> Option<String> {
        let [s, r, c] = self.block;
        let oblique = "interpolated: the lattice of the scan is oblique".to_owned();
        match (self.is_whole(), self.upright.oblique().is_some()) {
            (true, false) => None,
            (true, true) => Some(oblique),
            (false, false) => Some(format!("the highest of {s} x {r} x {c} voxels")),
            (false, true) => Some(format!("the highest of {s} x {r} x {c}, {oblique}")),
        }
    }
}

/// The PET inside a box, and its lattice in the page.
pub(super) fn pet(pet: &Volume<f32>, within: Extent) -> (Packed, PetLattice) {
    let upright = Upright::new(pet.geometry(), within);
    let values = upright.values(pet, 0.0);
    let mut block = [1; 3];
    loop {
        let lattice = PetLattice::new(&upright, block);
        if lattice.lattice.len() <= MOST_VOXELS {
            let packed = packed_pet(&lattice, lattice.highest(&values));
            if packed.text.len() <= LARGEST_PET || lattice.lattice.len() < 1000 {
                return (packed, lattice);
            }
        }
        // The finest axis loses first.
        let spacing = lattice.lattice.spacing_mm();
        let finest = if spacing[0] < spacing[1].min(spacing[2]) * 0.999 { 0..1 } else { 1..3 };
        finest.for_each(|n| block[n] += 1);
    }
}

fn packed_pet(lattice: &PetLattice, values: Vec<f32>) -> Packed {
    let highest = values.iter().copied().fold(0.0_f32, f32::max);
    let most = f64::from(u16::MAX);
    let (step, exact) = match f64::from(highest) {
        value if value < SUV_STEP * most => (SUV_STEP, true),
        value => (value / most, false),
    };
    let number = |value: f32| (f64::from(value.max(0.0)) / step).floor().min(most) as u16;
    let numbers: Vec<u16> = values.into_iter().map(number).collect();
    let note = match (lattice.note(), exact) {
        (note, true) => note,
        (None, false) => Some(format!("in steps of {step:.3}")),
        (Some(note), false) => Some(format!("{note}, in steps of {step:.3}")),
    };
    let shape = lattice.lattice.shape();
    let text = packed::volume(&numbers, shape);
    Packed { head: Head::new(&lattice.lattice, step, 0.0, note), text }
}

/// The CT inside a box, as fine as fits beside its PET.
pub(super) fn ct(ct: &Volume<i16>, within: Extent, pet: &Packed) -> Packed {
    let room = LARGEST_SCAN.saturating_sub(pet.text.len());
    let spacing = ct.geometry().spacing_mm();
    // The number of voxels is as the inverse of this, and about so is the length of the text.
    let cell_size = |mm: f64| spacing.map(|own| own.max(mm)).iter().product::<f64>();
    let mut cell_mm = CT_FINEST_MM;
    loop {
        let last = cell_mm >= CT_COARSEST_MM;
        let upright = Upright::new(&averaged_lattice(ct.geometry(), cell_mm), within);
        let mut excess = upright.lattice().len() as f64 / MOST_VOXELS as f64;
        if last || excess <= 1.0 {
            let packed = packed_ct(&upright, &averaged(ct, cell_mm));
            excess = packed.text.len() as f64 / room as f64;
            if last || excess <= 1.0 {
                return packed;
            }
        }
        let needed = excess * cell_size(cell_mm);
        while cell_size(cell_mm) < needed && cell_mm < CT_COARSEST_MM {
            cell_mm *= CT_STEP;
        }
    }
}

fn packed_ct(upright: &Upright, averaged: &Volume<f32>) -> Packed {
    let number =
        |value: f32| ((f64::from(value) - HU_LOWEST) / HU_STEP).round().clamp(0.0, 1023.0) as u16;
    let numbers: Vec<u16> =
        upright.values(averaged, HU_LOWEST as f32).into_iter().map(number).collect();
    let text = packed::volume(&numbers, upright.lattice().shape());
    let [s, r, c] = upright.lattice().spacing_mm();
    let note = format!("averaged over {c:.2} x {r:.2} x {s:.2} mm, in steps of {HU_STEP} HU");
    Packed { head: Head::new(upright.lattice(), HU_STEP, HU_LOWEST, Some(note)), text }
}

#[cfg(test)]
mod tests {
    use glam::DVec3;

    use super::super::packed::tests::unpacked;
    use super::*;

    const ALL: Extent = Extent { low: DVec3::splat(-1e6), high: DVec3::splat(1e6) };

    fn volume<T>(shape: [usize; 3], value: impl FnMut(usize) -> T) -> Volume<T> {
        let steps = [2.0 * DVec3::Z, 4.07 * DVec3::Y, 4.07 * DVec3::X];
        let geometry =
            VolumeGeometry::new(shape, DVec3::new(-100.0, -80.0, -500.0), steps).unwrap();
        let values = (0..geometry.len()).map(value).collect();
        Volume::from_vec(geometry, values)
    }

    /// Two decimals as the page makes them of a number of the page.
    fn digits(number: u16) -> String {
        let hundredths = u32::from(number).div_ceil(2);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }

    #[test]
    fn two_decimals_are_those_of_the_value() {
        // Chosen beside the borders of rounding.
        let value = |n: usize| (n as f32 * 0.0137).mul_add(1.0, 0.004_99) % 300.0;
        let pet = volume([4, 50, 50], value);
        let (packed, lattice) = super::pet(&pet, ALL);
        assert_eq!((packed.head.step, packed.head.note), (SUV_STEP, None));
        assert_eq!(lattice.block, [1; 3]);
        for (number, value) in unpacked(&packed.text, packed.head.shape).iter().zip(pet.values()) {
            assert_eq!(digits(*number), format!("{:.2}", f64::from(*value)));
        }
    }

    #[test]
    fn the_head_places_each_voxel() {
        let pet = volume([3, 4, 5], |n| n as f32);
        let (packed, _) = super::pet(&pet, ALL);
        let Head { shape, origin_mm: [x, y, z], spacing_mm: [ds, dr, dc], .. } = packed.head;
        let numbers = unpacked(&packed.text, shape);
        for voxel @ [s, r, c] in [[0, 0, 0], [2, 3, 4], [1, 2, 0]] {
            let place = DVec3::new(x + c as f64 * dc, y + r as f64 * dr, z + s as f64 * ds);
            assert!(place.distance(pet.geometry().centre_of(voxel)) < 1e-9);
            let number = numbers[(s * shape[1] + r) * shape[2] + c];
            assert!((f64::from(number) * SUV_STEP - f64::from(pet[voxel])).abs() < 1e-6);
        }
    }

    #[test]
    fn very_hot_scans_are_in_larger_steps_and_say_so() {
        let pet = volume([1, 2, 2], |n| if n == 0 { 900.0 } else { 1.0 });
        let (packed, _) = super::pet(&pet, ALL);
        assert!(packed.head.step > SUV_STEP && packed.head.note.is_some());
        let numbers = unpacked(&packed.text, packed.head.shape);
        assert!((f64::from(numbers[0]) * packed.head.step - 900.0).abs() < 0.02);
    }

    #[test]
    fn blocks_keep_the_highest_value_in_its_place() {
        let pet = volume([3, 4, 5], |n| if n == 33 { 7.0 } else { 1.0 });
        let upright = Upright::new(pet.geometry(), ALL);
        let lattice = PetLattice::new(&upright, [1, 2, 2]);
        assert_eq!(lattice.lattice.shape(), [3, 2, 3]);
        let highest = lattice.highest(&upright.values(&pet, 0.0));
        let place = pet.geometry().centre_of(pet.voxel_of(33));
        let [s, r, c] = lattice.lattice.voxel_at(place).unwrap();
        assert_eq!(highest[(s * 2 + r) * 3 + c].to_bits(), 7.0_f32.to_bits());
        assert_eq!(highest.iter().filter(|v| **v > 1.0).count(), 1);
        assert_eq!(lattice.note().unwrap(), "the highest of 1 x 2 x 2 voxels");
    }

    #[test]
    fn a_ct_comes_back_within_half_a_step() {
        let ct = volume([3, 8, 8], |n| (n as i16 - 60) * 20);
        let (beside, _) = pet(&volume([1, 2, 2], |_| 1.0), ALL);
        let packed = super::ct(&ct, ALL, &beside);
        assert_eq!(packed.head.shape, [3, 8, 8], "coarser than any averaging");
        for (number, value) in unpacked(&packed.text, packed.head.shape).iter().zip(ct.values()) {
            let found = packed.head.lowest + f64::from(*number) * packed.head.step;
            let expected = f64::from(*value).clamp(-1024.0, 3068.0);
            assert!((found - expected).abs() <= 2.0, "{found} {value}");
        }
    }

    /// Noise cannot be compressed: what the PET leaves decides how fine the CT is.
    #[test]
    fn a_ct_is_as_fine_as_the_room_beside_its_pet_allows() {
        let steps = [2.0 * DVec3::Z, 1.4 * DVec3::Y, 1.4 * DVec3::X];
        let lattice = VolumeGeometry::new([120, 256, 256], DVec3::ZERO, steps).unwrap();
        let noise = |n: usize| {
            let mixed = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            (mixed >> 54) as i16
        };
        let values = (0..lattice.len()).map(noise).collect();
        let given = Volume::from_vec(lattice, values);
        let (small, _) = pet(&volume([1, 2, 2], |_| 1.0), ALL);
        let large = Packed { text: "x".repeat(LARGEST_PET), ..small.clone() };
        let [alone, beside] = [&small, &large].map(|pet| ct(&given, ALL, pet));
        for (packed, pet) in [(&alone, &small), (&beside, &large)] {
            let length = packed.text.len() + pet.text.len();
            assert!((0.8..=1.0).contains(&(length as f64 / LARGEST_SCAN as f64)), "{length}");
        }
        assert!(alone.head.spacing_mm[2] < beside.head.spacing_mm[2]);
        assert!(beside.head.spacing_mm[2] < 2.8, "no need of whole voxels: {:?}", beside.head);
    }
}
