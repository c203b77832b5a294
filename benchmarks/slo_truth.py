"""Our budgets against Prometheus, direct SQL and the generator's own numbers, over a month of the same requests.

Every SLI and burn rate that the engine says at 20 instants over 7 windows is compared with PromQL's sum over sum, and
the events behind it, as integers, with a direct sum over the raw spans and with what was generated.
"""

import math
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.prometheus import Prometheus, prometheus
from benchmarks.slo_traffic import DAYS, SERVICE, Traffic, make_traffic, otlp_segments, write_openmetrics
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from slo.budget import burn_rate
from slo.duration import parse_duration
from slo.model import Slo
from slo.openslo import read_openslo
from storage.client import Database
from storage.ingest import insert_segment
from storage.migrate import migrate
from storage.retention import apply_retention
from storage.sli_backfills import backfills
from storage.slo_catalog import SloCatalog
from storage.slo_windows import LATENESS
from storage.standing import standings
from storage.times import whole
from storage.views import ViewSettings

WINDOWS: Final = ("5m", "30m", "1h", "6h", "1d", "3d", "30d")
INSTANTS: Final = 20
TARGET: Final = "0.999"
SPANS: Final = 1_000_000
MEMORY_BYTES: Final = 2 << 30

_KEPT_DAYS: Final = 60
_RAW: Final = """SELECT sumIf(weight, NOT error), sum(weight) FROM spans
    WHERE service = {service:String} AND kind IN ('server', 'consumer') AND NOT quarantined
        AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}"""
