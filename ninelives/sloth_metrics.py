"""Objectives as gauges with the names and labels that Sloth's rules record, for its dashboards.

Names: https://pkg.go.dev/github.com/slok/sloth/pkg/common/conventions. A value that is not known is left out.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from prometheus_client.core import GaugeMetricFamily, Metric

from ninelives.version import VERSION
from slo.duration import format_duration
from slo.prometheus_rules import number_text, sloth_labels
from storage.standing import Standing

_INFO_LABELS = ("sloth_mode", "sloth_objective", "sloth_spec", "sloth_version", "environment")
_SHORTEST = "5m"
_HELP = {
    "slo:objective:ratio": "Promised share of good events.",
    "slo:error_budget:ratio": "Share of events that may be bad.",
    "slo:time_period:days": "Length of the objective's window; a calendar month counts as 30.",
    "slo:current_burn_rate:ratio": "Burn rate of the last 5 minutes.",
    "slo:period_burn_rate:ratio": "Burn rate of the objective's window.",
    "slo:period_error_budget_remaining:ratio": "Error budget left of the events so far, 1 when untouched.",
}


def sloth_families(standings: list[Standing]) -> Iterator[Metric]:
    """Yield the gauges of all *standings*."""
    names = tuple(sloth_labels(standings[0].slo)) if standings else ()
    families = {name: GaugeMetricFamily(name, text, labels=names) for name, text in _HELP.items()}
    info = GaugeMetricFamily("sloth_slo_info", "1 for every objective.", labels=(*names, *_INFO_LABELS))
    ratios: dict[str, GaugeMetricFamily] = {}
    for standing in standings:
        labels = tuple(sloth_labels(standing.slo).values())
        for name, value in _values(standing).items():
            if value is not None:
                families[name].add_metric(labels, value)
        info.add_metric((*labels, *_info(standing)), 1)
        for window, ratio in _error_ratios(standing).items():
            family = ratios.get(window)
            if family is None:
                text = f"Share of bad events in the last {window}."
                family = GaugeMetricFamily(f"slo:sli_error:ratio_rate{window}", text, labels=(*names, "sloth_window"))
                ratios[window] = family
            family.add_metric((*labels, window), ratio)
    if standings:
        yield from (*ratios.values(), *families.values(), info)


def _values(standing: Standing) -> dict[str, float | None]:
    slo, now = standing.slo, standing.evaluation
    budget = 1 - Fraction(slo.target)
    burn = float(Fraction(now.counts.bad, now.counts.total) / budget) if now.counts.total else None
    return {
        "slo:objective:ratio": float(slo.target),
        "slo:error_budget:ratio": float(budget),
        "slo:time_period:days": slo.period / timedelta(days=1),
        "slo:current_burn_rate:ratio": now.burn_rates[_SHORTEST],
        "slo:period_burn_rate:ratio": burn,
        "slo:period_error_budget_remaining:ratio": now.budget_remaining_so_far,
    }


def _error_ratios(standing: Standing) -> dict[str, float]:
    """Return the share of bad events by window: those that burn rates are known of, and the objective's own."""
    slo, now = standing.slo, standing.evaluation
    budget = 1 - Fraction(slo.target)
    found = {window: float(Fraction(rate) * budget) for window, rate in now.burn_rates.items() if rate is not None}
    if now.counts.total:
        found[format_duration(slo.period)] = now.counts.bad / now.counts.total
    return found


def _info(standing: Standing) -> tuple[str, ...]:
    objective = number_text(Fraction(standing.slo.target) * 100)
    return "ninelives", objective, "openslo/v1", VERSION, standing.slo.environment
