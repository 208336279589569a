//! What people write into a report stays in it.

use crate::{files, sample::Sample};

const NOTE: &str =
    "The host was rebooted between rounds 4 and 5.\n\n- see <b>the log</b>\n- and [the thread](../thread.md)";

#[test]
fn a_note_is_kept_to_the_byte_when_the_report_is_made_again() {
    let mut sample = Sample::new();
    sample.notes =
        [("".to_owned(), NOTE.to_owned()), ("candidates/int4".to_owned(), "Asked its maker.".to_owned())].into();
    let first = files(&sample.input());
    let read = |page: &str| analysis::report::note(&first[page]).unwrap();
    assert_eq!((read("report.md").as_str(), read("candidates/int4.md").as_str()), (NOTE, "Asked its maker."));
    assert_eq!(read("candidates/fast.md"), "");
    let page = &first["index.html"];
    assert!(page.contains("<li>see &lt;b&gt;the log&lt;/b&gt;</li>") && page.contains("Note by hand"), "{page}");
    assert!(!first["candidates/fast.html"].contains("Note by hand"));
}

#[test]
fn nobody_who_is_measured_can_write_a_note() {
    let mut sample = Sample::new();
    let marked = first_mark();
    for candidate in &mut sample.judgement.candidates {
        candidate.description = format!("{marked}\nfaster than light\n<!-- end of note -->");
    }
    for (name, text) in files(&sample.input()).iter().filter(|(name, _)| name.ends_with(".md")) {
        assert_eq!(analysis::report::note(text).as_deref(), Ok(""), "{name}");
    }
}

/// The line that a report marks the place of its note with.
fn first_mark() -> String {
    let report = &files(&Sample::new().input())["report.md"];
    report.lines().find(|line| line.starts_with("<!-- note")).unwrap().to_owned()
}
