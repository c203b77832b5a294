"""What the fault daemon may touch, and how much of it at once."""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from chaos.address import Address
from chaos.daemon.lease import MAX_LEASE_MS
from chaos.errors import TargetsError
from chaos.fields import problems
from chaos.proxy.proxy import Protocol


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ProxyEntry(_Entry):
    """An edge. `protocol` http reads HTTP/1.1 and can break single requests; tcp carries any bytes."""

    name: str
    listen: str
    upstream: str
    client: str = ""
    server: str = ""
    protocol: Protocol = "tcp"

    @field_validator("listen", "upstream")
    @classmethod
    def _is_address(cls, text: str) -> str:
        Address.parse(text)
        return text


class ProcessEntry(_Entry):
    """`pid_file` and `disk_folder` are relative to the folder of the targets file.

    `max_memory_mb` caps the memory that a fault may take beside the process, in MiB.
    """

    name: str
    pid_file: str
    service: str = ""
    disk_folder: str | None = None
    max_memory_mb: int = Field(default=512, ge=1)


Argv = list[str]


class CommandEntry(_Entry):
    """A fault in the form of commands, run without a shell in the folder of the targets file.

    `check` exits 0 when nothing is broken: it is asked before `inject` and after `undo`. `undo` may be run twice.
    """

    name: str
    inject: Argv = Field(min_length=1)
    undo: Argv = Field(min_length=1)
    check: Argv | None = Field(default=None, min_length=1)
    service: str = ""
    timeout_s: float = Field(default=10, gt=0, le=60)


class ContainerEntry(_Entry):
    """`container` is the name that the container CLI knows it by."""

    name: str
    container: str = Field(min_length=1, pattern=r"^[A-Za-z0-9]")  # an option begins with a dash
    service: str = ""


class HttpFlush(_Entry):
    method: Literal["POST", "PUT", "DELETE", "GET"] = "POST"
    url: str = Field(pattern=r"^https?://")


class CacheEntry(_Entry):
    """A cache and how to empty it: a request to its service, or the address of a Redis server (FLUSHALL)."""

    name: str
    service: str = ""
    flush: HttpFlush | None = None
    redis: str | None = None

    @field_validator("redis")
    @classmethod
    def _is_address(cls, text: str | None) -> str | None:
        if text is not None:
            Address.parse(text)
        return text

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.flush is None) == (self.redis is None):
            raise ValueError("a cache is emptied in one way: give either flush or redis")
        return self


class PoolEntry(_Entry):
    """A server whose connections are few."""

    name: str
    address: str
    service: str = ""

    @field_validator("address")
    @classmethod
    def _is_address(cls, text: str) -> str:
        Address.parse(text)
        return text


class Limits(_Entry):
    """The most that may be broken at once, whoever asks.

    `max_faults` counts what is not reverted yet. `max_share` is the share of requests (0..1) that a fault on a proxy
    may hit; it does not apply to faults on processes and the like, which have no share.
    """

    max_faults: int | None = Field(default=None, ge=1)
    max_share: float = Field(default=1.0, gt=0, le=1)
    max_lease_ms: int = Field(default=MAX_LEASE_MS, ge=1, le=MAX_LEASE_MS)


class Targets(_Entry):
    proxies: list[ProxyEntry] = []
    processes: list[ProcessEntry] = []
    commands: list[CommandEntry] = []
    containers: list[ContainerEntry] = []
    caches: list[CacheEntry] = []
    pools: list[PoolEntry] = []
    limits: Limits = Limits()


def read_targets(path: Path) -> Targets:
    """Read the targets file at *path*.

    Raises:
        TargetsError: the file is missing, is not YAML, or breaks the format; every bad field is named.
    """
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        targets = Targets.model_validate(document or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TargetsError(f"{path}: {error}") from error
    except ValidationError as error:
        raise TargetsError("\n".join(f"{path}: {problem}" for problem in problems(error))) from error
    parts = (
        targets.proxies, targets.processes, targets.commands, targets.containers, targets.caches, targets.pools
    )  # fmt: skip
    for names in ([entry.name for entry in part] for part in parts):
        for name in {name for name in names if names.count(name) > 1}:
            raise TargetsError(f"{path}: the name {name!r} is used twice; names tell targets apart")
    pid_files = [entry.pid_file for entry in targets.processes]
    for name in {name for name in pid_files if pid_files.count(name) > 1}:
        raise TargetsError(f"{path}: the pid_file {name!r} is used twice; one process is one target")
    return targets
