"""Runs experiments; what a command line calls."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from api.client import ApiClient
from api.models import Run
from chaos.experiments.experiment import Experiment
from chaos.experiments.experiment_file import read_experiment
from chaos.fault_client import FaultClient
from chaos.runner.execution import Execution, RunEvent, utc_now
from chaos.runner.measure import LATENESS_S
from chaos.runner.recorder import Recorder
from chaos.runner.stop import Stop, stop_on_signals


def exit_code(run: Run) -> int:
    """Return 0 held, 1 deviated, 3 nothing proven (inconclusive, not injected, aborted), 4 not run."""
    if run.status == "failed":
        return 4
    return {"held": 0, "deviated": 1}.get(run.verdict or "", 3)


def run_experiment(
    experiment: Experiment,
    api: ApiClient,
    faults: FaultClient,
    *,
    data_dir: Path,
    clock: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
    on_event: Callable[[RunEvent], None] = lambda _: None,
    stop: Stop | None = None,
    lateness_s: float = LATENESS_S,
) -> Run:
    """Run *experiment* and return the finished run; nothing stays broken, whatever happens here.

    The run ends "finished" with a verdict, "failed" when it was refused before anything was broken, or "aborted"
    when *stop* was set or the daemon or the API went away in the middle. Every state is in `<data>/chaos/runs`.

    Args:
        experiment: what to claim and what to break.
        api: where traffic is counted and the run is saved.
        faults: the fault daemon.
        data_dir: folder of the local journal.
        clock: wall clock, in UTC.
        sleep: waits that many seconds.
        on_event: told about every step.
        stop: ends the run early when set, for example by `stop_on_signals`.
        lateness_s: how long after a request its span may still be on the way to the database.
    """
    recorder = Recorder(api, data_dir, patience_s=experiment.lease_s / 6)
    return Execution(
        experiment, api, faults, recorder, clock, sleep, on_event, Stop() if stop is None else stop, lateness_s
    ).run()


def run_file(
    path: Path,
    *,
    api_url: str,
    faults_url: str,
    data_dir: Path,
    token: str = "",
    on_event: Callable[[RunEvent], None] = lambda _: None,
) -> Run:
    """Run the experiment file at *path*; SIGTERM and SIGINT revert the fault and end the run as aborted.

    Call it from the main thread, and see `exit_code` for what to exit with.

    Raises:
        ExperimentError: the file breaks the format.
    """
    experiment = read_experiment(path)
    with stop_on_signals() as stop, ApiClient(api_url, token=token) as api, FaultClient(faults_url) as faults:
        return run_experiment(experiment, api, faults, data_dir=data_dir, on_event=on_event, stop=stop)
