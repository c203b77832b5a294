"""OTLP/JSON bodies as a whole: which are refused, why, and which are accepted though nothing is in them."""

import gc

import pytest

from collector.otlp_json.encode import MOST_CONTAINERS, Encoded, encode
from tests.unit.otlp_json_requests import (
    REQUESTS,
    attribute,
    body_of,
    gauge,
    logs,
    metrics,
    nested,
    read_points,
    read_span,
    refusal_of,
    span,
    traces,
)

NO_JSON = [
    b"", b" ", b"{", b'{"resourceSpans":[}', b"{} x", b"\xef\xbb\xbf{}", b'{"resourceSpans":NaN}', b"{'a':1}",
    b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":1e400}', b"[" * 2000 + b"]" * 2000, b"\x0a\x02\x12\x00",
]  # fmt: skip


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_no_json_is_refused(body):
    assert refusal_of("traces", body).startswith("the body is not JSON: ")


@pytest.mark.parametrize(
    ("body", "found"), [(b"null", "null"), (b"[]", "a list"), (b"1234", "1234"), (b'"x"', "'x'"), (b"true", "true")]
)
def test_a_body_that_is_no_object_is_refused(body, found):
    assert refusal_of("traces", body) == f"the body is {found}, not an object"


WRONG_CONTAINERS = [
    ("traces", {"resourceSpans": {}}, "resourceSpans is an object, not a list"),
    ("traces", {"resourceSpans": "x"}, "resourceSpans is 'x', not a list"),
    ("traces", {"resourceSpans": [[]]}, "resourceSpans[0] is a list, not an object"),
    ("traces", {"resourceSpans": [{"scopeSpans": {}}]}, "resourceSpans[0].scopeSpans is an object, not a list"),
    ("traces", {"resourceSpans": [{"scopeSpans": [1]}]}, "resourceSpans[0].scopeSpans[0] is 1, not an object"),
    ("traces", {"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}, "scopeSpans[0].spans is an object, not a list"),
    ("traces", {"resourceSpans": [{"resource": []}]}, "resourceSpans[0].resource: a list is not an object"),
    ("logs", {"resourceLogs": 1}, "resourceLogs is 1, not a list"),
    ("metrics", {"resourceMetrics": False}, "resourceMetrics is false, not a list"),
]  # fmt: skip


@pytest.mark.parametrize(("signal", "request_", "reason"), WRONG_CONTAINERS, ids=lambda value: str(value)[:60])
def test_a_wrong_container_is_refused_by_its_path(signal, request_, reason):
    assert refusal_of(signal, body_of(request_)).endswith(reason)


@pytest.mark.parametrize("points", [{}, "x", 1])
def test_wrong_containers_inside_a_metric_are_refused(points):
    where = "resourceMetrics[0].scopeMetrics[0].metrics[0]"
    assert refusal_of("metrics", metrics({"gauge": {"dataPoints": points}})).startswith(f"{where}.gauge.dataPoints is ")
    assert refusal_of("metrics", metrics({"summary": []})) == f"{where}.summary is a list, not an object"


@pytest.mark.parametrize("signal", REQUESTS)
@pytest.mark.parametrize("other", REQUESTS)
def test_a_request_of_another_signal_is_refused_with_the_way_to_go(signal, other):
    bodies = {"traces": traces(span()), "metrics": metrics(gauge({"asInt": 1})), "logs": logs({})}
    if signal == other:
        assert encode(signal, bodies[other]).rejected == 0
    else:
        assert f"send it to /v1/{other}, this is /v1/{signal}" in refusal_of(signal, bodies[other])


@pytest.mark.parametrize("signal", REQUESTS)
def test_an_empty_request_is_accepted(signal):
    top = REQUESTS[signal].DESCRIPTOR.fields[0].json_name
    assert encode(signal, b"{}") == Encoded(b"")
    assert encode(signal, body_of({top: []})) == Encoded(b"")
    assert encode(signal, body_of({top: [{}]})).rejected == 0


def test_a_request_of_unknown_keys_is_accepted_with_a_warning():
    encoded = encode("traces", body_of({"scopeSpans": [{"spans": [span()]}]}))
    assert (encoded.data, encoded.rejected) == (b"", 0)
    assert "no resourceSpans" in encoded.message


@pytest.mark.parametrize(("lists", "maps"), [(45, 0), (0, 30), (21, 16)])
def test_values_nest_as_deep_as_protobuf_reads_them_and_one_level_more_is_refused(lists, maps):
    """In an exemplar, where an attribute lies deepest."""
    value = nested(lists, maps, {"stringValue": "core"})
    point = {"asInt": 1, "exemplars": [{"filteredAttributes": [{"key": "k", "value": value}]}]}
    found = read_points(point)[0].exemplars[0].filtered_attributes[0].value
    for _ in range(maps):
        found = found.kvlist_value.values[0].value
    for _ in range(lists):
        found = found.array_value.values[0]
    assert found.string_value == "core"
    for deeper in (nested(1, 0, value), nested(0, 1, value)):
        assert "nested too deep" in refusal_of("traces", traces(span(), attribute(deeper)))


def test_what_is_nested_below_an_unknown_key_does_not_matter():
    assert read_span(unknown=nested(100, 100, {})) == read_span()


@pytest.mark.parametrize("item", ["{}", "[]", "[{}]"])
def test_a_body_of_very_many_tiny_objects_is_refused_before_they_fill_the_memory(item):
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}'
    few, many = (b",".join([item.encode()] * count) for count in (1000, MOST_CONTAINERS))
    assert "smaller batches" not in refusal_of("logs", body % few)
    assert "smaller batches" in refusal_of("logs", body % many)


def test_garbage_collection_goes_on_after_every_request():
    encode("traces", b"{}")
    refusal_of("traces", b"")
    assert gc.isenabled()
