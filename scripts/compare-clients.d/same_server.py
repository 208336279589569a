#!/usr/bin/env python3
"""What `bench`, vllm-rs and `vllm bench serve` say of one server that runs already: each drives it
with the same load, in seeded order within each round, and says its own TTFT, TPOT and E2EL."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from clients import Bench, VllmRs  # noqa: E402
from stats import median, quantile  # noqa: E402


@dataclass(frozen=True)
class Load:
    concurrency: int
    requests: int
    words: int
    tokens: int
    seed: int


class BenchHere(Bench):
    """`bench` with prompts of exact length, asking for token ids as it does by default."""

    requests = """[requests.text]
model = "{model}"
seed = {seed}
input = {words}"""
    token_ids = "true"

    def __init__(self, options):
        self.program, self.model, self.served = options.bench, os.path.realpath(options.model), options.served

    def says(self, folder):
        said = self.read(folder)
        ms = {name: sorted(value * 1e3 for value in said[f"{name}_s"]) for name in ("ttft", "tpot", "e2el")}
        return {
            "completed": said["completed"],
            "requests_per_s": said["requests_per_s"],
            "tokens_per_s": said["tokens"] * said["requests_per_s"] / max(said["completed"], 1),
        } | {f"{name}_p{p}_ms": quantile(values, p / 100) for name, values in ms.items() for p in (50, 99)}


class VllmHere(VllmRs):
    """vllm-rs; its report has the fields of vLLM's own."""

    def __init__(self, options):
        self.program, self.tokenizer, self.served = options.vllm_rs, options.model, options.served

    def command(self, scenario, port, folder):
        return [*super().command(scenario, port, folder), "--seed", str(scenario.seed)]

    def says(self, folder):
        with open(f"{folder}/vllm-rs.json") as file:
            said = json.load(file)
        return {
            "completed": said["completed"],
            "requests_per_s": said["request_throughput"],
            "tokens_per_s": said["output_throughput"],
        } | {f"{name}_p{p}_ms": said[f"p{p}_{name}_ms"] for name in ("ttft", "tpot", "e2el") for p in (50, 99)}


class VllmPython(VllmHere):
    """`vllm bench serve`, the Python client: the same arguments and the same report."""

    name = "vllm (Python)"

    def __init__(self, options):
        super().__init__(options)
        self.program = options.vllm

    def command(self, scenario, port, folder):
        program, *rest = super().command(scenario, port, folder)
        return [program, "-m", "vllm.entrypoints.cli.main", *rest, "--endpoint", "/v1/chat/completions"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, epilog="Exit codes: 0 done; 1 a client failed; 2 wrong usage.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True, help="the model's folder, for its tokenizer")
    parser.add_argument("--served", required=True, help="the model's name in requests")
    parser.add_argument("--bench", default=os.environ.get("BENCH"), help="the program `bench` (default: $BENCH)")
    parser.add_argument("--vllm-rs", help="the program vllm-rs; left out if it is not there")
    parser.add_argument("--vllm", help="a Python that has vLLM; left out if not given")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--input", type=int, default=64, help="tokens of a prompt before the chat template adds its own")
    parser.add_argument("--output", type=int, default=128, help="tokens of each answer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120, help="seconds for one run of a client (default: %(default)s)")
    parser.add_argument("--within", type=float, default=3600, help="seconds for everything; rounds that do not fit are left out")
    parser.add_argument("--json", metavar="FILE", help="write every number here")
    options = parser.parse_args()
    if not options.bench:
        parser.error("--bench is not given")
    return options


def run(client, load, options, end):
    """What a client said, and its processor time with its start; what was wrong where it did not."""
    limit = min(options.limit, max(end - time.monotonic(), 1))
    with tempfile.TemporaryDirectory() as folder:
        before = os.times()
        try:
            done = subprocess.run(client.command(load, options.port, folder), capture_output=True, text=True, timeout=limit)
            after = os.times()
            if done.returncode:
                return {"failure": f"exit code {done.returncode}: {done.stderr.strip()[-800:]}"}
            used = after.children_user + after.children_system - before.children_user - before.children_system
            return client.says(folder) | {"cpu_s": used}
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            return {"failure": repr(error)[-800:]}


COLUMNS = [
    ("requests/s", "requests_per_s", 2), ("tokens/s", "tokens_per_s", 0), ("TTFT p50", "ttft_p50_ms", 1), ("p99", "ttft_p99_ms", 1),
    ("TPOT p50", "tpot_p50_ms", 2), ("p99", "tpot_p99_ms", 2), ("E2EL p50", "e2el_p50_ms", 0), ("p99", "e2el_p99_ms", 0), ("CPU-s", "cpu_s", 1),
]  # fmt: skip


def table(rows, names):
    lines = [["client", *(head for head, _, _ in COLUMNS)]]
    for name in names:
        good = [row for row in rows if row["client"] == name and "failure" not in row]
        cells = [name]
        for _, key, digits in COLUMNS:
            values = [row[key] for row in good if row[key] is not None]
            cells.append(f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]" if values else "-")
        lines.append(cells)
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    for line in (lines[0], ["-" * width for width in widths], *lines[1:]):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


NOTES = """
Each cell: the median over the rounds of what the client itself says, [least, most]; times in ms. A first run of one request each,
which is not counted, has the server and the client's files warm. Where they differ:
- TTFT and E2EL begin at the intended send in bench (in a closed load: when the client is free, before it connects); in the others when
  their task gets to it, after their own queue. TTFT ends in bench at the kernel's time of the packet with the first output, in the others
  when their program has parsed it: a busy client's own delay is in theirs.
- An empty first chunk with the role is the first token to vLLM's two; bench waits for output.
- TPOT is (E2EL - TTFT) / (tokens - 1) in all; bench counts the token ids it got, vLLM's two what the server claims, so that
  an early TTFT makes their TPOT larger.
- Percentiles are linear between order statistics in all. requests/s and tokens/s are over the whole phase in all.
- Prompts are as long, not the same: each client draws its own. bench asks for token ids, which the server has to write.
- CPU-s is of the whole process tree with its start and its reports; bench's holds the writing and sealing of its evidence."""


def main():
    options = arguments()
    clients = [BenchHere(options)]
    if options.vllm_rs and os.path.exists(options.vllm_rs):
        clients.append(VllmHere(options))
    if options.vllm:
        clients.append(VllmPython(options))
    load = Load(options.concurrency, options.requests, options.input, options.output, 0)
    end = time.monotonic() + options.within
    for client in clients:
        run(client, replace(load, concurrency=1, requests=1), options, end)
    rows, took, rounds = [], 0.0, 0
    for number in range(options.rounds):
        began = time.monotonic()
        if began + took > end:
            break
        rounds += 1
        for client in random.Random(f"same-server {number}").sample(clients, len(clients)):
            # Nobody's prompts are in a cache: a seed for each run.
            said = run(client, replace(load, seed=len(rows) + 1), options, end)
            rows.append({"client": client.name, "round": number, **said})
        took = time.monotonic() - began
    print(f"{options.requests} requests of {options.input} tokens, {options.output} tokens each, {options.concurrency} at once, {rounds} of {options.rounds} rounds\n")
    table(rows, [client.name for client in clients])
    failures = [row for row in rows if "failure" in row]
    for row in failures:
        print(f"FAILED, {row['client']}, round {row['round'] + 1}: {row['failure']}")
    print(NOTES)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"load": vars(load), "runs": rows}, file, indent=1)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
