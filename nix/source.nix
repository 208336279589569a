# What the program is made of. Results and reports are not in it, so that a new week of evidence
# does not change the program; neither are workloads.
lib: rec {
  files = lib.fileset.unions [
    ../Cargo.toml
    ../Cargo.lock
    ../clippy.toml
    ../rustfmt.toml
    ../flake.lock
    ../analysis
    ../bench
    ../lab
    ../nix/wheels
    ../runner
    ../stub
  ];
  src = lib.fileset.toSource {
    root = ../.;
    fileset = files;
  };
  version = (lib.importTOML ../Cargo.toml).workspace.package.version;
  lockFile = ../Cargo.lock;
  # Both of the licences; a user chooses.
  license = [
    lib.licenses.asl20
    lib.licenses.mit
  ];
}
