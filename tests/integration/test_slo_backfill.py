"""Counting an objective's past anew, as a person asks for it: through the API, by an evaluator of another process."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from evaluator.minutes import MinuteCounter
from ninelives.cli import main
from storage.sli_backfills import backfills
from storage.sli_minutes import SliMinute, write_minutes
from tests.integration.slo_past import DAY, MINUTE, objective, serving, slo_of_text
from tests.integration.test_evaluator_backfill import at, let_time_pass, send, stored

pytestmark = pytest.mark.slow

SLO = slo_of_text(objective())
RAW = timedelta(days=14)
LONG = timedelta(minutes=10)
IDENTITY = {"service": "shop", "environment": "prod"}


@pytest.fixture
def run(database, tmp_path):
    """Return a function that runs `ninelives slo backfill ...` and returns exit code, output and complaint."""
    folder = tmp_path / "slos"
    folder.mkdir()
    (folder / "shop.yaml").write_text(objective(), "utf-8")
    (folder / "same.yaml").write_text(objective("shop-too", target="0.99"), "utf-8")
    with serving(database, folder) as address:

        def command(*arguments):
            done = CliRunner().invoke(main, ["slo", "backfill", *arguments, "--api", address])
            assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
            return done.exit_code, done.stdout, done.stderr

        yield command


def counter(database):
    return MinuteCounter(database, raw_retention=RAW)


def spoil(database, *moments):
    """Store wrong counts, as if a fault had counted them, newer than the first count and older than the next."""
    wrong = [SliMinute(SLO.indicator.series_id, moment, 7, 9, 9) for moment in moments]
    write_minutes(database, wrong, revision=int(datetime.now(UTC).timestamp() * 1000))


def test_the_past_is_counted_anew_when_somebody_asks_for_it(database, store, otlp, run):
    recent, old = at(datetime.now(UTC), hours=1), at(datetime.now(UTC), days=3)
    send(database, store, otlp, recent, old)
    counting = counter(database)
    counting.update([SLO], datetime.now(UTC))
    counting.backfiller.work(LONG)
    right = stored(database, SLO)
    assert set(right) == {recent, old}
    spoil(database, recent, old)
    database.command("TRUNCATE TABLE arrivals")  # they are old by now
    counting.update([SLO], datetime.now(UTC) + MINUTE)
    assert stored(database, SLO) != right, "nobody asked"
    code, told, _ = run(SLO.id)
    assert code == 0
    assert told.startswith("shop-availability: the next evaluation counts its past anew")
    assert "the same events are counted for shop-too" in told
    later = datetime.now(UTC) + 2 * MINUTE
    assert counting.update([SLO], later) == 1
    counting.backfiller.work(LONG)
    assert stored(database, SLO) == right
    assert {item.progress for item in backfills(database)} == {1.0}
    assert counting.update([SLO], later + MINUTE) == 0, "once is enough"


def test_a_request_outlives_a_restart_of_the_evaluator(database, store, otlp, run):
    old = at(datetime.now(UTC), days=3)
    send(database, store, otlp, old)
    first = counter(database)
    first.update([SLO], datetime.now(UTC))
    first.backfiller.work(LONG)
    spoil(database, old)
    database.command("TRUNCATE TABLE arrivals")
    run(SLO.id)
    second = counter(database)
    second.update([SLO], datetime.now(UTC) + MINUTE)
    second.backfiller.work(LONG)
    assert stored(database, SLO)[old] == (1, 0, "spans")


def test_what_was_counted_from_spans_that_are_gone_is_not_counted_again_from_the_rollup(database, store, otlp, run):
    old = at(datetime.now(UTC), days=12)
    send(database, store, otlp, at(datetime.now(UTC), hours=2))
    let_time_pass(database, old, datetime.now(UTC) - DAY)
    send(database, store, otlp, old, old, status=2)
    counting = counter(database)
    counting.update([SLO], datetime.now(UTC))
    counting.backfiller.work(LONG)
    exact = stored(database, SLO)
    assert exact == {old: (0, 2, "spans")}
    for table in ("spans", "arrivals"):
        database.command(f"TRUNCATE TABLE {table}")
    short = MinuteCounter(database, raw_retention=timedelta(days=5))
    short.update([SLO], datetime.now(UTC) + MINUTE)
    for minutes in (2, 4):  # the second time the raw spans begin later than they did at first
        run(SLO.id)
        short.update([SLO], datetime.now(UTC) + minutes * MINUTE)
        short.backfiller.work(LONG)
        assert stored(database, SLO) == exact


def test_progress_is_listed_for_people_and_for_machines(database, run):
    assert run()[1].startswith("nothing is counted yet")
    counting = counter(database)
    now = datetime.now(UTC)
    counting.update([SLO], now)
    code, told, _ = run()
    header, *lines = told.splitlines()
    assert (code, header.split()[:3], len(lines)) == (0, ["SLO", "SOURCE", "DONE"], 2)
    assert all(line.startswith(SLO.id) and line.endswith("goes on") for line in lines)
    counting.backfiller.work(LONG)
    found = json.loads(run("--json")[1])
    assert {item["source"]: item["progress"] for item in found} == {"spans": 1.0, "rollup": 1.0}
    assert json.loads(run(SLO.id, "--json")[1])["shared_with"] == ["shop-too"]


def test_an_unknown_objective_is_named(run):
    code, told, complaint = run("ghost")
    assert (code, told) == (1, "")
    assert "no objective 'ghost'" in complaint
