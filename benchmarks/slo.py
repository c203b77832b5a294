"""What SLOs cost, and how exact they are: `python -m benchmarks.slo [--slos 1000] [--short]`.

- `max_relative_error`: SLIs and burn rates against Prometheus over the same traffic, see benchmarks/slo_truth.py.
- `p95_error`: the 95th percentile of the rollup against that of all spans, see benchmarks/slo_percentiles.py.
- `tick_1000_slos_s`: CPU seconds of a whole tick (catalog, count, write, windows, evaluation, alerts) of 1,000
  objectives with 30 days of minutes, while 1,000 spans a second arrive, over 50 M stored spans: the median. The engine
  is in the process, so all of its threads are counted, but no merges of spans. `tick_wall_s` is the same by the clock.
- `tick_growth_1m_to_50m`: that over the same of 1 M stored spans.
- `backfill_10m_s`: counting one new objective over 10 M spans of its service and writing its minutes, by the clock.
- `history_30d_ms`: the API's answer to one objective's budget over 30 days, by the clock: the median.

The last line is one JSON object. `--short` takes a fifth of the spans and leaves the names of the figures as they are.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from api.app import build_app
from api.context import Context
from benchmarks import slo_store
from benchmarks.options import positive
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from slo.indicator import SpanIndicator
from storage.client import Database
from storage.migrate import migrate
from storage.sli_count import count_past
from storage.sli_minutes import write_minutes
from storage.slo_catalog import SloCatalog

T = TypeVar("T")

TICK_S = 15
WARM_TICKS, TICKS = 3, 7
HISTORIES = 9
RETENTION = timedelta(days=14)
MEMORY_BYTES = 2 << 30
MILLION = 1_000_000
HISTORY = "/api/v1/slos/{slo}/minutes?window_s=2592000&step_s=7200"  # what the dashboard asks for
BIG = SpanIndicator("big", "prod")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Spans stored: few and many of all services, and those of the service whose past is counted."""

    slos: int
    few: int
    block: int  # many are these, several times
    times: int
    big: int

    @property
    def many(self) -> int:
        return self.few + self.block * self.times + self.big


FULL = {"few": MILLION, "block": 13 * MILLION, "times": 3, "big": 10 * MILLION}
SHORT = {"few": MILLION, "block": 3 * MILLION, "times": 2, "big": 3 * MILLION}


def main() -> int:
    options = _parse()
    sizes = Sizes(slos=options.slos, **(SHORT if options.short else FULL))
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ninelives-slo-") as name:
        folder = Path(name)
        if "cost" not in options.skip:
            # a process of its own: the engine takes one folder a process
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                found |= pool.submit(measure_cost, folder / "cost", sizes).result()
        if "truth" not in options.skip:
            found |= _exactness(folder, "slo_truth", "max_relative_error")
        if "percentiles" not in options.skip:
            found |= _exactness(folder, "slo_percentiles", "p95_error")
    print(json.dumps(found))
    return 0


def measure_cost(folder: Path, sizes: Sizes) -> dict[str, float]:
    """Return the figures of cost, from one database in *folder* that grows."""
    store = _Store(folder, sizes)
    few = store.ticks(sizes.few)
    store.grow()
    many = store.ticks(sizes.many)
    found = {
        "tick_1000_slos_s": round(statistics.median(many.cpu_s), 3),
        "tick_growth_1m_to_50m": round(statistics.median(many.cpu_s) / statistics.median(few.cpu_s), 3),
        "tick_wall_s": round(statistics.median(many.wall_s), 3),
        "tick_1m_s": round(statistics.median(few.cpu_s), 3),
        "stored_spans": sizes.many,
        "slos": sizes.slos,
        **store.history(),
        **store.backfill(),
    }
    store.database.close()
    return found


@dataclass(frozen=True, slots=True)
class Ticks:
    cpu_s: list[float]
    wall_s: list[float]


