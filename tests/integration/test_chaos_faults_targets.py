"""Faults on what is no process of ours: caches, connection pools, commands and containers."""

import asyncio
import contextlib
import json
import os
import stat
import sys
import threading
from http.server import BaseHTTPRequestHandler

import psutil
import pytest

from chaos.daemon.targets import CacheEntry, CommandEntry, ContainerEntry, HttpFlush, PoolEntry
from chaos.daemon.world import World
from chaos.errors import FaultRefusedError
from tests.integration.chaos_daemon import free_port, http_server
from tests.integration.chaos_victim import becomes, new_board, on_board, records, request

pytestmark = pytest.mark.slow

CLI = f"""#!{sys.executable} -S
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
with (folder / "calls").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
state = folder / "state.json"
found = json.loads(state.read_text())
action, name = sys.argv[1], sys.argv[-1]
if name not in (found["name"], found["id"]):
    sys.exit(f"Error: No such container: {{name}}")
if action in found["fails"]:
    sys.exit(f"Error: cannot connect to the daemon for {{action}}")
becomes = {{"pause": "paused", "unpause": "running", "kill": "exited", "start": "running"}}
if action == "container":
    print(found["status"], found["id"])
else:
    state.write_text(json.dumps(found | {{"status": becomes[action]}}))
"""


def living_in_group(leader):
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Cli:
    """A container CLI that keeps one container in a file, and the calls that it got in another."""

    def __init__(self, folder, name="docker"):
        self.folder = folder
        folder.mkdir()
        program = folder / name
        program.write_text(CLI, encoding="utf-8")
        program.chmod(stat.S_IRWXU)
        self.set(name="shop-orders-1", id="c0ffee", status="running", fails=[])

    def set(self, **changes):
        state = self.folder / "state.json"
        found = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {}
        state.write_text(json.dumps(found | changes), encoding="utf-8")

    @property
    def status(self):
        return json.loads((self.folder / "state.json").read_text(encoding="utf-8"))["status"]

    def actions(self):
        calls = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        return [call for call in calls if not call.startswith("container inspect")]


CONTAINERS = World(containers={"orders": ContainerEntry(name="orders", container="shop-orders-1")})


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("docker", ("pause", "paused", "unpause")),
        ("podman", ("kill", "exited", "start")),
        ("nerdctl", ("pause", "paused", "unpause")),
    ],
)
def test_a_container_is_broken_and_mended_with_the_cli_on_path(tmp_path, monkeypatch, name, steps):
    action, status, undo = steps
    cli = Cli(tmp_path / "bin", name)
    monkeypatch.setenv("PATH", str(cli.folder))

    async def test(board):
        fault = await board.inject(request("container", action=action))
        assert cli.status == status
        assert (await board.revert(fault.id, "request")).verified
        assert cli.status == "running"
        assert cli.actions() == [f"{action} c0ffee", f"{undo} c0ffee"]

    on_board(tmp_path, CONTAINERS, test)


def test_a_restarted_daemon_mends_a_container_by_its_id(tmp_path, monkeypatch):
    """One that was made anew under the same name is another, and left alone."""
    cli = Cli(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(cli.folder))

    async def test():
        first, second = new_board(tmp_path, CONTAINERS), new_board(tmp_path, CONTAINERS)
        fault = await first.inject(request("container", action="pause"))
        second.recover()
        await becomes(second, fault.id, "reverted")
        assert cli.status == "running"
        await first.revert(fault.id, "request")
        fault = await first.inject(request("container", action="pause"))
        cli.set(id="another")
        state = await first.revert(fault.id, "request")
        assert (state.verified, state.detail) == (True, "container shop-orders-1 was removed before the revert")
        assert cli.status == "paused"

    asyncio.run(test())


def test_containers_that_cannot_be_broken_are_refused(tmp_path, monkeypatch):
    """No CLI, no such container, one that does not run, a daemon of theirs that does not answer."""
    cli = Cli(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path))

    async def refused(board, reason):
        with pytest.raises(FaultRefusedError, match=reason) as error:
            await board.inject(request("container", action="pause"))
        assert error.value.status == 409
        assert records(tmp_path) == []

    async def test(board):
        await refused(board, "none of docker, podman, nerdctl is on the fault daemon's PATH; install one")
        monkeypatch.setenv("PATH", str(cli.folder))
        cli.set(status="exited")
        await refused(board, "container shop-orders-1 is exited")
        cli.set(name="other")
        await refused(board, "container shop-orders-1 is missing")
        cli.set(name="shop-orders-1", status="running", fails=["container"])
        await refused(board, "cannot connect to the daemon for container")
        cli.set(fails=["pause"])
        await refused(board, "cannot connect to the daemon for pause")

    on_board(tmp_path, CONTAINERS, test)


