use super::*;
use crate::criteria::{LUGANO_MAX_3X, PERCIST30, QIBA_CHANGE, VISUAL};
use crate::deauville::{self, DeauvilleResult, LesionUptake, ReferenceUptake};
use crate::response::Quantity;
use crate::statistics::RegionStatistics;
use DeauvilleScore::{Five, Four, One, Three, Two};
use ResponseCategory::{Complete, NotEvaluable, Partial, Progressive};
use proptest::prelude::*;

fn site(name: &str, from: Option<f64>, to: Option<f64>) -> KnownSite {
    let uptake = |value| SiteUptake { suv_max: value, sul_peak: None };
    KnownSite {
        name: name.into(),
        baseline: uptake(from),
        now: to.map_or(SiteNow::Resolved, |to| SiteNow::Uptake(SiteUptake::suv_max(to))),
        baseline_score: None,
        score: None,
        reader: None,
    }
}

fn pair(score: DeauvilleScore, from: f64, to: f64) -> LuganoInput {
    let input = LuganoInput::new(Scored::Score(score), vec![site("A", Some(from), Some(to))]);
    LuganoInput { marrow: Marrow::Clear, ..input }
}

fn with_new(input: LuganoInput, attribution: Attribution) -> LuganoInput {
    let lesion = NewLesion { name: "focus".into(), attribution };
    LuganoInput { new_lesions: vec![lesion], ..input }
}

/// Checks category, score and codes of reasons (in order) of one row.
fn check(
    row: &str,
    input: &LuganoInput,
    category: ResponseCategory,
    score: Option<DeauvilleScore>,
    codes: &[&str],
) {
    let call = assess(input, &Criteria::default());
    let found: Vec<_> = call.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((call.category, call.deauville.score()), (category, score), "{row}: {found:?}");
    assert_eq!(found, codes, "{row}");
}

#[test]
fn response_matrix() {
    let gone = LuganoInput { sites: vec![site("A", Some(20.0), None)], ..pair(One, 20.0, 0.0) };
    check("R1", &gone, Complete, Some(One), &["SCORE_NEGATIVE"]);
    check("R2", &pair(Three, 20.0, 2.5), Complete, Some(Three), &["SCORE_NEGATIVE", "SCORE_3"]);
    check("R3", &pair(Four, 20.0, 4.0), Partial, Some(Four), &["REDUCED_UPTAKE"]);
    check("R4", &pair(Five, 20.0, 12.0), Partial, Some(Five), &["REDUCED_UPTAKE"]);
    let none = ResponseCategory::None;
    check("R5", &pair(Five, 20.0, 18.0), none, Some(Five), &["NO_SIGNIFICANT_CHANGE"]);
    check("R6", &pair(Five, 10.0, 13.0), Progressive, Some(Five), &["INCREASED_UPTAKE"]);
    check("R7", &pair(Four, 3.2, 4.0), none, Some(Four), &["NO_SIGNIFICANT_CHANGE"]);
}

#[test]
fn response_matrix_new_foci() {
    let clear =
        || LuganoInput { marrow: Marrow::Clear, ..LuganoInput::new(Scored::Score(Two), vec![]) };
    let new = |attribution| with_new(clear(), attribution);
    check("R8", &new(Attribution::Lymphoma), Progressive, Some(Five), &["NEW_LESION"]);
    let codes = ["SCORE_NEGATIVE", "CATEGORY_X"];
    check("R9", &new(Attribution::Unrelated), Complete, Some(Two), &codes);
    let codes = ["SCORE_NEGATIVE", "CATEGORY_X", "RECOMMEND_BIOPSY_OR_INTERVAL_SCAN"];
    check("R10", &new(Attribution::Uncertain), Complete, Some(Two), &codes);
    let mixed = LuganoInput {
        sites: vec![site("A", Some(20.0), Some(4.0)), site("B", Some(5.0), Some(9.0))],
        ..pair(Four, 0.0, 0.0)
    };
    check("R11", &mixed, Progressive, Some(Four), &["INCREASED_UPTAKE", "MIXED_RESPONSE"]);
    let call = assess(&mixed, &Criteria::default());
    assert_eq!(call.reasons[0].text, "B rose from 5.00 to 9.00 (rule pct25)");
    assert!(assess(&new(Attribution::Unrelated), &Criteria::default()).category_x);
}

