"""What queries over time have in common: their window, and `key=value` filters."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from api.problem import ProblemError


def window(start: datetime | None, end: datetime | None, window_s: int) -> tuple[datetime, datetime]:
    """Return [start, end) in UTC; without an end it is now, without a start *window_s* before the end.

    Raises:
        ProblemError: 400, the end is not after the start.
    """
    last = utc(end) if end else datetime.now(UTC)
    first = utc(start) if start else last - timedelta(seconds=window_s)
    if last <= first:
        raise ProblemError(400, f"end={last.isoformat()} is not after start={first.isoformat()}")
    return first, last


def since_of(since: datetime | None, now: datetime, default: timedelta) -> datetime:
    """Return *since* in UTC, *default* before *now* without one.

    Raises:
        ProblemError: 422, it lies in the future.
    """
    if since is None:
        return now - default
    if utc(since) > now:
        raise ProblemError(422, f"since={since.isoformat()} lies in the future; it is {now.isoformat()}")
    return utc(since)


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


def utc(moment: datetime) -> datetime:
    """Return *moment* in UTC; without a zone it is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
