//! Who signed a bundle, as `bench sign` writes it and `bench verify --key` asks.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use support::{Lab, Workload, code, stderr, stdout};

#[test]
fn a_run_is_signed_and_each_way_of_not_being_signed_is_refused_with_what_to_do() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&Workload::default().candidate("same", "").graded(1))), 0);
    let made = lab.bench(&["sign", "--new-key", "ours"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    fs::write(lab.path("ours.pub"), made.stdout).unwrap();
    fs::write(lab.path("theirs.pub"), lab.bench(&["sign", "--new-key", "theirs"]).stdout).unwrap();
    assert_eq!(code(&lab.bench(&["sign", "--new-key", "ours"])), 10);
    // Who has lost what was printed asks for it again.
    assert_eq!(lab.bench(&["sign", "--key", "ours"]).stdout, fs::read(lab.path("ours.pub")).unwrap());

    let unsigned = lab.on_bundles(&["verify", "--key", "ours.pub"]);
    assert_eq!(code(&unsigned), 20);
    let text = stdout(&unsigned);
    assert!(text.contains("BROKEN\n") && text.contains("manifest.dsse.json: it is not signed\n  "), "{text}");
    assert!(text.contains("next: ask whoever made the bundle"), "{text}");

    let (before, judged) = (lab.bench(&["index"]), stdout(&lab.on_bundles(&["judge"])));
    let signed = lab.on_bundles(&["sign", "--key", "ours"]);
    assert_eq!((code(&signed), stdout(&signed).matches(": signed: sha256:").count()), (0, 2), "{}", stderr(&signed));
    assert!(stdout(&lab.on_bundles(&["sign", "--key", "ours"])).contains("was signed already"));
    let verified = lab.on_bundles(&["verify", "--key", "theirs.pub", "--key", "ours.pub"]);
    assert_eq!(
        (code(&verified), stdout(&verified).matches("signed by sha256:").count()),
        (0, 2),
        "{}",
        stdout(&verified)
    );
    let json: serde_json::Value =
        serde_json::from_slice(&lab.on_bundles(&["verify", "--json", "--key", "ours.pub"]).stdout).unwrap();
    assert_eq!(json[0]["signed_by"].as_array().unwrap().len(), 1);

    let unknown = lab.on_bundles(&["verify", "--key", "theirs.pub"]);
    assert_eq!(code(&unknown), 20);
    let text = stdout(&unknown);
    assert!(
        text.contains("an unknown signer: sha256:") && text.contains("next: name the signer's public key"),
        "{text}"
    );
    // A private key is nobody's to verify by, and the envelope changes nothing for anybody else.
    assert_eq!(code(&lab.on_bundles(&["verify", "--key", "ours"])), 10);
    let unasked = lab.on_bundles(&["verify"]);
    assert_eq!((code(&unasked), stdout(&unasked).matches("who signed is checked with --key").count()), (0, 2));
    assert_eq!(stdout(&lab.bench(&["index"])), stdout(&before).replace("csv: ", "csv: unchanged, "));
    assert_eq!(stdout(&lab.on_bundles(&["judge"])), judged);
}
