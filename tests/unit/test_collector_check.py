"""What is accepted whole, what is refused whole, and who sent it: for all signals."""

import random
import resource
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from collector.check.check import canonical, check, parse
from collector.check.item_limit import count_items
from collector.errors import BadPayload, TooLarge

SIGNALS = ("traces", "metrics", "logs")
ID_LENGTHS = [(0, 0), (16, 8), (16, 0)]


def records_request(*lengths, service="shop"):
    """Return an ExportLogsServiceRequest with a record for each pair of lengths of its trace id and span id."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    records = group.scope_logs.add().log_records
    for trace_length, span_length in lengths:
        records.add(
            time_unix_nano=1, severity_number=9, trace_id=b"t" * trace_length, span_id=b"s" * span_length
        ).body.string_value = "hello"
    return request


def logs(*lengths):
    return records_request(*lengths).SerializeToString()


@pytest.fixture(scope="session")
def bodies(otlp):
    """Return the body of a request of three items for every signal."""
    spans = [otlp.span(attributes={"a": 1, "b": [True, 2.5], "c": {"d": None}}) for _ in range(3)]
    counters = [otlp.counter("orders", number, attributes={"a": 1}) for number in range(3)]
    return {"traces": otlp.traces(*spans), "metrics": b"".join(counters), "logs": logs((16, 8), (0, 0), (0, 0))}


@pytest.mark.parametrize("signal", SIGNALS)
def test_valid_bytes_are_stored_as_they_came(bodies, signal):
    checked = check(signal, bodies[signal])
    assert checked.data is bodies[signal]
    assert (checked.accepted, checked.rejected, checked.message) == (3, 0, "")
    assert checked.services == {"shop"}


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("body", [b"", b"\x0a\x00", b"\x0a\x02\x12\x00"])
def test_empty_bodies_and_empty_envelopes_are_valid_requests_of_nothing(signal, body):
    checked = check(signal, body)
    assert (checked.data, checked.accepted, checked.rejected, checked.message) == (body, 0, 0, "")


@pytest.mark.parametrize("signal", SIGNALS)
def test_two_requests_in_one_body_are_one_request_of_both(bodies, signal):
    assert check(signal, bodies[signal] * 2).accepted == 6


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


@pytest.mark.parametrize("signal", SIGNALS)
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
def test_malformed_protobuf_is_refused(bodies, signal, tail):
    with pytest.raises(BadPayload, match=r"not a protobuf Export\w+ServiceRequest"):
        check(signal, bodies[signal] + tail)


@pytest.mark.parametrize(("kind", "levels"), [("array", 48), ("map", 32)])
def test_attributes_nested_beyond_100_messages_are_refused_and_one_level_less_is_stored(otlp, kind, levels):
    value = 1
    for _ in range(levels - 1):
        value = [value] if kind == "array" else {"": value}
    assert check("traces", otlp.traces(otlp.span(attributes={"a": value}))).accepted == 1
    deeper = [value] if kind == "array" else {"": value}
    with pytest.raises(BadPayload, match="nested too deeply"):
        check("traces", otlp.traces(otlp.span(attributes={"a": deeper})))


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("sent_to", SIGNALS)
def test_a_body_at_the_door_of_another_signal_is_refused_and_shown_the_right_one(bodies, signal, sent_to):
    if signal != sent_to:
        with pytest.raises(BadPayload, match=f"looks like {signal}; send it to /v1/{signal}"):
            check(sent_to, bodies[signal])


def test_metrics_whose_names_are_as_long_as_ids_are_not_taken_for_spans(otlp):
    request, metrics = otlp.metrics_request()
    metrics.add(name="sixteen letters!", description="8 of it.").gauge.data_points.add(time_unix_nano=9, as_int=1)
    with pytest.raises(BadPayload, match="looks like metrics; send it to /v1/metrics"):
        check("traces", request.SerializeToString())


def test_spans_that_parse_as_log_records_are_not_taken_for_them(otlp):
    """Without a name and attributes, every field of a span is an unknown one of a log record."""
    body = otlp.traces(otlp.span(""))
    assert len(parse("logs", body).resource_logs[0].scope_logs[0].log_records) == 1
    with pytest.raises(BadPayload, match="looks like traces; send it to /v1/traces"):
        check("logs", body)


@pytest.mark.parametrize(
    ("body", "idea"),
    [
        (b"{}", "application/json"),
        (b' {"resourceSpans":[]}', "application/json"),
        (b"[]", "application/json"),
        (b"null", "was it cut off"),
        (b"<html>", "was it cut off"),
        (b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"),
    ],
)
@pytest.mark.parametrize("signal", SIGNALS)
def test_json_gzip_and_other_texts_are_refused_with_an_idea(signal, body, idea):
    with pytest.raises(BadPayload, match=idea):
        check(signal, body)


@pytest.mark.parametrize("lengths", ID_LENGTHS)
def test_a_log_record_with_ids_or_without_is_stored_as_it_came(lengths):
    body = logs(lengths)
    checked = check("logs", body)
    assert checked.data is body
    assert (checked.accepted, checked.rejected, checked.message) == (1, 0, "")


@pytest.mark.parametrize(
    ("lengths", "kept"), [((15, 8), (0, 8)), ((17, 9), (0, 0)), ((16, 7), (16, 0)), ((0, 16), (0, 0))]
)
def test_a_log_record_with_an_id_of_a_wrong_length_is_stored_without_it(lengths, kept):
    checked = check("logs", logs((16, 8), lengths))
    assert (checked.accepted, checked.rejected) == (2, 0)
    assert checked.message == ("1 log record with a trace id of not 16 or a span id of not 8 bytes, which was cleared")
    assert checked.data == logs((16, 8), kept)


def test_log_records_without_any_time_are_stored():
    request = records_request((0, 0), (16, 8))
    for record in request.resource_logs[0].scope_logs[0].log_records:
        record.time_unix_nano = 0
    assert check("logs", request.SerializeToString()).accepted == 2


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_request_of_as_many_items_as_the_limit_is_accepted_and_one_more_is_too_large(bodies, signal):
    assert check(signal, bodies[signal], item_limit=3).accepted == 3
    with pytest.raises(TooLarge, match=r"3 .*; the limit is 2: send smaller batches"):
        check(signal, bodies[signal], item_limit=2)


def test_the_remedy_for_too_many_items_is_named(otlp, bodies):
    with pytest.raises(TooLarge, match="OTEL_BSP_MAX_EXPORT_BATCH_SIZE"):
        check("traces", bodies["traces"], item_limit=1)
    with pytest.raises(TooLarge, match="OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"):
        check("logs", bodies["logs"], item_limit=1)


def nested(tag, content):
    """Return *content* as the length-delimited field with this one-byte *tag*."""
    size, digits = len(content), bytearray()
    while size > 0x7F:
        digits.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([tag, *digits, size]) + content


@pytest.mark.parametrize("signal", SIGNALS)
def test_two_million_empty_items_are_refused_before_they_take_memory_or_time(signal):
    points = nested(0x12, nested(0x2A, b"\x0a\x00" * 2_000_000))
    body = nested(0x0A, nested(0x12, points if signal == "metrics" else b"\x12\x00" * 2_000_000))
    before_kib, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    with pytest.raises(TooLarge, match=r"more than 200,000 .*; the limit is 100,000"):
        check(signal, body)
    assert time.thread_time() - started < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 50_000


def test_a_flood_of_empty_envelopes_around_nothing_is_refused():
    with pytest.raises(
        TooLarge,
        match="more than 4,000 resources and scopes, or 11,000 fields, around its spans; the limit of those is 1,000",
    ):
        check("traces", b"\x0a\x00" * 20_000, item_limit=1_000)


@pytest.mark.parametrize("signal", SIGNALS)
@given(copies=st.integers(0, 5), noise=st.sampled_from([b"", b"\x10\x07", b"\x98\x06\x00", b"\x7d1234", b"\x79" * 9]))
def test_items_are_counted_without_parsing_exactly_as_the_parser_counts_them(bodies, signal, copies, noise):
    body = (bodies[signal] + noise) * copies
    assert count_items(signal, body, 1_000).items == check(signal, body).accepted == 3 * copies


@given(body=st.binary(max_size=200), cut=st.integers(0, 400))
def test_counting_ends_at_whatever_bytes_and_finds_no_fewer_items_than_the_parser(bodies, body, cut):
    for signal in SIGNALS:
        hostile = bodies[signal][:cut] + body
        count = count_items(signal, hostile, 1_000)
        assert 0 <= count.items <= count.fields <= len(hostile)
        try:
            assert count.items >= check(signal, hostile).accepted
        except BadPayload:
            continue


def test_services_are_those_of_all_resources_and_the_last_of_equal_keys_wins(otlp):
    body = otlp.traces(otlp.span(), service="cart") + otlp.traces(otlp.span(), service="pay")
    assert check("traces", body).services == {"cart", "pay"}
    request = otlp.request(otlp.span(), service="first")
    request.resource_spans[0].resource.attributes.add(key="service.name").value.string_value = "last"
    assert check("traces", request.SerializeToString()).services == {"last"}


@pytest.mark.parametrize(
    ("value", "service"),
    [
        ("", "unknown_service"),
        (None, "unknown_service"),
        (["a"], "unknown_service"),
        ({"a": "b"}, "unknown_service"),
        (b"raw", "unknown_service"),
        (42, "unknown_service"),
        (True, "unknown_service"),
        (2.5, "unknown_service"),
        ("é" * 10_000, "é" * 255),
    ],
)
def test_a_service_name_of_another_type_is_its_text_or_unknown(otlp, value, service):
    body = otlp.traces(otlp.span(), service="", resource={"service.name": value})
    assert check("traces", body).services == {service}


def test_a_resource_without_a_service_name_is_an_unknown_service(otlp):
    assert check("traces", otlp.traces(otlp.span(), service="")).services == {"unknown_service"}
    assert check("traces", b"").services == frozenset()


def test_a_service_name_of_invalid_utf_8_is_readable(otlp):
    body = otlp.traces(otlp.span(), service="theservice").replace(b"theservice", b"\xffheservice")
    assert check("traces", body).services == {"\ufffdheservice"}


@given(body=st.binary(max_size=64))
def test_random_bytes_are_accepted_or_refused_and_never_raise_anything_else(body):
    for signal in SIGNALS:
        assert_answered(signal, body)


@pytest.mark.parametrize("signal", SIGNALS)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 8))
def test_flipped_bits_are_accepted_or_refused_and_what_is_accepted_parses(bodies, signal, seed, flips):
    dice = random.Random(seed)
    mutated = bytearray(bodies[signal])
    for _ in range(flips):
        mutated[dice.randrange(len(mutated))] ^= 1 << dice.randrange(8)
    assert_answered(signal, bytes(mutated))


def items_in(signal, body):
    """Return the items that protobuf's own parser finds in *body*."""
    resources, scopes, items = {
        "traces": ("resource_spans", "scope_spans", "spans"),
        "metrics": ("resource_metrics", "scope_metrics", "metrics"),
        "logs": ("resource_logs", "scope_logs", "log_records"),
    }[signal]
    groups = getattr(parse(signal, body), resources)
    found = [item for group in groups for scope in getattr(group, scopes) for item in getattr(scope, items)]
    if signal != "metrics":
        return len(found)
    return sum(
        len(getattr(metric, metric.WhichOneof("data")).data_points) for metric in found if metric.WhichOneof("data")
    )


def assert_answered(signal, body):
    """Assert that *body* is refused, or is accepted with counts that add up and data that is clean by the same look."""
    try:
        checked = check(signal, body)
    except BadPayload:
        return
    assert checked.accepted + checked.rejected == items_in(signal, body)
    again = check(signal, checked.data)
    assert (again.data, again.accepted, again.rejected) == (checked.data, checked.accepted, 0)
    assert bool(checked.message) or checked.data is body


def test_the_canonical_form_keeps_what_is_known_and_drops_the_rest(otlp):
    body = otlp.traces(otlp.span("kept"))
    strange = body + b"\x08\x07"  # resource_spans as a varint: upb keeps it as an unknown field
    assert check("traces", strange).accepted == 1
    assert parse("traces", canonical("traces", strange)) == parse("traces", body)
    assert len(canonical("traces", strange)) == len(body)
