//! What this program was built with and beside: its own origin, and the pinned environment.

use std::path::Path;

use lab::{
    Digest,
    environment::{Pins, Program},
};

const LOCK: &str = include_str!("../../flake.lock");
const WHEELS: [(&str, &str); 2] =
    [("cpu", include_str!("../../nix/wheels/cpu.json")), ("cuda", include_str!("../../nix/wheels/cuda.json"))];

/// nixpkgs as `flake.lock` pins it, and the lists of wheels of which stacks are made.
pub(crate) fn pins() -> Pins {
    let lock: serde_json::Value = serde_json::from_str(LOCK).expect("a lock that Nix wrote");
    let nixpkgs = lock["nodes"]["nixpkgs"]["locked"]["narHash"].as_str().expect("one input, nixpkgs").to_owned();
    Pins { nixpkgs, wheels: WHEELS.iter().map(|(name, list)| ((*name).to_owned(), Digest::of(list))).collect() }
}

/// This program; `revision` is the commit that it was built from, where it knows one.
pub(crate) fn program(revision: Option<&str>) -> Program {
    let path = std::env::current_exe().ok();
    Program {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: path.as_ref().and_then(|path| Digest::of_file(path).ok()).map(|(digest, _)| digest),
        store_path: path.and_then(|path| store_path(&path)),
        revision: revision.map(str::to_owned),
    }
}

/// The store path that a file belongs to, where Nix made it.
fn store_path(file: &Path) -> Option<String> {
    let name = file.strip_prefix("/nix/store").ok()?.components().next()?;
    Some(format!("/nix/store/{}", name.as_os_str().to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_those_of_the_lock_and_the_lists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let pins = pins();
        // One input alone is locked, so one hash stands in the lock.
        let lock = std::fs::read_to_string(root.join("flake.lock")).unwrap();
        let hashes: Vec<&str> = lock.lines().filter(|line| line.contains("narHash")).collect();
        assert_eq!(hashes.len(), 1);
        assert!(pins.nixpkgs.starts_with("sha256-") && hashes[0].contains(&format!("\"{}\"", pins.nixpkgs)));
        for (name, digest) in &pins.wheels {
            let list = root.join(format!("nix/wheels/{name}.json"));
            assert_eq!(*digest, Digest::of_file(&list).unwrap().0, "{name}");
        }
    }

    #[test]
    fn a_program_that_nix_made_names_its_store_path() {
        let made = Path::new("/nix/store/63gai31sh1fn59xb97l1m8bzpx9hzz32-bench-0.1.0/bin/bench");
        assert_eq!(store_path(made).as_deref(), Some("/nix/store/63gai31sh1fn59xb97l1m8bzpx9hzz32-bench-0.1.0"));
        assert_eq!(store_path(Path::new("/home/me/target/debug/bench")), None);
        assert_eq!(store_path(Path::new("/nix/store")), None);
    }
}
