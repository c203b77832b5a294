"""Services: the table, the wall's tiles, the three RED charts and the operations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pandas as pd

from api import models as m
from dashboard.views import charts, looks, units
from dashboard.views.markup import (
    Column,
    Look,
    Markup,
    chip,
    facts,
    grid,
    join,
    lines,
    link,
    muted,
    page_href,
    table,
    tag,
)

_COLUMNS = (
    Column("State"),
    Column("Service"),
    Column("Rate", numeric=True),
    Column("Errors", numeric=True),
    Column("p50", numeric=True),
    Column("p95", numeric=True),
    Column("p99", numeric=True),
    Column("Versions"),
    Column("Last span"),
)
_OPERATION_COLUMNS = (
    Column("Operation"),
    Column("Kind"),
    Column("Rate", numeric=True),
    Column("Requests", numeric=True),
    Column("Errors", numeric=True),
    Column("p50", numeric=True),
    Column("p95", numeric=True),
    Column("Traces"),
)

# spans arrive a few seconds after they ended
_LATENESS_S = 10


def state(service: m.Service, slos: Sequence[m.Slo]) -> Look:
    """Return the state of the service's worst SLO in its environment."""
    own = [item.state for item in slos if (item.service, item.environment) == (service.name, service.environment)]
    if not own:
        return looks.SERVICE_WITHOUT_SLO
    return looks.SLO_STATES[min(own, key=looks.SLO_RANK.__getitem__)]


def worst_first(services: Sequence[m.Service], slos: Sequence[m.Slo]) -> list[m.Service]:
    """Return the services by the state of their SLOs, then by error ratio, then by name."""
    rank = {id(look): place for place, look in enumerate(looks.SLO_STATES.values())}

    def key(service: m.Service) -> tuple[int, float, str, str]:
        place = rank.get(id(state(service, slos)), len(rank))
        return place, -(service.error_ratio or 0.0), service.name, service.environment

    return sorted(services, key=key)


def href(service: m.Service) -> str:
    return page_href("service", name=service.name, environment=service.environment)


def listing(services: Sequence[m.Service], slos: Sequence[m.Slo], now: datetime) -> Markup:
    """Return the table of services, worst first."""
    rows = [
        (
            chip(state(item, slos)),
            lines(link(href(item), item.name), muted(item.environment)),
            units.rate(item.rate_per_s),
            errors(item.errors, item.error_ratio),
            units.duration(item.p50_ms),
            units.duration(item.p95_ms),
            units.duration(item.p99_ms),
            ", ".join(item.versions) or units.MISSING,
            units.ago(item.last_seen, now),
        )
        for item in worst_first(services, slos)
    ]
    return table(_COLUMNS, rows, caption="Services, worst first")


def wall(services: Sequence[m.Service], slos: Sequence[m.Slo]) -> Markup:
    """Return a grid of tiles, one a service, worst first."""
    return grid((_wall_tile(item, state(item, slos)) for item in worst_first(services, slos)), css="nl-wall")


def _wall_tile(item: m.Service, look: Look) -> Markup:
    head = tag("div", tag("strong", item.name), chip(look), css="nl-tile-head")
    numbers = facts(
        [
            ("rate", units.rate(item.rate_per_s)),
            ("errors", units.percent(item.error_ratio)),
            ("p95", units.duration(item.p95_ms)),
        ]
    )
    return link(
        href(item), head, muted(item.environment or "no environment"), numbers, css=f"nl-tile nl-edge-{look.tone}"
    )


def errors(amount: int, ratio: float | None) -> Markup:
    """Return the ratio of failed requests with their number; red only where there are some."""
    if ratio is None:
        return muted("no data")
    text = units.percent(ratio)
    return lines(tag("span", text, css="nl-text-bad") if amount else text, muted(f"{units.count(amount)} failed"))


