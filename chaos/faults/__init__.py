"""The kinds of fault, one module each."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

from chaos.daemon.world import World
from chaos.errors import FaultRefusedError
from chaos.faults.base import Fault, LastingFault
from chaos.faults.cache_flush import CacheFlushFault
from chaos.faults.command import CommandFault
from chaos.faults.container import ContainerFault
from chaos.faults.cpu import CpuFault
from chaos.faults.disk import DiskFault
from chaos.faults.file_descriptors import FileDescriptorFault
from chaos.faults.hang import HangFault
from chaos.faults.http import HttpFault
from chaos.faults.kill import KillFault
from chaos.faults.latency import LatencyFault
from chaos.faults.memory import MemoryFault
from chaos.faults.partition import PartitionFault
from chaos.faults.pool import PoolFault
from chaos.faults.toxic import ToxicFault
from chaos.fields import problems
from chaos.wire import FaultKind, FaultRequest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fault", "LastingFault", "build_fault"]

WITHOUT_ATTRIBUTES = frozenset({"hang", "cache_flush", "command"})
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
    target, attributes, groups = request.target, request.attributes, request.groups
    if request.kind in WITHOUT_ATTRIBUTES:
        _refuse_attributes(request)
    builders: dict[FaultKind, Callable[[], Fault]] = {
        "latency": lambda: LatencyFault(fault_id, world.proxy(target), attributes, groups),
        "partition": lambda: PartitionFault(fault_id, world.proxy(target), attributes, groups),
        "http": lambda: HttpFault(fault_id, world.proxy(target), attributes, groups),
        "toxic": lambda: ToxicFault(world.proxy(target), attributes),
        "kill": lambda: KillFault(world.process(target), attributes),
        "hang": lambda: HangFault(world.process(target)),
        "cpu": lambda: CpuFault(world.process(target), attributes, request.lease_ms),
        "memory": lambda: MemoryFault(world.process(target), attributes, request.lease_ms),
        "file_descriptors": lambda: FileDescriptorFault(world.process(target), attributes),
        "disk": lambda: DiskFault(fault_id, world.process(target), attributes),
        "cache_flush": lambda: CacheFlushFault(world.cache(target)),
        "pool": lambda: PoolFault(world.pool(target), attributes),
        "command": lambda: CommandFault(world.command(target), world.folder),
        "container": lambda: ContainerFault(world.container(target), attributes),
    }
    return builders[request.kind]()


def _refuse_attributes(request: FaultRequest) -> None:
    if request.attributes:
        raise FaultRefusedError(f"a {request.kind} fault has no attributes (got {sorted(request.attributes)})", 400)


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
