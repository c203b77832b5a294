"""Compare and set of alert transitions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from storage.transitions import (
    TransitionRow,
    append_transitions,
    last_transition_batch,
    latest_transitions,
    transitions,
)

NOW = datetime.now(UTC).replace(microsecond=123_000)
EARLIER = NOW - timedelta(days=1)


def row(alert_id="a-1", sequence=1, *, state="firing", at=NOW, body="", slo_id="a", rule="", severity="page"):
    return TransitionRow(
        alert_id, sequence, slo_id, severity, state, at, body or f"{alert_id}/{sequence}/{state}", rule
    )


def store(database, *rows, writer="me"):
    return append_transitions(database, rows, writer=writer, after=last_transition_batch(database), now=NOW)


def test_of_four_writers_that_race_exactly_one_stores_its_whole_batch(database):
    start = threading.Barrier(4)

    def run(writer):
        won = []
        for batch in range(5):
            start.wait()
            mine = [row(f"{alert}-{batch}", body=f"{writer}/{alert}/{batch}") for alert in "ab"]
            won += [batch] if append_transitions(database, mine, writer=writer, after=batch, now=NOW) else []
        return [(batch, writer) for batch in won]

    with ThreadPoolExecutor(4) as pool:
        won = [item for found in pool.map(run, ["w0", "w1", "w2", "w3"]) for item in found]
    assert sorted(batch for batch, _ in won) == [0, 1, 2, 3, 4]
    bodies = transitions(database, since=EARLIER)
    assert sorted(bodies) == sorted(f"{writer}/{alert}/{batch}" for batch, writer in won for alert in "ab")


def test_who_has_not_seen_the_last_batch_stores_nothing(database):
    assert store(database, row())
    assert not append_transitions(database, [row(body="theirs")], writer="other", after=0, now=NOW)
    assert transitions(database, since=EARLIER) == ["a-1/1/firing"]
    assert last_transition_batch(database) == 1


def test_the_latest_transition_of_each_rule_and_severity_is_found(database):
    later = NOW + timedelta(minutes=5)
    store(database, row("a-1", 1), row("a-1", 2, state="resolved", at=later))
    store(
        database,
        row("a-2", 1, at=later + timedelta(minutes=1)),
        row("a-3", 1, severity="ticket"),
        row("a-4", 1, rule="a/budget-25"),
        row("b-1", 1, slo_id="b"),
        row("t-1", 1, slo_id="", rule="threshold/x/a"),
        row("t-2", 1, slo_id="", rule="threshold/x/b"),
    )
    found = ["a-2/1/firing", "a-3/1/firing", "a-4/1/firing", "b-1/1/firing", "t-1/1/firing", "t-2/1/firing"]
    assert sorted(latest_transitions(database)) == found


def test_an_alert_that_was_stored_before_rules_had_names_goes_on(database):
    columns = ["alert_id", "sequence", "slo_id", "severity", "state", "at", "writer", "body"]
    database.insert("alert_transitions", [("a-1", 1, "a", "page", "firing", NOW, "me", "before")], columns)
    assert latest_transitions(database) == ["before"]
    assert store(database, row("a-1", 2, at=NOW + timedelta(minutes=1)))
    assert latest_transitions(database) == ["a-1/2/firing"]


def test_transitions_come_oldest_first_and_only_since_the_time_asked_for(database):
    for minute in (3, 1, 2, 0):
        store(database, row(f"a-{minute}", at=NOW + timedelta(minutes=minute)))
    found = transitions(database, since=NOW + timedelta(minutes=1))
    assert found == ["a-1/1/firing", "a-2/1/firing", "a-3/1/firing"]
    assert transitions(database, since=EARLIER, alert_id="a-2") == ["a-2/1/firing"]


@pytest.mark.parametrize("body", ['{"text": "\'; DROP TABLE x --\\\\ \\t žluť 🐈"}', "\x00", "x" * 100_000])
def test_a_body_comes_back_byte_for_byte(database, body):
    store(database, row(body=body))
    assert transitions(database, since=EARLIER) == [body]
