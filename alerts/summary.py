"""An alert in one plain sentence: what is broken, how badly, against which promise."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from alerts.signal import AlertSignal
from slo.budgeting import Freshness, Occurrences, Throughput, Timeslices
from slo.evaluation import ConditionResult
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    HistogramIndicator,
    Indicator,
    NotError,
    SpanIndicator,
)
from slo.model import EventCounts, Slo
from slo.predicate import canonical

_UNITS: Final = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_NOUNS: Final = {"client": "calls from", "producer": "messages from", "internal": "operations in"}
_REQUESTS: Final = "requests to"


def firing_summary(signal: AlertSignal) -> str:
    """Return what is wrong, told by the short window of the most urgent condition that is met."""
    worst = max((result for result in signal.conditions if result.met), key=_urgency)
    return f"{_told(signal.slo, worst.short, worst.condition.short)}; objective {percent_of_target(signal.slo.target)}"


def resolved_summary(signal: AlertSignal) -> str:
    """Return that it is over, with the numbers that show it."""
    if not signal.conditions:
        return f"{signal.slo.name}: its policy no longer alerts with severity {signal.severity}"
    latest = min(signal.conditions, key=lambda result: result.condition.short)
    told = _told(signal.slo, latest.short, latest.condition.short)
    return f"{signal.slo.name} recovered: {told}; objective {percent_of_target(signal.slo.target)}"


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
    return f"{_plain(Decimal(digits))} %"


def percent_of_target(target: Decimal) -> str:
    """Return *target* in percent, exactly.

    >>> percent_of_target(Decimal("0.9995"))
    '99.95 %'
    """
    return f"{_plain(target * 100)} %"


def span_of_time(window: timedelta) -> str:
    """Return *window* in words.

    >>> span_of_time(timedelta(minutes=5)), span_of_time(timedelta(hours=1))
    ('5 minutes', 'hour')
    """
    unit, name = next((unit, name) for unit, name in _UNITS if not window % unit)
    count = window // unit
    return name if count == 1 else f"{count} {name}s"


def _urgency(result: ConditionResult) -> tuple[object, timedelta]:
    return result.condition.factor, -result.condition.short


def _told(slo: Slo, counts: EventCounts, window: timedelta) -> str:
    share = f"{percent(counts.bad, counts.total)} of {_events(slo)} {_badness(slo)}"
    return f"{share} in the last {span_of_time(window)} ({counts.bad:,} of {counts.total:,})"


def _events(slo: Slo) -> str:
    """Return what is counted: slices of time, or the indicator's own events."""
    match slo.budgeting:
        case Occurrences():
            return _counted(slo.indicator)
        case Freshness():
            return f"the minutes of {_counted(slo.indicator)}"
        case Timeslices(length=length) | Throughput(length=length):
            return f"the {span_of_time(length)} slices of {_counted(slo.indicator)}"


def _counted(indicator: Indicator) -> str:
    where = f" in {indicator.environment}" if indicator.environment else ""
    match indicator:
        case SpanIndicator(kinds=kinds, filter=wanted):
            noun = _NOUNS.get(kinds[0], _REQUESTS) if len(set(kinds)) == 1 else _REQUESTS
            which = f" with {canonical(wanted)}" if wanted is not None else ""
            return f"{noun} {indicator.service}{where}{which}"
        case CacheIndicator(cache=cache):
            return f"lookups in {cache or 'the caches'} of {indicator.service}{where}"
        case HistogramIndicator(metric=selector) | GaugeIndicator(metric=selector):
            return f"values of {selector.metric} from {indicator.service}{where}"
        case CounterIndicator(total=total, good=good):
            named = total or good
            return f"events of {named.metric if named else 'the counters'} from {indicator.service}{where}"


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
            return f"took longer than {_plain(Decimal(threshold_ns) / 1_000_000)} ms"
        case HistogramIndicator(at_most=limit):
            return f"were above {_plain(limit)}"
        case _:
            return "were not good"


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
