"""An alert in one plain sentence: what is broken, how badly, against which promise."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from slo.budgeting import Freshness, Occurrences, Throughput, Timeslices
from slo.confidence import burn_rate_bound, surely_exceeds
from slo.evaluation import ConditionResult
from slo.indicator import (
    CacheIndicator,
    FasterThan,
    HistogramIndicator,
    Indicator,
    NotError,
    SpanIndicator,
)
from slo.model import EventCounts, Slo
from slo.policy import Severity
from slo.wording import counted, percent_of_target, plain, slices, span_of_time


def firing_summary(slo: Slo, conditions: Sequence[ConditionResult]) -> str:
    """Return what is wrong, told by the short window of the most urgent of *conditions* that is met."""
    worst = max((result for result in conditions if result.met), key=_urgency)
    told = f"{_told(slo, worst.short, worst.condition.short)}; objective {percent_of_target(slo.target)}"
    return told + _doubt(slo, worst)


def resolved_summary(slo: Slo, severity: Severity, conditions: Sequence[ConditionResult]) -> str:
    """Return that it is over, with the numbers that show it."""
    if not conditions:
        return f"{slo.name}: its policy no longer alerts with severity {severity}"
    latest = min(conditions, key=lambda result: result.condition.short)
    told = _told(slo, latest.short, latest.condition.short)
    return f"{slo.name} recovered: {told}; objective {percent_of_target(slo.target)}"


def percent(part: int, whole: int) -> str:
    """Return *part* of *whole* in percent, to two digits, and never as 0 or 100 when it is not.

    >>> percent(219, 3000), percent(1, 3_000_000), percent(2999, 3000), percent(0, 5)
    ('7.3 %', '0.000033 %', '99.9 %', '0 %')
    """
    share = Decimal(100 * part) / whole
    if part == whole or share < 1:
        digits = format(float(share), ".2g")
    else:
        digits = str(min(share, Decimal("99.9")).quantize(Decimal("0.1")))
    return f"{plain(Decimal(digits))} %"


def _urgency(result: ConditionResult) -> tuple[object, timedelta]:
    return result.condition.factor, -result.condition.short


def _doubt(slo: Slo, worst: ConditionResult) -> str:
    """Return how sure the burn rate of the long window is, where its events are too few to be sure of the factor."""
    bound = burn_rate_bound(worst.long, slo.target)
    if bound is None or surely_exceeds(worst.long, slo.target, worst.condition.factor):
        return ""
    window = span_of_time(worst.condition.long)
    return f"; few events: 95 % sure only that the last {window} burned at least {plain(Decimal(f'{bound:.2g}'))}x"


def _told(slo: Slo, counts: EventCounts, window: timedelta) -> str:
    share = f"{percent(counts.bad, counts.total)} of {events_of(slo)} {_badness(slo)}"
    return f"{share} in the last {span_of_time(window)} ({counts.bad:,} of {counts.total:,})"


def events_of(slo: Slo) -> str:
    """Return what is counted: slices of time, or the indicator's own events."""
    match slo.budgeting:
        case Occurrences():
            return counted(slo.indicator)
        case Freshness():
            return f"the minutes of {counted(slo.indicator)}"
        case Timeslices(length=length) | Throughput(length=length):
            return f"the {slices(length)} of {counted(slo.indicator)}"


def _badness(slo: Slo) -> str:
    match slo.budgeting:
        case Occurrences():
            return _bad_event(slo.indicator)
        case Throughput(at_least=least):
            return f"had fewer than {least}"
        case Freshness(within=within):
            return f"had none that was good in {span_of_time(within)}"
        case Timeslices(target=target):
            return f"were below {percent_of_target(target)}"


def _bad_event(indicator: Indicator) -> str:
    match indicator:
        case CacheIndicator():
            return "missed"
        case SpanIndicator(good=NotError()):
            return "failed"
        case SpanIndicator(good=FasterThan(threshold_ns)):
            return f"took longer than {plain(Decimal(threshold_ns) / 1_000_000)} ms"
        case HistogramIndicator(at_most=limit):
            return f"were above {plain(limit)}"
        case _:
            return "were not good"
