use super::checks::{nuclide_name, tracer_name};
use super::*;
use proptest::prelude::*;

/// A scan that passes every check, some days after an epoch.
fn good(day: u32) -> ScanFacts {
    let text = |value: &str| Some(value.to_owned());
    let date = NaiveDate::from_ymd_opt(2024, 3, day).unwrap();
    ScanFacts {
        series_uid: Some(format!("1.2.{day}")),
        patient_id: text("SECRET-7"),
        birth_date: NaiveDate::from_ymd_opt(1950, 1, 2),
        sex: Some(Sex::Female),
        acquired: date.and_hms_opt(10, 0, 0),
        uptake_minutes: Some(60.0),
        dose_bq: Some(300e6),
        weight_kg: Some(70.0),
        glucose_mg_dl: Some(100.0),
        earl: Some(true),
        tracer: text("FDG"),
        nuclide: text("^18^Fluorine"),
        manufacturer: text("ACME"),
        model: text("One"),
        software: text("1.0"),
        reconstruction: text("OSEM 3i21s"),
        spacing_mm: Some([3.0, 4.0, 4.0]),
        units: text("BQML"),
        decay_correction: text("START"),
        suv_kind: Some(SuvKind::BodyWeight),
        suv_valid: Some(true),
        liver_suv_mean: Some(2.0),
        liver_sul_mean: Some(1.5),
    }
}

fn seen() -> PairFacts {
    PairFacts { sites_out_of_field: Some(0) }
}

fn outcome(pair: &Comparability, id: CheckId) -> Outcome {
    pair.checks.iter().find(|check| check.id == id).unwrap().result
}

/// Compares a good baseline with a changed good follow-up.
fn changed(rules: RuleSet, change: fn(&mut ScanFacts)) -> Comparability {
    let mut follow_up = good(20);
    change(&mut follow_up);
    compare(&good(10), &follow_up, seen(), rules)
}

#[test]
fn good_pair_is_assessable() {
    for rules in RuleSet::ALL {
        let pair = compare(&good(10), &good(20), seen(), rules);
        assert_eq!(pair.verdict, Verdict::Assessable, "{pair:?}");
        assert_eq!(pair.checks.len(), 13);
    }
}

#[test]
fn nothing_known_is_insufficient() {
    for rules in RuleSet::ALL {
        let nothing = ScanFacts::default();
        let pair = compare(&nothing, &nothing, PairFacts::default(), rules);
        assert_eq!(pair.verdict, Verdict::InsufficientInformation, "{rules:?}");
        assert!(pair.checks.iter().all(|check| check.result == Outcome::Unknown), "{pair:?}");
    }
}

#[test]
fn what_blocks_a_lugano_call() {
    type Row = (CheckId, fn(&mut ScanFacts));
    let blocking: [Row; 8] = [
        (CheckId::Tracer, |scan| scan.tracer = Some("PSMA-1007".into())),
        (CheckId::Tracer, |scan| scan.nuclide = Some("Ga-68".into())),
        (CheckId::SuvStatus, |scan| scan.suv_kind = Some(SuvKind::LeanBodyMass)),
        (CheckId::SuvStatus, |scan| scan.suv_valid = Some(false)),
        (CheckId::Patient, |scan| scan.patient_id = Some("another".into())),
        (CheckId::Patient, |scan| scan.birth_date = NaiveDate::from_ymd_opt(1951, 1, 2)),
        (CheckId::DateOrder, |scan| scan.acquired = good(9).acquired),
        (CheckId::DateOrder, |scan| scan.series_uid = good(10).series_uid),
    ];
    for (id, change) in blocking {
        let pair = changed(RuleSet::LuganoLocal, change);
        assert_eq!(outcome(&pair, id), Outcome::Fail, "{id:?}");
        assert_eq!(pair.verdict, Verdict::NotAssessable, "{id:?}");
    }
}

