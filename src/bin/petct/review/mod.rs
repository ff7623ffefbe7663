//! `petct review`: the page of a folder of results with means to decide, served to this computer alone.
//!
//! The address holds a token from the system's random source; without it, and with the name of any other host, there is
//! nothing. A request names a step from a fixed list, never a file. What is written is what `score -o` and `compare -o` write,
//! in the folder that was given.

mod http;
mod session;

use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use petct::assessment::Settings;
use petct::decisions::{Change, is_untouched};
use serde::Deserialize;

use crate::args::{ReviewOptions, ScanOptions};
use crate::assess::settings;
use crate::compare::LINKS;
use crate::console::{Console, check_apart};
use crate::decisions::GivenDecisions;
use crate::failure::Failure;
use crate::open::{Ct, OpenScan, open_scan};
use http::{Answer, Request};
use session::{Kind, News, Session};

const ENDS: &str = "Open this address in a browser on this computer; Ctrl-C ends the review.";

/// More scans of one patient than anybody compares.
const MOST_SCANS: usize = 1000;

/// A scan that was read, and the decisions of the folder about it.
struct Opened {
    scan: OpenScan,
    settings: Settings,
    options: ScanOptions,
    given: GivenDecisions,
}

pub(crate) fn run(options: ReviewOptions, console: &Console) -> Result<ExitCode, Failure> {
    let session = opened(options, console)?;
    let (port, session) = session;
    let token = token()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = listener.map_err(|error| cannot_serve(port, &error))?;
    let port = listener.local_addr().map_err(|error| cannot_serve(port, &error))?.port();
    let ended = Arc::new(AtomicBool::new(false));
    let server = Server { token, port, session: Mutex::new(session), ended: ended.clone() };
    console.serves(&format!("http://127.0.0.1:{port}/{}/", server.token), ENDS)?;
    let teller = console.clone();
    let answer = move |request: &Request| {
        let answer = server.answer(request);
        // The target may hold the token: it is not told.
        teller.tell(&format!("{} {}", request.method.escape_default(), answer.status));
        answer
    };
    http::serve(&listener, &ended, &Arc::new(answer))
        .map_err(|error| cannot_serve(port, &error))?;
    Ok(ExitCode::SUCCESS)
}

fn cannot_serve(port: u16, error: &std::io::Error) -> Failure {
    let message = format!("port {port} of 127.0.0.1 cannot be served: {error}");
    Failure::new("cannot_serve", &message, "choose another with --port, or leave it out")
}

fn opened(options: ReviewOptions, console: &Console) -> Result<(u16, Session), Failure> {
    let ReviewOptions { folder, port, scans, threshold, criteria } = options;
    let paths: Vec<_> = scans.iter().map(|(scan, _)| scan.path.as_path()).collect();
    check_apart(&folder, &paths)?;
    let has = |name: &str| folder.join(name).is_file();
    let kind = if has(&Kind::Score.file(0)) { Kind::Score } else { Kind::Compare };
    let written = match kind {
        Kind::Score => 1,
        Kind::Compare => (0..MOST_SCANS).take_while(|&n| has(&kind.file(n))).count(),
    };
    if written == 0 {
        let message = format!("{} holds no decisions.toml", folder.display());
        let remedy = "give the folder that petct score -o or petct compare -o wrote";
        return Err(Failure::new("not_results", &message, remedy));
    }
    if written != scans.len() {
        let message = format!(
            "{} is about {written} scan(s), and {} are given",
            folder.display(),
            scans.len()
        );
        let remedy = "give the scans with which it was written, in their order";
        return Err(Failure::new("other_number_of_scans", &message, remedy));
    }
    let links = std::fs::read_to_string(folder.join(LINKS));
    if kind == Kind::Compare && links.is_ok_and(|text| !is_untouched(&text)) {
        let message = format!(
            "{} holds links that a person has edited, which are bound to the regions as they stand",
            folder.join(LINKS).display()
        );
        let remedy = "move it away for the review, and edit the new one afterwards";
        return Err(Failure::new("links_in_the_way", &message, remedy));
    }
    let mut opened = Vec::new();
    for (n, (options, reading)) in scans.into_iter().enumerate() {
        let file = folder.join(kind.file(n));
        let Some(given) = GivenDecisions::read(Some(&file))? else { continue };
        let mut scan = console.busy("reading PET and CT", || open_scan(&options, Ct::Load))?;
        let settings = settings(&mut scan, &reading, threshold, criteria)?;
        opened.push(Opened { scan, settings, options, given });
    }
    Ok((port, Session::new(kind, folder, criteria, opened, console)?))
}

