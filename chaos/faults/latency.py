import random
from typing import Any

from chaos.proxy.delay import Delay
from chaos.proxy.proxy import Proxy
from chaos.proxy.request_fault import LatencyRule, RequestFault
from chaos.proxy.toxic import DelayAttributes, Stream, Toxic
from chaos.wire import Groups


class LatencyFaultAttributes(Delay):
    """`direction`: what is late, requests on their way to the service (upstream) or its responses.

    The same `seed` draws the same delays, request by request.
    """

    direction: Stream = "downstream"
    seed: str | int | None = None


class LatencyFault:
    """An edge that is late: each request of an HTTP edge, each chunk of bytes of a TCP edge."""

    kills = 0

    def __init__(self, fault_id: str, proxy: Proxy, attributes: dict[str, Any], groups: Groups | None = None) -> None:
        self._id = fault_id
        self._proxy = proxy
        self._attributes = LatencyFaultAttributes.model_validate(attributes)
        self._groups = groups
        self.key = f"latency:{proxy.name}/{fault_id}"

    def check(self) -> None:
        """Any proxy can be slow at any time."""

    async def apply(self) -> None:
        attributes = self._attributes
        rng = random.Random(attributes.seed)  # noqa: S311 - drawn to be repeatable, not a secret
        if self._proxy.protocol == "http":
            rule = LatencyRule(attributes, attributes.direction, rng)
            self._proxy.requests.put(RequestFault(self._id, rule, self._groups))
        else:
            late = DelayAttributes(latency=attributes.latency, jitter=attributes.jitter, delay=attributes)
            self._proxy.put_toxic(Toxic(self._id, attributes.direction, late, rng=rng, is_fault=True))

    async def revert(self) -> bool:
        self._proxy.requests.remove(self._id)
        self._proxy.remove_toxic(self._id)
        return self._proxy.find_toxic(self._id) is None
