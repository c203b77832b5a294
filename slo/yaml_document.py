"""A file's text as documents of nodes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import yaml

from slo.errors import DocumentError
from slo.json_text import json_as_yaml
from slo.yaml_value import ROOT, YamlSource, YamlValue

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is built in: ten times faster
MAX_DEPTH: Final = 50
_MARKER: Final = re.compile(r"---(?=\s|$)")
_LINE_START: Final = re.compile(r"(?<=\n)")
_NULL: Final = "tag:yaml.org,2002:null"


def yaml_documents(text: str, file: str = "", *, strict: bool = False) -> Iterator[YamlValue | DocumentError]:
    """Yield the documents of *text* but for empty ones; one that is not YAML comes as an error and hides no other.

    The items of a list are documents too. A *file* that ends in .json is read as JSON.
    """
    try:
        plain = json_as_yaml(text, file) if file.endswith(".json") else text
    except DocumentError as error:
        yield error
        return
    for piece, lines_before in _pieces(plain):
        try:
            node = _composed(piece, lines_before, file)
        except DocumentError as error:
            yield error
            continue
        if node is not None and node.tag != _NULL:
            yield from _documents(YamlValue(node, ROOT, YamlSource(file, lines_before, strict)))


def _documents(value: YamlValue) -> Iterator[YamlValue]:
    """Yield *value*, or its items if it is a list; each has problems of its own."""
    for item in value.items() if value.is_list else [value]:
        yield YamlValue(item.node, item.path, replace(value.source, problems=[]))


def _composed(piece: str, lines_before: int, file: str) -> yaml.Node | None:
    try:
        _check_depth(piece, lines_before, file)
        return yaml.compose(piece, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = lines_before + 1 + (mark.line if mark is not None else 0)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise DocumentError(f"this is not YAML: {problem}", line, "", file) from error


def _check_depth(piece: str, lines_before: int, file: str) -> None:
    """Refuse deep nesting before composing, which is recursive and in libyaml ends in a crash of the process."""
    depth = 0
    for event in yaml.parse(piece, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = lines_before + 1 + getattr(event.start_mark, "line", 0)
            raise DocumentError(f"nested more than {MAX_DEPTH} levels deep; write it flatter", line, "", file)


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """Split at the document markers: a line that starts with --- is one wherever it stands, by YAML's grammar."""
    start, lines = 0, _LINE_START.split(text)
    for index, line in enumerate(lines):
        if _MARKER.match(line) and not _only_prologue(lines[start:index]):
            yield "".join(lines[start:index]), start
            start = index
    yield "".join(lines[start:]), start


def _only_prologue(lines: list[str]) -> bool:
    return all(not line.strip() or line.startswith(("#", "%")) for line in lines)
