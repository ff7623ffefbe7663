//! Decisions on a small volume of two hills that touch, a faint one, and one below the threshold.

use glam::DVec3;

use super::*;
use crate::geometry::VolumeGeometry;
use crate::lesion::{Candidate, Finding, measure};
use crate::reference::{Reference, ReferenceKind};
use crate::segmentation::{Region, components};
use crate::volume::Volume;

/// A row of voxels of 10 mm, thick enough for spheres: 1 mL each.
const ROW: [f32; 24] = [
    0.0, 5.0, 9.0, 6.0, 5.0, 8.0, 5.0, 0.0, 0.0, 7.0, 6.0, 0.0, 0.0, 3.0, 3.5, 2.0, 1.0, 0.0, 0.0,
    2.0, 6.5, 5.0, 0.0, 0.0,
];

fn pet() -> Volume<f32> {
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 10.0);
    let geometry = VolumeGeometry::new([1, 1, ROW.len()], DVec3::ZERO, steps).unwrap();
    Volume::from_vec(geometry, ROW.to_vec())
}

/// What lies over SUV 4 in the first eleven voxels: voxels 1 to 6 and 9 to 10.
fn proposals() -> Vec<Lesion> {
    let pet = pet();
    let hot = Region::empty(pet.geometry().shape());
    let found = components(&pet, 4.0).into_iter().filter(|r| r.first().unwrap() < 12);
    let lesion = |(n, region): (usize, Region)| {
        let (whole, class) = (region.clone(), [Class::Lesion, Class::Uncertain][n]);
        let candidate = Candidate { region, whole, below_threshold: false, divided: false };
        let finding = Finding { class, site: Site::Abdomen, reason: "a test".into() };
        Lesion { id: n + 1, ..measure(&pet, &candidate, finding, &hot).unwrap() }
    };
    found.enumerate().map(lesion).collect()
}

fn binding() -> Binding {
    let settings = [("threshold", "4"), ("suv", "bw")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Binding::new(digest_of_scan(&pet(), None), settings, &proposals())
}

fn proposed() -> String {
    let none = |kind| Reference::not_found(kind, "a \"test\"".into());
    let (liver, pool) = (none(ReferenceKind::Liver), none(ReferenceKind::BloodPool));
    write(&binding(), &proposals(), &liver, &pool)
}

/// The text of a decision after some steps.
fn after(steps: &[&str]) -> Result<String, String> {
    let none = |kind| Reference::not_found(kind, "a \"test\"".into());
    let (liver, pool) = (none(ReferenceKind::Liver), none(ReferenceKind::BloodPool));
    let mut text = proposed();
    for step in steps {
        let step: Change = serde_json::from_str(step).map_err(|error| error.to_string())?;
        let decisions = read(&text).unwrap().changed(&step, &proposals())?;
        text = write_decided(&binding(), &proposals(), &liver, &pool, &decisions);
    }
    Ok(text)
}

fn applied(text: &str) -> Result<Applied, DecisionError> {
    let decisions = read(text)?;
    decisions.check(&binding())?;
    let pet = pet();
    let threshold = Threshold::Fixed(4.0);
    let grounds = Grounds { pet: &pet, threshold, level: Some(4.0), liver: None };
    apply(&decisions, &proposals(), &grounds)
}

/// Number, class and voxels of each region.
fn regions(text: &str) -> Vec<(usize, Class, Vec<usize>)> {
    let applied = applied(text).unwrap();
    let row = |l: &Lesion| (l.id, l.finding.class, l.region.offsets().collect());
    applied.lesions.iter().map(row).collect()
}

fn with(addition: &str) -> String {
    proposed() + addition
}

const HILLS: std::ops::RangeInclusive<usize> = 1..=6;

#[test]
fn a_text_that_is_left_as_it_is_changes_nothing() {
    let text = proposed();
    let found = applied(&text).unwrap();
    assert_eq!((found.lesions, found.edits, found.warnings), (proposals(), vec![], vec![]));
    assert!(is_untouched(&text));
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    // Editors that end lines otherwise or begin with a mark do no harm.
    for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().into()] {
        assert_eq!(applied(&text).unwrap().lesions, proposals());
        assert!(!is_untouched(&text));
    }
}

