"""What the shop went through before it was started: a plan that depends on nothing but the seed and the time."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from demo.shop import Visit, Visitors

Outcome = Literal["ok", "database_locked", "pool_exhausted"]

DAY_S = 86_400.0
MINUTE_S = 60
VISITS_PER_MINUTE = 9.0
DAY_SWING = 1.0
QUIET_S = 900.0
"""Nothing goes wrong so shortly before the end: with few requests, one failure would look like an outage of today."""
HIT_RATIO = 0.91
SCATTERED_PER_DAY = 5 / 3
SLOW_QUERY_SHARE = 0.1
SLOW_RESERVE_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Incident:
    """A bad quarter of an hour. `at_day` counts from the start of its day; `slow_share` is of the checkouts."""

    at_day: float
    minutes: float
    outcome: Outcome = "ok"
    failures: int = 0
    slow_share: float = 0.0


INCIDENTS = (
    Incident(at_day=0.62, minutes=4, outcome="database_locked", failures=3),
    Incident(at_day=0.40, minutes=5, outcome="pool_exhausted", failures=3),
    Incident(at_day=0.25, minutes=25, slow_share=0.4),
)
"""One a day, in turn."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time to make a past for, in unix seconds, half-open."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class PlannedTrace:
    """One visit and how long its parts took. `hop_ns` is the cost of one hop of HTTP between two services."""

    start_ns: int
    visit: Visit
    hit: bool
    outcome: Outcome
    query_ns: int
    reserve_ns: int
    hop_ns: int


@dataclass(frozen=True, slots=True)
class Failure:
    at_s: float
    outcome: Outcome


def incidents(window: Window) -> Iterator[tuple[Incident, Window]]:
    """Yield each incident of the window and when it happens."""
    for day in range(math.ceil((window.end_s - window.start_s) / DAY_S)):
        incident = INCIDENTS[day % len(INCIDENTS)]
        start_s = window.start_s + (day + incident.at_day) * DAY_S
        end_s = start_s + incident.minutes * 60
        if end_s <= window.end_s - QUIET_S:
            yield incident, Window(start_s, end_s)


def failures(window: Window, seed: int) -> list[Failure]:
    """Return when requests fail, oldest first: those of the incidents, and a few scattered ones."""
    rng = random.Random(f"{seed}:failures")
    found = [
        Failure(rng.uniform(when.start_s, when.end_s), incident.outcome)
        for incident, when in incidents(window)
        for _ in range(incident.failures)
    ]
    calm_s = window.end_s - window.start_s - QUIET_S
    for number in range(round(max(0.0, calm_s) / DAY_S * SCATTERED_PER_DAY)):
        outcome: Outcome = "pool_exhausted" if number % 5 == 4 else "database_locked"
        found.append(Failure(window.start_s + rng.random() * calm_s, outcome))
    return sorted(found, key=lambda failure: failure.at_s)


def plan(window: Window, seed: int) -> Iterator[PlannedTrace]:
    """Yield the traces of `window`, oldest first."""
    waiting = failures(window, seed)[::-1]
    slow = [(when, incident.slow_share) for incident, when in incidents(window) if incident.slow_share]
    calm_from_s = window.end_s - QUIET_S
    for at_s, rng in _moments(window, seed):
        visit = next(Visitors(rng))
        outcome: Outcome = "ok"
        if visit.product_id is not None and waiting and waiting[-1].at_s <= at_s:
            outcome = waiting.pop().outcome
        share = next((share for when, share in slow if when.start_s <= at_s < when.end_s), SLOW_RESERVE_SHARE)
        yield _trace(at_s, rng, visit, outcome, slow_share=0.0 if at_s >= calm_from_s else share)


def _moments(window: Window, seed: int) -> Iterator[tuple[float, random.Random]]:
    """Yield when visitors come. Each minute has its own random numbers, so that windows can be joined."""
    for minute in range(math.floor(window.start_s / MINUTE_S), math.ceil(window.end_s / MINUTE_S)):
        rng = random.Random(f"{seed}:{minute}")
        hour = minute / 60 % 24
        wanted = VISITS_PER_MINUTE + DAY_SWING * math.sin(2 * math.pi * (hour - 9) / 24)
        for at_s in sorted((minute + rng.random()) * MINUTE_S for _ in range(int(wanted + rng.random()))):
            if window.start_s <= at_s < window.end_s:
                yield at_s, rng


def _trace(at_s: float, rng: random.Random, visit: Visit, outcome: Outcome, slow_share: float) -> PlannedTrace:
    slow_query = slow_share > 0 and rng.random() < SLOW_QUERY_SHARE
    slow_reserve = rng.random() < slow_share
    return PlannedTrace(
        start_ns=int(at_s * 1e9),
        visit=visit,
        hit=outcome != "database_locked" and rng.random() < HIT_RATIO,
        outcome=outcome,
        query_ns=int((rng.lognormvariate(1.0, 0.25) + (rng.uniform(210, 320) if slow_query else 0.0)) * 1e6),
        reserve_ns=int((rng.uniform(220, 320) if slow_reserve else rng.uniform(2.2, 6.5)) * 1e6),
        hop_ns=int(rng.lognormvariate(0.8, 0.35) * 1e6),
    )
