# The test server alone.
{ rustPlatform, source }:
rustPlatform.buildRustPackage {
  pname = "stub";
  inherit (source) version src;
  cargoLock.lockFile = source.lockFile;
  cargoBuildFlags = [
    "--package"
    "stub"
    "--bin"
    "stub"
  ];
  # They ran when bench was built.
  doCheck = false;
  meta = {
    description = "A deterministic test server with a scripted language model";
    inherit (source) license;
    mainProgram = "stub";
    platforms = [ "x86_64-linux" ];
  };
}
