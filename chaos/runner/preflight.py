"""What must be true before anything is broken."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.client import ApiClient, ApiError
from chaos.errors import FaultDaemonError, RunRefusedError
from chaos.experiments.experiment import Experiment
from chaos.fault_client import FaultClient
from chaos.runner.run_store import STALE
from chaos.wire import TargetList

TRAFFIC_S = 60.0


@dataclass(frozen=True, slots=True)
class Victim:
    """The edge that the fault breaks: `server` is hit, `client` calls it (empty where the targets do not say)."""

    client: str
    server: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked experiment. `baseline_is_past`: the traffic of the last `baseline_s` seconds is a clean baseline."""

    victim: Victim
    baseline_is_past: bool


def check(experiment: Experiment, api: ApiClient, faults: FaultClient, *, now: datetime) -> Plan:
    """Check that the experiment can run and can be judged, changing nothing.

    Raises:
        RunRefusedError: it cannot; the message is the reason and the remedy.
    """
    try:
        victim = find_victim(experiment, faults.targets())
        states = faults.faults()
        _refuse_running(api, now)
    except (FaultDaemonError, ApiError) as error:
        raise RunRefusedError(str(error)) from error
    for state in states:
        if state.phase != "reverted":
            raise RunRefusedError(
                f"fault {state.id} ({state.kind} on {state.target}) is {state.phase}; one experiment at a time"
            )
    _require_traffic(experiment, api, now)
    until = now - timedelta(seconds=experiment.settle_s)
    since = until - timedelta(seconds=experiment.baseline_s)
    clean = all(state.ended_at is not None and state.ended_at < since for state in states)
    return Plan(victim, baseline_is_past=clean and _has_samples(experiment, api, since, until))


def find_victim(experiment: Experiment, targets: TargetList) -> Victim:
    """Return the edge behind the fault's target.

    Raises:
        RunRefusedError: the daemon does not know the target, or its service has no name.
    """
    fault = experiment.method[0]
    if fault.kind == "kill":
        process = next((each for each in targets.processes if each.name == fault.target), None)
        if process is None:
            raise _unknown(fault.target, "process", [each.name for each in targets.processes])
        if not process.running:
            raise RunRefusedError(f"process {process.name} is not running; start it first")
        server = process.service or process.name
        callers = [proxy.client for proxy in targets.proxies if proxy.server == server]
        return Victim(callers[0] if callers else "", server)
    proxy = next((each for each in targets.proxies if each.name == fault.target), None)
    if proxy is None:
        raise _unknown(fault.target, "proxy", [each.name for each in targets.proxies])
    if not proxy.client or not proxy.server:
        raise RunRefusedError(
            f"proxy {proxy.name} has no client and server in the targets file; without them the fault cannot be seen"
        )
    return Victim(proxy.client, proxy.server)


def _unknown(target: str, kind: str, known: list[str]) -> RunRefusedError:
    return RunRefusedError(f"the fault daemon has no {kind} {target!r} (known: {', '.join(known) or 'none'})")


def _refuse_running(api: ApiClient, now: datetime) -> None:
    for run in api.runs():
        if run.status == "running" and now - run.heartbeat_at <= STALE:
            raise RunRefusedError(f"run {run.id} is still going on; one experiment at a time")


def _require_traffic(experiment: Experiment, api: ApiClient, now: datetime) -> None:
    seconds = max(TRAFFIC_S, experiment.baseline_s)
    for service in experiment.services:
        if _requests(experiment, api, service, now - timedelta(seconds=seconds), now) == 0:
            where = f" in environment {experiment.environment}" if experiment.environment else ""
            raise RunRefusedError(
                f"service {service}{where} has had no request in the last {seconds:.0f} s; "
                "start its load, an experiment without traffic proves nothing"
            )


def _has_samples(experiment: Experiment, api: ApiClient, start: datetime, end: datetime) -> bool:
    counts = [_requests(experiment, api, service, start, end) for service in experiment.services]
    return min(counts) >= experiment.min_samples


def _requests(experiment: Experiment, api: ApiClient, service: str, start: datetime, end: datetime) -> int:
    try:
        return api.sli(service, start=start, end=end, environment=experiment.environment).total
    except ApiError as error:
        raise RunRefusedError(str(error)) from error
