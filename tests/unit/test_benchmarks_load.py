"""How a benchmark sends: everything once, by the clock where a rate is asked for, again when the server is busy."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.ingest import _parse
from benchmarks.load import Load, Outcome, RefusedError
from benchmarks.payload import plan


@pytest.fixture
def receiver():
    """A receiver on a free port: it answers with `server.answers` in turn, then 200, and keeps what it got."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append((time.monotonic(), self.path, body))
            self.send_response(server.answers.pop(0) if server.answers else 200)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.received, server.answers = [], []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def load(receiver, items, *, clients=2, rate=None):
    return Load(plan(items, 8), receiver.server_address[1], clients=clients, rate=rate)


def test_every_request_is_sent_once(receiver):
    sent = load(receiver, 60)
    outcome = sent.run()
    assert (outcome.items, sent.accepted, len(outcome.answer_s), outcome.late_s) == (60, 60, 8, 0.0)
    assert {path for _, path, _ in receiver.received} == {"/v1/traces"}
    assert len({body for _, _, body in receiver.received}) == 8


def test_a_rate_spreads_the_requests_over_the_time(receiver):
    outcome = load(receiver, 40, rate=100).run()
    moments = [moment for moment, _, _ in receiver.received]
    assert 0.2 < moments[-1] - moments[0] < 5
    assert 0.32 <= outcome.wall_s < 5  # four intervals of 8 items at 100 a second


def test_a_busy_server_gets_the_same_bytes_again(receiver):
    receiver.answers = [503, 429]
    outcome = load(receiver, 8, clients=1).run()
    assert (outcome.items, outcome.busy, len(outcome.answer_s)) == (8, 2, 1)
    assert len({body for _, _, body in receiver.received}) == 1


def test_a_refusal_ends_the_run(receiver):
    receiver.answers = [400]
    with pytest.raises(RefusedError, match="HTTP 400"):
        load(receiver, 8, clients=1).run()


def test_percentiles_are_answer_times_that_were_seen():
    outcome = Outcome(answer_s=[0.004, 0.001, 0.002, 0.003])
    assert outcome.percentile_ms(0.5) == 3.0
    assert outcome.percentile_ms(0.99) == 4.0


@pytest.mark.parametrize(
    ("words", "rate", "spans"),
    [
        ([], None, 1_000_000),
        (["--peer", "rotel"], 40_000, 800_000),
        (["--rate", "60000", "--seconds", "60"], 60_000, 3_600_000),
        (["--spans", "2000"], None, 2000),
        (["--peer", "rotel", "--spans", "2000"], 40_000, 2000),
    ],
)
def test_a_comparison_with_a_peer_has_a_rate_that_it_bears(words, rate, spans):
    options = _parse(words)
    assert (options.rate, options.spans) == (rate, spans)
