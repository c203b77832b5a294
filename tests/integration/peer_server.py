"""A server that answers as an Alertmanager, or as a test wants."""

import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Peer:
    """A server that keeps what it is sent; alerts named in *bad* it refuses as Alertmanager does."""

    url: str = ""
    status: int = 200
    bad: set[str] = field(default_factory=set)
    hangs: bool = False
    posts: list[list[str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    refusal: str = '"invalid label set"'
    silent_on_get: bool = False
    known: list[dict] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def told(self):
        return [name for post in self.posts for name in post]

    def answer(self, names):
        if self.hangs:
            self.let_go.wait(20)
        self.posts.append(names)
        return (400, self.refusal) if self.bad.intersection(names) else (self.status, "")


@contextmanager
def serve(peer):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            peer.paths.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(*peer.answer([alert["labels"].get("slo_id", "Watchdog") for alert in body]))

        def do_GET(self):
            peer.paths.append(self.path)
            self.reply(500 if peer.silent_on_get else peer.status, json.dumps(peer.known))

        def reply(self, status, text):
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            with suppress(ConnectionError):  # who has waited long enough is gone
                self.end_headers()
                self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        peer.url = f"http://127.0.0.1:{server.server_port}"
        yield peer
        peer.let_go.set()
        server.shutdown()
        thread.join()
