# The packages. Functions take the arguments of nixpkgs that are used, by closed sets of names: one
# that is not listed here is an error, and so is an attribute.
{
  system,
  config ? { },
}:
assert system == "x86_64-linux";
let
  lib = import ./lib.nix;
  allowed =
    (
      {
        allowUnfreePredicate ? (_: false),
      }:
      allowUnfreePredicate
    )
      config;

  # A text as one word of a shell.
  quoted = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";

  # A tool of the machine, at a fixed place inside the sandbox.
  tool = at: { outPath = at; };
  rust = tool "/rust";

  # Evaluation stops at a package that is not free and not allowed, as in nixpkgs.
  usable =
    name:
    {
      description ? "",
      license ? [ ],
      mainProgram ? "",
      platforms ? [ system ],
    }@meta:
    package:
    assert builtins.elem system platforms;
    if lib.all (licence: licence.free) (lib.toList license) || allowed { inherit meta; } then
      package // { inherit meta; }
    else
      throw "a package with an unfree licence is refused: ${name}";

  mkDerivation =
    {
      pname ? null,
      version ? null,
      name ? "${pname}-${version}",
      src ? "",
      dontUnpack ? src == "",
      nativeBuildInputs ? [ ],
      buildInputs ? [ ],
      buildPhase ? "",
      doCheck ? false,
      checkPhase ? "",
      installPhase ? "",
      postInstall ? "",
      doInstallCheck ? false,
      installCheckPhase ? "",
      # Read by autoPatchelfHook, of which there is no stand-in that does anything.
      autoPatchelfIgnoreMissingDeps ? [ ],
      appendRunpaths ? [ ],
      disallowedReferences ? [ ],
      # Nothing is stripped here.
      dontStrip ? true,
      passthru ? { },
      meta ? { },
    }:
    usable name meta (
      derivation {
        inherit
          name
          system
          src
          nativeBuildInputs
          buildInputs
          buildPhase
          checkPhase
          installPhase
          postInstall
          installCheckPhase
          disallowedReferences
          ;
        installCheck = doInstallCheck;
        unpack = !dontUnpack;
        check = doCheck;
        builder = "/usr/bin/bash";
        # By itself, so that a change elsewhere here builds nothing again.
        args = [ "${./build.sh}" ];
      }
      // {
        inherit pname version;
      }
      // passthru
    );

  # What others publish, by its hash: the same store paths as nixpkgs'. Nothing is downloaded.
  fixed =
    name: sha256:
    derivation {
      inherit name system;
      outputHash = sha256;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      builder = "/usr/bin/bash";
      args = [
        "-c"
        "echo 'the shim downloads nothing, and ${name} is not in the store: put it there with nix-store --add-fixed sha256' >&2; exit 1"
      ];
    };

  crates =
    lockFile:
    let
      locked = builtins.filter (package: package ? source) (lib.importTOML lockFile).package;
      crate =
        package:
        assert package.source == "registry+https://github.com/rust-lang/crates.io-index";
        "${package.name}-${package.version} ${package.checksum} ${fixed "crate-${package.name}-${package.version}.tar.gz" package.checksum}";
    in
    mkDerivation {
      name = "cargo-vendor-dir";
      installPhase = ''
        mkdir -p $out/.cargo
        cp ${lockFile} $out/Cargo.lock
        printf '[source.crates-io]\nreplace-with = "vendored-sources"\n[source.vendored-sources]\ndirectory = "%s"\n' $out >$out/.cargo/config.toml
        while read -r crate checksum file; do
          mkdir $out/$crate
          tar xf $file -C $out/$crate --strip-components=1 --no-same-owner
          printf '{"files":{},"package":"%s"}' $checksum >$out/$crate/.cargo-checksum.json
        done <<'END'
        ${builtins.concatStringsSep "\n" (map crate locked)}
        END
      '';
    };

  pkgs = {
    inherit lib;

    callPackage =
      file: arguments:
      let
        function = import file;
        made = function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // arguments);
      in
      # As in nixpkgs, a set can be overridden; nobody here does.
      made // { override = throw "the shim knows no override"; };

    stdenv = {
      inherit mkDerivation;
      # The machine's own compiler and its libraries.
      cc = tool "/usr" // {
        cc.lib = tool "/usr";
      };
    };

    runCommand =
      name:
      {
        nativeBuildInputs ? [ ],
      }:
      script:
      mkDerivation {
        inherit name nativeBuildInputs;
        installPhase = script;
      };

    writeText =
      name: text:
      mkDerivation {
        inherit name;
        installPhase = "printf %s ${quoted text} >$out";
      };

    linkFarm =
      name: entries:
      mkDerivation {
        inherit name;
        installPhase =
          "mkdir $out\n" + lib.concatMapStrings ({ name, path }: "ln -s ${path} $out/${name}\n") entries;
      };

    fetchPypi =
      {
        pname,
        version,
        format,
        dist,
        python,
        abi,
        platform,
        sha256,
      }:
      assert format == "wheel";
      fixed "${pname}-${version}-${python}-${abi}-${platform}.whl" sha256;

    rustPlatform.buildRustPackage =
      {
        pname,
        version,
        src,
        cargoLock,
        cargoBuildFlags ? [ ],
        cargoTestFlags ? [ ],
        nativeBuildInputs ? [ ],
        # nixpkgs builds the release profile; the dev profile says the same about the lock, the
        # sources and the wiring, in half of the time.
        buildPhase ? "cargo build --frozen ${toString cargoBuildFlags}",
        doCheck ? true,
        installPhase ? ''
          mkdir -p $out/bin
          find target/debug -maxdepth 1 -type f -executable -exec cp -t $out/bin {} +
        '',
        postInstall ? "",
        meta ? { },
      }:
      let
        vendored = crates (({ lockFile }: lockFile) cargoLock);
      in
      mkDerivation {
        inherit
          pname
          version
          src
          doCheck
          installPhase
          postInstall
          meta
          ;
        nativeBuildInputs = [ rust ] ++ nativeBuildInputs;
        buildPhase = ''
          cmp Cargo.lock ${vendored}/Cargo.lock || { echo "the lock of the crates is not the source's" >&2; exit 1; }
          export CARGO_HOME=$NIX_BUILD_TOP/cargo CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=false
          mkdir $CARGO_HOME
          cp ${vendored}/.cargo/config.toml $CARGO_HOME
          ${buildPhase}
        '';
        checkPhase = "cargo test --frozen ${toString cargoTestFlags}";
      };

    cargo = rust;
    clippy = rust;
    rustc = rust;
    rustfmt = rust;

    python312 = tool "/python" // {
      pkgs.pip = tool "/python";
    };
    autoPatchelfHook = tool "/absent";
    numactl = tool "/usr";

    mkShell =
      { packages }:
      mkDerivation {
        name = "nix-shell";
        nativeBuildInputs = packages;
      };

    # One layer with the closure; a digest says nothing about nixpkgs' images.
    dockerTools.binSh = tool "/absent";
    dockerTools.streamLayeredImage =
      {
        name,
        tag,
        created,
        contents,
        config,
        extraCommands ? "",
      }:
      mkDerivation {
        name = "stream-${name}";
        installPhase = "printf '%s\n' ${quoted (builtins.toJSON {
          inherit
            name
            tag
            created
            contents
            config
            extraCommands
            ;
        })} >$out";
      };
  };
in
# An attribute of `config` that is not known is an error even where nobody asks.
assert builtins.isFunction allowed;
pkgs
