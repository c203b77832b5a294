"""YAML read as nodes that know their line, so that a problem can name the line of the offending key."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import yaml

from slo.errors import DocumentError

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is built in: ten times faster
MAX_DEPTH: Final = 50
_MARKER: Final = re.compile(r"---(?=\s|$)")
_LINE_START: Final = re.compile(r"(?<=\n)")
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class YamlValue:
    """One node, the path to it ("spec.service") and the number of lines in the file before its document."""

    node: yaml.Node
    path: str
    lines_before: int

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1 + self.lines_before

    def text(self, *, empty: bool = False) -> str:
        """Return a string; numbers and booleans must be quoted to be one.

        Raises:
            DocumentError: not a string, or an empty one without *empty*.
        """
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag != _TAG + "str":
            quoted = f'; write "{self.node.value}"' if isinstance(self.node, yaml.ScalarNode) else ""
            raise self.error(f"{self.path} must be text{quoted}")
        if not self.node.value and not empty:
            raise self.error(f"{self.path} is empty")
        return str(self.node.value)

    def number(self) -> Decimal:
        """Return a number exactly as it is written.

        Raises:
            DocumentError: not a finite number.
        """
        number = self._decimal()
        if number is None or not number.is_finite():
            raise self.error(f"{self.path} must be a number, not {self._shown()}")
        return number

    def flag(self) -> bool:
        """Return a boolean.

        Raises:
            DocumentError: neither true nor false.
        """
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag == _TAG + "bool":
            return str(self.node.value).lower() in ("true", "yes", "on")
        raise self.error(f"{self.path} must be true or false, not {self._shown()}")

    def items(self) -> list["YamlValue"]:
        """Return the items of a list.

        Raises:
            DocumentError: not a list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"{self.path} must be a list, not {self._shown()}")
        return [
            YamlValue(node, f"{self.path}[{index}]", self.lines_before) for index, node in enumerate(self.node.value)
        ]

    def fields(self, known: Collection[str] | None, later: Collection[str] = ()) -> "YamlFields":
        """Return the fields of a mapping, of which only *known* ones may be there (None: any).

        Raises:
            DocumentError: not a mapping, a field that is unknown or written twice, or one of *later*, which OpenSLO
                has and this program does not read yet.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"{self.path} must be a mapping, not {self._shown()}")
        found: dict[str, YamlValue] = {}
        for key_node, node in self.node.value:
            key = YamlValue(key_node, f"a field name of {self.path}", self.lines_before)
            name = key.text()
            path = f"{self.path}.{name}" if self.path != ROOT else name
            if name in later:
                raise key.error(f"not supported yet: {path}")
            if known is not None and name not in known:
                raise key.error(f"unknown field {path}; known here: {', '.join(known)}")
            if name in found:
                raise key.error(f"{path} is written twice; keep one")
            found[name] = YamlValue(node, path, self.lines_before)
        return YamlFields(self, found)

    def error(self, reason: str) -> DocumentError:
        return DocumentError(reason, self.line)

    def _decimal(self) -> Decimal | None:
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag not in (_TAG + "int", _TAG + "float"):
            return None
        try:
            return Decimal(self.node.value)
        except InvalidOperation:
            return None

    def _shown(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return repr(self.node.value) if self.node.value else "empty"
        return "a list" if isinstance(self.node, yaml.SequenceNode) else "a mapping"


ROOT: Final = "the document"


@dataclass(frozen=True, slots=True)
class YamlFields:
    """The fields of one mapping."""

    owner: YamlValue
    values: dict[str, YamlValue]

    def get(self, name: str) -> YamlValue | None:
        return self.values.get(name)

    def require(self, name: str, example: str) -> YamlValue:
        """Return the field *name*.

        Raises:
            DocumentError: it is not there; *example* shows what to write.
        """
        value = self.values.get(name)
        if value is None:
            raise self.owner.error(f"{name} is missing in {self.owner.path}; write {name}: {example}")
        return value


def yaml_documents(text: str) -> Iterator[YamlValue | DocumentError]:
    """Yield the documents of *text* but for empty ones; one that is not YAML comes as an error and hides no other."""
    for piece, lines_before in _pieces(text):
        try:
            node = _composed(piece, lines_before)
        except DocumentError as error:
            yield error
            continue
        if node is not None and node.tag != _TAG + "null":
            yield YamlValue(node, ROOT, lines_before)


def _composed(piece: str, lines_before: int) -> yaml.Node | None:
    try:
        _check_depth(piece, lines_before)
        return yaml.compose(piece, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = lines_before + 1 + (mark.line if mark is not None else 0)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise DocumentError(f"this is not YAML: {problem}", line) from error


def _check_depth(piece: str, lines_before: int) -> None:
    """Refuse deep nesting before composing, which is recursive and in libyaml ends in a crash of the process."""
    depth = 0
    for event in yaml.parse(piece, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = lines_before + 1 + getattr(event.start_mark, "line", 0)
            raise DocumentError(f"nested more than {MAX_DEPTH} levels deep; write it flatter", line)


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
