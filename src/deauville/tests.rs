use super::*;
use crate::criteria::{
    CONVENTIONS, Criteria, LUGANO_MAX_2X, LUGANO_MAX_3X, MAX_OVER_MEAN_2X, QPET,
};
use proptest::prelude::*;

/// A region with one value for every statistic.
fn region(value: f64) -> RegionStatistics {
    RegionStatistics {
        voxels: 100,
        volume_ml: 6.4,
        min: value,
        max: value,
        mean: value,
        sd: 0.0,
        median: value,
    }
}

fn references(liver: f64, blood_pool: f64) -> ReferenceUptake {
    ReferenceUptake { liver: Some(region(liver)), blood_pool: Some(region(blood_pool)) }
}

fn lesion(value: f64) -> LesionUptake {
    LesionUptake { max: value, peak: Some(value), peak_of_four: Some(value), background: None }
}

fn score(uptake: f64, references: &ReferenceUptake, convention: &DeauvilleConvention) -> u8 {
    score_uptake(&lesion(uptake), references, convention).score().map_or(0, u8::from)
}

#[test]
fn worked_scores() {
    // Uptake, score by 2x, score by 3x; liver 2.8, blood pool 1.6 (D-1 to D-9).
    let rows = [
        (1.60, 2, 2),
        (2.20, 3, 3),
        (2.80, 3, 3),
        (2.81, 4, 4),
        (5.60, 4, 4),
        (5.61, 5, 4),
        (7.70, 5, 4),
        (32.0, 5, 5),
        (8.40, 5, 4),
    ];
    for (uptake, twice, thrice) in rows {
        let references = references(2.8, 1.6);
        assert_eq!(score(uptake, &references, &LUGANO_MAX_2X), twice, "{uptake} by 2x");
        assert_eq!(score(uptake, &references, &LUGANO_MAX_3X), thrice, "{uptake} by 3x");
    }
}

#[test]
fn liver_mean_turns_three_into_four() {
    // D-2: the same scan, by maximum and by mean.
    let liver = RegionStatistics { mean: 2.8 / 1.38, ..region(2.8) };
    let references = ReferenceUptake { liver: Some(liver), blood_pool: Some(region(1.6)) };
    assert_eq!(score(2.20, &references, &LUGANO_MAX_3X), 3);
    assert_eq!(score(2.20, &references, &MAX_OVER_MEAN_2X), 4);
    let result = assess(&[lesion(2.20)], &[], &references, &Criteria::default());
    assert_eq!(
        result.borderline_reasons,
        [Borderline::ConventionsDifferOnResponse],
        "the response hangs on the convention"
    );
}

#[test]
fn blood_pool_not_below_liver() {
    // D-10, and the two equal.
    let rows = [(2.4, 2.0, 2), (2.4, 2.1, 3), (2.4, 2.3, 4), (2.1, 2.0, 2), (2.1, 2.1, 3)];
    for (blood_pool, uptake, expected) in rows {
        let references = references(2.1, blood_pool);
        assert_eq!(score(uptake, &references, &LUGANO_MAX_3X), expected, "{uptake}");
    }
}

#[test]
fn inclusive_border_is_five() {
    let inclusive = DeauvilleConvention {
        borders: ScoreBorders::BloodPoolAndLiver { factor: 3.0, inclusive: true },
        ..LUGANO_MAX_3X
    };
    assert_eq!(score(8.4, &references(2.8, 1.6), &inclusive), 5);
    assert_eq!(score(8.39, &references(2.8, 1.6), &inclusive), 4);
}

#[test]
fn qpet_borders() {
    let rows = [(1.8, 2), (1.9, 3), (2.59, 3), (2.6, 4), (3.99, 4), (4.0, 5)];
    for (uptake, expected) in rows {
        assert_eq!(score(uptake, &references(2.0, 1.6), &QPET), expected, "{uptake}");
    }
    let result = assess(&[lesion(2.6)], &[], &references(2.0, 1.6), &Criteria::default());
    let qpet = result.qpet.unwrap();
    assert!((qpet.value - 1.3).abs() < 1e-12, "{qpet:?}");
    assert_eq!(qpet.score, DeauvilleScore::Four);
}

