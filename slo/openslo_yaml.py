"""YAML as OpenSLO documents are written in it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

import yaml

Fields: TypeAlias = dict[str, object]

_TAG: Final = "tag:yaml.org,2002:"


def yaml_text(document: Mapping[str, object]) -> str:
    """Return *document* as YAML, decimals exactly, in the order of its fields."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes decimals exactly, and every value where it stands instead of as an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return data is not None


def _decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    text = format(number, "f")
    return dumper.represent_scalar(_TAG + ("float" if "." in text else "int"), text)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # YAML 1.1 holds these to be line breaks and folds them outside of double quotes
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029") else None
    return dumper.represent_scalar(_TAG + "str", text, style=style)


_Dumper.add_representer(Decimal, _decimal)
_Dumper.add_representer(str, _text)
