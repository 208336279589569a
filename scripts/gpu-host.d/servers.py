#!/usr/bin/env python3
"""What a visit needs to know of workload files, and their servers outside of a run.

    servers.py names WORKLOAD                            its models and altered copies, one a line
    servers.py calibration WORKLOAD                      ids of the bundles that calibrate it
    servers.py gpus FINDINGS WORKLOAD...                 whether `bench doctor --json` found the GPUs that they ask for
    servers.py warm LOGS CACHE SECONDS ARMS WORKLOAD...  the first ARMS arms once, so that what they compile is kept:
                                                         of containers in CACHE
    servers.py ask PORT NAME SECONDS                     waits for a server, then asks it some questions
    servers.py beside LOGS SECONDS WORKLOAD -- COMMAND   a command beside the baseline's server

COMMAND may hold {port}, {model} and {served_name}. A server that is not ready in SECONDS is ended;
`warm` says so and goes on, for `bench` records such a server as one that failed; it exits with 1 where
not one was ready.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib

AT_ONCE = 16
ALTERED = re.compile(r"gpu-calibration/models/([a-z0-9-]+)")


def read(file):
    return tomllib.loads(pathlib.Path(file).read_text())


def arms(file):
    """(name, command, environment, served name) of each arm that is a command, for the first model."""
    workload = read(file)
    name, model = next(iter(workload["models"].items()))
    here = pathlib.Path(file).parent
    filled = {"model": str(here / model["path"]), "served_name": model.get("served_name", name), "here": str(here)}
    filled["bench"] = os.environ.get("BENCH", "bench")
    for arm, said in {"baseline": workload["baseline"], **workload.get("candidates", {})}.items():
        if "command" in said:
            yield arm, said["command"], said.get("env", {}), filled


HOME = "/home/server"
DRIVER = "/usr/local/nvidia/lib64"
DEVICES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia[0-9]*")


def contained(file, cache):
    """(name, archive, what `docker run` is told, arguments, filled words) of each arm that is an archive,
    for the first model: as bench has its containers, but that what a server compiles stays in CACHE."""
    workload, here = read(file), pathlib.Path(file).parent
    name, model = next(iter(workload["models"].items()))
    container = workload.get("container", {})
    filled = {"model": "/models", "served_name": model.get("served_name", name), "port": str(container.get("port", 8000))}
    told = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--shm-size", "8g"]
    for folder in ("/tmp", HOME):
        told += ["--tmpfs", f"{folder}:rw,exec,nosuid,nodev,mode=1777"]
    if max(workload.get("matrix", {}).get("gpus", [0])):
        for device in (path for pattern in DEVICES for path in pathlib.Path("/dev").glob(pattern)):
            told += ["--device", str(device)]
        if (pathlib.Path(DRIVER) / "libcuda.so.1").exists():  # else it is where every program looks
            for variable in ("LD_LIBRARY_PATH", "TRITON_LIBCUDA_PATH"):
                told += ["--env", f"{variable}={DRIVER}"]
    for arm, said in {"baseline": workload["baseline"], **workload.get("candidates", {})}.items():
        if "archive" in said:
            binds = {"/models": model["path"], **container.get("binds", {}), **said.get("binds", {})}
            seen = [part for inside, outside in binds.items() for part in ("-v", f"{(here / outside).resolve()}:{inside}:ro")]
            env = [part for variable, value in said.get("env", {}).items() for part in ("--env", f"{variable}={value}")]
            kept = ["--env", f"HOME={HOME}", "-v", f"{pathlib.Path(cache).resolve()}:{HOME}/.cache"]
            yield arm, str(here / said["archive"]["path"]), told + kept + seen + env, fill(said.get("args", []), filled), filled


def fill(parts, filled):
    for name, value in filled.items():
        parts = [part.replace("{" + name + "}", value) for part in parts]
    return parts


TAKEN = set()


def free_port():
    """Never the same one twice: vLLM's servers share ports without a word."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in TAKEN:
            TAKEN.add(port)
            return port


