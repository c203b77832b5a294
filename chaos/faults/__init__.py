"""The kinds of fault, one module each."""

from pydantic import ValidationError

from chaos.daemon.world import World
from chaos.errors import FaultRefusedError
from chaos.faults.base import Fault
from chaos.faults.http import HttpFault
from chaos.faults.kill import KillFault
from chaos.faults.latency import LatencyFault
from chaos.faults.partition import PartitionFault
from chaos.faults.toxic import ToxicFault
from chaos.fields import problems
from chaos.wire import FaultRequest

__all__ = ["Fault", "build_fault"]

GROUPED_KINDS = frozenset({"latency", "partition", "http"})


def build_fault(fault_id: str, request: FaultRequest, world: World) -> Fault:
    """Return the fault that *request* describes, not yet injected.

    Raises:
        FaultRefusedError: 404 for an unknown target, 400 for bad attributes.
    """
    _refuse_groups(request, world)
    try:
        return _build(fault_id, request, world)
    except ValidationError as error:
        raise FaultRefusedError(f"bad attributes: {'; '.join(problems(error))}", 400) from error


def _build(fault_id: str, request: FaultRequest, world: World) -> Fault:
    match request.kind:
        case "latency":
            return LatencyFault(fault_id, world.proxy(request.target), request.attributes, request.groups)
        case "partition":
            return PartitionFault(fault_id, world.proxy(request.target), request.attributes, request.groups)
        case "http":
            return HttpFault(fault_id, world.proxy(request.target), request.attributes, request.groups)
        case "toxic":
            return ToxicFault(world.proxy(request.target), request.attributes)
        case "kill":
            return KillFault(world.process(request.target), request.attributes)


def _refuse_groups(request: FaultRequest, world: World) -> None:
    if request.groups is None:
        return
    if request.kind not in GROUPED_KINDS:
        known = ", ".join(sorted(GROUPED_KINDS))
        raise FaultRefusedError(f"a {request.kind} fault cannot be kept to groups of requests; those can: {known}", 400)
    if world.proxy(request.target).protocol != "http":
        raise FaultRefusedError(
            f"edge {request.target} carries bytes (protocol tcp), so requests cannot be told apart; "
            "set `protocol: http` for it in the targets file, or leave out groups",
            400,
        )
