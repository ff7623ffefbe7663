//! Legs below the middle of the thigh, for scans to the toes.

use super::Sketch;
use crate::phantom::tissue::Tissue as T;

/// Joins the thigh of the envelope.
const LEG: [[f64; 4]; 6] = [
    [80.0, -2.0, -420.0, 56.0],
    [78.0, 0.0, -535.0, 50.0],
    [77.0, 8.0, -640.0, 49.0],
    [75.0, 8.0, -760.0, 40.0],
    [74.0, 8.0, -930.0, 30.0],
    [74.0, 12.0, -985.0, 30.0],
];
const FOOT: [[f64; 4]; 3] =
    [[74.0, 12.0, -985.0, 29.0], [78.0, -60.0, -995.0, 28.0], [84.0, -130.0, -1005.0, 20.0]];

pub(super) fn add_soft(sketch: &mut Sketch, fat_mm: f64) {
    for (tissue, outside) in [(T::Skin, fat_mm + 2.0), (T::Fat, fat_mm), (T::Muscle, 0.0)] {
        // As thick as over the thigh above, thinner towards the foot.
        let thickness = [1.1, 0.8, 0.6, 0.5, 0.3, 0.2].map(|share| share * outside);
        let leg: Vec<_> =
            LEG.iter().zip(thickness).map(|(&[x, y, z, r], more)| [x, y, z, r + more]).collect();
        sketch.tubes(tissue, &leg);
        sketch.tubes(tissue, &FOOT.map(|[x, y, z, r]| [x, y, z, r + 0.2 * outside]));
    }
}

pub(super) fn add_bones(sketch: &mut Sketch) {
    let femur =
        [[96.0, -6.0, -420.0, 13.0], [82.0, -4.0, -500.0, 17.0], [80.0, -4.0, -525.0, 30.0]];
    let tibia = [
        [78.0, -4.0, -550.0, 28.0],
        [77.0, -10.0, -600.0, 15.0],
        [76.0, -6.0, -800.0, 12.0],
        [74.0, 6.0, -960.0, 16.0],
    ];
    let heel = [[74.0, 22.0, -990.0, 18.0], [80.0, -70.0, -998.0, 12.0]];
    for bone in [&femur[..], &tibia, &heel] {
        sketch.tubes(T::CorticalBone, bone);
        let inside: Vec<_> = bone.iter().map(|&[x, y, z, r]| [x, y, z, 0.6 * r]).collect();
        sketch.tubes(T::FattyMarrow, &inside);
    }
}
