"""Which version served when, and what may be compared with what. Pure.

A version serves from one request to the next, unless the silence between them is longer than its own traffic explains.
So a roll-out in one go leaves no time in which both served, a rollback ends what it takes back, and a canary with few
requests serves all along.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.models import Comparison, ServedVersion

LONGEST: Final = timedelta(hours=6)
SILENT_REQUESTS: Final = 10  # so many that should have come and did not: chance does so once in e^10
MOST_SILENCE_S: Final = 900.0
MOST_STRETCHES: Final = 12
_LAST: Final = timedelta(microseconds=1)  # stretches are half-open, and the last request belongs to them


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time from `start` up to `end`, half-open."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def within(self, other: "Stretch") -> "Stretch | None":
        """Return what both have in common, None for nothing."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Stretch(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Served:
    """The time that a version served, oldest first. `silence`: what its traffic makes a matter of chance."""

    stretches: tuple[Stretch, ...]
    silence: timedelta

    def within(self, time: Stretch) -> "Served":
        return Served(tuple(filter(None, (each.within(time) for each in self.stretches))), self.silence)


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared, and why so.

    `deployed` reaches from the first to the last request of the new version; `before` is as long, and ends where the
    old version last served before that. `gone`: for how long the new version is silent though nothing took its place.
    """

    comparison: Comparison
    control: tuple[Stretch, ...]
    treatment: tuple[Stretch, ...]
    deployed: Stretch
    before: Stretch
    gone: timedelta | None
    why: str


def served(steps: Sequence[ServedVersion], version: str, *, step_s: int) -> Served:
    """Return when *version* served, from its requests by steps of *step_s* seconds."""
    own = sorted((step for step in steps if step.version == version), key=lambda step: step.first_at)
    pace_s = step_s * len(own) / max(1, sum(step.requests for step in own))
    silence = timedelta(seconds=min(MOST_SILENCE_S, max(step_s, SILENT_REQUESTS * pace_s)))
    found: list[Stretch] = []
    for step in own:
        end = step.last_at + _LAST
        if found and step.first_at - found[-1].end <= silence:
            found[-1] = Stretch(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Stretch(step.first_at, end))
    return Served(tuple(found), silence)


def compare(
    steps: Sequence[ServedVersion],
    from_version: str,
    to_version: str,
    *,
    end: datetime,
    step_s: int,
    min_samples: int,
    window: timedelta | None = None,
) -> Sides | None:
    """Return what to compare, None where *to_version* has no requests in the window.

    Args:
        steps: requests of all versions of the service.
        from_version: the old version, the control.
        to_version: the new version, the treatment.
        end: of the window; what began later may not be stored in full.
        step_s: length of *steps*.
        min_samples: with so many of both versions at the same time nothing else is needed.
        window: length of the window; None for the last time that *to_version* took over, at most LONGEST.
    """
    old, new = served(steps, from_version, step_s=step_s), served(steps, to_version, step_s=step_s)
    if window is None:
        new = _since_the_last_deploy(new, old)
    new = new.within(Stretch(end - (window or LONGEST), end))
    if not new.stretches:
        return None
    deployed = Stretch(new.stretches[0].start, new.stretches[-1].end)
    before = _before(old, deployed)
    shared = _together(old, new)
    gone = _gone(steps, from_version, to_version, deployed, end - new.silence)
    requests = _requests(steps, from_version, shared), _requests(steps, to_version, shared)
    if _side_by_side(requests, _sum(shared), _sum(new.stretches), min_samples):
        why = f"both versions served for {_told(_sum(shared))}, so whatever else happened in that time met both"
        return Sides("concurrent", shared, shared, deployed, before, gone, why)
    met = f"served at the same time for {_told(_sum(shared))} only" if shared else "never served at the same time"
    gap = deployed.start - before.end
    met += f" ({from_version} last served {_told(gap)} before that)" if gap > old.silence else ""
    why = (
        f"the versions {met}, so {_told(deployed.length)} of the new one are compared with as long before it;"
        " weaker than side by side, as drifting traffic counts as effect"
    )
    return Sides("before/after", (before,), (deployed,), deployed, before, gone, why)


def _since_the_last_deploy(new: Served, old: Served) -> Served:
    """Return the time since *new* last took over: what lies before a time that was the old one's is another deploy."""
    found = list(new.stretches[-1:])
    for earlier in reversed(new.stretches[:-1]):
        gap = Stretch(earlier.end, found[0].start)
        if old.within(gap).stretches:
            break
        found.insert(0, earlier)
    return Served(tuple(found), new.silence)


def _before(old: Served, deployed: Stretch) -> Stretch:
    ends = [min(each.end, deployed.start) for each in old.stretches if each.start < deployed.start]
    end = max(ends, default=deployed.start)
    return Stretch(end - deployed.length, end)


def _together(old: Served, new: Served) -> tuple[Stretch, ...]:
    """Return the time in which both served, of many stretches the longest."""
    found = [both for one in old.stretches for other in new.stretches if (both := one.within(other)) is not None]
    longest = sorted(found, key=lambda each: each.length)[-MOST_STRETCHES:]
    return tuple(sorted(longest, key=lambda each: each.start))


def _side_by_side(requests: tuple[int, int], shared: timedelta, served_for: timedelta, min_samples: int) -> bool:
    """Whether both had requests at the same time, and either enough of them or for most of the time."""
    return min(requests) > 0 and (min(requests) >= min_samples or shared >= served_for / 2)


def _requests(steps: Sequence[ServedVersion], version: str, time: tuple[Stretch, ...]) -> int:
    """Return the requests of the steps that touch *time*: a little too many, at its borders."""
    return sum(
        step.requests
        for step in steps
        if step.version == version and any(step.first_at < each.end and step.last_at >= each.start for each in time)
    )


def _gone(
    steps: Sequence[ServedVersion], from_version: str, to_version: str, deployed: Stretch, expected_until: datetime
) -> timedelta | None:
    if deployed.end >= expected_until:
        return None
    successors = {step.version for step in steps if step.first_at > deployed.end} - {from_version, to_version}
    return None if successors else expected_until - deployed.end


def _sum(stretches: Sequence[Stretch]) -> timedelta:
    return sum((each.length for each in stretches), timedelta())


def _told(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
