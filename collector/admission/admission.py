"""Who may send, how much at once, and what is refused first when there is too much."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import Self

from collector.admission.pressure import PressureSampler, Priority, decide, shedding_level
from collector.admission.rate_limit import Bucket
from collector.errors import Forbidden, Overloaded, RateLimited, Refused, Unauthenticated
from storage.tokens import Token, Tokens

INFLIGHT_LIMIT = 256 << 20
UNKNOWN = "unknown"


class Budget:
    """Bytes of requests that are being worked on, over all of them. Thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> bool:
        """Reserve *size_bytes*, or nothing when the limit does not allow it."""
        with self._lock:
            if self.used_bytes + size_bytes > self.limit_bytes:
                return False
            self.used_bytes += size_bytes
            return True

    def release(self, size_bytes: int) -> None:
        with self._lock:
            self.used_bytes -= size_bytes


class Entry:
    """One request inside, from its headers to its answer; leaving gives its memory back and counts a refusal.

    Attributes:
        token: Whose request it is; None when no tokens are asked for.
    """

    __slots__ = ("_admission", "_held_bytes", "signal", "token")

    def __init__(self, admission: "Admission", token: Token | None, signal: str) -> None:
        self.token = token
        self.signal = signal
        self._admission = admission
        self._held_bytes = 0

    def take(self, size_bytes: int) -> None:
        """Reserve memory for *size_bytes* more of this request, and count them against its token's rate.

        Raises:
            Overloaded: the requests in flight hold as much as they may.
        """
        self._admission.take(self, size_bytes)
        self._held_bytes += size_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held, self._held_bytes = self._held_bytes, 0
        self._admission.budget.release(held)
        if isinstance(error, Refused):
            self._admission.refused[self.signal, type(error).__name__] += 1


class Admission:
    """Decides before a body is read, and again when its services are known.

    Args:
        tokens: None lets everybody in: only for listeners on loopback.
        inflight_limit_bytes: Memory of all requests that are being read, checked and spooled.
        priorities: Of services that are not normal.
        sampler: Of this machine's load.

    Attributes:
        refused: Requests by signal and by the name of their refusal.
        spool_fill: How full a signal's spool is, as a ratio; the intake, which has the spools, sets it.
    """

    def __init__(
        self,
        *,
        tokens: Tokens | None = None,
        inflight_limit_bytes: int = INFLIGHT_LIMIT,
        priorities: Mapping[str, Priority] | None = None,
        sampler: PressureSampler | None = None,
    ) -> None:
        self.budget = Budget(inflight_limit_bytes)
        self.refused: Counter[tuple[str, str]] = Counter()
        self.spool_fill: Callable[[str], float] = lambda _signal: 0.0
        self.sampler = sampler or PressureSampler()
        self._tokens = tokens
        self._priorities = dict(priorities or {})
        self._highest = max([Priority.NORMAL, *self._priorities.values()])
        self._buckets: dict[tuple[str, str, float], Bucket] = {}

    def enter(self, authorization: str | None, signal: str = UNKNOWN) -> Entry:
        """Let a request in before any of its body is read.

        Args:
            authorization: The Authorization header as it came.
            signal: Of the request; its refusals are counted under it.

        Raises:
            Unauthenticated, Forbidden: its token is missing, unknown, or not for sending.
            RateLimited: its token sent too much.
            Overloaded: no service at all would be accepted right now.
        """
        try:
            token = self._authenticate(authorization)
            self._limit_rate(token, monotonic())
            self._shed(signal, self._highest, "any service")
        except Refused as refusal:
            self.refused[signal, type(refusal).__name__] += 1
            raise
        return Entry(self, token, signal)

    def take(self, entry: Entry, size_bytes: int) -> None:
        """Reserve *size_bytes* for *entry*; `Entry.take` is the way to call this."""
        if not self.budget.take(size_bytes):
            raise Overloaded(
                f"requests in flight hold {self.budget.used_bytes} of {self.budget.limit_bytes} bytes; send again soon"
            )
        token = entry.token
        if token is not None and token.mb_per_s is not None:
            now = monotonic()
            self._bucket(token, "bytes", token.mb_per_s * 1e6, now).spend(size_bytes, now)

    def admit(self, entry: Entry, services: frozenset[str]) -> None:
        """Let a checked request of *services* pass; the most important of them decides for all.

        Raises:
            Overloaded: their priority is refused right now.
        """
        if services:
            priority = max(self._priorities.get(service, Priority.NORMAL) for service in services)
            self._shed(entry.signal, priority, f"services of {priority.name.lower()} priority")

    def refused_requests(self, signal: str) -> dict[str, int]:
        """Return how many requests of *signal* were refused, by the name of their refusal."""
        return {reason: count for (of, reason), count in self.refused.copy().items() if of == signal}

    def shedding_level(self, signal: str) -> int:
        """Return how many priorities of *signal* are refused right now: 0 none, 1 low, 2 all but critical, 3 all."""
        return shedding_level(self.sampler.current, self.spool_fill(signal))

    def _authenticate(self, authorization: str | None) -> Token | None:
        if self._tokens is None:
            return None
        token = self._tokens.find(authorization)
        if token is None:
            raise Unauthenticated(
                "the token is missing or unknown; send it as 'Authorization: Bearer TOKEN' "
                "(OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN); 'ninelives tokens add' makes one"
            )
        if not token.allows("ingest"):
            raise Forbidden(f"the token {token.name!r} is not for sending telemetry; use one with the scope 'ingest'")
        return token

    def _limit_rate(self, token: Token | None, now: float) -> None:
        if token is None:
            return
        if token.mb_per_s is not None and not self._bucket(token, "bytes", token.mb_per_s * 1e6, now).ready(now):
            raise RateLimited(f"the token {token.name!r} may send {token.mb_per_s:g} MB/s")
        if token.requests_per_s is not None:
            bucket = self._bucket(token, "requests", token.requests_per_s, now)
            if not bucket.ready(now, 1):
                raise RateLimited(f"the token {token.name!r} may send {token.requests_per_s:g} requests/s")
            bucket.spend(1, now)

    def _bucket(self, token: Token, what: str, rate_per_s: float, now: float) -> Bucket:
        """Return the holder's bucket; one for both tokens of a rotation, and a new one for a new rate."""
        key = (token.name, what, rate_per_s)
        if key not in self._buckets:
            self._buckets[key] = Bucket.full(rate_per_s, now)
        return self._buckets[key]

    def _shed(self, signal: str, priority: Priority, whose: str) -> None:
        reason = decide(self.sampler.current, self.spool_fill(signal), priority)
        if reason is not None:
            raise Overloaded(f"telemetry of {whose} is not accepted right now: {reason}")
