"""Tolerances: functions of a probe's `value`."""

from typing import Any

__all__ = ["enough_budget", "held"]


def enough_budget(value: Any = None, least: float = 0.0) -> bool:
    """Return whether the remaining error budget `value` is more than `least` (0..1); no value is never enough."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value > least


def held(value: Any = None) -> bool:
    """Return whether `value`, from the probe run_verdict, says that the hypothesis held."""
    return isinstance(value, dict) and value.get("verdict") == "held"
