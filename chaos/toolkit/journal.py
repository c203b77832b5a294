"""What we add to a Chaos Toolkit journal, in the experiment's own slot for extensions. Pure."""

from collections.abc import Sequence
from typing import Any

from chaos.experiments.toolkit_names import EXTENSION

Journal = dict[str, Any]


def note(journal: Journal, *, problems: Sequence[str] = (), reason: str = "") -> Journal:
    """Return *journal* with what its runner did not say.

    Args:
        journal: Chaos Toolkit's.
        problems: errors that were swallowed, of safeguards and controls for example.
        reason: why the run did not end by itself; empty if it did.
    """
    earlier = noted(journal)
    ours: dict[str, Any] = {"problems": [*earlier["problems"], *problems], "reason": reason or earlier["reason"]}
    experiment = dict(journal.get("experiment") or {})
    extensions = [dict(each) for each in experiment.get("extensions") or [] if isinstance(each, dict)]
    found = next((each for each in extensions if each.get("name") == EXTENSION), None)
    if found is None:
        found = {"name": EXTENSION}
        extensions.append(found)
    found["run"] = {**(found.get("run") or {}), **ours}
    return {**journal, "experiment": {**experiment, "extensions": extensions}}


def noted(journal: Journal) -> dict[str, Any]:
    """Return what `note` added: `problems` and `reason`, empty where it added nothing."""
    experiment = journal.get("experiment")
    extensions = experiment.get("extensions") if isinstance(experiment, dict) else None
    for each in extensions if isinstance(extensions, list) else []:
        if isinstance(each, dict) and each.get("name") == EXTENSION and isinstance(each.get("run"), dict):
            run = each["run"]
            return {**run, "problems": list(run.get("problems") or []), "reason": str(run.get("reason") or "")}
    return {"problems": [], "reason": ""}
