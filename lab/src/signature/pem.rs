//! Keys as text, between lines that say what they are (RFC 7468).

use base64::{Engine, prelude::BASE64_STANDARD};

/// Text of a block with this label.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Label and bytes of the only block.
pub(super) fn decode(text: &str) -> Result<(&str, Vec<u8>), String> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN "));
    let begin = lines.next().ok_or("no line `-----BEGIN …-----` stands in it")?;
    let label = begin.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
    let label = label.ok_or("its first line is cut short")?;
    let end = format!("-----END {label}-----");
    let (mut inside, mut ended) = (String::new(), false);
    for line in lines.by_ref() {
        ended = line == end;
        if ended {
            break;
        }
        inside.push_str(line);
    }
    if !ended {
        return Err("its last line is missing".into());
    }
    if lines.any(|line| line.starts_with("-----BEGIN ")) {
        return Err("several keys stand in it: give each a file of its own".into());
    }
    let der = BASE64_STANDARD.decode(inside).map_err(|e| format!("it is no base64: {e}"))?;
    Ok((label, der))
}
