//! A review in the browser: every step that a person can take, seen on the page at once, in what is saved, and later.

use serde_json::Value;

use super::READY;
use crate::browser::chromium::Page;
use crate::compare::compared;
use crate::review::Review;
use crate::samples::{regions, scored};

const STATUS: &str = "document.querySelector('.v-status').textContent";

fn control(name: &str) -> String {
    format!("document.getElementById('review-{name}')")
}

fn reviewed(review: &Review) -> Option<Page> {
    let mut page = Page::open(&review.address)?;
    page.wait_for(READY);
    Some(page)
}

/// Waits until a step is carried out.
#[track_caller]
fn check_done(page: &mut Page, message: &str) {
    page.wait_for(&format!("{STATUS} !== '' && !/^(Working|Saving)/.test({STATUS})"));
    let status = page.value(STATUS);
    assert!(status.as_str().unwrap().starts_with(message), "{status}");
}

#[track_caller]
fn click(page: &mut Page, name: &str) {
    page.value("document.querySelector('.v-status').textContent = ''");
    page.click(&control(name), 0.5, 0.5);
}

#[track_caller]
fn step(page: &mut Page, name: &str) {
    click(page, name);
    check_done(page, "Done.");
}

/// Puts the crosshair on a region of a scan, by its number in the list.
fn go_to(page: &mut Page, scan: usize, id: &str) {
    let list = format!("document.querySelectorAll('.v-head select')[{scan}]");
    page.value(&format!("{list}.value = '{id}'; {list}.dispatchEvent(new Event('change'))"));
    page.drawn();
}

/// Moves the crosshair by a voxel, to the left of the patient or back.
fn nudge(page: &mut Page, key: &str) {
    page.value("document.querySelector('canvas[aria-label^=\"Axial\"]').focus()");
    page.press(key, true);
    page.drawn();
}

fn headline(page: &mut Page) -> String {
    page.value("document.querySelector('h1').textContent").as_str().unwrap().to_owned()
}

/// What stands at the crosshair.
fn here(page: &mut Page) -> String {
    page.value("document.querySelector('.v-where').textContent").as_str().unwrap().to_owned()
}

fn set_site(page: &mut Page, site: &str) {
    page.value(&format!("{}.value = '{site}'", control("site")));
    page.value(&format!("{}.focus()", control("set-site")));
    page.value("document.querySelector('.v-status').textContent = ''");
    page.press("Enter", false);
    check_done(page, "Done.");
    assert_eq!(page.value("document.activeElement.id"), "review-set-site", "the keyboard stays");
}

