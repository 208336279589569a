use std::path::PathBuf;

use super::*;
use crate::bundle::{Kind, MANIFEST, RUN, RunFolder};

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A sealed bundle of that name.
    fn sealed(&self, name: &str) -> PathBuf {
        let run = RunFolder::create(&self.path(name)).unwrap();
        let digest = Digest::of("");
        let facts = format!(
            r#"{{"format":4,"run":"{name}","started":"2026-01-01T00:00:00Z","plan":"{digest}","audit_commitment":"{digest}"}}"#
        );
        run.put(RUN, facts.as_bytes()).unwrap();
        run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0
    }

    fn key(&self, name: &str) -> SecretKey {
        SecretKey::create(&self.path(name)).unwrap()
    }
}

fn checked(bundle: &Path, keys: &[&SecretKey]) -> Result<Vec<usize>> {
    let keys: Vec<PublicKey> = keys.iter().map(|key| key.public()).collect();
    check(&Bundle::open(bundle).unwrap(), &keys)
}

fn envelope(bundle: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(bundle.join(ENVELOPE)).unwrap()).unwrap()
}

/// The vector that DSSE's protocol.md publishes.
#[test]
fn the_signed_bytes_are_those_of_the_published_vector() {
    let signed = pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(pae("", "é".as_bytes()), "DSSEv1 0  2 é".as_bytes());
}

/// Test 1 of RFC 8032 (section 7.1): an empty message.
#[test]
fn a_signature_is_that_of_rfc_8032() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    };
    let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let signature = hex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    );
    let spki = [hex("302a300506032b6570032100"), public].concat();
    let key = PublicKey::from_pem(&pem::encode("PUBLIC KEY", &spki)).unwrap();
    assert!(key.fits(b"", &signature) && !key.fits(b"x", &signature));
    assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key));
}

#[test]
fn a_signed_bundle_is_the_same_bundle_and_signing_twice_changes_nothing() {
    let bench = Bench::new();
    let (bundle, key, other) = (bench.sealed("run"), bench.key("key"), bench.key("other"));
    let id = Bundle::open(&bundle).unwrap().id;
    assert_eq!(sign(&bundle, &key).unwrap(), Signed { id, new: true });
    let once = fs::read(bundle.join(ENVELOPE)).unwrap();
    assert_eq!(sign(&bundle, &key).unwrap(), Signed { id, new: false });
    assert_eq!(fs::read(bundle.join(ENVELOPE)).unwrap(), once);
    assert_eq!(bundle::verify(&bundle).unwrap().1, []);
    assert_eq!(Bundle::open(&bundle).unwrap().id, id);
    // Two signers are two signatures of one statement.
    assert!(sign(&bundle, &other).unwrap().new);
    assert_eq!(envelope(&bundle)["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(checked(&bundle, &[&key]).unwrap(), [0]);
    assert_eq!(checked(&bundle, &[&bench.key("third"), &other, &key]).unwrap(), [1, 2]);
    // Nothing else lies in the bundle or beside it.
    let left: Vec<String> = crate::digest::files_below(bench.folder.path()).unwrap();
    assert_eq!(left, ["key", "other", "run/manifest.dsse.json", "run/manifest.json", "run/run.json", "third"]);
}

#[test]
fn what_is_signed_is_a_statement_about_the_manifest() {
    let bench = Bench::new();
    let bundle = bench.sealed("run");
    sign(&bundle, &bench.key("key")).unwrap();
    let envelope = envelope(&bundle);
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let payload = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, envelope["payload"].as_str().unwrap());
    let statement: serde_json::Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    let (manifest, _) = Digest::of_file(&bundle.join(MANIFEST)).unwrap();
    let expected = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "manifest.json", "digest": {"sha256": manifest.hex()}}],
        "predicateType": "https://bench.invalid/sealed-bundle/v1",
        "predicate": {"format": 1, "kind": "measure", "run": "run"},
    });
    assert_eq!(statement, expected);
}

