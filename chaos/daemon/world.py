import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from chaos.address import Address
from chaos.daemon.pid_file import PidFile
from chaos.daemon.targets import (
    CacheEntry,
    CommandEntry,
    ContainerEntry,
    Limits,
    PoolEntry,
    ProcessEntry,
    Targets,
    read_targets,
)
from chaos.errors import FaultRefusedError, TargetsError
from chaos.proxy.proxy import Proxy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VictimProcess:
    """A process target. A fault may fill `disk_folder`, where there is one, and take `max_memory_mb` MiB beside it."""

    name: str
    service: str
    pid_file: PidFile
    disk_folder: Path | None = None
    max_memory_mb: int = 512

    def live(self) -> psutil.Process:
        """Return the process that runs now.

        Raises:
            FaultRefusedError: 409, the pid file names none, or the one that would have to mend it.
        """
        process = self.pid_file.live()
        if process is None:
            raise FaultRefusedError(
                f"{self.pid_file.path} does not name a live process (pid and start time must both match); "
                f"start {self.name} first",
                409,
            )
        if process.pid == os.getpid():
            raise FaultRefusedError(f"{self.pid_file.path} names the fault daemon itself; name another process", 409)
        return process


@dataclass(slots=True)
class World:
    """The live targets of one fault daemon. Commands run in `folder`."""

    proxies: dict[str, Proxy] = field(default_factory=dict)
    processes: dict[str, VictimProcess] = field(default_factory=dict)
    commands: dict[str, CommandEntry] = field(default_factory=dict)
    containers: dict[str, ContainerEntry] = field(default_factory=dict)
    caches: dict[str, CacheEntry] = field(default_factory=dict)
    pools: dict[str, PoolEntry] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    folder: Path = field(default_factory=Path)

    def proxy(self, name: str) -> Proxy:
        """Return a proxy by name.

        Raises:
            FaultRefusedError: 404, there is none.
        """
        if name not in self.proxies:
            raise FaultRefusedError("proxy not found", 404)
        return self.proxies[name]

    def process(self, name: str) -> VictimProcess:
        """Return a process target by name, as the methods below do for other targets.

        Raises:
            FaultRefusedError: 404, there is none.
        """
        return _find(self.processes, "process", name)

    def command(self, name: str) -> CommandEntry:
        return _find(self.commands, "command", name)

    def container(self, name: str) -> ContainerEntry:
        return _find(self.containers, "container", name)

    def cache(self, name: str) -> CacheEntry:
        return _find(self.caches, "cache", name)

    def pool(self, name: str) -> PoolEntry:
        return _find(self.pools, "pool", name)

    async def open(self) -> None:
        """Let every proxy listen.

        Raises:
            TargetsError: a proxy cannot take its port.
        """
        for proxy in self:
            try:
                await proxy.enable()
            except OSError as error:
                raise TargetsError(f"proxy {proxy.name} cannot listen on {proxy.listen}: {error}") from error

    async def close(self) -> None:
        for proxy in self:
            await proxy.close()

    def __iter__(self) -> Iterator[Proxy]:
        return iter(tuple(self.proxies.values()))


def world_of(targets: Targets, folder: Path) -> World:
    """Build the targets, not yet listening; pid files and disk folders are relative to *folder*."""
    proxies = (
        Proxy(
            entry.name,
            Address.parse(entry.listen),
            Address.parse(entry.upstream),
            client=entry.client,
            server=entry.server,
            protocol=entry.protocol,
        )
        for entry in targets.proxies
    )
    return World(
        {proxy.name: proxy for proxy in proxies},
        {entry.name: _victim(entry, folder) for entry in targets.processes},
        {entry.name: entry for entry in targets.commands},
        {entry.name: entry for entry in targets.containers},
        {entry.name: entry for entry in targets.caches},
        {entry.name: entry for entry in targets.pools},
        targets.limits,
        folder,
    )


def _victim(entry: ProcessEntry, folder: Path) -> VictimProcess:
    disk_folder = None if entry.disk_folder is None else folder / entry.disk_folder
    return VictimProcess(entry.name, entry.service, PidFile(folder / entry.pid_file), disk_folder, entry.max_memory_mb)


def _find(found: dict[str, T], kind: str, name: str) -> T:
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise FaultRefusedError(f"{kind} {name!r} is not in the targets file (known: {known})", 404)
    return found[name]


def read_world(path: Path) -> World:
    """Build the world that the targets file at *path* describes (raises TargetsError)."""
    return world_of(read_targets(path), path.parent)
