use super::*;
use crate::segmentation::sphere;

fn lattice(spacing: f64, origin: f64) -> VolumeGeometry {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|a| a * spacing);
    VolumeGeometry::new([50, 50, 50], DVec3::splat(origin), steps).unwrap()
}

fn fates(earlier: &[(f64, f64)], later: &[(f64, f64)], shift: f64) -> Vec<Fate> {
    linked(earlier, later, shift, 2.0).iter().map(|g| g.fate).collect()
}

fn linked(
    earlier: &[(f64, f64)],
    later: &[(f64, f64)],
    shift: f64,
    uncertain_mm: f64,
) -> Vec<Group> {
    let ball = |&(x, radius): &(f64, f64)| Ball { x, radius, suv_max: 5.0, may_be_normal: false };
    let balls = |of: &[(f64, f64)]| of.iter().map(ball).collect::<Vec<_>>();
    linked_balls(&balls(earlier), &balls(later), shift, uncertain_mm)
}

/// A ball of uptake on a line along x.
#[derive(Debug, Clone, Copy)]
struct Ball {
    x: f64,
    radius: f64,
    suv_max: f64,
    may_be_normal: bool,
}

fn linked_balls(earlier: &[Ball], later: &[Ball], shift: f64, uncertain_mm: f64) -> Vec<Group> {
    let (g, h) = (lattice(4.0, 0.0), lattice(3.5, shift));
    let regions = |balls: &[Ball], g: &VolumeGeometry, shift: f64| -> Vec<Region> {
        let place = |x| DVec3::new(x, 80.0, 80.0) + shift;
        balls.iter().map(|b| sphere(g, place(b.x), b.radius).region).collect()
    };
    let (before, now) = (regions(earlier, &g, 0.0), regions(later, &h, shift));
    let (before, now) = (candidates(earlier, &before), candidates(later, &now));
    link(
        Regions { geometry: &g, candidates: &before },
        Regions { geometry: &h, candidates: &now },
        DAffine3::from_translation(DVec3::splat(shift)),
        uncertain_mm,
    )
}

fn candidates<'a>(balls: &[Ball], regions: &'a [Region]) -> Vec<Candidate<'a>> {
    let candidate = |(ball, region): (&Ball, &'a Region)| Candidate {
        region,
        suv_max: ball.suv_max,
        may_be_normal: ball.may_be_normal,
    };
    balls.iter().zip(regions).map(candidate).collect()
}

#[test]
fn fates_of_spheres() {
    use Fate::{Merged, New, Persistent, Resolved, Split};
    type Row<'a> = (&'a [(f64, f64)], &'a [(f64, f64)], &'a [Fate]);
    let rows: [Row<'_>; 7] = [
        (&[(50.0, 12.0)], &[(52.0, 8.0)], &[Persistent]),
        (&[(50.0, 12.0)], &[], &[Resolved]),
        (&[], &[(50.0, 12.0)], &[New]),
        (&[(50.0, 10.0)], &[(120.0, 10.0)], &[Resolved, New]),
        (&[(40.0, 10.0), (70.0, 10.0)], &[(55.0, 22.0)], &[Merged]),
        (&[(55.0, 22.0)], &[(40.0, 8.0), (70.0, 8.0)], &[Split]),
        // Nearby but apart: each keeps its own partner.
        (&[(40.0, 8.0), (80.0, 8.0)], &[(42.0, 8.0), (82.0, 8.0)], &[Persistent, Persistent]),
    ];
    for (before, now, expected) in rows {
        for shift in [0.0, 300.0] {
            assert_eq!(fates(before, now, shift), expected, "{before:?} {now:?}");
        }
    }
}

#[test]
fn a_lone_neighbour_within_reach_is_the_same_lesion() {
    // Surfaces 10 mm apart: linked; 25 mm: not.
    assert_eq!(fates(&[(50.0, 8.0)], &[(76.0, 8.0)], 0.0), [Fate::Persistent]);
    assert_eq!(fates(&[(50.0, 8.0)], &[(91.0, 8.0)], 0.0), [Fate::Resolved, Fate::New]);
}

