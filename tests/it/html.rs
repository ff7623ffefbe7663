//! `report.html`: whole, alone, readable by all, and with the numbers of the document.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use petct::report::RESEARCH_USE;
use serde_json::Value;
use sha2::Digest;

use crate::cli::text;
use crate::compare::compared;
use crate::samples::{Run, SCANS, regions, scored};

/// Elements without an end.
const VOID: [&str; 3] = ["meta", "img", "link"];

fn page(run: &Run) -> String {
    text(&run.files["report.html"])
}

/// The tags of a page, as they are between `<` and `>`: texts and attributes hold neither.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).map(|part| part.split('>').next().unwrap())
}

/// The value of an attribute of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

fn name(tag: &str) -> &str {
    tag.split([' ', '/', '\n']).next().unwrap()
}

/// The scripts of a page: what stands in their tags, and their text.
fn scripts(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("<script").skip(1).map(|part| {
        let (tag, rest) = part.split_once('>').unwrap();
        (tag, rest.split("</script>").next().unwrap())
    })
}

/// The page without its scripts: what is left is text and tags.
fn without_scripts(page: &str) -> String {
    let mut parts = page.split("<script");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |page, part| page + part.split_once("</script>").unwrap().1)
}

/// Every element is closed, in the order in which they were opened.
fn check_nesting(page: &str) {
    let mut open = Vec::new();
    for tag in tags(page) {
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "a wrong end");
        } else if !tag.starts_with('!') && !tag.ends_with('/') && !VOID.contains(&name(tag)) {
            open.push(name(tag));
        }
    }
    assert!(open.is_empty(), "{open:?} are not closed");
}

/// One first heading, and none that skips a level.
fn check_headings(page: &str) {
    let level = |tag: &str| name(tag).strip_prefix('h')?.parse::<u8>().ok();
    let levels: Vec<u8> = tags(page).filter_map(level).collect();
    assert_eq!(levels.iter().filter(|level| matches!(level, 1)).count(), 1);
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
}

fn check_access(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    assert!(page.contains("name=\"viewport\" content=\"width=device-width"));
    for wanted in ["prefers-color-scheme: dark", "@media print", "size: A4"] {
        assert!(page.contains(wanted), "{wanted}");
    }
    for tag in tags(page) {
        match name(tag) {
            "th" => assert!(attribute(tag, "scope").is_some(), "{tag}"),
            "img" => assert!(attribute(tag, "alt").unwrap().len() > 20, "{tag:.200}"),
            "svg" if tag.contains("spark") => {
                assert!(attribute(tag, "aria-label").unwrap().contains("SUVmax"), "{tag}");
            }
            _ => {}
        }
    }
    let ids: Vec<&str> = tags(page).filter_map(|tag| attribute(tag, "id")).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{ids:?}");
    let anchors: Vec<&str> = tags(page).filter_map(|tag| attribute(tag, "href")).collect();
    assert!(anchors.len() > 5);
    for anchor in anchors {
        assert!(unique.contains(anchor.strip_prefix('#').unwrap()), "{anchor}");
    }
}

/// It runs its own script alone, which the policy names by its hash; everything else in scripts is data.
fn check_script(page: &str) {
    let (run, data): (Vec<_>, Vec<_>) = scripts(page).partition(|(tag, _)| !tag.contains(" type="));
    assert_eq!(run.len(), 1);
    for (tag, _) in data {
        let is_data = ["\"application/json\"", "\"text/plain\""].iter().any(|of| tag.ends_with(of));
        assert!(is_data && tag.contains("id=\"viewer-"), "{tag}");
    }
    let hash = STANDARD.encode(sha2::Sha256::digest(run[0].1.as_bytes()));
    assert!(page.contains(&format!("; script-src 'sha256-{hash}'\">")), "{hash}");
    for forbidden in [
        "http:",
        "https:",
        "fetch(",
        "import(",
        "XMLHttpRequest",
        "WebSocket",
        "eval(",
        "innerHTML",
    ] {
        assert!(!run[0].1.contains(forbidden), "{forbidden}");
    }
}

/// It loads nothing.
fn check_alone(page: &str) {
    for forbidden in ["http://", "https://", "url(", "@import", "<link", "<iframe", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for tag in tags(page) {
        assert!(!tag.split(' ').any(|part| part.starts_with("on") && part.contains('=')), "{tag}");
        if let Some(source) = attribute(tag, "src") {
            assert!(source.starts_with("data:image/png;base64,"), "{source:.80}");
        }
    }
    assert!(page.contains("default-src 'none'"));
}

fn check_page(page: &str) {
    check_script(page);
    let page = &without_scripts(page);
    check_nesting(page);
    check_headings(page);
    check_access(page);
    check_alone(page);
    assert_eq!(
        page.matches(&escaped(RESEARCH_USE)).count(),
        2 + usize::from(page.contains("<svg width"))
    );
}

/// A text as a page has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The cells of every row of every table, without their tags.
fn rows(page: &str) -> Vec<Vec<String>> {
    let bare = |cell: &str| {
        let mut parts = cell.split('<');
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| text + part.split_once('>').map_or("", |(_, rest)| rest))
    };
    let cells = |row: &str| {
        let row =
            row.split("</tr>").next().unwrap().replace("<td", "<th").replace("</td>", "</th>");
        let cells = row.split("<th").skip(1).map(|cell| cell.split("</th>").next().unwrap());
        cells.map(|cell| bare(cell.split_once('>').unwrap().1)).collect()
    };
    page.split("<tr").skip(1).map(cells).collect()
}

