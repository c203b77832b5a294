"""A supervised service behind a proxy edge, the fault daemon and a runner, each a process of its own, to be killed."""

import contextlib
import json
import os
import random
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
import yaml

from chaos.errors import FaultDaemonError
from chaos.fault_client import FaultClient
from tests.integration.chaos_daemon import DAEMON, ROOT, Hello, answers, eventually, free_port, http_server
from tests.integration.chaos_victim import SERVICE

LEASE_S = 2.0
IN_TIME_S = 0.5

RUNNER = """
import json, sys, time
from chaos.errors import FaultDaemonError
from chaos.fault_client import FaultClient
from chaos.wire import FaultRequest

client, faults = FaultClient(sys.argv[1]), []

def ask(call, *arguments):
    try:
        return call(*arguments)
    except FaultDaemonError as error:
        if not error.status:  # the daemon has gone: a runner gives up
            raise SystemExit(3)

def renew():
    for fault in faults:
        ask(client.renew, fault.id, fault.lease_ms)

for document in json.loads(sys.argv[2]):
    fault = ask(client.inject, FaultRequest.model_validate(document))
    faults += [fault] if fault else []
    renew()
while True:
    time.sleep(faults[0].lease_ms / 4000 if faults else 0.1)
    renew()
"""

CLI = """#!/bin/sh
# a container CLI that keeps the status of one container in a file
file="$(dirname "$0")/status"
case "$1" in
    container) echo "$(cat "$file") c0ffee" ;;
    pause) echo paused > "$file" ;;
    kill) echo exited > "$file" ;;
    unpause | start) echo running > "$file" ;;
esac
"""


def random_faults(rng):
    """Return requests of some kinds in random order, one of each; what `kill` restarts comes last."""
    attributes = {
        "latency": {"latency": rng.randint(1000, 3000)},
        "partition": {"mode": rng.choice(["refuse", "blackhole", "reset"])},
        "http": {"status": 503},
        "hang": {},
        "cpu": {"load": rng.uniform(0.5, 1), "workers": rng.randint(1, 4)},
        "memory": rng.choice([{"mb": rng.randint(1, 32)}, {"mb": rng.randint(1, 32), "mode": "ballast"}]),
        "file_descriptors": {"spare": rng.randint(0, 3)},
        "disk": {"mb": rng.randint(1, 128)},
        "cache_flush": {},
        "pool": {"connections": rng.randint(1, 8)},
        "command": {},
        "container": {"action": rng.choice(["pause", "kill"])},
        "kill": rng.choice([{}, {"every_s": 0.5}]),
    }
    targets = {
        "latency": "edge",
        "partition": "edge",
        "http": "edge",
        "cache_flush": "cache",
        "pool": "pool",
        "command": "marker",
    }
    chosen = rng.sample([kind for kind in attributes if kind != "kill"], rng.randint(3, 6))
    chosen += ["kill"] if rng.random() < 0.3 else []
    return [
        {
            "kind": kind,
            "target": targets.get(kind, "orders"),
            "lease_ms": round(LEASE_S * 1000),
            "attributes": attributes[kind],
        }
        for kind in chosen
    ]


