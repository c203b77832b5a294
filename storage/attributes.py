"""Attribute values as they were sent: OTLP AnyValue bytes into plain JSON values."""

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import DecodeError

from storage.otlp_messages import any_value_class


def any_value(data: bytes) -> Any:
    """Return an AnyValue as JSON has it: bytes as base64, NaN and infinities as text, an empty value as None.

    >>> any_value(bytes.fromhex("18ffffffffffffffff7f"))
    9223372036854775807
    """
    try:
        return value_of(any_value_class().FromString(data))
    except DecodeError:
        return base64.b64encode(data).decode()


def decode_map(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return all attributes, sorted by key, from the hex of their AnyValue bytes."""
    return {key: any_value(bytes.fromhex(attributes[key])) for key in sorted(attributes)}


def hidden_types(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the OTLP types that JSON does not show: bytes, and doubles that look like integers or text."""
    found = {}
    for key in sorted(attributes):
        data = bytes.fromhex(attributes[key])
        try:
            value = any_value_class().FromString(data)
        except DecodeError:
            found[key] = "bytes"
            continue
        kind = value.WhichOneof("value")
        if kind == "bytes_value" or (kind == "double_value" and not _shows(value.double_value)):
            found[key] = kind.removesuffix("_value")
    return found


def pairs(attributes: Iterable[Any]) -> dict[str, Any]:
    """Return the attributes of KeyValue messages; the last of equal keys wins."""
    return {text(pair.key): value_of(pair.value) for pair in attributes}


def value_of(value: Any) -> Any:
    """Return an AnyValue message, whose strings are bytes, as JSON has it."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    held = getattr(value, kind)
    match kind:
        case "array_value":
            return [value_of(item) for item in held.values]
        case "kvlist_value":
            return pairs(held.values)
        case "bytes_value":
            return base64.b64encode(held).decode()
        case "string_value":
            return text(held)
    return finite(held)


def finite(value: Any) -> Any:
    """Return *value* with NaN and infinities as text, which JSON has no numbers for."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def text(data: bytes) -> str:
    return data.decode(errors="replace")


def _shows(value: float) -> bool:
    return math.isfinite(value) and not value.is_integer()
