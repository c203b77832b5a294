"""Indicators: what is counted, and what of it is good.

All kinds share one contract: `series_id` is a hash of exactly what decides the counts, so that equal indicators share
their stored minutes and a changed one starts a new series.
"""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, TypeAlias

from slo.errors import InvalidObjective
from slo.predicate import LARGEST_INT, SPAN_KINDS, Predicate, canonical

REQUEST_KINDS: Final = ("server", "consumer")
GaugeOperator = Literal["<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class NotError:
    """Good is a span without error."""


@dataclass(frozen=True, slots=True)
class FasterThan:
    """Good is a span that took at most *threshold_ns* nanoseconds."""

    threshold_ns: int

    def __post_init__(self) -> None:
        if not 0 < self.threshold_ns <= LARGEST_INT:
            raise InvalidObjective(f"latency threshold {self.threshold_ns} ns must be above 0 and fit in 64 bits")


@dataclass(frozen=True, slots=True)
class Matches:
    """Good is a span that *predicate* holds for."""

    predicate: Predicate


Good: TypeAlias = NotError | FasterThan | Matches


class _Series:
    """What every kind of indicator has in common."""

    __slots__ = ("_series_id",)
    source: ClassVar[str]
    _series_id: int

    @property
    def series_id(self) -> int:
        """A stable 63-bit hash of exactly what decides the counts; an evaluation asks for it many times."""
        if not hasattr(self, "_series_id"):
            text = json.dumps({"source": self.source, **self._parts()}, sort_keys=True, separators=(",", ":"))
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            object.__setattr__(self, "_series_id", int.from_bytes(digest) >> 1)
        return self._series_id

    def _parts(self) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SpanIndicator(_Series):
    """Which spans are counted, and which of them are good. *environment* None counts every environment."""

    source: ClassVar[str] = "spans"

    service: str
    environment: str | None
    kinds: tuple[str, ...] = REQUEST_KINDS
    filter: Predicate | None = None
    good: Good = NotError()
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_service(self.service)
        if not self.kinds or not set(self.kinds) <= set(SPAN_KINDS):
            raise InvalidObjective(f"span kinds {list(self.kinds)} must be some of {', '.join(SPAN_KINDS)}")

    def _parts(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "environment": self.environment,
            "kinds": sorted(set(self.kinds)),
            "filter": None if self.filter is None else canonical(self.filter),
            "good": _good_text(self.good),
            "group_by": self.group_by,
        }


@dataclass(frozen=True, slots=True)
class CacheIndicator(_Series):
    """Lookups that spans with `cache.hit` tell of; a hit is good. *cache* "" counts every cache of the service."""

    source: ClassVar[str] = "cache"

    service: str
    environment: str | None
    cache: str = ""
    filter: Predicate | None = None
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_service(self.service)

    def _parts(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "environment": self.environment,
            "cache": self.cache,
            "filter": None if self.filter is None else canonical(self.filter),
            "group_by": self.group_by,
        }


@dataclass(frozen=True, slots=True)
class MetricSelector:
    """Series of one metric: those with all of *attributes*, compared as text."""

    metric: str
    attributes: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.metric:
            raise InvalidObjective("an indicator over metrics needs the name of a metric")

    def parts(self) -> list[Any]:
        return [self.metric, sorted(self.attributes)]


@dataclass(frozen=True, slots=True)
class CounterIndicator(_Series):
    """Events that counters count: *total* with either *good* or *bad*, or *good* and *bad*."""

    source: ClassVar[str] = "metrics"

    service: str
    environment: str | None
    good: MetricSelector | None = None
    bad: MetricSelector | None = None
    total: MetricSelector | None = None
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_service(self.service)
        given = [part for part in (self.good, self.bad, self.total) if part is not None]
        if len(given) != 2:
            raise InvalidObjective("an indicator over counters needs two of good, bad and total")
        if given[0].parts() == given[1].parts():
            raise InvalidObjective(f"both counters of the indicator are {given[0].metric!r}; one must be a part")

    def _parts(self) -> dict[str, Any]:
        named = {"good": self.good, "bad": self.bad, "total": self.total}
        return {
            "service": self.service,
            "environment": self.environment,
            "group_by": self.group_by,
            **{name: None if part is None else part.parts() for name, part in named.items()},
        }


@dataclass(frozen=True, slots=True)
class HistogramIndicator(_Series):
    """Values that a histogram counts; good is at most *at_most*, in the metric's own unit."""

    source: ClassVar[str] = "metrics"

    service: str
    environment: str | None
    metric: MetricSelector
    at_most: Decimal
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_service(self.service)
        _check_value(self.at_most)

    def _parts(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "environment": self.environment,
            "histogram": self.metric.parts(),
            "at_most": _number_text(self.at_most),
            "group_by": self.group_by,
        }


@dataclass(frozen=True, slots=True)
class GaugeIndicator(_Series):
    """Every point of a gauge is an event; good is one that compares with *value* as *op* says."""

    source: ClassVar[str] = "metrics"

    service: str
    environment: str | None
    metric: MetricSelector
    op: GaugeOperator
    value: Decimal
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_service(self.service)
        _check_value(self.value)

    def _parts(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "environment": self.environment,
            "gauge": self.metric.parts(),
            "good": f"{self.op} {_number_text(self.value)}",
            "group_by": self.group_by,
        }


MetricIndicator: TypeAlias = CounterIndicator | HistogramIndicator | GaugeIndicator
Indicator: TypeAlias = SpanIndicator | CacheIndicator | MetricIndicator


def _check_service(service: str) -> None:
    if not service:
        raise InvalidObjective("an indicator needs a service name")


def _check_value(value: Decimal) -> None:
    if not value.is_finite():
        raise InvalidObjective(f"threshold {value} must be a finite number")


def _number_text(value: Decimal) -> str:
    """Return one text for equal numbers: 300, 300.0 and 3E+2 are the same threshold."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _good_text(good: Good) -> str:
    match good:
        case NotError():
            return "not error"
        case FasterThan(threshold_ns):
            return f"duration_ns <= {threshold_ns}"
        case _:
            return canonical(good.predicate)
