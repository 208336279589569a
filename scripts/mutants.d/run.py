"""Runs every mutant of a package against the tests that reach it.

    run.py TREE PACKAGE RESULTS FILE...

TREE is a copy that may be changed; FILEs are relative to it. First all mutants become one program
(switch.py). Each test is run by itself once, and what it reaches is noted. Then each mutant is run against
the tests that reach its place, the quick ones first, until one fails. What cannot be switched is built by
itself. RESULTS receives for each FILE {mutant: [kind, seconds, test]}, after every mutant, so
that it may be stopped."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
MEMORY = 6 << 30  # a mutant may want all there is
JOBS = int(os.environ.get("JOBS", "1"))  # mutants at a time
LEAST = float(os.environ.get("LEAST", "30"))  # seconds before a test is given up
PATIENCE = float(os.environ.get("PATIENCE", "60"))  # seconds of tests of other modules
OWN_FAULT = {"E0277", "E0308", "E0369", "E0600"}  # no such trait, type or operator
# What is worth optimising: one build, many runs.
FAST = {"stats": {"stats": 2, "libm": 3}, "analysis": {"analysis": 1, "lab": 1, "stats": 1}}


def sh(*command, cwd, **how):
    return subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def cargo(tree, package, verb):
    """The package's tests built as the whole workspace builds them, so that no dependency is built twice."""
    folder = folder_of(package)
    tests = sorted(p.stem for p in (tree / folder / "tests").glob("*.rs"))
    tests += sorted(p.parent.name for p in (tree / folder / "tests").glob("*/main.rs"))
    which = ["-p", "stats"] if package == "stats" else ["--workspace"]
    if verb == "check":
        command = ["check", "--lib", *which]
    else:
        command = ["test", "--no-run", "--lib", *which] + [f"--test={t}" for t in tests]
    for crate, level in FAST[package].items():
        command += ["--config", f"profile.dev.package.{crate}.opt-level={level}"]
    done = sh("cargo", *command, "--message-format", "json", cwd=tree)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done, said


def blamed(tree, said, out):
    """Whose text the compiler complains about: the mutants whose own code is wrong, which it would be anywhere;
    those that may merely not be switchable; and messages about neither."""
    wrong, unclear, strange = set(), set(), []
    for message in said:
        if message.get("reason") != "compiler-message" or message["message"]["level"] != "error":
            continue
        message, found = message["message"], False
        for span in message["spans"]:
            if not span["is_primary"]:
                continue
            inserted, found = out["inserted"].get(span["file_name"], []), True
            around = [i for i in inserted if i[0] <= span["byte_start"] < i[1]]
            text = (tree / span["file_name"]).read_bytes()[around[0][0] if around else 0 : span["byte_start"] + 1].decode(errors="replace")
            arm = re.findall(r"(\d+|_) => ", text) if around else []
            if arm and arm[-1] != "_" and (message["code"] or {}).get("code") in OWN_FAULT:
                wrong.add(int(arm[-1]))
            elif around:
                unclear |= set(around[0][2])
            else:  # the expression around it
                hulls = defaultdict(lambda: [1 << 60, 0])
                for start, end, numbers in inserted:
                    hull = hulls[tuple(numbers)]
                    hull[0], hull[1] = min(hull[0], start), max(hull[1], end)
                narrow = [(b - a, numbers) for numbers, (a, b) in hulls.items() if a <= span["byte_start"] < b]
                unclear |= set(min(narrow)[1]) if narrow else set()
        if not found and message["spans"]:
            strange.append(message["rendered"])
    return wrong, unclear - wrong, strange


def folder_of(package):
    return {"stats": "analysis/stats"}.get(package, package)


def programs_of(package, said):
    return [m["executable"] for m in said if m.get("executable") and f"/{folder_of(package)}#" in m["package_id"]]