#[test]
fn liver_ranges_of_the_case_report() {
    use DeauvilleScore::{Five, Four, Three};
    // Uptake, convention, borders of the liver between 5, 4 and 3.
    let rows = [
        (4.0, LUGANO_MAX_2X, 2.0, 4.0),
        (4.0, LUGANO_MAX_3X, 4.0 / 3.0, 4.0),
        (7.7, LUGANO_MAX_2X, 3.85, 7.7),
        (7.7, LUGANO_MAX_3X, 7.7 / 3.0, 7.7),
    ];
    for (uptake, convention, five, four) in rows {
        let range = |score, from, to| LiverRange { score, from, to };
        assert_eq!(
            liver_ranges(uptake, &convention),
            [range(Five, 0.0, Some(five)), range(Four, five, Some(four)), range(Three, four, None)]
        );
        assert_eq!(score(uptake, &references(five, 0.5), &convention), 4, "lower end is in");
        assert_eq!(score(uptake, &references(four, 0.5), &convention), 3, "upper end is out");
        assert_eq!(score(uptake, &references(five * 0.999, 0.5), &convention), 5);
    }
}

#[test]
fn no_score_without_references() {
    let both = references(2.8, 1.6);
    let no_liver = ReferenceUptake { liver: None, ..both };
    let no_blood_pool = ReferenceUptake { blood_pool: None, ..both };
    let zero_liver = ReferenceUptake { liver: Some(region(0.0)), ..both };
    let rows = [
        (no_liver, "LIVER_MISSING", Some(2.4 / 1.6)),
        (zero_liver, "LIVER_MISSING", Some(2.4 / 1.6)),
        (no_blood_pool, "BLOOD_POOL_MISSING", None),
        (ReferenceUptake::default(), "REFERENCES_MISSING", None),
    ];
    for (references, code, ratio) in rows {
        let Scored::NotComputable(reason) = score_uptake(&lesion(2.4), &references, &LUGANO_MAX_3X)
        else {
            panic!("{code}: scored")
        };
        assert_eq!((reason.code, reason.lesion_over_blood_pool), (code, ratio));
    }
    assert_eq!(score(3.2, &no_blood_pool, &QPET), 3, "qPET needs no blood pool");
    for (uptake, expected) in [(2.81, 4), (8.4, 4), (8.5, 5)] {
        let found = score(uptake, &no_blood_pool, &LUGANO_MAX_3X);
        assert_eq!(found, expected, "above the liver the blood pool decides nothing");
    }
    assert_eq!(score(f64::NAN, &both, &LUGANO_MAX_3X), 0);
}

#[test]
fn one_needs_nothing_or_background() {
    let around = RegionStatistics { sd: 0.2, ..region(1.0) };
    let at = |max| LesionUptake { background: Some(around), ..lesion(max) };
    let both = references(2.8, 1.6);
    let of = |lesion| score_uptake(&lesion, &both, &LUGANO_MAX_3X);
    assert_eq!(of(at(1.4)), Scored::Score(DeauvilleScore::One));
    assert_eq!(of(at(1.41)), Scored::Score(DeauvilleScore::Two));
    assert_eq!(of(lesion(0.2)), Scored::Score(DeauvilleScore::Two), "a low value is no 1");
    let empty = assess(&[], &[], &ReferenceUptake::default(), &Criteria::default());
    assert_eq!(empty.score, Scored::Score(DeauvilleScore::One));
    assert_eq!((empty.margin_percent, empty.deciding_lesion), (None, None));
}

