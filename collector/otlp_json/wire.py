"""Protobuf's wire format, the writing half: varints, tags and lengths."""

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_U64 = (1 << 64) - 1


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


# every varint of one or two bytes: nearly all lengths, counts and codes
_SHORT = tuple(_varint(number) for number in range(1 << 14))
_SHORT_END = len(_SHORT)


def varint(number: int) -> bytes:
    """Return *number* as a varint; a negative one as its 64-bit two's complement, which is what int32 means too."""
    return _SHORT[number] if 0 <= number < _SHORT_END else _varint(number & _U64)


def zigzag(number: int) -> bytes:
    """Return *number* as the varint of a sint32 or sint64: small negative numbers stay short."""
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def tag(number: int, wire_type: int) -> bytes:
    """Return what precedes each value of the field *number*."""
    return varint(number << 3 | wire_type)


def sized(content: bytes) -> bytes:
    """Return *content* behind its length."""
    size = len(content)
    return (_SHORT[size] if size < _SHORT_END else _varint(size)) + content
