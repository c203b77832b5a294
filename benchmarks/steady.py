"""A fixed rate for a while against `ninelives up`, with a look at the server once a second."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from benchmarks.engine import stored_parts
from benchmarks.load import Load, Outcome
from benchmarks.metric_payload import metric_plan
from benchmarks.ours import require_sound
from benchmarks.payload import plan
from benchmarks.server import Server, running
from benchmarks.side import Samples, await_stored, require_equal

PLANS = {"traces": plan, "metrics": metric_plan}
ITEMS = {"traces": "spans", "metrics": "points"}
TABLES = {
    "traces": ("spans",),
    "metrics": ("metric_points", "metric_histograms", "metric_exponential_histograms", "metric_summaries"),
}
ON_TIME_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Steady(Generic[T]):
    """What became of it.

    Attributes:
        item_bytes: Of one span or point in a request.
        seen: What was seen of the server, once a second while the load ran.
    """

    sent: Outcome
    item_bytes: float
    seen: Sequence[T]

    @property
    def on_time(self) -> bool:
        """Whether every request was sent within 2 s of its time: the clients were not held up for long."""
        return self.sent.late_s < ON_TIME_S


def run_steady(
    signal: str, *, rate: int, seconds: int, batch: int, clients: int, look: Callable[[Server, Path], T]
) -> Steady[T]:
    """Send *rate* items a second for *seconds* and wait until all are stored; *look* gets the server and its folder.

    Raises:
        MismatchError: accepted and stored items differ, or something was put aside.
        RefusedError, ServerError: see there.
    """
    requests = PLANS[signal](rate * seconds, batch)
    with TemporaryDirectory(prefix="ninelives-bench-") as name:
        folder = Path(name)
        with running(folder) as server:
            seen = Samples(lambda: look(server, folder))
            try:
                sent = Load(requests, server.otlp_port, clients=clients, rate=rate).run()
            finally:
                seen.close()
            await_stored(lambda: _stored_items(server, signal), sent.items)
            require_sound(server, sent.items)
        rows = stored_parts(folder / "data" / "clickhouse").rows
    require_equal("the tables hold", sum(rows.get(table, 0) for table in TABLES[signal]), sent.items)
    return Steady(sent, requests.item_bytes, seen.values)


def first_and_last(values: Sequence[float]) -> tuple[float, float]:
    """Return the means of the first and of the last third of *values*, of which there are at least three.

    >>> first_and_last([1, 3, 5, 5, 8, 10])
    (2, 9)
    """
    third = len(values) // 3
    return mean(values[:third]), mean(values[-third:])


def _stored_items(server: Server, signal: str) -> int:
    return sum(lane.stored_items for lane in server.api.status().ingest if lane.signal == signal)
