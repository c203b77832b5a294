"""The bridge's engine: chDB, with a handle of its own for each request, so that no setting outlives one."""

import os

os.environ.setdefault("TZ", "UTC")  # read when the engine opens

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import chdb

from tests.bridge.statement import DATA, Statement

# two wheels bring the module chdb; which of them was installed last decides whether its error is a RuntimeError
FAILURES = (chdb.ChdbError, RuntimeError)
# HTTP status by error code, as in ClickHouse's exceptionCodeToHTTPStatus; 500 for every other
STATUS = {48: 501, 76: 503, 159: 408, 194: 401, 209: 503, 229: 413, 439: 503}
STATUS |= dict.fromkeys((192, 193, 497, 512, 516), 403)
STATUS |= dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511), 404)
STATUS |= dict.fromkeys((6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321), 400)
STATUS |= dict.fromkeys((376, 427, 441, 675, 676), 400)


class RefusedError(Exception):
    """An exception of the database: its code, and the text that a server would answer."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message if message.startswith("Code: ") else f"Code: {code}. DB::Exception: {message}")
        self.code = code

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 500)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    format: str
    summary: str


class Engine:
    """One data folder. The keeper holds it open: opening the first handle is slow, each further one takes 0.4 ms."""

    def __init__(self, folder: Path, memory_bytes: int) -> None:
        self._address = f"{folder}?max_server_memory_usage={memory_bytes}"
        self._keeper = chdb.connect(self._address)

    def run(
        self,
        statement: Statement,
        *,
        database: str,
        default_format: str,
        settings: Mapping[str, str],
        parameters: Mapping[str, str],
    ) -> Answer:
        """Run one statement.

        Raises:
            RefusedError: as the engine says.
        """
        chosen = statement.result_format or (default_format if statement.has_result else "")
        handle = chdb.connect(self._address)
        try:
            for sql in (f"USE {_quoted(database, '`')}", *map(_set, settings.items())):
                handle.query(sql, "TabSeparated")
            with _file_of(statement.data) as name:
                sql = statement.sql if statement.data is None else statement.sql.replace(DATA, name)
                found = handle.query(sql, chosen or "TabSeparated", params=dict(parameters))
            return Answer(found.bytes(), chosen, _summary(found))
        except FAILURES as error:
            code = re.search(r"Code: (\d+)", str(error))
            raise RefusedError(int(code[1]) if code else 1002, str(error)) from error
        finally:
            handle.close()

    def close(self) -> None:
        self._keeper.close()


@contextmanager
def _file_of(data: memoryview | None) -> Iterator[str]:
    """Lend a file with *data*: in the text of a statement the engine would take a line feed for the end of the data."""
    with tempfile.NamedTemporaryFile(dir=Path.cwd(), suffix=".data") as file:
        file.write(data or b"")
        file.flush()
        yield file.name


def _set(setting: tuple[str, str]) -> str:
    name, value = setting
    if not re.fullmatch(r"\w+", name):
        raise RefusedError(115, f"Unknown setting {name!r}. (UNKNOWN_SETTING)")
    return f"SET {name} = {_quoted(value)}"


def _quoted(text: str, quote: str = "'") -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def _summary(result: object) -> str:
    numbers = {
        "read_rows": result.storage_rows_read(),
        "read_bytes": result.storage_bytes_read(),
        "written_rows": result.rows_written(),
        "written_bytes": result.bytes_written(),
        "result_rows": result.rows_read(),
        "result_bytes": result.bytes_read(),
        "elapsed_ns": int(result.elapsed() * 1e9),
    }
    return json.dumps({name: str(number) for name, number in numbers.items()})
