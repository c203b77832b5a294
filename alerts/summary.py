"""An alert in one plain sentence: what is broken, how badly, against which promise."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from alerts.signal import AlertSignal
from slo.evaluation import ConditionResult
from slo.model import EventCounts, FasterThan, Good, Indicator, NotError, Slo
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
    share = f"{percent(counts.bad, counts.total)} of {_events(slo.indicator)} {_badness(slo.indicator.good)}"
    return f"{share} in the last {span_of_time(window)} ({counts.bad:,} of {counts.total:,})"


def _events(indicator: Indicator) -> str:
    noun = _NOUNS.get(indicator.kinds[0], _REQUESTS) if len(set(indicator.kinds)) == 1 else _REQUESTS
    where = f" in {indicator.environment}" if indicator.environment else ""
    which = f" with {canonical(indicator.filter)}" if indicator.filter is not None else ""
    return f"{noun} {indicator.service}{where}{which}"


def _badness(good: Good) -> str:
    match good:
        case NotError():
            return "failed"
        case FasterThan(threshold_ns):
            return f"took longer than {_plain(Decimal(threshold_ns) / 1_000_000)} ms"
        case _:
            return "were not good"


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
