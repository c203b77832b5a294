"""The commands of a guide, run as a reader runs them: line by line in one folder, servers in terminals of their own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PORT = re.compile(r":(\d+)\b|--port (\d+)")
STOP_S = 15.0


def shell_lines(guide: Path, heading: str) -> list[str]:
    """Return the lines of the `sh` blocks below *heading*, up to the next heading of its level."""
    level = heading.split(maxsplit=1)[0]
    text = guide.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2]
    section = re.split(rf"^{level} ", text, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@dataclass
class Terminals:
    """Where the lines run. `ports` replaces the guide's ports with free ones, `environment` names our own addresses."""

    folder: Path
    environment: dict[str, str]
    ports: Mapping[str, str]
    servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    spent_s: dict[str, float] = field(default_factory=dict)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run *line* to its end."""
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", self._with_free_ports(line)],
            cwd=self.folder, env=self._environment(), capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        self.spent_s[line] = time.monotonic() - began
        return done

    def serve(self, line: str) -> None:
        """Start *line* and leave it running; the server that it replaces is stopped first, as with Ctrl-C."""
        name = _name(line)
        self.stop(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            command = ["bash", "-c", f"exec env {self._with_free_ports(line)}"]
            self.servers[name] = subprocess.Popen(
                command, cwd=self.folder, env=self._environment(), stdout=log, stderr=log
            )

    def export(self, line: str) -> None:
        """Set the variables of an `export` for the lines that follow."""
        pairs = self._with_free_ports(line).removeprefix("export ").split()
        self.environment |= dict(pair.split("=", 1) for pair in pairs)

    def stop(self, name: str) -> None:
        server = self.servers.pop(name, None)
        if server is not None:
            server.terminate()
            server.wait(STOP_S)

    def close(self) -> None:
        """Stop every server, the last one first."""
        for name in list(self.servers)[::-1]:
            self.stop(name)

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in sorted(self.folder.glob("*.log")))

    def _with_free_ports(self, line: str) -> str:
        def free(match: re.Match[str]) -> str:
            port = match[1] or match[2]
            return match[0].replace(port, self.ports[port])

        return PORT.sub(free, line)

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **self.environment, "PATH": path, "PYTHONPATH": str(ROOT)}


def is_server(line: str) -> bool:
    return any(word in line for word in ("ninelives up", "chaos daemon", "uvicorn ", "visitors.py"))


def _name(line: str) -> str:
    """Return what tells servers apart: the application, or the last word of the command."""
    app = re.search(r"uvicorn (\w+):app", line)
    return app[1] if app else next(word for word in ("up", "daemon", "visitors") if word in line)
