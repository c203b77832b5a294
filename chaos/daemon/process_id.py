import functools
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, Field

PROC = Path("/proc")
START_TICKS = 19  # field 22 of proc_pid_stat(5), counted from the one after the name


class ProcessId(BaseModel):
    """One process for ever: its pid and the moment it started, which a later process with that pid does not share.

    The moment is told in ticks since boot together with the boot's id, so that setting the clock changes nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int = Field(gt=1)
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """Return the identity of the process that has *pid* now.

        Raises:
            psutil.NoSuchProcess: there is none.
        """
        return cls(pid=pid, started=_started(pid))

    def live(self) -> psutil.Process | None:
        """Return this very process, None when it has ended (a zombie has)."""
        try:
            process = psutil.Process(self.pid)
            same = _started(self.pid) == self.started
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def _started(pid: int) -> str:
    boot = _boot_id()
    if not boot:
        return repr(psutil.Process(pid).create_time())
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise psutil.NoSuchProcess(pid) from error
    return f"{boot}/{stat.rpartition(')')[2].split()[START_TICKS]}"


@functools.cache
def _boot_id() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
