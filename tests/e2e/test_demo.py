"""The story of the README, in its order: start the demo, look at it, break it, be paged, run experiments."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
import yaml
from pages import open_page
from playwright.sync_api import Browser
from stack import CLI, Stack, Webhook, wait_for

SERVICES = {"gateway", "orders", "catalog"}
OTHER_PAGES = (
    ("services", "/services", "orders"),
    ("service", "/service?name=gateway&environment=demo", "GET /products/{product_id}"),
    ("traces", "/traces?service=gateway", "gateway"),
    ("cache", "/cache", "catalog"),
)


@pytest.fixture(scope="module")
def demo(make_stack: Callable[..., Stack], webhook: Webhook) -> Iterator[Stack]:
    stack = make_stack("--demo", "--webhooks", webhook.url)
    stack.start()
    yield stack
    assert stack.stop() == 0, stack.log


def test_it_prints_four_addresses(demo: Stack):
    for name in ("dashboard", "api", "otlp-http", "otlp-grpc"):
        assert f"http://127.0.0.1:{demo.ports[name]}" in demo.log


def test_within_90_s_three_services_and_six_objectives_have_true_numbers(demo: Stack):
    with demo.api() as api:
        services = wait_for(
            lambda: _seen(api.services(window_s=60)), demo.started_at + 90 - time.monotonic(), "rates of three services"
        )
        for service in services:
            assert service.rate_per_s > 0
            assert service.error_ratio is not None
            assert service.p95_ms is not None
        found = wait_for(
            lambda: _with_budget(api.slos()), demo.started_at + 90 - time.monotonic(), "six objectives with a budget"
        )
        assert len(found) >= 6
        budgets = {slo.id: slo.error_budget_remaining for slo in found}
        assert all(0.5 <= budget <= 1 for budget in budgets.values()), budgets
        assert all(slo.provisional and 0.09 < slo.coverage < 0.11 for slo in found), "3 of 30 days are covered"


def _seen(services):
    return services if {service.name for service in services} >= SERVICES else None


def _with_budget(slos):
    """Return the shop's own objectives; a draft's past is counted later."""
    known = [slo for slo in slos if not slo.draft and slo.error_budget_remaining is not None and slo.total > 10_000]
    return known if len(known) >= 6 else None


def test_the_pages_show_the_demo_without_errors_or_foreign_requests(demo: Stack, browser: Browser, pictures: Path):
    with demo.api() as api:
        trace = next(trace for trace in api.traces(service="gateway", min_duration_ms=5) if len(trace.services) == 4)
    with open_page(browser, demo.url("dashboard")) as visit:
        visit.go("/")
        for service in SERVICES:
            visit.sees(service)
        visit.sees("p95")
        visit.picture(pictures / "overview.png")
        visit.go("/slos")
        visit.sees("Gateway availability")
        visit.sees("provisional")
        visit.go("/slo?id=orders-availability")
        visit.sees("Runs out")
        visit.go(f"/trace?trace={trace.trace_id}")
        visit.sees(trace.name)
        visit.sees("catalog")
        visit.picture(pictures / "trace.png")
        for name, path, text in OTHER_PAGES:
            visit.go(path)
            visit.sees(text)
            visit.picture(pictures / f"{name}.png")
    assert visit.foreign_requests == []
    assert visit.unexpected_errors == []


def test_the_documentation_of_the_api_needs_no_other_host(demo: Stack, browser: Browser):
    with open_page(browser, demo.url("api")) as visit:
        visit.page.goto(visit.base + "/docs")
        visit.sees("/api/v1/slos")
    assert visit.foreign_requests == []
    assert visit.unexpected_errors == []


def test_a_latency_experiment_ends_with_a_true_verdict(demo: Stack, browser: Browser, pictures: Path):
    """300 ms on the edge to orders: the gateway answers, but no longer within 250 ms."""
    _wait_until_calm(demo)
    found = demo.command("chaos", "run", _experiment(demo, "orders-latency"))
    assert found.returncode == 1, found.stdout + found.stderr
    with demo.api() as api:
        run = api.run(api.runs(experiment="orders-latency")[0].id)
    assert (run.status, run.verdict) == ("finished", "deviated")
    with open_page(browser, demo.url("dashboard")) as visit:
        visit.go("/chaos")
        visit.sees(run.title)
        visit.picture(pictures / "chaos.png")
        visit.go(f"/run?id={run.id}")
        visit.sees("Deviated")
        visit.picture(pictures / "run.png")
    by_sli = {finding.sli: finding for finding in run.findings}
    assert by_sli["availability"].verdict != "deviated"
    assert by_sli["availability"].treatment_bad == 0
    assert by_sli["latency"].verdict == "deviated"
    assert by_sli["latency"].treatment_p95_ms > 300
    assert by_sli["latency"].interval_low > by_sli["latency"].margin
    assert _faults(demo) == []


def test_a_kill_experiment_ends_with_a_true_verdict_and_the_service_is_back(demo: Stack):
    """Orders is killed every 5 s: what it answered is lost while it starts again."""
    _wait_until_calm(demo)
    found = demo.command("chaos", "run", _experiment(demo, "orders-kill"))
    assert found.returncode == 1, found.stdout + found.stderr
    with demo.api() as api:
        run = api.run(api.runs(experiment="orders-kill")[0].id)
        assert any(note.id == run.id for note in api.annotations())
    assert run.verdict == "deviated"
    (finding,) = run.findings
    assert finding.treatment_bad > 0
    assert finding.interval_low > finding.margin
    wait_for(lambda: _gateway_answers(demo), 10, "the gateway to answer")


def test_a_runner_killed_in_the_middle_leaves_the_services_healthy_within_the_lease(demo: Stack):
    runner = subprocess.Popen(
        [*CLI, "chaos", "run", _experiment(demo, "orders-latency")],
        cwd=demo.folder, env=demo.environment(), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    fault = wait_for(lambda: _faults(demo), 90, "the fault to be injected")[0]
    assert _gateway_takes_s(demo) > 0.3
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    killed_at = time.monotonic()
    wait_for(lambda: not _faults(demo), 12, "the lease to end")
    lease_s = 10
    assert time.monotonic() - killed_at < lease_s + 1
    assert min(_gateway_takes_s(demo) for _ in range(5)) < 0.3
    with demo.api() as api:
        wait_for(lambda: api.runs()[0].status == "aborted", 40, f"the run with fault {fault} to be called aborted")


def test_breaking_errors_pages_within_2_minutes_and_healing_resolves(demo: Stack, webhook: Webhook, browser: Browser):
    webhook.received.clear()
    assert demo.command("demo", "break", "errors", "--for", "120s").returncode == 0
    alert = wait_for(lambda: webhook.of("firing", "orders-availability"), 120, "the page")[0]
    assert "of requests to orders in demo failed in the last minute" in alert["annotations"]["summary"]
    traces = alert["annotations"]["exemplar_trace_ids"].split(",")
    assert 1 <= len(traces) <= 3
    with demo.api() as api:
        for trace_id in traces:
            assert any(span.error for span in api.trace(trace_id).spans)
        alerts = {item.slo_id: item for item in api.alerts(state="firing")}
        assert alerts["orders-availability"].exemplar_trace_ids == traces
        alert_id = alerts["orders-availability"].id
        assert alert["annotations"]["alert_url"] == f"{demo.url('dashboard')}/alert?id={alert_id}"
        with open_page(browser, demo.url("dashboard")) as visit:
            visit.go("/alerts")
            visit.sees("of requests to orders in demo failed")
            visit.go(f"/alert?id={alert_id}")
            visit.sees("of requests to orders in demo failed")
        assert demo.command("demo", "heal").returncode == 0
        wait_for(lambda: webhook.of("resolved", "orders-availability"), 180, "the resolved message")
        assert api.alert(alert_id).resolved_at <= datetime.now(UTC)


def _experiment(demo: Stack, name: str) -> str:
    """Return the demo's experiment with shorter phases, as a file of the same name."""
    shipped = Path(find_spec("demo").origin).parent / "experiments" / f"{name}.yaml"
    experiment = yaml.safe_load(shipped.read_text()) | {"baseline_s": 15, "duration_s": 15, "recovery_s": 8}
    path = demo.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(experiment))
    return str(path)


def _wait_until_calm(demo: Stack) -> None:
    """Wait until the last 20 s, an experiment's baseline, hold no trace of the browser that shares our two cores."""
    with demo.api() as api:

        def calm() -> bool:
            end = datetime.now(UTC) - timedelta(seconds=3)
            found = api.sli("gateway", start=end - timedelta(seconds=20), end=end, threshold_ms=250)
            return found.total > 400 and found.slow < 0.02 * found.total and found.errors == 0

        wait_for(calm, 90, "the shop to be calm")


def _faults(demo: Stack) -> list[str]:
    """Return the faults that are not reverted."""
    found = httpx.get(f"{demo.url('faults')}/faults", trust_env=False).json()
    return [fault["id"] for fault in found["items"] if fault["ended_at"] is None]


def _gateway_answers(demo: Stack) -> bool:
    return httpx.get(f"http://127.0.0.1:{demo.ports['demo']}/products/1", trust_env=False, timeout=5).status_code == 200


def _gateway_takes_s(demo: Stack) -> float:
    began = time.monotonic()
    _gateway_answers(demo)
    return time.monotonic() - began