#[test]
fn response_matrix_marrow() {
    let marrow = |marrow| LuganoInput { marrow, ..pair(Two, 20.0, 1.5) };
    let codes = ["REACTIVE_MARROW", "SCORE_NEGATIVE"];
    check("R12", &marrow(Marrow::DiffuseReactive), Complete, Some(Two), &codes);
    let codes = ["FOCAL_MARROW_RESIDUAL", "RECOMMEND_MRI_BIOPSY_OR_INTERVAL_SCAN"];
    check("R13", &marrow(Marrow::FocalResidual), Partial, Some(Two), &codes);
    assert!(assess(&marrow(Marrow::FocalResidual), &Criteria::default()).provisional);
    let codes = ["NEW_MARROW_FOCUS", "MIXED_RESPONSE"];
    check("R14", &marrow(Marrow::NewFocus), Progressive, Some(Five), &codes);
    let unchanged = LuganoInput { marrow: Marrow::FocalUnchanged, ..pair(Four, 20.0, 4.0) };
    check("step 6", &unchanged, ResponseCategory::None, Some(Four), &["MARROW_UNCHANGED"]);
}

#[test]
fn response_matrix_what_is_missing() {
    let no_baseline =
        LuganoInput { has_baseline: false, ..LuganoInput::new(Scored::Score(Four), vec![]) };
    check("R15", &no_baseline, NotEvaluable, Some(Four), &["BASELINE_MISSING"]);
    let invalid = NotComputable::new("LIVER_MISSING", "the liver is not a valid reference");
    let no_liver = LuganoInput { score: Scored::NotComputable(invalid), ..pair(Four, 20.0, 4.0) };
    check("R17", &no_liver, NotEvaluable, None, &["SCORE_NOT_COMPUTABLE"]);
    let new = with_new(no_liver, Attribution::Lymphoma);
    check("R17, new", &new, Progressive, Some(Five), &["NEW_LESION", "MIXED_RESPONSE"]);
    let unmeasured = LuganoInput::new(Scored::Score(Four), vec![site("A", None, Some(4.0))]);
    check("no baseline value", &unmeasured, NotEvaluable, Some(Four), &["CHANGE_NOT_COMPUTABLE"]);
}

/// A pair of the case report: acute leukaemia, no acquisition data.
fn case(input: LuganoInput) -> LuganoInput {
    LuganoInput {
        histology: Histology::OffLabel("acute lymphoblastic leukaemia".into()),
        quality: Some(Verdict::InsufficientInformation),
        ..input
    }
}

const ALWAYS: [&str; 2] = ["CRITERIA_OFF_LABEL", "QUALITY_UNKNOWN"];

#[test]
fn case_report_patient_1() {
    let slightly_reduced = KnownSite {
        reader: Some(Change::Reduced),
        now: SiteNow::Uptake(SiteUptake::default()),
        baseline_score: Some(Five),
        ..site("pancreas", Some(32.0), None)
    };
    let skeleton = KnownSite { baseline_score: Some(Four), ..site("skeleton", None, None) };
    let t1 = LuganoInput::new(Scored::Score(Five), vec![slightly_reduced, skeleton]);
    let t1 = case(with_new(t1, Attribution::Lymphoma));
    let codes = [&ALWAYS[..], &["NEW_LESION", "MIXED_RESPONSE"]].concat();
    check("P1 T0->T1", &t1, Progressive, Some(Five), &codes);

    let resolved = vec![site("pancreas", Some(32.0), None), site("skeleton", None, None)];
    let t2 = case(LuganoInput {
        marrow: Marrow::Clear,
        ..LuganoInput::new(Scored::Score(One), resolved)
    });
    let codes = [&ALWAYS[..], &["SCORE_NEGATIVE"]].concat();
    check("P1 T0->T2", &t2, Complete, Some(One), &codes);
    // Resolved is not -100 % of an unmeasured value.
    assert_eq!(assess(&t2, &Criteria::default()).change_percent, None);
}

