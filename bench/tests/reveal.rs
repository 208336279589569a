//! A public value that did not exist while servers ran decides what is graded.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use lab::{audit, bundle::Bundle};
use support::{Lab, Workload, code, stderr, stdout};

const AWAITED: &str = "the hash of block 870000";

fn workload() -> Workload {
    Workload { requests: 12, ..Workload::default().candidate("same", "").graded(3) }
}

fn awaiting(lab: &Lab) -> String {
    lab.plan(&workload());
    let run = lab.bench(&["run", "x.toml", "--awaits", AWAITED]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let bundle = lab.runs().remove(0).display().to_string();
    assert!(stdout(&run).contains(&format!("awaits  {AWAITED}\nwhen it is known: bench grade ")), "{}", stdout(&run));
    bundle
}

fn grade(lab: &Lab, bundle: &str, more: &[&str]) -> (i32, String) {
    let output = lab.bench(&[&["grade", bundle, "--workload", "x.toml"], more].concat());
    (code(&output), stderr(&output))
}

#[test]
fn a_run_that_awaits_a_value_is_graded_with_it_and_with_nothing_else() {
    let lab = Lab::new();
    let measured = awaiting(&lab);
    assert_eq!(lab.runs().len(), 1, "nothing is graded yet");
    assert_eq!(Bundle::open(measured.as_ref()).unwrap().plan().unwrap().awaits.as_deref(), Some(AWAITED));
    let (exit, text) = grade(&lab, &measured, &[]);
    assert!(exit == 10 && text.contains("none is revealed: the hash of block 870000\n  next: wait until"), "{text}");
    let more = lab.bench(&["run", "x.toml", "--more", "1"]);
    assert!(code(&more) == 10 && stderr(&more).contains("grade it first"), "{}", stderr(&more));

    assert_eq!(grade(&lab, &measured, &["--reveal", "0x00FF00ff00ff00ff"]).0, 0);
    let (measure, graded) = (Bundle::open(measured.as_ref()).unwrap(), format!("{measured}-grade"));
    let record = Bundle::open(graded.as_ref()).unwrap().grade().unwrap();
    assert_eq!(record.value.as_deref(), Some("00ff00ff00ff00ff"));
    // The committed seed alone would have drawn others: of twelve requests three, for each trial.
    let secret = audit::seed_from_hex(&record.audit_seed).unwrap();
    assert_eq!(audit::commitment(&secret), measure.run().unwrap().audit_commitment);
    let rows: Vec<lab::records::GradedRow> = Bundle::open(graded.as_ref()).unwrap().table("graded.csv").unwrap();
    for trial in measure.plan().unwrap().trials {
        let own = rows.iter().filter(|row| row.trial == trial.folder()).map(|row| row.request);
        let drawn = audit::sample(&audit::completed(&secret, Some("00ff00ff00ff00ff")), measure.id, &trial, 3);
        assert_eq!(own.collect::<BTreeSet<u32>>(), drawn.into_iter().collect());
    }
    let verified = lab.bench(&["verify", &measured, &graded]);
    assert_eq!(code(&verified), 0, "{}", stdout(&verified));
    for said in [format!("\n  awaits {AWAITED}\n"), "\n  drawn with the public value 00ff00ff00ff00ff\n".into()] {
        assert!(stdout(&verified).contains(&said), "{}", stdout(&verified));
    }

    // The value stands, and the next stage is drawn from it.
    let (exit, text) = grade(&lab, &measured, &["--reveal", "00ff00ff00ff00fe"]);
    assert!(exit == 10 && text.contains("graded already, and not with this value"), "{text}");
    let wrong = lab.bench(&["run", "x.toml", "--more", "1", "--reveal", "00ff00ff00ff00fe"]);
    assert!(code(&wrong) == 10 && stderr(&wrong).contains("next: leave --reveal out"), "{}", stderr(&wrong));
    let more = lab.bench(&["run", "x.toml", "--more", "1"]);
    assert_eq!(code(&more), 0, "{}", stderr(&more));
    let second = lab.runs().into_iter().find(|run| run.to_string_lossy().ends_with("-stage2")).unwrap();
    assert_eq!(
        Bundle::open(&second).unwrap().plan().unwrap().stage.unwrap().value.as_deref(),
        Some("00ff00ff00ff00ff")
    );
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
}

#[test]
fn a_value_that_nobody_awaited_is_refused() {
    let lab = Lab::new();
    lab.plan(&workload());
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--seal-only"])), 0);
    let measured = lab.runs().remove(0).display().to_string();
    let (exit, text) = grade(&lab, &measured, &["--reveal", "00ff00ff00ff00ff"]);
    assert!(exit == 10 && text.contains("the plan awaits none\n  next: leave --reveal out"), "{text}");
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--awaits", "two\nlines"])), 10);
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--reveal", "00ff00ff00ff00ff"])), 2);
    assert_eq!(grade(&lab, &measured, &[]).0, 0);
}

#[test]
fn a_resumed_run_still_awaits_its_value() {
    let lab = Lab::new();
    let measured = awaiting(&lab);
    let again = lab.bench(&["run", "x.toml", "--resume"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).contains(AWAITED) && lab.runs().len() == 1, "{}", stdout(&again));
    assert_eq!(grade(&lab, &measured, &["--reveal", "0x00FF00ff00ff00ff"]).0, 0);
}

#[test]
fn without_a_grade_the_value_is_said_when_a_stage_is_added() {
    let lab = Lab::new();
    lab.plan(&Workload { equivalence: String::new(), ..workload() });
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--awaits", AWAITED])), 0);
    let none = lab.bench(&["run", "x.toml", "--more", "1"]);
    assert!(code(&none) == 10 && stderr(&none).contains("say it: --reveal VALUE"), "{}", stderr(&none));
    let more = lab.bench(&["run", "x.toml", "--more", "1", "--reveal", "00ff00ff00ff00ff"]);
    assert_eq!(code(&more), 0, "{}", stderr(&more));
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
}
