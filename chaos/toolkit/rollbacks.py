"""Rollbacks that a run owes. Pure."""

from typing import Any

from chaos.toolkit.journal import Journal


def rollbacks_missing(document: dict[str, Any], journal: Journal) -> bool:
    """Return whether a rollback of *document* has no end in *journal*."""
    ended = [each for each in journal.get("rollbacks") or [] if each.get("status")]
    return len(ended) < len(document.get("rollbacks") or [])


def only_rollbacks(document: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment that does nothing but the rollbacks of *document*; of a dry run it is dry, too."""
    left_out = ("steady-state-hypothesis", "controls", "runtime")
    kept = {key: value for key, value in document.items() if key not in left_out}
    return {**kept, "method": [], "runtime": {"hypothesis": {"strategy": "skip"}}}
