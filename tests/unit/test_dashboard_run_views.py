"""Runs of chaos experiments: status, verdict and findings."""

import re
from datetime import timedelta

import pytest

from api import models as m
from dashboard.views import looks, run_verdict, runs
from tests.unit.dashboard_models import ATTACK, NOW, read, run


def test_a_run_that_stopped_reporting_is_aborted_not_running():
    silent = run(status="running", verdict=None, ended_at=None, heartbeat_at=NOW - timedelta(seconds=31))
    alive = run(status="running", verdict=None, ended_at=None, heartbeat_at=NOW - timedelta(seconds=29))
    assert looks.run_status(silent, NOW) == "aborted"
    assert looks.run_status(alive, NOW) == "running"
    assert [item.id for item in runs.newest_first([run("done"), alive], NOW)] == ["r", "done"]


@pytest.mark.parametrize("verdict", list(looks.VERDICTS))
def test_every_verdict_is_a_word_with_a_sign(verdict):
    look = looks.VERDICTS[verdict]
    assert f"{look.icon} {look.word}" in re.sub(r"\s+", " ", read(looks.run(run(verdict=verdict), NOW)).text)


def test_a_finding_shows_both_arms_the_interval_and_the_margin():
    finding = m.Finding(
        hypothesis=ATTACK,
        service="checkout",
        sli="availability",
        verdict="inconclusive",
        control_bad=0,
        control_total=0,
        treatment_bad=5,
        treatment_total=100,
        difference=None,
        interval_low=-0.01,
        interval_high=0.02,
        margin=0.001,
        confidence=0.95,
        control_p95_ms=None,
        treatment_p95_ms=413.0,
        reason="too few",
    )
    reader = read(run_verdict.findings([finding]))
    for expected in ("no data", "5 bad of 100", "95 % CI -1.00 pp to +2.00 pp", "+0.10 pp", "413 ms", "Inconclusive"):
        assert expected in reader.text
    assert "img" not in reader.tags
