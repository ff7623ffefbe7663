//! As much of HTTP as a page on this computer needs: one request a connection, small, answered at once.
//!
//! The head of a request is read by `httparse`. Sizes and waiting are limited, so that whatever connects cannot hold more than
//! a thread for a few seconds.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Longest head of a request, and longest body, bytes.
const HEAD: usize = 16 * 1024;
const BODY: usize = 64 * 1024;
/// A request that does not come within this time is given up, and an answer that is not taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a request that is too large is thrown away, bytes, and how long that may take.
const DRAINED: u64 = 1 << 20;
const LINGER: Duration = Duration::from_secs(1);
/// Connections at a time: a browser opens six.
const CONNECTIONS: usize = 32;

/// A request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// What follows the host, as it was sent.
    pub(super) target: String,
    pub(super) host: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A status without a word.
    pub(super) fn bare(status: u16) -> Self {
        Self { status, content_type: "text/plain", body: Vec::new() }
    }
}

/// Answers requests until `ended` is set by an answer.
pub(super) fn serve(
    listener: &TcpListener,
    ended: &Arc<AtomicBool>,
    answer: &Arc<impl Fn(&Request) -> Answer + Send + Sync + 'static>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if ended.load(Ordering::Acquire) {
            break;
        }
        // A connection that is broken already is no reason to end.
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::AcqRel) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let (open, answer, ended) = (open.clone(), answer.clone(), ended.clone());
        std::thread::spawn(move || {
            // Whoever has gone away needs no answer.
            let _ = converse(stream, &*answer);
            open.fetch_sub(1, Ordering::AcqRel);
            if ended.load(Ordering::Acquire) {
                // Wakes the loop above, which waits for a connection.
                let _ = TcpStream::connect(address);
            }
        });
    }
    Ok(())
}

fn converse(mut stream: TcpStream, answer: &impl Fn(&Request) -> Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match read(&mut stream)? {
        Ok(request) => write(&mut stream, &answer(&request)),
        Err(status) => {
            write(&mut stream, &Answer::bare(status))?;
            // What is not read would break the connection before the answer is.
            stream.shutdown(Shutdown::Write)?;
            stream.set_read_timeout(Some(LINGER))?;
            io::copy(&mut stream.take(DRAINED), &mut io::sink()).map(|_| ())
        }
    }
}

/// A request, or the status that says what is wrong with it. An error where the connection ends.
fn read(stream: &mut impl Read) -> io::Result<Result<Request, u16>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (mut request, length, start) = loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..n]);
        match head(&bytes) {
            Ok(Some(found)) => break found,
            Ok(None) if bytes.len() > HEAD => return Ok(Err(431)),
            Ok(None) => {}
            Err(status) => return Ok(Err(status)),
        }
    };
    if length > BODY {
        return Ok(Err(413));
    }
    while bytes.len() < start + length {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..n]);
    }
    request.body = bytes[start..start + length].to_vec();
    Ok(Ok(request))
}

type Head = (Request, usize, usize);

/// The head of a request, the length of its body and where that begins; `None` while it is not whole.
fn head(bytes: &[u8]) -> Result<Option<Head>, u16> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let start = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(400),
    };
    let values = |name: &str| -> Result<Option<String>, u16> {
        let named = parsed.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        let mut values = named.map(|h| String::from_utf8_lossy(h.value).trim().to_owned());
        let first = values.next();
        // Twice it could mean two things.
        if values.next().is_some() { Err(400) } else { Ok(first) }
    };
    if values("transfer-encoding")?.is_some() {
        return Err(411);
    }
    let length = match values("content-length")? {
        Some(length) => length.parse::<usize>().map_err(|_| 400_u16)?,
        None => 0,
    };
    let request = Request {
        host: values("host")?,
        origin: values("origin")?,
        content_type: values("content-type")?,
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        body: Vec::new(),
    };
    Ok(Some((request, length, start)))
}

fn write(stream: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let reason = match answer.status {
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Refused",
    };
    // The page names its own policy; nothing of it is kept, guessed, shown inside another page or told to another one.
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Request, u16> {
        read(&mut text.as_bytes()).unwrap()
    }

    #[test]
    fn a_request_is_read_with_its_body() {
        let text = "POST /t/change HTTP/1.1\r\nHost: 127.0.0.1:9\r\ncontent-length: 2\r\nContent-Type: application/json\r\n\r\n{}x";
        let request = read_text(text).unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/t/change"));
        assert_eq!((request.host.as_deref(), &request.body[..]), (Some("127.0.0.1:9"), &b"{}"[..]));
    }

    #[test]
    fn what_is_too_large_or_means_two_things_is_refused() {
        let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(40_000));
        for (text, status) in [
            (long.as_str(), 431),
            ("POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("\u{1}\u{2}\r\n\r\n", 400),
        ] {
            assert_eq!(read_text(text).unwrap_err(), status, "{text:.60}");
        }
        assert!(read(&mut "GET / HT".as_bytes()).is_err());
    }
}
