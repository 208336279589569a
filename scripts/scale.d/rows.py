"""usage: rows.py SIZE MEASURED BUNDLE: rows of a Markdown table from lines "step seconds KiB"."""

import csv
import pathlib
import statistics
import sys

size, measured, bundle = sys.argv[1:]
steps = {}
for line in open(measured):
    name, seconds, kib = line.split()
    steps.setdefault(name, []).append((float(seconds), int(kib) / 1024))
trials = [t for t in pathlib.Path(bundle, "trials").iterdir() if (t / "requests.csv").exists()]
rest = sum(f.stat().st_size for t in trials for f in t.iterdir() if f.name != "server.log")
tokens = sum(int(row["ids"]) for t in trials for row in csv.DictReader(open(t / "requests.csv")))
median = {name: statistics.median(s for s, _ in runs) for name, runs in steps.items()}
for name, runs in steps.items():
    seconds = [s for s, _ in runs]
    ratio = f"{median[name] / median['pandas']:.2f}" if "pandas" in median else ""
    print(
        f"| {size} | {name} | {median[name]:.1f} ({min(seconds):.1f}-{max(seconds):.1f}) "
        f"| {max(m for _, m in runs):.0f} | {rest / tokens:.1f} | {ratio} |"
    )
