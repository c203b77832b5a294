"""The `alerting` part of one of Sloth's objectives."""

from dataclasses import dataclass
from typing import Final

from slo.policy import SEVERITIES, Severity
from slo.sloth_fields import read_fields, read_texts, scalar, unknown_fields
from slo.sloth_remark import Remark
from slo.yaml_value import YamlValue

_RUNBOOKS: Final = ("runbook", "runbook_url")
_ROUTE: Final = "route alerts by their labels slo_id, service_name and severity"
_SUMMARY: Final = "alerts bring a summary and their evidence; put what people must know into the runbook"


@dataclass(frozen=True, slots=True)
class Alerting:
    """Which severities alert, and where the runbook is ("" for none)."""

    severities: tuple[Severity, ...]
    runbook: str
    remarks: tuple[Remark, ...]


def read_alerting(value: YamlValue | None, subject: str) -> Alerting:
    """Return what *value* says of the alerts of the objective *subject*.

    Raises:
        DocumentError: with the line.
    """
    if value is None:
        return Alerting(SEVERITIES, "", ())
    fields = read_fields(value)
    annotations = read_texts(fields.get("annotations"))
    runbook = next((annotations.pop(name) for name in _RUNBOOKS if name in annotations), "")
    remarks = _remarks(
        fields, subject, annotations, known=("name", "labels", "annotations", "page_alert", "ticket_alert")
    )
    disabled: list[Severity] = []
    for severity in SEVERITIES:
        alert = fields.get(f"{severity}_alert")
        parts = {} if alert is None else read_fields(alert)
        if "disable" in parts and parts["disable"].flag():
            disabled.append(severity)
        known = ("disable", "labels", "annotations")
        remarks += _remarks(parts, subject, read_texts(parts.get("annotations")), known=known)
    severities = tuple(severity for severity in SEVERITIES if severity not in disabled)
    return Alerting(severities, runbook, tuple(remarks))


def _remarks(
    fields: dict[str, YamlValue], subject: str, annotations: dict[str, str], *, known: tuple[str, ...]
) -> list[Remark]:
    """Return what has no place: *annotations* are those that nothing here corresponds to."""
    found: list[Remark] = []
    name, labels, described = fields.get("name"), fields.get("labels"), fields.get("annotations")
    if name is not None:
        reason = f"the alert is not called {scalar(name)!r} but SLOErrorBudgetBurn"
        found.append(Remark(name.line, subject, reason, _ROUTE))
    if labels is not None:
        names = ", ".join(read_texts(labels))
        found.append(
            Remark(labels.line, subject, f"alerts do not carry the labels {names or 'of an empty list'}", _ROUTE)
        )
    if described is not None and annotations:
        reason = f"alerts do not carry the annotations {', '.join(annotations)}"
        found.append(Remark(described.line, subject, reason, _SUMMARY))
    found.extend(
        Remark(value.line, subject, f"{value.path} is not known", "remove it, or correct its name")
        for value in unknown_fields(fields, known)
    )
    return found
