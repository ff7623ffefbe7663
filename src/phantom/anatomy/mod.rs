//! The anatomy of the phantom: an adult of 1.70 m as smooth solids, scaled to a build.
//!
//! Body frame: LPS, millimetres; x = 0 is the median plane, z = 0 the fourth lumbar vertebra, y = 0 half way between
//! front and back of the trunk. Later parts lie over earlier ones.

mod abdomen;
mod envelope;
mod habitus;
mod head;
mod legs;
mod occasional;
mod skeleton;
mod thorax;

use glam::{DMat3, DVec3};

use super::paint::Part;
use super::shape::Shape;
use super::tissue::Tissue;
use crate::acquisition::Sex;

pub(crate) use habitus::Change;
pub use habitus::{Habitus, Lungs, Side};
pub(crate) use occasional::occasional;
pub(crate) use thorax::AORTA;

/// Deep in the right lobe of the liver.
pub(crate) const LIVER: [f64; 3] = [-88.0, -14.0, 130.0];
/// In the descending thoracic aorta.
pub(crate) const BLOOD: [f64; 3] = [28.0, 38.5, 270.0];
/// Deep in the spleen.
pub(crate) const SPLEEN: [f64; 3] = [92.0, 44.0, 148.0];
/// Middles of organs.
pub(crate) const LANDMARKS: [(&str, [f64; 3]); 10] = [
    ("bladder", [0.0, -18.0, -136.0]),
    ("brain", [0.0, 0.0, 604.0]),
    ("heart", [24.0, -38.0, 216.0]),
    ("kidney left", [62.0, 42.0, 88.0]),
    ("kidney right", [-62.0, 42.0, 76.0]),
    ("liver", LIVER),
    ("lung left", [75.0, 20.0, 280.0]),
    ("lung right", [-75.0, 20.0, 280.0]),
    ("spleen", SPLEEN),
    ("vertebra L4", [0.0, 34.0, 8.0]),
];

/// Where the arms are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arms {
    /// Raised beside the head, as for most whole-body scans.
    Up,
    /// Beside the trunk.
    Down,
}

/// The person to build.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Build {
    /// Decides breasts, width of hips and shoulders, prostate or uterus.
    pub sex: Sex,
    /// Height in metres.
    pub height_m: f64,
    /// Weight in kilograms; with the height it sets girth and fat.
    pub weight_kg: f64,
    /// Position of the arms.
    pub arms: Arms,
    /// Makes the irregular parts (bowel loops) those of one person.
    pub person: u64,
    /// Size and place of the organs.
    pub habitus: Habitus,
}

/// Height of the reference body, metres.
const REFERENCE_HEIGHT_M: f64 = 1.70;
/// Weight over height of the reference body, kilograms a metre.
const REFERENCE_GIRTH: f64 = 70.0 / 1.70;

impl Build {
    /// How much this person is wider, deeper and longer than the reference body.
    pub fn scale(&self) -> DVec3 {
        let girth = libm::pow(self.weight_kg / self.height_m / REFERENCE_GIRTH, 0.3);
        DVec3::new(girth, girth, self.height_m / REFERENCE_HEIGHT_M)
    }

    /// From the reference body to this person.
    pub(crate) fn stretch(&self) -> DMat3 {
        let side = if self.habitus.inverted { -1.0 } else { 1.0 };
        DMat3::from_diagonal(self.scale() * DVec3::new(side, 1.0, 1.0))
    }

    /// Thickness of the fat under the skin of the abdomen, in millimetres of the reference body.
    fn fat_mm(&self) -> f64 {
        let body_mass_index = self.weight_kg / (self.height_m * self.height_m);
        (6.0 + 1.5 * (body_mass_index - 20.0)).max(3.0)
    }
}

/// The parts of a body, in the order in which they are laid over each other.
pub(crate) fn body(build: &Build) -> Vec<Part> {
    let mut sketch = Sketch::default();
    let habitus = &build.habitus;
    envelope::add(&mut sketch, build);
    legs::add_soft(&mut sketch, build.fat_mm());
    let cavity = envelope::cavity();
    abdomen::add_cavity(&mut sketch, &cavity);
    thorax::add_lungs(&mut sketch, &cavity, habitus.lungs);
    abdomen::add_diaphragm(&mut sketch, &cavity, habitus);
    thorax::add_mediastinum(&mut sketch);
    abdomen::add_bowel(&mut sketch, build.person);
    skeleton::add(&mut sketch, build);
    legs::add_bones(&mut sketch);
    abdomen::add_organs(&mut sketch, &cavity, build);
    thorax::add_heart_and_vessels(&mut sketch, habitus);
    head::add(&mut sketch, habitus.head);
    sketch.parts
}

/// A body under construction.
#[derive(Default)]
pub(crate) struct Sketch {
    parts: Vec<Part>,
}

/// Points of a tube painted as one solid: small solids have small boxes.
const TUBE_PIECE: usize = 5;

impl Sketch {
    fn add(&mut self, tissue: Tissue, shape: Shape) {
        self.parts.push(Part { tissue, shape });
    }

    fn ellipsoid(&mut self, tissue: Tissue, centre: [f64; 3], radii: [f64; 3]) {
        self.add(tissue, Shape::ellipsoid(centre, radii));
    }

    /// What `draw` adds, changed in size and place.
    fn changed(&mut self, change: Change, draw: impl FnOnce(&mut Self)) {
        let mut other = Self::default();
        draw(&mut other);
        let changed = |part: Part| Part { shape: part.shape.changed(change), ..part };
        self.parts.extend(other.parts.into_iter().map(changed));
    }

