"""Faults that hit single requests of an HTTP edge: all of them, or the treatment arm of a run."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from chaos.proxy.arms import Arm, arm_of, trace_id_of
from chaos.proxy.baggage import Headers, with_arm
from chaos.proxy.delay import Delay

Cut = Literal["reset", "swallow"]
Way = Literal["upstream", "downstream"]


class Split(Protocol):
    """How a run splits requests into arms."""

    @property
    def run(self) -> str: ...
    @property
    def share(self) -> float: ...
    @property
    def seed(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to one request.

    `hold_s` before it (upstream) or its response (downstream) is passed on; then `cut`: the connection is reset, or
    what should be passed on vanishes; `status` answers in the service's place.
    """

    way: Way = "upstream"
    hold_s: float = 0.0
    cut: Cut | None = None
    status: int | None = None


class Rule(Protocol):
    def effect(self, headers: Headers) -> Effect | None:
        """Return what happens to a request with these headers, None for nothing."""


@dataclass(frozen=True, slots=True)
class LatencyRule:
    delay: Delay
    way: Way
    rng: random.Random

    def effect(self, headers: Headers) -> Effect | None:  # noqa: ARG002 - every request is late
        return Effect(self.way, hold_s=self.delay.draw_s(self.rng))


@dataclass(frozen=True, slots=True)
class PartitionRule:
    cut: Cut
    way: Way

    def effect(self, headers: Headers) -> Effect | None:  # noqa: ARG002 - every request is cut off
        return Effect(self.way, cut=self.cut)


@dataclass(frozen=True, slots=True)
class HttpRule:
    """With probability `share`, a request whose headers match waits, and is then answered or its connection reset.

    `match` is by header name, in lower case; a value may hold the wildcards `*` and `?`.
    """

    share: float
    status: int | None
    hold_s: float
    abort: bool
    match: dict[str, str]
    rng: random.Random

    def effect(self, headers: Headers) -> Effect | None:
        if not self._matches(headers) or self.rng.random() >= self.share:
            return None
        return Effect(hold_s=self.hold_s, cut="reset" if self.abort else None, status=self.status)

    def _matches(self, headers: Headers) -> bool:
        return all(
            any(fnmatchcase(value, wanted) for value in _values(headers, name)) for name, wanted in self.match.items()
        )


@dataclass(slots=True, eq=False)
class RequestFault:
    """A rule on an edge, for every request or, with `split`, for its treatment arm. `ended` is set when it is gone."""

    name: str
    rule: Rule
    split: Split | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, seconds: float | None) -> bool:
        """Wait so long (None: for ever), or until the fault is gone; returns whether it is gone."""
        if seconds != 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.ended.wait()
        return self.ended.is_set()


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """The headers to pass on, with the arm in their baggage, and what happens on the way, in order."""

    headers: Headers
    effects: tuple[tuple[RequestFault, Effect], ...] = ()

    def on(self, way: Way) -> list[tuple[RequestFault, Effect]]:
        return [(fault, effect) for fault, effect in self.effects if effect.way == way]


class RequestFaults:
    """The faults of one HTTP edge."""

    def __init__(self) -> None:
        self._faults: dict[str, RequestFault] = {}

    def put(self, fault: RequestFault) -> None:
        self._faults[fault.name] = fault

    def remove(self, name: str) -> None:
        """End a fault and let go of what it holds. An unknown one has already ended."""
        fault = self._faults.pop(name, None)
        if fault is not None:
            fault.ended.set()

    def has(self, name: str) -> bool:
        return name in self._faults

    def plan(self, headers: Headers) -> RequestPlan:
        """Decide over one request. Without a valid `traceparent` it belongs to no arm."""
        if not self._faults:
            return RequestPlan(headers)
        trace_id = _trace_id(headers)
        arms = {fault.name: _arm(fault, trace_id) for fault in self._faults.values()}
        effects = []
        for fault in self._faults.values():
            if fault.split is None or arms[fault.name] == "treatment":
                effect = fault.rule.effect(headers)
                if effect is not None:
                    effects.append((fault, effect))
        marks = {(fault.split.run, arm) for fault in self._faults.values() if fault.split and (arm := arms[fault.name])}
        for run, arm in sorted(marks):
            headers = with_arm(headers, run=run, arm=arm)
        return RequestPlan(headers, tuple(effects))


def _arm(fault: RequestFault, trace_id: str | None) -> Arm | None:
    if fault.split is None or trace_id is None:
        return None
    return arm_of(trace_id, seed=fault.split.seed, share=fault.split.share)


def _trace_id(headers: Headers) -> str | None:
    found = list(_values(headers, "traceparent"))
    return trace_id_of(found[0]) if len(found) == 1 else None


def _values(headers: Headers, name: str) -> Iterator[str]:
    wanted = name.encode("latin-1")
    return (value.decode("latin-1") for key, value in headers if key.lower() == wanted)
