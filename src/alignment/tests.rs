//! Bodies built by formula at two poses and on two grids, so that the true map is known without any resampling.

use glam::{DMat3, EulerRot};

use super::*;
use crate::geometry::VolumeGeometry;
use crate::resample::evaluate;

/// An ellipsoid or elliptic tube in body coordinates with its values.
struct Part {
    centre: DVec3,
    half: DVec3,
    /// A tube keeps its cross-section along z.
    tube: bool,
    hu: f64,
    suv: f64,
}

impl Part {
    fn holds(&self, p: DVec3) -> bool {
        let d = (p - self.centre) / self.half;
        if d.z.abs() > 1.0 {
            return false;
        }
        if self.tube { d.x * d.x + d.y * d.y <= 1.0 } else { d.length_squared() <= 1.0 }
    }
}

fn part(tube: bool, centre: [f64; 3], half: [f64; 3], hu: f64, suv: f64) -> Part {
    Part { centre: centre.into(), half: half.into(), tube, hu, suv }
}

/// A patient from vertex (z = 460) to feet (z = -1150); later parts lie over earlier ones. `build` widens the trunk and
/// moves the organs: another person.
fn patient(build: f64) -> Vec<Part> {
    let (ball, tube) = (false, true);
    vec![
        part(tube, [0., 0., -40.], [175. * build, 115. * build, 290.], 20.0, 0.8),
        part(ball, [0., 10., -330.], [185. * build, 120., 110.], 10.0, 0.8),
        part(ball, [0., 10., 240.], [215. * build, 95., 70.], 40.0, 0.9),
        part(tube, [0., 15., 300.], [60., 60., 60.], 40.0, 1.0),
        part(ball, [0., 0., 370.], [75., 95., 100.], 40.0, 1.2),
        part(ball, [0., 5., 380.], [65., 83., 80.], 35.0, 7.0),
        part(tube, [-90., 10., -750.], [75., 80., 400.], 30.0, 0.7),
        part(tube, [95., 5., -750.], [75., 80., 400.], 30.0, 0.7),
        part(ball, [-85., -5., 120.], [65., 85., 120. * build], -850.0, 0.45),
        part(ball, [85., 0., 125.], [58. / build, 80., 112.], -840.0, 0.45),
        part(ball, [25. * build, -40., 80.], [55., 45., 60.], 45.0, 2.2),
        part(ball, [-70. / build, -15., -50.], [85., 75., 65. * build], 60.0, 2.1),
        part(ball, [95., 45., -40. * build], [30., 30., 50.], 50.0, 1.9),
        part(ball, [-60., 55., -110. * build], [28., 25., 55.], 35.0, 2.8),
        part(ball, [62., 58., -100.], [28., 25., 55.], 35.0, 2.8),
        part(ball, [35., -60., -95. / build], [60., 30., 35.], -100.0, 1.2),
        part(tube, [0., 75., 30.], [20., 18., 370.], 300.0, 1.5),
        part(tube, [15., 50., 60.], [13., 13., 200.], 45.0, 1.7),
        part(ball, [-110., 40., -330.], [25., 60., 70.], 400.0, 1.0),
        part(ball, [112., 40., -330.], [25., 60., 70.], 400.0, 1.0),
        part(ball, [3., -20., -370.], [45., 40., 40.], 5.0, 20.0),
        part(tube, [-90., 10., -750.], [16., 16., 390.], 600.0, 0.5),
        part(tube, [95., 5., -750.], [16., 16., 390.], 600.0, 0.5),
    ]
}

/// A scan: where the patient lies in the scanner, what is seen, and on which grid.
struct Setup {
    parts: Vec<Part>,
    /// Turn about x, y, z in degrees and shift in mm, from body to scanner.
    turn: [f64; 3],
    shift: [f64; 3],
    /// z of the field of view in the scanner, and spacing of slices, rows, columns.
    z: [f64; 2],
    spacing: [f64; 3],
    couch_y: f64,
    seed: u64,
}

impl Setup {
    fn pose(&self) -> DAffine3 {
        let [x, y, z] = self.turn.map(f64::to_radians);
        let turn = DMat3::from_euler(EulerRot::XYZ, x, y, z);
        DAffine3::from_mat3_translation(turn, self.shift.into())
    }

