//! Bones: a cortical shell, marrow within.

use super::{Arms, Build, Sketch, envelope};
use crate::acquisition::Sex;
use crate::phantom::shape::{Shape, turn};
use crate::phantom::tissue::Tissue as T;

/// z and y of the middle of each vertebral body from the fifth lumbar to the first cervical, and its half width,
/// half depth and half height.
const VERTEBRAE: [[f64; 5]; 24] = [
    [-26.0, 42.0, 25.0, 17.0, 13.0],
    [8.0, 34.0, 24.0, 17.0, 13.5],
    [42.0, 31.0, 23.0, 16.5, 13.5],
    [75.0, 33.0, 22.5, 16.5, 13.0],
    [107.0, 38.0, 22.0, 16.0, 12.5],
    [137.0, 44.0, 21.0, 16.0, 12.0],
    [165.0, 50.0, 20.0, 16.0, 11.5],
    [192.0, 55.0, 19.0, 16.0, 11.0],
    [218.0, 58.0, 18.0, 15.5, 10.5],
    [243.0, 60.0, 17.0, 15.5, 10.0],
    [267.0, 60.5, 16.5, 15.0, 9.8],
    [290.0, 60.0, 16.0, 14.5, 9.3],
    [312.0, 58.5, 15.5, 14.0, 9.0],
    [333.0, 56.0, 15.0, 13.0, 8.6],
    [353.0, 52.0, 15.0, 12.0, 8.2],
    [372.0, 46.0, 15.0, 11.5, 7.8],
    [390.0, 39.0, 15.0, 11.0, 7.5],
    [407.0, 32.0, 14.0, 10.0, 7.0],
    [423.0, 26.0, 13.0, 9.5, 6.6],
    [438.0, 21.0, 12.5, 9.5, 6.3],
    [453.0, 18.0, 12.0, 9.0, 6.2],
    [468.0, 17.0, 12.0, 9.0, 6.2],
    [485.0, 17.0, 11.5, 8.5, 7.0],
    [502.0, 18.0, 12.0, 8.0, 5.5],
];

pub(super) fn add(sketch: &mut Sketch, build: &Build) {
    sketch.tube(T::Disc, &VERTEBRAE.map(|[z, y, width, ..]| [0.0, y, z, 0.72 * width]));
    VERTEBRAE.iter().enumerate().for_each(|(n, v)| vertebra(sketch, n, v));
    ribs(sketch, build);
    shoulders(sketch, build.arms);
    pelvis(sketch);
    femora(sketch, build.sex);
}

fn vertebra(sketch: &mut Sketch, level: usize, &[z, y, width, depth, height]: &[f64; 5]) {
    let back = y + depth;
    let cervical = level > 16;
    let spine = if cervical { 24.0 } else { 28.0 };
    let spread = if cervical { 20.0 } else { 34.0 };
    // The arch behind the body, then the canal through it.
    sketch.ellipsoid(T::CorticalBone, [0.0, back + 9.0, z - 2.0], [17.0, 13.0, 0.75 * height]);
    sketch.tube(
        T::CorticalBone,
        &[[0.0, back + 18.0, z - 3.0, 4.5], [0.0, back + spine, z - 12.0, 3.5]],
    );
    sketch
        .tubes(T::CorticalBone, &[[13.0, back + 8.0, z, 5.0], [spread, back + 14.0, z + 1.0, 4.0]]);
    sketch.add(T::CorticalBone, Shape::block([0.0, y, z], [width, depth, height], 0.6));
    sketch.add(T::Marrow, Shape::block([0.0, y, z], [width - 1.5, depth - 1.5, height - 1.2], 0.6));
    sketch.ellipsoid(T::CerebrospinalFluid, [0.0, back + 8.0, z], [9.0, 7.5, 18.0]);
    if level > 3 {
        sketch.ellipsoid(T::SpinalCord, [0.0, back + 8.0, z], [5.0, 4.0, 18.0]);
    }
}

