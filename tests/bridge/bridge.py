"""A ClickHouse server for tests and benchmarks, in a child process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

ROOT = Path(__file__).parents[2]
READY_S = 30.0


class Bridge:
    """The ClickHouse HTTP interface, served from chDB.

    It exists because no ClickHouse server can be installed where the tests run. It behaves as ClickHouse documents, and
    refuses what it does not know.

    Args:
        folder: Data of the engine; it survives `stop` and `kill`, and `start` serves it again on the same port.
        timezone: The server's own zone, which must not matter to its clients.
    """

    def __init__(self, folder: Path, *, user: str = "default", password: str = "", timezone: str = "UTC") -> None:
        self.folder = folder
        self.port = _free_port()
        self._user = user
        self._password = password
        self._timezone = timezone
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, database: str) -> str:
        """Return the setting `clickhouse` for *database*; it need not exist."""
        credentials = f"{quote(self._user, safe='')}:{quote(self._password, safe='')}@" if self._password else ""
        return f"http://{credentials}127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Serve, and return when it answers."""
        command = [sys.executable, "-m", "tests.bridge.server", "--path", str(self.folder.resolve())]
        command += ["--port", str(self.port), "--user", self._user, "--password", self._password, "--watch-stdin"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, env=os.environ | {"TZ": self._timezone}
        )
        deadline = time.monotonic() + READY_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the bridge does not answer at {self.address}")
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/ping", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End it as a server is stopped: the connections are closed, then the port."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End it with kill -9."""
        self._end(subprocess.Popen.kill)

    def fault(self, *, only: str = "", delay_s: float = 0.0, code: int = 0, cut: bool = False) -> None:
        """Let the statements that the pattern *only* matches be late, refused with *code*, or lose their answer."""
        wanted = {"only": only, "delay_s": delay_s, "code": code, "cut": cut}
        httpx.post(f"{self.address}/bridge/fault", json=wanted).raise_for_status()

    def heal(self) -> None:
        self.fault()

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        how(process)
        process.wait(READY_S)
        assert process.stdin is not None
        process.stdin.close()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
