"""What is refused before anything is broken: budgets, blast radius, cost, a locked daemon. Faults come all or none."""

from datetime import timedelta

import pytest

from api.models import EdgeEffect, Slo, SloSides
from chaos.errors import FaultDaemonError, RunRefusedError
from chaos.experiments.experiment_file import parse_experiment
from chaos.runner import checks, cost
from chaos.runner.ending import EndedEarlyError
from chaos.runner.injection import Injection
from chaos.runner.runner import preflight, run_experiment
from chaos.runner.victims import TargetProblemError, Victim, find_victims
from chaos.wire import EmergencyStopState, FaultRequest, FaultState, ProcessTarget, ProxyTarget, TargetList
from tests.unit.chaos_world import START, Api, Clock, Faults

LINE = "{service: gateway, sli: availability, margin: 0.02}"
LATENCY = "{latency_injection: {target: gateway-orders, latency_ms: 300}}"


def experiment(more="", method=LATENCY):
    return parse_experiment(f"{{title: t, hypothesis: [{LINE}], method: [{method}], {more}}}", name="x")


def slo(left, *, total=100_000, objective=0.99, service="gateway"):
    fields = dict.fromkeys(Slo.model_fields) | {
        "id": f"{service}-availability", "service": service, "environment": "prod", "objective": objective,
        "total": total, "error_budget_remaining": left, "kind": "availability",
    }  # fmt: skip
    return Slo.model_construct(**fields)


@pytest.fixture
def world(tmp_path):
    clock = Clock()
    faults = Faults(clock)
    api = Api(clock, faults, slow=False)

    def execute(more=""):
        found = experiment(more)
        return run_experiment(found, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep)

    return api, faults, execute


def refusal(run, faults):
    assert (run.status, run.verdict) == ("failed", None)
    assert faults.injected_at is None
    return run.summary


def test_a_budget_below_its_floor_is_not_spent_on_experiments(world):
    api, faults, execute = world
    api.objectives = [slo(0.09)]
    assert "9.0% left, 10% must be" in refusal(execute(), faults)
    api.objectives = [slo(0.11)]
    assert execute().status == "finished"


def test_a_floor_may_be_lowered_and_counts_only_for_services_that_are_hurt(world):
    api, _, execute = world
    api.objectives = [slo(0.09), slo(-3.0, service="blog")]
    assert execute("safeguards: {budget_floor: 0.05}").status == "finished"


def test_a_service_beyond_the_blast_radius_refuses(world):
    _, faults, execute = world
    text = "blast_radius: {services: [gateway]}"
    assert "may hurt orders, which blast_radius.services does not list (gateway)" in refusal(execute(text), faults)
    assert execute("blast_radius: {services: [gateway, orders]}").status == "finished"


def test_a_caller_of_a_caller_is_within_the_radius_too(world):
    api, faults, execute = world
    fields = dict.fromkeys(EdgeEffect.model_fields, 0) | {"client": "web", "server": "gateway", "note": ""}
    api.called = [EdgeEffect(**fields)]
    assert "may hurt web" in refusal(execute("blast_radius: {services: [gateway, orders]}"), faults)


def test_a_cost_beyond_its_limit_refuses_and_a_smaller_share_may_go(world):
    """20 requests a second for 30 s are 600 bad ones at worst; the budget is 1,000."""
    api, faults, execute = world
    api.objectives = [slo(1.0)]
    text = "blast_radius: {budget_cost: 0.5}"
    assert "at worst 60.00% of the budget of gateway-availability" in refusal(execute(text), faults)
    assert execute(f"{text}, groups: {{share: 0.4}}").status == "finished"


def test_a_stopped_daemon_refuses_and_says_who_stopped_it(world):
    _, faults, execute = world
    faults.lock = EmergencyStopState(locked=True, at=START, by="alex", reason="sale")
    found = refusal(execute(), faults)
    assert "everything was stopped by alex: sale; release it with 'ninelives chaos stop --release'" in found


def test_a_preflight_says_all_of_it_and_breaks_nothing(world):
    api, faults, _ = world
    api.objectives, api.rate = [slo(0.05)], 0
    faults.lock = EmergencyStopState(locked=True)
    found = preflight(experiment(), api, faults, now=START)
    assert not found.runnable
    failed = {check.name for check in found.checks if check.blocks and not check.ok}
    assert failed >= {"emergency stop", "traffic of gateway", "budget of gateway-availability"}
    assert faults.injected_at is None


def test_too_few_samples_are_told_with_the_time_that_would_do_and_do_not_block():
    found = checks.samples(experiment("duration_s: 10"), "gateway", 60, 60.0)
    assert (found.ok, found.blocks) == (False, False)
    assert "a duration_s of 100 would do" in found.detail


@pytest.mark.parametrize(("left", "total"), [(None, 0), (None, 100), (1.0, 0)])
def test_an_objective_without_events_has_no_budget_to_lose(left, total):
    found = cost.predict(slo(left, total=total), requests=60, seconds=60.0, duration_s=30.0, share=1.0, reached=1.0)
    assert found.predicted_share is None
    assert checks.within_cost([found], 0.0).ok


