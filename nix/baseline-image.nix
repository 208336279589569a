# The baseline as an image. `result | docker load` loads it. Its identity is its config digest: that
# of a manifest depends on how a registry or an engine packs the layers.
{
  dockerTools,
  stdenv,
  vllm-env,
}:
dockerTools.streamLayeredImage {
  name = "vllm";
  tag = vllm-env.version;
  # Fixed, so that the same inputs give the same digest.
  created = "1970-01-01T00:00:01Z";
  contents = [
    vllm-env
    # Python's standard library starts shells.
    dockerTools.binSh
  ];
  extraCommands = "mkdir -m 1777 tmp";
  config = {
    User = "65532:65532";
    Entrypoint = [
      "${vllm-env}/bin/vllm"
      "serve"
    ];
    Env = [
      # Where the host's container toolkit puts the driver's libraries.
      "LD_LIBRARY_PATH=/usr/lib64:/usr/lib/x86_64-linux-gnu:/usr/local/nvidia/lib64"
      # Triton compiles its launchers, and asks ldconfig for the driver unless it is told.
      "CC=${stdenv.cc}/bin/cc"
      "TRITON_LIBCUDA_PATH=/usr/lib/x86_64-linux-gnu"
      # The user has no name in the image, and torch wants one.
      "USER=vllm"
      "HOME=/tmp"
      "HF_HUB_OFFLINE=1"
      "VLLM_NO_USAGE_STATS=1"
    ];
  };
}
