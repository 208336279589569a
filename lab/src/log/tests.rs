use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::*;
use crate::{
    Digest,
    bundle::{Kind, RunFolder, Store},
};

const AT: &str = "2026-01-01T00:00:00Z";

fn begun(run: &str) -> Event {
    let digest = Digest::of("x");
    Event::Begun { run: run.into(), plan: digest, workload: digest, name: "w".into() }
}

fn sealed(run: &str, id: Digest) -> Event {
    Event::Sealed { run: run.into(), id, trials: Counts { complete: 3, failed: 1, void: 2 } }
}

struct Results {
    folder: tempfile::TempDir,
}

impl Results {
    fn new() -> Self {
        Results { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> Log {
        Log::of(self.path())
    }

    /// A log of `n` runs that were begun.
    fn of(n: u64) -> Self {
        let results = Self::new();
        for i in 0..n {
            results.log().append(AT, begun(&format!("2026-01-01/r{i}"))).unwrap();
        }
        results
    }

    fn file(&self) -> PathBuf {
        self.log().path().to_owned()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    fn put(&self, lines: &[String]) {
        fs::write(self.file(), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    /// Where and why the log is refused.
    fn refused(&self) -> (String, String) {
        let problem = self.log().read().unwrap_err();
        assert_eq!(problem.kind.exit_code(), 20);
        assert!(problem.next.unwrap().contains("bench log --adopt"));
        let place = problem.place.unwrap();
        (place.rsplit('/').next().unwrap().to_owned(), problem.what)
    }

    fn seal(&self, name: &str, at: &str) -> Digest {
        let run = RunFolder::create(&self.path().join(name)).unwrap();
        run.seal(Kind::Grade, Vec::new(), at).unwrap().1
    }

    fn checked(&self) -> Checked {
        check(&self.log().read().unwrap(), &Store::below(self.path()), self.path())
    }
}

#[test]
fn each_line_holds_the_digest_of_the_line_before() {
    let results = Results::of(3);
    let (lines, chain) = (results.lines(), results.log().read().unwrap());
    // The digests are those of the file's own lines, counted by hand here.
    let mut before = Digest::of("");
    for (line, n) in lines.iter().zip(1u64..) {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&json["n"], json["before"].as_str()), (&n.into(), Some(before.to_string().as_str())));
        assert_eq!(json["event"]["begun"]["run"], format!("2026-01-01/r{}", n - 1));
        before = Digest::of(line);
    }
    assert_eq!(chain.head(), Head { count: 3, digest: before });
    assert_eq!(chain.head().to_string().parse(), Ok(chain.head()));
    assert_eq!(Results::new().log().read().unwrap().head(), Head::none());
    for wrong in ["", "3", "x:sha256:00", "3:sha256:00"] {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}

#[test]
fn a_removed_a_moved_a_repeated_and_a_changed_line_are_each_named() {
    let results = Results::of(5);
    let lines = results.lines();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        results.put(&changed);
        results.refused()
    };
    let said = |place: &str, what: &str| (place.to_owned(), what.to_owned());
    assert_eq!(with(&|all| drop(all.remove(2))), said("log:3", "entry 3 was removed: line 3 is entry 4"));
    assert_eq!(with(&|all| drop(all.drain(0..2))), said("log:1", "entries 1 to 2 were removed: line 1 is entry 3"));
    assert_eq!(with(&|all| all.swap(1, 2)), said("log:2", "entry 2 was removed: line 2 is entry 3"));
    assert_eq!(
        with(&|all| all.insert(2, lines[1].clone())),
        said("log:3", "line 3 is entry 2: entries were moved, or put in twice")
    );
    assert_eq!(
        with(&|all| all[1] = all[1].replace("r1", "r7")),
        said("log:3", "line 3 was written after another line 2: one of the two was changed")
    );
    // Removed, and numbered anew by somebody who thought of it.
    let renumbered = with(&|all| {
        all.remove(2);
        all[2] = all[2].replace("\"n\":4", "\"n\":3");
    });
    assert_eq!(renumbered, said("log:3", "line 3 was written after another line 2: one of the two was changed"));
    let (place, what) = with(&|all| all[3] = "{".into());
    assert!(place == "log:4" && what.starts_with("line 4 is no entry, or no longer: "), "{what}");
    let (place, what) = with(&|all| all[4] = all[4].replace("\"format\":1", "\"format\":2"));
    assert!(place == "log:5" && what.contains("newer"), "{what}");
}

#[test]
fn every_changed_bit_before_the_last_line_is_noticed_and_of_the_last_by_who_has_the_head() {
    let results = Results::of(3);
    let (bytes, head) = (results.text().into_bytes(), results.log().read().unwrap().head());
    for i in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[i] ^= 1 << bit;
            fs::write(results.file(), &changed).unwrap();
            let noticed = results.log().read().and_then(|chain| chain.since(head, &results.file()).map(drop));
            assert!(noticed.is_err(), "byte {i}, bit {bit}");
        }
    }
}

#[test]
fn a_published_head_tells_of_lines_that_are_gone_from_the_end() {
    let results = Results::of(4);
    let head = results.log().read().unwrap().head();
    results.log().append(AT, begun("2026-01-01/r4")).unwrap();
    let (lines, place) = (results.lines(), results.file());
    let chain = results.log().read().unwrap();
    assert_eq!(chain.since(head, &place).unwrap(), &chain.entries[4..]);
    assert_eq!(chain.since(Head::none(), &place).unwrap().len(), 5);
    assert_eq!(chain.since(chain.head(), &place).unwrap(), []);
    results.put(&lines[..2]);
    let cut = results.log().read().unwrap();
    let problem = cut.since(head, &place).unwrap_err();
    assert!(problem.place.as_ref().unwrap().ends_with("log:2") && problem.kind.exit_code() == 20, "{problem}");
    assert!(problem.what.contains("had 4 when its head was published: 2 at its end are gone"), "{problem}");
    // Another log of as many lines.
    let other = Results::of(3);
    other.log().append(AT, begun("2026-01-01/other")).unwrap();
    let problem = other.log().read().unwrap().since(head, &place).unwrap_err();
    assert!(problem.what.contains("line 4 is not the one that was published"), "{problem}");
    assert!(cut.since(Head { count: 0, digest: head.digest }, &place).is_err());
}

#[test]
fn a_line_that_a_crash_cut_short_is_named_by_the_next_and_costs_no_other() {
    let whole = Results::of(3).text();
    let last = whole[..whole.len() - 1].rfind('\n').unwrap() + 1;
    for cut in last + 1..whole.len() {
        let results = Results::new();
        fs::write(results.file(), &whole[..cut]).unwrap();
        let before = results.log().read().unwrap();
        assert_eq!((before.entries.len(), before.torn.is_some()), (2, true));
        results.log().append(AT, sealed("2026-01-01/r0", Digest::of("b"))).unwrap();
        let chain = results.log().read().unwrap();
        assert_eq!((chain.entries.len(), &chain.torn, &chain.entries[..2]), (4, &None, &before.entries[..]));
        match &chain.entries[2].event {
            Event::Torn { bytes, sha256, text } => {
                let torn = &whole[last..cut];
                assert_eq!((*bytes, *sha256, text.as_str()), (torn.len() as u64, Digest::of(torn), torn));
            }
            // Nothing but its line feed was missing.
            event => assert!(cut == whole.len() - 1 && *event == begun("2026-01-01/r2"), "{event:?}"),
        }
    }
    // A crash while the first line was written.
    let results = Results::new();
    fs::write(results.file(), "{\"for").unwrap();
    results.log().append(AT, begun("2026-01-01/r0")).unwrap();
    assert_eq!(results.log().read().unwrap().entries.len(), 2);
}

#[test]
fn many_writers_at_once_lose_no_line() {
    let results = Results::new();
    let log = results.log();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let log = &log;
            scope.spawn(move || (0..20).for_each(|i| assert!(log.append(AT, begun(&format!("{writer} {i}"))).is_ok())));
        }
    });
    let chain = log.read().unwrap();
    let runs: std::collections::BTreeSet<&str> = chain.entries.iter().filter_map(|e| e.event.run()).collect();
    assert_eq!((chain.entries.len(), runs.len()), (160, 160));
}

