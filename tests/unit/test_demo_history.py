import itertools
import time
from collections import Counter, defaultdict
from dataclasses import dataclass

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from demo.errors import HistoryError
from demo.history import Batch, Sender, batches
from demo.history_plan import DAY_S, QUIET_S, Window, failures, plan
from demo.ports import Ports
from demo.shop import SERVICES

pytestmark = pytest.mark.slow

END_S = 1_795_361_571.5
WINDOW = Window(END_S - 3 * DAY_S, END_S)
SEED = 9


@dataclass(slots=True)
class Seen:
    service: str
    span: Span

    @property
    def attributes(self):
        return plain(self.span.attributes)

    @property
    def failed(self):
        return self.span.status.code == Status.STATUS_CODE_ERROR

    @property
    def milliseconds(self):
        return (self.span.end_time_unix_nano - self.span.start_time_unix_nano) / 1e6


def plain(attributes):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def spans_of(body):
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = plain(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Seen(service, span)


@pytest.fixture(scope="module")
def sent():
    return list(batches(WINDOW, "demo", Ports(8090), SEED))


@pytest.fixture(scope="module")
def spans(sent):
    return [seen for batch in sent for seen in spans_of(batch.body)]


def by_trace(spans):
    traces = defaultdict(list)
    for seen in spans:
        traces[seen.span.trace_id].append(seen)
    return traces


def test_the_counts_are_those_of_the_messages(sent, spans):
    assert sum(batch.spans for batch in sent) == len(spans)
    assert sum(batch.traces for batch in sent) == len(by_trace(spans))
    assert 200_000 < len(spans) < 300_000
    assert all(2_000 <= batch.spans <= 5_000 for batch in sent[:-1])


def test_every_id_is_valid_and_fresh(spans):
    ids = {seen.span.span_id for seen in spans}
    assert len(ids) == len(spans)
    assert {len(each) for each in ids} == {8}
    assert {len(seen.span.trace_id) for seen in spans} == {16}
    assert all(any(seen.span.trace_id) and any(seen.span.span_id) for seen in spans)


def test_every_trace_has_one_root_and_children_inside_their_parents(spans):
    for trace in by_trace(spans).values():
        known = {seen.span.span_id: seen.span for seen in trace}
        roots = [seen for seen in trace if not seen.span.parent_span_id]
        assert [seen.service for seen in roots] == ["gateway"]
        for span in known.values():
            assert span.start_time_unix_nano < span.end_time_unix_nano
            if span.parent_span_id:
                parent = known[span.parent_span_id]
                assert parent.start_time_unix_nano <= span.start_time_unix_nano
                assert span.end_time_unix_nano <= parent.end_time_unix_nano


def test_a_checkout_is_readable_and_crosses_every_service(spans):
    checkouts = [t for t in by_trace(spans).values() if any(seen.span.name == "POST /checkout" for seen in t)]
    assert {len(trace) for trace in checkouts} <= {9, 12}
    assert all({seen.service for seen in trace} == set(SERVICES) for trace in checkouts)


def test_traces_are_sent_oldest_first_and_fill_the_window_without_a_gap(spans):
    starts = [seen.span.start_time_unix_nano / 1e9 for seen in spans if not seen.span.parent_span_id]
    assert starts == sorted(starts)
    assert WINDOW.start_s <= starts[0] < WINDOW.start_s + 60
    assert WINDOW.end_s - 60 < starts[-1] < WINDOW.end_s
    assert max(b - a for a, b in itertools.pairwise(starts)) < 60


def test_budgets_of_both_objectives_end_between_a_half_and_nine_tenths(spans):
    served = [seen for seen in spans if seen.span.kind == Span.SPAN_KIND_SERVER]
    for service in ("gateway", "orders", "catalog"):
        mine = [seen for seen in served if seen.service == service]
        errors = sum(seen.failed for seen in mine) / len(mine)
        slow = sum(seen.milliseconds > 200 for seen in mine) / len(mine)
        assert 0.5 < 1 - errors / 0.001 < 0.9, service
        assert 0.5 < 1 - slow / 0.05 < 0.9, service


def test_failures_cluster_in_incidents_and_none_is_fresh():
    moments = [failure.at_s for failure in failures(WINDOW, SEED)]
    assert len(moments) == 11
    assert moments[-1] < WINDOW.end_s - QUIET_S
    close = [b - a < 300 for a, b in itertools.pairwise(moments)]
    assert sum(close) >= 4


def test_a_failed_trace_tells_its_cause_in_the_deepest_failed_span(spans):
    traces = [t for t in by_trace(spans).values() if any(seen.failed for seen in t)]
    assert len(traces) == 11
    for trace in traces:
        parents = {seen.span.parent_span_id for seen in trace if seen.failed}
        cause = next(seen for seen in trace if seen.failed and seen.span.span_id not in parents)
        recorded = plain(cause.span.events[0].attributes)
        assert recorded["exception.message"].endswith(("database is locked", "32 of 32 in use"))
        root = next(seen for seen in trace if not seen.span.parent_span_id)
        assert root.attributes["http.response.status_code"] == 502
        assert root.failed


def test_the_cache_answers_nine_of_ten_and_a_miss_has_a_query(spans):
    gets = Counter(seen.attributes["cache.hit"] for seen in spans if seen.span.name == "cache get")
    queries = sum(seen.span.name == "SELECT items" for seen in spans)
    assert gets[False] == queries
    assert 0.88 < gets[True] / gets.total() < 0.94


def test_the_same_seed_makes_the_same_past_with_other_ids():
    window = Window(END_S - 3600, END_S)
    first, second = ([s for b in batches(window, "demo", Ports(8090), SEED) for s in spans_of(b.body)] for _ in "ab")
    timed = [
        [(s.service, s.span.name, s.span.start_time_unix_nano, s.span.end_time_unix_nano) for s in spans]
        for spans in (first, second)
    ]
    assert timed[0] == timed[1]
    assert not {s.span.trace_id for s in first} & {s.span.trace_id for s in second}
    assert list(plan(window, SEED)) != list(plan(window, SEED + 1))


def test_windows_that_meet_share_no_visit_and_lose_none():
    middle = END_S - 1234.5
    halves = [
        planned.start_ns for w in (Window(END_S - 3600, middle), Window(middle, END_S)) for planned in plan(w, SEED)
    ]
    assert halves == [planned.start_ns for planned in plan(Window(END_S - 3600, END_S), SEED)]


def test_days_are_busier_than_nights():
    hours = Counter(int(planned.start_ns / 1e9 // 3600 % 24) for planned in plan(WINDOW, SEED))
    assert 1.1 < hours[15] / hours[3] < 1.5


def sender(answers, retry_s=5.0):
    left = iter(answers)

    def answer(request):
        status = next(left)
        if status is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status)

    return Sender(httpx.Client(transport=httpx.MockTransport(answer)), "http://collector/v1/traces", retry_s, 0.01)


def test_a_collector_that_is_away_or_overloaded_is_tried_again():
    left = [None, 503, 429, 200]
    sender(left).send(Batch(b"", 0, 0))


@pytest.mark.parametrize(("answers", "reason"), [([400], "refused: .* answered 400"), ([503] * 9, "answered 503")])
def test_a_history_that_is_not_accepted_says_why(answers, reason):
    started = time.monotonic()
    with pytest.raises(HistoryError, match=reason):
        sender(answers, retry_s=0.3).send(Batch(b"", 0, 0))
    assert time.monotonic() - started < 1
