from typing import Any

from pydantic import Field

from chaos.proxy.proxy import Proxy
from chaos.proxy.toxic import LatencyAttributes, Stream, Toxic


class LatencyFaultAttributes(LatencyAttributes):
    """Beside the toxic's own attributes: its direction, its share of connections and its Toxiproxy name."""

    stream: Stream = "downstream"
    toxicity: float = Field(default=1.0, ge=0, le=1)
    name: str = ""

    def toxic(self, default_name: str) -> Toxic:
        attributes = LatencyAttributes(latency=self.latency, jitter=self.jitter)
        return Toxic(self.name or default_name, self.stream, attributes, self.toxicity)


class LatencyFault:
    """A latency toxic on one proxy."""

    kills = 0

    def __init__(self, fault_id: str, proxy: Proxy, attributes: dict[str, Any]) -> None:
        self._proxy = proxy
        self._toxic = LatencyFaultAttributes.model_validate(attributes).toxic(fault_id)
        self.key = f"latency:{proxy.name}/{self._toxic.name}"

    def check(self) -> None:
        """Any proxy can be slow at any time."""

    async def apply(self) -> None:
        self._proxy.put_toxic(self._toxic)

    async def revert(self) -> bool:
        self._proxy.remove_toxic(self._toxic.name)
        return self._proxy.find_toxic(self._toxic.name) is None
