import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict, Field

from chaos.daemon.world import VictimProcess
from chaos.errors import FaultRefusedError
from chaos.faults.base import Plan
from chaos.faults.process_fault import ProcessFault, refusals
from chaos.faults.soft_limit import SoftLimit


class FileDescriptorAttributes(BaseModel):
    """`spare`: how many files and sockets the process may still open beside those it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spare: int = Field(default=0, ge=0, le=100_000)


class FileDescriptorFault(ProcessFault):
    """A process that can open no more files and sockets (EMFILE), by a lower soft RLIMIT_NOFILE."""

    def __init__(self, victim: VictimProcess, attributes: dict[str, Any]) -> None:
        super().__init__("file_descriptors", victim)
        self._spare = FileDescriptorAttributes.model_validate(attributes).spare
        self._limit: SoftLimit | None = None

    def check(self) -> None:
        self._victim.live()
        if not hasattr(psutil, "RLIMIT_NOFILE"):
            raise FaultRefusedError("this system cannot limit a live process; use Linux", 409)

    async def plan(self) -> Plan:
        process = self._victim.live()
        with refusals(f"limit {self._victim.name}"):
            self._limit = SoftLimit.lowering(process, psutil.RLIMIT_NOFILE, limit_for(_open(process), self._spare))
        return self._limit.model_dump()

    def resume(self, plan: Plan) -> None:
        self._limit = SoftLimit.model_validate(plan)

    async def apply(self) -> None:
        assert self._limit is not None
        self._limit.lower(self._chosen(self._limit.process))

    async def revert(self) -> bool:
        process = None if self._limit is None else self._survivor(self._limit.process)
        if process is None or self._limit is None:
            return True
        with refusals(f"restore the limit of {self._victim.name}"):
            return self._limit.restore(process)


def limit_for(numbers: Iterable[int], spare: int) -> int:
    """Return the RLIMIT_NOFILE that leaves *spare* free descriptor numbers beside the open *numbers*.

    The limit is about numbers, not about how many are open: the lowest free one must lie below it.

    >>> limit_for([0, 1, 2, 3], 2)
    6
    >>> limit_for([0, 1, 2, 9], 2)
    5
    """
    used = frozenset(numbers)
    free = (number for number in itertools.count() if number not in used)
    return next(itertools.islice(free, spare, None))


def _open(process: psutil.Process) -> list[int]:
    return [int(entry.name) for entry in Path(f"/proc/{process.pid}/fd").iterdir()]
