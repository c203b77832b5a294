"""The fault daemon as a real process in front of a real server, and its clients."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import yaml

from chaos.fault_client import FaultClient
from chaos.wire import FaultRequest

ROOT = Path(__file__).parents[2]

DAEMON = """
import asyncio, sys
from pathlib import Path
from chaos.daemon.server import serve
asyncio.run(serve("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), watch_stdin=True))
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
            assert self.process.wait(20) == 0
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