#[test]
fn case_report_patient_2() {
    let reader = KnownSite {
        reader: Some(Change::Reduced),
        now: SiteNow::Uptake(SiteUptake::default()),
        ..site("hottest", Some(7.7), None)
    };
    let t1 = case(LuganoInput::new(Scored::Score(Four), vec![reader]));
    let codes = [&ALWAYS[..], &["REDUCED_UPTAKE"]].concat();
    check("P2 T0->T1", &t1, Partial, Some(Four), &codes);

    let t2 = || LuganoInput::new(Scored::Score(Four), vec![site("gastric", Some(7.7), Some(4.0))]);
    let unlisted = case(with_new(t2(), Attribution::NotListedAtBaseline));
    let codes = [&ALWAYS[..], &["REDUCED_UPTAKE", "NEW_SITE_UNVERIFIED"]].concat();
    check("P2 T0->T2", &unlisted, Partial, Some(Four), &codes);
    let percent = assess(&unlisted, &Criteria::default()).change_percent.unwrap();
    assert_eq!(format!("{percent:.2}"), "-48.05");

    let new = case(with_new(t2(), Attribution::Lymphoma));
    let codes = [&ALWAYS[..], &["NEW_LESION", "MIXED_RESPONSE"]].concat();
    check("P2 T0->T2, new", &new, Progressive, Some(Five), &codes);
}

#[test]
fn barriers_and_remarks() {
    let blocked = LuganoInput {
        quality: Some(Verdict::NotAssessable),
        ..with_new(pair(Four, 20.0, 4.0), Attribution::Lymphoma)
    };
    check("another patient", &blocked, NotEvaluable, Some(Four), &["NOT_COMPARABLE"]);
    let sizes = LuganoInput { histology: Histology::NotAvid, ..pair(Two, 20.0, 1.0) };
    check("not avid", &sizes, NotEvaluable, Some(Two), &["NOT_FDG_AVID"]);
    let unseen = KnownSite { now: SiteNow::OutOfField, ..site("thigh", Some(30.0), None) };
    let mut negative = pair(Two, 20.0, 1.5);
    negative.sites.push(unseen.clone());
    let codes = ["SITE_OUT_OF_FIELD", "SCORE_NEGATIVE", "CMR_NEEDS_ALL_SITES"];
    check("unseen site", &negative, NotEvaluable, Some(Two), &codes);
    // The unseen site was the hottest: it must not make the others look reduced.
    let mut residual = pair(Five, 20.0, 18.0);
    residual.sites.push(unseen);
    let codes = ["SITE_OUT_OF_FIELD", "NO_SIGNIFICANT_CHANGE"];
    check("unseen hottest", &residual, ResponseCategory::None, Some(Five), &codes);
}

#[test]
fn relapse_is_judged_against_the_nadir() {
    let after_complete = |nadir| LuganoInput {
        prior: Some(Prior { best: Complete, nadir }),
        ..pair(Four, 20.0, 4.0)
    };
    let relapse = ["RELAPSE_AFTER_CMR"];
    let from = |value| after_complete(Hottest::Uptake(value));
    let none = after_complete(Hottest::NoLesion);
    check("nothing left", &none, Progressive, Some(Four), &relapse);
    check("from 1.5", &from(1.5), Progressive, Some(Four), &relapse);
    check("from 3.9", &from(3.9), Partial, Some(Four), &["REDUCED_UPTAKE"]);
    // The lowest was not measured: that says nothing of a relapse, and is told.
    let unknown = after_complete(Hottest::Unknown);
    let codes = ["RELAPSE_NOT_JUDGED", "REDUCED_UPTAKE"];
    check("not measured", &unknown, Partial, Some(Four), &codes);
}

#[test]
fn the_lowest_so_far_is_known_only_where_each_scan_is() {
    let prior = |scans: &[Hottest]| {
        Prior::of([Complete, Partial].into_iter(), scans.iter().copied()).unwrap()
    };
    let (ten, two) = (Hottest::Uptake(10.0), Hottest::Uptake(2.0));
    assert_eq!(prior(&[ten, two]), Prior { best: Complete, nadir: two });
    assert_eq!(prior(&[ten, Hottest::Unknown, two]).nadir, Hottest::Unknown);
    assert_eq!(prior(&[ten, Hottest::Unknown, Hottest::NoLesion]).nadir, Hottest::NoLesion);
    assert_eq!(Prior::of(std::iter::empty(), [ten].into_iter()), None);
}

