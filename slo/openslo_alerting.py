"""The `alertPolicies` of an SLO document: when it alerts, and what is decided elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from slo.openslo_condition import read_condition
from slo.openslo_document import Shelf, read_description, read_metadata
from slo.policy import AlertPolicy, BurnRatePair
from slo.yaml_value import YamlFields, YamlValue

_Read = TypeVar("_Read")

_FIELDS: Final = (
    "description",
    "alertWhenNoData",
    "alertWhenResolved",
    "alertWhenBreaching",
    "conditions",
    "notificationTargets",
)


@dataclass(frozen=True, slots=True)
class _Reference:
    """How one list refers to objects of a kind: by a field with the name, or inline."""

    kind: str
    field: str


_POLICY: Final = _Reference("AlertPolicy", "alertPolicyRef")
_CONDITION: Final = _Reference("AlertCondition", "conditionRef")
_TARGET: Final = _Reference("AlertNotificationTarget", "targetRef")


def read_alert_policies(value: YamlValue, shelf: Shelf) -> AlertPolicy:
    """Return one policy with the conditions of every policy in the list *value*.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    names: list[str] = []
    conditions: list[BurnRatePair] = []
    for item in value.items():
        name, spec = _resolved(item, _POLICY, shelf)
        names.append(name)
        conditions += read_policy_spec(spec, shelf)
    return AlertPolicy(", ".join(names), tuple(dict.fromkeys(conditions)))


def read_policy_spec(spec: YamlValue, shelf: Shelf) -> list[BurnRatePair]:
    """Return the conditions of one AlertPolicy; none if it does not alert when they are met.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    fields = spec.fields(_FIELDS)
    read_description(fields)
    pairs = _read_list(fields, "conditions", _CONDITION, shelf, read_condition)
    _read_list(fields, "notificationTargets", _TARGET, shelf, check_target)
    if len(pairs) > 1:
        fields.require("conditions", "").deviate("an AlertPolicy has one condition; write a policy for each")
    targets = fields.get("notificationTargets")
    if targets is not None:
        targets.warn("notificationTargets are not used: where alerts go is set where this program is started")
    _check_occasions(fields)
    breaching = fields.get("alertWhenBreaching")
    return pairs if breaching is None or breaching.flag() else []


def check_target(spec: YamlValue) -> None:
    """Check the `spec` of an AlertNotificationTarget.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    fields = spec.fields(("description", "target"))
    read_description(fields)
    fields.require("target", "slack").text()


def _read_list(
    fields: YamlFields, name: str, reference: _Reference, shelf: Shelf, read: Callable[[YamlValue], _Read]
) -> list[_Read]:
    value = fields.get(name)
    items = [] if value is None else value.items()
    if not items:
        (value or fields.owner).deviate(f"{name} is empty; write [{{{reference.field}: the-name}}]")
    return [read(_resolved(item, reference, shelf)[1]) for item in items if not _leads_nowhere(item, reference, shelf)]


def _leads_nowhere(item: YamlValue, reference: _Reference, shelf: Shelf) -> bool:
    """Whether *item* names a notification target that is not there: nobody needs it, so that is no error."""
    if reference is not _TARGET:
        return False
    named = item if item.is_text else item.fields(None).get(reference.field)
    return named is not None and shelf.find_unused(reference.kind, named) is None


def _resolved(item: YamlValue, reference: _Reference, shelf: Shelf) -> tuple[str, YamlValue]:
    """Return the name and the spec of an object that is written inline or named; a bare name is a deviation."""
    if item.is_text:
        item.deviate(f"a name alone is not OpenSLO; write {reference.field}: {item.text()}")
        return item.text(), shelf.find(reference.kind, item).spec
    fields = item.fields((reference.field, "apiVersion", "kind", "metadata", "spec"))
    named = fields.get(reference.field)
    if named is not None:
        if fields.get("spec") is not None:
            raise named.error(f"{reference.field} and spec are both written; keep one")
        return named.text(), shelf.find(reference.kind, named).spec
    spec = fields.require("spec", f"{{...}}, or {reference.field}: the-name")
    kind = fields.get("kind")
    if kind is None:
        item.deviate(f"kind is missing; write kind: {reference.kind}")
    elif kind.choice((reference.kind,)) is None:
        raise kind.error(f"kind {kind.text()!r} does not belong here; write {reference.kind}")
    return read_metadata(fields.require("metadata", "{name: fast-burn}")).name.text(), spec


def _check_occasions(fields: YamlFields) -> None:
    breaching, resolved = fields.get("alertWhenBreaching"), fields.get("alertWhenResolved")
    missing = fields.get("alertWhenNoData")
    if breaching is None:
        fields.owner.warn("alertWhenBreaching is missing and read as true; write alertWhenBreaching: true")
    elif not breaching.flag():
        breaching.warn("alertWhenBreaching is false: this policy never alerts")
    if resolved is not None and not resolved.flag():
        resolved.warn("alertWhenResolved is not used: the end of an alert is always told")
    if missing is not None and missing.flag():
        missing.warn("alertWhenNoData is not used: missing data is told whatever the policy says")