#[test]
fn overall_result() {
    let result = assess(
        &[lesion(2.0), lesion(7.7)],
        &[lesion(9.0)],
        &references(2.8, 1.6),
        &Criteria::default(),
    );
    assert_eq!(result.score, Scored::Score(DeauvilleScore::Four));
    assert_eq!(result.deciding_lesion, Some(1));
    assert_eq!(result.if_uncertain_are_lesions, Scored::Score(DeauvilleScore::Five));
    assert_eq!(result.alternatives.len(), 3);
    // The nearest border is 3 x 2.8 = 8.4: 0.7 away.
    let margin = result.margin_percent.unwrap();
    assert!((margin - 100.0 * 0.7 / 8.4).abs() < 1e-9, "{margin}");
    assert_eq!(
        result.borderline_reasons,
        [Borderline::ConventionsDifferOnFive, Borderline::NearBorder]
    );
    assert!(result.borderline);
}

#[test]
fn unknown_site_leaves_only_five_certain() {
    let unknown = Scored::NotComputable(NotComputable::new("LESION_INVALID", "no peak"));
    let four = Scored::Score(DeauvilleScore::Four);
    let five = Scored::Score(DeauvilleScore::Five);
    assert_eq!(overall(&[four, unknown.clone()]), unknown);
    assert_eq!(overall(&[unknown, five.clone()]), five);
}

#[test]
fn written_scores() {
    use DeauvilleScore::{Five, Four, One, Three, Two};
    let rows = [
        ("IV", Some(Four), false),
        ("4", Some(Four), false),
        (" ds 4 ", Some(Four), false),
        ("DS4", Some(Four), false),
        ("DS: 2", Some(Two), false),
        ("5PS 4", Some(Four), false),
        ("5-PS 5", Some(Five), false),
        ("5", Some(Five), false),
        ("Deauville V", Some(Five), false),
        ("Deauville score I", Some(One), false),
        ("Deauville X", None, true),
        ("X", None, true),
        ("3, X", Some(Three), true),
        ("III X", Some(Three), true),
        ("3X", Some(Three), true),
    ];
    for (text, score, category_x) in rows {
        assert_eq!(text.parse(), Ok(WrittenScore { score, category_x }), "{text}");
    }
    for text in ["", "0", "6", "10", "IX", "IIII", "4/5", "3 4", "X X", "DS", "VI", "4.0", "é"] {
        assert_eq!(text.parse::<WrittenScore>(), Err(NotAScore(text.into())), "{text}");
    }
}

proptest! {
    #[test]
    fn written_score_never_panics(text in "\\PC*") {
        let _ = text.parse::<WrittenScore>();
    }

    #[test]
    fn monotone_in_lesion_antitone_in_liver(
        a in 0.01_f64..40.0, b in 0.01_f64..40.0,
        liver in 0.1_f64..6.0, other in 0.1_f64..6.0, blood_pool in 0.1_f64..3.0,
    ) {
        let (low, high) = (a.min(b), a.max(b));
        let (pale, dark) = (liver.min(other), liver.max(other));
        for convention in CONVENTIONS {
            let at = |t, l| score(t, &references(l, blood_pool), convention);
            prop_assert!(at(low, liver) <= at(high, liver), "{}", convention.name);
            // Under the rule of 2010 a liver that rises past the blood pool brings the blood pool back as a border, and
            // a score of 2 stays 2; the order holds all the way.
            prop_assert!(at(a, dark) <= at(a, pale), "{}", convention.name);
        }
    }

    #[test]
    fn overall_is_the_maximum(uptakes in prop::collection::vec(0.01_f64..40.0, 0..8)) {
        let references = references(2.8, 1.6);
        let lesions: Vec<_> = uptakes.iter().map(|t| lesion(*t)).collect();
        let result = assess(&lesions, &[], &references, &Criteria::default());
        let highest = result.sites.iter().filter_map(Scored::score).max();
        prop_assert_eq!(result.score.score(), Some(highest.unwrap_or(DeauvilleScore::One)));
    }
}
