use super::*;
use crate::criteria::{Criteria, LUGANO_MAX_2X};
use crate::quality::Verdict;
use crate::response::lyric::Indeterminate;
use crate::response::{MetabolicCategory, ResponseCategory};
use proptest::prelude::*;

/// Reads a table whose spaces around commas are there for the eye.
fn table(text: &str) -> Vec<Patient> {
    read(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn assessed(text: &str) -> PatientAssessment {
    let patients = table(text);
    assert_eq!(patients.len(), 1, "{text}");
    assess(&patients[0], &Criteria::default())
}

fn codes(pair: &VisitPair) -> Vec<&'static str> {
    pair.lugano.reasons.iter().map(|reason| reason.code).collect()
}

/// The columns of the response matrix.
const MATRIX: &str = "visit,deauville,suv_max,sites,new_lesions,new_lesion_sites,marrow,disease";

/// Checks category, score and codes of a follow-up. Every row has `QUALITY_UNKNOWN`: a table of uptake says nothing of the scans.
fn check(name: &str, rows: &str, category: &str, score: Option<u8>, expected: &[&str]) {
    let found = assessed(&format!("{MATRIX}\n{rows}"));
    let call = found.pairs.last().unwrap();
    let codes = codes(call);
    assert_eq!(codes[0], "QUALITY_UNKNOWN", "{name}");
    assert_eq!(codes[1..], *expected, "{name}");
    assert_eq!(call.lugano.category.abbreviation(), category, "{name}");
    assert_eq!(call.lugano.deauville.score().map(u8::from), score, "{name}");
    assert_eq!(call.comparability.verdict, Verdict::InsufficientInformation, "{name}");
}

#[test]
fn response_matrix() {
    type Row<'a> = (&'a str, &'a str, &'a str, Option<u8>, &'a [&'a str]);
    let rows: [Row<'_>; 16] = [
        ("R1", "T0,,20,,,,,\nT1,1,,,no,,clear,", "CMR", Some(1), &["SCORE_NEGATIVE"]),
        ("R2", "T0,,20,,,,,\nT1,3,2.5,,no,,clear,", "CMR", Some(3), &["SCORE_NEGATIVE", "SCORE_3"]),
        ("R3", "T0,,20,,,,,\nT1,4,4,,no,,clear,", "PMR", Some(4), &["REDUCED_UPTAKE"]),
        ("R4", "T0,,20,,,,,\nT1,5,12,,no,,clear,", "PMR", Some(5), &["REDUCED_UPTAKE"]),
        ("R5", "T0,,20,,,,,\nT1,5,18,,no,,clear,", "NMR", Some(5), &["NO_SIGNIFICANT_CHANGE"]),
        ("R6", "T0,,10,,,,,\nT1,5,13,,no,,clear,", "PMD", Some(5), &["INCREASED_UPTAKE"]),
        ("R7", "T0,,3.2,,,,,\nT1,4,4.0,,no,,clear,", "NMR", Some(4), &["NO_SIGNIFICANT_CHANGE"]),
        ("R8", "T0,,,,,,,\nT1,2,,,yes,,clear,", "PMD", Some(5), &["NEW_LESION"]),
        (
            "R9",
            "T0,,,,,,,\nT1,2,,,yes,lung = infection,clear,",
            "CMR",
            Some(2),
            &["SCORE_NEGATIVE", "CATEGORY_X"],
        ),
        (
            "R10",
            "T0,,,,,,,\nT1,2,,,uncertain,lung,clear,",
            "CMR",
            Some(2),
            &["SCORE_NEGATIVE", "CATEGORY_X", "RECOMMEND_BIOPSY_OR_INTERVAL_SCAN"],
        ),
        (
            "R11",
            "T0,,,A = @20; B = @5,,,,\nT1,4,,A = @4; B = @9,no,,clear,",
            "PMD",
            Some(4),
            &["INCREASED_UPTAKE", "MIXED_RESPONSE"],
        ),
        (
            "R12",
            "T0,,20,,,,,\nT1,2,1.5,,no,,diffuse reactive,",
            "CMR",
            Some(2),
            &["REACTIVE_MARROW", "SCORE_NEGATIVE"],
        ),
        (
            "R13",
            "T0,,20,,,,,\nT1,2,1.5,,no,,focal residual,",
            "PMR",
            Some(2),
            &["FOCAL_MARROW_RESIDUAL", "RECOMMEND_MRI_BIOPSY_OR_INTERVAL_SCAN"],
        ),
        (
            "R14",
            "T0,,20,,,,,\nT1,2,1.5,,no,,new focus,",
            "PMD",
            Some(5),
            &["NEW_MARROW_FOCUS", "MIXED_RESPONSE"],
        ),
        ("R17", "T0,,20,,,,,\nT1,,4,,no,,clear,", "NE", None, &["SCORE_NOT_COMPUTABLE"]),
        ("not avid", "T0,,20,,,,,MZL\nT1,2,1,,no,,clear,MZL", "NE", Some(2), &["NOT_FDG_AVID"]),
    ];
    for (name, rows, category, score, codes) in rows {
        check(name, rows, category, score, codes);
    }
}

