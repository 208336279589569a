# The least that a client can do, which clients are held against. The smallest package: it is built
# twice to see that the same inputs give the same bits.
{ rustPlatform, source }:
rustPlatform.buildRustPackage {
  pname = "floor";
  inherit (source) version src;
  cargoLock.lockFile = source.lockFile;
  cargoBuildFlags = [
    "--package"
    "floor"
  ];
  # It has none.
  doCheck = false;
  meta = {
    description = "The least that a client of a streaming server can do";
    inherit (source) license;
    mainProgram = "floor";
    platforms = [ "x86_64-linux" ];
  };
}
