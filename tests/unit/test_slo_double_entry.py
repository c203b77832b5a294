"""A counter against spans: what agrees, what was sampled, what was lost."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.confidence import StatisticError
from slo.double_entry import MinuteEntry, compare_entries

minutes = st.lists(st.builds(MinuteEntry, st.integers(0, 5000), st.integers(0, 5000)), max_size=30)


def sampled(requests, share, *, seed=1):
    """Return the minutes of a service whose spans are kept by throwing a die for each request."""
    dice = random.Random(seed)
    return [MinuteEntry(count, sum(dice.random() < share for _ in range(count))) for count in requests]


def test_counts_within_the_tolerance_agree():
    found = compare_entries([MinuteEntry(1000, 990), MinuteEntry(1000, 1000)])
    assert (found.verdict, found.requests, found.spans, found.gap) == ("agrees", 2000, 1990, 0.005)
    assert found.sampled_one_in is None
    assert found.text == "1990 spans for 2000 counted requests: they agree"


def test_the_tolerance_itself_still_agrees_and_one_span_fewer_does_not():
    assert compare_entries([MinuteEntry(1000, 980)]).verdict == "agrees"
    assert compare_entries([MinuteEntry(1000, 979)]).verdict == "lost"
    assert compare_entries([MinuteEntry(1000, 1020)]).verdict == "agrees"
    assert compare_entries([MinuteEntry(1000, 1021)]).verdict == "more spans"
    assert compare_entries([MinuteEntry(1000, 979)], tolerance=Decimal("0.05")).verdict == "agrees"


@pytest.mark.parametrize(("share", "one_in"), [(0.5, 2), (0.1, 10), (0.3, 3.33), (0.01, 100)])
@pytest.mark.parametrize("requests", [[1000] * 60, [3, 2000, 40, 900] * 15])
def test_a_steady_share_is_sampling(share, one_in, requests):
    found = compare_entries(sampled([5 * count for count in requests], share))
    assert found.verdict == "sampled"
    assert found.sampled_one_in == pytest.approx(one_in, rel=0.12)
    assert "sampled, about 1 in " in found.text


def test_sampling_one_in_two_to_the_span():
    found = compare_entries([MinuteEntry(100, 50)] * 10)
    assert found.text == "500 spans for 1000 counted requests, 50 % are missing: sampled, about 1 in 2"


def test_minutes_without_any_spans_are_loss_and_no_sampling():
    """The same half is missing, but in one piece: a collector was away for half an hour."""
    found = compare_entries([MinuteEntry(1000, 1000)] * 30 + [MinuteEntry(1000, 0)] * 31)
    assert found.verdict == "lost"
    assert found.gap == pytest.approx(0.508, abs=0.001)
    assert found.text.endswith("lost on the way or never sent")


def test_sampling_with_an_outage_in_it_is_not_called_sampling():
    steady = sampled([1000] * 60, 0.1)
    assert compare_entries([*steady[:45], *(MinuteEntry(1000, 0) for _ in range(15))]).verdict == "lost"


def test_a_disturbed_minute_in_an_hour_is_still_sampling():
    steady = sampled([1000] * 60, 0.1)
    assert compare_entries([*steady[:59], MinuteEntry(1000, 0)]).verdict == "sampled"


def test_minutes_that_are_cut_at_slightly_different_places_are_still_sampling():
    """At 100,000 a minute chance explains 0.3 %, and the clocks of counter and spans more than that."""
    found = compare_entries([MinuteEntry(100_000, 10_000 + (500 if n % 2 else -500)) for n in range(60)])
    assert found.verdict == "sampled"


def test_a_tenth_missing_is_loss_however_steady():
    assert compare_entries(sampled([1000] * 60, 0.9)).verdict == "lost"


def test_no_spans_at_all_is_loss():
    found = compare_entries([MinuteEntry(1000, 0)] * 60)
    assert (found.verdict, found.gap) == ("lost", 1.0)


def test_a_few_requests_cannot_tell_sampling_from_loss_and_the_text_says_so():
    found = compare_entries([MinuteEntry(2, 2), MinuteEntry(2, 0)] * 30)
    assert found.verdict == "lost"
    assert found.text.endswith("lost, or sampled: too few to tell")


def test_more_spans_than_requests_point_at_the_counter():
    found = compare_entries([MinuteEntry(1000, 1500)])
    assert (found.verdict, found.gap) == ("more spans", -0.5)
    assert "not every request is counted" in found.text
    silent = compare_entries([MinuteEntry(0, 7)])
    assert (silent.verdict, silent.gap) == ("more spans", None)


def test_nothing_counted_on_either_side_is_no_verdict():
    assert compare_entries([]) is None
    assert compare_entries([MinuteEntry(0, 0)] * 5) is None


def test_a_minute_with_more_spans_than_requests_does_not_upset_the_rest():
    found = compare_entries([*[MinuteEntry(300, 30)] * 50, MinuteEntry(10, 60)])
    assert found.verdict == "sampled"
    assert compare_entries([MinuteEntry(300, 0), MinuteEntry(0, 30)] * 20).verdict == "sampled"


@given(minutes)
def test_the_gap_is_what_is_missing_of_the_requests(entries):
    found = compare_entries(entries)
    requests, spans = sum(entry.requests for entry in entries), sum(entry.spans for entry in entries)
    if found is None:
        assert requests == spans == 0
        return
    assert (found.requests, found.spans) == (requests, spans)
    assert found.gap == ((requests - spans) / requests if requests else None)
    expected = {"more spans"} if not requests or spans > 1.02 * requests else {"agrees", "sampled", "lost"}
    assert found.verdict in expected
    assert (found.sampled_one_in is not None) == (found.verdict == "sampled")


@given(minutes, st.integers(1, 50))
def test_a_span_more_never_widens_the_gap(entries, more):
    before, after = (compare_entries([*entries, MinuteEntry(100, extra)]).gap for extra in (0, more))
    assert after < before


@pytest.mark.parametrize("counts", [(-1, 0), (0, -1)])
def test_negative_counts_are_refused(counts):
    with pytest.raises(StatisticError, match="counts are 0 or more"):
        MinuteEntry(*counts)


def test_a_negative_tolerance_is_refused():
    with pytest.raises(StatisticError, match=r"tolerance -0\.01 is negative"):
        compare_entries([], tolerance=Decimal("-0.01"))
