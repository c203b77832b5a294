"""Which stored spans are events of an SLI, and which of those are good: as SQL, for many SLIs at once."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from slo.indicator import CacheIndicator, FasterThan, Matches, SpanIndicator
from storage.predicate_sql import PredicateSql
from storage.sli_labels import LabelSql

EventSource: TypeAlias = SpanIndicator | CacheIndicator

KIND_BITS = {"unspecified": 0, "internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
EVERY_KIND = sum(1 << bit for bit in KIND_BITS.values())


class SpanMatch:
    """The parameters and SQL parts of `count_sli_minutes` for *indicators*; equal parts are worked out once a span.

    Attributes:
        parameters: One array a column, one element an indicator, and the values of all predicates.
        predicates: Bool expressions over a span; the columns point at them, from 1.
        labels: Array(String) expressions over a span, likewise.
    """

    def __init__(self, indicators: Sequence[EventSource], sql: PredicateSql | None = None) -> None:
        self._sql = sql or PredicateSql()
        self._label_sql = LabelSql({indicator.service for indicator in indicators if indicator.group_by})
        self._predicates: dict[object, tuple[int, str]] = {}
        self._labels: dict[tuple[str, ...], int] = {}
        columns: dict[str, list[Any]] = {
            "series": [indicator.series_id for indicator in indicators],
            "services": [indicator.service for indicator in indicators],
            "any_environments": [indicator.environment is None for indicator in indicators],
            "environments": [indicator.environment or "" for indicator in indicators],
            "kinds": [kinds_mask(indicator) for indicator in indicators],
            "filter_indexes": [self._filter_index(indicator) for indicator in indicators],
            "max_ns": [threshold_ns(indicator) for indicator in indicators],
            "good_indexes": [self._good_index(indicator) for indicator in indicators],
            "group_indexes": [self._group_index(indicator) for indicator in indicators],
        }
        self.predicates = [sql for _, sql in self._predicates.values()]
        self.labels = [self._label_sql.labels(names) for names in self._labels]
        self.parameters = columns | self._sql.parameters | self._label_sql.parameters

    def _filter_index(self, indicator: EventSource) -> int:
        if isinstance(indicator, SpanIndicator) and indicator.filter is None:
            return 0
        key = (indicator.cache, indicator.filter) if isinstance(indicator, CacheIndicator) else indicator.filter
        return self._index(key, lambda: event_sql(indicator, self._sql))

    def _good_index(self, indicator: EventSource) -> int:
        if isinstance(indicator, CacheIndicator):
            return self._index("hit", lambda: good_sql(indicator, self._sql))
        if isinstance(indicator.good, Matches):
            return self._index(indicator.good.predicate, lambda: good_sql(indicator, self._sql))
        return 0

    def _group_index(self, indicator: EventSource) -> int:
        names = label_names(indicator.group_by)
        return self._labels.setdefault(names, len(self._labels) + 1) if names else 0

    def _index(self, key: object, compile_sql: Any) -> int:
        if key not in self._predicates:
            self._predicates[key] = (len(self._predicates) + 1, compile_sql())
        return self._predicates[key][0]


def event_sql(indicator: EventSource, sql: PredicateSql) -> str:
    """Return what makes a span of the indicator's service, environment and kinds an event of it, as a Bool expression.

    A lookup belongs to the cache that `cache.name` names, else to one named like the span, as in the list of caches.
    """
    parts = [] if indicator.filter is None else [sql.compile(indicator.filter)]
    if isinstance(indicator, CacheIndicator):
        if indicator.cache:
            parameter = f"{sql.prefix}cache{len(sql.parameters)}"
            sql.parameters[parameter] = indicator.cache
            parts.insert(0, f"if(cache_name != '', toString(cache_name), toString(name)) = {{{parameter}:String}}")
        parts.insert(0, "cache_hit >= 0")
    return "(" + (" AND ".join(parts) or "true") + ")"


def good_sql(indicator: EventSource, sql: PredicateSql) -> str:
    """Return what makes an event a good one, as a Bool expression."""
    if isinstance(indicator, CacheIndicator):
        return "(cache_hit = 1)"
    match indicator.good:
        case FasterThan(threshold):
            return f"(duration_ns <= {threshold:d})"
        case Matches(predicate):
            return sql.compile(predicate)
        case _:
            return "(NOT error)"


def kinds_mask(indicator: EventSource) -> int:
    """Return the kinds of spans as bits; a lookup may be a span of any kind."""
    if isinstance(indicator, CacheIndicator):
        return EVERY_KIND
    return sum(1 << KIND_BITS[kind] for kind in set(indicator.kinds))


def threshold_ns(indicator: EventSource) -> int:
    """Return the latency threshold, 0 where good is told by something else."""
    good = indicator.good if isinstance(indicator, SpanIndicator) else None
    return good.threshold_ns if isinstance(good, FasterThan) else 0


def label_names(group_by: Sequence[str]) -> tuple[str, ...]:
    """Return the attributes of a group in the order of its labels."""
    return tuple(sorted(set(group_by)))
