from pathlib import Path

from pydantic import BaseModel

from chaos.daemon.targets import Argv, CommandEntry
from chaos.errors import ChaosError, FaultRefusedError
from chaos.faults.base import LastingFault, Plan
from chaos.faults.run_argv import Finished, run_argv


class CommandPlan(BaseModel):
    """How to undo, as the targets file said when the fault was injected."""

    undo: Argv
    check: Argv | None
    timeout_s: float
    folder: Path


class CommandFault(LastingFault):
    """A fault of the operator's own making: a command that injects it and one that undoes it."""

    def __init__(self, command: CommandEntry, folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._plan: CommandPlan | None = None
        self.key = f"command:{command.name}"

    def check(self) -> None:
        """Whether the target is whole is asked by `plan`, which may wait for the answer."""

    async def plan(self) -> Plan:
        command = self._command
        plan = CommandPlan(
            undo=command.undo, check=command.check, timeout_s=command.timeout_s, folder=self._folder.absolute()
        )
        if command.check is not None:
            found = await self._run(command.check, plan)
            if found.code != 0:
                raise FaultRefusedError(f"command {command.name}: check says that it is broken already ({found})", 409)
        self._plan = plan
        return plan.model_dump(mode="json")

    def resume(self, plan: Plan) -> None:
        self._plan = CommandPlan.model_validate(plan)

    async def apply(self) -> None:
        assert self._plan is not None
        found = await self._run(self._command.inject, self._plan)
        if found.code != 0:
            raise FaultRefusedError(f"command {self._command.name}: inject failed ({found})", 409)

    async def revert(self) -> bool:
        if self._plan is None:
            return True
        undone = await self._run(self._plan.undo, self._plan)
        if undone.code != 0:
            raise ChaosError(f"command {self._command.name}: undo failed ({undone})")
        if self._plan.check is not None:
            found = await self._run(self._plan.check, self._plan)
            if found.code != 0:
                raise ChaosError(f"command {self._command.name}: still broken after undo, says check ({found})")
        return True

    @staticmethod
    async def _run(argv: Argv, plan: CommandPlan) -> Finished:
        return await run_argv(argv, timeout_s=plan.timeout_s, folder=plan.folder)
