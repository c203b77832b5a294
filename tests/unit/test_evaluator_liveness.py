from datetime import UTC, datetime, timedelta

import pytest

from evaluator.liveness import Liveness

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


def liveness(**parts):
    return Liveness({name: lambda time=time: time for name, time in parts.items()})


@pytest.mark.parametrize(
    ("evaluation", "delivery", "alive_at"),
    [
        (ago(5), ago(20), ago(20)),
        (ago(59), ago(0), ago(59)),
        (ago(60), ago(0), None),
        (ago(5), None, None),
        (None, None, None),
        (ago(-10), ago(-20), NOW),  # the clock went back a little
        (ago(-60), ago(0), None),  # the clock went back far: until the next success nothing is known
    ],
)
def test_all_is_alive_as_long_as_what_was_seen_last_of_every_part_is_younger_than_a_minute(
    evaluation, delivery, alive_at
):
    assert liveness(evaluation=evaluation, delivery=delivery).alive_at(NOW) == alive_at


def test_without_a_part_nothing_is_known_to_work():
    assert liveness().alive_at(NOW) is None


def test_what_stalls_is_named():
    assert liveness(evaluation=ago(70), delivery=None, other=ago(1)).stalled(NOW) == (
        "evaluation last succeeded at 2026-03-01T11:58:50+00:00; delivery has not succeeded since the start"
    )
    assert liveness(evaluation=ago(1)).stalled(NOW) == ""
