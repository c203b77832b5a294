"""To whom a bad request is charged."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.blame import cause_of, charge, charge_peer, own_times_by_operation
from slo.indicator import FasterThan, Matches, NotError
from slo.predicate_parser import parse_predicate
from slo.span_tree import build_tree
from tests.unit.trace_spans import REQUEST, anything, broken_traces, span

causes = st.sampled_from(["error", "latency", "other"])
operations = st.tuples(st.sampled_from(["shop", "pay"]), st.sampled_from(["read", "write", "request"]))


def guilty(*spans, cause="error", request=REQUEST, typical=None):
    found = charge(request, spans, cause=cause, typical=typical)
    return found.service, found.operation, found.span_id


def checkout(**payments):
    """Return a checkout that calls payments, and payments' own span."""
    call = span("call", "request", 1010, 80, kind="client", error=True, service="checkout", operation="POST /charge")
    server = span("server", "call", 1020, 60, kind="server", service="payments", operation="charge", **payments)
    return call, server


def test_a_failure_of_payments_behind_checkout_is_charged_to_payments():
    call, server = checkout(error=True)
    assert guilty(call, server) == ("payments", "charge", "server")
    assert "deepest failing span, 2 below" in charge(REQUEST, [call, server], cause="error").why


def test_a_call_that_failed_on_a_healthy_callee_is_the_callers_own():
    assert guilty(*checkout(error=False)) == ("checkout", "POST /charge", "call")


def test_a_failure_below_a_span_that_did_not_fail_was_handled_there():
    handled = span("fallback", "request", 1010, 50)
    assert guilty(handled, span("cache", "fallback", 1010, 10, error=True)) == ("shop", "request", "request")


def test_a_failure_with_no_failing_call_below_is_the_requests_own():
    found = charge(REQUEST, [span("fine", "request", 1010)], cause="error")
    assert (found.span_id, found.why) == ("request", "it failed, and no call below it did")


def test_of_failing_siblings_the_one_that_ended_last_is_what_the_caller_failed_by():
    first, retry = span("first", "request", 1000, 20, error=True), span("retry", "request", 1050, 20, error=True)
    assert guilty(first, retry)[2] == "retry"


def test_of_failing_siblings_that_ended_together_the_first_to_start_is_charged_and_then_the_smaller_id():
    late, early = span("a", "request", 1050, 20, error=True), span("b", "request", 1040, 30, error=True)
    assert guilty(late, early)[2] == "b"
    assert guilty(replace(early, span_id="c"), early)[2] == "b"


@pytest.mark.parametrize("cause", ["error", "latency"])
def test_a_call_without_an_answering_span_is_charged_to_its_peer_or_else_to_the_caller(cause):
    call = replace(checkout()[0], duration_ns=90)
    assert guilty(replace(call, peer="redis"), cause=cause) == ("redis", "POST /charge", "call")
    assert guilty(call, cause=cause) == ("checkout", "POST /charge", "call")
    found = charge(REQUEST, [call], cause=cause)
    assert found.unanswered
    assert charge_peer(found, "") == found
    moved = charge_peer(found, "redis")
    assert (moved.service, moved.operation, moved.unanswered) == ("redis", "POST /charge", False)
    assert moved.why == f"{found.why}; redis sent no span"
    assert charge_peer(moved, "postgres") == moved, "nobody is charged twice"


def test_a_peer_is_not_charged_for_a_call_that_was_answered():
    call, server = checkout(error=False)
    assert guilty(replace(call, peer="redis"), server) == ("checkout", "POST /charge", "call")


def test_a_slow_request_is_charged_to_the_largest_own_time_on_the_critical_path():
    slow, beside = span("slow", "request", 1010, 70), span("beside", "request", 1000, 60)
    assert guilty(slow, beside, cause="latency") == ("shop", "slow", "slow"), "nobody waited for the other"


def test_what_an_operation_usually_takes_is_not_held_against_it():
    report, cache = span("report", "request", 1000, 60), span("cache", "request", 1060, 35)
    assert guilty(report, cache, cause="latency")[1] == "report"
    usual = {("shop", "report"): 58, ("shop", "cache"): 1}
    assert guilty(report, cache, cause="latency", typical=usual)[1] == "cache"


