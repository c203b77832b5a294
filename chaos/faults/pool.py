import asyncio
import contextlib
import resource
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chaos.address import Address
from chaos.daemon.targets import PoolEntry
from chaos.errors import FaultRefusedError
from chaos.waiting import until

CONNECT_S = 2.0
AGAIN_S = 0.1


class PoolAttributes(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: int = Field(ge=1, le=1000)


class PoolFault:
    """A server whose connections are taken: they are opened, held without a word, and opened again when it hangs up.

    They end with the daemon, so no record of them is needed.
    """

    kills = 0

    def __init__(self, pool: PoolEntry, attributes: dict[str, Any]) -> None:
        self._name = pool.name
        self._address = Address.parse(pool.address)
        self._wanted = PoolAttributes.model_validate(attributes).connections
        self._held = 0
        self._holders: list[asyncio.Task[None]] = []
        self.key = f"pool:{pool.name}"

    @property
    def detail(self) -> str:
        return f"{self._held} of {self._wanted} connections are held" if self._holders else ""

    def check(self) -> None:
        """Keep half of the daemon's own file descriptors for itself; `apply` sees whether somebody is there."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and self._wanted > soft // 2:
            raise FaultRefusedError(
                f"connections is {self._wanted}, and the fault daemon may open {soft} files; "
                f"take at most {soft // 2}, or raise its limit (ulimit -n)",
                409,
            )

    async def apply(self) -> None:
        self._holders = [asyncio.create_task(self._hold()) for _ in range(self._wanted)]
        await until(lambda: self._held == self._wanted, within_s=CONNECT_S)
        if self._held == 0:
            raise FaultRefusedError(f"pool {self._name}: nothing accepts connections at {self._address}", 409)

    async def revert(self) -> bool:
        for holder in self._holders:
            holder.cancel()
        await asyncio.gather(*self._holders, return_exceptions=True)
        self._holders = []
        return self._held == 0

    async def _hold(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
                self._held += 1
                try:
                    while await reader.read(65536):
                        pass  # a greeting is read and not answered
                finally:
                    self._held -= 1
                    writer.transport.abort()
            await asyncio.sleep(AGAIN_S)
