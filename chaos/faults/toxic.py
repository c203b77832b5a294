from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chaos.errors import FaultRefusedError
from chaos.proxy.proxy import Proxy
from chaos.proxy.toxic import ATTRIBUTES, Stream, Toxic


class ToxicFaultAttributes(BaseModel):
    """A toxic in Toxiproxy's own words. `toxicity` is the share (0..1) of connections that it affects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    name: str = Field(min_length=1)
    stream: Stream = "downstream"
    toxicity: float = Field(default=1.0, ge=0, le=1)
    attributes: dict[str, Any] = {}

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if self.type not in ATTRIBUTES:
            raise ValueError(f"toxic type {self.type!r} is not known; use one of {', '.join(ATTRIBUTES)}")
        ATTRIBUTES[self.type].model_validate(self.attributes)
        return self

    def toxic(self) -> Toxic:
        attributes = ATTRIBUTES[self.type].model_validate(self.attributes)
        return Toxic(self.name, self.stream, attributes, self.toxicity, self.type)


class ToxicFault:
    """One toxic of Toxiproxy's on one proxy."""

    kills = 0

    def __init__(self, proxy: Proxy, attributes: dict[str, Any]) -> None:
        self._proxy = proxy
        self._toxic = ToxicFaultAttributes.model_validate(attributes).toxic()
        self.key = f"toxic:{proxy.name}/{self._toxic.name}"

    def check(self) -> None:
        """Refuse a name that is taken (raises FaultRefusedError)."""
        if self._proxy.find_toxic(self._toxic.name) is not None:
            raise FaultRefusedError("toxic already exists", 409)

    async def apply(self) -> None:
        self._proxy.put_toxic(self._toxic)

    async def revert(self) -> bool:
        self._proxy.remove_toxic(self._toxic.name)
        return self._proxy.find_toxic(self._toxic.name) is None
