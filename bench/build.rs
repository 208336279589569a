//! Which commit this program is built from. Nix builds have no commit, but a store path.

use std::{path::Path, process::Command};

/// What the program is made of, as `nix/source.nix` lists it.
const SOURCES: [&str; 9] =
    ["Cargo.toml", "Cargo.lock", "analysis", "bench", "flake.lock", "lab", "nix/wheels", "runner", "stub"];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a package of a workspace");
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo:rustc-env=BENCH_REVISION={}", revision(root).unwrap_or_default());
}

/// The commit, with `-dirty` where the sources differ from it; none outside of a checkout.
fn revision(root: &Path) -> Option<String> {
    if Path::new(&git(root, &["rev-parse", "--show-toplevel"])?).canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    for name in ["HEAD", "logs/HEAD"] {
        let path = root.join(git(root, &["rev-parse", "--git-path", name])?);
        // A file that is not there would make cargo ask every time.
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    let commit = git(root, &["rev-parse", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(SOURCES);
    Some(if git(root, &status)?.is_empty() { commit } else { format!("{commit}-dirty") })
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