#[test]
fn classes_and_sites_are_changed_confirmed_and_removed() {
    let text = proposed().replacen("class = \"lesion\"\nsite", "class = \"physiologic\"\nsite", 1);
    assert_ne!(text, proposed());
    assert!(!is_untouched(&text));
    let found = applied(&text).unwrap();
    assert_eq!(found.lesions[0].finding.class, Class::Physiologic);
    assert!(found.lesions[0].finding.reason.ends_with("proposed lesion (abdomen): a test"));
    assert_eq!((found.edits[0].kind, &found.edits[0].regions[..]), (EditKind::Class, &[1][..]));
    assert_eq!(found.edits[0].text, "region 1 is physiologic (abdomen); proposed lesion (abdomen)");
    // All but the finding is what it was.
    let finding = proposals()[0].finding.clone();
    assert_eq!(Lesion { finding, ..found.lesions[0].clone() }, proposals()[0]);
    assert_eq!(found.lesions[1], proposals()[1]);

    let moved = proposed().replacen("site = \"abdomen\"", "site = \"Spleen\"\nnote = \"seen\"", 1);
    let found = applied(&moved).unwrap();
    assert_eq!(
        (found.lesions[0].finding.site, found.edits[0].kind),
        (Site::Spleen, EditKind::Class)
    );
    assert_eq!(found.edits[0].note.as_deref(), Some("seen"));

    let signed = proposed().replacen("id = 2\n", "id = 2\nreader = \"A. B.\"\n", 1);
    let found = applied(&signed).unwrap();
    assert_eq!((found.edits[0].kind, found.edits.len()), (EditKind::Confirm, 1));
    assert_eq!(found.edits[0].reader.as_deref(), Some("A. B."));
    assert_eq!(found.lesions[1].finding.class, Class::Uncertain);

    let removed =
        proposed().replacen("class = \"uncertain\"\nsite", "class = \"removed\"\nsite", 1);
    assert_eq!(regions(&removed), [(1, Class::Lesion, HILLS.collect())]);
}

#[test]
fn the_reader_of_the_whole_signs_what_is_not_signed() {
    let text = proposed().replacen("# reader = \"A. B.\"", "reader = \"C. D.\"", 1);
    assert_eq!(applied(&text).unwrap().edits, []);
    let text = text.replacen("class = \"uncertain\"\nsite", "class = \"lesion\"\nsite", 1);
    let found = applied(&text).unwrap();
    assert_eq!(found.edits[0].reader.as_deref(), Some("C. D."));
    assert!(found.lesions[1].finding.reason.starts_with("decided by reader C. D.; proposed"));
}

#[test]
fn a_split_is_a_partition_in_the_order_of_the_points() {
    let split = "[[split]]\nregion = 1\npoints_mm = [[50, 0, 0], [20.0, 0.0, 0.0]]\n";
    let (left, right) = ((1..=3).collect::<Vec<_>>(), (4..=6).collect::<Vec<_>>());
    let found = regions(&with(split));
    let rest = (2, Class::Uncertain, vec![9, 10]);
    // The valley voxel 4 (SUV 5) lies beside 8 on one side and 6 on the other: the steeper side has it.
    assert_eq!(
        found,
        [(4, Class::Lesion, left.clone()), (3, Class::Lesion, right.clone()), rest.clone()]
    );
    let classes = "classes = [\"removed\", \"physiologic\"]\nsites = [\"spleen\", \"liver\"]\n";
    assert_eq!(regions(&with(&format!("{split}{classes}")))[0], (3, Class::Physiologic, left));
    let found = applied(&with(&format!("{split}{classes}"))).unwrap();
    assert_eq!(found.lesions.len(), 2);
    assert_eq!(found.lesions[0].finding.site, Site::Liver);
    assert_eq!(found.edits[0].text, "region 1 split into 3, the rest removed");
    let volume: f64 =
        applied(&with(split)).unwrap().lesions.iter().map(|l| l.statistics.volume_ml).sum();
    assert!((volume - 8.0).abs() < 1e-9, "{volume}");
}

