# What scripts/test needs, at the pinned versions.
{
  mkShell,
  cargo,
  clippy,
  rustc,
  rustfmt,
}:
mkShell {
  packages = [
    cargo
    clippy
    rustc
    rustfmt
  ];
}
