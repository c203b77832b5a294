"""How good an objective's alerts would have been: pages a week, precision and recall against what really happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from alerts.replay import Episode, replay
from slo.minute_history import MinuteHistory
from slo.model import EventCounts, Slo

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
# an alert needs some minutes of a window to go off: one that comes this soon after the trouble still tells of it
AFTERMATH: Final = timedelta(minutes=10)

TroubleSource = Literal["annotation", "chaos run", "alert"]


@dataclass(frozen=True, slots=True)
class RecordedTrouble:
    """Trouble of the service that is on record, in [start, end); `end` None goes on still.

    What counts as one: an annotation of the kind "incident", the fault of a chaos run that deviated from its
    hypothesis, and an alert of another objective of the same service and environment that has fired.
    """

    source: TroubleSource
    title: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert that would have been sent, and the incidents that it told of: none makes it a false alarm."""

    episode: Episode
    incidents: tuple[RecordedTrouble, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """An objective and its policy over [start, end) of the past.

    `precision` is the share of the alerts that are true: they fired while an incident went on or up to `AFTERMATH`
    later, or were firing when it began. `recall` is the share of the incidents that some alert told of. Both count
    alerts of every severity; None where there is no alert, or no incident. `worst_day` is the one in UTC with the
    lowest SLI, and the earliest of several.
    """

    slo: Slo
    start: datetime
    end: datetime
    counts: EventCounts
    first_minute: datetime | None
    alerts: tuple[Judged, ...]
    incidents: tuple[RecordedTrouble, ...]
    missed: tuple[RecordedTrouble, ...]
    worst_day: tuple[datetime, EventCounts] | None

    @property
    def precision(self) -> float | None:
        true = sum(bool(alert.incidents) for alert in self.alerts)
        return true / len(self.alerts) if self.alerts else None

    @property
    def recall(self) -> float | None:
        known = len(self.incidents)
        return (known - len(self.missed)) / known if known else None

    @property
    def pages(self) -> int:
        return sum(alert.episode.fired.severity == "page" for alert in self.alerts)

    @property
    def pages_per_week(self) -> float:
        """Pages a week of the time with data, which counts as a day at least: before it nothing could be sent."""
        since = self.start if self.first_minute is None else min(max(self.start, self.first_minute), self.end)
        return self.pages / (max(self.end - since, DAY) / WEEK) if self.pages else 0.0


def backtest(
    slo: Slo,
    history: MinuteHistory,
    incidents: Sequence[RecordedTrouble],
    start: datetime,
    end: datetime,
    *,
    delay: timedelta,
) -> Backtest:
    """Return how *slo* would have done in [start, end); arguments and errors are those of `replay`.

    Of *incidents*, those that touch [start, end) count.
    """
    known = tuple(item for item in incidents if item.start < end and (item.end is None or item.end > start))
    alerts = tuple(_judged(episode, known) for episode in replay(slo, history, start, end, delay=delay).episodes)
    told = {incident for alert in alerts for incident in alert.incidents}
    return Backtest(
        slo=slo,
        start=start,
        end=end,
        counts=history.counts(start, end),
        first_minute=history.first,
        alerts=alerts,
        incidents=known,
        missed=tuple(incident for incident in known if incident not in told),
        worst_day=min(history.days(start, end), key=_good_share, default=None),
    )


def _judged(episode: Episode, incidents: Sequence[RecordedTrouble]) -> Judged:
    return Judged(episode, tuple(incident for incident in incidents if _overlap(episode, incident)))


def _overlap(episode: Episode, incident: RecordedTrouble) -> bool:
    begins, ends = episode.fired.at, episode.resolved
    told_in_time = incident.end is None or begins < incident.end + AFTERMATH
    return told_in_time and (ends is None or incident.start < ends.at)


def _good_share(day: tuple[datetime, EventCounts]) -> tuple[Fraction, datetime]:
    return Fraction(day[1].good, day[1].total), day[0]
