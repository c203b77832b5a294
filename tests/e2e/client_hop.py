"""rotel, an OpenTelemetry collector written in Rust, as a hop between a service and a stack."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

from client_process import wait_until_up
from stack import free_port

STOP_S = 20  # it sends on what it holds


def agent() -> Path:
    """Return the program that the package brings."""
    return next(Path(file.locate()) for file in files("rotel") or [] if file.name == "rotel-agent")


@contextmanager
def hop(folder: Path, protocol: str, endpoint: str) -> Iterator[dict[str, str]]:
    """Run an agent that forwards to *endpoint* over *protocol* ("grpc" or "http"); leaving it forwards all it holds.

    Yields the targets that it listens at, by the same names.
    """
    targets = {name: f"127.0.0.1:{free_port()}" for name in ("grpc", "http")}
    command = [str(agent()), "start", "--exporter", "otlp", "--pid-file", str(folder / "rotel.pid")]
    command += ["--log-file", str(folder / "rotel-agent.log"), "--otlp-exporter-endpoint", endpoint]
    command += ["--otlp-exporter-protocol", protocol, "--otlp-exporter-request-timeout", "60s"]
    command += [word for name, target in targets.items() for word in (f"--otlp-{name}-endpoint", target)]
    with (folder / "rotel.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for target in targets.values():
            wait_until_up(target)
        yield targets
        process.terminate()
        assert process.wait(STOP_S) == 0, (folder / "rotel.log").read_text()
    finally:
        process.kill()
        process.wait()
