//! Two scans of a seeded body: moved and turned, heavier or lighter, arms elsewhere, in another scanner, and lesions
//! that stay, go, come, merge and split.
//!
//! They are there to try alignment and the following of lesions; what happens between the scans is drawn without any
//! knowledge of how these work. Skin, bones and organs stretch together with the weight, so that the anatomy of one scan
//! goes onto that of the other by one affine map, which is the truth.

use chrono::TimeDelta;
use glam::{DAffine3, DVec3};

use super::dice::Dice;
use super::sites::{Field, PLACES, Place};
use super::{Kind, breathing, scanners, seeded, uptake};
use crate::phantom::anatomy::Arms;
use crate::phantom::planted::Planted;
use crate::phantom::scan::Scan;
use crate::phantom::truth::{Fate, LesionFate, MapTruth, PairTruth};
use crate::phantom::{Case, Pose, Scanner, Visit, random};

/// Builds that differ in what alignment looks at; most bodies are of the usual kind.
const KINDS: [Kind; 10] = [
    Kind::ArmsDown,
    Kind::NoHead,
    Kind::ToToes,
    Kind::Obese,
    Kind::Child,
    Kind::Effusion,
    Kind::ElevatedDiaphragm,
    Kind::Breathing,
    Kind::Noisy,
    Kind::HotMuscle,
];

/// Farthest move and turn between two scans.
const FARTHEST_MM: f64 = 100.0;
const WIDEST_TURN_DEGREES: f64 = 15.0;

/// A field of view in which a moved body still lies, millimetres.
const FIELD_MM: f64 = 640.0;
/// The extended field of a CT that goes with it: matrix of [`scanners`].
const CT_MATRIX: usize = 358;

/// Surfaces of two lesions that will merge are this far from each other, millimetres: two lumps can be told apart at
/// the usual resolution of 5 to 8 mm, and are neighbours.
const APART_MM: (f64, f64) = (10.0, 16.0);

/// A lesion so near to the end of a field that part of it may be cut off is drawn again, millimetres.
const MARGIN_MM: f64 = 12.0;

/// Two scans of the body of a seed, with the truth of pose and fates.
pub fn seeded_pair(seed: u64) -> Case {
    let mut dice = Dice::new(seed, "pair");
    let kind = if dice.chance(0.5) { Kind::Usual } else { dice.pick(&KINDS) };
    let mut case = seeded(seed, Some(kind));
    let mut first = case.visits.remove(0);
    first.planted.clear();
    first.name = "t0".into();
    widen(&mut first.scanner);
    let second = later(seed, kind, &first);
    let (visits, fates) = with_lesions(seed, first, second);
    let [before, after] = [0, 1].map(|n: usize| Scan::new(&visits[n]).scan_from_body);
    case.name = format!("pair-{seed}");
    case.patient_id = format!("PAIR-{seed}");
    case.patient_name = format!("Phantom^Pair{seed}");
    case.pairs = vec![PairTruth {
        from: visits[0].name.clone(),
        to: visits[1].name.clone(),
        deauville: visits[1].deauville,
        response: None,
        fates,
        map: Some(MapTruth::new(after * before.inverse())),
    }];
    case.visits = visits;
    case
}

impl MapTruth {
    fn new(map: DAffine3) -> Self {
        Self {
            matrix: map.matrix3.transpose().to_cols_array_2d(),
            translation_mm: map.translation.to_array(),
        }
    }

    /// The map as such.
    pub fn affine(&self) -> DAffine3 {
        DAffine3::from_mat3_translation(
            glam::DMat3::from_cols_array_2d(&self.matrix).transpose(),
            DVec3::from_array(self.translation_mm),
        )
    }
}

/// The same person some weeks later.
fn later(seed: u64, kind: Kind, first: &Visit) -> Visit {
    let mut dice = Dice::new(seed, "second scan");
    let other = random::bits(random::seed_of("second scan"), seed);
    let mut build = first.build;
    build.weight_kg = (build.weight_kg * dice.between(0.9, 1.1) * 10.0).round() / 10.0;
    build.habitus.stomach *= dice.between(0.85, 1.2);
    if dice.chance(0.3) {
        build.arms = if build.arms == Arms::Up { Arms::Down } else { Arms::Up };
    }
    // The same vein is not injected again: uptake is drawn anew.
    let uptake = uptake::draw(other, kind, &build);
    let field = match kind {
        Kind::Child => kind,
        _ if dice.chance(0.15) => Kind::ShortField,
        _ if dice.chance(0.2) => Kind::NoHead,
        _ => kind,
    };
    let mut scanner = scanners::draw(other, field, build.arms == Arms::Down);
    widen(&mut scanner);
    let mut protocol = first.protocol;
    protocol.injected_at += TimeDelta::days(42);
    protocol.started_at =
        protocol.injected_at + TimeDelta::seconds(dice.between(3300.0, 4500.0) as i64);
    protocol.dose_bq *= dice.between(0.85, 1.15);
    Visit {
        name: "t1".into(),
        build,
        uptake,
        breathing_mm: breathing(other, kind),
        pose: moved(&first.pose, &mut dice),
        protocol,
        scanner,
        seed: random::bits(first.seed, 1),
        ..first.clone()
    }
}

