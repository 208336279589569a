"""sglang-bench without sglang: `sglang.py MODULE ARGUMENTS...`; its module loads alone."""

import importlib.machinery
import importlib.util
import sys

loader = importlib.machinery.ExtensionFileLoader("_bench", sys.argv[1])
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("_bench", loader))
loader.exec_module(bench)
bench.run_argv(["sglang-bench", *sys.argv[2:]])
