"""Forecasts from stored minutes, with time that was excluded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from slo.draft import drafts
from slo.forecast import Scenario
from slo.maintenance import Maintenance
from slo.model import Exclusion
from storage.forecasts import forecasts
from storage.maintenance import save_maintenance
from storage.sli_minutes import SliMinute, write_minutes

MINUTE = timedelta(minutes=1)
END = datetime(2026, 3, 1, 12, tzinfo=UTC)
AVAILABILITY = drafts("checkout", "prod")[0]


@pytest.mark.parametrize("first", [41, 43], ids=["whole steps of five minutes", "steps that maintenance cuts"])
def test_maintenance_does_not_thin_out_what_failed_before_and_after_it(database, first):
    """Ten a minute of which one fails; nothing, and then everything, failed in the half hour of maintenance."""
    maintenance = Exclusion(END - first * MINUTE, END - (first - 30) * MINUTE, "new disks")
    minutes = [
        SliMinute(AVAILABILITY.indicator.series_id, at, 0 if maintenance.start <= at < maintenance.end else 9, 10, 1)
        for at in (END - n * MINUTE for n in range(1, 121))
    ]
    write_minutes(database, minutes, revision=1)
    slo = replace(AVAILABILITY, exclusions=(maintenance,))
    scenarios = [Scenario("last 1 h", timedelta(hours=1)), Scenario("last 6 h", timedelta(hours=6))]
    for found in forecasts(database, slo, end=END, scenarios=scenarios):
        assert (found.bad_per_minute, found.total_per_minute) == (1, 10), found.scenario
    bare = forecasts(database, AVAILABILITY, end=END, scenarios=scenarios[:1])
    assert bare[0].bad_per_minute == (30 + 30 * 10) / 60


def test_maintenance_that_was_announced_is_left_out_like_that_of_the_objectives_own_file(database):
    begun, over = END - 40 * MINUTE, END - 10 * MINUTE
    announced = Maintenance("m1", begun, over, "new disks", "ops", "checkout", "", "", begun)
    save_maintenance(database, announced, now=begun)
    series = AVAILABILITY.indicator.series_id
    moments = [END - n * MINUTE for n in range(1, 61)]
    write_minutes(
        database, [SliMinute(series, at, 0 if begun <= at < over else 9, 10, 1) for at in moments], revision=1
    )
    (found,) = forecasts(database, AVAILABILITY, end=END, scenarios=[Scenario("last 1 h", timedelta(hours=1))])
    assert (found.bad_per_minute, found.total_per_minute) == (1, 10)
