"""What the one look at a traces request leaves out, cuts and warns about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from collector.check.check import check, parse
from collector.check.check_traces import cut
from collector.errors import BadPayload

BAD_IDS = [
    (b"", b"s" * 8),
    (b"t" * 15, b"s" * 8),
    (b"t" * 17, b"s" * 8),
    (bytes(16), b"s" * 8),
    (b"t" * 16, b""),
    (b"t" * 16, b"s" * 9),
    (b"t" * 16, bytes(8)),
]


def stored_spans(data):
    request = ExportTraceServiceRequest.FromString(data)
    return [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


def attributes(*keys):
    return [KeyValue(key=key, value={"int_value": index}) for index, key in enumerate(keys)]


@pytest.mark.parametrize(("trace_id", "span_id"), BAD_IDS)
def test_a_span_with_a_bad_id_is_left_out_and_the_others_stay(otlp, trace_id, span_id):
    good = otlp.span("good")
    checked = check("traces", otlp.traces(otlp.span("GET /bad", trace_id=trace_id, span_id=span_id), good))
    assert (checked.accepted, checked.rejected) == (1, 1)
    which = "trace id of 16" if span_id == b"s" * 8 else "span id of 8"
    assert checked.message == (
        f'1 of 2 spans left out: 1 without a {which} bytes that are not all zero (first: "GET /bad")'
    )
    assert stored_spans(checked.data) == [good]


@given(groups=st.lists(st.lists(st.booleans(), max_size=6), min_size=1, max_size=5))
def test_the_counts_are_exact_and_exactly_the_valid_spans_remain(otlp, groups):
    request = ExportTraceServiceRequest()
    wanted = []
    for group in groups:
        scope = request.resource_spans.add().scope_spans.add()
        for valid in group:
            span = otlp.span(span_id=None if valid else b"short")
            scope.spans.append(span)
            wanted += [span.span_id] if valid else []
    total = sum(map(len, groups))
    if total and not wanted:
        with pytest.raises(BadPayload, match=f"none of the {total} spans can be stored: {total} without a span id"):
            check("traces", request.SerializeToString())
        return
    checked = check("traces", request.SerializeToString())
    assert (checked.accepted, checked.rejected) == (len(wanted), total - len(wanted))
    assert [span.span_id for span in stored_spans(checked.data)] == wanted


NANOS = st.integers(0, 2**64 - 1)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)
VALID_SPANS = st.fixed_dictionaries(
    {
        "name": st.text(max_size=200),
        "kind": st.integers(-1, 9),
        "start_ns": st.integers(1, 2**64 - 1),
        "end_time_unix_nano": NANOS,
        "trace_id": st.binary(min_size=16, max_size=16).filter(any),
        "span_id": st.binary(min_size=8, max_size=8).filter(any),
        "parent": st.binary(max_size=9),
        "attributes": st.dictionaries(st.text(max_size=60), VALUES, max_size=4),
    }
)


@given(spans=st.lists(VALID_SPANS, max_size=5))
def test_whatever_valid_spans_hold_they_are_stored_as_they_came(otlp, spans):
    body = otlp.traces(*(otlp.span(**fields) for fields in spans))
    checked = check("traces", body)
    assert checked.data is body
    assert (checked.accepted, checked.rejected, checked.message) == (len(spans), 0, "")


def test_a_bad_span_far_down_a_large_request_is_found(otlp):
    spans = [otlp.span() for _ in range(1_025)]
    spans[-1].trace_id = b"short"
    checked = check("traces", otlp.traces(*spans))
    assert (checked.accepted, checked.rejected) == (1_024, 1)


def test_spans_that_point_at_themselves_at_each_other_or_come_twice_are_accepted(otlp):
    one, two = otlp.span(span_id=b"1" * 8, parent=b"2" * 8), otlp.span(span_id=b"2" * 8, parent=b"1" * 8)
    self_parent = otlp.span(span_id=b"3" * 8, parent=b"3" * 8)
    assert check("traces", otlp.traces(one, two, self_parent, self_parent)).accepted == 4


@pytest.mark.parametrize(("start", "end"), [(0, 5), (9, 2), (2**64 - 1, 2**64 - 1), (11_644_473_600 * 10**9, 1)])
def test_spans_of_impossible_times_are_accepted_as_they_came(otlp, start, end):
    body = otlp.traces(otlp.span(start_ns=start, end_time_unix_nano=end))
    checked = check("traces", body)
    assert (checked.data, checked.accepted, checked.message) == (body, 1, "")


def test_unknown_kinds_status_codes_and_flags_are_accepted_as_they_came(otlp):
    body = otlp.traces(otlp.span(kind=99, status=7, flags=2**32 - 1))
    checked = check("traces", body)
    assert (checked.data, checked.accepted, checked.message) == (body, 1, "")


@pytest.mark.parametrize("where", ["key", "value", "service"])
def test_invalid_utf_8_does_not_cost_the_batch(otlp, where):
    body = otlp.traces(otlp.span("spanname", attributes={"thekey": "thevalue"}), service="theservice")
    text = {"key": b"thekey", "value": b"thevalue", "service": b"theservice"}[where]
    hostile = body.replace(text, b"\xff\xfe" + text[2:])
    assert hostile != body
    checked = check("traces", hostile)
    assert (checked.data, checked.accepted) == (hostile, 1)


def test_invalid_utf_8_in_a_span_name_is_stored_as_it_came_with_a_warning(otlp):
    body = otlp.traces(otlp.span("spanname"), otlp.span("größe"), otlp.span())
    hostile = body.replace(b"spanname", b"\xff\xfeanname")
    checked = check("traces", hostile)
    assert (checked.data, checked.accepted, checked.rejected) == (hostile, 3, 0)
    assert checked.message == "1 span name not in UTF-8: what cannot be read is shown as U+FFFD"


def test_names_in_other_scripts_are_no_reason_for_a_warning(otlp):
    body = otlp.traces(otlp.span("größe"), otlp.span("支払い"))
    checked = check("traces", body)
    assert checked.data is body
    assert checked.message == ""


def test_invalid_utf_8_survives_the_removal_of_another_span(otlp):
    body = otlp.traces(otlp.span("spanname"), otlp.span(trace_id=b""))
    checked = check("traces", body.replace(b"spanname", b"\xff\xfeanname"))
    assert (checked.accepted, checked.rejected) == (1, 1)
    assert b"\xff\xfeanname" in checked.data


def test_a_span_name_of_a_megabyte_is_cut_to_1024_bytes_with_a_warning(otlp):
    checked = check("traces", otlp.traces(otlp.span("x" * 1024), otlp.span("y" * 2**20)))
    assert (checked.accepted, checked.rejected) == (2, 0)
    assert checked.message == "1 span name cut to 1,024 bytes"
    assert [span.name for span in stored_spans(checked.data)] == ["x" * 1024, "y" * 1024]


def test_of_100_000_attributes_128_are_kept_and_the_others_count_as_dropped(otlp):
    span = otlp.span(dropped_attributes_count=3)
    span.attributes.extend(attributes(*(f"key{index}" for index in range(100_000))))
    checked = check("traces", otlp.traces(span, otlp.span()))
    assert (checked.accepted, checked.rejected) == (2, 0)
    assert checked.message == "1 span with more than 128 attributes: the others count as dropped"
    kept = stored_spans(checked.data)[0]
    assert [attribute.key for attribute in kept.attributes] == [f"key{index}" for index in range(128)]
    assert kept.dropped_attributes_count == 100_000 - 128 + 3


def test_the_number_of_dropped_attributes_stays_within_its_32_bits(otlp):
    span = otlp.span(dropped_attributes_count=2**32 - 2)
    span.attributes.extend(attributes(*(f"key{index}" for index in range(200))))
    assert stored_spans(check("traces", otlp.traces(span)).data)[0].dropped_attributes_count == 2**32 - 1


def test_128_attributes_are_stored_as_they_came(otlp):
    span = otlp.span()
    span.attributes.extend(attributes(*(f"a long key with the number {index}" for index in range(128))))
    body = otlp.traces(span)
    assert check("traces", body).data is body


def test_an_attribute_key_of_64_kib_is_cut_to_255_bytes_with_a_warning(otlp):
    span = otlp.span()
    span.attributes.extend(attributes("k" * 255, "l" * 2**16))
    checked = check("traces", otlp.traces(span))
    assert (checked.accepted, checked.rejected) == (1, 0)
    assert checked.message == "1 attribute key cut to 255 bytes"
    assert list(stored_spans(checked.data)[0].attributes) == attributes("k" * 255, "l" * 255)


def test_attributes_are_looked_at_only_in_bodies_of_more_than_a_kib_a_span(otlp):
    """The documented limit of the look: a long key among small spans passes as it came."""
    span = otlp.span()
    span.attributes.extend(attributes("k" * 500))
    body = otlp.traces(span, *(otlp.span() for _ in range(5)))
    assert len(body) < 6 * 1024
    assert check("traces", body).data is body


def test_of_equal_attribute_keys_all_are_stored(otlp):
    span = otlp.span()
    span.attributes.extend(attributes(*["same"] * 3))
    body = otlp.traces(span)
    assert check("traces", body).data is body


def test_all_warnings_and_reasons_come_in_one_message(otlp):
    span = otlp.span("n" * 3000)
    span.attributes.extend(attributes("k" * 5000))
    checked = check("traces", otlp.traces(span, otlp.span("GET /", trace_id=b"x")))
    assert (checked.accepted, checked.rejected) == (1, 1)
    assert checked.message == (
        '1 of 2 spans left out: 1 without a trace id of 16 bytes that are not all zero (first: "GET /"); '
        "1 span name cut to 1,024 bytes; 1 attribute key cut to 255 bytes"
    )


def test_what_the_client_sent_appears_in_a_message_short_and_without_control_characters(otlp):
    name = "a\r\nSet-Cookie: x\x00\u202e" + "é" * 5000
    checked = check("traces", otlp.traces(otlp.span(), otlp.span(name, trace_id=b"")))
    assert checked.message.isprintable()
    assert len(checked.message) < 250
    assert "a\ufffd\ufffdSet-Cookie: x\ufffd\ufffdé" in checked.message


@given(text=st.text(max_size=40), size=st.integers(4, 40))
def test_cut_text_is_whole_characters_and_as_long_as_they_allow(text, size):
    found = cut(text.encode(), size)
    assert text.startswith(found.decode())
    assert len(found) <= size
    assert found == text.encode() or len(found) > size - 4


@given(text=st.binary(max_size=40), size=st.integers(4, 40))
def test_cut_bytes_of_no_encoding_are_a_prefix_of_nearly_the_size(text, size):
    found = cut(text, size)
    assert text.startswith(found)
    assert min(len(text), size - 3) <= len(found) <= size


def test_the_body_with_spans_removed_holds_unknown_fields_still(otlp):
    body = otlp.traces(otlp.span("kept"), otlp.span(trace_id=b"")) + b"\xba\x3e\x02hi"
    checked = check("traces", body)
    assert checked.data.endswith(b"\xba\x3e\x02hi")
    assert parse("traces", checked.data).resource_spans[0].scope_spans[0].spans[0].name == b"kept"
