# Of nixpkgs' lib what is used, with its meaning. An attribute that is not here is an error.
let
  inherit (builtins)
    all
    any
    concatStringsSep
    elemAt
    isList
    length
    stringLength
    substring
    ;
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  toList = value: if isList value then value else [ value ];
in
{
  inherit
    all
    elemAt
    length
    toList
    ;
  concatMapStrings = f: list: concatStringsSep "" (map f list);
  findFirst =
    good: default: list:
    let
      found = builtins.filter good list;
    in
    if found == [ ] then default else builtins.head found;
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: fromTOML (builtins.readFile path);
  removeSuffix =
    suffix: text:
    let
      rest = stringLength text - stringLength suffix;
    in
    if rest >= 0 && substring rest (-1) text == suffix then substring 0 rest text else text;
  # builtins.split has lists between the parts.
  splitString =
    separator: text: builtins.filter (part: !isList part) (builtins.split (builtins.replaceStrings [ "." "+" ] [ "[.]" "[+]" ] separator) text);

  # A set of files is here the list of its files and folders.
  fileset = {
    unions =
      sets:
      let
        paths = builtins.concatMap toList sets;
      in
      assert all builtins.pathExists paths;
      paths;
    toSource =
      { root, fileset }:
      builtins.path {
        name = "source";
        path = root;
        filter =
          path: _:
          any (
            wanted:
            let
              at = toString wanted;
            in
            path == at || hasPrefix "${at}/" path || hasPrefix "${path}/" at
          ) fileset;
      };
  };

  licenses = {
    asl20 = {
      free = true;
      shortName = "asl20";
    };
    mit = {
      free = true;
      shortName = "mit";
    };
    nvidiaCudaRedist = {
      free = false;
      shortName = "CUDA EULA";
    };
  };
}
