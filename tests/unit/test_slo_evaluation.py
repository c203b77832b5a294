from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.draft import drafts
from slo.duration import parse_duration
from slo.errors import MissingWindow
from slo.evaluation import evaluate, needed_windows, window_bounds
from slo.model import EventCounts
from slo.policy import NO_POLICY, SEVERITIES
from slo.policy_text import read_policy
from slo.standard_policy import standard_policy

DRAFT = drafts("checkout", "prod")[0]
SLO = replace(DRAFT, draft=False, policy=standard_policy(DRAFT.target, DRAFT.period).policy)
END = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
CLEAN = EventCounts(10_000, 10_000)
NOTHING = EventCounts(0, 0)
MONTH = EventCounts(10_000_000, 10_000_000)


def _counts(slo=SLO, *, rest=CLEAN, **windows):
    """Counts of every needed window: *rest*, but for those named, such as `d30=...` or `h1=...`."""
    found = dict.fromkeys(needed_windows(slo, END), rest) | {timedelta(days=30): MONTH}
    return found | {parse_duration(name[1:] + name[0]): counts for name, counts in windows.items()}


def _bad(bad, total=10_000):
    return EventCounts(total - bad, total)


def test_the_needed_windows_are_the_objectives_own_the_shown_ones_and_those_of_the_policy():
    expected = {parse_duration(text) for text in ("30d", "5m", "30m", "1h", "2h", "6h", "1d", "3d")}
    assert needed_windows(SLO, END) == needed_windows(DRAFT, END) == expected
    breach = replace(SLO, policy=read_policy("objective-breach", "5m/1m page", SLO.target, SLO.period).policy)
    assert needed_windows(breach, END) == {parse_duration(text) for text in ("30d", "1m", "5m", "1h", "6h", "1d", "3d")}


def test_a_missing_window_is_named():
    counts = _counts()
    del counts[timedelta(hours=6)]
    with pytest.raises(MissingWindow, match="needs the counts of 6h as well"):
        evaluate(SLO, counts, end=END, coverage=1.0)


def test_the_numbers_are_those_of_the_objectives_window():
    result = evaluate(SLO, _counts(d30=_bad(2_500, 10_000_000), m5=_bad(20), h6=NOTHING), end=END, coverage=1.0)
    assert (result.sli, result.error_budget_remaining) == (0.99975, 0.75)
    assert result.counts == _bad(2_500, 10_000_000)
    assert result.hour == CLEAN
    assert result.burn_rates == {
        "5m": 2.0,
        "30m": 0.0,
        "1h": 0.0,
        "2h": 0.0,
        "6h": None,
        "1d": 0.0,
        "3d": 0.0,
    }
    assert list(result.burn_rates) == ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]


@pytest.mark.parametrize(
    ("windows", "state"),
    [
        ({}, "ok"),
        ({"d30": _bad(7_500, 10_000_000)}, "ok"),
        ({"d30": _bad(7_501, 10_000_000)}, "at_risk"),
        ({"d30": _bad(9_999, 10_000_000)}, "at_risk"),
        ({"d30": _bad(10_000, 10_000_000)}, "exhausted"),
        ({"h1": _bad(145), "m5": _bad(145)}, "burning"),
        ({"h1": _bad(144), "m5": _bad(145)}, "ok"),
        ({"h1": _bad(145), "m5": _bad(144)}, "ok"),
        ({"h1": _bad(145), "m5": NOTHING}, "ok"),
        ({"d30": _bad(9_999, 10_000_000), "h1": _bad(145), "m5": _bad(145)}, "burning"),
        ({"d30": _bad(10_000, 10_000_000), "h1": _bad(145), "m5": _bad(145)}, "exhausted"),
        ({"h1": NOTHING, "m5": NOTHING}, "no_traffic"),
        ({"h1": NOTHING, "m5": NOTHING, "d30": _bad(9_999, 10_000_000)}, "at_risk"),
        ({"h1": NOTHING, "m5": NOTHING, "d30": _bad(10_000, 10_000_000)}, "exhausted"),
        ({"h1": NOTHING, "m5": NOTHING, "d3": _bad(11), "h6": _bad(11)}, "burning"),
    ],
)
def test_bad_news_comes_first_and_silence_replaces_only_ok(windows, state):
    assert evaluate(SLO, _counts(**windows), end=END, coverage=1.0).state == state


def test_without_any_event_the_state_tells_a_silent_service_from_one_that_is_gone():
    nothing = dict.fromkeys(needed_windows(SLO, END), NOTHING)
    gone = evaluate(SLO, nothing, end=END, coverage=0.0)
    assert (gone.state, gone.sli, gone.error_budget_remaining) == ("no_data", None, None)
    assert set(gone.burn_rates.values()) == {None}
    assert evaluate(SLO, nothing, end=END, coverage=0.0, seen_recently=True).state == "no_traffic"


