"""Our files and our extension under Chaos Toolkit's own runner, `chaos run`, as its users start it."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from api.models import Run
from chaos.experiments.experiment_file import parse_experiment
from chaos.experiments.toolkit_document import compile_short
from chaos.toolkit.journal import noted
from chaos.toolkit.journal_import import read_journal
from tests.integration.chaos_daemon import ROOT, Daemon, Hello, eventually, http_server
from tests.integration.chaos_documents import action, document, probe
from tests.integration.chaos_shop import Shop, api_handler

pytestmark = pytest.mark.e2e

CHAOS = str(Path(sys.executable).with_name("chaos"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with http_server(Hello) as upstream:
        running = Daemon(tmp_path_factory.mktemp("daemon"), upstream.server_port)
        yield running
        running.end()


def receiver(shop):
    """The shop's API, which also takes journals and spans."""

    class Receiver(api_handler(shop)):
        def do_POST(self):  # noqa: N802 - the name that http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            shop.posted.append((self.path, self.headers, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Receiver


@pytest.fixture
def shop(daemon):
    shop = Shop(daemon.edge)
    shop.posted = []
    loads = [threading.Thread(target=shop.load) for _ in range(3)]
    for load in loads:
        load.start()
    with http_server(receiver(shop)) as server:
        shop.url = f"http://127.0.0.1:{server.server_port}"
        eventually(lambda: len(shop.calls) > 20)
        yield shop
        shop.stop.set()
        for load in loads:
            load.join()
    for state in daemon.active():
        daemon.client.revert(state.id)


def late(latency_ms, *, duration_s=2, lease_s=1):
    return compile_short(
        parse_experiment(
            f"""
title: Orders is {latency_ms} ms late
hypothesis:
  - {{service: gateway, sli: availability, margin: 0.2}}
  - {{service: gateway, sli: latency, threshold_ms: 250, margin: 0.4}}
method:
  - latency_injection: {{target: gateway-orders, latency_ms: {latency_ms}}}
duration_s: {duration_s}
lease_s: {lease_s}
""",
            name="late",
        )
    )


@pytest.fixture
def stock(daemon, shop, tmp_path):
    """Starts `chaos run` on a document, in a folder of its own."""

    def start(made, **more):
        made = {**made, "configuration": {**made.get("configuration", {}), "ninelives_otlp": shop.url}}
        (tmp_path / "late.json").write_text(json.dumps(made), encoding="utf-8")
        command = [
            CHAOS,
            "--no-version-check",
            "--no-log-file",
            "--settings",
            str(tmp_path / "none.yaml"),
            "run",
            "late.json",
        ]
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "NINELIVES_API": shop.url.removeprefix("http://"),
            "NINELIVES_FAULTS": daemon.url.removeprefix("http://"), "NINELIVES_TOKEN": "t-1", **more,
        }  # fmt: skip
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(made, **more):
        process = start(made, **more)
        output = process.communicate(timeout=60)[0].decode()
        journal = json.loads((tmp_path / "journal.json").read_bytes())
        return process.returncode, journal, output

    run.start = start
    return run


def test_a_compiled_file_deviates_under_the_stock_runner_and_leaves_nothing_broken(stock, daemon, shop):
    """The lease is half of the duration: the action holds the fault until the hypothesis was checked under it."""
    code, journal, output = stock(late(400))
    assert (code, journal["status"], journal["deviated"]) == (1, "completed", True), output
    assert [each["status"] for each in (*journal["run"], *journal["rollbacks"])] == ["succeeded", "succeeded"]
    after = journal["steady_states"]["after"]["probes"]
    assert [(each["status"], each["tolerance_met"]) for each in after] == [("succeeded", True), ("succeeded", False)]
    assert daemon.active() == []
    assert daemon.client.faults()[-1].ended_by == "request"
    assert read_journal(json.dumps(journal).encode()).verdict == "deviated"


