"""A YAML document as plain values, with the line of each: for models that check values and know no files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from slo.errors import DocumentError
from slo.yaml_value import ROOT, YamlValue

Location: TypeAlias = tuple[str | int, ...]
MOST_VALUES: Final = 100_000


@dataclass(slots=True)
class PlainDocument:
    """`value` without positions, and by path the line on which each value, and each field's name, begins.

    Raises:
        DocumentError: a field is written twice, a value has a tag that is not known, or there are too many values.
    """

    root: YamlValue
    lines: dict[Location, int] = field(default_factory=dict)
    value: Any = None

    def __post_init__(self) -> None:
        self.value = self._plain(self.root, ())

    def line(self, location: Location) -> int:
        """Return the line of *location*, or of the nearest value around it that is written."""
        while location not in self.lines:
            location = location[:-1]
        return self.lines[location]

    def _plain(self, value: YamlValue, location: Location) -> Any:
        self.lines.setdefault(location, value.line)
        if len(self.lines) > MOST_VALUES:  # a few aliases of aliases are enough to write billions of values
            raise value.error(f"there are more than {MOST_VALUES:,} values; write fewer aliases")
        if value.is_list:
            return [self._plain(item, (*location, index)) for index, item in enumerate(value.items())]
        if isinstance(value.node, yaml.MappingNode):
            for name_node, _ in value.node.value:
                name = YamlValue(name_node, f"a field name of {value.path}", value.source)
                self.lines[*location, name.scalar()] = name.line
            return {name: self._plain(inner, (*location, name)) for name, inner in _fields(value)}
        return _scalar(value)


def _fields(value: YamlValue) -> Iterator[tuple[str, YamlValue]]:
    seen: set[str] = set()
    for name_node, node in value.node.value:
        name = str(name_node.value)
        path = name if value.path == ROOT else f"{value.path}.{name}"
        if name in seen:
            raise YamlValue(name_node, path, value.source).error(f"{name} is written twice; keep one")
        seen.add(name)
        yield name, YamlValue(node, path, value.source)


def _scalar(value: YamlValue) -> Any:
    if value.is_text:
        return str(value.node.value)
    try:
        return yaml.SafeLoader("").construct_object(value.node)
    except (ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "problem", None) or str(error)
        raise value.error(f"{value.name} cannot be read: {reason}; write it in quotes") from error


def path_of(location: Location) -> str:
    """Return *location* as it is told: `route.routes[0].matchers[1]`.

    >>> path_of(("route", "routes", 0, "receiver"))
    'route.routes[0].receiver'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def document_of(value: YamlValue | DocumentError) -> PlainDocument:
    """Return the values of a document.

    Raises:
        DocumentError: *value* is one, or the document cannot be taken.
    """
    if isinstance(value, DocumentError):
        raise value
    return PlainDocument(value)
