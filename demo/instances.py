"""The instances of one service as its caller sees them: in turn, and past those that are late, down or full."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from typing import Any

from opentelemetry import trace

from demo.circuit_breaker import CircuitBreaker
from demo.policy import Policy
from demo.retry_budget import RetryBudget
from demo.service import ServiceError
from demo.upstream import Upstream, UpstreamDownError, UpstreamFailedError, UpstreamTimeoutError

BULKHEAD = 64
"""Calls that may wait for one instance at a time: one that hangs must not take all of the caller with it."""
SLOW_CALL_S = 0.25
"""An answer that takes longer counts as a failure of the instance for its circuit breaker."""
RETRYABLE = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class BulkheadFullError(ServiceError):
    """Too many calls wait for the service already."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(slots=True)
class Instance:
    """One instance and what its caller remembers of it."""

    upstream: Upstream
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    waiting: int = 0
    answers: bool = True
    """Whether the last call got an answer, however late."""

    async def request(self, call: "Call", timeout_s: float) -> Any:
        """Make the call and note how it went.

        Raises:
            ServiceError: The call failed.
        """
        began = time.monotonic()
        self.waiting += 1
        ok = False
        try:
            answer = await call.send(self.upstream, timeout_s, keep_alive=True)
            self.answers = True
            ok = time.monotonic() - began <= SLOW_CALL_S
        except ServiceError as error:
            ok = self.answers = not is_retryable(error)
            raise
        finally:
            self.waiting -= 1
            if self.breaker.record(ok=ok, now=time.monotonic()):
                opened = {"circuit_breaker.state": "open", "server.instance": self.upstream.name}
                trace.get_current_span().add_event("circuit_breaker.opened", opened)
        return answer


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be sent more than once: it changes nothing, or carries an idempotency key."""

    method: str
    path: str
    template: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, upstream: Upstream, timeout_s: float, *, keep_alive: bool) -> Any:
        return await upstream.request(
            self.method,
            self.path,
            self.template,
            self.body,
            timeout_s=timeout_s,
            keep_alive=keep_alive,
            headers=self.headers,
        )


def is_retryable(error: ServiceError) -> bool:
    """Tell whether another instance may do better: no answer, a late one, or one that speaks of a failing server."""
    if isinstance(error, UpstreamFailedError):
        return error.answered in RETRYABLE
    return isinstance(error, UpstreamDownError | UpstreamTimeoutError)


@dataclass(slots=True)
class Instances:
    """All instances of one service. `policy` returns the policy of the moment."""

    instances: Sequence[Instance]
    policy: Callable[[], Policy]
    budget: RetryBudget = field(default_factory=RetryBudget)
    _turn: "count[int]" = field(default_factory=count)

    async def request(self, call: Call) -> Any:
        """Return the decoded answer of the service.

        Raises:
            ServiceError: The instance that was asked failed, and no retry was left or helped.
        """
        policy = self.policy()
        known = self.instances[: policy.orders_instances]
        if len(known) == 1:
            return await call.send(known[0].upstream, policy.orders_timeout_s, keep_alive=policy.keep_alive)
        self.budget.earn()
        return await self._in_turn(call, known, policy)

    async def close(self) -> None:
        for instance in self.instances:
            await instance.upstream.client.aclose()

    async def _in_turn(self, call: Call, known: Sequence[Instance], policy: Policy) -> Any:
        first = next(self._turn)
        left = [known[(first + place) % len(known)] for place in range(len(known))]
        retries = 0
        while True:
            instance = _choose(left)
            left.remove(instance)
            # What a retry would cost is taken before the attempt: without it, this attempt is the last, and patient.
            may_retry = any(_has_room(other) for other in left) and self.budget.spend(time.monotonic())
            hurries = may_retry and any(_is_well(other) for other in left)
            try:
                answer = await instance.request(call, policy.orders_attempt_s if hurries else policy.orders_timeout_s)
            except ServiceError as error:
                if not may_retry or not is_retryable(error):
                    raise
                retries += 1
                _note_retry(retries, instance, error)
            else:
                if may_retry:
                    self.budget.give_back()
                return answer


def _is_well(instance: Instance) -> bool:
    return _has_room(instance) and instance.breaker.state(time.monotonic()) == "closed"


def _has_room(instance: Instance) -> bool:
    return instance.waiting < BULKHEAD


def _choose(left: Sequence[Instance]) -> Instance:
    """Return the first instance that has room and a breaker that lets the call pass.

    Where every breaker is open, asking is better than refusing all, for the trouble may lie behind the instances: then
    it is one that answers, however slowly, and the one with the fewest calls waiting.

    Raises:
        BulkheadFullError: No instance has room.
    """
    with_room = [instance for instance in left if _has_room(instance)]
    if not with_room:
        raise BulkheadFullError(f"{BULKHEAD} calls wait for {left[0].upstream.name} already")
    now = time.monotonic()
    for instance in with_room:
        if instance.breaker.allows(now):
            return instance
        trace.get_current_span().set_attribute("circuit_breaker.state", "open")
    return max(with_room, key=lambda instance: (instance.answers, -instance.waiting))


def _note_retry(retries: int, failed: Instance, error: ServiceError) -> None:
    span = trace.get_current_span()
    span.set_attribute("retry.count", retries)
    reason = {"server.instance": failed.upstream.name, "error.type": type(error).__name__}
    span.add_event("retry", {"retry.count": retries, **reason})
