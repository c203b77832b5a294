"""Log records: search, newest first, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.attributes import any_value, decode_map
from storage.client import Database
from storage.metric_query import nanoseconds
from storage.times import from_ns


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as stored.

    Attributes:
        observed_at: When the sender's collector saw it; None when it did not say.
        severity_number: 1 (trace) to 24 (fatal), 0 when it was not sent.
        body: Text, or whatever else was sent; None when nothing was.
        trace_id: Lower-case hex, '' outside of a trace; span_id likewise.
    """

    at: datetime
    observed_at: datetime | None
    service: str
    environment: str
    severity_number: int
    severity_text: str
    body: Any
    event_name: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    dropped_attributes: int
    resource: dict[str, Any]
    scope: str


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Records in [start, end) that match everything asked for.

    Attributes:
        text: Found anywhere in the body; ASCII letters of either case.
        attributes: Keys and values of the record's own attributes, compared as text.
    """

    start: datetime
    end: datetime
    text: str = ""
    service: str = ""
    environment: str = ""
    min_severity: int = 0
    trace_id: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page starts: at a time, behind so many records of that very nanosecond.

    >>> Cursor.parse(str(Cursor(1_700_000_000_000_000_000, 3)))
    Cursor(at_ns=1700000000000000000, skip=3)
    """

    at_ns: int
    skip: int

    def __str__(self) -> str:
        return f"{self.at_ns}.{self.skip}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Return the cursor of *text*.

        Raises:
            ValueError: *text* is no cursor of ours.
        """
        at_ns, dot, skip = text.partition(".")
        if not (dot and at_ns.isdecimal() and skip.isdecimal() and len(at_ns) < 20 and len(skip) < 10):
            raise ValueError(f"cursor={text[:80]!r} is not one that was answered; leave it out for the first page")
        return cls(int(at_ns), int(skip))


@dataclass(frozen=True, slots=True)
class LogPage:
    records: list[LogRecord]
    next_cursor: Cursor | None


def search_logs(database: Database, search: LogSearch, *, limit: int, cursor: Cursor | None = None) -> LogPage:
    """Return at most *limit* of the newest records that match, from *cursor* on."""
    which, parameters = _which(search, cursor)
    skip = cursor.skip if cursor else 0
    times = [row["at_ns"] for row in database.rows("logs_times", parameters | {"rows": skip + limit + 1}, which=which)]
    shown = times[skip : skip + limit]
    if not shown:
        return LogPage([], None)
    page = {"last_ns": shown[-1], "skip": skip, "limit": limit}
    records = [_record(row) for row in database.rows("logs_page", parameters | page, which=which)]
    if len(times) <= skip + limit:
        return LogPage(records, None)
    return LogPage(records, Cursor(shown[-1], times[: skip + limit].count(shown[-1])))


def _which(search: LogSearch, cursor: Cursor | None) -> tuple[str, dict[str, Any]]:
    """Return the condition and its parameters; what is not asked for is left out, so that the index sees the rest."""
    last_ns = cursor.at_ns if cursor else nanoseconds(search.end) - 1
    found = [
        "toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))",
        "toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes(fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC'))",
        "ts >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC')",
        "ts <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')",
    ]
    optional = (
        (search.service, "service = {service:String}"),
        (search.environment, "environment = {environment:String}"),
        (search.min_severity, "severity_number >= {min_severity:UInt8}"),
        (search.trace_id, "trace_id = unhex({trace_id:String})"),
        (search.text, "lower(body_text) LIKE {pattern:String}"),
        (search.attributes, _ATTRIBUTES),
    )
    found += [condition for wanted, condition in optional if wanted]
    parameters = {
        "start_ns": nanoseconds(search.start),
        "end_ns": last_ns,
        "service": search.service,
        "environment": search.environment,
        "min_severity": search.min_severity,
        "trace_id": search.trace_id,
        "pattern": _pattern(search.text),
        "attribute_keys": [key for key, _ in search.attributes],
        "attribute_values": [value for _, value in search.attributes],
    }
    return " AND ".join(found), parameters


_ATTRIBUTES = (
    "arrayAll((key, value) -> mapContains(attributes, key) AND otlp_text(attributes[key]) = value,"
    " {attribute_keys:Array(String)}, {attribute_values:Array(String)})"
)


def _pattern(text: str) -> str:
    r"""Return a LIKE pattern that finds *text* anywhere in lower-case ASCII.

    >>> _pattern("100% Ä_x")
    '%100\\% Ä\\_x%'
    """
    lowered = "".join(char.lower() if char.isascii() else char for char in text)
    return "%" + lowered.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"


def _record(row: dict[str, Any]) -> LogRecord:
    return LogRecord(
        at=from_ns(row["at_ns"]),
        observed_at=from_ns(row["observed_ns"]) if row["observed_ns"] else None,
        service=row["service_name"],
        environment=row["environment_name"],
        severity_number=row["severity"],
        severity_text=row["severity_name"],
        body=any_value(bytes.fromhex(row["body_hex"])) if row["body_hex"] else row["text"] or None,
        event_name=row["event"],
        trace_id=row["trace_id_hex"],
        span_id=row["span_id_hex"],
        attributes=decode_map(row["attributes_hex"]),
        dropped_attributes=row["dropped"],
        resource=decode_map(row["resource_hex"]),
        scope=row["scope"],
    )