#[test]
fn a_merge_is_the_union() {
    let merge = "[[merge]]\nregions = [2, 1]\nclass = \"lesion\"\n";
    let all: Vec<usize> = HILLS.chain([9, 10]).collect();
    assert_eq!(regions(&with(merge)), [(3, Class::Lesion, all)]);
    let found = applied(&with(merge)).unwrap();
    assert!((found.lesions[0].statistics.volume_ml - 8.0).abs() < 1e-9);
    assert_eq!(found.edits[0].regions, [2, 1]);
    assert_eq!(found.edits[0].made, [3]);
}

#[test]
fn what_is_added_is_grown_from_its_point() {
    let point = |x: u32, more: &str| with(&format!("[[add]]\npoint_mm = [{x}, 0, 0]\n{more}"));
    let added = |text: &str| regions(text).into_iter().find(|r| r.0 == 3).unwrap();
    assert_eq!(added(&point(200, "")), (3, Class::Lesion, vec![20, 21]));
    let text = point(210, "class = \"uncertain\"\nsite = \"pelvis\"\nthreshold = 6\n");
    assert!(applied(&text).unwrap_err().to_string().contains("SUV 5.00 is below the edge of 6.00"));
    // 41 % of 6.5 is 2.665, 30 % is 1.95.
    assert_eq!(added(&point(200, "threshold = \"41%\"\n")).2, [20, 21]);
    assert_eq!(added(&point(200, "threshold = \"30%\"\n")).2, [19, 20, 21]);
    // Below the threshold: 41 % of 3.5 is 1.435.
    let faint = applied(&point(140, "threshold = \"41%\"\n")).unwrap();
    let lesion = faint.lesions.iter().find(|l| l.id == 3).unwrap();
    assert_eq!(lesion.region.offsets().collect::<Vec<_>>(), [13, 14, 15]);
    assert!(lesion.below_threshold);
    assert_eq!(faint.warnings[0].code, "ADDED_BY_OTHER_THRESHOLD");
    assert!(applied(&point(200, "threshold = \"4.0\"\n")).unwrap().warnings.is_empty());
    assert_eq!(added(&point(140, "threshold = 1\nwithin_mm = 10\n")).2, [13, 14, 15]);
    // A removed region can be drawn anew, and a region that is there keeps its voxels.
    let removed =
        proposed().replacen("class = \"uncertain\"\nsite", "class = \"removed\"\nsite", 1);
    let text = format!("{removed}[[add]]\npoint_mm = [90, 0, 0]\nthreshold = 6.5\n");
    assert_eq!(added(&text).2, [9]);
}

#[test]
fn a_share_of_a_maximum_does_not_flow_into_hotter_uptake() {
    let text = with("[[add]]\npoint_mm = [160, 0, 0]\nthreshold = \"40%\"\n");
    let sentence = applied(&text).unwrap_err().to_string();
    assert!(sentence.contains("flows into hotter uptake (SUV 3.50"), "{sentence}");
    assert!(sentence.contains("within_mm"), "{sentence}");
}

