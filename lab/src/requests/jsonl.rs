//! `requests.jsonl`: one request a line.

use std::collections::HashSet;

use super::{Request, Role};
use crate::{Digest, Problem, Result};

/// The set as the bytes of `requests.jsonl`.
pub fn to_jsonl(requests: &[Request]) -> String {
    requests.iter().map(|r| serde_json::to_string(r).expect("strings and integers serialise") + "\n").collect()
}

/// Reads `requests.jsonl`: ids count from 0, no prompt twice.
pub fn from_jsonl(text: &str, place: &str) -> Result<Vec<Request>> {
    let mut seen = HashSet::new();
    let mut requests = Vec::new();
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
        if request.messages.last().is_none_or(|m| m.role != Role::User) {
            return Err(Problem::input("a conversation must end with the user's turn").at(here));
        }
        if !seen.insert(Digest::of(line.split_once(',').map_or(line, |(_, rest)| rest))) {
            return Err(Problem::input("this prompt stands twice in the set, so an answer could come from a cache")
                .at(here)
                .next("remove one of the two"));
        }
        requests.push(request);
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::{super::prose, *};

    #[test]
    fn a_generated_set_is_distinct_and_repeats_for_the_same_seed() {
        let set = prose(7, 40, 2_000);
        assert_eq!(set, prose(7, 40, 2_000));
        assert_ne!(set[0], prose(8, 40, 1)[0]);
        assert_eq!(from_jsonl(&to_jsonl(&set), "x.jsonl").unwrap(), set, "no prompt stands twice");
    }

    #[test]
    fn a_longer_set_begins_with_the_shorter_one() {
        assert_eq!(prose(7, 12, 10), prose(7, 12, 500)[..10]);
    }

    #[test]
    fn a_repeated_prompt_names_its_line() {
        let line = |id| format!("{{\"id\":{id},\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}\n");
        let problem = from_jsonl(&(line(0) + &line(1)), "x.jsonl").unwrap_err();
        assert_eq!(problem.place.as_deref(), Some("x.jsonl:2"));
    }
}
