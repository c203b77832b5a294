"""One SLO document read as objectives."""

from dataclasses import dataclass
from typing import Any, Final

from slo.budgeting import Timeslices
from slo.errors import DocumentError, InvalidObjective, InvalidPolicy
from slo.indicator import Indicator
from slo.model import Slo
from slo.openslo_alerting import read_alert_policies
from slo.openslo_annotations import OUR_PREFIX, OurAnnotations, read_annotations
from slo.openslo_document import Document, Shelf, read_description, read_metadata
from slo.openslo_indicator import Counted, read_counted
from slo.openslo_objective import (
    Objective,
    check_unused_threshold,
    check_weight,
    read_budgeting,
    read_objectives,
)
from slo.openslo_sli import SOURCE_TYPES, Sli, ThresholdSli, read_sli, sources
from slo.openslo_window import read_window
from slo.policy import AlertPolicy
from slo.policy_text import POLICY_ANNOTATION, WINDOWS_ANNOTATION, read_policy
from slo.standard_policy import STANDARD_POLICY_NAME
from slo.window import Window
from slo.yaml_value import YamlFields, YamlValue

_FIELDS: Final = (
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "timeWindow",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
)


@dataclass(frozen=True, slots=True)
class FoundSlo:
    """An objective and where it is written."""

    slo: Slo
    place: YamlValue


@dataclass(frozen=True, slots=True)
class _NamedSli:
    """An SLI, and the reference that named it, None where it is written inline."""

    sli: Sli
    reference: YamlValue | None