#[test]
fn every_step_is_taken_in_the_browser() {
    let review = Review::of_scan(1, 1);
    let Some(mut page) = reviewed(&review) else { return };
    let all = regions(&scored(1, 1).document);
    let ids = |class: &str| -> Vec<String> {
        let of_class = all.iter().filter(|region| region["class"] == class);
        of_class.map(|region| region["id"].to_string()).collect()
    };
    let (lesions, normal) = (ids("lesion"), ids("physiologic"));
    let before = headline(&mut page);

    // Another site, then another class: the site stays.
    go_to(&mut page, 0, &lesions[0]);
    set_site(&mut page, "spleen");
    assert!(here(&mut page).ends_with(&format!("lesion {} (spleen).", lesions[0])));
    let shown = page.value("document.querySelector('#lesions tbody').textContent");
    assert!(shown.as_str().unwrap().contains("spleen"), "{shown}");
    step(&mut page, "uncertain");
    assert!(here(&mut page).ends_with(&format!("uncertain region {} (spleen).", lesions[0])));

    // All lesions away, then one of them drawn anew.
    for lesion in &lesions[1..] {
        go_to(&mut page, 0, lesion);
        step(&mut page, "removed");
        assert!(here(&mut page).ends_with("no region."), "{}", here(&mut page));
    }
    let removed = headline(&mut page);
    assert_ne!(before, removed);
    step(&mut page, "add");
    assert!(here(&mut page).contains("lesion ") && here(&mut page).ends_with("(body)."));
    let added = headline(&mut page);
    assert_ne!(removed, added);
    set_site(&mut page, "bone");
    assert!(here(&mut page).ends_with("(bone)."), "{}", here(&mut page));

    // Split in two at neighbouring voxels; two others made one.
    go_to(&mut page, 0, &normal[0]);
    click(&mut page, "point");
    nudge(&mut page, "ArrowRight");
    if here(&mut page).ends_with("no region.") {
        nudge(&mut page, "ArrowLeft");
        nudge(&mut page, "ArrowLeft");
    }
    click(&mut page, "point");
    step(&mut page, "split");
    assert!(!here(&mut page).contains(&format!("region {} (", normal[0])), "{}", here(&mut page));
    for id in &normal[1..3] {
        go_to(&mut page, 0, id);
        click(&mut page, "mark");
    }
    step(&mut page, "merge");

    // The liver a voxel to the side of where it was found; taken back, and done again.
    let liver = "document.querySelector('#references tbody').textContent";
    let proposed = page.value(liver);
    go_to(&mut page, 0, "L");
    nudge(&mut page, "ArrowRight");
    step(&mut page, "move-liver");
    let moved = page.value(liver);
    assert_ne!(proposed, moved);
    click(&mut page, "undo");
    check_done(&mut page, "The last step is undone.");
    assert_eq!(page.value(liver), proposed);
    step(&mut page, "move-liver");
    page.value(&format!(
        "{0}.value = 'A. <b>B.'; {0}.dispatchEvent(new Event('change'))",
        control("reader")
    ));
    page.wait_for("document.querySelector('main').textContent.includes('A. <b>B.')");

    let last = headline(&mut page);
    click(&mut page, "save");
    check_done(&mut page, "Saved: ");
    let again = review.scored_again();
    let score = format!("Deauville {} ", again["deauville"]["score"]);
    assert!(last.starts_with(&score), "{last} {score}");
    let edits: Vec<&str> = again["decisions"]["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    let mut expected = vec!["reference", "class"];
    expected.extend(lesions[1..].iter().map(|_| "remove"));
    expected.extend(["split", "merge", "add"]);
    assert_eq!(edits, expected);
    let site = |id: &str| {
        let id: usize = id.parse().unwrap();
        regions(&again).iter().find(|r| r["id"] == id).unwrap()["site"].clone()
    };
    assert_eq!(site(&lesions[0]), "spleen");
    assert!(regions(&again).iter().any(|r| r["site"] == "bone" && r["class"] == "lesion"));

    // A page that is opened again goes on from there.
    let Some(mut second) = reviewed(&review) else { return };
    assert_eq!(headline(&mut second), last);
    go_to(&mut second, 0, &lesions[0]);
    assert_eq!(second.value(&format!("{}.value", control("site"))), "spleen");
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn the_response_follows_a_step_at_once() {
    let review = Review::of_series(2);
    let Some(mut page) = reviewed(&review) else { return };
    let run = compared(2);
    let call = "[...document.querySelectorAll('.call p.line')].map((e) => e.textContent)";
    let before = page.value(call);
    let later = regions(&run.document["scans"][1]);
    for lesion in later.iter().filter(|region| region["class"] == "lesion") {
        go_to(&mut page, 1, &lesion["id"].to_string());
        assert!(here(&mut page).contains(&format!("lesion {} (", lesion["id"])), "{lesion}");
        step(&mut page, "physiologic");
    }
    let after = page.value(call);
    assert_ne!(before, after);
    click(&mut page, "save");
    check_done(&mut page, "Saved: ");
    let saved = String::from_utf8(review.file("report.html")).unwrap();
    for line in after.as_array().unwrap() {
        assert!(
            saved.contains(&format!("<p class=\"line\">{}</p>", line.as_str().unwrap())),
            "{line}"
        );
    }
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn a_browser_without_the_token_gets_nothing() {
    let review = Review::of_scan(1, 1);
    let (root, token) = review.address.trim_end_matches('/').rsplit_once('/').unwrap();
    for address in [
        format!("{root}/"),
        format!("{root}/{}/", "0".repeat(token.len())),
        format!("{root}/report.html"),
    ] {
        let Some(mut page) = Page::open(&address) else { return };
        page.wait_for("document.readyState === 'complete' && location.host !== ''");
        let body = page.value("document.body.textContent + document.title");
        assert!(!body.as_str().unwrap().contains("Deauville"), "{address}: {body}");
        assert_eq!(
            page.value("document.getElementById('viewer-pictures')"),
            Value::Null,
            "{address}"
        );
    }
}
