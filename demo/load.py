"""The shop's visitors: an open loop, so that a slow shop gets as many requests as a fast one."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import uvloop

from demo.lifeline import die_with_parent
from demo.shop import Visit, Visitors
from demo.transport import LeanTransport

MAX_IN_FLIGHT = 256
TIMEOUT_S = 5.0
REPORT_S = 60.0


@dataclass(slots=True)
class Arrivals:
    """Moments at which visitors come: `rate` a second on average, independent of each other (a Poisson process).

    Over the first `ramp_s` seconds the rate rises to that from a tenth of it: cold services are not hit at full speed.
    """

    rate: float
    rng: random.Random
    ramp_s: float = 0.0

    def gaps_s(self) -> Iterator[float]:
        """Yield the seconds from each visit to the next."""
        elapsed_s = 0.0
        while True:
            share = 1.0 if elapsed_s >= self.ramp_s else 0.1 + 0.9 * elapsed_s / self.ramp_s
            gap_s = self.rng.expovariate(self.rate * share)
            elapsed_s += gap_s
            yield gap_s


@dataclass(slots=True)
class Load:
    """Sends visits to the gateway and counts what became of them."""

    client: httpx.AsyncClient
    answered: int = 0
    failed: int = 0
    unreachable: int = 0
    dropped: int = 0
    _in_flight: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, visitors: Visitors, arrivals: Arrivals) -> None:
        """Send visits until cancelled. Above MAX_IN_FLIGHT they are dropped: a dead shop must not cost memory."""
        clock = asyncio.get_running_loop().time
        due = clock()
        for gap_s, visit in zip(arrivals.gaps_s(), visitors, strict=False):
            due += gap_s
            await asyncio.sleep(max(0.0, due - clock()))
            if len(self._in_flight) >= MAX_IN_FLIGHT:
                self.dropped += 1
                continue
            task = asyncio.create_task(self._send(visit))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def report(self) -> None:
        """Print the counts once a minute until cancelled."""
        while True:
            await asyncio.sleep(REPORT_S)
            print(self.summary(), flush=True)  # noqa: T201 - the process's log

    def summary(self) -> str:
        return f"answered {self.answered}, failed {self.failed}, unreachable {self.unreachable}, dropped {self.dropped}"

    async def _send(self, visit: Visit) -> None:
        try:
            response = await self._request(visit)
        except httpx.TransportError:
            self.unreachable += 1
            return
        if response.is_server_error:
            self.failed += 1
        else:
            self.answered += 1

    async def _request(self, visit: Visit) -> httpx.Response:
        if visit.page == "home":
            return await self.client.get("/")
        if visit.page == "product":
            return await self.client.get(f"/products/{visit.product_id}")
        return await self.client.post("/checkout", json={"product_id": visit.product_id, "quantity": 1})


async def _visit_for_ever(url: str, rate: float, ramp_s: float) -> None:
    rng = random.Random()
    transport = LeanTransport()
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, transport=transport, trust_env=False) as client:
        load = Load(client)
        await asyncio.gather(load.run(Visitors(rng), Arrivals(rate, rng, ramp_s)), load.report())


def run_load(url: str, rate: float, ramp_s: float) -> None:
    """Visit the gateway at `url` until SIGTERM or the end of the parent."""
    die_with_parent()
    uvloop.run(_visit_for_ever(url, rate, ramp_s))
