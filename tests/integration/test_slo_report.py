"""The monthly report over stored minutes, alerts, revisions and maintenance."""

from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from api.client import ApiClient, ApiError
from evaluator.revisions import RevisionKeeper
from slo.report import month_bounds
from tests.integration.slo_past import DAY, MINUTE, alert, count, last_minute, objective, serving, slo_of_text

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
TODAY = datetime.now(UTC)
MONTH = f"{TODAY.replace(day=1) - DAY:%Y-%m}"
START, END = month_bounds(MONTH)
LOOSE, SLO = slo_of_text(objective(target="0.8")), slo_of_text(objective())


@pytest.fixture
def api(database, tmp_path):
    (tmp_path / "shop.yaml").write_text(objective(), "utf-8")
    (tmp_path / "other.yaml").write_text(objective("shop-fast", good="duration_ms <= 5"), "utf-8")
    with serving(database, tmp_path) as address, ApiClient(f"http://{address}", timeout_s=60) as found:
        yield found


@pytest.fixture
def month(database, api):
    """Last month: 0.8 promised until the 11th, 0.9 from then on; every tenth day 100 requests."""
    keeper = RevisionKeeper(database, writer="one", author="ada", commit_of=lambda _: "c0ffee")
    keeper.update([LOOSE], START - 9 * DAY)
    keeper.update([SLO], START + 10 * DAY + timedelta(seconds=1))
    counts = {0: (85, 15), 10: (85, 15), 20: (95, 5), 25: (0, 50)}
    minutes = {START + day * DAY: pair for day, pair in counts.items()}
    count(database, SLO, minutes | {START - MINUTE: (0, 99), END: (0, 99)})
    api.add_maintenance(
        m.NewMaintenance(start=START + 25 * DAY, end=START + 25 * DAY + HOUR, reason="move", service="shop")
    )


def item(report, slo_id="shop-availability"):
    return next(slo for slo in report.slos if slo.id == slo_id)


def test_a_month_is_judged_by_the_revisions_in_force_and_by_today_s_definition(api, month):
    report = api.slo_report(MONTH)
    found = item(report)
    assert (report.start, report.end, report.complete) == (START, END, True)
    assert (found.judged.good, found.judged.bad, found.judged.total) == (265, 35, 300)
    # 0.8 over the first 200 requests, because the change came a second into its minute, 0.9 over the last 100
    assert found.judged.error_budget_remaining == pytest.approx(1 - 35 / 50)
    assert found.today.error_budget_remaining == pytest.approx(1 - 35 / 30)
    assert (found.judged.met, found.today.met) == (True, False)
    assert [(change.number, change.text, change.commit) for change in found.changes] == [
        (2, "target 0.8 -> 0.9", "c0ffee")
    ]


def test_where_it_stood_at_the_end_is_told_by_the_revision_in_force_and_by_today_s(database, tmp_path, api, month):
    RevisionKeeper(database, writer="one").update([slo_of_text(objective(target="0.5"))], END + DAY)
    (tmp_path / "shop.yaml").write_text(objective(target="0.5"), "utf-8")
    found = item(api.slo_report(MONTH))
    assert found.end_then is not None
    assert found.end_today is not None
    length = timedelta(days=30)
    held = [bad for day, bad in ((0, 15), (10, 15), (20, 5)) if START + day * DAY >= END - length]
    total = 100 * len(held)
    assert found.end_then.error_budget_remaining == pytest.approx(1 - sum(held) / (0.1 * total))
    assert found.end_today.error_budget_remaining == pytest.approx(1 - sum(held) / (0.5 * total))
    assert (found.end_then.state, found.end_today.state) == ("exhausted", "no_traffic")


def test_maintenance_is_left_out_and_the_budget_with_it_is_shown_beside(api, month):
    found = item(api.slo_report(MONTH))
    assert found.excluded_s == 3600
    assert found.judged_in_full is not None
    assert found.today_in_full is not None
    assert (found.judged_in_full.bad, found.judged_in_full.total) == (85, 350)
    assert found.judged_in_full.error_budget_remaining == pytest.approx(1 - 85 / 55)
    assert found.today_in_full.met is False


def test_an_objective_without_events_is_in_it_and_knows_nothing(api, month):
    found = item(api.slo_report(MONTH), "shop-fast")
    assert (found.judged.total, found.judged.sli, found.judged.met, found.coverage) == (0, None, None, 0.0)
    assert found.spenders is None


def test_alerts_that_fired_in_the_month_are_its_incidents(database, api, month):
    alert(database, SLO.id, START - HOUR, START + HOUR)
    alert(database, SLO.id, START + DAY, START + DAY + 2 * HOUR)
    alert(database, SLO.id, END - HOUR, None, severity="ticket")
    alert(database, SLO.id, START - 9 * HOUR, START - 8 * HOUR)
    alert(database, SLO.id, END, None)
    report = api.slo_report(MONTH)
    found = item(report).incidents
    assert [(incident.severity, incident.start - START, incident.duration_s) for incident in found] == [
        ("page", -HOUR, 7200),
        ("page", DAY, 7200),
        ("ticket", END - HOUR - START, None),
    ]
    assert found[0].summary == "<b>shop-availability</b> broke | badly"
    assert (report.totals.pages, report.totals.tickets, report.totals.mean_duration_s) == (2, 1, 7200)


def test_who_spent_the_budget_is_told_while_the_requests_are_stored(database, store, otlp, api):
    now = last_minute() - 5 * MINUTE
    at = otlp.ns(now)
    spans = [otlp.span("GET /pay", start_ns=at + number, status=2) for number in range(3)]
    store(database, otlp.traces(*spans, otlp.span(start_ns=at)))
    count(database, SLO, {now - 10 * MINUTE: (0, 4), now: (1, 3)})
    found = item(api.slo_report(f"{now:%Y-%m}"))
    assert found.spenders == [m.ReportSpender(service="shop", operation="GET /pay", share=1.0)]
    assert found.charged == 3


def test_totals_count_objectives_by_what_they_kept(api, month):
    found = api.slo_report(MONTH).totals
    assert (found.objectives, found.met, found.missed, found.without_data) == (2, 1, 0, 1)


def test_a_month_that_goes_on_is_told_so_far(database, api):
    now = last_minute()
    current = f"{now:%Y-%m}"
    count(database, SLO, {now - 5 * MINUTE: (9, 1), now + 5 * MINUTE: (0, 5)})
    report = api.slo_report(current)
    assert not report.complete
    assert now - 2 * MINUTE <= report.end <= now + 2 * MINUTE
    assert item(report).judged.total in {0, 10}  # 0 in the first minutes of a month


def test_drafts_are_in_it_only_if_asked_for(database, store, otlp, api):
    store(database, otlp.traces(otlp.span(), service="cart"))
    ids = [{slo.id for slo in api.slo_report(MONTH, drafts=drafts).slos} for drafts in (False, True)]
    assert ids[1] - ids[0] == {"cart-prod-availability", "cart-prod-latency"}


@pytest.mark.parametrize(("wrong", "reason"), [("2026-13", "write it as"), ("2199-01", "has not begun")])
def test_a_month_that_cannot_be_told_is_refused(api, wrong, reason):
    with pytest.raises(ApiError, match=reason) as refusal:
        api.slo_report(wrong)
    assert refusal.value.status == 422
