"""Services that stopped sending, and services that are no more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from alerts.signal import AlertSignal
from alerts.silent_service import HOUR, MEMORY, Heard, NoDataRule, SilenceSignal, hour_of, retired_summary
from storage.client import Database
from storage.heard import HeardService, heard_past, heard_since
from storage.ingest_alarms import PATIENCE
from storage.ingest_stats import StageReport, recent_reports

REMEMBERED: Final = timedelta(days=31)  # so long after its retirement a service is known to have retired
READ_AGAIN: Final = HOUR  # an evaluator that paused for so long begins anew
_OVERLAP: Final = timedelta(seconds=60)  # an insert becomes visible some time after the moment that it notes
_HEARD: Final = frozenset({"traces", "metrics"})
Service = tuple[str, str]  # name, environment


class SilentServiceSource:
    """Knows who sent what lately. The past is read once, from then on only what arrived since the last tick.

    Silence is that of spans and metrics together: a service whose metrics come has no requests, and that is idleness.
    While the way in was disturbed (no report of any collector for a minute, a spool that waits, an open breaker) within
    the time that a silence needs, no silence is held against a service: it is ours, and `IngestLoss` tells of it.
    """

    def __init__(self, database: Database, rule: NoDataRule) -> None:
        self._database = database
        self._rule = rule
        self._heard: dict[Service, Heard] = {}
        self._read_at: datetime | None = None

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return a signal for every service that is remembered; none where the rule is switched off.

        Raises:
            DatabaseError: the database cannot be read.
        """
        if not self._rule.enabled:
            return []
        self._listen(now)
        missed = {service for service, heard in self._heard.items() if self._is_missed(heard, now)}
        own = bool(missed) and way_in_was_open(self._reports(now), self._judged_from(now), now)
        return [self._signal(service, heard, now, service in missed and own) for service, heard in self._heard.items()]

    def retired(self, now: datetime) -> set[Service]:
        """Return (service, environment) of who was not heard of for the rule's `retire_after`: their alerts end.

        Raises:
            DatabaseError: the database cannot be read.
        """
        self._listen(now)
        return {service for service, heard in self._heard.items() if self._is_retired(heard, now)}

    def retirement(self, service: str, environment: str) -> str:
        """Return why the alerts of a service end that `retired` has named."""
        return retired_summary(service, environment, self._heard[service, environment].last)

    def _listen(self, now: datetime) -> None:
        """Bring what is remembered to *now*."""
        if self._read_at == now:
            return
        if self._read_at is None or not self._read_at < now <= self._read_at + READ_AGAIN:
            self._heard.clear()
            since = now - self._rule.retire_after - REMEMBERED
            self._note(heard_past(self._database, since=since, hours_since=now - MEMORY, now=now))
        else:
            self._note(heard_since(self._database, since=self._read_at - _OVERLAP))
        if self._read_at is None or hour_of(self._read_at) != hour_of(now):
            self._forget(now)
        self._read_at = now

    def _note(self, found: Sequence[HeardService]) -> None:
        for one in found:
            heard = self._heard.setdefault((one.service, one.environment), Heard(one.first, one.last, {}))
            heard.first, heard.last = min(heard.first, one.first), max(heard.last, one.last)
            for hour, minutes in one.hours.items():
                heard.hours[hour] = heard.hours.get(hour, 0) | minutes

    def _forget(self, now: datetime) -> None:
        oldest = hour_of(now - MEMORY)
        for service, heard in list(self._heard.items()):
            heard.hours = {hour: minutes for hour, minutes in heard.hours.items() if hour >= oldest}
            if now - heard.last > self._rule.retire_after + REMEMBERED:
                del self._heard[service]

    def _signal(self, service: Service, heard: Heard, now: datetime, unusual: bool) -> SilenceSignal:
        return SilenceSignal(
            service=service[0],
            environment=service[1],
            last=heard.last,
            after=self._rule.after,
            silent=self._is_silent(heard, now),
            unusual=unusual,
            retired=self._is_retired(heard, now),
        )

    def _is_silent(self, heard: Heard, now: datetime) -> bool:
        return now - heard.last > self._rule.after + PATIENCE  # `last` is the start of a minute

    def _is_retired(self, heard: Heard, now: datetime) -> bool:
        return now - heard.last > self._rule.retire_after

    def _is_missed(self, heard: Heard, now: datetime) -> bool:
        return (
            self._is_silent(heard, now)
            and not self._is_retired(heard, now)
            and heard.misses(self._judged_from(now), now)
        )

    def _judged_from(self, now: datetime) -> datetime:
        return now - min(self._rule.after, HOUR)

    def _reports(self, now: datetime) -> list[StageReport]:
        return recent_reports(self._database, since=self._judged_from(now) - PATIENCE)


def way_in_was_open(reports: Sequence[StageReport], start: datetime, now: datetime) -> bool:
    """Return whether collectors reported over all of [start, now], and what they took was stored without waiting."""
    heard = [report for report in reports if report.signal in _HEARD and start - PATIENCE <= report.at <= now]
    if any(report.breaker == "open" or report.spool_oldest_s > PATIENCE.total_seconds() for report in heard):
        return False
    times = [start, *sorted(report.at for report in heard if report.at > start), now]
    return all(after - before <= PATIENCE for before, after in pairwise(times))
