"""What the telemetry checks found about services, each with what to change."""

from collections.abc import Sequence

from api import models as m
from dashboard.views import traces, units
from dashboard.views.markup import Look, Markup, chip, join, lines, link, muted, strong, tag

SEVERITIES: dict[m.Severity, Look] = {
    "critical": Look("✕", "Critical", "bad"),
    "warning": Look("▲", "Warning", "warn"),
    "info": Look("i", "Advice", "info"),
}
_TRACE_DIGITS = 32
_SHOWN_EXAMPLES = 3


def listing(items: Sequence[m.TelemetryFinding]) -> Markup:
    """Return what is wrong with what services send, worst first, each with what to change."""
    return tag("ul", *(_finding(item) for item in items), css="nl-attention")


def _finding(item: m.TelemetryFinding) -> Markup:
    place = f" in {item.environment}" if item.environment else ""
    told = lines(
        join([strong(item.service), muted(place), ": ", item.finding]),
        muted(f"To do: {item.remedy}"),
    )
    examples = join((_example(example) for example in item.examples[:_SHOWN_EXAMPLES]), " · ")
    return tag("li", chip(SEVERITIES[item.severity]), tag("span", told, css="nl-grow"), tag("span", examples))


def _example(example: str) -> Markup:
    if len(example) == _TRACE_DIGITS and not example.strip("0123456789abcdef"):
        return link(traces.href(example), f"trace {example[:8]}")
    return tag("code", example)


def passed(checks: m.TelemetryChecks) -> str:
    """Return how many checks found nothing."""
    found = {item.check for item in checks.items}
    calm = len(checks.checks) - len(found & set(checks.checks))
    return f"{calm} of {units.plural(len(checks.checks), 'check')} found nothing."
