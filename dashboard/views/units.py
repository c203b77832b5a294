"""Numbers and times as people read them: a unit on every number, UTC on every time, a dash for no data."""

import math
import re
from datetime import UTC, datetime, timedelta

MISSING = "\N{EN DASH}"

_WINDOW_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def count(value: int | None) -> str:
    """Return a whole number with thousands separators.

    >>> count(1234567)
    '1,234,567'
    """
    return MISSING if value is None else f"{value:,}"


def plural(amount: int, word: str) -> str:
    """Return a number with its word.

    >>> plural(1, "page"), plural(2000, "page")
    ('1 page', '2,000 pages')
    """
    return f"{amount:,} {word}{'' if amount == 1 else 's'}"


def percent(ratio: float | None, decimals: int = 2) -> str:
    """Return a ratio as per cent, never rounded up to 100 % or down to 0 %.

    >>> percent(0.99996), percent(1.0), percent(0.00001), percent(-0.109, 1)
    ('99.99 %', '100 %', '<0.01 %', '-10.9 %')
    """
    if ratio is None:
        return MISSING
    if ratio in (0, 1):
        return f"{ratio:.0%}".replace("%", " %")
    step = 10.0**-decimals
    value = ratio * 100
    if 0 < value < step:
        return f"<{step:.{decimals}f} %"
    if 100 - step < value < 100:
        value = 100 - step
    return f"{value:,.{decimals}f} %"


def objective(ratio: float) -> str:
    """Return a target with the decimals that it needs.

    >>> objective(0.999), objective(0.95), objective(0.99995)
    ('99.9 %', '95 %', '99.995 %')
    """
    return f"{round(ratio * 100, 6):.10g} %"


def duration(milliseconds: float | None) -> str:
    """Return a duration in the unit that suits its size.

    >>> duration(0.85), duration(12.34), duration(2400), duration(200_000)
    ('850 µs', '12.3 ms', '2.40 s', '3 min 20 s')
    """
    if milliseconds is None:
        return MISSING
    if milliseconds < 1:
        return f"{milliseconds * 1000:.0f} µs"
    if milliseconds < 99.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_995:
        return f"{milliseconds / 1000:.2f} s"
    return length(milliseconds / 1000)


def length(seconds: float) -> str:
    """Return a long duration by its two largest units.

    >>> length(45), length(3_725), length(183_600), length(3600)
    ('45 s', '1 h 2 min', '2 d 3 h', '1 h')
    """
    rest = round(seconds)
    parts: list[str] = []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        if amount or (name == "s" and not parts):
            parts.append(f"{amount} {name}")
        elif parts:
            break
    return " ".join(parts[:2])


def rate(per_second: float | None) -> str:
    """Return requests a second.

    >>> rate(439.2), rate(0.25), rate(0.001), rate(0.0)
    ('439/s', '0.25/s', '<0.01/s', '0/s')
    """
    if per_second is None:
        return MISSING
    if per_second == 0:
        return "0/s"
    if per_second < 0.01:
        return "<0.01/s"
    if per_second >= 100:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.1f}/s" if per_second >= 10 else f"{per_second:.2f}/s"


def burn(value: float | None) -> str:
    """Return a burn rate: how many times faster than allowed the budget goes.

    >>> burn(14.25), burn(0.004)
    ('14.2x', '<0.01x')
    """
    if value is None:
        return MISSING
    if 0 < value < 0.01:
        return "<0.01x"
    return f"{value:.1f}x" if value >= 10 else f"{value:.2f}x"


def size(amount: int) -> str:
    """Return bytes in decimal units.

    >>> size(0), size(1_250_000)
    ('0 B', '1.2 MB')
    """
    if amount < 1000:
        return f"{amount} B"
    power = min(int(math.log10(amount) // 3), 4)
    return f"{amount / 1000**power:.1f} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def instant(at: datetime | None) -> str:
    """Return date and time in UTC, to the second."""
    return MISSING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: datetime | None) -> str:
    """Return the time of day in UTC, to the second."""
    return MISSING if at is None else f"{at.astimezone(UTC):%H:%M:%S} UTC"


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long *at* lies before *now*."""
    if at is None:
        return "never"
    seconds = (now - at) / timedelta(seconds=1)
    return "just now" if seconds < 2 else f"{_largest_unit(seconds)} ago"


def window_seconds(window: str) -> int | None:
    """Return the length of an SLO window, None when its form is not known.

    >>> window_seconds("30d"), window_seconds("1h"), window_seconds("a quarter")
    (2592000, 3600, None)
    """
    match = re.fullmatch(r"(\d+)([smhdw])", window)
    return int(match[1]) * _WINDOW_SECONDS[match[2]] if match else None


def window_name(window: str) -> str:
    """Return a window in words.

    >>> window_name("30d"), window_name("1h"), window_name("5m"), window_name("84m"), window_name("1M")
    ('30 days', '1 hour', '5 min', '1 h 24 min', '1M')
    """
    match = re.fullmatch(r"(\d+)([smhdw])", window)
    if not match:
        return window
    if match[2] == "m" and int(match[1]) > 60:
        return length(int(match[1]) * 60)
    unit = {"s": "s", "m": "min", "h": "hour", "d": "day", "w": "week"}[match[2]]
    plural = "s" if match[1] != "1" and match[2] in "hdw" else ""
    return f"{match[1]} {unit}{plural}"


def _largest_unit(seconds: float) -> str:
    for name, unit in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{seconds:.0f} s"
