//! A headless Chromium, spoken to over its remote debugging pipe: no driver, no port, no dependency.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// The browser reads commands on 3 and writes answers on 4, each ended by a zero byte.
const PIPES: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";
const FLAGS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
    "about:blank",
];
const PATIENCE: Duration = Duration::from_secs(90);

/// A page in a browser of its own.
pub(crate) struct Page {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    session: String,
    last: u64,
    events: Vec<Value>,
    _profile: TempDir,
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let all = std::env::split_paths(&path).flat_map(|dir| NAMES.map(|name| dir.join(name)));
    all.into_iter().find(|file| file.is_file())
}

impl Page {
    /// Opens an address; `None` (said on stderr) where there is no browser.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub(crate) fn open(address: &str) -> Option<Self> {
        let Some(browser) = browser() else {
            eprintln!("skipped: no Chromium on this machine (Debian: apt-get install chromium)");
            return None;
        };
        let profile = TempDir::new().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", PIPES])
            .arg(browser)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(FLAGS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (tell, answers) = channel();
        std::thread::spawn(move || {
            loop {
                let mut bytes = Vec::new();
                match output.read_until(0, &mut bytes) {
                    Ok(n) if n > 1 => {}
                    _ => return,
                }
                let message = serde_json::from_slice(&bytes[..bytes.len() - 1]).unwrap();
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
        let mut page = Self {
            child,
            commands,
            answers,
            session: String::new(),
            last: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = page.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = page.ask("Target.attachToTarget", &attach);
        session["sessionId"].as_str().unwrap().clone_into(&mut page.session);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            page.ask(domain, &json!({}));
        }
        // Without animations what is clicked stands still.
        let still =
            json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
        page.ask("Emulation.setEmulatedMedia", &still);
        page.ask("Page.navigate", &json!({ "url": address }));
        Some(page)
    }

    /// Opens a file.
    pub(crate) fn open_file(file: &Path) -> Option<Self> {
        Self::open(&format!("file://{}", file.display()))
    }

    /// Sends a command and waits for its answer; what comes before is kept.
    pub(crate) fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": parameters });
        if !self.session.is_empty() {
            command["sessionId"] = self.session.clone().into();
        }
        self.commands.write_all(command.to_string().as_bytes()).unwrap();
        self.commands.write_all(&[0]).unwrap();
        self.commands.flush().unwrap();
        loop {
            let message = self.answers.recv_timeout(PATIENCE).expect("the browser answers");
            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let what = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask("Runtime.evaluate", &what);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        while self.value(expression) != true {
            assert!(start.elapsed() < PATIENCE, "{expression} does not become true");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits for the next frame, so that what was changed is drawn.
    pub(crate) fn drawn(&mut self) {
        self.value(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))",
        );
    }

    /// Presses a key; `shift` with it.
    pub(crate) fn press(&mut self, key: &str, shift: bool) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "PageUp" => 33,
            "PageDown" => 34,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            other => panic!("{other} is no key of this test"),
        };
        let modifiers = if shift { 8 } else { 0 };
        // A button listens to the character, which Enter alone of these keys has.
        let down = if key == "Enter" { "keyDown" } else { "rawKeyDown" };
        for kind in [down, "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers
            });
            if kind == "keyDown" {
                event["text"] = "\r".into();
            }
            self.ask("Input.dispatchKeyEvent", &event);
        }
    }

    /// Clicks at a share of the width and height of an element, which is scrolled to.
    #[track_caller]
    pub(crate) fn click(&mut self, element: &str, across: f64, down: f64) {
        let place = self.value(&format!(
            "(() => {{ const e = {element}; e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; }})()"
        ));
        let side = |n: usize| place[n].as_f64().unwrap();
        let (x, y) = (side(0) + across * side(2), side(1) + down * side(3));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", &event);
        }
    }

    /// What the page complained of.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.value("1");
        let complaint = |event: &Value| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(parameters.to_string()),
                "Runtime.consoleAPICalled"
                    if ["error", "warning", "assert"].contains(&parameters["type"].as_str()?) =>
                {
                    Some(parameters.to_string())
                }
                "Log.entryAdded"
                    if ["error", "warning"].contains(&parameters["entry"]["level"].as_str()?) =>
                {
                    Some(parameters.to_string())
                }
                _ => None,
            }
        };
        self.events.iter().filter_map(complaint).collect()
    }

    /// Where the page asked for something.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        self.value("1");
        let requests =
            self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        let address = |event: &Value| event["params"]["request"]["url"].as_str().map(str::to_owned);
        requests.filter_map(address).filter(|address| !address.starts_with("data:")).collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // It may have gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
