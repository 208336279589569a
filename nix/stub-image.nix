# The test server in an image without anything else. `result | docker load` loads it.
{ dockerTools, stub }:
dockerTools.streamLayeredImage {
  name = "stub";
  tag = stub.version;
  # Fixed, so that the same inputs give the same digest.
  created = "1970-01-01T00:00:01Z";
  contents = [ stub ];
  config = {
    User = "65532:65532";
    Entrypoint = [
      "${stub}/bin/stub"
      "--host"
      "0.0.0.0"
    ];
  };
}
