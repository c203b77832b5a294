"""Runs in the database: lists that read no bodies, pages, and wishes to stop that no heartbeat overwrites."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from storage.client import load_query
from storage.migrate import load_migrations, migrate
from storage.runs import RunCursor, RunRow, RunStop, list_runs, load_run, request_stop, requested_stop, save_run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def body_of(run_id, began, **fields):
    return {
        "id": run_id, "experiment": "late", "title": "It is late", "status": "running", "verdict": None,
        "started_at": began.isoformat(), "ended_at": None, "heartbeat_at": (began + SECOND).isoformat(),
        "environment": "prod", "services": ["a", "b"], "method": [{"kind": "latency", "target": "x"}],
        "comparison": "concurrent", "source": "ninelives", "windows": [], "summary": "", **fields,
    }  # fmt: skip


def save(database, run_id, began=NOW, *, now=None, **fields):
    save_run(
        database, run_id, json.dumps(body_of(run_id, began, **fields)), started_at=began, now=now or datetime.now(UTC)
    )


def ids(database, **asked):
    return [run.id for run in list_runs(database, **{"limit": 100, **asked}).runs]


def test_a_list_shows_the_last_state_of_each_run_without_its_body(database):
    costs = [
        {"slo_id": "a", "chaos_share": 0.1},
        {"slo_id": "b", "chaos_share": 0.3},
        {"slo_id": "c", "chaos_share": None},
    ]
    windows = [{"phase": "fault", "started_at": NOW.isoformat(), "ended_at": NOW.isoformat()}]
    save(database, "r1", journal={"long": "x" * 1000})
    end = NOW + timedelta(seconds=90, microseconds=5)
    save(
        database, "r1", verdict="held", status="finished", ended_at=end.isoformat().replace("+00:00", "Z"),
        outcome={"budget": costs}, windows=windows, summary="well",
    )  # fmt: skip
    (found,) = list_runs(database, limit=10).runs
    assert found == RunRow(
        id="r1", experiment="late", title="It is late", status="finished", verdict="held", started_at=NOW,
        ended_at=end, heartbeat_at=NOW + SECOND, environment="prod", services=["a", "b"],
        method=[{"kind": "latency", "target": "x"}], comparison="concurrent", source="ninelives", windows=windows,
        summary="well", chaos_share=0.3,
    )  # fmt: skip
    assert json.loads(load_run(database, "r1"))["outcome"] == {"budget": costs}
    assert load_run(database, "r2") is None


def test_a_list_does_not_read_the_column_of_bodies(database):
    save(database, "r1")
    parameters = {
        "experiment": "", "environment": "", "since": "1970-01-01", "until": "2100-01-01", "first_page": True,
        "before_ms": 0, "before_id": "", "limit": 5,
    }  # fmt: skip
    with database.client() as client:
        plan = client.query(f"EXPLAIN header = 1 {load_query('runs')}", parameters=parameters).result_rows
    text = "\n".join(line for (line,) in plan)
    assert "experiment String" in text
    assert "body" not in text


def test_runs_come_in_pages_newest_first_also_those_that_began_together(database):
    for number in range(7):
        save(database, f"run.{number}", NOW + SECOND * (number // 2))
    seen, cursor = [], None
    for size in (3, 1, 2, 1):
        page = list_runs(database, limit=size, cursor=cursor)
        assert len(page.runs) == size
        seen += [run.id for run in page.runs]
        cursor = page.next_cursor and RunCursor.parse(str(page.next_cursor))
    assert seen == [f"run.{number}" for number in reversed(range(7))]
    assert cursor is None


@pytest.mark.parametrize("written", ["x", "1", ".r", "-5.r", "1e3.r", "9" * 15 + ".r"])
def test_a_cursor_that_was_not_answered_is_refused(written):
    with pytest.raises(ValueError, match="leave it out for the first page"):
        RunCursor.parse(written)


def test_runs_are_found_by_experiment_environment_and_time(database):
    save(database, "r1", experiment="kill")
    save(database, "r2", NOW + 10 * SECOND, environment="test")
    save(database, "r3", NOW + 20 * SECOND, ended_at=(NOW + 60 * SECOND).isoformat())
    assert ids(database) == ["r3", "r2", "r1"]
    assert (ids(database, experiment="kill"), ids(database, environment="test")) == (["r1"], ["r2"])
    assert ids(database, experiment="kill", environment="test") == []
    assert ids(database, since=NOW + 15 * SECOND) == ["r3"], "r2 was last heard of 4 s before"
    assert ids(database, since=NOW + 61 * SECOND) == []
    assert ids(database, until=NOW + 10 * SECOND) == ["r1"]


def test_runs_that_were_stored_before_there_were_columns_are_listed_too(empty_database):
    migrations = load_migrations()
    before = [migration for migration in migrations if migration.name < "0041"]
    migrate(empty_database, before)
    save(empty_database, "old", verdict="held", status="finished")
    save(empty_database, "odd", NOW - SECOND, services=None, method=None, windows=None, heartbeat_at="?", outcome=[1])
    migrate(empty_database, migrations)
    save(empty_database, "new", NOW + SECOND)
    found = list_runs(empty_database, limit=10).runs
    assert [(run.id, run.verdict, run.services) for run in found] == [
        ("new", "", ["a", "b"]), ("old", "held", ["a", "b"]), ("odd", "", []),
    ]  # fmt: skip
    assert (found[2].heartbeat_at, found[2].method, found[2].chaos_share) == (NOW - SECOND, [], None)


def test_the_first_wish_to_stop_a_run_stays_whatever_its_runner_stores(database):
    assert requested_stop(database, "r1") is None
    first = RunStop("r1", NOW, "Ada", "ops", "the shop is slow")
    request_stop(database, RunStop("r1", NOW + SECOND, "Bob", "", "me too"))
    request_stop(database, first)
    request_stop(database, RunStop("r2", NOW - SECOND, "Eve", "", ""))
    save(database, "r1")
    assert requested_stop(database, "r1") == first
