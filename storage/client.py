"""The one place that opens ClickHouse: embedded (chDB) or a server, chosen by URL, through one client library."""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

# The engine reads its zone when it opens; a DateTime without one must mean UTC everywhere.
os.environ["TZ"] = "UTC"

import clickhouse_connect
from clickhouse_connect.driver import options
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from storage.errors import DatabaseError, DatabaseUrlError

# Each insert asks whether its rows are a data frame: that would load pandas, 45 to 80 MB for an answer known before.
options.pd = options.np = None

DEFAULT_DATABASE = "ninelives"
MAX_CLIENTS = 8
CONNECT_S = 5
ANSWER_S = 30  # a server that still works on a long query says so in between
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
        create: Connect now, and make the database where it is missing. Otherwise the first use connects.
        check: Called before the first client is lent; what it raises the caller gets, and the next one again.

    Raises:
        DatabaseUrlError: *url* is of another form.
        DatabaseError: with *create*, the database cannot be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        memory_bytes: int = 2 << 30,
        create: bool = True,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.address = parse_url(url)
        self._memory_bytes = memory_bytes
        self._check = check
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._slots = threading.Semaphore(MAX_CLIENTS)
        self._lock = threading.Lock()
        self._open: list[Client] = []
        if create:
            self._create()

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Lend a client to one caller. Failures inside come out as DatabaseError."""
        with self._slots, _translated():
            client = self._borrowed()
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
            found = client.query(sql, parameters=dict(parameters or {}), tz_mode="aware", query_tz="UTC")
            return list(found.named_results())

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
        with self.client() as client:
            return client.command(sql, parameters=dict(parameters or {}))

    def insert_encoded(
        self, table: str, data: Path | memoryview | bytes, fmt: str, settings: Mapping[str, str | int]
    ) -> None:
        """Insert *data*, which is in ClickHouse's format *fmt*; the embedded engine reads a file by itself.

        Raises:
            DatabaseError: whether anything was stored, its code may tell.
            OSError: the file cannot be read.
        """
        if isinstance(data, Path) and self.address.embedded:
            with data.open("rb") as file:
                self.command(_insert_file(table, file.fileno(), fmt, settings))
            return
        block = memoryview(data.read_bytes()) if isinstance(data, Path) else data
        with self.client() as client:
            # the annotation of insert_block is narrower than what it takes
            client.raw_insert(table, insert_block=cast("bytes", block), fmt=fmt, settings=dict(settings))

    def insert(
        self, table: str, rows: Sequence[Sequence[Any]], columns: Sequence[str], *, token: str | None = None
    ) -> None:
        """Insert *rows*; with *token*, at most once into a table that has a deduplication window.

        Without one they may be stored twice: the client library sends them again when a connection breaks.
        """
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

    def _create(self) -> None:
        with _translated():
            bootstrap = self._connect("default")
            try:
                bootstrap.command(f"CREATE DATABASE IF NOT EXISTS `{self.address.database}`")
            finally:
                bootstrap.close()

    def _borrowed(self) -> Client:
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        return self._opened()

    def _opened(self) -> Client:
        if self._check is not None:
            self._check()
            self._check = None
        client = self._connect(self.address.database)
        with self._lock:
            self._open.append(client)
        return client

    def _connect(self, database: str) -> Client:
        address = self.address
        if address.embedded:
            Path(address.path).mkdir(parents=True, exist_ok=True)
            return clickhouse_connect.get_client(
                interface="chdb", path=address.path, database=database, chdb_options=_engine_options(self._memory_bytes)
            )
        client = clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            secure=address.secure,
            username=address.user,
            password=address.password,
            database=database,
            connect_timeout=CONNECT_S,
            send_receive_timeout=ANSWER_S,
            autogenerate_session_id=False,  # a session forbids concurrent calls
        )
        client.server_tz = UTC  # parameters are written in this zone, and ours are declared as UTC
        return client


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
        raise DatabaseError(_message(error)) from error


def _message(error: Exception) -> str:
    """Return what went wrong; of a lost connection only the root, which the client library wraps four times."""
    if not isinstance(error.__cause__, HTTPError):
        return str(error)
    root: BaseException = error.__cause__
    below = root.__context__
    while below is not None:
        root, below = below if isinstance(below, OSError) else root, below.__cause__ or below.__context__
    return f"the database server does not answer: {str(root) or type(root).__name__}"


def _insert_file(table: str, descriptor: int, fmt: str, settings: Mapping[str, str | int]) -> str:
    """Return the statement that the client library makes of a block, after it has copied it into a file.

    The file has no name in it: one with braces would be read as a pattern, and nothing inserted, without an error.

    >>> _insert_file("t", 7, "Protobuf", {"async_insert": 0, "token": "it's"})
    "INSERT INTO t FROM INFILE '/dev/fd/7' SETTINGS async_insert = '0', token = 'it''s' FORMAT Protobuf"
    """
    given = ", ".join(f"{name} = {_quoted(str(value))}" for name, value in settings.items())
    return f"INSERT INTO {table} FROM INFILE '/dev/fd/{descriptor}' SETTINGS {given} FORMAT {fmt}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