#[test]
fn fall_from_five_to_four_is_reduced() {
    let mut input = pair(Four, 5.0, 4.0);
    check("by 20 %", &input, ResponseCategory::None, Some(Four), &["NO_SIGNIFICANT_CHANGE"]);
    input.sites[0].baseline_score = Some(Five);
    check("5 to 4", &input, Partial, Some(Four), &["REDUCED_UPTAKE"]);
}

#[test]
fn change_rules_at_their_borders() {
    use Change::{Increased, Reduced, Unchanged};
    let rows = [
        (Criteria::default().change, 20.0, 15.0, Reduced),
        (Criteria::default().change, 20.0, 15.001, Unchanged),
        (Criteria::default().change, 4.0, 5.0, Increased),
        (Criteria::default().change, 3.2, 4.0, Unchanged),
        (PERCIST30, 3.0, 2.1, Reduced),
        (PERCIST30, 2.8, 1.9, Reduced),
        (PERCIST30, 2.4, 1.65, Unchanged),
        (PERCIST30, 2.4, 1.6, Reduced),
        (PERCIST30, 4.0, 5.2, Unchanged),
        (PERCIST30, 4.0, 5.21, Increased),
        (QIBA_CHANGE, 10.0, 7.2, Reduced),
        (QIBA_CHANGE, 10.0, 7.21, Unchanged),
        (QIBA_CHANGE, 10.0, 13.9, Increased),
        (QIBA_CHANGE, 10.0, 13.89, Unchanged),
    ];
    for (rule, from, to, expected) in rows {
        assert_eq!(rule.change(from, to), Some(expected), "{} {from} {to}", rule.name);
    }
    assert_eq!(VISUAL.change(4.0, 1.0), None);
    assert_eq!(QIBA_CHANGE.change(0.0, 1.0), None);
}

#[test]
fn criteria_by_name() {
    let criteria = Criteria::by_name("lugano-max-2x,visual,positive-from=3").unwrap();
    assert_eq!(criteria.convention.name, "lugano-max-2x");
    assert_eq!((criteria.change.name, criteria.positive_from), ("visual", Three));
    assert_eq!(Criteria::default().convention, LUGANO_MAX_3X);
    let message = Criteria::by_name("recist").unwrap_err().to_string();
    assert!(message.contains("recist") && message.contains("max-over-mean-2x"), "{message}");
    for name in Criteria::names() {
        assert!(Criteria::by_name(&name).is_ok(), "{name}");
    }
}

#[test]
fn positive_from_three() {
    let criteria = Criteria::by_name("positive-from=3").unwrap();
    let call = assess(&pair(Three, 20.0, 2.5), &criteria);
    assert_eq!(call.category, Partial);
}

/// From the best call; what is not evaluable has no place.
fn rank(category: ResponseCategory) -> Option<u8> {
    match category {
        Complete => Some(0),
        Partial => Some(1),
        ResponseCategory::None => Some(2),
        Progressive => Some(3),
        NotEvaluable => None,
    }
}

fn any_score() -> impl Strategy<Value = DeauvilleScore> {
    prop::sample::select(DeauvilleScore::ALL.to_vec())
}

fn any_sites() -> impl Strategy<Value = Vec<KnownSite>> {
    let uptake = || prop::option::of(0.5_f64..40.0);
    let site = (uptake(), uptake()).prop_map(|(from, to)| site("S", from, to));
    prop::collection::vec(site, 0..5)
}

proptest! {
    #[test]
    fn new_lymphoma_never_improves(score in any_score(), sites in any_sites()) {
        let input = LuganoInput::new(Scored::Score(score), sites);
        let before = assess(&input, &Criteria::default()).category;
        let after = assess(&with_new(input, Attribution::Lymphoma), &Criteria::default()).category;
        prop_assert!(rank(after) >= rank(before), "{before} to {after}");
    }

    #[test]
    fn equal_uptake_is_no_response_or_complete(score in any_score(), uptake in 0.5_f64..40.0) {
        let category = assess(&pair(score, uptake, uptake), &Criteria::default()).category;
        let expected = if score >= Four { ResponseCategory::None } else { Complete };
        prop_assert_eq!(category, expected);
    }
}

