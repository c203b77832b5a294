"""Spans as tests of blame need them: short to write, and random ones with everything that senders get wrong."""

from hypothesis import strategies as st

from slo.span_tree import TraceSpan

IDS = [*"abcdefgh"]
KINDS = ["internal", "server", "client", "producer", "consumer"]


def span(span_id, parent="", start=0, duration=10, *, error=False, kind="internal", **fields):
    """Return a span of service "shop" whose operation is its id, unless *fields* say otherwise."""
    named = {"service": "shop", "operation": span_id} | fields
    return TraceSpan(
        span_id=span_id, parent_id=parent, kind=kind, start_ns=start, duration_ns=duration, error=error, **named
    )


REQUEST = span("request", start=1000, duration=100, kind="server", error=True)

anything = st.builds(
    TraceSpan,
    span_id=st.sampled_from([*IDS, "request"]),
    parent_id=st.sampled_from([*IDS, "request", "request", "missing", ""]),
    service=st.sampled_from(["shop", "pay"]),
    operation=st.sampled_from(["read", "write"]),
    kind=st.sampled_from(KINDS),
    start_ns=st.one_of(st.integers(990, 1110), st.integers(0, 2**63)),
    duration_ns=st.one_of(st.integers(0, 120), st.just(0), st.integers(0, 2**64 - 1)),
    error=st.booleans(),
    peer=st.sampled_from(["", "", "redis"]),
)
broken_traces = st.lists(anything, max_size=14)  # duplicates, cycles, own parents, orphans, clocks that lie


@st.composite
def sound_traces(draw):
    """Spans without a fault: each below the request or a span before it, inside its parent's time."""
    found = [REQUEST]
    for number in range(draw(st.integers(0, 12))):
        parent = draw(st.sampled_from(found))
        start = draw(st.integers(parent.start_ns, parent.end_ns))
        duration = draw(st.integers(0, parent.end_ns - start))
        found.append(
            span(
                f"s{number}",
                parent.span_id,
                start,
                duration,
                error=draw(st.booleans()),
                service=draw(st.sampled_from("xy")),
            )
        )
    return found[1:]
