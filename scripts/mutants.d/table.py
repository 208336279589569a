"""Mutation results as Markdown: counts for each file, and every survivor with its justification.

    table.py RESULTS JUSTIFIED LIST...

RESULTS/*.json is what run.py left: {mutant: [kind, seconds, test]}. Each LIST is cargo-mutants' list
(`--list --json`) of what there is now; what is not in it is left out, and what is in it and was not run is
open. JUSTIFIED has a line for each mutant that may survive: its name without line and column, a tab, the
code from its place to the end of its line, a tab, and why."""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ABOUT = """# Mutation tests

What tests notice when a line is changed: every comparison, operator, condition and returned value of
`analysis/stats` and of the verdict's modules, as cargo-mutants lists them. Made by `scripts/mutants`, which
builds all mutants into one program and runs each against the tests that reach it. An operator is replaced
with its operands as they are, as if in parentheses. *Caught*: a test fails.
*Timeout*: the change does not end, which a test notices too. *Unviable*: it does not compile.
*Justified*: no test can fail, for the reason below. *Missed*: none fails, and one should. *Open*: not run.
Seconds are those of the tests, on one core that others used too.
"""


def place(mutant):
    """A mutant without its line and column, which move, and the code from there to the end of the line."""
    start = mutant["span"]["start"]
    code = Path(mutant["file"]).read_text().splitlines()[start["line"] - 1][start["column"] - 1 :].strip()
    return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", mutant["name"]), code


def reasons(path):
    lines = (line.split("\t") for line in Path(path).read_text().splitlines() if line and not line.startswith("#"))
    return {(name, code): why for name, code, why in lines}


def main(results, justified, *lists):
    why, found = reasons(justified), {}
    for path in sorted(Path(results).glob("*.json")):
        found |= json.loads(path.read_text())
    counts, seconds, survivors, used = defaultdict(lambda: defaultdict(int)), defaultdict(float), [], set()
    for mutant in (m for path in lists for m in json.loads(Path(path).read_text())):
        kind, took, _ = found.get(mutant["name"], ("open", 0, ""))
        if kind == "missed":
            key = place(mutant)
            used.add(key)
            kind = "justified" if key in why else "missed"
            survivors.append((mutant["name"], key[1], why.get(key, "**wants a test**")))
        for file in (mutant["file"], "all"):
            counts[file][kind] += 1
            seconds[file] += took
    kinds = ("caught", "timeout", "unviable", "justified", "missed", "open")
    print(ABOUT)
    print("| file | mutants | " + " | ".join(kinds) + " | s |\n" + "|---" * (len(kinds) + 3) + "|")
    for file in sorted(counts, key=lambda f: (f == "all", f)):
        row = [sum(counts[file].values()), *(counts[file][kind] for kind in kinds), round(seconds[file])]
        print(f"| {'all' if file == 'all' else f'`{file}`'} | " + " | ".join(map(str, row)) + " |")
    print("\n## Survivors\n")
    print("| mutant | from | why it may live |\n|---|---|---|" if survivors else "None.")
    for name, code, reason in sorted(survivors):
        cells = [f"`{name}`", f"`{code}`", reason]
        print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for name, code in why.keys() - used:
        print(f"justified, but no survivor: {name} in {code}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
