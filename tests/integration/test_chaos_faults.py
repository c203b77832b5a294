"""Faults of a real daemon, and runs of real experiments against it: one file, since one daemon serves them all."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import psutil
import pytest

from api.client import ApiClient
from chaos.errors import FaultDaemonError
from chaos.experiments.experiment_file import parse_experiment
from chaos.fault_client import FaultClient
from chaos.runner.runner import exit_code, run_experiment
from tests.integration.chaos_daemon import ROOT, Daemon, Hello, answers, elapsed_s, eventually, http_server
from tests.integration.chaos_shop import Shop, Supervisor, api_handler

pytestmark = pytest.mark.e2e

RUNNER = """
import sys
from pathlib import Path
from chaos.runner.runner import exit_code, run_file
run = run_file(Path(sys.argv[1]), api_url=sys.argv[2], faults_url=sys.argv[3], data_dir=Path(sys.argv[4]))
raise SystemExit(exit_code(run))
"""


@pytest.fixture(scope="module")
def shared_daemon(tmp_path_factory):
    with http_server(Hello) as upstream:
        running = Daemon(tmp_path_factory.mktemp("shared"), upstream.server_port)
        yield running
        running.end()


@pytest.fixture
def daemon(shared_daemon):
    """The module's daemon, with nothing broken before and after."""
    yield shared_daemon
    shared_daemon.client.emergency_stop()
    shared_daemon.client.release_emergency_stop()
    assert shared_daemon.undo_records() == []


def test_latency_is_felt_by_clients_and_gone_when_its_lease_ends(daemon, browserless):
    """300 ms on a kept-alive connection; nobody renews, so the daemon reverts within half a second of the lease."""
    assert elapsed_s(browserless, daemon.edge) < 0.2
    fault = daemon.inject("latency", lease_ms=1200, latency=300)
    assert 0.3 <= elapsed_s(browserless, daemon.edge) < 0.5
    assert len(daemon.undo_records()) == 1
    renewed = daemon.client.renew(fault.id, 1200)
    assert renewed.expires_in_ms > 1000
    left_s = renewed.expires_in_ms / 1000
    assert eventually(lambda: daemon.state(fault.id).phase == "reverted") <= left_s + 0.5
    assert elapsed_s(browserless, daemon.edge) < 0.2
    ended = daemon.state(fault.id)
    assert (ended.ended_by, ended.verified) == ("lease", True)
    assert daemon.undo_records() == []
    with pytest.raises(FaultDaemonError, match="has ended"):
        daemon.client.renew(fault.id, 1000)


def test_down_refuses_connections_until_its_lease_ends(daemon, browserless):
    """Live connections are closed, new ones refused; a second down on the same proxy is a conflict."""
    assert elapsed_s(browserless, daemon.edge) < 0.2
    fault = daemon.inject("partition", lease_ms=800)
    with pytest.raises(httpx.ConnectError):
        browserless.get(daemon.edge)
    with pytest.raises(FaultDaemonError, match="already broken") as refused:
        daemon.inject("partition")
    assert refused.value.status == 409
    assert eventually(lambda: answers(daemon.edge)) <= 0.8 + 0.5
    assert eventually(lambda: daemon.state(fault.id).verified) < 0.5


def test_a_revert_by_request_is_idempotent_and_the_emergency_stop_reverts_all(daemon, browserless):
    """Delete twice: the same answer. Stop: everything is whole again."""
    fault = daemon.inject("latency", latency=500)
    assert daemon.client.revert(fault.id) == daemon.client.revert(fault.id)
    daemon.inject("latency", latency=400)
    daemon.inject("latency", latency=400, direction="upstream")
    daemon.inject("partition")
    stopped = daemon.client.emergency_stop(by="ann")
    assert {(state.ended_by, state.verified) for state in stopped} == {("emergency-stop", True)}
    assert len(stopped) == 3
    assert elapsed_s(browserless, daemon.edge) < 0.2
    assert (daemon.client.emergency_stop_state().locked, daemon.client.emergency_stop_state().by) == (True, "ann")
    toxic = {"type": "latency", "attributes": {"latency": 5}}
    assert browserless.post(f"{daemon.url}/proxies/gateway-orders/toxics", json=toxic).status_code == 423
    with pytest.raises(FaultDaemonError, match="emergency stop by ann"):
        daemon.inject("partition")
    assert not daemon.client.release_emergency_stop().locked
    daemon.inject("partition")


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"kind": "latency", "target": "gateway-orders", "attributes": {"latency": 5}}, 400),
        ({"kind": "latency", "target": "gateway-orders", "lease_ms": 600_001}, 400),
        ({"kind": "latency", "target": "gateway-orders", "lease_ms": 1, "attributes": {"latency": -5}}, 400),
        ({"kind": "partition", "target": "gateway-orders", "lease_ms": 1, "attributes": {"latency": 5}}, 400),
        ({"kind": "meteor", "target": "gateway-orders", "lease_ms": 1}, 400),
        ({"kind": "partition", "target": "nobody", "lease_ms": 1}, 404),
        ({"kind": "kill", "target": "nobody", "lease_ms": 1}, 404),
        ({"kind": "kill", "target": "orders", "lease_ms": 1}, 409),
    ],
)
def test_faults_without_a_lease_a_target_or_sense_are_refused(daemon, browserless, document, status):
    """In Toxiproxy's error form, with nothing broken and nothing on record."""
    answer = browserless.post(f"{daemon.url}/faults", json=document)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.json()["error"]
    assert daemon.active() == []
    assert daemon.undo_records() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site"},
        {"User-Agent": "Mozilla/5.0"},
    ],
)
def test_requests_of_web_pages_are_refused(daemon, browserless, headers):
    """A page that posts to loopback breaks nothing and reads nothing."""
    document = {"kind": "partition", "target": "gateway-orders", "lease_ms": 1000}
    assert browserless.post(f"{daemon.url}/faults", json=document, headers=headers).status_code == 403
    assert browserless.get(f"{daemon.url}/proxies", headers=headers).status_code == 403
    assert daemon.active() == []


