"""A month of an objective: what was promised, what was kept, and what it cost.

Each stretch of the month is judged by the definition that was in force then: its own target, over the events that its
own indicator counted. The budget of the month is that of all stretches together,

    1 - sum(bad) / sum((1 - target) * total),

which for one definition is the share of its error budget that is left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from slo.budget import allowed_bad, sli
from slo.errors import InvalidObjective
from slo.evaluation import SloState
from slo.exclusion import total_excluded
from slo.model import NO_EVENTS, EventCounts, Exclusion, Slo
from slo.policy import Severity
from slo.revision import Revision, diff_text
from slo.stretch import JudgedStretch


@dataclass(frozen=True, slots=True)
class Figures:
    """Events of the month, the share that was good, and the share of the error budget that is left of it.

    `met` tells whether the month kept the promise: exactly, None without events.
    """

    counts: EventCounts
    sli: float | None
    error_budget_remaining: float | None
    met: bool | None


@dataclass(frozen=True, slots=True)
class Spender:
    """A service's operation and the share (0..1) of the spent budget that is charged to it."""

    service: str
    operation: str
    share: float


@dataclass(frozen=True, slots=True)
class ReportedIncident:
    """An alert of the objective that fired in the month. `end` None: it fires still."""

    alert_id: str
    severity: Severity
    start: datetime
    end: datetime | None
    summary: str


@dataclass(frozen=True, slots=True)
class Change:
    """A revision that was made in the month, and what it changed in words."""

    number: int
    at: datetime
    author: str
    commit: str
    text: str


@dataclass(frozen=True, slots=True)
class EndOfMonth:
    """Where an objective stood at the end of a month, as an evaluation at that moment says."""

    state: SloState
    error_budget_remaining: float | None


@dataclass(frozen=True, slots=True)
class SloMonth:
    """One objective's month. `judged` is by the revisions in force, `today` by today's definition.

    Both leave excluded time out; `judged_in_full` and `today_in_full` count it in, and are None where none is excluded.
    `coverage` is the share of the month (up to now) that lies behind the first event ever counted. `nines` is how many
    nines the share of good events reached, None without a bad event. `spenders` None: not known; else they speak of
    `charged` bad events, those whose requests are stored still. `end_then` and `end_today` are where the objective
    stood at the end of the month, over its own window, by the revision in force and by today's definition.
    """

    slo: Slo
    judged: Figures
    today: Figures
    judged_in_full: Figures | None
    today_in_full: Figures | None
    excluded: timedelta
    coverage: float
    nines: int | None
    incidents: tuple[ReportedIncident, ...]
    changes: tuple[Change, ...]
    spenders: tuple[Spender, ...] | None
    charged: int
    end_then: EndOfMonth | None
    end_today: EndOfMonth | None


