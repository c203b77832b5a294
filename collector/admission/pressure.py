"""How loaded this collector is, and what it refuses because of that. The decision is pure; the readings are sampled."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from time import monotonic

import psutil

log = logging.getLogger(__name__)

CPU_LIMIT = 0.8
MEMORY_LIMIT = 0.9
SPOOL_LOW = 0.7
SPOOL_NORMAL = 0.9

SAMPLE_S = 1.0
SMOOTH_S = 5.0
OWN_SHARE = 0.1
CGROUP = Path("/sys/fs/cgroup")


class Priority(IntEnum):
    """How long a service's telemetry is still accepted when the collector is overloaded."""

    LOW = 0
    NORMAL = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Pressure:
    """Readings as ratios 0..1.

    Attributes:
        cpu: Busy share of the machine's cores over about 5 s; only this process's share while that is under a tenth,
            because refusing telemetry does not calm a machine that others keep busy.
        memory: What this process uses, of that and what it could still have (of its cgroup limit or the machine).
    """

    cpu: float = 0.0
    memory: float = 0.0


CALM = Pressure()


def decide(pressure: Pressure, spool_fill: float, priority: Priority) -> str | None:
    """Return why telemetry of *priority* is refused right now; None when it is accepted.

    Only a full spool, which refuses by itself, is closed to critical services.

    >>> decide(Pressure(cpu=0.95), 0.0, Priority.LOW)
    'the CPU is 95 % busy'
    >>> decide(Pressure(cpu=0.95), 0.0, Priority.NORMAL) is None
    True
    """
    if spool_fill >= 1:
        return "the spool is full"
    if priority >= Priority.CRITICAL:
        return None
    if pressure.memory > MEMORY_LIMIT:
        return f"{pressure.memory:.0%} of the memory is used".replace("%", " %")
    if spool_fill >= SPOOL_NORMAL or (spool_fill >= SPOOL_LOW and priority < Priority.NORMAL):
        return f"the spool is {spool_fill:.0%} full".replace("%", " %")
    if pressure.cpu > CPU_LIMIT and priority < Priority.NORMAL:
        return f"the CPU is {pressure.cpu:.0%} busy".replace("%", " %")
    return None


def shedding_level(pressure: Pressure, spool_fill: float) -> int:
    """Return how many of the three priorities are refused: 0 none, 1 low, 2 all but critical, 3 everything."""
    return sum(decide(pressure, spool_fill, priority) is not None for priority in Priority)


def smoothed(before: float, reading: float, elapsed_s: float) -> float:
    """Return *before* moved towards *reading*, so that a change is followed in about SMOOTH_S."""
    weight = min(1.0, max(0.0, elapsed_s) / SMOOTH_S)
    return before + (reading - before) * weight


class PressureSampler:
    """Keeps `current` up to date from a thread of its own, so that no request pays for a reading."""

    def __init__(self, read: Callable[[], Pressure] | None = None) -> None:
        self.current = CALM
        self._read = read or LoadReader().read
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pressure", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            try:
                self.current = self._read()
            except (OSError, ValueError, psutil.Error):
                log.exception("cannot read the load of this machine; nothing is refused because of it")
                self.current = CALM


class LoadReader:
    """Reads this machine and this process; each call covers the time since the one before."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cores = psutil.cpu_count() or 1
        self._smooth = 0.0
        self._before = self._times()

    def read(self) -> Pressure:
        (at, busy_s, own_s), self._before = self._before, self._times()
        elapsed = max(1e-6, self._before[0] - at)
        whole = elapsed * self._cores
        busy, own = (self._before[1] - busy_s) / whole, (self._before[2] - own_s) / whole
        reading = min(1.0, busy) if own >= OWN_SHARE else own
        self._smooth = smoothed(self._smooth, reading, elapsed)
        return Pressure(self._smooth, self._memory())

    def _times(self) -> tuple[float, float, float]:
        """Return the monotonic time, the machine's busy seconds over all cores, and this process's."""
        machine, own = psutil.cpu_times(), self._process.cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        return monotonic(), sum(machine[:8]) - idle, own.user + own.system

    def _memory(self) -> float:
        own = self._process.memory_info().rss
        free = min([psutil.virtual_memory().available, *cgroup_free(own_cgroups())])
        return own / (own + free)


def own_cgroups(root: Path = CGROUP, membership: Path = Path("/proc/self/cgroup")) -> list[Path]:
    """Return the folders of this process's cgroup (v2) and of those around it; none where there are no cgroups."""
    try:
        lines = membership.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if path is None:
        return []
    parts = Path(path).parts
    return [root.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def cgroup_free(folders: Iterable[Path]) -> list[int]:
    """Return for each of *folders* with a memory limit how many bytes it may still take, reclaimable cache included."""
    found = []
    for folder in folders:
        try:
            limit = (folder / "memory.max").read_text(encoding="ascii").strip()
            used = int((folder / "memory.current").read_text(encoding="ascii"))
            stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        except OSError:
            continue  # the root has no limit, and a container may not see what is around it
        if limit != "max":
            found.append(max(0, int(limit) - used + int(stat["inactive_file"])))
    return found
