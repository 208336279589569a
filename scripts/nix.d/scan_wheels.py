"""Download every wheel of a list, check its bytes, and say what its libraries need.

    scan_wheels.py LIST FOLDER > NEEDS        (needs pip and pyelftools; for maintainers)

Each wheel is fetched by pip in hash-checking mode, compared with the list's size, read and removed
again, so that the largest wheel is all the disk that it takes. FOLDER keeps what was found of each
wheel, so that a scan that was stopped goes on. Prints each library that some file of the set needs
and no file of the set is called: one line with its name and the wheels that need it.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from elftools.elf.elffile import ELFFile


def fetch(wheel, folder):
    """The wheel's file, downloaded into `folder`."""
    pin = folder / "pin.txt"
    pin.write_text(f"{wheel['name']}=={wheel['version']} --hash=sha256:{wheel['sha256']}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(pin)]
    subprocess.run(command, check=True)
    return folder / wheel["file"]


def check(wheel, path):
    if path.stat().st_size != wheel["size"]:
        sys.exit(f"{path.name}: {path.stat().st_size} bytes, the list says {wheel['size']}")
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel["sha256"]:
        sys.exit(f"{path.name}: sha256 {found}, the list says {wheel['sha256']}")


def elf_files(path):
    """Name, what it is called as a library, and what it needs, of each ELF file of a wheel."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                if file.read(4) != b"\x7fELF":
                    continue
            elf = ELFFile(io.BytesIO(archive.read(entry)))
            dynamic = elf.get_section_by_name(".dynamic")
            if elf["e_machine"] != "EM_X86_64" or dynamic is None:
                continue
            needed = [tag.needed for tag in dynamic.iter_tags("DT_NEEDED")]
            called = [tag.soname for tag in dynamic.iter_tags("DT_SONAME")]
            yield {"file": entry.filename, "called": called, "needed": needed}


def main():
    wheels = json.loads(pathlib.Path(sys.argv[1]).read_text())
    kept = pathlib.Path(sys.argv[2])
    kept.mkdir(parents=True, exist_ok=True)
    needs, has = {}, set()
    for at, wheel in enumerate(wheels, 1):
        known = kept / f"{wheel['sha256']}.json"
        if not known.exists():
            print(f"{at}/{len(wheels)} {wheel['file']} ({wheel['size'] / 2**20:.0f} MiB)", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(dir=kept) as folder:
                path = fetch(wheel, pathlib.Path(folder))
                check(wheel, path)
                found = list(elf_files(path))
            known.write_text(json.dumps(found))
        for elf in json.loads(known.read_text()):
            has.update(elf["called"], [elf["file"].rsplit("/", 1)[-1]])
            for library in elf["needed"]:
                needs.setdefault(library, set()).add(wheel["name"])
    total = sum(wheel["size"] for wheel in wheels)
    print(f"# {len(wheels)} wheels, {total} bytes: every sha256 and size is as listed")
    for library in sorted(needs.keys() - has):
        print(library, *sorted(needs[library]))


main()