class SloDocument:
    """Reads one document of kind SLO."""

    def __init__(self, document: Document, shelf: Shelf) -> None:
        self._document = document
        self._shelf = shelf
        self._source = document.whole.source
        self._foreign = False

    def read(self) -> list[FoundSlo]:
        """Return its objectives; none where something is wrong, or where another program is to count them.

        What is wrong is added to the problems of the document. What other programs count is left out with a warning,
        and nothing else about it can be worse than one; strict reading refuses it.
        """
        try:
            spec = self._document.spec.fields(_FIELDS)
            objectives = read_objectives(spec.require("objectives", "[{target: 0.999}]"), self._document.name)
            slis = self._slis(spec, objectives)
            self._foreign = self._tell_foreign(slis)
            found = self._objectives(spec, objectives, slis)
        except DocumentError as error:
            self.tell(error)
            return []
        return [] if self._source.refused else found

    def tell(self, error: DocumentError) -> None:
        """Add *error* to the problems of the document: a warning about what is another program's, if not strict."""
        self._source.tell(error, "warning" if self._foreign and not self._source.strict else "error")

    def _objectives(self, spec: YamlFields, objectives: list[Objective], slis: list[_NamedSli]) -> list[FoundSlo]:
        description = read_description(spec)
        service = spec.require("service", "checkout").text()
        window = read_window(spec.require("timeWindow", "[{duration: 30d, isRolling: true}]"))
        method = spec.require("budgetingMethod", "Occurrences")
        annotations = read_annotations(self._document.metadata.annotations)
        self._check_thresholds(objectives, slis)
        found: list[FoundSlo] = []
        for objective, named in zip(objectives, slis, strict=True):
            check_weight(objective)
            policy = self._policy(spec, annotations, objective, window)
            count = None if self._foreign else _counted(named, service, objective)
            budgeting = read_budgeting(method, objective, count.floor if count else None, annotations.empty_slices)
            _check_empty_slices(annotations, budgeting)
            if count is None:
                continue
            common = {"service": service, "window": window, "description": description, **annotations.of_slo()}
            slo = self._slo(objective, count.indicator, {**common, "policy": policy, "budgeting": budgeting})
            found.append(FoundSlo(slo, objective.value))
        return found

    def _slis(self, spec: YamlFields, objectives: list[Objective]) -> list[_NamedSli]:
        """Return the SLI of every objective: that of the document, or each one's own in a composite."""
        common = self._sli(spec)
        own = [self._sli(objective.fields) for objective in objectives]
        if common is None:
            for objective, sli in zip(objectives, own, strict=True):
                if sli is None:
                    place = objective.value if any(own) else spec.owner
                    raise place.error("indicator is missing; write indicator: {spec: {ratioMetric: ...}}")
            return [sli for sli in own if sli is not None]
        for objective, sli in zip(objectives, own, strict=True):
            if sli is not None:
                raise objective.value.error("the document and its objectives both have an indicator; keep either")
        return [common] * len(objectives)

    def _sli(self, fields: YamlFields) -> _NamedSli | None:
        inline, reference = fields.get("indicator"), fields.get("indicatorRef")
        if inline is not None and reference is not None:
            raise reference.error("indicator and indicatorRef are both written; keep one")
        if reference is not None:
            return _NamedSli(read_sli(self._shelf.find("SLI", reference).spec, self._shelf), reference)
        if inline is None:
            return None
        parts = inline.fields(("metadata", "spec"))
        metadata = parts.get("metadata")
        if metadata is None:
            inline.deviate("metadata is missing; write metadata: {name: the-name}")
        else:
            read_metadata(metadata)
        return _NamedSli(read_sli(parts.require("spec", "{ratioMetric: ...}"), self._shelf), None)

    def _tell_foreign(self, slis: list[_NamedSli]) -> bool:
        """Tell of metric sources that are another program's, each once, and return whether there are any."""
        foreign = {
            (named.reference or source.type_value).path: (named.reference or source.type_value, source.type)
            for named in slis
            for source in sources(named.sli)
            if not source.is_ours
        }
        for place, kind in list(foreign.values())[:1]:
            place.deviate(
                f"not counted: metricSource type {kind!r} is another program's; this one counts "
                f"{', '.join(SOURCE_TYPES)}"
            )
        return bool(foreign)

    def _check_thresholds(self, objectives: list[Objective], slis: list[_NamedSli]) -> None:
        for objective, named in zip(objectives, slis, strict=True):
            if not isinstance(named.sli, ThresholdSli):
                check_unused_threshold(objective)
        if len(objectives) > 1 and isinstance(slis[0].sli, ThresholdSli) and slis[0] is slis[-1]:
            objectives[1].value.deviate("a thresholdMetric has one objective in OpenSLO; write an SLO for each")

    def _policy(
        self, spec: YamlFields, annotations: OurAnnotations, objective: Objective, window: Window
    ) -> AlertPolicy:
        places = annotations.places
        written, windows = places.get(POLICY_ANNOTATION), places.get(WINDOWS_ANNOTATION)
        policies = spec.values.get("alertPolicies")
        if policies is not None and not policies.is_null and policies.items():
            if (ours := written or windows) is not None:
                raise ours.error(f"alertPolicies and {ours.name} both say when to alert; keep one")
            return read_alert_policies(policies, self._shelf)
        if policies is not None and written is None:
            policies.warn(
                "alertPolicies is empty, so the standard burn-rate alerts apply; "
                f"for no alerts write the annotation {POLICY_ANNOTATION}: none"
            )
        return self._standard(written, windows, objective, window)

    def _standard(
        self, written: YamlValue | None, windows: YamlValue | None, objective: Objective, window: Window
    ) -> AlertPolicy:
        place = windows or written or self._document.metadata.name
        name = STANDARD_POLICY_NAME if written is None else written.text()
        try:
            fitted = read_policy(name, None if windows is None else windows.text(), objective.target, window.nominal)
        except InvalidPolicy as error:
            raise place.error(str(error)) from error
        for warning in fitted.warnings:
            place.warn(f"{objective.id}: {warning}")
        return fitted.policy

    def _slo(self, objective: Objective, indicator: Indicator, rest: dict[str, Any]) -> Slo:
        name = self._document.name
        title = self._document.metadata.title or name
        try:
            return Slo(
                id=objective.id,
                name=f"{title}: {objective.title}" if objective.id != name else title,
                environment=indicator.environment or "",
                indicator=indicator,
                target=objective.target,
                draft=False,
                source=self._source.file,
                **rest,
            )
        except InvalidObjective as error:
            raise objective.value.error(str(error)) from error


def _counted(named: _NamedSli, service: str, objective: Objective) -> Counted:
    threshold = objective.threshold if isinstance(named.sli, ThresholdSli) else None
    try:
        return read_counted(named.sli, service, threshold)
    except DocumentError as error:
        if named.reference is None:
            raise
        reason = f"the SLI cannot be used here: {error} ({error.file}:{error.line})"
        raise named.reference.error(reason) from error


def _check_empty_slices(annotations: OurAnnotations, budgeting: object) -> None:
    place = annotations.places.get(f"{OUR_PREFIX}empty-slices")
    if place is not None and not isinstance(budgeting, Timeslices):
        raise place.error("empty-slices has a use with budgetingMethod: Timeslices only; remove it")
