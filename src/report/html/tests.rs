use super::*;
use crate::criteria::{LUGANO_MAX_3X, LesionStatistic, ReferenceStatistic};
use crate::deauville::{DeauvilleScore, NotComputable, Scored};
use crate::diagnostic::Warning;
use crate::report::score::{
    DeauvilleDocument, LesionDocument, ReferenceDocument, References, ScoreDocument,
    SetAsideDocument, TotalsDocument,
};
use crate::report::suv::{ClockDocument, DecayFactorDocument, SeriesHead, SuvNumbers};
use crate::suv::{DecayFactorForm, Input, ReferenceRule};

/// What a header may hold: marks of HTML, and a control character.
const NASTY: &str = "<b>&\"'</style><script>alert(1)</script>\u{1b}";

fn reference() -> ReferenceDocument {
    ReferenceDocument {
        status: "ok",
        method: Some("automatic_ct"),
        centre_mm: Some([-60.0, 12.0, -300.0]),
        volume_ml: Some(14.1),
        voxels: Some(1000),
        suv_mean: Some(2.31),
        suv_sd: Some(0.2),
        suv_max: Some(2.91),
        suv_median: Some(2.3),
        reasons: vec!["in the right lobe".into()],
        decided_by: "proposed",
    }
}

fn lesion() -> LesionDocument {
    LesionDocument {
        id: 7,
        class: "lesion",
        site: "mediastinum",
        site_snomed: "72410000",
        reason: NASTY.into(),
        decided_by: "reader",
        centroid_mm: [1.0, 2.0, 3.0],
        hottest_mm: [1.0, 2.0, 3.0],
        voxels: 12,
        suv_max: 5.318,
        suv_mean: 3.0,
        suv_peak: 4.4,
        volume_ml: 6.5,
        tlg_g: 19.5,
        deauville: Scored::Score(DeauvilleScore::Four),
        below_threshold: true,
        divided: false,
        suv_peak_truncated: false,
    }
}

/// A document whose every text from outside is [`NASTY`].
fn document() -> ScoreDocument {
    let nasty = || NASTY.to_owned();
    ScoreDocument {
        patient: None,
        series: SeriesHead {
            series_uid: nasty(),
            description: nasty(),
            manufacturer: nasty(),
            model: nasty(),
            units: Some(nasty()),
            shape: Some([10, 20, 30]),
            spacing_mm: Some([3.0, 4.0, 4.0]),
        },
        ct_series_uid: Some(nasty()),
        set_aside: vec![SetAsideDocument {
            series_uid: nasty(),
            description: nasty(),
            reason: nasty(),
        }],
        suv: SuvNumbers {
            kind: "bw",
            unit: "g/mL",
            factor_min: 2e-4,
            factor_max: 2e-4,
            min: Some(0.0),
            max: Some(9.0),
            mean: Some(0.3),
            statistics_reason: None,
            body_mean: None,
            body_mean_reason: Some(nasty()),
        },
        clock: ClockDocument {
            rule: ReferenceRule::SeriesTime,
            reference_time: None,
            injection_time: None,
            uptake_minutes: None,
            uptake_minutes_reason: Some(nasty()),
            why: nasty(),
        },
        decay_factor: DecayFactorDocument {
            form: DecayFactorForm::None,
            max_relative_deviation: None,
            max_relative_deviation_reason: None,
        },
        inputs: vec![Input {
            name: "PatientWeight".into(),
            tag: "(0010,1030)".into(),
            as_read: nasty(),
            used: nasty(),
            edited: true,
        }],
        edited: true,
        decisions: None,
        references: References { liver: reference(), blood_pool: reference() },
        lesions: vec![lesion()],
        deauville: deauville(),
        qpet: None,
        totals: TotalsDocument {
            lesions: 1,
            uncertain: 0,
            tmtv_ml: 0.0,
            tlg_g: 0.0,
            dmax_mm: None,
            sdmax_per_m: None,
            sdmax_reason: None,
        },
        threshold: "SUV 4.0".into(),
        threshold_suv: Some(4.0),
        files: vec![nasty()],
        warnings: vec![Warning::new("CODE", NASTY)],
    }
}

fn deauville() -> DeauvilleDocument {
    DeauvilleDocument {
        score: Scored::Score(DeauvilleScore::Four),
        score_reason: None,
        convention: LUGANO_MAX_3X.name,
        liver_statistic: ReferenceStatistic::Max,
        lesion_statistic: LesionStatistic::Max,
        liver: Some(2.91),
        blood_pool: Some(2.0),
        deciding_uptake: Some(5.318),
        alternatives: Vec::new(),
        if_uncertain_are_lesions: Scored::Score(DeauvilleScore::Four),
        borderline: false,
        borderline_reasons: Vec::new(),
        margin_percent: None,
        residual_suv_peak: Vec::new(),
        over_placements: None,
    }
}

