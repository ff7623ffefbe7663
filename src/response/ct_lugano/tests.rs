use super::*;
use CtCategory::{Complete, NotEvaluable, Partial, Progressive, Stable};
use LesionKind::{Extranodal, Node};
use proptest::prelude::*;

#[expect(clippy::unnecessary_wraps, reason = "a size that was not measured is None")]
fn size(long_mm: f64, short_mm: f64) -> Option<Diameters> {
    Some(Diameters::new(long_mm, short_mm).unwrap())
}

fn target(kind: LesionKind, sizes: &[Option<Diameters>]) -> Target {
    Target { name: "A".into(), kind, sizes: sizes.to_vec() }
}

/// A visit with nothing but what the targets say, everything else looked at and normal.
fn quiet() -> CtVisit {
    CtVisit {
        non_target: Some(NonTarget::Absent),
        spleen: Some(Spleen::Normal),
        new_lesions: Some(Vec::new()),
        marrow: Some(MarrowBiopsy::Normal),
    }
}

fn series(targets: Vec<Target>) -> CtSeries {
    let visits = targets.iter().map(|t| t.sizes.len()).max().unwrap_or(2);
    CtSeries { targets, visits: vec![quiet(); visits] }
}

/// The last visit's call.
fn last(series: &CtSeries) -> CtCall {
    assess(series, series.visits.len() - 1)
}

fn codes(call: &CtCall) -> Vec<&'static str> {
    call.reasons.iter().map(|reason| reason.code).collect()
}

/// One lesion, in millimetres: at baseline, at its lowest, now.
fn course(kind: LesionKind, sizes: [(f64, f64); 3]) -> CtCall {
    last(&series(vec![target(kind, &sizes.map(|(long, short)| size(long, short)))]))
}

#[test]
fn growth_of_one_lesion() {
    // Lowest and now; the worked rows, then each border of the three conditions.
    let rows = [
        ((24.0, 15.0), (30.0, 19.0), false), // +58 %, +6 mm, but larger than 2 cm
        ((24.0, 15.0), (35.0, 17.0), true),  // +65 %, +11 mm
        ((14.0, 10.0), (19.0, 13.0), true),  // +76 %, +5 mm
        ((14.0, 10.0), (18.9, 14.9), false), // +101 %, +4.9 mm in both
        ((14.0, 10.0), (15.0, 15.0), false), // +61 %, +5 mm, but the longest is normal
        ((14.0, 10.0), (15.1, 15.0), true),
        ((20.0, 10.0), (25.0, 12.0), true), // 2.0 cm is small; exactly +50 % and +5 mm
        ((20.1, 10.0), (25.125, 12.0), false), // above it, +5 mm is too little
        ((24.0, 15.0), (34.0, 15.8), false), // +49.2 %
        ((30.0, 20.0), (40.0, 22.5), true), // exactly +50 % and +10 mm
        ((30.0, 20.0), (32.0, 30.0), true), // by the short diameter alone
        ((30.0, 20.0), (39.9, 29.9), false), // +9.9 mm
    ];
    for (low, now, progressed) in rows {
        for kind in [Node, Extranodal] {
            let call = course(kind, [(40.0, 30.0), low, now]);
            assert_eq!(call.category == Progressive, progressed, "{kind:?} {low:?} {now:?}");
            assert_eq!(codes(&call) == ["CT_LESION_GROWN"], progressed, "{low:?} {now:?}");
        }
    }
    let call = course(Node, [(40.0, 30.0), (24.0, 15.0), (35.0, 17.0)]);
    assert!(
        (call.lesion_since_nadir_percent.unwrap() - 100.0 * (595.0 / 360.0 - 1.0)).abs() < 1e-9
    );
    assert_eq!((call.spd_nadir_mm2, call.spd_mm2), (Some(360.0), Some(595.0)));
}

/// 1.4 by 1.0 and 1.9 by 1.3 in centimetres, as a reader's sheet turns them into millimetres.
#[test]
fn rounding_moves_no_lesion_over_a_border() {
    let mm = |cm: f64| cm * 10.0;
    let now = (mm(1.4) + mm(0.5), mm(1.3));
    assert_eq!(course(Node, [(40.0, 30.0), (mm(1.4), mm(1.0)), now]).category, Progressive);
    // A third of a product and twice it back: 0.1 + 0.2 is above 0.3.
    let half = course(Node, [(mm(3.0), mm(2.1)), (mm(3.0), mm(2.1)), (mm(2.1), mm(1.5))]);
    assert_eq!((half.category, codes(&half)[0]), (Partial, "CT_SPD_DECREASED"));
}

