"""The real process and a real Alertmanager: an alert's way there, and what happens when either of the two stops."""

import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from alertmanager_server import AlertmanagerServer, config_of_the_documentation
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from otlp_sender import HEADERS, request_of
from stack import Stack, Webhook, wait_for

INTERVAL_S = 15
SLACK_S = 3  # the time that an answer takes
PAGE = ("SLOErrorBudgetBurn", "page")
TICKET = ("SLOErrorBudgetBurn", "ticket")
WATCHDOG = ("Watchdog", "none")
SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {name: pay-availability, displayName: Payments are taken}
spec:
  service: pay
  indicator:
    metadata: {name: pay-availability}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: spans, spec: {good: not error}}}
        total: {metricSource: {type: spans, spec: {}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


@pytest.fixture
def server(tmp_path: Path, webhook: Webhook) -> Iterator[AlertmanagerServer]:
    found = AlertmanagerServer(tmp_path / "alertmanager", config_of_the_documentation(webhook.url)).start()
    yield found
    found.stop()


@pytest.fixture
def stack(make_stack: Callable[..., Stack], server: AlertmanagerServer) -> Stack:
    found = make_stack("--no-dashboard")
    (found.folder / "slos").mkdir()
    (found.folder / "slos" / "pay.yaml").write_text(SLO, encoding="utf-8")
    file = f'alertmanagers: ["{server.url}"]\nheartbeat: {{url: "{server.url}/-/healthy"}}\n'
    (found.folder / "alerts.yaml").write_text(file, encoding="utf-8")
    found.start()
    return found


def fail(stack: Stack, minutes: int) -> None:
    """Send requests of the last *minutes*, all of which failed."""
    for minute in range(minutes, 0, -1):
        request = ExportTraceServiceRequest.FromString(request_of(20, "pay", ago_s=60 * minute)[0])
        for span in request.resource_spans[0].scope_spans[0].spans:
            span.status.code = Status.STATUS_CODE_ERROR
        url = f"{stack.url('otlp-http')}/v1/traces"
        httpx.post(url, content=request.SerializeToString(), headers=HEADERS, trust_env=False).raise_for_status()


def metrics(stack: Stack) -> dict[str, float]:
    lines = httpx.get(f"{stack.url('api')}/metrics", trust_env=False).text.splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.partition("{")[0]: float(value) for name, _, value in samples}


def test_an_alert_of_the_process_reaches_a_peer_outlives_its_restart_and_the_watchdog_ends_with_the_process(
    stack: Stack, server: AlertmanagerServer
):
    wait_for(lambda: WATCHDOG in server.alerts(), 3 * INTERVAL_S, f"the watchdog:\n{stack.log}")
    fail(stack, minutes=10)
    wait_for(lambda: {PAGE, TICKET} <= server.alerts().keys(), 90, f"page and ticket:\n{stack.log}")
    page = server.alerts()[PAGE]
    assert {name: page["labels"][name] for name in ("slo_id", "service_name")} == {
        "slo_id": "pay-availability",
        "service_name": "pay",
    }
    assert page["annotations"]["summary"]
    assert page["generatorURL"].startswith(f"{stack.url('dashboard')}/alert?id=pay-availability-page-")
    inhibited = wait_for(lambda: server.alerts()[TICKET]["status"]["inhibitedBy"], 10, "the page to inhibit the ticket")
    assert inhibited == [page["fingerprint"]]
    found = metrics(stack)
    assert found["ninelives_evaluation_alive"] == 1
    assert found["ninelives_alertmanager_alerts"] == 3

    server.stop()
    server.start()
    assert server.alerts() == {}
    began = time.monotonic()
    wait_for(lambda: {PAGE, TICKET, WATCHDOG} <= server.alerts().keys(), INTERVAL_S + SLACK_S, "what it had forgotten")
    assert time.monotonic() - began < INTERVAL_S + SLACK_S

    assert stack.process is not None
    stack.process.send_signal(signal.SIGSTOP)
    stopped_at = datetime.now(UTC)
    try:
        wait_for(lambda: WATCHDOG not in server.alerts(), 120, "the watchdog to end", pause_s=1)
        assert datetime.now(UTC) - stopped_at < timedelta(minutes=2)
        assert PAGE not in server.alerts(), "an alert that nobody evaluates ends by itself"
    finally:
        stack.process.send_signal(signal.SIGCONT)
    wait_for(lambda: {PAGE, WATCHDOG} <= server.alerts().keys(), 3 * INTERVAL_S, "all of it, once it goes on")
    found = wait_for(lambda: beats(metrics(stack)), 70, "a heartbeat")
    assert found["ninelives_heartbeat_errors_total"] == 0


def beats(found: dict[str, float]) -> dict[str, float] | None:
    """Return *found* once a heartbeat has arrived."""
    return found if found.get("ninelives_heartbeat_last_success_timestamp_seconds") else None
