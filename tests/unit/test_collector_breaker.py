"""The circuit breaker: it opens after repeated failures, waits longer each time, and lets one caller find out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.writer.breaker import POLL_S, Breaker

FAILURES, FIRST_S, LONGEST_S = 3, 0.5, 30.0


@pytest.fixture
def breaker():
    return Breaker()


def fail(breaker, now, times=1, error="Connection refused"):
    for _ in range(times):
        breaker.failed(now, error)


def test_a_new_breaker_is_closed(breaker):
    status = breaker.status(100.0)
    assert (status.state, status.for_s, status.failures, status.last_error) == ("closed", 0.0, 0, "")
    assert breaker.allow(100.0)
    assert breaker.retry_in_s(100.0) == 0


def test_it_opens_after_three_failures_in_a_row(breaker):
    fail(breaker, 10.0, times=2)
    assert breaker.allow(10.0)
    breaker.succeeded(10.0)
    fail(breaker, 11.0, times=2)
    assert breaker.status(11.0).state == "closed", "a success in between starts the count anew"
    fail(breaker, 12.0, error="Code: 241. Memory limit exceeded")
    status = breaker.status(12.25)
    assert (status.state, status.for_s, status.failures) == ("open", 0.25, 3)
    assert status.last_error == "Code: 241. Memory limit exceeded"
    assert not breaker.allow(12.25)
    assert breaker.retry_in_s(12.25) == pytest.approx(0.25)


def test_after_the_pause_one_caller_probes_and_the_others_wait_for_it(breaker):
    fail(breaker, 0.0, times=3)
    assert not breaker.allow(0.49)
    assert breaker.allow(0.5)
    assert breaker.status(0.5).state == "half-open"
    assert not breaker.allow(0.5)
    assert not breaker.allow(1000.0), "however long the probe takes"
    assert breaker.retry_in_s(1000.0) == POLL_S


def test_a_probe_that_succeeds_closes_it_and_forgets_the_pauses(breaker):
    fail(breaker, 0.0, times=3)
    for now in (1.0, 5.0, 20.0):
        assert breaker.allow(now)
        fail(breaker, now)
    assert breaker.allow(60.0)
    breaker.succeeded(60.0)
    status = breaker.status(61.0)
    assert (status.state, status.for_s, status.failures, status.last_error) == ("closed", 1.0, 0, "")
    fail(breaker, 70.0, times=3)
    assert breaker.retry_in_s(70.0) == FIRST_S


def test_the_pause_doubles_from_half_a_second_to_thirty(breaker):
    now, pauses = 0.0, []
    fail(breaker, now, times=3)
    for _ in range(9):
        pauses.append(breaker.retry_in_s(now))
        now += pauses[-1]
        assert breaker.allow(now)
        fail(breaker, now)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_it_tells_since_when_it_has_been_open_across_failed_probes(breaker):
    fail(breaker, 100.0, times=3)
    assert breaker.allow(101.0)
    fail(breaker, 102.0, error="still down")
    status = breaker.status(110.0)
    assert (status.state, status.for_s, status.last_error) == ("open", 10.0, "still down")


def test_a_failure_of_a_call_that_began_before_does_not_prolong_the_pause(breaker):
    fail(breaker, 0.0, times=3)
    fail(breaker, 0.4, times=5)
    assert breaker.retry_in_s(0.4) == pytest.approx(0.1)
    assert breaker.allow(0.5)


def test_a_success_of_a_call_that_began_before_closes_it(breaker):
    fail(breaker, 0.0, times=3)
    breaker.succeeded(0.1)
    assert breaker.allow(0.1)


def test_a_probe_that_ended_without_calling_the_database_gives_its_turn_to_the_next(breaker):
    fail(breaker, 0.0, times=3)
    assert breaker.allow(0.5)
    breaker.released(0.6)
    assert breaker.allow(0.6)
    assert not breaker.allow(0.6)
    breaker.released(0.7)
    assert breaker.status(0.7).failures == 3, "nothing was learned about the database"


def test_releasing_a_closed_breaker_changes_nothing(breaker):
    fail(breaker, 0.0, times=2)
    breaker.released(0.0)
    assert breaker.status(0.0).state == "closed"
    fail(breaker, 0.0)
    assert breaker.status(0.0).state == "open"


class Model:
    """What is expected of a breaker, in the plainest words."""

    def __init__(self):
        self.failures, self.opens_again_at, self.pause_s, self.probing = 0, None, 0.0, False

    def may_call(self, now):
        if self.opens_again_at is None:
            return True
        return not self.probing and now >= self.opens_again_at

    def succeed(self):
        self.__init__()

    def fail(self, now):
        self.failures += 1
        if self.failures >= FAILURES:
            self.pause_s = min(LONGEST_S, self.pause_s * 2 or FIRST_S)
            self.opens_again_at, self.probing = now + self.pause_s, False


OUTCOMES = st.sampled_from(["success", "failure", "failure", "release", "nothing"])


@given(steps=st.lists(st.tuples(st.integers(0, 40 * 8), OUTCOMES, st.integers(1, 4)), max_size=80))
def test_it_keeps_its_laws_whatever_its_callers_do(steps):
    """Several ask at once; one that was let in succeeds, fails, gives its turn back, or leaves the others waiting."""
    breaker, model, now = Breaker(), Model(), 0.0
    for eighths, outcome, callers in steps:
        now += eighths / 8  # a fraction that adds up exactly
        for _ in range(callers):
            expected = model.may_call(now)
            assert breaker.allow(now) is expected
            model.probing |= expected and model.opens_again_at is not None
        assert 0 <= breaker.retry_in_s(now) <= LONGEST_S
        if model.opens_again_at is not None and not model.probing:
            continue  # nobody was let in, so nobody can answer
        if outcome == "success":
            breaker.succeeded(now)
            model.succeed()
        elif outcome == "failure":
            breaker.failed(now, "down")
            model.fail(now)
        elif outcome == "release":
            breaker.released(now)
            model.probing = False
        assert breaker.status(now).failures == model.failures
        assert (breaker.status(now).state == "closed") is (model.opens_again_at is None)


@given(failures=st.integers(1, 20), now=st.floats(0, 1e9))
def test_it_never_stays_shut_for_longer_than_the_longest_pause(failures, now):
    breaker = Breaker()
    for _ in range(failures):
        fail(breaker, now, times=FAILURES)
        now += LONGEST_S + 1e-3
        assert breaker.allow(now)
    breaker.succeeded(now)
    assert breaker.status(now).state == "closed"
