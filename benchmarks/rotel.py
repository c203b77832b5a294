"""The peer: rotel, an OTLP collector in Rust, which writes into the same engine behind the ClickHouse HTTP interface.

Its tables are those of its exporter (`otel_traces.sql`). It sends uncompressed, which costs both processes least.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import rotel

from benchmarks.cpu import ProcessTree
from benchmarks.load import Load
from benchmarks.payload import Plan
from benchmarks.server import free_ports, listens, local, process
from benchmarks.side import Run, measure
from benchmarks.store import Store
from tests.bridge.bridge import Bridge

AGENT = Path(rotel.__file__).with_name("rotel-agent")
TABLES = Path(__file__).with_name("otel_traces.sql")
DATABASE = "otel"
SETTINGS: dict[str, tuple[str, ...]] = {
    "default": (),
    "large": ("--batch-max-size=65536", "--batch-timeout=5s"),  # full batches also at a low rate
}


class PeerError(Exception):
    """The peer did not work as it does when it is well."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running rotel and the engine behind it."""

    pid: int
    otlp_port: int
    store: Store
    log: Path

    def require_sound(self) -> None:
        """Raise PeerError when rotel repeated exports: it gives the database 5 s, and what is repeated costs twice."""
        failed = self.log.read_text(encoding="utf-8", errors="replace").count("Exporting failed")
        if failed:
            remedy = "a lower --rate, or a machine without neighbours, spares it that"
            raise PeerError(f"{failed} exports of rotel took over 5 s and were repeated: {remedy}")


def measure_rotel(requests: Plan, setting: str, *, clients: int, rate: float | None) -> Run:
    """Send *requests* to a peer of its own with one of SETTINGS and return what that cost both of its processes.

    Raises:
        PeerError: rotel repeated exports, so that its CPU says nothing.
        MismatchError, NotSettledError, RefusedError, ServerError: see there.
    """
    with TemporaryDirectory(prefix="ninelives-bench-") as name, running_rotel(Path(name), SETTINGS[setting]) as peer:
        load = Load(requests, peer.otlp_port, clients=clients, rate=rate)
        tree = ProcessTree(peer.pid, peer.store.pid)
        run = measure(load, tree, lambda: peer.store.rows("otel_traces"), check=peer.require_sound)
        peer.require_sound()
        return replace(run, disk_bytes=peer.store.disk_bytes())


@contextmanager
def running_rotel(folder: Path, flags: tuple[str, ...] = ()) -> Iterator[Peer]:
    """Run the engine behind HTTP, and rotel before it, with their data in *folder*."""
    otlp_http, otlp_grpc = free_ports(2)
    log = folder / "rotel.log"
    with Bridge(folder / "clickhouse") as bridge, Store(bridge, DATABASE) as store:
        store.create(TABLES.read_text(encoding="utf-8"))
        command = [
            str(AGENT),
            "start",
            f"--otlp-http-endpoint={local(otlp_http)}",
            f"--otlp-grpc-endpoint={local(otlp_grpc)}",
            "--exporter=clickhouse",
            f"--clickhouse-exporter-endpoint={bridge.address}",
            f"--clickhouse-exporter-database={DATABASE}",
            "--clickhouse-exporter-compression=none",
            *flags,
        ]
        with process(command, log, lambda: listens(otlp_http)) as pid:
            yield Peer(pid, otlp_http, store, log)