def operations(service: m.Service, items: Sequence[m.Operation]) -> Markup:
    """Return the table of a service's operations, most failing first, then busiest."""
    ordered = sorted(items, key=lambda item: (-(item.error_ratio or 0.0), -item.requests, item.name))
    rows = [
        (
            item.name,
            item.kind,
            units.rate(item.rate_per_s),
            units.count(item.requests),
            errors(item.errors, item.error_ratio),
            units.duration(item.p50_ms),
            units.duration(item.p95_ms),
            _trace_links(service.name, item),
        )
        for item in ordered
    ]
    return table(_OPERATION_COLUMNS, rows, caption=f"Operations of {service.name}")


def _trace_links(service: str, item: m.Operation) -> Markup:
    every = link(page_href("traces", service=service, operation=item.name), "traces")
    failed = link(page_href("traces", service=service, operation=item.name, errors="true"), "failed")
    return join([every, failed], " · ") if item.errors else every


def summary(service: m.Service, now: datetime) -> Markup:
    """Return the headline numbers of one service."""
    latency = " / ".join(units.duration(value) for value in (service.p50_ms, service.p95_ms, service.p99_ms))
    return facts(
        [
            ("Rate", units.rate(service.rate_per_s)),
            ("Requests", units.count(service.requests)),
            ("Errors", f"{units.percent(service.error_ratio)} ({units.count(service.errors)})"),
            ("p50 / p95 / p99", latency),
            ("Environment", service.environment or units.MISSING),
            ("Versions", ", ".join(service.versions) or units.MISSING),
            ("Last span", units.ago(service.last_seen, now)),
        ]
    )


def series_frame(series: Sequence[m.RedPoint], window_s: int, now: datetime) -> pd.DataFrame:
    """Return the points with rates a second and per cent; a step without requests has neither errors nor latency.

    A step that has not ended yet has no rate: its requests would look like a drop.
    """
    step = _step_seconds(series, window_s)
    ended = now - timedelta(seconds=step + _LATENESS_S)
    rates = [point.requests / step if point.at <= ended else None for point in series]
    return pd.DataFrame(
        {
            "time": pd.to_datetime([point.at for point in series], utc=True),
            "requests": pd.array(rates, dtype="Float64"),
            "errors": [point.errors / point.requests * 100 if point.requests else None for point in series],
            "p50": pd.array([point.p50_ms for point in series], dtype="Float64"),
            "p95": pd.array([point.p95_ms for point in series], dtype="Float64"),
        }
    )


def red_charts(detail: m.ServiceDetail, annotations: Sequence[m.Annotation], now: datetime) -> dict[str, charts.Option]:
    """Return the charts of rate, errors and duration, by title, with what happened to the service meanwhile."""
    frame = series_frame(detail.series, detail.service.window_s, now)
    drawn = {
        "Rate": charts.over_time(
            frame[["time", "requests"]], [charts.Line("requests", area=True)], unit="req/s", value_format="%.2f req/s"
        ),
        "Errors": charts.over_time(
            frame[["time", "errors"]],
            [charts.Line("errors", color=charts.RED, area=True)],
            unit="% of requests",
            value_format="%.2f %%",
        ),
        "Duration": charts.over_time(
            frame[["time", "p50", "p95"]],
            [charts.Line("p95"), charts.Line("p50")],
            unit="ms",
            value_format="%.1f ms",
        ),
    }
    covered = detail.series[0].at if detail.series else now, now
    bands = charts.bands_of(annotations, *covered, detail.service.name)
    moments = charts.deployments_of(annotations, *covered, detail.service.name)
    return {
        title: charts.add_markers(charts.add_bands(option, bands), moments, color=charts.SLATE)
        for title, option in drawn.items()
    }


def _step_seconds(series: Sequence[m.RedPoint], window_s: int) -> float:
    if len(series) < 2:
        return float(window_s or 60)
    return min((later.at - earlier.at).total_seconds() for earlier, later in pairwise(series)) or 60.0


def chart_takeaway(title: str, service: m.Service) -> str:
    """Return what a chart says, for those who cannot see it."""
    says = {
        "Rate": f"{units.rate(service.rate_per_s)} on average",
        "Errors": f"{units.percent(service.error_ratio)} of requests failed",
        "Duration": f"p50 {units.duration(service.p50_ms)}, p95 {units.duration(service.p95_ms)}",
    }
    return f"{title} of {service.name}: {says[title]}"
