//! `requests.jsonl`: one request a line.

use std::collections::HashSet;

use super::{Request, Role};
use crate::{Digest, Problem, Result};

/// The set as the bytes of `requests.jsonl`.
pub fn to_jsonl(requests: &[Request]) -> String {
    requests.iter().map(|r| serde_json::to_string(r).expect("strings and integers serialise") + "\n").collect()
}

/// Reads `requests.jsonl`. Ids count from 0, a conversation ends with the user's turn, no
/// prompt stands twice, `max_tokens` is at least 1; the turns of a session stand together,
/// and each goes on from the one before it.
pub fn from_jsonl(text: &str, place: &str) -> Result<Vec<Request>> {
    let mut seen = Seen::default();
    let mut requests: Vec<Request> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let here = format!("{place}:{}", i + 1);
        let request: Request = serde_json::from_str(line).map_err(|e| {
            Problem::input(format!("not a request: {e}"))
                .at(&here)
                .next("write {\"id\":0,\"messages\":[{\"role\":\"user\",\"content\":\"…\"}]}")
        })?;
        if request.id as usize != i {
            return Err(Problem::input(format!("id is {}, the line's place is {i}", request.id))
                .at(here)
                .next("number the requests from 0 without gaps"));
        }
        seen.check(&request, requests.last()).map_err(|p| p.at(here))?;
        requests.push(request);
    }
    Ok(requests)
}

#[derive(Default)]
struct Seen {
    prompts: HashSet<Digest>,
    sessions: HashSet<u32>,
}

impl Seen {
    fn check(&mut self, request: &Request, before: Option<&Request>) -> Result<()> {
        if request.messages.last().is_none_or(|m| m.role != Role::User) {
            return Err(Problem::input("a conversation must end with the user's turn"));
        }
        if request.max_tokens == Some(0) {
            return Err(Problem::input("max_tokens is 0").next("write 1 or more, or leave it out"));
        }
        let prompt = serde_json::to_vec(&request.messages).expect("strings serialise");
        if !self.prompts.insert(Digest::of(prompt)) {
            return Err(Problem::input("this prompt stands twice in the set, so an answer could come from a cache")
                .next("remove one of the two"));
        }
        let Some(session) = request.session else { return Ok(()) };
        match before.filter(|b| b.session == Some(session)) {
            Some(before) => {
                let goes_on = request.messages.len() > before.messages.len()
                    && request.messages[..before.messages.len()] == before.messages;
                if !goes_on {
                    return Err(Problem::input(format!("this turn of session {session} does not go on from the last"))
                        .next(
                            "repeat all messages of the turn before it, then add to them; or write another session",
                        ));
                }
            }
            None if !self.sessions.insert(session) => {
                return Err(Problem::input(format!("session {session} goes on after other requests"))
                    .next("let the turns of a session stand together"));
            }
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Vec<Request>> {
        let numbered = lines.iter().enumerate().map(|(i, rest)| format!("{{\"id\":{i},{rest}}}\n"));
        from_jsonl(&numbered.collect::<String>(), "x.jsonl")
    }

    fn refused(lines: &[&str]) -> (String, String) {
        let problem = read(lines).unwrap_err();
        (problem.place.unwrap(), problem.what)
    }

    const A: &str = r#""messages":[{"role":"user","content":"a"}]"#;
    const B: &str = r#""messages":[{"role":"user","content":"b"}]"#;
    const A1: &str = r#""messages":[{"role":"user","content":"a"}],"session":4"#;
    const A2: &str = r#""messages":[{"role":"user","content":"a"},{"role":"assistant","content":"x"},{"role":"user","content":"y"}],"session":4"#;
    const B2: &str = r#""messages":[{"role":"user","content":"b"},{"role":"assistant","content":"x"},{"role":"user","content":"y"}],"session":4"#;

    #[test]
    fn a_set_with_lengths_and_sessions_is_read_as_it_is_written() {
        let limited = format!("{B},\"max_tokens\":7");
        let set = read(&[A1, A2, &limited]).unwrap();
        assert_eq!((set[1].session, set[2].session, set[2].max_tokens), (Some(4), None, Some(7)));
        assert_eq!(from_jsonl(&to_jsonl(&set), "x").unwrap(), set);
    }

    #[test]
    fn a_repeated_prompt_names_its_line_whatever_else_differs() {
        let other = format!("{A},\"max_tokens\":7");
        for lines in [[A, A], [A, &other], [A, A1]] {
            let (place, what) = refused(&lines);
            assert_eq!(place, "x.jsonl:2");
            assert!(what.contains("stands twice"), "{what}");
        }
    }

    #[test]
    fn a_wrong_id_an_answer_at_the_end_and_no_output_at_all_are_refused() {
        assert_eq!(from_jsonl(&format!("{{\"id\":1,{A}}}\n"), "x").unwrap_err().what, "id is 1, the line's place is 0");
        let answer = r#""messages":[{"role":"assistant","content":"a"}]"#;
        assert_eq!(refused(&[B, answer]).0, "x.jsonl:2");
        assert_eq!(refused(&[r#""messages":[]"#]).1, "a conversation must end with the user's turn");
        assert_eq!(refused(&[&format!("{A},\"max_tokens\":0")]).1, "max_tokens is 0");
    }

    #[test]
    fn the_turns_of_a_session_stand_together_and_go_on_from_each_other() {
        assert_eq!(refused(&[A1, B, A2]), ("x.jsonl:3".into(), "session 4 goes on after other requests".into()));
        let jumps = "this turn of session 4 does not go on from the last";
        assert_eq!(refused(&[A1, B2]).1, jumps, "another beginning");
        assert_eq!(refused(&[A2, A1]).1, jumps, "shorter than the turn before it");
    }
}
