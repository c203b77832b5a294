"""What is accepted, what is left out, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.check import canonical, check, parse
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


def test_valid_bytes_are_stored_as_they_came(otlp):
    body = otlp.traces(otlp.span(), otlp.span())
    checked = check("traces", body)
    assert checked.data is body
    assert (checked.accepted, checked.rejected, checked.message) == (2, 0, "")


@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_an_empty_body_is_a_valid_request_of_nothing(signal):
    assert check(signal, b"").accepted == 0


@pytest.mark.parametrize(("trace_id", "span_id"), BAD_IDS)
def test_a_span_with_a_bad_id_is_left_out_and_the_others_stay(otlp, trace_id, span_id):
    good = otlp.span("good")
    checked = check("traces", otlp.traces(otlp.span(trace_id=trace_id, span_id=span_id), good))
    assert (checked.accepted, checked.rejected) == (1, 1)
    assert checked.message.startswith("1 of 2 spans")
    kept = ExportTraceServiceRequest.FromString(checked.data)
    assert [span.span_id for span in kept.resource_spans[0].scope_spans[0].spans] == [good.span_id]


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
        with pytest.raises(BadPayload, match=f"none of the {total} spans"):
            check("traces", request.SerializeToString())
        return
    checked = check("traces", request.SerializeToString())
    assert (checked.accepted, checked.rejected) == (len(wanted), total - len(wanted))
    kept = ExportTraceServiceRequest.FromString(checked.data)
    assert [s.span_id for r in kept.resource_spans for c in r.scope_spans for s in c.spans] == wanted


@pytest.mark.parametrize("where", ["name", "key", "value", "service"])
def test_invalid_utf_8_does_not_cost_the_batch(otlp, where):
    body = otlp.traces(otlp.span("spanname", attributes={"thekey": "thevalue"}), service="theservice")
    text = {"name": b"spanname", "key": b"thekey", "value": b"thevalue", "service": b"theservice"}[where]
    hostile = body.replace(text, b"\xff\xfe" + text[2:])
    assert hostile != body
    checked = check("traces", hostile)
    assert (checked.data, checked.accepted) == (hostile, 1)


def test_invalid_utf_8_survives_the_removal_of_another_span(otlp):
    body = otlp.traces(otlp.span("spanname"), otlp.span(trace_id=b""))
    checked = check("traces", body.replace(b"spanname", b"\xff\xfeanname"))
    assert (checked.accepted, checked.rejected) == (1, 1)
    assert b"\xff\xfeanname" in checked.data


def test_a_body_cut_at_any_offset_is_refused_or_is_a_legal_prefix(otlp):
    """Between two top-level messages a cut leaves a shorter valid request; anywhere else it does not parse."""
    parts = [otlp.traces(otlp.span(attributes={"a": 1, "b": [True, 2.5]})) for _ in range(2)]
    body = b"".join(parts)
    legal = {0: 0, len(parts[0]): 1, len(body): 2}
    for offset in range(len(body) + 1):
        if offset in legal:
            assert check("traces", body[:offset]).accepted == legal[offset]
        else:
            with pytest.raises(BadPayload):
                check("traces", body[:offset])


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"\x00", id="zero"),
        pytest.param(b"\xff", id="torn"),
        pytest.param(b"\x02\x00", id="field 0"),
        pytest.param(b"\x0e\x00", id="wire type 6"),
        pytest.param(b"\x0f\x00", id="wire type 7"),
        pytest.param(b"\x0c", id="end of no group"),
        pytest.param(b"\x08" + b"\xff" * 10 + b"\x01", id="varint of 11 bytes"),
        pytest.param(b"\x0a\xff\xff\xff\xff\x0f", id="length 2^32-1"),
    ],
)
def test_malformed_protobuf_is_refused(otlp, tail):
    with pytest.raises(BadPayload, match="not a protobuf ExportTraceServiceRequest"):
        check("traces", otlp.traces(otlp.span()) + tail)


def test_two_requests_in_one_body_are_one_request_of_both(otlp):
    body = otlp.traces(otlp.span()) + otlp.traces(otlp.span(), otlp.span())
    assert check("traces", body).accepted == 3


def test_metrics_sent_as_traces_are_refused_with_a_hint(otlp):
    with pytest.raises(BadPayload, match="another signal"):
        check("traces", otlp.counter("http.server.requests", 4))


def test_logs_sent_as_traces_are_refused_with_a_hint():
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=1, severity_text="INFO").body.string_value = "hello"
    with pytest.raises(BadPayload, match="another signal"):
        check("traces", request.SerializeToString())


def test_traces_sent_as_metrics_are_refused_with_a_hint(otlp):
    with pytest.raises(BadPayload, match="another signal"):
        check("metrics", otlp.traces(otlp.span("GET /pay")))


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans":[]}', b"null", b"<html>", b"\x1f\x8b\x08\x00"])
def test_json_and_other_texts_are_refused(body):
    with pytest.raises(BadPayload):
        check("traces", body)


def test_data_points_of_every_kind_are_counted(otlp):
    request, metrics = otlp.metrics_request()
    metrics.add(name="g").gauge.data_points.add(as_int=1)
    metrics.add(name="s").sum.data_points.extend([metrics[0].gauge.data_points[0]] * 2)
    metrics.add(name="h").histogram.data_points.add(count=1)
    metrics.add(name="e").exponential_histogram.data_points.add(count=1)
    metrics.add(name="q").summary.data_points.add(count=1)
    metrics.add(name="no data at all")
    assert check("metrics", request.SerializeToString()).accepted == 6


@given(body=st.binary(max_size=64))
def test_random_bytes_are_accepted_or_refused_and_never_raise_anything_else(body):
    for signal in ("traces", "metrics"):
        try:
            assert check(signal, body).accepted >= 0
        except BadPayload:
            continue


def test_the_canonical_form_keeps_what_is_known_and_drops_the_rest(otlp):
    body = otlp.traces(otlp.span("kept"))
    strange = body + b"\x08\x07"  # resource_spans as a varint: upb keeps it as an unknown field
    assert check("traces", strange).accepted == 1
    assert parse("traces", canonical("traces", strange)) == parse("traces", body)
    assert len(canonical("traces", strange)) == len(body)
