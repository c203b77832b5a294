"""What the fault daemon may break in the shop."""

from pathlib import Path

import yaml

from demo.files import write_atomically
from demo.ports import EDGES, HOST, Ports
from demo.shop import INSTANCES

MAX_MEMORY_MB = 512
CALLERS = {"gateway-orders": "gateway", "gateway-orders-2": "gateway", "catalog-cache": "catalog"}
SERVICE_OF = {instance.name: instance.service for instance in INSTANCES}


def targets_path(data: Path) -> Path:
    return data / "demo" / "targets.yaml"


def pid_path(data: Path, instance: str) -> Path:
    return data / "demo" / "run" / f"{instance}.json"


def targets_text(ports: Ports) -> str:
    """Return the targets file. Its pid files and folders are relative to the folder that holds it."""
    proxies = [
        {
            "name": edge,
            "listen": f"{HOST}:{ports.of_proxy(edge)}",
            "upstream": f"{HOST}:{ports.of(instance)}",
            "client": CALLERS[edge],
            "server": SERVICE_OF[instance],
            "protocol": "http",
        }
        for edge, instance in EDGES.items()
    ]
    processes = [
        {
            "name": instance.name,
            "service": instance.service,
            "pid_file": f"run/{instance.name}.json",
            "disk_folder": f"disk/{instance.name}",
            "max_memory_mb": MAX_MEMORY_MB,
        }
        for instance in INSTANCES
    ]
    flush = {"method": "POST", "url": f"{ports.url('item-cache')}/flush"}
    document = {
        "proxies": proxies,
        "processes": processes,
        "caches": [{"name": "item-cache", "service": "item-cache", "flush": flush}],
        "pools": [{"name": "catalog", "service": "catalog", "address": f"{HOST}:{ports.of('catalog')}"}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def write_targets(data: Path, ports: Ports) -> Path:
    """Write the targets file below `data`, with the folders that it names, and return its path."""
    path = targets_path(data)
    for instance in INSTANCES:
        (path.parent / "disk" / instance.name).mkdir(parents=True, exist_ok=True)
    write_atomically(path, targets_text(ports))
    return path
