//! Signatures and keys held against OpenSSL: what one makes, the other takes.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use lab::{
    bundle::{Bundle, ENVELOPE, Kind, RunFolder},
    signature::{PublicKey, SecretKey, check, pae, sign},
};

/// Whether `openssl` takes these arguments; nobody knows where it is not there.
fn openssl(folder: &Path, arguments: &str) -> Option<bool> {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().ok().map(|status| status.success())
}

/// A sealed bundle in a folder, which need hold nothing.
fn sealed(folder: &Path) -> Bundle {
    let run = RunFolder::create(&folder.join("bundle")).unwrap();
    run.put("grade.json", b"{}").unwrap();
    let (path, _) = run.seal(Kind::Grade, Vec::new(), "2026-01-01T00:00:00Z").unwrap();
    Bundle::open(&path).unwrap()
}

#[test]
fn openssl_takes_what_bench_signs_and_bench_what_openssl_signs() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    if openssl(folder, "version").is_none() {
        println!("skipped: there is no openssl to compare with");
        return;
    }
    let bundle = sealed(folder);
    let key = SecretKey::create(&folder.join("ours.pem")).unwrap();
    fs::write(folder.join("ours.pub"), key.public().to_pem()).unwrap();
    // The public key that openssl finds in the private one is ours to the byte.
    assert_eq!(openssl(folder, "pkey -in ours.pem -pubout -out found.pub"), Some(true));
    assert_eq!(fs::read(folder.join("found.pub")).unwrap(), fs::read(folder.join("ours.pub")).unwrap());

    sign(&bundle.path, &key).unwrap();
    let envelope = bundle.path.join(ENVELOPE);
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&envelope).unwrap()).unwrap();
    let decoded = |field: &serde_json::Value| BASE64_STANDARD.decode(field.as_str().unwrap()).unwrap();
    let payload = decoded(&written["payload"]);
    fs::write(folder.join("signed"), pae(written["payloadType"].as_str().unwrap(), &payload)).unwrap();
    fs::write(folder.join("signature"), decoded(&written["signatures"][0]["sig"])).unwrap();
    let verify = "pkeyutl -verify -rawin -pubin -inkey ours.pub -in signed -sigfile signature";
    assert_eq!(openssl(folder, verify), Some(true));
    fs::write(folder.join("signed"), pae("text/plain", &payload)).unwrap();
    assert_eq!(openssl(folder, verify), Some(false));

    // Theirs: a key of openssl's own, its signature in an envelope of the test's own making.
    fs::write(folder.join("signed"), pae("application/vnd.in-toto+json", &payload)).unwrap();
    assert_eq!(openssl(folder, "genpkey -algorithm ed25519 -out theirs.pem"), Some(true));
    assert_eq!(openssl(folder, "pkey -in theirs.pem -pubout -out theirs.pub"), Some(true));
    assert_eq!(openssl(folder, "pkeyutl -sign -rawin -inkey theirs.pem -in signed -out signature"), Some(true));
    let signature = BASE64_STANDARD.encode(fs::read(folder.join("signature")).unwrap());
    let payload = BASE64_STANDARD.encode(&payload);
    let text = format!(
        r#"{{"payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":"{signature}"}}],"payload":"{payload}"}}"#
    );
    fs::write(&envelope, text).unwrap();
    let theirs = PublicKey::read(&folder.join("theirs.pub")).unwrap();
    assert_eq!(check(&bundle, &[key.public(), theirs]), Ok(vec![1]));
    assert!(check(&bundle, &[key.public()]).is_err());
    // And ours signs with their key.
    let read = SecretKey::read(&folder.join("theirs.pem")).unwrap();
    assert_eq!(read.public(), theirs);
}
