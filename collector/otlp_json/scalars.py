"""The scalar types of protobuf: each makes, from a field's tag, the writer of the field's JSON values.

The rules are those of protobuf's JSON mapping, with OTLP's two exceptions: trace and span ids are hexadecimal, and
enums are integers. Where the mapping leaves a choice, what could be a mistake is refused: 5.0 and 1e3 are no integers.
"""

import re
import struct
from base64 import b64decode
from binascii import unhexlify
from collections.abc import Callable, Mapping
from math import inf, isinf, nan
from typing import Any, Self

import orjson

from collector.otlp_json.wire import sized, varint, zigzag

Writer = Callable[[Any], bytes]
Scalar = Callable[[bytes], Writer]

SHOWN_CHARACTERS = 200
SHOWN_STEPS = 12
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SPECIAL_DOUBLES = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}
_URL_SAFE = str.maketrans("-_", "+/")
_LONGEST_INTEGER = 20  # characters of 2^64 - 1 and of -2^63
_INT32_LOW, _INT32_HIGH = -(1 << 31), (1 << 31) - 1
_pack_double = struct.Struct("<d").pack


class InvalidValueError(Exception):
    """A value that its field cannot hold.

    Attributes:
        path: Known keys, and indexes, from the item down to the value.
    """

    def __init__(self, value: Any, reason: str) -> None:
        super().__init__(f"{shown(value)} {reason}")
        self.path: list[str | int] = []

    def below(self, step: str | int) -> Self:
        """Return the same error, seen from one level further up."""
        self.path.insert(0, step)
        return self

    def __str__(self) -> str:
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path]
        if len(steps) > SHOWN_STEPS:
            steps[SHOWN_STEPS:] = ["..."]
        return f"{''.join(steps)}: {super().__str__()}"


class NestedTooDeepError(InvalidValueError):
    """A value that no protobuf parser would read back: it costs the whole body, as it does in protobuf."""


def shown(value: Any) -> str:
    """Return *value* for an error message: escaped, in at most 200 characters, and no content of objects and lists."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return repr(value[:SHOWN_CHARACTERS])[:SHOWN_CHARACTERS]
    return orjson.dumps(value).decode()


def text(lead: bytes) -> Writer:
    def write(value: Any) -> bytes:
        if type(value) is not str:
            raise InvalidValueError(value, "is not a string")
        return lead + sized(value.encode())

    return write


def hexadecimal(lead: bytes) -> Writer:
    """Return the writer of an id. Its length is not judged here: one check does that for both encodings."""

    def write(value: Any) -> bytes:
        if type(value) is not str:
            raise InvalidValueError(value, "is not a string of hexadecimal digits")
        try:
            return lead + sized(unhexlify(value))
        except ValueError:
            raise InvalidValueError(value, "is not an even number of hexadecimal digits") from None

    return write


def base64(lead: bytes) -> Writer:
    """Return the writer of bytes in either base64 alphabet, padded or not."""

    def write(value: Any) -> bytes:
        if type(value) is not str:
            raise InvalidValueError(value, "is not a base64 string")
        padding = "=" * (-len(value) % 4)
        try:
            return lead + sized(b64decode(value.translate(_URL_SAFE) + padding, validate=True))
        except ValueError:
            raise InvalidValueError(value, "is not base64") from None

    return write


def boolean(lead: bytes) -> Writer:
    def write(value: Any) -> bytes:
        if type(value) is not bool:
            raise InvalidValueError(value, "is not true or false")
        return lead + varint(value)

    return write


def double(lead: bytes) -> Writer:
    """Return the writer of a number, of a string with a JSON number in it, or of "NaN", "Infinity", "-Infinity"."""

    def write(value: Any) -> bytes:
        number = _double_text(value) if type(value) is str else value
        if type(number) is not float and type(number) is not int:
            raise InvalidValueError(value, "is not a number")
        return lead + _pack_double(number)

    return write


def _double_text(value: str) -> float | None:
    if value in _SPECIAL_DOUBLES:
        return _SPECIAL_DOUBLES[value]
    number = float(value) if _JSON_NUMBER.fullmatch(value) else inf
    return None if isinf(number) else number


def integer(value: Any) -> int:
    """Return a JSON integer or a decimal string, exactly.

    Floats are refused, whole ones too: the JSON parser turns integers beyond 64 bits into floats, which are no longer
    the number that was sent.

    Raises:
        InvalidValueError: *value* is something else.
    """
    if type(value) is int:
        return value
    if type(value) is str and len(value) <= _LONGEST_INTEGER:
        digits = value.encode()  # only ASCII digits are digits in bytes
        if digits.isdigit() or (digits.startswith(b"-") and digits[1:].isdigit()):
            return int(value)
    raise InvalidValueError(value, "is not an integer of 64 bits, as a number or a string of decimal digits")


def fixed(pack: Callable[[int], bytes], kind: str) -> Scalar:
    """Return the scalar type of an integer that always takes the same number of bytes."""

    def with_lead(lead: bytes) -> Writer:
        def write(value: Any) -> bytes:
            number = value if type(value) is int else integer(value)
            try:
                return lead + pack(number)
            except struct.error:
                raise InvalidValueError(value, f"does not fit into {kind}") from None

        return write

    return with_lead


def ranged(low: int, high: int, encode: Callable[[int], bytes] = varint) -> Scalar:
    """Return the scalar type of an integer from *low* to *high* that takes as many bytes as it needs."""

    def with_lead(lead: bytes) -> Writer:
        def write(value: Any) -> bytes:
            number = value if type(value) is int else integer(value)
            if low <= number <= high:
                return lead + encode(number)
            raise InvalidValueError(value, f"is not between {low} and {high}")

        return write

    return with_lead


def enum(names: Mapping[str, int]) -> Scalar:
    """Return the scalar type of an enum: any integer of 32 bits, as later versions add values, or one of *names*.

    OTLP forbids senders the names, but other receivers take them, so there are senders that use them.
    """
    example = next(iter(names))

    def with_lead(lead: bytes) -> Writer:
        def write(value: Any) -> bytes:
            number = names.get(value) if type(value) is str else value
            if type(number) is not int:
                raise InvalidValueError(value, f"is not an integer, or a name like {example}")
            if not _INT32_LOW <= number <= _INT32_HIGH:
                raise InvalidValueError(value, "is not an integer of 32 bits")
            return lead + varint(number)

        return write

    return with_lead


int32 = ranged(_INT32_LOW, _INT32_HIGH)
int64 = ranged(-(1 << 63), (1 << 63) - 1)
uint32 = ranged(0, (1 << 32) - 1)
uint64 = ranged(0, (1 << 64) - 1)
sint32 = ranged(_INT32_LOW, _INT32_HIGH, zigzag)
fixed32 = fixed(struct.Struct("<I").pack, "an unsigned integer of 32 bits")
fixed64 = fixed(struct.Struct("<Q").pack, "an unsigned integer of 64 bits")
sfixed64 = fixed(struct.Struct("<q").pack, "a signed integer of 64 bits")
