"""Events of SLIs on the two sides of a comparison: what a fault took from their budgets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from slo.model import NO_EVENTS, EventCounts
from storage.client import Database
from storage.comparison import SIDE_SQL, Comparison, times_sql
from storage.sli_match import EventSource, SpanMatch


@dataclass(frozen=True, slots=True)
class SideCounts:
    """`whole` is everything in the treatment's time, whichever side it is on."""

    whole: EventCounts = NO_EVENTS
    control: EventCounts = NO_EVENTS
    treatment: EventCounts = NO_EVENTS


def count_sides(database: Database, indicators: Iterable[EventSource], comparison: Comparison) -> dict[int, SideCounts]:
    """Return the events of each of *indicators* by its series, counted from spans as every evaluation counts them.

    The environment is that of the indicator, not of the comparison.
    """
    asked = {indicator.series_id: indicator for indicator in indicators}
    found = dict.fromkeys(asked, SideCounts())
    if not asked:
        return found
    match = SpanMatch(list(asked.values()))
    parameters: dict[str, Any] = match.parameters | comparison.parameters()
    slots = {"side": SIDE_SQL, "times": times_sql(), "predicates": ", ".join(match.predicates)}
    for row in database.rows("count_sli_sides", parameters, **slots):
        events = EventCounts(row["good"], row["total"])
        known = found[row["series"]]
        whole = known.whole + events if row["inside"] else known.whole
        sides = {row["side"]: getattr(known, row["side"]) + events} if row["side"] else {}
        found[row["series"]] = replace(known, whole=whole, **sides)
    return found
