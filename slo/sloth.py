"""Importing Sloth's SLO files: prometheus/v1, and PrometheusServiceLevel of sloth.slok.dev/v1.

Format: https://pkg.go.dev/github.com/slok/sloth/pkg/prometheus/api/v1. What has no counterpart here becomes a remark
with its line; nothing is left out silently.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from slo.errors import DocumentError, InvalidObjective
from slo.indicator import Indicator, SpanIndicator
from slo.model import Slo
from slo.policy import NO_POLICY, AlertPolicy
from slo.sloth_alerting import Alerting, read_alerting
from slo.sloth_fields import read_fields, read_texts, scalar, unknown_fields
from slo.sloth_query import NotCarriedOver, read_events
from slo.sloth_remark import Remark
from slo.sloth_spans import suggest_spans
from slo.standard_policy import standard_policy
from slo.window import RollingWindow
from slo.yaml_document import yaml_documents
from slo.yaml_value import YamlValue

SLOTH_PERIOD: Final = timedelta(days=30)  # Sloth takes it from its command line, not from the file
PROMETHEUS_VERSION: Final = "prometheus/v1"
KUBERNETES_VERSION: Final = "sloth.slok.dev/v1"

_OWNER_LABELS: Final = ("owner", "team")
_COMPARE: Final = (
    "compare name and attributes with what the service sends: OpenTelemetry SDKs write no _total and other units"
)


@dataclass(frozen=True, slots=True)
class ImportedSlo:
    """An objective and the labels that its file gives it."""

    slo: Slo
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class SlothImport:
    """What a file of Sloth's became."""

    imported: list[ImportedSlo] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def read_sloth(text: str, file: str, *, period: timedelta = SLOTH_PERIOD) -> SlothImport:
    """Return the objectives of *text* over *period*, and remarks on everything that did not come along.

    Raises:
        InvalidObjective: *period* is not in whole minutes above 0.
    """
    importer = _Importer(file, RollingWindow(period))
    for document in yaml_documents(text):
        try:
            if isinstance(document, DocumentError):
                raise document
            importer.read(document)
        except DocumentError as error:
            importer.lose(error.line, file, str(error), "correct the file")
    return importer.found


