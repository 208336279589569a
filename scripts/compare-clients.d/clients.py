"""The clients: how each is run on a scenario, and how what it reports is read.

A client is made with the folders of this repository; `lacks` says why it cannot run here, or
None. `command` gets the scenario (its `requests`, `concurrency`, `tokens` and `words`), the port
and an empty folder; `read` returns what the client reported: lists of seconds, as it has them."""

import csv
import glob
import json
import os
import subprocess

import peers

HERE = os.path.dirname(os.path.abspath(__file__))


class Floor:
    """The least client there is: stub/floor."""

    name = "floor"

    def __init__(self, root):
        self.program = os.path.join(root, "target/release/floor")
        self.lacks = None if os.path.exists(self.program) else "cargo build --release -p floor"

    def command(self, scenario, port, folder):
        return [
            self.program, "--address", f"127.0.0.1:{port}", "--requests", str(scenario.requests),
            "--concurrency", str(scenario.concurrency), "--max-tokens", str(scenario.tokens),
            "--words", str(scenario.words), "--out", f"{folder}/floor.json",
        ]  # fmt: skip

    def read(self, folder):
        with open(f"{folder}/floor.json") as file:
            said = json.load(file)
        return {
            "completed": said["requests"],
            "requests_per_s": said["requests"] / said["wall_ns"] * 1e9,
            "ttft_s": [value / 1e9 for value in said["ttft_ns"]],
            "itl_s": [value / 1e9 for value in said["itl_ns"]],
        }


class Bench:
    """`bench run` on a server that runs already: measures, writes and seals the evidence."""

    name = "bench"
    served = "stub"
    # Where prompts come from, and whether token ids are asked for.
    requests = """[requests.prose]
seed = 1
words = {words}"""
    token_ids = "false"

    def __init__(self, root):
        self.program = os.path.join(root, "target/release/bench")
        self.model = os.path.join(root, "stub/model")
        self.lacks = None if os.path.exists(self.program) else "cargo build --release"

    def command(self, scenario, port, folder):
        with open(f"{folder}/x.toml", "w") as file:
            file.write(f"""name = "x"
[models.{self.served}]
path = "{self.model}"
[baseline]
endpoint = "http://127.0.0.1:{port}"
{self.requests.format(**vars(scenario), model=self.served)}
[sampling]
max_tokens = {scenario.tokens}
ignore_eos = true
token_ids = {self.token_ids}
[[load]]
name = "load"
requests = {scenario.requests}
closed = {{ concurrency = {scenario.concurrency} }}
[client]
keep = true
[warmup]
requests = 0
[rounds]
count = 1
""")
        return [self.program, "run", f"{folder}/x.toml", "--out", f"{folder}/results", "--seal-only"]

    def read(self, folder):
        (bundle,) = glob.glob(f"{folder}/results/*/*/")
        with open(glob.glob(f"{bundle}/trials/*/trial.json")[0]) as file:
            (phase,) = json.load(file)["stages"]["phases"]
        subprocess.run([self.program, "export", bundle, "--out", f"{folder}/tables"], check=True, capture_output=True)
        with open(f"{folder}/tables/requests.csv") as file:
            requests = [row for row in csv.DictReader(file) if row["outcome"] == "complete"]
        gaps, last = [], {}
        with open(f"{folder}/tables/chunks.csv") as file:
            for row in csv.DictReader(file):
                if row["output"] == "true":
                    at, before = int(row["offset_ns"]), last.get(row["request"])
                    gaps.extend([(at - before) / 1e9] if before else [])
                    last[row["request"]] = at
        return {
            "completed": len(requests),
            "requests_per_s": len(requests) / (phase["end_ns"] - phase["start_ns"]) * 1e9,
            "load_cpu_s": phase["client_cpu_ns"] / 1e9,
            "load_peak_bytes": phase["client_peak_bytes"],
            "ttft_s": [int(row["ttft_ns"]) / 1e9 for row in requests],
            "itl_s": gaps,
            "tpot_s": [int(row["tpot_ns"]) / 1e9 for row in requests if row["tpot_ns"]],
            "e2el_s": [int(row["e2el_ns"]) / 1e9 for row in requests],
            "tokens": sum(int(row["tokens"] or 0) for row in requests),
        }


class VllmRs:
    """`vllm-rs bench serve`, the Rust client in vLLM's wheel."""

    name = "vllm-rs"
    served = "stub"

    def __init__(self, root):
        folder = os.path.join(root, "target/peers")
        self.program = peers.fetch(folder, self.name)
        self.lacks = None if self.program else "it could not be fetched"
        self.tokenizer = os.path.join(root, "stub/model")

    def command(self, scenario, port, folder):
        return [
            self.program, "bench", "serve", "--backend", "openai-chat", "--base-url", f"http://127.0.0.1:{port}",
            "--model", self.served, "--tokenizer", self.tokenizer, "--dataset-name", "random",
            "--random-input-len", str(scenario.words), "--random-output-len", str(scenario.tokens),
            "--num-prompts", str(scenario.requests), "--max-concurrency", str(scenario.concurrency),
            "--ignore-eos", "--temperature", "0", "--percentile-metrics", "ttft,tpot,itl,e2el",
            "--metric-percentiles", "50,99", "--save-result", "--save-detailed",
            "--result-dir", folder, "--result-filename", "vllm-rs.json", "--disable-tqdm",
        ]  # fmt: skip

    def read(self, folder):
        with open(f"{folder}/vllm-rs.json") as file:
            said = json.load(file)
        return {
            "completed": said["completed"],
            "requests_per_s": said["request_throughput"],
            "ttft_s": said["ttfts"],
            "itl_s": [gap for gaps in said["itls"] for gap in gaps],
        }


class SglangBench:
    """`sglang-bench`, the Rust client in sglang's wheel."""

    name = "sglang-bench"

    def __init__(self, root):
        self.python = peers.python_312()
        self.module = peers.fetch(os.path.join(root, "target/peers"), self.name) if self.python else None
        self.lacks = None if self.module else "it needs a Python 3.12 (COMPARE_PYTHON) and its wheel"
        self.tokenizer = os.path.join(root, "stub/model")

    def command(self, scenario, port, folder):
        return [
            self.python, "-I", f"{HERE}/sglang.py", self.module, "--backend", "vllm-chat",
            "--base-url", f"http://127.0.0.1:{port}", "--model", "stub", "--tokenizer", self.tokenizer,
            "--dataset-name", "random-ids", "--random-input-len", str(scenario.words),
            "--random-output-len", str(scenario.tokens), "--random-range-ratio", "1",
            "--num-prompts", str(scenario.requests), "--max-concurrency", str(scenario.concurrency),
            "--warmup-requests", "0", "--disable-retokenize", "--disable-tqdm",
            "--output-file", f"{folder}/sglang.jsonl", "--output-details",
        ]  # fmt: skip

    def read(self, folder):
        with open(f"{folder}/sglang.jsonl") as file:
            said = json.loads(file.readlines()[-1])
        return {
            "completed": said["completed"],
            "requests_per_s": said["request_throughput"],
            "ttft_s": said["ttfts"],
            "itl_s": [gap for gaps in said["itls"] for gap in gaps],
        }


CLIENTS = {client.name: client for client in (Bench, Floor, VllmRs, SglangBench)}
