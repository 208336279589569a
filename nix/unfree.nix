# Which packages that are not free may be used: those whose every licence is free or NVIDIA's for
# CUDA. `allowUnfree` would let in anything.
lib: package:
lib.all (licence: licence.free || licence.shortName == "CUDA EULA") (
  lib.toList (package.meta.license or [ ])
)
