"""YAML nodes that know their file, line and path, so that a problem can name the place of the offending field."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Final, Literal

import yaml

from slo.errors import DocumentError, SloFileProblem

ROOT: Final = "the document"

_TAG: Final = "tag:yaml.org,2002:"
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # YAML 1.1 calls 1e5 text, JSON not
_LARGEST_EXPONENT: Final = 30  # far beyond any target, duration or threshold; more would only cost memory
_ALIKE: Final = 0.8


@dataclass(frozen=True, slots=True)
class YamlSource:
    """Where a document comes from, and what was found to say about it although it could be read.

    `lines_before` is the number of lines in the file before the document. What `strict` reading refuses is an error in
    `problems` and the reading goes on, so that all of it is told at once.
    """

    file: str = ""
    lines_before: int = 0
    strict: bool = False
    problems: list[SloFileProblem] = field(default_factory=list)

    def tell(self, error: DocumentError, level: Literal["error", "warning"] = "error") -> None:
        """Add *error*, which may be about another file, to the problems."""
        problem = SloFileProblem(error.file or self.file, error.line, str(error), level, error.path)
        self.problems.append(problem)

    @property
    def refused(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class YamlValue:
    """One node and the path to it ("spec.service")."""

    node: yaml.Node
    path: str
    source: YamlSource

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1 + self.source.lines_before

    @property
    def name(self) -> str:
        """The last part of the path: the field's own name."""
        return self.path.rpartition(".")[2]

    @property
    def is_null(self) -> bool:
        return self.node.tag == _TAG + "null"

    def text(self, *, empty: bool = False) -> str:
        """Return a string; numbers and booleans must be quoted to be one.

        Raises:
            DocumentError: not a string, or an empty one without *empty*.
        """
        if not self.is_text:
            quoted = f'; write "{self.node.value}"' if isinstance(self.node, yaml.ScalarNode) else ""
            raise self.error(f"{self.name} must be text{quoted}")
        if not self.node.value and not empty:
            raise self.error(f"{self.name} is empty")
        return str(self.node.value)

    def scalar(self) -> str:
        """Return what is written: a string, or a number, date or boolean as it stands in the file.

        Raises:
            DocumentError: a list, a mapping or nothing.
        """
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null or not self.node.value:
            raise self.error(f"{self.name} must be text, not {self._shown()}")
        return str(self.node.value)

    def choice(self, options: Iterable[str]) -> str | None:
        """Return which of *options* is written, or None; upper and lower case mixed up is a deviation."""
        written = self.text()
        for option in options:
            if option == written:
                return option
            if option.lower() == written.lower():
                self.deviate(f"{self.name} {written!r} is read as {option}; write {option}")
                return option
        return None

    def number(self) -> Decimal:
        """Return a number exactly as it is written.

        Raises:
            DocumentError: not a finite number, or one that is astronomically large or small.
        """
        number = self._decimal()
        if number is None or not number.is_finite():
            raise self.error(f"{self.name} must be a number, not {self._shown()}")
        if abs(number.adjusted()) > _LARGEST_EXPONENT:
            raise self.error(f"{self.name} {self.node.value} is out of range; write up to {_LARGEST_EXPONENT} digits")
        return number

    def flag(self) -> bool:
        """Return a boolean.

        Raises:
            DocumentError: neither true nor false.
        """
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag == _TAG + "bool":
            return str(self.node.value).lower() in ("true", "yes", "on")
        raise self.error(f"{self.name} must be true or false, not {self._shown()}")

    def items(self) -> list["YamlValue"]:
        """Return the items of a list.

        Raises:
            DocumentError: not a list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"{self.name} must be a list, not {self._shown()}")
        path = "" if self.path == ROOT else self.path
        return [YamlValue(node, f"{path}[{index}]", self.source) for index, node in enumerate(self.node.value)]

    @property
    def is_text(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == _TAG + "str"

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def fields(self, known: Collection[str] | None, *, ours: bool = False) -> "YamlFields":
        """Return the fields of a mapping, of which only *known* ones may be there (None: any).

        An unknown field is a deviation, unless it looks like a misspelt one or the mapping is *ours*: there it is an
        error, as is one without a value, because ignoring it would change what is counted.

        Raises:
            DocumentError: not a mapping, a field that is unknown or written twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"{self.name} must be a mapping, not {self._shown()}")
        found: dict[str, YamlValue] = {}
        for key_node, node in self.node.value:
            key = YamlValue(key_node, f"a field name of {self.path}", self.source)
            name = key.text()
            path = f"{self.path}.{name}" if self.path != ROOT else name
            value = YamlValue(node, path, self.source)
            if name in found:
                raise DocumentError(f"{name} is written twice; keep one", key.line, path, self.source.file)
            if ours and value.is_null:
                raise value.error(f"{name} is empty; write what it is, or leave it out")
            if known is None or name in known:
                found[name] = value
            else:
                self._unknown(name, YamlValue(key_node, path, self.source), known, ours=ours)
        return YamlFields(self, found)

    def empty_mapping(self, name: str) -> "YamlValue":
        """Return what a field *name* of this mapping would be if it were there and empty."""
        node = yaml.MappingNode(_TAG + "map", [], self.node.start_mark, self.node.end_mark)
        return YamlValue(node, name if self.path == ROOT else f"{self.path}.{name}", self.source)

    def error(self, reason: str) -> DocumentError:
        return DocumentError(reason, self.line, "" if self.path == ROOT else self.path, self.source.file)

    def warn(self, reason: str) -> None:
        """Tell of something that is right by the specification and yet not done, or not as one may think."""
        self.source.problems.append(SloFileProblem(self.source.file, self.line, reason, "warning", self.path))

    def deviate(self, reason: str) -> None:
        """Tell of something that the specification forbids: a warning, in strict reading an error."""
        if not self.source.strict:
            self.warn(reason)
        else:
            self.source.problems.append(SloFileProblem(self.source.file, self.line, reason, "error", self.path))

    def _unknown(self, name: str, key: "YamlValue", known: Collection[str], *, ours: bool) -> None:
        spelt = {option.lower(): option for option in known}
        alike = get_close_matches(name.lower(), spelt, n=1, cutoff=_ALIKE)
        remedy = f"write {spelt[alike[0]]}; " if alike else ""
        reason = f"unknown field {name}; {remedy}known here: {', '.join(known)}"
        if alike or ours:
            raise key.error(reason)
        key.deviate(f"{reason}; it is ignored")

    def _decimal(self) -> Decimal | None:
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        unquoted = self.is_text and not self.node.style and _NUMBER.fullmatch(self.node.value)
        if not unquoted and self.node.tag not in (_TAG + "int", _TAG + "float"):
            return None
        try:
            return Decimal(self.node.value)
        except InvalidOperation:
            return None

    def _shown(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return repr(self.node.value) if self.node.value else "empty"
        return "a list" if self.is_list else "a mapping"


@dataclass(frozen=True, slots=True)
class YamlFields:
    """The fields of one mapping."""

    owner: YamlValue
    values: dict[str, YamlValue]

    def get(self, name: str) -> YamlValue | None:
        """Return the field *name*, None where it is not there or nothing is written after it."""
        value = self.values.get(name)
        return None if value is None or value.is_null else value

    def require(self, name: str, example: str) -> YamlValue:
        """Return the field *name*.

        Raises:
            DocumentError: it is not there; *example* shows what to write.
        """
        value = self.get(name)
        if value is None:
            raise self.owner.error(f"{name} is missing; write {name}: {example}")
        return value

    def text(self, name: str) -> str:
        """Return the text of the field *name*, "" where it is not there."""
        value = self.get(name)
        return "" if value is None else value.text(empty=True)
