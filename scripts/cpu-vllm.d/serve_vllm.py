"""`vllm`, with the engine's process forked instead of started afresh.

On a CPU vLLM starts the engine as a fresh interpreter, which imports everything a second time
(25 s on a small machine). It does so because its worker must set OpenMP's variables before OpenMP is
loaded. Here no worker does that: serve-vllm sets them for the whole server.
"""

import gc
import os

gc.disable()  # collecting while importing takes 5 s and finds nothing

from vllm.entrypoints.cli.main import main  # noqa: E402
from vllm.platforms.cpu import CpuPlatform  # noqa: E402

gc.enable()

check_and_update_config = CpuPlatform.check_and_update_config


def then_fork(vllm_config):
    check_and_update_config(vllm_config)
    os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "fork"


CpuPlatform.check_and_update_config = staticmethod(then_fork)

if __name__ == "__main__":
    main()