_OBJECTIVE: Final = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: truth-{window}, annotations: {{ninelives/alert-policy: {policy}}}}}
spec:
  service: {service}
  indicator:
    metadata: {{name: truth}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: spans, spec: {{good: not error}}}}}}
        total: {{metricSource: {{type: spans, spec: {{}}}}}}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: truth, target: {target}}}]
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says of one window: both None where it held no request."""

    sli: float | None
    burn_rate: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One window that ends at `at`: the engine's answers, Prometheus', and (good, total) by three ways of counting."""

    at: datetime
    window: str
    ours: Answer
    theirs: Answer
    counted: tuple[int, int]
    from_spans: tuple[int, int]
    generated: tuple[int, int]

    @property
    def relative_error(self) -> float:
        """Return the larger one of both answers' errors; infinite where only one side has an answer."""
        pairs = ((self.ours.sli, self.theirs.sli), (self.ours.burn_rate, self.theirs.burn_rate))
        return max(_relative_error(ours, theirs) for ours, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Truth:
    """All comparisons, and how many spans the engine holds."""

    spans: int
    comparisons: tuple[Comparison, ...]

    @property
    def max_relative_error(self) -> float:
        return max(found.relative_error for found in self.comparisons)

    @property
    def unequal_counts(self) -> list[Comparison]:
        """Return those whose events differ from one way of counting to another."""
        return [found for found in self.comparisons if len({found.counted, found.from_spans, found.generated}) > 1]


def max_relative_error(folder: Path, *, spans: int = SPANS) -> float:
    """Return how far SLIs and burn rates are from Prometheus' at most, as a share of its value.

    Raises:
        ValueError: counts of events, which must be equal, differ.
    """
    truth = measure_truth(folder, spans=spans)
    if truth.unequal_counts:
        raise ValueError(f"events are counted differently: {truth.unequal_counts[0]}")
    return truth.max_relative_error


def measure_truth(folder: Path, *, spans: int = SPANS, seed: int = 1) -> Truth:
    """Store a month of about *spans* spans in an engine and a Prometheus in *folder* and compare what they say."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, folder, spans, seed).result()


def _measure(folder: Path, spans: int, seed: int) -> Truth:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    traffic = make_traffic(now - timedelta(days=DAYS), spans=spans, seed=seed)
    slos = _objectives(folder / "slos")
    database = Database(f"chdb://{folder / 'clickhouse'}", memory_bytes=MEMORY_BYTES)
    migrate(database, settings=ViewSettings(raw_days=_KEPT_DAYS))
    apply_retention(database, raw_days=_KEPT_DAYS, metrics_days=_KEPT_DAYS, rollup_days=400)
    _store_and_count(database, traffic, folder / "slos")
    samples = folder / "samples.txt"
    write_openmetrics(traffic, samples)
    with prometheus(samples, folder / "prometheus") as server:
        found = [
            comparison
            for at in traffic.instants(INSTANTS)
            for comparison in _compare(database, slos, server, traffic, at)
        ]
    database.close()
    return Truth(traffic.spans, tuple(found))


def _objectives(folder: Path) -> list[Slo]:
    """Write an objective for each window into *folder* and return what was read of them."""
    texts = [
        _OBJECTIVE.format(
            window=window, service=SERVICE, target=TARGET, policy="burn-rate" if window == WINDOWS[-1] else "none"
        )
        for window in WINDOWS
    ]
    folder.mkdir(parents=True)
    (folder / "truth.yaml").write_text("---\n".join(texts), encoding="utf-8")
    slos, problems = read_openslo("---\n".join(texts), "truth.yaml")
    if problems or len(slos) != len(WINDOWS):
        raise ValueError(f"the objectives cannot be read: {problems}")
    return slos


def _store_and_count(database: Database, traffic: Traffic, slos: Path) -> None:
    """Store the spans and have the evaluator count them: one half as the past of new objectives, one as late data."""
    store = AlertStore(database, "truth")
    kept = timedelta(days=_KEPT_DAYS)
    evaluator = Evaluator(database, SloCatalog([slos]), store, raw_retention=kept)
    segments = list(otlp_segments(traffic))
    for half in (0, 1):
        for number in range(half, len(segments), 2):
            insert_segment(database, "traces", segments[number], f"truth:{number}")
        evaluator.tick(datetime.now(UTC))
        if evaluator.state.last_error:
            raise ValueError(f"the evaluator failed: {evaluator.state.last_error}")
        _count_past(database, evaluator)


def _count_past(database: Database, evaluator: Evaluator) -> None:
    """Have *evaluator* count all of the past, which it does in pieces between its ticks."""
    for _ in range(100):
        if all(part.finished_at for part in backfills(database)):
            return
        evaluator.backfill(datetime.now(UTC))
    raise ValueError("the past of the objectives is not counted to its end")


def _compare(
    database: Database, slos: Sequence[Slo], server: Prometheus, traffic: Traffic, at: datetime
) -> list[Comparison]:
    found = standings(database, slos, at + LATENESS["spans"])
    shown = found[-1].evaluation.burn_rates
    comparisons: list[Comparison] = []
    for window, standing in zip(WINDOWS, found, strict=True):
        assert standing.as_of == at
        counts = standing.evaluation.counts
        rate = shown[window] if window in shown else burn_rate(counts, standing.slo.target)
        start = at - parse_duration(window)
        comparisons.append(
            Comparison(
                at=at,
                window=window,
                ours=Answer(standing.evaluation.sli, rate),
                theirs=_theirs(server, window, at),
                counted=(counts.good, counts.total),
                from_spans=_from_spans(database, start, at),
                generated=traffic.between(start, at),
            )
        )
    return comparisons


def _theirs(server: Prometheus, window: str, at: datetime) -> Answer:
    good, bad = (
        f'(sum(sum_over_time(requests_1m{{result="{result}"}}[{window}])) or vector(0))' for result in ("good", "bad")
    )
    total = f"sum(sum_over_time(requests_1m[{window}]))"
    return Answer(server.ask(f"{good} / {total}", at), server.ask(f"{bad} / {total} / (1 - {TARGET})", at))


def _from_spans(database: Database, start: datetime, end: datetime) -> tuple[int, int]:
    window = {"service": SERVICE, "start": whole(start), "end": whole(end)}
    with database.client() as client:
        ((good, total),) = client.query(_RAW, parameters=window).result_rows
    return int(good), int(total)


def _relative_error(ours: float | None, theirs: float | None) -> float:
    if ours == theirs:
        return 0.0
    if ours is None or not theirs:
        return math.inf
    return abs(ours / theirs - 1)


def main() -> None:
    """Print the largest error: `python -m benchmarks.slo_truth`."""
    with TemporaryDirectory(prefix="ninelives-truth-") as name:
        print(f"max_relative_error {max_relative_error(Path(name) / 'month'):.3g}")


if __name__ == "__main__":
    main()
