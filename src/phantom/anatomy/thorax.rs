//! Lungs, mediastinum, heart and great vessels.

use glam::DVec3;

use super::{Change, Habitus, Lungs, Side, Sketch};
use crate::phantom::random;
use crate::phantom::shape::{Loft, Section, Shape, turn};
use crate::phantom::tissue::Tissue as T;

/// Middle of the arch, descending and abdominal aorta, `[x, y, z, radius]`, from the valve to the bifurcation.
pub(crate) const AORTA: [[f64; 4]; 17] = [
    [2.0, -18.0, 236.0, 14.0],
    [-12.0, -28.0, 262.0, 15.0],
    [-13.0, -32.0, 290.0, 15.0],
    [-6.0, -25.0, 312.0, 14.5],
    [6.0, -10.0, 325.0, 14.0],
    [17.0, 8.0, 328.0, 13.5],
    [25.0, 24.0, 321.0, 13.0],
    [28.0, 34.0, 305.0, 12.5],
    [28.0, 38.0, 285.0, 12.5],
    [28.0, 39.0, 255.0, 12.0],
    [26.0, 37.0, 225.0, 12.0],
    [22.0, 31.0, 190.0, 11.5],
    [14.0, 20.0, 150.0, 11.0],
    [9.0, 12.0, 115.0, 10.5],
    [6.0, 6.0, 75.0, 10.0],
    [4.0, 4.0, 40.0, 9.5],
    [3.0, 6.0, 4.0, 9.5],
];

/// Lungs: what the chest holds, pointed at the top, above the floor the diaphragm will take.
pub(super) fn add_lungs(sketch: &mut Sketch, cavity: &Loft, state: Lungs) {
    for side in [Side::Right, Side::Left] {
        match state {
            Lungs::Collapsed(ill) if ill == side => {
                sketch.add(T::Effusion, Shape::Common(pleural_space(side, cavity)));
                let x = side.sign() * 46.0;
                sketch.ellipsoid(T::CollapsedLung, [x, 22.0, 275.0], [26.0, 36.0, 62.0]);
            }
            Lungs::Effusion(ill, height) if ill == side => {
                sketch.add(T::Lung, Shape::Common(pleural_space(side, cavity)));
                vessels(sketch, side);
                // Fluid gathers behind and below in a lying person; its surface is nearly level.
                let normal = DVec3::new(0.0, -0.8, 0.6);
                let level =
                    Shape::HalfSpace { normal, offset: normal.dot(DVec3::new(0.0, 30.0, height)) };
                let fluid =
                    pleural_space(side, cavity).into_iter().chain([level]).collect::<Vec<_>>();
                sketch.add(T::Effusion, Shape::Common(fluid));
            }
            _ => {
                sketch.add(T::Lung, Shape::Common(pleural_space(side, cavity)));
            }
        }
    }
    for side in [Side::Right, Side::Left] {
        let whole =
            !matches!(state, Lungs::Collapsed(ill) | Lungs::Effusion(ill, _) if ill == side);
        if whole {
            vessels(sketch, side);
        }
    }
}

fn pleural_space(side: Side, cavity: &Loft) -> Vec<Shape> {
    let inner = if side == Side::Left { 10.0 } else { 6.0 };
    let side = side.sign();
    vec![
        Shape::Loft(cavity.inset(3.0)),
        Shape::ellipsoid([side * 66.0, 10.0, 190.0], [84.0, 118.0, 208.0]),
        Shape::HalfSpace { normal: DVec3::new(-side, 0.0, 0.0), offset: -inner },
        Shape::HalfSpace { normal: -DVec3::Z, offset: -128.0 },
    ]
}

/// Branches of the pulmonary vessels: from each hilum outwards, thinner and thinner.
fn vessels(sketch: &mut Sketch, side: Side) {
    let side = side.sign();
    let ends = [
        [95.0, -20.0, 340.0],
        [70.0, 35.0, 370.0],
        [105.0, 30.0, 300.0],
        [112.0, -15.0, 270.0],
        [85.0, -50.0, 275.0],
        [108.0, 40.0, 240.0],
        [90.0, 62.0, 215.0],
        [112.0, 10.0, 215.0],
        [68.0, 70.0, 255.0],
        [55.0, 60.0, 330.0],
    ];
    for (n, [x, y, z]) in ends.into_iter().enumerate() {
        let index = (2 * n) as u64 + u64::from(side > 0.0);
        let bend = |axis: u64| random::between(11, 3 * index + axis, -9.0, 9.0);
        let root = [side * 40.0, 14.0, 282.0];
        let middle = [
            0.5 * (root[0] + side * x) + bend(0),
            0.5 * (root[1] + y) + bend(1),
            0.5 * (root[2] + z) + bend(2),
        ];
        sketch.tube(
            T::LungVessel,
            &[
                [root[0], root[1], root[2], 6.0],
                [middle[0], middle[1], middle[2], 3.2],
                [side * x, y, z, 1.0],
            ],
        );
    }
}

