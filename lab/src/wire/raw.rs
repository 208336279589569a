//! The bytes of a response. Those of a bundle stay packed until somebody asks for them: what they
//! come to can mostly be told without the tokens that the server says it considered.

use std::borrow::Cow;

use super::{
    Derived, End, derive, derive_abridged,
    packed::{Abridged, abridge, pack, unpack},
};

/// The bytes of a response.
#[derive(Debug, Clone)]
pub struct Raw(Form);

#[derive(Debug, Clone)]
enum Form {
    Plain(Vec<u8>),
    Packed(Vec<u8>, Abridged),
}

impl Raw {
    /// Bytes that were packed, of which there are `len`; none where they are no such bytes.
    pub(crate) fn unpacked(packed: Vec<u8>, len: usize) -> Option<Self> {
        let form = match abridge(&packed, len) {
            Some(abridged) if abridged.len() == len => Form::Packed(packed, abridged),
            _ => Form::Plain(unpack(&packed, len).filter(|plain| plain.len() == len)?),
        };
        Some(Raw(form))
    }

    /// Shorter bytes for these; none where there are none.
    pub(crate) fn packed(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Form::Plain(plain) => pack(plain),
            Form::Packed(packed, _) => Some(packed.clone()),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Form::Plain(plain) => Cow::Borrowed(plain),
            Form::Packed(packed, abridged) => {
                Cow::Owned(unpack(packed, abridged.len()).expect("it was unpacked, but for what is left out"))
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Plain(plain) => plain.len(),
            Form::Packed(_, abridged) => abridged.len(),
        }
    }

    /// Whether nothing came.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they come to: see [`derive()`].
    pub(crate) fn derive(&self, reads: &[usize], end: End) -> Derived {
        let abridged = match &self.0 {
            Form::Plain(_) => None,
            Form::Packed(_, abridged) => derive_abridged(abridged, reads, end),
        };
        abridged.unwrap_or_else(|| derive(&self.bytes(), reads, end))
    }
}

impl Default for Raw {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<u8>> for Raw {
    fn from(plain: Vec<u8>) -> Self {
        Raw(Form::Plain(plain))
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Raw {}
