"""Counting the minutes of SLIs from the one-minute rollups, which are kept longer than raw spans.

Availability is exact. A latency threshold inside a bucket (2.2 % wide) is read as the bound below it, so that every
request called fast was fast. Names and routes beyond a service's limit are `__other__` there.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slo.indicator import CacheIndicator, Indicator, Matches, SpanIndicator
from slo.predicate import And, Comparison, LiteralValue, Not, Or, Predicate
from storage.client import Database
from storage.histogram import SCALE
from storage.predicate_sql import PredicateSql
from storage.sli_groups import count_groups
from storage.sli_labels import MOST_GROUPS
from storage.sli_match import EventSource, SpanMatch, label_names
from storage.sli_minutes import SliMinute
from storage.times import whole

FILTERED = {"http.route": "http_route", "service.version": "version"}
FILTERS = frozenset({*FILTERED, "name", "kind"})
GROUPS = frozenset({*FILTERS, "service.name", "deployment.environment.name"})


@dataclass(slots=True)
class RollupSql(PredicateSql):
    """Compiles predicates over a row of the rollup."""

    def _compare(self, name: str, op: str, value: LiteralValue) -> str:
        if name not in FILTERED:
            return self._well_known(name, op, value)
        column = FILTERED[name]
        if not isinstance(value, str):
            return "false"
        return f"({column} != '' AND toString({column}) {op} {self._literal(value)})"


def has_rollup(indicator: Indicator) -> bool:
    """Return whether the rollups can tell the events of *indicator*, and the good ones of them."""
    match indicator:
        case SpanIndicator(good=Matches()):
            return False
        case SpanIndicator(filter=condition, group_by=names):
            return (condition is None or _fields(condition) <= FILTERS) and set(names) <= GROUPS
        case CacheIndicator(filter=condition, group_by=names):
            return condition is None and not names
        case _:
            return False


def count_rollups(
    database: Database, indicators: Iterable[EventSource], *, start: datetime, end: datetime
) -> list[SliMinute]:
    """Count the minutes of [*start*, *end*) for *indicators*, all of which must have a rollup."""
    wanted = list(indicators)
    spans = [indicator for indicator in wanted if isinstance(indicator, SpanIndicator)]
    caches = [indicator for indicator in wanted if isinstance(indicator, CacheIndicator)]
    return [*_count_spans(database, spans, start, end), *_count_caches(database, caches, start, end)]


def max_bucket(threshold_ns: int) -> int:
    """Return the first bucket that may hold durations above *threshold_ns*: those below it hold whole numbers up to it.

    >>> max_bucket(2**20 - 1), max_bucket(2**20)
    (640, 640)
    """
    return math.floor(math.log2(threshold_ns + 1) * SCALE) if threshold_ns else 0


def _count_spans(
    database: Database, indicators: list[SpanIndicator], start: datetime, end: datetime
) -> list[SliMinute]:
    if not indicators:
        return []
    match = SpanMatch(indicators, RollupSql())
    grouped = {indicator.series_id: label_names(indicator.group_by) for indicator in indicators if indicator.group_by}
    own = {
        "since": whole(start),
        "until": whole(end),
        "max_buckets": [max_bucket(threshold) for threshold in match.parameters["max_ns"]],
    }
    slots = {
        "rollup_predicates": ", ".join(match.predicates),
        "rollup_labels": ", ".join(match.labels),
        "rollup_label": "if(m.group_index = 0, [], s.grouped[m.group_index])" if grouped else "emptyArrayString()",
    }
    parameters = match.parameters | own
    return count_groups(
        database, "count_rollups", parameters, grouped, source="rollup", most=MOST_GROUPS, **slots
    ).minutes


def _count_caches(
    database: Database, indicators: list[CacheIndicator], start: datetime, end: datetime
) -> list[SliMinute]:
    if not indicators:
        return []
    parameters = {
        "series": [indicator.series_id for indicator in indicators],
        "services": [indicator.service for indicator in indicators],
        "any_environments": [indicator.environment is None for indicator in indicators],
        "environments": [indicator.environment or "" for indicator in indicators],
        "caches": [indicator.cache for indicator in indicators],
        "since": whole(start),
        "until": whole(end),
    }
    return count_groups(database, "count_cache_rollups", parameters, {}, source="rollup").minutes


def _fields(predicate: Predicate) -> set[str]:
    match predicate:
        case Comparison(field=name):
            return {name}
        case Not(operand):
            return _fields(operand)
        case And(operands) | Or(operands):
            return set[str]().union(*(_fields(operand) for operand in operands))
