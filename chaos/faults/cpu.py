import os
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chaos.daemon.process_id import ProcessId
from chaos.daemon.world import VictimProcess
from chaos.errors import FaultRefusedError
from chaos.faults.affinity import cores_by_thread, pin, unpin
from chaos.faults.base import Plan
from chaos.faults.process_fault import ProcessFault, refusals
from chaos.faults.workers import Workers


class CpuAttributes(BaseModel):
    """`workers` spin beside the process, each for the share `load` of the time.

    With load 1 the process keeps about 1/(workers + 1) of one core.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    load: float = Field(default=1.0, gt=0, le=1)
    workers: int = Field(default=4, ge=1, le=8)


class CpuPlan(BaseModel):
    process: ProcessId
    core: int
    cores: dict[int, list[int]]
    workers: list[ProcessId]


class CpuFault(ProcessFault):
    """A process that starves: it is pinned to one core together with workers that spin there.

    The other cores, and with them the daemon and whoever measures, stay free.
    """

    def __init__(self, victim: VictimProcess, attributes: dict[str, Any], lease_ms: int) -> None:
        super().__init__("cpu", victim)
        self._attributes = CpuAttributes.model_validate(attributes)
        self._lease_ms = lease_ms
        self._plan: CpuPlan | None = None
        self._workers = Workers()

    def check(self) -> None:
        self._victim.live()
        if not hasattr(os, "sched_setaffinity"):
            raise FaultRefusedError("this system cannot pin a process to a core; use Linux", 409)

    async def plan(self) -> Plan:
        process = self._victim.live()
        with refusals(f"starve {self._victim.name}"):
            chosen = ProcessId.of(process.pid)
            core = max(os.sched_getaffinity(process.pid))
            cores = cores_by_thread(process)
            for _ in range(self._attributes.workers):
                self._workers.start("spin", str(self._attributes.load), str(core))
        self._plan = CpuPlan(process=chosen, core=core, cores=cores, workers=self._workers.ids)
        return self._plan.model_dump(mode="json")

    def resume(self, plan: Plan) -> None:
        self._plan = CpuPlan.model_validate(plan)
        self._workers.adopt(self._plan.workers)

    async def apply(self) -> None:
        assert self._plan is not None
        process = self._chosen(self._plan.process)
        with refusals(f"starve {self._victim.name}"):
            if not pin(process, self._plan.core):
                raise FaultRefusedError(f"{self._name(self._plan.process)} did not stay on one core", 409)
        self._workers.lease(self._lease_ms)
        await self._workers.require_working()

    def extend(self, lease_ms: int) -> None:
        self._workers.lease(lease_ms)

    async def revert(self) -> bool:
        ended = await self._workers.end()
        process = None if self._plan is None else self._survivor(self._plan.process)
        if process is None or self._plan is None:
            return ended
        with refusals(f"give {self._victim.name} its cores back"):
            return unpin(process, self._plan.core, self._plan.cores) and ended
