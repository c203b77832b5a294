import random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Distribution = Literal["uniform", "normal", "pareto"]

MAX_DELAY_MS = 600_000
PARETO_SHAPE = 3.0  # heavy, and still with a mean and a variance


class Delay(BaseModel):
    """How late something is, in milliseconds; `jitter` spreads it around (or, for pareto, above) `latency`.

    uniform: latency plus or minus up to jitter. normal: mean latency, standard deviation jitter. pareto: at least
    latency, then a Lomax tail of shape 3 and scale jitter, whose mean is jitter / 2 and whose p95 is 1.7 jitter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency: int = Field(ge=0, le=MAX_DELAY_MS)
    jitter: int = Field(default=0, ge=0, le=MAX_DELAY_MS)
    distribution: Distribution = "uniform"

    def draw_s(self, rng: random.Random) -> float:
        """Return one delay in seconds, in 0..600.

        >>> Delay(latency=250).draw_s(random.Random(1))
        0.25
        """
        match self.distribution:
            case "uniform":
                drawn = self.latency + rng.uniform(-self.jitter, self.jitter)
            case "normal":
                drawn = rng.normalvariate(self.latency, self.jitter)
            case "pareto":
                drawn = self.latency + self.jitter * (rng.paretovariate(PARETO_SHAPE) - 1)
        return min(max(drawn, 0.0), MAX_DELAY_MS) / 1000