#[test]
fn what_cannot_be_done_is_refused_with_its_line() {
    let entry = "[[region]]\nid = 2\nclass = \"lesion\"\nsite = \"body\"\n";
    let unknown = entry.replace("id = 2", "id = 9");
    let split = |points: &str| format!("[[split]]\nregion = 1\npoints_mm = {points}\n");
    let good = split("[[20, 0, 0], [50, 0, 0]]");
    let add = |rest: &str| format!("[[add]]\n{rest}\n");
    let removed = proposed().replacen("class = \"lesion\"\nsite", "class = \"removed\"\nsite", 1);
    let rows = [
        (with(entry), "region 2 has two entries"),
        (with(&unknown), "there is no region 9"),
        (with(&entry.replace("lesion", "tumour")), "tumour"),
        (with(&entry.replace("body", "toe")), "\"toe\" is no site"),
        (with(&format!("{entry}colour = 1\n")), "colour"),
        (with(&split("[[20, 0, 0]]")), "points_mm holds 1 point(s)"),
        (with(&split("[[20, 0, 0], [21, 0, 0]]")), "two points lie in the voxel"),
        (with(&split("[[20, 0, 0], [90, 0, 0]]")), "lies outside region 1"),
        (with(&split("[[20, 0, 0], [900, 0, 0]]")), "lies outside the scan"),
        (with(&split("[[20, 0, 0], [nan, 0, 0]]")), "NaN"),
        (with(&format!("{good}classes = [\"lesion\"]\n")), "classes holds 1 for 2 points"),
        (with(&format!("{good}{good}")), "region 1 is split and split"),
        (with(&format!("{good}[[merge]]\nregions = [1, 2]\n")), "region 1 is split and merged"),
        (removed.clone() + &good, "region 1 is removed and split"),
        (with("[[merge]]\nregions = [1, 2]\n"), "differ in class"),
        (with("[[merge]]\nregions = [1]\n"), "fewer than two"),
        (with("[[merge]]\nregions = [1, 7]\n"), "there is no region 7"),
        (with(&add("point_mm = [20, 0, 0]")), "lies in region 1 already"),
        (with(&add("point_mm = [0, 0, 999]")), "lies outside the scan"),
        (with(&add("point_mm = [120, 0, 0]")), "there is no uptake to add"),
        (with(&add("point_mm = [170, 0, 0]\nthreshold = \"41%\"")), "there is no uptake to add"),
        (with(&add("point_mm = [200, 0, 0]\nthreshold = \"liver\"")), "needs the liver"),
        (with(&add("point_mm = [200, 0, 0]\nthreshold = \"hot\"")), "\"hot\" is not a threshold"),
        (with(&add("point_mm = [200, 0, 0]\nwithin_mm = 0")), "within_mm is a distance"),
        (with(&add("point_mm = [200, 0, 0]\nclass = \"removed\"")), "cannot be removed"),
        (with("[[region\n"), "line"),
    ];
    for (text, expected) in rows {
        let sentence = applied(&text).unwrap_err().to_string();
        assert!(sentence.contains(expected), "{expected}: {sentence}");
        let line: usize = sentence[5..].split(':').next().unwrap().parse().unwrap();
        let first = proposed().lines().count();
        assert!((first..=text.lines().count()).contains(&line), "{line}: {sentence}");
        assert!(sentence.contains("; "), "no remedy: {sentence}");
    }
    let gone = proposed().replacen("[[region]]\nid = 2", "[[regions]]\nid = 2", 1);
    assert!(applied(&gone).is_err());
    let start = proposed().find("\n[[region]]\nid = 2").unwrap();
    let sentence = applied(&proposed()[..start]).unwrap_err().to_string();
    assert!(
        sentence.contains("region 2 has no entry") && sentence.contains("removed"),
        "{sentence}"
    );
    let mixed = proposed().replacen("suv_max = 9.00", "suv_max = 7.00", 1);
    assert!(applied(&mixed).unwrap_err().to_string().contains("suv_max of region 1"));
}

#[test]
fn other_scans_settings_regions_and_formats_are_refused() {
    let decisions = read(&proposed()).unwrap();
    let check = |now: &Binding| decisions.check(now).unwrap_err();
    let settings = || binding().settings;
    let mut hotter = pet();
    hotter.values_mut()[0] = 1e-6;
    let scan = Binding::new(digest_of_scan(&hotter, None), settings(), &proposals());
    assert_eq!(check(&scan), DecisionError::OtherScan);
    let mut other = settings();
    other.insert("threshold".into(), "41%".into());
    let differences = "threshold was 4, is 41%".into();
    let now = Binding::new(digest_of_scan(&hotter, None), other, &proposals());
    assert_eq!(check(&now), DecisionError::OtherSettings { differences });
    let mut named = proposals();
    named[1].finding.class = Class::Lesion;
    let now = Binding::new(digest_of_scan(&pet(), None), settings(), &named);
    assert!(matches!(check(&now), DecisionError::OtherRegions { .. }));
    let forged = proposed().replacen("threshold = \"4\"", "threshold = \"41%\"", 1);
    assert!(matches!(applied(&forged), Err(DecisionError::OtherSettings { .. })));
    let newer = proposed().replacen("format = 1", "format = 2\nnews = 1", 1);
    assert_eq!(read(&newer), Err(DecisionError::Newer { found: 2 }));
    assert!(read("a = 1\n").unwrap_err().to_string().contains("no decisions file"));
}

