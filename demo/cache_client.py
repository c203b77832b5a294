"""The catalog's way to its cache: quick or not at all, if the shop is resilient."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from opentelemetry import trace

from demo.circuit_breaker import BreakerState, CircuitBreaker
from demo.item_store import Item
from demo.policy import Policy
from demo.service import ServiceError
from demo.upstream import Upstream

WARM_TIMEOUT_S = 5.0
ITEM = "/items/{item_id}"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The cache was not asked, or did not answer: the state of the circuit breaker, and why."""

    breaker: BreakerState
    reason: str


@dataclass(frozen=True, slots=True)
class CacheClient:
    """The item cache over HTTP. `policy` returns the policy of the moment."""

    upstream: Upstream
    policy: Callable[[], Policy]
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    async def get(self, item_id: int) -> Item | None:
        """Return the item, or None if the cache does not have it or, with a fallback at hand, does not answer.

        Raises:
            ServiceError: The cache does not answer, and there is no fallback.
        """
        outcome = await self._request("GET", item_id)
        if isinstance(outcome, Unanswered):
            _note_fallback(outcome)
            return None
        return None if outcome is None else Item(**outcome)

    async def put(self, item: Item) -> None:
        """Keep `item`; with a fallback at hand, a cache that does not answer is no failure.

        Raises:
            ServiceError: The cache does not answer, and there is no fallback.
        """
        await self._request("PUT", item.item_id, asdict(item))

    async def warm(self, items: Iterable[Item]) -> None:
        """Fill the cache with `items`, the most popular one first.

        Raises:
            ServiceError: The cache does not answer.
        """
        body = [asdict(item) for item in items]
        await self.upstream.request("PUT", "/items", "/items", body, timeout_s=WARM_TIMEOUT_S)

    async def _request(self, method: str, item_id: int, body: dict[str, Any] | None = None) -> Any:
        policy = self.policy()
        if policy.cache_fallback and not self.breaker.allows(time.monotonic()):
            return Unanswered("open", "circuit breaker")
        ok = False
        try:
            found = await self.upstream.request(
                method, f"/items/{item_id}", ITEM, body, timeout_s=policy.cache_timeout_s
            )
            ok = True
        except ServiceError as error:
            if not policy.cache_fallback:
                raise
            return Unanswered("closed", type(error).__name__)
        finally:
            if policy.cache_fallback and self.breaker.record(ok=ok, now=time.monotonic()):
                trace.get_current_span().add_event("circuit_breaker.opened", {"circuit_breaker.state": "open"})
        return found


def _note_fallback(unanswered: Unanswered) -> None:
    span = trace.get_current_span()
    span.set_attribute("fallback.used", True)
    span.set_attribute("circuit_breaker.state", unanswered.breaker)
    span.add_event("fallback", {"fallback.reason": unanswered.reason})
