"""Was the fault there at all? Answered from the victim's own spans, never from the injector's word. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.models import EdgeCount, SliCount
from slo.confidence import difference_interval

GAP_SHARE = 0.5
GAP_LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Whether the fault was seen, and the numbers that say so."""

    seen: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Traces:
    """What spans say of one side: calls on the broken edge, requests of the service behind it, over `seconds`.

    `server.slow` counts what took longer than 95 % of the requests of the healthy side. `just_after`: the server's
    requests in the first `just_after_s` seconds of the fault, None on the healthy side.
    """

    edge: EdgeCount
    server: SliCount
    seconds: float
    just_after: int | None = None
    just_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Injected:
    """What the daemon did: a fault of `kind`, a delay where it is one, the processes that it killed."""

    kind: str
    delay_ms: float = 0.0
    kills: int = 0


def sight(injected: Injected, healthy: Traces, broken: Traces) -> Sighting:
    """Return whether *broken* differs from *healthy* in the way that such a fault shows, the first sign that does.

    >>> edge = EdgeCount(client="gateway", server="orders", calls=100, errors=0, p50_ms=4.0, p95_ms=9.0)
    >>> slow = edge.model_copy(update={"p50_ms": 305.0, "p95_ms": 310.0})
    >>> blank = dict.fromkeys(SliCount.model_fields)
    >>> idle = SliCount.model_construct(**blank | {"service": "orders", "total": 0, "errors": 0, "slow": 0})
    >>> sight(Injected("latency", delay_ms=300), Traces(edge, idle, 30), Traces(slow, idle, 30)).evidence
    'gateway → orders p50 went from 4 ms to 305 ms, 300 ms were injected'
    """
    if injected.kind == "kill" and not injected.kills:
        return Sighting(seen=False, evidence="the daemon killed no process")
    found = [sign(injected, healthy, broken) for sign in _SIGNS.get(injected.kind, _ANY)]
    known = [each for each in found if each is not None]
    if not known:
        return Sighting(seen=False, evidence="no spans on the broken edge before and under the fault")
    first = next((each for each in known if each.seen), known[0])
    if injected.kind != "kill":
        return first
    return Sighting(first.seen, f"{injected.kills} kill{'s' * (injected.kills != 1)}; {first.evidence}")


def all_seen(sightings: Sequence[Sighting]) -> Sighting:
    """Return one sighting of several faults: each must have been seen."""
    return Sighting(all(each.seen for each in sightings), "; ".join(each.evidence for each in sightings))


def _delay(injected: Injected, healthy: Traces, broken: Traces) -> Sighting | None:
    """The median call rose by at least half of what was injected."""
    before, under = healthy.edge.p50_ms, broken.edge.p50_ms
    if before is None or under is None:
        return None
    text = f"{_edge(healthy)} p50 went from {before:.0f} ms to {under:.0f} ms, {injected.delay_ms:.0f} ms were injected"
    return Sighting(under - before >= injected.delay_ms / 2, text)


def _errors(_: Injected, healthy: Traces, broken: Traces) -> Sighting | None:
    """Calls on the edge fail more often, beyond chance."""
    before, under = healthy.edge, broken.edge
    if not under.calls:
        return None
    text = (
        f"{_edge(healthy)} failed {under.errors:,} of {under.calls:,} calls,"
        f" without the fault {before.errors:,} of {before.calls:,}"
    )
    if not before.calls:
        return Sighting(under.errors > 0, text)
    rise = difference_interval(before.errors, before.calls, under.errors, under.calls)
    return Sighting(rise.low > 0, text)


def _gap(_: Injected, healthy: Traces, broken: Traces) -> Sighting | None:
    """The service answered far fewer requests than were due, over the window or right after the injection."""
    requests, seconds = broken.server.total, broken.seconds
    if broken.just_after is not None:
        requests, seconds = broken.just_after, broken.just_after_s
    expected = healthy.server.total / healthy.seconds * seconds
    text = f"{healthy.server.service} answered {requests:,} requests in {seconds:g} s where {expected:.0f} were due"
    return Sighting(expected >= GAP_LEAST_EXPECTED and requests < GAP_SHARE * expected, text)


def _slowness(_: Injected, healthy: Traces, broken: Traces) -> Sighting | None:
    """More of the service's requests are slow than chance explains."""
    before, under = healthy.server, broken.server
    if not before.total or not under.total or before.p95_ms is None:
        return None
    text = (
        f"{under.slow / under.total:.0%} of the requests of {before.service} took longer than {before.p95_ms:.0f} ms,"
        f" without the fault {before.slow / before.total:.0%}"
    )
    rise = difference_interval(before.slow, before.total, under.slow, under.total)
    return Sighting(rise.low > 0, text)


def _edge(traces: Traces) -> str:
    return f"{traces.edge.client} → {traces.edge.server}"


_Sign = Callable[[Injected, Traces, Traces], Sighting | None]
_ANY: tuple[_Sign, ...] = (_errors, _slowness, _gap)
_SIGNS: dict[str, tuple[_Sign, ...]] = {
    "latency": (_delay, _errors),
    "partition": (_errors, _gap),
    "http": (_errors, _gap),
    "kill": (_gap, _errors),
    "hang": (_errors, _gap, _slowness),
    "cpu": (_slowness, _errors, _gap),
    "pool": (_errors, _slowness),
}
