"""What the database derives from what it stores: `views/*.sql`, made anew whenever their text changes.

They are SQL functions, materialized views, the Null tables between them, and plain views; none of them holds data.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from storage.client import Database
from storage.errors import DatabaseError, MigrationError
from storage.migration import Migration

DAY_NS = 86_400_000_000_000
HEAVIEST = 1_000_000  # a sampling weight beyond this is a mistake or an attack, and would drown every other span
DERIVED = (
    "SELECT name, engine FROM system.tables WHERE database = currentDatabase()"
    " AND engine IN ('MaterializedView', 'View', 'Null')"
)
MARKER = "views_checksum"
READ_MARKER = "SELECT checksum FROM views_checksum"


@dataclass(frozen=True, slots=True)
class CacheAttribute:
    """The span attribute that tells hits from misses, and its values."""

    key: str = "cache.hit"
    hits: tuple[str | bool, ...] = (True, "true", "hit", "HIT")
    misses: tuple[str | bool, ...] = (False, "false", "miss", "MISS")


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What settings say inside views.

    Attributes:
        sampling: One span in how many a service sends, where its trace state does not tell.
    """

    raw_days: int = 14
    metrics_days: int = 31
    logs_days: int = 14
    sampling: Mapping[str, int] = field(default_factory=dict)
    cache: CacheAttribute = CacheAttribute()


def load_views(settings: ViewSettings) -> list[Migration]:
    """Return the statements in order; the last one creates the marker that says that all are there."""
    folder = resources.files("storage").joinpath("views")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    slots = _slots(settings)
    views = [Migration(file.name.removesuffix(".sql"), _fill(file.read_text("utf-8"), slots)) for file in files]
    marker = f"CREATE VIEW {MARKER} AS SELECT '{_checksum(views)}' AS checksum"
    return [*views, Migration(f"99_{MARKER}", marker)]


def are_current(database: Database, views: Sequence[Migration]) -> bool:
    """Return whether exactly *views* are in place."""
    try:
        found = database.command(READ_MARKER)
    except DatabaseError:
        return False
    return str(found) == _checksum(views[:-1])


def recreate(database: Database, views: Sequence[Migration]) -> None:
    """Drop everything derived and make it anew.

    The tables that requests are inserted into go first and refuse inserts until the end, so that a collector that runs
    meanwhile keeps its segment and tries it again.

    Raises:
        MigrationError: naming the file that failed.
    """
    with database.client() as client:
        derived = [(str(name), str(engine)) for name, engine in client.query(DERIVED).result_rows]
    for name, _ in sorted(derived, key=lambda row: (not row[0].startswith("otlp_"), row[1] != "MaterializedView")):
        database.command(f"DROP TABLE IF EXISTS `{name}` SYNC")
    for view in views:
        try:
            database.command(view.sql)
        except DatabaseError as error:
            raise MigrationError(f"view {view.name} failed: {error}") from error


def _slots(settings: ViewSettings) -> dict[str, str]:
    sampling = dict(settings.sampling) or {"": 1}
    return {
        "retention_ns": str(settings.raw_days * DAY_NS),
        "metrics_retention_ns": str(settings.metrics_days * DAY_NS),
        "logs_retention_ns": str(settings.logs_days * DAY_NS),
        "heaviest": str(HEAVIEST),
        "sampled_services": "[" + ", ".join(map(_quoted, sampling)) + "]",
        "sampled_one_in": "[" + ", ".join(f"toUInt32({ratio:d})" for ratio in sampling.values()) + "]",
        "cache_key": _quoted(settings.cache.key),
        "cache_hits": ", ".join(map(_any_value, settings.cache.hits)),
        "cache_misses": ", ".join(map(_any_value, settings.cache.misses)),
    }


def _fill(text: str, slots: Mapping[str, str]) -> str:
    for name, value in slots.items():
        text = text.replace(f"/*{name}*/", value)
    return text


def _any_value(value: str | bool) -> str:
    """Return the bytes of an AnyValue as an SQL literal."""
    if isinstance(value, bool):
        return f"'\\x10\\x{value:02x}'"
    data = value.encode()
    return _quoted_bytes(bytes((0x0A, len(data))) + data)


def _quoted(text: str) -> str:
    return _quoted_bytes(text.encode())


def _quoted_bytes(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02x}" for byte in data) + "'"


def _checksum(views: Sequence[Migration]) -> str:
    return hashlib.sha256("\n".join(view.sql for view in views).encode()).hexdigest()