def test_a_cost_is_what_the_control_side_does_not_explain():
    """Of 1,000 requests 60 were bad; two of a hundred were so anyway: 20 are nobody's experiment."""
    fields = dict.fromkeys(SloSides.model_fields, 0) | {
        "slo_id": "s", "total": 1000, "bad": 60, "control_total": 100, "control_bad": 2, "budget_events": 200.0,
    }  # fmt: skip
    found = cost.spent(SloSides.model_construct(**fields), predicted=0.5)
    assert (found.organic_bad, found.chaos_bad, found.chaos_share, found.organic_share) == (20, 40, 0.2, 0.1)


def test_a_fault_behind_an_edge_reaches_as_many_requests_as_call_it():
    victim = Victim("latency", "gateway-orders", "gateway", "orders")
    fields = dict.fromkeys(EdgeEffect.model_fields) | {
        "client": "gateway", "server": "orders", "control_calls": 0, "control_errors": 0, "treatment_calls": 30,
        "treatment_errors": 0, "calls_per_request_treatment": 0.3, "note": "",
    }  # fmt: skip
    edge = EdgeEffect(**fields)
    assert [cost.reach(name, [victim], [edge]) for name in ("gateway", "orders", "web")] == [0.3, 1.0, 1.0]
    assert cost.reach("gateway", [victim] * 4, [edge]) == 1.0


class TwoFaults:
    """A daemon that refuses the fault on *bad*, with *status* or without an answer."""

    def __init__(self, bad, status=409):
        self.bad, self.status, self.active, self.reverted = bad, status, [], []

    def inject(self, request):
        if request.target == self.bad:
            raise FaultDaemonError(f"the fault daemon refuses: no {request.target}", self.status)
        self.active.append(request.target)
        return self._state(request.target, "active")

    def revert(self, fault_id):
        self.reverted.append(fault_id)
        self.active.remove(fault_id)
        return self._state(fault_id, "reverted", ended_by="request", ended_at=START)

    def _state(self, target, phase, **more):
        return FaultState(
            id=target, kind="latency", target=target, attributes={}, lease_ms=10_000, expires_in_ms=0, phase=phase,
            injected_at=START + timedelta(seconds=1), **more,
        )  # fmt: skip


def requests(*targets):
    return [
        FaultRequest(kind="latency", target=target, attributes={"latency": 9}, lease_ms=10_000) for target in targets
    ]


@pytest.mark.parametrize(("status", "more"), [(409, ""), (0, "its lease of 10 s ends it")])
def test_a_second_fault_that_is_refused_takes_the_first_one_back(status, more):
    daemon = TwoFaults("b", status)
    with pytest.raises(RunRefusedError, match=f"no b.*{more}"):
        Injection(daemon, requests("a", "b", "c"), 10, Clock()).start()
    assert (daemon.active, daemon.reverted) == ([], ["a"])


def test_all_faults_are_reverted_the_last_one_first():
    daemon, clock = TwoFaults("none"), Clock()
    injection = Injection(daemon, requests("a", "b"), 10, clock)
    clock.sleep(2)
    injection.start()
    assert [state.id for state in injection.end()] == ["a", "b"]
    assert daemon.reverted == ["b", "a"]


def test_a_fault_that_ended_by_its_lease_before_its_time_is_told():
    daemon = TwoFaults("none")
    injection = Injection(daemon, requests("a"), 10, Clock())
    injection.start()
    daemon.revert = lambda fault_id: daemon._state(fault_id, "reverted", ended_by="lease", ended_at=START)
    with pytest.raises(EndedEarlyError, match="the fault on a ended before its time, by lease"):
        injection.end()


PROXY = {"name": "gateway-orders", "listen": "", "upstream": "", "client": "gateway", "server": "orders"}
HTTP = "{service_failure: {target: gateway-orders, mode: http_errors, status: 503}}"
KILL = "{service_failure: {target: orders}}"


@pytest.mark.parametrize(
    ("more", "method", "proxy", "reason"),
    [
        ("", LATENCY, {"client": ""}, "has no client and server in the targets file"),
        ("groups: {share: 0.3}", LATENCY, {}, "sees bytes, not requests, so it cannot treat some of them"),
        ("", HTTP, {}, "set `protocol: http` for HTTP errors"),
        ("", LATENCY, {"name": "other"}, r"no proxy 'gateway-orders' \(known: other\)"),
        ("", KILL, {}, "process orders is not running"),
    ],
)
def test_a_target_that_cannot_be_hit_in_this_way_is_refused_with_the_remedy(more, method, proxy, reason):
    process = ProcessTarget(name="orders", service="orders", running=False)
    targets = TargetList(proxies=[ProxyTarget(**PROXY | proxy)], processes=[process])
    with pytest.raises(TargetProblemError, match=reason):
        find_victims(experiment(more, method), targets)


def test_a_process_hits_its_service_and_whoever_calls_it_through_a_proxy():
    process = ProcessTarget(name="orders-1", service="orders", running=True)
    targets = TargetList(proxies=[ProxyTarget(**PROXY)], processes=[process])
    found = find_victims(experiment("", "{service_failure: {target: orders-1}}"), targets)
    assert found == [Victim("kill", "orders-1", "gateway", "orders")]
