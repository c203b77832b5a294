"""How long the requests of one SLI took."""

from datetime import datetime

from slo.indicator import SpanIndicator
from storage.client import Database
from storage.request_selection import select_requests


def latencies_of(database: Database, indicator: SpanIndicator, *, start: datetime, end: datetime) -> dict[int, int]:
    """Return the latency histogram (`slo/latency_buckets.py`) of the requests of *indicator* in [start, end).

    The rollup knows those of an indicator without a filter. With a filter the spans are counted, which reaches back as
    far as they are kept and reads all of the service's spans.
    """
    selection = select_requests(indicator, start=start, end=end)
    query = "request_latencies_rolled" if indicator.filter is None else "request_latencies"
    (row,) = selection.rows(database, query)
    return {int(bucket): int(count) for bucket, count in row["buckets"].items()}
