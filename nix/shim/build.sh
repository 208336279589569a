# Builds a derivation of the shim: unpack, build, check, install, as nixpkgs' stdenv orders them.
set -euo pipefail
export HOME=/homeless-shelter LC_ALL=C TZ=UTC PATH=/usr/bin
for input in $nativeBuildInputs; do PATH=$input/bin:$PATH; done
# The machine's Python may have its library beside it.
[ ! -d /python/lib ] || export LD_LIBRARY_PATH=/python/lib

phase() { # NAME SCRIPT
    [ -z "$2" ] || { echo "phase: $1" && eval "$2"; }
}

cd "$NIX_BUILD_TOP"
if [ -n "$unpack" ]; then
    cp -r "$src" source
    chmod -R u+w source
    cd source
fi
phase build "$buildPhase"
[ -z "$check" ] || phase check "$checkPhase"
phase install "$installPhase"
phase postInstall "$postInstall"
[ -z "$installCheck" ] || phase installCheck "$installCheckPhase"
