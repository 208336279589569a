//! Images by tag become images by digest, and nothing else in the file changes.

use std::{ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

use super::{BASELINE, check::line_of};
use crate::{Digest, Problem, Result, image::Tag};

/// An image that a workload file names by a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The arm's key.
    pub field: String,
    /// What is written.
    pub tag: Tag,
    /// Where, quotes included.
    span: Range<usize>,
}

/// The images of a workload's text that are named by a tag, in the order of the text; `path`
/// names it in messages.
pub fn tags(source: &str, path: &Path) -> Result<Vec<Tagged>> {
    let at = |offset: usize| format!("{}:{}", path.display(), line_of(source, offset));
    let file = DeTable::parse(source).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start);
        Problem::input(e.to_string().trim_end().to_owned()).at(at(start))
    })?;
    let mut found = Vec::new();
    for (field, arm) in arms(file.get_ref()) {
        let Some(image) = arm.get("image") else { continue };
        // Anything but a string is left to the check of the file.
        let DeValue::String(text) = image.get_ref() else { continue };
        if text.contains('@') {
            continue;
        }
        let tag = text.parse().map_err(|what: String| {
            let place = format!("{}: {field}.image", at(image.span().start));
            Problem::input(what).at(place).next("write it like \"registry.example/name:tag\"")
        })?;
        found.push(Tagged { field, tag, span: image.span() });
    }
    found.sort_by_key(|tagged| tagged.span.start);
    Ok(found)
}

/// The text with these images by digest; `source` is what they were found in.
pub fn pin(source: &str, pinned: &[(Tagged, Digest)]) -> String {
    let (mut out, mut done) = (String::with_capacity(source.len()), 0);
    for (tagged, digest) in pinned {
        let written = &source[tagged.span.clone()];
        let quote = ["\"\"\"", "'''", "'"].into_iter().find(|q| written.starts_with(q)).unwrap_or("\"");
        out += &source[done..tagged.span.start];
        out += &format!("{quote}{}{quote}", tagged.tag.pinned(*digest));
        done = tagged.span.end;
    }
    out + &source[done..]
}

/// Whether what is written at `offset` is an image by tag.
pub(super) fn is_tag(source: &str, offset: usize) -> bool {
    tags(source, Path::new("")).is_ok_and(|tags| tags.iter().any(|tagged| tagged.span.start == offset))
}

type Arm<'a> = &'a DeTable<'a>;

/// Every table that is an arm, with its key.
fn arms<'a>(file: &'a DeTable<'a>) -> Vec<(String, Arm<'a>)> {
    let mut found: Vec<(String, Arm<'a>)> = Vec::new();
    found.extend(table(file, BASELINE).map(|arm| (BASELINE.to_owned(), arm)));
    for (name, arm) in table(file, "candidates").into_iter().flat_map(|arms| arms.iter()) {
        if let DeValue::Table(arm) = arm.get_ref() {
            found.push((format!("candidates.{}", name.get_ref()), arm));
        }
    }
    let reference = table(file, "equivalence").and_then(|e| table(e, "reference"));
    found.extend(reference.map(|arm| ("equivalence.reference".to_owned(), arm)));
    found
}

fn table<'a>(of: &'a DeTable<'a>, key: &str) -> Option<Arm<'a>> {
    match of.get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"name = "x" # image = "a:b"
baseline.image = 'one:1'   # kept
equivalence = { sample = 1, reference = { image = "two", args = ["three:3"] } }
[candidates]
inline = { image="""reg:5000/four:4""" }
command = { command = ["five:5"] }
[candidates.table]
description = "image = 'six:6'"
image = "seven:7"
[candidates.pinned]
image = "eight@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"#;

    fn found(source: &str) -> Vec<Tagged> {
        tags(source, Path::new("x.toml")).unwrap()
    }

    #[test]
    fn the_tags_of_all_arms_are_found_however_they_are_written() {
        let found = found(FILE);
        let found: Vec<_> = found.iter().map(|t| (t.field.as_str(), t.tag.to_string())).collect();
        assert_eq!(
            found,
            [
                ("baseline", "one:1".to_owned()),
                ("equivalence.reference", "two:latest".to_owned()),
                ("candidates.inline", "reg:5000/four:4".to_owned()),
                ("candidates.table", "seven:7".to_owned()),
            ]
        );
    }

    #[test]
    fn only_the_values_change() {
        let digest = Digest::of("abc");
        let pinned: Vec<_> = found(FILE).into_iter().map(|tagged| (tagged, digest)).collect();
        let expected = FILE
            .replace("'one:1'", &format!("'one@{digest}'"))
            .replace("\"two\"", &format!("\"two@{digest}\""))
            .replace("reg:5000/four:4", &format!("reg:5000/four@{digest}"))
            .replace("seven:7", &format!("seven@{digest}"));
        assert_eq!(pin(FILE, &pinned), expected);
        assert!(found(&expected).is_empty());
    }

    #[test]
    fn a_pinned_file_stays_as_it_is() {
        let pinned = "candidates.a.image = \"x@sha256:1\"\r\n";
        assert!(found(pinned).is_empty());
        assert_eq!(pin(pinned, &[]), pinned);
    }

    #[test]
    fn a_name_that_is_none_is_named_at_its_line() {
        let problem = tags("a = 1\n[baseline]\nimage = \"Not A Name\"\n", Path::new("x.toml")).unwrap_err();
        assert!(problem.to_string().starts_with("x.toml:3: baseline.image: `Not A Name`"), "{problem}");
    }
}
