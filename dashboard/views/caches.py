"""Caches: hit ratio, volume, and what a miss costs."""

from collections.abc import Sequence

import pandas as pd

from api import models as m
from dashboard.views import charts, units
from dashboard.views.markup import Column, Markup, lines, muted, table, tag

_COLUMNS = (
    Column("Cache"),
    Column("Hit ratio", numeric=True),
    Column("Hits", numeric=True),
    Column("Misses", numeric=True),
    Column("p95 of hits", numeric=True),
    Column("p95 of misses", numeric=True),
    Column("A miss costs", numeric=True),
    Column("Counted from"),
)


def lowest_first(caches: Sequence[m.Cache]) -> list[m.Cache]:
    """Return the caches by hit ratio, lowest first; those without lookups last."""
    return sorted(caches, key=lambda item: (item.hit_ratio is None, item.hit_ratio or 0.0, item.service, item.name))


def listing(caches: Sequence[m.Cache]) -> Markup:
    """Return the table of caches, lowest hit ratio first."""
    rows = [
        (
            lines(tag("strong", item.name), muted(f"{item.service} · {item.environment}")),
            units.percent(item.hit_ratio, 1) if item.hit_ratio is not None else muted("no data"),
            _volume(item.hits, item.window_s),
            _volume(item.misses, item.window_s),
            _latency(item.hit_latency),
            _latency(item.miss_latency),
            miss_cost(item),
            item.source,
        )
        for item in lowest_first(caches)
    ]
    return table(_COLUMNS, rows, caption="Caches, lowest hit ratio first")


def miss_cost(item: m.Cache) -> str:
    """Return how much longer a median miss takes than a median hit."""
    if item.hit_latency is None or item.miss_latency is None:
        return muted("metrics know no latency") if item.source == "metrics" else units.MISSING
    hit, miss = item.hit_latency.p50_ms, item.miss_latency.p50_ms
    if hit is None or miss is None:
        return units.MISSING
    return f"{'+' if miss >= hit else '-'}{units.duration(abs(miss - hit))} at p50"


def frame(series: Sequence[m.CachePoint]) -> pd.DataFrame:
    """Return the steps with the hit ratio in per cent; a step without lookups has none."""
    ratios = [point.hits / (point.hits + point.misses) * 100 if point.hits + point.misses else None for point in series]
    return pd.DataFrame(
        {
            "time": pd.to_datetime([point.at for point in series], utc=True),
            "hits": [point.hits for point in series],
            "misses": [point.misses for point in series],
            "hit ratio": pd.array(ratios, dtype="Float64"),
        }
    )


def chart(item: m.Cache, bands: Sequence[charts.Band]) -> charts.Option:
    """Return hits and misses stacked, with the hit ratio as a line on a 0 to 100 % axis."""
    option = charts.over_time(
        frame(item.series),
        [
            charts.Line("hits", bars=True),
            charts.Line("misses", color="#b45309", bars=True),
            charts.Line("hit ratio", color="#0f766e", right_axis=True),
        ],
        unit="lookups a step",
        value_format="%,d lookups",
    )
    right = {"type": "value", "name": "hit ratio, %", "min": 0, "max": 100, "splitLine": {"show": False}}
    option["yAxis"].append(right | {"nameTextStyle": {"align": "right"}})
    # the axis' own name would lie on the labels of the right one
    option["xAxis"]["nameGap"] = 36
    option["grid"]["right"] = 44
    option["series"][2]["tooltip"] = {"valueFormatter": "%.1f %%"}
    return charts.add_bands(option, bands)


def title(item: m.Cache) -> str:
    """Return what tells this cache from the others: the same one may be counted from spans and from metrics."""
    owner = "" if item.name == item.service else f" of {item.service}"
    place = f" in {item.environment}" if item.environment else ""
    return f"{item.name}{owner}{place}, counted from {item.source}"


def _volume(amount: int, window_s: int) -> Markup:
    return lines(units.count(amount), muted(units.rate(amount / window_s) if window_s else ""))


def _latency(group: m.LatencyGroup | None) -> str:
    return units.duration(group.p95_ms) if group else units.MISSING
