"""How long data is kept."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from storage.annotations import annotations
from storage.migrate import migrate
from storage.retention import apply_retention, enforce_disk_budget
from storage.views import ViewSettings

pytestmark = pytest.mark.slow

RAW = ("spans", "trace_index")
METRICS = ("metric_points", "metric_histograms")
ROLLUPS = ("red_1m", "cache_1m", "sli_minutes", "sli_hours")


def definition(database, table):
    return str(database.command(f"SHOW CREATE TABLE {table}"))


def count(database, table):
    return int(database.command(f"SELECT count() FROM {table}"))


def test_the_ttl_of_every_table_follows_the_settings(empty_database):
    migrate(empty_database)
    for days in ((14, 31, 400), (3, 5, 7), (365, 30, 1000)):
        raw, metrics, rollup = days
        apply_retention(empty_database, raw_days=raw, metrics_days=metrics, rollup_days=rollup)
        for tables, wanted in ((RAW, raw), (METRICS, metrics), (ROLLUPS, rollup)):
            for table in tables:
                text = definition(empty_database, table)
                assert f"toIntervalDay({wanted})" in text, table
                assert text.count("TTL") == 1, table


def test_settings_that_hold_already_change_nothing(empty_database, monkeypatch):
    migrate(empty_database)
    apply_retention(empty_database, raw_days=9, metrics_days=8, rollup_days=90)
    statements = []
    real = empty_database.command
    monkeypatch.setattr(empty_database, "command", lambda sql, *args: (statements.append(sql), real(sql, *args))[1])
    apply_retention(empty_database, raw_days=9, metrics_days=8, rollup_days=90)
    assert statements
    assert all(statement.startswith("SHOW CREATE") for statement in statements)


def test_a_longer_retention_admits_older_spans(empty_database, store, otlp):
    migrate(empty_database)
    old = otlp.traces(otlp.span(start_ns=otlp.ago_ns(days=40)))
    store(empty_database, old)
    apply_retention(empty_database, raw_days=60, metrics_days=60, rollup_days=400)
    migrate(empty_database, settings=ViewSettings(raw_days=60))
    store(empty_database, old)
    assert int(empty_database.command("SELECT countIf(quarantined) FROM spans")) == 1
    assert int(empty_database.command("SELECT countIf(NOT quarantined) FROM spans")) == 1


def spread(database, store, otlp, now, days):
    """Store incompressible spans on each of the last *days* days, in one insert."""
    spans = [
        otlp.span(f"day {day}", start_ns=otlp.ns(now - timedelta(days=day)), attributes={"noise": noise(day, n)})
        for day in range(days)
        for n in range(20)
    ]
    store(database, otlp.traces(*spans))


def noise(*seed):
    return random.Random(str(seed)).randbytes(2000).hex()


def stored_days(database):
    with database.client() as client:
        return {row[0] for row in client.query("SELECT DISTINCT name FROM spans").result_rows}


def test_the_disk_budget_drops_the_oldest_days_and_says_so(database, store, otlp):
    now = datetime.now(UTC)
    spread(database, store, otlp, now, days=5)
    total = int(database.rows("disk_total")[0]["bytes"])
    sizes = [int(row["bytes"]) for row in database.rows("disk_days")]
    assert len(sizes) == 5
    assert enforce_disk_budget(database, total, now=now) == []
    dropped = enforce_disk_budget(database, total - sizes[0] - 1, now=now)
    assert dropped == [(now - timedelta(days=days)).date() for days in (4, 3)]
    assert stored_days(database) == {"day 0", "day 1", "day 2"}
    assert int(database.command("SELECT sum(spans) FROM trace_index")) == 60
    notes = annotations(database, start=now - timedelta(days=30), end=now)
    assert [note.started_at.date() for note in notes] == sorted(dropped)
    assert all(note.kind == "retention" and "disk budget" in note.title for note in notes)
    assert all(note.ended_at - note.started_at == timedelta(days=1) for note in notes)


def test_today_stays_however_small_the_budget(database, store, otlp):
    now = datetime.now(UTC)
    spread(database, store, otlp, now, days=2)
    assert enforce_disk_budget(database, 0, now=now) == [(now - timedelta(days=1)).date()]
    assert stored_days(database) == {"day 0"}
    assert enforce_disk_budget(database, 0, now=now) == []


def test_rollups_outlive_the_spans_that_the_budget_dropped(database, store, otlp):
    now = datetime.now(UTC)
    spread(database, store, otlp, now, days=2)
    enforce_disk_budget(database, 0, now=now)
    assert count(database, "spans") == 20
    assert int(database.command("SELECT sum(requests) FROM red_1m")) == 40
