"""Actions: every fault of the fault daemon, none without a lease, and the ways to end them.

`lease_s` is how long the fault lives after the last sign of life; `hold_s` is how long this process gives signs of
life, as long as it lives itself. `hold_s=0` lets the fault end with its first lease. `groups` ({share, seed, run})
hits only a share of the requests, chosen by their trace ids; without it all are hit.
"""

from typing import Any

from chaoslib.exceptions import ActivityFailed
from pydantic import TypeAdapter, ValidationError

from chaos.errors import FaultDaemonError
from chaos.experiments.fault_specs import FaultSpec
from chaos.experiments.method import KIND_TAGS, MethodLine
from chaos.fields import problems
from chaos.toolkit.connection import faults_of
from chaos.toolkit.holding import hold
from chaos.wire import FaultState

__all__ = [
    "cache_flush",
    "command",
    "container",
    "emergency_stop",
    "latency_injection",
    "network_partition",
    "pool_starvation",
    "resource_exhaustion",
    "revert",
    "service_failure",
]

Configuration = dict[str, Any]
Arguments = dict[str, Any]

STOCK_RUN = "chaostoolkit"  # in place of a run's id, where the file names none

_FAULT: TypeAdapter[FaultSpec] = TypeAdapter(MethodLine)


def latency_injection(
    target: str,
    latency_ms: int,
    lease_s: float,
    jitter_ms: int = 0,
    distribution: str = "uniform",
    direction: str = "downstream",
    seed: str | int | None = None,
    groups: dict[str, Any] | None = None,
    hold_s: float = 0,
    configuration: Configuration | None = None,
) -> dict[str, Any]:
    """Let what passes the proxy `target` arrive `latency_ms` late, give or take `jitter_ms`; returns the fault."""
    arguments: Arguments = {
        "target": target,
        "latency_ms": latency_ms,
        "jitter_ms": jitter_ms,
        "distribution": distribution,
    }
    arguments |= {"direction": direction, "seed": seed}
    return _inject("latency_injection", arguments, lease_s, hold_s, configuration, groups)


def network_partition(
    target: str,
    lease_s: float,
    mode: str = "refuse",
    direction: str = "both",
    groups: dict[str, Any] | None = None,
    hold_s: float = 0,
    configuration: Configuration | None = None,
) -> dict[str, Any]:
    """Let nothing pass the proxy `target`; `mode` is refuse, blackhole or reset. Returns the fault."""
    arguments = {"target": target, "mode": mode, "direction": direction}
    return _inject("network_partition", arguments, lease_s, hold_s, configuration, groups)


def service_failure(
    target: str,
    lease_s: float,
    mode: str = "kill",
    every_s: float | None = None,
    status: int | None = None,
    share: float | None = None,
    delay_ms: int | None = None,
    abort: bool | None = None,
    match: dict[str, str] | None = None,
    seed: str | int | None = None,
    groups: dict[str, Any] | None = None,
    hold_s: float = 0,
    configuration: Configuration | None = None,
) -> dict[str, Any]:
    """Kill or hang the process `target`, or (`mode` http_errors) fail requests at its proxy; returns the fault."""
    arguments: Arguments = {"target": target, "mode": mode, "every_s": every_s, "status": status, "share": share}
    arguments |= {"delay_ms": delay_ms, "abort": abort, "match": match, "seed": seed}
    return _inject("service_failure", arguments, lease_s, hold_s, configuration, groups)


def resource_exhaustion(
    target: str,
    resource: str,
    lease_s: float,
    load: float | None = None,
    workers: int | None = None,
    mb: int | None = None,
    mode: str | None = None,
    spare: int | None = None,
    hold_s: float = 0,
    configuration: Configuration | None = None,
) -> dict[str, Any]:
    """Take cpu, memory, file_descriptors or disk (`resource`) from the process `target`; returns the fault."""
    arguments: Arguments = {"target": target, "resource": resource, "load": load, "workers": workers}
    arguments |= {"mb": mb, "mode": mode, "spare": spare}
    return _inject("resource_exhaustion", arguments, lease_s, hold_s, configuration)


