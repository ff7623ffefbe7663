//! Skin, fat and muscle of trunk, neck and limbs, and the cavity within.

use super::{Arms, Build, Sketch, head};
use crate::acquisition::Sex;
use crate::phantom::shape::{Loft, Section, Shape};
use crate::phantom::tissue::Tissue;

/// z, half width, front, back of the muscle, and how thick the fat over it is (1 at the abdomen).
const TRUNK: [[f64; 5]; 18] = [
    [-226.0, 128.0, 44.0, 60.0, 1.1],
    [-205.0, 150.0, 62.0, 84.0, 1.2],
    [-180.0, 163.0, 74.0, 96.0, 1.4],
    [-140.0, 168.0, 84.0, 104.0, 1.4],
    [-95.0, 163.0, 89.0, 104.0, 1.3],
    [-45.0, 152.0, 91.0, 97.0, 1.2],
    [0.0, 141.0, 92.0, 91.0, 1.2],
    [50.0, 136.0, 94.0, 90.0, 1.0],
    [100.0, 140.0, 99.0, 94.0, 0.9],
    [150.0, 146.0, 104.0, 99.0, 0.8],
    [200.0, 150.0, 107.0, 104.0, 0.8],
    [250.0, 152.0, 105.0, 106.0, 0.7],
    [300.0, 154.0, 96.0, 106.0, 0.6],
    [340.0, 154.0, 82.0, 100.0, 0.5],
    [372.0, 148.0, 64.0, 90.0, 0.5],
    [396.0, 112.0, 52.0, 78.0, 0.4],
    [416.0, 76.0, 46.0, 68.0, 0.4],
    [436.0, 60.0, 43.0, 64.0, 0.3],
];

/// z, half width, front, back of what lies inside ribs, belly wall and pelvis.
const CAVITY: [[f64; 4]; 15] = [
    [-186.0, 40.0, 38.0, 52.0],
    [-150.0, 64.0, 60.0, 72.0],
    [-100.0, 88.0, 72.0, 76.0],
    [-50.0, 108.0, 76.0, 58.0],
    [0.0, 120.0, 77.0, 50.0],
    [50.0, 119.0, 79.0, 54.0],
    [100.0, 121.0, 83.0, 68.0],
    [150.0, 126.0, 86.0, 80.0],
    [200.0, 128.0, 87.0, 86.0],
    [250.0, 126.0, 83.0, 87.0],
    [300.0, 120.0, 73.0, 84.0],
    [340.0, 104.0, 60.0, 78.0],
    [370.0, 82.0, 46.0, 70.0],
    [390.0, 62.0, 36.0, 62.0],
    [402.0, 48.0, 28.0, 54.0],
];

fn section(half_width: f64, front: f64, back: f64) -> Section {
    Section { x: 0.0, y: 0.0, half_width, front, back }
}

/// The muscle of the trunk, on which the ribs lie from inside.
pub(super) fn trunk(build: &Build, fat_mm: f64) -> Loft {
    let knots = TRUNK.map(|[z, width, front, back, fat]| {
        // Wider hips and narrower shoulders in women.
        let female = if build.sex == Sex::Female { 1.0 } else { 0.0 };
        let shape = 1.0
            + female
                * if z < -40.0 {
                    0.03
                } else if z > 280.0 {
                    -0.04
                } else {
                    0.0
                };
        let more = fat_mm * fat;
        // Fat gathers in front and at the sides more than over the spine.
        (z, section(width * shape + more, front + more, back + 0.8 * more))
    });
    Loft::through(&knots, 0.35)
}

/// Inner surface of the chest wall, belly wall and pelvis.
pub(super) fn cavity() -> Loft {
    Loft::through(&CAVITY.map(|[z, width, front, back]| (z, section(width, front, back))), 0.25)
}

pub(super) fn add(sketch: &mut Sketch, build: &Build) {
    let fat_mm = build.fat_mm();
    for (tissue, outside) in
        [(Tissue::Skin, fat_mm + 2.0), (Tissue::Fat, fat_mm), (Tissue::Muscle, 0.0)]
    {
        sketch.add(tissue, Shape::Loft(trunk(build, outside)));
        limbs(sketch, build, tissue, outside);
        if build.sex == Sex::Female && tissue != Tissue::Muscle {
            let more = outside - fat_mm;
            sketch.pair(tissue, [74.0, -98.0, 262.0], [56.0 + more, 42.0 + more, 50.0 + more]);
        }
    }
    if build.sex == Sex::Female {
        sketch.pair(Tissue::Breast, [74.0, -116.0, 258.0], [32.0, 18.0, 28.0]);
    }
}

fn limbs(sketch: &mut Sketch, build: &Build, tissue: Tissue, outside: f64) {
    let (thigh, arm) = (1.1 * outside, 0.5 * outside);
    sketch.tubes(
        tissue,
        &[
            [84.0, 8.0, -130.0, 62.0 + thigh],
            [84.0, 4.0, -200.0, 66.0 + thigh],
            [82.0, 0.0, -300.0, 64.0 + thigh],
            [80.0, -2.0, -420.0, 56.0 + thigh],
        ],
    );
    let upper = match build.arms {
        Arms::Up => [
            [112.0, 12.0, 352.0, 46.0 + arm],
            [150.0, 8.0, 384.0, 52.0 + arm],
            [182.0, 2.0, 430.0, 47.0 + arm],
            [194.0, -8.0, 540.0, 42.0 + arm],
            [180.0, -18.0, 640.0, 37.0 + arm],
            [150.0, -22.0, 730.0, 36.0 + arm],
        ],
        Arms::Down => [
            [112.0, 12.0, 352.0, 46.0 + arm],
            [158.0, 10.0, 362.0, 50.0 + arm],
            [184.0, 12.0, 320.0, 46.0 + arm],
            [202.0, 22.0, 180.0, 40.0 + arm],
            [206.0, 15.0, 60.0, 36.0 + arm],
            [196.0, -20.0, -150.0, 28.0 + arm],
        ],
    };
    sketch.tubes(tissue, &upper);
    sketch.tube(
        tissue,
        &[
            [0.0, 14.0, 400.0, 58.0 + arm],
            [0.0, 10.0, 450.0, 52.0 + arm],
            [0.0, 4.0, 520.0, 52.0 + arm],
        ],
    );
    sketch.changed(head::change(build.habitus.head), |sketch| {
        sketch.ellipsoid(
            tissue,
            [0.0, 0.0, 594.0],
            [77.0 + 0.2 * arm, 96.0 + 0.2 * arm, 86.0 + 0.2 * arm],
        );
        let face = [60.0 + 0.3 * arm, 58.0 + 0.2 * arm, 70.0];
        sketch.add(tissue, Shape::block([0.0, -44.0, 520.0], face, 0.5));
    });
}
