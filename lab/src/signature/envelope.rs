//! The envelope that DSSE version 1 describes: a payload, its type, and signatures of both.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use serde::{Deserialize, Serialize};

use super::{PublicKey, SecretKey};

/// An envelope holds no more signatures.
pub const MOST_SIGNATURES: usize = 16;

/// A payload with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    key: String,
    bytes: Vec<u8>,
}

/// Which keys signed.
pub(super) struct Signers {
    /// Those whose signature fits.
    pub(super) fitting: Vec<usize>,
    /// Those that a signature names which does not fit.
    pub(super) broken: Vec<usize>,
}

/// The envelope as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WrittenSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// The bytes that are signed: DSSE's pre-authentication encoding.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

impl Envelope {
    /// Around a payload that nobody has signed yet.
    pub fn new(payload: Vec<u8>, payload_type: &str) -> Self {
        Envelope { payload, payload_type: payload_type.to_owned(), signatures: Vec::new() }
    }

    /// What was signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What the payload is.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// Adds a key's signature; false where it is there.
    ///
    /// # Errors
    /// Where there is no room for it.
    pub fn sign(&mut self, key: &SecretKey) -> Result<bool, String> {
        let (public, message) = (key.public(), pae(&self.payload_type, &self.payload));
        if self.signatures.iter().any(|signature| public.fits(&message, &signature.bytes)) {
            return Ok(false);
        }
        let id = public.id().to_string();
        // One that names this key and does not fit is nobody's.
        self.signatures.retain(|signature| signature.key != id);
        if self.signatures.len() >= MOST_SIGNATURES {
            return Err(format!("the envelope has {MOST_SIGNATURES} signatures, and there is no room for more"));
        }
        self.signatures.push(Signature { key: id, bytes: key.sign(&message) });
        Ok(true)
    }

    /// Which of these keys signed. A signature without a name may be anybody's.
    pub(super) fn signers(&self, keys: &[PublicKey]) -> Signers {
        let message = pae(&self.payload_type, &self.payload);
        let mut signers = Signers { fitting: Vec::new(), broken: Vec::new() };
        for (place, key) in keys.iter().enumerate() {
            let id = key.id().to_string();
            let mut named = self.signatures.iter().filter(|one| one.key == id || one.key.is_empty());
            if named.clone().any(|one| key.fits(&message, &one.bytes)) {
                signers.fitting.push(place);
            } else if named.any(|one| one.key == id) {
                signers.broken.push(place);
            }
        }
        signers
    }

    /// Who is said to have signed, for people.
    pub(super) fn named(&self) -> String {
        let names: Vec<String> = self.signatures.iter().map(|one| crate::text::shown(&one.key, 80)).collect();
        match names.as_slice() {
            [] => "nobody signed it".into(),
            _ => names
                .iter()
                .map(|name| if name.is_empty() { "one without a name" } else { name })
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    /// `manifest.dsse.json`.
    pub fn to_json(&self) -> String {
        let signatures = self.signatures.iter();
        let written = Written {
            payload: BASE64_STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: signatures
                .map(|one| WrittenSignature { keyid: one.key.clone(), sig: BASE64_STANDARD.encode(&one.bytes) })
                .collect(),
        };
        serde_json::to_string_pretty(&written).expect("strings serialise") + "\n"
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where it is none.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if written.signatures.len() > MOST_SIGNATURES {
            return Err(format!("more than {MOST_SIGNATURES} signatures"));
        }
        // DSSE takes either alphabet.
        let decode = |text: &str, what: &str| {
            let bytes = BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text));
            bytes.map_err(|e| format!("{what} is no base64: {e}"))
        };
        let signatures = written.signatures.iter();
        Ok(Envelope {
            payload: decode(&written.payload, "the payload")?,
            signatures: signatures
                .map(|one| Ok(Signature { key: one.keyid.clone(), bytes: decode(&one.sig, "a signature")? }))
                .collect::<Result<_, String>>()?,
            payload_type: written.payload_type,
        })
    }
}
