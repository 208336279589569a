//! The bytes of a body as server-sent events, as the WHATWG HTML standard reads them
//! (section 9.2.6). Each byte is looked at once and none is copied, but for events of
//! several `data` lines.

use std::borrow::Cow;

use memchr::memchr2;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event<'b> {
    /// The last `event` field, or empty.
    pub(super) name: &'b [u8],
    /// Its `data` fields, a line feed between each two.
    pub(super) data: Cow<'b, [u8]>,
    /// How many bytes of the body it took to complete it: up to the line feed of the blank
    /// line, or to its carriage return if that comes first, for then the line has ended.
    pub(super) end: usize,
}

/// The name of an event that says that the server failed.
pub(super) const ERROR: &[u8] = b"error";

/// All complete events of a body; what follows the last blank line is none.
pub(super) fn events(body: &[u8]) -> Events<'_> {
    Events { body, at: if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 } }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Events<'b> {
    body: &'b [u8],
    /// Where the next line starts.
    at: usize,
}

impl<'b> Iterator for Events<'b> {
    type Item = Event<'b>;

    fn next(&mut self) -> Option<Event<'b>> {
        let (mut name, mut data): (&[u8], Option<Cow<[u8]>>) = (b"", None);
        while let Some((line, end)) = self.line() {
            if line.is_empty() {
                // The standard drops an event without data. One that is named an error
                // counts: a server that says so means it.
                if data.is_some() || name == ERROR {
                    return Some(Event { name, data: data.unwrap_or_default(), end });
                }
                name = b"";
                continue;
            }
            match field(line) {
                (b"event", value) => name = value,
                (b"data", value) => data = Some(joined(data, value)),
                _ => {}
            }
        }
        None
    }
}

impl<'b> Events<'b> {
    /// The next complete line without its end, and where it ends. Lines end with CR, LF or
    /// both; the LF after a CR belongs to it whenever it comes.
    fn line(&mut self) -> Option<(&'b [u8], usize)> {
        let rest = &self.body[self.at..];
        let len = memchr2(b'\n', b'\r', rest)?;
        let end = self.at + len + 1;
        self.at = end + usize::from(rest[len..].starts_with(b"\r\n"));
        Some((&rest[..len], end))
    }
}

/// A line's name and value; a comment's name is empty.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = line.iter().position(|&b| b == b':') else { return (line, b"") };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}

fn joined<'b>(before: Option<Cow<'b, [u8]>>, value: &'b [u8]) -> Cow<'b, [u8]> {
    let Some(mut data) = before else { return Cow::Borrowed(value) };
    let all = data.to_mut();
    all.push(b'\n');
    all.extend_from_slice(value);
    data
}