#[test]
fn what_does_not_block_a_lugano_call() {
    use Verdict::{Assessable, AssessableWithWarnings, InsufficientInformation};
    type Row = (&'static str, Verdict, fn(&mut ScanFacts));
    let rows: [Row; 10] = [
        ("weight", AssessableWithWarnings, |scan| scan.weight_kg = Some(60.0)),
        ("no glucose", Assessable, |scan| scan.glucose_mg_dl = None),
        ("no EARL", Assessable, |scan| scan.earl = None),
        ("high glucose", AssessableWithWarnings, |scan| scan.glucose_mg_dl = Some(250.0)),
        ("late", AssessableWithWarnings, |scan| scan.uptake_minutes = Some(95.0)),
        ("uptake unknown", AssessableWithWarnings, |scan| scan.uptake_minutes = None),
        ("other scanner", AssessableWithWarnings, |scan| scan.model = Some("Two".into())),
        ("less dose", AssessableWithWarnings, |scan| scan.dose_bq = Some(200e6)),
        ("liver", AssessableWithWarnings, |scan| scan.liver_suv_mean = Some(0.9)),
        ("tracer unknown", InsufficientInformation, |scan| scan.tracer = Some("Solution".into())),
    ];
    for (row, verdict, change) in rows {
        assert_eq!(changed(RuleSet::LuganoLocal, change).verdict, verdict, "{row}");
    }
}

#[test]
fn liver_stability_at_its_borders() {
    let rows = [
        (1.50, 1.80, Outcome::Pass),
        (1.20, 1.50, Outcome::Pass),
        (1.50, 1.20, Outcome::Pass),
        (1.20, 1.51, Outcome::Fail),
        (2.40, 2.75, Outcome::Fail),
    ];
    for (from, to, expected) in rows {
        let baseline = ScanFacts { liver_sul_mean: Some(from), ..good(10) };
        let follow_up = ScanFacts { liver_sul_mean: Some(to), ..good(20) };
        let pair = compare(&baseline, &follow_up, seen(), RuleSet::Percist);
        assert_eq!(outcome(&pair, CheckId::LiverStability), expected, "{from} {to}");
    }
}

#[test]
fn uptake_by_rule_set() {
    use Outcome::{Fail, Pass, Warn};
    // Baseline, follow-up, window and difference by QIBA, by PERCIST, by the local rules.
    let rows = [
        (55.0, 65.0, [(Pass, Pass), (Pass, Pass), (Pass, Pass)]),
        (60.0, 75.0, [(Pass, Fail), (Warn, Pass), (Pass, Warn)]),
        (52.0, 60.0, [(Fail, Fail), (Pass, Pass), (Warn, Warn)]),
        (49.0, 60.0, [(Fail, Fail), (Warn, Fail), (Warn, Warn)]),
    ];
    for (from, to, expected) in rows {
        let rules = [RuleSet::Qiba, RuleSet::Percist, RuleSet::LuganoLocal];
        for (rules, expected) in rules.into_iter().zip(expected) {
            let baseline = ScanFacts { uptake_minutes: Some(from), ..good(10) };
            let follow_up = ScanFacts { uptake_minutes: Some(to), ..good(20) };
            let pair = compare(&baseline, &follow_up, seen(), rules);
            let found =
                (outcome(&pair, CheckId::UptakeWindow), outcome(&pair, CheckId::UptakeDifference));
            assert_eq!(found, expected, "{from} {to} {rules:?}");
        }
    }
}

#[test]
fn spellings_of_a_tracer() {
    for name in
        ["FDG", "F-18 FDG", "Fluorodeoxyglucose F^18^", "FDG -- fluorodeoxyglucose", "18F-FDG"]
    {
        assert_eq!(tracer_name(name).as_deref(), Some("FDG"), "{name}");
    }
    for name in ["Solution", "", "Other"] {
        assert_eq!(tracer_name(name), None, "{name}");
    }
    for name in ["^18^Fluorine", "F-18", "18F", "Fluorine-18", "F18"] {
        assert_eq!(nuclide_name(name).as_deref(), Some("f18"), "{name}");
    }
}

#[test]
fn details_carry_no_identifiers() {
    let other = ScanFacts {
        patient_id: Some("SECRET-8".into()),
        birth_date: NaiveDate::from_ymd_opt(1960, 5, 6),
        ..good(20)
    };
    for pair in [
        compare(&good(10), &other, seen(), RuleSet::LuganoLocal),
        compare(&good(10), &good(20), seen(), RuleSet::LuganoLocal),
    ] {
        for check in pair.checks {
            for secret in ["SECRET", "1950", "1960", "1.2."] {
                assert!(!check.detail.contains(secret), "{}", check.detail);
            }
        }
    }
}

/// Takes facts away, one bit each.
fn forget(scan: &mut ScanFacts, bits: u16) {
    let forgotten = |bit: u16| bits & (1 << bit) != 0;
    macro_rules! forget {
        ($($bit:literal $field:ident),*) => { $(if forgotten($bit) { scan.$field = None; })* };
    }
    forget!(
        0 patient_id, 1 birth_date, 2 acquired, 3 uptake_minutes, 4 dose_bq, 5 weight_kg,
        6 glucose_mg_dl, 7 tracer, 8 nuclide, 9 model, 10 spacing_mm, 11 suv_kind, 12 suv_valid,
        13 liver_suv_mean, 14 liver_sul_mean, 15 earl
    );
}

proptest! {
    #[test]
    fn forgetting_never_makes_a_pass(known in any::<u16>(), more in any::<u16>(), value in 0.5_f64..300.0) {
        let follow_up = ScanFacts {
            uptake_minutes: Some(value), liver_suv_mean: Some(value / 50.0), ..good(20)
        };
        for rules in RuleSet::ALL {
            let at = |bits| {
                let mut scan = follow_up.clone();
                forget(&mut scan, bits);
                compare(&good(10), &scan, seen(), rules)
            };
            let (fuller, emptier) = (at(known), at(known | more));
            for (fuller, emptier) in fuller.checks.iter().zip(&emptier.checks) {
                let passes = emptier.result == Outcome::Pass;
                prop_assert!(!passes || fuller.result == Outcome::Pass, "{:?}", emptier.id);
            }
        }
    }

    #[test]
    fn unrelated_facts_leave_unknown_unknown(glucose in 1.0_f64..400.0, dose in 1e6_f64..1e9) {
        let nothing = ScanFacts::default();
        let scan = ScanFacts { glucose_mg_dl: Some(glucose), dose_bq: Some(dose), ..nothing };
        let pair = compare(&scan, &scan, seen(), RuleSet::LuganoLocal);
        for id in [CheckId::Tracer, CheckId::Patient, CheckId::DateOrder, CheckId::UptakeWindow] {
            prop_assert_eq!(outcome(&pair, id), Outcome::Unknown);
        }
    }
}
