"""Who is let in, how much at once, and what is refused first."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.admission import admission as admission_module
from collector.admission.admission import Admission, Budget
from collector.admission.pressure import CALM, Pressure, PressureSampler, Priority
from collector.admission.rate_limit import Bucket
from collector.errors import BadPayload, Forbidden, Overloaded, RateLimited, Unauthenticated
from storage.tokens import Token, Tokens, digest, write_tokens

SECRET = "nl_0123456789abcdefghijklmnopqrstuvwxyzABCDEF0"
SHOP = frozenset({"shop"})


class Clock:
    """The clock of the rate limits, moved by the test."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(admission_module, "monotonic", found)
    return found


@pytest.fixture
def guarded(tmp_path):
    """Return a function that makes an admission with one token."""

    def make(*scopes, **limits):
        path = tmp_path / "tokens.yaml"
        write_tokens(path, [Token("shop", frozenset(scopes or ("ingest",)), digest(SECRET), **limits)])
        return Admission(tokens=Tokens(path))

    return make


def loaded(pressure=CALM, spool_fill=0.0, **priorities):
    """Return an admission under this load."""
    sampler = PressureSampler(lambda: pressure)
    sampler.current = pressure
    found = Admission(priorities={name: Priority[word] for name, word in priorities.items()}, sampler=sampler)
    found.spool_fill = lambda _signal: spool_fill
    return found


def enter(admission, secret=SECRET):
    return admission.enter(f"Bearer {secret}", "traces")


amounts = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 100)), max_size=40)


@given(st.floats(0.1, 1000), amounts)
def test_no_stretch_of_time_lets_in_more_than_burst_rate_and_the_one_cost_that_overdrew(rate, steps):
    bucket, now, let_in = Bucket.full(rate, 0.0), 0.0, []
    for pause, cost in steps:
        now += pause
        if bucket.ready(now):
            bucket.spend(cost, now)
            let_in.append((now, cost))
    for first, (start, _) in enumerate(let_in):
        for last in range(first, len(let_in)):
            end = let_in[last][0]
            before = sum(cost for _, cost in let_in[first:last])
            assert before <= bucket.burst + rate * (end - start) + 1e-6


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 3), max_size=60))
def test_requests_are_counted_without_overdraft(rate, pauses):
    bucket, now, let_in = Bucket.full(rate, 0.0), 0.0, []
    for pause in pauses:
        now += pause
        if bucket.ready(now, 1):
            bucket.spend(1, now)
            let_in.append(now)
    for first, start in enumerate(let_in):
        for last in range(first, len(let_in)):
            assert last - first + 1 <= bucket.burst + rate * (let_in[last] - start) + 1e-6


@given(st.floats(0.1, 1000), st.floats(0.001, 1e4))
def test_whoever_overdrew_is_let_in_again_when_the_debt_is_paid(rate, cost):
    bucket = Bucket.full(rate, 0.0)
    bucket.spend(bucket.burst + cost, 0.0)
    assert not bucket.ready(cost / rate * 0.999)
    assert bucket.ready(cost / rate * 1.001 + 0.001)


def test_a_clock_that_goes_back_gives_nothing_away():
    bucket = Bucket.full(1.0, 100.0)
    bucket.spend(1, 100.0)
    assert not bucket.ready(50.0)
    assert not bucket.ready(100.5, 1)
    assert bucket.ready(101.0, 1)


@given(st.integers(0, 1000), st.lists(st.lists(st.integers(0, 400), max_size=6), max_size=8))
def test_requests_in_flight_never_hold_more_than_the_limit_and_give_everything_back(limit, requests):
    admission = Admission(inflight_limit_bytes=limit)
    budget = admission.budget
    entries = []
    for pieces in requests:
        entry = admission.enter(None)
        entries.append(entry)
        held = 0
        try:
            for piece in pieces:
                fits = budget.used_bytes + piece <= limit
                entry.take(piece)
                held += piece
                assert fits
        except Overloaded:
            assert not fits
        assert 0 <= budget.used_bytes <= limit
    for entry in entries:
        with entry:
            pass
    assert budget.used_bytes == 0


