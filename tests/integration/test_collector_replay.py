"""`ninelives collector replay`: what was put aside is sent again, stored once, and removed when all of it was taken."""

import http.server
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from click.testing import CliRunner
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from prometheus_client import CollectorRegistry

from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from collector.spool import spool as spools
from collector.transport.otlp_http import build_app
from collector.writer.dead_letters import DeadLetters
from ninelives.cli import main
from storage.errors import DatabaseError
from storage.ingest import insert_segment


def replay(folder, url, *files, token=""):
    arguments = ["collector", "replay", *map(str, files), "--data", str(folder), "--otlp-http", url]
    return CliRunner().invoke(main, [*arguments, *(["--token", token] if token else [])])


@pytest.fixture
def letters(tmp_path):
    return DeadLetters(tmp_path / "dead-letter")


def bury(letters, body, *, signal="traces", number=0):
    return letters.bury(signal, f"000{number}-ab", 0, body, "Code: 36. cannot decode", items=1)


# -- against a whole collector


@contextmanager
def collector(database, folder):
    """Run intake and receiver on a free port."""
    intake = Intake(database, folder, SelfMetrics(CollectorRegistry()), spool_limit_bytes=1 << 30)
    intake.start()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(intake, body_limit_bytes=1 << 20), log_config=None))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert intake.close(60)


def test_what_the_database_could_not_read_is_stored_once_when_it_can(database, tmp_path, letters, otlp, monkeypatch):
    """Also within the ten minutes in which the collector still knows its bodies; the neighbour is not stored twice."""
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 0.1)
    guilty, fine = otlp.traces(otlp.span("guilty")), otlp.traces(otlp.span("fine"))
    strict = [True]

    def insert(database, signal, data, token):
        content = data.read_bytes() if isinstance(data, Path) else bytes(data)
        if strict[0] and b"guilty" in content:
            raise DatabaseError("Code: 36. DB::Exception: cannot decode")
        insert_segment(database, signal, data, token)

    monkeypatch.setattr("collector.writer.writer.insert_segment", insert)
    with collector(database, tmp_path) as url:
        for body in (guilty, fine):
            sent = httpx.post(f"{url}/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
            assert sent.status_code == 200
        deadline = time.monotonic() + 20
        while not letters.letters() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert letters.letters()[0].path.read_bytes() == guilty
        strict[0] = False
        found = replay(tmp_path, url)
        assert (found.exit_code, found.output) == (0, "1 of 1 dead letter(s) sent again\n")
        assert letters.letters() == []
    with database.client() as client:
        assert sorted(client.query("SELECT name FROM spans").result_rows) == [("fine",), ("guilty",)]


# -- against answers that a healthy collector seldom gives


class Answers(http.server.BaseHTTPRequestHandler):
    plan: list
    seen: list

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["Content-Type"], self.headers["Authorization"], body))
        status, content = self.plan[min(len(self.seen), len(self.plan)) - 1]
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args):
        pass


@pytest.fixture
def answering():
    """Return a function that starts a server with these answers and returns its URL and what it was sent."""
    servers = []

    def start(*plan):
        seen = []
        handler = type("Planned", (Answers,), {"plan": plan, "seen": seen})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_each_letter_goes_to_its_signal_with_the_token_and_its_bytes(tmp_path, letters, answering):
    bury(letters, b"spans", number=1)
    bury(letters, b"points", signal="metrics", number=2)
    bury(letters, b"records", signal="logs", number=3)
    url, seen = answering((200, b""))
    found = replay(tmp_path, url + "/", token="secret")
    assert (found.exit_code, found.output) == (0, "3 of 3 dead letter(s) sent again\n")
    kind, token = "application/x-protobuf", "Bearer secret"
    assert seen == [
        ("/v1/traces", kind, token, b"spans"),
        ("/v1/metrics", kind, token, b"points"),
        ("/v1/logs", kind, token, b"records"),
    ]
    assert list(letters.folder.iterdir()) == []


def test_only_the_files_that_are_named_are_sent(tmp_path, letters, answering):
    first, second = bury(letters, b"first", number=1), bury(letters, b"second", number=2)
    url, seen = answering((200, b""))
    found = replay(tmp_path, url, second.path.with_suffix(".json"))
    assert found.exit_code == 0
    assert [body for *_, body in seen] == [b"second"]
    assert letters.letters() == [first]


PARTIAL = ExportTraceServiceResponse()
PARTIAL.partial_success.rejected_spans = 2
PARTIAL.partial_success.error_message = "2 of 3 spans have no id"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((400, Status(message="the body is no request").SerializeToString()), "HTTP 400: the body is no request"),
        ((401, Status(message="no token").SerializeToString()), "HTTP 401: no token"),
        ((503, b"<html>a proxy</html>"), "HTTP 503: <html>a proxy</html>"),
        ((301, b""), "HTTP 301"),
        ((200, PARTIAL.SerializeToString()), "2 items of traces were left out: 2 of 3 spans have no id"),
        ((200, b"<html>not a collector</html>"), "the answer is no OTLP answer"),
    ],
)
def test_what_is_not_taken_in_full_is_kept_and_the_others_are_sent(tmp_path, letters, answering, answer, said):
    kept, _ = bury(letters, b"first", number=1), bury(letters, b"second", number=2)
    url, seen = answering(answer, (200, b""))
    found = replay(tmp_path, url)
    assert found.exit_code == 1
    assert f"kept {kept.path}: {said}" in found.output
    assert "1 of 2 dead letter(s) sent again" in found.output
    assert letters.letters() == [kept]
    assert len(seen) == 2


def test_a_warning_without_rejected_items_is_a_full_success(tmp_path, letters, answering):
    bury(letters, b"body")
    warning = ExportTraceServiceResponse()
    warning.partial_success.error_message = "names were altered"
    url, _ = answering((200, warning.SerializeToString()))
    assert replay(tmp_path, url).exit_code == 0
    assert letters.letters() == []


def test_a_letter_whose_bytes_are_gone_is_not_sent_since_an_empty_request_would_be_taken(tmp_path, letters, answering):
    letter = bury(letters, b"")
    url, seen = answering((200, b""))
    found = replay(tmp_path, url)
    assert (found.exit_code, seen) == (1, [])
    assert "its bytes are gone" in found.output
    assert letters.letters() == [letter]


def test_a_letter_of_an_unknown_signal_is_kept(tmp_path, letters, answering):
    bury(letters, b"body", signal="profiles")
    url, seen = answering((200, b""))
    found = replay(tmp_path, url)
    assert (found.exit_code, seen) == (1, [])
    assert "'profiles' is no signal" in found.output


def test_a_collector_that_does_not_answer_costs_nothing_and_is_named(tmp_path, letters):
    bury(letters, b"first", number=1)
    bury(letters, b"second", number=2)
    with socket.create_server(("127.0.0.1", 0)) as held:
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
    found = replay(tmp_path, url)
    assert found.exit_code == 1
    assert found.output.count("does not answer") == 1
    assert "is the collector running?" in found.output
    assert len(letters.letters()) == 2