def test_toxiproxy_clients_work_unchanged(daemon, browserless):
    """Every endpoint in the order a client uses them, with Toxiproxy's status codes and bodies."""

    def call(method, path, document=None):
        answer = browserless.request(method, daemon.url + path, json=document)
        return answer.status_code, answer.json() if answer.content else None

    assert call("GET", "/version")[1]["version"]
    upstream = call("GET", "/proxies")[1]["gateway-orders"]["upstream"]
    created = {"name": "other", "listen": "127.0.0.1:0", "upstream": upstream}
    status, proxy = call("POST", "/proxies", created)
    assert (status, proxy["enabled"], proxy["toxics"]) == (201, True, [])
    assert elapsed_s(browserless, f"http://{proxy['listen']}/") < 0.2
    assert call("POST", "/proxies", created) == (409, {"error": "proxy already exists", "status": 409})
    assert call("POST", "/proxies", {"name": "x"}) == (
        400,
        {"error": "missing required field: upstream", "status": 400},
    )
    assert call("POST", "/proxies", {"name": "x", "listen": "192.0.2.1:0", "upstream": upstream})[0] == 400
    toxic = {"type": "latency", "attributes": {"latency": 150, "jitter": 0}}
    stored = {**toxic, "name": "latency_downstream", "stream": "downstream", "toxicity": 1.0}
    assert call("POST", "/proxies/other/toxics", toxic) == (200, stored)
    assert call("POST", "/proxies/other/toxics", toxic) == (409, {"error": "toxic already exists", "status": 409})
    assert call("POST", "/proxies/other/toxics", {"type": "gravity"})[1]["error"] == "invalid toxic type"
    assert call("POST", "/proxies/other/toxics", {**toxic, "stream": "x"})[1]["error"].startswith("stream was invalid")
    assert 0.15 <= elapsed_s(browserless, f"http://{proxy['listen']}/") < 0.3
    changed = {**stored, "attributes": {"latency": 20, "jitter": 0}}
    assert call("PATCH", "/proxies/other/toxics/latency_downstream", {"attributes": {"latency": 20}}) == (200, changed)
    assert call("GET", "/proxies/other/toxics/latency_downstream") == (200, changed)
    assert call("GET", "/proxies/other/toxics") == (200, [changed])
    assert [(fault.attributes["attributes"]["latency"], fault.lease_ms) for fault in daemon.active()] == [(20, 300_000)]
    assert call("DELETE", "/proxies/other/toxics/latency_downstream") == (204, None)
    assert call("GET", "/proxies/other/toxics/latency_downstream") == (404, {"error": "toxic not found", "status": 404})
    assert call("POST", "/proxies/other", {"enabled": False, "lease_ms": 90_000})[1]["enabled"] is False
    assert [(fault.kind, fault.lease_ms) for fault in daemon.active()] == [("partition", 90_000)]
    assert not answers(f"http://{proxy['listen']}/")
    assert call("POST", "/reset") == (204, None)
    assert call("GET", "/proxies/other")[1]["enabled"] is True
    assert answers(f"http://{proxy['listen']}/")
    status, populated = call("POST", "/populate", [created | {"listen": proxy["listen"]}, {**created, "name": "third"}])
    assert (status, [each["name"] for each in populated["proxies"]]) == (201, ["other", "third"])
    assert call("DELETE", "/proxies/third") == (204, None)
    assert call("DELETE", "/proxies/other") == (204, None)
    assert call("GET", "/proxies/other") == (404, {"error": "proxy not found", "status": 404})
    assert set(call("GET", "/proxies")[1]) == {"gateway-orders"}


