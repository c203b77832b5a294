"""The 95th percentile of a service, from the one-minute rollup, against the exact one of its stored spans."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.payload import plan
from collector.spool.segment import frame
from storage.client import Database
from storage.ingest import insert_segment
from storage.migrate import migrate
from storage.services import services

SPANS: Final = 200_000
MINUTES: Final = 10
MEMORY_BYTES: Final = 2 << 30

_BATCH: Final = 512
_REQUESTS_A_SEGMENT: Final = 100
_EXACT: Final = """SELECT service, quantileExact(0.95)(duration_ns) / 1e6 FROM spans
    WHERE kind IN ('server', 'consumer') AND NOT quarantined GROUP BY service"""


def p95_error(folder: Path, *, spans: int = SPANS) -> float:
    """Return how far the rollup's p95 is from the exact one at most, as a share of it, over all services.

    An engine in *folder* stores *spans* spans of the ingest benchmark, whose latencies are spread over ten minutes.

    Raises:
        ValueError: a service is missing in the rollup.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, folder, spans).result()


def _measure(folder: Path, spans: int) -> float:
    database = Database(f"chdb://{folder}", memory_bytes=MEMORY_BYTES)
    migrate(database)
    _store(database, spans)
    now = datetime.now(UTC)
    shown = {found.name: found.p95_ms for found in services(database, start=now - timedelta(hours=1), end=now)}
    with database.client() as client:
        exact: dict[str, float] = dict(map(tuple, client.query(_EXACT).result_rows))
    database.close()
    if not exact or shown.keys() != exact.keys():
        raise ValueError(f"the rollup has {sorted(shown)}, the spans are of {sorted(exact)}")
    return max(abs((shown[service] or 0.0) / exact[service] - 1) for service in exact)


def _store(database: Database, spans: int) -> None:
    requests = plan(spans, _BATCH)
    now_ns = time.time_ns()
    for first in range(0, requests.requests, _REQUESTS_A_SEGMENT):
        numbers = range(first, min(first + _REQUESTS_A_SEGMENT, requests.requests))
        moments = {number: now_ns - number % MINUTES * 60_000_000_000 for number in numbers}
        data = b"".join(frame(requests.template(number).fresh(moments[number])) for number in numbers)
        insert_segment(database, "traces", data, f"percentiles:{first}")


def main() -> None:
    """Print the largest error: `python -m benchmarks.slo_percentiles`."""
    with TemporaryDirectory(prefix="ninelives-percentiles-") as name:
        print(f"p95_error {p95_error(Path(name) / 'clickhouse'):.5f}")


if __name__ == "__main__":
    main()
