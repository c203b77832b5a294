"""What experiments are run against: a supervised process, load through the edge, and an API that counts it."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil

from api.models import EdgeCount, Page, Run, SliCount
from tests.integration.chaos_daemon import Hello


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
        def do_GET(self):  # noqa: N802 - the name that http.server calls
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            match url.path.removeprefix("/api/v1/"):
                case "sli":
                    self._reply(shop.sli(query))
                case "edges":
                    self._reply(shop.edges(query))
                case "runs":
                    self._reply(Page[Run](items=list(shop.runs.values())))

        def do_PUT(self):  # noqa: N802 - the name that http.server calls
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
