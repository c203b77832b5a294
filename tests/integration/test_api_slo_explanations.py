"""Why a budget is where it is, from stored spans to the typed client."""

from datetime import UTC, datetime, timedelta

import pytest

from api.client import ApiClient, ApiError
from evaluator.minutes import MinuteCounter
from slo.draft import drafts
from storage.sli_minutes import SliMinute, write_minutes
from tests.integration.test_api_routes import serving

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
AVAILABILITY, LATENCY = drafts("checkout", "prod")


@pytest.fixture
def slos(tmp_path):
    return tmp_path / "slos"


@pytest.fixture
def api(database, slos):
    with serving(database, slos) as server, ApiClient(f"http://127.0.0.1:{server.port}", timeout_s=30) as found:
        yield found


@pytest.fixture
def outage(database, store, shop):
    """Ten failures of payments among fifty checkouts, counted."""
    for at in range(50):
        shop.checkout(at_ms=at * 1000, failing="payments" if at % 5 == 0 else None)
    store(database, *shop.bodies(environment="prod"))
    MinuteCounter(database, raw_retention=timedelta(days=14)).update([AVAILABILITY, LATENCY], datetime.now(UTC))


@pytest.mark.usefixtures("outage")
def test_an_explanation_charges_every_bad_request_and_shows_their_traces(api):
    found = api.slo_explanation(AVAILABILITY.id, window_s=7200)
    assert (found.bad, found.total, found.looked_at, found.sampled) == (10, 50, 10, False)
    assert [(item.service, item.operation, item.share, item.requests) for item in found.spenders] == [
        ("payments", "charge", 1.0, 10)
    ]
    assert found.summary == "100 % payments charge"
    assert {item.operation for item in found.traces} == {"charge"}
    trace = api.trace(found.traces[0].trace_id)
    assert [span.error for span in trace.spans if span.span_id == found.traces[0].span_id] == [True]


@pytest.mark.usefixtures("outage")
def test_a_window_without_bad_requests_explains_nothing(api):
    found = api.slo_explanation(LATENCY.id, window_s=7200)
    assert (found.bad, found.total, found.spenders, found.differences, found.traces) == (0, 50, [], [], [])


@pytest.mark.usefixtures("outage")
def test_a_forecast_goes_on_as_lately_and_says_when_an_overspent_budget_comes_back(api):
    day = api.slo_forecast(AVAILABILITY.id)[2]
    assert (day.scenario, day.span_s) == ("last 24 h", 86400)
    now = datetime.now(UTC)
    assert now - timedelta(minutes=3) < day.exhausted_at < now, "a fifth failed: it is spent already"
    assert day.bad_per_minute / day.total_per_minute == pytest.approx(0.2)
    assert day.curve[0].error_budget_remaining == pytest.approx(1 - 0.2 / 0.001)
    assert api.slo_forecast(LATENCY.id)[0].exhausted_at is None


def test_the_list_says_when_a_budget_runs_out_under_the_last_hours_burn(database, store, shop, api):
    """1 % of a thousand a minute were bad for 75 minutes, after 29 days of good traffic at the same rate."""
    for at in range(3):
        shop.request(at_ms=at)
    store(database, *shop.bodies(environment="prod"))
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    series = AVAILABILITY.indicator.series_id
    past = [SliMinute(series, now - n * MINUTE, 1000 - (10 if n < 75 else 0), 1000, 1000) for n in range(29 * 1440)]
    write_minutes(database, past, revision=1)
    item = api.slo(AVAILABILITY.id)
    assert item.forecast
    left_h = (item.runs_out_at - item.as_of) / timedelta(hours=1)
    # 0.1 % of the month's 43.2 M is 43,200; about 740 of it are gone, 600 an hour go
    assert 70 < left_h < 71
    assert api.slos()[0].runs_out_at is not None


@pytest.mark.usefixtures("outage")
def test_an_objective_tells_how_fast_it_surely_burns(api):
    """Wilson's one-sided lower bound of 10 bad among 50 is 12.4 %."""
    found = api.slo(AVAILABILITY.id)
    assert (found.burn_rate_at_least, found.surely_burning) == (pytest.approx(123.6, rel=0.01), True)
    calm = api.slo(LATENCY.id)
    assert (calm.burn_rate_at_least, calm.surely_burning) == (0, False)


@pytest.mark.usefixtures("outage")
def test_adopting_a_draft_writes_its_file_once_and_ends_its_life_as_a_draft(api, slos):
    adopted = api.adopt_slo(AVAILABILITY.id)
    assert adopted.path == str(slos / f"{AVAILABILITY.id}.yaml")
    assert (slos / f"{AVAILABILITY.id}.yaml").read_text() == adopted.text
    assert api.slo(AVAILABILITY.id).draft is False
    with pytest.raises(ApiError, match="is no draft: it is written in"):
        api.adopt_slo(AVAILABILITY.id)
    (slos / f"{LATENCY.id}.yaml").write_text("")
    with pytest.raises(ApiError, match="is there already; edit it, or remove it first"):
        api.adopt_slo(LATENCY.id)