/// A number of a document with its decimals.
fn decimals(value: &Value, decimals: usize) -> String {
    value.as_f64().map_or_else(|| "-".into(), |value| format!("{value:.decimals$}"))
}

/// Every region stands in a row with its numbers.
fn check_regions(page: &str, document: &Value) {
    let rows = rows(page);
    assert!(!regions(document).is_empty());
    for region in regions(document) {
        let word = |key: &str| region[key].as_str().unwrap().to_owned();
        let expected = [
            region["id"].to_string(),
            word("class"),
            word("site"),
            decimals(&region["suv_max"], 2),
            decimals(&region["suv_peak"], 2),
            decimals(&region["suv_mean"], 2),
            decimals(&region["volume_ml"], 1),
            decimals(&region["tlg_g"], 1),
            region["deauville"].to_string(),
        ];
        let row = rows.iter().find(|row| row.starts_with(&expected));
        let row = row.unwrap_or_else(|| panic!("{expected:?} is missing"));
        assert!(row.last().unwrap().starts_with(&escaped(region["reason"].as_str().unwrap())));
    }
    for (key, name) in [("liver", "Liver"), ("blood_pool", "Blood pool")] {
        let reference = &document["references"][key];
        let numbers = ["suv_mean", "suv_sd", "suv_max", "suv_median"];
        let numbers = numbers.map(|key| decimals(&reference[key], 2));
        let row = rows.iter().find(|row| row[0] == name && row[2..].starts_with(&numbers));
        assert!(row.unwrap()[1].ends_with(reference["status"].as_str().unwrap()), "{reference}");
    }
    for input in document["inputs"].as_array().unwrap() {
        let expected =
            ["name", "tag", "as_read", "used"].map(|k| escaped(input[k].as_str().unwrap()));
        assert!(rows.iter().any(|row| row.starts_with(&expected)), "{input}");
    }
}

fn check_warnings(page: &str, document: &Value) {
    for warning in document["warnings"].as_array().unwrap() {
        assert!(page.contains(&escaped(warning["message"].as_str().unwrap())), "{warning}");
        assert!(page.contains(&format!("<code>{}</code>", warning["code"].as_str().unwrap())));
    }
}

/// The files are in the page, byte for byte.
fn check_pictures(page: &str, run: &Run, names: &[&str]) {
    for name in names {
        let data = STANDARD.encode(&run.files[*name]);
        assert!(page.contains(&data), "{name} is not in the page");
    }
}

