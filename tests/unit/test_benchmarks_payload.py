"""What a benchmark sends: fresh, valid, of the promised size."""

import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.metric_payload import INSTANCES, build_metric_templates, metric_plan
from benchmarks.payload import ATTRIBUTES, SPANS_PER_TRACE, build_templates, plan
from collector.check.check import check

BATCH = 64


@pytest.fixture(scope="module")
def templates():
    return build_templates(BATCH, count=2)


@pytest.fixture(scope="module")
def metric_templates():
    return build_metric_templates(150, count=2)


def spans_of(body: bytes):
    request = ExportTraceServiceRequest.FromString(body)
    return list(request.resource_spans[0].scope_spans[0].spans)


def request_id(span) -> str:
    return next(item.value.string_value for item in span.attributes if item.key == "request.id")


def points_of(body: bytes):
    metrics = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    return [point for metric in metrics for point in getattr(metric, metric.WhichOneof("data")).data_points]


def test_every_request_has_ids_of_its_own(templates):
    bodies = [template.fresh(time.time_ns()) for template in templates * 20]
    spans = [span for body in bodies for span in spans_of(body)]
    assert len({span.span_id for span in spans}) == len(spans) == 40 * BATCH
    assert len({span.trace_id for span in spans}) == len(spans) // SPANS_PER_TRACE


def test_a_request_id_belongs_to_its_trace(templates):
    spans = [span for template in templates for span in spans_of(template.fresh(time.time_ns()))]
    found = {(span.trace_id, request_id(span)) for span in spans}
    assert len(found) == len({trace for trace, _ in found}) == len({name for _, name in found}) == len(spans) // 8


def test_each_trace_is_a_chain_from_one_root(templates):
    spans = spans_of(templates[0].fresh(time.time_ns()))
    for before, span in zip([None, *spans], spans, strict=False):
        same = before is not None and before.trace_id == span.trace_id
        assert span.parent_span_id == (before.span_id if same else b"")


def test_patching_changes_nothing_but_ids_times_and_request_ids(templates):
    first, second = (spans_of(templates[0].fresh(now)) for now in (10**18, 2 * 10**18))
    for one, other in zip(first, second, strict=True):
        assert (one.name, one.kind, one.status) == (other.name, other.kind, other.status)
        assert [i for i in one.attributes if i.key != "request.id"] == [
            i for i in other.attributes if i.key != "request.id"
        ]


def test_spans_end_within_the_last_second_and_start_before_they_end(templates):
    now = time.time_ns()
    for span in spans_of(templates[0].fresh(now)):
        assert now - 10**9 < span.end_time_unix_nano <= now
        assert 0 <= span.end_time_unix_nano - span.start_time_unix_nano < 200_000_000


def test_a_span_has_12_attributes_and_about_440_bytes(templates):
    body = templates[0].fresh(time.time_ns())
    assert {len(span.attributes) for span in spans_of(body)} == {ATTRIBUTES}
    assert 400 < len(body) / BATCH < 480


def test_the_collector_accepts_every_span(templates):
    checked = check("traces", templates[1].fresh(time.time_ns()))
    assert (checked.accepted, checked.rejected) == (BATCH, 0)


def test_the_collector_accepts_every_point(metric_templates):
    checked = check("metrics", metric_templates[1].fresh(time.time_ns()))
    assert (checked.accepted, checked.rejected) == (150, 0)


def test_points_have_the_time_of_their_request_and_values_of_their_own(metric_templates):
    first, second = (points_of(metric_templates[0].fresh(now)) for now in (10**18, 10**18 + 5))
    assert {point.time_unix_nano for point in first} == {10**18}
    assert {point.time_unix_nano for point in second} == {10**18 + 5}
    values = [[getattr(point, "as_double", None) or point.sum for point in points] for points in (first, second)]
    assert len(first) == 150
    assert sum(one != other for one, other in zip(*values, strict=True)) > 140


def test_a_template_sends_for_many_instances_of_its_service(metric_templates):
    bodies = [metric_templates[0].fresh(time.time_ns()) for _ in range(500)]
    resources = {str(ExportMetricsServiceRequest.FromString(body).resource_metrics[0].resource) for body in bodies}
    assert len(resources) == INSTANCES


@pytest.mark.parametrize("build", [plan, metric_plan])
@pytest.mark.parametrize(("items", "sizes"), [(20, [8, 8, 4]), (16, [8, 8]), (3, [3])])
def test_a_plan_sends_exactly_what_was_asked_for(build, items, sizes):
    requests = build(items, 8)
    assert [requests.template(number).items for number in range(requests.requests)] == sizes
    bodies = [requests.template(number).fresh(time.time_ns()) for number in range(requests.requests)]
    assert [check(requests.signal, body).accepted for body in bodies] == sizes
