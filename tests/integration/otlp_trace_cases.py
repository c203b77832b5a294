"""Spans with ids, parents, sampling and codes that no SDK would send."""

import os

from tests.integration.otlp_bodies import OTLP, Case, log_record, logs_request
from tests.integration.otlp_wire import VARINT, enveloped, field, tag, varint


def bad_ids():
    good = OTLP.span()
    bad = [OTLP.span(trace_id=value) for value in (b"", b"x" * 15, b"x" * 17, bytes(16), b"x" * 5000)]
    bad += [OTLP.span(span_id=value) for value in (b"", b"x" * 9, b"x" * 7, bytes(8))]
    for number, span in enumerate(bad):
        yield Case(f"alone {number}", "traces", OTLP.traces(span), 400, says="id of")
        yield Case(
            f"beside a valid one {number}", "traces", OTLP.traces(OTLP.span(), span, OTLP.span()), 200, 1, "id of"
        )
    yield Case("all of them and a valid one", "traces", OTLP.traces(*bad, good), 200, len(bad), "id of")
    odd = [log_record(trace_id=b"x" * 15), log_record(span_id=b"x" * 9), log_record()]
    yield Case(
        "of logs, which are no reason to lose them", "logs", logs_request(*odd).SerializeToString(), says="cleared"
    )


def odd_parents():
    trace, ids = os.urandom(16), [os.urandom(8) for _ in range(3)]
    yield Case("its own parent", "traces", OTLP.traces(OTLP.span(trace_id=trace, span_id=ids[0], parent=ids[0])))
    cycle = [OTLP.span(trace_id=trace, span_id=a, parent=b) for a, b in zip(ids, ids[1:] + ids[:1], strict=True)]
    yield Case("a cycle", "traces", OTLP.traces(*cycle))
    twin = OTLP.span()
    yield Case("twins", "traces", OTLP.traces(twin, twin))
    yield Case("a parent of 3 bytes", "traces", OTLP.traces(OTLP.span(parent=b"abc")), says=None)


def too_many_attributes():
    many = b"".join(field(9, field(1, b"k%d" % number)) for number in range(100_000))
    yield Case("100,000 on a span", "traces", enveloped(OTLP.span().SerializeToString() + many), says="more than 128")


TRACE_STATES = [
    "ot=th:zz",
    "ot=th:" + "f" * 15,
    "x" * 10_240,
    "ot=th:" + "f" * 14,
    "ot=th:",
    "ot=th:-1",
    "ot=;,=",
    "\0",
]


def odd_sampling():
    for number, state in enumerate(TRACE_STATES):
        yield Case(f"state {number}", "traces", OTLP.traces(OTLP.span("sampled", trace_state=state), service="sampled"))


ODD_CODES = ["abc", 0, 999, 1 << 40, -1, 200.5, True, "", ["x"], None, "5" * 100]


def odd_codes():
    for code in (7, -1, (1 << 31) - 1):
        yield Case(f"status {code}", "traces", enveloped(OTLP.span().SerializeToString() + status(code)))
    for kind in (99, -1, 6):
        other = OTLP.span(kind=0).SerializeToString() + tag(6, VARINT) + varint(kind & (1 << 64) - 1)
        yield Case(f"kind {kind}", "traces", enveloped(other))
    for code in ODD_CODES:
        span = OTLP.span("odd code", attributes={"http.response.status_code": code, "http.status_code": code})
        yield Case(f"HTTP {code!r:.20}", "traces", OTLP.traces(span, service="odd-codes"))
        span = OTLP.span("odd code", attributes={"rpc.grpc.status_code": code, "rpc.status_code": code})
        yield Case(f"gRPC {code!r:.20}", "traces", OTLP.traces(span, service="odd-rpc-codes"))


def status(code):
    return field(15, tag(3, VARINT) + varint(code & (1 << 64) - 1))
