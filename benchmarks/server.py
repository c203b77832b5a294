"""The real `ninelives up` in a temporary folder on free ports."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    command = [sys.executable, "-m", "ninelives", "up", "--no-dashboard", "--data", str(folder / "data")]
    for flag, port in (("--otlp-http", otlp_http), ("--otlp-grpc", otlp_grpc), ("--api", api)):
        command += [flag, f"127.0.0.1:{port}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NINELIVES_")}
    log = folder / "server.log"
    with log.open("wb") as output, ApiClient(f"http://127.0.0.1:{api}", timeout_s=30) as client:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        try:
            _await_ready(process, client, log)
            yield Server(process.pid, otlp_http, client)
        finally:
            _stop(process)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listened on a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for found in sockets:
        found.bind(("127.0.0.1", 0))
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def _await_ready(process: subprocess.Popen[bytes], client: ApiClient, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.status()
        except ApiError:
            time.sleep(0.1)
        else:
            return
    raise ServerError(f"ninelives up did not answer:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
