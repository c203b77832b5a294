from datetime import datetime
from typing import Any

from api.models.base import Model


class MetricName(Model):
    """One kind of a metric: a name with two types or units is listed twice. `last_seen`: to ten minutes."""

    metric: str
    type: str
    unit: str
    description: str = ""
    temporality: str = "unspecified"
    monotonic: bool = False
    services: list[str] = []
    series: int
    last_seen: datetime


class MetricStep(Model):
    """One step of time. `value`: a gauge's value, or a rate a second; `quantiles` by level, "0.95" for example."""

    at: datetime
    value: float | int | None
    increase: float | None = None
    quantiles: dict[str, float] | None = None


class MetricSeries(Model):
    """A series or a group of them. `unusable_bounds`: over 90 % of a histogram's values lie in one bucket."""

    labels: dict[str, Any]
    steps: list[MetricStep]
    unusable_bounds: bool = False


class Exemplar(Model):
    """A single measurement, and the trace that it was made in."""

    at: datetime
    value: float | int | None
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class Metric(Model):
    """A metric over [start, end): `items` are those `shown` of `total` series, each with the steps that have data.

    `kinds` are all that the name was sent as; this answer is of `kind`. `overflow_points` are of series beyond their
    service's limit: deltas count in `items` as `__other__`, other points are left out.
    """

    kind: MetricName
    kinds: list[MetricName]
    start: datetime
    end: datetime
    step_s: int
    shown: int
    total: int
    warnings: list[str]
    overflow_points: int = 0
    items: list[MetricSeries]
    exemplars: list[Exemplar]
    next_cursor: str | None = None