def cache_flush(
    target: str, lease_s: float, hold_s: float = 0, configuration: Configuration | None = None
) -> dict[str, Any]:
    """Empty the cache `target`; returns the fault."""
    return _inject("cache_flush", {"target": target}, lease_s, hold_s, configuration)


def pool_starvation(
    target: str, connections: int, lease_s: float, hold_s: float = 0, configuration: Configuration | None = None
) -> dict[str, Any]:
    """Take and hold `connections` of the pool `target`; returns the fault."""
    return _inject("pool_starvation", {"target": target, "connections": connections}, lease_s, hold_s, configuration)


def command(
    target: str, lease_s: float, hold_s: float = 0, configuration: Configuration | None = None
) -> dict[str, Any]:
    """Run the inject command of the command target `target`; returns the fault, whose end runs the undo command."""
    return _inject("command", {"target": target}, lease_s, hold_s, configuration)


def container(
    target: str, action: str, lease_s: float, hold_s: float = 0, configuration: Configuration | None = None
) -> dict[str, Any]:
    """Pause or kill (`action`) the container `target`; returns the fault."""
    return _inject("container", {"target": target, "action": action}, lease_s, hold_s, configuration)


def revert(
    target: str = "", kind: str = "", fault_id: str = "", configuration: Configuration | None = None
) -> list[dict[str, Any]]:
    """End the active faults with this id, target and kind, and return them; none is fine, they may have ended.

    Fails when no probe could confirm that a fault is mended.
    """
    if not (target or kind or fault_id):
        raise ActivityFailed("name a fault_id, a target or a kind; emergency_stop ends every fault")
    with faults_of(configuration) as faults:
        chosen = [
            state
            for state in faults.faults()
            if state.phase != "reverted"
            and fault_id in {"", state.id}
            and target in {"", state.target}
            and kind in {"", state.kind}
        ]
        return _verified([faults.revert(state.id) for state in chosen])


def emergency_stop(configuration: Configuration | None = None) -> list[dict[str, Any]]:
    """End every fault of every runner and return them."""
    with faults_of(configuration) as faults:
        return _verified(faults.emergency_stop())


def _inject(
    word: str,
    arguments: Arguments,
    lease_s: float,
    hold_s: float,
    configuration: Configuration | None,
    groups: dict[str, Any] | None = None,
) -> dict[str, Any]:
    lease_ms = round(lease_s * 1000)
    try:
        given = {name: value for name, value in arguments.items() if value is not None}
        fault = _FAULT.validate_python({word: given})
        request = fault.request(lease_ms=lease_ms, groups=_arms(fault, groups))
    except ValidationError as error:
        raise ActivityFailed("; ".join(problems(error, hidden=KIND_TAGS))) from error
    with faults_of(configuration) as faults:
        state = faults.inject(request)
        if hold_s > lease_s:
            hold(faults.base_url, state.id, lease_ms=lease_ms, hold_s=hold_s)
        return state.model_dump(mode="json")


def _arms(fault: FaultSpec, groups: dict[str, Any] | None) -> dict[str, Any] | None:
    if groups is None:
        return None
    if not fault.splittable:
        raise ActivityFailed(f"groups: {fault.word} hits every request; leave groups out")
    return {"run": STOCK_RUN, "seed": STOCK_RUN, **groups}


def _verified(states: list[FaultState]) -> list[dict[str, Any]]:
    unverified = [f"{state.id} ({state.kind} on {state.target})" for state in states if not state.verified]
    if unverified:
        raise FaultDaemonError(f"the revert of {', '.join(unverified)} is not confirmed; the daemon goes on trying")
    return [state.model_dump(mode="json") for state in states]
