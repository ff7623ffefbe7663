//! Diaphragm and the organs below it.

use glam::DVec3;

use super::{Build, Change, Habitus, Sketch};
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

/// A dome at its height, `inset` below its upper surface.
fn dome(dome: ([f64; 3], [f64; 3]), up_mm: f64, cavity: &Loft, inset: f64) -> Shape {
    Shape::Common(vec![roof(dome, up_mm, inset), Shape::Loft(cavity.inset(0.6 * inset))])
}

fn roof((centre, radii): ([f64; 3], [f64; 3]), up_mm: f64, inset: f64) -> Shape {
    Shape::ellipsoid(centre, radii.map(|r| r - inset)).changed(Change::up(up_mm))
}

pub(super) fn add_diaphragm(sketch: &mut Sketch, cavity: &Loft, habitus: &Habitus) {
    let domes = [
        (RIGHT_DOME, habitus.right_dome_mm),
        (LEFT_DOME, habitus.left_dome_mm),
        (TENDON, habitus.tendon_mm()),
    ];
    for (tissue, inset) in [(T::Diaphragm, 0.0), (T::Fat, 3.5)] {
        for (shape, up_mm) in domes {
            sketch.add(tissue, dome(shape, up_mm, cavity, inset));
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

pub(super) fn add_organs(sketch: &mut Sketch, cavity: &Loft, build: &Build) {
    let habitus = &build.habitus;
    kidneys(sketch, habitus);
    spleen(sketch, cavity, habitus);
    let hangs = Change::new([50.0, 0.0, 130.0], habitus.stomach, 0.8 * habitus.left_dome_mm);
    sketch.changed(hangs, stomach);
    duodenum(sketch);
    // The pancreas lies behind the peritoneum and moves little.
    sketch.changed(Change::up(0.3 * habitus.tendon_mm()), pancreas);
    liver(sketch, cavity, habitus);
    before_the_liver(sketch, habitus);
    pelvic_organs(sketch, build.sex);
}

/// Size and height of a kidney: it follows its dome a little.
fn kidney_change(side: f64, z: f64, habitus: &Habitus) -> Change {
    let left = side > 0.0;
    let dome = if left { habitus.left_dome_mm } else { habitus.right_dome_mm };
    let up_mm = habitus.kidney_mm[usize::from(left)] + 0.3 * dome;
    Change::new([side * 62.0, 42.0, z], habitus.kidneys, up_mm)
}

fn kidneys(sketch: &mut Sketch, habitus: &Habitus) {
    for (side, z) in [(1.0, 88.0), (-1.0, 76.0)] {
        let tilt = turn(-10.0, side * 10.0, side * 25.0);
        sketch.changed(kidney_change(side, z, habitus), |sketch| {
            sketch.add(T::RenalCortex, kidney(side, z, 0.0));
            sketch.add(T::Fat, Shape::turned([side * 51.0, 34.0, z], [11.0, 10.0, 24.0], tilt));
            let pelvis = Shape::turned([side * 54.0, 35.0, z], [8.0, 7.0, 15.0], tilt);
            sketch.add(T::RenalPelvis, pelvis);
        });
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

fn spleen(sketch: &mut Sketch, cavity: &Loft, habitus: &Habitus) {
    // A large spleen grows down and forwards, under its dome.
    let change = Change::new([96.0, 60.0, 180.0], habitus.spleen, habitus.left_dome_mm);
    let body = Shape::turned([88.0, 40.0, 146.0], [36.0, 52.0, 52.0], turn(20.0, 12.0, 25.0));
    let space = dome(LEFT_DOME, habitus.left_dome_mm, cavity, 4.0);
    let hilum = Shape::ellipsoid([52.0, 22.0, 140.0], [26.0, 30.0, 34.0]);
    let inside = Shape::Common(vec![body.changed(change), space]);
    let around = Shape::Without(Box::new(inside), Box::new(hilum.changed(change)));
    // Fat keeps it from the kidney.
    let kidney = kidney(1.0, 88.0, 9.0).changed(kidney_change(1.0, 88.0, habitus));
    sketch.add(T::Spleen, Shape::Without(Box::new(around), Box::new(kidney)));
}

/// What seldom lies between the liver and the front of the belly.
fn before_the_liver(sketch: &mut Sketch, habitus: &Habitus) {
    if habitus.stomach_over_liver {
        // A full stomach that falls to the right in front of both lobes.
        let path = [
            [52.0, -10.0, 150.0, 30.0],
            [30.0, -46.0, 140.0, 30.0],
            [-10.0, -60.0, 128.0, 27.0],
            [-46.0, -64.0, 114.0, 24.0],
            [-62.0, -52.0, 88.0, 17.0],
        ];
        sketch.changed(Change::up(habitus.tendon_mm()), |sketch| {
            sketch.hollow(T::StomachWall, T::StomachContent, &path, 6.0);
        });
    }
    if habitus.bowel_over_liver {
        let path = [
            [-92.0, -44.0, 60.0, 19.0],
            [-88.0, -62.0, 120.0, 20.0],
            [-70.0, -58.0, 172.0, 20.0],
            [-30.0, -66.0, 166.0, 19.0],
            [0.0, -66.0, 90.0, 18.0],
        ];
        sketch.changed(Change::up(habitus.right_dome_mm), |sketch| {
            sketch.hollow(T::BowelWall, T::BowelContent, &path, 3.5);
            sketch.ellipsoid(T::BowelGas, [-74.0, -66.0, 160.0], [13.0, 9.0, 18.0]);
        });
    }
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
}

fn duodenum(sketch: &mut Sketch) {
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

fn liver(sketch: &mut Sketch, cavity: &Loft, habitus: &Habitus) {
    let inside = Shape::Loft(cavity.inset(2.0));
    let under_heart = roof(TENDON, habitus.tendon_mm(), 4.0);
    // It hangs from the dome, so that it grows and shrinks at its lower edge.
    let hangs = Change::new([-64.0, -18.0, 206.0], habitus.liver, habitus.right_dome_mm);
    let left_change = Change::new([-34.0, -40.0, 150.0], habitus.left_lobe, habitus.tendon_mm());
    // The visceral surface faces down, left and backwards.
    let normal = DVec3::new(0.56, 0.28, -0.78);
    let visceral = Shape::HalfSpace { normal, offset: normal.dot(DVec3::new(-30.0, 2.0, 92.0)) };
    let right = roof(RIGHT_DOME, 0.0, 4.0).changed(hangs);
    let dome = roof(RIGHT_DOME, habitus.right_dome_mm, 4.0);
    let right = Shape::Common(vec![right, inside.clone(), visceral.changed(hangs), dome]);
    sketch.add(T::Liver, right);
    let left = Shape::turned([6.0, -44.0, 140.0], [66.0, 42.0, 27.0], turn(12.0, 10.0, -8.0));
    let left = left.changed(left_change);
    sketch.add(T::Liver, Shape::Common(vec![left, inside, under_heart]));
    sketch.changed(hangs, vessels_of_the_liver);
}

fn vessels_of_the_liver(sketch: &mut Sketch) {
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
