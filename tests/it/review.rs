//! `petct review`: who is answered, what a step does, what is written.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dicom_core::VR;
use dicom_dictionary_std::tags;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{arg, petct, text};
use crate::compare::compared;
use crate::samples::{Run, regions, scan, scored};
use crate::synthetic::Synthetic;

/// A review that runs until it is dropped.
pub(crate) struct Review {
    child: Child,
    pub(crate) address: String,
    folder: TempDir,
    scans: Vec<PathBuf>,
}

/// An answer: status, head and body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Review {
    /// Of a sample scan as it was scored.
    pub(crate) fn of_scan(of: usize, number: usize) -> Self {
        Self::start(scored(of, number), vec![scan(of, number)], &[])
    }

    /// Of the comparison of a patient's scans.
    pub(crate) fn of_series(of: usize) -> Self {
        Self::start(compared(of), [0, 1, 2].map(|n| scan(of, n)).to_vec(), &[])
    }

    fn start(run: &Run, scans: Vec<PathBuf>, more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, bytes) in &run.files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("petct"))
            .args(["review", arg(folder.path()), "--quiet", "--threads", "2"])
            .args(&scans)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned(), folder, scans }
    }

    fn host(&self) -> &str {
        self.address.split('/').nth(2).unwrap()
    }

    fn token(&self) -> &str {
        self.address.split('/').nth(3).unwrap()
    }

    /// What is answered to a request as it stands.
    fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = text(&bytes[..end]);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn get(&self, target: &str, host: &str) -> Answer {
        self.raw(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    fn post(&self, name: &str, body: &str) -> Answer {
        self.post_with(&format!("/{}/{name}", self.token()), body, "application/json", "")
    }

    fn post_with(&self, target: &str, body: &str, kind: &str, more: &str) -> Answer {
        self.raw(&format!(
            "POST {target} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            self.host(),
            body.len()
        ))
    }

    fn step(&self, scan: usize, change: &Value) -> Value {
        self.post("change", &json!({ "scan": scan, "change": change }).to_string()).json()
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let named = |path: PathBuf| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
        };
        entries.map(|entry| named(entry.unwrap().path())).collect()
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    /// The document of the scan with the decisions in the folder.
    pub(crate) fn scored_again(&self) -> Value {
        let decisions = self.folder.path().join("decisions.toml");
        let flags = ["score", arg(&self.scans[0]), "--decisions", arg(&decisions)];
        let output = petct(&[&flags[..], &["--format", "json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stdout));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Review {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn class(region: &Value, class: &str) -> Value {
    json!({ "do": "class", "region": region["id"], "class": class })
}

/// The first heading of the page in an answer.
fn headline(news: &Value) -> String {
    let page = news["page"].as_str().unwrap();
    page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
}

#[test]
fn nobody_else_is_answered() {
    let review = Review::of_scan(1, 1);
    assert!(review.host().starts_with("127.0.0.1:") && review.token().len() == 32);
    let page = format!("/{}/", review.token());
    let good = review.get(&page, review.host());
    assert_eq!(good.status, 200);
    for header in
        ["Cache-Control: no-store", "Referrer-Policy: no-referrer", "X-Frame-Options: DENY"]
    {
        assert!(good.head.contains(header), "{}", good.head);
    }
    assert!(text(&good.body).contains("connect-src 'self'"));
    let port = review.host().split(':').nth(1).unwrap();
    assert_eq!(review.get(&page, &format!("localhost:{port}")).status, 200);
    let wrong = "0".repeat(32);
    for (target, host) in [
        ("/", review.host()),
        ("/report.html", review.host()),
        (&format!("/{wrong}/"), review.host()),
        (&page[..page.len() - 1], review.host()),
        (&page, "attacker.example"),
        (&page, &format!("attacker.example:{port}")),
        (&page, "127.0.0.1"),
    ] {
        let answer = review.get(target, host);
        assert_eq!((answer.status, answer.body.len()), (403, 0), "{target} {host}");
    }
    assert_eq!(review.raw(&format!("GET {page} HTTP/1.1\r\n\r\n")).status, 403, "without a host");
    let step =
        json!({ "scan": 0, "change": { "do": "class", "region": 2, "class": "physiologic" } });
    let change = format!("/{}/change", review.token());
    for (target, kind, more, status) in [
        (format!("/{wrong}/change"), "application/json", "", 403),
        (change.clone(), "application/json", "Origin: http://attacker.example\r\n", 403),
        (change.clone(), "text/plain", "", 415),
        (change, "application/x-www-form-urlencoded", "", 415),
    ] {
        let answer = review.post_with(&target, &step.to_string(), kind, more);
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{target} {kind} {more}");
    }
    assert_eq!(review.files(), files_of(scored(1, 1)));
}

fn files_of(run: &Run) -> BTreeMap<String, Vec<u8>> {
    run.files.clone()
}

#[test]
fn a_request_names_no_file() {
    let review = Review::of_scan(1, 1);
    let before = review.files();
    let token = review.token();
    for target in [
        "/../../etc/passwd",
        "/score.json",
        "/..%2f..%2fdecisions.toml",
        "/change/../../x",
        "/save?file=/x/y",
        "//",
    ] {
        let target = format!("/{token}{target}");
        assert_eq!(review.get(&target, review.host()).status, 404, "{target}");
        assert_eq!(review.post_with(&target, "{}", "application/json", "").status, 404, "{target}");
    }
    for (name, body) in [
        ("save", json!({ "path": "/x/y" })),
        ("save", json!({ "folder": "../elsewhere" })),
        ("change", json!({ "scan": 0, "change": { "do": "write", "path": "/x/y" } })),
        ("change", json!({ "scan": 0, "path": "../x", "change": { "do": "reader", "name": "A" } })),
        ("change", json!({ "scan": 0, "change": { "do": "reader", "name": "A", "path": "../x" } })),
        ("change", json!({ "scan": -1, "change": { "do": "reader", "name": "A" } })),
        ("undo", json!("x")),
    ] {
        let answer = review.post(name, &body.to_string());
        assert_eq!(answer.status, 400, "{name} {body}");
        assert!(text(&answer.body).contains("not_a_step"));
    }
    assert_eq!(review.post("change", &"x".repeat(70_000)).status, 413);
    assert_eq!(review.get(&format!("/{token}/save"), review.host()).status, 405);
    assert_eq!(review.files(), before);
}

#[test]
fn a_step_changes_the_score_on_the_page_in_the_file_and_later() {
    let review = Review::of_scan(1, 1);
    let before = review.files();
    let all = regions(&scored(1, 1).document);
    let lesions: Vec<&Value> = all.iter().filter(|r| r["class"] == "lesion").collect();
    assert_eq!(lesions.len(), 3);
    let mut news = Value::Null;
    for lesion in &lesions {
        news = review.step(0, &class(lesion, "physiologic"));
        assert_eq!((&news["refused"], &news["unsaved"]), (&false.into(), &true.into()));
    }
    assert!(headline(&news).starts_with("Deauville 1 "), "{}", headline(&news));
    let heads: Value = serde_json::from_str(news["heads"].as_str().unwrap()).unwrap();
    let of_first = heads[0]["regions"].as_array().unwrap().iter();
    let id = lesions[0]["id"].to_string();
    let of_first: Vec<_> = of_first.filter(|r| r["id"] == *id).collect();
    assert_eq!(of_first[0]["class"], "physiologic");
    // Nothing is written before it is saved.
    assert_eq!(review.files(), before);
    let saved = review.post("save", "{}").json();
    assert_eq!((&saved["unsaved"], &saved["undo"]), (&false.into(), &false.into()));
    let after = review.files();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let document: Value = serde_json::from_slice(&after["score.json"]).unwrap();
    assert_eq!(document["deauville"]["score"], 1);
    assert!(text(&after["report.html"]).contains("<h1>Deauville 1 "));
    let again = review.scored_again();
    for key in ["deauville", "lesions", "totals", "references", "decisions"] {
        assert_eq!(again[key], document[key], "{key}");
    }
}

#[test]
fn steps_are_undone_refused_and_carried_out_in_any_order() {
    let review = Review::of_scan(1, 1);
    let all = regions(&scored(1, 1).document);
    let id = |n: u64| all.iter().find(|r| r["id"] == n).unwrap();
    let whole = id(2);
    let points = json!([whole["hottest_mm"], whole["centroid_mm"]]);
    let split = json!({ "do": "split", "region": 2, "points_mm": points });
    let first = review.step(0, &split);
    assert_eq!(first["refused"], false, "{first}");
    let twice = review.step(0, &split);
    assert_eq!(twice["refused"], true);
    assert!(twice["message"].as_str().unwrap().contains("split and split"), "{}", twice["message"]);
    let merged = review.step(0, &json!({ "do": "merge", "regions": [8, 9], "class": null }));
    assert_eq!(merged["refused"], false, "{merged}");
    let added = review.step(0, &json!({ "do": "add", "point_mm": id(2)["hottest_mm"] }));
    assert!(added["message"].as_str().unwrap().contains("already"), "{}", added["message"]);
    let centre = &scored(1, 1).document["references"]["liver"]["centre_mm"];
    let sphere = json!([centre[0], centre[1], centre[2], 10.0]);
    let liver = json!({ "do": "reference", "reference": "liver", "sphere_mm": sphere });
    assert_eq!(review.step(0, &liver)["refused"], false);
    let reader = review.step(0, &json!({ "do": "reader", "name": "A. B. \"<script>" }));
    assert!(!reader["page"].as_str().unwrap().contains("<script>"), "{reader}");
    review.post("save", "{}").json();
    let again = review.scored_again();
    let kinds: Vec<&str> = again["decisions"]["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| edit["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["reference", "split", "merge"]);
    assert_eq!(again["references"]["liver"]["method"], "given_sphere");
    // Saved steps are not undone; new ones are, back to what was saved.
    assert_eq!(review.post("undo", "{}").json()["refused"], true);
    let saved = review.files();
    assert_eq!(review.step(0, &class(id(1), "removed"))["unsaved"], true);
    assert_eq!(review.post("undo", "{}").json()["unsaved"], false);
    review.post("save", "{}").json();
    assert_eq!(review.files()["decisions.toml"], saved["decisions.toml"]);
}

/// What a header says is text in the page and in a review, whatever it says. Figures show nothing of it.
#[test]
fn names_that_hold_marks_stay_text() {
    let name = "<script>alert(1)</script>^\"'&<b>";
    let folder = TempDir::new().unwrap();
    Synthetic::pet()
        .with(tags::PATIENT_NAME, VR::PN, name)
        .with(tags::PATIENT_ID, VR::LO, "\"><img src=x onerror=alert(1)>")
        .with(tags::SERIES_DESCRIPTION, VR::LO, "</title></style><script>alert(2)</script>")
        .write(folder.path());
    let run = Run::new(&["score", arg(folder.path()), "--show-identifiers"]);
    assert_eq!(run.document["patient"]["name"], name);
    let review = Review::start(&run, vec![folder.path().to_owned()], &["--show-identifiers"]);
    let served = review.get(&format!("/{}/", review.token()), review.host());
    let step = review.step(0, &json!({ "do": "reader", "name": name }));
    for page in [text(&run.files["report.html"]), text(&served.body), step["page"].to_string()] {
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;^"), "the name is shown");
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "the number is shown");
        for raw in ["<script>alert", "<img src=x", "<b>", "</title></style>"] {
            assert!(!page.contains(raw), "{raw}");
        }
    }
}

#[test]
fn a_comparison_is_decided_scan_by_scan() {
    let run = compared(2);
    let review = Review::of_series(2);
    let call = |page: &str| -> Vec<String> {
        let lines = page.split("<p class=\"line\">").skip(1);
        lines.map(|line| line.split("</p>").next().unwrap().to_owned()).collect()
    };
    let before = call(&text(&run.files["report.html"]));
    let hot = regions(&run.document["scans"][1]).iter().filter(|r| r["class"] == "lesion");
    let mut news = Value::Null;
    for lesion in hot {
        news = review.step(1, &class(lesion, "physiologic"));
        assert_eq!(news["refused"], false, "{news}");
    }
    let after = call(news["page"].as_str().unwrap());
    assert_ne!(before, after);
    review.post("save", "{}").json();
    let files = review.files();
    let document: Value = serde_json::from_slice(&files["compare.json"]).unwrap();
    // The same files, given back, say the same.
    let mut flags = vec!["compare".to_owned()];
    flags.extend(review.scans.iter().map(|scan| arg(scan).to_owned()));
    for n in 0..3 {
        let file = review.folder.path().join(format!("decisions-{n}.toml"));
        flags.extend(["--decisions".to_owned(), arg(&file).to_owned()]);
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let again = petct(&[&flags[..], &["--format", "json"]].concat());
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    for key in ["pairs", "trajectories"] {
        assert_eq!(again[key], document[key], "{key}");
    }
}

fn refused(folder: &Path, scans: &[PathBuf], more: &[&str], code: &str) {
    let scans: Vec<&str> = scans.iter().map(|scan| arg(scan)).collect();
    let flags = [&["review", arg(folder)], &scans[..], more, &["--format", "json"]].concat();
    let output = petct(&flags);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &document["error"]["code"]),
        (Some(2), &code.into()),
        "{document}"
    );
}

#[test]
fn other_scans_and_other_folders_are_refused() {
    let folder = TempDir::new().unwrap();
    refused(folder.path(), &[scan(1, 0)], &[], "not_results");
    let proposed = &scored(1, 1).files["decisions.toml"];
    std::fs::write(folder.path().join("decisions.toml"), proposed).unwrap();
    refused(folder.path(), &[scan(1, 0)], &[], "decisions_of_other_scan");
    refused(folder.path(), &[scan(1, 1)], &["--threshold", "41%"], "decisions_of_other_settings");
    refused(folder.path(), &[scan(1, 0), scan(1, 1)], &[], "other_number_of_scans");
    refused(folder.path(), &[scan(1, 1)], &["--decisions", "x.toml"], "usage");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written");
    let of_series = TempDir::new().unwrap();
    for (name, bytes) in &compared(2).files {
        if Path::new(name).extension().is_some_and(|of| of == "toml") {
            std::fs::write(of_series.path().join(name), bytes).unwrap();
        }
    }
    let links = of_series.path().join("links.toml");
    let edited = std::fs::read_to_string(&links).unwrap().replace("# ", "#  ");
    std::fs::write(&links, edited).unwrap();
    let scans = [0, 1, 2].map(|n| scan(2, n));
    refused(of_series.path(), &scans, &[], "links_in_the_way");
}
