from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.burn_rate import signals_of
from alerts.decide import decide
from alerts.summary import percent
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.indicator import FasterThan, Matches, NotError, SpanIndicator
from slo.model import EventCounts
from slo.predicate_parser import parse_predicate
from slo.standard_policy import standard_policy
from slo.wording import percent_of_target, span_of_time

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _slo(indicator, target="0.999"):
    draft = replace(drafts("checkout", "")[0], indicator=indicator, target=Decimal(target), draft=False)
    return replace(draft, policy=standard_policy(draft.target, draft.period).policy)


def _page(slo, hour, five_minutes):
    counts = dict.fromkeys(needed_windows(slo, NOW), EventCounts(10**6, 10**6))
    counts |= {timedelta(hours=1): hour, timedelta(minutes=5): five_minutes}
    return signals_of(slo, evaluate(slo, counts, end=NOW, coverage=1.0))[0]


def test_a_summary_says_what_is_broken_how_badly_and_against_which_promise():
    slo = _slo(SpanIndicator("checkout", None))
    signal = _page(slo, EventCounts(34_000, 36_000), EventCounts(2781, 3000))
    summary = decide(None, signal, NOW).summary
    assert summary == "7.3 % of requests to checkout failed in the last 5 minutes (219 of 3,000); objective 99.9 %"


@pytest.mark.parametrize(
    ("indicator", "words"),
    [
        (SpanIndicator("checkout", "prod", ("server",)), "requests to checkout in prod failed"),
        (SpanIndicator("checkout", None, ("client",), good=NotError()), "calls from checkout failed"),
        (
            SpanIndicator("checkout", None, good=FasterThan(1_500_000)),
            "requests to checkout took longer than 1.5 ms in the last 5 minutes",
        ),
        (
            SpanIndicator("shop", None, filter=parse_predicate('http.route = "/pay"')),
            """requests to shop with http.route = "/pay" failed""",
        ),
        (SpanIndicator("shop", None, good=Matches(parse_predicate("a = 1"))), "requests to shop were not good"),
    ],
)
def test_a_summary_names_what_was_counted(indicator, words):
    signal = _page(_slo(indicator), EventCounts(0, 100), EventCounts(0, 10))
    assert decide(None, signal, NOW).summary.startswith(f"100 % of {words}")


@pytest.mark.parametrize(
    ("hour", "doubt"),
    [
        (EventCounts(60, 62), "; few events: 95 % sure only that the last hour burned at least 11x"),
        (EventCounts(6000, 6200), ""),
        (EventCounts(50, 62), ""),
    ],
    ids=["few events", "the same share of many", "few events of which many are bad"],
)
def test_a_summary_says_how_sure_the_burn_rate_is_where_events_are_few(hour, doubt):
    signal = _page(_slo(SpanIndicator("checkout", None)), hour, EventCounts(4, 5))
    assert decide(None, signal, NOW).summary == (
        f"20 % of requests to checkout failed in the last 5 minutes (1 of 5); objective 99.9 %{doubt}"
    )


def test_a_resolved_summary_shows_the_numbers_that_ended_it():
    slo = _slo(SpanIndicator("checkout", None))
    fired = decide(None, _page(slo, EventCounts(0, 100), EventCounts(0, 10)), NOW)
    calm = _page(slo, EventCounts(0, 100), EventCounts(4999, 5000))
    assert decide(fired, calm, NOW + timedelta(minutes=1)).summary == (
        "checkout availability recovered: 0.02 % of requests to checkout failed in the last 5 minutes (1 of 5,000); "
        "objective 99.9 %"
    )


@given(st.integers(1, 10**12).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_percentage_is_near_the_truth_and_never_0_or_100_when_it_is_not(pair):
    part, whole = pair
    shown = float(percent(part, whole).removesuffix(" %"))
    assert (shown == 0) == (part == 0)
    assert (shown == 100) == (part == whole)
    assert shown == pytest.approx(100 * part / whole, rel=0.06)


@pytest.mark.parametrize(("target", "text"), [("0.999", "99.9 %"), ("0.95", "95 %"), ("0.99995", "99.995 %")])
def test_a_target_is_shown_exactly(target, text):
    assert percent_of_target(Decimal(target)) == text


@pytest.mark.parametrize(("minutes", "words"), [(1, "minute"), (90, "90 minutes"), (120, "2 hours"), (4320, "3 days")])
def test_a_window_is_shown_in_words(minutes, words):
    assert span_of_time(timedelta(minutes=minutes)) == words