#[test]
fn a_baseline_alone_has_a_score_and_no_call() {
    let found = assessed("visit,deauville\nT1,DS 4\n");
    assert_eq!(found.scores[0].result.score.score().map(u8::from), Some(4));
    assert!(found.pairs.is_empty() && !found.is_called(0));
    assert_eq!(found.warnings[0].code, "ONE_VISIT");
}

#[test]
fn scores_from_what_is_printed() {
    // D-1 to D-9 (liver 2.8, blood pool 1.6), and D-10: uptake, by twice and by three times the liver.
    let rows = [
        ("1.60,2.8,1.6", 2, 2),
        ("2.20,2.8,1.6", 3, 3),
        ("2.80,2.8,1.6", 3, 3),
        ("2.81,2.8,1.6", 4, 4),
        ("5.60,2.8,1.6", 4, 4),
        ("5.61,2.8,1.6", 5, 4),
        ("7.70,2.8,1.6", 5, 4),
        ("32.0,2.8,1.6", 5, 5),
        ("8.40,2.8,1.6", 5, 4),
        ("2.0,2.1,2.4", 2, 2),
        ("2.1,2.1,2.4", 3, 3),
        ("2.3,2.1,2.4", 4, 4),
    ];
    for (row, twice, thrice) in rows {
        let patients =
            table(&format!("visit,suv_max,liver_suv_max,blood_pool_suv_max\nT0,{row}\n"));
        let default = Criteria::default();
        let by_two = Criteria { convention: LUGANO_MAX_2X, ..default };
        for (criteria, expected) in [(by_two, twice), (default, thrice)] {
            let found = assess(&patients[0], &criteria);
            let score = found.scores[0].result.score.score().map(u8::from);
            assert_eq!(score, Some(expected), "{row} by {}", criteria.convention.name);
        }
    }
    // D-2 by the means of the same scan, 2.8 / 1.38.
    let means = "visit,suv_max,liver_suv_mean,blood_pool_suv_mean\nT0,2.20,2.03,1.2\n";
    let criteria = Criteria::by_name("max-over-mean-2x").unwrap();
    let found = assess(&table(means)[0], &criteria);
    assert_eq!(found.scores[0].result.score.score().map(u8::from), Some(4));
    // By the default, whose liver is SUVmax, the means say nothing.
    assert_eq!(assessed(means).scores[0].result.score.score(), None);
}

#[test]
fn the_readers_score_stands_and_differences_are_told() {
    let found = assessed(
        "visit,deauville,suv_max,liver_suv_max,blood_pool_suv_max\nT0,V,20,2.8,1.6\nT1,IV,2.5,2.8,1.6\n",
    );
    let score = &found.scores[1];
    assert_eq!(
        (score.result.convention, score.result.score.score().map(u8::from)),
        ("written", Some(4))
    );
    assert_eq!(score.computed_otherwise.map(u8::from), Some(3));
    let codes: Vec<_> = found.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["WRITTEN_SCORE_DIFFERS"], "V and 20 / 2.8 agree");
    // The highest of the sites where the scan has none of its own.
    let found = assessed("visit,sites\nT0,pancreas = V @32; spleen = IV; bone = DS 4\n");
    assert_eq!(found.scores[0].result.score.score().map(u8::from), Some(5));
    assert_eq!(found.scores[0].hottest, Hottest::Unknown, "spleen and bone may be hotter");
}

