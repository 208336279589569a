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
