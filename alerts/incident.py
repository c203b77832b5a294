"""Incidents: alerts of one service and environment that belong together in time, and how fast people were.

Pure: the same alerts give the same incidents, in whatever order they come.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal

from alerts.errors import InvalidAlert
from alerts.transition import Transition

GAP: Final = timedelta(minutes=30)
# these last as long as the window of the objective remembers, weeks after the trouble that caused them
BUDGET_ALERTS: Final = frozenset(
    {"SLOErrorBudgetLow", "SLOErrorBudgetExhausted", "SLOErrorBudgetRunsOut", "SLOObjectiveBreach"}
)
_MICROSECOND: Final = timedelta(microseconds=1)
_STILL: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts of one service and environment; `id` is that of the alert that opened it, which fired first.

    `alerts` are the last transitions of its episodes in the order in which they fired. `began_at` is when the first of
    their conditions was met, `detected_at` when the first fired, `acknowledged_at` when somebody first took one on,
    `resolved_at` when the last ended; None: not yet. Alerts on the state of a budget (`BUDGET_ALERTS`) neither keep an
    incident open nor put off its end where it has others.
    """

    id: str
    service: str
    environment: str
    alerts: tuple[Transition, ...]
    acknowledged_at: datetime | None = None

    @property
    def title(self) -> str:
        """Return the name of the objective or rule that opened it, which stays the same as it goes on and ends."""
        return self.alerts[0].details.slo_name

    @property
    def began_at(self) -> datetime:
        return min(alert.started_at for alert in self.alerts)

    @property
    def detected_at(self) -> datetime:
        return _fired_at(self.alerts[0])

    @property
    def resolved_at(self) -> datetime | None:
        ends = [alert.resolved_at for alert in _holding(self.alerts) or self.alerts]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    @property
    def state(self) -> Literal["firing", "resolved"]:
        return "firing" if self.resolved_at is None else "resolved"

    @property
    def pages(self) -> int:
        return sum(alert.severity == "page" for alert in self.alerts)

    @property
    def tickets(self) -> int:
        return len(self.alerts) - self.pages

    @property
    def time_to_detect(self) -> timedelta:
        """TTD = detected - began."""
        return self.detected_at - self.began_at

    @property
    def time_to_acknowledge(self) -> timedelta | None:
        """TTA = acknowledged - detected; None: not acknowledged."""
        return None if self.acknowledged_at is None else self.acknowledged_at - self.detected_at

    @property
    def time_to_resolve(self) -> timedelta | None:
        """TTR = resolved - detected; None: not over."""
        return None if self.resolved_at is None else self.resolved_at - self.detected_at


def incidents_of(alerts: Iterable[Transition], acknowledged: Mapping[str, datetime] | None = None) -> list[Incident]:
    """Return the incidents that *alerts* make, in the order in which they were detected.

    An alert that fires joins the incident of its service and environment whose alerts fire still or ended at most
    `GAP` ago; else it opens one. It is decided by what was known when it fired, so an incident keeps its id and its
    alerts while it goes on. Alerts that never fired make no incident.

    Args:
        alerts: transitions; of several of one episode the last counts.
        acknowledged: the first acknowledgement of each alert that has one, by alert id.
    """
    taken = acknowledged or {}
    groups: dict[tuple[str, str], list[list[Transition]]] = {}
    for alert in sorted(_last(alerts), key=_order):
        known = groups.setdefault((alert.service, alert.environment), [])
        if known and _fired_at(alert) - _reach(known[-1]) <= GAP:
            known[-1].append(alert)
        else:
            known.append([alert])
    found = [_incident(members, taken) for known in groups.values() for members in known]
    return sorted(found, key=lambda incident: (incident.detected_at, incident.id))


@dataclass(frozen=True, slots=True)
class IncidentMetrics:
    """Means over the incidents of a service that began in [start, end), in seconds, exact; None: nothing to average.

    - MTTD = mean of detected - began: how long conditions were met before someone was told.
    - MTTA = mean of acknowledged - detected, over those that were acknowledged.
    - MTTR = mean of resolved - detected, over those that are over: time to repair begins when someone is alerted
      (Google, "Shrinking the impact of production incidents using SRE principles", which defines TTD, TTR and TBF).
    - MTBF = mean time from the beginning of one incident to that of the next (the same source); it takes two.

    Means of few incidents say little, and a change of them less: "Incident Metrics in SRE" (Davidovič, 2021).
    """

    incidents: int
    mttd_s: Fraction | None
    mtta_s: Fraction | None
    mttr_s: Fraction | None
    mtbf_s: Fraction | None


def incident_metrics(incidents: Iterable[Incident], start: datetime, end: datetime) -> IncidentMetrics:
    """Return the means over those of *incidents*, all of one service, that began in [start, end).

    Raises:
        InvalidAlert: the end is not after the start.
    """
    if end <= start:
        raise InvalidAlert(f"the end {end.isoformat()} must lie after the start {start.isoformat()}")
    counted = sorted((item for item in incidents if start <= item.began_at < end), key=lambda item: item.began_at)
    between = [later.began_at - earlier.began_at for earlier, later in pairwise(counted)]
    return IncidentMetrics(
        incidents=len(counted),
        mttd_s=_mean_s([item.time_to_detect for item in counted]),
        mtta_s=_mean_s([item.time_to_acknowledge for item in counted]),
        mttr_s=_mean_s([item.time_to_resolve for item in counted]),
        mtbf_s=_mean_s(between),
    )


def _last(alerts: Iterable[Transition]) -> list[Transition]:
    """Return the last transition of each episode that has fired."""
    last: dict[str, Transition] = {}
    for alert in alerts:
        if alert.alert_id not in last or alert.sequence > last[alert.alert_id].sequence:
            last[alert.alert_id] = alert
    return [alert for alert in last.values() if alert.fired_at is not None]


def _order(alert: Transition) -> tuple[datetime, bool, str]:
    """Return the order in which alerts join; of those of one tick a page opens the incident, not its ticket."""
    return _fired_at(alert), alert.severity != "page", alert.alert_id


def _fired_at(alert: Transition) -> datetime:
    assert alert.fired_at is not None  # `_last` left out the others
    return alert.fired_at


def _reach(alerts: Sequence[Transition]) -> datetime:
    """Return until when an incident of *alerts* goes on."""
    ends = [alert.resolved_at or _STILL for alert in _holding(alerts)]
    return max([*ends, *(_fired_at(alert) for alert in alerts)])


def _holding(alerts: Sequence[Transition]) -> list[Transition]:
    return [alert for alert in alerts if alert.details.alert_name not in BUDGET_ALERTS]


def _incident(alerts: Sequence[Transition], acknowledged: Mapping[str, datetime]) -> Incident:
    first = alerts[0]
    taken_on = [acknowledged[alert.alert_id] for alert in alerts if alert.alert_id in acknowledged]
    return Incident(
        id=first.alert_id,
        service=first.service,
        environment=first.environment,
        alerts=tuple(alerts),
        acknowledged_at=min(taken_on, default=None),
    )


def _mean_s(times: Sequence[timedelta | None]) -> Fraction | None:
    known = [time // _MICROSECOND for time in times if time is not None]
    return Fraction(sum(known), len(known) * 10**6) if known else None
