"""Toxiproxy's toxics: what they are called, what they are set to, and where they sit on a proxy."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chaos.proxy.delay import MAX_DELAY_MS, Delay

Stream = Literal["upstream", "downstream"]


class ToxicAttributes(BaseModel):
    """Under Toxiproxy's names, with its defaults of 0; unknown attributes are ignored, as there."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class LatencyAttributes(ToxicAttributes):
    """Milliseconds: every chunk is held for `latency` plus or minus up to `jitter`."""

    latency: int = Field(default=0, ge=0, le=MAX_DELAY_MS)
    jitter: int = Field(default=0, ge=0, le=MAX_DELAY_MS)


class DelayAttributes(LatencyAttributes):
    """What our own latency fault can do beyond Toxiproxy's."""

    delay: Delay


class BandwidthAttributes(ToxicAttributes):
    """`rate` in kilobytes a second; 0 lets nothing through."""

    rate: int = Field(default=0, ge=0)


class SlowCloseAttributes(ToxicAttributes):
    """`delay`: milliseconds for which the end of a connection is held back."""

    delay: int = Field(default=0, ge=0, le=MAX_DELAY_MS)


class TimeoutAttributes(ToxicAttributes):
    """All data vanishes; after `timeout` milliseconds without any the connection is closed, with 0 never."""

    timeout: int = Field(default=0, ge=0, le=MAX_DELAY_MS)


class ResetPeerAttributes(ToxicAttributes):
    """`timeout`: milliseconds from the first data to the connection's reset."""

    timeout: int = Field(default=0, ge=0, le=MAX_DELAY_MS)


class SlicerAttributes(ToxicAttributes):
    """Data leaves in slices of `average_size` ± `size_variation` bytes, `delay` microseconds apart."""

    average_size: int = Field(default=0, ge=0)
    size_variation: int = Field(default=0, ge=0)
    delay: int = Field(default=0, ge=0, le=MAX_DELAY_MS * 1000)


class LimitDataAttributes(ToxicAttributes):
    """The connection is closed after `bytes` bytes."""

    bytes: int = Field(default=0, ge=0)


ATTRIBUTES: dict[str, type[ToxicAttributes]] = {
    "latency": LatencyAttributes,
    "bandwidth": BandwidthAttributes,
    "slow_close": SlowCloseAttributes,
    "timeout": TimeoutAttributes,
    "reset_peer": ResetPeerAttributes,
    "slicer": SlicerAttributes,
    "limit_data": LimitDataAttributes,
}


@dataclass(frozen=True, slots=True, eq=False)
class Toxic:
    """A toxic on one direction of a proxy. An update is a new object, so that connections draw again.

    `toxicity` is the share of connections that it affects. `rng` draws for this toxic alone; without one the proxy's
    draws. `is_fault`: it is part of a fault of our own, which Toxiproxy's clients do not see among their toxics.
    """

    name: str
    stream: Stream
    attributes: ToxicAttributes
    toxicity: float = 1.0
    type: str = "latency"
    rng: random.Random | None = None
    is_fault: bool = False


@dataclass(slots=True)
class ToxicChain:
    """The toxics of one direction, in their order. `listeners` are called whenever they change."""

    toxics: tuple[Toxic, ...] = ()
    listeners: set[Callable[[], None]] = field(default_factory=set)

    def find(self, name: str) -> Toxic | None:
        return next((toxic for toxic in self.toxics if toxic.name == name), None)

    def put(self, toxic: Toxic) -> None:
        """Append *toxic*, or put it in the place of the one with its name."""
        if self.find(toxic.name) is None:
            self._become((*self.toxics, toxic))
        else:
            self._become(tuple(toxic if old.name == toxic.name else old for old in self.toxics))

    def remove(self, name: str) -> None:
        self._become(tuple(toxic for toxic in self.toxics if toxic.name != name))

    def _become(self, toxics: tuple[Toxic, ...]) -> None:
        self.toxics = toxics
        for tell in tuple(self.listeners):
            tell()
