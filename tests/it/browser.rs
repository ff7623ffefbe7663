//! The page in a browser: the viewer reads what the document says, moves by keys and clicks, and a review decides.
//!
//! Skipped, and said so, where there is no Chromium.

mod aspect;
mod chromium;
mod decides;

use chromium::Page;
use glam::DVec3;
use serde_json::Value;
use tempfile::TempDir;

use crate::compare::compared;
use crate::review::Review;
use crate::samples::{Run, matrix, place, regions, scored};

const READY: &str = "document.getElementById('viewer-pictures')?.dataset.ready === 'yes'";
const READINGS: &str = "[...document.querySelectorAll('.v-reading')].map((e) => e.textContent)";

fn opened(run: &Run) -> Option<(Page, TempDir)> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, &run.files["report.html"]).unwrap();
    let mut page = Page::open_file(&file)?;
    page.wait_for(READY);
    page.drawn();
    Some((page, folder))
}

/// What stands under the crosshair of each scan.
fn readings(page: &mut Page) -> Vec<String> {
    page.drawn();
    let found = page.value(READINGS);
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Where a crosshair stands: `Crosshair at 1.0, 2.0, 3.0 mm: ...`
fn crosshair(reading: &str) -> DVec3 {
    let numbers = reading.strip_prefix("Crosshair at ").unwrap().split(" mm: ").next().unwrap();
    let numbers: Vec<f64> = numbers.split(", ").map(|n| n.parse().unwrap()).collect();
    DVec3::from_slice(&numbers)
}

fn row(scan: usize, at: usize) -> String {
    format!(
        "document.querySelectorAll('#lesions tr[data-scan=\"{scan}\"], #regions tr[data-scan=\"{scan}\"]')[{at}]"
    )
}

/// Nothing was complained of, and nothing asked for but the page itself.
fn check_quiet(page: &mut Page) {
    assert_eq!(page.complaints(), Vec::<String>::new());
    let requests = page.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
}

#[test]
fn a_click_on_each_row_shows_the_regions_own_suv() {
    let run = scored(1, 1);
    let Some((mut page, _folder)) = opened(run) else { return };
    let regions = regions(&run.document);
    assert!(regions.len() > 5);
    for (n, region) in regions.iter().enumerate() {
        page.click(&row(0, n), 0.02, 0.5);
        let reading = &readings(&mut page)[0];
        let suv = format!(": SUV {:.2}, ", region["suv_max"].as_f64().unwrap());
        assert!(reading.contains(&suv), "{suv} {reading}");
        assert!(crosshair(reading).distance(place(&region["hottest_mm"])) < 0.1, "{reading}");
        assert!(reading.contains(" HU, "), "{reading}");
        let (id, site) = (&region["id"], region["site"].as_str().unwrap());
        assert!(reading.contains(&format!(" {id} ({site})")), "{reading}");
    }
    check_quiet(&mut page);
}

#[test]
fn everything_is_reached_and_moved_by_keys() {
    let Some((mut page, _folder)) = opened(scored(1, 1)) else { return };
    page.value("document.querySelector('#viewer-pictures select').focus()");
    let name = "(() => { const e = document.activeElement; return `${e.tagName} ${e.getAttribute('aria-label') ?? ''}`; })()";
    let mut seen = Vec::new();
    for _ in 0..100 {
        let here = page.value(name).as_str().unwrap().to_owned();
        // Behind the last one.
        if here.starts_with("BODY") {
            break;
        }
        let outlined = page.value("getComputedStyle(document.activeElement).outlineStyle");
        assert_ne!(outlined, "none", "the focus on {here} cannot be seen");
        seen.push(here);
        page.press("Tab", false);
    }
    for wanted in ["Axial", "Coronal", "Sagittal"].iter().flat_map(|plane| {
        ["PET", "CT", "fusion"].map(|layer| format!("CANVAS {plane} {layer}, the scan"))
    }) {
        assert!(seen.contains(&wanted), "{wanted} is not among {seen:?}");
    }
    assert!(seen.iter().any(|name| name.starts_with("CANVAS Maximum")), "{seen:?}");
    assert!(seen.iter().any(|name| name.starts_with("TR")), "rows of tables: {seen:?}");

    page.value("document.querySelector('canvas[aria-label^=\"Axial PET\"]').focus()");
    let slice = "Number(document.activeElement.getAttribute('aria-valuenow'))";
    page.press("Home", false);
    page.drawn();
    assert_eq!(page.value(slice), 1);
    for (key, by) in
        [("ArrowUp", 1), ("ArrowRight", 1), ("PageUp", 10), ("ArrowDown", -1), ("PageDown", -10)]
    {
        let (before, z) = (page.value(slice), crosshair(&readings(&mut page)[0]).z);
        page.press(key, false);
        let now = crosshair(&readings(&mut page)[0]).z;
        assert_eq!(page.value(slice).as_i64(), before.as_i64().map(|n| n + by), "{key}");
        assert_eq!(now > z, by > 0, "{key}: slices go towards the head");
    }
    // Left of a picture is the right of the patient, the front is up.
    for (key, direction) in
        [("ArrowLeft", -DVec3::X), ("ArrowUp", -DVec3::Y), ("ArrowRight", DVec3::X)]
    {
        let before = crosshair(&readings(&mut page)[0]);
        page.press(key, true);
        let moved = crosshair(&readings(&mut page)[0]) - before;
        assert!(moved.normalize().distance(direction) < 1e-6, "{key}: {moved}");
    }
    page.value("document.querySelector('canvas.v-mip').focus()");
    page.press("ArrowRight", false);
    page.drawn();
    assert_eq!(page.value(slice), 10, "degrees");
    // Enter on a row is a click.
    page.value(&format!("{}.focus()", row(0, 0)));
    page.press("Enter", false);
    let hottest = place(&regions(&scored(1, 1).document)[0]["hottest_mm"]);
    assert!(crosshair(&readings(&mut page)[0]).distance(hottest) < 0.1);
    check_quiet(&mut page);
}

/// A click to the side moves by as many millimetres as a click of as many pixels down, whatever the voxels.
#[test]
fn pictures_have_the_true_aspect() {
    let Some((mut page, _folder)) = opened(scored(2, 0)) else { return };
    for (plane, across, down) in [
        ("Coronal", DVec3::X, -DVec3::Z),
        ("Sagittal", DVec3::Y, -DVec3::Z),
        ("Axial", DVec3::X, DVec3::Y),
    ] {
        let canvas = format!("document.querySelector('canvas[aria-label^=\"{plane} PET\"]')");
        let size = page.value(&format!("[{canvas}.clientWidth, {canvas}.clientHeight]"));
        let [width, height] = [0, 1].map(|n| size[n].as_f64().unwrap());
        let mut at = |x: f64, y: f64| {
            page.click(&canvas, 0.5 + x / width, 0.5 + y / height);
            crosshair(&readings(&mut page)[0])
        };
        let (middle, right, below) = (at(0.0, 0.0), at(40.0, 0.0), at(0.0, 40.0));
        let (to_right, down_by) = ((right - middle).dot(across), (below - middle).dot(down));
        // Clicks are rounded to centres of voxels of up to 5 mm.
        assert!(
            to_right > 20.0 && (to_right - down_by).abs() < 5.1,
            "{plane}: {to_right} {down_by}"
        );
        assert!(
            (right - middle).dot(down).abs() < 1e-6 && (below - middle).dot(across).abs() < 1e-6
        );
    }
    check_quiet(&mut page);
}

#[test]
fn crosshairs_follow_the_alignment() {
    let run = compared(1);
    let Some((mut page, _folder)) = opened(run) else { return };
    let scans = run.document["scans"].as_array().unwrap();
    let hottest = &regions(&scans[0])[0]["hottest_mm"];
    page.click(&row(0, 1), 0.02, 0.5);
    let all = readings(&mut page);
    assert_eq!(all.len(), 3);
    let from = crosshair(&all[0]);
    assert!(hottest.is_array());
    for pair in run.document["pairs"].as_array().unwrap().iter().filter(|p| p["baseline"] == 0) {
        let alignment = &pair["alignment"];
        let there = matrix(&alignment["rotation"]) * (place(&alignment["stretch"]) * from)
            + place(&alignment["translation_mm"]);
        let follow_up = pair["follow_up"].as_u64().unwrap() as usize;
        let found = crosshair(&all[follow_up]);
        assert!(found.distance(there) < 0.3, "{found} {there}");
    }
    check_quiet(&mut page);
}

#[test]
fn a_region_changed_in_the_browser_changes_the_score() {
    let run = scored(1, 1);
    let review = Review::of_scan(1, 1);
    let Some(mut page) = Page::open(&review.address) else { return };
    page.wait_for(READY);
    let score = |page: &mut Page| page.value("document.querySelector('h1').textContent");
    assert!(score(&mut page).as_str().unwrap().starts_with("Deauville 5"));
    let lesions: Vec<(usize, &Value)> = regions(&run.document)
        .iter()
        .enumerate()
        .filter(|(_, region)| region["class"] == "lesion")
        .collect();
    for (steps, (_, region)) in lesions.iter().enumerate() {
        // The rows keep their order: hottest first.
        let id = &region["id"];
        let at = regions(&run.document).iter().position(|r| r["id"] == *id).unwrap();
        page.click(&row(0, at), 0.02, 0.5);
        page.drawn();
        page.click("document.getElementById('review-physiologic')", 0.5, 0.5);
        page.wait_for(&format!(
            "document.querySelectorAll('.call ul li').length === {} && document.querySelector('.v-status').textContent.startsWith('Done.')",
            steps + 1
        ));
    }
    assert!(score(&mut page).as_str().unwrap().starts_with("Deauville 1"), "{}", score(&mut page));
    let reading = readings(&mut page);
    assert!(reading[0].contains("physiologic region"), "{reading:?}");
    page.click("document.getElementById('review-save')", 0.5, 0.5);
    page.wait_for("document.querySelector('.v-status').textContent.startsWith('Saved: ')");
    assert_eq!(page.complaints(), Vec::<String>::new());
    assert_eq!(review.scored_again()["deauville"]["score"], 1);
    let host = review.address.split('/').nth(2).unwrap().to_owned();
    assert!(page.requests().iter().all(|address| address.contains(&host)), "{:?}", page.requests());
}
