"""Starts experiments of this installation: for the API, and by their schedules. Each run is a process of its own."""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler

from api import models as m
from api.client import ApiClient
from api.context import LaunchError
from ninelives.fault_daemon import connect_faults
from ninelives.settings import Settings
from ninelives.toolkit_runs import TracedRuns

if TYPE_CHECKING:
    from chaos.experiments.experiment import Experiment

log = logging.getLogger(__name__)


DUE_S = 15
TRACED_S = 60  # an hour of spans is looked through


@contextlib.asynccontextmanager
async def launching(launcher: "Launcher", traced: TracedRuns) -> AsyncIterator[None]:
    """Start what is scheduled while the block runs, and store the runs that spans tell of.

    At its end a running experiment is asked to revert and end.
    """
    scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
    scheduler.add_job(lambda: launcher.run_due(datetime.now(UTC)), "interval", seconds=DUE_S)
    scheduler.add_job(lambda: traced.store(datetime.now(UTC)), "interval", seconds=TRACED_S)
    scheduler.start()
    try:
        yield
    finally:
        await asyncio.to_thread(scheduler.shutdown)  # the database is closed behind it
        launcher.stop()


@dataclass(slots=True)
class _Started:
    run_id: str
    process: subprocess.Popen[bytes]


class Launcher:
    """Finds experiment files in *folders*, and runs one at a time as `ninelives chaos run`.

    The modules of chaos are imported at the first question: the start of the server does not wait for them.
    """

    def __init__(self, settings: Settings, folders: Sequence[Path], *, token: str) -> None:
        self._settings = settings
        self._folders = folders
        self._token = token
        self._lock = threading.Lock()
        self._running: _Started | None = None
        self._scheduled_until = datetime.now(UTC)

    def experiments(self) -> list[m.Experiment]:
        """Return what can be run here, by name; a file that cannot be read comes with its problem."""
        from chaos.errors import ExperimentError
        from chaos.experiments.experiment_file import experiment_files, read_experiment

        found = {}
        for path in experiment_files(self._folders):
            try:
                found[path.stem] = _shown(path, read_experiment(path))
            except ExperimentError as error:
                found[path.stem] = m.Experiment(name=path.stem, path=str(path), problem=str(error))
        return [found[name] for name in sorted(found)]

    def preflight(self, name: str) -> m.Preflight:
        """Return what running *name* now would mean; nothing is broken.

        Raises:
            LaunchError: there is no such experiment, or its file cannot be used.
        """
        from chaos.errors import ExperimentError
        from chaos.experiments.experiment_file import read_experiment
        from chaos.runner.runner import preflight

        try:
            experiment = read_experiment(self._path(name))
        except ExperimentError as error:
            raise LaunchError(str(error)) from error
        with ApiClient(self._settings.api_url, token=self._token) as api, connect_faults(self._settings) as faults:
            return preflight(experiment, api, faults, now=datetime.now(UTC))

    def start(self, name: str, by: str) -> str:
        """Start *name* and return the id of its run, which appears as soon as its process has begun.

        Raises:
            LaunchError: there is no such experiment, or one is running.
        """
        path = self._path(name)
        with self._lock:
            if self._running is not None and self._running.process.poll() is None:
                raise LaunchError(f"run {self._running.run_id} is still going on; one experiment at a time")
            run_id = _run_id(name)
            self._running = _Started(run_id, self._spawn(path, run_id))
        log.info("experiment %s is started as %s by %s", name, run_id, by or "nobody in particular")
        return run_id

    def run_due(self, now: datetime) -> None:
        """Start what its schedule asks for since the last call; what cannot start now is told and left out."""
        from chaos.experiments.schedule import next_run

        since, self._scheduled_until = self._scheduled_until, now
        for experiment in self.experiments():
            if experiment.schedule and next_run(experiment.schedule, since) <= now:
                try:
                    self.start(experiment.name, "its schedule")
                except LaunchError as error:
                    log.warning("the scheduled run of %s is left out: %s", experiment.name, error)

    def stop(self) -> None:
        """Ask a running experiment to revert and end; its leases end what it cannot."""
        with self._lock:
            if self._running is not None and self._running.process.poll() is None:
                self._running.process.terminate()

    def _path(self, name: str) -> Path:
        known = {item.name: item.path for item in self.experiments()}
        if name not in known:
            raise LaunchError(f"there is no experiment {name!r} (known: {', '.join(known) or 'none'})")
        return Path(known[name])

    def _spawn(self, path: Path, run_id: str) -> subprocess.Popen[bytes]:
        settings = self._settings
        command = [sys.executable, "-m", "ninelives", "chaos", "run", str(path.resolve()), "--run-id", run_id]
        command += ["--api", str(settings.api.local), "--faults", str(settings.faults), "--data", str(settings.data)]
        folder = settings.data / "chaos" / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "NINELIVES_TOKEN": self._token}
        if settings.faults_token:
            environment["NINELIVES_FAULTS_TOKEN"] = settings.faults_token
        with (folder / f"{run_id}.log").open("wb") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environment
            )


def _run_id(name: str) -> str:
    from chaos.runner.timeline import new_run_id

    return new_run_id(name, datetime.now(UTC))


def _shown(path: Path, experiment: "Experiment") -> m.Experiment:
    from chaos.experiments.schedule import next_run
    from chaos.runner.preflight import described

    return m.Experiment(
        name=experiment.name,
        path=str(path),
        title=experiment.title,
        description=experiment.description,
        environment=experiment.environment or "",
        services=experiment.services,
        method=described(experiment),
        hypothesis=[str(line) for line in experiment.hypothesis],
        comparison="before/after" if experiment.groups is None else "concurrent",
        schedule=experiment.schedule,
        next_run_at=next_run(experiment.schedule, datetime.now(UTC)) if experiment.schedule else None,
    )
