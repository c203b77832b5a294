import shutil
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from chaos.daemon.targets import ContainerEntry
from chaos.errors import ChaosError, FaultRefusedError
from chaos.faults.base import LastingFault, Plan
from chaos.faults.run_argv import run_argv

CLIS = ("docker", "podman", "nerdctl")
CALL_S = 10.0


class ContainerAttributes(BaseModel):
    """`pause` freezes all processes of the container, `kill` ends them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["pause", "kill"]


class ContainerPlan(BaseModel):
    """`id` is the container's own: one that was made anew under the name is another."""

    cli: str
    id: str


class ContainerFault(LastingFault):
    """A container that is paused, or killed and started again, by the container CLI found on PATH."""

    def __init__(self, target: ContainerEntry, attributes: dict[str, Any]) -> None:
        self._target = target
        self._action = ContainerAttributes.model_validate(attributes).action
        self._plan: ContainerPlan | None = None
        self.key = f"container:{target.name}"

    def check(self) -> None:
        find_cli()

    async def plan(self) -> Plan:
        cli = find_cli()
        status, number = await _inspect(cli, self._target.container) or ("missing", "")
        if status != "running":
            raise FaultRefusedError(
                f"container {self._target.container} is {status}, says {cli}; it must be running", 409
            )
        self._plan = ContainerPlan(cli=cli, id=number)
        return self._plan.model_dump()

    def resume(self, plan: Plan) -> None:
        self._plan = ContainerPlan.model_validate(plan)

    async def apply(self) -> None:
        assert self._plan is not None
        await _call(self._plan.cli, self._action, self._plan.id)
        if self._action == "pause" and await self._status() != "paused":
            raise FaultRefusedError(f"container {self._target.container} was not seen paused", 409)

    async def revert(self) -> bool:
        if self._plan is None:
            return True
        match await self._status():
            case "missing":
                self.detail = f"container {self._target.container} was removed before the revert"
                return True
            case "paused":
                await _call(self._plan.cli, "unpause", self._plan.id)
            case "running" | "restarting":
                pass
            case _ if self._action == "kill":
                await _call(self._plan.cli, "start", self._plan.id)
            case status:
                self.detail = f"container {self._target.container} was {status} by itself before the revert"
                return True
        return await self._status() == "running"

    async def _status(self) -> str:
        assert self._plan is not None
        found = await _inspect(self._plan.cli, self._plan.id)
        return "missing" if found is None else found[0]


def find_cli() -> str:
    """Return the path of the first container CLI on PATH.

    Raises:
        FaultRefusedError: 409, there is none.
    """
    found = next((path for name in CLIS if (path := shutil.which(name))), None)
    if found is None:
        raise FaultRefusedError(f"none of {', '.join(CLIS)} is on the fault daemon's PATH; install one", 409)
    return found


async def _inspect(cli: str, container: str) -> tuple[str, str] | None:
    """Return status and id, None when there is no such container."""
    found = await run_argv(
        [cli, "container", "inspect", "--format", "{{.State.Status}} {{.Id}}", container], timeout_s=CALL_S
    )
    words = found.tail.split()
    if found.code == 0 and len(words) == 2:
        return words[0], words[1]
    if "no such" in found.tail.lower() or "no container" in found.tail.lower():
        return None
    raise ChaosError(f"{cli} cannot inspect {container}: {found}")


async def _call(cli: str, action: str, container: str) -> None:
    found = await run_argv([cli, action, container], timeout_s=CALL_S)
    if found.code != 0:
        raise FaultRefusedError(f"{cli} cannot {action} {container}: {found}", 409)