#[test]
fn what_is_not_stated_is_no_response() {
    // Category by Lugano and by EORTC.
    let rows = [
        ("T1,,1.0,", "NE", MetabolicCategory::NotEvaluable, "NEW_LESIONS_NOT_STATED"),
        ("T1,5,1.0,", "NE", MetabolicCategory::NotEvaluable, "NEW_LESIONS_NOT_STATED"),
        ("T1,5,30,", "PMD", MetabolicCategory::Progressive, "INCREASED_UPTAKE"),
        // A reader's score below 5 says that nothing new is disease.
        ("T1,4,4,", "PMR", MetabolicCategory::Partial, "REDUCED_UPTAKE"),
        ("T1,5,,no", "NE", MetabolicCategory::NotEvaluable, "CHANGE_NOT_COMPUTABLE"),
        // From 5 to 4 is a reduction without numbers.
        ("T1,4,,no", "PMR", MetabolicCategory::NotEvaluable, "REDUCED_UPTAKE"),
    ];
    for (row, category, eortc, code) in rows {
        let found = assessed(&format!("visit,deauville,suv_max,new_lesions\nT0,5,20,\n{row}\n"));
        let pair = &found.pairs[0];
        assert_eq!(pair.lugano.category.abbreviation(), category, "{row}");
        assert_eq!(pair.eortc.category, eortc, "{row}");
        assert!(codes(pair).contains(&code), "{row}: {:?}", codes(pair));
        assert_eq!(found.is_called(0), category != "NE", "{row}");
    }
}

#[test]
fn a_new_focus_at_a_known_site_is_new() {
    let head = "visit,sites,deauville,new_lesions,new_lesion_sites";
    let found = |rows: &str| assessed(&format!("{head}\n{rows}\n"));
    let again = found("T0,neck = V @12,V,,\nT1,neck = resolved,II,yes,neck");
    assert_eq!(again.pairs[0].lugano.category.abbreviation(), "PMD");
    // Told of again at the next visit it is no newer than that; against the baseline it is.
    let told =
        found("T0,neck = V @12,V,,\nT1,neck = V @12,V,yes,liver\nT2,neck = V @12,V,yes,liver");
    let new = |n: usize| codes(&told.pairs[n]).contains(&"NEW_LESION");
    assert_eq!([new(0), new(1), new(2)], [true, true, false]);
}

#[test]
fn a_site_without_a_score_may_be_the_highest() {
    let score = |sites: &str| {
        let found = assessed(&format!("visit,sites\nT0,{sites}\n"));
        found.scores[0].result.score.score().map(u8::from)
    };
    assert_eq!(score("neck = II; spleen = @19"), None);
    assert_eq!(score("neck = V; spleen = @19"), Some(5));
    assert_eq!(score("neck = II; spleen = resolved"), Some(2));
    assert_eq!(score("neck = II; spleen = IV"), Some(4));
}

#[test]
fn rules_by_the_peak_judge_a_relapse_by_the_peak() {
    let table = table(
        "visit,deauville,suv_max,sul_peak,new_lesions\nT0,V,20,14,\nT1,II,2.5,1.8,no\nT2,IV,4,2.9,no\n",
    );
    let by_peak = assess(&table[0], &Criteria::by_name("percist30").unwrap());
    assert_eq!(by_peak.pairs[1].lugano.category.abbreviation(), "PMD", "1.8 to 2.9");
    assert!(codes(&by_peak.pairs[1]).contains(&"RELAPSE_AFTER_CMR"));
}

#[test]
fn a_longer_tumour_is_progression_by_eortc() {
    let rows = [
        ("50", "60", MetabolicCategory::Progressive, "INCREASED_SIZE"),
        ("50", "59.9", MetabolicCategory::Partial, "REDUCED_UPTAKE"),
        ("", "60", MetabolicCategory::Partial, "REDUCED_UPTAKE"),
    ];
    for (before, now, category, code) in rows {
        let head = "visit,deauville,suv_max,new_lesions,longest_dimension_mm";
        let found = assessed(&format!("{head}\nT0,5,20,,{before}\nT1,4,12,no,{now}\n"));
        let call = &found.pairs[0].eortc;
        assert_eq!((call.category, call.reasons[0].code), (category, code), "{before} {now}");
    }
}

