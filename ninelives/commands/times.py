"""Times and lengths as people type them."""

from datetime import UTC, datetime, timedelta

from ninelives.options import MISUSE, fail


def time_of(text: str, option: str) -> datetime:
    """Return the time that *text*, the value of *option*, writes; without a zone or unreadable it is misuse."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        fail(f"{option} {text!r} is not a time with its zone; write it as 2026-10-03T22:00:00Z", MISUSE)
    assert found is not None
    return found


def length_of(text: str, option: str) -> timedelta:
    """Return the length that *text* writes, such as 90m or 2h; anything else is misuse."""
    from slo.duration import parse_duration
    from slo.errors import InvalidDuration

    try:
        return parse_duration(text)
    except InvalidDuration as error:
        fail(f"{option}: {error}", MISUSE)
        raise


def past_of(text: str | None, option: str) -> datetime | None:
    """Return a time in the past: so long ago (7d), or a time with its zone; None stays None."""
    if text is None:
        return None
    if text[:1].isdigit() and "-" not in text:
        return datetime.now(UTC) - length_of(text, option)
    return time_of(text, option)
