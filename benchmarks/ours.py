"""Our side of a comparison: the whole of `ninelives up`, or the collector alone before an engine of its own."""

import subprocess
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cpu import ProcessTree, wait_until_settled
from benchmarks.engine import stored_parts
from benchmarks.load import Load
from benchmarks.payload import Plan
from benchmarks.server import Server, free_ports, listens, local, ninelives, process, running, spool_bytes
from benchmarks.side import Run, await_stored, measure, require_equal
from benchmarks.store import Store
from tests.bridge.bridge import Bridge

DATABASE = "ninelives"


def measure_ours(requests: Plan, *, clients: int, rate: float | None = None) -> Run:
    """Send *requests* to a server of its own and return what that cost it.

    Raises:
        MismatchError: accepted and stored spans differ, or something was put aside.
        NotSettledError, RefusedError, ServerError: see there.
    """
    with TemporaryDirectory(prefix="ninelives-bench-") as name:
        folder, item_bytes = Path(name), requests.item_bytes
        with running(folder) as server:
            load = Load(requests, server.otlp_port, clients=clients, rate=rate)
            run = measure(
                load,
                ProcessTree(server.pid),
                lambda: server.api.status().spans_stored,
                waiting=lambda: round(spool_bytes(folder) / item_bytes),
            )
            require_sound(server, run.sent.items)
        return replace(run, disk_bytes=stored_parts(folder / "data" / "clickhouse").bytes)


def require_sound(server: Server, items: int) -> None:
    """Raise MismatchError unless the collector counted *items* accepted ones and put nothing aside."""
    lanes = server.api.status().ingest
    require_equal("the collector counted", sum(lane.accepted_items for lane in lanes), items)
    require_equal("dead letters", sum(lane.dead_letters for lane in lanes), 0)


def measure_collector(requests: Plan, *, clients: int, rate: float | None = None) -> float:
    """Return the CPU microseconds a span of `ninelives collector`: all of it, and nothing of the engine.

    Everything counts that the process does: HTTP, parse, check, spool, sending to the database, its own statistics.

    Raises:
        MismatchError, NotSettledError, RefusedError, ServerError: see there.
    """
    with TemporaryDirectory(prefix="ninelives-bench-") as name, Bridge(Path(name) / "clickhouse") as bridge:
        folder, url = Path(name), bridge.url(DATABASE)
        subprocess.run(ninelives("migrate", clickhouse=url), cwd=folder, check=True, stdout=subprocess.DEVNULL)
        otlp_http, otlp_grpc, health = free_ports(3)
        listeners = {"otlp_http": local(otlp_http), "otlp_grpc": local(otlp_grpc), "collector_health": local(health)}
        command = ninelives("collector", data=folder / "data", clickhouse=url, **listeners)
        with (
            process(command, folder / "collector.log", lambda: listens(otlp_http)) as pid,
            Store(bridge, DATABASE) as store,
        ):
            tree = ProcessTree(pid)
            wait_until_settled(tree.cpu_s)
            before_s = tree.cpu_s()
            sent = Load(requests, otlp_http, clients=clients, rate=rate).run()
            await_stored(lambda: store.rows("spans"), sent.items)
            return (tree.cpu_s() - before_s) * 1e6 / sent.items