#[test]
fn comparability_is_established_by_facts_alone() {
    let head = "patient,visit,date,deauville,suv_max,sites,new_lesions,tracer,suv_kind,suv_valid,uptake_minutes";
    let verdict = |baseline: &str, follow_up: &str| {
        assessed(&format!("{head}\n{baseline}\n{follow_up}\n")).pairs[0].comparability.verdict
    };
    let baseline = "p,T0,2024-01-02,5,20,A = @20,,FDG,bw,yes,60";
    let row = |date, tracer| format!("p,T1,{date},4,4,A = @4,no,{tracer},bw,yes,62");
    let warned = Verdict::AssessableWithWarnings;
    assert_eq!(verdict(baseline, &row("2024-03-02", "18F-FDG")), warned);
    assert_eq!(verdict(baseline, &row("2024-03-02", "PSMA-1007")), Verdict::NotAssessable);
    assert_eq!(verdict(baseline, &row("2024-03-02", "")), Verdict::InsufficientInformation);
    assert_eq!(verdict(baseline, &row("", "FDG")), Verdict::InsufficientInformation);
    let found = assessed(&format!("{head}\n{baseline}\n{}\n", row("2024-03-02", "PSMA")));
    let pair = &found.pairs[0];
    assert_eq!(pair.lugano.category, ResponseCategory::NotEvaluable);
    assert_eq!(pair.percist.category, MetabolicCategory::NotEvaluable);
    assert_eq!(pair.delta_suv_max.favourable, None);
}

#[test]
fn percist_from_printed_sul() {
    let call = |row: &str| {
        let head = "visit,new_lesions,sul_peak,liver_sul_mean,liver_sul_sd";
        let text = format!("{head}\nT0,,3.0,1.6,0.2\nT1,no,{row}\n");
        assessed(&text).pairs.remove(0).percist
    };
    assert_eq!(call("2.1,1.6,0.2").category, MetabolicCategory::Partial);
    assert_eq!(call("2.11,1.6,0.2").category, MetabolicCategory::Stable);
    assert_eq!(call("none,1.6,0.2").category, MetabolicCategory::Complete);
    assert_eq!(call(",1.6,0.2").category, MetabolicCategory::NotEvaluable);
    assert!((call("2.1,,").measurable_from.unwrap() - 2.8).abs() < 1e-12);
}

#[test]
fn sites_are_kept_over_visits() {
    let head = "visit,deauville,sites,new_lesions,new_lesion_sites";
    let pair = |rows: &str, n: usize| assessed(&format!("{head}\n{rows}")).pairs.remove(n);
    // A site that nobody listed asks; one named as new is new against the baseline, and known in the next visit.
    let rows = "T0,5,neck,,\nT1,4,neck = reduced; Groin,no,\nT2,5,neck = reduced,yes,liver\nT3,5,liver,yes,liver\n";
    assert_eq!(codes(&pair(rows, 0))[1..], ["REDUCED_UPTAKE", "NEW_SITE_UNVERIFIED"]);
    assert!(codes(&pair(rows, 1)).contains(&"NEW_LESION"), "T2 against T0");
    assert!(codes(&pair(rows, 2)).contains(&"NEW_LESION"), "T2 against T1");
    assert!(codes(&pair(rows, 3)).contains(&"NEW_LESION"), "T3 against T0");
    assert!(!codes(&pair(rows, 4)).contains(&"NEW_LESION"), "T3 against T2");
    // Nothing listed, nothing asked.
    let rows = "T0,5,,,\nT1,4,groin = reduced,no,\n";
    assert!(!codes(&pair(rows, 0)).contains(&"NEW_SITE_UNVERIFIED"));
    // A site that is not seen forbids a complete response.
    let rows = "T0,5,neck; thigh,,\nT1,2,neck = resolved; thigh = unseen,no,\n";
    assert!(codes(&pair(rows, 0)).contains(&"CMR_NEEDS_ALL_SITES"));
    // The reader's word holds against the baseline alone.
    let rows = "T0,5,neck,,\nT1,4,neck = reduced,no,\nT2,4,neck = reduced,no,\n";
    assert_eq!(pair(rows, 1).lugano.category, ResponseCategory::Partial);
    assert_eq!(pair(rows, 2).lugano.category, ResponseCategory::NotEvaluable);
}

