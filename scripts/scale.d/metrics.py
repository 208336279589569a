"""The metrics of a verdict once more, with pandas, from `bench export`'s tables.

usage: metrics.py TABLES JUDGEMENT

Medians of TTFT, TPOT and E2EL of each trial, and the equal-work ratio of each round; says where
the judgement has another number."""

import json
import math
import sys

import pandas as pd

tables, judgement = sys.argv[1], json.load(open(sys.argv[2]))
requests = pd.read_csv(f"{tables}/requests.csv")
chunks = pd.read_csv(f"{tables}/chunks.csv", usecols=["trial", "request", "offset_ns", "tokens"])
whole = requests[requests.outcome == "complete"]

medians = whole.groupby("trial")[["ttft_ns", "tpot_ns", "e2el_ns"]].quantile(0.5, interpolation="lower")

rounds = {}
for _, block in whole.groupby("block"):
    trials = {role: block[block.role == role].set_index("request") for role in ("opening", "candidate", "closing")}
    shared = trials["opening"].index.intersection(trials["candidate"].index).intersection(trials["closing"].index)
    k = pd.concat([t.tokens.reindex(shared) for t in trials.values()], axis=1).min(axis=1).rename("k")
    mean = {}
    for role, of in trials.items():
        own = chunks[chunks.trial == of.trial.iloc[0]].merge(k, left_on="request", right_index=True)
        reached = own[own.tokens >= own.k].groupby("request").offset_ns.min()
        mean[role] = (reached - of.intended_ns.reindex(reached.index)).mean()
    log = (math.log(mean["opening"]) + math.log(mean["closing"])) / 2 - math.log(mean["candidate"])
    rounds[int(block["round"].iloc[0])] = math.exp(log)

print(medians.head(3).to_string())
theirs = dict(judgement["candidates"][0]["speed"][0]["primary"]["rounds"])
for number, ratio in rounds.items():
    far = abs(ratio / theirs[number] - 1) > 1e-9
    print(f"round {number}: equal work {ratio:.6f}{' IS ' + str(theirs[number]) if far else ', as judged'}")
    if far:
        sys.exit(1)
