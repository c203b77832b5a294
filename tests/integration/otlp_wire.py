"""How protobuf looks on the wire."""

VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)


def varint(value):
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def field(number, payload):
    """Return a length-delimited field."""
    return tag(number, LENGTH) + varint(len(payload)) + payload


def enveloped(*items):
    """Return a request of traces or logs with *items*, which are bytes: in both, every envelope has these numbers."""
    return field(1, field(2, b"".join(field(2, item) for item in items)))
