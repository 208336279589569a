"""Writes metrics.json: the latencies of the recorded streams, worked out from their bytes and
the times of their reads with no code of ours. Run: python3 analysis/tests/transcripts/metrics.py

A chunk is there when the read returned that brought the last byte of its blank line. Times
count from the request. Tokens are the ids that came; where none came, what the server says of
an answer that ran to its limit; else they are not known here, and neither is TPOT."""

import json, pathlib

here = pathlib.Path(__file__).resolve().parent
SPECIAL = {t["id"] for t in json.loads((here / "tokenizer.json").read_text())["added_tokens"] if t["special"]}


def body_of(raw):
    """The chunked body: each byte with its place in the response."""
    at, body = raw.index(b"\r\n\r\n") + 4, []
    while True:
        line_end = raw.index(b"\r\n", at)
        size = int(raw[at:line_end], 16)
        if size == 0:
            return body
        at = line_end + 2
        body += [(raw[i : i + 1], i) for i in range(at, at + size)]
        at += size + 2


def chunks_of(raw, times):
    """When each event was complete, its text, its ids and its message."""
    body, event = body_of(raw), b""
    for byte, place in body:
        event += byte
        if not event.endswith(b"\n\n"):
            continue
        data, event = event.strip().removeprefix(b"data: "), b""
        if data == b"[DONE]":
            continue
        message = json.loads(data)
        for choice in message["choices"] or [{}]:
            entries = (choice.get("logprobs") or {}).get("content") or []
            ids = choice.get("token_ids") or [e["id"] for e in entries if "id" in e]
            text = choice.get("delta", {}).get("content") or ""
            yield times[place], text, ids, choice.get("finish_reason"), message.get("usage")


def metrics(path):
    raw = path.read_bytes()
    rows = path.with_name(path.name.replace(".response.http", ".timing.tsv")).read_text().splitlines()[1:]
    times = []
    for row in rows:
        at, offset, length = map(int, row.split("\t"))
        assert offset == len(times), path
        times += [at] * length
    chunks = list(chunks_of(raw, times))
    shown = [at for at, text, ids, _, _ in chunks if text or set(ids) - SPECIAL]
    ids = sum(len(ids) for _, _, ids, _, _ in chunks)
    ran_out = any(finish == "length" for _, _, _, finish, _ in chunks)
    claims = [usage["completion_tokens"] for *_, usage in chunks if usage]
    tokens = ids or (claims[-1] if ran_out and claims else None)
    ttft, e2el = shown[0], times[-1]
    tpot = None
    if tokens and tokens > 1:
        quotient, rest = divmod(e2el - ttft, tokens - 1)
        tpot = quotient + (2 * rest >= tokens - 1)
    gaps = [after - before for before, after in zip(shown, shown[1:])]
    return {"tokens": tokens, "ttft": ttft, "tpot": tpot, "e2el": e2el, "gaps": gaps}


if __name__ == "__main__":
    found = {}
    for path in sorted(here.glob("*/*.response.http")):
        name = str(path.relative_to(here)).removesuffix(".response.http")
        # A stop string holds text back: ids and text are not of the same chunks.
        if not name.endswith("/stop_string"):
            found[name] = metrics(path)
    lines = ",\n".join(f"{json.dumps(name)}:{json.dumps(m, separators=(',', ':'))}" for name, m in found.items())
    (here / "metrics.json").write_text("{" + lines + "}\n")
    print(len(found), "streams")