#[test]
fn each_way_in_which_nobody_trusted_signed_is_said_by_itself() {
    let bench = Bench::new();
    let (one, two, key) = (bench.sealed("one"), bench.sealed("two"), bench.key("key"));
    let refused = |bundle: &Path, keys: &[&SecretKey]| {
        let problem = checked(bundle, keys).unwrap_err();
        assert_eq!(problem.kind.exit_code(), 20);
        assert!(problem.next.is_some() && problem.place.as_ref().unwrap().ends_with(ENVELOPE), "{problem}");
        problem.what
    };
    assert_eq!(refused(&one, &[&key]), "it is not signed");
    sign(&one, &key).unwrap();
    let unknown = refused(&one, &[&bench.key("stranger")]);
    assert_eq!(unknown, format!("an unknown signer: {}", key.public().id()));
    fs::copy(one.join(ENVELOPE), two.join(ENVELOPE)).unwrap();
    assert!(refused(&two, &[&key]).starts_with("the envelope of another bundle: it is about "));
    assert!(sign(&two, &key).unwrap_err().what.contains("says something else"));
    // Another statement under the same signature.
    let text = fs::read_to_string(one.join(ENVELOPE)).unwrap();
    let payload = envelope(&one)["payload"].as_str().unwrap().to_owned();
    fs::write(one.join(ENVELOPE), text.replace(&payload, "e30=")).unwrap();
    assert_eq!(refused(&one, &[&key]), format!("the signature that names {} does not fit", key.public().id()));
    for (bytes, why) in [
        ("{}", "missing field `payload`"),
        (r#"{"payload":"e30=","payloadType":"x","signatures":[{"sig":"?"}]}"#, "a signature is no base64"),
        (r#"{"payload":"e30=","payloadType":"x","signatures":[],"more":1}"#, "unknown field `more`"),
    ] {
        fs::write(one.join(ENVELOPE), bytes).unwrap();
        let what = refused(&one, &[&key]);
        assert!(what.starts_with("the envelope cannot be read: ") && what.contains(why), "{what}");
    }
}

#[test]
fn what_this_key_signed_about_something_else_is_not_taken_for_a_seal() {
    let bench = Bench::new();
    let (bundle, key) = (bench.sealed("run"), bench.key("key"));
    let payload = Statement::of(&Bundle::open(&bundle).unwrap()).unwrap().to_json();
    let refused = |payload: &str, payload_type: &str| {
        let mut envelope = Envelope::new(payload.into(), payload_type);
        envelope.sign(&key).unwrap();
        fs::write(bundle.join(ENVELOPE), envelope.to_json()).unwrap();
        checked(&bundle, &[&key]).unwrap_err().what
    };
    assert!(refused(&payload, "text/plain").contains("no statement of in-toto"));
    assert!(refused("{}", PAYLOAD_TYPE).contains("no statement: missing field"));
    assert!(refused(&payload.replace("sealed-bundle", "gift"), PAYLOAD_TYPE).contains("not that a bundle is sealed"));
    assert!(refused(&payload.replace("\"format\":1", "\"format\":2"), PAYLOAD_TYPE).contains("newer"));
    assert!(refused(&payload.replace("manifest.json", "workload.toml"), PAYLOAD_TYPE).contains("another bundle"));
    let twice = payload.replace("\"subject\":[", "\"subject\":[{\"name\":\"x\",\"digest\":{}},");
    assert!(refused(&twice, PAYLOAD_TYPE).contains("another bundle"));
    let other = payload.replace("\"kind\":\"measure\"", "\"kind\":\"grade\"");
    assert!(refused(&other, PAYLOAD_TYPE).contains("calls this bundle something else than it is"));
}

#[test]
fn a_public_key_for_which_anybody_can_sign_and_two_keys_in_one_file_are_refused() {
    let bench = Bench::new();
    // The neutral element of the group, with either sign: `01 00 … 00` and `01 00 … 80`.
    for last in [0u8, 0x80] {
        let mut point = [0; 32];
        (point[0], point[31]) = (1, last);
        let pem = pem::encode("PUBLIC KEY", &[&hex("302a300506032b6570032100")[..], &point].concat());
        assert!(PublicKey::from_pem(&pem).unwrap_err().contains("of small order"));
    }
    let two = bench.key("a").public().to_pem() + &bench.key("b").public().to_pem();
    assert!(PublicKey::from_pem(&two).unwrap_err().contains("several keys stand in it"));
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn whoever_signs_at_the_same_time_loses_no_signature() {
    let bench = Bench::new();
    let bundle = bench.sealed("run");
    let keys: Vec<SecretKey> = (0..8).map(|i| bench.key(&i.to_string())).collect();
    std::thread::scope(|scope| {
        for key in &keys {
            scope.spawn(|| assert!(sign(&bundle, key).unwrap().new));
        }
    });
    let keys: Vec<&SecretKey> = keys.iter().collect();
    assert_eq!(checked(&bundle, &keys).unwrap().len(), 8);
}

#[test]
fn every_changed_bit_of_an_envelope_is_noticed() {
    let bench = Bench::new();
    let (bundle, key) = (bench.sealed("run"), bench.key("key"));
    sign(&bundle, &key).unwrap();
    let (opened, public) = (Bundle::open(&bundle).unwrap(), key.public());
    let original = fs::read(bundle.join(ENVELOPE)).unwrap();
    for i in 0..original.len() {
        for bit in 0..8 {
            let mut changed = original.clone();
            changed[i] ^= 1 << bit;
            fs::write(bundle.join(ENVELOPE), &changed).unwrap();
            assert!(check(&opened, &[public]).is_err(), "byte {i}, bit {bit}");
        }
    }
    fs::write(bundle.join(ENVELOPE), &original).unwrap();
    assert_eq!(check(&opened, &[public]), Ok(vec![0]));
}

#[test]
fn an_envelope_is_a_small_plain_file_or_none() {
    let bench = Bench::new();
    let (bundle, key) = (bench.sealed("run"), bench.key("key"));
    sign(&bundle, &key).unwrap();
    let (place, elsewhere) = (bundle.join(ENVELOPE), bench.path("elsewhere"));
    fs::rename(&place, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
    assert!(checked(&bundle, &[&key]).unwrap_err().what.contains("a link, which is not followed"));
    assert!(sign(&bundle, &key).is_err());
    assert_eq!(bundle::verify(&bundle).unwrap().1[0].path, ENVELOPE);
    fs::remove_file(&place).unwrap();
    fs::write(&place, vec![b' '; LARGEST_ENVELOPE as usize + 1]).unwrap();
    assert!(checked(&bundle, &[&key]).unwrap_err().what.contains("larger than 65536 bytes"));
    assert!(bundle::verify(&bundle).unwrap().1[0].what.starts_with("extra"));
}

#[test]
fn no_broken_bundle_is_signed() {
    let bench = Bench::new();
    let bundle = bench.sealed("run");
    fs::write(bundle.join(RUN), "{}").unwrap();
    let problem = sign(&bundle, &bench.key("key")).unwrap_err();
    assert!(problem.what.starts_with("it is not signed: run.json: changed"), "{problem}");
    assert!(!bundle.join(ENVELOPE).exists());
}

#[test]
fn an_envelope_has_room_for_so_many_signatures() {
    let bench = Bench::new();
    let mut envelope = Envelope::new(b"x".into(), "y");
    for n in 0..MOST_SIGNATURES {
        assert_eq!(envelope.sign(&bench.key(&n.to_string())), Ok(true));
    }
    assert!(envelope.sign(&bench.key("one more")).unwrap_err().contains("no room"));
    assert!(envelope.to_json().len() < LARGEST_ENVELOPE as usize / 4);
    let read = Envelope::from_json(envelope.to_json().as_bytes()).unwrap();
    assert_eq!(read, envelope);
}

#[test]
fn a_key_is_its_owner_s_alone_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let (path, key) = (bench.path("key"), bench.key("key"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(SecretKey::read(&path).unwrap().public(), key.public());
    let before = fs::read(&path).unwrap();
    assert!(SecretKey::create(&path).unwrap_err().what.contains("no key is overwritten"));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::write(bench.path("public"), key.public().to_pem()).unwrap();
    assert_eq!(PublicKey::read(&bench.path("public")).unwrap(), key.public());
    // Each file that is the other's, or nobody's, is said to be.
    assert!(PublicKey::read(&path).unwrap_err().what.contains("this is a private key"));
    assert!(SecretKey::read(&bench.path("public")).unwrap_err().what.contains("this is a public key"));
    for (text, why) in [
        ("", "no line `-----BEGIN"),
        ("-----BEGIN PRIVATE KEY-----\nMC4=\n", "its last line is missing"),
        ("-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n", "no ed25519 key in PKCS 8"),
        ("-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n", "no base64"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nMC4=\n-----END OPENSSH PRIVATE KEY-----\n",
            "no unencrypted key in PKCS 8",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let problem = SecretKey::read(&path).unwrap_err();
        assert!(problem.what.contains(why) && problem.kind.exit_code() == 10, "{problem}");
    }
}
