"""The kinds of fault, one module each."""

from pydantic import ValidationError

from chaos.daemon.world import World
from chaos.errors import FaultRefusedError
from chaos.faults.base import Fault
from chaos.faults.down import DownFault
from chaos.faults.kill import KillFault
from chaos.faults.latency import LatencyFault
from chaos.fields import problems
from chaos.wire import FaultRequest

__all__ = ["Fault", "build_fault"]


def build_fault(fault_id: str, request: FaultRequest, world: World) -> Fault:
    """Return the fault that *request* describes, not yet injected.

    Raises:
        FaultRefusedError: 404 for an unknown target, 400 for bad attributes.
    """
    try:
        return _build(fault_id, request, world)
    except ValidationError as error:
        raise FaultRefusedError(f"bad attributes: {'; '.join(problems(error))}", 400) from error


def _build(fault_id: str, request: FaultRequest, world: World) -> Fault:
    match request.kind:
        case "latency":
            return LatencyFault(fault_id, world.proxy(request.target), request.attributes)
        case "down":
            if request.attributes:
                raise FaultRefusedError(f"a down fault has no attributes (got {sorted(request.attributes)})", 400)
            return DownFault(world.proxy(request.target))
        case "kill":
            return KillFault(world.process(request.target), request.attributes)
