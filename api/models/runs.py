"""Runs of experiments: what was claimed, what was broken, what came of it."""

from datetime import datetime
from typing import Any, Literal

from api.models.base import Model

RunStatus = Literal["running", "finished", "aborted", "failed"]
Verdict = Literal["held", "deviated", "inconclusive", "not_injected", "aborted"]
Comparison = Literal["concurrent", "before/after"]
RunSource = Literal["ninelives", "chaostoolkit", "imported"]
Arm = Literal["control", "treatment"]


class RunWindow(Model):
    """One phase of a run: "baseline", "fault" or "recovery"."""

    phase: str
    started_at: datetime
    ended_at: datetime


class Groups(Model):
    """How requests are split by their trace ids: a `share` (0..0.5) is treated, as many are control, the rest neither.

    With u = the first 8 bytes of MD5(seed followed by the trace id in lower-case hex), as a big-endian integer / 2**64:
    treatment is u < share, control is share <= u < 2 * share.
    """

    share: float
    seed: str


class Finding(Model):
    """What one line of the hypothesis came to. Ratios are of bad requests; the interval is of their difference."""

    hypothesis: str
    service: str
    sli: str
    verdict: Verdict
    control_bad: int
    control_total: int
    treatment_bad: int
    treatment_total: int
    difference: float | None
    interval_low: float | None
    interval_high: float | None
    margin: float
    confidence: float
    control_p95_ms: float | None
    treatment_p95_ms: float | None
    reason: str
    threshold_ms: float | None = None
    p95_difference_low_ms: float | None = None
    p95_difference_high_ms: float | None = None
    samples_needed: int | None = None


class RunEvent(Model):
    """One line of a run's timeline: a step, a fault, a safeguard, a stop."""

    at: datetime
    step: str
    message: str


class RunCheck(Model):
    """One condition of the pre-flight, a safeguard or a check of validity. `blocks`: the run is refused or void."""

    name: str
    ok: bool
    detail: str
    blocks: bool = True


class PredictedCost(Model):
    """What a run is expected to take from the error budget of one SLO; shares of the whole budget, 0..1."""

    slo_id: str
    budget_remaining: float | None
    predicted_share: float | None
    explanation: str


class Preflight(Model):
    """What would happen: every check, who may be hurt and what it may cost. Nothing is broken by asking."""

    experiment: str
    title: str
    environment: str
    services: list[str]
    method: list[dict[str, Any]]
    comparison: Comparison
    share: float
    duration_s: float
    hypothesis: list[str]
    checks: list[RunCheck]
    affected: list[str]
    predicted: list[PredictedCost]
    safeguards: list[str]

    @property
    def runnable(self) -> bool:
        return all(check.ok or not check.blocks for check in self.checks)


class BudgetCost(Model):
    """What the run took from one SLO's budget. Events in the fault window; shares of the whole budget, 0..1.

    `chaos_bad` is what the fault cost beyond the `organic_bad` ones that the control arm (or the baseline) lets expect.
    """

    slo_id: str
    total: int
    bad: int
    organic_bad: float
    chaos_bad: float
    chaos_share: float | None
    organic_share: float | None
    predicted_share: float | None = None


class EdgeEffect(Model):
    """How calls from `client` to `server` differed: control (or baseline) against treatment (or fault)."""

    client: str
    server: str
    control_calls: int
    control_errors: int
    treatment_calls: int
    treatment_errors: int
    control_p95_ms: float | None
    treatment_p95_ms: float | None
    calls_per_request_control: float | None
    calls_per_request_treatment: float | None
    error_difference_low: float | None = None
    error_difference_high: float | None = None
    note: str = ""


class CacheEffect(Model):
    """Hit ratio of one cache in control (or baseline) and treatment (or fault)."""

    service: str
    cache: str
    control_ratio: float | None
    treatment_ratio: float | None
    control_lookups: int = 0
    treatment_lookups: int = 0


class ExpectedAlert(Model):
    """An alert that the fault should raise, or one that came unexpectedly. `after_s`: seconds from the injection."""

    alert: str
    expected: bool
    fired: bool
    after_s: float | None
    within_s: float | None = None
    alert_id: str = ""


class Outcome(Model):
    """What a run did beyond its verdict."""

    budget: list[BudgetCost] = []
    propagation: list[EdgeEffect] = []
    caches: list[CacheEffect] = []
    exemplars: dict[str, list[str]] = {}
    recovered_after_s: float | None = None
    alerts: list[ExpectedAlert] = []
    versions: dict[str, list[str]] = {}


class Run(Model):
    """One execution of an experiment. `heartbeat_at` older than 30 s turns "running" into "aborted".

    `stop_reason`: who asked for its end, and why; the server says so, whatever the runner wrote there.

    `method`: the faults, each with `kind`, `target` and its attributes. `validity`: what must be so for a verdict to
    mean anything. `document`: the experiment as it was run. `journal`: Chaos Toolkit's, where that ran the activities.
    """

    id: str
    experiment: str
    title: str
    status: RunStatus
    verdict: Verdict | None
    started_at: datetime
    ended_at: datetime | None
    heartbeat_at: datetime
    environment: str = ""
    services: list[str] = []
    method: list[dict[str, Any]] = []
    comparison: Comparison = "before/after"
    groups: Groups | None = None
    source: RunSource = "ninelives"
    hypothesis: list[str] = []
    planned_s: dict[str, float] = {}
    windows: list[RunWindow] = []
    findings: list[Finding] = []
    validity: list[RunCheck] = []
    preflight: Preflight | None = None
    events: list[RunEvent] = []
    outcome: Outcome | None = None
    document: dict[str, Any] | None = None
    journal: dict[str, Any] | None = None
    summary: str = ""
    stop_reason: str = ""


class RunSummary(Model):
    """A run in a list."""

    id: str
    experiment: str
    title: str
    status: RunStatus
    verdict: Verdict | None
    started_at: datetime
    ended_at: datetime | None
    heartbeat_at: datetime
    environment: str = ""
    services: list[str] = []
    method: list[dict[str, Any]] = []
    comparison: Comparison = "before/after"
    source: RunSource = "ninelives"
    summary: str = ""
    chaos_share: float | None = None


class RunState(Model):
    """The answer to a runner's heartbeat. `stop_reason`: who asked for the run to end, and why; empty while nobody."""

    stop_reason: str = ""


class StopRequest(Model):
    by: str = ""
    reason: str = ""


class StartRequest(Model):
    """Start an experiment by its name."""

    experiment: str


class StartedRun(Model):
    id: str


class Experiment(Model):
    """An experiment file that can be run here. `problem`: why not, and then only `name` and `path` are known."""

    name: str
    path: str
    title: str = ""
    description: str = ""
    environment: str = ""
    services: list[str] = []
    method: list[dict[str, Any]] = []
    hypothesis: list[str] = []
    comparison: Comparison = "before/after"
    schedule: str = ""
    next_run_at: datetime | None = None
    last_run: RunSummary | None = None
    problem: str = ""


class LatencySample(Model):
    """Durations of requests, in ms, at most as many as asked for, drawn evenly by trace id; `total`: of how many."""

    total: int
    durations_ms: list[float]
