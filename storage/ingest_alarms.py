"""What is wrong with the way in: judged from the reports of the collectors, the same for API, pages and /metrics."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from storage.ingest_stats import StageReport

Severity = Literal["critical", "warning", "info"]

PATIENCE = timedelta(minutes=1)  # what moves on within it is no reason for an alarm
LOOKBACK = timedelta(minutes=5)
MINUTES = LOOKBACK // timedelta(minutes=1)
SPOOL_FULL_SOON = 0.8

ALARMS = (
    "lost",
    "breaker_open",
    "spool_filling",
    "spool_old",
    "damaged",
    "dead_letters",
    "refusing",
    "rejecting",
    "silent",
)
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")

# what to do about a refusal, by its name; the others say it in their own words to the sender
REFUSAL_REMEDIES = {
    "Overloaded": "give the database room, or this machine: spool, requests in flight or CPU are at the limit",
    "RateLimited": "raise 'mb_per_s' or 'requests_per_s' of the token in the tokens file, or send less",
    "TooLarge": "send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE=256) or raise --body-limit",
    "BadPayload": "look at the sender's log for the answer 400: what it sends is no OTLP of that signal",
    "Unauthenticated": "set OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN at the sender",
    "Forbidden": "use a token with the scope 'ingest': 'ninelives tokens list' shows what each may",
    "UnsupportedMediaType": "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf at the sender",
    "UnsupportedEncoding": "set OTEL_EXPORTER_OTLP_COMPRESSION=gzip at the sender",
    "TooSlow": "look at the network between the sender and this collector: bodies do not arrive in time",
    "UnknownPath": "send to /v1/traces, /v1/metrics or /v1/logs: OTEL_EXPORTER_OTLP_ENDPOINT has no path",
    "InternalFault": "look at the collector's log for the error behind it, and report it",
}


@dataclass(frozen=True, slots=True)
class IngestAlarm:
    """Something that needs a person.

    Attributes:
        alarm: One of ALARMS.
        text: What is wrong, with its numbers.
        remedy: What to do, in one sentence.
    """

    alarm: str
    severity: Severity
    collector: str
    signal: str
    text: str
    remedy: str


class _Stage:
    """One signal of one collector, as its running process reported it lately."""

    def __init__(self, history: Sequence[StageReport], now: datetime) -> None:
        self.now = now
        self.last = history[-1]
        process = [report for report in history if report.started_at == self.last.started_at]
        self.recent = [report for report in process if report.at > now - LOOKBACK] or [self.last]

    @property
    def is_alive(self) -> bool:
        return self.now - self.last.at <= PATIENCE

    @property
    def before(self) -> StageReport | None:
        """Return the report to count from, None when the process is so young that all of its counts are recent."""
        return None if self.recent[0].at - self.recent[0].started_at < PATIENCE else self.recent[0]

    def alarm(self, alarm: str, severity: Severity, text: str, remedy: str) -> IngestAlarm:
        return IngestAlarm(alarm, severity, self.last.collector, self.last.signal, text, remedy)


def ingest_alarms(reports: Sequence[StageReport], now: datetime) -> list[IngestAlarm]:
    """Return what is wrong at *now*, the worst first, from *reports* that reach back LOOKBACK or longer."""

    def of(report: StageReport) -> tuple[str, str]:
        return report.collector, report.signal

    found: list[IngestAlarm] = []
    for _, group in groupby(sorted(reports, key=lambda report: (*of(report), report.at, report.final)), key=of):
        stage = _Stage(list(group), now)
        found += [alarm for rule in _RULES for alarm in rule(stage)]
    return sorted(found, key=lambda alarm: (SEVERITIES.index(alarm.severity), ALARMS.index(alarm.alarm), alarm.signal))


def _lost(stage: _Stage) -> Iterator[IngestAlarm]:
    """Alarm about items that were missing in every report of the last minute."""
    last = stage.last
    minute = [report for report in stage.recent if report.at >= last.at - PATIENCE]
    missing = min(report.unaccounted_items for report in minute)
    if missing and (last.final or last.at - minute[0].at >= PATIENCE * 0.8):
        text = f"{missing:,} acknowledged items are neither stored, waiting nor put aside"
        remedy = f"look at the collector's log, and at what happened to the files in spool/{last.signal}; report it"
        yield stage.alarm("lost", "critical", text, remedy)


def _breaker(stage: _Stage) -> Iterator[IngestAlarm]:
    last = stage.last
    if stage.is_alive and last.breaker != "closed" and last.breaker_s > PATIENCE.total_seconds():
        reason = last.last_error or "no reason known"
        text = f"the database has not taken anything for {last.breaker_s:.0f} s: {reason}"
        yield stage.alarm(
            "breaker_open", "critical", text, "bring the database back; what waits is stored by itself then"
        )


def _spool_filling(stage: _Stage) -> Iterator[IngestAlarm]:
    if stage.last.spool_fill >= SPOOL_FULL_SOON:
        text = f"the spool is {stage.last.spool_fill:.0%} full; requests are refused when it is full"
        yield stage.alarm("spool_filling", "critical", text, "bring the database back, or raise --spool-limit")


def _spool_old(stage: _Stage) -> Iterator[IngestAlarm]:
    last = stage.last
    if last.spool_oldest_s > PATIENCE.total_seconds():
        reason = f": {last.last_error}" if last.last_error else ""
        text = f"{last.waiting_items:,} items wait for the database, the oldest for {last.spool_oldest_s:.0f} s{reason}"
        yield stage.alarm(
            "spool_old", "warning", text, "look at the database: it is down, or slower than what comes in"
        )


def _damaged(stage: _Stage) -> Iterator[IngestAlarm]:
    if stage.last.damaged_requests:
        text = f"{_requests(stage.last.damaged_requests, 'acknowledged ')} damaged on the collector's disk"
        yield stage.alarm("damaged", "critical", text, "check disk and memory of that machine (smartctl -a, dmesg)")


def _dead_letters(stage: _Stage) -> Iterator[IngestAlarm]:
    if stage.last.dead_letters:
        text = f"{_requests(stage.last.dead_letters)} could not be stored and lie in dead-letter/"
        remedy = "'ninelives collector dead-letters' shows why, 'ninelives collector replay' sends them again"
        yield stage.alarm("dead_letters", "warning", text, remedy)


def _refusing(stage: _Stage) -> Iterator[IngestAlarm]:
    before = stage.before.refused_requests if stage.before else {}
    for reason, count in sorted(stage.last.refused_requests.items()):
        refused = count - before.get(reason, 0)
        if refused > 0:
            text = f"{_requests(refused)} refused in the last {MINUTES} min ({reason})"
            remedy = REFUSAL_REMEDIES.get(reason, "look at the sender's log: the answer says why")
            yield stage.alarm("refusing", "warning", text, remedy)


def _rejecting(stage: _Stage) -> Iterator[IngestAlarm]:
    rejected = stage.last.rejected_items - (stage.before.rejected_items if stage.before else 0)
    if rejected:
        text = f"{rejected:,} items were left out as invalid in the last {MINUTES} min"
        remedy = "look for 'partial success' in the senders' logs: it names what was wrong with them"
        yield stage.alarm("rejecting", "warning", text, remedy)


def _silent(stage: _Stage) -> Iterator[IngestAlarm]:
    last = stage.last
    if not last.final and not stage.is_alive and last.signal == "traces":  # once a collector
        silent_s = (stage.now - last.at).total_seconds()
        text = f"the collector {last.collector} has not reported for {silent_s:.0f} s and did not stop in order"
        remedy = "start it again on the same data folder: what it acknowledged waits there"
        yield stage.alarm("silent", "warning", text, remedy)


def _requests(count: int, which: str = "") -> str:
    return f"{count:,} {which}request{'' if count == 1 else 's'}"


_RULES: tuple[Callable[[_Stage], Iterator[IngestAlarm]], ...] = (
    _lost,
    _breaker,
    _spool_filling,
    _spool_old,
    _damaged,
    _dead_letters,
    _refusing,
    _rejecting,
    _silent,
)
