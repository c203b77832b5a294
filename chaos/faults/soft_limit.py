"""A soft resource limit of a live process, lowered for a while.

A hard limit is never touched: without privilege nobody could raise it again.
"""

import contextlib

import psutil
from pydantic import BaseModel, ConfigDict

from chaos.daemon.process_id import ProcessId
from chaos.errors import FaultRefusedError
from chaos.faults.process_fault import refusals

UNLIMITED = -1


class SoftLimit(BaseModel):
    """`resource` is one of RLIMIT_*, `soft` what it was, `lowered` what the fault makes of it."""

    model_config = ConfigDict(frozen=True)

    process: ProcessId
    resource: int
    soft: int
    lowered: int

    @classmethod
    def lowering(cls, process: psutil.Process, resource: int, lowered: int) -> "SoftLimit":
        """Return the plan to lower the limit; changes nothing.

        Raises:
            FaultRefusedError: 409, it is as low already.
        """
        soft, _ = process.rlimit(resource)
        if soft != UNLIMITED and lowered >= soft:
            raise FaultRefusedError(
                f"pid {process.pid} is limited to {soft} already, which is not above {lowered}", 409
            )
        return cls(process=ProcessId.of(process.pid), resource=resource, soft=soft, lowered=lowered)

    def lower(self, process: psutil.Process) -> None:
        """Lower the limit and read it back.

        Raises:
            FaultRefusedError: it is not as asked afterwards.
        """
        with refusals(f"limit pid {process.pid}"):
            _, hard = process.rlimit(self.resource)
            process.rlimit(self.resource, (self.lowered, hard))
            if process.rlimit(self.resource)[0] != self.lowered:
                raise FaultRefusedError(f"the limit of pid {process.pid} did not stay at {self.lowered}", 409)

    def restore(self, process: psutil.Process) -> bool:
        """Raise the limit again, of children that inherited it too, and return whether it is gone everywhere."""
        family = [process]
        with contextlib.suppress(psutil.NoSuchProcess):
            family += process.children(recursive=True)
        restored = [self._restore_one(each) for each in family]
        return all(restored)

    def _restore_one(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            soft, hard = process.rlimit(self.resource)
            if soft != self.lowered:
                return True  # restored before, or set by somebody else since
            wanted = self.soft if hard == UNLIMITED else hard if self.soft == UNLIMITED else min(self.soft, hard)
            process.rlimit(self.resource, (wanted, hard))
            return bool(process.rlimit(self.resource)[0] == wanted)
        return True
