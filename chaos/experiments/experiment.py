"""Experiments: what is claimed, what is broken, for how long, and what must not be hurt."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from api.models import Slo
from chaos.errors import ExperimentError
from chaos.experiments.fault_specs import FaultSpec, LatencyInjection
from chaos.experiments.hypotheses import (
    AlertHypothesis,
    AvailabilityHypothesis,
    Hypothesis,
    Judged,
    LatencyHypothesis,
    SloHypothesis,
)
from chaos.experiments.method import MethodLine
from chaos.experiments.part import Part
from chaos.experiments.schedule import next_run
from chaos.wire import FaultRequest

SETTLE_S = 1.0

Ratio = Annotated[float, Field(ge=0, le=1)]


class GroupSplit(Part):
    """A `share` of the requests is treated, as many are control, so that both arms are counted at the same time."""

    share: float = Field(gt=0, le=0.5)


class Safeguards(Part):
    """When a run is refused or ended.

    `budget_floor` (0..1) of the error budgets must be left, None asks for nothing; `abort` ends a run that hurts more
    than it may; unless `allow_firing`, no alert of the services may be firing when it starts.
    """

    budget_floor: Ratio | None = 0.1
    abort: bool = True
    allow_firing: bool = False


class BlastRadius(Part):
    """The most that may be hurt: `services` (empty: any), `share` of the requests, `budget_cost` of a budget (0..1)."""

    services: list[str] = Field(default_factory=list)
    share: Ratio | None = None
    budget_cost: Ratio | None = None


class Experiment(Part):
    """One experiment. `name` is the stem of its file; durations are in seconds.

    `toolkit` is a Chaos Toolkit document whose activities the toolkit's own library runs; then `method` is empty.
    """

    name: str
    title: str = Field(min_length=1)
    description: str = ""
    environment: str | None = None
    hypothesis: list[Hypothesis] = Field(default_factory=list)
    method: list[MethodLine] = Field(default_factory=list)
    toolkit: dict[str, Any] | None = None
    groups: GroupSplit | None = None
    seed: str = Field(default="", max_length=200)
    baseline_s: float = Field(default=30, ge=1, le=86_400)
    duration_s: float = Field(default=30, ge=1, le=3600)
    recovery_s: float = Field(default=20, ge=1, le=3600)
    lease_s: float = Field(default=10, ge=1, le=600)
    min_samples: int = Field(default=100, ge=1)
    safeguards: Safeguards = Safeguards()
    blast_radius: BlastRadius = BlastRadius()
    schedule: str = ""

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, text: str) -> str:
        if text:
            try:
                next_run(text, datetime(2000, 1, 1, tzinfo=UTC))
            except ValueError as error:
                raise ValueError(f"not a cron line ({error}); write five fields, for example '0 10 * * fri'") from error
        return text

    @model_validator(mode="after")
    def _claims_and_breaks_something(self) -> Self:
        if self.toolkit is None and not self.hypothesis:
            raise ValueError("hypothesis: this field is required; without a claim there is nothing to judge")
        if self.toolkit is None and not self.method:
            raise ValueError("method: this field is required; name at least one fault")
        if self.toolkit is not None and self.method:
            raise ValueError("method: a Chaos Toolkit document brings its own; leave it out")
        return self

    @model_validator(mode="after")
    def _stays_within_its_own_limits(self) -> Self:
        whole = [fault.word for fault in self.method if not fault.splittable]
        if self.groups is not None and whole:
            raise ValueError(f"groups: {whole[0]} hits every request; leave groups out to compare before and after")
        share = 1.0 if self.groups is None else self.groups.share
        if self.blast_radius.share is not None and share > self.blast_radius.share:
            raise ValueError(
                f"blast_radius.share: {share:g} of the requests are hit, {self.blast_radius.share:g} are allowed; "
                "set groups.share or raise the limit"
            )
        return self

    @property
    def judged(self) -> list[Judged]:
        """The lines that two arms of requests decide."""
        return [line for line in self.hypothesis if isinstance(line, AvailabilityHypothesis | LatencyHypothesis)]

    @property
    def objectives(self) -> list[SloHypothesis]:
        """The lines that wait for `resolved`."""
        return [line for line in self.hypothesis if isinstance(line, SloHypothesis)]

    @property
    def expected_alerts(self) -> list[AlertHypothesis]:
        return [line for line in self.hypothesis if isinstance(line, AlertHypothesis)]

    @property
    def services(self) -> list[str]:
        """The services of the judged lines, each once, in their order."""
        return list(dict.fromkeys(line.service for line in self.judged))

    @property
    def lease_ms(self) -> int:
        return round(self.lease_s * 1000)

    @property
    def settle_s(self) -> float:
        """Requests that start this long before a change may be in flight when it comes: they belong to no window."""
        delays = [fault.latency_ms for fault in self.method if isinstance(fault, LatencyInjection)]
        return max([SETTLE_S, *(2 * delay / 1000 for delay in delays)])

    def resolved(self, slos: Mapping[str, Slo]) -> Self:
        """Return the experiment with the objectives *slos* (by id) in place of the lines that name them.

        Raises:
            ExperimentError: an objective is not there, or is not one over requests.
        """
        lines: list[Judged | AlertHypothesis] = []
        for line in self.hypothesis:
            if not isinstance(line, SloHypothesis):
                lines.append(line)
                continue
            if line.slo not in slos:
                known = ", ".join(sorted(slos)) or "none"
                raise ExperimentError(f"hypothesis: there is no SLO {line.slo!r} (known: {known})")
            lines.append(line.resolved(slos[line.slo]))
        return self.model_copy(update={"hypothesis": lines})

    def fault_requests(self, run: str = "") -> list[FaultRequest]:
        """Return what the daemon is asked for, a request a fault, in the order of the method.

        Args:
            run: id of the run; it is also the seed of the arms where the file has none.
        """
        groups = None
        if self.groups is not None:
            groups = {"run": run, "share": self.groups.share, "seed": self.seed or run}
        return [fault.request(lease_ms=self.lease_ms, run=run, groups=groups) for fault in self._faults()]

    def _faults(self) -> list[FaultSpec]:
        return list(self.method)
