import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chaos.daemon.world import VictimProcess
from chaos.errors import ChaosError, FaultRefusedError
from chaos.faults.base import LastingFault, Plan
from chaos.waiting import in_thread

MIB = 1024 * 1024
STEP_BYTES = 64 * MIB
LEFT_BYTES = 1024 * MIB
LEFT_SHARE = 0.1


class DiskAttributes(BaseModel):
    """`mb`: how many MiB of the file system are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mb: int = Field(ge=1, le=1_000_000)


class DiskPlan(BaseModel):
    path: Path


class DiskFault(LastingFault):
    """A file that takes space in a process's own folder. It never fills the file system: 1 GiB and 10 % stay free."""

    def __init__(self, fault_id: str, victim: VictimProcess, attributes: dict[str, Any]) -> None:
        self._name = f".ninelives-{fault_id}.ballast"
        self._victim = victim
        self._bytes = DiskAttributes.model_validate(attributes).mb * MIB
        self._plan: DiskPlan | None = None
        self.key = f"disk:{victim.name}"

    def check(self) -> None:
        _require_room(self._folder(), self._bytes)

    async def plan(self) -> Plan:
        self._plan = DiskPlan(path=self._folder().absolute() / self._name)
        return self._plan.model_dump(mode="json")

    def resume(self, plan: Plan) -> None:
        self._plan = DiskPlan.model_validate(plan)

    async def apply(self) -> None:
        assert self._plan is not None
        path = self._plan.path
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FaultRefusedError(f"cannot write to {path.parent}: {error}", 409) from error
        try:
            for start in range(0, self._bytes, STEP_BYTES):
                size = min(STEP_BYTES, self._bytes - start)
                _require_room(path.parent, size)
                await in_thread(os.posix_fallocate, file, start, size)
        except OSError as error:
            raise FaultRefusedError(f"cannot take space in {path.parent}: {error}", 409) from error
        finally:
            os.close(file)

    async def revert(self) -> bool:
        if self._plan is None:
            return True
        path = self._plan.path
        if path.name != self._name:
            raise ChaosError(f"the undo record names {path}, which is no file of this fault; remove it by hand")
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise ChaosError(f"{path} is not a regular file; it is not ours, remove it by hand")
            path.unlink()
        return not path.exists()

    def _folder(self) -> Path:
        folder = self._victim.disk_folder
        if folder is None:
            raise FaultRefusedError(f"{self._victim.name} has no disk_folder in the targets file; add it", 400)
        if not folder.is_dir():
            raise FaultRefusedError(f"disk_folder {folder} of {self._victim.name} is not a folder", 409)
        return folder


def _require_room(folder: Path, size: int) -> None:
    usage = shutil.disk_usage(folder)
    least = max(LEFT_BYTES, LEFT_SHARE * usage.total)
    if usage.free - size < least:
        raise FaultRefusedError(
            f"{size / MIB:.0f} MiB more would leave less than {least / MIB:.0f} MiB free on the file system of "
            f"{folder} ({usage.free / MIB:.0f} MiB are free now); take less",
            409,
        )