def test_kill_kills_again_until_its_lease_ends_and_sees_the_process_respawned(daemon):
    """Every half second one more respawn; after the lease none."""
    supervisor = Supervisor(daemon.pid_file)
    try:
        fault = daemon.inject("kill", "orders", lease_ms=1500, every_s=0.5)
        assert fault.kills == 1
        eventually(lambda: daemon.state(fault.id).phase == "reverted", 3)
        ended = daemon.state(fault.id)
        assert (ended.ended_by, ended.verified) == ("lease", True)
        assert 2 <= ended.kills <= 3
        assert supervisor.started == ended.kills + 1
        time.sleep(0.8)
        assert supervisor.started == ended.kills + 1
    finally:
        supervisor.end()


def test_a_pid_that_belongs_to_somebody_else_is_never_killed(daemon):
    """The pid lives, but its start time is another: refused."""
    bystander = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    try:
        created = psutil.Process(bystander.pid).create_time()
        daemon.pid_file.write_text(json.dumps({"pid": bystander.pid, "create_time": created - 100}), encoding="utf-8")
        with pytest.raises(FaultDaemonError, match="pid and start time must both match") as refused:
            daemon.inject("kill", "orders", lease_ms=1000)
        assert refused.value.status == 409
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.fixture
def shop(daemon):
    shop = Shop(daemon.edge)
    loads = [threading.Thread(target=shop.load) for _ in range(4)]
    for load in loads:
        load.start()
    with http_server(api_handler(shop)) as server:
        shop.url = f"http://127.0.0.1:{server.server_port}"
        yield shop
        shop.stop.set()
        for load in loads:
            load.join()


def experiment_text(duration_s, lease_s, fault="{latency_injection: {target: gateway-orders, latency_ms: 300}}"):
    return f"""
title: Orders is 300 ms late
hypothesis:
  - {{service: gateway, sli: availability, margin: 0.2}}
  - {{service: gateway, sli: latency, threshold_ms: 250, margin: 0.2}}
method: [{fault}]
baseline_s: 1
duration_s: {duration_s}
recovery_s: 1
lease_s: {lease_s}
min_samples: 20
"""


def test_an_experiment_runs_from_preflight_to_verdict(daemon, shop):
    """300 ms under a 250 ms objective: availability holds, latency deviates, and the edge is whole afterwards."""
    eventually(lambda: len(shop.calls) > 20)
    experiment = parse_experiment(experiment_text(2, 1.5), name="orders-late")
    steps = []
    with ApiClient(shop.url) as api, FaultClient(daemon.url) as faults:
        run = run_experiment(
            experiment,
            api,
            faults,
            data_dir=daemon.folder,
            lateness_s=0.5,
            on_event=lambda event: steps.append(event.step),
        )
    assert (run.status, run.verdict, exit_code(run)) == ("finished", "deviated", 1), run.summary
    assert [finding.verdict for finding in run.findings] == ["held", "deviated"]
    assert run.findings[1].treatment_bad > 0.9 * run.findings[1].treatment_total
    assert "gateway latency 0 of" in run.summary
    assert "not back" not in run.summary
    assert (steps[0], steps[-1]) == ("preflight", "finished")
    assert shop.runs[run.id] == run
    assert daemon.active() == []


def start_runner(daemon, shop, tmp_path, *, lease_s):
    path = tmp_path / "orders-late.yaml"
    path.write_text(experiment_text(60, lease_s), encoding="utf-8")
    command = [sys.executable, "-c", RUNNER, str(path), shop.url, daemon.url, str(daemon.folder)]
    process = subprocess.Popen(command, cwd=ROOT)
    eventually(daemon.active, 10)
    return process


def test_kill_9_of_the_runner_ends_the_fault_with_its_lease(daemon, shop, tmp_path, browserless):
    """Clean within lease + 1 s, although nobody was left to revert."""
    runner = start_runner(daemon, shop, tmp_path, lease_s=1)
    try:
        time.sleep(1.2)
        assert daemon.active()  # it outlives one lease only because the runner renews it
    finally:
        os.kill(runner.pid, signal.SIGKILL)
        runner.wait()
    assert eventually(lambda: daemon.active() == []) <= 1 + 1
    assert elapsed_s(browserless, daemon.edge) < 0.2
    assert daemon.undo_records() == []


def test_sigterm_to_the_runner_reverts_and_saves_the_run_as_aborted(daemon, shop, tmp_path):
    """Long before the lease of a minute ends."""
    runner = start_runner(daemon, shop, tmp_path, lease_s=60)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(5) == 3
    assert daemon.active() == []
    (run,) = shop.runs.values()
    assert (run.status, run.verdict) == ("aborted", "inconclusive")
    assert "SIGTERM" in run.summary
    assert json.loads((daemon.folder / "chaos" / "runs" / f"{run.id}.json").read_text())["status"] == "aborted"
