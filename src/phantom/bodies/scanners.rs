//! Voxels, resolution and scanned range as several vendors have them.

use super::Kind;
use super::dice::Dice;
use crate::phantom::Scanner;

/// Voxels `(between rows and columns, between slices)`, matrix, point spread from and to; millimetres.
type Row = ((f64, f64), usize, (f64, f64));

/// Usual whole-body lattices: GE (128 and 256 matrix), Siemens (168 matrix, and 400 cut to the body), Philips, United
/// Imaging; point spread after the usual filters (EARL-like 6 to 8 mm, with point-spread modelling 4 to 5).
const VENDORS: [Row; 8] = [
    ((5.46875, 3.27), 128, (6.5, 8.0)),
    ((2.734_375, 3.27), 192, (4.5, 6.5)),
    ((4.07283, 3.0), 168, (5.0, 7.0)),
    ((4.07283, 5.0), 168, (5.5, 8.0)),
    ((2.03642, 3.0), 256, (4.0, 5.5)),
    ((4.0, 4.0), 144, (5.5, 7.5)),
    ((2.4, 2.4), 224, (4.0, 5.5)),
    ((3.0, 3.0), 200, (4.5, 6.0)),
];

/// A CT as it is kept with a PET, thinned out: 500 mm wide as most are, 700 mm where the field was extended.
const CT_MATRICES: [usize; 2] = [256, 358];
const CT_VOXEL_MM: (f64, f64) = (1.953_125, 4.0);

/// Scanned ranges in the reference body.
const VERTEX_MM: f64 = 695.0;
const EYES_MM: f64 = 565.0;
const THIGH_MM: f64 = -330.0;

pub(super) fn draw(seed: u64, kind: Kind, arms_down: bool) -> Scanner {
    let mut dice = Dice::new(seed, "scanner");
    // The finest lattices are for short fields, which keeps a scan below twelve million voxels.
    let short = matches!(kind, Kind::ShortField | Kind::NoLiver | Kind::Child);
    let fine = |row: &&Row| short || row.0.0 > 2.5;
    let rows: Vec<Row> = VENDORS.iter().filter(fine).copied().collect();
    let (pet_voxel_mm, pet_matrix, (sharp, soft)) = dice.pick(&rows);
    let wide = arms_down || kind == Kind::Obese;
    Scanner {
        pet_voxel_mm,
        pet_matrix,
        ct_voxel_mm: CT_VOXEL_MM,
        ct_matrix: if wide && dice.chance(0.5) { CT_MATRICES[1] } else { CT_MATRICES[0] },
        range_mm: range(&mut dice, kind),
        point_spread_mm: dice.between(sharp, soft),
        ct_noise_hu: dice.between(6.0, 18.0),
    }
}

fn range(dice: &mut Dice, kind: Kind) -> (f64, f64) {
    let [a, b] = [0, 1].map(|_| dice.between(-20.0, 20.0));
    match kind {
        Kind::NoHead => (THIGH_MM + a, 420.0 + b),
        Kind::ShortField => (40.0 + a, 400.0 + b),
        Kind::ToToes => (-1040.0, VERTEX_MM),
        Kind::NoLiver if dice.chance(0.5) => (290.0 + a, VERTEX_MM),
        Kind::NoLiver => (THIGH_MM + a, 0.0 + b),
        Kind::Child => (THIGH_MM + a, 760.0),
        _ if dice.chance(0.6) => (THIGH_MM + a, EYES_MM + b),
        _ => (THIGH_MM + a, VERTEX_MM),
    }
}
