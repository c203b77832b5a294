"""OTLP bytes into ClickHouse: one segment, one insert, one deduplication token."""

from functools import cache
from pathlib import Path

from storage.client import Database

TABLES = {"traces": "otlp_traces", "metrics": "otlp_metrics", "logs": "otlp_logs"}
MESSAGES = {
    "traces": "ExportTraceServiceRequest",
    "metrics": "ExportMetricsServiceRequest",
    "logs": "ExportLogsServiceRequest",
}


def schema_path(signal: str) -> Path:
    """Return the file of our `.proto` reading of *signal* ("traces", "metrics" or "logs")."""
    return Path(__file__).with_name("schema") / f"otlp_{signal}.proto"


def insert_segment(database: Database, signal: str, data: Path | memoryview | bytes, token: str) -> None:
    """Insert length-delimited OTLP requests of *signal*; the same *token* with the same *data* stores them once.

    Args:
        database: Where to.
        signal: "traces", "metrics" or "logs".
        data: The requests, or a file of them, which the embedded engine then reads itself.
        token: Names them.

    Raises:
        DatabaseError: with one of DECODE_ERROR_CODES nothing was stored; otherwise the outcome is unknown and the
            same call has to be made again.
        OSError: the file cannot be read.
    """
    settings: dict[str, str | int] = {
        "async_insert": 0,
        "max_partitions_per_insert_block": 0,
        "insert_deduplication_token": token,
        **_schema_settings(signal, embedded=database.address.embedded),
    }
    database.insert_encoded(TABLES[signal], data, "Protobuf", settings)


@cache
def _schema_settings(signal: str, *, embedded: bool) -> dict[str, str]:
    """Return how the engine finds the schema: a server is sent its text; the embedded engine opens the file.

    Sent as text, the embedded engine would leave a `__cache__` folder in whatever the working directory is.
    """
    if embedded:
        return {"format_schema": f"{schema_path(signal)}:{MESSAGES[signal]}"}
    return {
        "format_schema_source": "string",
        "format_schema": schema_path(signal).read_text(encoding="utf-8"),
        "format_schema_message_name": MESSAGES[signal],
    }
