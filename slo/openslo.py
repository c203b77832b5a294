"""Reading OpenSLO v1 documents.

Specification: https://github.com/OpenSLO/OpenSLO (apiVersion openslo/v1), with `metricSource.type: spans`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from slo.duration import parse_duration
from slo.errors import DocumentError, InvalidDuration, InvalidObjective, InvalidPolicy, SloFileProblem
from slo.indicator import Indicator
from slo.model import Slo
from slo.openslo_indicator import read_indicator
from slo.policy_text import POLICY_ANNOTATION, WINDOWS_ANNOTATION, read_policy
from slo.standard_policy import STANDARD_POLICY_NAME, FittedPolicy
from slo.window import RollingWindow
from slo.yaml_document import YamlFields, YamlValue, yaml_documents

API_VERSION: Final = "openslo/v1"
OUR_PREFIX: Final = "ninelives/"
DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

_LATER_KINDS: Final = ("AlertCondition", "AlertNotificationTarget", "AlertPolicy", "DataSource", "SLI")
_SPEC_FIELDS: Final = (
    "description",
    "service",
    "indicator",
    "timeWindow",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
)


def read_openslo(text: str, file: str) -> tuple[list[Slo], list[SloFileProblem]]:
    """Return the objectives of one file's *text* and what is wrong with the rest of it.

    A document with an error yields no objective and hides no other document.
    """
    return read_openslo_files({file: text})


def read_openslo_files(files: Mapping[str, str]) -> tuple[list[Slo], list[SloFileProblem]]:
    """Return the objectives of several files (name to text) and their problems; an id used twice keeps its first."""
    slos: dict[str, Slo] = {}
    problems: list[SloFileProblem] = []
    for file, text in files.items():
        for found in _read_file(text, file):
            if isinstance(found, SloFileProblem):
                problems.append(found)
            elif found.slo.id in slos:
                problems.append(_duplicate(found, slos[found.slo.id]))
            else:
                slos[found.slo.id] = found.slo
    return list(slos.values()), problems


@dataclass(frozen=True, slots=True)
class _Found:
    slo: Slo
    line: int


def _read_file(text: str, file: str) -> Iterator[_Found | SloFileProblem]:
    for document in yaml_documents(text):
        if isinstance(document, DocumentError):
            yield SloFileProblem(file, document.line, str(document))
            continue
        try:
            yield from list(_read_document(document, file))
        except DocumentError as error:
            yield SloFileProblem(file, error.line, str(error))


def _read_document(document: YamlValue, file: str) -> Iterator[_Found | SloFileProblem]:
    fields = document.fields(("apiVersion", "kind", "metadata", "spec"))
    version = fields.require("apiVersion", API_VERSION)
    if version.text() != API_VERSION:
        raise version.error(f"not supported yet: apiVersion {version.text()!r}; write {API_VERSION}")
    kind = fields.require("kind", "SLO")
    if kind.text() == "SLO":
        yield from _Objectives(fields, file).read()
    elif kind.text() in _LATER_KINDS:
        raise kind.error(f"not supported yet: kind {kind.text()}; write everything inside the SLO document")
    elif kind.text() != "Service":
        raise kind.error(f"kind {kind.text()!r} is not known; write SLO")


class _Objectives:
    """The objectives of one SLO document."""

    def __init__(self, fields: YamlFields, file: str) -> None:
        self._file = file
        self._metadata = fields.require("metadata", "{name: checkout-availability}").fields(
            ("name", "displayName", "labels", "annotations")
        )
        self._name_value = self._metadata.require("name", "checkout-availability")
        self._name = _name(self._name_value)
        self._spec = fields.require("spec", "{service: checkout, ...}").fields(_SPEC_FIELDS, later=("indicatorRef",))

    def read(self) -> Iterator[_Found | SloFileProblem]:
        _check_budgeting(self._spec)
        service = self._spec.require("service", "checkout").text()
        example = "{spec: {ratioMetric: ...}}"
        indicator = read_indicator(self._spec.require("indicator", example), service)
        window = _time_window(self._spec)
        values = self._spec.require("objectives", "[{target: 0.999}]")
        for objective in _identified(values, self._name):
            fitted, place = self._policy(objective.target, window)
            for warning in fitted.warnings:
                yield SloFileProblem(self._file, place.line, f"{objective.id}: {warning}", "warning")
            yield _Found(self._slo(objective, service, indicator, window, fitted), self._name_value.line)

    def _slo(
        self, objective: "_Objective", service: str, indicator: Indicator, window: timedelta, fitted: FittedPolicy
    ) -> Slo:
        title = _optional_text(self._metadata, "displayName") or self._name
        try:
            return Slo(
                id=objective.id,
                name=f"{title}: {objective.title}" if objective.id != self._name else title,
                service=service,
                environment=indicator.environment or "",
                indicator=indicator,
                target=objective.target,
                window=RollingWindow(window),
                policy=fitted.policy,
                draft=False,
                source=self._file,
                description=_optional_text(self._spec, "description"),
            )
        except InvalidObjective as error:
            raise objective.value.error(str(error)) from error

    def _policy(self, target: Decimal, window: timedelta) -> tuple[FittedPolicy, YamlValue]:
        """Return the policy, and the value that a problem with it should point at."""
        annotations = self._annotations()
        policy, windows = annotations.get(POLICY_ANNOTATION), annotations.get(WINDOWS_ANNOTATION)
        place = windows or policy or self._name_value
        name = STANDARD_POLICY_NAME if policy is None else policy.text()
        try:
            return read_policy(name, None if windows is None else windows.text(), target, window), place
        except InvalidPolicy as error:
            raise place.error(str(error)) from error

    def _annotations(self) -> dict[str, YamlValue]:
        value = self._metadata.get("annotations")
        found = {} if value is None else value.fields(None).values
        ours = {name: value for name, value in found.items() if name.startswith(OUR_PREFIX)}
        for name, unknown in ours.items():
            if name not in (POLICY_ANNOTATION, WINDOWS_ANNOTATION):
                raise unknown.error(f"unknown annotation {name}; known: {POLICY_ANNOTATION}, {WINDOWS_ANNOTATION}")
        return ours


@dataclass(frozen=True, slots=True)
class _Objective:
    id: str
    title: str
    target: Decimal
    value: YamlValue


def _identified(values: YamlValue, name: str) -> list[_Objective]:
    """Return the objectives with their ids: *name*, or `name:objective` where there are several."""
    items = values.items()
    if not items:
        raise values.error("objectives is empty; write objectives: [{target: 0.999}]")
    found: dict[str, _Objective] = {}
    for number, value in enumerate(items, 1):
        later = ("timeSliceTarget", "timeSliceWindow", "indicator", "indicatorRef", "compositeWeight", "op", "value")
        fields = value.fields(("displayName", "target", "targetPercent"), later=later)
        title = _optional_text(fields, "displayName") or str(number)
        slo_id = name if len(items) == 1 else f"{name}:{_slug(title) or number}"
        if slo_id in found:
            raise value.error(f"two objectives are called {title!r}; give each a displayName of its own")
        found[slo_id] = _Objective(slo_id, title, _target(fields), value)
    return list(found.values())


def _target(fields: YamlFields) -> Decimal:
    percent, ratio = fields.get("targetPercent"), fields.get("target")
    if percent is not None and ratio is not None:
        raise percent.error("target and targetPercent are both written; keep target")
    if percent is not None:
        return _ratio(percent, percent.number() / 100)
    value = fields.require("target", "0.999")
    return _ratio(value, value.number())


def _ratio(value: YamlValue, target: Decimal) -> Decimal:
    if 0 < target < 1:
        return target
    if value.path.endswith("target") and 1 < target < 100:
        raise value.error(f"target {target} is a unit mistake: write {target / 100}")
    raise value.error(f"{value.path} {value.number()} must lie between 0 and 1, both excluded, such as 0.999")


def _time_window(spec: YamlFields) -> timedelta:
    value = spec.require("timeWindow", "[{duration: 30d, isRolling: true}]")
    items = value.items()
    if len(items) != 1:
        raise value.error(
            f"timeWindow must hold one window, not {len(items)}; write [{{duration: 30d, isRolling: true}}]"
        )
    fields = items[0].fields(("duration", "isRolling"), later=("calendar",))
    rolling = fields.get("isRolling")
    if rolling is not None and not rolling.flag():
        raise rolling.error("not supported yet: calendar windows; write isRolling: true")
    duration = fields.require("duration", "30d")
    try:
        window = parse_duration(duration.text())
    except InvalidDuration as error:
        raise duration.error(str(error)) from error
    if window % timedelta(minutes=1):
        raise duration.error(f"window {duration.text()} is not in whole minutes; write one such as 30d or 1h")
    return window


def _check_budgeting(spec: YamlFields) -> None:
    method = spec.require("budgetingMethod", "Occurrences")
    if method.text() != "Occurrences":
        raise method.error(f"not supported yet: budgetingMethod {method.text()}; write Occurrences")
    policies = spec.get("alertPolicies")
    if policies is not None and policies.items():
        raise policies.error(f"not supported yet: alertPolicies; write the annotation {POLICY_ANNOTATION}: burn-rate")


def _name(value: YamlValue) -> str:
    name = value.text()
    if DNS_LABEL.fullmatch(name) is None:
        remedy = _slug(name)[:63].strip("-") or "checkout-availability"
        raise value.error(f"name {name!r} must be a lower-case DNS label of up to 63 characters; write {remedy}")
    return name


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _optional_text(fields: YamlFields, name: str) -> str:
    value = fields.get(name)
    return "" if value is None else value.text(empty=True)


def _duplicate(found: _Found, first: Slo) -> SloFileProblem:
    reason = f"the id {found.slo.id!r} is used already in {first.source}; give this one another metadata.name"
    return SloFileProblem(found.slo.source, found.line, reason)
