"""The faults that an experiment may name, by the words of its file, and what the fault daemon is asked for them."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from chaos.experiments.part import Part
from chaos.wire import FaultRequest

MOST_DELAY_MS = 600_000

Share = Annotated[float, Field(gt=0, le=1)]
Megabytes = Annotated[int, Field(gt=0, le=1_000_000)]


class FaultSpec(Part):
    """One fault of an experiment's method.

    `word` is what files call it, `kind` what the fault daemon calls it. `splittable`: it can be applied to some
    requests and not to others. `target` names an entry of the daemon's targets file.
    """

    word: ClassVar[str]
    kind: ClassVar[str]
    splittable: ClassVar[bool] = False
    choices: ClassVar[frozenset[str]] = frozenset()  # fields that choose the kind and are no attributes of it

    target: str = Field(min_length=1)

    @property
    def attributes(self) -> dict[str, Any]:
        """What the daemon is told beside kind and target."""
        return self.model_dump(mode="json", exclude={"target", *self.choices}, exclude_none=True)

    def written(self) -> dict[str, Any]:
        """Return the fault as a line of `method:`, without what is default."""
        chosen = {name: getattr(self, name) for name in sorted(self.choices)}
        arguments = {"target": self.target, **chosen, **self.model_dump(mode="json", exclude_defaults=True)}
        return {self.word: arguments}

    def request(self, *, lease_ms: int, run: str = "", groups: dict[str, Any] | None = None) -> FaultRequest:
        """Return what the daemon is asked.

        Args:
            lease_ms: how long the fault lives without a renewal.
            run: id of the run, empty where there is none.
            groups: `run`, `share` and `seed` of the arms; None to hit every request.
        """
        asked = {"kind": self.kind, "target": self.target, "lease_ms": lease_ms, "attributes": self.attributes}
        if run:
            asked["run"] = run
        if groups is not None and self.splittable:
            asked["groups"] = groups
        return FaultRequest.model_validate(asked)

    def __str__(self) -> str:
        details = ", ".join(f"{name} {value}" for name, value in self.attributes.items())
        return f"{self.kind} on {self.target}" + (f" ({details})" if details else "")


class LatencyInjection(FaultSpec):
    """Answers (or, upstream, requests) pass the proxy `latency_ms` late, give or take `jitter_ms`."""

    word: ClassVar[str] = "latency_injection"
    kind: ClassVar[str] = "latency"
    splittable: ClassVar[bool] = True

    latency_ms: int = Field(gt=0, le=MOST_DELAY_MS)
    jitter_ms: int = Field(default=0, ge=0, le=MOST_DELAY_MS)
    distribution: Literal["uniform", "normal", "pareto"] = "uniform"
    direction: Literal["upstream", "downstream"] = "downstream"
    seed: str | int | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        optional = self.model_dump(include={"distribution", "direction", "seed"}, exclude_defaults=True)
        return {"latency": self.latency_ms, "jitter": self.jitter_ms, **optional}


class NetworkPartition(FaultSpec):
    """Nothing passes the proxy: connections are refused or reset, or bytes vanish in one direction or both."""

    word: ClassVar[str] = "network_partition"
    kind: ClassVar[str] = "partition"
    splittable: ClassVar[bool] = True

    mode: Literal["refuse", "blackhole", "reset"] = "refuse"
    direction: Literal["both", "upstream", "downstream"] = "both"

    @model_validator(mode="after")
    def _one_way_only_where_there_is_a_connection(self) -> Self:
        if self.direction != "both" and self.mode == "refuse":
            raise ValueError(
                f"direction {self.direction} needs mode blackhole or reset; a refused connection carries nothing"
            )
        return self

    @property
    def attributes(self) -> dict[str, Any]:
        return {"mode": self.mode, "direction": self.direction}


class _ServiceFailure(FaultSpec):
    word: ClassVar[str] = "service_failure"
    choices: ClassVar[frozenset[str]] = frozenset({"mode"})


class KillFailure(_ServiceFailure):
    """SIGKILL; `every_s`: again that long after the last one, None kills once."""

    kind: ClassVar[str] = "kill"

    mode: Literal["kill"] = "kill"
    every_s: float | None = Field(default=None, ge=0.5, le=600)


class HangFailure(_ServiceFailure):
    """The process is stopped and continued at the end: connections are taken, nothing answers."""

    kind: ClassVar[str] = "hang"

    mode: Literal["hang"]


class HttpFailure(_ServiceFailure):
    """A `share` of the requests waits `delay_ms`, then gets `status` in the service's place or is cut (`abort`).

    `match` is header by value, which may hold the wildcards * and ?; the same `seed` chooses the same requests.
    """

    kind: ClassVar[str] = "http"
    splittable: ClassVar[bool] = True

    mode: Literal["http_errors"]
    status: int | None = Field(default=None, ge=200, le=599)
    share: Share = 1.0
    delay_ms: int = Field(default=0, ge=0, le=MOST_DELAY_MS)
    abort: bool = False
    match: dict[str, str] = Field(default_factory=dict)
    seed: str | int | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.status is not None and self.abort:
            raise ValueError("status and abort exclude each other; a connection that is cut carries no status")
        if self.status is None and not self.delay_ms and not self.abort:
            raise ValueError("http_errors does nothing; give status (for example 503), delay_ms or abort: true")
        return self


class _ResourceExhaustion(FaultSpec):
    word: ClassVar[str] = "resource_exhaustion"
    choices: ClassVar[frozenset[str]] = frozenset({"resource"})


class CpuExhaustion(_ResourceExhaustion):
    """The process shares one core with `workers` that keep it busy, each for the share `load` of the time."""

    kind: ClassVar[str] = "cpu"

    resource: Literal["cpu"]
    load: Share = 1.0
    workers: int | None = Field(default=None, ge=1, le=8)


class MemoryExhaustion(_ResourceExhaustion):
    """Mode limit: the process may map `mb` MiB more and no more; mode ballast: a child beside it takes as much."""

    kind: ClassVar[str] = "memory"

    resource: Literal["memory"]
    mb: Megabytes
    mode: Literal["limit", "ballast"] = "limit"


class FileDescriptorExhaustion(_ResourceExhaustion):
    """The limit of open files falls to what is open now and `spare` more."""

    kind: ClassVar[str] = "file_descriptors"

    resource: Literal["file_descriptors"]
    spare: int = Field(default=0, ge=0, le=100_000)


class DiskExhaustion(_ResourceExhaustion):
    kind: ClassVar[str] = "disk"

    resource: Literal["disk"]
    mb: Megabytes


class CacheFlush(FaultSpec):
    word: ClassVar[str] = "cache_flush"
    kind: ClassVar[str] = "cache_flush"


class PoolStarvation(FaultSpec):
    """`connections` of the target's pool are taken and held."""

    word: ClassVar[str] = "pool_starvation"
    kind: ClassVar[str] = "pool"

    connections: int = Field(ge=1, le=1000)


class CommandFault(FaultSpec):
    """The inject and undo commands that the targets file holds; a file of experiments never names a command line."""

    word: ClassVar[str] = "command"
    kind: ClassVar[str] = "command"


class ContainerFault(FaultSpec):
    word: ClassVar[str] = "container"
    kind: ClassVar[str] = "container"

    action: Literal["pause", "kill"]

    @property
    def attributes(self) -> dict[str, Any]:
        return {"action": self.action}
