//! The shape of Cacheon's V1 prompts: an instruction and a passage of literature.

use std::{collections::HashSet, path::PathBuf};

use serde::Deserialize;

use super::{
    Message, Request, Role, Slot, Wrong,
    exact::{self, Before},
    length::MOST_TOKENS,
};
use crate::{Digest, Problem, Result, seed::Stream, tokenizer::Tokenizer};

/// Passages that are tried for one prompt.
const ATTEMPTS: u32 = 200;
/// A prompt that cannot be exact is shorter by fewer tokens than this.
const SHORTER: usize = 16;

/// `[requests.v1]`: an instruction to analyse literature, and a passage of a local corpus.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct V1 {
    /// A `.txt` file, or a folder of `.txt` files and nothing else, relative to the workload file.
    pub corpus: PathBuf,
    /// SHA-256 of the file, or tree digest of the folder.
    pub digest: Digest,
    /// What nobody knew beforehand, such as a block's hash, as it is written.
    pub beacon: String,
    /// The model whose tokenizer counts.
    pub model: String,
    /// Tokens of a prompt.
    #[serde(default = "input")]
    pub input: u32,
}

fn input() -> u32 {
    6_144
}

impl V1 {
    /// What is out of range: the field, what is wrong, what to do.
    pub fn check(&self) -> std::result::Result<(), Wrong> {
        if !(128..=MOST_TOKENS).contains(&self.input) {
            let what = format!("{} is not between 128 and {MOST_TOKENS}", self.input);
            return Err(("input", what, "write a number in that range; V1 had 6144"));
        }
        if self.beacon.is_empty() {
            return Err((
                "beacon",
                "it is empty".into(),
                "write a value that nobody knew beforehand, like a block's hash",
            ));
        }
        Ok(())
    }
}

/// One request per slot, from the corpus that `spec` names: file names and texts, sorted
/// by name.
///
/// A prompt is one of 20 instructions, an empty line, and a passage that begins with a
/// sentence or line anywhere in the corpus (every byte equally likely) and is cut where the
/// whole encodes to exactly `input` tokens; where no cut does, to the most below it. A chat
/// template adds its own tokens on top. Lengths of a trace stand in for `input`.
pub fn v1(spec: &V1, corpus: &[(String, String)], tokenizer: &Tokenizer, slots: &[Slot]) -> Result<Vec<Request>> {
    spec.check().map_err(|wrong| super::refused("v1", wrong))?;
    let found = match corpus {
        [(_, text)] if Digest::of(text) == spec.digest => spec.digest,
        _ => tree(corpus),
    };
    super::pinned(found, spec.digest, &spec.corpus, "requests.v1.digest")?;
    let seed = seed(&spec.beacon).to_be_bytes();
    let all = corpus.iter().map(|(_, text)| text.len() as u64).sum::<u64>();
    let mut seen = HashSet::new();
    let make = |(id, slot): (u32, &Slot)| {
        let tokens = slot.lengths.map_or(spec.input, |(input, _)| input);
        let mut prompts = (0..if all > 0 { ATTEMPTS } else { 0 }).filter_map(|attempt| {
            let mut stream = Stream::new(&seed, &format!("v1 {id} {attempt}"));
            let instruction = INSTRUCTIONS[stream.below(INSTRUCTIONS.len() as u64) as usize];
            prompt(instruction, passage(corpus, stream.below(all))?, tokens as usize, tokenizer)
        });
        let content = prompts.find(|p| seen.insert(Digest::of(p))).ok_or_else(|| {
            Problem::input(format!("no further prompt of {tokens} tokens was found after {id} of {}", slots.len()))
                .at(spec.corpus.display().to_string())
                .next("add longer texts, or ask for shorter prompts or fewer requests")
        })?;
        let messages = vec![Message { role: Role::User, content }];
        Ok(Request { id, messages, max_tokens: slot.lengths.map(|(_, output)| output), session: None })
    };
    (0..).zip(slots).map(make).collect()
}

/// The first 8 bytes, big endian, of SHA-256 of the beacon's characters as they are written
/// (UTF-8): a hash with `0x` gives another seed than the same hash without it, as in V1.
fn seed(beacon: &str) -> u64 {
    Digest::of(beacon).first_u64()
}

