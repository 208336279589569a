# What `nix flake check` builds. Compiling the heavy crates is most of the time, so they are
# compiled for bench alone; building it runs its tests.
{
  bench,
  cargo,
  floor,
  lib,
  lints,
  runCommand,
  rustfmt,
  source,
}:
{
  inherit bench floor lints;

  # A build that sees the network or this machine's files proves nothing about a clean one.
  sandbox = runCommand "sandbox" { } ''
    if grep -v -e '^Inter-' -e '^ face' -e '^ *lo:' /proc/net/dev || test -e /root -o -e /var/lib; then
      echo "builds are not isolated: set \`sandbox = true\` and \`sandbox-fallback = false\` in nix.conf" >&2
      exit 1
    fi
    touch $out
  '';

  format =
    runCommand "format"
      {
        nativeBuildInputs = [
          cargo
          rustfmt
        ];
      }
      ''
        cd ${source.src}
        cargo fmt --all --check
        touch $out
      '';

  # The main job: verdicts, bundles and the report, with servers on the sandbox's own loopback.
  quickstart =
    let
      src = lib.fileset.toSource {
        root = ../.;
        fileset = lib.fileset.unions [
          ../stub/model
          ../workloads/quickstart.toml
        ];
      };
    in
    runCommand "quickstart" { nativeBuildInputs = [ bench ]; } ''
      # Nix gives a terminal to a build; into a file nothing is drawn twice a second.
      bench run ${src}/workloads/quickstart.toml --out results --reports reports >log 2>&1 || { cat log; exit 1; }
      bench verify results/*/*
      bench judge results/*/* >verdict && code=0 || code=$?
      # Two cheats, one by its weights and one by its length: the judge must say so.
      test $code = 30
      bench report results/*/* --out again
      diff -r reports/*/* again
      mkdir $out
      cp -r verdict reports $out
    '';
}