    /// The same on both sides.
    fn pair(&mut self, tissue: Tissue, [x, y, z]: [f64; 3], radii: [f64; 3]) {
        self.ellipsoid(tissue, [x, y, z], radii);
        self.ellipsoid(tissue, [-x, y, z], radii);
    }

    /// A tube through knots `[x, y, z, radius]`.
    fn tube(&mut self, tissue: Tissue, knots: &[[f64; 4]]) {
        let points = super::shape::curve(knots);
        for start in (0..points.len() - 1).step_by(TUBE_PIECE) {
            let end = (start + TUBE_PIECE).min(points.len() - 1);
            self.add(tissue, Shape::Tube(points[start..=end].to_vec()));
        }
    }

    /// The same tube on both sides.
    fn tubes(&mut self, tissue: Tissue, knots: &[[f64; 4]]) {
        self.tube(tissue, knots);
        let mirrored: Vec<_> = knots.iter().map(|&[x, y, z, r]| [-x, y, z, r]).collect();
        self.tube(tissue, &mirrored);
    }

    /// A tube of one tissue around another: wall and content.
    fn hollow(&mut self, wall: Tissue, content: Tissue, knots: &[[f64; 4]], wall_mm: f64) {
        self.tube(wall, knots);
        let inner: Vec<_> = knots.iter().map(|&[x, y, z, r]| [x, y, z, r - wall_mm]).collect();
        self.tube(content, &inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(sex: Sex, arms: Arms) -> Build {
        Build { sex, height_m: 1.70, weight_kg: 70.0, arms, person: 1, habitus: Habitus::default() }
    }

    /// The tissue one sees at a place: the last part laid over it.
    fn tissue_at(parts: &[Part], place: [f64; 3]) -> Option<Tissue> {
        parts.iter().rev().find(|p| p.shape.distance(place.into()) < 0.0).map(|p| p.tissue)
    }

    #[test]
    fn organs_lie_where_they_belong() {
        use Tissue as T;
        let parts = body(&build(Sex::Female, Arms::Up));
        let rows = [
            ("right lobe of the liver", LIVER, Some(T::Liver)),
            ("left lobe, left of the midline", [20.0, -52.0, 142.0], Some(T::Liver)),
            ("spleen", SPLEEN, Some(T::Spleen)),
            ("descending aorta", BLOOD, Some(T::Blood)),
            ("arch of the aorta", [17.0, 8.0, 328.0], Some(T::Blood)),
            ("abdominal aorta", [6.0, 6.0, 75.0], Some(T::Blood)),
            ("inferior vena cava", [-22.0, 9.0, 90.0], Some(T::Blood)),
            ("right lung", [-80.0, -30.0, 310.0], Some(T::Lung)),
            ("left lung", [80.0, -30.0, 310.0], Some(T::Lung)),
            ("left lung above the left dome", [95.0, 30.0, 215.0], Some(T::Lung)),
            ("wall of the left ventricle", [67.0, -55.0, 192.0], Some(T::Myocardium)),
            ("marrow of L4", [10.0, 34.0, 8.0], Some(T::Marrow)),
            ("marrow of T8", [0.0, 60.0, 243.0], Some(T::Marrow)),
            ("spinal cord", [0.0, 83.0, 243.0], Some(T::SpinalCord)),
            ("bladder", [0.0, -18.0, -136.0], Some(T::Bladder)),
            ("left renal cortex", [80.0, 46.0, 88.0], Some(T::RenalCortex)),
            ("left renal pelvis", [54.0, 35.0, 88.0], Some(T::RenalPelvis)),
            ("brain", [0.0, -70.0, 604.0], Some(T::GreyMatter)),
            ("trachea", [-1.0, 6.0, 345.0], Some(T::Air)),
            ("thigh", [84.0, 40.0, -280.0], Some(T::Muscle)),
            ("above the shoulder, beside the neck", [90.0, 0.0, 460.0], None),
            ("in front of the belly", [0.0, -140.0, 0.0], None),
        ];
        for (name, place, expected) in rows {
            assert_eq!(tissue_at(&parts, place), expected, "{name}");
        }
        assert_eq!(tissue_at(&parts, LANDMARKS[0].1), Some(T::Bladder));
    }

    #[test]
    fn nothing_sticks_out_of_the_skin() {
        for (sex, arms) in [(Sex::Female, Arms::Up), (Sex::Male, Arms::Down)] {
            let parts = body(&build(sex, arms));
            let (skin, rest): (Vec<_>, Vec<_>) =
                parts.iter().partition(|p| p.tissue == Tissue::Skin);
            let mut outside = Vec::new();
            for part in rest {
                let (low, high) = part.shape.bounds();
                for n in 0..125 {
                    let step = [n % 5, n / 5 % 5, n / 25].map(|i| (f64::from(i) + 0.5) / 5.0);
                    let place = low + (high - low) * DVec3::from_array(step);
                    let inside = part.shape.distance(place) < 0.0;
                    let covered = skin.iter().any(|s| s.shape.distance(place) < 1.0);
                    if inside && !covered {
                        outside.push((part.tissue, place));
                    }
                }
            }
            assert!(outside.is_empty(), "{sex:?}, arms {arms:?}: {outside:.0?}");
        }
    }

    #[test]
    fn weight_goes_into_girth_and_height_into_length() {
        let slim = Build { weight_kg: 55.0, ..build(Sex::Male, Arms::Up) };
        let stout = Build { weight_kg: 110.0, ..slim };
        let tall = Build { height_m: 1.95, ..slim };
        assert!(stout.scale().x > slim.scale().x && stout.fat_mm() > slim.fat_mm());
        assert!(tall.scale().z > slim.scale().z && tall.scale().x < slim.scale().x);
    }
}
