"""The collector's reports on itself: every acknowledged item is in exactly one place, also across a restart."""

import asyncio
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from collector.admission.admission import Admission
from collector.alarm_metrics import AlarmMetrics
from collector.errors import BadPayload
from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from collector.stage_report import StageReporter
from collector.writer.dead_letters import DeadLetters
from storage.client import Database
from storage.errors import DatabaseError
from storage.ingest_alarms import ALARMS, ingest_alarms
from storage.ingest_stats import ingest_steps, latest_reports, recent_reports, save_reports

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:9/never"


class Collector:
    def __init__(self, intake, reporter):
        self.intake, self.reporter = intake, reporter

    def send(self, body, signal="traces"):
        async def one():
            with self.intake.admission.enter(None, signal) as entry:
                return await self.intake.accept(signal, body, entry)

        return asyncio.run(one())

    def take(self, signal="traces", **options):
        return next(r for r in self.reporter.take(datetime.now(UTC), **options) if r.signal == signal)


@contextmanager
def collecting(database, folder, *, writing=False, save=None, every_s=60.0):
    """Run an intake with its reporter; what it accepts stays in the spool unless it is *writing*."""
    intake = Intake(
        database, folder, SelfMetrics(CollectorRegistry()), spool_limit_bytes=1 << 20, admission=Admission()
    )
    reporter = StageReporter(
        "here:4318", intake, folder, save or (lambda reports: save_reports(database, reports)), every_s=every_s
    )
    if writing:
        intake.start()
    try:
        yield Collector(intake, reporter)
    finally:
        if writing:
            intake.close(5)
        for lane in intake._lanes.values():
            lane.spool.close()


@pytest.fixture
def down():
    return Database(NOWHERE, create=False)


