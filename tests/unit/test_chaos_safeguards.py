"""What ends a run early, and what a run with arms compares; on a clock of its own."""

from datetime import timedelta

import pytest

from api.models import Alert
from chaos.experiments.experiment_file import parse_experiment
from chaos.runner.runner import run_experiment
from tests.unit.chaos_world import START, Api, Clock, Faults

TEXT = """
title: Orders is late
hypothesis:
  - {service: gateway, sli: latency, threshold_ms: 250, margin: 0.05}
method:
  - latency_injection: {target: gateway-orders, latency_ms: 300}
duration_s: 60
"""
SPLIT = f"{TEXT}groups: {{share: 0.3}}\n"


@pytest.fixture
def world(tmp_path):
    clock = Clock()
    faults = Faults(clock)
    api = Api(clock, faults)

    def execute(text, **more):
        experiment = parse_experiment(text, name="orders-late")
        return run_experiment(experiment, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep, **more)

    return api, faults, execute


def broken_s(faults):
    return (faults.ended_at - faults.injected_at).total_seconds()


def test_harm_that_is_certain_ends_the_fault_early_and_is_a_deviation(world):
    """Sixty seconds were planned; a few show that every request is slow."""
    _, faults, execute = world
    run = execute(TEXT)
    assert (run.status, run.verdict) == ("finished", "deviated")
    assert broken_s(faults) < 20
    assert "Ended early: it is certain that a line of the hypothesis is broken" in run.summary
    assert [event.step for event in run.events].count("safeguard") == 1


def test_without_the_safeguard_the_fault_stays_for_its_time(world):
    _, faults, execute = world
    run = execute(f"{TEXT}safeguards: {{abort: false}}\n")
    assert run.verdict == "deviated"
    assert broken_s(faults) == pytest.approx(61, abs=0.3)


def test_arms_of_the_same_minutes_are_compared_and_the_rest_is_left_alone(world):
    """The control arm is as it was; only the treated requests are slow."""
    _, faults, execute = world
    run = execute(SPLIT)
    assert (run.comparison, run.verdict) == ("concurrent", "deviated")
    (finding,) = run.findings
    assert finding.control_bad == 0
    assert finding.treatment_bad == finding.treatment_total > 0
    assert "in the treatment arm" in run.summary
    assert "Before/after" not in run.summary
    assert {check.name for check in run.validity} >= {"fault seen in spans", "sample ratio", "control untouched"}
    assert faults.request.groups.seed == run.groups.seed == run.id


def test_an_incident_that_hits_both_arms_is_not_blamed_on_the_fault(world):
    """Control is as slow as treatment, though nobody touched it: the run ends, and proves nothing."""
    api, faults, execute = world
    api.slow_arms = (None, "treatment", "control")
    run = execute(SPLIT)
    assert (run.status, run.verdict) == ("aborted", "inconclusive")
    assert broken_s(faults) < 20
    assert "something else is wrong" in run.summary


def test_a_service_that_falls_silent_ends_the_run_because_nothing_can_be_evaluated(world):
    """Nobody breaks things with closed eyes."""
    api, faults, execute = world
    api.newest_at, api.slow = START, False
    run = execute(TEXT)
    assert (run.status, run.verdict) == ("aborted", "aborted")
    assert 30 <= broken_s(faults) < 40
    assert "no span of gateway has come for 3" in run.summary


def test_whoever_asks_over_the_api_stops_the_run_within_seconds(world):
    api, faults, execute = world
    asked_at = START + timedelta(seconds=10)
    saving = api.save_run

    def save_run(run):
        api.stopped = "alex (too loud)" if api.clock() >= asked_at else ""
        return saving(run)

    api.save_run = save_run
    api.slow = False
    run = execute(TEXT)
    assert (run.status, run.verdict) == ("aborted", "aborted")
    assert "stopped by alex (too loud)" in run.summary
    assert 10 <= broken_s(faults) <= 13


def firing(service):
    fields = dict.fromkeys(Alert.model_fields) | {
        "id": "a-1", "service": service, "state": "firing", "summary": "checkout fails", "slo_id": "checkout",
        "fired_at": START - timedelta(hours=1), "started_at": START - timedelta(hours=1),
    }  # fmt: skip
    return Alert.model_construct(**fields)


def test_nobody_breaks_what_is_broken_unless_told_to(world):
    api, faults, execute = world
    api.firing = [firing("gateway")]
    refused = execute(TEXT)
    assert refused.status == "failed"
    assert "firing: checkout fails (a-1 of gateway); wait until it is resolved" in refused.summary
    assert faults.injected_at is None
    api.firing = [firing("elsewhere")]
    assert execute(TEXT).status == "finished"


def test_a_firing_alert_may_be_allowed(world):
    api, _, execute = world
    api.firing = [firing("gateway")]
    assert execute(f"{TEXT}safeguards: {{allow_firing: true}}\n").status == "finished"
