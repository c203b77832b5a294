"""What a run did beyond its verdict, as its end collects it."""

import pytest

from api.models import CacheEffect, EdgeEffect, ServedVersion, Slo, SloSides
from chaos.experiments.experiment_file import parse_experiment
from chaos.runner.outcome import judged
from chaos.runner.runner import run_experiment
from tests.unit.chaos_world import Api, Clock, Faults

TEXT = """
title: Orders is late
hypothesis: [{service: gateway, sli: latency, threshold_ms: 250, margin: 0.05}]
method: [{latency_injection: {target: gateway-orders, latency_ms: 300}}]
groups: {share: 0.5}
safeguards: {abort: false}
"""
OBJECTIVE = Slo.model_construct(
    **dict.fromkeys(Slo.model_fields)
    | {
        "id": "gateway-latency", "service": "gateway", "environment": "", "objective": 0.99, "total": 1_000_000,
        "error_budget_remaining": 1.0, "kind": "latency",
    }
)  # fmt: skip


def edge(**change):
    counts = {"control_calls": 100, "control_errors": 0, "treatment_calls": 100, "treatment_errors": 0}
    calls = {"calls_per_request_control": 1.0, "calls_per_request_treatment": 1.0}
    fields = dict.fromkeys(EdgeEffect.model_fields) | {"client": "gateway", "server": "orders", "note": ""}
    return EdgeEffect(**fields | counts | calls | change)


class World(Api):
    """Twelve bad events of the objective; one that nobody predicted a cost of is left out."""

    def budget_effects(self, services, **_):
        assert services == ["gateway"]
        blank = dict.fromkeys(SloSides.model_fields, 0)
        counts = {"total": 600, "bad": 12, "control_total": 300, "control_bad": 3, "budget_events": 100.0}
        return [
            SloSides.model_construct(**blank | {"slo_id": name} | counts) for name in ("gateway-latency", "made-since")
        ]

    def exemplars(self, service, *, arm=None, **_):
        return [f"{service}-{arm}"]

    def cache_effects(self, **_):
        return [CacheEffect(service="orders", cache="c", control_ratio=0.9, treatment_ratio=0.2)]

    def versions(self, *, service, **_):
        blank = dict.fromkeys(ServedVersion.model_fields)
        return [ServedVersion.model_construct(**blank | {"service": service, "version": "1.2", "requests": 9})]


def test_costs_traces_caches_versions_and_recovery_are_in_the_run(tmp_path):
    clock = Clock()
    faults = Faults(clock)
    api = World(clock, faults)
    api.objectives, api.called = [OBJECTIVE], [edge(treatment_errors=60)]
    experiment = parse_experiment(TEXT, name="late")
    run = run_experiment(experiment, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep)
    (cost,) = run.outcome.budget
    (predicted,) = run.preflight.predicted
    assert (cost.slo_id, cost.organic_bad, cost.chaos_bad, cost.chaos_share) == ("gateway-latency", 6, 6, 0.06)
    assert cost.predicted_share == predicted.predicted_share == pytest.approx(20 * 30 * 0.5 / 10_000)
    assert run.outcome.exemplars == {"treatment": ["gateway-treatment"], "control": ["gateway-control"]}
    assert run.outcome.caches[0].treatment_ratio == 0.2
    assert run.outcome.versions["gateway"] == ["1.2"]
    assert run.outcome.recovered_after_s == 0
    assert run.outcome.propagation[0].note == "more errors"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({}, ""),
        ({"treatment_errors": 2}, ""),
        ({"control_errors": 60}, "fewer errors"),
        ({"calls_per_request_treatment": 1.1}, ""),
        ({"calls_per_request_treatment": 3.0}, "more calls, as retries make: 1.00 to 3.00 a request"),
        ({"control_calls": 4, "treatment_calls": 6, "calls_per_request_treatment": 1.5}, ""),
        ({"calls_per_request_treatment": 0.5}, "fewer calls: 1.00 to 0.50 a request"),
        ({"control_calls": 0, "calls_per_request_control": None}, "called on one side only"),
    ],
)
def test_an_edge_says_what_stands_out_and_nothing_where_it_is_noise(change, note):
    assert judged(edge(**change)).note == note