    fn grid(&self) -> VolumeGeometry {
        let [s, r, c] = self.spacing;
        let width = 500.0;
        let shape = [(self.z[1] - self.z[0]) / s, width / r, width / c].map(|n| n as usize);
        let middle = DVec3::new(self.shift[0], self.shift[1], 0.0);
        let origin = middle + DVec3::new(-width / 2.0, -width / 2.0, self.z[0]);
        VolumeGeometry::new(shape, origin, [DVec3::Z * s, DVec3::Y * r, DVec3::X * c]).unwrap()
    }

    fn noise(&self, p: DVec3) -> f64 {
        let mut h = self.seed
            ^ p.x.to_bits().rotate_left(7)
            ^ p.y.to_bits().rotate_left(23)
            ^ p.z.to_bits();
        let mut uniform = || {
            h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            h ^= h >> 31;
            (h >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        uniform() + uniform() + uniform() + uniform()
    }

    fn ct(&self) -> Volume<i16> {
        let body_from_scanner = self.pose().inverse();
        let couch = self.shift[1] + self.couch_y;
        evaluate(&self.grid(), |q| {
            let p = body_from_scanner.transform_point3(q);
            let shell = (q.x - self.shift[0]).abs() < 230.0
                && ((q.y - couch).abs() < 2.5 || (q.y - couch - 60.0).abs() < 2.5);
            let air = if shell { 100.0 } else { -1000.0 };
            let hu = self.parts.iter().rev().find(|part| part.holds(p)).map_or(air, |part| part.hu);
            (hu + 40.0 * self.noise(q)) as i16
        })
    }

    fn pet(&self) -> Volume<f32> {
        let body_from_scanner = self.pose().inverse();
        let sharp = evaluate(&self.grid(), |q| {
            let p = body_from_scanner.transform_point3(q);
            self.parts.iter().rev().find(|part| part.holds(p)).map_or(0.02, |part| part.suv) as f32
        });
        let mut blurred = crate::resample::gaussian_smooth(&sharp, [2.5; 3]);
        let grid = self.grid();
        for offset in 0..grid.len() {
            let noise = self.noise(grid.centre_of(blurred.voxel_of(offset))) as f32;
            let value = &mut blurred.values_mut()[offset];
            *value = (*value * (1.0 + 0.25 * noise) + 0.03 * noise).max(0.0);
        }
        blurred
    }
}

fn baseline() -> Setup {
    Setup {
        parts: patient(1.0),
        turn: [0.0; 3],
        shift: [0.0; 3],
        z: [-450.0, 480.0],
        spacing: [4.0, 5.3, 5.3],
        couch_y: 130.0,
        seed: 1,
    }
}

fn follow_up() -> Setup {
    Setup { spacing: [5.0, 5.0, 4.5], couch_y: 150.0, seed: 2, ..baseline() }
}

fn cases() -> Vec<(&'static str, Setup, Setup)> {
    let shifted = || Setup { shift: [30.0, -20.0, 40.0], ..follow_up() };
    vec![
        ("same place", baseline(), follow_up()),
        ("small move", baseline(), Setup { turn: [3.0, -2.0, 4.0], ..shifted() }),
        (
            "20 cm along the body",
            baseline(),
            Setup { shift: [0.0, 0.0, 200.0], z: [-250.0, 680.0], ..follow_up() },
        ),
        ("20 cm across", baseline(), Setup { shift: [200.0, -100.0, -20.0], ..follow_up() }),
        (
            "20 degrees about the body axis",
            baseline(),
            Setup { turn: [0.0, 0.0, 20.0], ..shifted() },
        ),
        ("20 degrees of nodding", baseline(), Setup { turn: [-20.0, 0.0, 0.0], ..shifted() }),
        ("20 degrees sideways", baseline(), Setup { turn: [0.0, 20.0, 0.0], ..shifted() }),
        (
            "turned about all axes and far away",
            baseline(),
            Setup {
                turn: [9.0, -8.0, 14.0],
                shift: [120.0, 60.0, -800.0],
                z: [-1250.0, -320.0],
                ..follow_up()
            },
        ),
        (
            "skull to thigh, then shoulders to pelvis",
            baseline(),
            Setup {
                turn: [4.0, 5.0, -6.0],
                shift: [10.0, 20.0, 100.0],
                z: [-250.0, 330.0],
                ..follow_up()
            },
        ),
        (
            "shoulders to pelvis, then skull to feet",
            Setup { z: [-380.0, 230.0], ..baseline() },
            Setup {
                turn: [-3.0, 4.0, 8.0],
                shift: [-15.0, 10.0, -60.0],
                z: [-1200.0, 430.0],
                ..follow_up()
            },
        ),
        (
            "neck and chest, then chest and abdomen",
            Setup { z: [-60.0, 480.0], ..baseline() },
            Setup { turn: [2.0, -5.0, 5.0], z: [-420.0, 250.0], ..follow_up() },
        ),
    ]
}

/// Largest distance between where the found and the true map carry points of the trunk, head and hips.
fn error_mm(found: DAffine3, truth: DAffine3, seen: [f64; 2]) -> f64 {
    let mut worst = 0.0_f64;
    for z in [-350.0, -200.0, -50.0, 100.0, 250.0, 400.0] {
        if z < seen[0] || z > seen[1] {
            continue;
        }
        for (x, y) in [(0.0, 0.0), (150.0, 0.0), (-150.0, 0.0), (0.0, 100.0), (0.0, -100.0)] {
            let p = DVec3::new(x, y, z);
            worst = worst.max(found.transform_point3(p).distance(truth.transform_point3(p)));
        }
    }
    worst
}

fn check(rows: Vec<(&'static str, Setup, Setup)>, on_ct: bool, limit_mm: f64) {
    for (name, first, second) in rows {
        let (pets, cts) = if on_ct {
            // The PET is not looked at; an empty one must not matter.
            let empty = |s: &Setup| Volume::filled(s.grid(), 0.0_f32);
            ([empty(&first), empty(&second)], Some([first.ct(), second.ct()]))
        } else {
            ([first.pet(), second.pet()], None)
        };
        let scan = |i: usize| Scan {
            pet: &pets[i],
            ct: cts.as_ref().map(|c| &c[i]),
            frame_of_reference_uid: Some(["1.2.3", "1.2.4"][i]),
        };
        let started = std::time::Instant::now();
        let found = align(&scan(0), &scan(1));
        let truth = second.pose() * first.pose().inverse();
        let error = error_mm(found.follow_up_from_baseline, truth, first.z);
        println!(
            "{name}: {error:.2} mm, {:?}, {:?}, {} steps",
            started.elapsed(),
            found.quality,
            found.iterations
        );
        assert_eq!(found.method, if on_ct { Method::RigidCt } else { Method::RigidPet }, "{name}");
        assert_eq!(found.quality.verdict, Verdict::Good, "{name}: {:?}", found.quality);
        assert!(error < limit_mm, "{name}: {error:.2} mm off");
    }
}

/// Disease that comes and goes: SUV 32 in the pancreas, skeleton and spleen at baseline; a mass in the lung and a full,
/// hotter bladder later.
fn changed() -> Vec<(&'static str, Setup, Setup)> {
    let ill = |lesions: Vec<Part>| {
        let mut parts = patient(1.0);
        parts.extend(lesions);
        parts
    };
    let sick = || {
        ill(vec![
            part(false, [20., -30., -60.], [45., 30., 30.], 50.0, 32.0),
            part(true, [0., 75., 0.], [25., 22., 200.], 350.0, 12.0),
            part(false, [95., 45., -40.], [35., 35., 60.], 45.0, 9.0),
        ])
    };
    let relapsed = || {
        ill(vec![
            part(false, [85., 0., 90.], [50., 60., 60.], 40.0, 15.0),
            part(false, [3., -30., -360.], [60., 55., 60.], 5.0, 40.0),
        ])
    };
    let moved = || Setup { turn: [5.0, -4.0, 8.0], shift: [40.0, 10.0, 70.0], ..follow_up() };
    vec![
        ("disease gone", Setup { parts: sick(), ..baseline() }, moved()),
        ("disease came", baseline(), Setup { parts: relapsed(), ..moved() }),
        (
            "disease elsewhere",
            Setup { parts: sick(), ..baseline() },
            Setup { parts: relapsed(), ..moved() },
        ),
    ]
}

#[test]
fn changed_disease_does_not_pull_the_map() {
    check(changed(), true, 2.0);
    check(changed(), false, 4.0);
}

#[test]
fn arms_raised_and_lowered_do_not_pull_the_map() {
    let with_arms = |height: f64, out: f64, setup: Setup| {
        let arm =
            |side: f64| part(true, [side * out, 10.0, height], [33.0, 33.0, 240.0], 40.0, 0.7);
        let parts = patient(1.0).into_iter().chain([arm(-1.0), arm(1.0)]).collect();
        Setup { parts, ..setup }
    };
    let moved = Setup { turn: [3.0, -4.0, 6.0], shift: [20.0, 10.0, 60.0], ..follow_up() };
    let (lowered, raised) = (with_arms(20.0, 205.0, baseline()), with_arms(460.0, 130.0, moved));
    let truth = raised.pose() * lowered.pose().inverse();
    let on_ct = align_cts(&lowered.ct(), &raised.ct(), ["1.2.3", "1.2.4"]);
    let (first, second) = (lowered.pet(), raised.pet());
    let pet_only = |pet| Scan { pet, ct: None, frame_of_reference_uid: None };
    let on_pet = align(&pet_only(&first), &pet_only(&second));
    for found in [on_ct, on_pet] {
        let error = error_mm(found.follow_up_from_baseline, truth, lowered.z);
        println!("{:?}: {error:.2} mm, {:?}", found.method, found.quality);
        assert!(found.quality.verdict > Verdict::Failed, "{:?}", found.quality);
        assert!(error < 4.0, "{:?}: {error:.2} mm off", found.method);
    }
}

fn align_cts(first: &Volume<i16>, second: &Volume<i16>, uids: [&str; 2]) -> Alignment {
    let pets = [first, second].map(|v| Volume::filled(v.geometry().clone(), 0.0_f32));
    align(
        &Scan { pet: &pets[0], ct: Some(first), frame_of_reference_uid: Some(uids[0]) },
        &Scan { pet: &pets[1], ct: Some(second), frame_of_reference_uid: Some(uids[1]) },
    )
}

/// The patient with bones that can be told apart along the spine, and wider or narrower by some factors.
#[expect(clippy::needless_pass_by_value, reason = "the rest of it is taken over")]
fn reshaped(setup: Setup, stretch: DVec3) -> Setup {
    let processes = (0..14).map(|n| {
        let z = -260.0 + 42.0 * f64::from(n);
        let side = if n % 2 == 0 { 1.0 } else { -1.0 };
        part(false, [side * 28.0, 84.0, z], [26.0, 14.0, 12.0], 420.0, 1.4)
    });
    let parts = patient(1.0).into_iter().chain(processes).map(|part| Part {
        centre: part.centre * stretch,
        half: part.half * stretch,
        ..part
    });
    Setup { parts: parts.collect(), ..setup }
}

#[test]
fn a_body_that_changed_its_girth_is_stretched_and_another_is_not() {
    let moved = || Setup { turn: [5.0, -4.0, 8.0], shift: [40.0, 10.0, 70.0], ..follow_up() };
    for (stretch, method) in [
        (DVec3::ONE, Method::RigidCt),
        (DVec3::new(1.05, 1.05, 1.0), Method::AffineCt),
        (DVec3::new(0.95, 0.94, 1.0), Method::AffineCt),
    ] {
        let (first, second) = (reshaped(baseline(), DVec3::ONE), reshaped(moved(), stretch));
        let found = align_cts(&first.ct(), &second.ct(), ["1.2.3", "1.2.4"]);
        let truth = second.pose() * DAffine3::from_scale(stretch) * first.pose().inverse();
        let error = error_mm(found.follow_up_from_baseline, truth, first.z);
        println!("{stretch}: {error:.2} mm, {:?}, {found:?}", found.method);
        assert_eq!(found.method, method, "{stretch}");
        assert_eq!(found.quality.verdict, Verdict::Good, "{stretch}: {:?}", found.quality);
        assert!((found.stretch() - stretch).abs().max_element() < 0.01, "{}", found.stretch());
        assert!((found.rotation().determinant() - 1.0).abs() < 1e-9);
        assert!(error < 2.0, "{stretch}: {error:.2} mm");
    }
}

#[test]
fn landmarks_tell_how_far_a_map_is_off() {
    let scan = reshaped(baseline(), DVec3::ONE);
    let again = reshaped(follow_up(), DVec3::ONE);
    let (fixed, moving) = (Body::of_ct(&scan.ct()).unwrap(), Body::of_ct(&again.ct()).unwrap());
    for off in [0.0, 3.0, 7.0] {
        let map = DAffine3::from_translation(DVec3::new(0.6, 0.0, 0.8) * off);
        let found = landmarks::residual(&fixed, &moving, map).unwrap();
        println!("{off}: {found:?}");
        // Painted without partial volume on voxels of 4 to 5 mm: a third of one is left of no error at all.
        assert!((found.median - off).abs() < 1.5, "{off}: {found:?}");
        assert!(found.mean <= found.worst && found.count <= found.sought);
        let quality = quality::measure(&fixed, &moving, map);
        let said = quality.reasons.iter().any(|r| r.contains("landmarks"));
        assert_eq!(said, off > 6.0, "{quality:?}");
        assert_eq!(quality.verdict == Verdict::Good, off < 6.0, "{quality:?}");
    }
    // So far off that each piece lies on another.
    let lost = landmarks::residual(&fixed, &moving, DAffine3::from_translation(DVec3::X * 60.0));
    assert!(lost.is_none_or(|r| r.count < r.sought / 3), "{lost:?}");
}

#[test]
fn a_shared_frame_is_the_identity_and_is_checked() {
    let here = baseline();
    let away = Setup { shift: [150.0, 0.0, 0.0], ..follow_up() };
    for (second, verdict) in [(follow_up(), Verdict::Good), (away, Verdict::Failed)] {
        let found = align_cts(&here.ct(), &second.ct(), ["1.2.3", "1.2.3"]);
        assert_eq!(found.method, Method::SharedFrameOfReference);
        assert_eq!(found.follow_up_from_baseline, DAffine3::IDENTITY);
        assert_eq!(found.quality.verdict, verdict, "{:?}", found.quality);
    }
    let empty_uids = align_cts(&here.ct(), &follow_up().ct(), ["", ""]);
    assert_eq!(empty_uids.method, Method::RigidCt);
}

#[test]
fn what_cannot_be_aligned_is_said() {
    let head = Setup { z: [310.0, 480.0], ..baseline() };
    let legs = Setup { z: [-1150.0, -500.0], ..follow_up() };
    let air = Volume::filled(baseline().grid(), -1000_i16);
    let slice = VolumeGeometry::new([1, 1, 1], DVec3::ZERO, [DVec3::Z, DVec3::Y, DVec3::X]);
    let voxel = Volume::filled(slice.unwrap(), 40_i16);
    let rows = [
        ("no body", baseline().ct(), air.clone()),
        ("one voxel", voxel, baseline().ct()),
        ("no bodies", air.clone(), air),
        ("head and legs", head.ct(), legs.ct()),
    ];
    for (name, first, second) in rows {
        let found = align_cts(&first, &second, ["1.2.3", "1.2.4"]);
        assert_eq!(found.quality.verdict, Verdict::Failed, "{name}");
        assert!(!found.quality.reasons.is_empty(), "{name}");
    }
}

#[test]
fn threads_do_not_change_the_map() {
    let first = Setup { z: [-200.0, 250.0], ..baseline() }.pet();
    let second = Setup { turn: [2.0, 3.0, -4.0], z: [-250.0, 200.0], ..follow_up() }.pet();
    let pet_only = |pet| Scan { pet, ct: None, frame_of_reference_uid: None };
    let with_threads = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| align(&pet_only(&first), &pet_only(&second)))
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn another_person_is_not_a_good_match() {
    for build in [0.75, 1.3] {
        let other = Setup { parts: patient(build), ..follow_up() };
        let found = align_cts(&baseline().ct(), &other.ct(), ["1.2.3", "1.2.4"]);
        assert!(found.quality.verdict < Verdict::Good, "{build}: {:?}", found.quality);
    }
}

#[test]
fn every_pose_is_recovered_on_ct() {
    check(cases(), true, 2.0);
}

#[test]
fn every_pose_is_recovered_on_pet() {
    check(cases(), false, 4.0);
}
