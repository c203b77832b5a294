"""The two servers of the crash tests: `ninelives up` with its own engine, and a collector apart before a server."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crash_ledger import ROLLED_UP, STORED, Aside
from stack import CLI, Roles, Stack, get_status, wait_for

from api.client import ApiError

START_S = 180.0  # a loaded machine is slow, not wrong
DRAIN_S = 300.0

READER = """
import json, os, sys
from storage.client import Database
with Database(sys.argv[1]).client() as client:
    print(json.dumps([client.query(sql).result_rows for sql in json.load(sys.stdin)]), flush=True)
os._exit(0)
"""

Rows = Mapping[str, Mapping[str, tuple[int, int]]]


class Server(Protocol):
    """What is killed and started again."""

    process: subprocess.Popen[bytes] | None

    @property
    def data(self) -> Path: ...
    @property
    def log(self) -> str: ...
    def url(self, name: str) -> str: ...
    def launch(self) -> None:
        """Start it without waiting for it."""

    def await_ready(self) -> None: ...
    def await_written(self) -> None:
        """Wait until everything acknowledged has left the spool."""

    def finish(self, run: str) -> tuple[Rows, int]:
        """Stop it as a person does, and return the rows of *run*, and what the rollup of its spans counts."""


def kill(server: Server) -> None:
    """End *server* with kill -9."""
    process, server.process = server.process, None
    if process is not None:
        process.send_signal(signal.SIGKILL)
        process.wait(START_S)


class Embedded(Stack):
    """`ninelives up` without its dashboard."""

    def launch(self) -> None:
        self.start(wait=False)

    def await_ready(self) -> None:
        wait_for(self.is_ready, START_S, f"ninelives up to be ready in {self.folder}:\n{self.log}")

    def await_written(self) -> None:
        wait_for(self._is_written, DRAIN_S, f"the spool in {self.data} to be written:\n{self.log[-3000:]}")

    def finish(self, run: str) -> tuple[Rows, int]:
        assert self.stop(timeout_s=START_S) == 0, self.log[-3000:]
        self.process = None
        command = [sys.executable, "-c", READER, f"chdb://{self.data}/clickhouse"]
        queries = json.dumps([sql.format(run=run) for sql in (*STORED.values(), ROLLED_UP)])
        answer = subprocess.run(command, input=queries, capture_output=True, text=True, check=True, timeout=START_S)
        *tables, rolled_up = json.loads(answer.stdout)
        named = zip(STORED, tables, strict=True)
        rows = {name: {key: (count, ids) for key, count, ids in table} for name, table in named}
        return rows, rolled_up[0][0]

    def _is_written(self) -> bool:
        try:
            with self.api() as api:
                return not any(lane.spool_bytes for lane in api.status().ingest)
        except ApiError:
            return False


@dataclass
class Apart(Roles):
    """A collector apart. Its database server outlives it and is shared by the tests of a module."""

    def launch(self) -> None:
        with (self.folder / "collector.log").open("ab") as log:
            command = [*CLI, "collector"]
            environment = self.environment()
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def await_ready(self) -> None:
        probe = f"{self.url('collector-health')}/readyz"
        wait_for(lambda: get_status(probe) == 200, START_S, f"the collector in {self.folder} to be ready:\n{self.log}")

    def await_written(self) -> None:
        wait_for(
            lambda: self.waiting_bytes() == 0, DRAIN_S, f"the spool in {self.data} to be written:\n{self.log[-3000:]}"
        )

    def finish(self, run: str) -> tuple[Rows, int]:
        assert self.stop(timeout_s=START_S) == 0, self.log[-3000:]
        self.process = None
        rows = {name: self._table(sql.format(run=run)) for name, sql in STORED.items()}
        return rows, int(self.ask(ROLLED_UP.format(run=run)))

    def _table(self, sql: str) -> dict[str, tuple[int, int]]:
        lines = (line.split("\t") for line in self.ask(sql).splitlines())
        return {key: (int(count), int(ids)) for key, count, ids in lines}


def letters_of(server: Stack) -> list[Aside]:
    """Return the dead letters as the command lists them, with their bytes; without letters nobody has to be asked."""
    if not any((server.data / "dead-letter").glob("*")):
        return []
    answer = server.command("collector", "dead-letters", "--json")
    assert answer.returncode == 0, answer.stderr
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return [
        Aside(item["signal"], item["items"], item["reason"], Path(item["file"]).read_bytes(), Path(item["file"]).name)
        for item in found
    ]