pub(super) fn add_mediastinum(sketch: &mut Sketch) {
    let knots = [
        (160.0, 12.0, 50.0, 78.0, 74.0),
        (195.0, 12.0, 50.0, 80.0, 70.0),
        (235.0, 8.0, 44.0, 76.0, 66.0),
        (275.0, 4.0, 42.0, 72.0, 66.0),
        (320.0, 3.0, 36.0, 66.0, 66.0),
        (360.0, 2.0, 34.0, 50.0, 58.0),
        (390.0, 0.0, 26.0, 34.0, 40.0),
        (410.0, 0.0, 8.0, 10.0, 10.0),
    ];
    let knots = knots
        .map(|(z, x, half_width, front, back)| (z, Section { x, y: 0.0, half_width, front, back }));
    sketch.add(T::Mediastinum, Shape::Loft(Loft::through(&knots, 0.1)));
    sketch.tube(
        T::Oesophagus,
        &[
            [0.0, 18.0, 400.0, 7.0],
            [4.0, 34.0, 320.0, 7.0],
            [4.0, 34.0, 250.0, 7.5],
            [8.0, 26.0, 205.0, 8.0],
            [30.0, 20.0, 168.0, 9.0],
        ],
    );
    sketch.tube(
        T::Air,
        &[[0.0, -12.0, 402.0, 8.0], [-1.0, 6.0, 345.0, 8.5], [-1.0, 16.0, 300.0, 9.0]],
    );
    sketch.tube(
        T::Air,
        &[[-1.0, 16.0, 300.0, 8.0], [-30.0, 20.0, 282.0, 6.5], [-52.0, 22.0, 268.0, 4.5]],
    );
    sketch.tube(
        T::Air,
        &[[-1.0, 16.0, 300.0, 7.0], [32.0, 24.0, 278.0, 6.0], [54.0, 28.0, 266.0, 4.5]],
    );
}

pub(super) fn add_heart_and_vessels(sketch: &mut Sketch, habitus: &Habitus) {
    // The heart rests on the tendon but hangs from its vessels: it follows half way.
    let up = 0.5 * habitus.tendon_mm();
    sketch.changed(Change::new([8.0, 0.0, 245.0], habitus.heart, up), heart);
    great_vessels(sketch);
}

fn heart(sketch: &mut Sketch) {
    // The long axis of the ventricles points to the left, forwards and down.
    let axis = turn(0.0, 32.0, -38.0);
    // Around the heart: fat, then the right heart and the atria (blood), then the left ventricle.
    sketch.add(T::Fat, Shape::turned([24.0, -38.0, 216.0], [72.0, 50.0, 48.0], axis));
    sketch.add(T::Blood, Shape::turned([8.0, -50.0, 210.0], [50.0, 30.0, 34.0], axis));
    sketch.ellipsoid(T::Blood, [-28.0, -28.0, 226.0], [27.0, 30.0, 32.0]);
    sketch.ellipsoid(T::Blood, [8.0, 6.0, 240.0], [40.0, 22.0, 26.0]);
    sketch.add(T::Myocardium, Shape::turned([44.0, -36.0, 208.0], [46.0, 33.0, 33.0], axis));
    sketch.add(T::Blood, Shape::turned([40.0, -33.0, 211.0], [38.0, 22.0, 22.0], axis));
}

fn great_vessels(sketch: &mut Sketch) {
    sketch.tube(
        T::Blood,
        &[[30.0, -52.0, 240.0, 13.0], [24.0, -42.0, 268.0, 13.0], [14.0, -12.0, 288.0, 12.0]],
    );
    sketch.tube(
        T::Blood,
        &[[14.0, -14.0, 288.0, 11.0], [-20.0, -4.0, 286.0, 10.0], [-42.0, 12.0, 282.0, 8.0]],
    );
    sketch.tube(
        T::Blood,
        &[[14.0, -12.0, 290.0, 11.0], [34.0, 8.0, 292.0, 10.0], [44.0, 16.0, 284.0, 8.0]],
    );
    sketch.tube(
        T::Blood,
        &[
            [-30.0, -20.0, 240.0, 10.0],
            [-28.0, -16.0, 290.0, 9.0],
            [-24.0, -20.0, 340.0, 8.0],
            [8.0, -38.0, 362.0, 6.0],
        ],
    );
    sketch.tube(T::Blood, &AORTA);
    for [x, y] in [[-12.0, -18.0], [4.0, -6.0], [16.0, 6.0]] {
        sketch.tube(T::Blood, &[[x, y, 326.0, 5.5], [1.3 * x, y - 6.0, 372.0, 4.5]]);
    }
    sketch.tube(
        T::Blood,
        &[
            [-14.0, 10.0, -2.0, 10.0],
            [-20.0, 8.0, 60.0, 11.0],
            [-24.0, 10.0, 120.0, 11.5],
            [-26.0, 4.0, 175.0, 12.0],
            [-28.0, -20.0, 215.0, 12.0],
        ],
    );
    sketch.tubes(
        T::Blood,
        &[
            [3.0, 8.0, 6.0, 7.0],
            [30.0, 22.0, -50.0, 6.5],
            [58.0, -2.0, -92.0, 6.0],
            [74.0, -38.0, -140.0, 6.0],
            [84.0, -44.0, -220.0, 5.0],
            [84.0, -26.0, -420.0, 4.5],
        ],
    );
}