def test_a_command_that_hangs_is_killed_with_all_it_started(tmp_path):
    """And undone; the refusal has what it said."""
    code = "import os, time; print('working', flush=True); open(str(os.getpid()), 'w'); os.fork(); time.sleep(60)"
    entry = CommandEntry(
        name="slow", inject=[sys.executable, "-S", "-c", code], undo=["/bin/sh", "-c", "echo > undone"], timeout_s=1
    )

    async def test(board):
        with pytest.raises(FaultRefusedError, match=r"did not end within 1 s; it said: working"):
            await board.inject(request("command", "slow"))
        assert (tmp_path / "undone").exists()
        (leader,) = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
        assert living_in_group(leader) == []

    on_board(tmp_path, World(commands={"slow": entry}, folder=tmp_path), test)


def test_a_command_that_is_not_there_is_refused_by_name(tmp_path):
    entry = CommandEntry(name="typo", inject=["no-such-program"], undo=["/bin/true"])

    async def test(board):
        with pytest.raises(FaultRefusedError, match="cannot run no-such-program: No such file"):
            await board.inject(request("command", "typo"))

    on_board(tmp_path, World(commands={"typo": entry}, folder=tmp_path), test)


def test_a_cache_is_flushed_by_a_request_to_its_service(tmp_path):
    """A service that refuses the request is no flushed cache."""
    asked = []

    class Cache(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(204 if self.path == "/flush" else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http_server(Cache) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        entries = {name: CacheEntry(name=name, flush=HttpFlush(url=f"{url}/{name}")) for name in ("flush", "other")}

        async def test(board):
            fault = await board.inject(request("cache_flush", "flush"))
            assert (await board.revert(fault.id, "request")).verified
            with pytest.raises(FaultRefusedError, match=r"POST http\S+/other answers 500"):
                await board.inject(request("cache_flush", "other"))

        on_board(tmp_path, World(caches=entries), test)
    assert asked == ["/flush", "/other"]


def test_a_redis_server_is_flushed_by_its_own_command(tmp_path):
    """In RESP, as an array of one bulk string; what it answers in place of OK is told."""
    said = []

    async def serve(reader, writer):
        said.append(await reader.readexactly(len(b"*1\r\n$8\r\nFLUSHALL\r\n")))
        writer.write(b"+OK\r\n" if len(said) == 1 else b"-NOAUTH Authentication required.\r\n")
        writer.close()

    async def test():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        entry = CacheEntry(name="redis", redis=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        board = new_board(tmp_path, World(caches={"redis": entry}))
        fault = await board.inject(request("cache_flush", "redis"))
        await board.revert(fault.id, "request")
        with pytest.raises(FaultRefusedError, match="NOAUTH Authentication required"):
            await board.inject(request("cache_flush", "redis"))
        server.close()
        await server.wait_closed()
        with pytest.raises(FaultRefusedError, match="cannot reach cache redis"):
            await board.inject(request("cache_flush", "redis"))
        assert said[0] == b"*1\r\n$8\r\nFLUSHALL\r\n"

    asyncio.run(test())


def test_connections_of_a_pool_are_held_and_taken_again_until_the_revert(tmp_path):
    """The server hangs up on one: it comes back."""
    open_now, arrived = set(), []

    async def serve(reader, writer):
        open_now.add(writer)
        arrived.append(writer)
        await reader.read()
        open_now.discard(writer)
        writer.close()

    async def until(count):
        async with asyncio.timeout(5):
            while len(open_now) != count:  # noqa: ASYNC110 - counted by the server's own tasks
                await asyncio.sleep(0.01)

    async def test():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        entry = PoolEntry(name="catalog", address=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        board = new_board(tmp_path, World(pools={"catalog": entry}))
        fault = await board.inject(request("pool", "catalog", connections=5))
        await until(5)
        assert board.state(fault.id).detail == "5 of 5 connections are held"
        arrived[0].transport.abort()
        await until(4)
        await until(5)
        assert len(arrived) == 6
        assert (await board.revert(fault.id, "request")).verified
        await until(0)
        server.close()
        await server.wait_closed()

    asyncio.run(test())


def test_a_pool_fault_leaves_the_daemon_its_own_file_descriptors(tmp_path, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 4096))
    entry = PoolEntry(name="catalog", address=f"127.0.0.1:{free_port()}")

    async def test(board):
        with pytest.raises(FaultRefusedError, match="take at most 128"):
            await board.inject(request("pool", "catalog", connections=129))

    on_board(tmp_path, World(pools={"catalog": entry}), test)


def test_a_pool_that_nobody_serves_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("chaos.faults.pool.CONNECT_S", 0.2)
    entry = PoolEntry(name="catalog", address=f"127.0.0.1:{free_port()}")

    async def test(board):
        with pytest.raises(FaultRefusedError, match="nothing accepts connections"):
            await board.inject(request("pool", "catalog", connections=2))
        assert threading.active_count() < 50

    on_board(tmp_path, World(pools={"catalog": entry}), test)
