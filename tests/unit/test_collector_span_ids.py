"""All ids and names of a request at once: what it says yes to is so, span by span."""

from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.check.span_ids import ids_are_sound, names_are_plain

FRAMES = [b"\x12\x1c\x0a\x10", b"\x12\x08", bytes(8), bytes(16), b"\x0a\x10" + bytes(16), b"\x12\x08" + bytes(8)]
PIECES = st.one_of(st.binary(max_size=18), st.sampled_from(FRAMES))
any_id = st.lists(PIECES, max_size=3).map(b"".join)
sound_ids = st.tuples(st.binary(min_size=16, max_size=16).filter(any), st.binary(min_size=8, max_size=8).filter(any))
any_ids = st.one_of(sound_ids, st.tuples(any_id, any_id))
names = st.one_of(st.text(max_size=20), st.integers(0, 300).map(lambda size: "n" * size))


def request(scopes):
    """Return a request with a resource for each scope, the spans of which are (trace id, span id, name)."""
    found = ExportTraceServiceRequest()
    for spans in scopes:
        scope = found.resource_spans.add().scope_spans.add()
        for trace_id, span_id, name in spans:
            scope.spans.add(trace_id=trace_id, span_id=span_id, name=name, kind=Span.SPAN_KIND_SERVER, flags=257)
    return found.SerializeToString()


def is_sound(trace_id, span_id):
    return len(trace_id) == 16 and any(trace_id) and len(span_id) == 8 and any(span_id)


@given(scopes=st.lists(st.lists(any_ids, max_size=4), max_size=3))
@example([[(b"\x0a\x10" + b"t" * 14, b"\x12\x08" + b"s" * 6)]])
@example([[(b"t" * 17, b"s" * 7)]])
@example([[(b"t" * 16 + b"\x12\x08" + b"s" * 8 + b"\x12\x1c\x0a\x10" + b"t" * 16, b"s" * 8)]])
@example([[(b"", b"s" * 8), (b"t" * 32, b"s" * 8)]])
def test_no_bad_id_is_taken_for_sound(scopes):
    all_sound = all(is_sound(*ids) for spans in scopes for ids in spans)
    assert all_sound or not ids_are_sound(request([[(*ids, "") for ids in spans] for spans in scopes]))


@given(scopes=st.lists(st.lists(sound_ids, max_size=40), max_size=3), name=names)
def test_sound_ids_are_found_sound_unless_they_look_like_zeros(scopes, name):
    body = request([[(*ids, name) for ids in spans] for spans in scopes])
    looks_empty = any(bytes(8) in trace_id + b"\x12\x08" + span_id for ids in scopes for trace_id, span_id in ids)
    assert ids_are_sound(body) or looks_empty


@given(found=st.lists(names, max_size=6))
@example(["n" * 125])
@example(["n" * 126])
@example(["n" * 16_500])
def test_names_are_plain_exactly_when_each_is_short_and_ascii(found):
    plain = all(name.isascii() and len(name) <= 125 for name in found)
    assert names_are_plain(request([[(b"t" * 16, b"s" * 8, name) for name in found]])) == plain


def test_the_last_of_repeated_ids_counts_as_in_the_whole_message():
    whole, again = Span(trace_id=b"t" * 16, span_id=b"s" * 8), Span(trace_id=b"t")
    span = whole.SerializeToString() + again.SerializeToString()
    scope = b"\x12" + bytes([len(span)]) + span
    resource = b"\x12" + bytes([len(scope)]) + scope
    body = b"\x0a" + bytes([len(resource)]) + resource
    assert ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0].trace_id == b"t"
    assert not ids_are_sound(body)
