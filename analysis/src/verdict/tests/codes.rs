//! METHOD names every reason code that the code has, and no other.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What stands before a code where a reason is made.
const MAKES: [&str; 6] = ["Reason { code: \"", "Rule { code: \"", "  code: \"", "reason(\"", "none(\"", "Some((\""];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("test_support") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Codes of reasons in the sources; those of structural checks apart.
fn in_the_code() -> (BTreeSet<String>, BTreeSet<String>) {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut reasons, mut checks) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for maker in MAKES {
            for (_, rest) in text.match_indices(maker).map(|(at, m)| text.split_at(at + m.len())) {
                let code = rest.split('"').next().unwrap().to_owned();
                if file.ends_with("structure.rs") {
                    checks.insert(code)
                } else {
                    reasons.insert(code)
                };
            }
        }
    }
    (reasons, checks)
}

/// The codes of the first column of a section's table; `-text` beside another means that one
/// with `-text` at its end.
fn in_the_book(section: &str) -> BTreeSet<String> {
    let book = include_str!("../../../METHOD.md");
    let section = book.split(&format!("\n## {section}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let mut codes = BTreeSet::new();
    for cell in rows.map(|row| row.split('|').nth(1).unwrap()) {
        let mut first = String::new();
        for code in cell.split('`').skip(1).step_by(2) {
            if first.is_empty() {
                first = code.to_owned();
            }
            let whole = if code.starts_with('-') { first.clone() + code } else { code.to_owned() };
            assert!(codes.insert(whole), "{code} stands twice");
        }
    }
    codes
}

#[test]
fn the_rule_book_lists_every_reason_code_and_every_check() {
    let (reasons, checks) = in_the_code();
    assert!(reasons.len() > 12 && checks.len() > 20, "the codes are found: {reasons:?} {checks:?}");
    assert_eq!(in_the_book("Reasons"), reasons);
    assert_eq!(in_the_book("Structure"), checks);
}

#[test]
fn the_rule_book_names_its_version() {
    let book = include_str!("../../../METHOD.md");
    assert!(book.contains(&format!("Version `{}`", crate::METHOD)));
    assert!(book.contains(&format!("### {}\n", crate::METHOD)), "the changelog names it");
}
