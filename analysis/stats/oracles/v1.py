#!/usr/bin/env python3
"""Writes v1.json beside this script: the public scores and gates of Cacheon V1.

    python3 v1.py

Python 3.11, standard library only: `difflib` and `statistics` are the functions that V1's validators
called, and the rules around them are written down here once more, apart from the crate's. Times are
seconds from the send, as V1 had them; the crate has integer nanoseconds. The data are made by a
formula, so a rerun leaves `git diff` empty.
"""

import json
import math
from difflib import SequenceMatcher
from pathlib import Path
from statistics import mean, median


class Numbers:
    """Knuth's MMIX generator: the same numbers on every machine."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n


# ---- scores ------------------------------------------------------------------------------------

def gain(baseline, miner):
    return max(0.0, (baseline - miner) / baseline) if baseline > 0 else 0.0


def half_and_half(b_ttft, m_ttft, b_tps, m_tps):
    b, m = median(b_tps), median(m_tps)
    return 0.5 * gain(median(b_ttft), median(m_ttft)) + 0.5 * (max(0.0, (m - b) / b) if b > 0 else 0.0)


def launch(prompts):
    def tps(s):
        elapsed = s["last"] - s["first"]
        return len(s["entries"]) / elapsed if elapsed > 0 and len(s["entries"]) > 1 else 0.0

    sides = [[p[side] for p in prompts] for side in ("baseline", "miner")]
    return half_and_half(*[[s["first"] for s in side] for side in sides], *[[tps(s) for s in side] for side in sides])


def aligned(prompts):
    def tps(s, n):
        if n < 2 or len(s["entries"]) < n:
            return 0.0
        elapsed = s["entries"][n - 1] - s["entries"][0]
        return n / elapsed if elapsed > 0 else 0.0

    n = [len(p["baseline"]["entries"]) for p in prompts]
    sides = [[p[side] for p in prompts] for side in ("baseline", "miner")]
    return half_and_half(*[[s["entries"][0] for s in side] for side in sides],
                         *[[tps(s, n) for s, n in zip(side, n)] for side in sides])


def e2e(prompts):
    def of(prompt):
        b, m = prompt["baseline"]["entries"], prompt["miner"]["entries"]
        k = min(len(b), len(m))
        if k < (len(b) if len(b) < 2 else max(2, math.ceil(0.9 * len(b)))):
            return 0.0
        decode = [[t - s[0] for t in s] for s in (b, m)]
        return gain(b[0] + decode[0][k - 1], m[0] + decode[1][k - 1])

    return median([of(p) for p in prompts])


def stream(numbers, tokens, ttft, step):
    """Entries that come alone or several at once, some of them before the first content."""
    at, entries = ttft, []
    while len(entries) < tokens:
        entries += [at] * min(1 + numbers.below(3) * numbers.below(2), tokens - len(entries))
        at += 1 + numbers.below(2 * step)
    early = min(numbers.below(3), tokens - 1)
    return {"first": entries[early], "last": entries[-1 - min(numbers.below(2), tokens - 1 - early)], "entries": entries}


def evaluation(seed, prompts):
    numbers, rows = Numbers(seed), []
    for _ in range(prompts):
        n = 1 + numbers.below(80)
        own = max(1, n - numbers.below(max(1, n // 6)) + numbers.below(4))
        rows.append({"baseline": stream(numbers, n, 40_000_000 + numbers.below(10_000_000), 20_000_000),
                     "miner": stream(numbers, own, 30_000_000 + numbers.below(12_000_000), 18_000_000)})
    seconds = [{side: {key: [t / 1e9 for t in v] if isinstance(v, list) else v / 1e9 for key, v in s.items()}
                for side, s in row.items()} for row in rows]
    return {"prompts": rows, "launch": launch(seconds), "aligned": aligned(seconds), "e2e": e2e(seconds)}


# ---- gates -------------------------------------------------------------------------------------

def rate(base, miner):
    total = max(len(base), len(miner))
    return sum(b == m for b, m in zip(base, miner)) / total if total else 1.0


def may_4(base, miner, tops):
    def tie(token, top):
        gaps = [abs(top[0][1] - lp) for t, lp in top[:2] if t == token]
        return bool(gaps) and gaps[0] <= 0.05

    return rate(base, miner) >= 0.99 and all(
        b == m or tie(b, tops[i] if i < len(tops) else []) for i, (b, m) in enumerate(zip(base, miner)))


def may_8(base, miner, tops):
    longest = max(len(base), len(miner))
    padded = [side + [""] * (longest - len(side)) for side in (base, miner)]
    for i, (b, m) in enumerate(zip(*padded)):
        if b != m:
            top = tops[i] if i < len(tops) else []
            gaps = [abs(top[0][1] - lp) for t, lp in top[:5] if t == b]
            return bool(top) and top[0][0] == m and bool(gaps) and gaps[0] <= 0.5
    return True


def tokens(seed):
    numbers = Numbers(seed)
    base = [f"w{numbers.below(9)}" for _ in range(numbers.below(300))]
    miner, tops = list(base), []
    for i in range(len(base)):
        others = [f"w{numbers.below(9)}" for _ in range(4)]
        # 0 to 0.08 nats or 0 to 0.8 nats apart, so that both gates are close.
        gap = numbers.below(9) / (100 if seed % 2 else 10) + 0.004
        wrong = numbers.below(150) == 0
        miner[i] = "x" if wrong else base[i]
        second = [[base[i], -0.5 - gap]] if wrong else []
        top = [[miner[i], -0.5]] + second + [[t, -2.0 - j] for j, t in enumerate(others)]
        if wrong and numbers.below(6) == 0:
            top[0], top[1] = top[1], top[0]
        tops.append(top)
    if numbers.below(4) == 0:
        miner = miner[: len(miner) - numbers.below(1 + len(miner) // 90)]
    tops = tops[: len(miner)]
    # Only what a gate may look at.
    sparse = [[i, top] for i, (b, m, top) in enumerate(zip(base, miner, tops)) if b != m]
    return {"base": " ".join(base), "miner": " ".join(miner), "tops": sparse, "rate": rate(base, miner),
            "may_4": may_4(base, miner, tops), "may_8": may_8(base, miner, tops)}


def forced(seed):
    numbers = Numbers(seed)
    low = 1 + numbers.below(12)
    logprobs = [-numbers.below(1000 * low) / 1000 for _ in range(1 + numbers.below(40))]
    return {"logprobs": logprobs, "mean": mean(logprobs), "least": min(logprobs),
            "passes": mean(logprobs) >= -4.0 and min(logprobs) >= -12.0}


def similarity(base, miner):
    base, miner = base.strip(), miner.strip()
    if not base and not miner:
        return 1.0
    return SequenceMatcher(None, base, miner, autojunk=False).ratio()


WORDS = "the a of to sea was old and ship in wind naïve – “ice” \t\n who\u2003sank 船 said.\x1c deep".split(" ")


def texts(seed):
    numbers = Numbers(seed)
    of = lambda n: " ".join(WORDS[numbers.below(len(WORDS))] for _ in range(n))
    base = of(numbers.below(150))
    cut = numbers.below(len(base) + 1)
    kind = seed % 4
    miner = [base[:cut], base[:cut] + of(numbers.below(60)), of(numbers.below(150)), base[cut:] + base[:cut]][kind]
    return {"base": base, "miner": miner, "ratio": similarity(base, miner)}


if __name__ == "__main__":
    tables = {
        "scores": [evaluation(seed, 1 + seed % 7) for seed in range(1, 19)],
        "tokens": [tokens(seed) for seed in range(1, 61)],
        "forced": [forced(seed) for seed in range(1, 41)],
        "similarity": [texts(seed) for seed in range(1, 61)],
    }
    for key in ("may_4", "may_8"):
        passed = sum(row[key] for row in tables["tokens"])
        assert 10 <= passed <= 50, (key, passed)
    assert 10 <= sum(row["passes"] for row in tables["forced"]) <= 30
    rows = [f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in table) + "\n ]" for key, table in tables.items()]
    (Path(__file__).parent / "v1.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
