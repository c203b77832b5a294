import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.children import Child, ChildSpec
from demo.errors import DemoError
from demo.ports import Ports, bind, is_listening
from demo.shop import INSTANCES, Instance
from demo.targets import pid_path, write_targets

TICK_S = 0.1
READY_S = 60.0
STOP_S = 4.0
TURN_S = 1.0
"""How long a caller is waited for before the service that it calls is stopped: its last requests are still answered."""


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """How the shop runs. `history_days` 0 sends no history; `through_proxy`, its calls go through the fault daemon."""

    endpoint: str
    data: Path
    ports: Ports
    through_proxy: bool
    rate: float
    ramp_s: float
    history_days: float
    environment: str


def child_specs(settings: ShopSettings) -> dict[str, ChildSpec]:
    """Return what to run, by name: "history", the services and "load"."""
    python = (sys.executable, "-m", "demo")
    telemetry = ("--endpoint", settings.endpoint, "--environment", settings.environment)
    logs = settings.data / "demo" / "logs"

    def edge(name: str) -> str:
        return settings.ports.edge_url(name, through_proxy=settings.through_proxy)

    upstreams = {
        "gateway": (edge("gateway-orders"), edge("gateway-orders-2")),
        "orders": (settings.ports.url("catalog"),),
        "catalog": (edge("catalog-cache"),),
        "item-cache": (),
    }

    def service(instance: Instance) -> ChildSpec:
        port = settings.ports.of(instance.name)
        own = ("--instance", str(instance.number), "--data", str(settings.data), "--port", str(port))
        asks = tuple(word for url in upstreams[instance.service] for word in ("--upstream-url", url))
        return ChildSpec(
            name=instance.name,
            arguments=(*python, "service", instance.service, *telemetry, *own, *asks),
            log_file=logs / f"{instance.name}.log",
            port=port,
            pid_file=pid_path(settings.data, instance.name),
        )

    past = ("--days", str(settings.history_days), "--base-port", str(settings.ports.base), "--watch-stdin")
    history = (*python, "history", *telemetry, *past)
    rate = ("--rate", str(settings.rate), "--ramp", str(settings.ramp_s))
    load = (*python, "load", "--url", settings.ports.url("gateway"), *rate)
    return {
        "history": ChildSpec("history", history, logs / "history.log"),
        **{instance.name: service(instance) for instance in INSTANCES},
        "load": ChildSpec("load", load, logs / "load.log"),
    }


def say(line: str) -> None:
    """Tell the user one line at once, also through a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Supervisor:
    """Keeps the shop running until `stop` is set."""

    settings: ShopSettings
    stop: threading.Event = field(default_factory=threading.Event)
    _running: dict[str, Child] = field(default_factory=dict)

    def run(self) -> None:
        """Send the history, keep the services and their load alive, and end them all when `stop` is set.

        Raises:
            PortInUseError: A service's port is taken.
            DemoError: A service does not come up.
        """
        self._check_ports()
        write_targets(self.settings.data, self.settings.ports)
        specs = child_specs(self.settings)
        try:
            self._start_services(specs)
            self._send_history(specs["history"])
            self._start(specs["load"])
            if not self.stop.is_set():
                say(f"The shop is up: {self.settings.ports.url('gateway')}, {self.settings.rate:g} requests a second.")
            while not self.stop.wait(TICK_S):
                self._keep_alive()
        finally:
            self._end_all()

    def _check_ports(self) -> None:
        for instance in INSTANCES:
            bind(self.settings.ports.of(instance.name)).close()

    def _start(self, spec: ChildSpec) -> Child:
        child = Child(spec)
        if not self.stop.is_set():
            self._running[spec.name] = child
            child.start()
        return child

    def _keep_alive(self) -> None:
        for name, child in self._running.items():
            if name != "history":
                child.keep_alive()

    def _start_services(self, specs: dict[str, ChildSpec]) -> None:
        for instance in INSTANCES:
            self._start(specs[instance.name])
        deadline = time.monotonic() + READY_S
        while not self.stop.is_set() and (waiting := self._not_listening()):
            if (dead := self._dead()) is not None:
                raise DemoError(f"{dead.name} ended at its start: see {dead.log_file}.")
            if time.monotonic() > deadline:
                raise DemoError(f"{waiting[0].name} did not come up in {READY_S:g} s: see {waiting[0].log_file}.")
            self.stop.wait(TICK_S)

    def _dead(self) -> ChildSpec | None:
        return next((child.spec for child in self._running.values() if not child.is_running()), None)

    def _not_listening(self) -> Sequence[ChildSpec]:
        specs = [child.spec for child in self._running.values()]
        return [spec for spec in specs if spec.port is not None and not is_listening(spec.port)]

    def _send_history(self, spec: ChildSpec) -> None:
        """Run the history process to its end. The shop goes live without it if it fails."""
        if self.settings.history_days <= 0:
            return
        child = self._start(spec)
        while child.is_running() and not self.stop.wait(TICK_S):
            self._keep_alive()
        if self.stop.is_set():
            return
        lines = spec.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        say(lines[-1] if lines else f"The history ended with exit code {child.exit_code()}.")

    def _end_all(self) -> None:
        deadline = time.monotonic() + STOP_S
        for name in ("history", "load", *(instance.name for instance in reversed(INSTANCES))):
            if (child := self._running.get(name)) is not None:
                child.terminate()
                child.wait(min(TURN_S, max(0.0, deadline - time.monotonic())))
        for child in self._running.values():
            child.end(max(0.0, deadline - time.monotonic()))
