"""Journals as JSON. Activities may return anything at all, and a run must not lose its journal over it."""

import inspect
import math
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any

import orjson

MOST_DEPTH = 60


def plain(value: Any, depth: int = 0) -> Any:
    """Return *value* as what JSON can hold; what it cannot is described in words.

    >>> plain({"at": {1, 1}, 2: float("nan"), "raw": b"ok"})
    {'at': [1], '2': 'nan', 'raw': 'ok'}
    """
    if value is None or type(value) in {bool, str, int}:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if depth >= MOST_DEPTH:
        return "(nested too deeply)"
    if isinstance(value, Mapping):
        return {str(key): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each, depth + 1) for each in value]
    return _described(value, depth)


def encode(value: Any) -> bytes:
    """Return *value* as indented JSON, whatever it holds."""
    try:
        return orjson.dumps(plain(value), option=orjson.OPT_INDENT_2)
    except (TypeError, ValueError):  # lone surrogates, integers beyond 64 bits
        import json  # noqa: PLC0415 - hardly ever needed

        return json.dumps(plain(value), indent=2).encode()


def _described(value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, str | int):
        return str.__str__(value) if isinstance(value, str) else int(value)
    if isinstance(value, bytes | bytearray):
        return value.decode(errors="replace")
    if isinstance(value, date):
        return value.isoformat()
    if inspect.iscoroutine(value):
        value.close()
        return "(a coroutine: the function is asynchronous, and nobody awaited it)"
    return repr(value)
