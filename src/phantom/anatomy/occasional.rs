//! Tissues that take up tracer in some people on some days only.

use super::{Arms, Build, Sketch};
use crate::phantom::paint::Part;
use crate::phantom::tissue::{Tissue as T, Uptake};

/// The parts that this uptake shows, to be laid over the body.
pub(crate) fn occasional(build: &Build, uptake: &Uptake) -> Vec<Part> {
    let mut sketch = Sketch::default();
    if uptake.brown_fat > 0.0 {
        brown_fat(&mut sketch);
    }
    if uptake.vocal_muscle > 0.0 {
        sketch.pair(T::VocalMuscle, [6.0, -27.0, 432.0], [4.0, 9.0, 6.0]);
        sketch.pair(T::VocalMuscle, [6.0, -13.0, 430.0], [6.0, 4.0, 5.0]);
    }
    if uptake.injected_vein > 0.0 {
        // The vein in front of the left elbow.
        let vein = match build.arms {
            Arms::Up => [[184.0, -38.0, 610.0, 3.0], [178.0, -44.0, 660.0, 3.5]],
            Arms::Down => [[212.0, -8.0, 80.0, 3.0], [208.0, -10.0, 30.0, 3.5]],
        };
        sketch.tube(T::InjectedVein, &vein);
    }
    sketch.parts
}

/// Neck, above the collar bones, beside the spine and above the kidneys (Cohade et al., J Nucl Med 2003;44:170).
fn brown_fat(sketch: &mut Sketch) {
    sketch.tubes(
        T::BrownFat,
        &[
            [42.0, 6.0, 430.0, 7.0],
            [56.0, 4.0, 404.0, 9.0],
            [84.0, 2.0, 390.0, 9.0],
            [112.0, 0.0, 378.0, 8.0],
        ],
    );
    for z in [372.0, 333.0, 312.0, 290.0, 267.0, 243.0, 218.0] {
        sketch.pair(T::BrownFat, [25.0, 66.0, z], [5.0, 6.0, 5.0]);
    }
    sketch.pair(T::BrownFat, [52.0, 48.0, 150.0], [7.0, 7.0, 9.0]);
}
