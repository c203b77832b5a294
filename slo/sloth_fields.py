"""Fields of Sloth's files, in both forms of the format."""

import re
from collections.abc import Collection

import yaml

from slo.yaml_value import YamlValue


def read_fields(value: YamlValue) -> dict[str, YamlValue]:
    """Return the fields of a mapping in snake case: the Kubernetes form writes errorQuery for error_query.

    Raises:
        DocumentError: not a mapping, or a field is written twice.
    """
    return {_snake(name): item for name, item in value.fields(None).values.items()}


def unknown_fields(fields: dict[str, YamlValue], known: Collection[str]) -> list[YamlValue]:
    return [value for name, value in fields.items() if name not in known]


def read_texts(value: YamlValue | None) -> dict[str, str]:
    """Return a mapping of scalars, such as labels, as text; none where *value* is not written.

    Raises:
        DocumentError: not a mapping, or one of its values is none.
    """
    return {} if value is None else {name: scalar(item) for name, item in value.fields(None).values.items()}


def scalar(value: YamlValue) -> str:
    """Return a scalar as it is written: queries and labels may look like numbers.

    Raises:
        DocumentError: a list or a mapping.
    """
    if not isinstance(value.node, yaml.ScalarNode):
        raise value.error(f"{value.path} must be text")
    return str(value.node.value)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: f"_{match[1].lower()}", name)
