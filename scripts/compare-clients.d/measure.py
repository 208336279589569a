"""One client on one scenario: the server, the capture, and what the client used."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE_S = 0.02
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """CPU seconds of a process so far, its waited-for children included."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def machine_cpu():
    """CPU seconds that the machine was busy, and that its host took away."""
    with open("/proc/stat") as file:
        times = [int(field) for field in file.readline().split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = times
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The stub on a free port, with its send log."""

    def __init__(self, program, scenario, folder):
        self.port = free_port()
        self.log = f"{folder}/send.csv"
        self.errors = open(f"{folder}/server.txt", "w+")
        command = [program, "--port", str(self.port), "--canned", "--ttft", scenario.ttft, "--itl", scenario.itl]
        command += ["--send-log", self.log, *scenario.server]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self.errors)
        for _ in range(500):
            time.sleep(0.01)
            self.errors.seek(0)
            if "listening" in self.errors.read():
                break
        else:
            self.process.kill()
            raise SystemExit(f"compare-clients: the server does not start: {' '.join(command)}")
        self.began = cpu_of(self.process.pid)

    def stop(self):
        """Ends it; returns its CPU seconds."""
        used = cpu_of(self.process.pid) - self.began
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        return used


class Capture:
    """tcpdump on the loopback interface: only packets of this port with a payload, as they come in."""

    def __init__(self, port, folder):
        self.file = f"{folder}/packets.pcap"
        self.said = open(f"{folder}/tcpdump.txt", "w+")
        payload = "(ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) != 0"
        command = ["tcpdump", "-i", "lo", "-n", "-Q", "in", "-B", "131072", "-s", "65535", "-Z", "root"]
        command += ["--time-stamp-precision=nano", "-w", self.file, f"tcp port {port} and {payload}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self.said)
        for _ in range(500):
            time.sleep(0.01)
            self.said.seek(0)
            if "listening on" in self.said.read():
                break
        else:
            self.process.kill()
            raise SystemExit("compare-clients: tcpdump does not start; try --judge log")

    def stop(self):
        """Ends it; returns its CPU seconds and how many packets it lost."""
        # The kernel hands packets over in blocks, the last one after a second.
        size = -1
        while size != os.path.getsize(self.file):
            size = os.path.getsize(self.file)
            time.sleep(1.5)
        self.process.send_signal(signal.SIGINT)
        _, _, used = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.said.seek(0)
        counts = {}
        for line in self.said.read().splitlines():
            words = line.split(" ", 1)
            if words[0].isdigit():
                counts[words[1]] = int(words[0])
        lost = sum(count for what, count in counts.items() if "dropped" in what)
        return used.ru_utime + used.ru_stime, lost


def used_by(pid):
    """Bytes in memory and CPU seconds so far of all descendants of a process."""
    memory, cpu, left = 0, 0.0, [pid]
    while left:
        parent = left.pop()
        try:
            with open(f"/proc/{parent}/task/{parent}/children") as file:
                children = file.read().split()
        except OSError:
            continue
        for child in children:
            try:
                with open(f"/proc/{child}/statm") as file:
                    memory += int(file.read().split()[1]) * PAGE
                cpu += cpu_of(child)
            except OSError:
                continue
            left.append(child)
    return memory, cpu


def launch(command, said, limit_s):
    """Runs a command; ends all of it at the limit. Returns what it used, fifty times a second."""
    samples, last = [], time.monotonic() + limit_s
    with open(said, "w") as out:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=lambda: os.setpgid(0, 0)
        )
        try:
            while child.poll() is None and time.monotonic() < last:
                time.sleep(SAMPLE_S)
                samples.append((time.monotonic_ns(), *used_by(child.pid)))
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    return samples


def in_flight(samples, first_ns, last_ns):
    """The most memory up to the last answer's end, and the CPU seconds from the first request to that end."""
    memory = max((memory for at, memory, _ in samples if at <= last_ns), default=None)
    before = [cpu for at, _, cpu in samples if at <= first_ns]
    # A process that has ended uses nothing by now: its last sample is the largest.
    until = [cpu for at, _, cpu in samples if at <= last_ns]
    after = [cpu for at, _, cpu in samples if at > last_ns]
    if not until:
        return memory, None
    end = until[-1] if not after or after[0] < until[-1] else (until[-1] + after[0]) / 2
    return memory, end - (before[-1] if before else 0.0)


def judged(*arguments):
    """What the judge says; a process of its own, so that this one stays small."""
    said = subprocess.run([sys.executable, "-I", f"{HERE}/judge.py", *arguments], capture_output=True, check=True)
    return json.loads(said.stdout)


def measure(programs, client, scenario, folder, use_capture, limit_s):
    """Runs a client once; returns everything that was seen."""
    started = []
    try:
        server = Server(f"{programs}/stub", scenario, folder)
        started.append(server.process)
        capture = Capture(server.port, folder) if use_capture else None
        started.extend([capture.process] if capture else [])
        return seen_of(programs, client, scenario, folder, server, capture, limit_s)
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                process.wait()


def seen_of(programs, client, scenario, folder, server, capture, limit_s):
    """The run itself."""
    busy, stolen = machine_cpu()
    began = time.monotonic()
    command = client.command(scenario, server.port, folder)
    samples = launch([f"{programs}/launch", f"{folder}/used.json", *command], f"{folder}/client.txt", limit_s)
    wall = time.monotonic() - began
    busy_then, stolen_then = machine_cpu()
    seen = {"server_cpu_s": server.stop(), "capture_cpu_s": 0.0, "lost_packets": 0}
    if capture:
        seen["capture_cpu_s"], seen["lost_packets"] = capture.stop()
    try:
        with open(f"{folder}/used.json") as file:
            seen["used"] = json.load(file)
    except OSError:
        raise SystemExit(f"compare-clients: {client.name} did not end in {limit_s} s: {' '.join(command)}") from None
    seen["cpu_s"] = seen["used"]["user_s"] + seen["used"]["system_s"]
    ours = seen["server_cpu_s"] + seen["capture_cpu_s"] + seen["cpu_s"]
    cores = os.cpu_count() or 1
    seen["others_share"] = max(busy_then - busy - ours, 0.0) / wall / cores
    seen["stolen_share"] = (stolen_then - stolen) / wall / cores
    seen["log"] = judged("log", server.log)
    log = seen["log"]
    seen["in_flight_bytes"], seen["in_flight_cpu_s"] = in_flight(samples, log["first_ns"], log["last_ns"])
    seen["capture"] = judged("capture", capture.file, str(server.port)) if capture else None
    try:
        seen["reported"] = client.read(folder)
    except (OSError, ValueError, KeyError, IndexError, subprocess.CalledProcessError) as error:
        seen["reported"] = None
        seen["failure"] = f"exit {seen['used']['exit']}, no report ({error!r}); see {folder}/client.txt"
    return seen