def wait_for(question, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not (answer := question()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return answer


def test_acknowledged_items_wait_in_the_spool_and_nothing_is_missing(down, tmp_path, otlp):
    with collecting(down, tmp_path) as collector:
        collector.send(otlp.traces(otlp.span(), otlp.span(), otlp.span(span_id=b"bad")))
        collector.send(otlp.counter("hits", 1), signal="metrics")
        with pytest.raises(BadPayload):
            collector.send(b"\x0a\xff")
        found = collector.take()
        assert (found.received_items, found.accepted_items, found.rejected_items) == (3, 2, 1)
        assert (found.waiting_items, found.stored_items, found.unaccounted_items) == (2, 0, 0)
        assert found.refused_requests == {"BadPayload": 1}
        assert collector.take("metrics").waiting_items == 1


def test_what_is_stored_no_longer_waits(database, tmp_path, otlp):
    with collecting(database, tmp_path, writing=True) as collector:
        for _ in range(3):
            collector.send(otlp.traces(*(otlp.span() for _ in range(5))))
        found = wait_for(lambda: (r := collector.take()).stored_items == 15 and r)
        assert (found.waiting_items, found.unaccounted_items, found.breaker) == (0, 0, "closed")
        assert found.last_stored_at is not None


def test_a_segment_that_somebody_deletes_is_a_loss_of_exactly_its_items(down, tmp_path, otlp):
    with collecting(down, tmp_path) as collector:
        collector.send(otlp.traces(*(otlp.span() for _ in range(4))))
        for path in (tmp_path / "spool" / "traces").iterdir():
            path.unlink()
        reports = [collector.take() for _ in range(2)]
        assert [report.unaccounted_items for report in reports] == [4, 4]
        lost = collector.take(final=True)
        assert [alarm.alarm for alarm in ingest_alarms([lost], datetime.now(UTC))] == ["lost"]


def test_what_an_earlier_process_left_is_found_and_not_counted_as_missing(database, down, tmp_path, otlp):
    with collecting(down, tmp_path) as collector:
        collector.send(otlp.traces(*(otlp.span() for _ in range(6))))
    with collecting(database, tmp_path, writing=True) as collector:
        found = wait_for(lambda: (r := collector.take()).stored_items == 6 and r)
        assert (found.found_items, found.accepted_items, found.unaccounted_items) == (6, 0, 0)


def test_dead_letters_are_put_aside_also_after_they_were_sent_again(down, tmp_path):
    letters = DeadLetters(tmp_path / "dead-letter")
    letters.bury("traces", "old", 0, b"x", "of an earlier process", items=7)
    time.sleep(1.1)  # a process's start is known to the second
    with collecting(down, tmp_path) as collector:
        letter = letters.bury("traces", "new", 0, b"x", "cannot be read", items=3)
        letters.bury("logs", "new", 0, b"x", "nobody knows how many", items=None)
        assert collector.take().put_aside_items == 3
        letters.discard(letter)
        assert collector.take().put_aside_items == 3
        assert [found.reason for found in collector.reporter.letters()] == [
            "of an earlier process", "nobody knows how many"
        ]  # fmt: skip


def test_reports_that_cannot_be_stored_are_offered_again_with_the_next(down, tmp_path):
    offered, failing = [], [True]

    def save(reports):
        if failing:
            raise DatabaseError("down")
        offered.extend(reports)

    now = datetime.now(UTC)
    with collecting(down, tmp_path, save=save) as collector:
        collector.reporter.report(now)
        failing.clear()
        collector.reporter.report(now + timedelta(seconds=10))
        signals = len({report.signal for report in offered})
        assert len(offered) == 2 * signals
        assert len(collector.reporter.recent()) == 2 * signals
        collector.reporter.report(now + timedelta(minutes=20))
        assert len(offered) == 3 * signals
        assert len(collector.reporter.recent()) == signals


def test_reports_come_back_as_they_were_stored_once_each(database, tmp_path, otlp):
    now = datetime.now(UTC)
    with collecting(database, tmp_path, writing=True) as collector:
        collector.send(otlp.traces(otlp.span()))
        with pytest.raises(BadPayload):
            collector.send(b"\x0a\xff")
        taken = collector.reporter.report(now)
        save_reports(database, taken)
        stored = recent_reports(database, since=now - timedelta(minutes=1))
        assert sorted(stored, key=lambda r: r.signal) == sorted(taken, key=lambda r: r.signal)
        later = collector.reporter.report(now + timedelta(seconds=10))
        assert latest_reports(database, since=now) == sorted(later, key=lambda r: r.signal)


def test_steps_are_the_differences_of_counters_and_a_restart_begins_at_zero(database, tmp_path):
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    with collecting(database, tmp_path) as collector:
        template = collector.take()

    def report(seconds, received, process=0, collector="a"):
        return replace(
            template,
            collector=collector,
            at=start + timedelta(seconds=seconds),
            started_at=start + timedelta(seconds=process - 5),
            received_items=received,
            stored_items=received,
            refused_requests={"Overloaded": received // 10},
        )

    save_reports(database, [report(0, 100), report(30, 150), report(60, 250), report(70, 40, process=70)])
    save_reports(
        database, [report(5, 1000, process=-7200, collector="b"), report(65, 1003, process=-7200, collector="b")]
    )
    steps = ingest_steps(database, start=start, end=start + timedelta(minutes=5), step_s=60)
    assert [(s.signal, s.at, s.received, s.stored, s.refused_requests) for s in steps] == [
        ("traces", start, 150, 150, 15),
        ("traces", start + timedelta(minutes=1), 143, 143, 14),
    ]


def test_the_thread_reports_by_itself_and_a_last_time_when_it_is_stopped(database, tmp_path, otlp):
    with collecting(database, tmp_path, every_s=0.1) as collector:
        collector.reporter.start()
        collector.send(otlp.traces(otlp.span()))
        wait_for(lambda: any(report.accepted_items for report in collector.reporter.recent()))
        collector.reporter.stop(5)
        found = latest_reports(database, since=datetime.now(UTC) - timedelta(minutes=1))
        assert {report.signal for report in found} >= {"traces", "metrics"}
        assert all(report.final for report in found)


def test_alarms_are_at_metrics_with_a_zero_for_those_that_do_not_sound(down, tmp_path):
    registry = CollectorRegistry()
    with collecting(down, tmp_path) as collector:
        registry.register(AlarmMetrics(collector.reporter.recent))
        DeadLetters(tmp_path / "dead-letter").bury("traces", "new", 0, b"x", "unreadable", items=1)
        collector.intake._lanes["traces"].writer.state.dead_letters = 1  # the writer, which counts them, does not run
        with pytest.raises(DatabaseError):
            save_reports(down, collector.reporter.take(datetime.now(UTC)))
        collector.reporter.report(datetime.now(UTC))
        values = {name: registry.get_sample_value("ninelives_ingest_alarms", {"alarm": name}) for name in ALARMS}
        assert values == dict.fromkeys(ALARMS, 0.0) | {"dead_letters": 1.0}