#[test]
fn every_voxel_and_the_lattice_are_in_the_hash() {
    let base = digest_of_scan(&pet(), None);
    assert_eq!(base, digest_of_scan(&pet(), None));
    let steps = [DVec3::Z, DVec3::Y, DVec3::X].map(|axis| axis * 10.0);
    let moved = VolumeGeometry::new([1, 1, ROW.len()], DVec3::X, steps).unwrap();
    let ct = pet().map(|&v| v as i16);
    let mut other_ct = ct.clone();
    other_ct.values_mut()[23] = 1;
    let hashes = [
        base,
        digest_of_scan(&Volume::from_vec(moved, ROW.to_vec()), None),
        digest_of_scan(&pet(), Some(&ct)),
        digest_of_scan(&pet(), Some(&other_ct)),
    ];
    for (n, hash) in hashes.iter().enumerate() {
        assert_eq!(hash.len(), 64);
        assert!(!hashes[..n].contains(hash), "{n}");
    }
    // FIPS 180-2, appendix B.1.
    assert_eq!(&sha256("abc")[..16], "ba7816bf8f01cfea");
}

/// Without lines and hash: what is left is the same in every text that says it.
fn bare(text: &str) -> Decisions {
    let mut decisions = read(text).unwrap();
    decisions.text_sha256.clear();
    decisions.regions.iter_mut().for_each(|at| at.line = 0);
    decisions.splits.iter_mut().for_each(|at| at.line = 0);
    decisions.merges.iter_mut().for_each(|at| at.line = 0);
    decisions.adds.iter_mut().for_each(|at| at.line = 0);
    decisions.liver.iter_mut().chain(&mut decisions.blood_pool).for_each(|at| at.line = 0);
    decisions
}

#[test]
fn what_was_decided_is_written_and_read_again() {
    let text = proposed()
        .replacen("# reader = \"A. B.\"", "reader = \"C. \\\"D.\\\"\"\nnote = \"second look\"", 1)
        .replacen("class = \"lesion\"\nsite", "class = \"removed\"\nnote = \"spilt\"\nsite", 1)
        .replacen(
            "\n[references.liver]\n",
            "\n[references.liver]\nsphere_mm = [1.5, -2, 1e-3, 15]\n",
            1,
        )
        .replacen("\n[references.blood_pool]\n", "\n[references.blood_pool]\naccept = false\n", 1)
        + "[[split]]\nregion = 1\npoints_mm = [[50, 0, 0], [20.25, 0, 0]]\nclasses = [\"removed\", \"lesion\"]\n\
           sites = [\"spleen\", \"liver\"]\nreader = \"E\"\n\
           [[merge]]\nregions = [2, 1]\nclass = \"lesion\"\nsite = \"neck\"\n[[merge]]\nregions = [1, 2]\n\
           [[add]]\npoint_mm = [200, 0, 0]\nthreshold = \"41%\"\nwithin_mm = 20\nclass = \"uncertain\"\n\
           [[add]]\npoint_mm = [1, 2, 3]\n";
    let none = |kind| Reference::not_found(kind, "a \"test\"".into());
    let (liver, pool) = (none(ReferenceKind::Liver), none(ReferenceKind::BloodPool));
    let again = write_decided(&binding(), &proposals(), &liver, &pool, &read(&text).unwrap());
    assert_eq!(bare(&again), bare(&text), "{again}");
    assert!(!is_untouched(&again) && again.contains("# proposed: lesion"));
    // Nothing decided is the text that proposes, to the byte.
    let nothing = read(&proposed()).unwrap();
    assert_eq!(write_decided(&binding(), &proposals(), &liver, &pool, &nothing), proposed());
}

