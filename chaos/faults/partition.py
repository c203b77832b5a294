from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from chaos.proxy.proxy import Proxy
from chaos.proxy.request_fault import PartitionRule, RequestFault
from chaos.proxy.toxic import ResetPeerAttributes, Stream, TimeoutAttributes, Toxic
from chaos.wire import Groups

STREAMS: dict[str, tuple[Stream, ...]] = {
    "both": ("upstream", "downstream"),
    "upstream": ("upstream",),
    "downstream": ("downstream",),
}


class PartitionAttributes(BaseModel):
    """`mode`: connections are refused; or bytes vanish; or the first byte resets the connection.

    `direction`: which bytes are cut off, those towards the service (upstream), from it, or both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["refuse", "blackhole", "reset"] = "refuse"
    direction: Literal["both", "upstream", "downstream"] = "both"

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.mode == "refuse" and self.direction != "both":
            raise ValueError(
                f"direction {self.direction!r} is not possible: a refused connection carries nothing either way; "
                "use mode blackhole or reset for one direction"
            )
        return self


class PartitionFault:
    """An edge that is cut: for all connections, or with `groups` for the requests of the treatment arm.

    A single request cannot be refused a connection that is there: in a group, refuse resets it before the service
    has seen the request. Ending a blackhole closes the connections that are stuck in it.
    """

    kills = 0

    def __init__(self, fault_id: str, proxy: Proxy, attributes: dict[str, Any], groups: Groups | None = None) -> None:
        self._id = fault_id
        self._proxy = proxy
        self._attributes = PartitionAttributes.model_validate(attributes)
        self._groups = groups
        self.key = f"partition:{proxy.name}"

    def check(self) -> None:
        """Any proxy can be cut; `key` keeps it from being cut twice."""

    async def apply(self) -> None:
        if self._groups is not None:
            self._proxy.requests.put(RequestFault(self._id, self._rule(), self._groups))
        elif self._attributes.mode == "refuse":
            await self._proxy.disable()
        else:
            for toxic in self._toxics():
                self._proxy.put_toxic(toxic)

    async def revert(self) -> bool:
        self._proxy.requests.remove(self._id)
        for toxic in self._toxics():
            self._proxy.remove_toxic(toxic.name)
        try:
            await self._proxy.enable()
        except OSError:
            return False
        return await self._proxy.answers()

    def _rule(self) -> PartitionRule:
        way: Stream = "downstream" if self._attributes.direction == "downstream" else "upstream"
        return PartitionRule("swallow" if self._attributes.mode == "blackhole" else "reset", way)

    def _toxics(self) -> list[Toxic]:
        kind, attributes = (
            ("timeout", TimeoutAttributes())
            if self._attributes.mode == "blackhole"
            else ("reset_peer", ResetPeerAttributes())
        )
        return [
            Toxic(f"{self._id}-{stream}", stream, attributes, type=kind, is_fault=True)
            for stream in STREAMS[self._attributes.direction]
        ]
