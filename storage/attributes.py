"""Attribute values as they were sent: typed maps and raw OTLP bytes back into plain JSON values."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1 import common_pb2


def merge(
    strings: Mapping[str, str],
    ints: Mapping[str, int],
    doubles: Mapping[str, float],
    bools: Mapping[str, bool],
    raws: Mapping[str, str],
) -> dict[str, Any]:
    """Return one map of all attributes, sorted by key. *raws* holds hex of a type letter and the OTLP bytes."""
    merged = {**strings, **ints, **doubles, **bools, **{key: _raw(value) for key, value in raws.items()}}
    return {key: finite(merged[key]) for key in sorted(merged)}


def key_values(pairs: Sequence[str]) -> dict[str, Any]:
    """Return attributes from the hex of serialised KeyValue messages; the last of equal keys wins."""
    found = {}
    for text in pairs:
        pair = common_pb2.KeyValue()
        try:
            pair.ParseFromString(bytes.fromhex(text))
        except DecodeError:
            continue  # not valid UTF-8 inside: nothing that JSON could show
        found[pair.key] = finite(_any(pair.value))
    return found


def finite(value: Any) -> Any:
    """Return *value* with NaN and infinities as text, which JSON has no numbers for."""
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124 -- NaN
        return str(value)
    return value


def _raw(text: str) -> Any:
    data = bytes.fromhex(text)
    kind, body = data[:1], data[1:]
    try:
        if kind == b"a":
            return [_any(value) for value in common_pb2.ArrayValue.FromString(body).values]
        if kind == b"m":
            return {pair.key: _any(pair.value) for pair in common_pb2.KeyValueList.FromString(body).values}
    except DecodeError:
        return base64.b64encode(body).decode()
    return base64.b64encode(body).decode() if kind == b"b" else None


def _any(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    held = getattr(value, kind)
    if kind == "array_value":
        return [_any(item) for item in held.values]
    if kind == "kvlist_value":
        return {pair.key: _any(pair.value) for pair in held.values}
    return base64.b64encode(held).decode() if kind == "bytes_value" else finite(held)
