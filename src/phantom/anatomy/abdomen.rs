//! Diaphragm and the organs below it.

use glam::DVec3;

use super::Sketch;
use crate::acquisition::Sex;
use crate::phantom::random;
use crate::phantom::shape::{Loft, Shape, turn};
use crate::phantom::tissue::Tissue as T;

/// The domes of the diaphragm: middle and radii; the right one stands higher, and the tendon lies between them.
const RIGHT_DOME: ([f64; 3], [f64; 3]) = ([-64.0, -18.0, 118.0], [72.0, 101.0, 92.0]);
const LEFT_DOME: ([f64; 3], [f64; 3]) = ([64.0, -8.0, 112.0], [74.0, 98.0, 82.0]);
const TENDON: ([f64; 3], [f64; 3]) = ([4.0, -16.0, 110.0], [84.0, 88.0, 64.0]);

pub(super) fn add_cavity(sketch: &mut Sketch, cavity: &Loft) {
    let below = Shape::HalfSpace { normal: DVec3::Z, offset: 215.0 };
    sketch.add(T::Fat, Shape::Common(vec![Shape::Loft(cavity.clone()), below]));
    // Muscles behind the cavity.
    sketch.tubes(
        T::Muscle,
        &[
            [26.0, 42.0, 120.0, 9.0],
            [38.0, 36.0, 40.0, 18.0],
            [52.0, 26.0, -40.0, 20.0],
            [74.0, -14.0, -105.0, 16.0],
            [96.0, -6.0, -165.0, 13.0],
        ],
    );
    sketch.tubes(
        T::Muscle,
        &[[62.0, 58.0, 100.0, 14.0], [70.0, 56.0, 30.0, 18.0], [80.0, 52.0, -10.0, 14.0]],
    );
}

fn dome((centre, radii): ([f64; 3], [f64; 3]), cavity: &Loft, inset: f64) -> Shape {
    let radii = radii.map(|r| r - inset);
    Shape::Common(vec![Shape::ellipsoid(centre, radii), Shape::Loft(cavity.inset(0.6 * inset))])
}

pub(super) fn add_diaphragm(sketch: &mut Sketch, cavity: &Loft) {
    let domes = [RIGHT_DOME, LEFT_DOME, TENDON];
    for (tissue, inset) in [(T::Diaphragm, 0.0), (T::Fat, 3.5)] {
        for shape in domes {
            sketch.add(tissue, dome(shape, cavity, inset));
        }
    }
}

pub(super) fn add_bowel(sketch: &mut Sketch, person: u64) {
    let colon = [
        [-84.0, 4.0, -62.0, 24.0],
        [-92.0, 6.0, -20.0, 22.0],
        [-94.0, 0.0, 18.0, 21.0],
        [-78.0, -34.0, 24.0, 20.0],
        [-44.0, -56.0, 10.0, 18.0],
        [4.0, -60.0, 0.0, 18.0],
        [50.0, -52.0, 26.0, 18.0],
        [82.0, -22.0, 72.0, 18.0],
        [92.0, 14.0, 84.0, 18.0],
        [96.0, 22.0, 40.0, 17.0],
        [95.0, 18.0, -20.0, 16.0],
        [78.0, 4.0, -66.0, 16.0],
        [42.0, -8.0, -84.0, 16.0],
        [14.0, 10.0, -86.0, 15.0],
        [2.0, 42.0, -104.0, 17.0],
        [0.0, 54.0, -135.0, 17.0],
        [0.0, 46.0, -170.0, 12.0],
    ];
    sketch.hollow(T::BowelWall, T::BowelContent, &colon, 3.5);
    // Gas gathers in front.
    for [x, y, z, r] in [colon[2], colon[4], colon[5], colon[6], colon[8], colon[11]] {
        sketch.ellipsoid(T::BowelGas, [x, y - 0.35 * r, z], [0.55 * r, 0.42 * r, 0.9 * r]);
    }
    for loop_number in 0..8 {
        sketch.hollow(T::BowelWall, T::BowelContent, &small_bowel_loop(person, loop_number), 3.5);
    }
}

/// One meandering loop between the colon's two flanks.
fn small_bowel_loop(person: u64, number: u64) -> Vec<[f64; 4]> {
    let at = |n: u64, low: f64, high: f64| random::between(person, 64 * number + n, low, high);
    let height = -72.0 + 14.0 * number as f64;
    (0..9)
        .map(|n| {
            let side = if (n + number).is_multiple_of(2) { -1.0 } else { 1.0 };
            let x = -58.0 + 14.5 * n as f64 + at(3 * n, -6.0, 6.0);
            let y = -34.0 + side * at(3 * n + 1, 8.0, 20.0);
            [x, y, height + at(3 * n + 2, -12.0, 12.0), 10.5]
        })
        .collect()
}

pub(super) fn add_organs(sketch: &mut Sketch, cavity: &Loft, sex: Sex) {
    kidneys(sketch);
    spleen(sketch, cavity);
    stomach(sketch);
    pancreas(sketch);
    liver(sketch, cavity);
    pelvic_organs(sketch, sex);
}

fn kidneys(sketch: &mut Sketch) {
    for (side, z) in [(1.0, 88.0), (-1.0, 76.0)] {
        let tilt = turn(-10.0, side * 10.0, side * 25.0);
        sketch.add(T::RenalCortex, kidney(side, z, 0.0));
        sketch.add(T::Fat, Shape::turned([side * 51.0, 34.0, z], [11.0, 10.0, 24.0], tilt));
        sketch.add(T::RenalPelvis, Shape::turned([side * 54.0, 35.0, z], [8.0, 7.0, 15.0], tilt));
        sketch.tube(
            T::Ureter,
            &[
                [side * 46.0, 30.0, z - 8.0, 3.5],
                [side * 36.0, 20.0, 30.0, 2.4],
                [side * 36.0, 10.0, -40.0, 2.2],
                [side * 48.0, 26.0, -95.0, 2.2],
                [side * 24.0, 2.0, -132.0, 2.4],
            ],
        );
        sketch.tube(T::Blood, &[[side * 8.0, 4.0, 88.0, 4.0], [side * 44.0, 28.0, z, 4.0]]);
    }
}

