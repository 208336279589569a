//! JSON in which no string is endless and no character acts on a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

/// Characters of a string.
const STRING: usize = 4_000;

/// `value`, indented; longer strings are cut and end in `…`.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    let careful = Careful { pretty: PrettyFormatter::new(), room: STRING };
    value.serialize(&mut Serializer::with_formatter(&mut out, careful)).expect("plain values serialise");
    out.push(b'\n');
    out
}

/// As [`PrettyFormatter`], but for strings.
struct Careful {
    pretty: PrettyFormatter<'static>,
    room: usize,
}

impl Careful {
    /// Whether one more character fits; says so once where none does.
    fn fits<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<bool> {
        match self.room {
            0 => return Ok(false),
            1 => writer.write_all("…".as_bytes())?,
            _ => {}
        }
        self.room -= 1;
        Ok(self.room > 0)
    }
}

/// Methods that do what [`PrettyFormatter`] does.
macro_rules! pretty {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.pretty.$name(writer $(, $argument)*)
        })*
    };
}

impl Formatter for Careful {
    pretty! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.room = STRING;
        writer.write_all(b"\"")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if !self.fits(writer)? {
                return Ok(());
            }
            if lab::text::is_unprintable(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        if self.fits(writer)? { self.pretty.write_char_escape(writer, escape) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_keeps_its_value_and_loses_its_teeth() {
        let text = "a\"\u{1b}\u{9b}2J\u{202e}\u{e0001}";
        let json = String::from_utf8(json(&text)).unwrap();
        assert_eq!(json, "\"a\\\"\\u001b\\u009b2J\\u202e\\udb40\\udc01\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn an_endless_string_is_cut_and_the_next_is_not() {
        let json = String::from_utf8(json(&["\n".repeat(1 << 20), "x".repeat(1 << 20), "y".into()])).unwrap();
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back.iter().map(|s| s.chars().count()).collect::<Vec<_>>(), [STRING, STRING, 1]);
        assert!(back[1].ends_with("x…"));
    }
}