#[test]
fn pages_of_scans_tell_what_the_document_tells() {
    for (of, number) in SCANS {
        let run = scored(of, number);
        let page = page(run);
        check_page(&page);
        check_regions(&page, &run.document);
        check_warnings(&page, &run.document);
        check_pictures(&page, run, &["score.png", "liver.png", "blood_pool.png"]);
        let score = &run.document["deauville"]["score"];
        assert!(page.contains(&format!("<h1>Deauville {score} (")), "patient-{of}/t{number}");
        let decides = decimals(&run.document["deauville"]["deciding_uptake"], 2);
        if decides != "-" {
            assert!(page.contains(&format!("Decided by SUVmax {decides} of lesion ")), "{decides}");
        }
        let files: Vec<&str> =
            run.document["files"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let written: BTreeSet<&str> = run.files.keys().map(String::as_str).collect();
        assert_eq!(files.iter().copied().collect::<BTreeSet<_>>(), written);
    }
}

#[test]
fn pages_of_series_tell_what_the_document_tells() {
    for of in [1, 2] {
        let run = compared(of);
        let page = page(run);
        check_page(&page);
        check_warnings(&page, &run.document);
        check_pictures(&page, run, &["scan-0.png", "scan-1.png", "scan-2.png"]);
        for scan in run.document["scans"].as_array().unwrap() {
            check_regions(&page, scan);
        }
        for pair in run.document["pairs"].as_array().unwrap() {
            check_pair(&page, pair);
        }
        check_trajectories(&page, &run.document);
        // Projections of the same size: one scale.
        let sizes: Vec<(u32, u32)> = tags(&page)
            .filter(|tag| tag.contains("Coronal maximum intensity projection,"))
            .map(|tag| attribute(tag, "src").unwrap().split_once(',').unwrap().1)
            .map(|data| crate::samples::check_png(&STANDARD.decode(data).unwrap()))
            .collect();
        assert_eq!(sizes.len(), 3);
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    }
}

fn check_pair(page: &str, pair: &Value) {
    let follow_up = format!("follow-up {}", pair["follow_up"]);
    let category = pair["lugano"]["category"].as_str().unwrap();
    let call = page.split("<p class=\"line\">").skip(1).find(|call| {
        let before = match pair["baseline"].as_u64().unwrap() {
            0 => "against baseline:".into(),
            n => format!("against follow-up {n}"),
        };
        call.starts_with(&follow_up) && call.split("</p>").next().unwrap().contains(&before)
    });
    let call = call.unwrap().split("</div>").next().unwrap();
    assert!(call.contains(&format!(": {category} (")), "{category}: {call}");
    for reason in pair["lugano"]["reasons"].as_array().unwrap() {
        assert!(call.contains(&escaped(reason.as_str().unwrap())), "{reason}");
    }
    for statement in pair["sensitivity"].as_array().unwrap() {
        assert!(page.contains(&escaped(statement["text"].as_str().unwrap())), "{statement}");
    }
    let rows = rows(page);
    for check in pair["comparability"]["checks"].as_array().unwrap() {
        let detail = escaped(check["detail"].as_str().unwrap());
        let row = rows.iter().find(|row| row[0] == check["id"] && row[3] == detail);
        // A sign and a word, not a colour alone.
        let result = &row.unwrap_or_else(|| panic!("{check}"))[1];
        let (sign, word) = result.split_once(' ').unwrap();
        assert!(word == check["result"] && ["\u{2713}", "\u{2717}", "!", "?"].contains(&sign));
    }
    for link in pair["lesions"].as_array().unwrap() {
        let numbers = |key: &str| {
            let all = link[key].as_array().unwrap().iter().map(ToString::to_string);
            let all: Vec<String> = all.collect();
            if all.is_empty() { "-".to_owned() } else { all.join(", ") }
        };
        let expected = [
            numbers("baseline_ids"),
            numbers("follow_up_ids"),
            link["fate"].as_str().unwrap().replace('_', " "),
            link["link_confidence"].as_str().unwrap().to_owned(),
        ];
        assert!(rows.iter().any(|row| row.starts_with(&expected)), "{expected:?}");
    }
}

fn check_trajectories(page: &str, document: &Value) {
    let rows = rows(page);
    let trajectories = document["trajectories"].as_array().unwrap();
    for lesion in trajectories {
        let visits = lesion["visits"].as_array().unwrap();
        let word = |key: &str| lesion[key].as_str().unwrap().to_owned();
        let mut expected =
            vec![lesion["id"].to_string(), word("site"), word("class"), String::new()];
        for visit in visits {
            expected.push(decimals(&visit["suv_max"], 2));
            expected.push(decimals(&visit["volume_ml"], 1));
            expected.push(String::new());
        }
        // The last cell of a scan has words.
        let same = |row: &&Vec<String>| {
            row.len() == expected.len()
                && row.iter().zip(&expected).all(|(cell, e)| e.is_empty() || cell == e)
        };
        assert!(rows.iter().any(|row| same(&row)), "{expected:?}");
        let peaks = visits.iter().map(|visit| decimals(&visit["sul_peak"], 2));
        let burdens = visits.iter().map(|visit| decimals(&visit["tlg_g"], 1));
        let first = [lesion["id"].to_string(), word("site")].into_iter();
        let expected: Vec<String> = first.chain(peaks).chain(burdens).collect();
        assert!(rows.contains(&expected), "{expected:?}");
    }
    assert_eq!(page.matches("<svg class=\"spark\"").count(), trajectories.len());
    // The figure is drawn into the page.
    assert!(page.contains("<figure class=\"plot\">") && page.contains("<svg width"));
}

/// The checks above find what they look for.
#[test]
fn broken_pages_are_found() {
    let good = page(scored(2, 1));
    let broken = [
        good.replacen("<p>", "<p><b>", 1),
        good.replacen("<h2>", "<h4>", 1).replacen("</h2>", "</h4>", 1),
        good.replacen(" scope=\"col\"", "", 1),
        good.replacen("<p ", "<p onclick=\"x()\" ", 1),
        good.replacen("data:image/png;base64,", "https://example.org/", 1),
        good.replacen("id=\"lesions\"", "id=\"score\"", 1),
        good.replacen("\"use strict\";", "\"use strict\"; ", 1),
        good.replacen("<main>", "<main><script>1</script>", 1),
    ];
    check_page(&good);
    for page in broken {
        assert!(page != good);
        assert!(std::panic::catch_unwind(|| check_page(&page)).is_err());
    }
}