#[test]
fn relapse_after_a_complete_response() {
    let found = assessed("visit,deauville,suv_max,new_lesions\nT0,5,20,\nT1,1,,no\nT2,4,4,no\n");
    assert_eq!(codes(&found.pairs[1])[1..], ["RELAPSE_AFTER_CMR"]);
}

#[test]
fn order_and_baseline() {
    let patients = table(
        "patient,visit,date,baseline\nb,T1,2024-05-01,\na,only,,\nb,T0,2024-02-01T08:30,yes\nb,old,2023-12-01,\n",
    );
    let names = |n: usize| -> Vec<&str> { patients[n].visits.iter().map(|v| &*v.name).collect() };
    assert_eq!(names(0), ["old", "T0", "T1"]);
    assert_eq!((names(1), patients[0].baseline), (vec!["only"], 1));
    let found = assess(&patients[0], &Criteria::default());
    assert_eq!(found.pairs.len(), 1, "what is before the baseline takes no part");
    assert_eq!((found.pairs[0].baseline, found.pairs[0].follow_up), (1, 2));
}

#[test]
fn what_spreadsheets_write() {
    let text =
        "\u{feff}visit,suv_max,sites\r\n\"T0\",7.7,\"neck, left; groin\"\r\n# a remark\r\nT1,,\r\n";
    let visits = &table(text)[0].visits;
    assert_eq!(visits[0].line, 2);
    assert_eq!(visits[0].sites[0].name.as_deref(), Some("neck, left"));
    assert_eq!((visits[1].line, visits[1].suv_max), (4, Hottest::Unknown));
}

#[test]
fn refusals_name_line_and_column() {
    let rows = [
        ("visit,suvmax\nT0,1\n", "line 1: the column \"suvmax\" is not known; rename it"),
        ("visit,visit\nT0,1\n", "line 1: the column \"visit\" stands twice"),
        ("deauville\n4\n", "line 1: there is no column \"visit\""),
        ("visit;suv_max\nT0;7,7\n", "not separated by commas"),
        ("visit\n", "has no row"),
        ("", "has no row"),
        ("visit,suv_max\nT0\n", "line 2 has 1 fields for 2 headings"),
        ("visit,suv_max\nT0,\"7,7\"\n", "line 2, column \"suv_max\": \"7,7\" is not a number"),
        ("visit,suv_max\nT0,1\nT1,-2\n", "line 3, column \"suv_max\""),
        ("visit,suv_max\nT0,NaN\n", "column \"suv_max\""),
        ("visit,uptake_minutes\nT0,13.000/uL\n", "column \"uptake_minutes\""),
        ("visit,deauville\nT0,10\n", "column \"deauville\": \"10\" is not a Deauville score"),
        ("visit,date\nT0,31.03.2024\n", "\"31.03.2024\" is no date"),
        ("visit,new_lesions\nT0,perhaps\n", "is none of yes, no, uncertain"),
        ("visit,sites\nT0,neck = hot\n", "\"hot\" says nothing of the site \"neck\""),
        ("visit,sites\nT0,neck = resolved @4\n", "has uptake and has none"),
        ("visit,sites\nT0,* = @4\n", "* stands for many sites"),
        ("visit,sites\nT0,neck; Neck\n", "stands there twice"),
        ("visit,deauville,sites\nT0,3,neck = V\n", "line 2: deauville is 3, but neck scores 5"),
        ("visit,suv_max,sites\nT0,3,neck = @4\n", "suv_max is 3, but neck has 4"),
        ("visit,new_lesions,new_lesion_sites\nT0,no,neck\n", "new lesions are described"),
        ("visit\nT0\nt0\n", "line 3: the visit \"t0\" stands in line 2 already"),
        ("visit,baseline\nT0,yes\nT1,yes\n", "line 3: the patient has two baselines"),
        ("visit,disease\nT0,ALL\nT1,DLBCL\n", "line 3: the disease \"DLBCL\" is another"),
        ("visit,date\nT0,2024-02-01\nT1,2024-01-01\nT2,\n", "line 3: the visit is dated before"),
    ];
    for (text, expected) in rows {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
        assert!(error.contains("; "), "without a remedy: {error}");
    }
    let text = "# remark\r\n\r\nvisit,suv_max\r\n\r\n# remark\r\nT0,1\r\nT1,x\r\n";
    let error = read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 7, column"), "{error}");
    assert!(read(b"visit\n\xff\n").unwrap_err().to_string().contains("not UTF-8"));
}