#[test]
fn texts_from_headers_cannot_become_marks() {
    let mut document = document();
    document.patient =
        Some(PatientDocument { name: NASTY.into(), id: NASTY.into(), birth_date: None, sex: None });
    let page = score_page(&document, &ScanPictures::default(), Viewer::None);
    let escaped = "&lt;b&gt;&amp;&quot;'&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;?";
    // Patient twice, series five times, CT, set aside three times, body mean, clock twice, inputs twice, reason of the
    // lesion, file, warning.
    assert_eq!(page.matches(escaped).count(), 19, "{page}");
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains('\u{1b}'));
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn the_top_says_what_decides() {
    let mut document = document();
    let decided = |document: &ScoreDocument| {
        let page = score_page(document, &ScanPictures::default(), Viewer::None);
        let line = page.split("<p class=\"line\">").nth(1).unwrap();
        line.split("</p>").next().unwrap().to_owned()
    };
    assert_eq!(
        decided(&document),
        "Decided by SUVmax 5.32 of lesion 7 (mediastinum); liver SUVmax 2.91, blood pool 2.00."
    );
    document.deauville.deciding_uptake = Some(6.0);
    assert!(decided(&document).contains("6.00 of a site of earlier disease;"));
    document.lesions.clear();
    document.totals.lesions = 0;
    document.deauville.deciding_uptake = None;
    assert!(decided(&document).starts_with("No lesion; "));
}

#[test]
fn without_a_score_the_reason_stands_at_the_top() {
    let mut document = document();
    document.deauville.score =
        Scored::NotComputable(NotComputable::new("LIVER_MISSING", "no liver"));
    document.deauville.score_reason = Some("no liver".into());
    document.deauville.liver = None;
    document.references.liver.status = "refused";
    let page = score_page(&document, &ScanPictures::default(), Viewer::None);
    assert!(page.contains("<h1>Deauville score not computable, convention "), "{page}");
    assert!(page.contains("<p>no liver</p>") && page.contains("liver SUVmax not known"));
    assert!(page.contains("\u{2717}</span> refused"));
}

#[test]
fn the_patient_is_named_where_the_document_names_one() {
    let mut document = document();
    assert!(!score_page(&document, &ScanPictures::default(), Viewer::None).contains("Patient "));
    document.patient = Some(PatientDocument {
        name: "DOE^JANE".into(),
        id: "4711".into(),
        birth_date: Some("1970-01-02".into()),
        sex: Some("F"),
    });
    let page = score_page(&document, &ScanPictures::default(), Viewer::None);
    for text in ["DOE^JANE", "4711", "1970-01-02"] {
        assert_eq!(page.matches(text).count(), 1, "{text}");
    }
}

#[test]
fn pictures_are_in_the_page() {
    let pictures = ScanPictures { liver: Some(b"Man".to_vec()), ..ScanPictures::default() };
    let page = score_page(&document(), &pictures, Viewer::None);
    // RFC 4648 and RFC 2045 know this word.
    assert_eq!(page.matches("src=\"data:image/png;base64,TWFu\"").count(), 1);
    assert_eq!(page.matches("<img").count(), 1);
}

/// The colours of the style: for each scheme its names with their values.
fn schemes() -> Vec<Vec<(String, [f64; 3])>> {
    let colour = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let byte = |n: usize| f64::from(u8::from_str_radix(&value[n..n + 2], 16).unwrap());
        Some((name.to_owned(), [byte(0), byte(2), byte(4)]))
    };
    STYLE
        .split(":root {")
        .skip(1)
        .map(|block| block.split('}').next().unwrap().lines().filter_map(colour).collect())
        .collect()
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|byte| {
        let share = byte / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// WCAG 2.2, success criterion 1.4.3: 4.5 to 1.
#[test]
fn every_colour_of_text_can_be_read_on_every_ground() {
    let schemes = schemes();
    assert_eq!(schemes.len(), 3, "light, dark, paper");
    for scheme in schemes {
        let of = |name: &str| scheme.iter().find(|(n, _)| n == name).unwrap().1;
        for ground in ["ground", "panel"] {
            for ink in ["ink", "muted", "link", "pass", "warn", "fail"] {
                let [a, b] = [of(ground), of(ink)].map(|colour| luminance(colour) + 0.05);
                let contrast = a.max(b) / a.min(b);
                assert!(contrast >= 4.5, "{ink} on {ground}: {contrast:.2}");
            }
        }
    }
}
