"""The replay decides as a tick a minute would, in a fraction of the time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.burn_rate import signals_of
from alerts.decide import decide
from alerts.replay import replay
from slo.budgeting import Freshness, Occurrences, Throughput, Timeslices
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.minute_history import MinuteHistory
from slo.model import EventCounts
from slo.policy import NO_POLICY, AlertPolicy, BurnRatePair, ObjectiveBreach
from slo.slices import last_end, slice_counts, slice_length
from slo.window import CalendarWindow, RollingWindow

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DELAY = timedelta(seconds=10)
PAGE = BurnRatePair(5 * MINUTE, MINUTE, Fraction(72, 10), "page")
PAGES = (PAGE, BurnRatePair(10 * MINUTE, 2 * MINUTE, Fraction(3), "page"))
TICKET = ObjectiveBreach(20 * MINUTE, 5 * MINUTE, "ticket")
SLO = replace(
    drafts("checkout", "prod")[0],
    target=Decimal("0.9"),
    window=RollingWindow(30 * MINUTE),
    policy=AlertPolicy("test", (*PAGES, TICKET)),
)
SILENT, FINE, BAD = EventCounts(0, 0), EventCounts(20, 20), EventCounts(2, 20)


def replayed(slo, minutes, start=0):
    pairs = [(NOON + index * MINUTE, counts) for index, counts in enumerate(minutes)]
    known = MinuteHistory(pairs, NOON, NOON + len(minutes) * MINUTE, budgeting=slo.budgeting)
    return replay(slo, known, NOON + start * MINUTE, known.end, delay=DELAY)


def ticked(slo, minutes, start=0):
    """Return what a tick after every minute decides: the live evaluation, step by step, with nothing left out."""
    memories, found = {}, []
    for index in range(start + 1, len(minutes) + 1):
        now = NOON + index * MINUTE + DELAY
        for signal in signals_of(slo, evaluated(slo, minutes[:index])):
            change = decide(memories.get(signal.severity), signal, now, signal.timing)
            if change is not None:
                memories[signal.severity] = change
                found.append(change)
    return found


def evaluated(slo, minutes):
    """Return where *slo* stands after *minutes*: windows of slices end with the last one that is over."""
    held = {NOON + index * MINUTE: counts for index, counts in enumerate(minutes)}
    events = isinstance(slo.budgeting, Occurrences)
    length = MINUTE if events else slice_length(slo.budgeting)
    end = last_end(NOON + len(minutes) * MINUTE, length)
    counts = {}
    for window in needed_windows(slo, end):
        since = end - max(window, length)
        inside = (events for at, events in held.items() if since <= at < end)
        counts[window] = sum(inside, SILENT) if events else slice_counts(held, slo.budgeting, since, end)
    known = [at for at, counted in held.items() if counted.total]
    observed = max(end - min(known), 0 * MINUTE) if known else None
    return evaluate(slo, counts, end=end, coverage=1.0, observed=observed)


LEVELS = st.one_of(
    st.just(SILENT), st.just(FINE), st.just(BAD), st.integers(0, 20).map(lambda good: EventCounts(good, 20))
)
RUNS = st.lists(st.tuples(LEVELS, st.integers(1, 15)), min_size=1, max_size=12).map(
    lambda runs: [counts for counts, length in runs for _ in range(length)]
)


@given(RUNS, st.integers(0, 5), st.sampled_from([0, 25]), st.sampled_from([0, 15]))
def test_it_decides_exactly_as_a_tick_after_every_minute(minutes, start, min_total, min_bad):
    slo = replace(SLO, min_total=min_total, min_bad=min_bad)
    start = min(start, len(minutes))
    assert list(replayed(slo, minutes, start).transitions) == ticked(slo, minutes, start)


BUDGETINGS = [
    Timeslices(Decimal("0.8")),
    Timeslices(Decimal("0.8"), 5 * MINUTE, "good"),
    Timeslices(Decimal("0.8"), 5 * MINUTE, "bad"),
    Timeslices(Decimal("0.8"), 10 * MINUTE),
    Throughput(15, 2 * MINUTE),
    Freshness(4 * MINUTE),
]


@given(RUNS, st.integers(0, 5), st.sampled_from(BUDGETINGS))
def test_it_does_so_for_slices_of_time_too(minutes, start, budgeting):
    slo = replace(SLO, budgeting=budgeting, target=Decimal("0.8"))
    start = min(start, len(minutes))
    assert list(replayed(slo, minutes, start).transitions) == ticked(slo, minutes, start)


@given(RUNS, st.integers(0, 4), st.integers(0, 4), st.sampled_from([Occurrences(), *BUDGETINGS[:4]]))
def test_it_does_so_with_delays_and_for_alerts_that_flap(minutes, pending_for, keep_firing_for, budgeting):
    waits = {"alert_for": pending_for * MINUTE, "keep_firing_for": keep_firing_for * MINUTE}
    slo = replace(SLO, budgeting=budgeting, target=Decimal("0.8"), **waits)
    assert list(replayed(slo, minutes).transitions) == ticked(slo, minutes)


def test_four_short_outages_in_an_hour_are_four_episodes_of_which_the_last_is_held():
    slo = replace(SLO, policy=AlertPolicy("test", (ObjectiveBreach(5 * MINUTE, MINUTE, "page"),)))
    found = replayed(slo, [FINE] * 10 + ([BAD] + [FINE] * 5) * 4 + [FINE] * 40)
    ends = [(item.fired.at - NOON, item.resolved.at - NOON) for item in found.episodes]
    assert [(fired // MINUTE, ended // MINUTE) for fired, ended in ends] == [(11, 12), (17, 18), (23, 24), (29, 60)]
    assert [item.fired.flapping for item in found.episodes] == [False, False, False, True]


def test_an_alert_that_never_came_further_than_pending_is_no_episode():
    slo = replace(SLO, policy=AlertPolicy("test", (ObjectiveBreach(5 * MINUTE, MINUTE, "page"),)), alert_for=3 * MINUTE)
    found = replayed(slo, [FINE] * 10 + [BAD] * 2 + [FINE] * 10 + [BAD] * 6 + [FINE] * 10)
    assert [item.state for item in found.transitions] == ["pending", "resolved", "pending", "firing", "resolved"]
    ((fired, resolved),) = [(item.fired.at, item.resolved.at) for item in found.episodes]
    assert (fired, resolved) == (NOON + 26 * MINUTE + DELAY, NOON + 29 * MINUTE + DELAY)
    assert found.episodes[0].budget_spent == pytest.approx(6 * 18 / (0.1 * 29 * 20))


@given(RUNS)
def test_it_does_so_for_calendar_windows_too(minutes):
    slo = replace(SLO, window=CalendarWindow("day", 1, NOON.replace(tzinfo=None, hour=0), "UTC"))
    assert list(replayed(slo, minutes).transitions) == ticked(slo, minutes)


def test_the_episode_of_an_outage_says_when_how_fast_and_what_it_cost():
    slo = replace(SLO, policy=AlertPolicy("test", (PAGE,)))
    (episode,) = replayed(slo, [FINE] * 20 + [BAD] * 6 + [FINE] * 4).episodes
    assert episode.resolved is not None
    assert (episode.fired.at, episode.resolved.at) == (NOON + 25 * MINUTE + DELAY, NOON + 27 * MINUTE + DELAY)
    assert episode.peak_burn_rate == 9.0
    assert episode.budget_spent == pytest.approx(6 * 18 / (0.1 * 27 * 20))


def test_an_alert_that_is_still_firing_at_the_end_has_none():
    found = replayed(replace(SLO, policy=AlertPolicy("test", (PAGE,))), [FINE] * 10 + [BAD] * 9)
    assert [item.resolved for item in found.episodes] == [None]
    assert found.episodes[0].budget_spent == pytest.approx(9 * 18 / (0.1 * 19 * 20))


def test_silence_ends_no_alert():
    found = replayed(replace(SLO, policy=AlertPolicy("test", (PAGE,))), [BAD] * 9 + [SILENT] * 20)
    assert [item.state for item in found.transitions] == ["firing"]


def test_what_was_before_the_start_counts_in_windows_but_is_not_decided_on():
    slo = replace(SLO, policy=AlertPolicy("test", (PAGE,)))
    minutes = [BAD] * 9 + [FINE] * 20
    assert next(item.at for item in replayed(slo, minutes).transitions) == NOON + 5 * MINUTE + DELAY
    assert next(item.at for item in replayed(slo, minutes, 5).transitions) == NOON + 6 * MINUTE + DELAY
    assert replayed(slo, minutes, 12).transitions == ()


def test_an_objective_without_policy_sends_nothing():
    assert replayed(replace(SLO, policy=NO_POLICY), [BAD] * 50).transitions == ()
