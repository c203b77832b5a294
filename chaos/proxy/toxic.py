import asyncio
import random
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Stream = Literal["upstream", "downstream"]


class LatencyAttributes(BaseModel):
    """Milliseconds, under Toxiproxy's names: every chunk is held for `latency` plus or minus up to `jitter`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    latency: int = Field(default=0, ge=0, le=600_000)
    jitter: int = Field(default=0, ge=0, le=600_000)


@dataclass(frozen=True, slots=True, eq=False)
class Toxic:
    """A latency toxic on one direction of a proxy. An update is a new object, so that connections draw again."""

    name: str
    stream: Stream
    attributes: LatencyAttributes
    toxicity: float = 1.0
    type: str = "latency"

    def delay_s(self, rng: random.Random) -> float:
        """Return the seconds for which one chunk is held, uniform in latency ± jitter and never below 0."""
        jitter = self.attributes.jitter
        return max(0.0, self.attributes.latency + rng.uniform(-jitter, jitter)) / 1000


@dataclass(slots=True)
class ToxicChain:
    """The toxics of one direction. `changed` is set, and replaced, whenever they change."""

    toxics: tuple[Toxic, ...] = ()
    changed: asyncio.Event = field(default_factory=asyncio.Event)

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
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()
