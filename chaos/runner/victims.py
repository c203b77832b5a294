"""Who a fault hits: the service behind its target, and the one that calls it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from api.models import EdgeEffect
from chaos.experiments.experiment import Experiment
from chaos.experiments.fault_specs import FaultSpec
from chaos.wire import OtherTarget, ProcessTarget, ProxyTarget, TargetList

T = TypeVar("T", ProxyTarget, ProcessTarget, OtherTarget)

PROXY_KINDS = frozenset({"latency", "partition", "http"})
PROCESS_KINDS = frozenset({"kill", "hang", "cpu", "memory", "file_descriptors", "disk"})


class TargetProblemError(Exception):
    """A fault has no target; the message is why, and what there is."""


@dataclass(frozen=True, slots=True)
class Victim:
    """What one fault breaks: `server` is hit, `client` calls it (empty where the targets do not say)."""

    kind: str
    target: str
    client: str
    server: str


def find_victims(experiment: Experiment, targets: TargetList) -> list[Victim]:
    """Return a victim for each fault of the method, in its order.

    Raises:
        TargetProblemError: the daemon does not know a target, or it cannot be hit in this way.
    """
    return [_victim(fault, targets, split=experiment.groups is not None) for fault in experiment.method]


def affected(victims: Iterable[Victim], edges: Sequence[EdgeEffect]) -> list[str]:
    """Return the victims' services and everybody who calls them, directly or through others, by name.

    >>> fields = dict.fromkeys(EdgeEffect.model_fields, 0) | {"note": ""}
    >>> calls = [EdgeEffect(**fields | {"client": a, "server": b}) for a, b in ("ab", "bc", "xy")]
    >>> affected([Victim("latency", "b-c", "b", "c")], calls)
    ['a', 'b', 'c']
    """
    found = {name for victim in victims for name in (victim.server, victim.client) if name}
    while callers := {edge.client for edge in edges if edge.server in found} - found:
        found |= callers
    return sorted(found)


def _victim(fault: FaultSpec, targets: TargetList, *, split: bool) -> Victim:
    if fault.kind in PROXY_KINDS:
        proxy = _named(fault, "proxy", targets.proxies)
        if not proxy.client or not proxy.server:
            raise TargetProblemError(
                f"proxy {proxy.name} has no client and server in the targets file;"
                " without them the fault cannot be seen"
            )
        _require_http(fault, proxy, split=split)
        return Victim(fault.kind, fault.target, proxy.client, proxy.server)
    service = _service(fault, targets)
    callers = [proxy.client for proxy in targets.proxies if proxy.server == service and proxy.client]
    return Victim(fault.kind, fault.target, callers[0] if callers else "", service)


def _require_http(fault: FaultSpec, proxy: ProxyTarget, *, split: bool) -> None:
    if proxy.protocol == "http":
        return
    if split:
        raise TargetProblemError(
            f"proxy {proxy.name} sees bytes, not requests, so it cannot treat some of them; set `protocol: http` in the"
            " targets file, or leave `groups` out to compare before and after"
        )
    if fault.kind == "http":
        raise TargetProblemError(f"proxy {proxy.name} sees bytes, not requests; set `protocol: http` for HTTP errors")


def _service(fault: FaultSpec, targets: TargetList) -> str:
    if fault.kind in PROCESS_KINDS:
        process = _named(fault, "process", targets.processes)
        if not process.running:
            raise TargetProblemError(f"process {process.name} is not running; start it first")
        return process.service or process.name
    others = {
        "command": targets.commands, "container": targets.containers, "cache_flush": targets.caches,
        "pool": targets.pools,
    }  # fmt: skip
    kind = fault.kind.removesuffix("_flush")
    other = _named(fault, kind, others[fault.kind])
    return other.service or other.name


def _named(fault: FaultSpec, kind: str, known: Sequence[T]) -> T:
    found = next((each for each in known if each.name == fault.target), None)
    if found is None:
        names = ", ".join(each.name for each in known) or "none"
        raise TargetProblemError(f"the fault daemon has no {kind} {fault.target!r} (known: {names})")
    return found