/// The tree digest of a folder that holds these files and nothing else.
fn tree(corpus: &[(String, String)]) -> Digest {
    let line = |(name, text): &(String, String)| format!("{} {} {name}\n", Digest::of(text).hex(), text.len());
    Digest::of(corpus.iter().map(line).collect::<String>())
}

/// The rest of a text from the first sentence or line that begins after byte `at` of all texts.
fn passage(corpus: &[(String, String)], mut at: u64) -> Option<&str> {
    let (_, text) = corpus.iter().find(|(_, text)| match at.checked_sub(text.len() as u64) {
        Some(rest) => {
            at = rest;
            false
        }
        None => true,
    })?;
    let rest = &text[text.ceil_char_boundary(at as usize)..];
    let end = rest.char_indices().zip(rest.chars().skip(1)).find_map(|((i, c), next)| {
        (c == '\n' || (matches!(c, '.' | '!' | '?') && next.is_whitespace())).then_some(i + 1)
    })?;
    Some(rest[end..].trim_start())
}

/// The instruction and so much of the passage that both are exactly `tokens` tokens, or a
/// few less where it cannot be; `None` if the passage is too short or holds what the
/// tokenizer takes for a special token.
fn prompt(instruction: &str, passage: &str, tokens: usize, tokenizer: &Tokenizer) -> Option<String> {
    let head = format!("{instruction}\n\n");
    let mut bytes = 5 * tokens + 64;
    loop {
        let window = &passage[..passage.floor_char_boundary(bytes)];
        let whole = format!("{head}{window}");
        let exact = |less| exact::cut(tokenizer, &Before::default(), &whole, tokens.checked_sub(less)?);
        match exact(0) {
            None if window.len() < passage.len() && tokenizer.encode(&whole).len() < tokens => bytes *= 2,
            None if tokenizer.encode(&whole).len() < tokens => return None,
            found => {
                let text = found.or_else(|| (1..SHORTER).find_map(exact))?;
                let plain = !tokenizer.encode(text).iter().any(|id| tokenizer.is_special(*id));
                return (plain && text.len() > head.len()).then(|| text.to_owned());
            }
        }
    }
}

