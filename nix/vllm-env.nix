# vLLM for CUDA, of official wheels, as a virtual environment: bin/vllm, bin/python. The driver is
# the host's.
{
  autoPatchelfHook,
  lib,
  python312,
  stdenv,
  wheels,
}:
stdenv.mkDerivation {
  pname = "vllm-env";
  version = wheels.versionOf "vllm";
  dontUnpack = true;
  nativeBuildInputs = [
    autoPatchelfHook
    python312
    python312.pkgs.pip
  ];
  # libstdc++, libgcc_s and libgomp; libpython.
  buildInputs = [
    stdenv.cc.cc.lib
    python312
  ];
  # What the wheels' libraries need and neither they nor the inputs have, as scripts/nix.d/scan_wheels.py
  # lists it. vLLM runs without: the driver comes from the host, the others serve transports
  # between hosts, threading of numba, and video.
  autoPatchelfIgnoreMissingDeps = [
    "libcuda.so.1"
    "libav*.so.*"
    "libsw*.so.*"
    "libfabric.so.1"
    "libgomp.so.1.0.0"
    "libibverbs.so.1"
    "libmlx5.so.1"
    "libmpi.so.40"
    "liboshmem.so.40"
    "libpmix.so.2"
    "librdmacm.so.1"
    "libtbb.so.12"
    "libucp.so.0"
    "libucs.so.0"
  ];
  # Where NixOS has the driver.
  appendRunpaths = [ "/run/opengl-driver/lib" ];
  buildPhase = ''
    python3.12 -m venv --without-pip $out
    python3.12 -m pip --python $out/bin/python install --no-index --find-links ${wheels} \
      --require-hashes --ignore-installed --no-deps --no-compile --no-cache-dir -r ${wheels}/requirements.txt
    # Some packages ship templates that end in .py and are no Python.
    PYTHONHASHSEED=0 $out/bin/python -m compileall -qq --invalidation-mode unchecked-hash $out/lib || true
  '';
  # They stay as their makers published them.
  dontStrip = true;
  # Four gigabytes that nobody needs once they are installed.
  disallowedReferences = [ wheels ];
  meta = {
    description = "vLLM for CUDA from official wheels";
    license = [
      lib.licenses.asl20
      lib.licenses.nvidiaCudaRedist
    ];
    mainProgram = "vllm";
    platforms = [ "x86_64-linux" ];
  };
}