@dataclass(frozen=True, slots=True)
class Totals:
    """All objectives together. `mean_duration` is of the incidents that are over, None without any."""

    objectives: int
    met: int
    missed: int
    without_data: int
    pages: int
    tickets: int
    mean_duration: timedelta | None


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Return [start, end) in UTC of *month*.

    Raises:
        InvalidObjective: *month* is not written as 2026-10.

    >>> [moment.isoformat() for moment in month_bounds("2026-12")]
    ['2026-12-01T00:00:00+00:00', '2027-01-01T00:00:00+00:00']
    """
    year, dash, number = month.partition("-")
    try:
        if not (len(year) == 4 and dash and len(number) == 2):
            raise ValueError(month)  # noqa: TRY301 -- one message for all that is no month
        start = datetime(int(year), int(number), 1, tzinfo=UTC)
        following = datetime(int(year) + int(number) // 12, int(number) % 12 + 1, 1, tzinfo=UTC)
    except ValueError as error:
        raise InvalidObjective(f"{month!r} is not a month; write it as 2026-10") from error
    return start, following


def figures(parts: Iterable[tuple[EventCounts, Decimal]]) -> Figures:
    """Return the figures of several stretches, each with its own target."""
    pairs = list(parts)
    counts = sum((counts for counts, _ in pairs), NO_EVENTS)
    allowed = sum((allowed_bad(events, target) for events, target in pairs), Fraction(0))
    if not counts.total:
        return Figures(counts, None, None, None)
    return Figures(counts, sli(counts), float(1 - counts.bad / allowed), counts.bad <= allowed)


def nines_reached(counts: EventCounts) -> int | None:
    """Return the largest n for which at most one event in 10 ** n was bad; None without a bad event.

    >>> nines_reached(EventCounts(999, 1000)), nines_reached(EventCounts(998, 1000)), nines_reached(EventCounts(1, 2))
    (3, 2, 0)
    """
    if not counts.bad:
        return None
    nines = 0
    while counts.bad * 10 ** (nines + 1) <= counts.total:
        nines += 1
    return nines


def slo_month(
    slo: Slo,
    start: datetime,
    end: datetime,
    *,
    judged: Sequence[JudgedStretch],
    today: Sequence[JudgedStretch],
    exclusions: Sequence[Exclusion] = (),
    first_minute: datetime | None = None,
    revisions: Sequence[Revision] = (),
    incidents: Sequence[ReportedIncident] = (),
    spenders: Sequence[Spender] | None = None,
    charged: int = 0,
    end_then: EndOfMonth | None = None,
    end_today: EndOfMonth | None = None,
) -> SloMonth:
    """Return the month [start, end) of *slo*.

    Args:
        slo: today's definition.
        start: of the month.
        end: of the month, or now.
        judged: the stretches by the revisions in force, with their events.
        today: the same time by today's definition.
        exclusions: time that does not count.
        first_minute: the first that events were ever counted in.
        revisions: all of the objective's.
        incidents: its alerts of the month.
        spenders: who spent the budget, None if that is not known.
        charged: the bad events that *spenders* speak of.
        end_then: where it stood at *end* by the revision in force then.
        end_today: the same by today's definition.
    """
    excluded = total_excluded(exclusions, start, end)
    net = _net(judged)
    return SloMonth(
        slo=slo,
        judged=net,
        today=_net(today),
        judged_in_full=_gross(judged) if excluded else None,
        today_in_full=_gross(today) if excluded else None,
        excluded=excluded,
        coverage=0.0 if first_minute is None else min(1.0, max(end - first_minute, timedelta(0)) / (end - start)),
        nines=nines_reached(net.counts),
        incidents=tuple(sorted(incidents, key=lambda incident: incident.start)),
        changes=_changes(revisions, start, end),
        spenders=None if spenders is None else tuple(spenders),
        charged=charged,
        end_then=end_then,
        end_today=end_today,
    )


def totals(months: Sequence[SloMonth]) -> Totals:
    """Return what the *months* of all objectives come to, by the revisions in force."""
    incidents = [incident for month in months for incident in month.incidents]
    durations = [incident.end - incident.start for incident in incidents if incident.end is not None]
    return Totals(
        objectives=len(months),
        met=sum(month.judged.met is True for month in months),
        missed=sum(month.judged.met is False for month in months),
        without_data=sum(month.judged.met is None for month in months),
        pages=sum(incident.severity == "page" for incident in incidents),
        tickets=sum(incident.severity == "ticket" for incident in incidents),
        mean_duration=sum(durations, timedelta(0)) / len(durations) if durations else None,
    )


def _net(judged: Iterable[JudgedStretch]) -> Figures:
    return figures((item.net, item.stretch.slo.target) for item in judged)


def _gross(judged: Iterable[JudgedStretch]) -> Figures:
    return figures((item.counts, item.stretch.slo.target) for item in judged)


def _changes(revisions: Sequence[Revision], start: datetime, end: datetime) -> tuple[Change, ...]:
    ordered = sorted(revisions, key=lambda revision: revision.number)
    befores = [None, *(revision.slo for revision in ordered)]
    return tuple(
        Change(revision.number, revision.at, revision.author, revision.commit, diff_text(before, revision.slo))
        for before, revision in zip(befores, ordered, strict=False)
        if start <= revision.at < end
    )
