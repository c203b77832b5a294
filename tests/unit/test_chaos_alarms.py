"""Alerts that a fault should raise are part of the hypothesis; others that it raises are told."""

from datetime import timedelta

import pytest

from api.models import Alert
from chaos.experiments.experiment_file import parse_experiment
from chaos.runner.runner import run_experiment
from tests.unit.chaos_world import START, Api, Clock, Faults

METHOD = "method: [{latency_injection: {target: gateway-orders, latency_ms: 300}}]"
TEXT = f"{{title: t, hypothesis: [{{alert: gateway-availability, within_s: 60}}], {METHOD}}}"
LINES = (
    "{title: t, hypothesis: [{service: gateway, sli: availability, margin: 0.02}, {alert: gateway-availability,"
    f" within_s: 60}}], {METHOD}}}"
)


def alert(after_s, *, slo_id="gateway-availability", service="gateway", rule="", alert_id="a-1"):
    """An alert that fires so long after the injection, which is half a minute and a second after the start."""
    at = START + timedelta(seconds=31 + after_s)
    fields = dict.fromkeys(Alert.model_fields) | {
        "id": alert_id, "service": service, "state": "firing", "summary": "s", "slo_id": slo_id, "rule": rule,
        "fired_at": at, "started_at": at,
    }  # fmt: skip
    return Alert.model_construct(**fields)


class Pager(Api):
    """An alert is known from the moment in which it fires."""

    def __init__(self, *parts, **more):
        super().__init__(*parts, since=START - timedelta(seconds=4), **more)
        self.pages = []

    def alerts(self, *, state="", since=None):
        self._up()
        return [] if since is None else [page for page in self.pages if page.fired_at <= self.clock()]


@pytest.fixture
def world(tmp_path):
    clock = Clock()
    faults = Faults(clock)
    api = Pager(clock, faults)

    def execute(text=TEXT):
        experiment = parse_experiment(text, name="page-comes")
        run = run_experiment(experiment, api, faults, data_dir=tmp_path, clock=clock, sleep=clock.sleep)
        assert run.status == "finished", run.summary
        assert (faults.injected_at - START).total_seconds() == pytest.approx(31)
        return run

    return api, execute


def test_an_alert_that_comes_in_time_holds_and_says_how_fast(world):
    api, execute = world
    api.pages = [alert(12)]
    run = execute()
    (found,) = run.outcome.alerts
    assert (run.verdict, found.expected, found.fired, found.alert_id) == ("held", True, True, "a-1")
    assert found.after_s == pytest.approx(12, abs=0.5)
    assert "The alert gateway-availability fired after 12 s, as expected." in run.summary


def test_an_alert_that_is_still_to_come_is_waited_for(world):
    """Fault and recovery are over after 51 s, and it may take longer."""
    api, execute = world
    api.pages = [alert(100)]
    run = execute(TEXT.replace("within_s: 60", "within_s: 120"))
    assert (run.verdict, run.outcome.alerts[0].fired) == ("held", True)


def test_an_alert_that_comes_too_late_deviates_and_its_delay_is_told(world):
    api, execute = world
    api.pages = [alert(40)]
    run = execute(TEXT.replace("within_s: 60", "within_s: 20"))
    (found,) = run.outcome.alerts
    assert (run.verdict, found.fired) == ("deviated", False)
    assert found.after_s == pytest.approx(40, abs=0.5)


@pytest.mark.parametrize("text", [TEXT, LINES])
def test_an_alert_that_never_comes_deviates_also_where_all_requests_were_fine(world, text):
    api, execute = world
    run = execute(text)
    (found,) = run.outcome.alerts
    assert (run.verdict, found.fired, found.after_s) == ("deviated", False, None)
    assert "was expected and did not fire" in run.summary
    assert (api.clock() - START).total_seconds() < 31 + 60 + 5, "no longer than its line allows"


def test_an_alert_that_fired_before_the_fault_is_not_its_alert(world):
    api, execute = world
    api.pages = [alert(-5)]
    assert execute().verdict == "deviated"


def test_a_rule_is_known_by_its_name_with_or_without_its_series(world):
    api, execute = world
    api.pages = [alert(5, slo_id="", rule="gateway-availability/orders")]
    assert execute().verdict == "held"


def test_alerts_that_nobody_expected_are_told_of_services_that_the_fault_can_hurt(world):
    api, execute = world
    api.pages = [
        alert(5),
        alert(9, slo_id="orders-latency", service="orders", alert_id="a-2"),
        alert(9, slo_id="blog", service="blog", alert_id="a-3"),
    ]
    run = execute()
    assert [(each.alert, each.expected) for each in run.outcome.alerts] == [
        ("gateway-availability", True),
        ("orders-latency", False),
    ]
    assert "The alert orders-latency fired after 9 s, which was not expected." in run.summary
    assert run.verdict == "held"