def build(tree, package, mutants, files):
    """One program of all that can be switched, who is in it, and who compiles nowhere."""
    left, unviable = set(), set()
    several = {n for n, m in enumerate(mutants, start=1) if "impl " in (m["function"] or {}).get("return_type", "")}
    scratch = Path(tempfile.mkdtemp())
    (scratch / "mutants.json").write_text(json.dumps(mutants))
    folder = folder_of(package)
    kept = {p: (tree / p).read_bytes() for p in {*files, f"{folder}/src/lib.rs"}}
    for verb in ["check"] * 12 + ["test"]:
        (scratch / "left.json").write_text(json.dumps(sorted(left | unviable)))
        for path, text in kept.items():
            (tree / path).write_bytes(text)
        subprocess.run([sys.executable, HERE / "switch.py", tree, *(scratch / n for n in ("mutants.json", "left.json", "out.json"))], check=True)
        out = json.loads((scratch / "out.json").read_text())
        if out["lost"]:
            left |= set(out["lost"])
            continue
        done, said = cargo(tree, package, verb)
        if done.returncode == 0 and verb == "check":
            done, said = cargo(tree, package, "test")
        if done.returncode == 0:
            break
        wrong, unclear, strange = blamed(tree, said, out)
        if not wrong | unclear:
            sys.exit("\n".join(strange) or done.stderr)
        unviable |= wrong - several
        left |= unclear | wrong & several
        print(f"{len(unviable)} do not compile, {len(left)} cannot be switched", flush=True)
    return programs_of(package, said), set(out["built"]), unviable, kept


def test(program, names, cwd, timeout, skip=(), **environment):
    """0, another status, or None where it did not end; and who failed first. All but `skip` where no names are given."""
    left_out = [f"--skip={name}" for name in skip]
    limited = ["sh", "-c", f'ulimit -v {MEMORY >> 10}; exec "$0" "$@"', program]
    try:
        done = subprocess.run([*limited, "--exact", "--test-threads", "1", *left_out, *names], cwd=cwd, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **environment}, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None, None
    failed = re.findall(r"^test (\S+)(?: - should panic)? \.\.\. FAILED", done.stdout, re.M) or names[:1] or ["a test"]
    return done.returncode, failed[0]


def reached(programs, cwd):
    """Of each place, the tests that come by: (seconds, program, test), quick ones first; and those that fail without
    a mutant, from which nothing is learnt."""
    listed = [(p, name) for p in programs for name in re.findall(r"^(\S+): test$", sh(p, "--list", cwd=cwd).stdout, re.M)]

    def noted(one):
        program, name = one
        with tempfile.TemporaryDirectory() as folder:
            notes = Path(folder) / "notes"
            began = time.monotonic()
            status, _ = test(program, [name], cwd, 600, MUTANT_NOTES=str(notes))
            took = time.monotonic() - began
            return status, took, notes.read_text().split() if notes.exists() else []

    by_place, slow, broken = defaultdict(list), [], set()
    with ThreadPoolExecutor(JOBS) as pool:
        for (program, name), (status, took, places) in zip(listed, pool.map(noted, listed)):
            if status != 0:
                print(f"{name} fails without a mutant: left out", flush=True)
                broken.add(name)
                continue
            slow.append((took, name))
            for place in places:
                by_place[int(place)].append((took, program, name))
    print("slowest: " + ", ".join(f"{n} {t:.1f} s" for t, n in sorted(slow, reverse=True)[:8]), flush=True)
    print(f"{len(slow)} tests, {sum(t for t, _ in slow):.0f} s", flush=True)
    return {place: sorted(tests) for place, tests in by_place.items()}, broken


def nearness(file, name):
    """How many modules a mutant's file and a test have in common, from the crate's root on."""
    modules = file.split("/src/")[1].removesuffix(".rs").split("/")
    return len(os.path.commonprefix([modules, name.split("::")]))


