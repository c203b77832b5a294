"""Texts that others wrote (names of services, log lines), made fit for one line of a message."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

ELLIPSIS: Final = "…"
# control characters, marks that turn the reading direction of what follows, and halves of surrogate pairs
_UNPRINTABLE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")


def one_line(text: str, limit: int = 200) -> str:
    r"""Return *text* as one printable line of at most *limit* characters.

    >>> one_line("a\nb\t\x1b c"), one_line("abcdef", 4)
    ('a b c', 'abc…')
    """
    beginning = text[: 8 * limit]  # a text of megabytes need not be read to its end
    return cut(_UNPRINTABLE.sub(" ", beginning).strip(), limit)


def cut(text: str, limit: int) -> str:
    """Return at most *limit* characters of *text*; an ellipsis shows that some are missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + ELLIPSIS[:limit]


def utc(time: datetime) -> str:
    """Return *time* to the minute.

    >>> utc(datetime(2026, 3, 1, 12, 0, 59, tzinfo=UTC))
    '2026-03-01 12:00 UTC'
    """
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length_of_time(length: timedelta) -> str:
    """Return *length* in its two greatest units.

    >>> [length_of_time(timedelta(seconds=s)) for s in (40, 720, 7500, 100_000)]
    ['40 s', '12 min', '2 h 5 min', '1 d 3 h']
    """
    seconds = max(int(length.total_seconds()), 0)
    units = (("d", seconds // 86400), ("h", seconds // 3600 % 24), ("min", seconds // 60 % 60))
    parts = [(count, unit) for unit, count in units]
    first = next((index for index, (count, _) in enumerate(parts) if count), None)
    if first is None:
        return f"{seconds} s"
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def percent_of_share(share: float) -> str:
    """Return *share* (1 is the whole) in percent, to three digits.

    >>> percent_of_share(0.75), percent_of_share(0.0123), percent_of_share(12.5)
    ('75 %', '1.23 %', '1,250 %')
    """
    percent = 100 * share
    return f"{percent:,.0f} %" if abs(percent) >= 100 else f"{percent:.3g} %"


def number(value: float) -> str:
    """Return *value* to four digits, without an exponent where people would not write one.

    >>> number(1234567.0), number(54.754), number(0.5)
    ('1,234,567', '54.75', '0.5')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
