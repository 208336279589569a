#!/usr/bin/env python3
"""Writes tools.json: what two instruments of the field answer, by running them.

    python3 -m venv VENV
    VENV/bin/pip install mlcommons-loadgen==6.0.17 hdrhistogram==0.10.3
    VENV/bin/python make_tools.py

`loadgen`: MLPerf LoadGen itself runs a SingleStream test against a server that answers at once and
says in its summary how many queries early stopping needs for a percentile, and how many of the
slowest it would discard. Both depend on the counts alone, so the output is deterministic.

`hdrhistogram`: Python's HdrHistogram, five significant digits, on written-out durations. It takes
the rank floor(n p + 1/2), at least 1, where ours is ceil(n p); the test knows.
"""

import json
import re
import tempfile
from importlib.metadata import version
from pathlib import Path

import mlperf_loadgen as loadgen
from hdrh.histogram import HdrHistogram

assert version("mlcommons-loadgen") == "6.0.17" and version("hdrhistogram") == "0.10.3"
HERE = Path(__file__).parent


def summary(percentile, queries):
    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.SingleStream
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.single_stream_target_latency_percentile = percentile
    settings.single_stream_expected_latency_ns = 1000
    settings.min_query_count = settings.max_query_count = queries
    settings.min_duration_ms = 0
    log = loadgen.LogSettings()
    answer = lambda asked: loadgen.QuerySamplesComplete(
        [loadgen.QuerySampleResponse(one.id, 0, 0) for one in asked])
    with tempfile.TemporaryDirectory() as folder:
        log.log_output.outdir = folder
        log.log_output.copy_summary_to_stdout = False
        sut = loadgen.ConstructSUT(answer, lambda: None)
        library = loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None)
        loadgen.StartTestWithLogSettings(sut, library, settings, log, "")
        loadgen.DestroyQSL(library)
        loadgen.DestroySUT(sut)
        return Path(folder, "mlperf_log_summary.txt").read_text()


def needed(percentile):
    said = re.search(r"Need to process at least (\d+) queries", summary(percentile, 2))
    return [round(percentile * 10000), int(said[1])]


def discarded(percentile, queries):
    said = re.search(r"Would discard (\d+) highest latency", summary(percentile, queries))
    return [round(percentile * 10000), queries, int(said[1])]


def histogram(values, per_ten_thousand):
    of = HdrHistogram(1, 3_600_000_000_000, 5)
    for value in values:
        of.record_value(value)
    return int(of.get_value_at_percentile(per_ten_thousand / 100))


def durations(n):
    """From a microsecond to a quarter of an hour, out of order, with ties."""
    return [10 ** (3 + i * 7919 % 9) * (1 + i * 104729 % 97) // 13 for i in range(n)]


def main():
    tables = {
        "loadgen_needed": [needed(p) for p in (0.5, 0.75, 0.9, 0.95, 0.97, 0.99, 0.999)],
        "loadgen_discarded": [discarded(p, n) for p, n in (
            (0.5, 11), (0.5, 100), (0.5, 1001), (0.9, 64), (0.9, 100), (0.9, 1024), (0.95, 130),
            (0.95, 777), (0.99, 662), (0.99, 2000), (0.99, 5000), (0.999, 7000))],
        "hdrhistogram": [
            {"values": values, "per_ten_thousand": p, "value": histogram(values, p)}
            for values in map(durations, (1, 2, 10, 100, 256))
            for p in (1000, 2500, 5000, 7500, 9000, 9500, 9900, 9990)],
    }
    rows = [f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in table) + "\n ]"
            for key, table in tables.items()]
    (HERE / "tools.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
