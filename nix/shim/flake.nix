# Stands in for nixpkgs where none can be had. README.md says what it proves and what it does not.
{
  description = "A stand-in for nixpkgs: the attributes that this project uses, and no other";
  outputs = _: { lib = import ./lib.nix; };
}