/// Two visits and their sizes, everything else on CT normal.
fn with_sizes(columns: &str, rows: [&str; 2], sizes: &str) -> PatientAssessment {
    let head = format!("patient,visit,spleen_mm,ct_non_target,marrow_biopsy,{columns}");
    let [first, second] = rows;
    let text =
        format!("{head}\np,T0,normal,absent,normal,{first}\np,T1,normal,absent,normal,{second}\n");
    let mut patients = table(&text);
    let sizes = format!("patient,visit,lesion,kind,role,long_mm,short_mm\n{sizes}");
    read_diameters(sizes.as_bytes(), &mut patients).unwrap_or_else(|e| panic!("{e}\n{sizes}"));
    assess(&patients[0], &Criteria::default())
}

#[test]
fn sizes_on_ct() {
    let call = |sizes: &str| {
        let found = with_sizes("deauville,suv_max,new_lesions", ["5,20,", "4,4,no"], sizes);
        found.pairs[0].ct.clone().unwrap().category.to_string()
    };
    assert_eq!(call("p,T0,neck,node,,30,20\np,T1,neck,node,,14,9\n"), "CR");
    assert_eq!(call("p,T0,neck,node,,30,20\np,T1,neck,node,target,20,15\n"), "PR");
    assert_eq!(call("p,T0,lung,extranodal,,30,20\np,T1,lung,extranodal,,too small,\n"), "PR");
    assert_eq!(call("p,T0,lung,extranodal,,30,20\np,T1,lung,extranodal,,not visible,\n"), "CR");
    assert_eq!(call("p,T0,neck,node,,30,20\np,T1,neck,node,,29,20\n"), "SD");
    assert_eq!(call("p,T0,neck,node,,24,15\np,T1,neck,node,,35,17\n"), "PD");
    assert_eq!(
        call("p,T0,neck,node,,30,20\np,T1,neck,node,,14,9\np,T1,axilla,node,new,16,9\n"),
        "PD"
    );
    assert_eq!(call("p,T0,neck,node,,30,20\n"), "NE");
}

#[test]
fn sizes_decide_where_uptake_does_not() {
    let sizes = "p,T0,neck,node,,30,20\np,T1,neck,node,,20,15\n";
    let found = with_sizes("disease,new_lesions", ["CLL,", "CLL,no"], sizes);
    assert_eq!(found.pairs[0].lugano.category, ResponseCategory::NotEvaluable);
    assert_eq!(found.pairs[0].ct.as_ref().unwrap().category.to_string(), "PR");
    assert!(found.is_called(0));
}

