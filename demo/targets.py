"""What the fault daemon may break in the shop."""

from pathlib import Path

import yaml

from demo.files import write_atomically
from demo.ports import HOST, Ports
from demo.shop import SERVICES


def targets_path(data: Path) -> Path:
    return data / "demo" / "targets.yaml"


def pid_path(data: Path, service: str) -> Path:
    return data / "demo" / "run" / f"{service}.json"


def targets_text(ports: Ports) -> str:
    """Return the targets file. Its pid files are relative to the folder that holds it."""
    proxy = {
        "name": "gateway-orders",
        "listen": f"{HOST}:{ports.proxy}",
        "upstream": f"{HOST}:{ports.of('orders')}",
        "client": "gateway",
        "server": "orders",
    }
    processes = [{"name": name, "service": name, "pid_file": f"run/{name}.json"} for name in SERVICES]
    return yaml.safe_dump({"proxies": [proxy], "processes": processes}, sort_keys=False)


def write_targets(data: Path, ports: Ports) -> Path:
    """Write the targets file below `data` and return its path."""
    path = targets_path(data)
    write_atomically(path, targets_text(ports))
    return path
