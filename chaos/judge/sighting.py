"""Was the fault there at all? Answered from the victim's own spans, never from the injector's word. Pure."""

from dataclasses import dataclass

from api.models import EdgeCount

GAP_SHARE = 0.5
GAP_LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Whether the fault was seen, and the numbers that say so."""

    seen: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one service over some seconds."""

    requests: int
    seconds: float

    def expected_in(self, seconds: float) -> float:
        return self.requests / self.seconds * seconds


@dataclass(frozen=True, slots=True)
class Delay:
    """One latency (median or p95) before and under the fault, and what it is the latency of."""

    what: str
    before_ms: float | None
    under_ms: float | None


def latency_sighting(delays: list[Delay], *, injected_ms: float) -> Sighting:
    """Return whether the first of *delays* with data on both sides rose by at least half of *injected_ms*.

    >>> latency_sighting([Delay("gateway → orders p50", 4.0, 305.0)], injected_ms=300).seen
    True
    """
    for delay in delays:
        if delay.before_ms is not None and delay.under_ms is not None:
            rise = delay.under_ms - delay.before_ms
            text = f"{delay.what} went from {delay.before_ms:.0f} ms to {delay.under_ms:.0f} ms"
            return Sighting(rise >= injected_ms / 2, f"{text}, {injected_ms:.0f} ms were injected")
    return Sighting(seen=False, evidence="no spans on the broken edge before and under the fault")


def down_sighting(before: EdgeCount, under: EdgeCount, server_before: Traffic, server_under: Traffic) -> Sighting:
    """Return whether the edge failed more often than before, or the service behind it went quiet."""
    return _first_seen(_edge_errors(before, under), _gap(server_before, server_under))


def kill_sighting(
    kills: int, before: EdgeCount, under: EdgeCount, server_before: Traffic, server_after_kill: Traffic
) -> Sighting:
    """Return whether the daemon killed at least once and callers, or the victim's own spans, show a gap.

    Args:
        kills: processes that the daemon killed.
        before: the caller's edge to the victim before the fault, without calls where nobody knows the caller.
        under: the same edge under the fault.
        server_before: the victim's requests before the fault.
        server_after_kill: the victim's requests right after the first kill.
    """
    if kills == 0:
        return Sighting(seen=False, evidence="the daemon killed no process")
    seen = _first_seen(_gap(server_before, server_after_kill), _edge_errors(before, under))
    return Sighting(seen.seen, f"{kills} kill{'s' * (kills != 1)}; {seen.evidence}")


def _edge_errors(before: EdgeCount, under: EdgeCount) -> Sighting:
    evidence = (
        f"{before.client} → {before.server} failed {under.errors} of {under.calls} calls, "
        f"before the fault {before.errors} of {before.calls}"
    )
    share_before = before.errors / before.calls if before.calls else 0.0
    return Sighting(under.errors > 0 and under.errors / under.calls > share_before, evidence)


def _gap(before: Traffic, after: Traffic) -> Sighting:
    expected = before.expected_in(after.seconds)
    evidence = f"the service answered {after.requests} requests in {after.seconds:g} s where {expected:.0f} were due"
    return Sighting(expected >= GAP_LEAST_EXPECTED and after.requests < GAP_SHARE * expected, evidence)


def _first_seen(*sightings: Sighting) -> Sighting:
    return next((each for each in sightings if each.seen), sightings[0])
