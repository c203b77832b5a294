"""Experiments in Chaos Toolkit's own format, which `chaos run` runs as they are.

What that format has no place for stands in its slot `extensions` under our name.
"""

from typing import Any

from chaos.errors import ExperimentError
from chaos.experiments.experiment import Experiment
from chaos.experiments.fault_specs import FaultSpec
from chaos.experiments.hypotheses import AlertHypothesis, AvailabilityHypothesis, Judged, SloHypothesis
from chaos.experiments.method import METHODS
from chaos.experiments.toolkit_names import ACTIONS, CONTROL, EXTENSION, PROBES

Document = dict[str, Any]

_TOOLKIT_KEYS = frozenset(
    {"steady-state-hypothesis", "rollbacks", "extensions", "configuration", "secrets", "controls", "runtime",
     "contributions", "version", "tags"}
)  # fmt: skip
_HELD_BY_THE_RUNNER = frozenset(
    {"lease_s", "hold_s", "groups"}
)  # arguments of our actions that belong to the whole experiment
MOST_SEED = 200
_OUTSIDE = {"name", "title", "description", "method", "toolkit"}


def compile_short(experiment: Experiment) -> Document:
    """Return the Chaos Toolkit document of *experiment*; a document of its own is returned as it is.

    Stock `chaos run` compares no arms: there the hypothesis is checked against fixed limits, an availability of
    1 - margin, for example, over the last `duration_s` seconds. Faults are held for the method and the hypothesis
    after it, by leases that end when the runner dies.
    """
    if experiment.toolkit is not None:
        return experiment.toolkit
    document: Document = {
        "title": experiment.title,
        "description": experiment.description or experiment.title,
        "method": _method(experiment),
        "rollbacks": [_revert(fault, number) for number, fault in enumerate(experiment.method, 1)],
        "controls": [{"name": EXTENSION, "provider": {"type": "python", "module": CONTROL}}],
        "runtime": {"hypothesis": {"strategy": "default"}, "rollbacks": {"strategy": "always"}},
        "extensions": [_extension(experiment)],
    }
    probes = [_probe(line, experiment) for line in experiment.hypothesis if not isinstance(line, AlertHypothesis)]
    if probes:
        document["steady-state-hypothesis"] = {"title": experiment.title, "probes": probes}
    return document


def is_toolkit_document(document: Document) -> bool:
    """Return whether *document* is in Chaos Toolkit's format and not in our short form."""
    method = document.get("method")
    activities = method if isinstance(method, list) else []
    return bool(_TOOLKIT_KEYS & document.keys()) or any(
        isinstance(each, dict) and ("provider" in each or "ref" in each) for each in activities
    )


def fields_of(document: Document, *, source: str) -> dict[str, Any]:
    """Return the fields of the `Experiment` that a Chaos Toolkit *document* describes, not yet validated.

    If its method holds only our actions, they are the experiment's faults; otherwise it is kept whole as `toolkit`.

    Raises:
        ExperimentError: what every document of the format must have is missing.
    """
    _require_the_format(document, source)
    extension = dict(_our_extension(document, source))
    fields = {"title": document["title"], "description": document["description"], **extension}
    if extension and document["method"] and all(_is_ours(activity) for activity in document["method"]):
        return {**fields, "method": [_line(activity) for activity in document["method"]]}
    return {**fields, "toolkit": document}


def _method(experiment: Experiment) -> list[Document]:
    common: Document = {
        "lease_s": experiment.lease_s,
        "hold_s": experiment.duration_s + experiment.recovery_s + experiment.lease_s,
    }
    if experiment.groups is not None:
        common["groups"] = {"share": experiment.groups.share, "seed": experiment.seed or experiment.title[:MOST_SEED]}
    activities = [
        _activity("action", f"fault {number}: {fault}", ACTIONS, fault.word, {**fault.written()[fault.word], **common})
        for number, fault in enumerate(experiment.method, 1)
    ]
    activities[-1]["pauses"] = {"after": experiment.duration_s}
    return activities


def _revert(fault: FaultSpec, number: int) -> Document:
    return _activity(
        "action", f"revert {number}: {fault}", ACTIONS, "revert", {"target": fault.target, "kind": fault.kind}
    )


def _probe(line: Judged | SloHypothesis, experiment: Experiment) -> Document:
    window_s = experiment.duration_s
    if isinstance(line, SloHypothesis):
        probe = _activity("probe", str(line), PROBES, "slo_met", {"slo": line.slo, "window_s": window_s})
        return {**probe, "tolerance": True}
    arguments: dict[str, Any] = {"service": line.service, "window_s": window_s}
    if experiment.environment:
        arguments["environment"] = experiment.environment
    if isinstance(line, AvailabilityHypothesis):
        probe = _activity("probe", str(line), PROBES, "availability", arguments)
    else:
        arguments["threshold_ms"] = line.threshold_ms
        probe = _activity("probe", str(line), PROBES, "share_within", arguments)
    return {**probe, "tolerance": [round(1 - line.margin, 12), 1.0]}


def _activity(kind: str, name: str, module: str, func: str, arguments: dict[str, Any]) -> Document:
    provider = {"type": "python", "module": module, "func": func, "arguments": arguments}
    return {"type": kind, "name": name, "provider": provider}


def _extension(experiment: Experiment) -> Document:
    ours = experiment.model_dump(mode="json", exclude=_OUTSIDE, exclude_defaults=True)
    if not experiment.description:
        ours["description"] = ""  # the format asks for one, the short form does not
    return {"name": EXTENSION, **ours}


def _require_the_format(document: Document, source: str) -> None:
    for field in ("title", "description"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise ExperimentError(
                f"{source}: {field}: a Chaos Toolkit experiment has a {field} (got {document.get(field)!r})"
            )
    if not isinstance(document.get("method"), list):
        raise ExperimentError(
            f"{source}: method: a Chaos Toolkit experiment has a list of activities (got {document.get('method')!r})"
        )


def _our_extension(document: Document, source: str) -> Document:
    extensions = document.get("extensions") or []
    if not isinstance(extensions, list) or not all(isinstance(each, dict) for each in extensions):
        raise ExperimentError(f"{source}: extensions: write a list of mappings with a name (got {extensions!r})")
    found = next((each for each in extensions if each.get("name") == EXTENSION), None)
    if found is None:
        return {}
    for field in ("title", "method", "toolkit"):
        if field in found:
            raise ExperimentError(f"{source}: extensions.{EXTENSION}.{field}: unknown field; it has its own place")
    return {key: value for key, value in found.items() if key != "name"}


def _is_ours(activity: Any) -> bool:
    provider = activity.get("provider") if isinstance(activity, dict) else None
    return isinstance(provider, dict) and provider.get("module") == ACTIONS and provider.get("func") in METHODS


def _line(activity: Document) -> Document:
    arguments = activity["provider"].get("arguments") or {}
    return {
        activity["provider"]["func"]: {
            name: value for name, value in arguments.items() if name not in _HELD_BY_THE_RUNNER
        }
    }