def work(admission, pieces, failure=None):
    """Take *pieces* and fail with *failure*."""
    with admission.enter(None, "traces") as entry:
        for piece in pieces:
            entry.take(piece)
        assert admission.budget.used_bytes == sum(pieces)
        if failure is not None:
            raise failure


@pytest.mark.parametrize("failure", [BadPayload("x"), ValueError("a defect"), KeyboardInterrupt()])
def test_memory_is_given_back_however_a_request_ends(failure):
    admission = Admission(inflight_limit_bytes=100)
    work(admission, [60, 40])
    with pytest.raises(type(failure)):
        work(admission, [60, 40], failure)
    with pytest.raises(Overloaded, match="requests in flight hold 90 of 100 bytes"):
        work(admission, [90, 11])
    assert admission.budget.used_bytes == 0


def test_threads_share_the_budget_exactly():
    budget, taken = Budget(1000), []

    def take():
        for _ in range(500):
            if budget.take(7):
                taken.append(budget.used_bytes)
                budget.release(7)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken
    assert max(taken) <= 1000
    assert budget.used_bytes == 0


def test_without_tokens_everybody_is_let_in():
    assert Admission().enter(None).token is None
    assert Admission().enter("Bearer anything").token is None


def test_a_known_token_for_sending_is_let_in(guarded):
    assert enter(guarded()).token.name == "shop"
    assert enter(guarded("admin")).token.name == "shop"


@pytest.mark.parametrize("authorization", [None, "", "Bearer x", SECRET, f"Bearer {SECRET}, Bearer {SECRET}"])
def test_everybody_else_is_refused_with_the_remedy_and_without_the_token(guarded, authorization):
    with pytest.raises(Unauthenticated) as refusal:
        guarded().enter(authorization, "traces")
    assert "OTEL_EXPORTER_OTLP_HEADERS" in str(refusal.value)
    assert "ninelives tokens add" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_token_for_reading_may_not_send(guarded):
    with pytest.raises(Forbidden, match="'shop' is not for sending telemetry") as refusal:
        enter(guarded("read", "operate"))
    assert SECRET not in str(refusal.value)


def test_a_token_without_limits_is_not_limited(guarded, clock):
    admission = guarded()
    for _ in range(1000):
        with enter(admission) as entry:
            entry.take(1 << 20)


def test_more_requests_than_a_token_may_send_are_refused_until_a_second_later(guarded, clock):
    admission = guarded(requests_per_s=3.0)
    for _ in range(3):
        enter(admission)
    with pytest.raises(RateLimited, match="3 requests/s"):
        enter(admission)
    clock.now += 0.34
    enter(admission)
    with pytest.raises(RateLimited):
        enter(admission)


def test_a_slow_token_gets_its_request_once_in_a_while(guarded, clock):
    admission = guarded(requests_per_s=0.5)
    enter(admission)
    clock.now += 1.9
    with pytest.raises(RateLimited):
        enter(admission)
    clock.now += 0.2
    enter(admission)


def test_bytes_beyond_the_rate_are_paid_for_by_waiting(guarded, clock):
    admission = guarded(mb_per_s=1.0)
    with enter(admission) as entry:
        entry.take(3_000_000)
    clock.now += 1.9
    with pytest.raises(RateLimited, match="1 MB/s"):
        enter(admission)
    clock.now += 0.2
    with enter(admission) as entry:
        entry.take(10)


def test_both_tokens_of_a_rotation_share_one_rate(tmp_path, clock):
    path = tmp_path / "tokens.yaml"
    write_tokens(path, [Token("shop", frozenset({"ingest"}), digest(text), requests_per_s=2.0) for text in ("a", "b")])
    admission = Admission(tokens=Tokens(path))
    enter(admission, "a")
    enter(admission, "b")
    with pytest.raises(RateLimited):
        enter(admission, "a")


