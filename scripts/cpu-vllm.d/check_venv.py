"""Print the names of pinned packages that are not installed whole, one a line.

    check_venv.py REQUIREMENTS [--digests]

Each package must have the pinned version and every file of its RECORD at its recorded size; with
--digests every file's sha256 is computed too.
"""

import base64
import csv
import hashlib
import os
import re
import sys
import sysconfig

site = sysconfig.get_paths()["purelib"]
digests = "--digests" in sys.argv


def whole(folder):
    with open(os.path.join(folder, "RECORD"), newline="") as file:
        for name, digest, size in csv.reader(file):
            path = os.path.join(site, name)
            if not os.path.exists(path) or (size and os.path.getsize(path) != int(size)):
                return False
            if digests and digest.startswith("sha256="):
                with open(path, "rb") as content:
                    found = hashlib.file_digest(content, "sha256").digest()
                if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != digest[7:]:
                    return False
    return True


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


installed = {}
for entry in os.scandir(site):
    if entry.name.endswith(".dist-info"):
        name, version = entry.name.removesuffix(".dist-info").rsplit("-", 1)
        installed[normal(name), version] = entry.path

with open(sys.argv[1]) as file:
    for line in file:
        if "==" in line:
            name, version = line.split()[0].split("==")
            try:
                if whole(installed[normal(name), version]):
                    continue
            except (KeyError, OSError, ValueError):
                pass
            print(name)
