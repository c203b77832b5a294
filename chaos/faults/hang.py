import contextlib

import psutil
from pydantic import BaseModel

from chaos.daemon.process_id import ProcessId
from chaos.daemon.world import VictimProcess
from chaos.errors import FaultRefusedError
from chaos.faults.base import Plan
from chaos.faults.process_fault import ProcessFault, refusals
from chaos.waiting import until

SEEN_S = 2.0


class HangPlan(BaseModel):
    process: ProcessId


class HangFault(ProcessFault):
    """A process that is stopped (SIGSTOP): it keeps its connections and answers nobody, until SIGCONT."""

    def __init__(self, victim: VictimProcess) -> None:
        super().__init__("hang", victim)
        self._plan: HangPlan | None = None

    def check(self) -> None:
        process = self._victim.live()
        if _is_stopped(process):
            raise FaultRefusedError(f"{self._victim.name} (pid {process.pid}) is stopped already, and not by us", 409)

    async def plan(self) -> Plan:
        with refusals(f"stop {self._victim.name}"):
            self._plan = HangPlan(process=ProcessId.of(self._victim.live().pid))
        return self._plan.model_dump()

    def resume(self, plan: Plan) -> None:
        self._plan = HangPlan.model_validate(plan)

    async def apply(self) -> None:
        assert self._plan is not None
        process = self._chosen(self._plan.process)
        with refusals(f"stop {self._name(self._plan.process)}"):
            process.suspend()
            if not await _becomes(process, stopped=True):
                raise FaultRefusedError(f"{self._name(self._plan.process)} did not stop within {SEEN_S:g} s", 409)

    async def revert(self) -> bool:
        process = None if self._plan is None else self._survivor(self._plan.process)
        if process is None:
            return True
        with refusals(f"continue {self._victim.name}"), contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
            return await _becomes(process, stopped=False)
        return True


async def _becomes(process: psutil.Process, *, stopped: bool) -> bool:
    return await until(lambda: _is_stopped(process) == stopped, within_s=SEEN_S)


def _is_stopped(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_STOPPED)
