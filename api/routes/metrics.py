"""Metrics: what was received, and each over time."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from api.window import pairs, window
from storage import exemplars, metric_series, metrics
from storage.metric_query import MetricQuery

router = APIRouter(tags=["metrics"])

STEPS = 120  # of a chart
MAX_STEPS = 2_000
MIN_STEP_S = 10

Time = Annotated[datetime | None, Query(description="RFC 3339; without an offset it is UTC.")]
Attributes = Annotated[list[str] | None, Query(description="`key=value`: only series with this attribute. Repeatable.")]
GroupBy = Annotated[
    list[str] | None,
    Query(description="Attribute, `service` or `environment`; repeatable. Empty: all series together."),
]


@router.get("/metrics")
def list_metrics(ctx: Ctx, service: str = "") -> m.Page[m.MetricName]:
    found = metrics.metric_names(ctx.database, now=datetime.now(UTC), service=service)
    return m.Page(items=[m.MetricName.model_validate(item, from_attributes=True) for item in found])


@router.get("/metrics/{name:path}")
def get_metric(
    ctx: Ctx,
    name: str,
    start: Time = None,
    end: Time = None,
    window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 3600,
    step_s: Annotated[int | None, Query(ge=1)] = None,
    service: str = "",
    environment: str = "",
    metric_type: Annotated[str, Query(alias="type")] = "",
    unit: str | None = None,
    attribute: Attributes = None,
    group_by: GroupBy = None,
    stat: Literal["last", "avg", "min", "max"] = "last",
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    exemplar_limit: Annotated[int, Query(ge=0, le=1000)] = 20,
) -> m.Metric:
    """Return a metric over [start, end): rates of counters, values of gauges, quantiles of histograms and summaries."""
    first, last = window(start, end, window_s)
    kinds = metrics.metric_names(ctx.database, now=first, service=service, metric=name)
    kind = _kind(kinds, name, metric_type, unit)
    query = MetricQuery(
        kind=kind,
        start=first,
        end=last,
        step_s=_step(last - first, step_s),
        service=service,
        environment=environment,
        attributes=pairs(attribute or []),
        group_by=None if group_by is None else tuple(key for key in group_by if key),
        stat=stat,
        limit=limit,
    )
    found = metric_series.metric_series(ctx.database, query)
    traced = exemplars.exemplars(ctx.database, query, limit=exemplar_limit) if exemplar_limit else []
    return m.Metric(
        kind=m.MetricName.model_validate(kind, from_attributes=True),
        kinds=[m.MetricName.model_validate(item, from_attributes=True) for item in kinds],
        start=first,
        end=last,
        step_s=query.step_s,
        shown=len(found.series),
        total=found.total,
        warnings=[*found.warnings, *_flips(kinds, kind)],
        overflow_points=found.overflow_points,
        items=[m.MetricSeries.model_validate(item, from_attributes=True) for item in found.series],
        exemplars=[m.Exemplar.model_validate(item, from_attributes=True) for item in traced],
    )


def _kind(kinds: list[metrics.MetricName], name: str, metric_type: str, unit: str | None) -> metrics.MetricName:
    """Return the kind that was seen last among those asked for."""
    fitting = [kind for kind in kinds if kind.type == (metric_type or kind.type) and unit in {None, kind.unit}]
    if not fitting:
        raise ProblemError(404, f"no metric {name[:200]!r} of that type, unit and sender; see /api/v1/metrics")
    return max(fitting, key=lambda kind: kind.last_seen)


def _flips(kinds: list[metrics.MetricName], kind: metrics.MetricName) -> list[str]:
    others = [f"{other.temporality} {other.type} in {other.unit!r}" for other in kinds if other != kind]
    return [f"the name was sent in other kinds too, which are not shown: {', '.join(others)[:500]}"] if others else []


def _step(length: timedelta, step_s: int | None) -> int:
    seconds = length.total_seconds()
    if step_s is None:
        return max(MIN_STEP_S, -(-int(seconds) // STEPS))
    if seconds / step_s > MAX_STEPS:
        raise ProblemError(
            400, f"step_s={step_s} cuts {seconds:.0f} s into more than {MAX_STEPS} steps; make it longer"
        )
    return step_s
