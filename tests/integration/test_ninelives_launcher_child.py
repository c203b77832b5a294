"""A started experiment is a process of its own, whose run the API knows; here one that its pre-flight refuses."""

import pytest

from ninelives.launcher import Launcher
from ninelives.settings import load_settings
from tests.integration.chaos_api import api_over

pytestmark = pytest.mark.slow  # a whole process

EXPERIMENT = """
title: Orders is late
hypothesis: [{service: gateway, sli: availability, margin: 0.01}]
method: [{latency_injection: {target: gateway-orders, latency_ms: 300}}]
"""


def test_a_refused_run_is_on_record_with_its_reasons_and_its_exit_code(database, tmp_path):
    (tmp_path / "late.yaml").write_text(EXPERIMENT, "utf-8")
    with api_over(database) as api:
        address = api.base_url.removeprefix("http://")
        settings = load_settings({"api": address, "faults": "127.0.0.1:9", "data": tmp_path / "data"})
        launcher = Launcher(settings, [tmp_path], token="")
        run_id = launcher.start("late", "")
        assert launcher._running.process.wait(60) == 4
        run = api.run(run_id)
        log = (tmp_path / "data" / "chaos" / "logs" / f"{run_id}.log").read_text("utf-8")
        refused = launcher.preflight("late")
    assert (run.status, run.verdict, run.experiment) == ("failed", None, "late")
    assert "cannot reach the fault daemon at http://127.0.0.1:9" in run.summary
    assert "service gateway has had no request" in run.summary
    assert f"verdict: failed ({run_id})" in log
    assert not refused.runnable
    assert {check.name for check in refused.checks if not check.ok} >= {"fault daemon", "traffic of gateway"}
