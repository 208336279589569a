//! HTTP/1.1 as bytes: request heads read, response heads and chunks written.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::behaviour::Head;

/// Most headers in a request.
const MAX_HEADERS: usize = 64;

/// A request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) request_id: Option<String>,
    pub(crate) keep_alive: bool,
    pub(crate) body: Vec<u8>,
    /// Length of the body, where it is not chunked.
    pub(crate) length: usize,
    pub(crate) chunked: bool,
    /// Whether the client waits for leave to send the body.
    pub(crate) expects: bool,
}

/// Why no request could be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The client is gone.
    Gone,
    /// It is not HTTP; the status says what is wrong.
    Bad(u16, &'static str),
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// The request head at the start of these bytes, and its length, once it is whole.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, Unreadable> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let used = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Unreadable::Bad(431, "Request Header Fields Too Large"));
        }
        Err(_) => return Err(Unreadable::Bad(400, "Invalid HTTP request received.")),
    };
    let path = parsed.path.unwrap_or("/");
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.split('?').next().unwrap_or(path).to_owned(),
        keep_alive: parsed.version == Some(1),
        ..Request::default()
    };
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length = value.trim().parse();
                request.length = length.map_err(|_| Unreadable::Bad(400, "Bad Request"))?;
            }
            "transfer-encoding" => request.chunked = value.eq_ignore_ascii_case("chunked"),
            "content-type" => request.content_type = value.to_ascii_lowercase(),
            "x-request-id" => request.request_id = Some(value.into_owned()),
            "expect" => request.expects = value.eq_ignore_ascii_case("100-continue"),
            "connection" => request.keep_alive = keep_alive(&value, request.keep_alive),
            _ => {}
        }
    }
    Ok(Some((request, used)))
}

fn keep_alive(value: &str, default: bool) -> bool {
    let has = |wanted: &str| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted));
    if has("close") { false } else { default || has("keep-alive") }
}

/// The bytes of a status line and headers.
pub(crate) fn head_bytes(head: &Head, keep_alive: bool) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} {}\r\n", head.status, reason(head.status));
    text.push_str(&format!("date: {}\r\nserver: stub\r\n", date(SystemTime::now())));
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    match head.length {
        Some(length) => text.push_str(&format!("content-length: {length}\r\n")),
        None => text.push_str("transfer-encoding: chunked\r\n"),
    }
    if !keep_alive {
        text.push_str("connection: close\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// One chunk of a chunked body.
pub(crate) fn chunk_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Request Entity Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}

/// An HTTP date, by the civil-from-days algorithm.
fn date(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        DAYS[(days % 7) as usize],
        MONTHS[(month - 1) as usize],
        rest / 3600,
        rest % 3600 / 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(at(1_795_350_630), "Sun, 22 Nov 2026 12:30:30 GMT");
    }

    #[test]
    fn a_head_is_read_only_when_it_is_whole() {
        let text = b"POST /tokenize?x=1 HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
        assert!(parse_head(&text[..text.len() - 1]).unwrap().is_none());
        let (request, used) = parse_head(text).unwrap().unwrap();
        assert_eq!((request.path.as_str(), request.length, used), ("/tokenize", 3, text.len()));
        assert!(!request.keep_alive);
    }
}
