#!/usr/bin/env python3
"""Streams that real servers sent, sent again with their own timing to `bench` and to vllm-rs: what
each says of the same stream, beside what the recording says. Times in ms."""

import csv
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import peers  # noqa: E402

STREAMS = f"{ROOT}/analysis/tests/transcripts"
NAMES = ["vllm-h100/ignore_eos", "vllm-h100/unicode", "vllm-cpu/merged_unicode", "llama.cpp/unicode"]
WORKLOAD = """name = "same-stream"
[models.m]
path = "{model}"
[baseline]
endpoint = "http://127.0.0.1:{port}"
[requests.prose]
seed = 1
words = 16
[sampling]
max_tokens = 64
[[load]]
name = "load"
requests = 1
closed = {{ concurrency = 1 }}
[rounds]
count = 1
[warmup]
requests = 0
"""


def answer(connection, reads):
    """One request, then the recorded reads, each when it came."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += connection.recv(65536)
    if not seen.startswith(b"POST /v1/chat/completions"):
        status = b"200 OK" if seen.startswith(b"GET") else b"404 Not Found"
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    else:
        head, body = seen.split(b"\r\n\r\n", 1)
        (length,) = (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        while len(body) < length:
            body += connection.recv(65536)
        began = time.perf_counter_ns()
        for at, part in reads:
            while time.perf_counter_ns() - began < at:
                time.sleep(max((at - (time.perf_counter_ns() - began)) / 1e9 - 0.0002, 0))
            connection.sendall(part)
    connection.close()


def serve(name):
    with open(f"{STREAMS}/{name}.response.http", "rb") as file:
        bytes_ = file.read()
    with open(f"{STREAMS}/{name}.timing.tsv") as file:
        rows = [[int(n) for n in line.split("\t")] for line in file.read().splitlines()[1:]]
    reads = [(at, bytes_[start : start + length]) for at, start, length in rows]
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=answer, args=(connection, reads), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def by_bench(port, folder):
    program = f"{ROOT}/target/release/bench"
    with open(f"{folder}/x.toml", "w") as file:
        file.write(WORKLOAD.format(model=STREAMS, port=port))
    subprocess.run([program, "run", f"{folder}/x.toml", "--out", f"{folder}/r", "--seal-only"], check=True, capture_output=True)
    (bundle,) = glob.glob(f"{folder}/r/*/*/")
    subprocess.run([program, "export", bundle, "--out", f"{folder}/t"], check=True, capture_output=True)
    with open(f"{folder}/t/requests.csv") as file:
        (row,) = csv.DictReader(file)
    with open(f"{folder}/t/chunks.csv") as file:
        at = [int(chunk["offset_ns"]) for chunk in csv.DictReader(file) if chunk["output"] == "true"]
    return int(row["ttft_ns"]), int(row["tpot_ns"] or 0) or None, int(row["e2el_ns"]), [b - a for a, b in zip(at, at[1:])]


def by_vllm_rs(port, folder):
    program = peers.fetch(f"{ROOT}/target/peers", "vllm-rs")
    command = [
        program, "bench", "serve", "--backend", "openai-chat", "--base-url", f"http://127.0.0.1:{port}", "--model", "m",
        "--tokenizer", f"{ROOT}/stub/model", "--dataset-name", "random", "--random-input-len", "16", "--random-output-len", "64",
        "--num-prompts", "1", "--max-concurrency", "1", "--percentile-metrics", "ttft,tpot,itl,e2el", "--metric-percentiles",
        "50", "--save-result", "--save-detailed", "--result-dir", folder, "--result-filename", "v.json", "--disable-tqdm",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    with open(f"{folder}/v.json") as file:
        said = json.load(file)
    gaps = [round(gap * 1e9) for gap in said["itls"][0]]
    return round(said["ttfts"][0] * 1e9), round(said["mean_tpot_ms"] * 1e6), round(said["mean_e2el_ms"] * 1e6), gaps


def main():
    with open(f"{STREAMS}/metrics.json") as file:
        recorded = json.load(file)
    print(f"{'stream':<26} {'by':<10} {'TTFT':>9} {'TPOT':>9} {'E2EL':>9} {'gaps':>5} {'sum of gaps':>12}")
    for name in NAMES:
        port = serve(name)
        true = recorded[name]
        rows = [("recorded", (true["ttft"], true["tpot"], true["e2el"], true["gaps"]))]
        for who, measure in (("bench", by_bench), ("vllm-rs", by_vllm_rs)):
            with tempfile.TemporaryDirectory() as folder:
                rows.append((who, measure(port, folder)))
        for who, (ttft, tpot, e2el, gaps) in rows:
            shown = [f"{value / 1e6:9.3f}" if value else f"{'-':>9}" for value in (ttft, tpot, e2el)]
            print(f"{name:<26} {who:<10} {' '.join(shown)} {len(gaps):>5} {sum(gaps) / 1e6:12.3f}")


if __name__ == "__main__":
    main()
