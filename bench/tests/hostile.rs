//! Bundles of strangers, through the program: each is refused with exit code 20, a place and no
//! time lost.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use lab::{
    Digest,
    bundle::{File, MANIFEST, Manifest},
};
use support::{Lab, Workload, code, stderr, stdout};

/// Makes the manifest anew, as a forger would.
fn reseal(bundle: &Path) {
    let mut manifest = Manifest::from_json(&fs::read_to_string(bundle.join(MANIFEST)).unwrap()).unwrap();
    let paths = lab::digest::files_below(bundle).unwrap().into_iter().filter(|path| path != MANIFEST);
    let file = |path: String| {
        let (sha256, size) = Digest::of_file(&bundle.join(&path)).unwrap();
        File { path, size, sha256 }
    };
    manifest.files = paths.map(file).collect();
    fs::write(bundle.join(MANIFEST), manifest.to_json()).unwrap();
}

/// What the verbs that open a stranger's bundle say of one; none may do anything else than refuse.
fn refused(lab: &Lab, bundle: &Path, expected: &str) {
    let bundle = bundle.display().to_string();
    for verb in
        [&["verify"][..], &["judge"], &["reproduce", "--offline"], &["report", "--out", "r"], &["export", "--out", "t"]]
    {
        let output = lab.bench(&[verb, &[bundle.as_str()]].concat());
        let text = stdout(&output) + &stderr(&output);
        assert_eq!(code(&output), 20, "{verb:?}: {text}");
        assert!(text.contains(expected), "{verb:?}: {text}");
        assert!(text.len() < 100_000, "{verb:?}: {} bytes", text.len());
    }
    assert!(!lab.path("r").exists() && !lab.path("t").exists());
}

#[test]
fn what_strangers_seal_is_refused_by_every_verb_that_opens_it() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&Workload::default())), 0);
    let whole = lab.bundle().path;
    let forged = |change: &dyn Fn(&Path)| -> PathBuf {
        let copy = lab.path("forged");
        let _ = fs::remove_dir_all(&copy);
        assert!(std::process::Command::new("cp").arg("-r").args([&whole, &copy]).status().unwrap().success());
        change(&copy);
        copy
    };
    let write = |name: &'static str, bytes: Vec<u8>| {
        move |bundle: &Path| {
            fs::write(bundle.join(name), &bytes).unwrap();
            reseal(bundle);
        }
    };
    let deep = b"x = ".iter().copied().chain(b"[".repeat(100_000)).collect::<Vec<u8>>();
    refused(&lab, &forged(&write("workload.toml", deep)), "workload.toml");
    refused(&lab, &forged(&write("plan.json", b"[".repeat(100_000))), "plan.json");
    refused(&lab, &forged(&write("requests.jsonl", b"{\"id\":0".to_vec())), "requests.jsonl");
    let bomb = zstd::encode_all(&vec![0u8; 300 << 20][..], 1).unwrap();
    assert!(bomb.len() < 100_000);
    refused(
        &lab,
        &forged(&write("tokenizers/toy.json.zst", bomb.clone())),
        "decompresses to more than 268435456 bytes",
    );
    refused(&lab, &forged(&write("trials/0001-baseline/wire.zst", bomb)), "0001-baseline/wire.zst");

    refused(
        &lab,
        &forged(&|bundle| {
            fs::remove_file(bundle.join("plan.json")).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(bundle.join("plan.json")).status().unwrap().success());
        }),
        "plan.json",
    );
    refused(&lab, &forged(&|bundle| fs::write(bundle.join("more"), "").unwrap()), "more: extra");
    refused(
        &lab,
        &forged(&|bundle| {
            let trials = bundle.join("trials");
            fs::rename(&trials, lab.path("elsewhere")).unwrap();
            std::os::unix::fs::symlink(lab.path("elsewhere"), &trials).unwrap();
        }),
        "trials: neither a file nor a folder",
    );
    let manifest = |change: &dyn Fn(&mut Manifest)| {
        forged(&|bundle| {
            let mut manifest = Manifest::from_json(&fs::read_to_string(bundle.join(MANIFEST)).unwrap()).unwrap();
            change(&mut manifest);
            fs::write(bundle.join(MANIFEST), manifest.to_json()).unwrap();
        })
    };
    refused(&lab, &manifest(&|m| m.files.swap(0, 1)), "manifest.json: the manifest lists");
    refused(&lab, &manifest(&|m| m.files[0].size = u64::MAX), "no file of a bundle has more than");
    let outside = |m: &mut Manifest| m.files[0].path = "../../../etc/hostname".into();
    refused(&lab, &manifest(&outside), "leads out of the bundle");
    // And what was not touched is as good as before.
    assert_eq!(code(&lab.bench(&["verify", &whole.display().to_string()])), 0);
}