/// The sentences of what would change the call.
fn statements(input: &LuganoInput, score: &DeauvilleResult, criteria: &Criteria) -> Vec<String> {
    sensitivity(input, score, criteria).into_iter().map(|found| found.text).collect()
}

/// A scored scan with these lesions, every statistic of a reference the same.
fn scored(lesions: &[f64], liver: f64, blood_pool: f64, criteria: &Criteria) -> DeauvilleResult {
    let region = |value| RegionStatistics {
        voxels: 100,
        volume_ml: 6.4,
        min: value,
        max: value,
        mean: value,
        sd: 0.0,
        median: value,
    };
    let references =
        ReferenceUptake { liver: Some(region(liver)), blood_pool: Some(region(blood_pool)) };
    let uptake = |max: &f64| LesionUptake { max: *max, ..LesionUptake::default() };
    let lesions: Vec<_> = lesions.iter().map(uptake).collect();
    deauville::assess(&lesions, &[], &references, criteria)
}

#[test]
fn sensitivity_of_the_case_report() {
    // The report prints neither liver nor blood pool.
    let input = LuganoInput::new(Scored::Score(Four), vec![site("gastric", Some(7.7), Some(4.0))]);
    let input = with_new(input, Attribution::NotListedAtBaseline);
    let written = deauville::written(Four, Some(4.0));
    assert_eq!(
        statements(&input, &written, &Criteria::default()),
        [
            "PMR would be CMR if the liver reference were at least 4.00 (it is not known)",
            "PMR would be NMR if the hottest uptake were above 5.78 (-25.0 %; it is 4.00)",
            "PMR would be PMD if focus were new lymphoma",
        ]
    );
}

#[test]
fn sensitivity_of_computed_scores() {
    let criteria = Criteria::default();
    let residual = scored(&[4.31], 2.8, 1.6, &criteria);
    let input = pair(residual.score.score().unwrap(), 4.5, 4.31);
    assert_eq!(
        statements(&input, &residual, &criteria),
        [
            "NMR would be CMR if the liver reference were at least 4.31 (it is 2.80)",
            "NMR would be CMR if the deciding uptake were at most 2.80 (it is 4.31)",
            "NMR would be PMR if the hottest uptake were at most 3.38 (-25.0 %; it is 4.31)",
            "NMR would be PMD if the hottest uptake were at least 5.62 (+25.0 %; it is 4.31)",
        ]
    );
    let complete = scored(&[2.5], 2.8, 1.6, &criteria);
    assert_eq!(
        statements(&pair(Three, 20.0, 2.5), &complete, &criteria),
        [
            "CMR would be PMR if the liver reference were below 2.50 (it is 2.80)",
            "CMR would be PMR if the deciding uptake were above 2.80 (it is 2.50)",
        ]
    );
    // Two lesions above the liver: the hottest alone cannot make the scan negative.
    let two = scored(&[4.0, 3.5], 2.8, 1.6, &criteria);
    let mut input = pair(Four, 20.0, 4.0);
    input.sites.push(site("B", Some(10.0), Some(3.5)));
    let found = statements(&input, &two, &criteria);
    assert!(found.iter().all(|text| !text.contains("deciding uptake")), "{found:?}");
}

#[test]
fn sensitivity_statements_hold() {
    // Putting the border's value into the rules gives the call that the statement promises.
    let criteria = Criteria::default();
    for (from, to, liver) in [(20.0, 4.0, 2.8), (4.5, 4.3, 2.0), (20.0, 2.5, 2.8), (9.0, 8.0, 2.8)]
    {
        let score = scored(&[to], liver, 1.2, &criteria);
        let input = pair(score.score.score().unwrap(), from, to);
        for found in sensitivity(&input, &score, &criteria) {
            let border = found.flips_at.unwrap();
            let beyond = [border * 0.999, border * 1.001].map(|value| {
                let (lesion, liver) = match found.quantity {
                    Quantity::LiverReference => (to, value),
                    _ => (value, liver),
                };
                let score = scored(&[lesion], liver, 1.2, &criteria).score.score().unwrap();
                assess(&pair(score, from, lesion), &criteria).category
            });
            assert!(beyond.contains(&found.category), "{}: {beyond:?}", found.text);
            assert!(beyond.iter().any(|category| *category != found.category), "{}", found.text);
        }
    }
}
