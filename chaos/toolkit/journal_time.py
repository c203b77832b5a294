from datetime import UTC, datetime
from typing import Any


def moment(text: Any) -> datetime | None:
    """Return a journal's time in UTC; None for what is no time.

    Up to chaoslib 1.43.0 times had no zone and were UTC, later ones end in +00:00, and some tools write Z.

    >>> moment("2020-06-05T09:13:58.085110") == moment("2020-06-05T09:13:58.085110Z")
    True
    >>> moment("yesterday")
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
