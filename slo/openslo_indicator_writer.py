"""Indicators as OpenSLO spells them: an SLI, and what each objective compares it with."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from slo.budgeting import Budgeting, Freshness, Throughput
from slo.errors import InvalidObjective
from slo.indicator import (
    REQUEST_KINDS,
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    Good,
    HistogramIndicator,
    Indicator,
    MetricSelector,
    NotError,
    SpanIndicator,
)
from slo.openslo_yaml import Fields
from slo.predicate import canonical

_NS_PER_MS: Final = 1_000_000
_OPERATORS: Final = {"<=": "lte", "<": "lt", ">=": "gte", ">": "gt"}


@dataclass(frozen=True, slots=True)
class WrittenIndicator:
    """The `spec` of an SLI, and the fields that an objective needs beside it: `op` and `value`."""

    sli: Fields
    threshold: Fields = field(default_factory=dict)


def write_indicator(indicator: Indicator, budgeting: Budgeting) -> WrittenIndicator:
    """Return *indicator* as fields; a floor among *budgeting* is a measure of spans.

    Raises:
        InvalidObjective: a file has no words for it.
    """
    if isinstance(budgeting, Throughput | Freshness):
        return _floor(indicator, budgeting)
    match indicator:
        case SpanIndicator():
            sides: dict[str, Fields] = {"good": {"good": _good_text(indicator.good)}, "total": {}}
            return _ratio("spans", sides, _population(indicator))
        case CacheIndicator():
            return _ratio("cache", {"good": {}, "total": {}}, _lookups(indicator))
        case CounterIndicator():
            return _counters(indicator)
        case HistogramIndicator():
            return _threshold(indicator, "histogram", {"op": "lte", "value": indicator.at_most})
        case _:
            return _threshold(indicator, "gauge", {"op": _OPERATORS[indicator.op], "value": indicator.value})


def _floor(indicator: Indicator, floor: Throughput | Freshness) -> WrittenIndicator:
    if not isinstance(indicator, SpanIndicator):
        raise InvalidObjective(f"a floor of {indicator.source} has no form in a file; only spans have floors")
    if isinstance(floor, Throughput):
        if indicator.good != NotError():
            raise InvalidObjective("a throughput counts all events; write what is counted as a filter, not as good")
        return _measure(indicator, {"measure": "throughput"}, "gte", floor.at_least)
    measured: Fields = {"measure": "freshness", "good": _good_text(indicator.good)}
    return _measure(indicator, measured, "lte", floor.within // timedelta(seconds=1))


def _ratio(kind: str, sides: dict[str, Fields], common: Fields) -> WrittenIndicator:
    sources: Fields = {side: _source(kind, common | own) for side, own in sides.items()}
    return WrittenIndicator({"ratioMetric": {"counter": kind == "metrics", **sources}})


def _measure(indicator: SpanIndicator, measured: Fields, op: str, value: int) -> WrittenIndicator:
    source = _source("spans", _population(indicator) | measured)
    return WrittenIndicator({"thresholdMetric": source}, {"op": op, "value": value})


def _counters(indicator: CounterIndicator) -> WrittenIndicator:
    named = {"good": indicator.good, "bad": indicator.bad, "total": indicator.total}
    sides = {side: _selected(selector) for side, selector in named.items() if selector is not None}
    return _ratio("metrics", sides, _common(indicator) | {"instrument": "counter"})


def _threshold(indicator: HistogramIndicator | GaugeIndicator, instrument: str, threshold: Fields) -> WrittenIndicator:
    spec = _common(indicator) | {"instrument": instrument} | _selected(indicator.metric)
    return WrittenIndicator({"thresholdMetric": _source("metrics", spec)}, threshold)


def _source(kind: str, spec: Fields) -> Fields:
    return {"metricSource": {"type": kind, "spec": spec}}


def _selected(selector: MetricSelector) -> Fields:
    attributes: Fields = {"attributes": dict(selector.attributes)} if selector.attributes else {}
    return {"metric": selector.metric} | attributes


def _common(indicator: Indicator) -> Fields:
    spec: Fields = {"service": indicator.service}
    if indicator.environment is not None:
        spec["environment"] = indicator.environment
    if indicator.group_by:
        spec["group_by"] = list(indicator.group_by)
    return spec


def _population(indicator: SpanIndicator) -> Fields:
    kind: Fields = {"kind": _kind(indicator.kinds)}
    return _common(indicator) | kind | _filter(indicator)


def _lookups(indicator: CacheIndicator) -> Fields:
    cache: Fields = {"cache": indicator.cache} if indicator.cache else {}
    return _common(indicator) | cache | _filter(indicator)


def _filter(indicator: SpanIndicator | CacheIndicator) -> Fields:
    return {} if indicator.filter is None else {"filter": canonical(indicator.filter)}


def _kind(kinds: tuple[str, ...]) -> str:
    if set(kinds) == set(REQUEST_KINDS):
        return "request"
    if len(kinds) == 1:
        return kinds[0]
    raise InvalidObjective(f"span kinds {list(kinds)} have no name in a file; use one kind, or server and consumer")


def _good_text(good: Good) -> str:
    match good:
        case NotError():
            return "not error"
        case FasterThan(threshold_ns):
            return f"duration_ms <= {_milliseconds(threshold_ns)}"
        case _:
            return canonical(good.predicate)


def _milliseconds(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, _NS_PER_MS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
