"""The SLI of objectives day by day."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.sli_minutes import SliMinute, write_minutes
from storage.sli_trend import DAYS, daily_slis
from tests.integration.test_storage_standing import objective

NOW = datetime(2026, 3, 10, 12, 34, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)


def write(database, slo, *counts):
    """Store (minute, good, total) of *slo*, and of a group of it, which must not be counted twice."""
    rows = [
        SliMinute(slo.indicator.series_id, minute, good, total, total, group)
        for minute, good, total in counts
        for group in ("", '{"route":"/"}')
    ]
    write_minutes(database, rows, revision=1)


def test_days_are_those_of_utc_the_oldest_first_and_today_last(database):
    slo = objective()
    minute = timedelta(minutes=1)
    write(
        database,
        slo,
        (MIDNIGHT - DAYS * timedelta(days=1), 0, 7),  # a day too old
        (MIDNIGHT - (DAYS - 1) * timedelta(days=1), 3, 4),
        (MIDNIGHT - minute, 1, 2),
        (MIDNIGHT - timedelta(days=1), 2, 2),
        (MIDNIGHT, 0, 5),
    )
    found = daily_slis(database, [slo], NOW)["a"]
    assert len(found) == DAYS
    assert found[0] == pytest.approx(3 / 4)
    assert found[-2] == pytest.approx(3 / 4)
    assert found[-1] == 0
    assert found[1:-2] == [None] * (DAYS - 3)


def test_an_objective_without_events_has_days_without_an_sli(database):
    assert daily_slis(database, [objective()], NOW) == {"a": [None] * DAYS}
    assert daily_slis(database, [], NOW) == {}