/// Each rib runs just under the muscle of the chest, down from its vertebra to the front.
fn ribs(sketch: &mut Sketch, build: &Build) {
    let wall = envelope::trunk(build, 0.0).inset(11.0);
    for rib in 1..=12_usize {
        let [z, y, ..] = VERTEBRAE[17 - rib];
        let number = rib as f64;
        let drop = 25.0 + 9.0 * number.min(8.0);
        // Angle from straight back (0) towards the front (180).
        let end = if rib <= 7 { 150.0 } else { 165.0 - 14.0 * (number - 6.0).min(8.0) };
        let mut knots = vec![[16.0, y + 16.0, z + 4.0, 5.0]];
        let steps = 9;
        for step in 0..=steps {
            let part = f64::from(step) / f64::from(steps);
            let angle = (24.0 + (end - 24.0) * part) * std::f64::consts::PI / 180.0;
            let height = z - drop * part;
            let s = wall.at(height);
            let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
            // The first ribs close the narrow top of the chest.
            let narrow = (0.60 + 0.12 * number).min(1.0);
            let depth = if cosine > 0.0 { 0.95 * s.back } else { s.front };
            knots.push([narrow * s.half_width * sine, depth * cosine, height, 5.0]);
        }
        sketch.tubes(T::CorticalBone, &knots);
        let inner: Vec<_> = knots.iter().map(|&[x, y, z, r]| [x, y, z, r - 2.0]).collect();
        sketch.tubes(T::Marrow, &inner);
        if rib <= 7 {
            let [x, y, z, _] = knots[knots.len() - 1];
            let sternum = (372.0 - 27.0 * number).max(215.0);
            let front = -(wall.at(sternum).front - 1.0);
            sketch.tubes(
                T::Cartilage,
                &[
                    [x, y, z, 5.0],
                    [0.5 * x + 8.0, front + 3.0, 0.5 * (z + sternum), 5.0],
                    [14.0, front, sternum, 5.0],
                ],
            );
        }
    }
    sternum(sketch, &wall);
}

fn sternum(sketch: &mut Sketch, wall: &crate::phantom::shape::Loft) {
    for (tissue, thinner) in [(T::CorticalBone, 0.0), (T::Marrow, 1.6)] {
        let knots: Vec<[f64; 4]> = [368.0, 335.0, 290.0, 245.0, 215.0]
            .iter()
            .map(|&z| {
                [if z > 340.0 { 14.0 } else { 8.0 }, -(wall.at(z).front - 2.0), z, 7.5 - thinner]
            })
            .collect();
        sketch.tubes(tissue, &knots);
    }
}

fn shoulders(sketch: &mut Sketch, arms: Arms) {
    let (lift, humerus) = match arms {
        Arms::Up => (
            28.0,
            [
                [166.0, 6.0, 408.0, 12.0],
                [186.0, 0.0, 470.0, 11.0],
                [194.0, -8.0, 560.0, 11.0],
                [176.0, -18.0, 650.0, 12.0],
                [150.0, -22.0, 730.0, 13.0],
            ],
        ),
        Arms::Down => (
            0.0,
            [
                [168.0, 10.0, 355.0, 12.0],
                [188.0, 14.0, 290.0, 11.0],
                [203.0, 20.0, 180.0, 11.0],
                [207.0, 16.0, 70.0, 13.0],
                [197.0, -18.0, -140.0, 9.0],
            ],
        ),
    };
    let [x, y, z, _] = humerus[0];
    sketch.tubes(
        T::CorticalBone,
        &[
            [10.0, -50.0, 372.0, 6.5],
            [60.0, -40.0, 378.0 + 0.2 * lift, 6.0],
            [110.0, -10.0, 382.0 + 0.4 * lift, 6.0],
            [142.0, 8.0, 380.0 + 0.8 * lift, 7.0],
        ],
    );
    for side in [-1.0, 1.0] {
        let blade = turn(-8.0, 0.0, side * -32.0);
        sketch.add(
            T::CorticalBone,
            Shape::turned([side * 96.0, 66.0, 322.0 + 0.4 * lift], [40.0, 4.5, 52.0], blade),
        );
        sketch.add(
            T::Marrow,
            Shape::turned([side * 96.0, 66.0, 322.0 + 0.4 * lift], [37.0, 2.0, 49.0], blade),
        );
    }
    sketch.tubes(T::CorticalBone, &humerus);
    sketch.pair(T::CorticalBone, [x, y, z], [22.0; 3]);
    sketch.pair(T::Marrow, [x, y, z], [19.5; 3]);
    sketch.tubes(T::FattyMarrow, &humerus.map(|[x, y, z, r]| [x, y, z, r - 5.0]));
}