#[test]
fn what_may_be_an_organ_is_linked_with_care() {
    use Fate::{New, Persistent, Resolved};
    let fates = |before: Ball, now: Ball| -> Vec<Fate> {
        linked_balls(&[before], &[now], 300.0, 2.0).iter().map(|g| g.fate).collect()
    };
    let ball = |x, radius| Ball { x, radius, suv_max: 5.0, may_be_normal: false };
    let apart = vec![Resolved, New];
    // A long loop, and a focus within it; a spot, and a mass around it.
    let bowel = Ball { may_be_normal: true, ..ball(80.0, 40.0) };
    let focus = ball(105.0, 8.0);
    let hotter = Ball { suv_max: 5.1, ..focus };
    let spot = Ball { may_be_normal: true, ..focus };
    let mass = Ball { suv_max: 10.1, ..ball(105.0, 24.0) };
    assert_eq!(fates(bowel, hotter), apart);
    assert_eq!(fates(bowel, Ball { may_be_normal: true, ..hotter }), apart);
    assert_eq!(fates(bowel, focus), [Persistent], "no hotter");
    assert_eq!(fates(spot, mass), apart);
    assert_eq!(fates(spot, Ball { suv_max: 9.9, ..mass }), [Persistent], "not twice as hot");
    assert_eq!(fates(spot, Ball { radius: 12.0, ..mass }), [Persistent], "of about its extent");
    assert_eq!(fates(bowel, Ball { suv_max: 9.0, ..bowel }), [Persistent]);
    // At the site of a lesion uptake is that lesion's, whatever else it may be.
    assert_eq!(fates(focus, Ball { suv_max: 9.0, ..bowel }), [Persistent]);
    assert_eq!(fates(Ball { may_be_normal: false, ..bowel }, hotter), [Persistent]);
    // Neighbours, 10 mm apart, are linked as lesions alone.
    let (here, there) = (ball(50.0, 8.0), ball(76.0, 8.0));
    assert_eq!(fates(here, there), [Persistent]);
    assert_eq!(fates(here, Ball { may_be_normal: true, ..there }), apart);
    assert_eq!(fates(Ball { may_be_normal: true, ..here }, there), apart);
}

#[test]
fn what_the_other_field_does_not_show_is_out_of_view() {
    // The later lattice ends at x = 171 of the earlier one's frame plus the shift.
    assert_eq!(fates(&[(185.0, 8.0)], &[], 0.0), [Fate::OutOfView]);
    assert_eq!(fates(&[(150.0, 8.0)], &[], 0.0), [Fate::Resolved]);
    // Most of it is seen.
    assert_eq!(fates(&[(167.0, 8.0)], &[], 0.0), [Fate::Resolved]);
}

#[test]
fn confidence_falls_with_the_uncertainty_of_the_map() {
    let confidence = |before: &[(f64, f64)], now: &[(f64, f64)], mm: f64, trusted: bool| {
        linked(before, now, 0.0, mm)[0].confidence(trusted)
    };
    let ball = [(50.0, 12.0)];
    assert_eq!(confidence(&ball, &ball, 3.0, true), Confidence::High);
    assert_eq!(confidence(&ball, &ball, 3.0, false), Confidence::Moderate);
    // Linked as neighbours only.
    assert_eq!(confidence(&[(50.0, 8.0)], &[(74.0, 8.0)], 1.0, true), Confidence::Moderate);
    // Farther than the reach by most displacements of 50 mm.
    assert_eq!(confidence(&ball, &ball, 50.0, true), Confidence::Low);
    // At the end of the field of view.
    assert_ne!(confidence(&[(169.0, 8.0)], &[], 6.0, true), Confidence::High);
}
