"""A backtest of what was live gives what was live, and knows true alerts from false ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.replay import replay
from alerts.transition import Transition
from api import models as m
from api.client import ApiClient, ApiError
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from slo.indicator import CounterIndicator, MetricSelector
from slo.maintenance import Maintenance
from slo.model import EventCounts
from storage.annotations import Annotation, save_annotation
from storage.maintenance import maintenance_exclusions, save_maintenance
from storage.runs import save_run
from storage.slo_catalog import SloCatalog
from storage.slo_past import minute_history
from storage.transitions import transitions
from tests.integration.slo_past import DAY, MINUTE, alert, count, last_minute, objective, serving, slo_of_text

pytestmark = pytest.mark.slow

DELAY = timedelta(seconds=11)
TEXT = objective(target="0.99", windows="5m/1m page, 15m/3m ticket")
SLICES = (
    objective("shop-slices", target="0.8", windows="6m/2m page")
    .replace("Occurrences", "Timeslices")
    .replace("target: 0.8}", "target: 0.8, timeSliceTarget: 0.9, timeSliceWindow: 2m}")
)
SPARED = objective("shop-spared", target="0.99")
TEXTS = (TEXT, SLICES, SPARED)
# good and bad requests of each minute: two outages, silence in between and during the second
TRAFFIC = [(9, 0)] * 4 + [(5, 4)] * 5 + [(9, 0)] * 7 + [(0, 0)] * 3 + [(8, 1)] * 2 + [(0, 0)] * 2 + [(9, 0)] * 9


@pytest.fixture
def lived(database, store, otlp, tmp_path):
    """Traffic minute by minute with a tick after each; return the start of the first and the live transitions."""
    for number, text in enumerate(TEXTS):
        (tmp_path / f"shop-{number}.yaml").write_text(text, "utf-8")
    alerts = AlertStore(database, "live")
    catalog = SloCatalog([tmp_path])
    evaluator = Evaluator(database, catalog, alerts, raw_retention=timedelta(days=14))
    start = last_minute() - (len(TRAFFIC) + 1) * MINUTE
    work = Maintenance("a", start + 4 * MINUTE, start + 8 * MINUTE, "move", "", "", "", "shop-spared", start)
    save_maintenance(database, work, now=start)
    for minute, (good, bad) in enumerate(TRAFFIC):
        at = otlp.ns(start + minute * MINUTE)
        spans = [
            otlp.span(start_ns=at + n * 10**9, status=2 if n < bad else 0, duration_ns=10**6) for n in range(good + bad)
        ]
        if spans:
            store(database, otlp.traces(*spans))
        evaluator.tick(start + (minute + 1) * MINUTE + DELAY)
    assert evaluator.state.last_error == ""
    return start, [without_evidence(Transition.from_json(body)) for body in transitions(database, since=start)]


def without_evidence(transition):
    return replace(transition, details=replace(transition.details, exemplar_trace_ids=()))


def replayed(database, start, text):
    slo = slo_of_text(text)
    end = start + len(TRAFFIC) * MINUTE
    exclusions = maintenance_exclusions(database, slo, start, end)
    history = minute_history(database, slo, start - 30 * DAY, end, exclusions)
    return list(replay(slo, history, start, end, delay=DELAY).transitions)


def test_a_backtest_of_live_objectives_gives_exactly_the_transitions_that_were_live(database, lived):
    start, live = lived
    fired = [(item.slo_id, item.severity) for item in live if item.state == "firing"]
    assert fired.count(("shop-availability", "page")) == 2
    assert {("shop-availability", "ticket"), ("shop-slices", "page")} <= set(fired)
    assert fired.count(("shop-spared", "page")) == 2  # a minute of the first outage is not spared
    by_slo = {text: [item for item in live if item.slo_id == slo_of_text(text).id] for text in TEXTS}
    assert {text: replayed(database, start, text) for text in TEXTS} == by_slo
    # an indicator that nobody counts is counted from spans, and nothing is stored
    for table in ("sli_minutes", "sli_hours", "sli_series"):
        database.command(f"TRUNCATE TABLE {table}")
    assert {text: replayed(database, start, text) for text in TEXTS} == by_slo
    assert database.command("SELECT count() FROM sli_minutes") == 0
    assert database.command("SELECT count() FROM sli_series") == 0


START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def past(database):
    """Two days of a service, every minute 20 requests; an outage of ten minutes in each of the last four half days."""
    end = last_minute()
    slo = slo_of_text(objective())
    bad = [end - hours * timedelta(hours=1) + minute * MINUTE for hours in (6, 18, 30, 42) for minute in range(10)]
    minutes = {end - number * MINUTE: (20, 0) for number in range(1, 2 * 24 * 60 + 1)}
    count(database, slo, minutes | dict.fromkeys(bad, (2, 18)))
    return end


@pytest.fixture
def api(database, tmp_path):
    with serving(database, tmp_path) as address, ApiClient(f"http://{address}", timeout_s=60) as found:
        yield found


def backtest(api, end, text="", **options):
    (found,) = api.backtest(m.BacktestRequest(text=text or objective(), start=end - 2 * DAY, end=end, **options))
    return found


def test_it_tells_every_alert_that_would_have_been_sent_and_pages_a_week(api, past):
    found = backtest(api, past)
    assert [item.severity for item in found.alerts] == ["page"] * 4
    first = found.alerts[0]
    outage = past - timedelta(hours=42)
    assert outage < first.fired_at <= outage + 3 * MINUTE
    assert first.resolved_at is not None
    assert first.resolved_at > outage + 10 * MINUTE
    assert (found.pages, found.pages_per_week) == (4, 14.0)
    assert first.peak_burn_rate == pytest.approx(9.0)
    assert (found.bad, found.total) == (4 * 180, 2 * 24 * 60 * 20)
    assert (found.precision, found.recall) == (0.0, None)
    assert found.worst_day is not None
    assert found.counted_from == past - 2 * DAY


def test_incidents_chaos_runs_and_pages_of_other_objectives_are_what_alerts_are_measured_by(database, api, past):
    hour = timedelta(hours=1)
    first, second, third = (past - hours * hour for hours in (42, 30, 18))
    named = [("known", "incident", ["shop"]), ("release", "deployment", ["shop"]), ("other", "incident", ["cart"])]
    for name, kind, services in named:
        save_annotation(database, Annotation(name, kind, name, first, first + hour, services, ""), now=past)
    for verdict in ("deviated", "held"):
        window = m.RunWindow(phase="fault", started_at=second, ended_at=second + 10 * MINUTE)
        run = m.Run(
            id=verdict, experiment="e", title=f"it {verdict}", status="finished", verdict=verdict, started_at=second,
            ended_at=second + hour, heartbeat_at=second, services=["shop"], windows=[window],
        )  # fmt: skip
        save_run(database, run.id, run.model_dump_json(), started_at=second, now=past)
    alert(database, "shop-checkout", third, third + hour)
    alert(database, "shop-checkout", third, third + hour, severity="ticket")
    alert(database, "shop-availability", past - 6 * hour, past - 5 * hour)
    alert(database, "cart-availability", past - 6 * hour, past - 5 * hour, service="cart")
    silent = past - 10 * hour
    save_annotation(database, Annotation("q", "incident", "quiet", silent, silent + hour, [], ""), now=past)
    found = backtest(api, past)
    assert [(item.source, item.title) for item in found.incidents] == [
        ("annotation", "known"),
        ("chaos run", "it deviated"),
        ("alert", "shop-checkout"),
        ("annotation", "quiet"),
    ]
    assert [item.incidents for item in found.alerts] == [["known"], ["it deviated"], ["shop-checkout"], []]
    assert (found.precision, found.recall) == (0.75, 0.75)
    assert [item.title for item in found.missed] == ["quiet"]


def test_the_alerts_of_an_objective_that_counts_the_same_events_prove_nothing(database, tmp_path, api, past):
    (tmp_path / "shop.yaml").write_text(objective("shop-same-thing"), "utf-8")
    alert(database, "shop-same-thing", past - timedelta(hours=6), past)
    assert backtest(api, past).incidents == []


def test_maintenance_keeps_a_backtest_quiet_too(database, api, past):
    start = past - timedelta(hours=42)
    window = Maintenance("a", start, start + 10 * MINUTE, "move", "", "shop", "", "", start)
    save_maintenance(database, window, now=past)
    assert backtest(api, past).pages == 3


def test_an_objective_that_is_there_is_tested_by_its_id(tmp_path, api, past):
    (tmp_path / "shop.yaml").write_text(objective(), "utf-8")
    (found,) = api.backtest(m.BacktestRequest(slo_id="shop-availability"))
    assert found.alerts == backtest(api, past).alerts
    assert found.start == found.end - 30 * DAY


@pytest.mark.parametrize(
    ("asked", "status", "reason"),
    [
        ({}, 422, "either text"),
        ({"text": "a", "slo_id": "b"}, 422, "either text"),
        ({"text": "kind: SLO"}, 422, "apiVersion is missing"),
        ({"text": "# nothing"}, 422, "holds no objective"),
        ({"slo_id": "ghost"}, 404, "ghost"),
        ({"text": objective(), "start": START, "end": START}, 422, "must lie before"),
        ({"text": objective(), "start": START - 900 * DAY, "end": START}, 422, "400 days"),
    ],
)
def test_what_cannot_be_tested_is_refused_with_the_reason(api, asked, status, reason):
    with pytest.raises(ApiError, match=reason) as refusal:
        api.backtest(m.BacktestRequest(**asked))
    assert refusal.value.status == status


def test_an_indicator_over_metrics_that_nobody_counts_is_counted_from_points(database, store, otlp):
    end = last_minute()
    for name, values in (("good", (0, 90)), ("all", (0, 100))):
        for minutes, value in zip((8, 4), values, strict=True):
            body = otlp.counter(name, value, at_ns=otlp.ns(end - minutes * MINUTE), start_ns=otlp.ns(end - 9 * MINUTE))
            store(database, body, signal="metrics")
    counters = CounterIndicator("shop", None, good=MetricSelector("good"), total=MetricSelector("all"))
    slo = replace(slo_of_text(objective()), indicator=counters)
    history = minute_history(database, slo, end - DAY, end)
    assert history.counts(end - DAY, end) == EventCounts(90, 100)
    assert database.command("SELECT count() FROM sli_minutes") == 0