#[test]
fn steps_of_a_review_do_what_the_text_does() {
    let class =
        |n: u32, class: &str| format!("{{\"do\":\"class\",\"region\":{n},\"class\":\"{class}\"}}");
    let split = "{\"do\":\"split\",\"region\":1,\"points_mm\":[[50,0,0],[20,0,0]]}";
    let merge = "{\"do\":\"merge\",\"regions\":[1,2],\"class\":\"lesion\"}";
    let add = "{\"do\":\"add\",\"point_mm\":[200,0,0],\"threshold\":\"41%\"}";
    let found = |steps: &[&str]| regions(&after(steps).unwrap());
    assert_eq!(found(&[&class(1, "physiologic")])[0].1, Class::Physiologic);
    assert_eq!(found(&[&class(2, "removed")]), [(1, Class::Lesion, HILLS.collect())]);
    // There and back is the proposal; the same again confirms it.
    let back = after(&[&class(1, "uncertain"), &class(1, "lesion")]).unwrap();
    assert_eq!(back, proposed());
    let confirmed = applied(&after(&[&class(2, "uncertain")]).unwrap()).unwrap();
    assert_eq!(confirmed.edits[0].kind, EditKind::Confirm);
    // Parts: 3 and 4, the merged one 3, the added one next.
    let parts = found(&[split, &class(4, "physiologic"), add]);
    let classes: Vec<_> = parts.iter().map(|(id, class, _)| (*id, *class)).collect();
    let (lesion, uncertain) = (Class::Lesion, Class::Uncertain);
    assert_eq!(classes, [(4, Class::Physiologic), (3, lesion), (2, uncertain), (5, lesion)]);
    // Without its first part the second is number 3.
    let parts = found(&[split, &class(3, "removed"), &class(3, "uncertain")]);
    assert_eq!(parts.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(parts[0].1, uncertain);
    let all: Vec<usize> = HILLS.chain([9, 10]).collect();
    assert_eq!(found(&[merge, &class(3, "uncertain")]), [(3, uncertain, all)]);
    assert!(found(&[merge, &class(3, "removed")]).is_empty());
    assert_eq!(after(&[add, &class(3, "removed")]).unwrap(), proposed());
    let named = after(&["{\"do\":\"reader\",\"name\":\" A. B. \"}", &class(1, "removed")]).unwrap();
    assert_eq!(applied(&named).unwrap().edits[0].reader.as_deref(), Some("A. B."));
    let liver = "{\"do\":\"reference\",\"reference\":\"liver\",\"sphere_mm\":[10,0,0,15]}";
    let moved = read(&after(&[liver]).unwrap()).unwrap();
    assert_eq!(moved.liver.unwrap().entry.sphere_mm, Some([10.0, 0.0, 0.0, 15.0]));
}

#[test]
fn steps_that_cannot_be_meant_are_refused() {
    let split = "{\"do\":\"split\",\"region\":1,\"points_mm\":[[50,0,0],[20,0,0]]}";
    for (steps, words) in [
        (&["{\"do\":\"class\",\"region\":9,\"class\":\"lesion\"}"][..], "there is no region 9"),
        (&["{\"do\":\"class\",\"region\":1,\"class\":\"tumour\"}"], "tumour"),
        (&["{\"do\":\"class\",\"region\":1,\"class\":\"lesion\",\"site\":\"toe\"}"], "no site"),
        (&["{\"do\":\"class\",\"region\":1,\"class\":\"lesion\",\"file\":\"/a\"}"], "file"),
        (&["{\"do\":\"write\",\"path\":\"/a\"}"], "write"),
        (&["{\"do\":\"add\",\"point_mm\":[1,2,3],\"threshold\":\"hot\"}"], "not a threshold"),
        (&["{\"do\":\"add\",\"point_mm\":[1,2,3],\"class\":\"removed\"}"], "cannot be removed"),
        (&[split, "{\"do\":\"merge\",\"regions\":[3,2]}"], "only a region that was proposed"),
        (
            &[split, "{\"do\":\"split\",\"region\":3,\"points_mm\":[]}"],
            "only a region that was proposed",
        ),
    ] {
        let sentence = after(steps).unwrap_err();
        assert!(sentence.contains(words), "{words}: {sentence}");
    }
}
