from datetime import datetime
from typing import Any, Literal

from api.models.base import Model

RunStatus = Literal["running", "finished", "aborted", "failed"]
Verdict = Literal["held", "deviated", "inconclusive", "not_injected"]


class RunWindow(Model):
    """One phase of a run: "baseline", "fault" or "recovery"."""

    phase: str
    started_at: datetime
    ended_at: datetime


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


class Run(Model):
    """One execution of an experiment. `heartbeat_at` older than 30 s turns "running" into "aborted"."""

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
    fault: dict[str, Any] = {}
    comparison: str = "before/after"
    windows: list[RunWindow] = []
    findings: list[Finding] = []
    summary: str = ""
