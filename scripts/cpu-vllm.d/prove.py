"""Start both servers once and ask them: prove.py DEST

Prints what was seen; exits 1 if a server does not start or answers wrongly. Bounded to ten minutes.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PROMPTS = ["What is the capital of France?", "Add  12 and\t345.\n\n  7", "Où est le café? 日本語 🙂 ½"]


class Server:
    def __init__(self, log, *command):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        log.parent.mkdir(exist_ok=True)
        self.log, begin = log, time.monotonic()
        command = [str(self.port) if c == "PORT" else str(c) for c in command]
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        try:
            while not self.healthy():
                if self.process.poll() is not None or time.monotonic() > begin + 600:
                    raise SystemExit(f"prove.py: {command[0]} does not start, see {log}")
                time.sleep(0.25)
        except BaseException:
            self.stop()
            raise
        self.seconds = time.monotonic() - begin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def healthy(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).status == 200
        except OSError:
            return False

    def ask(self, path, **body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps({"model": "smollm2", **body}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            return json.load(urllib.request.urlopen(request, timeout=120))
        except urllib.error.HTTPError as error:
            raise SystemExit(f"prove.py: {path} answered {error.code}: {error.read()[:300]}, see {self.log}") from None

    def stop(self):
        for sign, wait in ((signal.SIGTERM, 20), (signal.SIGKILL, 20)):
            try:
                os.killpg(self.process.pid, sign)
                end = time.monotonic() + wait
                while time.monotonic() < end:
                    self.process.poll()
                    os.killpg(self.process.pid, 0)
                    time.sleep(0.1)
            except ProcessLookupError:
                return


def check(right, what):
    if not right:
        raise SystemExit(f"prove.py: wrong: {what}")


def chat(prompt):
    return {"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": 16}


def main():
    dest = pathlib.Path(sys.argv[1]).resolve()
    prompts, gaps = [], []
    with Server(dest / "logs/vllm.log", dest / "serve-vllm", dest / "models/smollm2-135m", "PORT") as vllm:
        for prompt in PROMPTS:
            answer = vllm.ask("/v1/chat/completions", **chat(prompt), return_token_ids=True)
            ids, out = answer["prompt_token_ids"], answer["choices"][0]["token_ids"]
            rendered = vllm.ask("/tokenize", messages=chat(prompt)["messages"])["tokens"]
            check(ids == rendered, f"/tokenize and chat disagree on {prompt!r}")
            check(len(out) == answer["usage"]["completion_tokens"] > 0, "completion token ids")
            prompts.append(ids)
            # The server scores its own answer: each token must be about as likely as the likeliest.
            scored = vllm.ask("/v1/completions", prompt=ids + out, max_tokens=1, temperature=0, prompt_logprobs=1)
            for token, entry in zip(out, scored["choices"][0]["prompt_logprobs"][len(ids) :], strict=True):
                best = max(e["logprob"] for e in entry.values())
                gaps.append(best - entry[str(token)]["logprob"])
        check(sum(gaps) / len(gaps) < 0.02, f"greedy answers are not greedy: {gaps}")
        print(f"  vLLM: ready after {vllm.seconds:.1f} s, {len(gaps)} tokens, mean gap {sum(gaps) / len(gaps):.5f}")
    with Server(dest / "logs/llama.log", dest / "serve-llama", "PORT") as llama:
        for prompt, ids in zip(PROMPTS, prompts, strict=True):
            text = llama.ask("/apply-template", messages=chat(prompt)["messages"])["prompt"]
            mine = llama.ask("/tokenize", content=text, add_special=True, parse_special=True)["tokens"]
            check(mine == ids, f"llama.cpp and vLLM disagree on the prompt {prompt!r}")
            usage = llama.ask("/v1/chat/completions", **chat(prompt))["usage"]
            check(usage["prompt_tokens"] == len(ids) and usage["completion_tokens"] > 0, f"usage {usage}")
        print(f"  llama.cpp: ready after {llama.seconds:.1f} s, same prompt tokens as vLLM")


main()
