use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Digest;

/// A container image by digest, `name@sha256:…`. A tag can be moved, so it names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Repository, with its registry where one is named.
    pub name: String,
    /// The manifest's digest.
    pub digest: Digest,
}

/// A container image by tag, which names nothing for good: what a person writes before it is
/// pinned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Repository, with its registry where one is named.
    pub name: String,
    /// `latest` where none is written.
    pub tag: String,
}

impl Tag {
    /// The image that the tag stands for at this moment.
    pub fn pinned(&self, digest: Digest) -> Image {
        Image { name: self.name.clone(), digest }
    }
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A colon before a slash belongs to the registry's port.
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let part = |part: &str| part.starts_with(plain) && part.chars().all(|c| plain(c) || "._-:".contains(c));
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let in_tag = |c: char| word(c) || c == '.' || c == '-';
        if !name.split('/').all(part) || tag.len() > 128 || !tag.starts_with(word) || !tag.chars().all(in_tag) {
            return Err(format!("`{}` is not an image name with a tag", crate::text::shown(text, 120)));
        }
        Ok(Tag { name: name.to_owned(), tag: tag.to_owned() })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

impl FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, digest)) = text.split_once('@') else {
            return Err(format!(
                "`{}` has no digest; a tag can be moved, so write the image as name@sha256:…",
                crate::text::shown(text, 120)
            ));
        };
        let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
        if name.is_empty() || !name.chars().all(valid) {
            return Err(format!("`{}` is not an image name", crate::text::shown(name, 120)));
        }
        Ok(Image { name: name.to_owned(), digest: digest.parse()? })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.digest)
    }
}

impl Serialize for Image {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_follows_the_last_colon_unless_that_is_a_port() {
        for (text, name, tag) in [
            ("vllm/vllm-openai:v0.25.1", "vllm/vllm-openai", "v0.25.1"),
            ("127.0.0.1:5000/stub", "127.0.0.1:5000/stub", "latest"),
            ("127.0.0.1:5000/stub:A_b", "127.0.0.1:5000/stub", "A_b"),
            ("stub", "stub", "latest"),
        ] {
            assert_eq!(text.parse(), Ok(Tag { name: name.into(), tag: tag.into() }), "{text}");
        }
    }

    #[test]
    fn what_no_registry_can_hold_is_no_tag() {
        for text in ["", ":a", "a:", "../a:b", "a//b", "A:b", "a:b c", "a:.b", "a b", "a/../b:c", "a?x=1:b"] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }
}
