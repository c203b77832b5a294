"""Writing an objective as an OpenSLO document."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from slo.budget_policy import BudgetAlert
from slo.budgeting import Occurrences, Throughput, Timeslices
from slo.duration import format_duration
from slo.errors import InvalidObjective
from slo.model import Exclusion, Slo
from slo.openslo import API_VERSION, DNS_LABEL
from slo.openslo_indicator_writer import write_indicator
from slo.openslo_policy_writer import write_policy
from slo.openslo_yaml import Fields, yaml_text
from slo.window import MINUTE, CalendarUnit, CalendarWindow, Window

_OUR_PREFIX: Final = "ninelives/"
_UNITS: Final[dict[CalendarUnit, str]] = {"day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "Y"}
_ADOPTED_ALERTS: Final = (BudgetAlert(Decimal("0.25"), "ticket"), BudgetAlert(Decimal(0), "ticket"))


def to_openslo(slo: Slo, labels: Mapping[str, str] | None = None) -> str:
    """Return the YAML document of *slo*, with *labels* for other programs: read back, it differs in source only.

    A draft becomes the user's own by it: its document asks for the standard burn-rate alerts, and for tickets when
    little of the budget is left.

    Raises:
        InvalidObjective: the objective cannot be a document of its own: its id is no DNS label, or a file has no words
            for its indicator, its alerts or its texts.
    """
    if DNS_LABEL.fullmatch(slo.id) is None:
        raise InvalidObjective(f"{slo.id!r} is one of several objectives of a document; copy that document instead")
    metadata: Fields = {"name": slo.id}
    if slo.name != slo.id:
        metadata["displayName"] = slo.name
    if labels:
        metadata["labels"] = dict(labels)
    policy = write_policy(slo)
    ours = {_OUR_PREFIX + name: text for name, text in _annotations(slo).items() if text}
    if policy.annotations or ours:
        metadata["annotations"] = policy.annotations | ours
    spec = _spec(slo) | ({"alertPolicies": policy.policies} if policy.policies else {})
    return yaml_text({"apiVersion": API_VERSION, "kind": "SLO", "metadata": metadata, "spec": spec})


def _spec(slo: Slo) -> Fields:
    described: Fields = {"description": slo.description} if slo.description else {}
    written = write_indicator(slo.indicator, slo.budgeting)
    objective = written.threshold | {"target": slo.target} | _slices(slo)
    return described | {
        "service": slo.service,
        "indicator": {"metadata": {"name": slo.id}, "spec": written.sli},
        "timeWindow": [_window(slo.window)],
        "budgetingMethod": "Occurrences" if isinstance(slo.budgeting, Occurrences) else "Timeslices",
        "objectives": [objective],
    }


def _slices(slo: Slo) -> Fields:
    match slo.budgeting:
        case Occurrences():
            return {}
        case Timeslices(target, length):
            return {"timeSliceTarget": target, "timeSliceWindow": format_duration(length)}
        case Throughput(_, length):
            return {"timeSliceTarget": 1, "timeSliceWindow": format_duration(length)}
        case _:
            return {"timeSliceTarget": 1, "timeSliceWindow": format_duration(MINUTE)}


def _window(window: Window) -> Fields:
    if not isinstance(window, CalendarWindow):
        return {"duration": format_duration(window.length), "isRolling": True}
    calendar = {"startTime": window.first.isoformat(" ", "seconds"), "timeZone": window.zone}
    return {"duration": f"{window.count}{_UNITS[window.unit]}", "isRolling": False, "calendar": calendar}


def _annotations(slo: Slo) -> dict[str, str]:
    """Return what OpenSLO has no field for, without our prefix; "" is not written."""
    empty = slo.budgeting.empty if isinstance(slo.budgeting, Timeslices) else "ignore"
    return {
        "sla": "" if slo.sla is None else format(slo.sla, "f"),
        "empty-slices": "" if empty == "ignore" else empty,
        "min-total": str(slo.min_total or ""),
        "min-bad": str(slo.min_bad or ""),
        "lateness": "" if slo.lateness is None else format_duration(slo.lateness),
        "exclusions": "; ".join(_exclusion(exclusion) for exclusion in slo.exclusions),
        "owner": _trimmed("owner", slo.owner),
        "runbook": _trimmed("runbook", slo.runbook),
        "budget-alerts": "; ".join(map(str, _ADOPTED_ALERTS if slo.draft else slo.budget_alerts)),
        "exhaustion-alert": str(slo.exhaustion_alert or ""),
        "budget-policy": "; ".join(map(str, slo.budget_policy)),
        "alert-for": _wait(slo.alert_for),
        "keep-firing-for": _wait(slo.keep_firing_for),
    }


def _wait(wait: timedelta) -> str:
    return format_duration(wait) if wait else ""


def _exclusion(exclusion: Exclusion) -> str:
    if ";" in exclusion.reason or not exclusion.reason:
        raise InvalidObjective(f"reason {exclusion.reason!r} of an exclusion must be a text without ';'")
    return f"{_moment(exclusion.start)}/{_moment(exclusion.end)} {_trimmed('reason', exclusion.reason)}"


def _moment(moment: datetime) -> str:
    if moment.second or moment.microsecond:
        raise InvalidObjective(f"{moment.isoformat()} of an exclusion must be a whole minute")
    return moment.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")


def _trimmed(name: str, text: str) -> str:
    if text != text.strip():
        raise InvalidObjective(f"{name} {text!r} must not begin or end with spaces")
    return text
