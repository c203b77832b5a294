"""Times on their way into queries and out of them."""

from datetime import UTC, datetime


def text(moment: datetime) -> str:
    """Return *moment* for a DateTime or DateTime64 parameter: UTC, microseconds.

    >>> text(datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC))
    '2026-03-01 12:00:00.000005'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def whole(moment: datetime) -> str:
    """Return *moment* for a DateTime parameter, cut to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def from_ns(nanoseconds: int) -> datetime:
    """Return the time, cut to microseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
