//! Where lymphoma sits, and lesions drawn there.

use glam::DVec3;

use super::Kind;
use super::dice::Dice;
use crate::phantom::map::TissueMap;
use crate::phantom::planted::Planted;
use crate::phantom::tissue::Tissue as T;
use crate::phantom::{Tissue, Visit};

/// A place for lesions: middle and reach of the place in the reference body, the largest lesion in millilitres, whether
/// it moves with the diaphragm.
pub(super) struct Place {
    pub(super) site: &'static str,
    middle: [f64; 3],
    reach: [f64; 3],
    pub(super) largest_ml: f64,
    pub(super) breathes: bool,
}

const fn place(
    site: &'static str,
    middle: [f64; 3],
    reach: [f64; 3],
    largest_ml: f64,
    breathes: bool,
) -> Place {
    Place { site, middle, reach, largest_ml, breathes }
}

/// Nodal stations of the Ann Arbor scheme and the usual extranodal sites.
pub(super) const PLACES: [Place; 31] = [
    place("cervical node, right, level II", [-36.0, -8.0, 474.0], [4.0, 6.0, 10.0], 12.0, false),
    place("cervical node, left, level III", [36.0, -8.0, 446.0], [4.0, 6.0, 8.0], 12.0, false),
    place("supraclavicular node, left", [58.0, -22.0, 392.0], [10.0, 6.0, 5.0], 15.0, false),
    place("supraclavicular node, right", [-58.0, -22.0, 392.0], [10.0, 6.0, 5.0], 15.0, false),
    place("axillary node, left", [130.0, -14.0, 350.0], [6.0, 8.0, 12.0], 40.0, false),
    place("axillary node, right", [-130.0, -14.0, 350.0], [6.0, 8.0, 12.0], 40.0, false),
    place("paratracheal node, right", [-20.0, -2.0, 328.0], [5.0, 6.0, 14.0], 40.0, false),
    place("prevascular node", [6.0, -52.0, 316.0], [14.0, 6.0, 14.0], 60.0, false),
    place("subcarinal node", [-2.0, 26.0, 276.0], [6.0, 4.0, 6.0], 25.0, false),
    place("hilar node, right", [-46.0, 14.0, 276.0], [6.0, 6.0, 10.0], 20.0, false),
    place("hilar node, left", [48.0, 14.0, 276.0], [6.0, 6.0, 10.0], 20.0, false),
    place("internal mammary node, left", [30.0, -80.0, 270.0], [4.0, 4.0, 30.0], 6.0, false),
    place("lung, right", [-80.0, 0.0, 310.0], [18.0, 40.0, 40.0], 30.0, false),
    place("lung, left", [80.0, 0.0, 310.0], [18.0, 40.0, 40.0], 30.0, false),
    place("right lobe of the liver", [-76.0, -16.0, 135.0], [36.0, 40.0, 34.0], 40.0, true),
    place("left lobe of the liver", [6.0, -52.0, 142.0], [22.0, 10.0, 8.0], 15.0, true),
    place("spleen", [92.0, 44.0, 150.0], [10.0, 14.0, 16.0], 30.0, true),
    place("wall of the stomach", [84.0, -24.0, 112.0], [4.0, 8.0, 12.0], 30.0, true),
    place("hilum of the liver", [-34.0, -14.0, 100.0], [5.0, 5.0, 5.0], 15.0, true),
    place("mesenteric node", [0.0, -40.0, 20.0], [24.0, 12.0, 24.0], 60.0, false),
    place("para-aortic node, left", [26.0, 8.0, 60.0], [4.0, 6.0, 30.0], 40.0, false),
    place("aortocaval node", [-5.0, 2.0, 50.0], [2.0, 4.0, 24.0], 20.0, false),
    place("common iliac node, left", [40.0, 18.0, -50.0], [5.0, 5.0, 12.0], 30.0, false),
    place("external iliac node, right", [-64.0, -16.0, -100.0], [5.0, 6.0, 12.0], 30.0, false),
    place("inguinal node, right", [-76.0, -54.0, -160.0], [8.0, 5.0, 12.0], 20.0, false),
    place("inguinal node, left", [76.0, -54.0, -160.0], [8.0, 5.0, 12.0], 20.0, false),
    place("body of the third lumbar vertebra", [2.0, 31.0, 42.0], [8.0, 6.0, 4.0], 15.0, false),
    place("body of the eighth thoracic vertebra", [0.0, 60.0, 243.0], [6.0, 5.0, 3.0], 10.0, false),
    place("left iliac bone", [88.0, 16.0, -46.0], [3.0, 20.0, 16.0], 20.0, false),
    place("neck of the right femur", [-116.0, 4.0, -142.0], [5.0, 4.0, 8.0], 15.0, false),
    place("left adrenal", [40.0, 28.0, 128.0], [3.0, 4.0, 4.0], 12.0, true),
];

