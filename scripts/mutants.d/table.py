"""Mutation results as Markdown: counts for each file, and every survivor with its justification.

    table.py RESULTS JUSTIFIED

RESULTS/*/mutants.out is what cargo-mutants left; several runs of one file add up;
RESULTS/all.txt lists every mutant there is. JUSTIFIED has a
line for each mutant that may survive, its name without line and column, a tab, and why."""

import re
import sys
from collections import defaultdict
from pathlib import Path

RANK = {"missed": 0, "timeout": 1, "caught": 2, "unviable": 3}  # the last word of several runs


def nameless(mutant):
    """A mutant without its place, which moves as lines are added."""
    return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", mutant)


def outcomes(results):
    found = {}
    for folder in sorted(results.glob("*/mutants.out")):
        for kind, file in (("missed", "missed"), ("timeout", "timeout"), ("unviable", "unviable"),
                           ("caught", "caught"), ("caught", "previously_caught")):
            listed = folder / f"{file}.txt"
            for mutant in listed.read_text().splitlines() if listed.exists() else []:
                if RANK[kind] >= RANK[found.get(mutant, "missed")]:
                    found[mutant] = kind
    return found


def main(results, justified):
    why = dict(line.split("\t", 1) for line in Path(justified).read_text().splitlines() if "\t" in line)
    found = outcomes(Path(results))
    counts = defaultdict(lambda: defaultdict(int))
    for mutant, kind in found.items():
        counts[mutant.split(":")[0]][kind] += 1
    total = defaultdict(int)
    print("# Mutation tests\n")
    print("What tests notice when a line is changed. Made by `scripts/mutants` (cargo-mutants). *Caught*: a test fails.")
    print("*Timeout*: the change does not end, which a test would notice too. *Unviable*: it does not compile (in a file")
    print("that was run twice it counts as caught). *Open*: not run yet.\n")
    print("| file | mutants | caught | timeout | unviable | missed | open |\n|---|---|---|---|---|---|---|")
    there = defaultdict(int)
    for mutant in (Path(results) / "all.txt").read_text().splitlines():
        there[mutant.split(":")[0]] += 1
    for file in sorted(there):
        row = [counts[file][kind] for kind in ("caught", "timeout", "unviable", "missed")]
        for kind, n in zip(("caught", "timeout", "unviable", "missed"), row):
            total[kind] += n
        unrun = max(0, there[file] - sum(row))
        total["there"] += there[file]
        total["open"] += unrun
        print(f"| `{file}` | {there[file]} | " + " | ".join(map(str, row)) + f" | {unrun} |")
    kinds = ("there", "caught", "timeout", "unviable", "missed", "open")
    print("| all | " + " | ".join(str(total[kind]) for kind in kinds) + " |")
    survivors = sorted(m for m, kind in found.items() if kind == "missed")
    print("\n## Survivors\n")
    if not survivors:
        print("None.")
        return
    print("| mutant | why it may live |\n|---|---|")
    for mutant in survivors:
        cell = mutant.replace("|", "\\|")
        print(f"| `{cell}` | {why.get(nameless(mutant), '**not justified: wants a test**')} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
