"""Servers under test as processes of their own, on free ports: the real `ninelives up`, and others."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from api.client import ApiClient, ApiError

START_S = 60.0
STOP_S = 30.0


class ServerError(Exception):
    """The server under test did not start, or said something wrong."""


@dataclass(frozen=True, slots=True)
class Server:
    pid: int
    otlp_port: int
    api: ApiClient


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run Ninelives without its dashboard in *folder* and stop it afterwards; its log is `server.log` there.

    Raises:
        ServerError: it did not answer within a minute; with the end of its log.
    """
    otlp_http, otlp_grpc, api = free_ports(3)
    flags = {"data": folder / "data", "otlp-http": local(otlp_http), "otlp-grpc": local(otlp_grpc), "api": local(api)}
    with ApiClient(f"http://{local(api)}", timeout_s=30) as client:
        command = ninelives("up", "--no-dashboard", **flags)
        with process(command, folder / "server.log", lambda: _answers(client)) as pid:
            yield Server(pid, otlp_http, client)


@contextmanager
def process(command: list[str], log: Path, is_ready: Callable[[], bool]) -> Iterator[int]:
    """Run *command* in the folder of its *log* until it is left, and lend its pid as soon as it *is_ready*.

    Raises:
        ServerError: it was not ready within a minute; with the end of its log.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NINELIVES_", "ROTEL_"))}
    with log.open("wb") as output:
        started = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=output, stderr=output)
        try:
            if not _becomes_ready(started, is_ready):
                end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise ServerError(f"{' '.join(command[:4])} did not answer:\n{end}")
            yield started.pid
        finally:
            _stop(started)


def ninelives(*words: str, **flags: object) -> list[str]:
    """Return the command `ninelives *words* --flag value ...`."""
    given = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    return [sys.executable, "-m", "ninelives", *words, *given]


def local(port: int) -> str:
    return f"127.0.0.1:{port}"


def spool_bytes(folder: Path) -> int:
    """Return the bytes of all segments of the server in *folder*, sealed or not; they come and go meanwhile."""
    total = 0
    for path in folder.glob("data/spool/*/*.seg"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def listens(port: int) -> bool:
    """Return whether somebody accepts connections at *port*."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listened on a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for found in sockets:
        found.bind(("127.0.0.1", 0))
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def _answers(client: ApiClient) -> bool:
    try:
        client.status()
    except ApiError:
        return False
    return True


def _becomes_ready(started: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and started.poll() is None:
        if is_ready():
            return True
        time.sleep(0.1)
    return False


def _stop(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        started.send_signal(signal.SIGTERM)
    try:
        started.wait(STOP_S)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
