//! The mean uptake of the body in view: a check of the scale of SUV on the image itself.
//!
//! A tracer spread evenly over the body, none excreted, has SUVbw 1 everywhere, whatever the tracer, so the mean over a body
//! is near 1 and a little below it for what has left with urine. A dose in another unit, a decay clock that is an hour off
//! or another patient's weight moves it as a whole, and no header tells. The body is found by its contrast with air alone:
//! a threshold in SUV would rest on the scale that is tested.
//!
//! Source: conservation of the tracer: SUV is the uptake over what an even spread would give, so its mean over the body is 1,
//! less what leaves it by excretion.

use thiserror::Error;

use super::body::main_body;
use super::median;
use crate::diagnostic::Warning;
use crate::resample::{gaussian_smooth, reduce};
use crate::volume::{Mask, Volume};

/// Mean SUVbw of a body: 1 by physics, less by excretion, more where the view leaves out limbs and takes in brain or bladder.
const USUAL: std::ops::RangeInclusive<f64> = 0.5..=1.3;
/// Large organs and skin are all the mask must know, millimetres.
const LATTICE_MM: f64 = 8.0;
/// Standard deviation that evens the noise of one block, millimetres.
const SMOOTHING_MM: f64 = 6.0;
/// Body against air, as a share of the body's own median: lung has about half of the median, air a tenth.
const SKIN_OF_MEDIAN: f32 = 0.25;
/// The share and the median settle within few rounds; each round lowers or keeps the threshold.
const ROUNDS: usize = 30;
/// Less of a body than its trunk, and one hot organ makes the mean: a head, a leg, a child, a phantom.
const LEAST_LITRES: f64 = 15.0;
/// A body that reaches more of the lateral faces of the volume is cut off by them: a crop, not a body in air.
const MOST_CUT: f64 = 0.1;

/// The mean uptake of a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BodyMean {
    /// Mean SUVbw.
    pub suv_bw: f64,
    /// Volume of the body in view, litres.
    pub litres: f64,
}

/// Why the mean uptake of the body says nothing of the scale.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum NoBodyMean {
    /// There is no uptake at all.
    #[error("the image holds no uptake")]
    NoUptake,
    /// A small part of a body, a child or a phantom.
    #[error(
        "{litres:.1} litres with uptake are in view, and the mean of less than {LEAST_LITRES} says nothing"
    )]
    Small {
        /// Volume with uptake.
        litres: f64,
    },
    /// The volume ends inside the body.
    #[error(
        "{percent:.0} % of the sides of the volume lie inside the body, which is not whole in view"
    )]
    Cut {
        /// Share of the lateral faces.
        percent: f64,
    },
}

/// The mean SUVbw inside the body, from the PET alone; `bw_per_value` turns its values into SUVbw.
///
/// # Errors
/// Less than a trunk is in view, or the volume has no air around the body.
pub fn body_mean(pet: &Volume<f32>, bw_per_value: f64) -> Result<BodyMean, NoBodyMean> {
    let reduced = reduce(pet, LATTICE_MM).map(|v| if v.is_finite() { *v } else { 0.0 });
    let smooth = gaussian_smooth(&reduced, [SMOOTHING_MM; 3]);
    let skin = skin(smooth.values()).ok_or(NoBodyMean::NoUptake)?;
    let body = main_body(&smooth.map(|&v| v > skin)).ok_or(NoBodyMean::NoUptake)?;
    let values = || reduced.values().iter().zip(body.values()).filter(|(_, body)| **body);
    let voxels = values().count() as f64;
    let litres = voxels * body.geometry().voxel_ml() / 1000.0;
    if litres < LEAST_LITRES {
        return Err(NoBodyMean::Small { litres });
    }
    let cut = cut_share(&body);
    if cut > MOST_CUT {
        return Err(NoBodyMean::Cut { percent: 100.0 * cut });
    }
    let sum: f64 = values().map(|(&value, _)| f64::from(value)).sum();
    Ok(BodyMean { suv_bw: sum / voxels * bw_per_value, litres })
}

impl BodyMean {
    /// A warning where the mean is none of a body.
    pub fn warning(self) -> Option<Warning> {
        let Self { suv_bw, litres } = self;
        let message = format!(
            "the mean SUVbw of the {litres:.0} litres of body in view is {suv_bw:.2}; tracer spread evenly gives 1, and 0.5 to \
             1.3 is usual: check the unit of the dose, the clock of the decay, and the weight"
        );
        (!USUAL.contains(&suv_bw)).then(|| Warning::new("BODY_MEAN_UNUSUAL", message))
    }
}

