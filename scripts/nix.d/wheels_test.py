"""What scripts/wheels does with lists and wheels that are not as they should be."""

import base64
import copy
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTS = sorted((ROOT / "nix" / "wheels").glob("*.json"))
GOOD = {"name": "toy", "version": "1.0", "file": "toy-1.0-py3-none-any.whl", "sha256": "0" * 64, "size": 1}


def python312():
    """A Python 3.12 with pip, as scripts/wheels wants one to install with; none if there is none."""
    run = subprocess.run([ROOT / "scripts" / "nix.d" / "python312"], capture_output=True, text=True)
    return run.stdout.strip() or None


def wheels(*arguments, python=sys.executable):
    command = [python, ROOT / "scripts" / "wheels", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


class Lists(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def listed(self, *entries):
        path = self.folder / "list.json"
        path.write_text(json.dumps(entries))
        return path

    def refused(self, change, why):
        wheel = copy.deepcopy(GOOD)
        change(wheel)
        run = wheels("requirements", self.listed(wheel))
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn(why, run.stderr)

    def test_a_list_with_an_entry_that_is_no_wheel_is_refused_by_number(self):
        self.refused(lambda w: w.pop("sha256"), "wheel 1: it must have")
        self.refused(lambda w: w.update(url="x"), "wheel 1: it must have")
        self.refused(lambda w: w.update(size="1"), "size must be a number")
        self.refused(lambda w: w.update(sha256="0" * 63), "64 hexadecimal digits")
        self.refused(lambda w: w.update(sha256="0" * 63 + "A"), "64 hexadecimal digits")
        self.refused(lambda w: w.update(file="toy-1.0.tar.gz"), "no name of a wheel")
        self.refused(lambda w: w.update(file="../toy-1.0-py3-none-any.whl"), "no name of a wheel")
        self.refused(lambda w: w.update(version="1.1"), "is not toy 1.1")
        self.refused(lambda w: w.update(name="tay"), "is not tay 1.0")

    def test_what_is_no_list_is_refused(self):
        for text in ["", "{}", "[]", "[1]"]:
            path = self.folder / "list.json"
            path.write_text(text)
            self.assertEqual(wheels("requirements", path).returncode, 2, text)
        self.assertEqual(wheels("requirements", "absent").returncode, 2)

    def test_a_package_in_a_list_twice_is_refused(self):
        run = wheels("requirements", self.listed(GOOD, GOOD | {"name": "Toy"}))
        self.assertEqual(run.returncode, 2)
        self.assertIn("wheel 2: Toy is in the list twice", run.stderr)

    def test_the_committed_lists_are_whole_and_pin_one_vllm(self):
        versions = set()
        for path in LISTS:
            run = wheels("requirements", path)
            self.assertEqual(run.returncode, 0, run.stderr)
            # Read here once more, and by nobody's code but this line's.
            listed = re.findall(r'"version": "(.*)",\s+"file": ".*",\s+"sha256": "(.*)"', path.read_text())
            self.assertEqual(re.findall(r"==(.*) --hash=sha256:(.*)", run.stdout), listed)
            versions.update(re.findall(r"^vllm(?:-cpu)?==(\S*)", run.stdout, re.MULTILINE))
            self.assertNotIn("://", path.read_text())
        self.assertEqual((len(LISTS), len(versions)), (2, 1), versions)

    def test_no_other_list_is_anywhere(self):
        for name in ["scripts/cpu-vllm", "scripts/wheels", "nix/Dockerfile", "nix/vllm-env.nix", "nix/vllm-cpu-env.nix"]:
            self.assertIsNone(re.search(r"[0-9a-z]==[0-9]", (ROOT / name).read_text()), name)

    def test_the_digest_is_that_of_the_bytes(self):
        for path in LISTS:
            run = wheels("digest", path.stem)
            self.assertEqual(run.stdout.strip(), hashlib.sha256(path.read_bytes()).hexdigest())

    @unittest.skipIf(python312() is None, "no Python 3.12 with pip is here")
    def test_a_wheel_with_other_bytes_than_listed_is_never_installed(self):
        record = []
        path = self.folder / GOOD["file"]
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in {
                "toy.py": "WORD = 'good'\n",
                "toy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
                "toy-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            }.items():
                archive.writestr(name, text)
                digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
                record.append(f"{name},sha256={digest},{len(text)}\n")
            archive.writestr("toy-1.0.dist-info/RECORD", "".join(record) + "toy-1.0.dist-info/RECORD,,\n")
        right = GOOD | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
        venv = self.folder / "venv"
        install = lambda wheel: wheels("install", self.listed(wheel), venv, "--from", self.folder, python=python312())
        says = lambda: subprocess.run([venv / "bin" / "python", "-c", "import toy; print(toy.WORD)"], capture_output=True, text=True)

        run = install(GOOD)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("is never installed", run.stderr)
        self.assertNotEqual(says().returncode, 0)
        run = install(right)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(says().stdout, "good\n")


if __name__ == "__main__":
    unittest.main()
