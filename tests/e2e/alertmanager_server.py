"""Debian's Alertmanager on a free port, with a data folder of its own."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from stack import free_port, get_status, wait_for

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alertmanager.md"


def documented(first: str) -> str:
    """Return the YAML of the documentation that begins with *first*."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(first)]
    return found


def config_of_the_documentation(url: str) -> dict[str, Any]:
    """Return the documented alertmanager.yml, whose receivers are all at *url* and wait for nothing."""
    config = yaml.safe_load(documented("route:"))
    for receiver in config["receivers"]:
        receiver["webhook_configs"][0]["url"] = f"{url}/{receiver['name']}"
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    return config


@dataclass
class AlertmanagerServer:
    folder: Path
    config: dict[str, Any]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "alertmanager.log").read_text(errors="replace")

    def start(self) -> "AlertmanagerServer":
        """Start it without any memory of an earlier start."""
        self.starts += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(self.config), encoding="utf-8")
        command = [
            "prometheus-alertmanager",
            "--config.file=alertmanager.yml",
            f"--storage.path=data-{self.starts}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        with (self.folder / "alertmanager.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        wait_for(lambda: get_status(f"{self.url}/-/ready") == 200, 20, f"Alertmanager:\n{self.log}")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def ask(self, path: str) -> Any:
        return httpx.get(f"{self.url}/api/v2/{path}", timeout=5, trust_env=False).raise_for_status().json()

    def alerts(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what fires, by alertname and severity."""
        found = self.ask("alerts")
        return {(alert["labels"]["alertname"], alert["labels"]["severity"]): alert for alert in found}
