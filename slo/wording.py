"""Objectives in plain words: what is counted, what of it is good, and spans of time."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from slo.budgeting import Freshness, Occurrences, Throughput, Timeslices
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
from slo.model import Slo
from slo.predicate import canonical

_UNITS: Final = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_NOUNS: Final = {"client": "calls from", "producer": "messages from", "internal": "operations in"}
_REQUESTS: Final = "requests to"


def promise(slo: Slo) -> str:
    """Return what a good event (or slice of time) of *slo* is.

    >>> from slo.draft import drafts
    >>> [promise(draft) for draft in drafts("checkout", "prod")]
    ['requests to checkout in prod without error', 'requests to checkout in prod within 200 ms']
    """
    events = _good_events(slo.indicator)
    match slo.budgeting:
        case Occurrences():
            return events
        case Timeslices(target=target, length=length):
            return f"{slices(length)} with {percent_of_target(target)} {events}"
        case Throughput(at_least=least, length=length):
            return f"{slices(length)} with at least {least} {counted(slo.indicator)}"
        case Freshness(within=within):  # pragma: no branch -- every budgeting method is above
            return f"minutes with {events} in the last {span_of_time(within)}"


def _good_events(indicator: Indicator) -> str:
    events = counted(indicator)
    match indicator:
        case SpanIndicator(good=NotError()):
            return f"{events} without error"
        case SpanIndicator(good=FasterThan(threshold_ns)):
            return f"{events} within {plain(Decimal(threshold_ns) / 1_000_000)} ms"
        case CacheIndicator():
            return f"{events} that hit"
        case HistogramIndicator(at_most=limit):
            return f"{events} up to {plain(limit)}"
        case GaugeIndicator(op=op, value=value):
            return f"{events} {op} {plain(value)}"
        case SpanIndicator() | CounterIndicator():  # pragma: no branch -- every kind of indicator is above
            return f"good {events}"


def counted(indicator: Indicator) -> str:
    """Return what *indicator* counts, good and bad."""
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
        case CounterIndicator(total=total, good=good):  # pragma: no branch -- every kind of indicator is above
            named = total or good
            return f"events of {named.metric if named else 'the counters'} from {indicator.service}{where}"


def slices(length: timedelta) -> str:
    """Return what slices of time of *length* are called.

    >>> slices(timedelta(minutes=1)), slices(timedelta(minutes=5))
    ('minutes', 'slices of 5 minutes')
    """
    name = span_of_time(length)
    return f"slices of {name}" if " " in name else f"{name}s"


def percent_of_target(target: Decimal) -> str:
    """Return *target* in percent, exactly.

    >>> percent_of_target(Decimal("0.9995"))
    '99.95 %'
    """
    return f"{plain(target * 100)} %"


def span_of_time(window: timedelta) -> str:
    """Return *window* in words.

    >>> span_of_time(timedelta(minutes=5)), span_of_time(timedelta(hours=1))
    ('5 minutes', 'hour')
    """
    unit, name = next((unit, name) for unit, name in _UNITS if not window % unit)
    count = window // unit
    return name if count == 1 else f"{count} {name}s"


def plain(number: Decimal) -> str:
    """Return *number* without an exponent and without needless zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