def verdict(number, file, tests, cwd, patience):
    """caught, timeout or missed, and the test that says so. Tests of the mutant's own module come first,
    quick ones before slow ones; after `patience` seconds of others nothing more is expected."""
    own = [t for t in tests if nearness(file, t[2])]
    others = [t for t in tests if not nearness(file, t[2])]
    while others and sum(seconds for seconds, _, _ in others) > patience:
        others.pop()
    batch, budget, spent, all_tests = defaultdict(list), 0.5, 0.0, sorted(own) + others
    for i, (seconds, program, name) in enumerate(all_tests):
        batch[program].append(name)
        spent += seconds
        if spent < budget and i + 1 < len(all_tests):
            continue
        for program, names in batch.items():
            status, failed = test(program, names, cwd, 5 * spent + LEAST, MUTANT=str(number))
            if status is None:
                return "timeout", names[0]
            if status != 0:
                return "caught", failed
        batch, budget, spent = defaultdict(list), budget * 4, 0.0
    return "missed", f"{len(all_tests)} of {len(tests)} tests pass"


def itself(tree, package, mutant, cwd, broken):
    """One that cannot be switched: built by itself, and run against all but the broken tests."""
    path = tree / mutant["file"]
    kept = path.read_bytes()
    try:
        subprocess.run(["patch", "--quiet", path], input=mutant["diff"], text=True, check=True)
        done, said = cargo(tree, package, "test")
        if done.returncode != 0:
            return "unviable", "the compiler"
        for program in programs_of(package, said):
            status, failed = test(program, [], cwd, 1800, skip=broken)
            if status != 0:
                return "timeout" if status is None else "caught", failed or "a test"
        return "missed", "all tests pass"
    finally:
        path.write_bytes(kept)


def main(tree, package, results, *files):
    tree, results = Path(tree).resolve(), Path(results)
    folder = folder_of(package)
    which = [a for f in files for a in ("-f", f)]
    listed = sh("cargo", "mutants", "--list", "--json", "--diff", "-p", package, *which, cwd=tree, check=True).stdout
    mutants = json.loads(listed)
    print(f"{len(mutants)} mutants", flush=True)
    began = time.monotonic()
    programs, built, unviable, kept = build(tree, package, mutants, sorted({m["file"] for m in mutants}))
    print(f"built in {time.monotonic() - began:.0f} s, {len(mutants) - len(built)} left out", flush=True)
    tests, broken = reached(programs, tree / folder)
    place, first = {}, {}
    for number, m in enumerate(mutants, start=1):
        if number in built:
            span = m["span"]["start"]
            place[number] = first.setdefault((m["file"], m["genre"], span["line"], span["column"]), number)
    outcomes = defaultdict(dict)
    results.mkdir(parents=True, exist_ok=True)

    def tell(mutant, kind, seconds, by):
        of_file = outcomes[mutant["file"]]
        of_file[mutant["name"]] = [kind, round(seconds, 2), by]
        (results / (mutant["file"].replace("/", "-") + ".json")).write_text(json.dumps(of_file, indent=0))
        if kind not in ("caught", "unviable"):
            print(f"{kind}: {mutant['name']} ({by})", flush=True)

    def judged(number):
        began = time.monotonic()
        kind, by = verdict(number, mutants[number - 1]["file"], tests.get(place[number], []), tree / folder, PATIENCE)
        return kind, time.monotonic() - began, by

    numbers = sorted(built)
    with ThreadPoolExecutor(JOBS) as pool:
        for number, outcome in zip(numbers, pool.map(judged, numbers)):
            tell(mutants[number - 1], *outcome)
    for path, text in kept.items():
        (tree / path).write_bytes(text)
    for number, mutant in enumerate(mutants, start=1):
        if number in unviable:
            tell(mutant, "unviable", 0, "the compiler")
        elif number not in built:
            began = time.monotonic()
            kind, by = itself(tree, package, mutant, tree / folder, broken)
            tell(mutant, kind, time.monotonic() - began, by)


if __name__ == "__main__":
    main(*sys.argv[1:])
