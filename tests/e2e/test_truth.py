"""The numbers of the engine are those of Prometheus, of the raw spans and of what was sent."""

from collections import defaultdict

import pytest

from benchmarks.slo_truth import INSTANTS, WINDOWS, measure_truth

EXACT = 1e-9


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return measure_truth(tmp_path_factory.mktemp("truth") / "month")


@pytest.fixture
def by_window(truth):
    found = defaultdict(list)
    for comparison in truth.comparisons:
        found[comparison.window].append(comparison)
    return found


def test_every_sli_and_burn_rate_is_that_of_prometheus(truth, by_window):
    assert {window: len(found) for window, found in by_window.items()} == dict.fromkeys(WINDOWS, INSTANTS)
    worst = max(truth.comparisons, key=lambda found: found.relative_error)
    assert worst.relative_error <= EXACT, worst


def test_every_window_holds_exactly_the_requests_that_were_sent(truth):
    assert truth.unequal_counts == []


def test_the_month_has_what_could_go_wrong(truth, by_window):
    """Idle windows, weeks without an error series, total outage, and errors: or the tests above prove little."""
    slis = {window: [found.ours.sli for found in by_window[window]] for window in WINDOWS}
    for idle in ("5m", "30m", "1h", "6h"):
        assert None in slis[idle]
    assert 0.0 in slis["5m"]
    assert {1.0, None} < set(slis["1h"])
    assert sum(sli == 1.0 for sli in slis["30d"]) >= 3
    for found in by_window.values():
        assert len({comparison.ours.burn_rate for comparison in found}) > INSTANTS // 4
    assert max(comparison.counted[1] for comparison in by_window["30d"]) > 10**6


@pytest.mark.long
def test_the_numbers_stay_exact_with_a_span_every_second(tmp_path):
    truth = measure_truth(tmp_path / "month", spans=2_700_000, seed=2)
    assert truth.spans > 2_500_000
    assert truth.unequal_counts == []
    assert truth.max_relative_error <= EXACT
