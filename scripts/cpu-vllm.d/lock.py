"""Write a requirements file with the digest of one wheel for each pin, from uv's resolution.

    lock.py PINS OUT        (run by `cpu-vllm --lock`, with uv's path in $UV)

For each `name==version` line of PINS the best wheel for CPython 3.12 on x86-64 Linux with glibc 2.35
is chosen, and only its sha256 is written: pip's and uv's hash checking then accept no other file.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib

GLIBC = 35


def rank(filename):
    """How well a wheel fits; None if it does not. The larger the better."""
    python, abi, platform = filename.removesuffix(".whl").split("-")[-3:]
    best = None
    for py in python.split("."):
        for tag in platform.split("."):
            found = re.fullmatch(r"cp3(\d+)", py)
            if abi == "cp312" and py == "cp312":
                fit = 200
            elif abi.endswith("abi3") and found and int(found[1]) <= 12:
                fit = 100 + int(found[1])
            elif abi == "none" and (py in ("py3", "cp312") or re.fullmatch(r"py3([0-9]|1[0-2])", py)):
                fit = 50
            else:
                continue
            legacy = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
            found = re.fullmatch(r"(manylinux\w*?)(?:_2_(\d+))?_x86_64", tag)
            if tag == "any":
                level = 0
            elif tag == "linux_x86_64":
                level = 1
            elif found and (found[2] or found[1] in legacy):
                level = int(found[2] or legacy[found[1]])
                if level > GLIBC:
                    continue
            else:
                continue
            best = max(best or (0, 0), (fit, level))
    return best


def main():
    pins, out = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        lock = os.path.join(folder, "pylock.toml")
        command = [os.environ.get("UV", "uv"), "pip", "compile", "--quiet", "--no-deps", "--no-header"]
        command += ["--python-version", "3.12", "--python-platform", f"x86_64-manylinux_2_{GLIBC}"]
        subprocess.run([*command, "--format", "pylock.toml", "-o", lock, pins], check=True)
        with open(lock, "rb") as file:
            packages = tomllib.load(file)["packages"]
    lines, total = [], 0
    for package in sorted(packages, key=lambda p: p["name"]):
        wheels = []
        for wheel in package.get("wheels", []):
            name = wheel.get("name") or wheel["url"].rsplit("/", 1)[1]
            if rank(name):
                wheels.append((rank(name), name, wheel))
        if not wheels:
            sys.exit(f"lock.py: no wheel of {package['name']} {package['version']} fits")
        wheel = max(wheels, key=lambda w: w[:2])[2]
        total += wheel.get("size", 0)
        lines.append(f"{package['name']}=={package['version']} --hash=sha256:{wheel['hashes']['sha256']}\n")
    with open(out, "w") as file:
        file.writelines(lines)
    print(f"{out}: {len(lines)} wheels, {total / 2**20:.0f} MiB")


main()
