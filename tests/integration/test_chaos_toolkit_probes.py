"""Probes, tolerances and actions of our extension, called as Chaos Toolkit calls them, against an API over HTTP."""

import inspect
import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest
from chaoslib.exceptions import ActivityFailed

from api.models import Cache, Page, Run, SliCount, Slo, WindowCounts
from chaos.toolkit import actions, probes, tolerances
from chaos.toolkit.connection import connection
from tests.integration.chaos_daemon import Daemon, Hello, eventually, http_server
from tests.integration.chaos_documents import truncated_body

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def slo(slo_id, **change):
    counts = WindowCounts(window="1h", sli=None, good=0, bad=0, total=0, error_budget_remaining=None)
    fields = {
        "id": slo_id, "service": "shop", "name": "n", "objective": 0.99, "window": "30d", "environment": "demo",
        "draft": False, "kind": "availability", "threshold_ms": None, "percentile_ms": None, "coverage": 1,
        "state": "ok", "provisional": False, "low_confidence": False, "sli": 0.995, "good": 1, "bad": 0, "total": 1,
        "error_budget_remaining": 0.5, "burn_rates": {"1h": 0.4, "6h": 2.0, "3d": None}, "hour": counts, "policy": "",
        "source": "",
    }  # fmt: skip
    return Slo(**{**fields, **change})


SLOS = {
    "up": slo("up"),
    "fast": slo("fast", kind="latency", threshold_ms=250, objective=0.95),
    "empty": slo("empty", sli=None, error_budget_remaining=None),
    "fresh": slo("fresh", kind="freshness"),
}


def count(service, environment, threshold):
    total = 0 if service == "idle" else 100
    return SliCount(
        service=service, environment=environment, total=total, errors=2, slow=10 if threshold else 0,
        threshold_ms=None, p50_ms=5, p95_ms=240 if total else None, newest_span_at=None,
    )  # fmt: skip


def cache(name, service, hits, misses):
    return Cache(
        name=name, service=service, environment="", source="spans", window_s=300, hits=hits, misses=misses,
        hit_ratio=None, hit_latency=None, miss_latency=None, series=[],
    )  # fmt: skip


def run(run_id, verdict):
    return Run(
        id=run_id, experiment="e", title="t", status="finished" if verdict else "running", verdict=verdict,
        started_at=NOW, ended_at=NOW, heartbeat_at=NOW,
    )  # fmt: skip


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path.removeprefix("/api/v1/").split("/"):
            case ["slos", slo_id]:
                found = SLOS.get(slo_id)
            case ["sli"]:
                found = count(query["service"], query.get("environment", ""), query.get("threshold_ms"))
            case ["caches"]:
                found = Page[Cache](items=[cache("c", "a", 3, 1), cache("c", "b", 0, 4), cache("idle", "a", 0, 0)])
            case ["runs", run_id]:
                found = run(run_id, None if run_id == "going" else run_id)
        body = b"" if found is None else found.model_dump_json().encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def there():
    with http_server(Api) as server:
        yield {"ninelives_api": f"127.0.0.1:{server.server_port}"}


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("slo_met", {"slo": "up"}, True),
        ("slo_met", {"slo": "up", "window_s": 30}, False),
        ("slo_met", {"slo": "fast", "window_s": 30}, False),
        ("burn_rate", {"slo": "up"}, 0.4),
        ("burn_rate_below", {"slo": "up", "threshold": 1}, True),
        ("burn_rate_below", {"slo": "up", "threshold": 1, "windows": ["1h", "6h"]}, False),
        ("error_budget_remaining", {"slo": "up"}, 0.5),
        ("availability", {"service": "shop"}, 0.98),
        ("share_within", {"service": "shop", "threshold_ms": 250}, 0.9),
        ("p95", {"service": "shop"}, 240),
        ("p95_below", {"service": "shop", "threshold_ms": 250}, True),
        ("p95_below", {"service": "shop", "threshold_ms": 240}, False),
        ("cache_hit_ratio", {"cache": "c"}, 0.375),
        ("cache_hit_ratio", {"cache": "c", "service": "a"}, 0.75),
    ],
)
def test_a_probe_answers_what_a_tolerance_can_judge(there, name, arguments, answer):
    found = getattr(probes, name)(**arguments, configuration=there)
    assert found == answer
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("slo_met", {"slo": "empty"}, "no data is not met"),
        ("slo_met", {"slo": "fresh", "window_s": 30}, "of kind freshness"),
        ("slo_met", {"slo": "unheard-of"}, "404"),
        ("burn_rate", {"slo": "up", "window": "3d"}, "no data is no burn rate"),
        ("burn_rate", {"slo": "up", "window": "2h"}, "no burn rate over '2h' (known: 1h, 6h, 3d)"),
        ("burn_rate_below", {"slo": "up", "threshold": 9, "windows": ["3d"]}, "no data"),
        ("error_budget_remaining", {"slo": "empty"}, "nothing is known of its budget"),
        ("availability", {"service": "idle", "window_s": 30}, "no request in the last 30 s"),
        ("share_within", {"service": "idle", "threshold_ms": 1}, "no data is not good"),
        ("p95", {"service": "idle"}, "no data is not good"),
        ("p95_below", {"service": "idle", "threshold_ms": 9}, "no data is not good"),
        ("cache_hit_ratio", {"cache": "idle"}, "was not asked"),
        ("cache_hit_ratio", {"cache": "unheard-of"}, "was not asked"),
        ("run_verdict", {"run_id": "going"}, "has no verdict; it is running"),
    ],
)
def test_a_probe_without_data_fails_and_is_never_met(there, name, arguments, reason):
    """0 of 0 is no good news."""
    with pytest.raises(ActivityFailed) as caught:
        getattr(probes, name)(**arguments, configuration=there)
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", probes.__all__)
def test_a_probe_fails_when_the_api_is_away_or_breaks_off(name):
    """With the one exception that cannot cost a run its journal."""
    probe = getattr(probes, name)
    required = {
        parameter: 1 if parameter.startswith("thresh") else "x"
        for parameter, each in inspect.signature(probe).parameters.items()
        if each.default is inspect.Parameter.empty
    }
    with pytest.raises(ActivityFailed, match="cannot reach the API"):
        probe(**required, configuration={"ninelives_api": "127.0.0.1:9"})
    with http_server(truncated_body()) as server, pytest.raises(ActivityFailed):
        probe(**required, configuration={"ninelives_api": f"127.0.0.1:{server.server_port}"})


