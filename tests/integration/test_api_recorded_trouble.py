"""Which runs of experiments count as trouble of an objective, by the environment of both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api import models as m
from api.recorded_trouble import recorded_trouble
from storage.runs import save_run
from tests.integration.slo_past import DAY, MINUTE, last_minute, objective, slo_of_text


@pytest.fixture
def deviated(database):
    """A deviated run of the service in each environment, named after it; return the time of their end."""
    end = last_minute()
    for environment in ("", "prod", "test"):
        window = m.RunWindow(phase="fault", started_at=end - 10 * MINUTE, ended_at=end)
        run = m.Run(
            id=f"r-{environment}", experiment="e", title=environment or "any", status="finished", verdict="deviated",
            started_at=window.started_at, ended_at=end, heartbeat_at=end, services=["shop"], windows=[window],
            environment=environment,
        )  # fmt: skip
        save_run(database, run.id, run.model_dump_json(), started_at=run.started_at, now=end)
    return end + timedelta(seconds=1)


@pytest.mark.parametrize(("environment", "titles"), [("prod", ["any", "prod"]), (None, ["any", "prod", "test"])])
def test_a_run_counts_where_its_requests_can_be_events_of_the_objective(database, deviated, environment, titles):
    """An objective over all environments has the requests of each of them."""
    slo = slo_of_text(objective())
    slo = replace(slo, environment=environment or "", indicator=replace(slo.indicator, environment=environment))
    found = recorded_trouble(database, slo, deviated - DAY, deviated)
    assert [item.title for item in found] == titles