class Supervisor:
    """Keeps the service alive on its port and writes its pid file."""

    def __init__(self, pid_file, port):
        self.pid_file, self.port = pid_file, port
        self._stop = threading.Event()
        self._spawn()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def process(self):
        return psutil.Process(self._child.pid)

    def end(self):
        self._stop.set()
        self._thread.join()
        self._child.kill()
        self._child.wait()

    def _spawn(self):
        self._child = subprocess.Popen(
            [sys.executable, "-S", "-c", SERVICE, str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        document = {"pid": self._child.pid, "create_time": psutil.Process(self._child.pid).create_time()}
        draft = self.pid_file.with_suffix(".draft")
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(self.pid_file)

    def _watch(self):
        while not self._stop.wait(0.02):
            if self._child.poll() is not None:
                self._spawn()


class Stage:
    """All of them, and what can be seen of them from outside."""

    def __init__(self, folder, cache_url):
        self.folder, self.disk, self.undo = folder, folder / "disk", folder / "chaos" / "undo"
        self.disk.mkdir()
        self.cli = folder / "bin" / "docker"
        self.cli.parent.mkdir()
        self.cli.write_text(CLI, encoding="utf-8")
        self.cli.chmod(stat.S_IRWXU)
        self.container = folder / "bin" / "status"
        self.container.write_text("running\n", encoding="utf-8")
        self.service_port, self.edge_port, self.daemon_port = free_port(), free_port(), free_port()
        self.edge = f"http://127.0.0.1:{self.edge_port}/"
        self.url = f"http://127.0.0.1:{self.daemon_port}"
        self.targets = folder / "targets.yaml"
        self.targets.write_text(yaml.safe_dump(self._targets(cache_url)), encoding="utf-8")
        self.supervisor = Supervisor(folder / "orders.json", self.service_port)
        self.daemon_pids = []
        self.runner = None
        self.start_daemon()

    def _targets(self, cache_url):
        marker = str(self.disk / "marker")
        edge = {"listen": f"127.0.0.1:{self.edge_port}", "upstream": f"127.0.0.1:{self.service_port}"}
        command = {"inject": ["touch", marker], "undo": ["rm", "-f", marker], "check": ["test", "!", "-e", marker]}
        return {
            "proxies": [{"name": "edge", "protocol": "http", "client": "gateway", "server": "orders"} | edge],
            "processes": [{"name": "orders", "pid_file": "orders.json", "disk_folder": "disk"}],
            "commands": [{"name": "marker"} | command],
            "containers": [{"name": "orders", "container": "shop-orders-1"}],
            "caches": [{"name": "cache", "flush": {"method": "GET", "url": cache_url}}],
            "pools": [{"name": "pool", "address": f"127.0.0.1:{self.service_port}"}],
        }

    def start_daemon(self):
        command = [sys.executable, "-c", DAEMON, str(self.daemon_port), str(self.targets), str(self.folder)]
        path = f"{self.cli.parent}{os.pathsep}{os.environ['PATH']}"
        self.daemon = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, env=os.environ | {"PATH": path})
        self.daemon_pids.append(self.daemon.pid)
        eventually(lambda: answers(f"{self.url}/version"), 60)

    def start_runner(self, faults):
        self.runner = subprocess.Popen([sys.executable, "-c", RUNNER, self.url, json.dumps(faults)], cwd=ROOT)
        eventually(lambda: self.undo.is_dir() and any(self.undo.glob("f-*.json")), 60)

    def kill(self, who):
        """Kill -9 the runner, the daemon, or both in this order."""
        for process in {"runner": [self.runner], "daemon": [self.daemon], "both": [self.runner, self.daemon]}[who]:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()

    def answers_in_time(self):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.edge, timeout=IN_TIME_S, trust_env=False).text == "ok"
        return False

    def leftovers(self):
        """Return what is still broken, in words; asked of the system and not of the daemon, but for its own list."""
        found = [f"undo record {path.name}" for path in self.undo.iterdir()]
        found += [f"file {path.name}" for path in self.disk.iterdir()]
        found += [f"worker {' '.join(process.cmdline())}" for process in self.workers()]
        if (status := self.container.read_text(encoding="utf-8").strip()) != "running":
            found.append(f"container {status}")
        try:
            found += self._of_service(self.supervisor.process())
            with FaultClient(self.url) as client:
                found += [f"{each.kind} {each.phase} {each.detail}" for each in client.faults() if not each.verified]
        except (psutil.Error, FaultDaemonError) as error:
            found.append(f"cannot tell: {error}")
        return found

    def _of_service(self, process):
        whole, cores = psutil.Process(), os.sched_getaffinity(0)
        if process.status() == psutil.STATUS_STOPPED:
            yield "the service is stopped"
        for limit in (psutil.RLIMIT_NOFILE, psutil.RLIMIT_AS):
            if process.rlimit(limit) != whole.rlimit(limit):
                yield f"limit {limit} is {process.rlimit(limit)}"
        for thread in process.threads():
            if os.sched_getaffinity(thread.id) != cores:
                yield f"thread {thread.id} is pinned"

    def workers(self):
        parents = {str(pid) for pid in self.daemon_pids}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if any(word.endswith("worker_main.py") for word in words) and parents & set(words):
                    yield process

    def end(self):
        if self.runner is not None:
            self.runner.kill()
            self.runner.wait()
        if self.daemon.poll() is None:
            self.daemon.stdin.close()
            self.daemon.wait(20)
        self.supervisor.end()


@contextlib.contextmanager
def stage(folder: Path):
    with http_server(Hello) as cache:
        found = Stage(folder, f"http://127.0.0.1:{cache.server_port}/")
        try:
            yield found
        finally:
            found.end()


def killed_at_random(folder, seed):
    """Break things at random, kill -9 somebody at a random moment, and return what became of it.

    The answer is how many seconds after its reckoning the service answered in time again, the seconds until nothing
    was left, and what is left. The reckoning begins with the kill, or when the daemon that was killed is back.
    """
    rng, who = random.Random(seed), ("runner", "daemon", "both")[seed % 3]
    with stage(folder) as scene:
        eventually(scene.answers_in_time, 60)
        scene.start_runner(random_faults(rng))
        time.sleep(rng.uniform(0, 2))
        scene.kill(who)
        if who != "runner":
            eventually(lambda: not list(scene.workers()), 1)  # they die with their daemon, not with its return
            scene.start_daemon()
        began = time.monotonic()
        eventually(scene.answers_in_time, 60)
        answered_s = time.monotonic() - began
        while (left := scene.leftovers()) and time.monotonic() - began < 30:
            time.sleep(0.05)
        clean_s = time.monotonic() - began
        return answered_s, clean_s, left
