use std::{
    fmt, fs,
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};

use super::pem;
use crate::{Digest, Kind, Problem, Result};

/// No file of a key is larger.
const LARGEST_KEY: u64 = 16 << 10;

/// What stands before the 32 bytes of a private key: PKCS 8, version 1, ed25519 (RFC 8410).
const PRIVATE: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// What stands before the 32 bytes of a public key: SubjectPublicKeyInfo, ed25519 (RFC 8410).
const PUBLIC: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// Points of small order, without their sign: for such a public key anybody can make a signature.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// A key that signs.
pub struct SecretKey(Ed25519KeyPair);

/// A key that tells whose signature it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl SecretKey {
    /// Makes a key in a new file that only its owner reads.
    pub fn create(path: &Path) -> Result<Self> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| Problem::machine("this machine gives no randomness"))?;
        let text = pem::encode(PRIVATE_LABEL, &[PRIVATE, &seed].concat());
        let key = Self::from_pem(&text).map_err(|what| Problem::machine(what).at(path.display().to_string()))?;
        let write = || {
            let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => Problem::input("there is a file already, and no key is overwritten")
                .at(path.display().to_string())
                .next("name another file; its public key: bench sign --key, with this file and no bundle"),
            _ => Problem::io(Kind::Machine, "write the key", path, &e),
        })?;
        Ok(key)
    }

    /// Reads a key's file.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_pem(&text_of(path)?).map_err(|what| wrong(path, what, "make one: bench sign --new-key FILE"))
    }

    fn from_pem(text: &str) -> std::result::Result<Self, String> {
        match pem::decode(text)? {
            (PRIVATE_LABEL, der) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
                .map(SecretKey)
                .map_err(|_| "this is no ed25519 key in PKCS 8".into()),
            (PUBLIC_LABEL, _) => Err("this is a public key, which signs nothing".into()),
            (label, _) => Err(format!("`{}` is no unencrypted key in PKCS 8", crate::text::shown(label, 40))),
        }
    }

    /// The key by which others know its signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().try_into().expect("an ed25519 key has 32 bytes"))
    }

    /// The signature of a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

impl PublicKey {
    /// Reads a key's file.
    pub fn read(path: &Path) -> Result<Self> {
        let next = "name the file that bench sign --new-key printed, or one of openssl pkey -pubout";
        Self::from_pem(&text_of(path)?).map_err(|what| wrong(path, what, next))
    }

    /// Of its text.
    pub fn from_pem(text: &str) -> std::result::Result<Self, String> {
        match pem::decode(text)? {
            (PUBLIC_LABEL, der) => {
                let bytes: Option<[u8; 32]> = der.strip_prefix(PUBLIC).and_then(|bytes| bytes.try_into().ok());
                let bytes = bytes.ok_or("this is no ed25519 key")?;
                let mut point = bytes;
                point[31] &= 0x7f;
                let hex: String = point.iter().map(|byte| format!("{byte:02x}")).collect();
                if SMALL_ORDER.contains(&hex.as_str()) {
                    return Err("this is a point of small order, for which anybody can sign".into());
                }
                Ok(PublicKey(bytes))
            }
            (PRIVATE_LABEL, _) => Err("this is a private key, which nobody else should have".into()),
            (label, _) => Err(format!("`{}` is no public key", crate::text::shown(label, 40))),
        }
    }

    /// Its text.
    pub fn to_pem(&self) -> String {
        pem::encode(PUBLIC_LABEL, &self.der())
    }

    fn der(&self) -> Vec<u8> {
        [PUBLIC, &self.0].concat()
    }

    /// How an envelope names it: the SHA-256 of its SubjectPublicKeyInfo.
    pub fn id(&self) -> Digest {
        Digest::of(self.der())
    }

    /// Whether a message has this signature of it.
    pub fn fits(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {}", self.public().id())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey {}", self.id())
    }
}

/// A person names this file, so that a link to it is followed.
fn text_of(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST_KEY).read_to_string(&mut text));
    read.map_err(|e| Problem::io(Kind::Input, "read the key", path, &e))?;
    Ok(text)
}

fn wrong(path: &Path, what: String, next: &str) -> Problem {
    Problem::input(what).at(path.display().to_string()).next(next)
}
