//! An engine that does not do as it was told.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use lab::records::{Class, TrialOutcome};

use crate::{
    running::assert_nothing_left,
    support::{Lab, Workload, code, engine::Engine, stderr, stdout},
};

/// Stands before an engine's socket and passes everything on, but for one word of what the
/// engine says of containers whose arguments hold `marker`.
fn lying_engine(engine: &Engine, folder: &Path, marker: &'static str, lie: Lie) -> PathBuf {
    let path = folder.join("lying.sock");
    let (listener, real) = (UnixListener::bind(&path).unwrap(), engine.socket());
    thread::spawn(move || {
        for asked in listener.incoming().map_while(Result::ok) {
            let answered = UnixStream::connect(&real).unwrap();
            let (from, to) = (asked.try_clone().unwrap(), answered.try_clone().unwrap());
            let armed = Arc::new(AtomicBool::new(false));
            let mut forger = Forger { marker, lie, armed: Arc::clone(&armed), held: Vec::new() };
            thread::spawn(move || {
                pass(from, to, |bytes| {
                    // A new question; what was said before is said.
                    armed.store(false, Ordering::SeqCst);
                    bytes
                });
            });
            thread::spawn(move || pass(answered, asked, |bytes| forger.forged(bytes)));
        }
    });
    path
}

fn pass(mut from: UnixStream, mut to: UnixStream, mut change: impl FnMut(Vec<u8>) -> Vec<u8>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if to.write_all(&change(buffer[..n].to_vec())).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// What is said, and what is said instead: of one length.
#[derive(Clone, Copy)]
struct Lie(&'static str, &'static str);

struct Forger {
    marker: &'static str,
    lie: Lie,
    /// The marker was seen in this answer, and the word was not.
    armed: Arc<AtomicBool>,
    /// The beginning of what may become a word.
    held: Vec<u8>,
}

impl Forger {
    fn forged(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let Lie(said, instead) = self.lie;
        assert_eq!(said.len(), instead.len());
        let mut all = std::mem::take(&mut self.held);
        all.extend(bytes);
        let mut at = 0;
        while at < all.len() {
            let armed = self.armed.load(Ordering::SeqCst);
            let word = if armed { said } else { self.marker }.as_bytes();
            match all[at..].windows(word.len()).position(|window| window == word) {
                Some(found) => {
                    at += found + word.len();
                    if armed {
                        all[at - word.len()..at].copy_from_slice(instead.as_bytes());
                    }
                    self.armed.store(!armed, Ordering::SeqCst);
                }
                None => {
                    let begun = (1..word.len()).rev().find(|n| all[at..].ends_with(&word[..*n]));
                    self.held = all.split_off(all.len() - begun.unwrap_or(0));
                    break;
                }
            }
        }
        all
    }
}

#[test]
fn a_container_that_is_not_as_asked_for_is_this_hosts_failure_and_is_tried_once_more() {
    let Some(engine) = Engine::from_env() else { return };
    for (lie, difference) in [
        (Lie("ReadonlyRootfs\":true", "ReadonlyRootfs\":null"), "read_only: asked for true, granted false"),
        (Lie("NetworkMode\":\"none\"", "NetworkMode\":\"host\""), "network: asked for \"none\", granted \"host"),
        (Lie("PidsLimit\":4096", "PidsLimit\":null"), "pids: asked for 4096, granted 0"),
    ] {
        let lab = Lab::new();
        let quick = "--ttft 2ms --itl 200us";
        let marked = format!("{quick} --launch-seed 7700771");
        let plain = engine.image("stub:plain");
        let workload = Workload { rounds: 2, requests: 2, ..Workload::of_images(&plain, quick) }
            .graded(2)
            .image("other", &plain, &marked);
        lab.plan(&workload);
        let socket = lying_engine(&engine, lab.folder.path(), "7700771", lie);
        let output =
            lab.command(&["run", "x.toml"]).env("DOCKER_HOST", format!("unix://{}", socket.display())).output();
        let output = output.unwrap();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let trial = lab.trial("other").trial;
        let TrialOutcome::Failed { class: Class::Host, detail } = &trial.outcome else { panic!("{:?}", trial.outcome) };
        assert!(detail.contains(difference), "{detail}");
        assert_eq!(trial.attempts.len(), 1, "once more and no more: {:?}", trial.attempts);
        assert!(trial.attempts[0].detail.contains(difference), "{:?}", trial.attempts);
        assert_eq!(trial.server.container, None, "it was never started");
        let baseline = lab.trial("baseline").trial;
        assert_eq!((baseline.outcome, baseline.attempts.len()), (TrialOutcome::Completed, 0));
        assert_nothing_left(&engine, &lab);
        let verify = lab.on_bundles(&["verify"]);
        assert_eq!(code(&verify), 0, "{}", stdout(&verify));
        let judge = lab.on_bundles(&["judge", "--json"]);
        assert_eq!(code(&judge), 31, "undecided, not altered: {}", stdout(&judge));
    }
}
