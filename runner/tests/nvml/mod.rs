//! The stub library `stub.c`, built by the machine's C compiler, each time with a script of
//! its own beside it.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "each test file uses its part")]

use std::{fs, path::PathBuf, process::Command, sync::OnceLock};

use runner::gpu::nvml::Library;

/// A library on disk that describes the GPUs of a script.
pub struct Stub(tempfile::TempDir);

impl Stub {
    pub fn new(script: &str) -> Self {
        static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
        let stub = Stub(tempfile::tempdir().unwrap());
        fs::write(stub.path(), BUILT.get_or_init(build)).unwrap();
        fs::write(stub.path().with_added_extension("script"), script).unwrap();
        stub
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("libnvidia-ml.so.1")
    }

    /// The library with no more of this machine than the script says.
    pub fn library(&self) -> Library {
        Library::open(Some(&self.path())).unwrap().below(self.0.path())
    }
}

fn build() -> Vec<u8> {
    let temp = tempfile::tempdir().unwrap();
    let library = temp.path().join("stub.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../runner/tests/nvml/stub.c");
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"]).arg(&library).args([source, "-ldl"]);
    assert!(cc.status().unwrap().success(), "cc cannot build {source}");
    fs::read(library).unwrap()
}

/// The id of the stub's GPU number `n`.
pub fn uuid(n: u32) -> String {
    format!("GPU-00000000-0000-0000-0000-{n:012}")
}
