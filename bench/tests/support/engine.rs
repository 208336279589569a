//! The engine and the registry that `scripts/engine` started, with the images of
//! `scripts/stub-images`. Tests that need them say so and pass where there are none.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A container engine with a registry of our own.
pub struct Engine {
    /// The registry's address.
    pub registry: String,
    /// The folder in which the registry keeps its blobs.
    files: PathBuf,
}

/// An image that only the registry has, and that is gone with this value.
pub struct Pushed<'a> {
    engine: &'a Engine,
    /// `REGISTRY/NAME@sha256:…`.
    pub reference: String,
    tag: String,
}

impl Engine {
    /// The engine that the environment names; if there is none, the test says that it is skipped.
    pub fn from_env() -> Option<Self> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let found = variable("DOCKER_HOST").and(variable("BENCH_REGISTRY")).zip(variable("BENCH_REGISTRY_FILES"));
        if found.is_none() {
            // Past the test harness, which shows nothing of a test that passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no engine: eval \"$(scripts/engine start DIR)\"");
        }
        found.map(|(registry, files)| Engine { registry, files: files.into() })
    }

    /// The reference by digest of an image of `scripts/stub-images`, like `stub:honest`.
    pub fn image(&self, image: &str) -> String {
        let (name, tag) = image.split_once(':').unwrap();
        let link = format!("docker/registry/v2/repositories/{name}/_manifests/tags/{tag}/current/link");
        let digest = fs::read_to_string(self.files.join(link));
        let digest = digest.unwrap_or_else(|_| panic!("no image {image} in the registry: run scripts/stub-images"));
        format!("{}/{name}@{}", self.registry, digest.trim())
    }

    /// The path of the engine's socket.
    pub fn socket(&self) -> String {
        env::var("DOCKER_HOST").unwrap().trim_start_matches("unix://").to_owned()
    }

    /// The reference by tag.
    pub fn tag(&self, image: &str) -> String {
        format!("{}/{image}", self.registry)
    }

    /// Runs the engine's client, which has to succeed, and returns what it printed.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = self.try_docker(arguments);
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Runs the engine's client.
    pub fn try_docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Containers, running or not, that bear this label (`KEY` or `KEY=VALUE`), with their states.
    pub fn containers(&self, label: &str) -> Vec<String> {
        let filter = format!("label={label}");
        let list = self.docker(&["ps", "--all", "--filter", &filter, "--format", "{{.ID}} {{.Names}} {{.State}}"]);
        list.lines().map(str::to_owned).collect()
    }

    /// Pushes an image of one small file that no other image holds; the engine then has it no
    /// more.
    pub fn pushed(&self, name: &str) -> Pushed<'_> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), folder.path().display().to_string()).unwrap();
        self.push(name, folder.path(), &[])
    }

    /// Pushes an image of the test server and more, made by Dockerfile instructions; the
    /// engine then has it no more.
    pub fn pushed_server(&self, name: &str, more: impl Fn(&Path), changes: &[&str]) -> Pushed<'_> {
        let folder = tempfile::tempdir().unwrap();
        self.take_server(folder.path());
        fs::write(folder.path().join("file"), folder.path().display().to_string()).unwrap();
        more(folder.path());
        let entry = "ENTRYPOINT [\"/stub\", \"--host\", \"0.0.0.0\", \"--ttft\", \"2ms\", \"--itl\", \"200us\"]";
        self.push(name, folder.path(), &[changes, &[entry]].concat())
    }

    /// The test server's program out of an image.
    fn take_server(&self, folder: &Path) {
        let container = self.docker(&["create", &self.image("stub:plain")]);
        self.docker(&["cp", &format!("{container}:/stub"), folder.join("stub").to_str().unwrap()]);
        self.docker(&["rm", &container]);
    }

    /// Pushes an image of a folder.
    fn push(&self, name: &str, folder: &Path, changes: &[&str]) -> Pushed<'_> {
        let temp = tempfile::tempdir().unwrap();
        let layer = temp.path().join("layer.tar");
        let tar = Command::new("tar").arg("-C").arg(folder).arg("-cf").arg(&layer).arg(".").status();
        assert!(tar.unwrap().success());
        let tag = format!("{}/{name}:{}", self.registry, std::process::id());
        let changes = changes.iter().flat_map(|change| ["--change", change]);
        let import = ["import"].into_iter().chain(changes).chain([layer.to_str().unwrap(), &tag]);
        self.docker(&import.collect::<Vec<_>>());
        self.docker(&["push", "--quiet", &tag]);
        let reference = self.docker(&["image", "inspect", "--format", "{{index .RepoDigests 0}}", &tag]);
        let pushed = Pushed { engine: self, reference, tag };
        pushed.forget();
        pushed
    }

    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        self.files.join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }
}

impl Pushed<'_> {
    /// Takes it from the engine, not from the registry.
    pub fn forget(&self) {
        for name in [&self.tag, &self.reference] {
            // It may not be there.
            self.engine.try_docker(&["image", "rm", "--force", name]);
        }
    }

    /// Changes a byte of its only layer in the registry.
    pub fn tamper(&self) {
        let (_, digest) = self.reference.split_once('@').unwrap();
        let manifest = fs::read_to_string(self.engine.blob(digest)).unwrap();
        let layer = manifest.rsplit("\"digest\":").next().unwrap().split('"').nth(1).unwrap().to_owned();
        flip_a_byte(&self.engine.blob(&layer));
    }
}

impl Drop for Pushed<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

fn flip_a_byte(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}
