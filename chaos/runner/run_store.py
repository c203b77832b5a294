"""Runs as local files: the record that remains when the API is away."""

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from api.models import Run
from chaos.files import write_durably

STALE = timedelta(seconds=30)


def runs_folder(data_dir: Path) -> Path:
    return data_dir / "chaos" / "runs"


def write_run(data_dir: Path, run: Run) -> Path:
    """Store the run's present state in `<data>/chaos/runs/<id>.json` and return the path."""
    path = runs_folder(data_dir) / f"{run.id}.json"
    write_durably(path, run.model_dump_json(indent=2).encode())
    return path


def read_runs(data_dir: Path, *, now: datetime) -> list[Run]:
    """Return the runs in the folder, newest first; unreadable files are left out.

    A run that says "running" but has shown no heartbeat for 30 s was killed: it is returned as "aborted".
    """
    runs = (_read(path) for path in runs_folder(data_dir).glob("*.json"))
    found = [_aged(run, now) for run in runs if run is not None]
    return sorted(found, key=lambda run: run.started_at, reverse=True)


def _read(path: Path) -> Run | None:
    try:
        return Run.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _aged(run: Run, now: datetime) -> Run:
    if run.status != "running" or now - run.heartbeat_at <= STALE:
        return run
    return run.model_copy(
        update={
            "status": "aborted",
            "ended_at": run.heartbeat_at,
            "summary": "Aborted: the runner died; the lease ended the fault.",
        }
    )