def test_the_control_posts_the_journal_and_the_span_of_the_run(stock, shop):
    """One root span with events, and a journal whose run id is the span's; the token goes along."""
    code, journal, output = stock(late(20))
    assert code == 0, output
    posted = {path: (headers, body) for path, headers, body in shop.posted}
    headers, body = posted["/api/v1/runs/import"]
    assert headers["Authorization"] == "Bearer t-1"
    run = read_journal(body)
    assert (run.verdict, run.source, run.title) == ("held", "imported", journal["experiment"]["title"])
    sent = ExportTraceServiceRequest.FromString(posted["/v1/traces"][1]).resource_spans[0]
    assert "chaos" in {each.value.string_value for each in sent.resource.attributes if each.key == "service.name"}
    (span,) = sent.scope_spans[0].spans
    attributes = {each.key: each.value for each in span.attributes}
    assert attributes["chaos.run"].string_value == run.id
    assert attributes["chaostoolkit.experiment.status"].string_value == "completed"
    assert not attributes["chaostoolkit.experiment.deviated"].bool_value
    names = [event.name for event in span.events]
    assert (names[0], names.count("fault.injected"), names[-1]) == ("experiment.started", 1, "fault.reverted")
    assert noted(journal)["problems"] == []


def test_the_control_hands_the_trace_on_to_http_activities_and_leaves_the_file_as_it_was(stock, shop):
    """The called service sees traceparent and baggage; the journal shows no header that nobody wrote."""
    made = late(20)
    made["method"].append(probe("http", url=f"{shop.url}/posted"))
    made["method"][-1]["provider"] |= {"method": "POST", "headers": {"X-Mine": "kept"}}
    _, journal, output = stock(made)
    headers = next(headers for path, headers, _ in shop.posted if path == "/posted")
    assert headers["traceparent"].startswith("00-"), output
    assert (headers["baggage"].startswith("chaos.run=chaostoolkit-"), headers["X-Mine"]) == (True, "kept")
    assert journal["run"][1]["activity"]["provider"]["headers"] == {"X-Mine": "kept"}


def test_a_control_that_cannot_deliver_says_so_and_spoils_no_run(stock):
    """Chaos Toolkit hides errors of controls; ours is an error line, and stands in the journal."""
    made = late(20)
    made["configuration"] = {"ninelives_api": "http://127.0.0.1:9"}
    made.pop("steady-state-hypothesis")
    code, journal, output = stock(made)
    assert (code, journal["status"]) == (0, "completed")
    assert "the ninelives control: posting the journal to http://127.0.0.1:9 failed" in output
    assert "posting the journal" in noted(journal)["problems"][0]


def test_kill_9_of_the_stock_runner_ends_the_fault_with_its_lease(stock, daemon):
    """Chaos Toolkit writes no journal and plays no rollback then."""
    process = stock.start(late(100, duration_s=60))
    eventually(daemon.active, 30)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert eventually(lambda: daemon.active() == []) <= 1 + 1


def test_an_action_that_the_daemon_refuses_fails_with_its_reason(stock, daemon):
    """A missing target is named, and the journal is not held."""
    made = late(20)
    made["method"][0]["provider"]["arguments"]["target"] = "nowhere"
    _, journal, output = stock(made)
    assert journal["run"][0]["status"] == "failed"
    assert "proxy not found" in output
    assert read_journal(json.dumps(journal).encode()).verdict == "not_injected"


def test_chaos_discover_lists_what_the_extension_offers(tmp_path):
    """As an extension is found: by a distribution that names the package."""
    info = tmp_path / "chaostoolkit_ninelives-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: chaostoolkit-ninelives\nVersion: 1\n", encoding="utf-8"
    )
    (info / "top_level.txt").write_text("chaos.toolkit\n", encoding="utf-8")
    command = [CHAOS, "--no-version-check", "--no-log-file", "discover", "--no-install", "chaostoolkit-ninelives"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "discovery.json").read_bytes())["activities"]
    by_type = {
        kind: {each["name"] for each in found if each["type"] == kind} for kind in ("probe", "action", "tolerance")
    }
    assert {"slo_met", "burn_rate_below", "p95_below", "cache_hit_ratio", "run_verdict"} <= by_type["probe"]
    assert {"latency_injection", "network_partition", "service_failure", "revert"} <= by_type["action"]
    assert by_type["tolerance"] == {"enough_budget", "held"}
    latency = next(each for each in found if each["name"] == "latency_injection")
    required = [each["name"] for each in latency["arguments"] if "default" not in each]
    assert required == ["target", "latency_ms", "lease_s"]
    assert all(each["doc"] for each in found)


def test_somebody_elses_run_shows_up_through_the_control_alone(stock, shop):
    """A user who adds only the control has a run with a verdict."""
    made = document([action("yes")])
    made["controls"] = late(20)["controls"]
    code, _, output = stock(made)
    assert code == 0, output
    run = next(read_journal(body) for path, _, body in shop.posted if path == "/api/v1/runs/import")
    assert isinstance(run, Run)
    assert (run.verdict, run.title) == ("held", "Somebody's experiment")
