"""Compare and set of alert transitions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from storage.transitions import (
    TransitionRow,
    latest_transitions,
    store_transition,
    transitions,
)

NOW = datetime.now(UTC).replace(microsecond=123_000)
EARLIER = NOW - timedelta(days=1)


def row(alert_id="a-1", sequence=1, *, state="firing", at=NOW, body="", slo_id="a"):
    return TransitionRow(alert_id, sequence, slo_id, "page", state, at, body or f"{alert_id}/{sequence}/{state}")


def test_of_four_writers_that_race_exactly_one_owns_each_transition(database):
    start = threading.Barrier(4)

    def run(writer):
        owned = []
        for sequence in range(1, 6):
            start.wait()
            mine = row(sequence=sequence, body=f"{writer}/{sequence}")
            owned += [sequence] if store_transition(database, mine, writer=writer) else []
        return [(sequence, writer) for sequence in owned]

    with ThreadPoolExecutor(4) as pool:
        owned = [item for found in pool.map(run, ["w0", "w1", "w2", "w3"]) for item in found]
    assert sorted(sequence for sequence, _ in owned) == [1, 2, 3, 4, 5]
    bodies = transitions(database, since=EARLIER)
    assert sorted(bodies) == sorted(f"{writer}/{sequence}" for sequence, writer in owned)


def test_storing_the_same_transition_again_is_a_success_for_its_owner_only(database):
    assert store_transition(database, row(), writer="me")
    assert store_transition(database, row(), writer="me")
    assert not store_transition(database, row(body="theirs"), writer="other")
    assert transitions(database, since=EARLIER) == ["a-1/1/firing"]


def test_the_latest_transition_of_each_objective_is_found(database):
    later = NOW + timedelta(minutes=5)
    for item in (
        row("a-1", 1),
        row("a-1", 2, state="resolved", at=later),
        row("a-2", 1, at=later + timedelta(minutes=1)),
        row("b-1", 1, slo_id="b"),
    ):
        store_transition(database, item, writer="me")
    assert sorted(latest_transitions(database)) == ["a-2/1/firing", "b-1/1/firing"]


def test_transitions_come_oldest_first_and_only_since_the_time_asked_for(database):
    for minute in (3, 1, 2, 0):
        store_transition(database, row(f"a-{minute}", at=NOW + timedelta(minutes=minute)), writer="me")
    found = transitions(database, since=NOW + timedelta(minutes=1))
    assert found == ["a-1/1/firing", "a-2/1/firing", "a-3/1/firing"]
    assert transitions(database, since=EARLIER, alert_id="a-2") == ["a-2/1/firing"]


@pytest.mark.parametrize("body", ['{"text": "\'; DROP TABLE x --\\\\ \\t žluť 🐈"}', "\x00", "x" * 100_000])
def test_a_body_comes_back_byte_for_byte(database, body):
    store_transition(database, row(body=body), writer="me")
    assert transitions(database, since=EARLIER) == [body]
