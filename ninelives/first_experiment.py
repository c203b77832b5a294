"""Writes a first experiment, and the edge that it needs, beside each other."""

from pathlib import Path

from api.client import ApiClient, ApiError
from api.models import Slo
from chaos.errors import ExperimentError, FaultDaemonError
from chaos.experiments.proposal import Caller, Proposal, propose
from chaos.fault_client import FaultClient
from chaos.wire import ProxyTarget

LATELY_S = 60
DEPENDENCIES_S = 900
NOT_FOUND = 404


def write_first_experiment(
    api: ApiClient, service: str, *, environment: str, folder: Path, listen: str, faults: FaultClient
) -> list[str]:
    """Write the experiment, and a targets file where the fault daemon lacks the edge; return what to do next.

    Raises:
        ApiError: the API refuses or does not answer.
        ExperimentError: the service calls nothing that can be broken, or a file is there already.
    """
    edges = _edges(faults)
    found = propose(
        _caller(api, service, environment),
        api.dependencies(service, environment=environment),
        slos=_objectives(api, service, environment),
        edges=edges or [],
        listen=listen,
    )
    experiment = folder / f"{found.name}.yaml"
    targets = folder / "targets" / f"{found.edge}.yaml"
    _require_absent(experiment, *([] if found.targets is None else [targets]))
    _write(experiment, found.experiment)
    lines = [f"wrote {experiment}: what if {found.dependency} is slow for {service}? (held for {found.held_s} s)"]
    if found.targets is not None:
        _write(targets, found.targets)
        lines += [f"wrote {targets}: a fault proxy between the two"]
        lines += _edge_steps(service, found, targets, faults, running=edges is not None)
    return [
        *lines,
        f"look first:  ninelives chaos run --dry-run {experiment}",
        f"then run it: ninelives chaos run {experiment}",
    ]


def _edge_steps(service: str, found: Proposal, targets: Path, faults: FaultClient, *, running: bool) -> list[str]:
    start = f"run the proxy:  ninelives chaos daemon --targets {targets}"
    if running:
        start = f"run the proxy:  add it to the targets of the fault daemon at {faults.base_url}, and start that again"
    return [start, f"lead {service} through it: where it has {found.upstream}, give it {found.listen}"]


def _edges(daemon: FaultClient) -> list[ProxyTarget] | None:
    """Return the edges that the fault daemon has; None when it does not run yet."""
    try:
        return daemon.targets().proxies
    except FaultDaemonError:
        return None


def _caller(api: ApiClient, service: str, environment: str) -> Caller:
    """Return the service and its traffic of the last minutes; its name alone where it had no requests."""
    try:
        lately = api.service(service, environment=environment, window_s=LATELY_S).service
        p95_ms = api.service(service, environment=environment, window_s=DEPENDENCIES_S).service.p95_ms
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return Caller(service, environment)
    return Caller(service, environment, p95_ms, lately.requests / LATELY_S)


def _objectives(api: ApiClient, service: str, environment: str) -> list[Slo]:
    return [
        slo
        for slo in api.slos()
        if slo.service == service and slo.kind in {"availability", "latency"} and environment in ("", slo.environment)
    ]


def _require_absent(*paths: Path) -> None:
    """Raise ExperimentError when one of *paths* is there: then nothing is written at all."""
    there = next((path for path in paths if path.exists()), None)
    if there is not None:
        raise ExperimentError(f"{there} is there already; run it, or move it away to have it written anew")


def _write(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        ExperimentError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExperimentError(f"cannot write {path} ({error.strerror}); choose another place with --folder") from error
