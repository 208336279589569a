//! Who vouches for a bundle: ed25519 signatures of its manifest, in a DSSE envelope beside it.
//!
//! The manifest holds the digest of every file, so that a signature of its digest is one of
//! everything. The envelope is not part of the bundle: it can come later, and does not change
//! the bundle's id.

mod envelope;
mod key;
mod pem;
mod statement;

pub use envelope::{Envelope, MOST_SIGNATURES, pae};
pub use key::{PublicKey, SecretKey};
pub use statement::{PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, Statement};

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    Digest, Kind, Problem, Result,
    bundle::{self, Bundle, ENVELOPE, LARGEST_ENVELOPE},
    plain,
    text::shown,
};

/// What came of signing a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The bundle's id.
    pub id: Digest,
    /// Whether this key's signature was not there before.
    pub new: bool,
}

/// Adds a key's signature to a bundle whose files are those that its manifest lists. Signing
/// twice changes nothing.
pub fn sign(path: &Path, key: &SecretKey) -> Result<Signed> {
    let (_, findings) = bundle::verify(path)?;
    if let Some(first) = findings.first() {
        return Err(Problem::broken(format!("it is not signed: {first}"))
            .at(path.display().to_string())
            .next("run bench verify"));
    }
    let bundle = Bundle::open(path)?;
    // Whoever signs at the same time adds to what this one writes; the lock goes with the handle.
    let _alone = alone(path)?;
    let payload = Statement::of(&bundle)?.to_json();
    let place = path.join(ENVELOPE);
    let mut envelope = match read(&place)? {
        Some(envelope) if envelope.payload() == payload.as_bytes() => envelope,
        Some(_) => {
            return Err(Problem::broken(
                "the envelope that lies here says something else than that this manifest is sealed",
            )
            .at(place.display().to_string())
            .next("bench verify --key says whose it is; move it away, then sign"));
        }
        None => Envelope::new(payload.into_bytes(), PAYLOAD_TYPE),
    };
    let new = envelope.sign(key).map_err(|what| Problem::broken(what).at(place.display().to_string()))?;
    if new {
        write(path, envelope.to_json().as_bytes())?;
    }
    Ok(Signed { id: bundle.id, new })
}

/// Keeps other signers of a bundle waiting.
fn alone(bundle: &Path) -> Result<fs::File> {
    let lock = || fs::File::open(bundle).and_then(|folder| folder.lock().map(|()| folder));
    lock().map_err(|e| Problem::io(Kind::Machine, "lock", bundle, &e))
}

/// Which of these keys signed a bundle, by their places; at least one.
///
/// # Errors
/// Where none did: no envelope, one that cannot be read, an unknown signer, a signature that does
/// not fit, a statement about something else.
pub fn check(bundle: &Bundle, keys: &[PublicKey]) -> Result<Vec<usize>> {
    let place = bundle.path.join(ENVELOPE).display().to_string();
    let Some(envelope) = read(&bundle.path.join(ENVELOPE))? else {
        return Err(Problem::broken("it is not signed")
            .at(place)
            .next("ask whoever made the bundle for this file, or sign it: bench sign; without --key its bytes are checked and not its maker"));
    };
    let signers = envelope.signers(keys);
    if signers.fitting.is_empty() {
        return Err(match signers.broken.first() {
            Some(key) => Problem::broken(format!("the signature that names {} does not fit", keys[*key].id()))
                .at(place)
                .next("the envelope was changed since it was signed, or somebody else made it: get it again from whoever signed"),
            None => Problem::broken(format!("an unknown signer: {}", envelope.named()))
                .at(place)
                .next("name the signer's public key with --key, if you trust it; these keys signed nothing here"),
        });
    }
    let statement = Statement::from_json(envelope.payload(), envelope.payload_type());
    let said = statement.and_then(|statement| statement.is_about(bundle.id).map(|()| statement));
    let said = said.map_err(|problem| Problem { place: Some(place.clone()), ..problem })?;
    if said != Statement::of(bundle)? {
        return Err(Problem::broken("what was signed calls this bundle something else than it is")
            .at(place)
            .next("get the envelope again from whoever signed"));
    }
    Ok(signers.fitting)
}

/// The envelope in this place; none where there is no such file.
fn read(place: &Path) -> Result<Option<Envelope>> {
    let broken = |what: String| {
        Problem::broken(format!("the envelope cannot be read: {}", shown(&what, 300)))
            .at(place.display().to_string())
            .next("get it again from whoever signed, or remove it")
    };
    match plain::read(place, LARGEST_ENVELOPE) {
        Ok(bytes) => Envelope::from_json(&bytes).map(Some).map_err(broken),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(broken(e.to_string())),
    }
}

/// Puts the envelope into the bundle by one rename: what a crash leaves lies beside the folder,
/// never in it.
fn write(bundle: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |doing: &str, path: &Path, e: &std::io::Error| Problem::io(Kind::Machine, doing, path, e);
    let folder = bundle.canonicalize().map_err(|e| failed("find", bundle, &e))?;
    let beside: PathBuf = folder.with_added_extension(format!("dsse-{}", std::process::id()));
    let put = || {
        let mut file = fs::File::options().write(true).create_new(true).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, folder.join(ENVELOPE))?;
        fs::File::open(&folder)?.sync_all()
    };
    put().map_err(|e| {
        // What is left of it helps nobody.
        let _ = fs::remove_file(&beside);
        failed("write the envelope", &bundle.join(ENVELOPE), &e)
    })
}

#[cfg(test)]
mod tests;
