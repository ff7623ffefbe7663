//! Skull, brain and the soft parts of face and neck.

use super::{Change, Sketch};
use crate::phantom::shape::Shape;
use crate::phantom::tissue::Tissue as T;

/// Where the head grows from in children.
const NAPE: [f64; 3] = [0.0, 10.0, 470.0];

pub(super) fn change(size: f64) -> Change {
    Change::new(NAPE, size, 0.0)
}

pub(super) fn add(sketch: &mut Sketch, size: f64) {
    sketch.changed(change(size), |sketch| {
        sketch.ellipsoid(T::CorticalBone, [0.0, 0.0, 594.0], [73.0, 92.0, 81.0]);
        sketch.ellipsoid(T::CerebrospinalFluid, [0.0, 0.0, 594.0], [67.0, 86.0, 75.0]);
        brain(sketch);
        face(sketch);
    });
    neck(sketch);
}

fn brain(sketch: &mut Sketch) {
    sketch.ellipsoid(T::GreyMatter, [0.0, 0.0, 604.0], [64.0, 83.0, 62.0]);
    sketch.pair(T::GreyMatter, [36.0, -18.0, 560.0], [22.0, 38.0, 22.0]);
    sketch.pair(T::WhiteMatter, [31.0, 0.0, 604.0], [19.0, 64.0, 42.0]);
    // The longitudinal fissure above the corpus callosum.
    sketch.ellipsoid(T::CerebrospinalFluid, [0.0, 0.0, 640.0], [2.0, 82.0, 28.0]);
    sketch.ellipsoid(T::WhiteMatter, [0.0, 0.0, 600.0], [24.0, 40.0, 14.0]);
    sketch.pair(T::GreyMatter, [19.0, -12.0, 596.0], [8.0, 22.0, 14.0]);
    sketch.pair(T::GreyMatter, [10.0, 12.0, 592.0], [8.0, 13.0, 9.0]);
    sketch.pair(T::CerebrospinalFluid, [8.0, 0.0, 612.0], [5.0, 34.0, 8.0]);
    sketch.pair(T::GreyMatter, [20.0, 44.0, 546.0], [25.0, 27.0, 20.0]);
    sketch.tube(
        T::WhiteMatter,
        &[[0.0, 12.0, 585.0, 13.0], [0.0, 20.0, 545.0, 12.0], [0.0, 26.0, 510.0, 7.0]],
    );
}

fn face(sketch: &mut Sketch) {
    sketch.add(T::CorticalBone, Shape::block([0.0, -14.0, 517.0], [40.0, 44.0, 5.0], 0.5));
    sketch.add(T::CorticalBone, Shape::block([0.0, -66.0, 518.0], [32.0, 24.0, 24.0], 0.4));
    sketch.pair(T::Air, [19.0, -64.0, 530.0], [11.0, 14.0, 12.0]);
    sketch.ellipsoid(T::Air, [0.0, -62.0, 528.0], [7.0, 28.0, 16.0]);
    sketch.ellipsoid(T::Muscle, [0.0, -52.0, 488.0], [25.0, 30.0, 18.0]);
    sketch.pair(T::CerebrospinalFluid, [31.0, -70.0, 560.0], [12.0; 3]);
    sketch.tubes(
        T::CorticalBone,
        &[
            [47.0, -8.0, 520.0, 6.0],
            [45.0, -22.0, 484.0, 7.0],
            [30.0, -62.0, 470.0, 7.0],
            [0.0, -84.0, 467.0, 7.0],
        ],
    );
    sketch.pair(T::SalivaryGland, [49.0, -8.0, 500.0], [8.0, 15.0, 20.0]);
    sketch.pair(T::SalivaryGland, [27.0, -42.0, 462.0], [9.0, 12.0, 9.0]);
    sketch.pair(T::Pharynx, [17.0, -22.0, 492.0], [6.0, 8.0, 11.0]);
}

fn neck(sketch: &mut Sketch) {
    sketch.tube(
        T::Pharynx,
        &[[0.0, -20.0, 512.0, 12.0], [0.0, -16.0, 470.0, 11.0], [0.0, -14.0, 440.0, 11.0]],
    );
    sketch.tube(
        T::Air,
        &[
            [0.0, -22.0, 518.0, 9.0],
            [0.0, -18.0, 470.0, 7.0],
            [0.0, -20.0, 440.0, 7.0],
            [0.0, -12.0, 400.0, 8.0],
        ],
    );
    sketch.pair(T::Thyroid, [16.0, -18.0, 412.0], [8.0, 9.0, 20.0]);
    sketch.tubes(
        T::Blood,
        &[[16.0, -8.0, 370.0, 4.0], [24.0, -8.0, 420.0, 4.0], [27.0, -8.0, 480.0, 4.0]],
    );
    sketch.tubes(
        T::Blood,
        &[[28.0, -20.0, 375.0, 5.0], [33.0, -10.0, 420.0, 5.0], [36.0, 0.0, 490.0, 5.0]],
    );
}
