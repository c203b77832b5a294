"""OTLP bytes into ClickHouse: one segment, one insert, one deduplication token."""

from functools import cache
from importlib import resources
from typing import cast

from storage.client import Database

TABLES = {"traces": "otlp_traces", "metrics": "otlp_metrics"}
MESSAGES = {"traces": "ExportTraceServiceRequest", "metrics": "ExportMetricsServiceRequest"}


@cache
def schema_text(signal: str) -> str:
    """Return our `.proto` reading of *signal* ("traces" or "metrics")."""
    return resources.files("storage").joinpath("schema", f"otlp_{signal}.proto").read_text(encoding="utf-8")


def insert_segment(database: Database, signal: str, data: memoryview | bytes, token: str) -> None:
    """Insert length-delimited OTLP requests of *signal*; the same *token* with the same *data* stores them once.

    Raises:
        DatabaseError: with one of DECODE_ERROR_CODES nothing was stored; otherwise the outcome is unknown and the
            same call has to be made again.
    """
    settings = {
        "async_insert": 0,
        "max_partitions_per_insert_block": 0,
        "insert_deduplication_token": token,
        "format_schema_source": "string",
        "format_schema": schema_text(signal),
        "format_schema_message_name": MESSAGES[signal],
    }
    with database.client() as client:
        # the annotation of insert_block is narrower than what it takes
        client.raw_insert(TABLES[signal], insert_block=cast("bytes", data), fmt="Protobuf", settings=settings)
