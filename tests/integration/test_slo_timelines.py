"""Reference timelines: 99.9 % over 30 days, 6,000 requests a minute, three healthy days before minute 0.

Every minute goes the whole way: spans are stored, minutes counted, windows judged, alerts decided and stored. The
expected minutes follow from the Site Reliability Workbook's pairs: 1h/5m at 14.4, 6h/30m at 6, 1d/2h at 3, 3d/6h at 1.
"""

import pytest

from tests.integration.slo_world import SloWorld
from tests.slo_objective import objective

RATE = 6000
HISTORY = range(-3 * 1440, 0)


@pytest.fixture
def world(database, store, otlp, tmp_path):
    found = SloWorld(database, store, otlp, tmp_path)
    found.slo = found.write(objective())
    return found


def live(world, minutes, *, until, ahead=1):
    """Tell the minutes up to number *until*, of which *minutes* (number to bad requests, None: idle) are special.

    Requests of *ahead* minutes arrive together: those after a tick's moment must not count in it, and an insert costs
    more than everything else here.
    """
    evaluator = world.evaluator()
    world.tick(evaluator, 0)
    world.forget_arrivals()
    for minute in range(until):
        if not minute % ahead:
            arriving = ((later, minutes.get(later, 0)) for later in range(minute, min(minute + ahead, until)))
            told = [world.spans(later, good=RATE - bad, bad=bad) for later, bad in arriving if bad is not None]
            world.insert([span for spans in told for span in spans])
        world.tick(evaluator, minute + 1)


def test_fifteen_percent_errors_for_10_minutes_page_from_minute_6_to_14_and_raise_no_ticket(world):
    world.requests(HISTORY, good=RATE)
    live(world, dict.fromkeys(range(10), RATE * 15 // 100), until=45)
    assert world.changes() == [(6, "page", "firing"), (15, "page", "resolved")]
    assert world.standing(world.slo, 45).counts.bad == 9000


def test_two_percent_errors_for_90_minutes_page_from_minute_44_to_91_and_raise_no_ticket(world):
    world.requests(HISTORY, good=RATE)
    live(world, dict.fromkeys(range(90), RATE * 2 // 100), until=125, ahead=25)
    assert world.changes() == [(44, "page", "firing"), (92, "page", "resolved")]
    assert world.standing(world.slo, 125).counts.bad == 10_800


def test_30_idle_minutes_change_nothing(world):
    world.requests([minute for minute in HISTORY if minute % 100], good=RATE)
    world.requests([minute for minute in HISTORY if not minute % 100], good=RATE - 60, bad=60)
    world.tick(world.evaluator(), 0)
    quiet = world.standing(world.slo, 0)
    live(world, dict.fromkeys(range(30)), until=40, ahead=10)
    assert world.changes() == []
    for minute in range(1, 31):
        idle = world.standing(world.slo, minute)
        assert (idle.state, idle.counts, idle.sli) == ("ok", quiet.counts, quiet.sli)
        assert idle.error_budget_remaining == quiet.error_budget_remaining
        assert not any(condition.met for condition in idle.conditions)
    after = world.standing(world.slo, 40)
    assert (after.state, after.counts.bad) == ("ok", quiet.counts.bad)
    assert after.counts.total == quiet.counts.total + 10 * RATE
