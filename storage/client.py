"""The one place that opens ClickHouse: embedded (chDB) or a server, chosen by URL, through one client library."""

import os
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# The engine reads its zone when it opens; a DateTime without one must mean UTC everywhere.
os.environ["TZ"] = "UTC"

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from storage.errors import DatabaseError, DatabaseUrlError

DEFAULT_DATABASE = "ninelives"
MAX_CLIENTS = 8
ENGINE_FAILURES = (ClickHouseError, RuntimeError, OSError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed ClickHouse URL."""

    embedded: bool
    database: str
    path: str = ""
    host: str = ""
    port: int = 0
    secure: bool = False
    user: str = "default"
    password: str = ""


def parse_url(url: str) -> Address:
    """Return where *url* points: `chdb:///absolute/folder[?database=name]` or `http[s]://[user:pass@]host[:port][/database]`.

    Raises:
        DatabaseUrlError: any other form.

    >>> parse_url("http://u:p%40@db:8123/obs").password
    'p@'
    """
    parts = urlsplit(url)
    if parts.scheme == "chdb":
        path = url.removeprefix("chdb://").partition("?")[0]
        if not Path(path).is_absolute():
            raise DatabaseUrlError(
                f"{url!r}: the folder of an embedded database must be absolute, as in chdb:///var/lib/ninelives"
            )
        database = parse_qs(parts.query).get("database", [DEFAULT_DATABASE])[0]
        return Address(embedded=True, database=database, path=path)
    if parts.scheme in {"http", "https"} and parts.hostname:
        return Address(
            embedded=False,
            database=parts.path.strip("/") or DEFAULT_DATABASE,
            host=parts.hostname,
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            secure=parts.scheme == "https",
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
        )
    raise DatabaseUrlError(
        f"{url!r} is not a ClickHouse URL; use chdb:///folder or http://user:password@host:8123/database"
    )


@cache
def load_query(name: str) -> str:
    """Return the text of `queries/<name>.sql`."""
    return resources.files("storage").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


class Database:
    """A pool of clients of one ClickHouse database. A client serialises its calls, so each call borrows one.

    Args:
        url: See `parse_url`.
        memory_bytes: Cap of the embedded engine's memory; a server has its own.
    """

    def __init__(self, url: str, *, memory_bytes: int = 2 << 30) -> None:
        self.address = parse_url(url)
        self._memory_bytes = memory_bytes
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._slots = threading.Semaphore(MAX_CLIENTS)
        self._lock = threading.Lock()
        self._open: list[Client] = []
        with _translated():
            bootstrap = self._connect("default")
            try:
                bootstrap.command(f"CREATE DATABASE IF NOT EXISTS `{self.address.database}`")
            finally:
                bootstrap.close()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Lend a client to one caller. Failures inside come out as DatabaseError."""
        with self._slots, _translated():
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                client = self._connect(self.address.database)
                with self._lock:
                    self._open.append(client)
            try:
                yield client
            finally:
                self._idle.put(client)

    def rows(self, name: str, parameters: Mapping[str, Any] | None = None, **slots: str) -> list[dict[str, Any]]:
        """Run `queries/<name>.sql` and return its rows by column name.

        Values go in as server-side *parameters*. *slots* fill `/*name*/` places with SQL that this package made itself
        (a compiled predicate), never with a user's text.
        """
        sql = load_query(name)
        for slot, text in slots.items():
            sql = sql.replace(f"/*{slot}*/", text)
        with self.client() as client:
            return list(client.query(sql, parameters=dict(parameters or {}), tz_mode="aware").named_results())

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
        with self.client() as client:
            return client.command(sql, parameters=dict(parameters or {}))

    def insert(
        self, table: str, rows: Sequence[Sequence[Any]], columns: Sequence[str], *, token: str | None = None
    ) -> None:
        """Insert *rows*; with *token*, at most once into a table that has a deduplication window."""
        if not rows:
            return
        settings: dict[str, Any] = {"async_insert": 0}
        if token is not None:
            settings["insert_deduplication_token"] = token
        with self.client() as client:
            client.insert(table, rows, column_names=list(columns), settings=settings)

    def close(self) -> None:
        """Close every client. Nothing may use the database afterwards."""
        with self._lock:
            for client in self._open:
                client.close()
            self._open.clear()

    def _connect(self, database: str) -> Client:
        address = self.address
        if address.embedded:
            Path(address.path).mkdir(parents=True, exist_ok=True)
            return clickhouse_connect.get_client(
                interface="chdb", path=address.path, database=database, chdb_options=_engine_options(self._memory_bytes)
            )
        return clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            secure=address.secure,
            username=address.user,
            password=address.password,
            database=database,
            autogenerate_session_id=False,  # a session forbids concurrent calls
        )


def _engine_options(memory_bytes: int) -> dict[str, int]:
    """Return the engine's memory and cache caps; its defaults are sized for a machine of its own."""
    cache_bytes = max(16 << 20, memory_bytes // 16)
    return {
        "max_server_memory_usage": memory_bytes,
        "mark_cache_size": cache_bytes,
        "index_mark_cache_size": cache_bytes,
        "primary_index_cache_size": cache_bytes,
    }


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ENGINE_FAILURES as error:
        raise DatabaseError(str(error)) from error