/// Lesions of 1 to 60 mL with an uptake of 2 to 10 times the liver's.
pub(super) fn draw(seed: u64, kind: Kind, visit: &Visit) -> Vec<Planted> {
    let mut dice = Dice::new(seed, "lesions");
    let mut field = Field::new(visit);
    match kind {
        Kind::LiverLesions => {
            let number = 2 + dice.below(5);
            for place in PLACES.iter().filter(|p| p.site == "right lobe of the liver") {
                (0..number).for_each(|_| field.plant(place, &mut dice, Some(T::Liver)));
            }
        }
        Kind::BulkyMediastinum => {
            for place in PLACES.iter().filter(|p| {
                ["prevascular node", "paratracheal node, right", "subcarinal node"]
                    .contains(&p.site)
            }) {
                field.plant(place, &mut dice, None);
            }
            field.bulk(&mut dice);
        }
        _ => {}
    }
    let share = dice.between(0.0, 1.0);
    let number = (13.0 * share * share.sqrt()) as usize;
    let mut free: Vec<&Place> = PLACES.iter().collect();
    for _ in 0..number {
        let place = free.remove(dice.below(free.len()));
        field.plant(place, &mut dice, None);
    }
    field.planted
}

/// A body with what has been planted in it.
pub(super) struct Field<'a> {
    visit: &'a Visit,
    map: TissueMap,
    /// A child's nodes are as large as an adult's for its size.
    room: f64,
    pub(super) planted: Vec<Planted>,
}

impl<'a> Field<'a> {
    pub(super) fn new(visit: &'a Visit) -> Self {
        let room = visit.build.scale().element_product().min(1.0);
        Self { visit, map: TissueMap::new(visit), room, planted: Vec::new() }
    }

    /// The largest lesion of a place in a person of this size, millilitres.
    pub(super) fn largest_ml(&self, place: &Place) -> f64 {
        (place.largest_ml * self.room).max(1.5)
    }

    /// Size of the person.
    pub(super) fn scale(&self) -> DVec3 {
        self.visit.build.scale()
    }

    /// Somewhere in a place, in the reference body.
    pub(super) fn somewhere(&self, place: &Place, dice: &mut Dice) -> DVec3 {
        let off = DVec3::from_array(place.reach.map(|r| dice.between(-r, r)));
        let habitus = &self.visit.build.habitus;
        let up = match place.breathes {
            true if place.middle[0] < 30.0 => habitus.right_dome_mm,
            true => 0.8 * habitus.left_dome_mm,
            false => 0.0,
        };
        DVec3::from_array(place.middle) + off + up * DVec3::Z
    }

    /// Plants a lesion where there is room for it; there may be none.
    fn plant(&mut self, place: &Place, dice: &mut Dice, only: Option<Tissue>) {
        let volume_ml = dice.by_factor(1.05, self.largest_ml(place));
        let contrast = dice.by_factor(2.0, 10.0);
        for _ in 0..12 {
            let centre = self.somewhere(place, dice);
            if self.fits(centre, volume_ml, only) {
                self.add(place.site, centre, volume_ml, contrast, place.breathes);
                return;
            }
        }
    }

    /// One large mass in front of the aorta.
    fn bulk(&mut self, dice: &mut Dice) {
        let centre = DVec3::new(dice.between(-10.0, 30.0), -30.0, dice.between(285.0, 320.0));
        let volume_ml = dice.between(40.0, 60.0);
        let contrast = dice.by_factor(2.0, 8.0);
        self.add("mediastinal mass", centre, volume_ml, contrast, false);
    }

    fn add(&mut self, site: &str, centre: DVec3, volume_ml: f64, contrast: f64, breathes: bool) {
        let name = format!("lesion {} of seed {}", self.planted.len() + 1, self.visit.seed);
        let suv = contrast * self.visit.uptake.liver;
        let site = site.to_owned();
        self.planted.push(Planted { name, site, centre, volume_ml, suv, contrast, breathes });
    }

    /// Within the scanned range, in a tissue in which lesions grow, and apart from the other lesions.
    pub(super) fn fits(&self, centre: DVec3, volume_ml: f64, only: Option<Tissue>) -> bool {
        let radius = |ml: f64| libm::cbrt(ml * 240.0);
        let scale = self.visit.build.scale();
        let range = self.visit.scanner.range_mm;
        let margin = (radius(volume_ml) + 15.0) / scale.z;
        let within = centre.z > range.0 + margin && centre.z < range.1 - margin;
        let apart = self.planted.iter().all(|other| {
            let gap = ((other.centre - centre) * scale).length();
            gap > 1.5 * (radius(volume_ml) + radius(other.volume_ml)) + 10.0
        });
        let tissue = self.map.tissue_in_body(centre);
        let grows = match only {
            Some(tissue_only) => tissue == Some(tissue_only),
            None => tissue.is_some_and(grows_in),
        };
        within && apart && grows
    }
}

/// Not in air, in the lumen of a vessel or a bladder, or in the brain.
fn grows_in(tissue: Tissue) -> bool {
    !matches!(
        tissue,
        T::Air
            | T::BowelGas
            | T::Blood
            | T::Bladder
            | T::RenalPelvis
            | T::GreyMatter
            | T::WhiteMatter
            | T::CerebrospinalFluid
            | T::SpinalCord
            | T::Myocardium
            | T::Skin
    )
}
