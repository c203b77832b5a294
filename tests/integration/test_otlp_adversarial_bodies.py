"""Bodies that want to hurt, by the number of their case: each gets its answer, and whatever is accepted is stored."""

import pytest

from tests.integration.otlp_cases import CASES

pytestmark = pytest.mark.slow


def judge(stack, case):
    send = (lambda *of: stack.over_http(*of, as_json=True)) if case.as_json else stack.over_both
    found = send(case.signal, case.body)
    assert (found.status, found.rejected) == (case.status, case.rejected), (case.name, case.signal, found.message)
    if case.says is not None:
        assert case.says in found.message, case.name
        assert bool(case.says) == bool(found.message), (case.name, found.message)
    assert case.status == 200 or found.message, case.name


@pytest.mark.parametrize("number", CASES)
def test_bodies_are_answered_as_they_must_and_the_next_request_is_fine(conforming, number):
    for case in CASES[number]():
        judge(conforming, case)
    conforming.goes_on()
