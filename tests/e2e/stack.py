"""The real program, started as a person starts it, on free ports and in a folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.client import ApiClient, ApiError
from tests.bridge.bridge import Bridge

CLI = [sys.executable, "-m", "ninelives"]
READY_S = 30.0


def wait_for(question: Callable[[], Any], timeout_s: float, what: str, *, pause_s: float = 0.25) -> Any:
    """Return the first true answer of *question*; fail after *timeout_s*, naming *what* was waited for."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(pause_s)
    pytest.fail(f"waited {timeout_s:.0f} s in vain for {what}")


def free_port(block: int = 1) -> int:
    """Return a port that is free now, as are the *block* - 1 ports behind it and as many from 100 above."""
    while True:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port < 64000 and all(_is_free(port + offset) for offset in (*range(block), *range(100, 100 + block))):
            return port


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclass
class Stack:
    """One `ninelives up`, and how to talk to it."""

    folder: Path
    flags: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0

    def __post_init__(self) -> None:
        names = ("otlp-http", "otlp-grpc", "api", "dashboard", "faults")
        self.ports = {name: free_port() for name in names} | {"demo": free_port(5)}

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        return (self.folder / "up.log").read_text(errors="replace")

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def api(self) -> ApiClient:
        return ApiClient(self.url("api"), timeout_s=30)

    def setting_flags(self) -> list[str]:
        flags = ["--data", str(self.data), "--slos", str(self.folder / "slos"), "--demo-port", str(self.ports["demo"])]
        for name in ("otlp-http", "otlp-grpc", "api", "dashboard", "faults"):
            flags += [f"--{name}", f"127.0.0.1:{self.ports[name]}"]
        return flags

    def start(self, *, wait: bool = True) -> None:
        with (self.folder / "up.log").open("ab") as log:
            self.started_at = time.monotonic()
            self.process = subprocess.Popen(
                [*CLI, "up", *self.setting_flags(), *self.flags], cwd=self.folder, stdout=log, stderr=log
            )
        if wait:
            wait_for(self.is_ready, READY_S, f"ninelives up to be ready:\n{self.log}")

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            with self.api() as api:
                return bool(api.status())
        except ApiError:
            return False

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 15.0) -> int:
        """Send *number* and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def command(self, *words: str, timeout_s: float = 240.0) -> subprocess.CompletedProcess[str]:
        """Run a command of ours against this stack."""
        return subprocess.run(
            [*CLI, *words],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        names = {"otlp-http": "OTLP_HTTP", "otlp-grpc": "OTLP_GRPC", "api": "API", "faults": "FAULTS"}
        return os.environ | {
            "NINELIVES_DATA": str(self.data),
            "NINELIVES_SLOS": str(self.folder / "slos"),
            **{f"NINELIVES_{names[name]}": f"127.0.0.1:{self.ports[name]}" for name in names},
        }

    def stored(self) -> tuple[int, int]:
        """Return (rows, distinct span ids) of spans, read from the data folder of a stopped stack."""
        script = (
            "import os, sys; from storage.client import Database\n"
            "with Database(sys.argv[1]).client() as c:\n"
            "    print(*c.query('SELECT count(), uniqExact(trace_id, span_id) FROM spans').first_row, flush=True)\n"
            "os._exit(0)"
        )
        command = [sys.executable, "-c", script, f"chdb://{self.data}/clickhouse"]
        rows, ids = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.split()
        return int(rows), int(ids)


@dataclass
class Roles(Stack):
    """The roles apart, each a process of its own, before one server. Collectors beyond the first have a folder each."""

    bridge: Bridge = field(init=False)
    roles: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("collector-health", "evaluator-health"):
            self.ports[name] = free_port()
        self.bridge = Bridge(self.folder / "clickhouse", user="ninelives", password="p@ss/word")

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def environment(self) -> dict[str, str]:
        own = {
            "NINELIVES_CLICKHOUSE": self.bridge.url("apart"),
            "NINELIVES_DASHBOARD": f"127.0.0.1:{self.ports['dashboard']}",
            "NINELIVES_COLLECTOR_HEALTH": f"127.0.0.1:{self.ports['collector-health']}",
            "NINELIVES_EVALUATOR_HEALTH": f"127.0.0.1:{self.ports['evaluator-health']}",
            "PYDANTIC_DISABLE_PLUGINS": "__all__",  # an instrumentation of the tests brings one, at half a start's time
        }
        return super().environment() | own

    def start_role(self, role: str, probe: str) -> float:
        """Start *role*, wait until *probe* answers 200, and return how many seconds of CPU that took."""
        with (self.folder / f"{role}.log").open("ab") as log:
            command = [*CLI, role]
            self.roles[role] = subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=log, stderr=log
            )
        wait_for(lambda: get_status(probe) == 200, READY_S, f"{role} to answer at {probe}:\n{self.log}", pause_s=0.02)
        used = psutil.Process(self.roles[role].pid).cpu_times()
        return float(used.user + used.system)

    def stop_role(self, role: str, number: int = signal.SIGTERM, timeout_s: float = 15.0) -> int:
        process = self.roles.pop(role)
        process.send_signal(number)
        return process.wait(timeout_s)

    def waiting_bytes(self) -> float:
        """Return what the collector has acknowledged and not stored yet."""
        lines = httpx.get(f"{self.url('collector-health')}/metrics", trust_env=False).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("ninelives_spool_bytes{"))

    def stored(self) -> tuple[int, int]:
        """Return (rows, distinct span ids) of spans, asked of the server."""
        sql = "SELECT count(), uniqExact(trace_id, span_id) FROM spans"
        rows, ids = self.ask(sql).split()
        return int(rows), int(ids)

    def ask(self, sql: str, database: str = "apart") -> str:
        options = {"database": database, "user": "ninelives", "password": "p@ss/word"}
        return httpx.post(self.bridge.address, params=options, content=sql, trust_env=False).raise_for_status().text

    def end(self) -> None:
        """Stop whatever still runs."""
        for role in list(self.roles):
            self.stop_role(role, signal.SIGKILL)
        self.bridge.stop()


def get_status(url: str) -> int:
    """Return the status of the answer, 0 when there is none."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code
    except httpx.HTTPError:
        return 0


@dataclass
class Webhook:
    """A local receiver of alerts."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)

    def of(self, status: str, slo_id: str) -> list[dict[str, Any]]:
        """Return the received alerts of one status and objective."""
        return [
            alert
            for payload in self.received
            for alert in payload["alerts"]
            if alert["status"] == status and alert["labels"]["slo_id"] == slo_id
        ]


def processes_of(folder: Path) -> list[int]:
    """Return the processes whose command line names *folder*."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in line and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found
