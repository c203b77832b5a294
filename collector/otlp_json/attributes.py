"""Attributes of OTLP/JSON (KeyValue, AnyValue) to protobuf: the only part that nests, and where the time is spent."""

from collections.abc import Callable
from functools import partial
from typing import Any

from collector.otlp_json.scalars import (
    InvalidValueError,
    NestedTooDeepError,
    Writer,
    base64,
    boolean,
    double,
    int32,
    int64,
    text,
)
from collector.otlp_json.wire import FIXED64, LENGTH, VARINT, sized, tag, varint

# upb reads 100 messages inside each other, and 8 lie around the value of an exemplar's attribute, the deepest there is
DEEPEST = 100 - 9

CACHED_KEYS = 4096
CACHED_KEY_CHARACTERS = 128

_key, _key_index = text(tag(1, LENGTH)), int32(tag(3, VARINT))
_VALUE, _VALUES = tag(2, LENGTH), tag(1, LENGTH)
_SCALARS: dict[str, Writer] = {
    "stringValue": text(tag(1, LENGTH)),
    "string_value": text(tag(1, LENGTH)),
    "boolValue": boolean(tag(2, VARINT)),
    "bool_value": boolean(tag(2, VARINT)),
    "intValue": int64(tag(3, VARINT)),
    "int_value": int64(tag(3, VARINT)),
    "doubleValue": double(tag(4, FIXED64)),
    "double_value": double(tag(4, FIXED64)),
    "bytesValue": base64(tag(7, LENGTH)),
    "bytes_value": base64(tag(7, LENGTH)),
    "stringValueStrindex": int32(tag(8, VARINT)),
    "string_value_strindex": int32(tag(8, VARINT)),
}


_SHORT_STRING = 512  # characters, of up to four bytes
# what lies between the key of a KeyValue and its string of so many bytes
_STRING_LEADS = tuple(
    _VALUE + varint(len(lead) + size) + lead
    for size, lead in enumerate(tag(1, LENGTH) + varint(size) for size in range(4 * _SHORT_STRING))
)
_written_keys: dict[str, bytes] = {}


def attributes(lead: bytes, items: Any) -> bytes:
    """Return a repeated KeyValue field: what `elements` returns for `key_value`, in 60 % of the time.

    Nearly every attribute is a key and one scalar, most of them strings, so those are written here without a call for
    each part. All others take the general way.

    Raises:
        InvalidValueError: *items* is not a list, or one of its elements is no KeyValue.
    """
    if type(items) is not list:
        raise InvalidValueError(items, "is not a list")
    parts: list[bytes] = []
    for item in items:
        try:
            body = _plain(item) or key_value({} if item is None else item)
        except InvalidValueError as invalid:
            raise invalid.below(len(parts)) from None
        parts.append(lead + sized(body))
    return b"".join(parts)


def _plain(item: Any) -> bytes | None:
    """Return the bytes of a KeyValue with a key and one scalar; None for any other."""
    if type(item) is not dict or len(item) != 2:
        return None
    key, value = item.get("key"), item.get("value")
    if type(key) is not str or type(value) is not dict or len(value) != 1:
        return None
    string = value.get("stringValue")
    if type(string) is str and len(string) < _SHORT_STRING:
        string = string.encode()
        return (_written_keys.get(key) or _remembered(key)) + _STRING_LEADS[len(string)] + string
    ((member, content),) = value.items()
    scalar = _SCALARS.get(member)
    if scalar is None or content is None:
        return None
    try:
        return (_written_keys.get(key) or _remembered(key)) + _VALUE + sized(scalar(content))
    except InvalidValueError as invalid:
        raise invalid.below(member).below("value") from None


def _remembered(key: str) -> bytes:
    """Return a key's field, and keep it: services use the same few keys again and again."""
    written = _key(key)
    if len(key) <= CACHED_KEY_CHARACTERS:
        if len(_written_keys) >= CACHED_KEYS:
            _written_keys.clear()
        _written_keys[key] = written
    return written


def any_value(value: Any, depth: int = 0) -> bytes:
    """Return an AnyValue's bytes; none when it has no member. 0, "" and false are members like any other.

    Args:
        value: The JSON form, an object with at most one known member that is not null.
        depth: Messages around it, counted from an attribute's own value.

    Raises:
        InvalidValueError: *value* is no AnyValue.
    """
    if type(value) is not dict:
        raise InvalidValueError(value, "is not an object like {'stringValue': '...'}")
    found = b""
    for member, content in value.items():
        if content is None:
            continue
        try:
            written = _member(member, content, depth)
        except InvalidValueError as invalid:
            raise invalid.below(member) from None
        if written and found:
            raise InvalidValueError(value, "has more than one value")
        found = found or written
    return found


def _member(member: str, content: Any, depth: int) -> bytes:
    scalar = _SCALARS.get(member)
    if scalar is not None:
        return scalar(content)
    nested = _NESTED.get(member)
    return _nested(*nested, content, depth) if nested is not None else b""


def _nested(lead: bytes, element: Callable[..., bytes], messages: int, content: Any, depth: int) -> bytes:
    """Return an ArrayValue or a KeyValueList, each of whose elements lies *messages* deeper than the value itself."""
    depth += messages
    if depth > DEEPEST:
        raise NestedTooDeepError(content, "is nested too deep: at most 45 lists or 30 maps inside each other are read")
    if type(content) is not dict:
        raise InvalidValueError(content, "is not an object like {'values': [...]}")
    values = content.get("values")
    try:
        written = elements(_VALUES, [] if values is None else values, partial(element, depth=depth))
    except InvalidValueError as invalid:
        raise invalid.below("values") from None
    return lead + sized(written)


def key_value(item: Any, depth: int = 0) -> bytes:
    """Return a KeyValue's bytes.

    Raises:
        InvalidValueError: *item* is no KeyValue.
    """
    if type(item) is not dict:
        raise InvalidValueError(item, "is not an object like {'key': '...', 'value': {...}}")
    step, parts = "key", b""
    try:
        if (key := item.get("key")) is not None:
            parts = _key(key)
        step = "value"
        if (value := item.get("value")) is not None:
            parts += _VALUE + sized(any_value(value, depth))
        step = "keyStrindex"
        if (index := item.get("keyStrindex", item.get("key_strindex"))) is not None:
            parts += _key_index(index)
    except InvalidValueError as invalid:
        raise invalid.below(step) from None
    return parts


def elements(lead: bytes, values: Any, element: Writer) -> bytes:
    """Return a repeated message field.

    Raises:
        InvalidValueError: *values* is not a list, or one of its elements is invalid.
    """
    if type(values) is not list:
        raise InvalidValueError(values, "is not a list")
    parts: list[bytes] = []
    for value in values:
        try:
            body = element({} if value is None else value)
        except InvalidValueError as invalid:
            raise invalid.below(len(parts)) from None
        parts.append(lead + sized(body))
    return b"".join(parts)


_NESTED: dict[str, tuple[bytes, Callable[..., bytes], int]] = {
    "arrayValue": (tag(5, LENGTH), any_value, 2),
    "array_value": (tag(5, LENGTH), any_value, 2),
    "kvlistValue": (tag(6, LENGTH), key_value, 3),
    "kvlist_value": (tag(6, LENGTH), key_value, 3),
}
