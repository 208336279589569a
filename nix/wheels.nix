# The official wheels of a list, each by its hash, in one folder with pip's requirements for them:
# pip checks every hash again when they are installed.
{
  fetchPypi,
  lib,
  linkFarm,
  list,
  writeText,
}:
let
  wheels = lib.importJSON list;
  # NAME-VERSION-PYTHON-ABI-PLATFORM.whl; the addresses are made of these parts, so that no host
  # stands in the list.
  fetch =
    wheel:
    let
      part = lib.elemAt (lib.splitString "-" (lib.removeSuffix ".whl" wheel.file));
    in
    fetchPypi {
      format = "wheel";
      pname = part 0;
      version = part 1;
      dist = part 2;
      python = part 2;
      abi = part 3;
      platform = part 4;
      inherit (wheel) sha256;
    };
  requirements = writeText "requirements.txt" (
    lib.concatMapStrings (
      { name, version, sha256, ... }: "${name}==${version} --hash=sha256:${sha256}\n"
    ) wheels
  );
  files = map (wheel: {
    name = wheel.file;
    path = fetch wheel;
  }) wheels;
in
linkFarm "wheels" (
  files
  ++ [
    {
      name = "requirements.txt";
      path = requirements;
    }
  ]
)
// {
  inherit requirements;
  versionOf = name: (lib.findFirst (wheel: wheel.name == name) (throw "${toString list} has no ${name}") wheels).version;
}
