"""What the fault daemon may touch: the proxies it runs and the processes it may kill."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from chaos.address import Address
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
    """`pid_file` is relative to the folder of the targets file."""

    name: str
    pid_file: str
    service: str = ""


class Targets(_Entry):
    proxies: list[ProxyEntry] = []
    processes: list[ProcessEntry] = []


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
    for names in ([entry.name for entry in targets.proxies], [entry.name for entry in targets.processes]):
        for name in {name for name in names if names.count(name) > 1}:
            raise TargetsError(f"{path}: the name {name!r} is used twice; names tell targets apart")
    return targets
