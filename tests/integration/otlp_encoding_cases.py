"""Bodies that are no request, or hardly one: cut off, malformed, of another signal, too deep, too many."""

from tests.integration.otlp_bodies import (
    OTLP,
    SIGNALS,
    Case,
    json_span,
    json_traces,
    metrics_body,
    number_point,
    ordinary,
    rich,
)
from tests.integration.otlp_wire import (
    FIXED32,
    FIXED64,
    GROUP,
    GROUP_END,
    LENGTH,
    VARINT,
    enveloped,
    field,
    tag,
    varint,
)


def zero_bytes():
    return [Case("nothing", signal, b"") for signal in SIGNALS]


def cut_off():
    """Every prefix of two requests in a row: only between them it is one itself."""
    for signal in SIGNALS:
        first, second = ordinary(signal), ordinary(signal)
        whole = first + second
        for end in range(len(whole)):
            fits = end in {0, len(first)}
            yield Case(f"{end} bytes", signal, whole[:end], 200 if fits else 400, says="" if fits else None)


def trailing():
    for signal in SIGNALS:
        for end in (b"\x00", b"\xff", b"\x0a"):
            yield Case(repr(end), signal, ordinary(signal) + end, 400, says=None)


def malformed():
    broken = {
        "field number 0": tag(0, LENGTH) + b"\x00",
        "a field number beyond 2^29": tag(1 << 29, LENGTH) + b"\x00",
        "wire type 6": tag(1, 6) + b"\x00",
        "wire type 7": tag(1, 7) + b"\x00",
        "a varint of 11 bytes": tag(3, VARINT) + b"\xff" * 10 + b"\x01",
        "a length of 2 GiB": tag(1, LENGTH) + varint(1 << 31),
        "a length of 2^63": tag(1, LENGTH) + varint(1 << 63),
        "a group without an end": tag(9, GROUP) + b"\x08\x01",
        "an end without a group": tag(9, GROUP_END),
        "another group's end": tag(9, GROUP) + tag(8, GROUP_END),
        "50,000 groups": tag(9, GROUP) * 50_000,
        "half a fixed64": tag(9, FIXED64) + b"\x00" * 7,
        "half a fixed32": tag(9, FIXED32) + b"\x00" * 3,
    }
    for signal in SIGNALS:
        for name, body in broken.items():
            yield Case(name, signal, body, 400, says=None)
            yield Case(f"{name} behind a valid item", signal, ordinary(signal) + body, 400, says=None)


def other_wire_types():
    """A known field of another wire type is an unknown field, which every receiver ignores."""
    for signal in SIGNALS:
        yield Case("varint", signal, tag(1, VARINT) + b"\x05")
        yield Case("fixed64", signal, tag(1, FIXED64) + bytes(8))
        yield Case("fixed32", signal, tag(1, FIXED32) + bytes(4))
        yield Case("a group", signal, tag(1, GROUP) + b"\x08\x01" + tag(1, GROUP_END))
    # the engine takes none of these as they are: the writer finds them in the segment, and stores them all the same
    for signal, swapped in (("metrics", tag(1, VARINT) + b"\x05"), ("logs", tag(1, GROUP) + tag(1, GROUP_END))):
        yield Case("behind a valid item", signal, ordinary(signal) + swapped)
    for number, wire_type, payload in ((7, VARINT, b"\x07"), (9, FIXED32, b"abcd")):
        body = enveloped(OTLP.span().SerializeToString() + tag(number, wire_type) + payload)
        yield Case(f"a span's field {number} as {wire_type}", "traces", body)


def in_a_row():
    return [Case("two requests", signal, ordinary(signal) + rich(signal)) for signal in SIGNALS]


def other_signals():
    for sent in SIGNALS:
        for signal in SIGNALS:
            if sent != signal:
                yield Case(f"{sent} sent as {signal}", signal, rich(sent), 400, says=f"/v1/{sent}")
    passing = metrics_body(number_point(), name="a name of 16 by.", unit="s")
    yield Case("a metric whose name is as long as a trace id", "traces", passing, 400, says="/v1/metrics")


def nested(depth, kind):
    found = b"\x0a\x01x"
    for _ in range(depth):
        found = field(5, field(1, found)) if kind == "arrays" else field(6, field(1, field(1, b"k") + field(2, found)))
    return field(9, field(1, b"deep") + field(2, found))


def deep():
    for kind, fits in (("arrays", 45), ("maps", 30)):
        for depth in (1, fits, 100, 5000):
            body = enveloped(OTLP.span().SerializeToString() + nested(depth, kind))
            wanted = 200 if depth <= fits else 400
            yield Case(f"{depth} {kind}", "traces", body, wanted, says="" if depth <= fits else "nested")
    value = b'{"arrayValue":{"values":[' * 2000 + b"]}}" * 2000
    body = json_traces(json_span(attributes=[{"key": "deep", "value": "@"}])).replace(b'"@"', value)
    yield Case("2,000 in JSON", "traces", body, 400, says=None, as_json=True)
    yield Case("100,000 brackets", "traces", b"[" * 100_000, 400, says=None, as_json=True)
    yield Case("100,000 objects", "logs", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, says=None, as_json=True)


def empty_items():
    """2 million empty items in 4 MB: parsed they would take hundreds of megabytes."""
    for signal in ("traces", "logs"):
        yield Case("2,000,000 empty items", signal, field(1, field(2, b"\x12\x00" * 2_000_000)), 413, says="limit")
    points = field(5, b"\x0a\x00" * 2_000_000)
    yield Case("2,000,000 empty items", "metrics", field(1, field(2, field(2, points))), 413, says="limit")
    for count in (1_000_000, 2_000_000):
        yield Case(f"{count:,} empty envelopes", "traces", b"\x0a\x00" * count, 413, says="resources and scopes")