#[test]
fn a_line_without_end_and_a_log_that_is_no_file_are_refused() {
    let results = Results::of(1);
    fs::File::options().append(true).open(results.file()).unwrap().write_all(&vec![b'x'; LONGEST + 1]).unwrap();
    assert!(results.refused().1.contains("of at most 65536 bytes"));
    assert!(results.log().append(AT, begun(&"x".repeat(LONGEST))).is_err());
    let elsewhere = results.path().join("elsewhere");
    fs::rename(results.file(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, results.file()).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    assert!(results.log().read().is_err() && results.log().append(AT, begun("x")).is_err());
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
}

#[test]
fn only_a_run_in_the_folder_of_a_date_has_a_log() {
    let results = Results::new();
    let run = results.path().join("2026-01-01/run");
    fs::create_dir_all(&run).unwrap();
    let (log, name) = Log::around(&run).unwrap();
    assert_eq!((log.path().file_name().unwrap(), name.as_str()), ("log".as_ref(), "2026-01-01/run"));
    assert_eq!(log.path().parent().unwrap(), results.path().canonicalize().unwrap());
    fs::create_dir_all(results.path().join("elsewhere/run")).unwrap();
    assert_eq!(Log::around(&results.path().join("elsewhere/run")), None);
    assert_eq!(Log::around(Path::new("/")), None);
}

#[test]
fn a_bundle_that_the_log_does_not_know_or_knows_as_another_is_named() {
    let results = Results::new();
    let id = results.seal("2026-01-01/a", AT);
    results.log().append(AT, begun("2026-01-01/a")).unwrap();
    results.log().append(AT, sealed("2026-01-01/a", id)).unwrap();
    assert_eq!(
        results.checked(),
        Checked { bundles: 1, findings: vec![], open: vec![], given_up: vec![], absent: vec![] }
    );
    results.seal("2026-01-01/b", "2026-01-02T00:00:00Z");
    fs::remove_dir_all(results.path().join("2026-01-01/a")).unwrap();
    results.seal("2026-01-01/a", "2026-01-03T00:00:00Z");
    let checked = results.checked();
    let found: Vec<(&str, &str)> = checked.findings.iter().map(|f| (f.path.as_str(), f.what.as_str())).collect();
    assert_eq!((found[0].0, found[1].0), ("2026-01-01/a", "2026-01-01/b"));
    assert!(found[0].1.contains(&format!("line 2 of the log knows it as {id}")), "{found:?}");
    assert!(found[1].1.contains("bench log --adopt"), "{found:?}");
    assert_eq!(checked.absent, [Absent { run: "2026-01-01/a".into(), id, line: 2 }]);
}

#[test]
fn a_run_without_an_end_is_open_and_one_that_failed_is_not() {
    let results = Results::new();
    let log = results.log();
    let ended = |run: &str| Event::Ended { run: run.into(), class: "machine".into(), exit: 11 };
    for event in [begun("a"), begun("b"), ended("b"), begun("c"), ended("c"), Event::Resumed { run: "c".into() }] {
        log.append(AT, event).unwrap();
    }
    let open: Vec<(String, u64)> = results.checked().open.into_iter().map(|open| (open.run, open.line)).collect();
    assert_eq!(open, [("a".to_owned(), 1), ("c".to_owned(), 6)]);
    let given_up = |checked: Checked| checked.given_up.into_iter().map(|one| (one.run, one.line)).collect::<Vec<_>>();
    assert_eq!(given_up(results.checked()), [("b".to_owned(), 3)]);
    log.append(AT, sealed("c", Digest::of("c"))).unwrap();
    assert_eq!(results.checked().open.len(), 1);
}

#[test]
fn a_run_that_is_sealed_and_was_never_begun_is_named() {
    let results = Results::new();
    results.log().append(AT, sealed("2026-01-01/a", Digest::of("a"))).unwrap();
    let checked = results.checked();
    assert!(checked.findings[0].what.contains("line 1 seals a run that no line begins"), "{:?}", checked.findings);
}
