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

    If it has our hypothesis and nothing but our activities, they are the experiment's faults; otherwise it is kept
    whole as `toolkit`, as nothing of other people's (a rollback, a probe, a safeguard) may be lost.

    Raises:
        ExperimentError: what every document of the format must have is missing, or our actions contradict each other.
    """
    _require_the_format(document, source)
    extension = dict(_our_extension(document, source))
    fields = {"title": document["title"], "description": document["description"], **extension}
    if extension.get("hypothesis") and _is_all_ours(document):
        method = document["method"]
        return {**_common(method, extension, source), **fields, "method": [_line(activity) for activity in method]}
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


def _is_all_ours(document: Document) -> bool:
    hypothesis = document.get("steady-state-hypothesis")
    probes = hypothesis.get("probes") if isinstance(hypothesis, dict) else None
    return (
        bool(document["method"])
        and all(_called(each)[0] == ACTIONS and _called(each)[1] in METHODS for each in document["method"])
        and all(_called(each)[0] == ACTIONS for each in document.get("rollbacks") or [])
        and all(_called(each)[0] == PROBES for each in probes or [])
        and all(_called(each)[0] == CONTROL for each in document.get("controls") or [])
    )


def _called(activity: Any) -> tuple[Any, Any]:
    provider = activity.get("provider") if isinstance(activity, dict) else None
    return (provider.get("module"), provider.get("func")) if isinstance(provider, dict) else (None, None)


def _common(method: list[Document], extension: Document, source: str) -> dict[str, Any]:
    """What the actions say of the whole experiment, for a document written by hand; the extension overrides it."""
    found: dict[str, Any] = {}
    for name in ("lease_s", "groups"):
        values = [(activity["provider"].get("arguments") or {}).get(name) for activity in method]
        if any(value != values[0] for value in values):
            raise ExperimentError(f"{source}: method: {name} differs from action to action; give all the same")
        if values[0] is not None:
            found[name] = values[0]
    groups = found.pop("groups", None)
    if isinstance(groups, dict) and "groups" not in extension:
        found |= {"groups": {"share": groups.get("share")}, "seed": groups.get("seed", "")}
    pauses = [activity.get("pauses") or {} for activity in method]
    held_s = sum(each["after"] for each in pauses if isinstance(each.get("after"), int | float))
    return {**found, "duration_s": held_s} if held_s else found


def _line(activity: Document) -> Document:
    arguments = activity["provider"].get("arguments") or {}
    return {
        activity["provider"]["func"]: {
            name: value for name, value in arguments.items() if name not in _HELD_BY_THE_RUNNER
        }
    }