def test_a_draft_is_judged_by_the_standard_pairs_but_has_no_condition_that_could_page():
    result = evaluate(DRAFT, _counts(DRAFT, h1=_bad(145), m5=_bad(145)), end=END, coverage=1.0)
    assert (result.state, result.conditions) == ("burning", ())


def test_an_objective_breach_burns_when_both_windows_are_below_the_target():
    policy = read_policy("objective-breach", "5m/1m page", SLO.target, SLO.period).policy
    breach = replace(SLO, policy=policy)
    below, at_target = _bad(11), _bad(10)
    states = [
        evaluate(breach, _counts(breach, m5=long, m1=short), end=END, coverage=1.0).state
        for long, short in ((below, below), (below, at_target), (at_target, below))
    ]
    assert states == ["burning", "ok", "ok"]


def test_a_condition_without_events_in_either_window_has_no_data():
    result = evaluate(SLO, _counts(m5=NOTHING, h1=_bad(500)), end=END, coverage=1.0)
    page = result.conditions[0]
    assert (page.met, page.has_data, page.long, page.short) == (False, False, _bad(500), NOTHING)
    assert result.conditions[1].has_data


def test_what_was_not_observed_of_a_window_is_taken_as_traffic_without_errors():
    counts = _counts(h1=_bad(864), m5=_bad(864))
    late, early = (
        evaluate(SLO, counts, end=END, coverage=0.1, observed=timedelta(minutes=minutes)).conditions[0].met
        for minutes in (11, 10)
    )
    assert (late, early) == (True, False), "864 of 10,000 in 10 minutes are 864 of 60,000 in an hour: burn rate 14.4"
    hidden = evaluate(SLO, counts, end=END, coverage=0.0, observed=timedelta(0))
    assert not hidden.conditions[0].met


def test_less_than_full_coverage_is_provisional():
    assert evaluate(SLO, _counts(), end=END, coverage=0.99).provisional
    assert not evaluate(SLO, _counts(), end=END, coverage=1.0).provisional


@pytest.mark.parametrize(("total", "low"), [(999, True), (1000, False)])
def test_a_budget_of_less_than_one_event_is_low_confidence(total, low):
    result = evaluate(SLO, _counts(d30=EventCounts(total, total)), end=END, coverage=1.0)
    assert result.low_confidence is low


def test_a_pair_that_cannot_fire_for_the_target_does_not_burn():
    loose = replace(DRAFT, target=Decimal("0.5"))
    everything_fails = dict.fromkeys(needed_windows(loose, END), _bad(10_000)) | {timedelta(days=30): MONTH}
    assert evaluate(loose, everything_fails, end=END, coverage=1.0).state == "burning"  # by the pair with factor 1
    assert len(standard_policy(loose.target, loose.period).policy.conditions) == 1


counts_strategy = st.tuples(st.integers(0, 5000), st.integers(0, 500)).map(lambda p: EventCounts(p[0], sum(p)))


@given(st.lists(counts_strategy, min_size=8, max_size=8), st.integers(2, 50))
def test_ten_times_the_traffic_changes_no_verdict(drawn, k):
    counts = dict(zip(sorted(needed_windows(SLO, END)), drawn, strict=True))
    scaled = {window: EventCounts(c.good * k, c.total * k) for window, c in counts.items()}
    before, after = (evaluate(SLO, given, end=END, coverage=1.0) for given in (counts, scaled))
    assert before.state == after.state
    assert before.burn_rates == after.burn_rates
    assert [c.met for c in before.conditions] == [c.met for c in after.conditions]


@given(st.datetimes(timezones=st.just(UTC)), st.integers(1, 50_000), st.integers(0, 600))
def test_a_window_is_whole_minutes_and_ends_before_now_minus_lateness(now, minutes, lateness_s):
    if now < datetime(2000, 1, 1, tzinfo=UTC):
        now = now.replace(year=2000)
    window, lateness = timedelta(minutes=minutes), timedelta(seconds=lateness_s)
    start, end = window_bounds(now, window, lateness)
    assert end - start == window
    assert (end.second, end.microsecond) == (0, 0)
    assert timedelta(0) <= now - lateness - end < timedelta(minutes=1)


def test_every_severity_of_the_standard_policy_is_known():
    assert {c.severity for c in SLO.policy.conditions} == set(SEVERITIES)
    assert NO_POLICY.windows == frozenset()