def test_the_verdict_of_a_run_fits_the_tolerance_held(there):
    """The one that answers a mapping, for a jsonpath or for `held`."""
    assert tolerances.held(probes.run_verdict("held", configuration=there))
    assert not tolerances.held(probes.run_verdict("deviated", configuration=there))


@pytest.mark.parametrize(("value", "enough"), [(0.2, True), (0.1, False), (-1, False), (None, False), (True, False)])
def test_no_value_is_never_enough_budget(value, enough):
    assert tolerances.enough_budget(value, least=0.1) is enough
    assert tolerances.held(value) is False


def test_where_to_call_is_said_by_the_configuration_then_by_the_environment(monkeypatch):
    """By the names of the settings; the token goes to no receiver of spans that we do not name ourselves."""
    for name in (
        "NINELIVES_API",
        "NINELIVES_FAULTS",
        "NINELIVES_TOKEN",
        "NINELIVES_FAULTS_TOKEN",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ):
        monkeypatch.delenv(name, raising=False)
    assert connection(None).api == "http://127.0.0.1:8080"
    monkeypatch.setenv("NINELIVES_API", "[::1]:1")
    monkeypatch.setenv("NINELIVES_TOKEN", "t")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://vendor/")
    found = connection({"ninelives_faults": "https://faults/"})
    assert (found.api, found.faults, found.token) == ("http://[::1]:1", "https://faults", "t")
    assert (found.otlp, found.otlp_token) == ("https://vendor", "")
    assert connection({"ninelives_otlp": "127.0.0.1:4318"}).otlp_token == "t"
    assert found.faults_token == ""
    monkeypatch.setenv("NINELIVES_FAULTS_TOKEN", "f")
    assert connection(None).faults_token == "f"
    assert connection({"ninelives_faults_token": "g"}).faults_token == "g"


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("latency_injection", {"target": "e", "latency_ms": -1, "lease_s": 1}, "latency_ms: Input should be greater"),
        ("latency_injection", {"target": "e", "latency_ms": 1, "lease_s": 0}, "lease_ms: Input should be greater"),
        ("service_failure", {"target": "e", "lease_s": 1, "mode": "nap"}, "mode is none of"),
        ("service_failure", {"target": "e", "lease_s": 1, "groups": {"share": 0.1}}, "hits every request"),
        ("resource_exhaustion", {"target": "e", "lease_s": 1, "resource": "cpu", "mb": 3}, "mb: unknown field"),
        ("revert", {}, "name a fault_id, a target or a kind"),
        ("emergency_stop", {}, "cannot reach the fault daemon"),
    ],
)
def test_an_action_that_cannot_be_done_fails_with_its_reason(name, arguments, reason):
    with pytest.raises(ActivityFailed) as caught:
        getattr(actions, name)(**arguments, configuration={"ninelives_faults": "127.0.0.1:9"})
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", [each for each in actions.__all__ if each not in {"revert", "emergency_stop"}])
def test_no_fault_can_be_injected_without_a_lease(name):
    lease = inspect.signature(getattr(actions, name)).parameters["lease_s"]
    assert lease.default is inspect.Parameter.empty


@pytest.mark.slow
def test_a_fault_is_held_as_long_as_asked_and_ends_by_itself(tmp_path):
    """Longer than its lease, not longer than that, though this process lives on; reverting twice is fine."""
    with http_server(Hello) as upstream:
        daemon = Daemon(tmp_path, upstream.server_port)
        there = {"ninelives_faults": daemon.url}
        try:
            fault = {"target": "gateway-orders", "latency_ms": 50, "lease_s": 0.4, "configuration": there}
            actions.latency_injection(**fault, hold_s=1.5)
            assert eventually(lambda: not daemon.active()) > 0.8
            state = actions.latency_injection(**fault, hold_s=60)
            (ended,) = actions.revert(target="gateway-orders", kind="latency", configuration=there)
            assert (ended["id"], ended["ended_by"], ended["verified"]) == (state["id"], "request", True)
            assert actions.revert(fault_id=state["id"], configuration=there) == []
            actions.latency_injection(**fault, hold_s=60)
            assert [each["ended_by"] for each in actions.emergency_stop(configuration=there)] == ["emergency-stop"]
        finally:
            daemon.end()
