"""Writes recorded.json: what the recorded replies of real servers hold, worked out with
Python's own HTTP and JSON readers and no code of ours. Run: python3 lab/tests/recorded.py"""

import http.client, io, json, pathlib

root = pathlib.Path(__file__).resolve().parents[2]
folders = ["analysis/tests/transcripts", "lab/tests/transcripts"]


class Socket(io.BytesIO):
    def makefile(self, *_):
        return self


def body_of(raw):
    response = http.client.HTTPResponse(Socket(raw))
    response.begin()
    return response.status, response.read()


def reads_of(path, raw):
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    lengths = [int(row[2]) for row in rows]
    assert sum(lengths) == len(raw), path
    return lengths


def read_holding(raw, reads, needle, start):
    """The read that brings the last byte of `needle`, searched from `start`."""
    end = raw.index(needle, start) + len(needle)
    total = 0
    for number, length in enumerate(reads):
        total += length
        if total >= end:
            return number, end
    raise AssertionError


found = {}
for folder in folders:
    for path in sorted((root / folder).glob("*/*.response.http")):
        raw = path.read_bytes()
        reads = reads_of(path.with_name(path.name.replace(".response.http", ".timing.tsv")), raw)
        status, body = body_of(raw)
        chunks, done, usage, start = [], False, None, 0
        for event in body.decode().split("\n\n"):
            data = event.removeprefix("data: ")
            if not data.strip():
                continue
            read, start = read_holding(raw, reads, data.encode(), start)
            if data == "[DONE]":
                done = True
                continue
            message = json.loads(data)
            usage = message.get("usage") or usage
            for choice in message["choices"]:
                delta = choice["delta"]
                ids = choice.get("token_ids") or []
                entries = ((choice.get("logprobs") or {}).get("content")) or []
                if not ids:
                    ids = [e["id"] for e in entries if "id" in e]
                text = delta.get("content") or ""
                if text or ids or entries or choice.get("finish_reason"):
                    chunks.append([read, text, ids, choice.get("finish_reason") or ""])
        found[str(path.relative_to(root))] = {
            "status": status,
            "reads": reads,
            "done": done,
            "prompt": usage and usage["prompt_tokens"],
            "output": usage and usage["completion_tokens"],
            "chunks": chunks,
        }
out = root / "lab/tests/recorded.json"
out.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":"), indent=None).replace('},"', '},\n"') + "\n")
print(len(found), "streams,", sum(len(f["chunks"]) for f in found.values()), "chunks")
