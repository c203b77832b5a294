from datetime import UTC, datetime, timedelta

from storage.evaluators import DEAD_AFTER, Heartbeat, living_writers

NOW = datetime.now(UTC).replace(microsecond=0)
SECOND = timedelta(seconds=1)


def test_an_evaluator_that_was_not_seen_for_a_minute_is_dead(database):
    Heartbeat(database, "one").beat(NOW)
    Heartbeat(database, "two").beat(NOW - DEAD_AFTER)
    assert living_writers(database, NOW) == {"one"}
    assert living_writers(database, NOW + DEAD_AFTER) == set()


def test_one_that_works_is_seen_once_a_tick(database):
    heart = Heartbeat(database, "one")
    for seconds in range(0, 61, 5):
        heart.beat(NOW + seconds * SECOND)
    with database.client() as client:
        seen = client.query("SELECT toUnixTimestamp(at) FROM evaluators ORDER BY at").result_rows
    assert [at - int(NOW.timestamp()) for (at,) in seen] == [0, 15, 30, 45, 60]
    assert living_writers(database, NOW + 100 * SECOND) == {"one"}


def test_a_clock_that_was_set_back_does_not_silence_the_living(database):
    heart = Heartbeat(database, "one")
    heart.beat(NOW + timedelta(hours=1))
    heart.beat(NOW)
    assert living_writers(database, NOW) == {"one"}