/// A field wide enough for a moved body.
fn widen(scanner: &mut Scanner) {
    scanner.ct_matrix = CT_MATRIX;
    let wide = (FIELD_MM / scanner.pet_voxel_mm.0).ceil() as usize;
    scanner.pet_matrix = scanner.pet_matrix.max(wide);
}

/// Shifted in any direction and turned about any axis.
fn moved(pose: &Pose, dice: &mut Dice) -> Pose {
    let turn = direction(dice) * dice.between(0.0, WIDEST_TURN_DEGREES);
    let shift = direction(dice) * dice.between(0.0, FARTHEST_MM);
    let before = DVec3::from_array(pose.turn_degrees);
    Pose { turn_degrees: (before + turn).to_array(), shift_mm: pose.shift_mm + shift }
}

/// Evenly over the sphere: the first of some points of a cube that lies in the ball.
fn direction(dice: &mut Dice) -> DVec3 {
    for _ in 0..64 {
        let p = DVec3::from_array([0, 1, 2].map(|_| dice.between(-1.0, 1.0)));
        let squared = p.length_squared();
        if (0.01..=1.0).contains(&squared) {
            return p / squared.sqrt();
        }
    }
    DVec3::Z
}

/// A lesion of the pair: volume in millilitres and contrast to the liver in each scan.
struct Plan {
    site: &'static str,
    centre: DVec3,
    breathes: bool,
    scans: [Option<(f64, f64)>; 2],
    fate: Fate,
}

/// Draws the lesions and plants them in the scans that see them.
fn with_lesions(seed: u64, first: Visit, second: Visit) -> (Vec<Visit>, Vec<LesionFate>) {
    let plans = plans(seed, &first);
    let mut visits = vec![first, second];
    let mut fates = Vec::new();
    for (n, plan) in plans.iter().enumerate() {
        let views = [0, 1].map(|v: usize| view(&visits[v], plan));
        let mut fate = plan.fate;
        // Cut by the end of a field: what is true of it nobody could say.
        if views.contains(&View::Border) {
            continue;
        }
        let there = [0, 1].map(|v: usize| views[v] == View::Inside && plan.scans[v].is_some());
        if views.contains(&View::Outside) {
            // Groups are kept whole or not at all.
            let single = !matches!(fate, Fate::Merged | Fate::Split);
            if !single || there == [false; 2] {
                continue;
            }
            fate = Fate::OutOfView;
        }
        let name = format!("lesion {} of pair {seed}", n + 1);
        let mut suv = [None; 2];
        for (v, visit) in visits.iter_mut().enumerate() {
            let Some((volume_ml, contrast)) = plan.scans[v].filter(|_| there[v]) else { continue };
            suv[v] = Some(contrast * visit.uptake.liver);
            visit.planted.push(Planted {
                name: name.clone(),
                site: plan.site.into(),
                centre: plan.centre,
                volume_ml,
                suv: contrast * visit.uptake.liver,
                contrast,
                breathes: plan.breathes,
            });
            let score = if contrast > 3.0 { 5 } else { 4 };
            visit.deauville = visit.deauville.max(score);
        }
        let [suv_max_before, suv_max_after] = suv;
        fates.push(LesionFate { lesion: name, fate, suv_max_before, suv_max_after });
    }
    whole_groups(&mut visits, &mut fates);
    (visits, fates)
}