#[test]
fn immunotherapy() {
    let columns = "deauville,suv_max,new_lesions,immunotherapy_weeks,deteriorated";
    // SPD 400 to 640: +60 %.
    let grown = "p,T0,neck,node,,20,20\np,T1,neck,node,,32,20\n";
    let lyric =
        |row: &str, sizes: &str| with_sizes(columns, ["5,20,,,", row], sizes).pairs.remove(0).lyric;
    // R16: score 4, 20 to 4, week 6, SPD +60 %.
    let found = lyric("4,4,no,6,no", grown).unwrap();
    assert_eq!(found.indeterminate, Some(Indeterminate::EarlyGrowth));
    assert_eq!(lyric("4,4,no,13,no", grown).unwrap().indeterminate, None);
    assert_eq!(lyric("4,4,no,6,yes", grown).unwrap().reason.code, "GROWTH");
    assert_eq!(lyric("4,4,no,,", grown), None, "no immunotherapy");
    let still = "p,T0,neck,node,,20,20\np,T1,neck,node,,20,20\n";
    assert_eq!(lyric("4,4,no,6,no", still), None, "nothing progresses");
    let found = lyric("5,26,no,30,no", still).unwrap();
    assert_eq!(found.indeterminate, Some(Indeterminate::UptakeAlone));
    let found = lyric("5,4,yes,30,no", still).unwrap();
    assert_eq!(found.indeterminate, Some(Indeterminate::NewLesions));
    assert_eq!(
        lyric("5,4,yes,30,no", "p,T0,neck,node,,20,20\n").unwrap().reason.code,
        "SPD_NOT_MEASURED"
    );
}

#[test]
fn refusals_of_sizes() {
    let rows = [
        ("patient,visit,lesion,kind,long_mm,short\np,T0,a,node,20,10\n", "the column \"short\""),
        ("visit,lesion,kind\nT0,a,node\n", "there is no column \"long_mm\""),
        ("visit,lesion,kind,long_mm\nT0,a,node,20\n", "the patient of the row is not in the table"),
        ("patient,visit,lesion,kind,long_mm\np,T9,a,node,20\n", "the patient has no visit \"t9\""),
        ("patient,visit,lesion,kind,long_mm\np,T0,a,node,20\n", "short_mm is missing"),
        ("patient,visit,lesion,kind,long_mm\np,T0,a,gland,20\n", "line 2, column \"kind\""),
        ("patient,visit,lesion,kind,long_mm,short_mm\np,T0,a,node,20,30\n", "is above long_mm"),
        (
            "patient,visit,lesion,kind,long_mm,short_mm\np,T0,a,node,20,10\np,T0,A,node,20,10\n",
            "line 3: \"A\" has two sizes",
        ),
        (
            "patient,visit,lesion,kind,long_mm,short_mm\np,T0,a,node,20,10\np,T1,a,extranodal,20,10\n",
            "line 3: \"a\" is of another kind",
        ),
    ];
    for (sizes, expected) in rows {
        let mut patients = table("patient,visit\np,T0\np,T1\n");
        let error = read_diameters(sizes.as_bytes(), &mut patients).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("; "), "{sizes:?}: {error}");
    }
}

#[test]
fn every_column_is_described() {
    let page = include_str!("../../docs/visits.md");
    for name in column_names() {
        assert!(page.contains(&format!("| `{name}` |")), "docs/visits.md lacks {name}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        if let Ok(mut patients) = read(text.as_bytes()) {
            let _ = read_diameters(text.as_bytes(), &mut patients);
            for patient in &patients {
                drop(assess(patient, &Criteria::default()));
            }
        }
    }

    #[test]
    fn no_field_panics(fields in prop::collection::vec("[-0-9.,;=@*XIV a-z]{0,12}", 47)) {
        let quoted: Vec<_> = fields.iter().map(|field| format!("\"{field}\"")).collect();
        let text = format!("{}\n{}\n", column_names().join(","), quoted.join(","));
        let _ = read(text.as_bytes());
    }

    /// Here the score alone says that the response is complete; without it nothing else does.
    #[test]
    fn forgetting_never_makes_a_complete_response(forgotten in prop::collection::vec(any::<bool>(), 5)) {
        let full = ["2", "1.5", "no", "clear", "neck = resolved"];
        let kept = |fields: &[&str; 5]| {
            let field = |(field, gone): (&&str, &bool)| if *gone { "" } else { *field }.to_owned();
            fields.iter().zip(&forgotten).map(field).collect::<Vec<_>>().join(",")
        };
        let head = "visit,deauville,suv_max,new_lesions,marrow,sites";
        let text = format!("{head}\nT0,5,20,,,neck\nT1,{}\n", kept(&full));
        let category = assessed(&text).pairs[0].lugano.category;
        let scored = !forgotten[0];
        prop_assert_eq!(category == ResponseCategory::Complete, scored, "{}", text);
    }
}
