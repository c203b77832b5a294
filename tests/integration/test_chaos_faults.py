"""The fault daemon as a real process, and runs of real experiments against it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest
import yaml

from api.client import ApiClient
from api.models import EdgeCount, Page, Run, SliCount
from chaos.errors import FaultDaemonError
from chaos.experiment import parse_experiment
from chaos.fault_client import FaultClient
from chaos.runner import exit_code, run_experiment
from chaos.wire import FaultRequest

ROOT = Path(__file__).parents[2]
DAEMON = """
import asyncio, sys
from pathlib import Path
from chaos.daemon import serve
asyncio.run(serve("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), watch_stdin=True))
"""
RUNNER = """
import sys
from pathlib import Path
from chaos.runner import exit_code, run_file
run = run_file(Path(sys.argv[1]), api_url=sys.argv[2], faults_url=sys.argv[3], data_dir=Path(sys.argv[4]))
raise SystemExit(exit_code(run))
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def eventually(condition, within_s=5.0):
    """Return how long it took until *condition* held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, "did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def http_server(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Daemon:
    """The daemon's process, its client, and the address of its one proxy."""

    def __init__(self, folder, upstream_port):
        self.folder, self.port, self.proxy_port = folder, free_port(), free_port()
        self.url, self.edge = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.proxy_port}/"
        self.pid_file = folder / "run" / "orders.json"
        self.pid_file.parent.mkdir()
        self.targets = folder / "targets.yaml"
        listen, upstream = f"127.0.0.1:{self.proxy_port}", f"127.0.0.1:{upstream_port}"
        proxy = {
            "name": "gateway-orders",
            "listen": listen,
            "upstream": upstream,
            "client": "gateway",
            "server": "orders",
        }
        process = {"name": "orders", "service": "orders", "pid_file": "run/orders.json"}
        self.targets.write_text(yaml.safe_dump({"proxies": [proxy], "processes": [process]}), encoding="utf-8")
        self.client = FaultClient(self.url)
        self.start()

    def start(self):
        command = [sys.executable, "-c", DAEMON, str(self.port), str(self.targets), str(self.folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        eventually(lambda: answers(f"{self.url}/version"), 15)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            assert self.process.wait(5) == 0
        self.client.close()

    def inject(self, kind, target="gateway-orders", *, lease_ms=60_000, **attributes):
        return self.client.inject(FaultRequest(kind=kind, target=target, lease_ms=lease_ms, attributes=attributes))

    def active(self):
        return [state for state in self.client.faults() if state.phase == "active"]

    def state(self, fault_id):
        return next(state for state in self.client.faults() if state.id == fault_id)

    def undo_records(self):
        return list((self.folder / "chaos" / "undo").glob("*"))


def answers(url):
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def elapsed_s(client, url):
    began = time.monotonic()
    assert client.get(url).text == "ok"
    return time.monotonic() - began


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
    assert shared_daemon.undo_records() == []


@pytest.fixture
def mortal_daemon(tmp_path):
    """A daemon of the test's own, to end as it likes."""
    with http_server(Hello) as upstream:
        running = Daemon(tmp_path, upstream.server_port)
        yield running
        running.end()


@pytest.fixture
def browserless():
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield client


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
    fault = daemon.inject("down", lease_ms=800)
    with pytest.raises(httpx.ConnectError):
        browserless.get(daemon.edge)
    with pytest.raises(FaultDaemonError, match="already broken") as refused:
        daemon.inject("down")
    assert refused.value.status == 409
    assert eventually(lambda: answers(daemon.edge)) <= 0.8 + 0.5
    assert eventually(lambda: daemon.state(fault.id).verified) < 0.5


def test_a_revert_by_request_is_idempotent_and_the_emergency_stop_reverts_all(daemon, browserless):
    """Delete twice: the same answer. Stop: everything is whole again."""
    fault = daemon.inject("latency", latency=500)
    assert daemon.client.revert(fault.id) == daemon.client.revert(fault.id)
    daemon.inject("latency", latency=400)
    daemon.inject("latency", latency=400, stream="upstream")
    daemon.inject("down")
    stopped = daemon.client.emergency_stop()
    assert {(state.ended_by, state.verified) for state in stopped} == {("emergency-stop", True)}
    assert len(stopped) == 3
    assert elapsed_s(browserless, daemon.edge) < 0.2


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"kind": "latency", "target": "gateway-orders", "attributes": {"latency": 5}}, 400),
        ({"kind": "latency", "target": "gateway-orders", "lease_ms": 600_001}, 400),
        ({"kind": "latency", "target": "gateway-orders", "lease_ms": 1, "attributes": {"latency": -5}}, 400),
        ({"kind": "down", "target": "gateway-orders", "lease_ms": 1, "attributes": {"latency": 5}}, 400),
        ({"kind": "meteor", "target": "gateway-orders", "lease_ms": 1}, 400),
        ({"kind": "down", "target": "nobody", "lease_ms": 1}, 404),
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
    document = {"kind": "down", "target": "gateway-orders", "lease_ms": 1000}
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
    assert call("POST", "/proxies", {"name": "x", "listen": "0.0.0.0:0", "upstream": upstream})[0] == 400
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
    assert [(fault.attributes["latency"], fault.lease_ms) for fault in daemon.active()] == [(20, 300_000)]
    assert call("DELETE", "/proxies/other/toxics/latency_downstream") == (204, None)
    assert call("GET", "/proxies/other/toxics/latency_downstream") == (404, {"error": "toxic not found", "status": 404})
    assert call("POST", "/proxies/other", {"enabled": False, "lease_ms": 90_000})[1]["enabled"] is False
    assert [(fault.kind, fault.lease_ms) for fault in daemon.active()] == [("down", 90_000)]
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


def test_kill_9_of_the_daemon_leaves_nothing_broken(mortal_daemon, browserless):
    """The restarted daemon finds the undo records, reverts, and proves it."""
    down, slow = mortal_daemon.inject("down"), mortal_daemon.inject("latency", latency=500)
    mortal_daemon.kill()
    assert len(mortal_daemon.undo_records()) == 2
    mortal_daemon.start()
    eventually(lambda: mortal_daemon.undo_records() == [])
    assert elapsed_s(browserless, mortal_daemon.edge) < 0.2
    recovered = {state.id: (state.phase, state.ended_by) for state in mortal_daemon.client.faults()}
    assert recovered == dict.fromkeys((down.id, slow.id), ("reverted", "recovery"))


def test_a_daemon_that_is_orphaned_or_told_to_end_reverts_first(mortal_daemon):
    """SIGTERM or the end of standard input: nothing on record, exit code 0."""
    mortal_daemon.inject("down")
    mortal_daemon.process.stdin.close()
    assert mortal_daemon.process.wait(5) == 0
    assert mortal_daemon.undo_records() == []
    mortal_daemon.start()
    mortal_daemon.inject("down")
    mortal_daemon.process.send_signal(signal.SIGTERM)
    assert mortal_daemon.process.wait(5) == 0
    assert mortal_daemon.undo_records() == []
    mortal_daemon.process.stdin.close()


class Supervisor:
    """Respawns a child and writes its pid file, as the demo's supervisor does."""

    def __init__(self, pid_file):
        self.pid_file, self.started, self._stop = pid_file, 0, threading.Event()
        self._child = self._spawn()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _spawn(self):
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
        document = {"pid": child.pid, "create_time": psutil.Process(child.pid).create_time()}
        draft = self.pid_file.with_suffix(".draft")
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(self.pid_file)
        self.started += 1
        return child

    def _watch(self):
        while not self._stop.wait(0.05):
            if self._child.poll() is not None:
                self._child = self._spawn()

    def end(self):
        self._stop.set()
        self._thread.join()
        self._child.kill()
        self._child.wait()


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


@dataclass(slots=True)
class Call:
    started_at: datetime
    duration_ms: float
    error: bool


@dataclass
class Shop:
    """Load through the edge, and an API server that counts those very calls as spans of gateway."""

    edge: str
    calls: list[Call] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def load(self):
        with httpx.Client(trust_env=False, timeout=3) as client:
            while not self.stop.wait(0.02):
                started_at, began = datetime.now(UTC), time.perf_counter()
                try:
                    error = client.get(self.edge).is_error
                except httpx.HTTPError:
                    error = True
                self.calls.append(Call(started_at, (time.perf_counter() - began) * 1000, error))

    def within(self, query):
        start, end = (datetime.fromisoformat(query[name][0]) for name in ("start", "end"))
        return [call for call in tuple(self.calls) if start <= call.started_at < end]

    def sli(self, query):
        calls, threshold = self.within(query), float(query.get("threshold_ms", ["inf"])[0])
        durations = sorted(call.duration_ms for call in calls)
        return SliCount(
            service=query["service"][0], environment="", total=len(calls), errors=sum(call.error for call in calls),
            slow=sum(duration > threshold for duration in durations), threshold_ms=None, p50_ms=None,
            p95_ms=durations[int(len(durations) * 0.95)] if durations else None,
            newest_span_at=max((call.started_at for call in calls), default=None),
        )  # fmt: skip

    def edges(self, query):
        durations = sorted(call.duration_ms for call in self.within(query))
        p50 = durations[len(durations) // 2] if durations else None
        errors = sum(call.error for call in self.within(query))
        return EdgeCount(
            client="gateway", server="orders", calls=len(durations), errors=errors, p50_ms=p50, p95_ms=None
        )


def api_handler(shop):
    class Api(Hello):
        def do_GET(self):
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            match url.path.removeprefix("/api/v1/"):
                case "sli":
                    self._reply(shop.sli(query))
                case "edges":
                    self._reply(shop.edges(query))
                case "runs":
                    self._reply(Page[Run](items=list(shop.runs.values())))

        def do_PUT(self):
            run = Run.model_validate_json(self.rfile.read(int(self.headers["Content-Length"])))
            shop.runs[run.id] = run
            self._reply(run)

        def _reply(self, model):
            body = model.model_dump_json().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Api


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


def experiment_text(duration_s, lease_s, fault="{kind: latency, target: gateway-orders, latency_ms: 300}"):
    return f"""
title: Orders is 300 ms late
hypothesis:
  - {{service: gateway, sli: availability, margin: 0.2}}
  - {{service: gateway, sli: latency, threshold_ms: 250, margin: 0.2}}
fault: {fault}
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