#[test]
fn sums_over_the_targets() {
    let two = |a, b| {
        let baseline = [size(40.0, 25.0), size(25.0, 20.0)]; // 1500 mm²
        let targets = [a, b].into_iter().zip(baseline);
        let call = last(&series(targets.map(|(now, from)| target(Node, &[from, now])).collect()));
        (call.category, call.spd_percent.map(|percent| (percent * 100.0).round() / 100.0))
    };
    let rows = [
        (size(30.0, 20.0), size(15.0, 10.0), Partial, -50.0),
        (size(30.0, 20.0), size(15.0, 10.1), Stable, -49.9),
        (size(15.0, 15.0), size(15.0, 10.0), Complete, -75.0),
        (size(15.1, 15.0), size(15.0, 10.0), Partial, -74.9),
        (Some(Diameters::TOO_SMALL), Some(Diameters::NOT_VISIBLE), Complete, -98.33),
        (size(40.0, 25.0), size(25.0, 20.0), Stable, 0.0),
        // The sum grows by half, no lesion by half: not progression of its own.
        (size(45.0, 30.0), size(28.0, 24.0), Stable, 34.8),
    ];
    for (a, b, category, percent) in rows {
        assert_eq!(two(a, b), (category, Some(percent)), "{a:?} {b:?}");
    }
    assert_eq!(two(size(30.0, 20.0), None), (NotEvaluable, None));
    // The one that is measured has grown: progression whatever the other does.
    assert_eq!(two(size(60.0, 25.0), None).0, Progressive);
}

#[test]
fn extranodal_lesions_must_be_gone() {
    let now = |kind, now| last(&series(vec![target(kind, &[size(30.0, 20.0), now])])).category;
    assert_eq!(now(Node, size(14.0, 9.0)), Complete);
    assert_eq!(now(Extranodal, size(9.0, 8.0)), Partial);
    assert_eq!(now(Extranodal, Some(Diameters::TOO_SMALL)), Partial);
    assert_eq!(now(Extranodal, Some(Diameters::NOT_VISIBLE)), Complete);
}

#[test]
fn regrowth_of_what_was_gone() {
    let again = |kind, now| {
        let sizes = [size(30.0, 20.0), Some(Diameters::NOT_VISIBLE), size(now, now / 2.0)];
        let call = last(&series(vec![target(kind, &sizes)]));
        (call.category, codes(&call)[0])
    };
    assert_eq!(again(Node, 15.1), (Progressive, "CT_REGROWTH"));
    assert_eq!(again(Node, 15.0), (Complete, "CT_ALL_NORMAL"));
    assert_eq!(again(Extranodal, 10.1), (Progressive, "CT_REGROWTH"));
    assert_eq!(again(Extranodal, 10.0), (Partial, "CT_SPD_DECREASED"));
}

/// The call where the only target has halved and the spleen has this course.
fn with_spleen(lengths: &[f64]) -> (CtCategory, Vec<&'static str>) {
    let mut sizes = vec![size(20.0, 20.0)];
    sizes.resize(lengths.len(), size(16.0, 10.0));
    let mut series = series(vec![target(Node, &sizes)]);
    for (visit, length) in series.visits.iter_mut().zip(lengths) {
        visit.spleen = Some(Spleen::Length(*length));
    }
    let call = last(&series);
    (call.category, codes(&call))
}

#[test]
fn spleen_that_grows() {
    let rows: [(&[f64], bool); 10] = [
        (&[150.0, 160.0], false),
        (&[150.0, 160.1], true), // 16.1 cm as 15 + half of 2
        (&[150.0, 161.0], true),
        (&[125.0, 144.9], false),
        (&[125.0, 145.0], true),
        (&[105.0, 130.0], false), // +2.5 cm and still normal
        (&[150.0, 128.0, 147.9], false),
        (&[150.0, 128.0, 148.0], true), // recurrent
        (&[170.0, 140.0, 160.0], false),
        (&[170.0, 140.0, 160.1], true), // from the shortest, by half of the excess of 4 cm
    ];
    for (lengths, progressed) in rows {
        let (category, codes) = with_spleen(lengths);
        assert_eq!(category == Progressive, progressed, "{lengths:?} {codes:?}");
        assert_eq!(codes == ["CT_SPLEEN_GROWN"], progressed, "{lengths:?}");
    }
}

#[test]
fn spleen_that_shrinks() {
    // More than half of the excess over 13 cm, not of the length.
    let rows = [
        ([150.0, 140.0], Stable),
        ([150.0, 139.9], Partial),
        ([150.0, 130.0], Partial),
        ([190.0, 160.0], Stable),
        ([190.0, 159.0], Partial),
        ([130.0, 130.0], Partial),
    ];
    for (lengths, category) in rows {
        let found = with_spleen(&lengths);
        assert_eq!(found.0, category, "{lengths:?}");
        let stays = found.1.contains(&"CT_SPLEEN_NOT_REGRESSED");
        assert_eq!(stays, category == Stable, "{lengths:?}");
    }
}

/// A complete response by the targets, with another visit.
fn changed(change: fn(&mut CtVisit)) -> (CtCategory, bool, Vec<&'static str>) {
    let mut series = series(vec![target(Node, &[size(30.0, 20.0), size(12.0, 8.0)])]);
    change(&mut series.visits[1]);
    let call = last(&series);
    (call.category, call.provisional, codes(&call))
}

