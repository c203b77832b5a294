"""Runs as the API tells them: one whose runner fell silent was aborted, whatever it said last."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final, TypeVar

from api import models as m
from storage.runs import RunRow, RunStop

SILENT_AFTER: Final = timedelta(seconds=30)
OPTIONAL: Final = frozenset({"verdict", "comparison", "source"})  # "" in the database where the body has none
R = TypeVar("R", m.Run, m.RunSummary)
ABORTED: Final = "The runner fell silent; its faults ended with their lease."


def run_summary(row: RunRow, now: datetime) -> m.RunSummary:
    """Return what a list shows of a run."""
    known = {name: value for name, value in asdict(row).items() if value != "" or name not in OPTIONAL}
    return _aged(m.RunSummary.model_validate({"verdict": None, **known}), now)


def whole_run(body: str, stop: RunStop | None, now: datetime) -> m.Run:
    """Return a run from its stored *body*, with the *stop* that was asked for."""
    run = _aged(m.Run.model_validate_json(body), now)
    return run if stop is None else run.model_copy(update={"stop_reason": stop_reason(stop)})


def stop_reason(stop: RunStop | None) -> str:
    """Return who asked for a run to end, and why; "" while nobody did."""
    if stop is None:
        return ""
    return f"stopped by {stop.author or stop.token or 'someone'}" + (f": {stop.reason}" if stop.reason else "")


def _aged(run: R, now: datetime) -> R:
    if run.status != "running" or now - run.heartbeat_at <= SILENT_AFTER:
        return run
    return run.model_copy(
        update={"status": "aborted", "verdict": "aborted", "ended_at": run.heartbeat_at, "summary": ABORTED}
    )
