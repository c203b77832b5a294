"""The release judge over the API and the real engine: who served when is read from stored spans."""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from api.client import ApiError
from chaos.releases.asking import NotJudgedError
from chaos.releases.judgement import Asked
from chaos.releases.waiting import judge_release
from evaluator.minutes import MinuteCounter
from ninelives.cli import main
from storage.slo_catalog import SloCatalog
from tests.integration.chaos_api import api_over

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC).replace(microsecond=0)
ASKED = Asked("shop", "1.8.1", "1.8.2", min_samples=50)
SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: shop-{name}}}
spec:
  service: shop
  indicator:
    metadata: {{name: shop-{name}}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: spans, spec: {{service: shop, kind: server, {more}good: {good}}}}}}}
        total: {{metricSource: {{type: spans, spec: {{service: shop, kind: server{all}}}}}}}
  timeWindow: [{{duration: 1d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: a, target: {target}}}]
"""


def ago(minutes):
    return NOW - minutes * MINUTE


@pytest.fixture
def folder(tmp_path):
    texts = {
        "availability": SLO.format(name="availability", good="not error", target=0.95, more="", all=""),
        "latency": SLO.format(name="latency", good="duration_ms <= 100", target=0.9, more="", all=""),
        "pay": SLO.format(
            name="pay", good="not error", target=0.95, more="filter: 'http.route = \"/pay\"', ",
            all=", filter: 'http.route = \"/pay\"'",
        ),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def api(database, folder):
    with api_over(database, [folder]) as found:
        yield found


@pytest.fixture
def serve(database, store, otlp):
    """Return a function that stores requests of one version, evenly from *start* to *end* minutes ago."""

    def requests(version, start, end, *, total=200, bad=0, slow=0, now=NOW, **identity):
        step = (start - end) * MINUTE / total
        spans = []
        for number in range(total):
            late = slow and number % (total // slow) == 1
            failed = bad and number % (total // bad) == 0
            at = otlp.ns(now - start * MINUTE + number * step)
            spans.append(otlp.span(start_ns=at, status=2 * failed, duration_ns=10**9 if late else 10**7))
        store(database, otlp.traces(*spans, service="shop", version=version, **identity))

    return requests


def judged(api, asked=ASKED, now=NOW):
    return judge_release(api, asked, clock=lambda: now, sleep=lambda _: None)


def test_versions_in_steps_tell_who_served_when_to_the_request(api, serve):
    serve("1.8.1", 10, 0, total=600)
    serve("1.8.2", 2, 1, total=60)
    asked = {"start": ago(10), "end": NOW, "service": "shop"}
    steps = api.versions(**asked, step_s=60)
    assert sum(step.requests for step in steps) == 660
    assert [step.first_at for step in steps] == sorted((step.first_at for step in steps), reverse=True)
    new = [step for step in steps if step.version == "1.8.2"]
    assert (min(step.first_at for step in new), max(step.last_at for step in new)) == (
        ago(2), ago(1) - timedelta(seconds=1),
    )  # fmt: skip
    assert all(step.first_at.minute == step.last_at.minute for step in steps)
    with pytest.raises(ApiError, match="in steps it is at most"):
        api.versions(start=NOW - timedelta(hours=25), end=NOW, service="shop", step_s=60)


def test_versions_that_serve_at_the_same_time_are_compared_in_the_same_minutes(api, serve):
    serve("1.8.1", 60, 0, total=1200, bad=12)
    serve("1.8.2", 20, 0, total=400, bad=4)
    found = judged(api)
    assert (found.verdict, found.comparison, found.exit_code) == ("held", "concurrent", 0)
    assert found.deployed_at == ago(20)
    availability = next(item for item in found.findings if item.sli == "availability")
    assert availability.control_total == pytest.approx(400, abs=5), "what served before the new version is not counted"
    assert availability.margin == pytest.approx(0.05)
    assert all(check.ok for check in found.checks)
    assert found.notes == ["left out: shop-pay; versions are compared by failed and slow requests of the whole service"]


def test_a_version_that_fails_beside_the_old_one_deviates_and_its_cost_is_told(api, database, folder, serve):
    serve("1.8.1", 60, 0, total=1200, bad=12)
    serve("1.8.2", 20, 0, total=400, bad=100)
    slos = list(SloCatalog([folder]).load(database, NOW).slos.values())
    MinuteCounter(database, raw_retention=timedelta(days=14)).update(slos, datetime.now(UTC) + MINUTE)
    found = judged(api)
    assert (found.verdict, found.comparison, found.exit_code) == ("deviated", "concurrent", 1)
    assert (found.findings[0].sli, found.findings[0].verdict) == ("availability", "deviated")
    assert found.findings[1].verdict == "held", "it is no slower"
    assert found.findings[1].p95_difference_high_ms == pytest.approx(0)
    assert len(found.exemplars) == 3
    cost = next(item for item in found.budget if item.slo_id == "shop-availability")
    # 1,600 requests in the window allow 80 bad ones; 1 % of the new version's 400 would have failed anyway
    assert cost.bad == 100
    assert cost.organic_bad == pytest.approx(4, abs=1)
    assert cost.chaos_share == pytest.approx(96 / 80, abs=0.05)


def test_a_version_that_is_slow_beside_the_old_one_deviates(api, serve):
    serve("1.8.1", 30, 0, total=600)
    serve("1.8.2", 20, 0, total=400, slow=200)
    found = judged(api)
    assert found.verdict == "deviated"
    assert (found.findings[0].sli, found.findings[0].threshold_ms) == ("latency", 100)


@pytest.mark.parametrize(("bad", "verdict"), [(2, "held"), (40, "deviated")])
def test_versions_one_after_the_other_are_compared_over_equal_windows_and_labelled(api, serve, bad, verdict):
    serve("1.8.1", 50, 10, total=800, bad=8)
    serve("1.8.2", 10, 0, total=200, bad=bad)
    found = judged(api)
    assert (found.verdict, found.comparison) == (verdict, "before/after")
    assert "weaker" in found.why
    old, new = ((each.started_at, each.ended_at) for each in found.windows)
    assert old[1] - old[0] == new[1] - new[0]
    assert old[1] <= new[0] == ago(10)
    assert next(item for item in found.findings if item.sli == "availability").control_total == pytest.approx(
        200, abs=5
    )


def test_too_few_requests_decide_nothing_and_it_is_said_how_many_would(api, serve):
    serve("1.8.1", 30, 0, total=600)
    serve("1.8.2", 5, 0, total=20)
    found = judged(api)
    assert (found.verdict, found.exit_code) == ("inconclusive", 3)
    assert "requests in the smaller version, 50 are asked for" in found.findings[0].reason


def test_a_rollback_is_judged_by_the_time_since_it_and_not_since_the_version_was_new(api, serve):
    """1.8.1 was there before and after; the bad 1.8.2 in between."""
    serve("1.8.1", 90, 30, total=600)
    serve("1.8.2", 30, 15, total=200, bad=100)
    serve("1.8.1", 15, 0, total=200)
    back = judged(api, Asked("shop", "1.8.2", "1.8.1", min_samples=50))
    assert (back.verdict, back.comparison, back.deployed_at) == ("held", "before/after", ago(15))
    bad = judged(api)
    assert (bad.verdict, bad.deployed_at) == ("deviated", ago(30)), "what was taken back is still told for bad"
    assert not bad.checks[0].ok


def test_a_good_version_that_was_taken_back_is_not_called_held(api, serve):
    serve("1.8.1", 90, 30, total=900)
    serve("1.8.2", 30, 15, total=300)
    serve("1.8.1", 15, 0, total=300)
    found = judged(api)
    assert found.verdict == "inconclusive"
    assert "taken back, or it died" in found.checks[0].detail
    serve("1.8.3", 14, 0, total=300)
    assert judged(api).verdict == "held", "a newer version took its place"


def test_an_old_version_that_suffers_as_well_makes_good_news_void(api, serve):
    serve("1.8.1", 60, 20, total=800)
    serve("1.8.1", 20, 0, total=400, bad=100)
    serve("1.8.2", 20, 0, total=400, bad=100)
    found = judged(api)
    assert (found.verdict, found.comparison) == ("inconclusive", "concurrent")
    assert "1.8.1 got worse as well since 1.8.2 came (availability)" in found.checks[1].detail


def test_what_is_not_known_is_named_with_what_is(api, serve):
    serve("1.8.1", 30, 0)
    serve("1.8.0", 60, 30)
    with pytest.raises(NotJudgedError, match=r"no version '1\.8\.2' in prod; known: 1\.8\.0, 1\.8\.1") as refusal:
        judged(api, Asked("shop", "1.8.1", "1.8.2", "prod"))
    assert refusal.value.to_come, "it may come"
    with pytest.raises(NotJudgedError, match=r"no version '1\.7'"):
        judged(api, Asked("shop", "1.7", "1.8.1"))
    with pytest.raises(NotJudgedError, match="ghost answered no request in 14 days; services: shop"):
        judged(api, Asked("ghost", "1", "2"))


def test_requests_of_several_environments_are_not_mixed(database, serve):
    serve("1.8.1", 30, 0)
    serve("1.8.2", 15, 0, bad=20, environment="test")
    serve("1.8.2", 15, 0)
    with api_over(database) as api:  # without files there are drafts, one of each environment
        with pytest.raises(NotJudgedError, match="shop runs in prod, test; name one with --environment"):
            judged(api)
        found = judged(api, Asked("shop", "1.8.1", "1.8.2", "prod", margin=0.05))
        assert (found.environment, found.verdict) == ("prod", "held")
        assert {cost.slo_id for cost in found.budget} == {"shop-prod-availability", "shop-prod-latency"}


def test_the_command_tells_verdict_numbers_and_files_and_ends_with_its_code(api, serve, tmp_path):
    now = datetime.now(UTC)
    serve("1.8.1", 60, 0, total=1200, bad=12, now=now)
    serve("1.8.2", 20, 0, total=400, bad=100, now=now)
    address = str(api.base_url).removeprefix("http://")

    def run(*more, to="1.8.2"):
        return CliRunner().invoke(
            main, ["release", "judge", "shop", "--from", "1.8.1", "--to", to, "--api", address, *more]
        )

    junit = tmp_path / "release.xml"
    told = run("--junit", str(junit))
    assert told.exit_code == 1
    assert told.output.startswith("shop, 1.8.1 to 1.8.2: deviated: 1.8.2 is worse than the old version")
    assert "side by side: both versions served for" in told.output
    suite = ET.parse(junit).getroot().find("testsuite")
    assert (suite.get("failures"), suite.get("errors"), suite.get("tests")) == ("1", "0", "4")
    assert json.loads(run("--json").stdout)["verdict"] == "deviated"
    assert run("--min-samples", "9000").exit_code == 3
    assert run("--margin", "0.9").exit_code == 0
    for wrong in (("--window", "7h"), ("--window", "soon"), ("--margin", "1"), ("--min-samples", "0")):
        assert run(*wrong).exit_code == 2
    assert run(to="1.8.1").exit_code == 2
    unknown = run(to="9.9")
    assert (unknown.exit_code, "known: 1.8.1, 1.8.2" in unknown.stderr) == (4, True)
    assert run("--api", "127.0.0.1:9").exit_code == 4, "an API that does not answer is no bad release"
