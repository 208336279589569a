"""Write an image of empty folders, in which a server sees nothing but folders of the host.

    thin.py OUT

As `docker save` writes one, and byte for byte the same everywhere, so that a workload can name its digest.
"""

import hashlib
import io
import json
import sys
import tarfile

# A temporary folder that is mounted over one of the image takes its mode.
FOLDERS = {name: 0o755 for name in ("usr", "etc", "opt", "models", "tmp", "home", "home/server", "proc", "sys", "dev")}
FOLDERS |= {"tmp": 0o1777, "home/server": 0o1777}
LINKS = {name: "usr/" + name for name in ("bin", "sbin", "lib", "lib64")}


def tar(files, folders, links):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in folders:
            add(archive, name, tarfile.DIRTYPE, folders[name])
        for name in links:
            add(archive, name, tarfile.SYMTYPE, 0o644, to=links[name])
        for name in files:
            add(archive, name, tarfile.REGTYPE, 0o644, files[name])
    return out.getvalue()


def add(archive, name, kind, mode, data=b"", to=""):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, to, len(data)
    archive.addfile(info, io.BytesIO(data))


def image():
    layer = tar({}, FOLDERS, LINKS)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"User": "65532"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    config = json.dumps(config).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": None, "Layers": ["layer.tar"]}]).encode()
    return tar({name: config, "layer.tar": layer, "manifest.json": manifest}, {}, {})


if len(sys.argv) != 2:
    sys.exit(__doc__)
with open(sys.argv[1], "wb") as out:
    out.write(image())
