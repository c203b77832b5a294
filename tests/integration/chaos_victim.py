"""A small HTTP service to break, and a fault board in this process to break it with."""

import asyncio
import http.client
import json
import subprocess
import sys
import time

import psutil

from chaos.daemon.board import FaultBoard
from chaos.daemon.emergency_stop import EmergencyStop
from chaos.daemon.pid_file import PidFile
from chaos.daemon.undo import UndoRecords
from chaos.daemon.world import VictimProcess, World
from chaos.wire import FaultRequest

SERVICE = """
import os, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

files = []

def opened():
    count = 0
    try:
        while count < 100:
            files.append(os.open(os.devnull, os.O_RDONLY))
            count += 1
    except OSError:
        pass
    while files:
        os.close(files.pop())
    return count

def spun():
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.05:
        pass
    return round((time.monotonic() - began) / 0.05, 2)

def allocated():
    try:
        return len(bytearray(64 << 20))
    except MemoryError:
        return 0

def threaded():
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    return 1

class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        actions = {"/opened": opened, "/spun": spun, "/allocated": allocated, "/threaded": threaded}
        body = str(actions.get(self.path, lambda: "ok")()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Service)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Victim:
    """The service as a process with a pid file, without a supervisor."""

    def __init__(self, folder):
        self.pid_file = folder / "orders.json"
        self.disk_folder = folder / "data"
        self.disk_folder.mkdir(exist_ok=True)
        self.start()

    def start(self, port=0):
        command = [sys.executable, "-S", "-c", SERVICE, str(port)]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())
        self.process = psutil.Process(self.child.pid)
        document = {"pid": self.child.pid, "create_time": self.process.create_time()}
        self.pid_file.write_text(json.dumps(document), encoding="utf-8")

    def ask(self, path="/", timeout_s=5.0):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def die(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def target(self):
        return VictimProcess("orders", "orders", PidFile(self.pid_file), self.disk_folder, 64)


def new_board(folder, world):
    """Return a board as a daemon makes it at its start, on the records below *folder*."""
    return FaultBoard(world, UndoRecords(folder / "undo"), EmergencyStop(folder / "emergency-stop.json"))


def on_board(folder, world, test):
    """Run *test(board)*, and end the board as a daemon does."""

    async def run():
        board = new_board(folder, world)
        try:
            await test(board)
        finally:
            await board.close()

    asyncio.run(run())


def world_of_victim(victim, **parts):
    return World(processes={"orders": victim.target()}, **parts)


def request(kind, target="orders", *, lease_ms=60_000, **attributes):
    return FaultRequest(kind=kind, target=target, lease_ms=lease_ms, attributes=attributes)


def records(folder):
    return sorted(path.name for path in (folder / "undo").glob("*"))


def workers():
    """Return the live workers of this process's boards."""
    living = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if "worker_main.py" in " ".join(child.cmdline())]


async def becomes(board, fault_id, phase, within_s=10.0):
    """Wait until the fault is in *phase* and return its state and how long that took."""
    began = time.monotonic()
    while board.state(fault_id).phase != phase:
        assert time.monotonic() - began < within_s, board.state(fault_id)
        await asyncio.sleep(0.01)
    return board.state(fault_id), time.monotonic() - began
