"""Prometheus recording and alerting rules for objectives, over the counters that Ninelives offers at /metrics.

Names and labels of what is recorded are Sloth's, so that its dashboards work. Unlike there, the whole period is a sum
over a sum, not a mean of five-minute ratios, and a window without events has no sample instead of NaN.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import yaml

from slo.budgeting import Occurrences
from slo.decimal_text import decimal_text
from slo.duration import format_duration
from slo.evaluation import burn_rate_windows
from slo.model import Slo
from slo.policy import SEVERITIES, Condition, ObjectiveBreach, Severity
from slo.window import MINUTE, CalendarWindow

EVENTS_METRIC: Final = "ninelives_slo_events_total"

_SLOTH_WINDOWS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (5, 30, 60, 2 * 60, 6 * 60, 24 * 60, 3 * 24 * 60)
)
_DAY: Final = timedelta(days=1)


def prometheus_rules(slos: Iterable[Slo]) -> tuple[str, list[str]]:
    """Return a file of rules for *slos*, and for each that has none, or other ones than here, why."""
    groups: list[dict[str, Any]] = []
    remarks: list[str] = []
    for slo in slos:
        reason = _without_rules(slo)
        if reason is None:
            groups.append(_group(slo))
            remarks += [f"{slo.id}: {text}" for text in _differences(slo)]
        else:
            remarks.append(f"{slo.id}: no rules: {reason}")
    comments = "".join(f"# {remark}\n" for remark in remarks)
    return comments + yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=100_000), remarks


def sloth_labels(slo: Slo) -> dict[str, str]:
    """Return the labels by which Sloth tells objectives apart."""
    return {"sloth_id": slo.id, "sloth_service": slo.service, "sloth_slo": slo.id}


def number_text(value: Decimal | Fraction) -> str:
    """Return *value* exactly where decimals end, else as the nearest double.

    >>> number_text(Fraction(9, 625)), number_text(Fraction(1, 3))
    ('0.0144', '0.3333333333333333')
    """
    return decimal_text(Fraction(value)) or repr(float(value))


def _without_rules(slo: Slo) -> str | None:
    """Return why counters cannot tell what *slo* says, None if they can."""
    if not isinstance(slo.budgeting, Occurrences):
        name = type(slo.budgeting).__name__
        return f"it counts slices of time ({name}), which a counter of events does not tell"
    if isinstance(slo.window, CalendarWindow):
        return f"its window is a {slo.window}; PromQL's ranges are rolling"
    return None


def _differences(slo: Slo) -> list[str]:
    return ["excluded time counts in Prometheus"] if slo.exclusions else []


def _group(slo: Slo) -> dict[str, Any]:
    windows = sorted({*_SLOTH_WINDOWS, *burn_rate_windows(slo), slo.period})
    sli = [_recorded(slo, window) for window in windows]
    # one group, whose rules run one after the other: alerts judge what this round recorded
    return {"name": f"ninelives-slo-{slo.id}", "rules": [*sli, *_meta(slo), *_alerts(slo)]}


def _recorded(slo: Slo, window: timedelta) -> dict[str, Any]:
    length = format_duration(window)
    return {
        "record": _sli_metric(window),
        "expr": f"{_increase(slo, window, 'bad')}\n/\n({_increase(slo, window)} > 0)",
        "labels": sloth_labels(slo) | {"sloth_window": length},
    }


def _meta(slo: Slo) -> list[dict[str, Any]]:
    budget = 1 - Fraction(slo.target)
    current, period = (_selected(slo, _sli_metric(window)) for window in (_SLOTH_WINDOWS[0], slo.period))
    expressions = {
        "slo:objective:ratio": f"vector({number_text(slo.target)})",
        "slo:error_budget:ratio": f"vector({number_text(budget)})",
        "slo:time_period:days": f"vector({number_text(Fraction(slo.period // MINUTE, _DAY // MINUTE))})",
        "slo:current_burn_rate:ratio": f"{current} / {number_text(budget)}",
        "slo:period_burn_rate:ratio": f"{period} / {number_text(budget)}",
        "slo:period_error_budget_remaining:ratio": f"1 - {period} / {number_text(budget)}",
    }
    rules = [{"record": name, "expr": text, "labels": sloth_labels(slo)} for name, text in expressions.items()]
    info = sloth_labels(slo) | {
        "sloth_mode": "ninelives-export",
        "sloth_objective": number_text(Fraction(slo.target) * 100),
        "sloth_spec": "openslo/v1",
    }
    return [*rules, {"record": "sloth_slo_info", "expr": "vector(1)", "labels": info}]


def _alerts(slo: Slo) -> Iterable[dict[str, Any]]:
    for severity in SEVERITIES:
        conditions = [found for found in slo.policy.conditions if found.severity == severity]
        if conditions:
            yield _alert(slo, severity, conditions)


def _alert(slo: Slo, severity: Severity, conditions: list[Condition]) -> dict[str, Any]:
    breach = isinstance(conditions[0], ObjectiveBreach)
    annotations = {
        "title": f"({severity}) {{{{ $labels.sloth_service }}}} {{{{ $labels.sloth_slo }}}} burns its error budget.",
        "summary": "{{ $value | humanizePercentage }} of the events fail; the objective allows "
        f"{number_text(100 * (1 - Fraction(slo.target)))} %.",
    }
    runbook = {"runbook_url": slo.runbook.replace("{{", '{{ "{{" }}')} if slo.runbook else {}
    labels = {"severity": severity, "sloth_severity": severity, "slo_id": slo.id}
    return {
        "alert": "SLOObjectiveBreach" if breach else "SLOErrorBudgetBurn",
        "expr": "\nor\n".join(_condition(slo, condition) for condition in conditions),
        "labels": labels | {"service_name": "{{ $labels.sloth_service }}"},
        "annotations": annotations | runbook,
    }


def _condition(slo: Slo, condition: Condition) -> str:
    """Return *condition* as PromQL: strictly above the threshold in both windows, and enough events in the long one."""
    threshold = number_text(condition.factor * (1 - Fraction(slo.target)))
    parts = [
        f"max without (sloth_window) ({_selected(slo, _sli_metric(window))} > {threshold})"
        for window in (condition.long, condition.short)
    ]
    for result, least in (("", slo.min_total), ("bad", slo.min_bad)):
        if least:
            parts.append(f"on () {_increase(slo, condition.long, result)} >= {least}")
    return "(\n  " + "\n  and\n  ".join(parts).replace("and\n  on ()", "and on ()") + "\n)"


def _sli_metric(window: timedelta) -> str:
    return f"slo:sli_error:ratio_rate{format_duration(window)}"


def _selected(slo: Slo, metric: str) -> str:
    """Return what rules recorded; the gauges of the same name that Ninelives offers itself carry a job."""
    return f'{metric}{{{_matchers(sloth_labels(slo))},job=""}}'


def _increase(slo: Slo, window: timedelta, result: str = "") -> str:
    matchers = _matchers({"slo": slo.id} | ({"result": result} if result else {}))
    return f"sum(increase({EVENTS_METRIC}{{{matchers}}}[{format_duration(window)}]))"


def _matchers(labels: dict[str, str]) -> str:
    return ",".join(f"{name}={_quoted(value)}" for name, value in labels.items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class _Dumper(yaml.SafeDumper):
    """Writes expressions over several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return data is not None


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
