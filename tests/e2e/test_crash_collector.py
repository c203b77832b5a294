"""A collector apart before a database and a disk that fail: acknowledged is stored once, refused is retryable."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crash_damage import spoil, tear
from crash_disk import small_disk
from crash_ledger import SIGNALS
from crash_run import ENOUGH, Run, seeds, started
from crash_server import Apart, kill

from tests.bridge.bridge import Bridge

TRANSPORTS = ("http", "grpc")
INSERTS = "insert into otlp"
LONG_OUTAGES = 5  # every so many seeds of the long form: a minute each


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """A database server with its tables, for all collectors of this module."""
    found = Apart(tmp_path_factory.mktemp("server"))
    with found.bridge:
        answer = found.command("migrate")
        assert answer.returncode == 0, answer.stderr
        yield found.bridge


@pytest.fixture
def collector(tmp_path: Path, migrated: Bridge) -> Apart:
    """A collector before that server, which is well again whatever the test before did to it."""
    if not migrated.answers():
        migrated.kill()
        migrated.start()
    migrated.heal()
    found = Apart(tmp_path)
    found.bridge = migrated
    return found


@seeds
def test_kill_9_of_a_collector_at_any_point_loses_and_doubles_nothing(collector: Apart, seed: int):
    with started(collector, seed) as run:
        for _ in range(4 if run.thorough else 2):
            collector.bridge.fault(only=INSERTS, delay_s=run.chance.choice((0.0, 0.1, 1.0)))
            run.pause(0.1, 3.0)
            run.kill_and_restart()
        collector.bridge.heal()
        run.await_answers("acknowledged")


@seeds
def test_a_collector_acknowledges_into_its_spool_while_the_database_is_down(collector: Apart, seed: int):
    with started(collector, seed) as run:
        run.pause(0.2, 2.0)
        run.chance.choice((collector.bridge.kill, collector.bridge.stop))()
        down_s = 60 if run.thorough and seed % LONG_OUTAGES == 0 else 8
        before = run.ledger.answers("acknowledged")
        run.pause(down_s, down_s)
        now = run.ledger.answers("acknowledged")
        assert all(now[name] > before.get(name, 0) + ENOUGH for name in (*SIGNALS, *TRANSPORTS)), (before, now)
        assert not run.ledger.answers("refused")
        collector.bridge.start()
        run.await_answers("acknowledged")


@seeds
def test_a_slow_database_and_lost_outcomes_lose_and_double_nothing(collector: Apart, seed: int):
    with started(collector, seed) as run:
        faults = [
            {"delay_s": run.chance.uniform(0.2, 2.0)},
            {"cut": True},
            {"cut": True, "delay_s": run.chance.uniform(0.1, 0.5)},
            {"code": run.chance.choice((241, 252, 242, 243))},
        ]
        for fault in run.chance.sample(faults, 4 if run.thorough else 2):
            collector.bridge.fault(only=INSERTS, **fault)
            run.pause(0.5, 2.5)
        collector.bridge.heal()
        run.await_answers("acknowledged")
    assert not run.ledger.answers("refused")


@seeds
def test_a_full_disk_refuses_with_retryable_answers_and_goes_on_when_there_is_room(collector: Apart, seed: int):
    with (
        small_disk(collector.data / "spool", mounted=seed % 3 > 0) as disk,
        started(collector, seed, items=(50, 200)) as run,
    ):
        run.pause(0.1, 1.0)
        if run.chance.random() < 0.5:
            collector.bridge.fault(only=INSERTS, delay_s=5)  # so that the spool fills by itself
        for _ in range(3 if run.thorough else 1):
            disk.fill(collector, run.chance.randrange(200_000))
            run.await_answers("refused", TRANSPORTS)
            if run.chance.random() < 0.5:
                run.kill_and_restart()
            disk.free(collector)
            run.await_answers("acknowledged", (*SIGNALS, *TRANSPORTS))
        collector.bridge.heal()


@seeds
def test_torn_and_damaged_files_cost_only_what_is_listed_as_damaged(collector: Apart, seed: int):
    """The database is down, so the segments lie there; the collector is killed, and its files suffer."""
    with started(collector, seed) as run:
        for _ in range(2 if run.thorough else 1):
            _suffer(run, collector.bridge.stop)
            run.pause(0.0, 2.0)
            collector.bridge.start()
            run.await_answers("acknowledged")


def _suffer(run: Run, stop_database: Callable[[], None]) -> None:
    """Tear the open segments and damage others, or only tear them: then nothing acknowledged may be lost."""
    stop_database()
    run.pause(1.5, 3.5)
    kill(run.server)
    groups = [run.load.make(signal) for signal in SIGNALS for _ in range(run.chance.randint(1, 3))]
    for export in groups:
        run.ledger.settle("unanswered", export)
    spool = run.server.data / "spool"
    run.torn |= tear(spool, groups, run.chance)
    if run.chance.random() < 0.7:
        run.spoiled |= spoil(spool, run.torn, run.chance)
    run.server.launch()
    run.server.await_ready()
