"""Writes a first experiment, and the edge that it needs, beside each other."""

from pathlib import Path

from api.client import ApiClient, ApiError
from chaos.errors import ExperimentError, FaultDaemonError
from chaos.experiments.proposal import Proposal, propose
from chaos.fault_client import FaultClient
from chaos.wire import ProxyTarget
from ninelives.settings import Address


def write_first_experiment(
    api: ApiClient, service: str, *, environment: str, folder: Path, listen: str, faults: Address
) -> list[str]:
    """Write the experiment, and a targets file where the fault daemon lacks the edge; return what to do next.

    Raises:
        ApiError: the API refuses or does not answer.
        ExperimentError: the service calls nothing that can be broken, or a file is there already.
    """
    found = propose(
        service,
        api.dependencies(service, environment=environment),
        slos=[slo for slo in api.slos() if slo.service == service and slo.kind in {"availability", "latency"}],
        environment=environment,
        edges=_edges(faults),
        listen=listen,
        p95_ms=_p95_ms(api, service, environment),
    )
    experiment = folder / f"{found.name}.yaml"
    _write(experiment, found.experiment)
    lines = [f"wrote {experiment}: what if {found.dependency} is slow for {service}?"]
    if found.targets is not None:
        targets = folder / "targets" / f"{found.name}.yaml"
        _write(targets, found.targets)
        lines += [f"wrote {targets}: a fault proxy between the two", *_edge_steps(service, found, targets)]
    return [
        *lines,
        f"look first:  ninelives chaos run --dry-run {experiment}",
        f"then run it: ninelives chaos run {experiment}",
    ]


def _edge_steps(service: str, found: Proposal, targets: Path) -> list[str]:
    return [
        f"run the proxy:  ninelives chaos daemon --targets {targets}",
        f"lead {service} through it: where it has {found.upstream}, give it {found.listen}, and start it again",
    ]


def _edges(faults: Address) -> list[ProxyTarget]:
    """Return the edges that the fault daemon has; none when it does not run yet."""
    try:
        with FaultClient(f"http://{faults}") as daemon:
            return daemon.targets().proxies
    except FaultDaemonError:
        return []


def _p95_ms(api: ApiClient, service: str, environment: str) -> float | None:
    try:
        return api.service(service, environment=environment, window_s=900).service.p95_ms
    except ApiError:
        return None


def _write(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        ExperimentError: it is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ExperimentError(f"{path} is there already; run it, or move it away to have it written anew") from error
