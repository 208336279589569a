//! A request set that somebody else made.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Request, Slot, from_jsonl, layout, nonce};
use crate::{Digest, Problem, Result};

/// `[requests.file]`: a request set in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// JSONL, relative to the workload file.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Repeat the prompts, each time under another first line.
    #[serde(default)]
    pub nonce: bool,
}

/// One request per slot, from the bytes of the file that `spec` names: its prompts in
/// order, a session's last turns left out where a load ends.
pub fn file(spec: &File, bytes: &[u8], slots: &[Slot]) -> Result<Vec<Request>> {
    super::pinned(Digest::of(bytes), spec.digest, &spec.path, "requests.file.digest")?;
    super::has_no_lengths("file", slots)?;
    let place = spec.path.display().to_string();
    let text = str::from_utf8(bytes).map_err(|e| Problem::input(format!("not UTF-8: {e}")).at(&place))?;
    let set = from_jsonl(text, &place)?;
    let sources: Vec<&[Request]> = set.chunk_by(|a, b| a.session.is_some() && a.session == b.session).collect();
    let places = layout::places(slots, spec.nonce, |i| sources.get(i).map(|s| s.len())).map_err(|filled| {
        let next = match spec.nonce {
            true => "add requests",
            false => "add requests, ask for fewer of them, or write nonce = true to repeat them under new first lines",
        };
        Problem::input(format!("{} requests fill {filled} places of {}", set.len(), slots.len())).at(&place).next(next)
    })?;
    let mut sessions = 0;
    let made = places.iter().enumerate().map(|(i, at)| {
        let mut request = sources[at.source][at.turn].clone();
        request.id = i as u32;
        if request.session.is_some() {
            sessions += u32::from(at.begins == i);
            request.session = Some(sessions - 1);
        }
        if spec.nonce {
            nonce::mark(&mut request.messages, &spec.digest.bytes(), at.begins);
        }
        request
    });
    Ok(made.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::{Message, Role, to_jsonl};

    fn user(id: u32, content: &str) -> Request {
        let messages = vec![Message { role: Role::User, content: content.into() }];
        Request { id, messages, max_tokens: Some(id + 1), session: None }
    }

    fn then(before: &Request, content: &str) -> Request {
        let mut next = user(before.id + 1, content);
        let answer = Message { role: Role::Assistant, content: "ok".into() };
        next.messages.splice(..0, before.messages.iter().cloned().chain([answer]));
        next.session = before.session;
        next
    }

    /// Timed slots, of which a load begins at each of `opens`, after warm-up slots that
    /// imitate the first of them.
    fn slots(warmup: u32, timed: u32, opens: &[u32]) -> Vec<Slot> {
        let slot = |id| Slot {
            like: if id < warmup { id + warmup } else { id },
            opens: id == 0 || id == warmup || opens.contains(&id),
            lengths: None,
        };
        (0..warmup + timed).map(slot).collect()
    }

    fn made(set: &[Request], nonce: bool, slots: &[Slot]) -> Result<Vec<Request>> {
        let bytes = to_jsonl(set);
        file(&File { path: "set.jsonl".into(), digest: Digest::of(&bytes), nonce }, bytes.as_bytes(), slots)
    }

    #[test]
    fn a_set_without_sessions_is_taken_as_it_stands() {
        let set: Vec<_> = (0..6).map(|i| user(i, &format!("p{i}"))).collect();
        assert_eq!(made(&set, false, &slots(2, 3, &[])).unwrap(), set[..5]);
    }

    #[test]
    fn too_few_requests_and_another_file_say_what_to_do() {
        let set = [user(0, "a"), user(1, "b")];
        let problem = made(&set, false, &slots(0, 3, &[])).unwrap_err();
        assert_eq!(problem.what, "2 requests fill 2 places of 3");
        assert!(problem.next.unwrap().contains("nonce = true"));
        let spec = File { path: "set.jsonl".into(), digest: Digest::of("other"), nonce: false };
        let problem = file(&spec, to_jsonl(&set).as_bytes(), &slots(0, 1, &[])).unwrap_err();
        assert!(problem.what.starts_with("its digest is sha256:"), "{}", problem.what);
    }

    #[test]
    fn lengths_of_a_trace_are_refused() {
        let mut slots = slots(0, 1, &[]);
        slots[0].lengths = Some((10, 10));
        assert!(made(&[user(0, "a")], false, &slots).unwrap_err().what.contains("lengths"));
    }

    #[test]
    fn a_session_ends_with_its_load_and_sessions_count_from_0() {
        let mut first = user(0, "a");
        first.session = Some(9);
        let second = then(&first, "b");
        let set = [first.clone(), second.clone(), user(2, "c")];
        assert_eq!(made(&set, false, &slots(0, 3, &[])).unwrap()[1].session, Some(0));
        let cut = made(&set, false, &slots(0, 2, &[1])).unwrap();
        assert_eq!(cut[0].messages, first.messages);
        assert_eq!((cut[1].id, &cut[1].messages, cut[1].session), (1, &set[2].messages, None));
    }

    #[test]
    fn repeated_prompts_stand_under_lines_of_their_own_and_warm_up_has_the_shape_of_what_it_imitates() {
        let mut first = user(1, "b");
        first.session = Some(0);
        let set = [user(0, "a"), first.clone(), then(&first, "c")];
        let made = made(&set, true, &slots(3, 20, &[7])).unwrap();
        let stripped = |r: &Request| {
            let mut messages = r.messages.clone();
            messages[0].content = messages[0].content.split_once("]\n").unwrap().1.to_owned();
            messages
        };
        for (id, place) in [(3, 0), (4, 1), (5, 2), (6, 0), (7, 1), (8, 2), (9, 0)] {
            assert_eq!(stripped(&made[id]), set[place].messages, "request {id}");
        }
        for id in 0..3 {
            assert_eq!(stripped(&made[id]), stripped(&made[id + 3]), "same prompt");
            assert_ne!(made[id].messages[0], made[id + 3].messages[0], "another first line");
        }
        from_jsonl(&to_jsonl(&made), "made").unwrap();
    }
}