/// A lesion that should merge or split, and whose partner was left out, is left out as well.
fn whole_groups(visits: &mut [Visit], fates: &mut Vec<LesionFate>) {
    for fate in [Fate::Merged, Fate::Split] {
        let members: Vec<String> =
            fates.iter().filter(|f| f.fate == fate).map(|f| f.lesion.clone()).collect();
        if members.len() == 1 {
            fates.retain(|f| f.fate != fate);
            for visit in visits.iter_mut() {
                visit.planted.retain(|p| p.name != members[0]);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Inside,
    Border,
    Outside,
}

/// Whether a scan's field holds a lesion, be it there or not.
fn view(visit: &Visit, plan: &Plan) -> View {
    let scan = Scan::new(visit);
    let lattice = scan.pet_lattice();
    let place = scan.scan_from_body.transform_point3(plan.centre);
    let largest = plan.scans.iter().flatten().map(|s| s.0).fold(0.0, f64::max);
    let reach = 1.4 * radius_mm(largest) + MARGIN_MM;
    let seen = [DVec3::X, DVec3::Y, DVec3::Z]
        .iter()
        .flat_map(|axis| [place + reach * *axis, place - reach * *axis])
        .filter(|&p| lattice.voxel_at(p).is_some())
        .count();
    match seen {
        6 => View::Inside,
        0 => View::Outside,
        _ => View::Border,
    }
}

fn radius_mm(volume_ml: f64) -> f64 {
    libm::cbrt(volume_ml * 3000.0 / (4.0 * std::f64::consts::PI))
}

fn volume_ml(radius_mm: f64) -> f64 {
    4.0 / 3000.0 * std::f64::consts::PI * radius_mm * radius_mm * radius_mm
}

fn plans(seed: u64, visit: &Visit) -> Vec<Plan> {
    let mut dice = Dice::new(seed, "lesions of a pair");
    let mut field = Field::new(visit);
    let mut plans = Vec::new();
    for (fate, probability) in [(Fate::Merged, 0.5), (Fate::Split, 0.35)] {
        if dice.chance(probability) {
            plans.extend(duo(&mut field, &mut dice, fate));
        }
    }
    let mut free: Vec<&Place> = PLACES.iter().collect();
    for _ in 0..3 + dice.below(6) {
        let place = free.remove(dice.below(free.len()));
        plans.extend(single(&mut field, &mut dice, place));
    }
    plans
}

/// A lesion by itself that stays, shrinks, goes or comes.
fn single(field: &mut Field<'_>, dice: &mut Dice, place: &Place) -> Option<Plan> {
    let before = dice.by_factor(1.2, field.largest_ml(place).max(1.3));
    let [was, is] = [0, 1].map(|_| dice.by_factor(2.5, 10.0));
    let (after, fate) = match dice.between(0.0, 1.0) {
        p if p < 0.35 => (dice.by_factor(0.5, 2.0), Fate::Persistent),
        p if p < 0.55 => (dice.by_factor(0.12, 0.4), Fate::Persistent),
        p if p < 0.75 => (0.0, Fate::Resolved),
        _ => (1.0, Fate::New),
    };
    let after = (before * after).max(0.6);
    let largest = before.max(after);
    let centre = (0..12)
        .map(|_| field.somewhere(place, dice))
        .find(|&centre| field.fits(centre, largest, None))?;
    occupy(field, place, centre, largest);
    let scans = match fate {
        Fate::Resolved => [Some((before, was)), None],
        Fate::New => [None, Some((after, is))],
        _ => [Some((before, was)), Some((after, is))],
    };
    Some(Plan { site: place.site, centre, breathes: place.breathes, scans, fate })
}

/// Two lesions that grow into one, or what one leaves behind in two places.
fn duo(field: &mut Field<'_>, dice: &mut Dice, fate: Fate) -> Vec<Plan> {
    let roomy: Vec<&Place> = PLACES.iter().filter(|p| p.largest_ml >= 30.0).collect();
    for _ in 0..12 {
        let place = dice.pick(&roomy);
        let [a, b] = [0, 1].map(|_| dice.by_factor(1.2, 3.0));
        // Knobs and length add about a third to the radius of a lump.
        let apart = 1.3 * (radius_mm(a) + radius_mm(b)) + dice.between(APART_MM.0, APART_MM.1);
        let grown = volume_ml(0.62 * apart);
        let (middle, axis) = (field.somewhere(place, dice), direction(dice));
        let off = 0.5 * apart * axis / field.scale();
        let around = volume_ml(0.5 * apart + 0.62 * apart);
        let grows = |centre| field.fits(centre, 1.0, None);
        if !(field.fits(middle, around, None) && grows(middle + off) && grows(middle - off)) {
            continue;
        }
        occupy(field, place, middle, around);
        let contrast = dice.by_factor(2.5, 8.0);
        let plan = |centre, small| {
            let (small, large) = (Some((small, contrast)), Some((grown, contrast)));
            let scans = if fate == Fate::Merged { [small, large] } else { [large, small] };
            Plan { site: place.site, centre, breathes: place.breathes, scans, fate }
        };
        return vec![plan(middle + off, a), plan(middle - off, b)];
    }
    Vec::new()
}

/// Keeps the room of a lesion free from others.
fn occupy(field: &mut Field<'_>, place: &Place, centre: DVec3, volume_ml: f64) {
    field.planted.push(Planted {
        name: String::new(),
        site: place.site.into(),
        centre,
        volume_ml,
        suv: 0.0,
        contrast: 0.0,
        breathes: place.breathes,
    });
}
