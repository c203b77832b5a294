"""What a check of a service's telemetry found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]
Row = Mapping[str, Any]

FEWEST = 10  # of anything, before it is worth a finding
CHECKS = (
    "no_request_spans",
    "missing_service_name",
    "missing_service_version",
    "missing_environment",
    "mixed_environments",
    "orphan_spans",
    "broken_propagation",
    "ids_in_span_names",
    "unusable_histogram_bounds",
    "sampling_without_weights",
    "quarantined_times",
    "cardinality_overflow",
    "too_many_series",
    "old_semantic_conventions",
    "dropped_by_the_sdk",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a service's telemetry that makes it less useful.

    Attributes:
        check: One of CHECKS.
        finding: What was found, with its numbers.
        remedy: The setting or line of code to change, in one sentence.
        evidence: Numbers behind it, by name; ratios are 0..1.
        examples: Trace ids for checks of spans, names for the others.
    """

    check: str
    service: str
    environment: str
    severity: Severity
    finding: str
    remedy: str
    evidence: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


def finding(
    check: str,
    row: Row,
    severity: Severity,
    text: str,
    *,
    remedy: str,
    evidence: Mapping[str, float],
    examples: Sequence[str] | None = None,
) -> Finding:
    """Return a finding about the service of *row*, with the row's examples when no others are given."""
    shown = list(row["examples"] if examples is None else examples)
    return Finding(check, row["service"], row["environment"], severity, text, remedy, dict(evidence), shown)