fn kidney(side: f64, z: f64, more: f64) -> Shape {
    let tilt = turn(-10.0, side * 10.0, side * 25.0);
    let radii = [26.0, 23.0, 53.0].map(|r| r + more);
    Shape::turned([side * 62.0, 42.0, z], radii, tilt)
}

fn spleen(sketch: &mut Sketch, cavity: &Loft) {
    let body = Shape::turned([88.0, 40.0, 146.0], [36.0, 52.0, 52.0], turn(20.0, 12.0, 25.0));
    let space = dome(LEFT_DOME, cavity, 4.0);
    let hilum = Shape::ellipsoid([52.0, 22.0, 140.0], [26.0, 30.0, 34.0]);
    let around = Shape::Without(Box::new(Shape::Common(vec![body, space])), Box::new(hilum));
    // Fat keeps it from the kidney.
    sketch.add(T::Spleen, Shape::Without(Box::new(around), Box::new(kidney(1.0, 88.0, 9.0))));
}

fn stomach(sketch: &mut Sketch) {
    let path = [
        [50.0, 12.0, 168.0, 24.0],
        [56.0, 6.0, 150.0, 30.0],
        [60.0, -14.0, 122.0, 29.0],
        [56.0, -34.0, 96.0, 26.0],
        [38.0, -46.0, 74.0, 22.0],
        [12.0, -48.0, 62.0, 18.0],
        [-12.0, -42.0, 66.0, 15.0],
        [-28.0, -34.0, 76.0, 11.0],
    ];
    sketch.tube(T::StomachWall, &path);
    sketch.tube(T::StomachContent, &path.map(|[x, y, z, r]| [x, y, z, (r - 6.0).max(3.0)]));
    sketch.ellipsoid(T::BowelGas, [58.0, -28.0, 122.0], [15.0, 9.0, 26.0]);
    sketch.hollow(
        T::BowelWall,
        T::BowelContent,
        &[
            [-28.0, -34.0, 76.0, 11.0],
            [-46.0, -16.0, 70.0, 12.0],
            [-46.0, 2.0, 44.0, 12.0],
            [-26.0, -2.0, 24.0, 11.0],
            [10.0, -10.0, 24.0, 10.0],
            [34.0, -16.0, 46.0, 10.0],
        ],
        3.5,
    );
}

fn pancreas(sketch: &mut Sketch) {
    sketch.tube(
        T::Pancreas,
        &[
            [-26.0, -6.0, 52.0, 11.0],
            [-26.0, -12.0, 68.0, 14.0],
            [-8.0, -20.0, 82.0, 9.0],
            [14.0, -20.0, 92.0, 10.0],
            [38.0, -2.0, 104.0, 10.0],
            [60.0, 20.0, 120.0, 9.0],
        ],
    );
    sketch.tube(
        T::Blood,
        &[[-6.0, -10.0, 78.0, 6.0], [-22.0, -8.0, 98.0, 7.0], [-38.0, -10.0, 118.0, 7.0]],
    );
    sketch.tube(
        T::Blood,
        &[[-6.0, -9.0, 80.0, 4.5], [30.0, 6.0, 104.0, 4.0], [62.0, 24.0, 128.0, 4.0]],
    );
}

fn liver(sketch: &mut Sketch, cavity: &Loft) {
    let inside = Shape::Loft(cavity.inset(2.0));
    let under_heart = Shape::ellipsoid(TENDON.0, TENDON.1.map(|r| r - 4.0));
    // The visceral surface faces down, left and backwards.
    let normal = DVec3::new(0.56, 0.28, -0.78);
    let visceral = Shape::HalfSpace { normal, offset: normal.dot(DVec3::new(-30.0, 2.0, 92.0)) };
    let right = Shape::ellipsoid(RIGHT_DOME.0, RIGHT_DOME.1.map(|r| r - 4.0));
    sketch.add(T::Liver, Shape::Common(vec![right, inside.clone(), visceral]));
    let left = Shape::turned([6.0, -44.0, 140.0], [66.0, 42.0, 27.0], turn(12.0, 10.0, -8.0));
    sketch.add(T::Liver, Shape::Common(vec![left, inside, under_heart]));
    sketch.tube(
        T::Blood,
        &[[-32.0, -10.0, 112.0, 6.0], [-58.0, -14.0, 122.0, 4.5], [-88.0, -10.0, 118.0, 3.0]],
    );
    sketch.tube(
        T::Blood,
        &[[-28.0, 4.0, 168.0, 5.0], [-58.0, -10.0, 158.0, 4.0], [-92.0, -24.0, 144.0, 2.5]],
    );
    sketch.ellipsoid(T::Gallbladder, [-52.0, -54.0, 66.0], [14.0, 18.0, 25.0]);
}

fn pelvic_organs(sketch: &mut Sketch, sex: Sex) {
    match sex {
        Sex::Female => sketch.ellipsoid(T::Uterus, [0.0, 22.0, -110.0], [22.0, 16.0, 26.0]),
        Sex::Male => sketch.ellipsoid(T::Prostate, [0.0, -8.0, -176.0], [22.0, 17.0, 17.0]),
        Sex::Other => {}
    }
    sketch.ellipsoid(T::Bladder, [0.0, -18.0, -136.0], [34.0, 24.0, 24.0]);
}
