"""What a benchmark sends: fresh, valid, of the promised size."""

import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.cpu import NotSettledError, wait_until_settled
from benchmarks.engine import EngineRun
from benchmarks.ingest import MismatchError, OursRun, report, require_equal
from benchmarks.load import Outcome
from benchmarks.payload import ATTRIBUTES, SPANS_PER_TRACE, build_templates, plan
from collector.check import check

BATCH = 64


@pytest.fixture(scope="module")
def templates():
    return build_templates(BATCH, count=2)


def spans_of(body: bytes):
    request = ExportTraceServiceRequest.FromString(body)
    return list(request.resource_spans[0].scope_spans[0].spans)


def test_every_request_has_ids_of_its_own(templates):
    bodies = [template.fresh(time.time_ns()) for template in templates * 20]
    spans = [span for body in bodies for span in spans_of(body)]
    assert len({span.span_id for span in spans}) == len(spans) == 40 * BATCH
    assert len({span.trace_id for span in spans}) == len(spans) // SPANS_PER_TRACE
    request_ids = {item.value.string_value for span in spans for item in span.attributes if item.key == "request.id"}
    assert len(request_ids) == len(spans)


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


@pytest.mark.parametrize(("spans", "sizes"), [(20, [8, 8, 4]), (16, [8, 8]), (3, [3])])
def test_a_plan_sends_exactly_the_spans_asked_for(spans, sizes):
    requests = plan(spans, 8)
    assert [len(requests.template(number).places) for number in range(requests.requests)] == sizes


def test_percentiles_are_answer_times_that_were_seen():
    outcome = Outcome(answer_s=[0.004, 0.001, 0.002, 0.003])
    assert outcome.percentile_ms(0.5) == 3.0
    assert outcome.percentile_ms(0.99) == 4.0


def test_a_process_that_never_rests_is_not_settled():
    started = time.monotonic()
    with pytest.raises(NotSettledError):
        wait_until_settled(lambda: time.monotonic() - started, flat_s=0.02, timeout_s=0.1)


def test_an_idle_process_is_settled():
    wait_until_settled(lambda: 1.0, flat_s=0.02, timeout_s=1.0)


def test_one_lost_span_fails_the_run():
    require_equal("stored", 512, 512)
    with pytest.raises(MismatchError, match="stored 511, expected 512"):
        require_equal("stored", 511, 512)


def test_the_ratio_compares_spans_per_cpu_second():
    sent = Outcome(spans=1000, answer_s=[0.01], wall_s=2.0)
    ours = OursRun(sent, cpu_s=0.5, queryable_s=3.0, rss_bytes=100 << 20, disk_bytes=66_000)
    figures = report(ours, EngineRun(spans=1000, cpu_s=0.4, segments=1))
    assert figures["ours_spans_per_cpu_s"] == 2000
    assert figures["engine_spans_per_cpu_s"] == 2500
    assert figures["ratio_to_engine"] == 0.8
    assert (figures["accepted_spans_per_s"], figures["rss_mb"], figures["disk_bytes_per_span"]) == (500, 100, 66.0)