def test_a_request_that_everyone_was_quicker_than_usual_in_is_charged_all_the_same():
    assert guilty(span("a", "request", 1000, 99), cause="latency", typical={("shop", "a"): 10**9})[1] == "request"
    usual = {("shop", "a"): 10**9, ("shop", "request"): 10**10}
    assert guilty(span("a", "request", 1000, 99), cause="latency", typical=usual)[1] == "a"


def test_many_short_calls_of_one_operation_weigh_as_much_as_one_long_call():
    calls = [span(f"get{n}", "request", 1000 + 6 * n, 6, operation="GET") for n in range(10)]
    calls[3] = replace(calls[3], duration_ns=7, start_ns=1017)
    once = span("once", "request", 1060, 39, operation="SELECT")
    assert guilty(*calls, once, cause="latency") == ("shop", "GET", "get3"), "its longest stands for it"


@pytest.mark.parametrize(("duration_ns", "shown"), [(1_234_567_890_123, "1,234,567 ms"), (12_345_678, "12.3 ms")])
def test_the_charge_says_how_much_time_it_is_for_in_whole_milliseconds_where_there_are_many(duration_ns, shown):
    why = charge(replace(REQUEST, duration_ns=duration_ns), [], cause="latency").why
    assert why == f"{shown} of its own time on the critical path above the usual"


def test_a_request_that_is_bad_for_another_reason_is_its_own_fault():
    assert guilty(*checkout(error=True), cause="other") == ("shop", "request", "request")


def test_a_request_without_length_is_charged_to_itself():
    assert (
        guilty(span("a", "request", 1000, 50), cause="latency", request=replace(REQUEST, duration_ns=0))[2] == "request"
    )


def test_the_own_times_of_good_requests_make_up_the_request():
    spans = [span("a", "request", 1000, 30, operation="GET"), span("b", "request", 1050, 20, operation="GET")]
    assert own_times_by_operation(REQUEST, spans) == {("shop", "GET"): 50, ("shop", "request"): 50}


@given(broken_traces, causes, st.dictionaries(operations, st.integers(0, 200)))
def test_there_is_always_one_charge_and_it_names_a_span_of_the_trace(spans, cause, typical):
    found = charge(REQUEST, spans, cause=cause, typical=typical)
    known = {each.span_id: each for each in build_tree(REQUEST, spans)}
    span_charged = known[found.span_id]
    assert found.service in {span_charged.service, span_charged.peer}
    assert found.operation == span_charged.operation
    assert found == charge(REQUEST, spans[::-1], cause=cause, typical=typical), "whatever order they come in"


@given(broken_traces)
def test_a_deeper_error_wins(spans):
    """Whoever is charged with an error has no failing child; give it one, and that one is charged."""
    found = charge(REQUEST, spans, cause="error")
    deeper = span("deeper", found.span_id, 1000, 1, error=True, service="blamed")
    assert charge(REQUEST, [*spans, deeper], cause="error").service == "blamed"


@given(broken_traces, anything)
def test_a_span_that_no_parent_joins_to_the_request_changes_no_charge(spans, stray):
    lost = replace(stray, span_id="lost", parent_id="nobody")
    for cause in ("error", "latency"):
        assert charge(REQUEST, [*spans, lost], cause=cause) == charge(REQUEST, spans, cause=cause)


@pytest.mark.parametrize(
    ("good", "failed", "cause"),
    [
        (NotError(), True, "error"),
        (FasterThan(5), True, "latency"),
        (FasterThan(5), False, "latency"),
        (Matches(parse_predicate("not error and duration_ms <= 5")), True, "error"),
        (Matches(parse_predicate("not error and duration_ms <= 5")), False, "latency"),
        (Matches(parse_predicate("duration_ms <= 5")), True, "latency"),
        (Matches(parse_predicate('http.route = "/a" or status != "error"')), True, "error"),
        (Matches(parse_predicate("cache.hit = true")), False, "other"),
    ],
)
def test_why_a_request_is_bad_follows_from_what_good_is(good, failed, cause):
    assert cause_of(good, failed=failed) == cause
