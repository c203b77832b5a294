"""Reference timelines: 99.9 % over 30 days, 6,000 requests a minute, three healthy days before minute 0.

Minutes go the whole way: spans are stored, minutes counted, windows judged, alerts decided and stored. The
expected minutes follow from the Site Reliability Workbook's pairs: 1h/5m at 14.4, 6h/30m at 6, 1d/2h at 3, 3d/6h at 1.
"""

import pytest

from tests.integration.slo_world import SloWorld
from tests.slo_objective import objective

pytestmark = pytest.mark.slow

RATE = 6000
HISTORY = range(-3 * 1440, 0)


@pytest.fixture
def world(database, store, otlp, tmp_path):
    found = SloWorld(database, store, otlp, tmp_path)
    found.slo = found.write(objective())
    return found


def live(world, special, *, ticks, ahead):
    """Tell minute after minute, of which *special* (number to bad requests, None: idle) are not healthy.

    The evaluator looks at the *ticks*; every minute is looked at in tests/unit. Requests of *ahead* minutes arrive
    together: those after a tick's moment must not count in it, and an insert costs more than everything else here.
    """
    evaluator = world.evaluator()
    world.tick(evaluator, 0)
    world.forget_arrivals()
    told = 0
    for minute in ticks:
        while told < minute:
            arriving = ((number, special.get(number, 0)) for number in range(told, told + ahead))
            spans = [world.spans(number, good=RATE - bad, bad=bad) for number, bad in arriving if bad is not None]
            world.insert([span for minute_spans in spans for span in minute_spans])
            told += ahead
        world.tick(evaluator, minute)


def test_fifteen_percent_errors_for_10_minutes_page_from_minute_6_to_14_and_raise_no_ticket(world):
    world.requests(HISTORY, good=RATE)
    live(world, dict.fromkeys(range(10), RATE * 15 // 100), ticks=[*range(1, 18), 30, 45, 60], ahead=5)
    assert world.changes() == [(6, "page", "firing"), (15, "page", "resolved")]
    assert world.standing(world.slo, 60).counts.bad == 9000


def test_two_percent_errors_for_90_minutes_page_from_minute_44_to_91_and_raise_no_ticket(world):
    world.requests(HISTORY, good=RATE)
    live(
        world,
        dict.fromkeys(range(90), RATE * 2 // 100),
        ticks=[10, 30, *range(40, 47), 60, *range(88, 95), 125],
        ahead=25,
    )
    assert world.changes() == [(44, "page", "firing"), (92, "page", "resolved")]
    assert world.standing(world.slo, 125).counts.bad == 10_800


def test_30_idle_minutes_change_nothing(world):
    world.requests([minute for minute in HISTORY if minute % 100], good=RATE)
    world.requests([minute for minute in HISTORY if not minute % 100], good=RATE - 60, bad=60)
    world.tick(world.evaluator(), 0)
    quiet = world.standing(world.slo, 0)
    live(world, dict.fromkeys(range(30)), ticks=[*range(1, 31, 3), 31, 40], ahead=10)
    assert world.changes() == []
    for minute in range(1, 31):
        idle = world.standing(world.slo, minute)
        assert (idle.state, idle.counts, idle.sli) == ("ok", quiet.counts, quiet.sli)
        assert idle.error_budget_remaining == quiet.error_budget_remaining
        assert not any(condition.met for condition in idle.conditions)
    after = world.standing(world.slo, 40)
    assert (after.state, after.counts.bad) == ("ok", quiet.counts.bad)
    assert after.counts.total == quiet.counts.total + 10 * RATE
