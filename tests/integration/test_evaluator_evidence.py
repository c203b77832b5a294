"""What an alert brings along, from real traces, logs, runs and alerts."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.evidence import Deployment, Evidence
from alerts.transition import AlertDetails, Transition
from evaluator import evidence_parts
from evaluator.alert_store import AlertStore
from evaluator.evidence import PARTS, EvidenceGatherer
from slo.indicator import CacheIndicator
from storage.annotations import Annotation, save_annotation
from storage.errors import DatabaseError
from storage.runs import save_run
from storage.traces import read_trace
from tests.integration.evidence_world import MINUTE, EvidenceWorld

pytestmark = pytest.mark.slow


@pytest.fixture
def world(database, store, otlp, shop):
    return EvidenceWorld(database, store, otlp, shop)


def test_an_alert_tells_what_is_broken_for_whom_how_bad_since_when_and_why(world):
    newest = world.fill()
    found = world.gather()
    assert found.missing == ()
    assert (found.start, found.end, found.gathered_at) == (world.shop.base, world.end, world.now)
    assert (found.owner, found.runbook) == ("team-checkout", "https://runbooks.example/checkout")
    first = found.traces[0]
    assert (first.trace_id, first.route, first.error) == (newest.trace_id.hex(), "/pay", True)
    assert (first.guilty_service, first.guilty_operation, first.guilty_message) == ("payments", "charge", "declined")
    assert [(each.service, each.operation, each.bad, each.share) for each in found.spenders] == [
        ("payments", "charge", 12, 1.0)
    ]
    assert found.since == world.shop.base + 7 * MINUTE
    assert ("http.route", "/pay", 1.0, 0.0, None) in [
        (each.attribute, each.value, each.share_of_bad, each.share_of_good, each.lift) for each in found.differences
    ]
    at = world.shop.base + 7 * MINUTE
    assert sorted(found.deployments, key=lambda each: each.service) == [
        Deployment("checkout", "2", "1", at),
        Deployment("payments", "2", "1", at),
    ]
    assert [each.hours for each in found.forecasts] == [1, 6, 24]
    # 12 of 50 failed, 5 may: 12 / 5 of the budget of so few requests
    assert found.error_budget_spent == pytest.approx(2.4)
    assert found.error_budget_remaining == pytest.approx(-1.4)
    for words in (
        "Hit: /pay (100 % of the bad requests).",
        "It began at",
        "100 % of it is charged to payments charge",
        "was deployed at",
    ):
        assert words in found.summary
    assert Evidence.from_json(found.to_json()) == found


def test_the_first_trace_is_drawn_with_its_guilty_span_and_every_trace_outlives_the_raw_spans(world, database):
    world.fill()
    found = world.gather()
    assert [(span.service, span.operation, span.guilty) for span in found.trace_spans] == [
        ("checkout", "POST /pay", False),
        ("checkout", "GET", False),
        ("checkout", "POST", False),
        ("payments", "charge", True),
    ]
    assert found.trace_span_count == 4
    assert [span.offset_ms for span in found.trace_spans] == [0, 1, 2, 3]
    for table in ("spans", "trace_index"):
        database.command(f"TRUNCATE TABLE {table}")
    assert len(found.traces) == 3
    for each in found.traces:
        names = {span.name for span in read_trace(database, each.trace_id).spans}
        assert {"POST /pay", "charge"} <= names


def test_logs_of_the_traces_and_errors_of_the_guilty_service_are_shown_and_bounded(world):
    newest = world.fill()
    at = world.end - MINUTE
    world.log("x" * 10_000, at=at, trace_id=newest.trace_id)
    world.log({"why": "card"}, at=at + timedelta(seconds=1), service="payments", severity=17, severity_text="ERROR")
    world.log("only for information", at=at, service="payments")
    world.log("of somebody else", at=at, service="other", severity=21)
    found = world.gather()
    assert [(line.service, line.severity, line.body) for line in found.logs] == [
        ("checkout", "9", "x" * 499 + "…"),
        ("payments", "ERROR", '{"why": "card"}'),
    ]
    assert found.logs[0].trace_id == newest.trace_id.hex()
    world.log(*(f"again {number}" for number in range(30)), at=at, service="payments", severity=17)
    assert len(world.gather().logs) == 20


def test_experiments_and_noted_events_of_the_window_are_named_those_of_the_service_first(world, database):
    world.fill()
    began = world.end - 5 * MINUTE

    def run(run_id, **given):
        body = {
            "id": run_id,
            "title": f"run {run_id}",
            "started_at": began.isoformat(),
            "ended_at": None,
            "heartbeat_at": world.now.isoformat(),
            "environment": "prod",
            "services": ["payments"],
        } | given
        save_run(database, run_id, json.dumps(body), started_at=began, now=world.now)

    run("going")
    run("other", services=["search"])
    run("elsewhere", environment="test")
    run("silent", heartbeat_at=(began + MINUTE).isoformat())
    run("over", ended_at=(world.shop.base - MINUTE).isoformat())
    for number, kind in enumerate(("release", "retention")):
        noted = Annotation(f"n{number}", kind, f"a {kind}", began, began, ["checkout"], "")
        save_annotation(database, noted, now=world.now)
    found = world.gather().experiments
    assert {(each.run_id, each.ended_at) for each in found} == {
        ("going", None),
        ("silent", began + MINUTE),
        ("n0", began),
        ("other", None),
    }
    assert found[-1].run_id == "other"


def test_earlier_alerts_of_the_rule_come_with_what_was_noted_of_them(world, database):
    world.fill()
    fired = world.fired(world.standing(world.slo()))
    alerts = AlertStore(database, "one")
    stored = [
        replace(fired, alert_id="ancient", at=world.now - timedelta(days=91)),
        replace(fired, alert_id="other", rule="checkout-p95", slo_id="checkout-p95"),
        fired,
    ]
    for days in range(1, 8):
        at = world.now - timedelta(days=days)
        old = replace(fired, alert_id=f"old-{days}", at=at, started_at=at, fired_at=at)
        stored += [old, replace(old, sequence=2, state="resolved", at=at + MINUTE, resolved_at=at + MINUTE)]
    assert alerts.append(stored, world.now)
    columns = ["incident_id", "at", "author", "text"]
    database.insert("incident_notes", [("old-2", world.now, "ada", "the card gateway was down")], columns)
    found = world.gather().past
    assert [each.alert_id for each in found] == [f"old-{days}" for days in range(1, 6)]
    assert found[1].note == "the card gateway was down"
    assert (found[0].note, found[0].lasted_s, found[0].fired_at) == ("", 60.0, world.now - timedelta(days=1))


def test_a_cache_that_misses_shows_the_traces_of_misses(world, store, database, otlp):
    for n in range(20):
        hit = {"cache.hit": n < 2, "cache.name": "items"}
        lookup = world.shop.span("get item", at_ms=9 * 60_000 * (n > 0) + n, attributes=hit)
    store(database, *world.shop.bodies())
    found = world.gather(replace(world.slo(), indicator=CacheIndicator("checkout", "prod", cache="items")))
    assert found.traces[0].trace_id == lookup.trace_id.hex()
    assert (found.traces[0].guilty_service, len(found.traces), found.spenders) == ("checkout", 3, ())
    assert found.trace_spans[0].operation == "get item"


@pytest.mark.parametrize("service", ["checkout", ""])
def test_an_alert_without_an_objective_brings_what_is_possible(world, database, service):
    newest = world.fill()
    alert = Transition(
        alert_id="queue-1",
        sequence=1,
        slo_id="",
        rule="threshold/QueueTooLong/{}",
        service=service,
        environment="prod" if service else "",
        severity="ticket",
        state="firing",
        at=world.now,
        started_at=world.now,
        fired_at=world.now,
        resolved_at=None,
        summary="1,200 orders wait in queue emails; more than 1,000 are too many",
        details=AlertDetails("QueueTooLong", "QueueTooLong"),
    )
    found = EvidenceGatherer(database).gather(alert, None, None, world.end, now=world.now)
    assert found.missing == ()
    assert found.start == world.end - timedelta(hours=1)
    assert found.summary.startswith("1,200 orders wait in queue emails; more than 1,000 are too many.")
    assert [each.trace_id for each in found.traces[:1]] == ([newest.trace_id.hex()] if service else [])
    assert bool(found.deployments) == bool(service)
    assert (found.spenders, found.forecasts, found.error_budget_spent) == ((), (), None)


def test_a_part_that_fails_is_named_and_the_others_are_there(world, monkeypatch):
    world.fill()

    def away(*_args, **_options):
        raise DatabaseError("the server went away")

    monkeypatch.setattr(evidence_parts, "blame", away)
    found = world.gather()
    assert found.missing == ("who spent the budget: DatabaseError",)
    assert (found.spenders, bool(found.traces), bool(found.differences)) == ((), True, True)


def test_when_time_runs_out_the_rest_is_named_as_missing(world):
    world.fill()
    ticking = itertools.count()
    found = world.gather(seconds=3.5, clock=lambda: float(next(ticking)))
    assert found.missing == tuple(f"{name}: not enough time" for name, _ in PARTS[3:])
    assert found.traces
    assert "Noticed" not in found.summary


def test_a_ticket_of_a_latency_objective_shows_the_slowest_requests(world, store, database):
    world.shop.checkout()
    for n in range(20):
        world.shop.checkout(at_ms=9 * 60_000 + n, ms=300 + n, redis_ms=250)
    store(database, *world.shop.bodies())
    found = world.gather(world.slo("checkout-latency", good="duration_ms <= 200"))
    assert [each.duration_ms for each in found.traces] == [319.0, 318.0, 317.0]
    assert found.spenders[0].service == "redis"
