"""What the fault daemon and its client say to each other beyond the Toxiproxy API."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from chaos.daemon.lease import MAX_LEASE_MS

EdgeFaultKind = Literal["latency", "partition", "http", "toxic"]
ProcessFaultKind = Literal["kill", "hang", "cpu", "memory", "file_descriptors", "disk"]
OtherFaultKind = Literal["cache_flush", "pool", "command", "container"]
FaultKind = Literal[EdgeFaultKind, ProcessFaultKind, OtherFaultKind]
EDGE_KINDS: frozenset[str] = frozenset(get_args(EdgeFaultKind))
"""The kinds of fault that sit on a proxy: those that a Toxiproxy client may see and end."""
FaultPhase = Literal["active", "reverting", "reverted", "unverified"]
EndedBy = Literal["request", "lease", "emergency-stop", "reset", "shutdown", "recovery", "failed-injection"]


class Wire(BaseModel):
    """Immutable; unknown fields are ignored, so that an older client can speak to a newer daemon."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LeaseRequest(Wire):
    lease_ms: int = Field(gt=0, le=MAX_LEASE_MS)


class Groups(Wire):
    """Which requests a run breaks: `share` of the traces are its treatment, as many its control (chaos.proxy.arms)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(min_length=1, max_length=200)
    share: float = Field(gt=0, le=0.5)
    seed: str = Field(min_length=1, max_length=200)


class FaultRequest(LeaseRequest):
    """A fault of `kind` on a proxy (latency, partition, http, toxic) or a process; `attributes` depend on the kind.

    `run` is the id of the run that asks, empty where there is none. With `groups` the fault hits only the requests
    of the run's treatment arm; that needs an HTTP edge.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    target: str
    attributes: dict[str, Any] = {}
    groups: Groups | None = None
    run: str = Field(default="", max_length=200)


class FaultState(Wire):
    """A fault, active or ended.

    `verified` is None while it is active; then it says whether a probe has seen the revert, and phase
    "unverified" means that the daemon goes on trying. `kills` counts the processes killed so far. `detail` is what a
    person should know of it, such as why the revert is not verified or that its target has ended by itself.
    """

    id: str
    kind: FaultKind
    target: str
    attributes: dict[str, Any]
    lease_ms: int
    expires_in_ms: int
    phase: FaultPhase
    injected_at: datetime
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    verified: bool | None = None
    kills: int = 0
    detail: str = ""


class FaultList(Wire):
    items: list[FaultState]


class ProxyTarget(Wire):
    """A proxy; `client` and `server` are the services at its ends, empty where unknown.

    `protocol` is tcp or http; only an http edge can split requests into groups.
    """

    name: str
    listen: str
    upstream: str
    client: str = ""
    server: str = ""
    enabled: bool = True
    protocol: Literal["tcp", "http"] = "tcp"


class ProcessTarget(Wire):
    """A process that may be killed, stopped or starved; `running` is whether its pid file names a live process."""

    name: str
    service: str = ""
    running: bool


class OtherTarget(Wire):
    """A command, container, cache or pool."""

    name: str
    service: str = ""


class TargetList(Wire):
    proxies: list[ProxyTarget]
    processes: list[ProcessTarget]
    commands: list[OtherTarget] = []
    containers: list[OtherTarget] = []
    caches: list[OtherTarget] = []
    pools: list[OtherTarget] = []


class EmergencyStopRequest(Wire):
    """Who stops everything, and why; both may stay empty."""

    by: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=2000)


class EmergencyStopState(Wire):
    """Whether the daemon is locked: then it injects nothing, until somebody releases it."""

    locked: bool
    by: str = ""
    reason: str = ""
    at: datetime | None = None


class EmergencyStopResult(EmergencyStopState):
    """The lock, and the faults that it ended."""

    items: list[FaultState] = []
