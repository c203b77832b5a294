"""What the way in loses or refuses: the alarms of the Ingest page as signals, and spans that no objective counts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from alerts.ingest_loss import EVERY_COLLECTOR, IngestLossSignal
from alerts.signal import AlertSignal
from storage.client import Database
from storage.heard import heard_since
from storage.ingest_alarms import ALARMS, LOOKBACK, MINUTES, PATIENCE, IngestAlarm, ingest_alarms
from storage.ingest_stats import StageReport, latest_reports, recent_reports
from storage.quarantine import quarantined_spans

GONE_AFTER: Final = timedelta(days=1)
REMEMBERED: Final = timedelta(days=2)  # so long a collector that is gone says so, also to an evaluator that was away
_READ_AGAIN: Final = timedelta(hours=1)
_CLOCK: Final = "set the clock of its hosts (NTP), or upgrade its SDK"
_NOBODY: Final = "none reports, so nothing that services send is stored: start one on its old data folder"


class IngestLossSource:
    """Judges the reports of the collectors as the Ingest page does.

    Every kind of alarm of every collector is a signal: met, clear while the collector reports (or after it stopped in
    order), and neither while it says nothing, which is an alarm of its own. A collector that has not reported for a day
    is taken for gone, and what it had raised ends.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._services: dict[tuple[str, str], datetime] = {}
        self._latest: dict[tuple[str, str], StageReport] = {}
        self._read_at: datetime | None = None

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return the signals of every collector of the last two days, and of every service that sent within a day.

        Raises:
            DatabaseError: the database cannot be read.
        """
        return [*self._of_collectors(now), *self._of_services(now)]

    @staticmethod
    def why_unsaid(rule: str) -> str | None:
        """Return why an alert of *rule* ends of which nothing is said; see `evaluator.signals.Explaining`."""
        return "nothing was heard of it for a day" if rule.startswith("ingest/") else None

    def _of_collectors(self, now: datetime) -> list[IngestLossSignal]:
        reports = self._reports(now)
        raised: dict[tuple[str, str], list[IngestAlarm]] = defaultdict(list)
        for alarm in ingest_alarms([report for report in reports if now - report.at <= GONE_AFTER], now):
            raised[alarm.alarm, alarm.collector].append(alarm)
        newest: dict[str, StageReport] = {}
        for report in sorted(reports, key=lambda report: (report.at, report.final)):
            newest[report.collector] = report
        signals = [
            IngestLossSignal(what, name, problems=_problems(raised[what, name]), known=_says(last, now))
            for name, last in newest.items()
            for what in ALARMS
        ]
        return [*signals, _every_collector(newest.values(), now)] if newest else signals

    def _of_services(self, now: datetime) -> list[IngestLossSignal]:
        since = now - LOOKBACK
        known_since = now - GONE_AFTER if not self._services else since
        for one in heard_since(self._database, since=known_since):
            self._services[one.service, one.environment] = one.arrived
        counts = quarantined_spans(self._database, since=since)
        self._services |= dict.fromkeys(counts, now)
        self._services = {service: at for service, at in self._services.items() if now - at <= GONE_AFTER}
        return [
            IngestLossSignal(
                "quarantined",
                service=service[0],
                environment=service[1],
                problems=_unbelieved(counts.get(service, 0)),
                known=at >= since,
            )
            for service, at in self._services.items()
        ]

    def _reports(self, now: datetime) -> list[StageReport]:
        """Return the newest report of every stage, and all of the last minutes."""
        recent = recent_reports(self._database, since=now - LOOKBACK)
        if self._read_at is None or not self._read_at <= now <= self._read_at + _READ_AGAIN:
            latest = latest_reports(self._database, since=now - REMEMBERED)
            self._latest = {(report.collector, report.signal): report for report in latest}
            self._read_at = now
        for report in recent:
            self._latest[report.collector, report.signal] = report
        known = {(report.collector, report.signal, report.started_at, report.at) for report in recent}
        old = (
            report
            for report in self._latest.values()
            if (report.collector, report.signal, report.started_at, report.at) not in known
        )
        return [*old, *recent]


def _problems(alarms: Iterable[IngestAlarm]) -> tuple[str, ...]:
    return tuple(f"{alarm.signal}: {alarm.text} ({alarm.remedy})" for alarm in alarms)


def _says(last: StageReport, now: datetime) -> bool:
    return last.final or now - last.at <= PATIENCE or now - last.at > GONE_AFTER


def _every_collector(newest: Iterable[StageReport], now: datetime) -> IngestLossSignal:
    """Return that none reports; of those that stopped in order nobody expects it."""
    running = [report for report in newest if not report.final and now - report.at <= GONE_AFTER]
    nobody = running and all(now - report.at > PATIENCE for report in running)
    return IngestLossSignal("silent", EVERY_COLLECTOR, problems=(_NOBODY,) if nobody else ())


def _unbelieved(spans: int) -> tuple[str, ...]:
    text = (
        f"{spans:,} spans came with times that cannot be believed in the last {MINUTES} min: no objective counts them"
    )
    return (f"{text} ({_CLOCK})",) if spans else ()
