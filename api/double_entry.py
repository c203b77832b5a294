"""Whether the spans that an objective counts are all that its service served."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from api.context import Context
from slo.double_entry import DoubleEntry, compare_entries
from slo.indicator import SpanIndicator
from slo.model import Slo
from storage.double_entry import DoubleEntries, double_entries

TOLERANCE: Final = Decimal("0.05")  # counter and spans cut their minutes at different places
FEWEST_REQUESTS: Final = 100  # a few at the edges of the hour are no loss


def entries(ctx: Context, now: datetime) -> DoubleEntries:
    """Return what both sides counted; at most a minute old."""
    return ctx.entries.answer((), now, lambda: double_entries(ctx.database, now))


def entry_of(found: DoubleEntries, slo: Slo) -> DoubleEntry | None:
    """Return what the counts of the service of *slo* amount to; None where it does not count or has no server spans."""
    indicator = slo.indicator
    if not isinstance(indicator, SpanIndicator) or "server" not in indicator.kinds:
        return None
    return compare_entries(found.of(indicator.service, indicator.environment), tolerance=TOLERANCE)


def problems_of(ctx: Context, slos: Sequence[Slo], now: datetime) -> Mapping[str, list[str]]:
    """Return what hinders the counting of *slos*, by id: what the evaluator says, and spans that are missing."""
    known = ctx.slo_problems()
    found = entries(ctx, now)
    return {slo.id: [*known.get(slo.id, []), *_distrust(entry_of(found, slo))] for slo in slos}


def _distrust(entry: DoubleEntry | None) -> list[str]:
    if entry is None or entry.requests < FEWEST_REQUESTS or entry.verdict not in {"sampled", "lost"}:
        return []
    return [f"not trustworthy: {entry.text}"]
