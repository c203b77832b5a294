"""What objective the past would have met, from stored spans and minutes to the typed client and the command."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from api.client import ApiClient
from ninelives.cli import main
from slo.draft import drafts
from storage.sli_minutes import SliMinute, write_minutes
from tests.integration.test_api_routes import serving

pytestmark = pytest.mark.slow

AVAILABILITY, LATENCY = drafts("checkout", "prod")


@pytest.fixture
def slos(tmp_path):
    return tmp_path / "slos"


@pytest.fixture
def api(database, slos):
    with serving(database, slos) as server, ApiClient(f"http://127.0.0.1:{server.port}", timeout_s=30) as found:
        yield found


def test_a_suggestion_says_what_history_would_have_met(database, store, shop, api):
    for at in range(200):
        shop.request(at_ms=at, ms=40)
    store(database, *shop.bodies(environment="prod"))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [
        SliMinute(LATENCY.indicator.series_id, today - n * timedelta(days=1), 9990, 10_000, 1) for n in range(1, 15)
    ]
    write_minutes(database, days, revision=1)
    found = api.slo_suggestion(LATENCY.id)
    assert (found.target, found.threshold_ms) == (0.999, 50.0)
    assert found.why.startswith("99.9 % was met on 14 of 14 days")
    assert "200 of 200 requests of the last 30 days took at most 50 ms" in found.why


@pytest.fixture
def mixed(database, store, shop):
    """Requests of two routes, one slow, and spans of work that is no request."""
    for at in range(120):
        shop.request(at_ms=at, ms=400)
        shop.request("GET /report", route="/report", at_ms=at, ms=1900)
        shop.span("work", at_ms=at, ms=4)
    store(database, *shop.bodies(environment="prod"))


FILTERED = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: pay-latency}
spec:
  service: checkout
  indicator:
    metadata: {name: pay-latency}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: spans, spec: {WHICH, good: "duration_ms <= 1000"}}}
        total: {metricSource: {type: spans, spec: {WHICH}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: a, target: 0.95}]
"""


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("text", "limit_ms"),
    [("filter: 'http.route = \"/pay\"'", 500), ("kind: server", 2000), ("kind: internal", 5)],
    ids=["a route", "every request", "another kind of span"],
)
def test_a_suggested_limit_is_that_of_the_objectives_own_requests(api, slos, text, limit_ms):
    slos.mkdir()
    (slos / "pay.yaml").write_text(FILTERED.replace("WHICH", text))
    found = api.slo_suggestion("pay-latency")
    assert (found.target, found.threshold_ms) == (None, limit_ms)


def test_a_missing_suggestion_says_what_it_lacks(database, store, shop, api):
    shop.request(ms=40)
    store(database, *shop.bodies(environment="prod"))
    found = api.slo_suggestion(LATENCY.id)
    assert (found.target, found.threshold_ms) == (None, None)
    assert found.why == (
        "no target: it takes 7 days with traffic, and 0 of the last 30 had any; "
        "no limit: 1 requests in the last 30 days are too few"
    )
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    series = LATENCY.indicator.series_id
    write_minutes(
        database, [SliMinute(series, today - n * timedelta(days=1), 5, 5, 1) for n in range(1, 15)], revision=1
    )
    assert "allow one bad event on a day of median traffic; the 14 days with traffic had 70 events" in (
        api.slo_suggestion(LATENCY.id).why
    )


@pytest.mark.usefixtures("mixed")
def test_a_suggestion_is_printed_by_its_command(api, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["slo", "suggest", AVAILABILITY.id, "--api", api.base_url.removeprefix("http://")])
    assert (shown.exit_code, shown.output.splitlines()) == (
        0,
        ["target  none", "no target: it takes 7 days with traffic, and 0 of the last 30 had any"],
    )
    machine = CliRunner().invoke(
        main, ["slo", "suggest", AVAILABILITY.id, "--api", api.base_url.removeprefix("http://"), "--json"]
    )
    assert json.loads(machine.output)["target"] is None
    missing = CliRunner().invoke(main, ["slo", "suggest", "nothing", "--api", api.base_url.removeprefix("http://")])
    assert (missing.exit_code, "no objective 'nothing'" in missing.output) == (1, True)
