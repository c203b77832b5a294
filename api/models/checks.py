from datetime import datetime

from api.models.base import Model, Severity


class TelemetryFinding(Model):
    """What makes a service's telemetry of the last hour less useful, with the setting or line of code to change.

    `evidence` are numbers by name (ratios 0..1), of the newest spans or a sample of traces; `examples` are trace ids
    for checks of spans, names for the others.
    """

    check: str
    service: str
    environment: str
    severity: Severity
    finding: str
    remedy: str
    evidence: dict[str, float]
    examples: list[str]


class TelemetryChecks(Model):
    """The findings of all checks, the worst first, and when they were made."""

    as_of: datetime
    window_s: int
    checks: list[str]
    items: list[TelemetryFinding]
