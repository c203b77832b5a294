"""What queries over time have in common: their window, and `key=value` filters."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from api.problem import ProblemError


def window(start: datetime | None, end: datetime | None, window_s: int) -> tuple[datetime, datetime]:
    """Return [start, end) in UTC; without an end it is now, without a start *window_s* before the end.

    Raises:
        ProblemError: 400, the end is not after the start.
    """
    last = _utc(end) if end else datetime.now(UTC)
    first = _utc(start) if start else last - timedelta(seconds=window_s)
    if last <= first:
        raise ProblemError(400, f"end={last.isoformat()} is not after start={first.isoformat()}")
    return first, last


def pairs(filters: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return keys and values of `key=value`; a value may hold further equals signs.

    Raises:
        ProblemError: 400, there is no equals sign or no key.
    """
    found = []
    for text in filters:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ProblemError(400, f"attribute={text[:200]!r} is not of the form key=value")
        found.append((key, value))
    return tuple(found)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
