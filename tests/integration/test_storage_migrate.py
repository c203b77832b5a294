"""Migrations from zero, and every query on what they made."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

import pytest

from storage.client import load_query
from storage.comparison import SIDE_SQL, times_sql
from storage.errors import DECODE_ERROR_CODES, DatabaseError, MigrationError
from storage.migrate import load_migrations, migrate, pending, plan
from storage.migration import Migration
from storage.views import CacheAttribute, ViewSettings, load_views

pytestmark = pytest.mark.slow

PIECES = {"metric_group_labels", "metric_with_attributes"}  # no queries by themselves, but within others
QUERIES = sorted(
    file.name.removesuffix(".sql")
    for file in resources.files("storage").joinpath("queries").iterdir()
    if file.name.endswith(".sql") and file.name.removesuffix(".sql") not in PIECES
)
SLOTS = {
    "times": "toStartOfMinute(ts) IN (SELECT minute FROM arrivals)",
    "labels": "[toString(http_route)]",
    "label": "if(m.group_index = 0, [], s.grouped[m.group_index])",
    "counted": load_query("count_sli_minutes"),
    "rollup_labels": "[toString(http_route)]",
    "rollup_label": "if(m.group_index = 0, [], s.grouped[m.group_index])",
    "rollup_predicates": "name = 'a', kind = 'server'",
    "predicates": "error, duration_ns > 5",
    "filter": "true",
    "good": "NOT error",
    "hours": "(SELECT minute FROM arrivals)",
    "series": "(SELECT series FROM sli_series)",
    "table": "sli_hours",
    "at": "hour",
    "points": "metric_points",
    "value": "value",
    "exact_int": "exact_int",
    "delta": "0",
    "which": "true",
    "overflows": "series_id IN (SELECT series_id FROM metric_series WHERE origin_id = 0)",
    "selected": load_query("metric_selected"),
    "series_selected": load_query("count_selected"),
    "series_near": "metric IN {metrics:Array(String)} AND service IN {services:Array(String)}",
    "increases": load_query("metric_increases"),
    "selected_ids": load_query("metric_selected").replace("/*group_labels*/", ""),
    "group_labels": load_query("metric_group_labels"),
    "with_attributes": load_query("metric_with_attributes"),
    "known": load_query("metric_selected").replace("{start_ns:Int64}", "{seen_since_ns:Int64}"),
    "values": load_query("metric_group_values"),
    "group_value": "v.max_value",
    "spans": "spans",
    "log": "notifications",
    "side": SIDE_SQL,
    "answer_times": times_sql(after_s=300),
}
VALUES = {
    "String": "ab" * 16,
    "Bool": True,
    "UInt8": 4,
    "UInt32": 60,
    "UInt64": 7,
    "Int64": 1_769_860_800_000_000_000,
    "Int256": 9,
    "Float64": 0.5,
    "DateTime('UTC')": "2026-01-31 12:00:00",
    "Tuple(DateTime('UTC'), DateTime('UTC'))": ("2026-01-31 12:00:00", "2026-01-31 13:00:00"),
    "DateTime64(3, 'UTC')": "2026-01-31 12:00:00.123",
    "DateTime64(9, 'UTC')": "2026-01-31 12:00:00.123456",
}


def value_of(kind):
    inner = re.fullmatch(r"Array\((.*)\)", kind)
    return [value_of(inner.group(1))] if inner else VALUES[kind]


def filled(text):
    """Return a query with its slots filled; what fills them may have slots of its own."""
    while found := re.search(r"/\*(\w+)\*/", text):
        text = text.replace(found.group(), SLOTS[found.group(1)])
    return text


def test_from_zero_every_migration_is_applied_once_and_in_order(empty_database):
    names = [migration.name for migration in load_migrations()]
    assert names == sorted(names)
    assert [int(name.partition("_")[0]) for name in names] == list(range(1, len(names) + 1))
    views = [view.name for view in load_views(ViewSettings())]
    assert [step.name for step in plan(empty_database)] == [*names, *views], "a plan changes nothing"
    assert migrate(empty_database) == [*names, *views]
    assert migrate(empty_database) == []
    assert pending(empty_database, load_migrations()) == []
    assert plan(empty_database) == []


def test_views_are_made_anew_when_a_setting_changes_their_text(empty_database, store, otlp):
    migrate(empty_database)
    store(empty_database, otlp.traces(otlp.span(attributes={"cache.hit": True, "my.cache": "found"})))
    settings = ViewSettings(cache=CacheAttribute("my.cache", hits=("found",), misses=("lost",)), sampling={"shop": 3})
    assert "11_spans_mv" in [step.name for step in plan(empty_database, settings)]
    assert "11_spans_mv" in migrate(empty_database, settings=settings)
    assert migrate(empty_database, settings=settings) == []
    for outcome in ("found", "lost", "else"):
        store(empty_database, otlp.traces(otlp.span(outcome, attributes={"my.cache": outcome})))
    with empty_database.client() as client:
        found = client.query("SELECT cache_hit, weight FROM spans ORDER BY name != 'found', name DESC").result_rows
    assert sorted(found) == [(-1, 3), (0, 3), (1, 1), (1, 3)], "what is stored stays as it was counted"


def test_while_the_views_are_made_the_doors_are_shut_and_the_insert_can_be_tried_again(empty_database, store, otlp):
    migrate(empty_database)
    views = load_views(ViewSettings())
    doors = [view for view in views if view.sql.count("throwIf(")]
    assert {view.name.partition("_")[2] for view in doors} >= {"otlp_traces", "otlp_metrics"}
    empty_database.command("DROP TABLE otlp_traces SYNC")
    with pytest.raises(DatabaseError, match="otlp_traces") as missing:
        store(empty_database, otlp.traces(otlp.span()), token="once")
    empty_database.command(next(view.sql for view in doors if view.name.endswith("otlp_traces")))
    with pytest.raises(DatabaseError, match="are being created") as shut:
        store(empty_database, otlp.traces(otlp.span()), token="once")
    assert not {missing.value.code, shut.value.code} & DECODE_ERROR_CODES, "the writer keeps the segment whole"
    empty_database.command("DROP VIEW views_checksum")
    migrate(empty_database)
    store(empty_database, otlp.traces(otlp.span()), token="once")
    assert int(empty_database.command("SELECT count() FROM spans")) == 1


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(empty_database):
    first, second = (Migration(f"000{n}_create_t{n}", f"CREATE TABLE t{n} (a UInt8) ENGINE = Null") for n in (1, 2))
    migrate(empty_database, [first])
    changed = replace(first, sql=first.sql + " -- changed")
    with pytest.raises(MigrationError, match="0001_create_t1 was changed"):
        migrate(empty_database, [changed, second])
    assert migrate(empty_database, [first, second]) == [second.name], "nothing was applied before the refusal"


def test_a_database_of_a_newer_version_is_refused(empty_database):
    known = Migration("0001_create_t", "CREATE TABLE t (a UInt8) ENGINE = Null")
    migrate(empty_database, [known])
    with pytest.raises(MigrationError, match="does not know: use the newer version"):
        migrate(empty_database, [])


def test_a_migration_that_fails_is_named_and_the_ones_before_it_stay(empty_database):
    good = Migration("0001_create_t", "CREATE TABLE t (a UInt8) ENGINE = Null")
    bad = Migration("0002_create_u", "CREATE TABLE u (a NoSuchType) ENGINE = Null")
    with pytest.raises(MigrationError, match="0002_create_u failed"):
        migrate(empty_database, [good, bad])
    fixed = replace(bad, sql="CREATE TABLE u (a UInt8) ENGINE = Null")
    assert migrate(empty_database, [good, fixed]) == ["0002_create_u"]


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_runs_on_an_empty_database(database, name):
    """Parameters come from the query's own text, so a new query is tested as soon as its file is there."""
    text = filled(load_query(name))
    parameters = {parameter: value_of(kind) for parameter, kind in re.findall(r"\{(\w+):([^}]+)\}", text)}
    with database.client() as client:
        rows = client.query(text, parameters=parameters).result_rows
    assert len(rows) <= 1, "only totals answer from nothing"


def test_times_come_back_in_utc_with_their_zone(database):
    database.insert(
        "sli_minutes",
        [(1, "", datetime(2026, 1, 31, 12, tzinfo=UTC), 1, 0, 1)],
        ["series", "grp", "minute", "good", "bad", "revision"],
    )
    parameters = {"series": 1, "start": "2026-01-31 00:00:00", "end": "2026-02-01 00:00:00", "step_s": 60}
    parameters |= {"whole_hours": False, "edges": []}
    (row,) = database.rows("sli_steps", parameters)
    assert row["at"].isoformat() == "2026-01-31T12:00:00+00:00"


def test_what_the_engine_refuses_comes_out_with_its_code(database):
    with pytest.raises(DatabaseError, match="no_such_table") as failure:
        database.command("SELECT * FROM no_such_table")
    assert failure.value.code == 60