class _Importer:
    """Reads the documents of one file into `found`."""

    def __init__(self, file: str, window: RollingWindow) -> None:
        self.found = SlothImport()
        self._file = file
        self._window = window

    def read(self, document: YamlValue) -> None:
        """Take up one document.

        Raises:
            DocumentError: the whole of it cannot be used.
        """
        fields = read_fields(document)
        if "version" in fields and scalar(fields["version"]) == PROMETHEUS_VERSION:
            self._service(fields, document)
        elif "api_version" in fields and scalar(fields["api_version"]) == KUBERNETES_VERSION:
            self._kubernetes(document, fields)
        else:
            raise document.error(f"this is not Sloth's: write version: {PROMETHEUS_VERSION}")

    def lose(self, line: int, subject: str, reason: str, instead: str, proposal: Slo | None = None) -> None:
        self.found.remarks.append(Remark(line, subject, reason, instead, lost=True, proposal=proposal))

    def _note(self, value: YamlValue, subject: str, reason: str, instead: str) -> None:
        self.found.remarks.append(Remark(value.line, subject, reason, instead))

    def _unknown(self, fields: dict[str, YamlValue], subject: str, *known: str) -> None:
        for value in unknown_fields(fields, known):
            self._note(value, subject, f"{value.path} is not known", "remove it, or correct its name")

    def _kubernetes(self, document: YamlValue, fields: dict[str, YamlValue]) -> None:
        kind = scalar(_required(document, fields, "kind"))
        if kind == "AlertWindows":
            instead = 'write the pairs as the annotation ninelives/alert-windows: "2%/1h/5m page, 5%/6h/30m page"'
            self.lose(document.line, kind, "alert windows of one's own stand in each objective here", instead)
            return
        if kind != "PrometheusServiceLevel":
            raise document.error(f"kind {kind!r} is not known; write PrometheusServiceLevel")
        self._unknown(fields, kind, "api_version", "kind", "metadata", "spec", "status")
        for name in ("metadata", "status"):
            if name in fields:
                self._note(fields[name], kind, f"{name} is Kubernetes' own", "nothing to do: files need none")
        self._service(read_fields(_required(document, fields, "spec")), document)

    def _service(self, fields: dict[str, YamlValue], owner: YamlValue) -> None:
        service = scalar(_required(owner, fields, "service"))
        self._unknown(fields, service, "version", "service", "labels", "slo_plugins", "slos")
        self._plugins(fields.get("slo_plugins"), service)
        labels = self._labels(fields.get("labels"), service)
        for value in _required(owner, fields, "slos").items():
            try:
                self._objective(value, service, labels)
            except DocumentError as error:
                self.lose(error.line, service, str(error), "correct the file")
            except InvalidObjective as error:
                self.lose(value.line, service, str(error), "correct the file")

    def _labels(self, value: YamlValue | None, subject: str) -> dict[str, str]:
        labels = read_texts(value)
        if value is not None and labels:
            self._note(value, subject, f"alerts do not carry the labels {', '.join(labels)}", "the documents keep them")
        return labels

    def _plugins(self, value: YamlValue | None, subject: str) -> None:
        if value is not None:
            self._note(value, subject, "plugins change the rules that Sloth writes", "there are no such rules here")

    def _objective(self, value: YamlValue, service: str, common: dict[str, str]) -> None:
        fields = read_fields(value)
        slo_id = _slug(f"{service}-{scalar(_required(value, fields, 'name'))}")
        if any(slo_id == other.slo.id for other in self.found.imported):
            raise value.error(f"two objectives become {slo_id!r}; give this one another name")
        self._unknown(fields, slo_id, "name", "description", "objective", "plugins", "labels", "sli", "alerting")
        self._plugins(fields.get("plugins"), slo_id)
        alerting = read_alerting(fields.get("alerting"), slo_id)
        labels = common | self._labels(fields.get("labels"), slo_id)
        proposal = self._proposal(value, fields, slo_id, service)
        slo = replace(
            proposal,
            description=scalar(fields["description"]) if "description" in fields else "",
            owner=next((labels[name] for name in _OWNER_LABELS if name in labels), ""),
            runbook=alerting.runbook,
            policy=self._policy(proposal, alerting, value),
        )
        self.found.remarks.extend(alerting.remarks)
        sli = _required(value, fields, "sli")
        indicator = self._indicator(sli, slo, service)
        if indicator is not None:
            self._note(sli, slo_id, _counted_text(indicator), _COMPARE)
            self.found.imported.append(ImportedSlo(replace(slo, indicator=indicator), labels))

    def _proposal(self, value: YamlValue, fields: dict[str, YamlValue], slo_id: str, service: str) -> Slo:
        """Return the objective as it would be over all requests of the service."""
        percent = _required(value, fields, "objective")
        target = percent.number() / 100
        if not 0 < target < 1:
            raise percent.error(f"objective {percent.number()} must lie between 0 and 100, both excluded: such as 99.9")
        return Slo(
            id=slo_id,
            name=slo_id,
            service=service,
            environment="",
            indicator=SpanIndicator(service, None),
            target=Decimal(target),
            window=self._window,
            policy=NO_POLICY,
            draft=False,
            source=self._file,
        )

    def _policy(self, slo: Slo, alerting: Alerting, value: YamlValue) -> AlertPolicy:
        """Return Sloth's default alerts, without those that are switched off or could never fire."""
        fitted = standard_policy(slo.target, slo.period)
        if alerting.severities:
            for warning in fitted.warnings:
                self._note(value, slo.id, warning, "nothing to do: it could not fire in Prometheus either")
        kept = tuple(found for found in fitted.policy.conditions if found.severity in alerting.severities)
        return AlertPolicy(fitted.policy.name, kept) if kept else NO_POLICY

    def _indicator(self, sli: YamlValue, slo: Slo, service: str) -> Indicator | None:
        fields = read_fields(sli)
        self._unknown(fields, slo.id, "events", "raw", "plugin")
        if "events" in fields:
            return self._events(fields["events"], slo, service)
        if "raw" in fields:
            reason, instead = "sli.raw is a ratio without events to count", "write sli.events, or count spans"
        elif "plugin" in fields:
            parts = read_fields(fields["plugin"])
            name = scalar(parts["id"]) if "id" in parts else ""
            reason = f"the plugin {name!r} writes the query in Sloth"
            instead = "write the query that it makes as sli.events, or count spans"
        else:
            raise sli.error("sli holds neither events nor raw nor plugin")
        self.lose(sli.line, slo.id, reason, instead)
        return None

    def _events(self, events: YamlValue, slo: Slo, service: str) -> Indicator | None:
        fields = read_fields(events)
        self._unknown(fields, slo.id, "error_query", "total_query")
        value = _required(events, fields, "error_query")
        queries = scalar(value), scalar(_required(events, fields, "total_query"))
        try:
            return read_events(*queries, service)
        except NotCarriedOver as error:
            spans = suggest_spans(*queries, service)
            proposal = None if spans is None else replace(slo, indicator=spans)
            self.lose(value.line, slo.id, str(error), error.instead, proposal)
            return None


def _required(owner: YamlValue, fields: dict[str, YamlValue], name: str) -> YamlValue:
    if name not in fields:
        raise owner.error(f"{name} is missing in {owner.path}")
    return fields[name]


def _counted_text(indicator: Indicator) -> str:
    parts = (getattr(indicator, name, None) for name in ("good", "bad", "total", "metric"))
    names = dict.fromkeys(part.metric for part in parts if part is not None)
    return f"counts {' and '.join(names)} of service {indicator.service!r}, as OTLP metrics"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "objective"
