"""Parts of a journal that somebody else wrote: what is missing or of another kind reads as empty. Pure."""

from datetime import UTC, datetime
from typing import Any

_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def moment(text: Any) -> datetime | None:
    """Return a journal's time in UTC; None for what is no time of a run.

    Up to chaoslib 1.43.0 times had no zone and were UTC, later ones end in +00:00, and some tools write Z.

    >>> moment("2020-06-05T09:13:58.085110") == moment("2020-06-05T09:13:58.085110Z")
    True
    >>> moment("yesterday")
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if _FIRST <= found < _LAST else None


def mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def runs(found: Any) -> list[dict[str, Any]]:
    """Return the runs of activities in a list of a journal."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def activity(run: dict[str, Any]) -> dict[str, Any]:
    return mapping(run.get("activity"))


def provider(run: dict[str, Any]) -> dict[str, Any]:
    return mapping(activity(run).get("provider"))


def states(journal: dict[str, Any], phase: str) -> list[dict[str, Any]]:
    """Return the checks of the steady state in *phase*: before, during or after."""
    found = mapping(journal.get("steady_states")).get(phase)
    return runs(found if isinstance(found, list) else [found])


def probe_runs(journal: dict[str, Any], phase: str) -> list[dict[str, Any]]:
    """Return the runs of the probes in all checks of *phase*."""
    return [run for state in states(journal, phase) for run in runs(state.get("probes"))]
