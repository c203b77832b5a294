"""Why an objective lost budget in a window: who spent it, what bad requests have in common, and traces of them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from slo.attribution import NO_VALUE, Attribution, attribute_burn
from slo.indicator import SpanIndicator
from slo.model import NO_EVENTS, EventCounts, Slo
from storage.attribution import AttributeCounts, count_attributes
from storage.blame import Blame, blame
from storage.client import Database
from storage.exemplar_traces import ExemplarTrace, exemplar_traces

MOST_DIFFERENCES = 12
MOST_TRACES = 5
DOUBT: Final = 0.05  # that chance put any value into the list


@dataclass(frozen=True, slots=True)
class RankedDifference:
    """What bad requests have more often than good ones. Of a sample the budget without it is not known."""

    attribution: Attribution
    sampled: bool
    budget_without: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """`total` is exact; see `storage.blame` and `storage.attribution` for what is sampled."""

    total: EventCounts
    blame: Blame
    differences: tuple[RankedDifference, ...]
    traces: tuple[ExemplarTrace, ...]


def explain(database: Database, slo: Slo, *, start: datetime, end: datetime) -> Explanation | None:
    """Return who spent the budget of *slo* in [start, end); None where the indicator does not count requests."""
    if not isinstance(slo.indicator, SpanIndicator):
        return None
    counts = count_attributes(database, slo.indicator, start=start, end=end)
    return Explanation(
        total=counts.total,
        blame=blame(database, slo.indicator, start=start, end=end),
        differences=tuple(differences(counts, slo.target)),
        traces=tuple(exemplar_traces(database, slo.indicator, start=start, end=end, limit=MOST_TRACES)),
    )


def differences(counts: AttributeCounts, target: Decimal) -> list[RankedDifference]:
    """Return the most telling values, those counted exactly and those of the sample together."""
    exact = _ranked(counts, target, sampled=False)
    sampled = _ranked(counts, target, sampled=True)
    found = [
        *(RankedDifference(each, sampled=False, budget_without=each.remaining_without) for each in exact),
        *(RankedDifference(each, sampled=True, budget_without=None) for each in sampled),
    ]
    return sorted(found, key=lambda each: -each.attribution.interval.low)[:MOST_DIFFERENCES]


def _ranked(counts: AttributeCounts, target: Decimal, *, sampled: bool) -> list[Attribution]:
    """Return the telling values of those that were counted in one way; each of both ways may spend half the doubt."""
    attributes: defaultdict[str, dict[str, EventCounts]] = defaultdict(dict)
    for each in counts.counts:
        if each.sampled == sampled:
            values, value = attributes[each.attribute], each.value or NO_VALUE
            values[value] = values.get(value, NO_EVENTS) + EventCounts(each.good, each.good + each.bad)
    overall = counts.sample if sampled else counts.total
    found = attribute_burn(overall, attributes, target, distinct=counts.distinct)
    return [each for each in found if each.chance <= DOUBT / 2]
