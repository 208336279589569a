# clippy over everything, tests and examples too, and the documentation. Both read the heavy crates
# and make no code of them.
{
  clippy,
  lib,
  rustPlatform,
  source,
}:
rustPlatform.buildRustPackage {
  pname = "lints";
  inherit (source) version;
  # A test reads a workload while it is compiled.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      source.files
      ../workloads/calibration.toml
    ];
  };
  cargoLock.lockFile = source.lockFile;
  nativeBuildInputs = [ clippy ];
  buildPhase = ''
    cargo clippy --workspace --all-targets --frozen -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --frozen
  '';
  doCheck = false;
  installPhase = "touch $out";
}
