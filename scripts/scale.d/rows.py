"""usage: rows.py SIZE MEASURED BUNDLE: rows of a Markdown table from lines "step s KiB user-s system-s"."""

import csv
import pathlib
import statistics
import sys

size, measured, bundle = sys.argv[1:]
steps = {}
for line in open(measured):
    name, seconds, kib, user, system = line.split()
    steps.setdefault(name, []).append((float(seconds), float(user) + float(system), int(kib) / 1024))
trials = [t for t in pathlib.Path(bundle, "trials").iterdir() if (t / "requests.csv").exists()]
rest = sum(f.stat().st_size for t in trials for f in t.iterdir() if f.name != "server.log")
tokens = sum(int(row["ids"]) for t in trials for row in csv.DictReader(open(t / "requests.csv")))
cpu = {name: statistics.median(c for _, c, _ in runs) for name, runs in steps.items()}


def told(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


for name, runs in steps.items():
    seconds, processor, mebibytes = zip(*runs)
    ratio = f"{cpu[name] / cpu['pandas']:.2f}" if "pandas" in cpu else ""
    print(
        f"| {size} | {name} | {told(seconds)} | {told(processor)} "
        f"| {max(mebibytes):.0f} | {rest / tokens:.1f} | {ratio} |"
    )
