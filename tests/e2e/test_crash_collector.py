"""A collector apart before a database and a disk that fail: acknowledged is stored once, refused is retryable."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from crash_damage import spoil, tear
from crash_disk import small_disk
from crash_ledger import SIGNALS
from crash_run import ENOUGH, Run, each, fleets, is_long, started
from crash_server import Apart, kill

from tests.bridge.bridge import Bridge

TRANSPORTS = ("http", "grpc")
INSERTS = "insert into otlp"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """A database server with its tables, for all collectors of this module."""
    found = Apart(tmp_path_factory.mktemp("server"))
    with found.bridge:
        answer = found.command("migrate")
        assert answer.returncode == 0, answer.stderr
        yield found.bridge


@pytest.fixture
def clickhouse(migrated: Bridge) -> Bridge:
    """That server, well again whatever the test before did to it."""
    if not migrated.answers():
        migrated.kill()
        migrated.start()
    migrated.heal()
    return migrated


@pytest.fixture
def collectors(tmp_path: Path, clickhouse: Bridge, seeds: Sequence[int]) -> dict[int, Apart]:
    """A collector before that server for each seed."""
    found = {}
    for seed in seeds:
        folder = tmp_path / f"seed-{seed}"
        folder.mkdir()
        found[seed] = Apart(folder)
        found[seed].bridge = clickhouse
    return found


@fleets()
def test_kill_9_of_a_collector_at_any_point_loses_and_doubles_nothing(
    collectors: dict[int, Apart], clickhouse: Bridge, seeds: Sequence[int]
):
    chance = random.Random(seeds[0])

    def live_and_die(run: Run) -> None:
        run.pause(0.1, 2.0)
        run.kill_and_restart()

    with started(collectors) as runs:
        for _ in range(4 if is_long(seeds) else 2):
            clickhouse.fault(only=INSERTS, delay_s=chance.choice((0.0, 0.1, 1.0)), cut=chance.random() < 0.3)
            each(runs, live_and_die)
        clickhouse.heal()
        each(runs, goes_on)


@fleets()
def test_collectors_acknowledge_into_their_spools_while_the_database_is_down(
    collectors: dict[int, Apart], clickhouse: Bridge, seeds: Sequence[int]
):
    chance = random.Random(seeds[0])
    with started(collectors) as runs:
        time.sleep(chance.uniform(0.2, 2.0))
        chance.choice((clickhouse.kill, clickhouse.stop))()
        before = [run.ledger.answers("acknowledged") for run in runs]
        time.sleep(60 if is_long(seeds) else 8)
        for run, counts in zip(runs, before, strict=True):
            now = run.ledger.answers("acknowledged")
            assert all(now[name] > counts.get(name, 0) + ENOUGH for name in (*SIGNALS, *TRANSPORTS)), (run.seed, now)
        clickhouse.start()
        each(runs, goes_on)
    assert not any(run.ledger.answers("refused") for run in runs)


@fleets()
def test_a_slow_database_and_lost_outcomes_lose_and_double_nothing(
    collectors: dict[int, Apart], clickhouse: Bridge, seeds: Sequence[int]
):
    chance = random.Random(seeds[0])
    faults = [
        {"delay_s": chance.uniform(0.2, 2.0)},
        {"cut": True},
        {"cut": True, "delay_s": chance.uniform(0.1, 0.5)},
        {"code": chance.choice((241, 242, 243, 252))},
    ]
    with started(collectors) as runs:
        for fault in chance.sample(faults, 4 if is_long(seeds) else 2):
            clickhouse.fault(only=INSERTS, **fault)
            time.sleep(chance.uniform(0.5, 2.5))
        clickhouse.heal()
        each(runs, goes_on)
    assert not any(run.ledger.answers("refused") for run in runs)


@fleets()
def test_a_full_disk_refuses_with_retryable_answers_and_goes_on_when_there_is_room(
    collectors: dict[int, Apart], clickhouse: Bridge, seeds: Sequence[int]
):
    chance = random.Random(seeds[0])

    def fill_and_free(run: Run) -> None:
        run.pause(0.0, 1.0)
        disks[run.seed].fill(run.server, run.chance.randrange(200_000))
        run.await_answers("refused", TRANSPORTS)
        if run.chance.random() < 0.5:
            run.kill_and_restart()
        disks[run.seed].free(run.server)
        run.await_answers("acknowledged", (*SIGNALS, *TRANSPORTS))

    with ExitStack() as mounts:
        disks = {
            seed: mounts.enter_context(small_disk(server.data / "spool", mounted=seed % 3 > 0))
            for seed, server in collectors.items()
        }
        with started(collectors, items=(50, 200)) as runs:
            for _ in range(3 if is_long(seeds) else 1):
                clickhouse.fault(only=INSERTS, delay_s=chance.choice((0, 5)))  # late: the spool fills by itself as well
                each(runs, fill_and_free)
            clickhouse.heal()


@fleets()
def test_torn_and_damaged_files_cost_only_what_is_listed_as_damaged(
    collectors: dict[int, Apart], clickhouse: Bridge, seeds: Sequence[int]
):
    """While the database is down their segments lie there; the collectors are killed, and their files suffer."""

    def suffer(run: Run) -> None:
        run.pause(1.5, 3.5)
        kill(run.server)
        _harm(run)
        run.start()
        run.pause(0.0, 1.0)

    with started(collectors) as runs:
        for _ in range(2 if is_long(seeds) else 1):
            clickhouse.stop()
            each(runs, suffer)
            clickhouse.start()
            each(runs, goes_on)


def goes_on(run: Run) -> None:
    run.await_answers("acknowledged")


def _harm(run: Run) -> None:
    """Tear the open segments, and damage others or not: if not, nothing acknowledged may be lost."""
    spool = run.server.data / "spool"
    groups = [run.load.make(signal) for signal in SIGNALS for _ in range(run.chance.randint(1, 3))]
    for export in groups:
        run.ledger.settle("unanswered", export)
    run.torn |= tear(spool, groups, run.chance)
    if run.chance.random() < 0.7:
        run.spoiled |= spoil(spool, run.torn, run.chance)
