from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chaos.address import Address
from chaos.daemon.pid_file import PidFile
from chaos.daemon.targets import Targets, read_targets
from chaos.errors import FaultRefusedError, TargetsError
from chaos.proxy.proxy import Proxy


@dataclass(frozen=True, slots=True)
class VictimProcess:
    name: str
    service: str
    pid_file: PidFile


@dataclass(slots=True)
class World:
    """The live targets of one fault daemon."""

    proxies: dict[str, Proxy] = field(default_factory=dict)
    processes: dict[str, VictimProcess] = field(default_factory=dict)

    def proxy(self, name: str) -> Proxy:
        """Return a proxy by name.

        Raises:
            FaultRefusedError: 404, there is none.
        """
        if name not in self.proxies:
            raise FaultRefusedError("proxy not found", 404)
        return self.proxies[name]

    def process(self, name: str) -> VictimProcess:
        """Return a process target by name.

        Raises:
            FaultRefusedError: 404, there is none.
        """
        if name not in self.processes:
            known = ", ".join(sorted(self.processes)) or "none"
            raise FaultRefusedError(f"process {name!r} is not in the targets file (known: {known})", 404)
        return self.processes[name]

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
    """Build the targets, not yet listening; pid files are relative to *folder*."""
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
    processes = (
        VictimProcess(entry.name, entry.service, PidFile(folder / entry.pid_file)) for entry in targets.processes
    )
    return World({proxy.name: proxy for proxy in proxies}, {process.name: process for process in processes})


def read_world(path: Path) -> World:
    """Build the world that the targets file at *path* describes (raises TargetsError)."""
    return world_of(read_targets(path), path.parent)
