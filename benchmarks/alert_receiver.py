"""A receiver of webhooks that fails on purpose, and remembers what reached it."""

import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

HANG_S: Final = 12.0  # longer than a channel waits
# of what fails: most in a moment, some only when the sender loses patience
FAULTS: Final = {"500": 0.50, "429": 0.30, "half": 0.17, "hang": 0.03}


@dataclass(slots=True)
class Arrivals:
    """Of one alert and state: the keys of the messages that arrived whole, and when the first was answered 200."""

    keys: list[str] = field(default_factory=list)
    answered_at: float | None = None


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing of senders that are killed in the middle."""


class AlertReceiver:
    """An HTTP server on a free port; *fail_share* of its requests fail, by a seed in an order that repeats."""

    def __init__(self, fail_share: float = 0.0, *, seed: int = 1) -> None:
        self.fail_share = fail_share
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._arrivals: dict[tuple[str, str], Arrivals] = defaultdict(Arrivals)
        self._closing = threading.Event()
        self.failed = 0
        self._server = _QuietServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def delivered(self, status: str = "firing") -> dict[str, float]:
        """Return the alerts that a message answered with 200 told of, with the unix time of the first."""
        with self._lock:
            return {
                alert_id: found.answered_at
                for (alert_id, state), found in self._arrivals.items()
                if state == status and found.answered_at is not None
            }

    @property
    def duplicates(self) -> int:
        """How often an alert's state arrived again."""
        with self._lock:
            return sum(len(found.keys) - 1 for found in self._arrivals.values())

    @property
    def duplicates_without_key(self) -> int:
        """How often it did under another idempotency key, so that a receiver cannot know it for the same."""
        with self._lock:
            return sum(len(set(found.keys)) - 1 for found in self._arrivals.values())

    def fault(self) -> str:
        """Return what goes wrong with the next request, "" for nothing."""
        with self._lock:
            if self._dice.random() >= self.fail_share:
                return ""
            self.failed += 1
            return self._dice.choices(list(FAULTS), list(FAULTS.values()))[0]

    def arrived(self, body: bytes, key: str, *, answered: bool) -> None:
        now = time.time()
        with self._lock:
            for alert in json.loads(body)["alerts"]:
                found = self._arrivals[alert["annotations"]["alert_id"], alert["status"]]
                found.keys.append(key)
                if answered and found.answered_at is None:
                    found.answered_at = now

    def hang(self) -> None:
        self._closing.wait(HANG_S)


def _handler(receiver: AlertReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed
                self.close_connection = True
                return
            fault = receiver.fault()
            receiver.arrived(body, self.headers["Idempotency-Key"], answered=not fault)
            if fault == "hang":
                receiver.hang()
            if fault in {"hang", "half"}:
                self.wfile.write(b"HTTP/1.1 200 O" if fault == "half" else b"")
                self.close_connection = True
                return
            self.send_response(int(fault or 200))
            if fault == "429":
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
