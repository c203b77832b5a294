"""Experiment files: what is claimed, what is broken and for how long."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chaos.errors import ExperimentError
from chaos.fields import problems
from chaos.wire import FaultRequest

SETTLE_S = 1.0

_TAGS = ("latency", "down", "kill", "availability")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AvailabilityHypothesis(_Part):
    """The share of failed requests of `service` rises by at most `margin` (0..1)."""

    service: str = Field(min_length=1)
    sli: Literal["availability"]
    margin: float = Field(ge=0, lt=1)

    @property
    def threshold_ms(self) -> None:
        return None

    def __str__(self) -> str:
        return f"{self.service} availability: at most {self.margin * 100:g} points more failed requests"


class LatencyHypothesis(_Part):
    """The share of requests of `service` slower than `threshold_ms` rises by at most `margin` (0..1)."""

    service: str = Field(min_length=1)
    sli: Literal["latency"]
    threshold_ms: float = Field(gt=0)
    margin: float = Field(ge=0, lt=1)

    def __str__(self) -> str:
        return (
            f"{self.service} latency: at most {self.margin * 100:g} points more requests over {self.threshold_ms:g} ms"
        )


class LatencyFaultSpec(_Part):
    kind: Literal["latency"]
    target: str = Field(min_length=1)
    latency_ms: int = Field(gt=0, le=600_000)
    jitter_ms: int = Field(default=0, ge=0, le=600_000)

    @property
    def attributes(self) -> dict[str, Any]:
        return {"latency": self.latency_ms, "jitter": self.jitter_ms}


class DownFaultSpec(_Part):
    kind: Literal["down"]
    target: str = Field(min_length=1)

    @property
    def attributes(self) -> dict[str, Any]:
        return {}


class KillFaultSpec(_Part):
    kind: Literal["kill"]
    target: str = Field(min_length=1)
    every_s: float | None = Field(default=None, ge=0.5, le=600)

    @property
    def attributes(self) -> dict[str, Any]:
        return {} if self.every_s is None else {"every_s": self.every_s}


Hypothesis = Annotated[AvailabilityHypothesis | LatencyHypothesis, Field(discriminator="sli")]
FaultSpec = Annotated[LatencyFaultSpec | DownFaultSpec | KillFaultSpec, Field(discriminator="kind")]


class Experiment(_Part):
    """One experiment. `name` is the stem of its file; durations are in seconds."""

    name: str
    title: str = Field(min_length=1)
    description: str = ""
    environment: str | None = None
    hypothesis: list[Hypothesis] = Field(min_length=1)
    fault: FaultSpec
    baseline_s: float = Field(default=30, ge=1, le=86_400)
    duration_s: float = Field(default=30, ge=1, le=3600)
    recovery_s: float = Field(default=20, ge=1, le=3600)
    lease_s: float = Field(default=10, ge=1, le=600)
    min_samples: int = Field(default=100, ge=1)

    @property
    def services(self) -> list[str]:
        """The services of the hypothesis, each once, in its order."""
        return list(dict.fromkeys(line.service for line in self.hypothesis))

    @property
    def lease_ms(self) -> int:
        return round(self.lease_s * 1000)

    @property
    def settle_s(self) -> float:
        """Requests that start this long before a change may be in flight when it comes: they belong to no window."""
        return max(SETTLE_S, 2 * self.fault.latency_ms / 1000) if self.fault.kind == "latency" else SETTLE_S

    def fault_request(self) -> FaultRequest:
        fault = self.fault
        return FaultRequest(kind=fault.kind, target=fault.target, lease_ms=self.lease_ms, attributes=fault.attributes)


def parse_experiment(text: str, *, name: str, source: str = "") -> Experiment:
    """Read an experiment from YAML.

    Args:
        text: the document.
        name: what the experiment is called, normally the stem of its file.
        source: what errors call the document; *name* if empty.

    Raises:
        ExperimentError: one line for each bad field, each naming file and field.
    """
    where = source or name
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ExperimentError(f"{where}: not YAML: {error}") from error
    if not isinstance(document, dict):
        raise ExperimentError(
            f"{where}: an experiment is a mapping with title, hypothesis and fault (got {document!r})"
        )
    if "name" in document:
        raise ExperimentError(f"{where}: name: unknown field; an experiment is named after its file")
    try:
        return Experiment.model_validate({**document, "name": name})
    except ValidationError as error:
        raise ExperimentError("\n".join(f"{where}: {each}" for each in problems(error, hidden=_TAGS))) from error


def read_experiment(path: Path) -> Experiment:
    """Read the experiment file at *path*.

    Raises:
        ExperimentError: the file is missing, is not YAML, or breaks the format.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: {error}") from error
    return parse_experiment(text, name=path.stem, source=str(path))


def experiment_files(folders: Sequence[Path]) -> list[Path]:
    """Return the YAML files in *folders*, by name; a missing folder has none."""
    return sorted(path for folder in folders for path in folder.glob("*.y*ml"))
