import asyncio
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, Field

from chaos.daemon.world import VictimProcess
from chaos.errors import FaultRefusedError
from chaos.waiting import until

VERIFY_S = 10.0
POLL_S = 0.1


class KillAttributes(BaseModel):
    """`every_s`: kill the respawned process again this long after the last kill; None kills once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_s: float | None = Field(default=None, ge=0.5, le=600)


class KillFault:
    """SIGKILL for a supervised process. Its supervisor mends it; reverting means to stop killing and to see it live."""

    def __init__(self, victim: VictimProcess, attributes: dict[str, Any]) -> None:
        self._victim = victim
        self._every_s = KillAttributes.model_validate(attributes).every_s
        self._killer: asyncio.Task[None] | None = None
        self._killed: psutil.Process | None = None
        self.key = f"kill:{victim.name}"
        self.kills = 0
        self.detail = ""

    def check(self) -> None:
        self._victim.live()

    async def apply(self) -> None:
        self._victim.live()
        if not self._kill():
            raise FaultRefusedError(f"{self._victim.name} ended just now; try again", 409)
        if self._every_s is not None:
            self._killer = asyncio.get_running_loop().create_task(self._kill_again(self._every_s))

    async def revert(self) -> bool:
        if self._killer is not None:
            self._killer.cancel()
            await asyncio.gather(self._killer, return_exceptions=True)
        return await until(lambda: self._respawned() is not None, within_s=VERIFY_S, every_s=POLL_S)

    async def _kill_again(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                while not self._kill():  # noqa: ASYNC110 - another process writes the pid file
                    await asyncio.sleep(POLL_S)
            except FaultRefusedError as error:
                self.detail = str(error)

    def _respawned(self) -> psutil.Process | None:
        process = self._victim.pid_file.live()
        return None if process == self._killed else process  # a killed process looks alive for a moment

    def _kill(self) -> bool:
        process = self._respawned()
        if process is None:
            return False
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return False
        except psutil.Error as error:
            raise FaultRefusedError(f"cannot kill {self._victim.name} (pid {process.pid}): {error}", 409) from error
        self._killed = process
        self.kills += 1
        return True
