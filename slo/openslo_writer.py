"""Writing an objective as an OpenSLO document."""

from decimal import Decimal
from typing import Any, Final

import yaml

from slo.duration import format_duration
from slo.errors import InvalidObjective
from slo.indicator import REQUEST_KINDS, FasterThan, Good, Matches, NotError, SpanIndicator
from slo.model import Slo
from slo.openslo import API_VERSION, DNS_LABEL
from slo.policy_text import POLICY_ANNOTATION
from slo.predicate import canonical
from slo.standard_policy import STANDARD_POLICY_NAME

_NS_PER_MS: Final = 1_000_000


def to_openslo(slo: Slo) -> str:
    """Return the YAML document that makes *slo* the user's own: read back, it differs in draft, policy and source only.

    The document asks for the standard burn-rate alerts.

    Raises:
        InvalidObjective: the objective cannot be a document of its own: its id is no DNS label, or its span kinds
            have no name in a file.
    """
    if DNS_LABEL.fullmatch(slo.id) is None:
        raise InvalidObjective(f"{slo.id!r} is one of several objectives of a document; copy that document instead")
    metadata: dict[str, object] = {"name": slo.id}
    if slo.name != slo.id:
        metadata["displayName"] = slo.name
    metadata["annotations"] = {POLICY_ANNOTATION: STANDARD_POLICY_NAME}
    document = {"apiVersion": API_VERSION, "kind": "SLO", "metadata": metadata, "spec": _spec(slo)}
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _spec(slo: Slo) -> dict[str, object]:
    assert isinstance(slo.indicator, SpanIndicator)
    described: dict[str, object] = {"description": slo.description} if slo.description else {}
    population = _population(slo.indicator)
    ratio = {
        "counter": False,
        "good": _source({**population, "good": _good_text(slo.indicator.good)}),
        "total": _source(population),
    }
    return described | {
        "service": slo.service,
        "indicator": {"metadata": {"name": slo.id}, "spec": {"ratioMetric": ratio}},
        "timeWindow": [{"duration": format_duration(slo.period), "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": slo.target}],
    }


def _source(spec: dict[str, object]) -> dict[str, object]:
    return {"metricSource": {"type": "spans", "spec": spec}}


def _population(indicator: SpanIndicator) -> dict[str, object]:
    spec: dict[str, object] = {"service": indicator.service}
    if indicator.environment is not None:
        spec["environment"] = indicator.environment
    spec["kind"] = _kind(indicator.kinds)
    if indicator.filter is not None:
        spec["filter"] = canonical(indicator.filter)
    if indicator.group_by:
        spec["group_by"] = list(indicator.group_by)
    return spec


def _kind(kinds: tuple[str, ...]) -> str:
    if set(kinds) == set(REQUEST_KINDS):
        return "request"
    if len(kinds) == 1:
        return kinds[0]
    raise InvalidObjective(f"span kinds {list(kinds)} have no name in a file; use one kind, or server and consumer")


def _good_text(good: Good) -> str:
    match good:
        case NotError():
            return "not error"
        case FasterThan(threshold_ns):
            return f"duration_ms <= {_milliseconds(threshold_ns)}"
        case Matches(predicate):
            return canonical(predicate)


def _milliseconds(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, _NS_PER_MS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


class _Dumper(yaml.SafeDumper):
    """Writes decimals exactly, and every value where it stands instead of as an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return data is not None


def _decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", format(number, "f"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML 1.1 holds these to be line breaks and folds them outside of double quotes
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(Decimal, _decimal)
_Dumper.add_representer(str, _text)