class _Store:
    """A database, its objectives and their evaluator."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self._sizes = sizes
        self.database = Database(f"chdb://{folder / 'clickhouse'}", memory_bytes=MEMORY_BYTES)
        migrate(self.database)
        now = datetime.now(UTC)
        series = _told("objectives written", lambda: slo_store.write_objectives(folder / "slos", sizes.slos))
        _told("minutes stored", lambda: slo_store.store_minutes(self.database, series, now))
        _told("spans stored", lambda: slo_store.store_spans(self.database, sizes.few, before=now))
        slo_store.store_rollup(self.database, sizes.few, before=now)
        self._catalog = SloCatalog([folder / "slos"])
        alerts = AlertStore(self.database, "bench")
        self._evaluator = Evaluator(self.database, self._catalog, alerts, raw_retention=RETENTION)
        self._seed = 0
        self._grown_at = now

    def grow(self) -> None:
        """Store the many spans."""
        sizes, now = self._sizes, datetime.now(UTC)
        self._grown_at = now
        _told(
            f"{sizes.many:,} spans stored",
            lambda: slo_store.store_spans(self.database, sizes.block, before=now, times=sizes.times),
        )
        _told(
            "of one service", lambda: slo_store.store_spans(self.database, sizes.big, before=now, service=BIG.service)
        )
        self.database.command("TRUNCATE TABLE red_1m")
        slo_store.store_rollup(self.database, sizes.many, before=now)

    def ticks(self, stored: int) -> Ticks:
        """Tick with live traffic before each tick, and return what those after the first few took."""
        self.database.command("SYSTEM STOP MERGES spans")
        self._live(300)  # the last five minutes, as dense as they would be, and counted long ago
        self._evaluator.tick(datetime.now(UTC))
        self.database.command("TRUNCATE TABLE arrivals")
        found = Ticks([], [])
        for number in range(WARM_TICKS + TICKS):
            self._live(TICK_S)
            now, wall_s, cpu_s = datetime.now(UTC), time.perf_counter(), time.process_time()
            self._evaluator.tick(now)
            if number >= WARM_TICKS:
                found.cpu_s.append(time.process_time() - cpu_s)
                found.wall_s.append(time.perf_counter() - wall_s)
            self._check()
        self.database.command("SYSTEM START MERGES spans")
        print(f"{stored:>11,} spans: a tick takes {statistics.median(found.cpu_s):.3f} s of CPU,", end=" ")
        print(
            f"{min(found.cpu_s):.3f} to {max(found.cpu_s):.3f}; {self._evaluator.state.minutes:,} minutes", flush=True
        )
        return found

    def history(self) -> dict[str, float]:
        """Return how long the API takes for a month of budget history, once it has read the objectives."""
        context = Context(self.database, self._catalog, CollectorRegistry(), "bench", {})
        taken = []
        with TestClient(build_app(context), base_url="http://localhost") as client:
            for number in range(HISTORIES + 1):
                started = time.perf_counter()
                answer = client.get(HISTORY.format(slo=f"objective-{number}"))
                taken.append(time.perf_counter() - started)
                if len(answer.raise_for_status().json()["items"]) < 300:
                    raise ValueError(f"a month of history has too few steps: {answer.text[:300]}")
        return {"history_30d_ms": round(1e3 * statistics.median(taken[1:]), 1)}

    def backfill(self) -> dict[str, float]:
        """Return how long counting the past of one objective takes, and check that every span was counted."""
        now = datetime.now(UTC)
        # only now: a service in the rollup has drafts, and the ticks should judge nothing but the objectives
        slo_store.store_rollup(self.database, self._sizes.big, before=self._grown_at, service=BIG.service)
        started = time.perf_counter()
        minutes = count_past(self.database, [BIG], since=now - RETENTION)
        counted_s = time.perf_counter() - started
        write_minutes(self.database, minutes, revision=int(now.timestamp() * 1000))
        taken_s = time.perf_counter() - started
        total = sum(minute.total for minute in minutes)
        if total != self._sizes.big:
            raise ValueError(f"{total:,} of {self._sizes.big:,} spans were counted")
        wrote_s = taken_s - counted_s
        print(f"{total:,} spans counted in {counted_s:.1f} s, {len(minutes):,} minutes written in {wrote_s:.1f} s")
        return {"backfill_10m_s": round(taken_s * 10 * MILLION / total, 2)}

    def _live(self, seconds: int) -> None:
        self._seed += 1
        slo_store.store_live(self.database, seconds, end=datetime.now(UTC), seed=self._seed)

    def _check(self) -> None:
        state = self._evaluator.state
        if state.last_error or len(state.standings) < self._sizes.slos:
            raise ValueError(f"a tick judged {len(state.standings)} objectives: {state.last_error}")
        if not state.minutes:
            raise ValueError("a tick counted nothing: the live spans did not arrive")


def _exactness(folder: Path, module: str, figure: str) -> dict[str, float]:
    """Return *figure* as the benchmark *module* measures it in a folder of its own."""
    own = folder / module
    own.mkdir()
    measure: Callable[[Path], float] = getattr(import_module(f"benchmarks.{module}"), figure)
    return {figure: _told(figure, lambda: measure(own))}


def _told(what: str, work: Callable[[], T]) -> T:
    started = time.perf_counter()
    found = work()
    print(f"{what}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    return found


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slos", type=positive, default=1_000, help="objectives")
    parser.add_argument("--short", action="store_true", help="a fifth of the spans")
    parts = ("cost", "truth", "percentiles")
    parser.add_argument("--skip", nargs="+", choices=parts, default=[], help="parts to leave out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