def test_a_changed_rate_is_in_force_at_once(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("storage.tokens.LOOK_EVERY_S", 0)
    path = tmp_path / "tokens.yaml"
    slow = Token("shop", frozenset({"ingest"}), digest(SECRET), requests_per_s=1.0)
    write_tokens(path, [slow])
    admission = Admission(tokens=Tokens(path))
    enter(admission)
    write_tokens(path, [Token("shop", frozenset({"ingest"}), digest(SECRET), requests_per_s=100.0)])
    for _ in range(50):
        enter(admission)


def test_low_priority_is_refused_first_and_says_why():
    admission = loaded(Pressure(cpu=0.9), batch="LOW")
    entry = admission.enter(None, "traces")
    with pytest.raises(Overloaded, match="low priority is not accepted right now: the CPU is 90 % busy"):
        admission.admit(entry, frozenset({"batch"}))
    admission.admit(entry, SHOP)


def test_only_critical_services_are_accepted_when_memory_is_short():
    admission = loaded(Pressure(memory=0.95), pay="CRITICAL")
    entry = admission.enter(None, "traces")
    with pytest.raises(Overloaded, match="normal priority"):
        admission.admit(entry, SHOP)
    admission.admit(entry, frozenset({"pay"}))


def test_the_most_important_service_of_a_request_decides():
    admission = loaded(Pressure(memory=0.95), pay="CRITICAL", batch="LOW")
    admission.admit(admission.enter(None), frozenset({"shop", "batch", "pay"}))


def test_a_request_without_services_is_admitted_for_it_stores_nothing():
    admission = loaded(Pressure(memory=0.95), pay="CRITICAL")
    admission.admit(admission.enter(None), frozenset())


@pytest.mark.parametrize(
    ("load", "priorities", "early"),
    [
        ((Pressure(memory=0.95),), {}, True),
        ((Pressure(memory=0.95),), {"batch": "LOW"}, True),
        ((Pressure(memory=0.95),), {"pay": "CRITICAL"}, False),
        ((Pressure(cpu=0.99),), {"batch": "LOW"}, False),
        ((CALM, 0.95), {}, True),
        ((CALM, 0.95), {"pay": "CRITICAL"}, False),
        ((CALM, 1.0), {"pay": "CRITICAL"}, True),
    ],
)
def test_a_body_is_not_read_when_no_service_could_be_accepted(load, priorities, early):
    admission = loaded(*load, **priorities)
    if early:
        with pytest.raises(Overloaded, match="any service"):
            admission.enter(None, "traces")
    else:
        admission.enter(None, "traces")


def test_a_full_spool_of_one_signal_does_not_refuse_the_others():
    admission = Admission()
    admission.spool_fill = {"traces": 1.0, "metrics": 0.1}.__getitem__
    with pytest.raises(Overloaded, match="the spool is full"):
        admission.enter(None, "traces")
    admission.enter(None, "metrics")
    assert (admission.shedding_level("traces"), admission.shedding_level("metrics")) == (3, 0)


def test_who_is_not_known_learns_nothing_of_the_load(tmp_path):
    path = tmp_path / "tokens.yaml"
    write_tokens(path, [])
    admission = Admission(tokens=Tokens(path))
    admission.spool_fill = lambda _signal: 1.0
    with pytest.raises(Unauthenticated):
        admission.enter(None, "traces")


def test_every_refusal_is_counted_once_by_signal_and_reason(guarded):
    admission = guarded()
    with pytest.raises(Unauthenticated):
        admission.enter(None, "traces")
    for _ in range(2):
        with pytest.raises(BadPayload), enter(admission):
            raise BadPayload("x")
    with pytest.raises(ZeroDivisionError), enter(admission):
        raise ZeroDivisionError
    assert admission.refused == {("traces", "Unauthenticated"): 1, ("traces", "BadPayload"): 2}
