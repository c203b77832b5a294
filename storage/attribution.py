"""Burn attribution: how many good and bad requests each value of each attribute has."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, TypeAlias

from slo.indicator import SpanIndicator
from slo.model import EventCounts
from storage.client import Database
from storage.request_selection import request_totals, select_requests

Row: TypeAlias = dict[str, Any]

VALUES: Final = 20  # of an attribute
KEYS: Final = 40  # attributes of spans: those that most bad requests have
SAMPLE: Final = 2_000  # bad requests, and as many good ones
RESOURCE_KEYS: Final = (
    "host.name",
    "service.instance.id",
    "k8s.pod.name",
    "k8s.node.name",
    "cloud.region",
    "cloud.availability_zone",
)
COUNTED_ELSEWHERE: Final = (
    *RESOURCE_KEYS,
    "name",
    "service.version",
    "deployment.environment.name",
    "http.route",
    "http.response.status_code",
    "http.status_code",
    "error.type",
    "exception.type",
)


@dataclass(frozen=True, slots=True)
class AttributeCount:
    """Requests whose *attribute* has *value* ("" is none), as the SLI counts them: a sampled span stands for several.

    *sampled*: counted among the requests of `AttributeCounts.sample`, and otherwise among all of them.
    """

    attribute: str
    value: str
    good: int
    bad: int
    sampled: bool


@dataclass(frozen=True, slots=True)
class AttributeCounts:
    """Requests by attribute.

    `total` is every request of the window, `sample` those that were looked at for the counts that are sampled.
    `distinct` is how many values each attribute has, those that are not told included.
    """

    total: EventCounts
    sample: EventCounts
    counts: tuple[AttributeCount, ...]
    distinct: Mapping[str, int]


def count_attributes(
    database: Database, indicator: SpanIndicator, *, start: datetime, end: datetime, sample: int = SAMPLE
) -> AttributeCounts:
    """Count the requests of *indicator* in [start, end) by attribute; the VALUES with most bad requests of each.

    Exact, by one scan of narrow columns: http.route, service.version, http.response.status_code, name,
    deployment.environment.name and RESOURCE_KEYS. An attribute that no span has is left out.

    Among at most *sample* bad and as many good requests, the same ones each time: exception.type (of a span's
    exception event, else its error.type) and the attributes of spans that most bad requests have, KEYS in all, as text
    of at most 200 characters, unless they were counted exactly. That reads the
    attributes and events of a granule (8,192 spans) for each of them.
    """
    selection = select_requests(indicator, start=start, end=end)
    totals = request_totals(database, selection)
    total = EventCounts(totals.good, totals.good + totals.bad)
    if not totals.bad_spans:
        return AttributeCounts(total, EventCounts(0, 0), (), {})
    rows = selection.rows(database, "attribution_exact", resource_keys=list(RESOURCE_KEYS), values=VALUES)
    exact = tuple(_counts(rows, sampled=False))
    whole, *sampled = selection.rows(
        database,
        "attribution_sampled",
        bad_limit=sample,
        good_limit=sample,
        known=sorted({*COUNTED_ELSEWHERE, *(each.attribute for each in exact)}),
        values=VALUES,
        most=1 + KEYS * VALUES,
    )
    looked_at = EventCounts(whole["good"], whole["good"] + whole["bad"])
    found = (*exact, *_counts(sampled, sampled=looked_at != total))
    told = {each.attribute for each in exact}
    every = (*sampled, *(row for row in rows if row["attribute"] in told))
    return AttributeCounts(total, looked_at, found, {row["attribute"]: row["distinct"] for row in every})


def _counts(rows: Iterable[Row], *, sampled: bool) -> Iterator[AttributeCount]:
    """Yield *rows*, together by attribute: of the first KEYS attributes, without those that no request has."""
    for attribute, of_attribute in islice(groupby(rows, key=itemgetter("attribute")), KEYS):
        counted = [AttributeCount(attribute, row["value"], row["good"], row["bad"], sampled) for row in of_attribute]
        if any(each.value for each in counted):
            yield from counted
