from typing import Any, Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field

from chaos.daemon.process_id import ProcessId
from chaos.daemon.world import VictimProcess
from chaos.errors import FaultRefusedError
from chaos.faults.base import Plan
from chaos.faults.process_fault import ProcessFault, refusals
from chaos.faults.soft_limit import SoftLimit
from chaos.faults.workers import Workers

MIB = 1024 * 1024
LEFT_BYTES = 512 * MIB
LEFT_SHARE = 0.1


class MemoryAttributes(BaseModel):
    """What `mb` MiB are: in mode limit all that the process may still map, in mode ballast what a child takes.

    `limit` reaches the process alone: beyond it its allocations fail. `ballast` takes memory of the whole machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mb: int = Field(ge=1, le=1_000_000)
    mode: Literal["limit", "ballast"] = "limit"


class MemoryPlan(BaseModel):
    limit: SoftLimit | None = None
    workers: list[ProcessId] = []


class MemoryFault(ProcessFault):
    """A process short of memory: by a lower soft RLIMIT_AS, or by a child that holds the machine's memory."""

    def __init__(self, victim: VictimProcess, attributes: dict[str, Any], lease_ms: int) -> None:
        super().__init__("memory", victim)
        self._attributes = MemoryAttributes.model_validate(attributes)
        self._lease_ms = lease_ms
        self._plan: MemoryPlan | None = None
        self._workers = Workers()

    def check(self) -> None:
        self._victim.live()
        mb, most = self._attributes.mb, self._victim.max_memory_mb
        if self._attributes.mode == "limit":
            if not hasattr(psutil, "RLIMIT_AS"):
                raise FaultRefusedError("this system cannot limit a live process; use mode ballast", 409)
        elif mb > most:
            raise FaultRefusedError(
                f"mb is {mb}, and max_memory_mb of {self._victim.name} is {most}; raise that in the targets file", 400
            )
        else:
            _require_room(mb)

    async def plan(self) -> Plan:
        process = self._victim.live()
        if self._attributes.mode == "ballast":
            self._workers.start("ballast", str(self._attributes.mb))
            self._plan = MemoryPlan(workers=self._workers.ids)
        else:
            with refusals(f"limit {self._victim.name}"):
                lowered = process.memory_info().vms + self._attributes.mb * MIB
                self._plan = MemoryPlan(limit=SoftLimit.lowering(process, psutil.RLIMIT_AS, lowered))
        return self._plan.model_dump()

    def resume(self, plan: Plan) -> None:
        self._plan = MemoryPlan.model_validate(plan)
        self._workers.adopt(self._plan.workers)

    async def apply(self) -> None:
        assert self._plan is not None
        if self._plan.limit is not None:
            self._plan.limit.lower(self._chosen(self._plan.limit.process))
            return
        self._workers.lease(self._lease_ms)
        await self._workers.require_working()

    def extend(self, lease_ms: int) -> None:
        self._workers.lease(lease_ms)

    async def revert(self) -> bool:
        ended = await self._workers.end()
        limit = None if self._plan is None else self._plan.limit
        process = None if limit is None else self._survivor(limit.process)
        if process is None or limit is None:
            return ended
        with refusals(f"restore the limit of {self._victim.name}"):
            return limit.restore(process) and ended


def _require_room(mb: int) -> None:
    memory = psutil.virtual_memory()
    least = max(LEFT_BYTES, LEFT_SHARE * memory.total)
    if memory.available - mb * MIB < least:
        raise FaultRefusedError(
            f"{mb} MiB would leave less than {least / MIB:.0f} MiB of memory ({memory.available / MIB:.0f} MiB are "
            "available now); take less",
            409,
        )
