"""What must hold for every history of requests, by the pure functions."""

from hypothesis import given
from hypothesis import strategies as st

from tests.slo_objective import objective, read
from tests.unit.slo_history import History

SLO = read(objective(target="0.99", window="7d"))
BETTER_FIRST = ("ok", "at_risk", "burning", "exhausted")

# stretches of equal minutes reach every window with few numbers
stretches = st.lists(st.tuples(st.integers(1, 700), st.integers(0, 300), st.integers(0, 30)), min_size=1, max_size=8)


def minutes_of(drawn):
    return [(good, bad) for length, good, bad in drawn for _ in range(length)]


@given(stretches, st.integers(2, 1000))
def test_burn_rates_states_and_alerts_are_the_same_for_any_amount_of_traffic(drawn, k):
    minutes = minutes_of(drawn)
    history, busier = History(minutes), History([(good * k, bad * k) for good, bad in minutes])
    before, after = history.judge(SLO, len(minutes)), busier.judge(SLO, len(minutes))
    assert (after.sli, after.error_budget_remaining) == (before.sli, before.error_budget_remaining)
    assert (after.burn_rates, after.state) == (before.burn_rates, before.state)
    instants = range(0, len(minutes) + 1, 60)
    assert busier.changes(SLO, instants) == history.changes(SLO, instants)


@given(stretches, st.data())
def test_one_more_failure_makes_nothing_look_better(drawn, data):
    minutes = minutes_of(drawn)
    served = [number for number, (good, _) in enumerate(minutes) if good]
    if not served:
        return
    spoilt = data.draw(st.sampled_from(served))
    worse = list(minutes)
    worse[spoilt] = (minutes[spoilt][0] - 1, minutes[spoilt][1] + 1)
    at = data.draw(st.integers(spoilt + 1, len(minutes)))
    before, after = (History(each).judge(SLO, at) for each in (minutes, worse))
    assert after.counts.bad == before.counts.bad + 1
    assert after.sli < before.sli
    assert after.error_budget_remaining < before.error_budget_remaining
    for window, rate in before.burn_rates.items():
        assert (rate is None) == (after.burn_rates[window] is None)
        assert rate is None or after.burn_rates[window] >= rate
    assert all(late.met >= early.met for early, late in zip(before.conditions, after.conditions, strict=True))
    if {before.state, after.state} <= set(BETTER_FIRST):
        assert BETTER_FIRST.index(after.state) >= BETTER_FIRST.index(before.state)


@given(stretches)
def test_a_window_is_the_sum_of_its_minutes_whatever_else_is_known(drawn):
    minutes = minutes_of(drawn)
    found = History(minutes).judge(SLO, len(minutes))
    hour = minutes[-60:]
    assert (found.hour.good, found.hour.bad) == tuple(map(sum, zip(*hour, strict=True)))
    assert History(hour).judge(SLO, len(hour)).burn_rates["1h"] == found.burn_rates["1h"]
    older = History([(7, 7)] * 60 + minutes, first=-60).judge(SLO, len(minutes))
    short = [window for window in ("5m", "1h") if len(minutes) >= 60]
    assert all(older.burn_rates[window] == found.burn_rates[window] for window in short)
