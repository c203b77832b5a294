"""A Prometheus server over blocks of samples that were made beforehand, asked at instants of the past."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx

from benchmarks.server import ServerError, free_ports, local, process

ANSWER_S = 60.0


class Prometheus:
    """Answers PromQL."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def ask(self, expression: str, at: datetime) -> float | None:
        """Return the one value of *expression* at *at*, None where there is none.

        Raises:
            ServerError: Prometheus refuses the expression, or answers with several values.
        """
        answer = self._http.post("/api/v1/query", data={"query": expression, "time": f"{at.timestamp():.3f}"}).json()
        if answer["status"] != "success" or len(answer["data"]["result"]) > 1:
            raise ServerError(f"{expression} at {at.isoformat()}: {answer}")
        return next((float(found["value"][1]) for found in answer["data"]["result"]), None)


@contextmanager
def prometheus(openmetrics: Path, folder: Path) -> Iterator[Prometheus]:
    """Serve the samples of the file *openmetrics* from *folder*, which is made.

    Raises:
        ServerError: it does not start; with the end of its log.
    """
    data, config = folder / "data", folder / "prometheus.yml"
    folder.mkdir(parents=True)
    config.write_text("", encoding="utf-8")
    # blocks of a day: the importer's default makes twelve times as many, and takes ten times as long
    load = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=24h"]
    subprocess.run([*load, str(openmetrics), str(data)], check=True, stdout=subprocess.DEVNULL)
    (port,) = free_ports(1)
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={local(port)}",
    ]
    with (
        httpx.Client(base_url=f"http://{local(port)}", timeout=ANSWER_S, trust_env=False) as http,
        process(command, folder / "prometheus.log", lambda: _is_ready(http)),
    ):
        yield Prometheus(http)


def _is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/-/ready").is_success
    except httpx.TransportError:
        return False