def asked(port, method, path, body=None, limit=60):
    """The status, once the whole answer is here; None without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit)
    try:
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except OSError:
        return None
    finally:
        connection.close()


@contextlib.contextmanager
def started(command, env, filled, log, limit):
    """The filled words of a server that is ready; it is ended with all that it started."""
    filled = filled | {"port": str(free_port())}
    with open(log, "wb") as out:
        server = subprocess.Popen(
            fill(command, filled), env=os.environ | env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        last = time.monotonic() + limit
        while asked(int(filled["port"]), "GET", "/health", limit=5) != 200:
            if server.poll() is not None:
                raise RuntimeError(f"ended before it was ready, see {log}")
            if time.monotonic() > last:
                raise RuntimeError(f"was not ready in {limit:.0f} s, see {log}")
            time.sleep(0.5)
        yield filled
    finally:
        stop(server)


def stop(server):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(10)
    # Whatever it had started is gone too before anybody looks at the GPU.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def question(filled, words):
    body = {"model": filled["served_name"], "max_tokens": 32, "temperature": 0}
    body["messages"] = [{"role": "user", "content": f"Count to {words}."}]
    return asked(int(filled["port"]), "POST", "/v1/chat/completions", body)


def answers(filled):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        good = sum(status == 200 for status in pool.map(lambda n: question(filled, n), range(AT_ONCE)))
        return f"{good} of {AT_ONCE} answers"


def warmed(arm, logs, limit):
    """Whether one arm was ready, and what happened to it in words."""
    name, command, env, filled = arm
    began = time.monotonic()
    try:
        with started(command, env, filled, f"{logs}/warm-{name}.log", limit) as ready:
            took = time.monotonic() - began
            return True, f"{name}: ready after {took:.0f} s, {answers(ready)}"
    except (RuntimeError, OSError) as problem:
        return False, f"{name}: {problem}"


def ask(port, name, limit):
    began = time.monotonic()
    while asked(int(port), "GET", "/health", limit=5) != 200:
        if time.monotonic() > began + limit:
            raise RuntimeError(f"was not ready in {limit:.0f} s")
        time.sleep(0.5)
    print(f"ready after {time.monotonic() - began:.0f} s, {answers({'port': port, 'served_name': name})}")


def docker(*words):
    done = subprocess.run(["docker", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"docker {words[0]}: {done.stdout.strip()}")
    return done.stdout.strip()


def warmed_inside(arm, logs, limit):
    """The same of a container. It is asked from inside its network, since it has no other."""
    name, archive, told, args, filled = arm
    log, made = f"{logs}/warm-{name}.log", f"bench-warm-{os.getpid()}-{name}"
    try:
        image = docker("load", "--quiet", "--input", archive).split()[-1]
        docker("run", "--detach", "--name", made, *told, image, *args)
        state = docker("inspect", "--format", "{{.State.Pid}}", made)
        inside = ["nsenter", f"--net=/proc/{state}/ns/net", sys.executable, __file__, "ask", filled["port"], filled["served_name"], str(limit)]
        asking = subprocess.Popen(inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while asking.poll() is None:
            if docker("inspect", "--format", "{{.State.Running}}", made) != "true":
                asking.kill()
                raise RuntimeError(f"ended before it was ready, see {log}")
            time.sleep(0.5)
        return asking.returncode == 0, f"{name}: {asking.stdout.read().strip()}"
    except (RuntimeError, OSError) as problem:
        return False, f"{name}: {problem}"
    finally:
        # Where none was made all three fail.
        with contextlib.suppress(RuntimeError):
            docker("stop", "--time", "10", made)
        with contextlib.suppress(RuntimeError):
            pathlib.Path(log).write_text(docker("logs", made))
        with contextlib.suppress(RuntimeError):
            docker("rm", "--force", made)


def warm(logs, cache, limit, most, files):
    """Four arms at a time: what they compile alike they compile twice, in half the time."""
    found = {}
    for file in files:
        for arm in arms(file):
            found.setdefault((tuple(arm[1]), json.dumps(arm[2]), arm[3]["model"]), (warmed, arm))
        for arm in contained(file, cache):
            found.setdefault((*arm[2], *arm[3]), (warmed_inside, arm))
    last = time.monotonic() + limit
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ready = []
        for good, said in pool.map(lambda each: each[0](each[1], logs, max(last - time.monotonic(), 1)), list(found.values())[:most]):
            print(said, flush=True)
            ready.append(good)
        return int(bool(ready) and not any(ready))


def beside(logs, limit, file, command):
    baseline = next(iter(arms(file)), None)
    if baseline is None:
        raise RuntimeError(f"of {file} is no command")
    _, server, env, filled = baseline
    with started(server, env, filled, f"{logs}/beside.log", limit) as ready:
        return subprocess.run(fill(command, ready)).returncode


def gpus(findings, files):
    """1 where fewer GPUs are fit than the largest server asks for, with what is wrong with the others."""
    asked = max(max(read(file).get("matrix", {}).get("gpus", [0])) for file in files)
    found = [f for f in json.loads(pathlib.Path(findings).read_text()) if f["subject"].startswith("GPU")]
    wrong = [f for f in found if f["level"] in ("absent", "spoils")]
    fit = {f["subject"] for f in found} - {f["subject"] for f in wrong}
    if asked <= len(fit):
        return 0
    for f in wrong:
        print(f"{f['subject']}: {f['found']}; next: {f['next']}", file=sys.stderr)
    return 1


def main(verb, *rest):
    if verb == "names":
        return print(*sorted(set(ALTERED.findall(pathlib.Path(rest[0]).read_text()))), sep="\n")
    if verb == "calibration":
        return print(*read(rest[0]).get("equivalence", {}).get("calibration", []), sep="\n")
    if verb == "gpus":
        return gpus(rest[0], rest[1:])
    if verb == "warm":
        return warm(rest[0], rest[1], float(rest[2]), int(rest[3]), rest[4:])
    if verb == "ask":
        return ask(rest[0], rest[1], float(rest[2]))
    logs, limit, file, _, *command = rest
    return beside(logs, float(limit), file, command)


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("names", "calibration", "gpus", "warm", "ask", "beside"):
        sys.exit(__doc__)
    # Ended from outside it still ends the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(*sys.argv[1:]))
    except RuntimeError as problem:
        sys.exit(f"the server {problem}")