const INSTRUCTIONS: [&str; 20] = [
    "Read the passage below and explain how the narrator's point of view shapes what the reader learns.",
    "Describe the mood of the following passage and name the words that create it.",
    "Which conflict drives the passage below? Discuss both sides of it and quote the text.",
    "Characterise the most important person in this passage by what they say, do and leave unsaid.",
    "Analyse the sentences of the passage below: their length, their rhythm and their effect on the reader.",
    "What does the setting add to the passage that follows? Go through it detail by detail.",
    "Trace one image or comparison through the passage below and explain what it stands for.",
    "Discuss how time passes in the following passage, and where the author hurries or lingers.",
    "Identify the main theme of this passage and show with quotations how it is developed.",
    "Explain what the passage below tells us about the society in which it was written.",
    "Examine the dialogue, or the absence of dialogue, in the following passage and what it reveals.",
    "Where is the author of this passage ironic or humorous, and at whose expense?",
    "Compare the beginning and the end of the passage below: what has changed in between, and how?",
    "Write a commentary on the author's choice of words in the following passage.",
    "What is left out of the passage below that the reader must work out alone? Argue from the text.",
    "Discuss how the author of this passage wins or loses the reader's sympathy for the people in it.",
    "Find the turning point of the following passage and explain how the author prepares it.",
    "Assess how convincing the passage below is as an account of human motives.",
    "Describe the tone in which this passage addresses its reader, and how that tone shifts.",
    "Summarise the following passage, then explain which literary devices matter most in it and why.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::{fixtures, fixtures::slots, from_jsonl, to_jsonl};

    fn corpus(texts: &[&str]) -> Vec<(String, String)> {
        texts.iter().enumerate().map(|(i, t)| (format!("{i}.txt"), (*t).to_owned())).collect()
    }

    /// Sentences of different words, some of them of several bytes a letter.
    fn novel() -> String {
        (0..4_000).map(|i| format!("Chapter {i} says “naïve” things, é and all {}. ", i * 7_919 % 1_000)).collect()
    }

    fn spec(corpus: &[(String, String)], input: u32) -> V1 {
        V1 { corpus: "c".into(), digest: tree(corpus), beacon: "0xabc".into(), model: "m".into(), input }
    }

    #[test]
    fn the_seed_is_the_beginning_of_the_digest_of_the_beacon_as_written() {
        // FIPS 180's example: SHA-256 of `abc` begins ba7816bf8f01cfea.
        assert_eq!(seed("abc"), 0xba78_16bf_8f01_cfea);
        assert_ne!(seed("0xabc"), seed("abc"));
    }

    #[test]
    fn a_corpus_is_pinned_by_its_file_or_by_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in corpus(&["One. Two.", "Three."]) {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(tree(&corpus(&["One. Two.", "Three."])), Digest::of_tree(folder.path()).unwrap().0);
        let one = corpus(&[&novel()]);
        for digest in [Digest::of(&one[0].1), tree(&one)] {
            v1(&V1 { digest, ..spec(&one, 500) }, &one, &fixtures::bytes(), &slots(1)).unwrap();
        }
        let other = V1 { digest: Digest::of("x"), ..spec(&one, 500) };
        assert!(v1(&other, &one, &fixtures::bytes(), &slots(1)).unwrap_err().what.starts_with("its digest"));
    }

    #[test]
    fn prompts_are_an_instruction_and_a_passage_of_exactly_so_many_tokens() {
        let corpus = corpus(&[&novel(), &novel().replace("Chapter", "Part")]);
        for tokenizer in [fixtures::bytes(), fixtures::stub()] {
            let made = v1(&spec(&corpus, 700), &corpus, &tokenizer, &slots(60)).unwrap();
            for content in made.iter().map(|r| &r.messages[0].content) {
                assert!((697..=700).contains(&tokenizer.encode(content).len()), "{content}");
                let (instruction, passage) = content.split_once("\n\n").unwrap();
                assert!(INSTRUCTIONS.contains(&instruction));
                assert!(passage.starts_with("Chapter ") || passage.starts_with("Part "), "begins with a sentence");
                assert!(corpus.iter().any(|(_, text)| text.contains(passage)), "is the corpus's own text");
            }
            let exact = made.iter().filter(|r| tokenizer.encode(&r.messages[0].content).len() == 700).count();
            assert!(exact > 40, "{exact} of 60 are exact; the rest end before a character of several tokens");
        }
    }

    #[test]
    fn a_set_is_distinct_the_beacons_own_and_the_beginning_of_a_longer_one() {
        let (corpus, tokenizer) = (corpus(&[&novel()]), fixtures::bytes());
        let made = v1(&spec(&corpus, 400), &corpus, &tokenizer, &slots(200)).unwrap();
        assert_eq!(from_jsonl(&to_jsonl(&made), "x").unwrap(), made);
        assert_eq!(v1(&spec(&corpus, 400), &corpus, &tokenizer, &slots(20)).unwrap(), made[..20]);
        let other = V1 { beacon: "another".into(), ..spec(&corpus, 400) };
        assert_ne!(v1(&other, &corpus, &tokenizer, &slots(20)).unwrap(), made[..20]);
    }

    #[test]
    fn lengths_of_a_trace_stand_in() {
        let corpus = corpus(&[&novel()]);
        let mut slots = slots(1);
        slots[0].lengths = Some((300, 9));
        let made = v1(&spec(&corpus, 400), &corpus, &fixtures::bytes(), &slots).unwrap();
        assert_eq!((made[0].messages[0].content.len(), made[0].max_tokens), (300, Some(9)));
    }

    #[test]
    fn a_corpus_that_is_too_small_or_holds_special_tokens_says_so() {
        let tokenizer = fixtures::bytes();
        for text in [String::new(), "One. Two.".into(), "One. <|end|> ".repeat(500)] {
            let corpus = corpus(&[&text]);
            let problem = v1(&spec(&corpus, 400), &corpus, &tokenizer, &slots(1)).unwrap_err();
            assert_eq!(problem.what, "no further prompt of 400 tokens was found after 0 of 1");
        }
    }

    #[test]
    fn no_instruction_stands_twice() {
        assert_eq!(INSTRUCTIONS.iter().collect::<HashSet<_>>().len(), 20);
    }
}
