"""An engine behind the ClickHouse HTTP interface, asked by its own books."""

from types import TracebackType
from typing import Self

import httpx

from tests.bridge.bridge import Bridge


class Store:
    """One database of *bridge*; it need not exist yet."""

    def __init__(self, bridge: Bridge, database: str) -> None:
        self.pid = bridge.pid
        self._database = database
        self._http = httpx.Client(base_url=bridge.address, timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def create(self, script: str) -> None:
        """Make the database and run the statements of *script*, which lines of a single `;` separate."""
        self._run(f"CREATE DATABASE {self._database}", "default")
        for statement in script.split("\n;\n"):
            self._run(statement, self._database)

    def rows(self, table: str) -> int:
        """Return the rows of *table* that can be queried."""
        return self._sum("rows", f"AND table = '{table}'")

    def disk_bytes(self) -> int:
        """Return the bytes of the live parts of all tables."""
        return self._sum("bytes_on_disk")

    def _sum(self, column: str, where: str = "") -> int:
        parts = f"system.parts WHERE active AND database = '{self._database}' {where}"
        return int(self._run(f"SELECT sum({column}) FROM {parts}", "default"))

    def _run(self, sql: str, database: str) -> str:
        return self._http.post("/", params={"database": database}, content=sql).raise_for_status().text
