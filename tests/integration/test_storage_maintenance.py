"""Maintenance windows are kept as announced, and exclude what they match."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from slo.draft import drafts
from slo.maintenance import Maintenance
from slo.model import Exclusion
from storage.maintenance import exclusions_for, maintenance, save_maintenance

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLO, LATENCY = drafts("checkout", "prod")
MOVE = Maintenance("move-1", NOON, NOON + HOUR, "move; it's big", "ada", "checkout", "", SLO.id, NOON - HOUR)


def test_a_window_comes_back_as_it_was_announced(database):
    save_maintenance(database, MOVE, now=NOON)
    assert maintenance(database) == [MOVE]
    assert maintenance(database, window_id="move-1") == [MOVE]
    assert maintenance(database, window_id="other") == []


def test_a_window_that_was_ended_replaces_what_was_announced(database):
    save_maintenance(database, MOVE, now=NOON)
    ended = replace(MOVE, ended_early_at=NOON + HOUR / 2)
    save_maintenance(database, ended, now=NOON + HOUR)
    assert maintenance(database) == [ended]


def test_only_windows_that_touch_the_asked_time_are_found(database):
    save_maintenance(database, MOVE, now=NOON)
    assert maintenance(database, start=NOON + HOUR) == []
    assert maintenance(database, end=NOON) == []
    assert maintenance(database, start=NOON + HOUR - HOUR / 60, end=NOON + 9 * HOUR) == [MOVE]


def test_an_objective_is_excluded_what_its_windows_reach(database):
    save_maintenance(database, MOVE, now=NOON)
    assert exclusions_for(database, [], NOON + HOUR) == {}
    assert exclusions_for(database, [SLO, LATENCY], NOON + 2 * HOUR) == {
        SLO.id: (Exclusion(NOON, NOON + HOUR, "move; it's big"),)
    }
    assert exclusions_for(database, [LATENCY], NOON + 2 * HOUR) == {}
    assert exclusions_for(database, [SLO], NOON + timedelta(days=31)) == {}
    assert exclusions_for(database, [SLO], NOON) == {}
