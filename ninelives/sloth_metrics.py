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
}
_WINDOW_HELP = {
    "slo:current_burn_rate:ratio": "Burn rate of the last 5 minutes.",
    "slo:period_burn_rate:ratio": "Burn rate of the objective's window.",
    "slo:period_error_budget_remaining:ratio": "Error budget left of the events so far, 1 when untouched.",
}


def sloth_families(standings: list[Standing]) -> Iterator[Metric]:
    """Yield the gauges of all *standings*."""
    if not standings:
        return
    names = tuple(sloth_labels(standings[0].slo))
    windowed = (*names, "sloth_window")
    families = {name: GaugeMetricFamily(name, text, labels=names) for name, text in _HELP.items()}
    families |= {name: GaugeMetricFamily(name, text, labels=windowed) for name, text in _WINDOW_HELP.items()}
    info = GaugeMetricFamily("sloth_slo_info", "1 for every objective.", labels=(*names, *_INFO_LABELS))
    for standing in standings:
        labels = tuple(sloth_labels(standing.slo).values())
        for name, value in _values(standing).items():
            families[name].add_metric(labels, value)
        for (name, window), value in _window_values(standing).items():
            if name not in families:
                text = f"Share of bad events in the last {window}."
                families[name] = GaugeMetricFamily(name, text, labels=windowed)
            families[name].add_metric((*labels, window), value)
        info.add_metric((*labels, *_info(standing)), 1)
    yield from (*families.values(), info)


def _values(standing: Standing) -> dict[str, float]:
    slo = standing.slo
    return {
        "slo:objective:ratio": float(slo.target),
        "slo:error_budget:ratio": float(1 - Fraction(slo.target)),
        "slo:time_period:days": slo.period / timedelta(days=1),
    }


def _window_values(standing: Standing) -> dict[tuple[str, str], float]:
    """Return values by name and window."""
    slo, now = standing.slo, standing.evaluation
    period = format_duration(slo.period)
    found = {(f"slo:sli_error:ratio_rate{w}", w): ratio for w, ratio in _error_ratios(standing).items()}
    current = now.burn_rates[_SHORTEST]
    if current is not None:
        found["slo:current_burn_rate:ratio", _SHORTEST] = current
    if now.budget_remaining_so_far is not None:
        burn = Fraction(now.counts.bad, now.counts.total) / (1 - Fraction(slo.target))
        found["slo:period_burn_rate:ratio", period] = float(burn)
        found["slo:period_error_budget_remaining:ratio", period] = now.budget_remaining_so_far
    return found


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
