"""Experiment files, YAML or JSON, in our short form or in Chaos Toolkit's format."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from chaos.errors import ExperimentError
from chaos.experiments.experiment import Experiment
from chaos.experiments.hypotheses import LINE_TAGS
from chaos.experiments.method import KIND_TAGS
from chaos.experiments.toolkit_document import fields_of, is_toolkit_document
from chaos.fields import problems

SUFFIXES = (".yaml", ".yml", ".json")


def parse_experiment(text: str, *, name: str, source: str = "") -> Experiment:
    """Read an experiment from YAML or JSON.

    Args:
        text: the document.
        name: what the experiment is called, normally the stem of its file.
        source: what errors call the document; *name* if empty.

    Raises:
        ExperimentError: one line for each bad field, each naming file and field.
    """
    where = source or name
    try:
        document = yaml.safe_load(text)  # JSON is YAML
    except yaml.YAMLError as error:
        raise ExperimentError(f"{where}: not YAML: {error}") from error
    if not isinstance(document, dict):
        raise ExperimentError(
            f"{where}: an experiment is a mapping with title, hypothesis and method (got {document!r})"
        )
    return experiment_of(document, name=name, source=where)


def experiment_of(document: dict[str, Any], *, name: str, source: str) -> Experiment:
    """Return the experiment that *document* describes (raises ExperimentError, see `parse_experiment`)."""
    if is_toolkit_document(document):
        return validated({**fields_of(document, source=source), "name": name}, source=source)
    for field in ("name", "toolkit"):
        if field in document:
            raise ExperimentError(f"{source}: {field}: unknown field; an experiment is named after its file")
    return validated({**document, "name": name}, source=source)


def validated(fields: dict[str, Any], *, source: str) -> Experiment:
    """Return the Experiment with these *fields* (raises ExperimentError)."""
    try:
        return Experiment.model_validate(fields)
    except ValidationError as error:
        found = problems(error, hidden=(*KIND_TAGS, *LINE_TAGS))
        raise ExperimentError("\n".join(f"{source}: {each}" for each in found)) from error


def read_experiment(path: Path) -> Experiment:
    """Read the experiment file at *path*.

    Raises:
        ExperimentError: the file is missing, is not YAML, or breaks the format.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path}: {error}") from error
    return parse_experiment(text, name=path.stem, source=str(path))


def experiment_files(folders: Sequence[Path]) -> list[Path]:
    """Return the YAML and JSON files in *folders*, by name; a missing folder has none."""
    found = (path for folder in folders if folder.is_dir() for path in folder.iterdir())
    return sorted(path for path in found if path.suffix in SUFFIXES and not path.name.startswith("."))
