"""What a chart asks of a metric, and what it is answered."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from storage.client import load_query
from storage.metrics import MetricName

Stat = Literal["last", "avg", "min", "max"]
LOOKBACK_S = 600  # how long before the start the point may lie that the first increase is counted from
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """Series of one kind of a metric over [start, end) in steps of `step_s`.

    Attributes:
        attributes: Only series with all of these attributes, compared as text.
        group_by: Attributes, `service` or `environment`: one series for each of their values. () is the sum of all,
            None every series by itself.
        stat: What a step of a gauge shows.
        limit: How many series are answered at most.
    """

    kind: MetricName
    start: datetime
    end: datetime
    step_s: int
    service: str = ""
    environment: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    group_by: tuple[str, ...] | None = None
    stat: Stat = "last"
    limit: int = 20

    @property
    def adds_up(self) -> bool:
        """Return whether points of different series make sense together: not those of totals, values or quantiles."""
        return self.kind.temporality == "delta" and self.kind.type not in {"gauge", "summary"}

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of every query of this family."""
        return {
            "metric": self.kind.metric,
            "type": self.kind.type,
            "unit": self.kind.unit,
            "temporality": self.kind.temporality,
            "monotonic": self.kind.monotonic,
            "delta": self.kind.temporality == "delta",
            "with_overflow": self.adds_up,
            "service": self.service,
            "environment": self.environment,
            "attribute_keys": [key for key, _ in self.attributes],
            "attribute_values": [value for _, value in self.attributes],
            "by_series": self.group_by is None,
            "group_by": list(self.group_by or ()),
            "start_ns": nanoseconds(self.start),
            "end_ns": nanoseconds(self.end),
            "step_ns": self.step_s * 1_000_000_000,
            "lookback_ns": LOOKBACK_S * 1_000_000_000,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class MetricStep:
    """One step of a series; None is no data.

    Attributes:
        value: A gauge's value, or the rate a second of a counter or of a histogram's count.
        increase: By how much a counter rose.
        quantiles: By level, "0.95" for example.
    """

    at: datetime
    value: float | None
    increase: float | None = None
    quantiles: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """A series or group. `labels`: what it was grouped by; of a series by itself, its sender and attributes."""

    labels: dict[str, Any]
    steps: list[MetricStep]
    unusable_bounds: bool = False


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """`series` of `total` that have data, and what has to be known to read them.

    Attributes:
        overflow_points: Points of series beyond their service's limit; only those of deltas are counted in `series`.
    """

    series: list[MetricSeries]
    total: int
    warnings: list[str]
    overflow_points: int = 0


def selected(query: MetricQuery, *, labels: bool = True) -> str:
    """Return the SQL of the series that *query* asks for, with the labels of their groups where those are wanted.

    The text of an attribute takes the engine over 5 ms to plan, so it stands only where it is needed.
    """
    sql = load_query("metric_selected")
    sql = sql.replace("/*group_labels*/", load_query("metric_group_labels") if labels else "")
    return sql.replace("/*with_attributes*/", load_query("metric_with_attributes") if query.attributes else "")


def overflows(query: MetricQuery) -> str:
    """Return the SQL that tells points of what overflowed from others, where *query* counts them."""
    overflowed = "series_id IN (SELECT series_id FROM metric_series WHERE metric = {metric:String} AND origin_id = 0)"
    return overflowed if query.adds_up else "false"


def nanoseconds(moment: datetime) -> int:
    """Return nanoseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
