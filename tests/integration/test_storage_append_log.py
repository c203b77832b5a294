import threading
from datetime import UTC, datetime

import pytest

from storage.append_log import append, last_batch

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COLUMNS = ["alert_id", "sequence", "slo_id", "rule", "severity", "state", "at", "body"]


def _row(alert_id, body="{}"):
    return (alert_id, 1, "slo", "slo", "page", "firing", NOW, body)


def _append(database, writer, alert_ids, after, body="{}"):
    rows = [_row(alert_id, body) for alert_id in alert_ids]
    return append(database, "alert_transitions", rows, COLUMNS, writer=writer, after=after, now=NOW)


def _stored(database):
    with database.client() as client:
        found = client.query("SELECT batch, writer, alert_id FROM alert_transitions ORDER BY batch, alert_id")
    return [tuple(row) for row in found.result_rows]


def test_batches_are_appended_one_after_the_other(database):
    assert last_batch(database, "alert_transitions") == 0
    assert _append(database, "one", ["a", "b"], after=0)
    assert _append(database, "two", ["c"], after=last_batch(database, "alert_transitions"))
    assert _stored(database) == [(1, "one", "a"), (1, "one", "b"), (2, "two", "c")]
    assert last_batch(database, "alert_transitions") == 2


def test_who_decided_on_an_older_past_stores_nothing(database):
    assert _append(database, "one", ["a"], after=0)
    assert not _append(database, "two", ["b", "c"], after=0)
    assert _stored(database) == [(1, "one", "a")]
    assert _append(database, "two", ["b", "c"], after=1)


@pytest.mark.parametrize("body_bytes", [2, 2000])
def test_of_writers_that_race_one_is_let_through_with_all_of_its_rows(database, body_bytes):
    for after in range(10):
        start, won = threading.Barrier(4), []

        def race(writer, start=start, won=won, after=after):
            ids = [f"{writer}-{number}" for number in range(1500)]
            start.wait(10)
            if _append(database, writer, ids, after=after, body="x" * body_bytes):
                won.append(writer)

        writers = [threading.Thread(target=race, args=(name,)) for name in "abcd"]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
        assert len(won) == 1
        mine = [row for row in _stored(database) if row[0] == after + 1]
        assert {row[1] for row in mine} == set(won)
        assert len(mine) == 1500
