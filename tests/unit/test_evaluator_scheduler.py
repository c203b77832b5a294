"""When ticks are due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator import scheduler
from evaluator.scheduler import Scheduler, next_tick
from slo.evaluation import window_bounds
from storage.slo_windows import LATENESS

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
SECOND = timedelta(seconds=1)


@given(MOMENTS)
def test_a_tick_is_due_every_15_seconds(moment):
    first = next_tick(moment)
    assert moment < first <= moment + 15 * SECOND
    assert next_tick(first) - first == 15 * SECOND


@given(MOMENTS)
def test_one_tick_a_minute_is_due_as_soon_as_a_minute_of_spans_is_final(moment):
    due = [next_tick(moment)]
    while len(due) < 4:
        due.append(next_tick(due[-1]))

    def newest_final(at):
        return window_bounds(at, timedelta(0), LATENESS["spans"])[1]

    assert sum(newest_final(at) != newest_final(at - timedelta(microseconds=1)) for at in due) == 1


class Clock(datetime):
    """`datetime.now` as the test says."""

    at = datetime(2026, 3, 1, 12, 0, 25, 1000, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.at.astimezone(tz)


@pytest.mark.parametrize(
    ("took_s", "ticks"),
    [(14.0, ["12:00:25"]), (16.0, ["12:00:25", "12:00:41"]), (46.0, ["12:00:25", "12:01:11"])],
    ids=["in time", "one came due", "three came due"],
)
def test_what_came_due_during_a_tick_is_one_tick_right_after_it(monkeypatch, took_s, ticks):
    class Now(Clock):
        pass

    monkeypatch.setattr(scheduler, "datetime", Now)
    seen, lengths = [], iter([took_s, 1.0])

    def tick(now):
        seen.append(f"{now:%H:%M:%S}")
        Now.at += timedelta(seconds=next(lengths))

    Scheduler(tick, lambda _now: None, lambda _now: None)._tick_until_due()
    assert seen == ticks
