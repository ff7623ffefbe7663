//! Radioactive decay: λ = ln 2 / T½, and what decays inside one frame.
//!
//! Times in seconds. Source: DICOM PS3.3 C.8.9.4.1.5 (average count time of a frame), C.8.9.1.1.5 (decay correction).

use std::f64::consts::LN_2;

/// The decay of one nuclide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    half_life_secs: f64,
}

impl Decay {
    /// Decay with a half-life in seconds; `None` unless it is a positive, finite number.
    pub fn new(half_life_secs: f64) -> Option<Self> {
        (half_life_secs.is_finite() && half_life_secs > 0.0).then_some(Self { half_life_secs })
    }

    /// The half-life in seconds.
    pub fn half_life_secs(self) -> f64 {
        self.half_life_secs
    }

    /// λ, per second.
    pub fn constant(self) -> f64 {
        LN_2 / self.half_life_secs
    }

    /// What an activity of 1 grows to when it is traced back by `secs`: exp(λ·secs). The inverse is `growth(-secs)`.
    pub fn growth(self, secs: f64) -> f64 {
        (secs / self.half_life_secs).exp2()
    }

    /// The correction for the decay inside a frame that starts at the time corrected to: λT / (1 − exp(−λT)).
    pub fn in_frame(self, frame_secs: f64) -> f64 {
        let x = self.constant() * frame_secs;
        if x > 0.0 { x / -(-x).exp_m1() } else { 1.0 }
    }

    /// Seconds from the start of a frame to the moment at which the activity equals its mean over the frame:
    /// (1/λ)·ln(λT / (1 − exp(−λT))).
    pub fn average_count_time(self, frame_secs: f64) -> f64 {
        let x = self.constant() * frame_secs;
        if x < 1e-4 {
            // The series of the formula; the logarithm of a number so close to 1 has no digits left.
            return frame_secs / 2.0 * (1.0 - x / 12.0);
        }
        self.in_frame(frame_secs).ln() / self.constant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn fluorine() -> Decay {
        Decay::new(6586.2).unwrap()
    }

    #[test]
    fn decay_of_one_hour() {
        assert_relative_eq!(fluorine().constant(), 1.052_423_5e-4, max_relative = 1e-7);
        assert_relative_eq!(fluorine().growth(-3600.0), 0.684_633, max_relative = 1e-6);
        assert_relative_eq!(370.0 * fluorine().growth(-3600.0), 253.314, max_relative = 1e-6);
        let suv = 5000.0 * 70_000.0 / (370e6 * fluorine().growth(-3600.0));
        assert_relative_eq!(suv, 1.381_683, max_relative = 1e-6);
    }

    #[test]
    fn average_count_time_by_frame_length() {
        for (frame, expected) in [
            (120.0, 59.936_855),
            (180.0, 89.857_923),
            (300.0, 149.605_344),
            (603.0, 299.905_592),
            (1800.0, 885.796_529),
        ] {
            assert_relative_eq!(
                fluorine().average_count_time(frame),
                expected,
                max_relative = 1e-8
            );
        }
    }

    #[test]
    fn decay_inside_a_frame() {
        assert_relative_eq!(fluorine().in_frame(300.0), 1.015_869, max_relative = 1e-6);
        assert_relative_eq!(fluorine().in_frame(603.0), 1.032_066, max_relative = 1e-6);
        assert_relative_eq!(fluorine().in_frame(0.0), 1.0);
    }

    /// The two branches of the average count time meet without a step.
    #[test]
    fn short_and_long_frames_agree() {
        let secs = 1e-4 / fluorine().constant();
        let (below, above) = (0.999_999 * secs, 1.000_001 * secs);
        let slope = (fluorine().average_count_time(above) - fluorine().average_count_time(below))
            / (above - below);
        assert_relative_eq!(slope, 0.5, max_relative = 1e-3);
    }

    /// The factor of 1.46, and its smaller sisters: what a wrong reference time does to SUV.
    #[test]
    fn size_of_mistakes() {
        for (minutes, factor) in [
            (60.0, 1.4606),
            (70.0, 1.5557),
            (90.0, 1.7653),
            (20.0, 1.1346),
            (5.0, 1.0321),
            (2.0, 1.0127),
        ] {
            assert_relative_eq!(fluorine().growth(minutes * 60.0), factor, max_relative = 1e-4);
        }
        let other = Decay::new(6588.0).unwrap();
        assert_relative_eq!(other.growth(3600.0), fluorine().growth(3600.0), max_relative = 1.1e-4);
    }

    #[test]
    fn no_decay_without_a_half_life() {
        for secs in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Decay::new(secs), None);
        }
    }
}
