# The program. Its tests run here too, so that the heavy crates are compiled once.
{ rustPlatform, source }:
rustPlatform.buildRustPackage {
  pname = "bench";
  inherit (source) version src;
  cargoLock.lockFile = source.lockFile;
  # Every package at once: alone, each would have its dependencies with other features.
  cargoBuildFlags = [ "--workspace" ];
  # What needs no other file of the repository, no container engine and little time: those of
  # analysis take minutes. scripts/test runs all; checks.quickstart drives the whole program.
  cargoTestFlags = [
    "--workspace"
    "--exclude=analysis"
    "--lib"
  ];
  postInstall = ''
    find $out/bin -type f ! -name bench -delete
  '';
  meta = {
    description = "The benchmark lab that LLM inference competitions are judged by";
    inherit (source) license;
    mainProgram = "bench";
    platforms = [ "x86_64-linux" ];
  };
}
