"""The requests of one SLI over spans: the parameters and the SQL that its queries share, and their totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slo.indicator import FasterThan, NotError, SpanIndicator
from storage.client import Database
from storage.predicate_sql import PredicateSql
from storage.times import whole


@dataclass(frozen=True, slots=True)
class RequestSelection:
    """The requests of *indicator* in [start, end), both cut to the second, for queries that take them.

    `parameters` are start, end, service, any_environment, environment, kinds and those of the predicates; `slots` are
    filter and good, Bool expressions over a row of spans.
    """

    indicator: SpanIndicator
    parameters: Mapping[str, Any]
    slots: Mapping[str, str]

    @property
    def by_latency(self) -> bool:
        """Whether good means fast enough."""
        return isinstance(self.indicator.good, FasterThan)

    def rows(self, database: Database, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of *query*, which takes *parameters* as well."""
        return database.rows(query, {**self.parameters, **parameters}, **self.slots)


@dataclass(frozen=True, slots=True)
class RequestTotals:
    """Requests as the SLI counts them: a sampled span stands for several. `bad_spans` are the stored ones."""

    good: int
    bad: int
    bad_spans: int


def select_requests(indicator: SpanIndicator, *, start: datetime, end: datetime) -> RequestSelection:
    sql = PredicateSql("x")
    good = indicator.good
    match good:
        case NotError():
            good_sql = "NOT error"
        case FasterThan(threshold_ns):
            good_sql = f"duration_ns <= {threshold_ns:d}"
        case _:
            good_sql = sql.compile(good.predicate)
    slots = {"good": good_sql, "filter": "true" if indicator.filter is None else sql.compile(indicator.filter)}
    parameters = {
        "start": whole(start),
        "end": whole(end),
        "service": indicator.service,
        "any_environment": indicator.environment is None,
        "environment": indicator.environment or "",
        "kinds": list(indicator.kinds),
    }
    return RequestSelection(indicator, parameters | sql.parameters, slots)


def request_totals(database: Database, selection: RequestSelection) -> RequestTotals:
    """Count every request of *selection*, exactly."""
    (row,) = selection.rows(database, "request_totals")
    return RequestTotals(row["good"], row["bad"], row["bad_spans"])
