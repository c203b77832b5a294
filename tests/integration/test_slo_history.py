"""Revisions, the gate, maintenance and the details of an objective, through the API."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from api import models as m
from api.client import ApiClient, ApiError
from evaluator.revisions import RevisionKeeper
from slo.definition import slo_of
from slo.draft import drafts
from tests.integration.slo_past import DAY, MINUTE, count, last_minute, objective, serving, slo_of_text

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
SLO = slo_of_text(objective())


@pytest.fixture
def served(database, tmp_path):
    (tmp_path / "shop.yaml").write_text(objective(), "utf-8")
    with serving(database, tmp_path) as address:
        yield address


@pytest.fixture
def api(served):
    with ApiClient(f"http://{served}", timeout_s=60) as found:
        yield found


def test_revisions_tell_who_changed_what_and_when(database, api):
    keeper = RevisionKeeper(database, writer="one", author="ada", commit_of=lambda _: "c0ffee")
    made = datetime(2026, 3, 1, tzinfo=UTC)
    keeper.update([SLO], made)
    keeper.update([slo_of_text(objective(target="0.95", window="28d"))], made + DAY)
    assert api.slo_revisions(SLO.id) == [
        m.SloRevision(
            number=1, at=made, author="ada", commit="c0ffee", target=0.9, window="30d", change="added: 0.9 over 30d"
        ),
        m.SloRevision(
            number=2, at=made + DAY, author="ada", commit="c0ffee", target=0.95, window="28d",
            change="target 0.9 -> 0.95; window 30d -> 28d",
        ),
    ]  # fmt: skip
    assert api.slo_revisions("ghost") == []


def test_details_hold_the_whole_definition_and_what_is_on_record(database, api):
    RevisionKeeper(database, writer="one").update([SLO], datetime.now(UTC))
    end = last_minute()
    for hours, service in ((2, "shop"), (-2, ""), (3, "cart"), (31 * 24, "shop")):
        start = end - hours * HOUR
        api.add_maintenance(m.NewMaintenance(start=start, end=start + HOUR, reason=f"{hours} ago", service=service))
    found = api.slo_details(SLO.id)
    assert slo_of(found.definition).target == SLO.target
    assert [item.number for item in found.revisions] == [1]
    assert [item.reason for item in found.maintenance] == ["2 ago", "-2 ago"]
    assert found.excluded_s == 3600
    with pytest.raises(ApiError, match="ghost"):
        api.slo_details("ghost")


@pytest.mark.parametrize(("min_budget", "passes"), [("0.2", True), ("0.2000001", False), ("-5", True), ("1", False)])
def test_the_gate_compares_the_budget_that_is_left_exactly(database, api, min_budget, passes):
    count(database, SLO, {last_minute() - HOUR: (920, 80)})
    found = api.gate(SLO.id, min_budget=min_budget)
    assert found.passes == passes
    assert found.error_budget_remaining == pytest.approx(0.2)
    assert (found.state, found.provisional) == ("at_risk", True)
    assert found.min_budget == float(Decimal(min_budget))


def test_the_gate_takes_silence_for_bad_news_unless_told_otherwise(api):
    assert not api.gate(SLO.id, min_budget="0.2").passes
    assert api.gate(SLO.id, min_budget="0.2", allow_no_data=True).passes


@pytest.mark.parametrize("wrong", ["nan", "2", "much", "-inf"])
def test_a_minimum_that_makes_no_sense_is_refused(api, wrong):
    with pytest.raises(ApiError, match="min_budget") as refusal:
        api.gate(SLO.id, min_budget=wrong)
    assert refusal.value.status == 422


def announced(api, start, end, **fields):
    return api.add_maintenance(m.NewMaintenance(start=start, end=end, **({"reason": "move"} | fields)))


def test_announced_maintenance_is_listed_in_whole_minutes_newest_first(api):
    end = last_minute()
    first = announced(api, end - 9 * HOUR, end - 8 * HOUR, author="ada", slo_id=SLO.id)
    second = announced(api, end + timedelta(seconds=30), end + timedelta(seconds=90))
    assert (second.start, second.end) == (end, end + 2 * MINUTE)
    assert api.maintenance() == [second, first]
    assert (first.author, first.slo_id, first.service, first.ended_early_at) == ("ada", SLO.id, "", None)
    assert first.id != second.id


def test_maintenance_that_is_ended_stays_on_record_with_its_end(api):
    now = last_minute()
    running, coming, over = (announced(api, now + at * HOUR, now + (at + 2) * HOUR) for at in (-1, 1, -5))
    ended = api.end_maintenance(running.id)
    assert ended.ended_early_at is not None
    assert timedelta(0) <= ended.ended_early_at - now <= 3 * MINUTE
    assert api.end_maintenance(coming.id).ended_early_at == coming.start
    assert api.end_maintenance(over.id) == over
    assert api.end_maintenance(running.id).ended_early_at == ended.ended_early_at
    assert len(api.maintenance()) == 3
    with pytest.raises(ApiError, match="ghost") as refusal:
        api.end_maintenance("ghost")
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"end": "2026-03-01T00:00:00Z"}, "must lie after"),
        ({"start": "2026-03-01T00:00:00"}, "no zone"),
        ({"reason": " "}, "reason is empty"),
        ({"start": "soon"}, "start"),
    ],
)
def test_maintenance_that_makes_no_sense_is_refused(served, fields, reason):
    body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T01:00:00Z", "reason": "move"}
    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"http://{served}/api/v1/maintenance", json=body | fields)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


def test_drafts_have_details_and_no_revisions(database, store, otlp, api):
    store(database, otlp.traces(otlp.span(), service="cart"))
    draft, _ = drafts("cart", "prod")
    assert api.slo_details(draft.id).revisions == []
