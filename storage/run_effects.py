"""How calls between services and caches differed between the two sides of a comparison."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from storage.client import Database
from storage.comparison import SIDE_SQL, Comparison, times_sql

ANSWERED_AFTER_S: Final = 300  # a call may be served long after it was made
MOST_ROWS: Final = 1000


@dataclass(frozen=True, slots=True)
class SideCalls:
    """Calls on one side; `traces` is how many traces had any request at all there."""

    calls: int = 0
    errors: int = 0
    p95_ms: float | None = None
    traces: int = 0

    @property
    def per_trace(self) -> float | None:
        """How often an average trace made the call, None where nothing was asked."""
        return self.calls / self.traces if self.traces else None


@dataclass(frozen=True, slots=True)
class EdgeCalls:
    client: str
    server: str
    control: SideCalls
    treatment: SideCalls


@dataclass(frozen=True, slots=True)
class SideLookups:
    hits: int = 0
    lookups: int = 0

    @property
    def ratio(self) -> float | None:
        return self.hits / self.lookups if self.lookups else None


@dataclass(frozen=True, slots=True)
class CacheLookups:
    service: str
    cache: str
    control: SideLookups
    treatment: SideLookups


def edge_calls(database: Database, comparison: Comparison) -> list[EdgeCalls]:
    """Return every edge that was called on either side, the busiest first.

    A call that never arrived belongs to the server that other calls to its address reached, else to whom its client
    named; what can be told by none of these is left out.
    """
    traces = {row["side"]: row["traces"] for row in _rows(database, "compared_traces", comparison)}
    edges: defaultdict[tuple[str, str], dict[str, SideCalls]] = defaultdict(dict)
    for row in _rows(
        database, "edge_effects", comparison, answer_times=times_sql(after_s=ANSWERED_AFTER_S), limit=MOST_ROWS
    ):
        side = SideCalls(row["calls"], row["errors"], row["p95_ms"], traces.get(row["side"], 0))
        edges[row["client"], row["server"]][row["side"]] = side
    control, treatment = (SideCalls(traces=traces.get(side, 0)) for side in ("control", "treatment"))
    return [
        EdgeCalls(*names, sides.get("control", control), sides.get("treatment", treatment))
        for names, sides in edges.items()
    ]


def cache_lookups(database: Database, comparison: Comparison) -> list[CacheLookups]:
    """Return every cache that spans tell of on either side, by service and name."""
    found: defaultdict[tuple[str, str], dict[str, SideLookups]] = defaultdict(dict)
    for row in _rows(database, "cache_effects", comparison, limit=MOST_ROWS):
        found[row["service"], row["cache"]][row["side"]] = SideLookups(row["hits"], row["lookups"])
    none = SideLookups()
    return [
        CacheLookups(*names, sides.get("control", none), sides.get("treatment", none)) for names, sides in found.items()
    ]


def _rows(
    database: Database, query: str, comparison: Comparison, *, limit: int | None = None, **slots: str
) -> list[dict[str, Any]]:
    parameters = comparison.parameters() | ({} if limit is None else {"limit": limit})
    return database.rows(query, parameters, side=SIDE_SQL, times=times_sql(), **slots)