fn pelvis(sketch: &mut Sketch) {
    for (tissue, thin) in [(T::CorticalBone, 0.0), (T::Marrow, 1.8)] {
        sketch.add(
            tissue,
            Shape::turned(
                [0.0, 66.0, -72.0],
                [50.0 - thin, 17.0 - thin, 36.0 - thin],
                turn(28.0, 0.0, 0.0),
            ),
        );
        sketch.tube(
            tissue,
            &[
                [0.0, 78.0, -95.0, 19.0 - thin],
                [0.0, 84.0, -120.0, 13.0 - thin],
                [0.0, 74.0, -148.0, 7.0 - thin],
            ],
        );
        for side in [-1.0, 1.0] {
            let wing = Shape::turned(
                [side * 88.0, 16.0, -46.0],
                [9.0 - thin, 66.0 - thin, 50.0 - thin],
                turn(0.0, side * 22.0, side * 37.0),
            );
            sketch.add(tissue, wing);
        }
        sketch.pair(tissue, [84.0, 2.0, -112.0], [22.0 - thin, 30.0 - thin, 30.0 - thin]);
        sketch.tubes(
            tissue,
            &[
                [72.0, -24.0, -112.0, 11.0 - thin],
                [38.0, -57.0, -136.0, 9.0 - thin],
                [6.0, -67.0, -152.0, 10.0 - thin],
            ],
        );
        sketch.tubes(
            tissue,
            &[
                [78.0, 18.0, -128.0, 14.0 - thin],
                [64.0, 34.0, -172.0, 15.0 - thin],
                [44.0, 4.0, -182.0, 9.0 - thin],
                [14.0, -56.0, -164.0, 8.0 - thin],
            ],
        );
    }
}

fn femora(sketch: &mut Sketch, sex: Sex) {
    let out = if sex == Sex::Female { 4.0 } else { 0.0 };
    let hip = [88.0 + out, -4.0, -118.0];
    let neck = [
        [hip[0], hip[1], hip[2], 15.0],
        [112.0 + out, 2.0, -134.0, 15.0],
        [122.0 + out, 6.0, -150.0, 17.0],
    ];
    let shaft = [
        [122.0 + out, 6.0, -155.0, 16.0],
        [114.0, 2.0, -220.0, 13.5],
        [104.0, -4.0, -320.0, 13.0],
        [96.0, -6.0, -420.0, 13.0],
    ];
    sketch.pair(T::Cartilage, hip, [26.0; 3]);
    sketch.pair(T::CorticalBone, hip, [23.5; 3]);
    sketch.tubes(T::CorticalBone, &neck);
    sketch.tubes(T::CorticalBone, &shaft);
    sketch.pair(T::Marrow, hip, [21.5; 3]);
    sketch.tubes(T::Marrow, &neck.map(|[x, y, z, r]| [x, y, z, r - 2.5]));
    sketch.tubes(T::FattyMarrow, &shaft.map(|[x, y, z, r]| [x, y, z, r - 6.0]));
}
