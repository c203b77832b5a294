"""Runs experiments; what a command line calls."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from api.client import ApiClient
from api.models import Preflight, Run, RunEvent
from chaos.experiments.experiment import Experiment
from chaos.fault_client import FaultClient
from chaos.runner.execution import Execution
from chaos.runner.measure import LATENESS_S
from chaos.runner.preflight import Inspection
from chaos.runner.recorder import Recorder
from chaos.runner.stop import Stop
from chaos.runner.timeline import Timeline, new_run, new_run_id
from chaos.runner.toolkit_execution import ToolkitExecution


def utc_now() -> datetime:
    return datetime.now(UTC)


def exit_code(run: Run) -> int:
    """Return 0 held, 1 deviated, 3 nothing proven (inconclusive, not injected, aborted), 4 not run."""
    if run.status == "failed":
        return 4
    return {"held": 0, "deviated": 1}.get(run.verdict or "", 3)


def preflight(experiment: Experiment, api: ApiClient, faults: FaultClient, *, now: datetime) -> Preflight:
    """Return what running *experiment* now would mean: checks, who may be hurt, what it may cost. Breaks nothing."""
    return Inspection(experiment, api, faults, new_run_id(experiment.name, now), now).plan().preflight


def run_experiment(
    experiment: Experiment,
    api: ApiClient,
    faults: FaultClient,
    *,
    data_dir: Path,
    run_id: str = "",
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
        run_id: of this run; empty to make one.
        clock: wall clock, in UTC.
        sleep: waits that many seconds.
        on_event: told about every step.
        stop: ends the run early when set, for example by `stop_on_signals`.
        lateness_s: how long after a request its span may still be on the way to the database.
    """
    recorder = Recorder(api, data_dir, patience_s=experiment.lease_s / 6)
    run = new_run(experiment, run_id or new_run_id(experiment.name, clock()), clock())
    timeline = Timeline(run, recorder, clock, on_event)
    wish = Stop() if stop is None else stop
    if experiment.toolkit is not None:
        folder = data_dir / "chaos" / "toolkit" / run.id
        return ToolkitExecution(experiment, api, faults, timeline, clock, sleep, wish, lateness_s, folder).run()
    return Execution(experiment, api, faults, timeline, clock, sleep, wish, lateness_s).run()
