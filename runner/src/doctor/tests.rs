use std::{fs, path::Path, sync::Arc};

use tempfile::TempDir;

use super::*;

/// A folder that looks like the files of a host. It goes when its last copy goes.
#[derive(Clone)]
pub(super) struct Host(Arc<TempDir>);

impl Host {
    pub(super) fn new() -> Self {
        Host(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub(super) fn with(&self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.clone()
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }
}

fn options(root: &Path) -> Options {
    Options {
        root: root.to_owned(),
        out: root.join("results"),
        programs: OsString::new(),
        engine: "unix:///nowhere/engine.sock".into(),
        gpu_library: Some("/nowhere/libnvidia-ml.so.1".into()),
    }
}

#[tokio::test]
async fn on_a_host_that_shows_nothing_everything_is_a_fact_and_no_error() {
    let host = Host::new();
    let found = examine(options(host.root())).await;
    for subject in ["clock source", "memory", "swap", "governor", "container engine", "NVIDIA toolkit", "CDI", "GPUs"] {
        let finding = found.iter().find(|finding| finding.subject == subject).unwrap();
        assert_eq!(finding.level, Level::Absent, "{finding:?}");
    }
    assert!(
        verdict(&found).starts_with("this host can measure commands, no containers; no GPU"),
        "{}",
        verdict(&found)
    );
}

#[tokio::test]
async fn whatever_hangs_is_left_behind() {
    let (end, until_dropped) = std::sync::mpsc::channel::<()>();
    let look = move || until_dropped.recv().is_ok();
    assert_eq!(within(Duration::from_millis(20), look).await, None);
    assert_eq!((late("memory").subject.as_str(), late("memory").level), ("memory", Level::Note));
    drop(end);
}

#[test]
fn the_verdict_says_what_can_be_measured_and_what_would_spoil_it() {
    let engine = Finding::good("container engine", "28", "");
    let gpu = |n: u32| Finding::good(&format!("GPU {n}"), "H100", "");
    let work = Finding::spoils("other work", "much", "");
    for (findings, words) in [
        (vec![], "commands, no containers; no GPU; nothing seen that would spoil it"),
        (vec![engine.clone()], "commands and containers; no GPU; nothing seen that would spoil it"),
        (
            vec![engine, gpu(0), gpu(0), gpu(1), work.clone()],
            "commands and containers; 2 GPUs; one thing would spoil it: other work",
        ),
        (vec![work.clone(), work.clone().stops()], "nothing: other work"),
        (
            vec![Finding::spoils("container engine", "hangs", ""), work],
            "commands, no containers; no GPU; 2 things would spoil it: container engine, other work",
        ),
    ] {
        assert_eq!(verdict(&findings), format!("this host can measure {words}"));
    }
}

#[test]
fn findings_are_stored_under_stable_names() {
    let finding = Finding::spoils("clock source", "hpet", "slow").next("`echo tsc`");
    let expected = r#"{"subject":"clock source","level":"spoils","found":"hpet","means":"slow","next":"`echo tsc`","stops":false}"#;
    assert_eq!(serde_json::to_string(&finding).unwrap(), expected);
}

#[test]
fn names_from_the_machine_cannot_act_on_a_terminal() {
    let finding = Finding::note("other work", "\u{1b}[2Jpython\u{202e}", "").next("kill \u{7}");
    assert_eq!(finding.found, "\\u{1b}[2Jpython\\u{202e}");
    assert_eq!(finding.next.as_deref(), Some("kill \\u{7}"));
}
