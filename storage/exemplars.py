"""Exemplars: single measurements that lead from a metric to a trace."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.attributes import decode_map
from storage.client import Database
from storage.metric_query import MetricQuery, selected
from storage.times import from_ns


@dataclass(frozen=True, slots=True)
class Exemplar:
    """`attributes`: those that the metric itself has not. No id is '', no finite value None."""

    at: datetime
    value: float | None
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


def exemplars(database: Database, query: MetricQuery, *, limit: int) -> list[Exemplar]:
    """Return the newest *limit* exemplars of what *query* asks for, those of series beyond a limit included."""
    parameters = query.parameters() | {"limit": limit, "with_overflow": True}
    rows = database.rows("metric_exemplars", parameters, selected=selected(query))
    return [
        Exemplar(
            at=from_ns(row["at_ns"]),
            value=row["exact_int"] or (row["value"] if math.isfinite(row["value"]) else None),
            trace_id=row["trace_id_hex"],
            span_id=row["span_id_hex"],
            attributes=decode_map(row["attributes_hex"]),
        )
        for row in rows
    ]