/// The value of the skin: a share of the median of what lies above it.
///
/// It starts among the hot voxels and falls until share and median agree, so it stops above the noise of air.
fn skin(values: &[f32]) -> Option<f32> {
    let mut skin = values.iter().sum::<f32>() / values.len() as f32;
    for _ in 0..ROUNDS {
        let next = SKIN_OF_MEDIAN * median(values.iter().copied().filter(|&v| v > skin))?;
        if next >= skin {
            break;
        }
        skin = next;
    }
    (skin > 0.0).then_some(skin)
}

/// Share of the sides of the volume that lie inside the body; its ends towards head and feet are no sides.
fn cut_share(body: &Mask) -> f64 {
    let geometry = body.geometry();
    let shape = geometry.shape();
    let upright = geometry.steps_mm().map(|step| (step.z / step.length()).abs());
    let long = (0..3).max_by(|&a, &b| upright[a].total_cmp(&upright[b])).unwrap_or(0);
    let (mut inside, mut all) = (0_usize, 0_usize);
    for (offset, &body_here) in body.values().iter().enumerate() {
        let voxel = body.voxel_of(offset);
        let side = |axis: usize| voxel[axis] == 0 || voxel[axis] + 1 == shape[axis];
        if (0..3).any(|axis| axis != long && side(axis)) {
            all += 1;
            inside += usize::from(body_here);
        }
    }
    inside as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::VolumeGeometry;
    use crate::phantom::{Scanner, body};
    use glam::DVec3;

    /// A block of tracer of a value in air, `body` voxels of 10 mm wide and deep in 40, and 60 high.
    fn block(body: usize, value: f32) -> Volume<f32> {
        let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 10.0);
        let geometry = VolumeGeometry::new([60, 40, 40], DVec3::ZERO, steps).unwrap();
        let mut volume = Volume::filled(geometry, 0.01 * value);
        let inside = (40 - body) / 2..(40 - body) / 2 + body;
        for offset in 0..volume.values().len() {
            let [_, row, column] = volume.voxel_of(offset);
            if inside.contains(&row) && inside.contains(&column) {
                volume.values_mut()[offset] = value;
            }
        }
        volume
    }

    fn code(volume: &Volume<f32>, bw_per_value: f64) -> Option<&'static str> {
        body_mean(volume, bw_per_value).unwrap().warning().map(|warning| warning.code)
    }

    /// Tracer spread evenly: the mean is that of the tracer, in any unit; the skin loses a little to the smoothing.
    #[test]
    fn an_even_body_has_its_own_mean() {
        for scale in [1e-6_f32, 1.0, 1e6] {
            let found = body_mean(&block(20, scale), 1.0 / f64::from(scale)).unwrap();
            assert!((0.9..=1.0).contains(&found.suv_bw), "{found:?}");
            assert!((found.litres / 24.0 - 1.0).abs() < 0.15, "{found:?}");
            assert_eq!(found.warning(), None);
        }
    }

    #[test]
    fn a_wrong_scale_is_told_and_the_usual_one_is_not() {
        let right = block(20, 5000.0);
        assert_eq!(code(&right, 1.0 / 5000.0), None);
        // Minutes of clock are within the range of bodies; millicuries for megabecquerels, pounds for kilograms are not.
        for wrong in [1.0 / 37.0, 1.0 / 2.2, 2.2, 37.0, 1e6] {
            assert_eq!(code(&right, wrong / 5000.0), Some("BODY_MEAN_UNUSUAL"), "{wrong}");
        }
    }

    #[test]
    fn parts_of_a_body_say_nothing() {
        let small = body_mean(&block(10, 40.0), 1.0);
        assert!(matches!(small, Err(NoBodyMean::Small { litres }) if litres < 10.0), "{small:?}");
        assert_eq!(body_mean(&block(40, 40.0), 1.0), Err(NoBodyMean::Cut { percent: 100.0 }));
        assert_eq!(body_mean(&block(40, 0.0), 1.0), Err(NoBodyMean::NoUptake));
        assert_eq!(body_mean(&block(40, f32::NAN), 1.0), Err(NoBodyMean::NoUptake));
    }

    /// A hot bladder, brain and lesions neither hide the body nor move its mean out of the range.
    #[test]
    fn the_phantom_is_a_body() {
        let phantom = body(&Scanner::coarse());
        let found = body_mean(&phantom.pet, phantom.truth.suv_per_bqml).unwrap();
        assert_eq!(found.warning(), None, "{found:?}");
        assert!(found.litres > 30.0, "{found:?}");
        for wrong in [1.0 / 2.5, 2.5] {
            let found = body_mean(&phantom.pet, wrong * phantom.truth.suv_per_bqml).unwrap();
            assert!(found.warning().is_some(), "{found:?}");
        }
    }
}