/// 128 random bits in hexadecimal digits.
fn token() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("the system gives no random numbers: {error}");
        Failure::new("no_random_numbers", &message, "review on another computer")
    })?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Who may ask what.
struct Server {
    token: String,
    port: u16,
    session: Mutex<Session>,
    ended: Arc<AtomicBool>,
}

/// A step about a scan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    scan: usize,
    change: Change,
}

/// What takes no words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Server {
    fn answer(&self, request: &Request) -> Answer {
        // Another name for this address is a page of somebody else that was led here (DNS rebinding).
        let own = |name: &str| {
            ["127.0.0.1", "localhost"].iter().any(|host| name == format!("{host}:{}", self.port))
        };
        if !request.host.as_deref().is_some_and(own) {
            return Answer::bare(403);
        }
        let parts = request.target.strip_prefix('/').and_then(|target| target.split_once('/'));
        let Some((_, name)) = parts.filter(|(token, _)| *token == self.token) else {
            return Answer::bare(403);
        };
        match (request.method.as_str(), name) {
            ("GET", "") => self.page(),
            ("POST", "change" | "undo" | "save" | "end") => {
                let foreign = request
                    .origin
                    .as_deref()
                    .is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(own));
                let json = request.content_type.as_deref().is_some_and(|of| {
                    of.split(';').next().is_some_and(|of| of.trim() == "application/json")
                });
                match (foreign, json) {
                    (true, _) => Answer::bare(403),
                    (false, false) => Answer::bare(415),
                    (false, true) => self.step(name, &request.body),
                }
            }
            (_, "" | "change" | "undo" | "save" | "end") => Answer::bare(405),
            _ => Answer::bare(404),
        }
    }

    fn page(&self) -> Answer {
        let page = self.session.lock().unwrap_or_else(PoisonError::into_inner).page();
        match page {
            Ok(page) => {
                let content_type = "text/html; charset=utf-8";
                Answer { status: 200, content_type, body: page.into_bytes() }
            }
            Err(failure) => told(500, &failure.error()),
        }
    }

    fn step(&self, name: &str, body: &[u8]) -> Answer {
        let step = match name {
            "change" => serde_json::from_slice::<Step>(body).map(Some),
            _ => serde_json::from_slice::<Nothing>(body).map(|_| None),
        };
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                let remedy = "send a step as the page does";
                return told(400, &Failure::new("not_a_step", &error, remedy).error());
            }
        };
        if name == "end" {
            self.ended.store(true, Ordering::Release);
            return told(200, &serde_json::json!({ "message": "The review has ended." }));
        }
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let news: Result<News, Failure> = match (name, step) {
            (_, Some(step)) => session.change(step.scan, &step.change),
            ("undo", None) => session.undo(),
            (_, None) => session.save(),
        };
        // What a person is to be told stands in the page; the browser has nothing to complain of.
        told(200, &news.unwrap_or_else(|failure| Session::refused(&failure.message)))
    }
}

fn told(status: u16, what: &impl serde::Serialize) -> Answer {
    // Numbers and texts of this program: they always are JSON.
    let body = serde_json::to_vec(what).unwrap_or_default();
    Answer { status, content_type: "application/json", body }
}