#[test]
fn what_else_was_seen() {
    type Row = (fn(&mut CtVisit), CtCategory, &'static str);
    let lesion =
        |kind, long_mm, unequivocal| CtNewLesion { name: "B".into(), kind, long_mm, unequivocal };
    assert_eq!(changed(|_| ()), (Complete, false, vec!["CT_ALL_NORMAL"]));
    let rows: [Row; 9] = [
        (|v| v.non_target = Some(NonTarget::Progressed), Progressive, "CT_NON_TARGET_PROGRESSED"),
        (|v| v.non_target = Some(NonTarget::Unchanged), Partial, "CT_SPD_DECREASED"),
        (|v| v.non_target = Some(NonTarget::Regressed), Partial, "CT_SPD_DECREASED"),
        (|v| v.marrow = Some(MarrowBiopsy::NewlyInvolved), Progressive, "CT_NEW_MARROW"),
        (|v| v.marrow = Some(MarrowBiopsy::Involved), Partial, "CT_SPD_DECREASED"),
        (|v| v.spleen = Some(Spleen::Length(131.0)), Partial, "CT_SPD_DECREASED"),
        (|v| v.non_target = None, NotEvaluable, "CT_NON_TARGET_NOT_STATED"),
        (|v| v.spleen = None, NotEvaluable, "CT_SPLEEN_NOT_STATED"),
        (|v| v.new_lesions = None, NotEvaluable, "NEW_LESIONS_NOT_STATED"),
    ];
    for (change, category, code) in rows {
        let found = changed(change);
        assert_eq!((found.0, found.2[0]), (category, code));
    }
    for marrow in [None, Some(MarrowBiopsy::Indeterminate)] {
        let mut series = series(vec![target(Node, &[size(30.0, 20.0), size(12.0, 8.0)])]);
        series.visits[1].marrow = marrow;
        assert_eq!((last(&series).category, last(&series).provisional), (Complete, true));
    }
    let news = [
        (lesion(Node, Some(15.1), false), Progressive),
        (lesion(Node, Some(15.0), true), Partial),
        (lesion(Extranodal, Some(10.1), false), Progressive),
        (lesion(Extranodal, Some(9.0), false), Partial),
        (lesion(Extranodal, Some(9.0), true), Progressive),
        (lesion(Extranodal, None, true), Progressive),
        (lesion(Node, None, false), NotEvaluable),
    ];
    for (new, category) in news {
        let mut series = series(vec![target(Node, &[size(30.0, 20.0), size(12.0, 8.0)])]);
        series.visits[1].new_lesions = Some(vec![new.clone()]);
        assert_eq!(last(&series).category, category, "{new:?}");
    }
}

#[test]
fn what_is_no_target() {
    let of = |kind, long| {
        codes(&last(&series(vec![target(kind, &[size(long, 8.0), size(long, 8.0)])])))[0]
    };
    assert_eq!(of(Node, 15.0), "CT_TARGET_NOT_MEASURABLE");
    assert_eq!(of(Node, 15.1), "CT_SPD_NOT_DECREASED");
    assert_eq!(of(Extranodal, 10.0), "CT_TARGET_NOT_MEASURABLE");
    assert_eq!(of(Extranodal, 10.1), "CT_SPD_NOT_DECREASED");
    let seven = vec![target(Node, &[size(30.0, 20.0), size(30.0, 20.0)]); 7];
    assert_eq!(codes(&last(&series(seven))), ["CT_TOO_MANY_TARGETS"]);
    assert_eq!(last(&series(Vec::new())).category, NotEvaluable);
    assert_eq!(Diameters::new(10.0, 12.0), None);
    assert_eq!(Diameters::new(f64::NAN, 1.0), None);
    assert_eq!(Diameters::new(10.0, -1.0), None);
}

fn rank(category: CtCategory) -> Option<u8> {
    match category {
        Complete => Some(0),
        Partial => Some(1),
        Stable => Some(2),
        Progressive => Some(3),
        NotEvaluable => None,
    }
}

proptest! {
    #[test]
    fn a_larger_lesion_is_never_better(
        low in 0.0_f64..60.0, now in 0.0_f64..60.0, more in 0.0_f64..30.0, shape in 0.4_f64..1.0,
        extranodal in any::<bool>(),
    ) {
        let kind = if extranodal { Extranodal } else { Node };
        let at = |long: f64| course(kind, [(40.0, 30.0), (low, low * shape), (long, long * shape)]);
        let (smaller, larger) = (at(now).category, at(now + more).category);
        prop_assert!(rank(smaller) <= rank(larger), "{smaller} then {larger}");
    }

    #[test]
    fn what_is_not_known_is_never_complete(hide in 0_usize..4) {
        let mut series = series(vec![target(Node, &[size(30.0, 20.0), size(12.0, 8.0)])]);
        let visit = &mut series.visits[1];
        match hide {
            0 => visit.non_target = None,
            1 => visit.spleen = None,
            2 => visit.new_lesions = None,
            _ => series.targets[0].sizes[1] = None,
        }
        prop_assert_eq!(last(&series).category, NotEvaluable);
    }
}
